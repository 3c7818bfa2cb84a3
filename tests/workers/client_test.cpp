#include <weft/workers/client.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/codec/codec.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>

#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// Calls, checkouts and the line for them.

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::workers::client;
using weft_test::caught;
using weft_test::on_fiber;

TEST(client, a_call_runs_in_another_process) {
  client pool;
  on_fiber([&] { EXPECT_NE(pool.call<std::int64_t>("pid"), ::getpid()); });
}

TEST(client, arguments_and_answers_keep_their_types) {
  client pool;
  on_fiber([&] {
    EXPECT_EQ(pool.call<std::int64_t>("sum", 40, 2), 42);
    EXPECT_EQ(pool.call<std::string>("echo", "λ😀\n\"\\"), "λ😀\n\"\\");
    pool.call("nothing");
  });
}

TEST(client, calls_of_one_checkout_go_to_one_worker) {
  client pool;
  on_fiber([&] {
    auto held = pool.checkout();
    const auto first = held.call<std::int64_t>("pid");
    EXPECT_EQ(held.call<std::int64_t>("pid"), first);
    EXPECT_EQ(held.worker_pid(), first);
  });
}

TEST(client, a_plain_thread_may_call) {
  client pool;
  EXPECT_EQ(pool.call<std::int64_t>("sum", 1, 2), 3);
}

TEST(client, a_worker_outlives_the_run_that_used_it) {
  client pool({.min_workers = 1, .max_workers = 1});
  std::int64_t first = 0;
  on_fiber([&] { first = pool.call<std::int64_t>("pid"); });
  on_fiber([&] { EXPECT_EQ(pool.call<std::int64_t>("pid"), first); });
  EXPECT_EQ(pool.call<std::int64_t>("pid"), first);
}

TEST(client, the_line_is_served_in_order_of_arrival) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    std::vector<int> order;
    weft::scope all;
    for (int i = 0; i < 5; ++i) {
      all.go([&, i] {
        pool.call("nothing");
        order.push_back(i);
      });
    }
    weft::yield();
    EXPECT_EQ(pool.statistics().waiting, 5U);
    { auto given_back = std::move(held); }
    all.join();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
  });
}

TEST(client, a_call_that_finds_the_line_full_is_refused) {
  client pool({.min_workers = 1, .max_workers = 1, .max_waiting = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    weft::scope waiting;
    waiting.go([&] { pool.call("nothing"); });
    weft::yield();
    EXPECT_EQ(caught<weft::error>([&] { pool.call("nothing"); }).code(), errc::resource_exhausted);
    { auto given_back = std::move(held); }
    waiting.join();
  });
}

TEST(client, waiting_for_a_worker_counts_against_the_time) {
  client pool({.min_workers = 1, .max_workers = 1, .timeout = 30ms});
  on_fiber([&] {
    auto held = pool.checkout({.timeout = 10s});
    held.call("nothing");
    EXPECT_TRUE(caught<weft::workers::call_timed_out>([&] { pool.call("nothing"); }).was_waiting());
  });
}

TEST(client, large_arguments_and_answers_pass) {
  client pool;
  on_fiber([&] {
    const std::string large(1 << 20, 'x');
    EXPECT_EQ(pool.call<std::string>("echo", large), large);
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
