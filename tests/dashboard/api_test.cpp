#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/http/event_source.hpp>
#include <weft/jobs/limits.hpp>
#include <weft/trace/propagation.hpp>

#include "dashboard/site_fixture.hpp"

// What the JSON API says and does.

namespace weft::dashboard {
namespace {

using namespace std::chrono_literals;
using jobs::job_state;

const key<std::string> plain_key{{.name = "dashboard.customer", .wire = wire_policy::job}};
const key<std::string> secret_key{{.name = "dashboard.session", .wire = wire_policy::job, .redact = true}};

class dashboard_api : public site_fixture {
 protected:
  /// A job that a worker has, which does not end it.
  jobs::job_id claim_letter() {
    store_->add_worker({.id = jobs::worker_id{9}, .host = "ship 1", .pid = 9, .build = "b"});
    jobs::claim_request request;
    request.owner = jobs::worker_id{9};
    request.queues = {"held"};
    request.now = store_->clock().now();
    const auto id = push_letter({.queue = "held"});
    EXPECT_EQ(store_->claim(request).jobs.size(), 1U);
    return id;
  }
  std::size_t count(job_state state) {
    return queue_.list({.queue = "mail", .state = state, .before = {}}).size();
  }
};

TEST_F(dashboard_api, shows_one_job_with_its_attempts_arguments_and_why) {
  const auto id = push_broken("no such host");
  serve([&] {
    run_due();
    const auto job = json("/jobs/" + to_string(id));
    EXPECT_EQ(text_of(member(job, "job"), "state"), "dead");
    EXPECT_EQ(list_of(member(job, "job"), "arguments").at(0), wire::json_value("no such host"));
    EXPECT_EQ(text_of(member(list_of(job, "attempts").at(0), "error"), "message"), "no such host");
    EXPECT_EQ(list_of(job, "why").at(0),
              wire::json_value("It was given up after 1 failed attempt; retry it to run it again."));
    EXPECT_EQ(get("/jobs/1").status(), 404);
    EXPECT_EQ(get("/jobs/x").status(), 404);
  });
}

TEST_F(dashboard_api, shows_what_a_job_was_pushed_in_but_no_secrets) {
  jobs::job_id id{};
  const std::string trace_id = "0af7651916cd43dd8448eb211c80319c";
  run([&] {
    const std::vector<std::pair<std::string, std::string>> headers{
        {"traceparent", "00-" + trace_id + "-b7ad6b7169203331-01"}};
    trace::from_headers(headers).run([&] {
      const scoped_value customer(plain_key, std::string("<b>4711</b>"));
      const scoped_value session(secret_key, std::string("s3cr3t"));
      id = push_letter({.timeout = 90s, .expires = store_->clock().now() + 1h});
    });
  });
  serve({.shown_context = {}}, [&] {
    const auto answer = get("/jobs/" + to_string(id));
    EXPECT_EQ(answer.body().find("s3cr3t"), std::string_view::npos);
    const auto job = wire::parse_json(answer.body());
    EXPECT_EQ(text_of(job, "trace_id"), trace_id);
    EXPECT_EQ(text_of(job, "span_id"), "b7ad6b7169203331");
    EXPECT_FALSE(member(job, "timeout_seconds").is_null());
    EXPECT_FALSE(member(job, "expires").is_null());
    const auto& context = list_of(job, "context");
    ASSERT_EQ(context.size(), 2U);
    EXPECT_EQ(text_of(context[0], "name"), "dashboard.customer");
    EXPECT_EQ(text_of(context[0], "value"), "<b>4711</b>");
    EXPECT_EQ(text_of(context[1], "name"), "dashboard.session");
    EXPECT_TRUE(member(context[1], "value").is_null());
  });
  serve({.trace_url = "https://traces.example.org/{trace_id}", .shown_context = {"dashboard.session"}}, [&] {
    EXPECT_EQ(text_of(list_of(json("/jobs/" + to_string(id)), "context").at(1), "value"), "s3cr3t");
    EXPECT_EQ(text_of(json("/session"), "trace_url"), "https://traces.example.org/{trace_id}");
  });
}

TEST_F(dashboard_api, shows_the_steps_of_a_job) {
  const auto id =
      queue_.push(closure{named_closure<"dashboard.steps">([](jobs::control& job, std::string text) {
                            job.checkpoint("charge", [&] { return text; });
                            job.checkpoint("pack", [&] { return std::string(5000, 'x'); });
                            throw std::runtime_error("no truck");
                          }),
                          std::string("receipt <7>")},
                  {.max_attempts = 1});
  serve([&] {
    run_due();
    const auto job = json("/jobs/" + to_string(id));
    const auto& steps = list_of(job, "steps");
    ASSERT_EQ(steps.size(), 2U);
    EXPECT_EQ(text_of(steps[0], "name"), "charge");
    EXPECT_EQ(text_of(steps[0], "result"), "receipt <7>");
    EXPECT_LT(text_of(steps[1], "result").size(), 2100U) << "long ones are cut";
  });
}

TEST_F(dashboard_api, shows_all_steps_of_a_job_page_by_page) {
  const auto id =
      queue_.push(closure{named_closure<"dashboard.many_steps">([](jobs::control& job, int count) {
                            for (int i = 0; i < count; ++i)
                              job.checkpoint("part " + std::to_string(1000 + i), [&] { return i; });
                            throw std::runtime_error("no truck");
                          }),
                          250},
                  {.max_attempts = 1});
  serve([&] {
    run_due();
    const auto job = json("/jobs/" + to_string(id));
    EXPECT_EQ(list_of(job, "steps").size(), 100U);
    EXPECT_EQ(number_of(job, "steps_total"), 250);
    std::set<std::string> names;
    for (const char* const skip : {"0", "100", "200"}) {
      const auto page = json("/jobs/" + to_string(id) + "/steps?skip=" + skip);
      EXPECT_EQ(number_of(page, "total"), 250);
      for (const auto& one : list_of(page, "steps")) names.insert(text_of(one, "name"));
    }
    EXPECT_EQ(names.size(), 250U);
    EXPECT_TRUE(list_of(json("/jobs/" + to_string(id) + "/steps?skip=250"), "steps").empty());
    EXPECT_EQ(get("/jobs/" + to_string(id) + "/steps?skip=x").status(), 400);
  });
}

TEST_F(dashboard_api, lists_jobs_page_by_page_and_by_filters) {
  std::set<std::string> pushed;
  for (int i = 0; i < 5; ++i) pushed.insert(to_string(push_letter({.tags = {"t"}})));
  push_broken("?");
  serve([&] {
    std::set<std::string> listed;
    std::string path = "/jobs?closure=LETTER&tag=t&limit=2";
    for (std::string before;;) {
      const auto page = json(before.empty() ? path : path + "&before=" + before);
      for (const auto& one : list_of(page, "jobs")) listed.insert(text_of(one, "id"));
      EXPECT_LE(list_of(page, "jobs").size(), 2U);
      if (member(page, "next").is_null()) break;
      before = text_of(page, "next");
    }
    EXPECT_EQ(listed, pushed);
    EXPECT_EQ(list_of(json("/jobs?state=dead"), "jobs").size(), 0U);
    EXPECT_EQ(list_of(json("/jobs?from=0&to=1000"), "jobs").size(), 0U);
    EXPECT_EQ(list_of(json("/jobs?from=1000"), "jobs").size(), 6U);
    for (const char* bad :
         {"/jobs?state=gone", "/jobs?before=x", "/jobs?limit=many", "/jobs?from=yesterday", "/jobs?from=-1"})
      EXPECT_EQ(get(bad).status(), 400) << bad;
  });
}

TEST_F(dashboard_api, changes_one_job_or_says_why_not) {
  const auto id = to_string(push_letter());
  serve([&] {
    EXPECT_EQ(member(posted("/jobs/" + id + "/cancel", ""), "changed"), wire::json_value(true));
    EXPECT_EQ(text_of(posted("/jobs/" + id + "/cancel", ""), "why"), "it is cancelled: it has ended already");
    EXPECT_EQ(member(posted("/jobs/" + id + "/retry", ""), "changed"), wire::json_value(true));
    EXPECT_EQ(post("/jobs/" + id + "/explode", "").status(), 404);
    EXPECT_EQ(count(job_state::ready), 1U);
  });
}

TEST_F(dashboard_api, deletes_one_job_but_not_while_it_runs) {
  const auto ready = to_string(push_letter());
  const auto running = claim_letter();
  serve([&] {
    const auto refused = posted("/jobs/" + to_string(running) + "/delete", "");
    EXPECT_EQ(member(refused, "changed"), wire::json_value(false));
    EXPECT_EQ(text_of(refused, "why"), "it is running: cancel it, and delete it once it has ended");
    EXPECT_EQ(post("/jobs/" + ready + "/delete", "", viewer_token).status(), 403);
    const auto retried = posted("/jobs/" + ready + "/delete", R"({"state":"dead"})");
    EXPECT_EQ(text_of(retried, "why"), "it is ready by now");
    EXPECT_EQ(post("/jobs/" + ready + "/delete", R"({"state":"gone"})").status(), 400);
    EXPECT_EQ(member(posted("/jobs/" + ready + "/delete", ""), "changed"), wire::json_value(true));
    EXPECT_EQ(get("/jobs/" + ready).status(), 404);
    EXPECT_EQ(text_of(posted("/jobs/" + ready + "/delete", ""), "why"), "there is no such job");
    EXPECT_EQ(get("/jobs/" + to_string(running)).status(), 200);
  });
}

TEST_F(dashboard_api, deletes_many_only_once_they_were_counted) {
  for (int i = 0; i < 3; ++i) push_broken("gone");
  const auto waits = push_letter();
  serve([&] {
    run_due();
    const auto later = push_letter({.delay = 1h});
    const auto counted = posted("/bulk/count", R"({"action":"delete","filter":""})");
    EXPECT_EQ(number_of(counted, "jobs"), 4) << "those that have ended";
    EXPECT_EQ(count(job_state::dead), 3U) << "nothing is deleted by the count";
    const auto made = posted("/bulk/run", "{\"token\":\"" + text_of(counted, "token") + "\"}");
    EXPECT_EQ(number_of(made, "changed"), 4);
    EXPECT_EQ(count(job_state::dead), 0U);
    EXPECT_FALSE(queue_.show(waits));
    EXPECT_TRUE(queue_.show(later));
    const auto named = posted("/bulk/count", R"({"action":"delete","filter":"state=scheduled"})");
    EXPECT_EQ(number_of(named, "jobs"), 1);
  });
}

TEST_F(dashboard_api, changes_many_only_once_they_were_counted) {
  for (int i = 0; i < 5; ++i) push_broken("host " + std::to_string(i) + " is down");
  push_broken("too heavy");
  serve([&] {
    run_due();
    const auto counted = posted("/bulk/count", R"({"action":"retry","filter":"error=is+down"})");
    EXPECT_EQ(number_of(counted, "jobs"), 5);
    EXPECT_EQ(count(job_state::dead), 6U) << "nothing is changed by the count";
    const auto later = push_broken("later is down");
    run_due();
    const std::string confirmed = "{\"token\":\"" + text_of(counted, "token") + "\"}";
    EXPECT_EQ(post("/bulk/run", "{\"token\":\"x\"}").status(), 409);
    EXPECT_EQ(post("/bulk/run", confirmed, viewer_token).status(), 403);
    std::int64_t changed = 0;
    for (bool is_over = false; !is_over;) {
      const auto progress = posted("/bulk/run", confirmed);
      changed += number_of(progress, "changed");
      is_over = *member(progress, "is_over").if_boolean();
    }
    EXPECT_EQ(changed, 5);
    EXPECT_EQ(count(job_state::ready), 5U);
    EXPECT_EQ(queue_.show(later)->state, job_state::dead) << "it failed after the count";
    EXPECT_EQ(post("/bulk/run", confirmed).status(), 409) << "only once";
    EXPECT_EQ(post("/bulk/count", R"({"action":"explode","filter":""})").status(), 404);
    EXPECT_EQ(post("/bulk/count", R"({"action":"retry","filter":"state=gone"})").status(), 400);
  });
}

TEST_F(dashboard_api, pauses_queues_and_schedules) {
  push_letter();
  queue_.schedule("nightly", jobs::cron("30 2 * * *"),
                  closure{named_closure<"dashboard.nightly">([](std::string) {}), std::string("Bob")});
  serve([&] {
    posted("/queues/pause", R"({"name":"mail"})");
    EXPECT_TRUE(queue_.stats().at(0).paused);
    posted("/queues/resume", R"({"name":"mail"})");
    EXPECT_FALSE(queue_.stats().at(0).paused);
    EXPECT_EQ(member(posted("/schedules/pause", R"({"name":"nightly"})"), "changed"), wire::json_value(true));
    const auto paused = json("/schedules");
    EXPECT_EQ(member(member(paused.if_list()->at(0), "schedule"), "paused"), wire::json_value(true));
    EXPECT_EQ(member(posted("/schedules/resume", R"({"name":"nightly"})"), "changed"),
              wire::json_value(true));
    EXPECT_EQ(list_of(json("/schedules").if_list()->at(0), "times").size(), 3U);
    EXPECT_EQ(member(posted("/schedules/pause", R"({"name":"?"})"), "changed"), wire::json_value(false));
    const auto fired = text_of(posted("/schedules/run", R"({"name":"nightly"})"), "id");
    EXPECT_EQ(text_of(member(json("/jobs/" + fired), "job"), "state"), "ready");
    EXPECT_EQ(post("/schedules/run", R"({"name":"?"})").status(), 404);
  });
}

TEST_F(dashboard_api, shows_limits_and_sets_them) {
  for (int i = 0; i < 3; ++i) push_letter({.limit = jobs::limit_options{"mx <1>", 1, {30, 1min}}});
  serve([&] {
    const auto shown = [&] { return list_of(json("/limits"), "limits").at(0); };
    EXPECT_EQ(text_of(shown(), "key"), "mx <1>");
    EXPECT_EQ(number_of(shown(), "max"), 1);
    EXPECT_EQ(number_of(shown(), "rate_count"), 30);
    EXPECT_EQ(member(shown(), "pinned"), wire::json_value(false));
    posted("/limits/set", R"({"key":"mx <1>","max":7,"rate_count":5,"rate_seconds":3600,"rate_burst":2})");
    EXPECT_EQ(number_of(shown(), "max"), 7);
    EXPECT_EQ(number_of(shown(), "rate_count"), 5);
    EXPECT_EQ(number_of(shown(), "rate_burst"), 2);
    EXPECT_EQ(member(shown(), "pinned"), wire::json_value(true));
    push_letter({.limit = jobs::limit_options{"mx <1>", 1}});
    EXPECT_EQ(number_of(shown(), "max"), 7) << "pushes leave it";
    posted("/limits/set", R"({"key":"mx <1>"})");
    EXPECT_EQ(number_of(shown(), "max"), INT32_MAX);
    EXPECT_EQ(number_of(shown(), "rate_count"), 0);
    EXPECT_EQ(member(posted("/limits/release", R"({"key":"mx <1>"})"), "changed"), wire::json_value(true));
    EXPECT_EQ(member(posted("/limits/release", R"({"key":"mx <1>"})"), "changed"), wire::json_value(false));
    EXPECT_EQ(member(posted("/limits/release", R"({"key":"?"})"), "changed"), wire::json_value(false));
    for (const char* bad :
         {R"({"key":""})", R"({"key":"a","max":0})", R"({"key":"a","max":-1})",
          R"({"key":"a","max":3000000000})", R"({"key":"a","rate_count":1,"rate_seconds":0})",
          R"({"key":"a","rate_count":1,"rate_seconds":1e99})", R"({"key":"a","rate_count":-1})",
          R"({"max":1})"})
      EXPECT_EQ(post("/limits/set", bad).status(), 400) << bad;
  });
}

TEST_F(dashboard_api, lists_limits_page_by_page_whatever_bytes_their_keys_have) {
  const bool takes_bytes = !jobs::test_database::is_postgres();  // whose texts are UTF-8
  for (int i = 0; i < 120; ++i) {
    const std::string key = std::to_string(1000 + i);
    jobs::set_limit(*store_, {.key = takes_bytes ? "\xff\xfe" + key : "\xc3\xa9&a=%41" + key, .max = i + 1});
  }
  serve([&] {
    std::set<std::int64_t> listed;
    std::string path = "/limits";
    for (int pages = 1;; ++pages) {
      ASSERT_LT(pages, 10);
      const auto page = json(path);
      for (const auto& one : list_of(page, "limits"))
        EXPECT_TRUE(listed.insert(number_of(one, "max")).second);
      if (member(page, "next").is_null()) break;
      EXPECT_EQ(list_of(page, "limits").size(), 50U);
      path = "/limits?after=" + text_of(page, "next");
    }
    EXPECT_EQ(listed.size(), 120U);
    EXPECT_EQ(get("/limits?after=x").status(), 400);
  });
}

TEST_F(dashboard_api, groups_errors_and_shows_workers) {
  for (int i = 0; i < 3; ++i) push_broken("host " + std::to_string(i) + " is down");
  push_broken("too heavy");
  serve([&] {
    run_due();
    const auto errors = errors_of(4);
    ASSERT_EQ(list_of(errors, "groups").size(), 2U);
    const auto& first = list_of(errors, "groups").at(0);
    EXPECT_EQ(number_of(first, "dead"), 3);
    EXPECT_EQ(text_of(first, "message"), "host 2 is down") << "that of the newest";
    EXPECT_EQ(text_of(first, "closure"), "dashboard.broken");
    store_->add_worker(
        {.id = jobs::worker_id{7}, .host = "ship 1234", .pid = 12, .pid_started = 0, .build = "b"});
    const auto workers = json("/workers");
    EXPECT_EQ(text_of(member(workers.if_list()->at(0), "worker"), "host"), "ship");
  });
}

TEST_F(dashboard_api, changes_exactly_the_jobs_of_a_group_of_errors) {
  for (int i = 0; i < 3; ++i) push_broken("host " + std::to_string(i) + " is down");
  const auto longer = push_broken("host 7 is down, as is its peer");
  const auto other = queue_.push(
      closure{named_closure<"dashboard.broken_too">([](int) { throw std::runtime_error("host 8 is down"); }),
              1},
      {.max_attempts = 1});
  serve([&] {
    run_due();
    const auto group_of = [&](std::string_view message, std::string_view closure) {
      const auto errors = errors_of(static_cast<std::int64_t>(count(job_state::dead)));
      for (const auto& one : list_of(errors, "groups")) {
        if (text_of(one, "message").find(message) != std::string::npos && text_of(one, "closure") == closure)
          return text_of(one, "key");
      }
      ADD_FAILURE() << "there is no group " << message;
      return std::string();
    };
    const std::string group = group_of("host 2 is down", "dashboard.broken");
    const auto listed = json("/jobs?state=dead&group=" + group);
    EXPECT_EQ(list_of(listed, "jobs").size(), 3U);
    const auto change = [&](const std::string& action, const std::string& of, std::int64_t expected) {
      const auto counted =
          posted("/bulk/count", R"({"action":")" + action + R"(","filter":"state=dead&group=)" + of + "\"}");
      EXPECT_EQ(number_of(counted, "jobs"), expected) << action;
      const auto made = posted("/bulk/run", "{\"token\":\"" + text_of(counted, "token") + "\"}");
      EXPECT_EQ(number_of(made, "changed"), expected) << action;
      EXPECT_EQ(member(made, "is_over"), wire::json_value(true));
    };
    change("retry", group, 3);
    EXPECT_EQ(count(job_state::ready), 3U);
    EXPECT_EQ(count(job_state::dead), 2U);
    change("retry", group, 0);
    change("delete", group_of("as is its peer", "dashboard.broken"), 1);
    EXPECT_FALSE(queue_.show(longer));
    change("delete", group_of("host 8", "dashboard.broken_too"), 1);
    EXPECT_FALSE(queue_.show(other));
    EXPECT_EQ(count(job_state::ready), 3U);
    for (const std::string bad : {"", "x", "61.62", "6.62.63", "61.62.6g", "61.62.63.64"}) {
      EXPECT_EQ(get("/jobs?group=" + bad).status(), 400) << bad;
      EXPECT_EQ(
          post("/bulk/count", R"({"action":"delete","filter":"state=ready&group=)" + bad + "\"}").status(),
          400)
          << bad;
    }
  });
}

TEST_F(dashboard_api, shows_fibers_and_to_operators_their_stacks) {
  serve([&] {
    event ends;
    auto waits = go([&] { ends.wait(); }, {.name = "<b>waiter</b>"});
    const auto is_waiter = [](const auto& one) { return text_of(one, "name") == "<b>waiter</b>"; };
    const auto look = [&] {
      const auto shown = json("/fibers");
      const auto& all = list_of(shown, "fibers");
      const auto found = std::ranges::find_if(all, is_waiter);
      return found == all.end() ? wire::json_value() : *found;
    };
    const auto until = steady_clock::now() + 30s;
    while (text_of(look(), "state") != "waits" && steady_clock::now() < until) yield();
    EXPECT_EQ(text_of(look(), "state"), "waits");
    EXPECT_EQ(text_of(look(), "waits_in"), "event::wait");
    EXPECT_GE(number_of(json("/fibers"), "total"), 3);
    EXPECT_NE(get("/fibers/dump", operator_token).body().find("<b>waiter</b>"), std::string_view::npos);
    EXPECT_EQ(get("/fibers/dump", viewer_token).status(), 403);
    ends.set();
    waits.join();
  });
  serve({.shows_fibers = false}, [&] {
    EXPECT_EQ(get("/fibers").status(), 404);
    EXPECT_EQ(get("/fibers/dump", operator_token).status(), 404);
  });
}

TEST_F(dashboard_api, pages_are_kept_up_to_date) {
  serve([&] {
    http::event_source live(
        *client_, "/jobs/api/live",
        {.request = {.headers = {{"Authorization", "Bearer " + std::string(viewer_token)}}}});
    const auto ready_in = [](const http::received_event& look) {
      const auto shown = wire::parse_json(look.data);
      std::int64_t ready = 0;
      for (const auto& one : list_of(member(shown, "stats"), "queues")) ready += number_of(one, "ready");
      return ready;
    };
    auto look = live.next();
    ASSERT_TRUE(look);
    EXPECT_EQ(look->name, "look");
    EXPECT_EQ(ready_in(*look), 0);
    push_letter();
    while (look && ready_in(*look) == 0) look = live.next();
    ASSERT_TRUE(look);
    EXPECT_EQ(ready_in(*look), 1);
    EXPECT_GE(list_of(json("/overview"), "samples").size(), 2U);
  });
}

TEST_F(dashboard_api, is_mounted_on_the_router_of_a_program) {
  const std::string token = make_token();
  const auto keys = keys_;
  const auto store = store_;
  run([&] {
    http::server server({.listen = "127.0.0.1:0"});
    // example: dashboard_mount
    weft::dashboard::site site(store, {.operator_token = token, .keys = keys, .hosts = {"shop.example.org"}});
    site.mount(server.routes(), "/jobs");
    // end of example
    server.start();
    EXPECT_EQ(http::client(server.url()).get("/jobs/").status(), 200);
    server.stop(0ms);
  });
}

TEST_F(dashboard_api, without_keys_arguments_are_not_shown) {
  const auto id = push_letter();
  serve({.keys = std::make_shared<const wire::key_ring>(wire::key::generate("other"))}, [&] {
    const auto job = json("/jobs/" + to_string(id));
    EXPECT_TRUE(member(member(job, "job"), "arguments").is_null());
    EXPECT_FALSE(member(member(job, "job"), "problem").is_null());
  });
}

}  // namespace
}  // namespace weft::dashboard
