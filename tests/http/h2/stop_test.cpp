// How a server stops whose clients speak HTTP/2.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/server.hpp>

#include "http/h2/frame_client.hpp"
#include "http/h2/h2_client.hpp"
#include "http/h2/stuffing.hpp"
#include "http/raw_client.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

TEST(http2_stop, what_runs_is_finished_and_idle_connections_end) {
  run([] {
    server serving(on_any_port());
    event begun, go_on;
    serving.get("/slow", [&](response& out) {
      begun.set();
      go_on.wait();
      out.body(std::string(300'000, 'x'));
    });
    serving.get("/", [] { return "here"; });
    serving.start();
    h2_client idle(serving), busy(serving);
    EXPECT_EQ(idle.get("/").body, "here");
    const int id = busy.ask("GET", "/slow");
    busy.send();
    begun.wait();
    bool all_ended = false;
    fiber<void> stopping = go([&] { all_ended = serving.stop(20s); });
    idle.wait_for_end();
    EXPECT_TRUE(idle.has_ended());
    EXPECT_EQ(idle.go_aways().back().first, std::uint32_t{NGHTTP2_NO_ERROR});
    busy.drive_until([&] { return !busy.go_aways().empty() && busy.go_aways().back().second == id; });
    const int late = busy.ask("GET", "/");
    busy.send();
    go_on.set();
    EXPECT_EQ(busy.wait(id).body.size(), 300'000u);
    busy.wait_for_end();
    EXPECT_EQ(busy.now(late).status, 0);  // it may be asked again elsewhere
    stopping.join();
    EXPECT_TRUE(all_ended);
    EXPECT_EQ(serving.statistics().connections, 0u);
  });
}

TEST(http2_stop, what_comes_before_goaway_is_sent_is_not_served) {
  run([] {
    stuffing endless;
    server serving(on_any_port());
    endless.serve_on(serving);
    int calls = 0;
    serving.get("/", [&] { return ++calls, "here"; });
    serving.start();
    h2_client idle(serving);
    frame_client full(serving);
    endless.stuff(full);
    fiber<void> stopping = go([&] { EXPECT_TRUE(serving.stop(20s)); });
    idle.wait_for_end();  // all have begun to end
    full.get(3);
    full.send({reset_type, 0, 1, number(8, 4)});
    // Which makes room: the request has come by then.
    std::uint32_t last = 0;
    while (last != 1) last = number_of(full.read_until(go_away_type).payload.substr(0, 4));
    full.read_to_end();
    EXPECT_EQ(calls, 0);
    stopping.join();
  });
}

TEST(http2_stop, what_takes_too_long_is_cancelled) {
  run([] {
    server serving(on_any_port());
    endless_work slow;
    serving.get("/slow", [&] { slow.run(); });
    serving.start();
    h2_client asking(serving);
    asking.ask("GET", "/slow");
    asking.send();
    slow.begun.wait();
    EXPECT_FALSE(serving.stop(50ms));
    EXPECT_EQ(slow.why, cancel_reason::shutdown);
  });
}

TEST(http2_stop, requests_that_come_within_the_idle_grace_are_served) {
  run([] {
    server serving(on_any_port());
    serving.get("/", [] { return "here"; });
    serving.start();
    std::optional<frame_client> asking(std::in_place, serving);
    asking->get(1);
    EXPECT_EQ(asking->read_until(data_type).payload, "here");
    fiber<void> stopping = go([&] { EXPECT_TRUE(serving.stop({.grace = 40s, .idle_grace = 20s})); });
    // A notice: nothing is refused yet.
    EXPECT_EQ(number_of(asking->read_until(go_away_type).payload.substr(0, 4)), 0x7fff'ffffu);
    asking->get(3);
    EXPECT_EQ(asking->read_until(data_type).payload, "here");
    asking.reset();
    stopping.join();
  });
}

TEST(http2_stop, event_streams_end) {
  run([] {
    server serving(on_any_port());
    serving.get("/",
                [](request& in, response& out) {
                  event_stream events(in, out);
                  events.send({.data = "first"});
                  while (events.wait_for(1h)) {
                  }
                },
                {.handler_timeout = 0ms});
    serving.start();
    h2_client asking(serving);
    const int id = asking.ask("GET", "/");
    asking.drive_until([&] { return count_of(asking.now(id).body, "first") == 1; });
    fiber<void> stopping = go([&] { EXPECT_TRUE(serving.stop(20s)); });
    EXPECT_TRUE(asking.wait(id).has_ended);
    stopping.join();
  });
}

TEST(http2_stop, under_load_every_answer_that_was_begun_is_whole) {
  run(
      [] {
        server serving({.listen = "127.0.0.1:0", .threads = 0});
        serving.get("/", [](response& out) {
          for (int i = 0; i < 5; ++i) {
            out.write(std::string(2000, 'x'));
            yield();
          }
        });
        serving.start();
        std::atomic<int> whole{0}, broken{0};
        std::vector<fiber<void>> clients;
        for (int c = 0; c < 6; ++c) {
          clients.push_back(go([&] {
            h2_client asking(serving);
            std::vector<int> ids;
            const auto count = [&] {
              for (const int id : std::exchange(ids, {})) {
                const auto& answer = asking.now(id);
                if (answer.status == 200)
                  ++(answer.has_ended && answer.body.size() == 10'000 ? whole : broken);
              }
            };
            try {
              while (!asking.has_ended() && asking.go_aways().empty()) {
                for (int i = 0; i < 20; ++i) ids.push_back(asking.ask("GET", "/"));
                for (const int id : ids) asking.wait(id);
                count();
              }
              asking.wait_for_end();
            } catch (const error&) {  // it was reset, where it asked after the end
            }
            count();
          }));
        }
        wait_until_it_is([&] { return serving.statistics().requests > 500; });
        EXPECT_TRUE(serving.stop(20s));
        for (auto& one : clients) one.join();
        EXPECT_GT(whole.load(), 0);
        EXPECT_EQ(broken.load(), 0);
      },
      {.threads = 3});
}

TEST(http2_stop, idle_connections_end_after_their_time) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .idle_timeout = 100ms});
    serving.get("/", [] { return "here"; });
    serving.start();
    h2_client asking(serving);
    EXPECT_EQ(asking.get("/").body, "here");
    asking.wait_for_end();
    EXPECT_EQ(asking.go_aways().back().first, std::uint32_t{NGHTTP2_NO_ERROR});
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
