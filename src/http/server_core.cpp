#include "http/server_core.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/listener.hpp>

#include "http/h2/make_connection.hpp"
#include "http/server_lane.hpp"

namespace weft::inline v1::http::detail {

server_core::server_core(server_options options)
    : options_(std::move(options)),
      speaks_http2_(options_.http2.enabled && h2::is_built_in()),
      handshakes_(options_.handshakes_max) {}

server_core::~server_core() = default;

std::size_t server_core::lanes_wanted(std::size_t loops) const {
  if (options_.threads > loops) {
    throw error(errc::invalid_argument, "http: the server wants " + std::to_string(options_.threads) +
                                            " threads, but weft::run has " + std::to_string(loops) +
                                            "; raise run_options::threads");
  }
  return options_.threads == 0 ? loops : options_.threads;
}

void server_core::start() {
  if (address_) throw error(errc::misuse, "http: the server was started already");
  std::string problems;
  for (const std::string& one : routes_.missing(options_.services)) problems += "\n  " + one;
  if (!problems.empty()) throw error(errc::not_found, "http: the server cannot start:" + problems);
  check_http2();
  const std::vector<executor> loops = loop_executors();
  const std::size_t count = lanes_wanted(loops.size());
  socket_ = options_.listener != nullptr
                ? options_.listener->share()
                : net::listener::bind(net::endpoint::parse(options_.listen), options_.socket);
  make_lanes(count);
  address_ = socket_.address();
  const scoped_value inside(in_server, true);
  for (std::size_t i = 0; i < count; ++i) {
    try {
      lanes_[i]->open_on(loops[i]);
    } catch (const std::exception&) {
      failed_to_open(std::current_exception());
    }
  }
  shield([this] { opening_.wait(); });
  if (failure_ == nullptr) return;
  shield([this] { stop({.grace = std::chrono::milliseconds(0)}); });
  std::rethrow_exception(failure_);
}

void server_core::check_http2() const {
  const http2_options& how = options_.http2;
  constexpr std::size_t window_max = 0x7fffffff;
  const bool are_windows = how.stream_window_bytes > 0 && how.stream_window_bytes <= window_max &&
                           how.connection_window_bytes >= 65'535 && how.connection_window_bytes <= window_max;
  const bool is_frame = how.frame_bytes_max >= 16 * 1024 && how.frame_bytes_max < 16 * 1024 * 1024;
  // Each client sends its settings, and gives a request up now and then.
  const bool are_rates = how.resets_max > 0 && how.control_frames_max >= 10;
  if (!are_windows || !is_frame || !are_rates || how.streams_max == 0 || how.streams_max > window_max)
    throw error(errc::invalid_argument, "http: a bound of http2_options is none that HTTP/2 can have");
  if (!options_.tls || speaks_http2_) return;
  for (const std::string& one : options_.tls->protocols()) {
    if (one == "h2")
      throw error(errc::unsupported, "http: the TLS context names h2, but this server does not speak HTTP/2");
  }
}

std::span<const std::string> server_core::protocols() const noexcept {
  static const std::array<std::string, 2> both{"h2", "http/1.1"};
  return speaks_http2_ ? std::span(both) : std::span(both).subspan(1);
}

void server_core::make_lanes(std::size_t count) {
  std::vector<std::unique_ptr<server_lane>> made;
  for (std::size_t i = 0; i < count; ++i)
    made.push_back(std::make_unique<server_lane>(*this, socket_.share()));
  lanes_ = std::move(made);
}

void server_core::failed_to_open(std::exception_ptr why) noexcept {
  const std::lock_guard lock(failure_lock_);
  if (failure_ == nullptr) failure_ = std::move(why);
}

bool server_core::add_connection() noexcept {
  if (connections_.fetch_add(1, std::memory_order_relaxed) < options_.connections_max) return true;
  remove_connection();
  return false;
}

server_lane& server_core::lane_for_next(server_lane& here) const noexcept {
  server_lane* best = &here;
  std::size_t fewest = here.connections();
  for (const auto& one : lanes_) {
    const std::size_t has = one->connections();
    if (has >= fewest) continue;
    fewest = has;
    best = one.get();
  }
  return *best;
}

void server_core::advance(server_stage to) noexcept {
  server_stage now = stage();
  while (now < to && !stage_.compare_exchange_weak(now, to)) {
  }
  for (const auto& one : lanes_) one->rouse();
}

bool server_core::stop(const stop_options& how) {
  const steady_time until = deadline_after(how.grace);
  server_stage before = server_stage::serving;
  if (stage_.compare_exchange_strong(before, server_stage::stopping)) socket_.close();
  advance(server_stage::stopping);
  if (how.idle_grace.count() > 0) running_.wait_until(std::min(until, deadline_after(how.idle_grace)));
  advance(server_stage::closing_idle);
  const bool all_ended = running_.wait_until(until);
  if (!all_ended) {
    advance(server_stage::cancelling);
    running_.wait();
  }
  advance(server_stage::over);
  keepers_.wait();
  return all_ended;
}

server_statistics server_core::statistics() const noexcept {
  server_statistics sum;
  for (const auto& one : lanes_) one->add_to(sum);
  sum.connections = connections_.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace weft::inline v1::http::detail
