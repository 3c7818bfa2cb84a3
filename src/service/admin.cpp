#include <weft/service/admin.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/dump.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/accept.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/header.hpp>
#include <weft/http/host_names.hpp>
#include <weft/http/server.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/level.hpp>
#include <weft/log/log.hpp>
#include <weft/metrics/registry.hpp>
#include <weft/net/bound_socket.hpp>
#include <weft/service/exposition.hpp>
#include <weft/wire/json.hpp>

#include "service/level_switch.hpp"

namespace weft::inline v1::ops {

namespace {

using http::request;
using http::response;

constexpr http::route_options always{.is_always_admitted = true};

/// A fiber as JSON shows it.
struct fiber_line {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::string name;
  std::string state;
  std::optional<std::string> waits_for;
  std::uint64_t loop = 0;
};
WEFT_DESCRIBE(fiber_line, id, parent, name, state, waits_for, loop);

std::string fibers_as_json() {
  std::vector<fiber_line> lines;
  for (fiber_info& one : list_fibers()) {
    fiber_line line{one.id, one.parent_id, std::move(one.name), std::string(to_string(one.state)),
                    {},     one.loop};
    if (one.waits_for != nullptr) line.waits_for = one.waits_for;
    lines.push_back(std::move(line));
  }
  return wire::to_json(lines);
}

bool wants_json(std::string_view accept) noexcept {
  while (const auto one = http::next_accepted(accept)) {
    if (one->quality > 0 && http::same_name(one->value, "application/json")) return true;
  }
  return false;
}

void show_fibers(request& in, response& out) {
  out.header("Cache-Control", "no-store").header("Vary", "Accept");
  if (wants_json(in.header("Accept").value_or(""))) {
    out.content_type("application/json").body(fibers_as_json());
    return;
  }
  constexpr std::size_t most = 10'000;  // their stacks are read one by one
  const auto wanted = in.query<std::size_t>("max").value_or(dump_options{}.fibers_max);
  out.body(dump_fibers({.fibers_max = std::min(wanted, most)}));
}

http::server_options options_of(const admin_options& from) {
  const auto at =
      net::endpoint::parse(from.listener != nullptr ? from.listener->address().text() : from.listen);
  if (!from.beyond_loopback && !http::is_local(at)) {
    throw error(errc::refused,
                "service: the admin listener at " + at.text() +
                    " could be reached from other machines, and asks nobody who he is; take 127.0.0.1, "
                    "[::1] or a Unix socket, or set beyond_loopback");
  }
  http::server_options made{.listen = at.text(), .listener = from.listener};
  made.limits.body_bytes_max = 1024;  // the name of a level
  return made;
}

}  // namespace

class admin::state {
 public:
  explicit state(admin_options options)
      : options_(std::move(options)),
        metrics_(
            metrics_handler(options_.metrics != nullptr ? *options_.metrics : metrics::default_registry())),
        server_(options_of(options_)) {
    if (!options_.beyond_loopback) {
      server_.use([](request& in, response&, http::next& go_on) {
        if (!http::names_loopback(in.host()))
          throw http::status_error(421, "the admin listener answers to names of this machine only");
        go_on();
      });
    }
    server_.use(http::compress());
    health_.serve_on(server_);
    add_routes();
  }

  void add_routes() {
    server_.get(
        "/metrics", [this](request& in, response& out) { show_metrics(in, out); }, always);
    server_.get(
        "/startupz", [this] { return started(); }, always);
    server_.get("/fibers", show_fibers, always);
    server_.get(
        "/log-level", [this](response& out) { show_level(out); }, always);
    server_.put(
        "/log-level", [this](request& in, response& out) { change_level(in, out); }, always);
  }

  admin_options options_;
  http::health health_;  // outlives the server
  std::vector<unique_function<void()>> refreshers_;
  std::atomic<bool> is_started_{false};
  http::handler metrics_;
  detail::level_switch level_;  // of the server's one loop
  http::server server_;

 private:
  response started() const {
    const bool yes = is_started_.load(std::memory_order_relaxed);
    response made(yes ? 200 : 503, yes ? "started\n" : "starting\n");
    made.header("Cache-Control", "no-store");
    return made;
  }

  void refresh() {
    const auto failed = [](const char* why) {
      log::warn("service: metrics are given as they were; they could not be brought up to date",
                {{"why", why}});
    };
    try {
      with_timeout(options_.refresh_timeout, [&] {
        for (auto& one : refreshers_) {
          try {
            one();
          } catch (const std::exception& error) {
            failed(error.what());
          }
        }
      });
    } catch (const error& late) {
      failed(late.what());
    }
  }

  void show_metrics(request& in, response& out) {
    refresh();
    metrics_(in, out);
  }

  void show_level(response& out) {
    out.header("Cache-Control", "no-store")
        .content_type("application/json")
        .body(wire::to_json(level_.look()));
  }

  void change_level(request& in, response& out) {
    std::string_view name = in.body();
    while (name.ends_with('\n') || name.ends_with('\r') || name.ends_with(' ')) name.remove_suffix(1);
    const auto to = log::level_from_string(name);
    if (!to) throw http::status_error(400, "the body is debug, info, warn, error, critical or off");
    const auto seconds = in.query<std::int64_t>("seconds");
    constexpr std::int64_t seconds_max = 7 * 24 * 3600;
    if (seconds && (*seconds < 1 || *seconds > seconds_max))
      throw http::status_error(400, "seconds is 1 to " + std::to_string(seconds_max));
    if (seconds) {
      level_.set_for(*to, std::chrono::seconds(*seconds));
    } else {
      level_.set(*to);
    }
    show_level(out);
  }
};

admin::admin(admin_options options) : state_(std::make_unique<state>(std::move(options))) {}
admin::~admin() = default;

http::health& admin::health() noexcept { return state_->health_; }
http::server& admin::server() noexcept { return state_->server_; }
void admin::before_metrics(unique_function<void()> refresh) {
  state_->refreshers_.push_back(std::move(refresh));
}
void admin::start() { state_->server_.start(); }
void admin::set_started() noexcept { state_->is_started_.store(true, std::memory_order_relaxed); }
void admin::stop() { state_->server_.stop(std::chrono::seconds(1)); }
std::string admin::url() const { return state_->server_.url(); }

}  // namespace weft::inline v1::ops
