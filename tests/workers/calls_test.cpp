#include <atomic>
#include <csignal>
#include <cstdint>
#include <functional>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <weft/context/cancellation.hpp>
#include <weft/context/frame.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/workers/client.hpp>

#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// Many calls of one checkout: side by side, started, and queued with callbacks.

namespace weft_test {

/// A number that takes its time to be written: whoever calls with it has a worker by then, and no call yet.
struct late_number {
  std::int64_t value = 0;
  std::function<void()> before = [] {};
};

}  // namespace weft_test

template <>
struct weft::codec<weft_test::late_number> {
  static void encode(encoder& out, const weft_test::late_number& late) {
    late.before();
    out.integer(late.value);
  }
};

namespace {

using namespace std::chrono_literals;
using weft::result;
using weft::workers::checkout;
using weft::workers::client;
using weft_test::on_fiber;

// Cancels a call once it is on its way.
void cancel_sent(client& pool, checkout& held, const std::string& name) {
  const auto before = pool.statistics().calls;
  auto calling = weft::go([&] { held.call(name); });
  while (pool.statistics().calls == before) weft::yield();
  calling.cancel();
  EXPECT_THROW(calling.join(), weft::cancelled);
}

TEST(calls, of_one_checkout_run_side_by_side) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    auto long_one = held.start("sleep_ms", 3'600'000);
    held.call("nothing");
  });
}

TEST(calls, each_of_many_gets_its_own_answer) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    weft::scope all;
    for (int i = 0; i < 64; ++i) {
      all.go([&held, i] {
        for (int k = 0; k < 50; ++k) {
          EXPECT_EQ(held.call<std::string>("echo", std::string(static_cast<std::size_t>(i * k), 'x')),
                    std::string(static_cast<std::size_t>(i * k), 'x'));
        }
      });
    }
    all.join();
    EXPECT_EQ(pool.statistics().started, 1U);
  });
}

TEST(calls, of_several_threads_share_a_checkout) {
  client pool({.min_workers = 1, .max_workers = 1});
  EXPECT_EQ(weft::run(
                [&] {
                  auto held = pool.checkout();
                  weft::scope all;
                  for (int i = 0; i < 16; ++i) {
                    all.go([&held, i] {
                      for (int k = 0; k < 100; ++k) EXPECT_EQ(held.call<std::int64_t>("sum", i, k), i + k);
                    });
                  }
                  all.join();
                },
                {.threads = 3}),
            0);
}

TEST(calls, that_were_started_are_answered_in_any_order) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    std::vector<weft::workers::running_call<std::int64_t>> all;
    for (int i = 0; i < 100; ++i) all.push_back(held.start<std::int64_t>("sum", i, 1));
    for (int i = 99; i >= 0; --i) EXPECT_EQ(all[static_cast<std::size_t>(i)].get(), i + 1);
  });
}

TEST(calls, many_may_be_started_before_the_first_is_waited_for) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    std::vector<weft::workers::running_call<std::string>> all;
    const std::string text(200, 'x');
    for (int i = 0; i < 5000; ++i) all.push_back(held.start<std::string>("echo", text));
    for (auto& one : all) EXPECT_EQ(one.get(), text);
  });
}

TEST(calls, all_fail_when_their_worker_dies) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    int died = 0;
    weft::scope all;
    for (int i = 0; i < 5; ++i) {
      all.go([&] {
        try {
          held.call("sleep_ms", 10'000);
        } catch (const weft::workers::worker_died& end) {
          EXPECT_EQ(end.status().value, SIGKILL) << end.what();
          ++died;
        }
      });
    }
    weft::yield();
    EXPECT_THROW(held.call("die_by", SIGKILL), weft::workers::worker_died);
    all.join();
    EXPECT_EQ(died, 5);
    EXPECT_EQ(pool.statistics().deaths, 1U);
    EXPECT_EQ(pool.statistics().alive, 1U);
  });
}

TEST(calls, beside_one_that_does_not_stop_are_told_why_their_worker_was_stopped) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    std::string told;
    weft::scope all;
    all.go([&] {
      try {
        held.call("sleep_ms", 20'000);
      } catch (const weft::workers::worker_died& end) {
        told = end.what();
      }
    });
    weft::yield();
    cancel_sent(pool, held, "spin");
    all.join();
    EXPECT_NE(told.find("the call \"spin\" was cancelled"), std::string::npos) << told;
  });
}

TEST(calls, one_that_is_cancelled_leaves_the_others_alone) {
  client pool({.min_workers = 1, .max_workers = 1, .stop_grace = 20s});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto pid = held.call<std::int64_t>("pid");
    auto slow = weft::go([&] { held.call("sleep_ms", 10'000); });
    auto other = weft::go([&] { return held.call<std::int64_t>("sum", 1, 2); });
    weft::yield();
    slow.cancel();
    EXPECT_EQ(other.join(), 3);
    EXPECT_THROW(slow.join(), weft::cancelled);
    EXPECT_EQ(held.call<std::int64_t>("pid"), pid);
  });
}

TEST(calls, of_plain_threads_share_a_checkout) {
  client pool({.min_workers = 1, .max_workers = 1});
  auto held = pool.checkout();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&held, i] {
      for (int k = 0; k < 200; ++k) EXPECT_EQ(held.call<std::int64_t>("sum", i, k), i + k);
    });
  }
  for (auto& one : threads) one.join();
}

// The second one finds a worker that is in use already.
TEST(calls, of_several_threads_may_be_the_first_ones_of_a_checkout) {
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 20s});
  for (int round = 0; round < 100; ++round) {
    auto held = pool.checkout();
    std::latch begin(4);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&held, &begin, i] {
        begin.arrive_and_wait();
        EXPECT_NO_THROW(EXPECT_EQ(held.call<std::int64_t>("sum", i, 1), i + 1));
      });
    }
    for (auto& one : threads) one.join();
  }
}

// A thread that does not come back to its loop, as one that computes.
TEST(calls, do_not_depend_on_the_thread_of_the_one_that_reads) {
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 20s});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    auto reading = weft::go([&] { held.call("sleep_ms", 60'000); });
    weft::yield();
    std::thread other([&] { EXPECT_NO_THROW(EXPECT_EQ(held.call<std::int64_t>("sum", 1, 2), 3)); });
    other.join();
    reading.cancel();
    EXPECT_THROW(reading.join(), weft::cancelled);
  });
}

TEST(calls, do_not_depend_on_the_thread_that_polls_the_connection) {
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 20s});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    std::thread other([&] { EXPECT_NO_THROW(EXPECT_EQ(held.call<std::int64_t>("sum", 1, 2), 3)); });
    other.join();
  });
}

// The connection is polled by that run.
TEST(calls, of_other_threads_outlive_the_run_that_made_the_first_one) {
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 5min});
  std::optional<checkout> held;
  std::optional<weft::workers::running_call<int>> running;
  std::atomic<bool> has_read = false;
  std::jthread reader;
  int pieces = 0;
  on_fiber([&] {
    held.emplace(pool.checkout());
    held->call("nothing");
    running.emplace(held->start<int>("pieces_back"));
    reader = std::jthread([&] {
      EXPECT_TRUE(running->stream().read());
      has_read = true;
      pieces = running->get();
    });
    running->stream().write("x");
    while (!has_read) weft::yield();
  });
  EXPECT_EQ(held->call<std::int64_t>("sum", 1, 2), 3);  // beside it
  on_fiber([&] { EXPECT_EQ(held->call<std::int64_t>("sum", 2, 2), 4); });
  running->stream().end_writing();
  reader.join();
  EXPECT_EQ(pieces, 1);
  on_fiber([&] { EXPECT_EQ(held->call<std::int64_t>("sum", 3, 2), 5); });
  EXPECT_EQ(pool.statistics().deaths, 0U);
}

// It has its worker from before the run ended, and waits there while the other call finds the run over. Which
// of them is first differs from round to round.
TEST(calls, that_begin_while_the_run_of_the_first_one_ends_are_answered) {
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 5min});
  auto held = pool.checkout();
  for (int round = 0; round < 200; ++round) {
    std::latch has_worker(1);
    std::latch run_is_over(1);
    std::jthread other;
    on_fiber([&] {
      held.call("nothing");
      other = std::jthread([&] {
        const weft_test::late_number late{1, [&] {
                                            has_worker.count_down();
                                            run_is_over.wait();
                                          }};
        EXPECT_EQ(held.call<std::int64_t>("sum", late, 2), 3);
      });
      has_worker.wait();
    });
    on_fiber([&] {
      run_is_over.count_down();
      EXPECT_EQ(held.call<std::int64_t>("sum", 2, 2), 4);
    });
  }
  EXPECT_EQ(pool.statistics().deaths, 0U);
}

// A cancelled call that costs the worker is an error for the others, and no cancellation.
TEST(calls, of_others_are_not_cancelled_by_one_that_was) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    cancel_sent(pool, held, "spin");
    EXPECT_THROW(held.call("nothing"), weft::error);
    EXPECT_EQ(pool.statistics().deaths, 0U);
  });
}

TEST(calls, one_that_was_refused_in_line_may_be_tried_again) {
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 20ms});
  on_fiber([&] {
    auto other = pool.checkout({.timeout = 10s});
    other.call("nothing");
    auto held = pool.checkout();
    EXPECT_THROW(held.call("nothing"), weft::workers::call_timed_out);
    { auto given_back = std::move(other); }
    auto again = pool.checkout({.timeout = 10s});
    again.call("nothing");
  });
}

TEST(callback, gets_the_checkout_and_the_answer) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    weft::event done;
    auto held = pool.checkout();
    held.call("echo", "x", [&](checkout& same, std::string answer) {
      EXPECT_EQ(answer, "x");
      same.call("sum", 1, 2, [&](auto& again, std::int64_t sum) {
        EXPECT_EQ(sum, 3);
        again.call("nothing", [&](auto&) { done.set(); });
      });
    });
    done.wait();
  });
}

TEST(callback, calls_run_in_the_order_they_were_queued_in) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    weft::event done;
    std::vector<int> order;
    auto held = pool.checkout();
    for (int i = 0; i < 5; ++i) {
      held.call("sleep_ms", 5 - i, [&order, &done, i](auto&) {
        order.push_back(i);
        if (i == 4) done.set();
      });
    }
    EXPECT_TRUE(order.empty());
    done.wait();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
  });
}

TEST(callback, the_checkout_lives_until_its_calls_are_done) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    weft::event done;
    pool.checkout().call("pid", [&](auto& held, std::int64_t pid) {
      held.call("pid", [&done, pid](auto&, std::int64_t again) {
        EXPECT_EQ(again, pid);
        done.set();
      });
    });
    done.wait();
    EXPECT_EQ(pool.call<std::int64_t>("sum", 1, 1), 2);
  });
}

// An error is raised once, where the failing call was made; what was queued behind it does not run.
TEST(callback, an_error_goes_to_its_frame_and_drops_the_queue) {
  client pool({.name = "cheeses", .min_workers = 1});
  on_fiber([&] {
    weft::event done;
    std::vector<std::string> seen;
    auto held = pool.checkout();
    weft::frame_try(
        [&] {
          held.call("echo", "first", [&](auto&, std::string) { seen.push_back("first"); });
          held.call("throw_cheese", "cheddar", [&](auto&) { seen.push_back("never"); });
        },
        [&](const weft::frame_error& failed) {
          EXPECT_THROW(failed.rethrow(), weft_test::out_of_cheese);
          EXPECT_NE(failed.trace.find("cheeses -> throw_cheese"), std::string::npos) << failed.trace;
          seen.push_back("error");
          done.set();
        });
    held.call("echo", "behind", [&](auto&, std::string) { seen.push_back("behind"); });
    done.wait();
    // The checkout goes on, with the same worker.
    EXPECT_EQ(held.call<std::int64_t>("sum", 1, 2), 3);
    EXPECT_EQ(seen, (std::vector<std::string>{"first", "error"}));
  });
}

TEST(callback, may_take_the_error_itself) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    weft::event done;
    auto held = pool.checkout();
    held.call("throw_cheese", "brie", [&](auto&, result<std::string> outcome) {
      EXPECT_FALSE(outcome);
      EXPECT_THROW(std::rethrow_exception(outcome.error()), weft_test::out_of_cheese);
      done.set();
    });
    done.wait();
  });
}

TEST(callback, an_error_that_nobody_handles_stops_nothing) {
  client pool({.min_workers = 1});
  on_fiber([&] {
    weft::event done;
    auto held = pool.checkout();
    held.call("echo", "x", [&](auto& same, std::string) {
      same.call("nothing", [&](auto&) { done.set(); });
      throw std::runtime_error("of the callback");
    });
    done.wait();
  });
}

TEST(callback, needs_a_run) {
  client pool({.min_workers = 1});
  auto held = pool.checkout();
  EXPECT_THROW(held.call("nothing", [](auto&) {}), weft::error);
}

TEST(fatal_error, ends_the_running_call_and_every_further_one) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto pid = held.call<std::int64_t>("pid");
    weft::event began;
    auto running = weft::go([&] {
      began.set();
      held.call("sleep_ms", 10'000);
    });
    began.wait();
    weft::yield();
    held.throw_fatal_error("no longer wanted");
    for (int i = 0; i < 2; ++i) {
      try {
        i == 0 ? running.join() : held.call("nothing");
        ADD_FAILURE() << "no error";
      } catch (const weft::error& failed) {
        EXPECT_STREQ(failed.what(), "no longer wanted");
      }
    }
    EXPECT_NE(pool.call<std::int64_t>("pid"), pid);
    EXPECT_TRUE(weft_test::is_gone(static_cast<pid_t>(pid)));
  });
}

TEST(fatal_error, ends_a_worker_that_is_busy) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto pid = held.call<std::int64_t>("pid");
    auto running = weft::go([&] { held.call("spin"); });
    weft::yield();
    held.throw_fatal_error("no longer wanted");
    EXPECT_THROW(running.join(), weft::error);
    EXPECT_EQ(::kill(static_cast<pid_t>(pid), 0), -1);
    EXPECT_EQ(pool.statistics().deaths, 0U);
  });
}

TEST(fatal_error, reaches_a_call_that_waits_for_a_worker) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto other = pool.checkout();
    other.call("nothing");
    auto held = pool.checkout();
    auto waiting = weft::go([&] { held.call("nothing"); });
    weft::yield();
    EXPECT_EQ(pool.statistics().waiting, 1U);
    held.throw_fatal_error("no longer wanted");
    { auto given_back = std::move(other); }
    try {
      waiting.join();
      ADD_FAILURE() << "no error";
    } catch (const weft::error& failed) {
      EXPECT_STREQ(failed.what(), "no longer wanted");
    }
    pool.call("nothing");
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
