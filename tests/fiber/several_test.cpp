// map_limited, for_each_limited, all_of and first_of.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/all_of.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/first_of.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

TEST(map_limited, gives_values_in_the_order_of_the_range_whoever_ends_first) {
  weft::run([] {
    const std::vector<int> input{5, 1, 4, 2, 3};
    const auto doubled = weft::map_limited(input, 3, [](int n) {
      weft::sleep_for(std::chrono::milliseconds(n));
      return n * 2;
    });
    EXPECT_EQ(doubled, (std::vector<int>{10, 2, 8, 4, 6}));
  });
}

TEST(map_limited, runs_at_most_its_width_at_once) {
  weft::run([] {
    int now = 0;
    int most = 0;
    std::vector<int> input(20);
    weft::for_each_limited(input, 4, [&](int& element) {
      most = std::max(most, ++now);
      weft::sleep_for(1ms);
      --now;
      element = 1;  // by reference
    });
    EXPECT_EQ(most, 4);
    EXPECT_EQ(input, std::vector<int>(20, 1));
  });
}

TEST(map_limited, keeps_the_keys_of_maps) {
  weft::run([] {
    const std::map<std::string, int> ordered{{"a", 1}, {"b", 2}};
    const auto values = weft::map_limited(ordered, 2, [](const auto& pair) { return pair.second + 0.5; });
    EXPECT_EQ(values, (std::map<std::string, double>{{"a", 1.5}, {"b", 2.5}}));
    std::unordered_map<int, int> hashed{{1, 10}, {2, 20}};
    EXPECT_EQ(weft::map_limited(hashed, 1, [](const auto& pair) { return pair.second / 10; }).at(2), 2);
  });
}

TEST(map_limited, takes_ranges_that_are_read_once) {
  struct words {
    std::istringstream& from;
    auto begin() { return std::istream_iterator<std::string>(from); }
    auto end() { return std::istream_iterator<std::string>(); }
  };
  weft::run([] {
    std::istringstream text("one three five");
    words range{text};
    EXPECT_EQ(weft::map_limited(range, 2, [](const std::string& word) { return word.size(); }),
              (std::vector<std::size_t>{3, 5, 4}));
    EXPECT_EQ(weft::map_limited(std::vector<bool>{true, false}, 2, [](bool flag) { return !flag; }),
              (std::vector<bool>{false, true}));
    EXPECT_TRUE(weft::map_limited(std::vector<int>{}, 2, [](int n) { return n; }).empty());
  });
}

TEST(map_limited, cancels_the_others_at_the_first_error_and_throws_it) {
  weft::run([] {
    int started = 0;
    int gave_up = 0;
    EXPECT_THROW(weft::map_limited(std::vector<int>{1, 2, 3, 4, 5, 6}, 2,
                                   [&](int n) {
                                     ++started;
                                     if (n == 2) throw std::out_of_range("two");
                                     try {
                                       weft::sleep_for(1h);
                                     } catch (const weft::cancelled&) {
                                       ++gave_up;
                                       throw;
                                     }
                                     return n;
                                   }),
                 std::out_of_range);
    EXPECT_EQ(started, 2);
    EXPECT_EQ(gave_up, 1);
    EXPECT_THROW(weft::for_each_limited(std::vector<int>{1}, 0, [](int) {}), weft::error);
  });
}

TEST(map_limited_results, keeps_each_error_with_its_element) {
  int uncaught = 0;
  weft::run(
      [] {
        const auto results = weft::map_limited_results(std::vector<int>{1, 2, 3}, 2, [](int n) {
          weft::sleep_for(1ms);
          if (n == 2) throw std::out_of_range("two");
          return std::make_unique<int>(n);
        });
        ASSERT_EQ(results.size(), 3U);
        EXPECT_EQ(*results[0].value(), 1);
        EXPECT_FALSE(results[1].has_value());
        EXPECT_EQ(*results[2].value(), 3);
      },
      {.on_uncaught = [&](const weft::uncaught_error&) { ++uncaught; }});
  EXPECT_EQ(uncaught, 0);
}

TEST(map_limited_results, lets_an_exit_through) {
  EXPECT_EQ(weft::run([] {
              std::ignore = weft::map_limited_results(std::vector<int>{1, 2}, 2, [](int n) {
                if (n == 2) weft::exit(7);
                weft::sleep_for(1h);
                return n;
              });
            }),
            7);
}

TEST(map_limited_for, gives_what_has_finished_and_leaves_nothing_running) {
  weft::run([] {
    std::size_t before = 0;
    const auto results = weft::map_limited_for(50ms, std::vector<int>{1, 2, 3, 4, 5}, 3, [](int n) {
      if (n == 2) throw std::out_of_range("two");
      if (n > 2) weft::sleep_for(1h);
      return n;
    });
    ASSERT_EQ(results.size(), 5U);
    ASSERT_TRUE(results[0].has_value());
    EXPECT_EQ(results[0]->value(), 1);
    ASSERT_TRUE(results[1].has_value());
    EXPECT_FALSE(results[1]->has_value());
    EXPECT_FALSE(results[2].has_value());
    EXPECT_FALSE(results[4].has_value());
    EXPECT_EQ(before, 0U);
    EXPECT_EQ(weft::statistics().fibers, 1U);
    EXPECT_EQ(weft::map_limited_for(1h, std::vector<int>{7}, 3, [](int n) { return n; })[0]->value(), 7);
  });
}

TEST(map_limited, works_on_several_loops) {
  weft::run(
      [] {
        std::vector<int> input(2000);
        for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<int>(i);
        const auto values = weft::map_limited(input, 16, [](int n) {
          weft::yield();
          return n + 1;
        });
        for (std::size_t i = 0; i < input.size(); ++i) EXPECT_EQ(values[i], input[i] + 1);
      },
      {.threads = 3});
}

TEST(all_of, gives_all_values_with_their_types) {
  weft::run([] {
    bool ran = false;
    const auto [number, text, nothing] = weft::all_of(
        [] {
          weft::sleep_for(2ms);
          return 1;
        },
        [] { return std::string("two"); }, [&] { ran = true; });
    EXPECT_EQ(number, 1);
    EXPECT_EQ(text, "two");
    EXPECT_TRUE(ran);
    std::ignore = nothing;
  });
}

TEST(all_of, throws_the_first_error_after_the_others_were_cancelled) {
  weft::run([] {
    bool gave_up = false;
    EXPECT_THROW(weft::all_of(
                     [&] {
                       try {
                         weft::sleep_for(1h);
                       } catch (const weft::cancelled&) {
                         gave_up = true;
                         throw;
                       }
                     },
                     [] { throw std::runtime_error("second"); }),
                 std::runtime_error);
    EXPECT_TRUE(gave_up);
  });
}

TEST(first_of, gives_the_first_value_and_cancels_the_others) {
  weft::run([] {
    bool gave_up = false;
    const int value = weft::first_of(
        [&] {
          try {
            weft::sleep_for(1h);
          } catch (const weft::cancelled&) {
            gave_up = true;
            throw;
          }
          return 1;
        },
        [] {
          weft::sleep_for(1ms);
          return 2;
        });
    EXPECT_EQ(value, 2);
    EXPECT_TRUE(gave_up);
    weft::sleep_for(1ms);  // the caller was not cancelled
  });
}

TEST(first_of, goes_by_errors_as_long_as_one_alternative_is_left) {
  weft::run([] {
    EXPECT_EQ(weft::first_of([]() -> int { throw std::runtime_error("first"); },
                             [] {
                               weft::sleep_for(1ms);
                               return 4;
                             }),
              4);
  });
}

TEST(first_of, that_all_failed_has_all_errors_in_order) {
  weft::run([] {
    try {
      weft::first_of(
          [] {
            weft::sleep_for(1ms);
            throw weft::error(weft::errc::unavailable, "primary is down");
          },
          [] { throw weft::error(weft::errc::unavailable, "replica is down"); });
      ADD_FAILURE();
    } catch (const weft::all_failed& failed) {
      ASSERT_EQ(failed.errors().size(), 2U);
      EXPECT_THROW(std::rethrow_exception(failed.errors()[0]), weft::error);
      EXPECT_EQ(failed.code(), weft::errc::unavailable);
      const std::string text = failed.what();
      EXPECT_LT(text.find("(1) primary is down"), text.find("(2) replica is down"));
    }
  });
}

TEST(first_of, takes_a_range_that_is_not_empty) {
  weft::run([] {
    std::vector<std::function<std::string()>> asks;
    EXPECT_THROW(weft::first_of(asks), weft::error);
    for (int i = 0; i < 5; ++i) {
      asks.emplace_back([i] {
        weft::sleep_for(i == 3 ? 1ms : 1h);
        return std::to_string(i);
      });
    }
    EXPECT_EQ(weft::first_of(asks), "3");
  });
}

TEST(first_of, cancelled_from_outside_gives_up_all) {
  weft::run([] {
    auto one = weft::go([] { weft::first_of([] { weft::sleep_for(1h); }, [] { weft::sleep_for(2h); }); });
    weft::yield();
    one.cancel();
    EXPECT_THROW(one.join(), weft::cancelled);
  });
}

TEST(move_on_after, tells_whether_the_work_was_cut_short) {
  weft::run([] {
    EXPECT_TRUE(weft::move_on_after(1ms, [] { weft::sleep_for(1h); }));
    EXPECT_FALSE(weft::move_on_after(1h, [] { weft::sleep_for(1ms); }));
    weft::sleep_for(1ms);
  });
}

TEST(move_on_after, leaves_an_earlier_deadline_and_cancellation_to_those_around_it) {
  weft::run([] {
    EXPECT_THROW(
        weft::with_timeout(1ms, [] { std::ignore = weft::move_on_after(1h, [] { weft::sleep_for(2h); }); }),
        weft::deadline_exceeded);
    auto one = weft::go([] { std::ignore = weft::move_on_after(1h, [] { weft::sleep_for(2h); }); });
    weft::yield();
    one.cancel();
    EXPECT_THROW(one.join(), weft::cancelled);
  });
}

}  // namespace
