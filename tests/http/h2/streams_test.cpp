// Flow control and giving up, over HTTP/2.
#include <gtest/gtest.h>

#include <atomic>

#include <weft/context/cancellation.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>

#include "http/h2/frame_client.hpp"
#include "http/h2/h2_client.hpp"
#include "http/h2/stuffing.hpp"
#include "http/raw_client.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

std::string pattern_of(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i * 7 % 23 + i / 1000 % 3);
  return text;
}

TEST(http2_streams, bodies_larger_than_all_windows_go_both_ways) {
  run([] {
    const std::string large = pattern_of(5'000'000);
    server serving({.listen = "127.0.0.1:0", .limits = {.body_bytes_max = 8'000'000}});
    serving.get("/whole", [&](response& out) { out.body(large); });
    serving.get("/pieces", [&](response& out) {
      for (std::size_t at = 0; at < large.size(); at += 50'000) out.write(large.substr(at, 50'000));
    });
    serving.post("/whole", [&](request& in) { return in.body() == large ? "same" : "other"; });
    serving.post("/pieces",
                 [&](request& in) {
                   std::string all;
                   std::size_t most = 0;
                   for (std::string_view piece; !(piece = in.read_body()).empty(); all += piece)
                     most = std::max(most, piece.size());
                   EXPECT_LE(most, 65'536u);
                   return all == large ? "same" : "other";
                 },
                 {.streams_body = true});
    serving.start();
    h2_client asking(serving);
    std::vector<int> gets, posts;
    for (const char* const path : {"/whole", "/pieces"}) {
      gets.push_back(asking.ask("GET", path));
      posts.push_back(asking.ask("POST", path, {}, large));
    }
    for (const int id : gets) EXPECT_TRUE(asking.wait(id).body == large);
    for (const int id : posts) EXPECT_EQ(asking.wait(id).body, "same");
    EXPECT_EQ(serving.statistics().http2_violations, 0u);
    serving.stop();
  });
}

TEST(http2_streams, an_echo_goes_on_while_both_sides_send) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .limits = {.body_bytes_max = 8'000'000}});
    serving.post("/echo",
                 [](request& in, response& out) {
                   for (std::string_view piece; !(piece = in.read_body()).empty();) out.write(piece);
                 },
                 {.streams_body = true});
    serving.start();
    const std::string large = pattern_of(3'000'000);
    h2_client asking(serving);
    std::vector<int> ids;
    for (int i = 0; i < 4; ++i) ids.push_back(asking.ask("POST", "/echo", {}, large));
    for (const int id : ids) EXPECT_TRUE(asking.wait(id).body == large);
    serving.stop();
  });
}

TEST(http2_streams, a_handler_waits_while_its_client_does_not_read) {
  run([] {
    server serving(on_any_port());
    std::size_t written = 0;
    serving.get("/", [&](response& out) {
      for (int i = 0; i < 100; ++i) {
        out.write(std::string(10'000, 'x'));
        written += 10'000;
      }
    });
    serving.get("/other", [] { return "other"; });
    serving.start();
    h2_client asking(serving, {.window = 20'000, .reads_by_itself = false});
    const int id = asking.ask("GET", "/");
    asking.drive_until([&] { return asking.now(id).body.size() == 20'000; });
    EXPECT_EQ(asking.get("/other").body, "other");
    EXPECT_LE(written, 20'000u);  // the last piece waits
    while (!asking.now(id).is_closed) {
      const std::size_t before = asking.now(id).body.size();
      asking.read(id, 20'000);
      asking.drive_until([&] { return asking.now(id).body.size() > before || asking.now(id).is_closed; });
    }
    EXPECT_EQ(asking.now(id).body.size(), 1'000'000u);
    serving.stop();
  });
}

TEST(http2_streams, a_client_sends_no_more_than_the_handler_reads) {
  run([] {
    server serving({.listen = "127.0.0.1:0",
                    .limits = {.body_bytes_max = 8'000'000},
                    .http2 = {.stream_window_bytes = 100'000}});
    event go_on;
    serving.post("/slow",
                 [&](request& in) {
                   go_on.wait();
                   std::size_t bytes = 0;
                   for (std::string_view piece; !(piece = in.read_body()).empty();) bytes += piece.size();
                   return std::to_string(bytes);
                 },
                 {.streams_body = true});
    serving.get("/", [] { return "here"; });
    serving.start();
    h2_client asking(serving);
    const int id = asking.ask("POST", "/slow", {}, std::string(1'000'000, 'x'));
    EXPECT_EQ(asking.get("/").body, "here");  // others go on
    EXPECT_EQ(nghttp2_session_get_stream_remote_window_size(asking.session(), id), 0);
    go_on.set();
    EXPECT_EQ(asking.wait(id).body, "1000000");
    serving.stop();
  });
}

TEST(http2_streams, who_gives_up_cancels_the_handler) {
  run([] {
    server serving(on_any_port());
    endless_work slow;
    event left_alone_begun, go_on;
    bool finished = false;
    serving.get("/slow", [&] { slow.run(); });
    serving.get("/left-alone",
                [&] {
                  left_alone_begun.set();
                  go_on.wait();
                  finished = true;
                },
                {.ends_with_client = false});
    serving.start();
    h2_client asking(serving);
    const int left_alone = asking.ask("GET", "/left-alone");
    const int asked = asking.ask("GET", "/slow");
    asking.send();
    slow.begun.wait();
    left_alone_begun.wait();
    asking.reset(asked);
    asking.reset(left_alone);
    asking.send();
    wait_until_it_is([&] { return serving.statistics().abandoned_requests == 1; });
    EXPECT_EQ(slow.why, cancel_reason::requested);
    go_on.set();
    wait_until_it_is([&] { return finished; });
    EXPECT_EQ(serving.statistics().abandoned_requests, 1u);
    EXPECT_EQ(serving.statistics().connections, 1u);
    serving.stop();
  });
}

TEST(http2_streams, a_closed_connection_cancels_all_its_handlers) {
  run([] {
    server serving(on_any_port());
    int running = 0;
    event all;
    serving.get("/slow", [&] {
      if (++running == 10) all.set();
      sleep_for(1h);
    });
    serving.post("/upload", [&](request& in) { in.read_body(); }, {.streams_body = true});
    serving.start();
    {
      h2_client asking(serving);
      for (int i = 0; i < 10; ++i) asking.ask("GET", "/slow");
      asking.ask("POST", "/upload", {}, "", true);
      asking.send();
      all.wait();
    }
    wait_until_it_is([&] { return serving.statistics().connections == 0; });
    EXPECT_EQ(serving.statistics().abandoned_requests, 11u - 1u);
    serving.stop();
  });
}

TEST(http2_streams, who_does_not_read_its_answer_is_given_up) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .write_timeout = 100ms});
    serving.get("/whole", [](response& out) { out.body(std::string(200'000, 'x')); });
    serving.get("/pieces", [](response& out) {
      for (int i = 0; i < 20; ++i) out.write(std::string(10'000, 'x'));
    });
    serving.get("/", [] { return "here"; });
    serving.start();
    h2_client asking(serving, {.window = 1000, .reads_by_itself = false});
    for (const char* const path : {"/whole", "/pieces"}) {
      const auto& answer = asking.get(path);
      EXPECT_EQ(answer.body.size(), 1000u);
      EXPECT_EQ(answer.error, std::uint32_t{NGHTTP2_CANCEL});
    }
    EXPECT_EQ(asking.get("/").body, "here");
    serving.stop();
  });
}

TEST(http2_streams, who_reads_slowly_gets_all_of_many_answers) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .write_timeout = 5s});
    serving.get("/", [](response& out) { out.body(std::string(100'000, 'x')); });
    serving.start();
    h2_client asking(serving, {.window = 1'000'000});
    std::vector<int> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(asking.ask("GET", "/"));
    std::size_t closed = 0;
    const auto all_closed = [&] {
      sleep_for(25ms);  // for 16 KiB at most: much longer than the bound for all of them
      while (closed < ids.size() && asking.now(ids[closed]).is_closed) ++closed;
      return closed == ids.size();
    };
    asking.drive_until(all_closed);
    for (const int id : ids) EXPECT_EQ(asking.now(id).body.size(), 100'000u);
    serving.stop();
  });
}

TEST(http2_streams, answers_take_turns) {
  run([] {
    server serving(on_any_port());
    serving.get("/", [](response& out) { out.body(std::string(2'000'000, 'x')); });
    serving.start();
    h2_client asking(serving, {.window = 4'000'000});
    const int first = asking.ask("GET", "/"), second = asking.ask("GET", "/");
    asking.wait(first);
    EXPECT_GT(asking.now(second).body.size(), 1'500'000u);
    EXPECT_EQ(asking.wait(second).body.size(), 2'000'000u);
    serving.stop();
  });
}

TEST(http2_streams, a_body_that_does_not_come_is_not_waited_for) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .body_timeout = 50ms});
    serving.post("/whole", [](request& in) { return std::string(in.body()); });
    serving.post("/pieces",
                 [](request& in) {
                   while (!in.read_body().empty()) {
                   }
                 },
                 {.streams_body = true});
    serving.start();
    h2_client asking(serving);
    for (const char* const path : {"/whole", "/pieces"}) {
      const int id = asking.ask("POST", path, {}, "some", true);
      EXPECT_EQ(asking.wait(id).status, 408) << path;
    }
    serving.stop();
  });
}

TEST(http2_streams, a_body_that_is_too_large_is_refused_before_it_is_here) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .limits = {.body_bytes_max = 1000}});
    int calls = 0;
    serving.post("/whole", [&] { ++calls; });
    serving.post("/pieces",
                 [](request& in) {
                   while (!in.read_body().empty()) {
                   }
                 },
                 {.streams_body = true});
    serving.start();
    h2_client asking(serving);
    for (const char* const path : {"/whole", "/pieces"}) {
      EXPECT_EQ(
          asking.wait(asking.ask("POST", path, {{"content-length", "1001"}}, std::string(1001, 'x'))).status,
          413);
      const auto& answer = asking.wait(asking.ask("POST", path, {}, std::string(2'000'000, 'x')));
      EXPECT_EQ(answer.status, 413) << path;
      EXPECT_TRUE(answer.has_ended);
      EXPECT_EQ(answer.error, std::uint32_t{NGHTTP2_NO_ERROR});
    }
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(serving.statistics().refused_requests, 4u);
    EXPECT_EQ(serving.statistics().connections, 1u);
    serving.stop();
  });
}

TEST(http2_streams, an_answer_may_come_before_the_body_was_read) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .limits = {.body_bytes_max = 8'000'000}});
    serving.post("/", [] { return "enough"; }, {.streams_body = true});
    serving.start();
    h2_client asking(serving);
    for (int i = 0; i < 5; ++i) {
      const auto& answer = asking.wait(asking.ask("POST", "/", {}, std::string(2'000'000, 'x')));
      EXPECT_EQ(answer.body, "enough");
      EXPECT_EQ(answer.error, std::uint32_t{NGHTTP2_NO_ERROR});
    }
    serving.stop();
  });
}

TEST(http2_streams, a_request_that_is_answered_before_its_end_is_served_once) {
  run([] {
    stuffing endless;
    server serving(on_any_port());
    endless.serve_on(serving);
    int calls = 0, marks = 0;
    serving.post("/early", [&] { ++calls; }, {.streams_body = true});
    serving.get("/mark", [&] { ++marks; });
    serving.start();
    frame_client asking(serving);
    endless.stuff(asking);
    asking.get(3, with(with(good_get, ":method", "POST"), ":path", "/early"), end_headers);
    wait_until_it_is([&] { return calls == 1; });
    yield();
    asking.send({data_type, end_stream, 3, "late"});
    asking.get(5, with(good_get, ":path", "/mark"));
    wait_until_it_is([&] { return marks == 1; });
    EXPECT_EQ(calls, 1);
    endless.end();
    asking.read_all_of(5);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(serving.statistics().requests, 3u);
    serving.stop();
  });
}

TEST(http2_streams, a_thousand_at_once_over_ten_connections) {
  run([] {
    server serving(on_any_port());
    event go_on;
    std::size_t running = 0, most = 0;
    serving.get("/{n}", [&](request& in) {
      most = std::max(most, ++running);
      if (running == 1000) go_on.set();
      go_on.wait();
      --running;
      return in.param("n");
    });
    serving.start();
    std::vector<fiber<void>> clients;
    for (int c = 0; c < 10; ++c) {
      clients.push_back(go([&, c] {
        h2_client asking(serving);
        std::vector<int> ids;
        for (int i = 0; i < 100; ++i) ids.push_back(asking.ask("GET", "/" + std::to_string(c * 100 + i)));
        for (int i = 0; i < 100; ++i)
          EXPECT_EQ(asking.wait(ids[static_cast<std::size_t>(i)]).body, std::to_string(c * 100 + i));
      }));
    }
    for (auto& one : clients) one.join();
    EXPECT_EQ(most, 1000u);
    EXPECT_EQ(serving.statistics().requests, 1000u);
    serving.stop();
  });
}

TEST(http2_streams, several_loops_serve) {
  run(
      [] {
        server serving({.listen = "127.0.0.1:0", .threads = 0});
        std::atomic<int> calls{0};
        serving.post("/", [&](request& in, response& out) {
          ++calls;
          out.write(in.body());
          out.write("!");
        });
        serving.start();
        std::vector<fiber<void>> clients;
        for (int c = 0; c < 8; ++c) {
          clients.push_back(go([&] {
            h2_client asking(serving);
            for (int round = 0; round < 5; ++round) {
              std::vector<int> ids;
              for (int i = 0; i < 20; ++i) ids.push_back(asking.ask("POST", "/", {}, std::string(5000, 'x')));
              for (const int id : ids) EXPECT_EQ(asking.wait(id).body.size(), 5001u);
            }
          }));
        }
        for (auto& one : clients) one.join();
        EXPECT_EQ(calls.load(), 800);
        serving.stop();
      },
      {.threads = 4});
}

TEST(http2_streams, handlers_may_use_other_loops_and_threads) {
  run(
      [] {
        server serving({.listen = "127.0.0.1:0", .threads = 1});
        thread_pool pool({.threads = 2});
        const std::vector<executor> loops = loop_executors();
        std::atomic<int> turn{0};
        const auto elsewhere = [&](auto&& work) {
          const auto at = static_cast<std::size_t>(turn++);
          const executor to = at % 3 == 2 ? executor(pool) : loops[at % loops.size()];
          to.submit(std::ref(work)).get();
        };
        serving.post("/pieces",
                     [&](request& in, response& out) {
                       out.trailer("x-end", "1");
                       for (bool is_over = false; !is_over;) {
                         elsewhere([&] {
                           const std::string_view piece = in.read_body();
                           if (piece.empty()) {
                             is_over = true;
                             out.write("!");
                           } else {
                             out.write(piece);
                           }
                         });
                       }
                       elsewhere([&] { EXPECT_EQ(in.trailer("x-asked"), "yes"); });
                     },
                     {.streams_body = true});
        serving.post("/whole", [&](request& in, response& out) {
          elsewhere([&] { out.body(std::string(in.body()) + "!"); });
        });
        serving.start();
        std::vector<fiber<void>> clients;
        for (int c = 0; c < 4; ++c) {
          clients.push_back(go([&] {
            h2_client asking(serving);
            for (int round = 0; round < 3; ++round) {
              std::vector<int> ids;
              const std::string text = pattern_of(150'000);
              for (int i = 0; i < 10; ++i) {
                const int id = asking.ask("POST", i % 2 == 0 ? "/pieces" : "/whole", {}, text, true);
                asking.end(id, {{"x-asked", "yes"}});
                ids.push_back(id);
              }
              for (const int id : ids) EXPECT_TRUE(asking.wait(id).body == text + "!");
            }
          }));
        }
        for (auto& one : clients) one.join();
        serving.stop();
      },
      {.threads = 3});
}

TEST(http2_streams, what_waits_on_another_loop_ends_with_its_client) {
  run(
      [] {
        server serving({.listen = "127.0.0.1:0", .threads = 1});
        const executor other = loop_executors().back();
        std::atomic<int> ended{0};
        event begun;
        serving.get("/", [&](response& out) {
          struct at_end {
            std::atomic<int>& count;
            ~at_end() { ++count; }
          } const here{ended};
          out.write("begun");
          auto writing = other.submit([&] {
            begun.set();
            out.write(std::string(10'000'000, 'x'));
          });
          shield([&] { writing.wait(); });
          writing.get();
        });
        serving.start();
        h2_client asking(serving);
        const int id = asking.ask("GET", "/");
        asking.drive_until([&] { return !asking.now(id).body.empty(); });
        begun.wait();
        asking.reset(id);
        asking.send();
        wait_until_it_is([&] { return ended == 1; });
        EXPECT_EQ(asking.get("/none").status, 404);
        serving.stop();
      },
      {.threads = 2});
}

}  // namespace
}  // namespace weft::http
