#include "http/h2/connection.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/log/log.hpp>

#include "http/bound_until.hpp"

namespace weft::inline v1::http::detail::h2 {

namespace {

constexpr std::size_t outbox_bytes = 64 * 1024;
/// Frames that wait for the client to read, beside a few of each stream: what it asks for without reading.
constexpr std::size_t waiting_max = 2000;
constexpr std::size_t waiting_max_of_stream = 8;
constexpr std::size_t read_bytes = 16 * 1024;
constexpr int reads_in_a_row = 32;
constexpr std::size_t linger_bytes_max = 8 * 1024 * 1024;
constexpr std::chrono::milliseconds linger_time{2000};
constexpr std::chrono::milliseconds linger_time_stopping{200};

}  // namespace

bool is_built_in() noexcept { return true; }

std::unique_ptr<http2_link> make_connection(server_lane& lane, transport peer) {
  return std::make_unique<connection>(lane, std::move(peer));
}

/// The fiber of a stream: counted until its end, also where it is cancelled before it began.
class connection::running {
 public:
  running(connection& of, stream_id id, stream& one) noexcept : of_(&of), id_(id), one_(&one) {
    of.fibers_.add();
  }
  running(running&& other) noexcept
      : of_(std::exchange(other.of_, nullptr)), id_(other.id_), one_(other.one_) {}
  running& operator=(running&&) = delete;
  ~running() {
    if (of_ == nullptr) return;
    if (one_->stop_running()) of_->forget(id_);
    of_->send_soon();
    of_->fibers_.done();
  }
  stream& operator*() const noexcept { return *one_; }

 private:
  connection* of_;
  stream_id id_;
  stream* one_;
};

connection::connection(server_lane& lane, transport peer)
    : lane_(lane),
      peer_(std::move(peer)),
      session_(*this,
               {.options = lane.options().http2, .head_bytes_max = lane.options().limits.head_bytes_max}),
      gathered_(lane.options().http2.gathered_bytes_max, lane.options().http2.stream_window_bytes),
      resets_(lane.options().http2.resets_max),
      control_frames_(lane.options().http2.control_frames_max),
      idle_until_(bound_until(lane.options().head_timeout)) {
  ++lane.counters().http2_connections;
}

connection::~connection() = default;

void connection::run(std::string_view received) {
  // Whatever happens, nobody is left who uses this.
  struct ending {
    connection& of;
    ~ending() {
      of.let_go();
      shield([this] { of.fibers_.wait(); });
    }
  } const here{*this};
  go_here([this, mine = counted_in(fibers_)] { send_all(); }, {.name = "http sender"});
  if (!read_all(received)) return;
  let_go();
  shield([this] { fibers_.wait(); });  // all is sent then
  if (!is_lost_ && lingers_) linger();
}

void connection::stop_begins() noexcept {
  if (is_announced_) return;
  is_announced_ = true;
  session_.announce_end();
  send_soon();
}

void connection::end_soon() noexcept {
  if (!is_draining_) session_.go_away();
  is_draining_ = true;
  lingers_ = !streams_.empty() || steady_clock::now() < answered_ + linger_time;
  for (const auto& [id, one] : streams_) one->leave();
  send_soon();
  wake_reader();
}

// ---- reading

/// False: the client has ended the connection.
bool connection::read_all(std::string_view received) {
  send_soon();  // the settings
  if (!received.empty()) feed(received);
  const std::unique_ptr<char[]> buffer(new char[read_bytes]);
  for (int turn = 1; !is_over(); ++turn) {
    const std::optional<std::size_t> count = read({buffer.get(), read_bytes}, next_look());
    if (count && *count == 0) return false;
    if (count) {
      feed({buffer.get(), *count});
    } else if (!look_at_clock()) {
      break;
    }
    // A client that sends without end shall not keep the others waiting.
    if (turn % reads_in_a_row == 0) yield();
  }
  if (condemned_) session_.terminate(*condemned_);
  return true;
}

bool connection::is_over() const noexcept {
  if (condemned_ || is_lost_) return true;
  return (is_draining_ && streams_.empty()) || !session_.wants_more();
}

void connection::feed(std::string_view bytes) {
  if (const auto wrong = session_.receive(bytes)) condemn(wrong->why, wrong->code);
  pump();
  if (session_.waiting() > waiting_max + waiting_max_of_stream * lane_.options().http2.streams_max)
    condemn("frames without end that ask for others, which it does not read");
  if (!condemned_) start_ready();
}

void connection::start_ready() {
  for (const stream_id id : std::exchange(ready_, {})) {
    if (stream* const one = find(id))
      go_here([mine = running(*this, id, *one)] { (*mine).run(); }, {.name = "http"});
  }
}

std::optional<std::size_t> connection::read(std::span<char> into, steady_time until) {
  if (std::exchange(is_woken_, false)) return std::nullopt;
  cancel_scope waking;
  reading_ = &waking;
  struct reading {
    connection& of;
    ~reading() { of.reading_ = nullptr; }
  } const here{*this};
  try {
    return peer_.read_some_until(into, until);
  } catch (const cancelled&) {
    if (!std::exchange(is_woken_, false)) throw;
    return std::nullopt;
  }
}

void connection::lose() noexcept {
  is_lost_ = true;
  wake_reader();
}

void connection::wake_reader() noexcept {
  is_woken_ = true;
  if (reading_ != nullptr) reading_->cancel();
}

steady_time connection::next_look() const noexcept {
  if (streams_.empty()) return std::min(head_until_, idle_until_);
  // The last stream may end meanwhile.
  steady_time next = std::min(head_until_, bound_until(lane_.options().idle_timeout));
  for (const auto& [id, one] : streams_) next = std::min(next, one->until());
  return next;
}

/// Something is due, perhaps. False: the connection ends.
bool connection::look_at_clock() {
  const steady_time now = steady_clock::now();
  if (streams_.empty() && idle_until_ <= now) {
    session_.go_away();
    return false;
  }
  if (head_until_ <= now) give_head_up();
  for (const auto& [id, one] : streams_) {
    if (one->until() > now) continue;
    if (gathered_.waits(id)) {  // for this side: it is not the client who is late
      refuse_body(id);
      continue;
    }
    one->be_late();
    gathered_.forget(id);
    ready_.push_back(id);
  }
  settle_bodies();
  start_ready();
  pump();
  return true;
}

/// Nothing can come behind a header that does not go on. What runs is finished.
void connection::give_head_up() {
  head_until_ = no_deadline;
  session_.reset(head_id_, error_code::enhance_your_calm);
  session_.go_away(error_code::enhance_your_calm);
  is_draining_ = true;
}

/// Nothing that the client sends is of use any more, and it reads no answers.
void connection::let_go() noexcept {
  for (const auto& [id, one] : streams_) one->close();
  is_ending_ = true;
  send_soon();
}

/// Reads what the client still sends, for a while: closing with unread bytes would make the system reset the
/// connection, and the client might lose answers.
void connection::linger() {
  peer_.shutdown_write();
  const std::unique_ptr<char[]> buffer(new char[read_bytes]);
  const steady_time until = steady_clock::now() + (lane_.is_stopping() ? linger_time_stopping : linger_time);
  is_woken_ = false;
  for (std::size_t dropped = 0; dropped < linger_bytes_max;) {
    const std::optional<std::size_t> count = read({buffer.get(), read_bytes}, until);
    if (!count || *count == 0) return;
    dropped += *count;
  }
}

// ---- sending

void connection::pump() {
  if (is_lost_) return;
  try {
    while (outbox_.size() < outbox_bytes) {
      const std::string_view frames = session_.next_out();
      if (frames.empty()) break;
      outbox_.append(frames);
    }
  } catch (...) {
    // Whose turn it was, a handler's perhaps: what the client got may be cut anywhere.
    lose();
    throw;
  }
  if (!outbox_.empty()) send_soon();
}

void connection::send_all() {
  try {
    std::string sending;
    while (true) {
      to_send_.wait();
      to_send_.reset();
      pump();
      while (!outbox_.empty()) {
        sending.swap(outbox_);
        const std::string_view piece = sending;
        const auto sent = peer_.write_all_until({&piece, 1}, bound_until(lane_.options().write_timeout));
        if (sent.end == net::transfer_end::timed_out)
          throw error(errc::timed_out, "http: the client does not read");
        sending.clear();
        pump();
      }
      if (is_ending_) return;
    }
  } catch (const error& failed) {
    log::debug("http: a connection failed", {{"why", failed.what()}});
    lose();
  } catch (const std::exception& failed) {
    log::error("http: a connection failed", {{"why", failed.what()}});
    lose();
  }
}

}  // namespace weft::inline v1::http::detail::h2
