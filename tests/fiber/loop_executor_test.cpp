#include <weft/executor/executor.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/executor/common_pool.hpp>
#include <weft/executor/strand.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/simulate.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec tenant_spec{.name = "test.loop_executor_tenant"};
const weft::key<int> tenant{tenant_spec};

TEST(loop_executor, is_current_on_a_fiber_and_runs_each_task_as_a_fiber_of_that_thread) {
  weft::run(
      [] {
        const weft::executor here = weft::current_executor();
        const auto own = std::this_thread::get_id();
        for (int i = 0; i < 100; ++i) {
          here.submit([&] {
                EXPECT_TRUE(weft::this_fiber::in_fiber());
                EXPECT_TRUE(std::this_thread::get_id() == own);
                EXPECT_TRUE(weft::current_executor() == here);
                weft::yield();
              })
              .get();
        }
      },
      {.threads = 2});
}

TEST(loop_executor, takes_tasks_from_other_threads_with_their_context) {
  weft::thread_pool pool{{.threads = 2}};
  weft::run([&] {
    const weft::executor here = weft::current_executor();
    std::vector<weft::future<int>> seen;
    for (int i = 0; i < 100; ++i) {
      auto posted = pool.submit([&here, i] {
        return weft::with(tenant, i, [&] { return here.submit([] { return tenant.value_or(-1); }); });
      });
      seen.push_back(posted.get());
    }
    for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)].get(), i);
  });
}

TEST(loop_executor, refuses_when_its_run_has_ended) {
  std::optional<weft::executor> kept;
  weft::run([&] { kept = weft::current_executor(); });
  try {
    kept->post([] {});
    FAIL() << "it was accepted";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::closed);
  }
}

TEST(loop_executor, posts_that_race_with_the_end_of_the_run_run_or_are_refused_or_dropped) {
  weft::thread_pool pool{{.threads = 2}};
  for (int round = 0; round < 200; ++round) {
    std::vector<weft::future<std::optional<weft::future<int>>>> posts;
    weft::run([&] {
      for (int i = 0; i < 4; ++i) {
        posts.push_back(pool.submit([here = weft::current_executor()]() -> std::optional<weft::future<int>> {
          try {
            return here.submit([] { return 1; });
          } catch (const weft::error&) {
            return std::nullopt;
          }
        }));
      }
    });
    for (auto& one : posts) {
      auto posted = one.get();
      if (!posted) continue;
      try {
        EXPECT_EQ(posted->get(), 1);
      } catch (const weft::cancelled&) {
      }
    }
  }
}

TEST(loop_executor, hands_the_error_of_a_posted_task_to_the_run_once) {
  std::vector<std::string> told;
  weft::run([] { weft::current_executor().post([] { throw std::runtime_error("posted"); }); },
            {.on_uncaught = [&](const weft::uncaught_error& what) {
              try {
                std::rethrow_exception(what.error);
              } catch (const std::exception& thrown) {
                told.emplace_back(thrown.what());
              }
            }});
  EXPECT_EQ(told, std::vector<std::string>{"posted"});
}

TEST(loop_executor, a_strand_of_it_waits_inside_its_tasks_and_still_runs_one_at_a_time) {
  weft::run([] {
    const weft::strand line(weft::current_executor());
    int inside = 0;
    std::vector<weft::future<void>> done;
    for (int i = 0; i < 40; ++i) {
      done.push_back(line.submit([&] {
        EXPECT_EQ(++inside, 1);
        weft::yield();
        --inside;
      }));
    }
    for (auto& one : done) one.get();
  });
}

TEST(loop_executor, a_fiber_of_a_run_on_the_only_thread_of_a_pool_may_not_wait_for_that_pool) {
  weft::thread_pool pool{weft::thread_pool_options::single()};
  auto told = pool.submit([&] {
    bool refused = false;
    weft::run([&] {
      try {
        pool.submit([] {}).get();
      } catch (const weft::error& error) {
        refused = error.code() == weft::errc::deadlock;
      }
    });
    return refused;
  });
  EXPECT_TRUE(told.get());
}

TEST(loop_executor, a_run_may_wait_for_the_end_of_a_pool_while_nothing_else_goes_on) {
  for (int round = 0; round < 200; ++round) {
    weft::run([] {
      weft::thread_pool pool;
      EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
    });
  }
}

TEST(loop_executor, a_simulation_has_a_common_pool_of_its_own) {
  weft::simulate(1, [] {
    EXPECT_EQ(weft::common_pool().submit([] { return 5; }).get(), 5);
    EXPECT_EQ(weft::common_pool().concurrency(), 4U);
  });
}

TEST(loop_executor, strands_and_pools_of_all_kinds_replay_in_a_simulation) {
  const auto program = [] {
    weft::thread_pool pool{{.threads = 2, .queue_max = 2, .full = weft::when_full::wait, .idle_max = 10ms}};
    const weft::strand line(pool);
    int counted = 0;
    std::vector<weft::fiber<void>> posters;
    for (int p = 0; p < 3; ++p) {
      posters.push_back(weft::go([&] {
        for (int i = 0; i < 5; ++i) {
          line.submit([&] { ++counted; }).get();
          pool.submit([] {}).get();
        }
      }));
    }
    for (auto& one : posters) one.join();
    EXPECT_EQ(counted, 15);
  };
  weft::simulate_many(program, {.count = 100});
}

}  // namespace
