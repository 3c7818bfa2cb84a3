// The account of the bodies that one connection gathers.
#include "http/h2/gathered_bodies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace weft::http::detail::h2 {
namespace {

/// Lets all on that may; which those are.
std::vector<stream_id> let_on(gathered_bodies& all) {
  std::vector<stream_id> ids;
  while (const auto next = all.let_on()) ids.push_back(next->id);
  return ids;
}

/// Refuses all that are too many; which those are.
std::vector<stream_id> refuse(gathered_bodies& all) {
  std::vector<stream_id> ids;
  while (const auto id = all.one_too_many()) {
    all.forget(*id);
    ids.push_back(*id);
  }
  return ids;
}

using ids = std::vector<stream_id>;

TEST(http2_gathered_bodies, what_is_not_gathered_gets_its_window_back) {
  gathered_bodies all(100, 10);
  EXPECT_EQ(all.came(1, 7), 7u);
  EXPECT_EQ(all.bytes(), 0u);
}

TEST(http2_gathered_bodies, a_body_of_one_window_asks_for_nothing) {
  gathered_bodies all(100, 10);
  all.begin(1, 10);
  EXPECT_EQ(all.came(1, 10), 0u);
  EXPECT_EQ(let_on(all), ids{});
  EXPECT_FALSE(all.waits(1));
  EXPECT_EQ(all.bytes(), 10u);
}

TEST(http2_gathered_bodies, one_goes_on_from_half_a_window_on) {
  gathered_bodies all(100, 10);
  all.begin(1, 50);
  EXPECT_EQ(all.came(1, 4), 0u);
  EXPECT_FALSE(all.let_on());
  EXPECT_EQ(all.came(1, 1), 0u);
  const auto next = all.let_on();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->id, 1);
  EXPECT_EQ(next->bytes, 5u);
  EXPECT_FALSE(next->has_waited);
  EXPECT_EQ(all.came(1, 20), 20u);
  EXPECT_FALSE(all.let_on());
}

TEST(http2_gathered_bodies, who_has_no_room_waits_until_there_is_some) {
  gathered_bodies all(100, 10);
  all.begin(1, 60);
  all.begin(3, 60);
  all.came(1, 10);
  all.came(3, 10);
  EXPECT_EQ(let_on(all), ids{1});
  EXPECT_TRUE(all.waits(3));
  all.came(1, 30);
  EXPECT_EQ(let_on(all), ids{});
  all.whole(1);  // 40, it has turned out
  const auto next = all.let_on();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->id, 3);
  EXPECT_TRUE(next->has_waited);
  EXPECT_FALSE(all.waits(3));
}

TEST(http2_gathered_bodies, they_go_on_in_the_order_in_which_they_began) {
  gathered_bodies all(100, 10);
  for (const stream_id id : {1, 3, 5}) all.begin(id, id == 3 ? 95 : 40);
  all.came(1, 10);
  EXPECT_EQ(let_on(all), ids{1});
  all.came(5, 10);
  all.came(3, 10);
  EXPECT_EQ(let_on(all), ids{});  // 5 would have room, but 3 was first
  all.forget(1);
  EXPECT_EQ(let_on(all), ids{3});
  all.forget(3);
  EXPECT_EQ(let_on(all), ids{5});
}

TEST(http2_gathered_bodies, one_that_is_larger_than_the_bound_is_taken) {
  gathered_bodies all(100, 10);
  all.begin(1, 50);
  all.came(1, 50);
  all.whole(1);
  all.begin(3, 1000);
  all.came(3, 10);
  EXPECT_EQ(let_on(all), ids{3});
  all.came(3, 990);
  EXPECT_EQ(refuse(all), ids{});
  all.whole(3);
  all.begin(5, 50);
  all.came(5, 10);
  EXPECT_EQ(refuse(all), ids{});
}

TEST(http2_gathered_bodies, only_one_is_beyond_the_bound) {
  gathered_bodies all(100, 10);
  for (const stream_id id : {1, 3, 5}) {
    all.begin(id, 1000);
    all.came(id, 10);
  }
  EXPECT_EQ(let_on(all), ids{1});
  all.came(1, 990);
  all.whole(1);
  EXPECT_EQ(let_on(all), ids{});
  all.forget(1);
  EXPECT_EQ(let_on(all), ids{3});
}

TEST(http2_gathered_bodies, first_windows_that_fill_the_bound_keep_nobody_out) {
  gathered_bodies all(100, 10);
  for (stream_id id = 1; id < 40; id += 2) {
    all.begin(id, 50);
    if (id < 20) all.came(id, 10);
  }
  EXPECT_EQ(let_on(all), ids{1});
}

TEST(http2_gathered_bodies, the_newest_are_refused_when_too_much_came) {
  gathered_bodies all(100, 30);
  for (const stream_id id : {1, 3, 5, 7, 9}) {
    all.begin(id, 30);
    all.came(id, 30);
    EXPECT_EQ(refuse(all), id < 9 ? ids{} : ids{9});  // the oldest is the one beyond
  }
  EXPECT_EQ(all.bytes(), 120u);
  all.came(7, 5);
  EXPECT_EQ(refuse(all), ids{});
}

TEST(http2_gathered_bodies, what_handlers_keep_is_not_refused) {
  gathered_bodies all(100, 60);
  for (const stream_id id : {1, 3}) {
    all.begin(id, 60);
    all.came(id, 60);
    EXPECT_EQ(refuse(all), ids{});
    all.whole(id);
  }
  all.begin(7, 60);
  all.came(7, 60);
  EXPECT_EQ(refuse(all), ids{7});
}

TEST(http2_gathered_bodies, a_bound_of_nothing_takes_one_after_the_other) {
  gathered_bodies all(0, 10);
  all.begin(1, 10);
  all.begin(3, 10);
  all.came(1, 10);
  EXPECT_EQ(refuse(all), ids{});
  all.came(3, 1);
  EXPECT_EQ(refuse(all), ids{3});
  all.forget(1);
  all.begin(5, 10);
  all.came(5, 10);
  EXPECT_EQ(refuse(all), ids{});
}

TEST(http2_gathered_bodies, bounds_without_end_do_not_overflow) {
  gathered_bodies all(SIZE_MAX, 10);
  for (const stream_id id : {1, 3, 5}) all.begin(id, UINT64_MAX);
  all.came(1, 10);
  all.came(3, 10);
  EXPECT_EQ(let_on(all), ids{1});
  all.forget(1);
  EXPECT_EQ(let_on(all), ids{3});
}

/// Clients that send what their windows allow, in any order, and ask again where they are refused; handlers
/// that end in any order.
class course {
 public:
  course(std::uint32_t seed, std::size_t bytes_max, std::size_t window)
      : state_(seed), bytes_max_(bytes_max), window_(window), all_(bytes_max, window) {}

  void run() {
    while (to_ask_ > 0 || !asked_.empty()) {
      const bool may_ask = to_ask_ > 0 && asked_.size() < 20;
      if ((may_ask && next() % 4 == 0) || (!step() && may_ask)) ask();
      ASSERT_FALSE(is_stuck_) << "nobody may send, and no handler runs";
      ASSERT_LE(all_.bytes(), bytes_max_ + largest_);
    }
    EXPECT_EQ(all_.bytes(), 0u);
    EXPECT_EQ(answered_, 200u);
  }

 private:
  struct asked {
    std::size_t bytes, window, came = 0;
    bool is_whole = false;
  };
  std::uint32_t next() { return state_ = state_ * 1664525 + 1013904223, state_ >> 8; }
  void ask() {
    --to_ask_;
    const std::size_t bytes = 1 + next() % 300;
    largest_ = std::max(largest_, std::size_t{300});
    all_.begin(++last_ * 2 - 1, next() % 2 == 0 ? bytes : 300);
    asked_[last_ * 2 - 1] = {.bytes = bytes, .window = window_};
  }
  void settle() {
    while (const auto id = all_.one_too_many()) {
      ASSERT_FALSE(asked_.at(*id).is_whole);
      all_.forget(*id);
      asked_.erase(*id);
      ++to_ask_;
    }
    while (const auto one = all_.let_on()) asked_.at(one->id).window += one->bytes;
  }
  /// False: there is nothing to do but to ask for more.
  bool step() {
    std::vector<stream_id> able;
    for (const auto& [id, one] : asked_) {
      if (one.is_whole || one.window > 0) able.push_back(id);
    }
    is_stuck_ = able.empty() && !asked_.empty();
    if (able.empty()) return false;
    const stream_id id = able[next() % able.size()];
    asked& one = asked_.at(id);
    if (one.is_whole) {
      all_.forget(id);
      asked_.erase(id);
      ++answered_;
    } else {
      const std::size_t piece = std::min({one.window, one.bytes - one.came, std::size_t{1} + next() % 20});
      one.came += piece;
      one.window = one.window - piece + all_.came(id, piece);
      settle();
      if (const auto found = asked_.find(id); found != asked_.end()) {
        found->second.is_whole = found->second.came == found->second.bytes;
        if (found->second.is_whole) all_.whole(id);
      }
    }
    settle();
    return true;
  }

  std::uint32_t state_;
  std::size_t bytes_max_, window_;
  gathered_bodies all_;
  std::map<stream_id, asked> asked_;
  stream_id last_ = 0;
  std::size_t to_ask_ = 200, answered_ = 0, largest_ = 0;
  bool is_stuck_ = false;
};

TEST(http2_gathered_bodies, any_course_keeps_the_bound_and_comes_to_its_end) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    for (const std::size_t bytes_max : {0, 100, 500, 5000}) {
      for (const std::size_t window : {3, 30, 400}) {
        course(seed, bytes_max, window).run();
        if (testing::Test::HasFailure()) FAIL() << seed << ", " << bytes_max << ", " << window;
      }
    }
  }
}

}  // namespace
}  // namespace weft::http::detail::h2
