#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber_case.hpp>
#include <weft/fiber/join_point.hpp>

#include "core/still_oracle.hpp"
#include "interleaving/explored_task.hpp"
#include "interleaving/explorer.hpp"

// The end of a fiber, against those who wait for it, give that up, or let go of the handle.

namespace weft::detail {
namespace {

using namespace std::chrono_literals;

void expect_complete(const explore::outcome& tried, std::size_t executions_min = 100) {
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, executions_min);
}
void expect_found(const explore::outcome& tried, const char* what) {
  EXPECT_EQ(tried.failure.find(what), 0U) << tried.failure;
}

/// A joiner's task, which knows whether it may be woken.
class joiner_task final : public explored_task {
 public:
  void unpark() noexcept override {
    explore::check(!gone_on_, "a joiner is woken that has gone on");
    explored_task::unpark();
  }
  void go_on() noexcept { gone_on_ = true; }
  void wait_again() noexcept { gone_on_ = false; }

 private:
  bool gone_on_ = false;
};

/// What a fiber block is to its join point. As there, one reference is the handle's, one the scheduler's, and
/// the context that is kept for an error holds one.
template <typename Point>
struct ending_fiber {
  Point end;
  atomic<int> references{2};
  bool error = false;
  bool has_outcome = false;
  bool kept_context = false;
  bool is_here = false;  // the fiber wakes its joiners
  int taken = 0;
  int reports = 0;
  int gone = 0;
  std::optional<joiner_task> joiner[2];

  void alive() const { explore::check(gone == 0, "it is used after its last reference"); }
  void release() {
    alive();
    if (references.fetch_sub(1) == 1) ++gone;
  }
  void drop_context() {
    if (!std::exchange(kept_context, false)) return;
    release();
  }
  void report() {
    alive();
    if (!error) return;
    explore::check(has_outcome, "an outcome is read that is not there");
    ++reports;
    drop_context();
  }

  // On the fiber's thread.
  void finish() {
    has_outcome = true;
    if (error && !end.is_observed()) {
      references.fetch_add(1);
      kept_context = true;
    }
    const bool is_mine = end.end([this](auto&& wake) {
      is_here = true;
      wake();
      is_here = false;
    });
    alive();
    if (is_mine) report();
    release();
  }

  // On the thread of the handle.
  void take() {
    explore::check(has_outcome, "an outcome is read that is not there");
    explore::check(!is_here, "a joiner goes on before the fiber has left");
    end.mark_observed();
    drop_context();
    ++taken;
    release();
  }
  bool wait(std::size_t who, steady_time until) {
    joiner[who]->wait_again();
    const bool done = end.is_over() || end.wait(until);
    joiner[who]->go_on();
    alive();
    explore::point("gone on");
    return done;
  }
  void abandon() {
    if (end.abandon()) report();
    release();
  }

  void check_end() const {
    explore::check(gone == 1, "the last reference did not go");
    explore::check(taken + reports <= 1, "an error was reported twice, or though somebody took it");
    explore::check(taken + reports == 1 || !error, "an error was lost");
  }
};

/// The fiber, on a thread of its own, and `others`, each with a task.
template <typename Fiber, typename... Others>
explore::outcome end_with(bool error, int preemptions_max, Others... others) {
  return explore::all_orders(
      [=](explore::execution& run) {
        auto shared = std::make_shared<Fiber>();
        shared->error = error;
        run.thread([=] { shared->finish(); });
        std::size_t count = 0;
        const auto start = [&](auto other) {
          const std::size_t who = count++;
          run.thread([=] {
            shared->joiner[who].emplace();
            other(*shared, who);
            shared->joiner[who]->go_on();
            running_task = nullptr;
          });
        };
        (start(others), ...);
        run.at_end([=] {
          shared->check_end();
          for (auto& one : shared->joiner) one.reset();
        });
      },
      {.preemptions_max = preemptions_max});
}

constexpr auto join = [](auto& fiber, std::size_t who) {
  fiber.wait(who, no_deadline);
  fiber.take();
};
constexpr auto join_for_or_let_go = [](auto& fiber, std::size_t who) {
  if (fiber.wait(who, deadline_after(1s))) return fiber.take();
  fiber.abandon();
};
constexpr auto join_for_twice = [](auto& fiber, std::size_t who) {
  if (fiber.wait(who, deadline_after(1s))) return fiber.take();
  join(fiber, who);
};
constexpr auto let_go = [](auto& fiber, std::size_t) { fiber.abandon(); };

using fiber = ending_fiber<join_point>;

TEST(join_point, wakes_a_joiner_once_and_only_when_the_fiber_has_left) {
  expect_complete(end_with<fiber>(false, 4, join));
  expect_complete(end_with<fiber>(true, 4, join));
}

TEST(join_point, is_left_by_a_joiner_whose_bound_passes) {
  expect_complete(end_with<fiber>(true, 4, join_for_twice));
  expect_complete(end_with<fiber>(true, 4, join_for_or_let_go));
}

TEST(join_point, has_an_error_reported_once_where_the_handle_is_dropped) {
  expect_complete(end_with<fiber>(false, 4, let_go), 20);
  expect_complete(end_with<fiber>(true, 4, let_go), 20);
}

/// One of them holds the handle. The other one stands in the line too: of the two, neither is forgotten.
TEST(join_point, wakes_all_who_are_in_line) {
  const auto wait_only = [](fiber& here, std::size_t who) {
    here.wait(who, deadline_after(1s));
    here.release();
  };
  struct held_by_two : fiber {
    held_by_two() { references.fetch_add(1); }
  };
  expect_complete(end_with<held_by_two>(true, 2, join, wait_only), 1000);
}

TEST(join_point, in_a_select_is_left_or_has_been_served) {
  class end_case final : public fiber_case {
   public:
    explicit end_case(join_point& end) : fiber_case(end) {}
  };
  const auto select_for = [](fiber& here, std::size_t who) {
    const still_oracle first_of_those_that_are_ready;
    bool done = false;
    {
      end_case over(here.end);
      select_case* const cases[] = {&over};
      here.joiner[who]->wait_again();
      done = select_among(cases, deadline_after(1s)).has_value();
      if (done) here.end.wait(no_deadline);
      here.joiner[who]->go_on();
    }
    explore::point("gone on");
    if (done) return here.take();
    here.abandon();
  };
  expect_complete(end_with<fiber>(true, 3, select_for));
}

TEST(join_point, is_left_by_a_joiner_who_is_cancelled) {
  struct with_scope : fiber {
    std::optional<cancel_scope> scope;
    event made, cancelled;
  };
  expect_complete(end_with<with_scope>(
                      true, 2,
                      [](with_scope& here, std::size_t who) {
                        here.scope.emplace();
                        here.made.set();
                        bool joined = false;
                        try {
                          joined = here.end.is_over() || here.end.wait(no_deadline);
                        } catch (const weft::cancelled&) {
                        }
                        shield([&] { here.cancelled.wait(); });
                        here.scope.reset();
                        here.joiner[who]->go_on();
                        if (joined) return here.take();
                        here.abandon();
                      },
                      [](with_scope& here, std::size_t) {
                        here.made.wait();
                        here.scope->cancel();
                        here.cancelled.set();
                      }),
                  1000);
}

// With a step in the wrong place.

/// What the variants have in common: all of it as it should be.
class changed_point {
 public:
  bool is_done() const noexcept { return (marks_.load() & done_bit) != 0; }
  bool is_over() const noexcept { return is_done() && lock_.is_free(); }
  bool is_observed() const noexcept { return (marks_.load() & observed_bit) != 0; }
  void mark_observed() noexcept { marks_.fetch_or(observed_bit); }
  bool wait(steady_time until) {
    std::unique_lock lock(lock_);
    if (is_done()) return true;
    return wait_in_line(lock, until);
  }
  template <typename Tell>
  bool end(Tell&& tell) noexcept {
    const std::lock_guard lock(lock_);
    const auto before = marks_.fetch_or(done_bit);
    tell([this] { joiners_.serve_all(); });
    return is_mine(before, abandoned_bit);
  }
  bool abandon() noexcept { return is_mine(marks_.fetch_or(abandoned_bit), done_bit); }

 protected:
  static constexpr unsigned char done_bit = 1, abandoned_bit = 2, observed_bit = 4;
  static bool is_mine(unsigned char before, unsigned char other) noexcept {
    return (before & (other | observed_bit)) == other;
  }
  bool wait_in_line(std::unique_lock<spin_lock>& lock, steady_time until) {
    return wait_in(joiners_, self_.emplace(), lock, until, "join") == wait_outcome::served;
  }

  spin_lock lock_;
  waiter_line joiners_;
  std::optional<waiter> self_;  // not on the stack: some touch it afterwards
  atomic<unsigned char> marks_{0};
};

TEST(join_point, written_anew_for_the_variants_is_right) {
  expect_complete(end_with<ending_fiber<changed_point>>(true, 3, join_for_or_let_go));
}

/// Looks whether it is done before it has the lock, and not again.
struct looks_too_early : changed_point {
  bool wait(steady_time until) {
    if (is_over()) return true;
    std::unique_lock lock(lock_);
    return wait_in_line(lock, until);
  }
};

TEST(join_point, at_which_a_joiner_looks_before_it_has_the_lock_is_found_to_lose_him) {
  expect_found(end_with<ending_fiber<looks_too_early>>(false, 2, join), "deadlock");
}

/// Marks it done when it has let go of the lock.
struct marks_too_late : changed_point {
  template <typename Tell>
  bool end(Tell&& tell) noexcept {
    {
      const std::lock_guard lock(lock_);
      tell([this] { joiners_.serve_all(); });
    }
    return is_mine(marks_.fetch_or(done_bit), abandoned_bit);
  }
};

TEST(join_point, that_is_marked_when_the_joiners_are_woken_is_found_to_lose_one) {
  expect_found(end_with<ending_fiber<marks_too_late>>(false, 2, join), "deadlock");
}

/// Goes on as soon as it is done, though the fiber still holds the lock.
struct goes_on_too_early : changed_point {
  bool is_over() const noexcept { return is_done(); }
};

TEST(join_point, that_is_left_without_a_look_at_the_lock_is_found_to_be_left_before_the_fiber) {
  expect_found(end_with<ending_fiber<goes_on_too_early>>(false, 2, join), "a joiner goes on before");
}

/// Looks at the marks and then sets its own.
struct marks_in_two_steps : changed_point {
  bool abandon() noexcept {
    const auto before = marks_.load();
    marks_.fetch_or(abandoned_bit);
    return is_mine(before, done_bit);
  }
};

TEST(join_point, that_is_abandoned_in_two_steps_is_found_to_lose_an_error) {
  expect_found(end_with<ending_fiber<marks_in_two_steps>>(true, 2, let_go), "the last reference did not go");
}

/// As if each looked for the other's mark when both are set.
struct both_report : changed_point {
  bool abandon() noexcept {
    marks_.fetch_or(abandoned_bit);
    return is_mine(marks_.load(), done_bit);
  }
  template <typename Tell>
  bool end(Tell&& tell) noexcept {
    const std::lock_guard lock(lock_);
    marks_.fetch_or(done_bit);
    tell([this] { joiners_.serve_all(); });
    return is_mine(marks_.load(), abandoned_bit);
  }
};

TEST(join_point, at_which_both_sides_look_afterwards_is_found_to_report_twice) {
  expect_found(end_with<ending_fiber<both_report>>(true, 2, let_go), "an error was reported twice");
}

/// Takes the joiners out under the lock and wakes them after it.
struct wakes_without_lock : changed_point {
  template <typename Tell>
  bool end(Tell&& tell) noexcept {
    unsigned char before = 0;
    waiter* one = nullptr;
    {
      const std::lock_guard lock(lock_);
      before = marks_.fetch_or(done_bit);
      one = joiners_.front();
      if (one != nullptr) joiners_.remove(*one);
    }
    tell([] {});
    if (one != nullptr) {
      one->served.store(true);
      one->task->unpark();
    }
    return is_mine(before, abandoned_bit);
  }
};

TEST(join_point, that_wakes_without_the_lock_is_found_to_wake_one_who_has_gone_on) {
  expect_found(end_with<ending_fiber<wakes_without_lock>>(false, 2, join_for_twice),
               "a joiner is woken that has gone on");
}

/// Has it that a joiner whose bound passed stays in line.
struct stays_in_line : changed_point {
  bool wait(steady_time until) {
    std::unique_lock lock(lock_);
    if (is_done()) return true;
    waiter& self = self_.emplace();
    self.task = &task_block::current();
    joiners_.push_back(self);
    while (!self.served.load()) {
      lock.unlock();
      const bool woken = self.task->park_until(until);
      lock.lock();
      if (!woken && !self.served.load()) return false;
    }
    return true;
  }
};

TEST(join_point, in_which_one_stays_whose_bound_passed_is_found_to_wake_him) {
  expect_found(end_with<ending_fiber<stays_in_line>>(false, 2, join_for_or_let_go),
               "a joiner is woken that has gone on");
}

/// Lets go of its own reference before it has left.
struct released_too_early : ending_fiber<changed_point> {
  void finish() {
    has_outcome = true;
    end.end([this](auto&& wake) {
      wake();
      release();
    });
    explore::point("unlocked");
    alive();
  }
};

TEST(join_point, whose_fiber_gives_its_reference_back_inside_is_found_to_be_gone_under_it) {
  expect_found(end_with<released_too_early>(false, 2, join), "it is used after its last reference");
}

}  // namespace
}  // namespace weft::detail
