#include <weft/fiber/once.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/lazy.hpp>

#include "fiber/lock_helpers.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

class once_tasks : public testing::TestWithParam<crew::kind> {};

TEST_P(once_tasks, one_initialises_and_the_others_wait_for_it) {
  weft::run([] {
    weft::once flag;
    weft::event go_on;
    int value = 0;  // written by the initialiser
    std::atomic<int> calls{0};
    crew all(GetParam());
    for (int i = 0; i < 6; ++i) {
      all.start([&] {
        flag.call([&] {
          ++calls;
          go_on.wait();
          value = 7;
        });
        EXPECT_EQ(value, 7);
      });
    }
    until([&] { return calls == 1; });
    EXPECT_FALSE(flag.done());
    go_on.set();
    all.join();
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(flag.done());
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, once_tasks, kinds_of_crew(), kind_name());

TEST(once, passes_arguments_and_does_nothing_when_it_is_done) {
  weft::once flag;
  std::string text;
  weft::call_once(
      flag, [&](std::string value) { text = std::move(value); }, "first");
  weft::call_once(
      flag, [&](std::string value) { text = std::move(value); }, "second");
  EXPECT_EQ(text, "first");
}

TEST(once, an_exception_lets_the_one_that_waits_longest_try) {
  weft::run([] {
    weft::once flag;
    std::string tries;
    auto first = weft::go([&] {
      flag.call([&] {
        weft::yield();
        weft::yield();
        tries += 'a';
        throw std::runtime_error("no");
      });
    });
    auto second = weft::go([&] { flag.call([&] { tries += 'b'; }); });
    auto third = weft::go([&] { flag.call([&] { tries += 'c'; }); });
    EXPECT_THROW(first.join(), std::runtime_error);
    second.join();
    third.join();
    EXPECT_EQ(tries, "ab");
  });
}

TEST(once, a_waiter_that_is_cancelled_leaves_it_fine) {
  weft::run([] {
    weft::once flag;
    weft::event go_on;
    auto runs = weft::go([&] { flag.call([&] { go_on.wait(); }); });
    weft::yield();
    auto waits = weft::go([&] { flag.call([] { ADD_FAILURE(); }); });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    go_on.set();
    runs.join();
    EXPECT_TRUE(flag.done());
  });
}

TEST(once, an_initialiser_that_is_cancelled_leaves_it_to_the_next) {
  weft::run([] {
    weft::once flag;
    weft::event never;
    bool ran = false;
    auto runs = weft::go([&] { flag.call([&] { never.wait(); }); });
    until_waiting(never, 1);
    auto waits = weft::go([&] { flag.call([&] { ran = true; }); });
    weft::yield();
    runs.cancel();
    EXPECT_THROW(runs.join(), weft::cancelled);
    waits.join();
    EXPECT_TRUE(ran);
  });
}

TEST(once, a_call_from_within_the_initialiser_is_misuse_and_not_a_hang) {
  weft::run([] {
    weft::once flag;
    try {
      flag.call([&] { flag.call([] {}); });
      FAIL() << "no error";
    } catch (const weft::error& error) {
      EXPECT_EQ(error.code(), weft::errc::misuse);
      EXPECT_NE(std::string(error.what()).find("from within the initialiser"), std::string::npos)
          << error.what();
    }
    bool ran = false;
    flag.call([&] { ran = true; });
    EXPECT_TRUE(ran);
  });
}

TEST(once, runs_once_among_a_thousand_fibers_and_four_threads) {
  const int flags_count = sanitized ? 5 : 50;
  const auto flags = std::make_unique<weft::once[]>(static_cast<std::size_t>(flags_count));
  std::atomic<int> runs{0};
  std::atomic<int> failures{0};
  on_fibers_and_threads(1'000, 4, [&] {
    for (int i = 0; i < flags_count; ++i) {
      try {
        flags[static_cast<std::size_t>(i)].call([&] {
          if (weft::this_fiber::in_fiber()) weft::yield();
          if (failures++ % 2 == 0) throw std::runtime_error("every second one");
          ++runs;
        });
      } catch (const std::runtime_error&) {
      }
    }
  });
  EXPECT_EQ(runs, flags_count);
}

TEST(lazy, is_made_when_it_is_first_asked_for) {
  weft::run([] {
    int made = 0;
    weft::lazy<std::string> text([&] {
      weft::yield();
      ++made;
      return std::string("made");
    });
    EXPECT_FALSE(text.made());
    EXPECT_EQ(made, 0);
    auto one = weft::go([&] { return *text; });
    auto other = weft::go([&] { return text->size(); });
    EXPECT_EQ(one.join(), "made");
    EXPECT_EQ(other.join(), 4U);
    EXPECT_EQ(&text.get(), &std::as_const(text).get());
    EXPECT_EQ(made, 1);
  });
}

TEST(lazy, gives_up_what_made_it_and_tries_again_after_an_exception) {
  auto ticket = std::make_shared<int>(0);
  weft::lazy<int> number([ticket] {
    if (++*ticket == 1) throw std::runtime_error("the first time");
    return *ticket;
  });
  EXPECT_THROW(number.get(), std::runtime_error);
  EXPECT_FALSE(number.made());
  EXPECT_EQ(ticket.use_count(), 2);
  EXPECT_EQ(number.get(), 2);
  EXPECT_EQ(ticket.use_count(), 1);
}

constexpr weft::key_spec user_spec{.name = "test.lazy_user"};
const weft::key<int> user{user_spec};

TEST(lazy, is_made_in_the_root_context_whoever_asks_first) {
  weft::run([] {
    weft::lazy<int> made([] {
      EXPECT_FALSE(weft::deadline().has_value());
      return user.value_or(0) + weft::go([] { return user.value_or(0); }).join();
    });
    const weft::scoped_value asks(user, 7);
    weft::with_timeout(1h, [&] { EXPECT_EQ(*made, 0); });
    EXPECT_EQ(user.require(), 7);
  });
}

TEST(lazy, that_asks_for_itself_is_misuse) {
  weft::lazy<int>* self = nullptr;
  weft::lazy<int> number([&] { return self->get() + 1; });
  self = &number;
  EXPECT_THROW(number.get(), weft::error);
}

}  // namespace
