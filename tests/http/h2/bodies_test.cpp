// Many bodies at once, over HTTP/2, of requests whose handlers do not stream them.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>

#include "http/h2/frame_client.hpp"
#include "http/h2/h2_client.hpp"
#include "http/raw_client.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

/// Answers with the length of what came; POST /hold once go_on is set.
struct bodies_site {
  explicit bodies_site(http2_options how, std::size_t body_bytes_max = 1024 * 1024)
      : serving({.listen = "127.0.0.1:0", .limits = {.body_bytes_max = body_bytes_max}, .http2 = how}) {
    serving.post("/", [](request& in) { return std::to_string(in.body().size()); });
    serving.post("/late", [](request& in) { return std::to_string(in.body().size()); }, {.body_timeout = 3s});
    serving.post("/hold",
                 [this](request& in) {
                   ++holding;
                   go_on.wait();
                   return std::to_string(in.body().size());
                 },
                 {.handler_timeout = 0ms, .ends_with_client = false});
    serving.get("/mark", [] { return "here"; });
    serving.start();
  }
  ~bodies_site() { serving.stop(); }
  server serving;
  event go_on;
  int holding = 0;
};

/// Until the server lets the client send no more of these; how much of them was sent.
std::size_t send_what_it_may(h2_client& with, const std::vector<int>& ids, std::size_t bytes_each) {
  const auto sent = [&] {
    std::size_t sum = 0;
    for (const int id : ids) sum += bytes_each - with.unsent(id);
    return sum;
  };
  // What came before a request has been looked at when its answer comes.
  std::size_t before = 0;
  do {
    before = sent();
    with.get("/mark");
    with.get("/mark");
  } while (sent() != before);
  return before;
}

TEST(http2_bodies, a_hundred_at_once_are_all_taken) {
  run([] {
    bodies_site here({});
    h2_client asking(here.serving);
    const std::string body(512 * 1024, 'x');
    std::vector<int> ids;
    for (int i = 0; i < 100; ++i) ids.push_back(asking.ask("POST", "/", {}, body));
    for (const int id : ids) EXPECT_EQ(asking.wait(id).body, "524288");
    EXPECT_EQ(here.serving.statistics().refused_requests, 0u);
    EXPECT_EQ(here.serving.statistics().http2_violations, 0u);
  });
}

TEST(http2_bodies, what_is_held_keeps_its_bound_while_handlers_last) {
  run([] {
    constexpr std::size_t bytes_max = 1'000'000, body_bytes = 200'000;
    for (const bool says_length : {true, false}) {
      bodies_site here({.stream_window_bytes = 16 * 1024, .gathered_bytes_max = bytes_max}, body_bytes);
      h2_client asking(here.serving);
      h2_client::fields length;
      if (says_length) length.emplace_back("content-length", std::to_string(body_bytes));
      std::vector<int> ids;
      for (int i = 0; i < 50; ++i)
        ids.push_back(asking.ask("POST", "/hold", length, std::string(body_bytes, 'x')));
      const std::size_t sent = send_what_it_may(asking, ids, body_bytes);
      EXPECT_LE(sent, bytes_max + body_bytes);
      EXPECT_GE(sent, bytes_max - body_bytes);
      EXPECT_GE(here.holding, 2);
      EXPECT_LE(here.holding, 5);
      here.go_on.set();
      for (const int id : ids) EXPECT_EQ(asking.wait(id).body, "200000");
      EXPECT_EQ(here.serving.statistics().refused_requests, 0u);
    }
  });
}

TEST(http2_bodies, who_is_refused_may_ask_again_until_it_is_served) {
  run([] {
    // The first windows alone are four times the bound.
    bodies_site here({.stream_window_bytes = 64 * 1024, .gathered_bytes_max = 500'000});
    h2_client asking(here.serving);
    const std::string body(300'000, 'x');
    std::vector<int> ids;
    for (int i = 0; i < 30; ++i) ids.push_back(asking.ask("POST", "/", {}, body));
    const int oldest = ids.front();
    std::size_t refused = 0;
    for (std::size_t at = 0; at < ids.size(); ++at) {
      const auto& answer = asking.wait(ids[at]);
      if (answer.error == refused_stream) {
        ++refused;
        EXPECT_EQ(answer.status, 0);
        ids.push_back(asking.ask("POST", "/", {}, body));
      } else {
        EXPECT_EQ(answer.body, "300000");
      }
    }
    EXPECT_EQ(ids.size(), 30 + refused);
    EXPECT_EQ(asking.now(oldest).body, "300000");
    EXPECT_EQ(here.serving.statistics().refused_requests, refused);
    EXPECT_EQ(here.serving.statistics().requests, 30u);
    EXPECT_EQ(here.serving.statistics().http2_violations, 0u);
  });
}

TEST(http2_bodies, the_oldest_gets_through_beside_greedy_ones) {
  run([] {
    bodies_site here({.stream_window_bytes = 64 * 1024, .gathered_bytes_max = 200'000});
    h2_client asking(here.serving);
    const int oldest = asking.ask("POST", "/", {}, "begin", true);
    asking.get("/mark");
    std::vector<int> greedy;
    for (int i = 0; i < 20; ++i) greedy.push_back(asking.ask("POST", "/", {}, std::string(250'000, 'x')));
    std::size_t asked_again = 0;
    for (int i = 0; i < 20; ++i) {
      asking.more(oldest, std::string(10'000, 'x'));
      asking.get("/mark");
      for (int& id : greedy) {
        if (!asking.now(id).is_closed || asking.now(id).error != refused_stream) continue;
        id = asking.ask("POST", "/", {}, std::string(250'000, 'x'));
        ++asked_again;
      }
    }
    EXPECT_GT(asked_again, 0u);
    asking.end(oldest);
    EXPECT_EQ(asking.wait(oldest).body, "200005");
    EXPECT_EQ(here.serving.statistics().http2_violations, 0u);
  });
}

TEST(http2_bodies, who_gives_up_makes_room) {
  run([] {
    bodies_site here({.stream_window_bytes = 64 * 1024, .gathered_bytes_max = 200'000}, 150'000);
    h2_client asking(here.serving);
    const int first = asking.ask("POST", "/", {}, std::string(100'000, 'x'), true);
    send_what_it_may(asking, {first}, 100'000);
    EXPECT_EQ(asking.unsent(first), 0u);
    const int second = asking.ask("POST", "/", {}, std::string(150'000, 'x'));
    EXPECT_EQ(send_what_it_may(asking, {second}, 150'000), 65'536u);
    EXPECT_FALSE(asking.now(second).is_closed);
    asking.reset(first);
    EXPECT_EQ(asking.wait(second).body, "150000");
    // Each in turn, many times the bound: nothing is left of those that were given up.
    for (int i = 0; i < 20; ++i) {
      const int given_up = asking.ask("POST", "/", {}, std::string(100'000, 'x'), true);
      send_what_it_may(asking, {given_up}, 100'000);
      ASSERT_EQ(asking.unsent(given_up), 0u) << i;
      asking.reset(given_up);
    }
    EXPECT_EQ(here.serving.statistics().refused_requests, 0u);
  });
}

TEST(http2_bodies, a_connection_that_ends_leaves_nothing) {
  run([] {
    bodies_site here({.stream_window_bytes = 64 * 1024, .gathered_bytes_max = 200'000}, 150'000);
    for (int round = 0; round < 5; ++round) {
      h2_client asking(here.serving);
      std::vector<int> ids;
      for (int i = 0; i < 3; ++i)
        ids.push_back(asking.ask("POST", i == 0 ? "/hold" : "/", {}, std::string(140'000, 'x'), i != 0));
      send_what_it_may(asking, ids, 140'000);
    }
    here.go_on.set();
    wait_until_it_is([&] { return here.serving.statistics().connections == 0; });
    h2_client asking(here.serving);
    EXPECT_EQ(asking.wait(asking.ask("POST", "/", {}, std::string(150'000, 'x'))).body, "150000");
  });
}

TEST(http2_bodies, who_waited_for_this_side_in_vain_may_ask_again) {
  run([] {
    bodies_site here({.stream_window_bytes = 32 * 1024, .gathered_bytes_max = 200'000}, 150'000);
    h2_client asking(here.serving);
    std::vector<int> held;
    for (int i = 0; i < 2; ++i) {
      held.push_back(asking.ask("POST", "/hold", {}, std::string(150'000, 'x')));
      asking.drive_until([&] { return asking.unsent(held.back()) == 0; });
      asking.get("/mark");
    }
    EXPECT_EQ(here.holding, 2);
    const int small = asking.ask("POST", "/late", {}, std::string(30'000, 'x'));
    EXPECT_EQ(asking.wait(small).body, "30000");
    const int large = asking.ask("POST", "/late", {}, std::string(150'000, 'x'));
    EXPECT_EQ(asking.wait(large).error, refused_stream);
    EXPECT_EQ(asking.unsent(large), 150'000u - 32 * 1024);
    const int slow = asking.ask("POST", "/late", {}, std::string(30'000, 'x'), true);
    EXPECT_EQ(asking.wait(slow).status, 408);  // it could have sent more
    here.go_on.set();
    for (const int id : held) EXPECT_EQ(asking.wait(id).body, "150000");
    EXPECT_EQ(asking.wait(asking.ask("POST", "/late", {}, std::string(150'000, 'x'))).body, "150000");
  });
}

TEST(http2_bodies, nothing_is_kept_of_what_comes_too_late) {
  run([] {
    server serving({.listen = "127.0.0.1:0", .http2 = {.stream_window_bytes = 65'535}, .body_timeout = 50ms});
    serving.post("/", [](request& in) { return std::to_string(in.body().size()); });
    serving.start();
    {
      frame_client asking(serving);
      // The answer's text waits for a window, so the stream stays.
      asking.send({settings_type, 0, 0, number(4, 2) + number(0, 4)});
      asking.send({headers_type, end_headers, 1, packed(with(good_get, ":method", "POST"))});
      EXPECT_EQ(asking.read_until(headers_type).flags & end_stream, 0);  // 408
      // More than half of the window, from where on it is handed back to who may send on.
      for (int piece = 0; piece < 4; ++piece) asking.send({data_type, 0, 1, std::string(10'000, 'x')});
      // The first PING may be answered before what was sent earlier.
      for (int ping = 0; ping < 2; ++ping) {
        asking.send({ping_type, 0, 0, "12345678"});
        for (frame one = asking.read(); one.type != ping_type; one = asking.read())
          EXPECT_FALSE(one.type == window_type && one.stream == 1) << "it may send on";
      }
    }
    serving.stop();
  });
}

TEST(http2_bodies, bounds_of_one_body_hold_beside) {
  run([] {
    bodies_site here({.gathered_bytes_max = 1000}, 5000);
    h2_client asking(here.serving);
    EXPECT_EQ(asking.wait(asking.ask("POST", "/", {}, std::string(5000, 'x'))).body, "5000");
    EXPECT_EQ(asking.wait(asking.ask("POST", "/", {}, std::string(5001, 'x'))).status, 413);
    EXPECT_EQ(
        asking.wait(asking.ask("POST", "/", {{"content-length", "5001"}}, std::string(5001, 'x'))).status,
        413);
    EXPECT_EQ(asking.wait(asking.ask("POST", "/", {}, std::string(5000, 'x'))).body, "5000");
  });
}

TEST(http2_bodies, who_is_refused_without_end_is_ended) {
  run([] {
    bodies_site here({.gathered_bytes_max = 1000, .control_frames_max = 20});
    frame_client asking(here.serving);
    for (std::uint32_t id = 1; id < 81; id += 2) {
      asking.flood(bytes_of(
          {headers_type, end_headers, id, packed(with(with(good_get, ":method", "POST"), ":path", "/"))}));
      asking.flood(bytes_of({data_type, 0, id, std::string(2000, 'x')}));
    }
    EXPECT_EQ(asking.read_go_away(), enhance_your_calm);
    asking.read_to_end();
    EXPECT_EQ(here.serving.statistics().http2_violations, 1u);
  });
}

}  // namespace
}  // namespace weft::http
