#include <weft/service/admin.hpp>

#include <gtest/gtest.h>

#include <string>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/log/sink.hpp>
#include <weft/metrics/registry.hpp>
#include <weft/net/bound_socket.hpp>
#include <weft/wire/json_value.hpp>

#include "http/raw_client.hpp"
#include "service/level_switch.hpp"
#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::ops {
namespace {

using namespace std::chrono_literals;

admin_options on_any_port() { return {.listen = "127.0.0.1:0"}; }

TEST(admin, refuses_to_listen_beyond_this_machine) {
  run([] {
    for (const char* const wide :
         {"0.0.0.0:0", "*:0", "[::]:0", "192.0.2.1:0", "localhost.example:0", "128.0.0.1:0"}) {
      const auto said = message_of(errc::refused, [&] { admin made({.listen = wide}); });
      EXPECT_TRUE(has_text(said, "beyond_loopback")) << wide;
    }
    admin asked_for({.listen = "0.0.0.0:0", .beyond_loopback = true});
    asked_for.start();
    const net::bound_socket wide(net::endpoint::parse("0.0.0.0:0"));
    message_of(errc::refused, [&] { admin made({.listener = &wide}); });
    const weft_test::scratch_folder folder;
    admin at_a_path({.listen = "unix:" + (folder / "admin")});
    at_a_path.start();
    EXPECT_EQ(http::client("unix:" + (folder / "admin")).get("/livez").status(), 200);
  });
}

TEST(admin, paths_are_exact) {
  run([] {
    admin made(on_any_port());
    made.start();
    http::client asking(made.url());
    EXPECT_EQ(asking.get("/livez").status(), 200);
    for (const char* const path :
         {"/", "/a/livez", "/livez/", "//livez", "/LIVEZ", "/livez%2f", "/livez/x", "/metrics/x"})
      EXPECT_EQ(asking.get(path).status(), 404) << path;
  });
}

TEST(admin, tells_when_it_has_started_and_whether_it_is_ready) {
  run([] {
    admin made(on_any_port());
    bool database = true;
    made.health().add("database", [&] { return database; });
    made.start();
    http::client asking(made.url());
    EXPECT_EQ(asking.get("/startupz").status(), 503);
    made.set_started();
    EXPECT_EQ(asking.get("/startupz").status(), 200);
    EXPECT_EQ(asking.get("/readyz").body(), "ready\ndatabase: ok\n");
    database = false;
    EXPECT_EQ(asking.get("/readyz").status(), 503);
    EXPECT_EQ(asking.get("/readyz").body(), "not ready\ndatabase: failed\n");
    EXPECT_EQ(asking.get("/livez").status(), 200);
  });
}

TEST(admin, answers_to_names_of_this_machine_only) {
  run([] {
    admin made(on_any_port());
    made.start();
    const auto status_for = [&](const std::string& host) {
      http::raw_client asking(made.server());
      return asking.ask("GET /livez HTTP/1.1\r\nHost: " + host + "\r\n\r\n").substr(9, 3);
    };
    EXPECT_EQ(status_for("localhost:9464"), "200");
    EXPECT_EQ(status_for("127.0.0.1"), "200");
    EXPECT_EQ(status_for("[::1]:80"), "200");
    EXPECT_EQ(status_for("evil.example"), "421");
    EXPECT_EQ(status_for("localhost.evil.example:9464"), "421");
    EXPECT_EQ(status_for("127.0.0.1.evil.example"), "421");
  });
}

TEST(admin, brings_figures_up_to_date_before_it_shows_them) {
  run([] {
    metrics::registry all;
    const auto depth = all.get_gauge({.name = "app_depth", .help = "Depth"});
    admin made({.listen = "127.0.0.1:0", .metrics = &all, .refresh_timeout = 10ms});
    int asked = 0;
    event never;
    made.before_metrics([&] { depth.set(++asked); });
    made.before_metrics([] { throw error(errc::unavailable, "the database is away"); });
    made.start();
    http::client asking(made.url());
    EXPECT_TRUE(has_text(asking.get("/metrics").body(), "\napp_depth 1\n"));
    EXPECT_TRUE(has_text(asking.get("/metrics").body(), "\napp_depth 2\n"));
    const auto open = asking.get("/metrics", {.headers = {{"Accept", "application/openmetrics-text"}}});
    EXPECT_TRUE(open.body().ends_with("# EOF\n"));
    made.stop();

    admin slow({.listen = "127.0.0.1:0", .metrics = &all, .refresh_timeout = 10ms});
    slow.before_metrics([&] { never.wait(); });
    slow.start();
    EXPECT_EQ(http::client(slow.url()).get("/metrics").status(), 200) << "as they were";
  });
}

TEST(admin, shows_the_fibers_as_text_and_as_json) {
  run([] {
    event over;
    auto sleeper = go([&] { over.wait(); }, {.name = "sleeper of this test"});
    yield();
    admin made(on_any_port());
    made.start();
    http::client asking(made.url());
    EXPECT_TRUE(has_text(asking.get("/fibers").body(), "sleeper of this test"));
    EXPECT_FALSE(has_text(asking.get("/fibers?max=0").body(), "sleeper of this test"));
    EXPECT_EQ(asking.get("/fibers?max=x").status(), 400);
    const auto answer = asking.get("/fibers", {.headers = {{"Accept", "application/json"}}});
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
    bool found = false;
    const auto parsed = wire::parse_json(answer.body());
    for (const auto& one : *parsed.if_list()) {
      if (*one.if_object()->find("name")->if_text() != "sleeper of this test") continue;
      found = true;
      EXPECT_EQ(*one.if_object()->find("state")->if_text(), "waits");
      EXPECT_EQ(*one.if_object()->find("waits_for")->if_text(), "event::wait");
    }
    EXPECT_TRUE(found) << answer.body();
    over.set();
    sleeper.join();
  });
}

TEST(admin, changes_the_level_of_the_log) {
  run([] {
    admin made(on_any_port());
    made.start();
    http::client asking(made.url());
    const auto put = [&](const std::string& path, const std::string& body) {
      return asking.send("PUT", path, body);
    };
    EXPECT_EQ(asking.get("/log-level").body(), R"({"level":"info","then":null,"seconds_left":null})");
    EXPECT_EQ(put("/log-level", "warn\n").status(), 200);
    EXPECT_EQ(log::current_level(), log::level::warn);
    const std::string told = put("/log-level?seconds=3600", "error").body();
    EXPECT_TRUE(has_text(told, R"({"level":"error","then":"warn","seconds_left":3)")) << told;
    EXPECT_EQ(log::current_level(), log::level::error);
    for (const char* const bad : {"", "loud", "INFO"}) EXPECT_EQ(put("/log-level", bad).status(), 400) << bad;
    for (const char* const bad : {"0", "-1", "1e9", "999999999999", "x"})
      EXPECT_EQ(put(std::string("/log-level?seconds=") + bad, "info").status(), 400) << bad;
    EXPECT_EQ(put("/log-level", std::string(5000, 'x')).status(), 413);
    EXPECT_EQ(log::current_level(), log::level::error);
    EXPECT_EQ(put("/log-level", "info").status(), 200);
    EXPECT_EQ(log::current_level(), log::level::info);
  });
}

TEST(level_switch, a_change_for_a_time_is_over_by_itself) {
  run([] {
    detail::level_switch of_log;
    of_log.set_for(log::level::error, 1h);
    of_log.set_for(log::level::critical, 20ms);
    EXPECT_EQ(log::current_level(), log::level::critical);
    EXPECT_EQ(of_log.look().then, "info") << "the level before the first change";
    while (log::current_level() != log::level::info) sleep_for(5ms);
    EXPECT_EQ(of_log.look().then, std::nullopt);
  });
}

TEST(level_switch, a_change_for_good_ends_one_for_a_time) {
  run([] {
    {
      detail::level_switch of_log;
      of_log.set_for(log::level::error, 1h);
      of_log.set(log::level::warn);
      EXPECT_EQ(of_log.look().then, std::nullopt);
    }
    EXPECT_EQ(log::current_level(), log::level::warn);
    log::set_level(log::level::info);
    {
      detail::level_switch of_log;
      of_log.set_for(log::level::error, 1h);
    }
    EXPECT_EQ(log::current_level(), log::level::info) << "what was for a time does not outlive the switch";
  });
}

}  // namespace
}  // namespace weft::ops
