#include <weft/context/frame.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <weft/core/unwinding.hpp>

#include "context/keys.hpp"
#include "support/expect_error.hpp"

namespace weft {
namespace {

using testing::user;

std::string text(const frame_error& problem) {
  try {
    problem.rethrow();
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// Notes the texts of errors.
frame_handler note_in(std::vector<std::string>& list, const std::string& prefix = "") {
  return [&list, prefix](const frame_error& problem) { list.push_back(prefix + text(problem)); };
}

TEST(frame, runs_its_code_with_the_context_of_where_it_was_made) {
  std::function<std::optional<std::int64_t>()> later;
  {
    const scoped_value bound(user, 1);
    later = frame([] { return user.require(); });
  }
  const scoped_value elsewhere(user, 2);
  EXPECT_EQ(later(), 1);
}

TEST(frame, hands_arguments_on_and_results_back) {
  auto add = frame([](int a, int b) { return a + b; });
  EXPECT_EQ(add(1, 2), 3);
  static_assert(std::is_void_v<decltype(frame([] {})())>);
  static_assert(is_framed<decltype(add)>);
  static_assert(!is_framed<std::function<void()>>);
}

TEST(frame, sends_errors_to_the_handler_that_was_in_force_where_it_was_made) {
  std::vector<std::string> handled;
  std::function<void()> later;
  frame_try(
      [&] {
        later = frame([] { throw std::runtime_error("late"); });
        EXPECT_TRUE(handled.empty());
      },
      note_in(handled));
  later();
  later();
  EXPECT_EQ(handled, (std::vector<std::string>{"late", "late"}));
}

TEST(frame, returns_nothing_where_the_error_was_handled) {
  std::vector<std::string> handled;
  auto one = frame([](bool fails) { return fails ? throw std::runtime_error("x") : 5; },
                   {.on_error = note_in(handled)});
  EXPECT_EQ(one(false), 5);
  EXPECT_EQ(one(true), std::nullopt);
  EXPECT_EQ(handled, (std::vector<std::string>{"x"}));
}

TEST(frame, throws_to_its_caller_what_nobody_handles) {
  auto one = frame([] { throw std::runtime_error("x"); });
  EXPECT_THROW(one(), std::runtime_error);
  EXPECT_THROW(frame([] { throw 5; })(), int);
}

TEST(frame, gives_the_error_of_a_handler_to_the_next_one_with_the_first_trace) {
  std::vector<std::string> texts;
  std::vector<std::string> traces;
  std::function<void()> later;
  frame_try(
      [&] {
        later = frame([] { throw std::runtime_error("first"); },
                      {.name = "inner", .on_error = [&](const frame_error& problem) {
                         traces.push_back(problem.trace);
                         throw std::runtime_error("second, after " + text(problem));
                       }});
      },
      [&](const frame_error& problem) {
        texts.push_back(text(problem));
        traces.push_back(problem.trace);
      });
  later();
  EXPECT_EQ(texts, (std::vector<std::string>{"second, after first"}));
  ASSERT_EQ(traces.size(), 2U);
  EXPECT_EQ(traces[0], traces[1]);
}

TEST(frame, shows_file_line_and_name_of_each_frame_in_traces_from_inside_out) {
  std::string trace;
  int inner_line = 0;
  frame_try(
      [&] {
        inner_line = __LINE__ + 1;
        frame([] { throw std::runtime_error("boom\n"); }, {.name = "inner"})();
      },
      [&](const frame_error& problem) { trace = problem.trace; }, {.name = "outer"});
  const std::string file = __FILE__;
  const std::string start =
      "boom\n----- frames -----\n" + file + ":" + std::to_string(inner_line) + " - inner\n" + file;
  EXPECT_EQ(trace.substr(0, start.size()), start);
  EXPECT_EQ(trace.substr(trace.size() - 9), " - outer\n");
}

TEST(frame, shows_the_frames_that_are_running) {
  EXPECT_EQ(frame_trace(), "");
  frame([] { EXPECT_NE(frame_trace().find(" - here\n"), std::string::npos); }, {.name = "here"})();
  frame([] { EXPECT_NE(frame_trace().find(" - unnamed frame\n"), std::string::npos); })();
}

TEST(frame, lets_cancellation_pass_its_handlers) {
  std::vector<std::string> handled;
  EXPECT_THROW(frame_try([] { throw cancelled(cancel_reason::requested, "test"); }, note_in(handled)),
               cancelled);
  EXPECT_TRUE(handled.empty());
}

TEST(frame, runs_its_handler_outside_itself) {
  std::int64_t seen = 0;
  std::string trace = "none";
  const scoped_value bound(user, 1);
  auto failing = frame(
      [] {
        const scoped_value inner(user, 2);
        throw std::runtime_error("x");
      },
      {.on_error = [&](const frame_error&) {
        seen = user.require();
        trace = frame_trace();
      }});
  failing();
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(trace, "");
}

TEST(frame_void, leaves_context_and_handlers_of_the_surroundings_behind) {
  std::vector<std::string> outer, inner;
  const scoped_value bound(user, 1);
  frame_try(
      [&] {
        frame_void([&] {
          EXPECT_EQ(user.find(), nullptr);
          EXPECT_THROW(frame([] { throw std::runtime_error("x"); })(), std::runtime_error);
        });
        frame_try_void([] { throw std::runtime_error("y"); }, note_in(inner));
      },
      note_in(outer));
  EXPECT_TRUE(outer.empty());
  EXPECT_EQ(inner, (std::vector<std::string>{"y"}));
}

TEST(frame, may_run_other_code_in_an_existing_frame) {
  std::vector<std::string> handled;
  auto call = [&] {
    const scoped_value bound(user, 1);
    return frame([] {}, {.name = "call", .on_error = note_in(handled)});
  }();
  auto timed_out = frame([] { throw std::runtime_error("timed out for " + std::to_string(user.require())); },
                         {.existing_frame = call.handle()});
  timed_out();
  EXPECT_EQ(handled, (std::vector<std::string>{"timed out for 1"}));
}

TEST(frame, refuses_a_handler_or_a_local_for_an_existing_frame) {
  auto call = frame([] {});
  const auto both = [&] {
    frame([] {}, {.on_error = [](const frame_error&) {}, .existing_frame = call.handle()});
  };
  EXPECT_TRUE(has_text(message_of(errc::misuse, both), "existing frame"));
}

constexpr key_spec counter_spec{.name = "test.frame.counter"};
frame_local<int> counter{counter_spec, 10};
constexpr key_spec owned_spec{.name = "test.frame.owned"};
frame_local<std::shared_ptr<int>> owned{owned_spec};

TEST(frame_locals, have_a_value_for_each_frame_that_lasts_from_call_to_call) {
  *counter = 1;
  auto count = frame([] { return ++*counter; }, {.locals = {&counter}});
  auto other = frame([] { return ++*counter; }, {.locals = {&counter}});
  EXPECT_EQ(count(), 11);
  EXPECT_EQ(count(), 12);
  EXPECT_EQ(other(), 11);
  EXPECT_EQ(*counter, 1);
}

TEST(frame_locals, are_shared_with_frames_made_inside_and_restored_after_an_error) {
  *counter = 1;
  std::function<std::optional<int>()> later;
  auto outer = frame(
      [&] {
        ++*counter;
        later = frame([] { return ++*counter; });
        throw std::runtime_error("x");
      },
      {.locals = {&counter}});
  EXPECT_THROW(outer(), std::runtime_error);
  EXPECT_EQ(*counter, 1);
  EXPECT_EQ(later(), 12);
}

TEST(frame_locals, end_with_the_last_callable_that_can_see_them) {
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = value;
  std::function<void()> later;
  {
    auto outer = frame(
        [&, value = std::move(value)]() mutable {
          *owned = std::move(value);
          later = frame([] {});
        },
        {.locals = {&owned}});
    outer();
  }
  EXPECT_FALSE(watched.expired());
  later = nullptr;
  EXPECT_TRUE(watched.expired());
}

// A callback that starts the next one, which starts the next one, and so on: each frame is the child of the
// one before. Counts what each keeps.
struct witness {
  static inline int alive = 0;
  witness() { ++alive; }
  witness(const witness&) { ++alive; }
  ~witness() { --alive; }
};

TEST(frame, keeps_none_of_its_ancestors_but_their_handlers) {
  std::vector<std::string> handled;
  std::function<void()> next;
  int most = 0;
  frame_try(
      [&] {
        next = frame([seen = witness()] {});
        for (int n = 0; n < 2000; ++n) {
          std::function<void()> after;
          frame([&, call = std::move(next)] {
            call();
            after = frame([seen = witness()] {}, {.name = "call " + std::to_string(n)});
          })();
          next = std::move(after);
          most = std::max(most, witness::alive);
        }
      },
      note_in(handled), {.name = "loop"});
  EXPECT_LE(most, 4);
  EXPECT_EQ(witness::alive, 1);
}

/// Makes `n` frames, each in the one before, and fails in the last.
void fail_in_frame(int n) {
  if (n == 0) throw std::runtime_error("deep");
  frame([n] { fail_in_frame(n - 1); }, {.name = std::to_string(n)})();
}

TEST(frame, ends_a_long_chain_of_handlers_without_recursion) {
  std::vector<std::string> handled;
  const auto make = [&] {
    return frame([](const std::function<void()>& inside) { inside(); },
                 {.on_error = [&](const frame_error& problem) {
                   if (handled.size() == 3) return;
                   handled.push_back(text(problem));
                   problem.rethrow();
                 }});
  };
  auto innermost = make();
  for (int n = 0; n < 100'000; ++n) {
    std::optional<decltype(innermost)> next;
    innermost([&] { next.emplace(make()); });
    innermost = std::move(*next);
  }
  innermost([] { throw std::runtime_error("far out"); });
  EXPECT_EQ(handled, (std::vector<std::string>{"far out", "far out", "far out"}));
}

TEST(frame, shows_the_nearest_frames_of_a_long_chain_and_says_that_there_are_more) {
  std::string trace;
  frame_try([] { fail_in_frame(1000); }, [&](const frame_error& problem) { trace = problem.trace; });
  EXPECT_NE(trace.find(" - 1\n"), std::string::npos);
  EXPECT_NE(trace.find(" - 16\n"), std::string::npos);
  EXPECT_EQ(trace.find(" - 100\n"), std::string::npos);
  EXPECT_NE(trace.find("(frames further out are left out)\n"), std::string::npos);
}

}  // namespace
}  // namespace weft
