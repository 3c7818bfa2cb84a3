#include <weft/net/connection_pool.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/net/listener.hpp>
#include <weft/net/stream.hpp>

#include "support/expect_error.hpp"

namespace weft::net {
namespace {

using namespace std::chrono_literals;

/// Connections with a number, and what became of them.
struct plant {
  struct connection {
    connection(plant& from, int which) : of(from), number(which) { of.open.insert(number); }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { of.open.erase(number); }
    plant& of;
    int number;
    bool well = true;
  };
  using pool = connection_pool<connection>;

  std::unique_ptr<connection> make() {
    if (refuses) throw error(errc::unavailable, "nobody there");
    return std::make_unique<connection>(*this, ++made);
  }
  auto maker() {
    return [this] { return make(); };
  }

  int made = 0;
  bool refuses = false;
  std::set<int> open;
};

TEST(connection_pool, makes_one_when_it_is_needed_and_uses_it_again) {
  run([] {
    plant from;
    plant::pool pool(from.maker(), {.connections_max = 2});
    EXPECT_EQ(from.made, 0);
    for (int n = 0; n < 3; ++n) EXPECT_EQ(pool.get()->number, 1);
    {
      auto one = pool.get();
      auto two = pool.get();
      EXPECT_EQ(two->number, 2);
      EXPECT_EQ(pool.statistics().leased, 2u);
      two.give_back();
    }
    EXPECT_EQ(pool.get()->number, 1);  // the one used last
    const auto counts = pool.statistics();
    EXPECT_EQ(counts.made, 2u);
    EXPECT_EQ(counts.reused, 4u);
    EXPECT_EQ(counts.idle, 2u);
    EXPECT_EQ(counts.leased, 0u);
  });
}

TEST(connection_pool, serves_those_that_wait_in_order) {
  run([] {
    plant from;
    plant::pool pool(from.maker(), {.connections_max = 1});
    std::vector<int> order;
    std::vector<fiber<void>> all;
    auto first = pool.get();
    for (int n = 0; n < 4; ++n) {
      all.push_back(go([&, n] {
        auto mine = pool.get();
        order.push_back(n);
        yield();
      }));
    }
    yield();
    EXPECT_EQ(pool.statistics().waiting, 4u);
    first.give_back();
    for (auto& one : all) one.join();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
    EXPECT_EQ(from.made, 1);
  });
}

TEST(connection_pool, a_wait_that_ends_early_loses_no_place) {
  run([] {
    plant from;
    plant::pool pool(from.maker(), {.name = "links", .connections_max = 1});
    auto first = pool.get();
    EXPECT_EQ(message_of(errc::timed_out, [&] { auto none = pool.get(steady_clock::now() + 5ms); }),
              "links: all 1 are in use");
    EXPECT_THROW(with_timeout(5ms, [&] { auto none = pool.get(); }), deadline_exceeded);
    auto waiting = go([&] { auto none = pool.get(); });
    yield();
    waiting.cancel();
    first.give_back();  // may meet the one that is to be cancelled
    try {
      waiting.join();
    } catch (const cancelled&) {  // or it was served first
    }
    EXPECT_EQ(pool.get(steady_clock::now() + 10s)->number, 1);
    EXPECT_EQ(pool.statistics().leased, 0u);
  });
}

TEST(connection_pool, one_that_cannot_be_made_gives_its_place_back) {
  run([] {
    plant from;
    plant::pool pool(from.maker(), {.connections_max = 1});
    from.refuses = true;
    for (int n = 0; n < 3; ++n) {
      EXPECT_EQ(message_of(errc::unavailable, [&] { auto none = pool.get(); }), "nobody there");
    }
    from.refuses = false;
    EXPECT_EQ(pool.get(steady_clock::now() + 10s)->number, 1);
    EXPECT_EQ(pool.statistics().failed, 3u);
    plant::pool empty([] { return nullptr; });
    message_of(errc::misuse, [&] { auto none = empty.get(); });
  });
}

TEST(connection_pool, a_cancelled_making_gives_its_place_back) {
  run([] {
    plant from;
    event connected;
    plant::pool pool(
        [&] {
          connected.wait();
          return from.make();
        },
        {.connections_max = 1});
    EXPECT_THROW(with_timeout(5ms, [&] { auto none = pool.get(); }), deadline_exceeded);
    connected.set();
    EXPECT_EQ(pool.get(steady_clock::now() + 10s)->number, 1);
  });
}

TEST(connection_pool, broken_ones_are_replaced) {
  run([] {
    plant from;
    plant::pool pool(from.maker(), {.connections_max = 1, .check_after = 0ms},
                     [](plant::connection& one) { return one.well; });
    auto first = pool.get();
    first.discard();
    EXPECT_FALSE(first);
    EXPECT_TRUE(from.open.empty());
    {
      auto second = pool.get();
      EXPECT_EQ(second->number, 2);
      second->well = false;
    }
    EXPECT_EQ(from.open, std::set{2});
    EXPECT_EQ(pool.get()->number, 3);  // the check found it
    EXPECT_EQ(from.open, std::set{3});
    EXPECT_EQ(pool.statistics().discarded, 2u);
  });
}

TEST(connection_pool, what_was_in_use_when_an_error_came_is_closed) {
  run([] {
    plant from;
    plant::pool pool(from.maker(), {.connections_max = 1});
    const auto fails = [&] {
      auto mine = pool.get();
      throw error(errc::malformed, "half an answer");
    };
    message_of(errc::malformed, fails);
    EXPECT_TRUE(from.open.empty());
    // A lease that was taken and given back while an error unwinds is whole.
    struct says_goodbye {
      plant::pool& pool;
      ~says_goodbye() { auto mine = pool.get(); }
    };
    try {
      const says_goodbye at_end{pool};
      throw error(errc::malformed, "another one");
    } catch (const error&) {
      EXPECT_EQ(from.open, std::set{2});
    }
  });
}

TEST(connection_pool, checks_only_what_lay_unused_for_a_while) {
  run([] {
    plant from;
    int checks = 0;
    const auto counted = [&checks](plant::connection&) -> bool {
      ++checks;
      throw error(errc::unavailable, "no answer to a ping");
    };
    plant::pool pool(from.maker(), {.check_after = 1h}, counted);
    for (int n = 0; n < 3; ++n) EXPECT_EQ(pool.get()->number, 1);
    EXPECT_EQ(checks, 0);
    plant::pool strict(from.maker(), {.check_after = 0ms}, counted);
    EXPECT_EQ(strict.get()->number, 2);
    EXPECT_EQ(strict.get()->number, 3);  // an error of the check is a no
    EXPECT_EQ(checks, 1);
  });
}

TEST(connection_pool, those_idle_too_long_or_too_old_are_closed_although_nobody_uses_it) {
  run([] {
    plant from;
    plant::pool idle(from.maker(), {.idle_max = 5ms});
    plant::pool life(from.maker(), {.idle_max = 1h, .life_max = 5ms});
    plant::pool lasting(from.maker(), {.idle_max = 1h});  // keeps no run from ending
    for (unsigned round = 1; round <= 2; ++round) {
      for (plant::pool* const one : {&idle, &life}) {
        auto first = one->get();
        auto second = one->get();
      }
      auto another = lasting.get();
      while (from.open.size() > 1) sleep_for(1ms);
      EXPECT_EQ(idle.statistics().discarded, 2u * round);
      EXPECT_EQ(life.statistics().discarded, 2u * round);
    }
  });
}

TEST(connection_pool, one_that_is_gone_is_looked_at_by_nobody) {
  run([] {
    plant from;
    {
      plant::pool pool(from.maker(), {.idle_max = 2ms});
      pool.get().give_back();
    }
    EXPECT_TRUE(from.open.empty());
    EXPECT_EQ(list_timers().size(), 0u);
    sleep_for(5ms);
  });
}

TEST(connection_pool, outlives_runs_and_is_looked_at_in_each) {
  plant from;
  plant::pool pool(from.maker(), {.idle_max = 20ms});
  run([&] { pool.get().give_back(); });
  pool.get().give_back();  // no run: the next use closes it
  run([&] {
    sleep_for(25ms);  // the look that the first run took along is overdue
    pool.get().give_back();
    while (!from.open.empty()) sleep_for(1ms);
  });
}

TEST(connection_pool, those_idle_too_long_or_too_old_are_closed_by_use) {
  run([] {
    plant from;
    plant::pool short_idle(from.maker(), {.idle_max = 1ms});
    short_idle.get().give_back();
    sleep_for(2ms);
    short_idle.trim();
    EXPECT_TRUE(from.open.empty());
    plant::pool short_life(from.maker(), {.life_max = 1ms});
    {
      auto one = short_life.get();
      sleep_for(2ms);
    }
    EXPECT_TRUE(from.open.empty());
    EXPECT_EQ(short_life.statistics().discarded, 1u);
    EXPECT_EQ(short_life.statistics().idle, 0u);
  });
}

TEST(connection_pool, close_wakes_all_that_wait_and_closes_what_comes_back) {
  run([] {
    plant from;
    auto pool = std::make_unique<plant::pool>(from.maker(), pool_options{.connections_max = 2});
    auto one = pool->get();
    pool->get().give_back();
    auto two = pool->get();
    std::vector<fiber<void>> all;
    for (int n = 0; n < 3; ++n) all.push_back(go([&] { auto none = pool->get(); }));
    yield();
    pool->close();
    for (auto& waited : all) message_of(errc::closed, [&] { waited.join(); });
    message_of(errc::closed, [&] { auto none = pool->get(); });
    one.give_back();
    EXPECT_EQ(from.open, std::set{2});
    pool.reset();
    two.give_back();  // after the pool
    EXPECT_TRUE(from.open.empty());
  });
}

TEST(connection_pool, streams_that_the_server_has_closed_are_replaced) {
  run([] {
    listener listening(endpoint::parse("127.0.0.1:0"));
    connection_pool<stream> pool(
        [&] { return std::make_unique<stream>(stream::connect(listening.address())); }, {.check_after = 0ms});
    const int first = pool.get()->local_address().port();
    stream served = listening.accept();
    EXPECT_EQ(pool.get()->local_address().port(), first);
    served.close();
    EXPECT_NE(pool.get()->local_address().port(), first);
    EXPECT_EQ(pool.statistics().discarded, 1u);
    message_of(errc::invalid_argument,
               [] { connection_pool<stream>([] { return nullptr; }, {.connections_max = 0}); });
  });
}

}  // namespace
}  // namespace weft::net
