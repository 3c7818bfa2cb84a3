#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fiber/posted_calls.hpp"
#include "fiber/remote_wakes.hpp"
#include "interleaving/explorer.hpp"

// What other threads bring to a loop: fibers that they made ready, and calls.

namespace weft::detail {
namespace {

void expect_complete(const explore::outcome& tried, std::size_t executions_min) {
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, executions_min);
}

/// Rung once something was brought. Ringing twice is ringing once.
struct bell {
  bool rung = false;

  void ring() {
    rung = true;
    explore::point("ring");
  }
  void wait() {
    explore::block_until([this] { return rung; }, "wait for the bell");
    rung = false;
  }
};

struct explored_fiber {
  explored_fiber* next_ = nullptr;
  bool in_line = false;
};

template <typename Fiber, typename Take>
void take_oldest_first(Fiber* newest, Take& take) {
  if (newest == nullptr) return;
  take_oldest_first(newest->next_, take);
  take(*newest);
}

/// Pushes in two steps, and what was pushed in between is gone.
template <typename Fiber>
class forgetful_push {
 public:
  void push(Fiber& fiber) noexcept {
    fiber.next_ = newest_.load();
    newest_.store(&fiber);
  }
  template <typename Take>
  void take_all(Take&& take) noexcept {
    take_oldest_first(newest_.exchange(nullptr), take);
  }

 private:
  atomic<Fiber*> newest_{nullptr};
};

/// Looks and empties in two steps, and what was pushed in between is gone.
template <typename Fiber>
class forgetful_take {
 public:
  void push(Fiber& fiber) noexcept {
    Fiber* top = newest_.load();
    do {
      fiber.next_ = top;
    } while (!newest_.compare_exchange_weak(top, &fiber));
  }
  template <typename Take>
  void take_all(Take&& take) noexcept {
    Fiber* const newest = newest_.load();
    newest_.store(nullptr);
    take_oldest_first(newest, take);
  }

 private:
  atomic<Fiber*> newest_{nullptr};
};

/// Takes whom the stack has first.
template <typename Fiber>
class newest_first : public remote_wakes<Fiber> {
 public:
  template <typename Take>
  void take_all(Take&& take) noexcept {
    std::vector<Fiber*> all;
    remote_wakes<Fiber>::take_all([&](Fiber& fiber) { all.insert(all.begin(), &fiber); });
    for (Fiber* const one : all) take(*one);
  }
};

/// One thread wakes two fibers, and the first of them again once it has had its turn; another one wakes a
/// third.
template <template <typename> class Wakes>
explore::outcome wake_three(int preemptions_max) {
  struct loop {
    Wakes<explored_fiber> wakes;
    explored_fiber first, second, third;
    bell rung;
    std::string turns;
    bool first_ran = false;

    void wake(explored_fiber& fiber) {
      explore::check(!fiber.in_line, "woken while it is in line");
      fiber.in_line = true;
      wakes.push(fiber);
      rung.ring();
    }
    void run() {
      while (turns.size() < 4) {
        rung.wait();
        wakes.take_all([this](explored_fiber& fiber) {
          explore::check(fiber.in_line, "in line twice");
          fiber.in_line = false;
          turns += &fiber == &first ? '1' : &fiber == &second ? '2' : '3';
          if (&fiber == &first) first_ran = true;
        });
      }
    }
    void check() {
      std::string of_one_thread = turns;
      std::erase(of_one_thread, '3');
      explore::check(of_one_thread == "121", "not in the order in which they were woken");
      explore::check(turns.size() == 4, "a fiber had a turn too many");
    }
  };
  return explore::all_orders(
      [](explore::execution& run) {
        auto shared = std::make_shared<loop>();
        run.thread([=] { shared->run(); });
        run.thread([=] {
          shared->wake(shared->first);
          shared->wake(shared->second);
          explore::block_until([=] { return shared->first_ran; }, "wait for the first turn");
          shared->wake(shared->first);
        });
        run.thread([=] { shared->wake(shared->third); });
        run.at_end([=] { shared->check(); });
      },
      {.preemptions_max = preemptions_max});
}

TEST(remote_wakes, loses_no_fiber_and_keeps_the_order_of_each_waker) {
  expect_complete(wake_three<remote_wakes>(2), 1000);
}

TEST(remote_wakes, that_pushes_in_two_steps_is_found_to_mix_fibers_up) {
  const auto tried = wake_three<forgetful_push>(2);
  EXPECT_EQ(tried.failure.find("in line twice"), 0U) << tried.failure;
}

TEST(remote_wakes, that_looks_and_empties_in_two_steps_is_found_to_lose_a_fiber) {
  const auto tried = wake_three<forgetful_take>(2);
  EXPECT_EQ(tried.failure.find("deadlock"), 0U) << tried.failure;
}

TEST(remote_wakes, that_takes_the_newest_first_is_found_to_do_so) {
  const auto tried = wake_three<newest_first>(1);
  EXPECT_EQ(tried.failure.find("not in the order"), 0U) << tried.failure;
}

/// Clears the mark once it has the calls, so that a call which came in between is not marked.
class late_to_clear {
 public:
  template <typename Rouse>
  void post(unique_function<void()> call, Rouse&& rouse) {
    const std::lock_guard lock(lock_);
    calls_.push_back(std::move(call));
    any_.store(true);
    rouse();
  }
  void run_all() {
    if (!any_.load()) return;
    std::vector<unique_function<void()>> calls;
    {
      const std::lock_guard lock(lock_);
      calls.swap(calls_);
    }
    any_.store(false);
    for (auto& call : calls) call();
  }

 private:
  spin_lock lock_;
  std::vector<unique_function<void()>> calls_;
  atomic<bool> any_{false};
};

/// Lets go of the lock before it wakes the loop.
class early_to_let_go {
 public:
  template <typename Rouse>
  void post(unique_function<void()> call, Rouse&& rouse) {
    {
      const std::lock_guard lock(lock_);
      calls_.push_back(std::move(call));
      any_.store(true);
    }
    rouse();
  }
  void run_all() {
    if (!any_.exchange(false)) return;
    std::vector<unique_function<void()>> calls;
    {
      const std::lock_guard lock(lock_);
      calls.swap(calls_);
    }
    for (auto& call : calls) call();
  }

 private:
  spin_lock lock_;
  std::vector<unique_function<void()>> calls_;
  atomic<bool> any_{false};
};

/// Two threads post to a loop that looks by itself now and then, one of them twice. After the last call the
/// loop is gone.
template <typename Calls>
explore::outcome post_three(int preemptions_max) {
  struct loop {
    Calls calls;
    bell rung;
    std::string called;
    bool gone = false;

    void post(char what) {
      calls.post([this, what] { called += what; },
                 [this] {
                   explore::check(!gone, "the loop is woken after its end");
                   rung.ring();
                   explore::check(!gone, "the loop ends while it is woken");
                 });
    }
    void run() {
      calls.run_all();
      while (called.size() < 3) {
        rung.wait();
        calls.run_all();
      }
      gone = true;
      std::string of_one_thread = called;
      std::erase(of_one_thread, 'c');
      explore::check(of_one_thread == "ab", "not in the order in which they were posted");
    }
  };
  return explore::all_orders(
      [](explore::execution& run) {
        auto shared = std::make_shared<loop>();
        run.thread([=] { shared->run(); });
        run.thread([=] {
          shared->post('a');
          shared->post('b');
        });
        run.thread([=] { shared->post('c'); });
      },
      {.preemptions_max = preemptions_max});
}

TEST(posted_calls, are_each_called_once_and_in_order_and_are_over_before_the_loop_is) {
  expect_complete(post_three<posted_calls>(2), 1000);
}

TEST(posted_calls, whose_mark_is_cleared_too_late_are_found_to_be_lost) {
  const auto tried = post_three<late_to_clear>(2);
  EXPECT_EQ(tried.failure.find("deadlock"), 0U) << tried.failure;
}

TEST(posted_calls, that_wake_the_loop_without_the_lock_are_found_to_do_so_after_its_end) {
  const auto tried = post_three<early_to_let_go>(2);
  EXPECT_EQ(tried.failure.find("the loop"), 0U) << tried.failure;
}

}  // namespace
}  // namespace weft::detail
