// Very many clients that are slow on purpose, and one that is not.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>

#include "http/raw_client.hpp"
#include "support/memory.hpp"
#include "support/sanitized.hpp"
#include "support/slow_clients.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;
using weft_test::slow_clients;

/// With all limits at `limit`.
server_options bounded_by(std::chrono::milliseconds limit) {
  return {.listen = "127.0.0.1:0",
          .head_timeout = limit,
          .body_timeout = limit,
          .idle_timeout = limit,
          .write_timeout = limit};
}

void add_routes(server& to) {
  to.get("/good", [] { return "served"; });
  to.post("/slow", [] {});
  to.get("/large",
         [](response& out) {
           const std::string piece(16 * 1024, 'x');
           while (true) out.write(piece);  // until the client has gone
         },
         {.handler_timeout = 0ms});
}

TEST(http_slow_clients, two_thousand_neither_hold_up_a_good_one_nor_take_much_memory) {
  constexpr std::size_t count = 2000;
  constexpr auto limit = 10min;
  const std::size_t before = resident_bytes();
  run([&] {
    server serving(bounded_by(limit));
    add_routes(serving);
    serving.start();
    {
      slow_clients slow(serving.address().port(), count, 500ms);
      while (serving.statistics().connections < count || slow.rounds() < 2) {
        ASSERT_EQ(slow.failed(), 0u);
        sleep_for(5ms);
      }
      client asking(serving.url());
      std::vector<steady_clock::duration> took;
      for (int i = 0; i < 300; ++i) {
        const auto begin = steady_clock::now();
        EXPECT_EQ(asking.get("/good").body(), "served");
        took.push_back(steady_clock::now() - begin);
      }
      EXPECT_EQ(asking.statistics().connections, 1u);
      std::sort(took.begin(), took.end());
      EXPECT_LT(took[took.size() * 99 / 100], 5s);  // ./dev bench http says what it is
      EXPECT_EQ(slow.ended(), 0u);
      EXPECT_EQ(serving.statistics().connections, count + 1);
      const std::size_t each = (resident_bytes() - before) / count;
      RecordProperty("bytes_per_client", std::to_string(each));
      if (!sanitized) {  // their own memory is most of it
        EXPECT_LT(each, 48u * 1024);
      }
    }
    serving.stop(0ms);
  });
}

TEST(http_slow_clients, all_are_ended_by_the_limits) {
  constexpr std::size_t count = 200;
  run([&] {
    server serving(bounded_by(1s));
    add_routes(serving);
    serving.start();
    {
      slow_clients slow(serving.address().port(), count, 100ms);
      while (serving.statistics().connections_total < count || slow.rounds() == 0) sleep_for(5ms);
      EXPECT_EQ(client(serving.url()).get("/good").body(), "served");
      while (serving.statistics().connections > 0) sleep_for(5ms);
      EXPECT_EQ(slow.failed(), 0u);
    }
    EXPECT_EQ(client(serving.url()).get("/good").body(), "served");
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
