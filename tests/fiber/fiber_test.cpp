#include <weft/fiber/fiber.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <weft/executor/blocking.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.fiber_user"};
const weft::key<int> user{user_spec};
constexpr weft::key_spec shared_spec{.name = "test.fiber_shared"};
const weft::key<std::shared_ptr<int>> shared{shared_spec};

TEST(go, outside_a_run_is_an_error_that_says_what_to_do) {
  try {
    weft::go([] {});
    FAIL();
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::no_scheduler);
    EXPECT_NE(std::string(refused.what()).find("thread_pool"), std::string::npos);
  }
}

TEST(go, queues_the_child_and_go_now_runs_it_until_its_first_wait) {
  std::string order;
  weft::run([&] {
    auto queued = weft::go([&] { order += 'q'; });
    order += 'a';
    auto now = weft::go_now([&] {
      order += 'n';
      weft::yield();
      order += 'N';
    });
    order += 'b';
    queued.join();
    now.join();
  });
  EXPECT_EQ(order, "anbqN");
}

TEST(go, above_max_fibers_throws_and_names_the_limit) {
  weft::run(
      [] {
        auto one = weft::go([] {});
        try {
          weft::go([] {});
          ADD_FAILURE() << "the limit did not hold";
        } catch (const weft::error& refused) {
          EXPECT_EQ(refused.code(), weft::errc::resource_exhausted);
          EXPECT_NE(std::string(refused.what()).find("max_fibers"), std::string::npos);
        }
        one.join();
        weft::go([] {}).join();
      },
      {.max_fibers = 2});
}

TEST(go, a_fiber_inherits_the_context_and_keeps_its_own_changes) {
  weft::run([] {
    const weft::scoped_value bound{user, 1};
    auto child = weft::go([] {
      const int before = user.value_or(0);
      const weft::scoped_value mine{user, 2};
      weft::yield();
      return before * 10 + user.value_or(0);
    });
    weft::yield();
    EXPECT_EQ(user.value_or(0), 1);
    EXPECT_EQ(child.join(), 12);
    EXPECT_EQ(user.value_or(0), 1);
  });
}

TEST(fiber, join_gives_the_value_or_throws_the_error) {
  weft::run([] {
    EXPECT_EQ(weft::go([] { return std::string("value"); }).join(), "value");
    EXPECT_THROW(weft::go([]() -> int { throw std::domain_error("no"); }).join(), std::domain_error);
  });
}

TEST(fiber, join_from_a_plain_thread_waits_for_the_end) {
  weft::fiber<int> handle;
  std::atomic<bool> made{false};
  std::thread runner([&] {
    weft::run([&] {
      handle = weft::go([] {
        weft::sleep_for(2ms);
        return 8;
      });
      made = true;
    });
  });
  while (!made) std::this_thread::yield();
  EXPECT_EQ(handle.join(), 8);
  runner.join();
}

TEST(fiber, join_for_of_one_without_a_value_says_whether_it_ended) {
  weft::run([] {
    weft::event go_on;
    auto waits = weft::go([&] { go_on.wait(); });
    EXPECT_TRUE(waits.join_for(2ms).is_timed_out());
    go_on.set();
    EXPECT_TRUE(waits.join_for(1min).has_value());
    auto fails = weft::go([] { throw std::domain_error("no"); });
    EXPECT_THROW(fails.join_for(1min), std::domain_error);
  });
}

TEST(fiber, join_for_ends_at_its_bound_and_leaves_the_handle) {
  weft::run([] {
    weft::event go_on;
    auto waits = weft::go([&] {
      go_on.wait();
      return 3;
    });
    EXPECT_TRUE(waits.join_for(2ms).is_timed_out());
    go_on.set();
    auto ended = waits.join_for(1min);
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(*ended, 3);
  });
}

TEST(fiber, cannot_join_itself) {
  weft::run([] {
    weft::fiber<void> self;
    self = weft::go([&] { EXPECT_THROW(self.join(), weft::error); });
    weft::yield();
  });
}

TEST(fiber, cancel_ends_its_wait_and_that_of_everything_below_it) {
  weft::run([] {
    int unwound = 0;
    auto parent = weft::go([&] {
      auto child = weft::go([&] {
        try {
          weft::sleep_for(1h);
        } catch (const weft::cancelled&) {
          ++unwound;
          throw;
        }
      });
      try {
        child.join();
      } catch (const weft::cancelled&) {
        ++unwound;
        throw;
      }
    });
    weft::yield();
    weft::yield();
    parent.cancel();
    EXPECT_THROW(parent.join(), weft::cancelled);
    for (int i = 0; i < 3; ++i) weft::yield();
    EXPECT_EQ(unwound, 2);
  });
}

TEST(fiber, cancellation_that_was_swallowed_is_thrown_again_at_the_next_wait) {
  weft::run([] {
    int thrown = 0;
    auto stubborn = weft::go([&] {
      for (int i = 0; i < 3; ++i) {
        try {
          weft::sleep_for(1h);
        } catch (const weft::cancelled&) {
          ++thrown;
        }
      }
    });
    weft::yield();
    stubborn.cancel();
    stubborn.join();
    EXPECT_EQ(thrown, 3);
  });
}

TEST(fiber, cancelled_before_it_started_does_not_run_its_function) {
  weft::run([] {
    bool ran = false;
    auto late = weft::go([&] { ran = true; });
    late.cancel();
    EXPECT_THROW(late.join(), weft::cancelled);
    EXPECT_FALSE(ran);
  });
}

TEST(fiber, cancel_after_the_end_has_no_effect) {
  weft::run([] {
    auto over = weft::go([] { return 1; });
    weft::yield();
    EXPECT_TRUE(over.done());
    over.cancel();
    EXPECT_EQ(over.join(), 1);
  });
}

TEST(fiber, an_error_that_nobody_joins_reaches_the_handler_once_in_the_fibers_context) {
  int calls = 0;
  int seen = 0;
  weft::run(
      [] {
        const weft::scoped_value bound{user, 77};
        weft::go([] { throw std::runtime_error("alone"); }, {.name = "lonely"});
      },
      {.on_uncaught = [&](const weft::uncaught_error& what) {
        ++calls;
        seen = user.value_or(0);
        EXPECT_EQ(what.name, "lonely");
      }});
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(seen, 77);
}

TEST(fiber, an_error_is_reported_once_when_its_handle_is_dropped_after_the_end) {
  int calls = 0;
  weft::run(
      [&] {
        auto over = weft::go([] { throw std::runtime_error("alone"); });
        weft::yield();
        EXPECT_EQ(calls, 0);
        over.detach();
        EXPECT_EQ(calls, 1);
      },
      {.on_uncaught = [&](const weft::uncaught_error&) { ++calls; }});
  EXPECT_EQ(calls, 1);
}

TEST(fiber, waiting_inside_a_handler_keeps_the_exception_of_each_fiber_apart) {
  weft::run([] {
    std::vector<weft::fiber<std::string>> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(weft::go([i]() -> std::string {
        try {
          throw std::runtime_error(std::to_string(i));
        } catch (const std::runtime_error& mine) {
          for (int turn = 0; turn < i; ++turn) weft::yield();
          try {
            throw;
          } catch (const std::runtime_error& again) {
            EXPECT_STREQ(again.what(), mine.what());
          }
          return mine.what();
        }
      }));
    }
    for (int i = 0; i < 10; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].join(), std::to_string(i));
    EXPECT_EQ(std::current_exception(), nullptr);
  });
}

TEST(fiber, uncaught_exceptions_counts_those_of_the_fiber_only) {
  weft::run([] {
    struct waits_while_unwinding {
      ~waits_while_unwinding() {
        EXPECT_EQ(std::uncaught_exceptions(), 1);
        weft::shield([] { weft::sleep_for(2ms); });
        EXPECT_EQ(std::uncaught_exceptions(), 1);
      }
    };
    auto unwinds = weft::go([] {
      const waits_while_unwinding guard;
      throw std::runtime_error("x");
    });
    weft::yield();
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    auto spawned = weft::go([] { return std::uncaught_exceptions(); });
    EXPECT_EQ(spawned.join(), 0);
    EXPECT_THROW(unwinds.join(), std::runtime_error);
  });
}

TEST(fiber, an_unstarted_child_of_a_catch_block_starts_without_its_exception) {
  weft::run([] {
    try {
      throw std::runtime_error("outer");
    } catch (const std::runtime_error&) {
      EXPECT_TRUE(weft::go([] { return std::current_exception() == nullptr; }).join());
      EXPECT_NE(std::current_exception(), nullptr);
    }
  });
}

TEST(fiber, errno_survives_a_wait) {
  weft::run([] {
    auto other = weft::go([] { errno = ENOENT; });
    errno = EAGAIN;
    weft::yield();
    EXPECT_EQ(errno, EAGAIN);
    other.join();
  });
}

TEST(fiber, ids_are_unique_and_name_the_parent) {
  weft::run([] {
    const auto main_id = weft::this_fiber::id();
    auto first = weft::go([] { return weft::this_fiber::parent_id(); }, {.name = "first"});
    auto second = weft::go([] { return std::string(weft::this_fiber::name()); }, {.name = "second"});
    EXPECT_NE(first.id(), second.id());
    EXPECT_EQ(first.parent_id(), main_id);
    EXPECT_EQ(first.join(), main_id);
    EXPECT_EQ(second.join(), "second");
    EXPECT_FALSE(first.joinable());
    EXPECT_THROW(first.join(), weft::error);
  });
}

TEST(fiber, many_at_once_run_and_end) {
  const int count = sanitized ? 2'000 : 100'000;
  int ran = 0;
  weft::run([&] {
    weft::event open;
    std::vector<weft::fiber<void>> all;
    for (int i = 0; i < count; ++i) {
      all.push_back(weft::go([&] {
        open.wait();
        ++ran;
      }));
    }
    weft::yield();
    open.set();
    for (auto& one : all) one.join();
    EXPECT_EQ(weft::statistics().fibers, 1U);
  });
  EXPECT_EQ(ran, count);
}

TEST(fiber, those_that_never_wait_share_one_stack) {
  weft::run([] {
    std::vector<weft::fiber<void>> all;
    for (int i = 0; i < 1000; ++i) all.push_back(weft::go([] {}));
    for (auto& one : all) one.join();
    EXPECT_LE(weft::statistics().stacks, 3U);
  });
}

/// Runs a chain of fibers, each of which starts the next one and ends; gives the blocks of memory that
/// were not given back while it ran, at its end.
template <typename Link>
std::size_t alive_after_chain(int links, Link link) {
  auto counted = std::make_shared<int>(0);
  std::size_t alive_at_end = 0;
  weft::run([&] { link(link, links, counted, alive_at_end); });
  return alive_at_end;
}

TEST(fiber, a_chain_in_which_each_starts_the_next_keeps_no_ended_link) {
  const auto link = [](auto& self, int left, std::shared_ptr<int> counted, std::size_t& alive) -> void {
    alive = static_cast<std::size_t>(counted.use_count());
    if (left == 0) return;
    // The result of the fiber holds one count for as long as the fiber's block lives.
    weft::go([&self, left, counted, &alive] {
      self(self, left - 1, counted, alive);
      return counted;
    });
  };
  EXPECT_LE(alive_after_chain(sanitized ? 2'000 : 1'000'000, link), 10U);
}

TEST(fiber, a_chain_in_which_each_binds_a_value_and_starts_the_next_keeps_few_links) {
  const auto link = [](auto& self, int left, std::shared_ptr<int> counted, std::size_t& alive) -> void {
    alive = static_cast<std::size_t>(counted.use_count());
    if (left == 0) return;
    EXPECT_EQ(user.value_or(left + 1), left + 1);
    const weft::scoped_value bound{user, left};
    weft::go([&self, left, counted, &alive] {
      self(self, left - 1, counted, alive);
      return counted;
    });
  };
  EXPECT_LE(alive_after_chain(sanitized ? 2'000 : 100'000, link), 100U);
}

TEST(fiber, whose_function_cannot_be_copied_leaves_nothing_behind) {
  struct fails_to_copy {
    fails_to_copy() = default;
    fails_to_copy(const fails_to_copy&) { throw std::runtime_error("copy"); }
    void operator()() const {}
  } const function;
  auto counted = std::make_shared<int>(0);
  weft::run([&] {
    const weft::cancel_scope scope;
    const weft::scoped_value bound{shared, counted};
    EXPECT_THROW(weft::go(function), std::runtime_error);
  });
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(fiber, a_result_that_nobody_takes_may_wait_when_it_ends) {
  struct waits_at_its_end {
    waits_at_its_end() = default;
    waits_at_its_end(waits_at_its_end&& other) noexcept : ended(std::exchange(other.ended, nullptr)) {}
    ~waits_at_its_end() {
      if (ended == nullptr) return;
      weft::sleep_for(2ms);
      *ended = true;
    }
    bool* ended = nullptr;
  };
  bool ended = false;
  weft::run([&] {
    weft::go([&] {
      waits_at_its_end value;
      value.ended = &ended;
      return value;
    });
  });
  EXPECT_TRUE(ended);
}

TEST(fiber, a_deep_line_of_descendants_is_shut_down_quickly) {
  const int depth = sanitized ? 500 : 50'000;
  int unwound = 0;
  const auto descend = [&](auto& self, int left) -> void {
    if (left == 0) return;
    auto child = weft::go([&] { self(self, left - 1); });
    try {
      weft::sleep_for(1h);
    } catch (const weft::cancelled&) {
      ++unwound;
      throw;
    }
  };
  const auto start = weft::steady_clock::now();
  EXPECT_THROW(weft::run([&] {
                 weft::go([&] { descend(descend, depth); });
                 while (weft::statistics().fibers < static_cast<std::size_t>(depth)) weft::yield();
                 throw std::runtime_error("main");
               }),
               std::runtime_error);
  EXPECT_GE(unwound, depth - 3);
  EXPECT_LT(weft::steady_clock::now() - start, 5s);
}

TEST(fiber, aligns_what_its_function_captures) {
  struct alignas(128) line {
    char bytes[128];
  };
  weft::run([] {
    for (int i = 0; i < 20; ++i) {
      auto offset = weft::go([one = line{}] {
        const void* volatile at = &one;  // the compiler must not know that it is aligned
        return reinterpret_cast<std::uintptr_t>(at) % 128;
      });
      EXPECT_EQ(offset.join(), 0U);
    }
  });
}

TEST(fiber, may_be_cancelled_by_another_thread_at_the_moment_it_ends) {
  for (int round = 0; round < (sanitized ? 100 : 1000); ++round) {
    weft::fiber<void> handle;
    std::atomic<bool> made{false};
    std::thread runner([&] {
      weft::run([&] {
        handle = weft::go([] {
          for (int i = 0; i < 3; ++i) weft::yield();
          weft::sleep_for(1h);
        });
        made = true;
      });
    });
    while (!made) std::this_thread::yield();
    handle.cancel();
    EXPECT_THROW(handle.join(), weft::cancelled);
    runner.join();
  }
}

TEST(sleep, is_never_early_and_wakes_in_order) {
  weft::run([] {
    std::string order;
    const auto start = weft::steady_clock::now();
    auto late = weft::go([&] {
      weft::sleep_for(6ms);
      order += 'c';
    });
    auto middle = weft::go([&] {
      weft::sleep_for(4ms);
      order += 'b';
    });
    weft::sleep_for(2ms);
    order += 'a';
    EXPECT_GE(weft::steady_clock::now() - start, 2ms);
    late.join();
    middle.join();
    EXPECT_GE(weft::steady_clock::now() - start, 6ms);
    EXPECT_EQ(order, "abc");
  });
}

TEST(yield, gives_sockets_and_timers_their_turn_in_a_busy_run) {
  weft::run([] {
    bool fired = false;
    auto timer = weft::go([&] {
      weft::sleep_for(1ms);
      fired = true;
    });
    while (!fired) weft::yield();
    timer.join();
  });
}

TEST(fiber, waits_for_a_pool_while_others_go_on) {
  weft::thread_pool pool{{.threads = 2}};
  weft::run([&] {
    weft::promise<void> gate;
    auto opened = gate.get_future();
    auto blocked = weft::go([&] {
      return pool
          .submit([&] {
            opened.get();
            return 5;
          })
          .get();
    });
    weft::yield();
    gate.set_value();  // only reached because the other fiber's wait did not block the thread
    EXPECT_EQ(blocked.join(), 5);
  });
}

TEST(fiber, is_woken_by_other_threads_without_loss) {
  const int rounds = sanitized ? 2'000 : 20'000;
  weft::thread_pool pool{{.threads = 2}};
  weft::run([&] {
    std::vector<weft::fiber<int>> all;
    for (int f = 0; f < 8; ++f) {
      all.push_back(weft::go([&] {
        int sum = 0;
        for (int i = 0; i < rounds / 8; ++i) sum += pool.submit([] { return 1; }).get();
        return sum;
      }));
    }
    int total = 0;
    for (auto& one : all) total += one.join();
    EXPECT_EQ(total, rounds / 8 * 8);
  });
}

[[gnu::noinline]] int recurse_deeply(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth < 1'000'000'000 ? recurse_deeply(depth + 1) + frame[0] : 0;
}

TEST(fiber_death, a_stack_overflow_names_the_fiber) {
  // The address sanitizer has a report of its own for it.
  const char* const report = sanitized ? "" : "stack overflow in fiber [0-9]+ .deep.*stack_bytes";
  EXPECT_DEATH(weft::run([] { weft::go([] { recurse_deeply(0); }, {.name = "deep"}).join(); }), report);
}

TEST(fiber_death, a_segmentation_fault_that_is_no_overflow_ends_the_process_as_ever) {
  const auto is_as_ever = [](int status) {
    return sanitized ? status != 0
                     : testing::KilledBySignal(SIGSEGV)(status);  // a sanitizer reports and exits
  };
  EXPECT_EXIT(weft::run([] { raise(SIGSEGV); }), is_as_ever, "");
}

TEST(no_wait_scope, makes_a_wait_inside_fail_at_once) {
  weft::run([] {
    const weft::no_wait_scope here("a transaction");
    try {
      weft::sleep_for(1ms);
      ADD_FAILURE() << "it waited";
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::misuse);
      EXPECT_NE(std::string(refused.what()).find("a transaction"), std::string::npos);
      EXPECT_NE(std::string(refused.what()).find("sleep"), std::string::npos);
    }
    EXPECT_THROW(weft::yield(), weft::error);
  });
}

TEST(no_wait_scope, refuses_go_now_and_run) {
  const weft::no_wait_scope on_the_thread("a callback");
  bool ran = false;
  EXPECT_THROW(weft::run([&] { ran = true; }), weft::error);
  EXPECT_FALSE(ran);
  weft::shield([&] {
    std::thread([&] {
      weft::run([&] {
        const weft::no_wait_scope here("a transaction");
        EXPECT_THROW(weft::go_now([&] { ran = true; }), weft::error);
      });
    }).join();
  });
  EXPECT_FALSE(ran);
}

}  // namespace
