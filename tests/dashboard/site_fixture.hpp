#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <weft/closure/services.hpp>
#include <weft/dashboard/site.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/wire/json_value.hpp>

#include "jobs/test_database.hpp"

namespace weft::dashboard {

/// A site over a store in memory, or, with WEFT_TEST_STORE=postgres in the environment, in PostgreSQL, below
/// /jobs of a server.
class site_fixture : public testing::Test {
 protected:
  static constexpr const char* operator_token = "operator-token-of-tests";
  static constexpr const char* viewer_token = "viewer-token-of-tests";

  /// Runs `body` while the server serves.
  void serve(const std::function<void()>& body) { serve({}, body); }
  void serve(site_options options, const std::function<void()>& body) {
    run_options roomy;
    roomy.stack_bytes = 256 * 1024;  // the address sanitizer's frames are large
    run(
        [&] {
          options.operator_token = operator_token;
          options.viewer_token = viewer_token;
          if (options.keys == nullptr) options.keys = keys_;
          options.interval = std::chrono::milliseconds(20);
          site shown(store_, std::move(options));
          http::server server({.listen = "127.0.0.1:0"});
          shown.mount(server.routes(), "/jobs");
          server.start();
          server_ = &server;
          url_ = server.url();
          http::client client(url_);
          client_ = &client;
          body();
          server.stop(std::chrono::milliseconds(0));
        },
        roomy);
  }

  struct logged_in {
    std::string cookie;
    std::string csrf;
  };
  /// By the way of a browser.
  logged_in log_in(std::string_view token) {
    const auto answer = client_->post("/jobs/api/session", "{\"token\":\"" + std::string(token) + "\"}",
                                      {.content_type = "application/json", .headers = {{"Origin", url_}}});
    EXPECT_EQ(answer.status(), 200) << answer.body();
    const std::string set(answer.header("Set-Cookie").value_or(""));
    return {set.substr(0, set.find(';')), text_of(wire::parse_json(answer.body()), "csrf")};
  }

  http::response get(std::string_view path, std::string_view token = operator_token) {
    return client_->get("/jobs/api" + std::string(path),
                        {.headers = {{"Authorization", "Bearer " + std::string(token)}}});
  }
  http::response post(std::string_view path, std::string_view body, std::string_view token = operator_token) {
    return client_->post(
        "/jobs/api" + std::string(path), body,
        {.content_type = "application/json", .headers = {{"Authorization", "Bearer " + std::string(token)}}});
  }
  wire::json_value json(std::string_view path) {
    const auto answer = get(path);
    EXPECT_EQ(answer.status(), 200) << path << ": " << answer.body();
    return wire::parse_json(answer.body());
  }
  wire::json_value posted(std::string_view path, std::string_view body) {
    const auto answer = post(path, body);
    EXPECT_EQ(answer.status(), 200) << path << ": " << answer.body();
    return wire::parse_json(answer.body());
  }

  static const wire::json_value& member(const wire::json_value& of, std::string_view name) {
    static const wire::json_value none;
    const auto* const found = of.if_object() == nullptr ? nullptr : of.if_object()->find(name);
    EXPECT_NE(found, nullptr) << name;
    return found == nullptr ? none : *found;
  }
  static std::string text_of(const wire::json_value& of, std::string_view name) {
    const auto* const text = member(of, name).if_text();
    EXPECT_NE(text, nullptr) << name;
    return text == nullptr ? std::string() : *text;
  }
  static std::int64_t number_of(const wire::json_value& of, std::string_view name) {
    const auto* const number = member(of, name).if_integer();
    EXPECT_NE(number, nullptr) << name;
    return number == nullptr ? -1 : *number;
  }
  static const wire::json_value::list& list_of(const wire::json_value& of, std::string_view name) {
    static const wire::json_value::list none;
    const auto* const list = member(of, name).if_list();
    EXPECT_NE(list, nullptr) << name;
    return list == nullptr ? none : *list;
  }

  /// Answers of /errors look at as many jobs as they can within their time; asks until one has seen so many.
  wire::json_value errors_of(std::int64_t jobs) {
    for (;;) {
      auto errors = json("/errors");
      if (number_of(errors, "looked_at") >= jobs || testing::Test::HasFailure()) return errors;
    }
  }

  jobs::job_id push_letter(jobs::push_options options = {}) {
    return queue_.push(closure{named_closure<"dashboard.letter">([](std::string) {}), std::string("Ada")},
                       options);
  }
  jobs::job_id push_broken(std::string why) {
    return queue_.push(
        closure{named_closure<"dashboard.broken">([](std::string text) { throw std::runtime_error(text); }),
                std::move(why)},
        {.max_attempts = 1});
  }
  /// Inside serve().
  void run_due() {
    services app;
    jobs::worker(queue_, app, {.pass_on_logs = false}).run_due();
  }

  std::shared_ptr<const wire::key_ring> keys_ =
      std::make_shared<const wire::key_ring>(wire::key::generate("k1"));
  std::unique_ptr<jobs::test_database> database_ =
      jobs::test_database::is_postgres() ? jobs::test_database::make() : nullptr;
  std::shared_ptr<jobs::store> store_ = jobs::open_store(database_ == nullptr ? "memory:" : database_->url());
  jobs::queue queue_{store_, {.name = "mail", .keys = keys_}};
  http::server* server_ = nullptr;
  http::client* client_ = nullptr;
  std::string url_;
};

}  // namespace weft::dashboard
