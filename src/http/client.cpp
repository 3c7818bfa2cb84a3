#include <weft/http/client.hpp>

#include <algorithm>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/http/request.hpp>
#include <weft/net/endpoint.hpp>

#include "http/chars.hpp"
#include "http/client_link.hpp"
#include "http/url.hpp"

namespace weft::http {

namespace {

using detail::client_link;

steady_time bound_from(steady_time now, std::chrono::milliseconds bound) {
  return bound.count() == 0 ? no_deadline : now + bound;
}

detail::origin read_server(std::string_view url) {
  if (url.starts_with("unix:"))
    return {.secure = false, .server = net::endpoint::parse(url), .authority = "localhost", .name = {}};
  detail::url read = detail::read_url(url, "http", "http: client for");
  if (read.target != "/")
    throw error(errc::invalid_argument, "http: client for \"" + std::string(url) + "\": without a path");
  return std::move(read.origin);
}

bool is_repeatable(std::string_view method) noexcept {
  for (const std::string_view one : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    if (method == one) return true;
  }
  return false;
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  if (!detail::token_bytes.spells(name) || !detail::is_field_value(value)) {
    throw error(errc::invalid_argument,
                "header " + std::string(name) + " has a byte that no header may have");
  }
  for (const std::string_view own : {"Host", "Content-Length", "Transfer-Encoding", "Connection"}) {
    if (same_name(name, own))
      throw error(errc::invalid_argument, "header " + std::string(name) + " is set by the client itself");
  }
  head.append(name).append(": ").append(value).append("\r\n");
}

std::string make_head(std::string_view method, std::string_view target, std::string_view host,
                      std::size_t body_bytes, const request_options& options) {
  if (!detail::token_bytes.spells(method)) throw error(errc::invalid_argument, "the method is no word");
  if (!detail::target_bytes.spells(target) || (target.front() != '/' && target != "*")) {
    throw error(errc::invalid_argument, "the target must begin with '/' and be percent-encoded");
  }
  std::string head;
  head.reserve(256);
  head.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
  if (body_bytes > 0 || method == "POST" || method == "PUT" || method == "PATCH") {
    head.append("Content-Length: ").append(std::to_string(body_bytes)).append("\r\n");
  }
  if (!options.content_type.empty()) append_field(head, "Content-Type", options.content_type);
  bool has_id = false;
  for (const auto& [name, value] : options.headers) {
    append_field(head, name, value);
    has_id = has_id || same_name(name, "X-Request-Id");
  }
  const std::string* const id = request_id.find();
  if (id != nullptr && !has_id) append_field(head, "X-Request-Id", *id);
  return head.append("\r\n");
}

}  // namespace

/// The connections of a client. Requests take a permit, then the connection used last.
class client::impl {
 public:
  impl(std::string_view url, client_options options)
      : options_(options), origin_(read_server(url)), permits_(options.connections_max) {}

  response send(std::string_view method, std::string_view target, std::string_view body,
                const request_options& options) {
    const steady_time now = steady_clock::now();
    const steady_time until = bound_from(now, options.timeout.value_or(options_.timeout));
    const std::string head = make_head(method, target, origin_.authority, body.size(), options);
    ++statistics_.requests;
    if (until == no_deadline) {
      permits_.acquire();
    } else if (!permits_.try_acquire_for(until - now)) {
      throw error(errc::timed_out,
                  "all " + std::to_string(options_.connections_max) + " connections are in use");
    }
    const permit mine{permits_};
    return exchange(method, head, body, until);
  }

  void close_idle() noexcept { idle_.clear(); }
  client_statistics statistics() const noexcept {
    client_statistics now = statistics_;
    now.idle = idle_.size();
    return now;
  }
  std::string server() const { return origin_.text(); }

 private:
  struct permit {
    semaphore& of;
    ~permit() { of.release(); }
  };
  struct kept {
    std::unique_ptr<client_link> link;
    steady_time since;
  };

  response exchange(std::string_view method, std::string_view head, std::string_view body,
                    steady_time until) {
    response got;
    if (std::unique_ptr<client_link> link = take_idle()) {
      const auto failed = link->exchange(method, head, body, until, got);
      if (failed == client_link::failed::no) return finish(std::move(link), std::move(got));
      if (failed == client_link::failed::unanswered && !is_repeatable(method)) {
        throw error(errc::unavailable,
                    "the server closed the connection without an answer; it may have served the request");
      }
      ++statistics_.repeated;
    }
    auto link = std::make_unique<client_link>(connect(until), options_.limits);
    if (link->exchange(method, head, body, until, got) != client_link::failed::no) {
      throw error(errc::unavailable, "the server closed the connection without an answer");
    }
    return finish(std::move(link), std::move(got));
  }

  detail::transport connect(steady_time until) {
    const steady_time connected = bound_from(steady_clock::now(), options_.connect_timeout);
    detail::transport made =
        detail::connect_to(origin_, options_.tls ? &*options_.tls : nullptr, std::min(until, connected));
    ++statistics_.connections;
    return made;
  }

  std::unique_ptr<client_link> take_idle() {
    while (!idle_.empty()) {
      kept last = std::move(idle_.back());
      idle_.pop_back();
      const bool fresh =
          options_.idle_timeout.count() == 0 || steady_clock::now() - last.since < options_.idle_timeout;
      if (fresh && last.link->is_quiet()) return std::move(last.link);
    }
    return nullptr;
  }

  response finish(std::unique_ptr<client_link> link, response got) {
    if (link->is_reusable()) idle_.push_back({std::move(link), steady_clock::now()});
    return got;
  }

  client_options options_;
  detail::origin origin_;
  semaphore permits_;
  std::vector<kept> idle_;
  client_statistics statistics_;
};

client::client(std::string_view url, client_options options) : impl_(std::make_unique<impl>(url, options)) {}
client::~client() = default;

response client::send(std::string_view method, std::string_view target, std::string_view body,
                      const request_options& options) {
  try {
    return impl_->send(method, target, body, options);
  } catch (const error& failed) {
    constexpr std::size_t shown_max = 200;
    throw error(failed.code(), "http: " + std::string(method) + " " +
                                   std::string(target.substr(0, shown_max)) + " at " + impl_->server() +
                                   ": " + failed.what());
  }
}

void client::close_idle() noexcept { impl_->close_idle(); }
client_statistics client::statistics() const noexcept { return impl_->statistics(); }

}  // namespace weft::http
