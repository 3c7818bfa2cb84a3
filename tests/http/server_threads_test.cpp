// A server on several loops of one run.
#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <weft/executor/blocking.hpp>
#include <weft/executor/executor.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/log/collector.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get_root = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const run_options three_loops{.threads = 3};

server_options on_all_loops() { return {.listen = "127.0.0.1:0", .threads = 0}; }

std::string thread_name() { return std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id())); }

TEST(http_threads, connections_are_spread_evenly_and_stay_where_they_are) {
  run(
      [] {
        server serving(on_all_loops());
        serving.get("/", thread_name);
        serving.start();
        std::vector<std::unique_ptr<raw_client>> all;
        std::map<std::string, int> per_thread;
        for (int i = 0; i < 30; ++i) {
          all.push_back(std::make_unique<raw_client>(serving));
          const std::string where = all.back()->body_of(get_root);
          ++per_thread[where];
          EXPECT_EQ(all.back()->body_of(get_root), where);
        }
        EXPECT_EQ(per_thread.size(), 3u);
        for (const auto& [where, count] : per_thread) EXPECT_EQ(count, 10) << where;
        serving.stop();
      },
      three_loops);
}

TEST(http_threads, by_default_all_handlers_run_on_the_thread_that_started_the_server) {
  run(
      [] {
        server serving(on_any_port());
        serving.get("/", thread_name);
        serving.start();
        const std::string here = thread_name();
        scope all;
        for (int i = 0; i < 20; ++i) all.go([&] { EXPECT_EQ(client(serving.url()).get("/").body(), here); });
        all.join();
      },
      three_loops);
}

TEST(http_threads, figures_and_the_access_log_are_those_of_all_loops) {
  run(
      [] {
        constexpr int clients = 12, requests = 20;
        log::collector records;
        server_options options = on_all_loops();
        options.access_log = true;
        server serving(options);
        std::atomic<int> handled{0};
        serving.get("/", [&] { return std::to_string(++handled); });
        serving.start();
        scope all;
        for (int i = 0; i < clients; ++i) {
          all.go([&] {
            client asking(serving.url());
            for (int k = 0; k < requests; ++k)
              EXPECT_EQ(asking.get(k % 2 == 0 ? "/" : "/no").status(), k % 2 == 0 ? 200 : 404);
          });
        }
        all.join();
        raw_client malformed(serving);
        EXPECT_EQ(malformed.ask("GET / HTTP/1.1\r\n\r\n").find("HTTP/1.1 400 "), 0u);
        EXPECT_TRUE(serving.stop());
        const server_statistics sum = serving.statistics();
        EXPECT_EQ(sum.connections, 0u);
        EXPECT_EQ(sum.connections_total, clients + 1u);
        EXPECT_EQ(sum.requests, 1u * clients * requests);
        EXPECT_EQ(sum.refused_requests, 1u);
        EXPECT_EQ(handled, clients * requests / 2);
        int logged = 0;
        for (const log::record& one : records.take()) logged += one.message == "http: served" ? 1 : 0;
        EXPECT_EQ(logged, clients * requests);
      },
      three_loops);
}

TEST(http_threads, bounds_are_those_of_the_whole_server) {
  run(
      [] {
        server_options options = on_all_loops();
        options.requests_max = 4;
        options.connections_max = 9;
        server serving(options);
        event leave;
        std::atomic<int> inside{0};
        serving.get("/", [&] {
          ++inside;
          leave.wait();
          return "ok";
        });
        serving.start();
        std::vector<std::unique_ptr<raw_client>> all;
        for (int i = 0; i < 9; ++i) {
          all.push_back(std::make_unique<raw_client>(serving));
          all.back()->send(get_root);
          if (i < 4) {
            while (inside <= i) yield();
          } else {
            EXPECT_EQ(all.back()->read_until("\r\n").find("HTTP/1.1 503 "), 0u);
          }
        }
        raw_client one_more(serving);
        EXPECT_EQ(one_more.read_to_end().find("HTTP/1.1 503 "), 0u);
        EXPECT_EQ(serving.statistics().connections, 9u);
        EXPECT_EQ(serving.statistics().refused_connections, 1u);
        leave.set();
        for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(all[i]->read_until("\r\n").find("HTTP/1.1 200 "), 0u);
        EXPECT_EQ(serving.statistics().shed_requests, 5u);
        EXPECT_TRUE(serving.stop());
      },
      three_loops);
}

TEST(http_threads, a_loop_that_is_held_up_does_not_keep_new_connections_from_the_others) {
  run(
      [] {
        server serving(on_all_loops());
        std::latch leave(1);
        event entered;
        serving.get("/hold", [&] {
          entered.set();
          leave.wait();  // the thread
          return "held";
        });
        serving.get("/", [] { return "free"; });
        serving.start();
        blocking([&] {
          raw_client holding(serving);
          holding.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
          entered.wait();
          for (int i = 0; i < 10; ++i) {
            raw_client other(serving);
            EXPECT_EQ(other.body_of(get_root), "free");
          }
          leave.count_down();
          EXPECT_EQ(holding.read_until("held").find("HTTP/1.1 200 "), 0u);
        });
        serving.stop();
      },
      {.threads = 2});
}

TEST(http_threads, stop_under_load_finishes_what_was_begun) {
  run(
      [] {
        server serving(on_all_loops());
        std::atomic<int> begun{0}, ended{0}, answered{0};
        serving.get("/", [&] {
          ++begun;
          sleep_for(1ms);
          ++ended;
          return "done";
        });
        serving.start();
        scope all;
        for (int i = 0; i < 12; ++i) {
          all.go([&] {
            try {
              raw_client asking(serving);
              while (asking.body_of(get_root) == "done") ++answered;
            } catch (const error&) {  // the server has closed the connection
            }
          });
        }
        while (ended < 100) yield();
        // By another loop than the one that started it.
        EXPECT_TRUE(loop_executors().back().submit([&] { return serving.stop(20s); }).get());
        EXPECT_EQ(serving.statistics().connections, 0u);
        EXPECT_EQ(begun, ended);
        all.join();
        EXPECT_EQ(answered, ended);
        EXPECT_THROW(raw_client late(serving), error);
      },
      three_loops);
}

TEST(http_threads, what_does_not_end_in_time_is_cancelled_on_each_loop) {
  run(
      [] {
        std::atomic<int> inside{0}, cancelled_ones{0};
        {
          server serving(on_all_loops());
          serving.get("/", [&] {
            ++inside;
            try {
              sleep_for(1h);
            } catch (const cancelled&) {
              ++cancelled_ones;
              throw;
            }
          });
          serving.start();
          std::vector<std::unique_ptr<raw_client>> all;
          for (int i = 0; i < 6; ++i) {
            all.push_back(std::make_unique<raw_client>(serving));
            all.back()->send(get_root);
          }
          while (inside < 6) yield();
          EXPECT_FALSE(serving.stop(1ms));
          EXPECT_EQ(cancelled_ones, 6);
        }
        const server never_started(on_all_loops());
      },
      three_loops);
}

TEST(http_threads, more_than_the_run_has_are_refused) {
  run(
      [] {
        server serving({.listen = "127.0.0.1:0", .threads = 3});
        try {
          serving.start();
          ADD_FAILURE() << "three threads where there are two";
        } catch (const error& refused) {
          EXPECT_EQ(refused.code(), errc::invalid_argument);
          EXPECT_NE(std::string(refused.what()).find("wants 3 threads, but weft::run has 2"),
                    std::string::npos)
              << refused.what();
        }
      },
      {.threads = 2});
}

TEST(http_threads, the_end_of_the_run_ends_a_server_that_nobody_stops) {
  run(
      [] {
        server serving(on_all_loops());
        serving.get("/", [] { sleep_for(1h); });
        serving.start();
        raw_client busy(serving);
        busy.send(get_root);
        while (serving.statistics().requests == 0) yield();
        weft::exit(0);
      },
      three_loops);
}

TEST(http_server, stop_with_idle_grace_serves_one_more_request_of_each_kept_connection) {
  run([] {
    server serving(on_any_port());
    serving.get("/", [] { return "served"; });
    serving.start();
    raw_client kept(serving);
    raw_client silent(serving);
    EXPECT_EQ(kept.body_of(get_root), "served");
    EXPECT_EQ(silent.body_of(get_root), "served");
    auto stopping = go([&] { return serving.stop({.grace = 60s, .idle_grace = 60s}); });
    while (!serving.is_stopping()) yield();
    kept.send(get_root);
    const std::string got = kept.read_to_end();
    EXPECT_NE(got.find("Connection: close"), std::string::npos) << got;
    EXPECT_TRUE(got.ends_with("served")) << got;
    EXPECT_THROW(raw_client late(serving), error);
    EXPECT_FALSE(stopping.done());
    stopping.cancel();
    EXPECT_THROW(stopping.join(), cancelled);
    EXPECT_TRUE(serving.stop());  // the silent one is not waited for
    EXPECT_EQ(silent.read_to_end(), "");
  });
}

}  // namespace
}  // namespace weft::http
