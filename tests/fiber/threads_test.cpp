// Runs with several loops.

#include <weft/fiber/run.hpp>

#include <gtest/gtest.h>

#include <pthread.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/loops.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/wait_group.hpp>

namespace {

using namespace std::chrono_literals;

const weft::run_options two_loops{.threads = 2};
const weft::run_options four_loops{.threads = 4};

thread_local int visits = 0;

TEST(threads, started_fibers_stay_on_their_thread) {
  std::atomic<int> moved{0};
  weft::run(
      [&] {
        weft::scope all;
        for (int i = 0; i < 200; ++i) {
          all.go([&] {
            const std::thread::id mine = std::this_thread::get_id();
            for (int n = 0; n < 20; ++n) {
              weft::yield();
              if (std::this_thread::get_id() != mine) ++moved;
            }
          });
        }
        all.join();
      },
      four_loops);
  EXPECT_EQ(moved, 0);
}

TEST(threads, go_here_makes_fibers_that_no_other_loop_takes) {
  std::atomic<int> elsewhere{0};
  weft::run(
      [&] {
        const std::thread::id mine = std::this_thread::get_id();
        weft::wait_group all(200);
        for (int i = 0; i < 200; ++i) {
          weft::go_here([&] {
            if (std::this_thread::get_id() != mine) ++elsewhere;
            all.done();
          });
        }
        std::this_thread::sleep_for(20ms);  // the others have time to take some
        all.wait();
      },
      four_loops);
  EXPECT_EQ(elsewhere, 0);
}

TEST(threads, loop_executors_are_the_loops_beginning_with_the_own_one) {
  weft::run(
      [] {
        const std::vector<weft::executor> loops = weft::loop_executors();
        ASSERT_EQ(loops.size(), 4u);
        EXPECT_TRUE(loops.front() == weft::current_executor());
        std::set<std::thread::id> seen;
        for (const weft::executor& one : loops)
          seen.insert(one.submit([] { return std::this_thread::get_id(); }).get());
        EXPECT_EQ(seen.size(), 4u);
      },
      four_loops);
  EXPECT_THROW(weft::loop_executors(), weft::error);
}

TEST(threads, an_idle_loop_takes_fibers_that_have_not_started_from_one_that_never_yields) {
  weft::run(
      [] {
        std::atomic<int> elsewhere{0};
        const std::thread::id mine = std::this_thread::get_id();
        weft::scope all;
        for (int i = 0; i < 3; ++i) {
          all.go([&] {
            if (std::this_thread::get_id() != mine) ++elsewhere;
          });
        }
        while (elsewhere < 3) {  // holds its thread until the other one has run all three
        }
        all.join();
        EXPECT_GE(weft::statistics().steals, 1U);
      },
      two_loops);
}

TEST(threads, a_single_unstarted_fiber_is_taken_from_one_that_never_yields) {
  weft::run(
      [] {
        for (int round = 0; round < 20; ++round) {
          std::atomic<bool> ran{false};
          auto one = weft::go([&] { ran = true; });
          while (!ran) {
          }
          one.join();
        }
      },
      two_loops);
}

TEST(threads, main_runs_on_the_calling_thread) {
  const std::thread::id mine = std::this_thread::get_id();
  for (int round = 0; round < 20; ++round) {
    weft::run([&] { EXPECT_EQ(std::this_thread::get_id(), mine); }, four_loops);
  }
}

TEST(threads, go_now_runs_on_the_callers_thread_until_its_first_wait) {
  weft::run(
      [] {
        const std::thread::id mine = std::this_thread::get_id();
        for (int round = 0; round < 200; ++round) {
          bool ran = false;
          auto child = weft::go_now([&] { ran = std::this_thread::get_id() == mine; });
          EXPECT_TRUE(ran);
          child.join();
        }
      },
      two_loops);
}

TEST(threads, every_value_crosses_a_channel_between_loops_once) {
  constexpr int producers = 8;
  constexpr int each = 2000;
  for (const std::size_t capacity : {0U, 1U, 64U}) {
    std::atomic<long> sum{0};
    std::atomic<int> count{0};
    weft::run(
        [&] {
          weft::channel<int> values(capacity);
          weft::scope consumers;
          for (int i = 0; i < 4; ++i) {
            consumers.go([&] {
              while (const auto value = values.pop()) {
                sum += *value;
                ++count;
              }
            });
          }
          weft::scope all;
          for (int p = 0; p < producers; ++p) {
            all.go([&] {
              for (int n = 1; n <= each; ++n) values.push(n);
            });
          }
          all.join();
          values.close();
          consumers.join();
        },
        four_loops);
    EXPECT_EQ(count, producers * each);
    EXPECT_EQ(sum, long{producers} * each * (each + 1) / 2);
  }
}

TEST(threads, a_tree_of_fibers_that_join_their_children_ends) {
  struct tree {
    static long leaves(int depth) {
      if (depth == 0) return 1;
      std::vector<weft::fiber<long>> children;
      for (int i = 0; i < 4; ++i) children.push_back(weft::go([depth] { return leaves(depth - 1); }));
      long sum = 0;
      for (auto& child : children) sum += child.join();
      return sum;
    }
  };
  weft::run([] { EXPECT_EQ(tree::leaves(6), 4096); }, four_loops);
}

TEST(threads, work_spreads_over_the_loops) {
  std::set<pthread_t> seen;
  weft::run(
      [&] {
        weft::mutex guard;
        weft::wait_group met;
        met.add(2);
        weft::scope all;
        for (int i = 0; i < 2; ++i) {
          all.go([&] {
            {
              const std::lock_guard lock(guard);
              seen.insert(pthread_self());
            }
            met.done();
            while (met.count() > 0) {  // until the other one has begun as well: it must be elsewhere
            }
          });
        }
        all.join();
      },
      {.threads = 3});
  EXPECT_EQ(seen.size(), 2U);
}

TEST(threads, thread_locals_and_errno_are_those_of_the_fibers_thread) {
  std::atomic<int> wrong{0};
  weft::run(
      [&] {
        weft::scope all;
        for (int i = 1; i <= 64; ++i) {
          all.go([&, i] {
            int* const mine = &visits;
            errno = i;
            for (int n = 0; n < 50; ++n) {
              weft::yield();
              if (errno != i || &visits != mine) ++wrong;
            }
          });
        }
        all.join();
      },
      four_loops);
  EXPECT_EQ(wrong, 0);
}

TEST(threads, an_error_of_main_cancels_the_fibers_of_all_loops) {
  std::atomic<int> unwound{0};
  EXPECT_THROW(weft::run(
                   [&] {
                     std::atomic<int> began{0};
                     for (int i = 0; i < 100; ++i) {
                       weft::go([&] {
                         struct at_end {
                           std::atomic<int>& count;
                           ~at_end() { ++count; }
                         } const guard{unwound};
                         ++began;
                         weft::sleep_for(1h);
                       });
                     }
                     while (began < 100) weft::sleep_for(1ms);
                     throw std::runtime_error("main");
                   },
                   four_loops),
               std::runtime_error);
  EXPECT_EQ(unwound, 100);
}

TEST(threads, exit_on_any_loop_ends_the_run_with_its_status) {
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(weft::run(
                  [] {
                    for (int i = 0; i < 8; ++i) {
                      weft::go([i] {
                        weft::yield();
                        if (i == 5) weft::exit(42);
                        weft::sleep_for(1h);
                      });
                    }
                    weft::sleep_for(1h);
                  },
                  four_loops),
              42);
  }
}

TEST(threads, an_exception_in_flight_survives_waits_of_stolen_fibers) {
  std::atomic<int> wrong{0};
  weft::run(
      [&] {
        weft::scope all;
        for (int i = 0; i < 100; ++i) {
          all.go([&, i] {
            try {
              throw std::runtime_error(std::to_string(i));
            } catch (const std::runtime_error&) {
              auto child = weft::go([&] {  // started while its maker is inside catch
                if (std::current_exception() != nullptr || std::uncaught_exceptions() != 0) ++wrong;
                weft::yield();
                if (std::current_exception() != nullptr) ++wrong;
              });
              weft::yield();
              child.join();
              try {
                throw;
              } catch (const std::runtime_error& again) {
                if (again.what() != std::to_string(i)) ++wrong;
              }
            }
          });
        }
        all.join();
      },
      four_loops);
  EXPECT_EQ(wrong, 0);
}

TEST(threads, zero_means_one_for_each_core) {
  weft::run([] { EXPECT_EQ(weft::statistics().loops, std::max(1U, std::thread::hardware_concurrency())); },
            {.threads = 0});
}

TEST(threads, an_absurd_number_is_refused) {
  try {
    weft::run([] {}, {.threads = 100'000});
    FAIL();
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::invalid_argument);
    EXPECT_NE(std::string(refused.what()).find("100000"), std::string::npos);
  }
}

TEST(threads, fibers_of_all_loops_are_listed) {
  weft::run(
      [] {
        weft::event stop;
        std::atomic<int> waiting{0};
        weft::scope all;
        for (int i = 0; i < 50; ++i) {
          all.go(
              [&] {
                ++waiting;
                stop.wait();
              },
              {.name = "parked"});
        }
        while (waiting < 50) weft::sleep_for(1ms);
        std::size_t parked = 0;
        for (const weft::fiber_info& one : weft::list_fibers()) parked += one.name == "parked" ? 1U : 0U;
        EXPECT_EQ(parked, 50U);
        EXPECT_EQ(weft::statistics().fibers, weft::list_fibers().size());
        stop.set();
        all.join();
      },
      four_loops);
}

TEST(threads, plain_threads_and_fibers_of_all_loops_share_a_channel) {
  constexpr int each = 1000;
  weft::channel<int> values(8);
  std::atomic<long> sum{0};
  std::thread feeder([&] {
    for (int n = 1; n <= each; ++n) values.push(n);
    values.close();
  });
  weft::run(
      [&] {
        weft::scope all;
        for (int i = 0; i < 6; ++i) {
          all.go([&] {
            while (const auto value = values.pop()) sum += *value;
          });
        }
        all.join();
      },
      four_loops);
  feeder.join();
  EXPECT_EQ(sum, long{each} * (each + 1) / 2);
}

TEST(threads, a_task_that_its_poster_runs_wakes_threads_at_once) {
  weft::thread_pool pool{{.threads = 1, .queue_max = 1, .full = weft::when_full::run_here}};
  weft::promise<void> gate, begun;
  pool.post([&, open = gate.get_future()] {
    begun.set_value();
    open.wait();
  });
  begun.get_future().wait();
  pool.post([] {});
  for (int i = 0; i < 100; ++i) {
    weft::channel<int> there(1), back(1);
    std::thread echo([&] { back.push(*there.pop()); });
    while (there.statistics().consumers_waiting == 0) std::this_thread::yield();
    pool.post([&] {
      there.push(i);
      EXPECT_EQ(back.pop(), i);
    });
    echo.join();
  }
  gate.set_value();
}

}  // namespace
