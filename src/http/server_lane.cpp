#include "http/server_lane.hpp"

#include <sys/random.h>
#include <cerrno>
#include <mutex>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/log/log.hpp>

#include "http/bound_until.hpp"
#include "http/h2/make_connection.hpp"
#include "http/http1_connection.hpp"
#include "http/http_date.hpp"
#include "http/transport.hpp"

namespace weft::inline v1::http::detail {

server_lane::server_lane(server_core& core, net::bound_socket socket)
    : core_(core),
      socket_(std::move(socket)),
      admission_(core.running_requests(), core.options().requests_max, core.options().queue_delay_max) {
  if (::getrandom(random_, sizeof random_, 0) != sizeof random_) {
    throw system_error("http: random bytes for request ids", errno);
  }
}

server_lane::~server_lane() = default;

// ---- connections that are counted

server_lane::guest::guest(server_lane& lane, unique_fd socket) noexcept
    : lane_(&lane), socket_(std::move(socket)) {
  lane.core_.running().add();
  lane.connections_.fetch_add(1, std::memory_order_relaxed);
}

server_lane::guest::~guest() {
  if (lane_ == nullptr) return;
  if (place_ != no_place) {
    served& mine = lane_->served_[place_];
    mine.link = nullptr;
    mine.handle.detach();
    lane_->free_.push_back(place_);
  }
  socket_.reset();
  lane_->connections_.fetch_sub(1, std::memory_order_relaxed);
  lane_->core_.remove_connection();
  lane_->core_.running().done();
}

void server_lane::add_to(server_statistics& sum) const noexcept {
  sum.connections_total += counters_.connections_total.value();
  sum.requests += counters_.requests.value();
  sum.refused_requests += counters_.refused_requests.value();
  sum.refused_connections += counters_.refused_connections.value();
  sum.failed_handshakes += counters_.failed_handshakes.value();
  sum.abandoned_requests += counters_.abandoned_requests.value();
  sum.shed_requests += counters_.shed_requests.value();
  sum.http2_connections += counters_.http2_connections.value();
  sum.http2_violations += counters_.http2_violations.value();
}

// ---- the keeper

void server_lane::open_on(const executor& loop) {
  loop.post([this, kept = counted_in(core_.keepers()),
             opening = std::optional<counted_in>(core_.opening())]() mutable { keep(opening); },
            {.name = "http lane"});
}

void server_lane::keep(std::optional<counted_in>& opening) {
  struct door {
    server_lane& of;
    ~door() { of.close_door(); }
  } const here{*this};
  try {
    open();
  } catch (const error&) {
    core_.failed_to_open(std::current_exception());
  }
  opening.reset();
  while (obeyed_ != server_stage::over) {
    wanted_.wait();
    wanted_.reset();
    take_given();
    obey(core_.stage());
  }
}

void server_lane::open() {
  listener_.emplace(std::move(socket_));
  if (admission_.measures())
    measuring_ = go_here([this, mine = counted_in(core_.running())] { admission_.measure(); },
                         {.name = "http admission"});
  watching_ =
      go_here([this, mine = counted_in(core_.running())] { clients_.run(); }, {.name = "http clients"});
  acceptor_ = go_here([this, mine = counted_in(core_.running())] { accept_all(); }, {.name = "http accept"});
}

void server_lane::obey(server_stage stage) noexcept {
  const server_stage before = std::exchange(obeyed_, stage);
  const auto is_now = [&](server_stage which) { return before < which && which <= stage; };
  if (is_now(server_stage::stopping)) {
    if (listener_) listener_->close();
    admission_.stop_measuring();
    measuring_.cancel(cancel_reason::shutdown);
    watching_.cancel(cancel_reason::shutdown);
    tell_connections();
  }
  if (is_now(server_stage::closing_idle)) end_connections(true);
  if (is_now(server_stage::cancelling)) {
    acceptor_.cancel(cancel_reason::shutdown);
    end_connections(false);
  }
}

void server_lane::take_given() {
  std::vector<guest> came;
  {
    const std::lock_guard lock(door_);
    came.swap(given_);
  }
  for (guest& one : came) begin(std::move(one));
}

void server_lane::close_door() noexcept {
  std::vector<guest> left;
  const std::lock_guard lock(door_);
  is_closed_ = true;
  left.swap(given_);
}

bool server_lane::give(unique_fd& socket) {
  {
    const std::lock_guard lock(door_);
    if (is_closed_) return false;
    given_.emplace_back(*this, std::move(socket));
  }
  wanted_.set();
  return true;
}

// ---- connections

void server_lane::accept_all() {
  try {
    constexpr int turns_max = 64;  // then the connections that came are served
    for (int turn = 1; !is_stopping(); ++turn) {
      accept_one();
      if (turn % turns_max == 0) yield();
    }
  } catch (const error& failed) {
    if (!is_stopping())
      log::critical("http: the server accepts no more connections", {{"why", failed.what()}});
  }
}

void server_lane::accept_one() {
  unique_fd socket = listener_->accept_socket();
  ++counters_.connections_total;
  if (!core_.add_connection()) return refuse(std::move(socket));
  server_lane& whose = core_.lane_for_next(*this);
  if (&whose == this || !whose.give(socket)) begin(guest(*this, std::move(socket)));
}

void server_lane::begin(guest one) noexcept {
  try {
    if (free_.empty()) {
      free_.reserve(served_.size() + 1);  // so that giving a place back cannot fail
      free_.push_back(served_.size());
      served_.emplace_back();
    }
    const std::size_t place = free_.back();
    free_.pop_back();
    one.sit(place);
    net::stream peer = listener_->made(one.take_socket());
    // The fiber is queued: it finds its handle in place when it begins.
    fiber<void> handle =
        go_here([this, taken = std::move(one),
                 mine = std::move(peer)]() mutable { serve(std::move(mine), taken.place()); },
                {.name = "http"});
    served_[place].handle = std::move(handle);
  } catch (const std::exception& failed) {
    ++counters_.refused_connections;
    log::error("http: a connection cannot be served", {{"why", failed.what()}});
  }
}

void server_lane::serve(net::stream peer, std::size_t place) {
  struct listed {
    server_lane& lane;
    std::size_t place;
    ~listed() { lane.served_[place].link = nullptr; }
  } const mine{*this, place};
  if (closes_idle()) return;  // before this fiber began
  try {
    transport stream = opened(std::move(peer), place);
    if (stream.tls() != nullptr && stream.tls()->session().protocol == "h2")
      return serve_http2(std::move(stream), {}, place);
    std::optional<http1_connection> link(std::in_place, *this, std::move(stream));
    if (closes_idle()) return;
    served_[place].link = &*link;
    link->run();
    if (!link->found_http2()) return;
    served_[place].link = nullptr;
    const std::string received(link->received());
    stream = link->take_transport();
    link.reset();
    serve_http2(std::move(stream), received, place);
  } catch (const error& failed) {
    log::debug("http: a connection failed", {{"why", failed.what()}});
  } catch (const std::exception& failed) {
    log::error("http: a connection failed", {{"why", failed.what()}});
  }
}

void server_lane::serve_http2(transport peer, std::string_view received, std::size_t place) {
  const std::unique_ptr<http2_link> link = h2::make_connection(*this, std::move(peer));
  if (closes_idle()) return;
  struct unlisted {
    server_lane& lane;
    std::size_t place;
    ~unlisted() { lane.served_[place].link = nullptr; }
  } const mine{*this, place};
  served_[place].link = link.get();
  if (is_stopping()) link->stop_begins();
  link->run(received);
}

transport server_lane::opened(net::stream peer, std::size_t place) {
  const server_options& how = options();
  if (!how.tls) return peer;
  struct handshake_mark {
    server_lane& lane;
    std::size_t place;
    bool has_turn = false;
    bool done = false;
    ~handshake_mark() {
      lane.served_[place].in_handshake = false;  // by its number: the places may have moved
      if (has_turn) lane.core_.handshakes().release();
      if (!done) ++lane.counters_.failed_handshakes;
    }
  } mark{*this, place};
  served_[place].in_handshake = true;
  char first = 0;  // who says nothing takes nobody's turn
  if (!peer.peek_until({&first, 1}, bound_until(how.handshake_timeout)))
    throw error(errc::timed_out, "tls: handshake: the peer says nothing");
  mark.has_turn = core_.handshakes().try_acquire_until(bound_until(how.handshake_timeout));
  if (!mark.has_turn) throw error(errc::timed_out, "tls: handshake: others took all the time");
  transport made = net::tls::stream::accept(std::move(peer), *how.tls, bound_until(how.handshake_timeout),
                                            core_.protocols());
  mark.done = true;
  return made;
}

void server_lane::refuse(unique_fd socket) noexcept {
  ++counters_.refused_connections;
  if (options().tls) return;  // a handshake would be work
  constexpr std::string_view answer =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  try {
    net::stream peer = listener_->made(std::move(socket));
    peer.write_all_until({&answer, 1}, steady_clock::now());  // it fits, or is not worth waiting for
    peer.shutdown_write();
  } catch (const error&) {  // the peer is gone: nobody to tell
  }
}

void server_lane::tell_connections() noexcept {
  for (const served& one : served_) {
    if (one.link != nullptr) one.link->stop_begins();
  }
}

void server_lane::end_connections(bool only_idle) noexcept {
  for (served& one : served_) {
    if (only_idle && one.link != nullptr) one.link->end_soon();
    if (only_idle && one.in_handshake) one.handle.cancel(cancel_reason::shutdown);
    if (!only_idle) one.handle.cancel(cancel_reason::shutdown);
  }
}

// ---- for answers

std::string_view server_lane::date_line() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    date_line_ = "Date: " + http_date(std::chrono::sys_seconds(std::chrono::seconds(now))) + "\r\n";
  }
  return date_line_;
}

std::string server_lane::make_request_id() noexcept {
  // xorshift128+: ids must not repeat; they are no secret.
  std::uint64_t low = random_[0];
  const std::uint64_t high = random_[1];
  random_[0] = high;
  low ^= low << 23;
  random_[1] = low ^ high ^ (low >> 17) ^ (high >> 26);
  std::uint64_t bits = random_[1] + high;
  constexpr char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id(15, '0');
  for (std::size_t i = 0; i < 12; ++i, bits >>= 5) id[i] = letters[bits & 31];
  std::uint64_t more = random_[0] >> 7;
  for (std::size_t i = 12; i < 15; ++i, more >>= 5) id[i] = letters[more & 31];
  return id;
}

}  // namespace weft::inline v1::http::detail
