#include <algorithm>
#include <string>
#include <vector>

#include <weft/http/event_parser.hpp>
#include <weft/log/sink.hpp>

#include "dashboard/site_fixture.hpp"
#include "http/raw_client.hpp"
#include "support/expect_error.hpp"

// Who may have what.

namespace weft::dashboard {
namespace {

class dashboard_doors : public site_fixture {
 protected:
  int post_status(const logged_in& as, std::vector<std::pair<std::string, std::string>> headers) {
    headers.emplace_back("Cookie", as.cookie);
    return client_
        ->post("/jobs/api/queues/pause", "{\"name\":\"mail\"}",
               {.content_type = "application/json", .headers = std::move(headers)})
        .status();
  }
  bool is_paused() {
    const auto all = store_->stats();
    return std::ranges::any_of(all, [](const auto& one) { return one.queue == "mail" && one.paused; });
  }
};

TEST_F(dashboard_doors, nothing_but_the_page_is_answered_without_a_session) {
  serve([&] {
    for (const char* path : {"/overview", "/live", "/jobs", "/jobs/1", "/schedules", "/limits", "/fibers",
                             "/fibers/dump", "/workers", "/errors", "/session"})
      EXPECT_EQ(client_->get("/jobs/api" + std::string(path)).status(), 401) << path;
    for (const char* path : {"/jobs/1/retry", "/jobs/1/delete", "/limits/set", "/limits/release",
                             "/queues/pause", "/queues/resume", "/schedules/pause", "/schedules/resume",
                             "/schedules/run", "/bulk/count", "/bulk/run"}) {
      EXPECT_EQ(client_->post("/jobs/api" + std::string(path), "{}").status(), 401) << path;
      EXPECT_EQ(get(path).status() / 100, 4) << path << ": GET changes nothing";
    }
    EXPECT_EQ(client_->get("/jobs/").status(), 200);
    EXPECT_EQ(client_->get("/jobs/assets/app.js").status(), 200);
    EXPECT_EQ(client_->get("/jobs/assets/../site.cpp").status(), 404);
    EXPECT_EQ(client_->get("/jobs/assets/%2e%2e%2fkeys").status(), 404);
    EXPECT_EQ(client_->get("/jobs").header("Location"), "/jobs/");
  });
}

TEST_F(dashboard_doors, a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get) {
  serve([&] {
    const auto answer =
        client_->post("/jobs/api/session", "{\"token\":\"" + std::string(operator_token) + "\"}",
                      {.headers = {{"Origin", url_}}});
    const std::string set(answer.header("Set-Cookie").value_or(""));
    EXPECT_NE(set.find("HttpOnly"), std::string::npos) << set;
    EXPECT_NE(set.find("SameSite=Strict"), std::string::npos) << set;
    EXPECT_EQ(answer.header("Cache-Control"), "no-store, no-transform");
    const auto as = log_in(viewer_token);
    const auto me = client_->get("/jobs/api/session", {.headers = {{"Cookie", as.cookie}}});
    EXPECT_EQ(text_of(wire::parse_json(me.body()), "role"), "viewer");
    EXPECT_EQ(
        client_->del("/jobs/api/session", {.headers = {{"Cookie", as.cookie}, {"Origin", url_}}}).status(),
        200);
    EXPECT_EQ(client_->get("/jobs/api/session", {.headers = {{"Cookie", as.cookie}}}).status(), 401);
  });
}

TEST_F(dashboard_doors, behind_https_the_cookie_is_for_https_only) {
  serve({.is_behind_https = true}, [&] {
    const auto answer =
        client_->post("/jobs/api/session", "{\"token\":\"" + std::string(operator_token) + "\"}",
                      {.headers = {{"Origin", url_}}});
    EXPECT_NE(answer.header("Set-Cookie").value_or("").find("Secure"), std::string_view::npos);
  });
}

TEST_F(dashboard_doors, a_change_needs_the_origin_and_the_secret_of_the_page) {
  push_letter();
  serve([&] {
    const auto as = log_in(operator_token);
    EXPECT_EQ(post_status(as, {}), 403) << "neither";
    EXPECT_EQ(post_status(as, {{"Origin", url_}}), 403) << "no secret";
    EXPECT_EQ(post_status(as, {{"X-Weft-Csrf", as.csrf}}), 403) << "no origin";
    EXPECT_EQ(post_status(as, {{"Origin", "http://evil.example"}, {"X-Weft-Csrf", as.csrf}}), 403);
    EXPECT_EQ(post_status(as, {{"Origin", "null"}, {"X-Weft-Csrf", as.csrf}}), 403);
    EXPECT_EQ(post_status(as, {{"Origin", url_}, {"X-Weft-Csrf", log_in(operator_token).csrf}}), 403)
        << "the secret of another session";
    EXPECT_FALSE(is_paused());
    EXPECT_EQ(post_status(as, {{"Origin", url_}, {"X-Weft-Csrf", as.csrf}}), 200);
    EXPECT_TRUE(is_paused());
  });
}

TEST_F(dashboard_doors, a_viewer_changes_nothing) {
  const auto id = to_string(push_letter());
  serve([&] {
    EXPECT_EQ(get("/jobs/" + id, viewer_token).status(), 200);
    for (const std::string& path :
         {"/jobs/" + id + "/cancel", "/jobs/" + id + "/delete", std::string("/limits/set"),
          std::string("/limits/release"), std::string("/queues/pause"), std::string("/queues/resume"),
          std::string("/schedules/pause"), std::string("/schedules/resume"), std::string("/schedules/run"),
          std::string("/bulk/count"), std::string("/bulk/run")})
      EXPECT_EQ(post(path, "{\"name\":\"mail\"}", viewer_token).status(), 403) << path;
    EXPECT_FALSE(is_paused());
    EXPECT_EQ(queue_.list({.queue = "mail", .state = jobs::job_state::ready, .before = {}}).size(), 1U);
  });
}

TEST_F(dashboard_doors, requests_for_another_host_are_refused) {
  serve({.hosts = {"Jobs.example.org"}}, [&] {
    const auto status_for = [&](const std::string& host) {
      http::raw_client raw(*server_);
      return raw.ask("GET /jobs/ HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n").substr(9, 3);
    };
    EXPECT_EQ(status_for("localhost:80"), "200");
    EXPECT_EQ(status_for("127.0.0.2:80"), "200");
    EXPECT_EQ(status_for("[::1]:80"), "200");
    EXPECT_EQ(status_for("jobs.EXAMPLE.org"), "200");
    EXPECT_EQ(status_for("rebound.example.net"), "403");
    EXPECT_EQ(status_for("localhost.example.net"), "403");
    EXPECT_EQ(status_for("evil.jobs.example.org"), "403");
  });
}

TEST_F(dashboard_doors, browsers_are_told_what_the_page_may_do) {
  serve([&] {
    for (const char* path : {"/jobs/", "/jobs/assets/app.js", "/jobs/api/session"}) {
      const auto answer = client_->get(path);
      const std::string policy(answer.header("Content-Security-Policy").value_or(""));
      EXPECT_NE(policy.find("default-src 'none'"), std::string::npos) << path;
      EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos) << path;
      EXPECT_EQ(policy.find("unsafe"), std::string::npos) << path;
      EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff") << path;
    }
    const auto page = client_->get("/jobs/");
    const std::string tag(page.header("ETag").value_or(""));
    EXPECT_EQ(client_->get("/jobs/", {.headers = {{"If-None-Match", tag}}}).status(), 304) << tag;
  });
}

TEST_F(dashboard_doors, who_guesses_tokens_is_held_up) {
  serve([&] {
    int refused = 0;
    for (int i = 0; i < 15; ++i)
      refused += get("/overview", "wrong-wrong-wrong-wrong").status() == 429 ? 1 : 0;
    EXPECT_GE(refused, 1);
    EXPECT_EQ(get("/overview").status(), 429) << "the right one, too";
  });
}

TEST_F(dashboard_doors, the_address_of_traces_is_one_of_the_web) {
  for (const char* bad :
       {"javascript:alert('{trace_id}')", "https://traces.example.org/", "//x/{trace_id}"}) {
    const auto make = [&] { site(store_, {.operator_token = operator_token, .trace_url = bad}); };
    const std::string why = message_of(errc::invalid_argument, [&] { run(make); });
    EXPECT_TRUE(has_text(why, "address of traces")) << bad;
  }
}

TEST_F(dashboard_doors, the_address_of_workers_is_one_of_the_web_and_for_operators) {
  for (const char* bad : {"javascript:alert('{host}')", "//{host}/fibers", "ftp://{host}"}) {
    const auto make = [&] { site(store_, {.operator_token = operator_token, .worker_url = bad}); };
    const std::string why = message_of(errc::invalid_argument, [&] { run(make); });
    EXPECT_TRUE(has_text(why, "address of workers")) << bad;
  }
  serve({.worker_url = "http://{host}:9464/fibers"}, [&] {
    const auto told = [&](const char* token) {
      return text_of(wire::parse_json(get("/session", token).body()), "worker_url");
    };
    EXPECT_EQ(told(operator_token), "http://{host}:9464/fibers");
    EXPECT_EQ(told(viewer_token), "");
  });
}

TEST_F(dashboard_doors, tokens_are_long_and_differ) {
  const auto make = [&](std::string operates, std::string views) {
    run([&] { site(store_, {.operator_token = std::move(operates), .viewer_token = std::move(views)}); });
  };
  EXPECT_THROW(make("", ""), error);
  EXPECT_THROW(make("short", ""), error);
  EXPECT_THROW(make("0123456789abcdef", "short"), error);
  EXPECT_THROW(make("0123456789abcdef", "0123456789abcdef"), error);
  make("0123456789abcdef", "");
  EXPECT_NE(make_token(), make_token());
}

TEST_F(dashboard_doors, pages_that_are_kept_up_to_date_are_bounded) {
  serve({.streams_max = 2}, [&] {
    const auto open = [&] {
      return client_->open("GET", "/jobs/api/live", {},
                           {.headers = {{"Authorization", "Bearer " + std::string(viewer_token)}}});
    };
    auto first = open();
    auto second = open();
    EXPECT_EQ(first.status(), 200);
    EXPECT_FALSE(first.read_body().empty());
    EXPECT_FALSE(second.read_body().empty());
    EXPECT_EQ(open().status(), 503);
  });
}

}  // namespace
}  // namespace weft::dashboard
