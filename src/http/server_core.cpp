#include "http/server_core.hpp"

#include <sys/random.h>
#include <cerrno>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/log.hpp>

#include "http/bound_until.hpp"
#include "http/connection.hpp"
#include "http/http_date.hpp"
#include "http/transport.hpp"

namespace weft::http::detail {

server_core::server_core(server_options options)
    : options_(std::move(options)),
      admission_(options_.requests_max, options_.queue_delay_max),
      handshakes_(options_.handshakes_max) {
  if (::getrandom(random_, sizeof random_, 0) != sizeof random_) {
    throw system_error("http: random bytes for request ids", errno);
  }
}

server_core::seat::seat(server_core& core, std::size_t place) noexcept : core_(&core), place_(place) {
  core.running_.add();
  if (place != no_place) ++core.statistics_.connections;
}

server_core::seat::~seat() {
  if (core_ == nullptr) return;
  if (place_ != no_place) {
    served& mine = core_->served_[place_];
    mine.link = nullptr;
    mine.handle.detach();
    core_->free_.push_back(place_);
    --core_->statistics_.connections;
  }
  core_->running_.done();
}

void server_core::start() {
  if (listener_) throw error(errc::misuse, "http: the server was started already");
  std::string problems;
  for (const std::string& one : routes_.missing(options_.services)) problems += "\n  " + one;
  if (!problems.empty()) throw error(errc::not_found, "http: the server cannot start:" + problems);
  listener_.emplace(net::endpoint::parse(options_.listen), options_.socket);
  const scoped_value inside(in_server, true);
  if (admission_.measures())
    measuring_ = go([this, taken = seat(*this)] { admission_.measure(); }, {.name = "http admission"});
  watching_ = go([this, taken = seat(*this)] { clients_.run(); }, {.name = "http clients"});
  acceptor_ = go([this, taken = seat(*this)] { accept_all(); }, {.name = "http accept"});
}

void server_core::accept_all() {
  try {
    constexpr int turns_max = 64;  // then the connections that came are served
    for (int turn = 1; !stopping_; ++turn) {
      accept_one();
      if (turn % turns_max == 0) yield();
    }
  } catch (const error& failed) {
    if (!stopping_) log::critical("http: the server accepts no more connections", {{"why", failed.what()}});
  }
}

void server_core::accept_one() {
  net::stream peer = listener_->accept();
  ++statistics_.connections_total;
  if (statistics_.connections >= options_.connections_max) return refuse(peer);
  if (free_.empty()) {
    free_.reserve(served_.size() + 1);  // so that giving a place back cannot fail
    free_.push_back(served_.size());
    served_.emplace_back();
  }
  const std::size_t place = free_.back();
  free_.pop_back();
  try {
    // The fiber is queued: it finds its handle in place when it begins.
    fiber<void> handle = go([this, taken = seat(*this, place),
                             mine = std::move(peer)]() mutable { serve(std::move(mine), taken.place()); },
                            {.name = "http"});
    served_[place].handle = std::move(handle);
  } catch (const error& failed) {
    ++statistics_.refused_connections;
    log::error("http: a connection cannot be served", {{"why", failed.what()}});
  }
}

void server_core::serve(net::stream peer, std::size_t place) {
  struct listed {
    server_core& core;
    std::size_t place;
    ~listed() { core.served_[place].link = nullptr; }
  } const mine{*this, place};
  if (stopping_) return;  // before this fiber began
  try {
    connection link(*this, opened(std::move(peer), place));
    if (stopping_) return;
    served_[place].link = &link;
    link.run();
  } catch (const error& failed) {
    log::debug("http: a connection failed", {{"why", failed.what()}});
  } catch (const std::exception& failed) {
    log::error("http: a connection failed", {{"why", failed.what()}});
  }
}

transport server_core::opened(net::stream peer, std::size_t place) {
  if (!options_.tls) return peer;
  struct handshake_mark {
    server_core& core;
    std::size_t place;
    bool has_turn = false;
    bool done = false;
    ~handshake_mark() {
      core.served_[place].in_handshake = false;  // by its number: the places may have moved
      if (has_turn) core.handshakes_.release();
      if (!done) ++core.statistics_.failed_handshakes;
    }
  } mark{*this, place};
  served_[place].in_handshake = true;
  char first = 0;  // who says nothing takes nobody's turn
  if (!peer.peek_until({&first, 1}, bound_until(options_.handshake_timeout)))
    throw error(errc::timed_out, "tls: handshake: the peer says nothing");
  mark.has_turn = handshakes_.try_acquire_until(bound_until(options_.handshake_timeout));
  if (!mark.has_turn) throw error(errc::timed_out, "tls: handshake: others took all the time");
  transport made =
      net::tls::stream::accept(std::move(peer), *options_.tls, bound_until(options_.handshake_timeout));
  mark.done = true;
  return made;
}

void server_core::refuse(net::stream& peer) noexcept {
  ++statistics_.refused_connections;
  if (options_.tls) return;  // a handshake would be work
  constexpr std::string_view answer =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  try {
    peer.write_all_until({&answer, 1}, steady_clock::now());  // it fits, or is not worth waiting for
    peer.shutdown_write();
  } catch (const error&) {  // the peer is gone: nobody to tell
  }
}

void server_core::end_connections(bool only_idle) noexcept {
  for (served& one : served_) {
    if (only_idle && one.link != nullptr) one.link->end_soon();
    if (only_idle && one.in_handshake) one.handle.cancel(cancel_reason::shutdown);
    if (!only_idle) one.handle.cancel(cancel_reason::shutdown);
  }
}

bool server_core::stop(std::chrono::milliseconds grace) {
  stopping_ = true;
  if (!listener_) return true;
  listener_->close();
  admission_.stop_measuring();
  measuring_.cancel(cancel_reason::shutdown);
  watching_.cancel(cancel_reason::shutdown);
  end_connections(true);
  if (running_.wait_until(steady_clock::now() + grace)) return true;
  acceptor_.cancel(cancel_reason::shutdown);
  end_connections(false);
  running_.wait();
  return false;
}

std::string_view server_core::date_line() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    date_line_ = "Date: " + http_date(std::chrono::sys_seconds(std::chrono::seconds(now))) + "\r\n";
  }
  return date_line_;
}

std::string server_core::make_request_id() noexcept {
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

}  // namespace weft::http::detail
