#include <weft/fiber/fiber_local.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/defer.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

weft::fiber_local<int> number;
weft::fiber_local<std::string> greeting([] { return std::string("hello"); });

std::string ended;  // what ended, in order

template <char Letter>
struct noted {
  ~noted() { ended += Letter; }
};
weft::fiber_local<noted<'a'>> first;
weft::fiber_local<noted<'b'>> second;

TEST(fiber_local, is_one_for_each_fiber_and_not_inherited) {
  weft::run([] {
    *number = 1;
    auto child = weft::go([] {
      EXPECT_EQ(number.find(), nullptr);
      EXPECT_EQ(*number, 0);
      *number = 2;
      weft::yield();
      return *number;
    });
    weft::yield();
    EXPECT_EQ(*number, 1);
    EXPECT_EQ(child.join(), 2);
    EXPECT_EQ(*number, 1);
  });
}

TEST(fiber_local, is_made_at_first_use_by_its_maker) {
  weft::run([] {
    EXPECT_EQ(greeting.find(), nullptr);
    EXPECT_EQ(greeting->size(), 5U);
    ASSERT_NE(greeting.find(), nullptr);
    EXPECT_EQ(*greeting.find(), "hello");
  });
}

TEST(fiber_local, ends_after_the_deferred_calls_last_made_first) {
  ended.clear();
  weft::run([] {
    auto one = weft::go([] {
      first.get();
      second.get();
      weft::defer([] { ended += 'd'; });
    });
    one.join();
    EXPECT_EQ(ended, "dba");
  });
}

TEST(fiber_local, made_in_a_deferred_call_ends_too) {
  ended.clear();
  weft::run([] {
    weft::defer([] { second.get(); });
    first.get();
  });
  EXPECT_EQ(ended, "ba");
}

TEST(fiber_local, of_fibers_that_use_the_same_stack_one_after_the_other_are_apart) {
  weft::run([] {
    std::vector<weft::fiber<int>> all;
    for (int i = 0; i < 20; ++i) all.push_back(weft::go([] { return ++*number; }));
    for (auto& one : all) EXPECT_EQ(one.join(), 1);
  });
}

bool waited = false;
struct waits_at_its_end {
  ~waits_at_its_end() {
    weft::sleep_for(1ms);
    weft::checkpoint();  // shielded
    waited = true;
  }
};
weft::fiber_local<waits_at_its_end> slow;

TEST(fiber_local, may_wait_in_its_destructor_also_when_the_fiber_was_cancelled) {
  waited = false;
  weft::run([] {
    auto one = weft::go([] {
      slow.get();
      weft::sleep_for(1h);
    });
    weft::yield();
    one.cancel();
    EXPECT_THROW(one.join(), weft::cancelled);
    EXPECT_TRUE(waited);
  });
}

struct uses_another {
  ~uses_another() { seen = second.find() != nullptr ? "there" : "gone"; }
  static inline std::string seen;
};
weft::fiber_local<uses_another> user_of_another;

TEST(fiber_local, finds_in_its_destructor_what_was_made_before_it) {
  ended.clear();
  weft::run([] {
    second.get();
    user_of_another.get();
  });
  EXPECT_EQ(uses_another::seen, "there");
  EXPECT_EQ(ended, "b");
}

struct makes_another {
  ~makes_another() { second.get(); }
};
weft::fiber_local<makes_another> maker_of_another;

TEST(fiber_local, made_by_the_destructor_of_another_ends_as_well) {
  ended.clear();
  weft::run([] {
    first.get();
    maker_of_another.get();
    second.get();
  });
  EXPECT_EQ(ended, "bba");  // once as it was, once as it was made anew
}

int tries = 0;
weft::fiber_local<int> fails_at_first([] {
  if (++tries == 1) throw std::runtime_error("not yet");
  return 4;
});

TEST(fiber_local, whose_maker_throws_is_made_by_the_next_use) {
  tries = 0;
  weft::run([] {
    EXPECT_THROW(fails_at_first.get(), std::runtime_error);
    EXPECT_EQ(fails_at_first.find(), nullptr);
    EXPECT_EQ(*fails_at_first, 4);
  });
}

weft::fiber_local<int> waits_for_itself([] {
  weft::sleep_for(1ms);
  return 6;
});

TEST(fiber_local, may_wait_while_it_is_made) {
  weft::run([] {
    auto one = weft::go([] { return *waits_for_itself; });
    auto two = weft::go([] { return *waits_for_itself; });
    EXPECT_EQ(one.join() + two.join(), 12);
  });
}

TEST(fiber_local, of_a_plain_thread_is_its_own_and_ends_with_it) {
  ended.clear();
  *number = 11;
  std::thread([] {
    EXPECT_EQ(*number, 0);
    first.get();
    second.get();
  }).join();
  EXPECT_EQ(ended, "ba");
  EXPECT_EQ(*number, 11);
  weft::run([] { EXPECT_EQ(*number, 0); });
  EXPECT_EQ(*number, 11);
}

TEST(fiber_local, of_many_kinds_are_found_each) {
  static weft::fiber_local<std::size_t> many[200];
  weft::run([] {
    for (std::size_t i = 0; i < 200; ++i) *many[i] = i;
    for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(*many[i], i);
  });
}

}  // namespace
