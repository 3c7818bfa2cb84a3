#include <weft/dashboard/site.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <weft/codec/describe.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/content.hpp>
#include <weft/http/status_error.hpp>

#include "dashboard/assets.hpp"
#include "dashboard/site_state.hpp"

namespace weft::inline v1::dashboard {

namespace {

/// Who one is, for the page.
struct session_answer {
  std::string role;
  std::string csrf;
  bool has_keys = false;
  std::string trace_url;
  bool has_fibers = false;
  std::string worker_url;
};
WEFT_DESCRIBE(session_answer, role, csrf, has_keys, trace_url, has_fibers, worker_url);

struct login {
  std::string token;
};
WEFT_DESCRIBE(login, token);

bool is_of_the_web(const std::string& url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

void check_addresses(const site_options& options) {
  const std::string& traces = options.trace_url;
  if (!traces.empty() && (!is_of_the_web(traces) || traces.find("{trace_id}") == std::string::npos)) {
    throw error(errc::invalid_argument,
                "dashboard: the address of traces begins with https:// or http:// and has {trace_id} in it");
  }
  if (!options.worker_url.empty() && !is_of_the_web(options.worker_url))
    throw error(errc::invalid_argument, "dashboard: the address of workers begins with https:// or http://");
}

site_options checked(site_options options, const jobs::store& of) {
  const auto check = [](const std::string& token) {
    if (token.size() < token_bytes_min) {
      throw error(errc::invalid_argument, "dashboard: a token has at least " +
                                              std::to_string(token_bytes_min) +
                                              " characters; dashboard::make_token() makes one");
    }
  };
  check(options.operator_token);
  if (!options.viewer_token.empty()) check(options.viewer_token);
  if (options.viewer_token == options.operator_token)
    throw error(errc::invalid_argument, "dashboard: the tokens of viewers and operators have to differ");
  check_addresses(options);
  if (options.clock == nullptr) options.clock = &of.clock();
  return options;
}

session_answer answer_of(const identity& who, const site::state& of, http::response& out) {
  // The answer has a secret: its length tells nothing of it.
  out.header("Cache-Control", "no-store, no-transform");
  const bool operates = who.role == role::operates;
  return {operates ? "operator" : "viewer", who.csrf,
          of.options.keys != nullptr,       of.options.trace_url,
          of.options.shows_fibers,          operates ? of.options.worker_url : std::string()};
}

http::cookie_options cookie_of(const site::state& of, const http::request& in) {
  return {.path = "/",
          .secure = of.options.is_behind_https || in.tls() != nullptr,
          .http_only = true,
          .same_site = http::same_site::strict};
}

session_answer log_in(site::state& of, http::request& in, http::response& out) {
  const auto opened = of.door.log_in(in, in.json<login>().token);
  auto cookie = cookie_of(of, in);
  cookie.max_age = of.options.session;
  out.set_cookie(session_cookie, opened.id, cookie);
  return answer_of(opened.who, of, out);
}

void log_out(site::state& of, http::request& in, http::response& out) {
  of.door.check_origin(in);
  of.open.close(in.cookie(session_cookie).value_or(""));
  out.clear_cookie(session_cookie, cookie_of(of, in));
}

void send_asset(std::string_view name, http::request& in, http::response& out) {
  const auto found = std::ranges::find(assets(), name, &asset::name);
  if (found == assets().end()) throw http::status_error(404, "there is no such file");
  http::send_content(in, out, found->bytes,
                     {.type = std::string(found->type),
                      .validators = {.tag = http::entity_tag{std::string(found->tag)}},
                      .cache_control = "no-cache"});
}

}  // namespace

site::state::state(std::shared_ptr<jobs::store> shown, site_options given)
    : store(std::move(shown)),
      options(checked(std::move(given), *store)),
      open(options),
      door(options, open),
      samples(*store, *options.clock),
      changes(*store) {}

site::site(std::shared_ptr<jobs::store> shown, site_options options)
    : state_(std::make_shared<state>(std::move(shown), std::move(options))) {
  state_->looks = go(
      [of = state_.get()] {
        for (;; sleep_for(of->options.interval)) of->samples.look();
      },
      {.name = "dashboard looks"});
}

site::~site() {
  state_->looks.cancel();
  shield([this] {
    try {
      state_->looks.join();
    } catch (const cancelled&) {  // as it was told to
    }
  });
}

void site::mount(http::router& on, std::string_view prefix) {
  state& of = *state_;
  auto base = prefix.empty() ? on.with(http::compress()) : on.group(prefix).with(http::compress());
  base = base.with(
      [&of](http::request& in, http::response& out, http::next& next) { of.door.protect(in, out, next); });
  // What needs no session: the page without data, and what makes a session.
  base.get("/", [](http::request& in, http::response& out) { send_asset("index.html", in, out); });
  base.get("/assets/{file}",
           [](http::request& in, http::response& out) { send_asset(in.param("file"), in, out); });
  base.post("/api/session", [&of](http::request& in, http::response& out) { return log_in(of, in, out); });
  base.del("/api/session", [&of](http::request& in, http::response& out) { log_out(of, in, out); });
  base.get("/api/session",
           [&of](http::request& in, http::response& out) { return answer_of(of.door.who(in), of, out); });
  if (!prefix.empty()) {
    base.get("", [](http::request& in, http::response& out) {
      out.status(308).header("Location", std::string(in.path()) + '/');
    });
  }
  const auto api = base.group("/api").with([&of](http::request& in, http::response& out, http::next& next) {
    (void)of.door.who(in);
    out.header("Cache-Control", "no-store");
    next();
  });
  add_reads(api, of);
  add_changes(api, of);
}

}  // namespace weft::inline v1::dashboard
