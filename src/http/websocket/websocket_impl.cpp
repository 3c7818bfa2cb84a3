#include "http/websocket/websocket_impl.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/flag_mark.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/wire/random.hpp>
#include <weft/wire/utf8.hpp>

#include "http/bound_until.hpp"
#include "http/connection_lost.hpp"

namespace weft::inline v1::http {

using detail::bound_until;
using detail::opcode;

namespace {

// What the peer's close says (RFC 6455, 7.1.5).
constexpr int no_code = 1005;
constexpr int no_close = 1006;

constexpr unsigned frames_in_a_row = 32;

std::string close_text(int code) { return {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}; }

}  // namespace

/// A frame that is not written to its end ends the connection.
struct websocket::impl::cut_guard {
  impl& of;
  bool is_done = false;
  ~cut_guard() {
    if (!is_done) of.cut();
  }
};

websocket::impl::impl(detail::protocol_host& host, std::string_view answer, const websocket_options& options,
                      std::string protocol, const std::optional<detail::deflate_agreement>& deflate)
    : options_(options), protocol_(std::move(protocol)), is_server_(true) {
  if (deflate) deflate_.emplace(*options.compression, *deflate);
  stream_ = host.switch_protocol(answer);
  buffer_.append(host.received());
  host_ = &host;
  host.set_switched(*this);  // last: it knows of whole ones only
}

websocket::impl::impl(detail::transport connected, std::string_view received,
                      const websocket_options& options, std::string protocol,
                      const std::optional<detail::deflate_agreement>& deflate)
    : options_(options), protocol_(std::move(protocol)), is_server_(false), stream_(std::move(connected)) {
  if (deflate) deflate_.emplace(*options.compression, *deflate);
  buffer_.append(received);
}

websocket::impl::~impl() {
  drop(1001);
  give_back();
}

/// What fails in `work` is the client's doing.
template <typename Work>
auto websocket::impl::from_peer(Work&& work) {
  try {
    return work();
  } catch (const error& failed) {
    if (!is_server_) throw;
    throw detail::connection_lost(failed);
  }
}

// ---- reading

std::optional<websocket_message> websocket::impl::read() {
  if (reading_ && said_close_) {  // by close(), which reads
    end_.wait();
    return std::nullopt;
  }
  if (reading_) throw error(errc::busy, "websocket: read: another task reads already");
  const weft::detail::flag_mark reading(reading_);
  return from_peer([this] { return read_on(); });
}

// Each step leaves a whole state behind, so that a cancelled one is gone on from.
std::optional<websocket_message> websocket::impl::read_on() {
  while (!ended_) {
    if (!in_frame_ && !begin_frame()) {
      fill();
      continue;
    }
    take_payload();
    if (taken_ < frame_.payload_bytes) {
      fill();
      continue;
    }
    in_frame_ = false;
    // What comes fast enough is never waited for: the others shall have their turn, too.
    if (++frames_ % frames_in_a_row == 0) yield();
    if (auto whole = end_frame()) return whole;
  }
  return std::nullopt;
}

bool websocket::impl::begin_frame() {
  const detail::read_head got = detail::parse_frame_head(buffer_.readable(), is_server_, is_compressed());
  if (got.how == detail::read_head::outcome::more) return false;
  if (got.how == detail::read_head::outcome::refused) fail(1002, got.why);
  frame_ = got.head;
  if (!is_control(frame_.what)) {
    if (frame_.what == opcode::continuation && !in_message_) fail(1002, "a continuation of nothing");
    if (frame_.what != opcode::continuation && in_message_) fail(1002, "a message within another one");
    if (frame_.payload_bytes > options_.message_bytes_max - message_.data.size())
      fail(1009, "a message over the bound");
    if (!in_message_) {
      message_.kind = frame_.what == opcode::text ? websocket_kind::text : websocket_kind::binary;
      message_is_compressed_ = frame_.is_compressed;
      in_message_ = true;
    }
  }
  buffer_.consume(got.bytes);
  taken_ = 0;
  in_frame_ = true;
  control_.clear();
  return true;
}

void websocket::impl::take_payload() {
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), frame_.payload_bytes - taken_));
  if (frame_.mask) detail::apply_mask(buffer_.data(), count, *frame_.mask, taken_);
  (is_control(frame_.what) ? control_ : message_.data).append(buffer_.data(), count);
  buffer_.consume(count);
  taken_ += count;
}

std::optional<websocket_message> websocket::impl::end_frame() {
  if (is_control(frame_.what)) {
    answer_control();
    return std::nullopt;
  }
  if (!frame_.is_final) return std::nullopt;
  in_message_ = false;
  websocket_message whole = std::exchange(message_, {});
  buffer_.trim();
  if (said_close_) return std::nullopt;  // nobody waits for it any more
  if (message_is_compressed_) unpack(whole);
  if (whole.kind == websocket_kind::text && !wire::is_utf8(whole.data)) fail(1007, "text that is not UTF-8");
  return whole;
}

void websocket::impl::unpack(websocket_message& whole) {
  using outcome = detail::message_deflate::unpacked;
  switch (deflate_->unpack(whole.data, options_.message_bytes_max)) {
    case outcome::done:
      return;
    case outcome::malformed:
      fail(1002, "a compressed message that is malformed");
    case outcome::too_large:
      fail(1009, "a message over the bound");
  }
}

void websocket::impl::answer_control() {
  if (frame_.what == opcode::close) {
    take_close();
  } else if (frame_.what == opcode::ping && !said_close_) {
    pong_due_ = control_;
    flush_due(steady_clock::now());
  }
}

void websocket::impl::take_close() {
  int code = no_code;
  if (control_.size() == 1) fail(1002, "half a close code");
  if (control_.size() >= 2) {
    code = static_cast<unsigned char>(control_[0]) << 8 | static_cast<unsigned char>(control_[1]);
    if (!detail::is_close_code(code)) fail(1002, "a close code that is none");
    if (!wire::is_utf8(std::string_view(control_).substr(2))) fail(1007, "a reason that is not UTF-8");
    close_reason_ = control_.substr(2);
  }
  close_due_ = close_text(code == no_code ? 1000 : code);
  flush_due(bound_until(options_.write_timeout));
  end(code);
}

void websocket::impl::fill() {
  if (said_close_ && steady_clock::now() >= close_by_) return end(no_close);
  flush_due(steady_clock::now());
  const std::optional<std::size_t> count =
      receive(said_close_ ? close_by_ : bound_until(options_.ping_after));
  if (ended_) return;  // by another task
  if (!count) {
    take_silence();
  } else if (*count == 0) {
    take_end_of_stream();
  } else {
    buffer_.commit(*count);
    asked_ = false;
  }
}

std::optional<std::size_t> websocket::impl::receive(steady_time until) {
  try {
    return stream_.read_some_until(buffer_.room(), until);
  } catch (const error&) {
    if (ended_) return 0;  // closed by another task
    cut_ = true;
    end(no_close);
    throw;
  }
}

void websocket::impl::take_silence() {
  if (said_close_) return;  // who closes looks at its own bound
  if (asked_) {
    cut_ = true;
    end(no_close);
    throw error(errc::timed_out, "websocket: the peer gives no sign of life");
  }
  asked_ = true;
  const std::unique_lock lock(writing_, std::try_to_lock);
  if (lock && may_write()) shield([this] { write_control(opcode::ping, {}, steady_clock::now()); });
}

void websocket::impl::take_end_of_stream() {
  if (leaving_ && !cut_) return drop(1001);
  const bool expected = said_close_;
  cut_ = true;
  end(no_close);
  if (!expected) throw error(errc::unavailable, "websocket: the peer closed the connection without a word");
}

void websocket::impl::fail(int code, const char* why) {
  close_code_ = no_close;
  drop(code);
  throw error(code == 1009 ? errc::too_large : errc::malformed,
              std::string("websocket: the peer sent ") + why);
}

// ---- writing

void websocket::impl::send(opcode what, std::string_view payload) {
  if (what == opcode::text) wire::require_utf8(payload);
  const steady_time until = bound_until(options_.write_timeout);
  from_peer([&] {
    const std::unique_lock lock(writing_, until);
    if (!lock) throw error(errc::timed_out, "websocket: send: others write, and the peer does not read");
    if (!is_open()) throw error(errc::closed, "websocket: send: the connection is closed");
    write_message(what, payload, until);
    write_due(until);
  });
}

/// The caller has the lock.
void websocket::impl::write_message(opcode what, std::string_view payload, steady_time until) {
  checkpoint();            // nothing is cut off by a task that was cancelled before
  cut_guard whole{*this};  // once it is packed it has to be sent: the next one may look back to it
  const auto packed = deflate_ ? deflate_->pack(payload) : std::nullopt;
  write_frame(what, packed ? std::string_view(*packed) : payload, until, packed.has_value());
  whole.is_done = true;
}

/// The caller has the lock.
void websocket::impl::write_frame(opcode what, std::string_view payload, steady_time until,
                                  bool is_compressed) {
  cut_guard whole{*this};
  std::string bytes;
  if (is_server_) {
    detail::append_frame_head(bytes, {.what = what,
                                      .is_final = true,
                                      .is_compressed = is_compressed,
                                      .payload_bytes = payload.size(),
                                      .mask = {}});
  } else {
    bytes = frame_bytes(what, payload, is_compressed);
    payload = {};
  }
  const std::array<std::string_view, 2> pieces{bytes, payload};
  if (!stream_.write_all_until(pieces, until))
    throw error(errc::timed_out, "websocket: the peer does not read");
  whole.is_done = true;
}

/// Head and payload; masked where this is a client.
std::string websocket::impl::frame_bytes(opcode what, std::string_view payload, bool is_compressed) {
  detail::frame_head head{.what = what,
                          .is_final = true,
                          .is_compressed = is_compressed,
                          .payload_bytes = payload.size(),
                          .mask = {}};
  if (!is_server_) head.mask = next_mask();
  std::string bytes;
  bytes.reserve(detail::frame_head_bytes_max + payload.size());
  append_frame_head(bytes, head);
  const std::size_t begin = bytes.size();
  bytes.append(payload);
  if (head.mask) detail::apply_mask(bytes.data() + begin, payload.size(), *head.mask, 0);
  return bytes;
}

detail::frame_mask websocket::impl::next_mask() {
  detail::frame_mask mask;
  if (masks_left_ == 0) {
    wire::fill_random(masks_);
    masks_left_ = masks_.size();
  }
  masks_left_ -= mask.size();
  std::memcpy(mask.data(), masks_.data() + masks_left_, mask.size());
  return mask;
}

/// Who writes now does it otherwise.
void websocket::impl::flush_due(steady_time until) noexcept {
  if (!pong_due_ && close_due_.empty()) return;
  const std::unique_lock lock(writing_, std::try_to_lock);
  if (lock) write_due(until);
}

/// The caller has the lock. Leaves due what the socket does not take by `until`.
void websocket::impl::write_due(steady_time until) noexcept {
  try {
    shield([&] {
      if (pong_due_ && may_write() && write_control(opcode::pong, *pong_due_, until)) pong_due_.reset();
      if (!close_due_.empty() && may_write() && write_control(opcode::close, close_due_, until))
        said_close_ = true;
    });
  } catch (...) {  // the peer is gone, or there is no memory
    cut();
  }
}

/// The caller has the lock. False where the socket takes none of it by `until`; once begun, it is finished.
bool websocket::impl::write_control(opcode what, std::string_view payload, steady_time until) {
  const std::string bytes = frame_bytes(what, payload);
  cut_guard whole{*this};
  const std::optional<std::size_t> begun = stream_.write_some_until(bytes, until);
  const std::string_view rest = std::string_view(bytes).substr(begun.value_or(bytes.size()));
  if (!rest.empty() && !stream_.write_all_until({&rest, 1}, bound_until(options_.write_timeout)))
    throw error(errc::timed_out, "websocket: the peer does not read");
  whole.is_done = true;
  return begun.has_value();
}

void websocket::impl::close(int code, std::string_view reason) {
  if (!detail::is_close_code(code))
    throw error(errc::invalid_argument,
                "websocket: close: " + std::to_string(code) + " is no code to close with");
  wire::require_utf8(reason);
  if (reason.size() > detail::control_bytes_max - 2)
    throw error(errc::invalid_argument, "websocket: close: the reason has more than 123 bytes");
  if (!is_open()) return;
  const steady_time until = bound_until(options_.close_timeout);
  try {
    const std::unique_lock lock(writing_, until);
    if (lock && is_open()) {
      checkpoint();
      write_frame(opcode::close, close_text(code).append(reason), until);
      close_by_ = until;
      said_close_ = true;
    }
  } catch (const error&) {  // the peer is gone: closed, too
  }
  if (said_close_ && !ended_) await_close();
  end(no_close);
}

void websocket::impl::await_close() {
  if (reading_) {
    end_.wait_until(close_by_);
    return;
  }
  const weft::detail::flag_mark reading(reading_);
  try {
    read_on();
  } catch (const error&) {  // whatever it sends now
  }
}

void websocket::impl::drop(int code) noexcept {
  if (!ended_ && may_write()) {
    try {
      close_due_ = close_text(code);
    } catch (const std::bad_alloc&) {
    }
    flush_due(steady_clock::now());  // what fits into the socket's buffer is sent; nobody waits
  }
  end(no_close);
}

// ---- the end

/// Who reads sees it.
void websocket::impl::cut() noexcept {
  cut_ = true;
  if (reading_) stream_.shutdown_read();
}

void websocket::impl::end(int code) noexcept {
  if (ended_) return;
  if (close_code_ == 0) close_code_ = code;
  ended_ = true;
  end_.set();
  if (reading_) stream_.shutdown_read();
}

void websocket::impl::leave() noexcept {
  leaving_ = true;
  stream_.shutdown_read();
}

void websocket::impl::end_now() noexcept {
  drop(1001);
  give_back();
}

void websocket::impl::give_back() noexcept {
  if (host_ == nullptr) return;
  const std::unique_lock lock(writing_, std::try_to_lock);
  const bool is_used = reading_ || !lock;  // by a task that outlives the handler
  if (is_used) stream_.close();
  std::exchange(host_, nullptr)->take_back(is_used ? detail::transport() : std::move(stream_));
}

// ---- the public face

websocket::websocket(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
websocket::websocket(websocket&&) noexcept = default;
websocket& websocket::operator=(websocket&&) noexcept = default;
websocket::~websocket() = default;

websocket::impl& websocket::self() const {
  if (impl_ == nullptr) throw error(errc::misuse, "websocket: this one was moved from");
  return *impl_;
}

std::optional<websocket_message> websocket::read() { return self().read(); }
void websocket::send(std::string_view text) { self().send(opcode::text, text); }
void websocket::send_binary(std::string_view bytes) { self().send(opcode::binary, bytes); }
void websocket::close(int code, std::string_view reason) {
  if (impl_ != nullptr) impl_->close(code, reason);
}
void websocket::drop(int code) noexcept {
  if (impl_ != nullptr) impl_->drop(code);
}
bool websocket::is_open() const noexcept { return impl_ != nullptr && impl_->is_open(); }
int websocket::close_code() const { return self().close_code(); }
const std::string& websocket::close_reason() const { return self().close_reason(); }
const std::string& websocket::protocol() const { return self().protocol(); }
bool websocket::is_compressed() const { return self().is_compressed(); }

}  // namespace weft::inline v1::http
