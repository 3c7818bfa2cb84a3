#include <weft/workers/client.hpp>

#include <csignal>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/closure/closure.hpp>
#include <weft/codec/codec.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/process/self.hpp>
#include <weft/trace/propagation.hpp>

#include "workers/test_program.hpp"

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::workers::client;
using weft_test::is_gone;

// Runs on a fiber; what it throws fails the test.
template <typename Body>
void on_fiber(Body body) {
  EXPECT_EQ(weft::run([&] { body(); }), 0);
}

template <typename Error, typename Action>
Error caught(Action action) {
  try {
    action();
  } catch (const Error& wanted) {
    return wanted;
  } catch (const std::exception& other) {
    throw std::runtime_error(std::string("thrown instead: ") + other.what());
  }
  throw std::runtime_error("nothing was thrown");
}

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

// Two calls that each wait 50 ms, blocking their processes, are together done well before 100.
TEST(client, two_workers_answer_at_the_same_time) {
  client pool({.min_workers = 2, .max_workers = 2});
  on_fiber([&] {
    pool.call("nothing");
    const auto start = weft::steady_clock::now();
    std::set<std::int64_t> pids;
    weft::scope both;
    for (int i = 0; i < 2; ++i) {
      both.go([&] {
        auto held = pool.checkout();
        held.call("block_ms", 400);
        pids.insert(held.call<std::int64_t>("pid"));
      });
    }
    both.join();
    EXPECT_EQ(pids.size(), 2U);
    EXPECT_LT(weft::steady_clock::now() - start, 790ms);
  });
}

TEST(client, min_workers_are_there_before_anybody_calls) {
  client pool({.min_workers = 3, .max_workers = 5});
  EXPECT_EQ(pool.statistics().alive, 3U);
  EXPECT_EQ(pool.statistics().busy, 0U);
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

TEST(client, an_error_comes_back_as_its_registered_type) {
  client pool;
  on_fiber([&] {
    const auto thrown = caught<weft_test::out_of_cheese>([&] { pool.call("throw_cheese", "cheddar"); });
    EXPECT_EQ(thrown.message(), "no cheddar");
    EXPECT_EQ(thrown.code(), errc::resource_exhausted);
  });
}

TEST(client, an_error_brings_its_causes_and_its_place) {
  client pool;
  on_fiber([&] {
    try {
      pool.call("throw_nested");
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error&) {
      const auto chain = weft::failure::from(std::current_exception()).chain();
      EXPECT_NE(chain.find("no dinner"), std::string::npos) << chain;
      EXPECT_NE(chain.find("no brie"), std::string::npos) << chain;
    }
    const auto unknown = caught<weft::remote_error>([&] { pool.call("throw_int"); });
    EXPECT_NE(unknown.details().where.find("worker"), std::string::npos);
  });
}

TEST(client, an_unknown_function_is_an_error_that_names_it) {
  client pool;
  on_fiber([&] {
    EXPECT_NE(std::string(caught<weft::error>([&] { pool.call("no_such"); }).what()).find("no_such"),
              std::string::npos);
  });
}

TEST(client, a_checkout_goes_on_after_an_error) {
  client pool;
  on_fiber([&] {
    auto held = pool.checkout();
    const auto first = held.call<std::int64_t>("pid");
    EXPECT_THROW(held.call("throw_cheese", "gouda"), weft_test::out_of_cheese);
    EXPECT_EQ(held.call<std::int64_t>("pid"), first);
  });
}

TEST(client, a_worker_whose_call_failed_is_replaced_unless_asked_otherwise) {
  for (const bool keep : {false, true}) {
    client pool({.min_workers = 1, .max_workers = 1, .dont_refork_after_error = keep});
    on_fiber([&] {
      const auto first = pool.call<std::int64_t>("pid");
      EXPECT_THROW(pool.call("throw_cheese", "gouda"), weft_test::out_of_cheese);
      EXPECT_EQ(pool.call<std::int64_t>("pid") == first, keep);
    });
  }
}

TEST(client, a_worker_is_replaced_after_its_checkouts) {
  client pool({.min_workers = 1, .max_workers = 1, .max_checkouts = 2});
  on_fiber([&] {
    const auto first = pool.call<std::int64_t>("pid");
    EXPECT_EQ(pool.call<std::int64_t>("pid"), first);
    EXPECT_NE(pool.call<std::int64_t>("pid"), first);
    EXPECT_TRUE(is_gone(static_cast<pid_t>(first)));
  });
}

TEST(client, large_arguments_and_answers_pass) {
  client pool;
  on_fiber([&] {
    const std::string large(1 << 20, 'x');
    EXPECT_EQ(pool.call<std::string>("echo", large), large);
  });
}

TEST(client, arguments_over_the_limit_are_refused_and_the_worker_goes_on) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto first = held.call<std::int64_t>("pid");
    const auto thrown =
        caught<weft::error>([&] { held.call<std::string>("echo", std::string(17 << 20, 'x')); });
    EXPECT_EQ(thrown.code(), errc::too_large);
    EXPECT_EQ(held.call<std::int64_t>("pid"), first);
  });
}

TEST(client, an_answer_over_the_limit_is_refused_and_the_worker_goes_on) {
  client pool({.min_workers = 1, .max_workers = 1, .message_bytes_max = 1000});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto first = held.call<std::int64_t>("pid");
    EXPECT_EQ(caught<weft::error>([&] { held.call<std::string>("zeros", 5000); }).code(), errc::too_large);
    EXPECT_EQ(held.call<std::int64_t>("pid"), first);
  });
}

TEST(client, context_travels_as_far_as_its_keys_say) {
  client pool;
  on_fiber([&] {
    const weft::scoped_value one(weft_test::request, "r-17");
    const weft::scoped_value other(weft_test::secret, "s-18");
    EXPECT_EQ(pool.call<std::string>("request"), "r-17");
    EXPECT_EQ(pool.call<std::string>("secret"), "none");
  });
}

TEST(client, trace_and_baggage_travel_and_records_show_them) {
  const std::vector<weft::trace::header> sent{
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"tracestate", "foo=1"},
      {"baggage", "a=b;p"}};
  client pool;
  on_fiber([&] {
    weft::log::collector log;
    weft::trace::from_headers(sent).run([&] {
      EXPECT_EQ(pool.call<std::string>("trace_headers"),
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 foo=1 a=b;p ");
      pool.call("say", "inside");
    });
    EXPECT_EQ(pool.call<std::string>("trace_headers"), "");
    const auto records = log.take();
    ASSERT_EQ(records.size(), 1U);
    ASSERT_EQ(records[0].context.size(), 2U);
    EXPECT_EQ(records[0].context[0].text, "b7ad6b7169203331");
    EXPECT_EQ(records[0].context[1].text, "0af7651916cd43dd8448eb211c80319c");
  });
}

TEST(client, the_deadline_travels) {
  client pool({.timeout = 10s});
  on_fiber([&] {
    EXPECT_GT(pool.call<std::int64_t>("remaining_ms"), 5000);
    weft::with_timeout(2s, [&] {
      const auto left = pool.call<std::int64_t>("remaining_ms");
      EXPECT_GT(left, 500);
      EXPECT_LE(left, 2000);
    });
  });
}

TEST(client, log_records_join_the_callers_log) {
  client pool;
  on_fiber([&] {
    weft::log::collector log;
    const weft::scoped_value one(weft_test::request, "r-17");
    weft::log::info("before");
    auto held = pool.checkout();
    held.call("say", "inside");
    weft::log::info("after");
    const auto records = log.take();
    ASSERT_EQ(records.size(), 3U);
    EXPECT_EQ(records[0].message, "before");
    EXPECT_EQ(records[1].message, "inside");
    EXPECT_EQ(records[2].message, "after");
    EXPECT_EQ(records[1].process_id, held.worker_pid());
    ASSERT_EQ(records[1].context.size(), 1U);
    EXPECT_EQ(records[1].context[0].text, "r-17");
    ASSERT_EQ(records[1].fields.size(), 1U);
  });
}

TEST(client, a_worker_has_the_agreed_descriptors_and_no_others) {
  const weft::unique_fd stray(::dup(1));  // without close-on-exec, as a careless library opens it
  for (const auto how : {weft::workers::start_mode::fork, weft::workers::start_mode::exec}) {
    client pool({.min_workers = 1, .start = how});
    on_fiber([&] {
      // The connection, the keep-alive pipe, and the runtime's poller and its bell.
      EXPECT_EQ(pool.call<std::string>("descriptors"),
                "anon_inode:[eventfd] anon_inode:[eventpoll] pipe socket");
    });
  }
}

TEST(client, a_limit_the_system_refuses_is_an_error_that_names_it) {
  client pool({.min_workers = 1, .limits = {.open_files = std::uint64_t{1} << 62U}});
  on_fiber([&] {
    EXPECT_NE(caught<weft::workers::start_failed>([&] { pool.call("nothing"); }).message().find("open_files"),
              std::string::npos);
  });
}

TEST(client, a_worker_has_no_signal_blocked) {
  sigset_t some;
  ::sigemptyset(&some);
  ::sigaddset(&some, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &some, nullptr);
  client pool;
  on_fiber([&] { EXPECT_EQ(pool.call<std::string>("blocked_signals"), ""); });
  ::sigprocmask(SIG_UNBLOCK, &some, nullptr);
}

TEST(client, statistics_count_what_happened) {
  client pool({.min_workers = 1, .max_workers = 2, .timeout = 10s});
  on_fiber([&] {
    auto held = pool.checkout();
    held.call("nothing");
    EXPECT_EQ(pool.statistics().busy, 1U);
    EXPECT_THROW(held.call("die_by", SIGKILL), weft::workers::worker_died);
    const auto now = pool.statistics();
    EXPECT_EQ(now.calls, 2U);
    EXPECT_EQ(now.deaths, 1U);
    EXPECT_EQ(now.started, 2U);
    EXPECT_EQ(now.alive, 1U);
  });
}

struct point {
  int x = 0;
  int y = 0;
};
WEFT_DESCRIBE(point, x, y);

TEST(client, a_closure_runs_in_a_worker) {
  client pool;
  on_fiber([&] {
    const int here = ::getpid();
    EXPECT_NE(pool.call(weft::closure{[] { return static_cast<int>(::getpid()); }}), here);
    const weft::closure add{[](point at, std::string name) { return name + std::to_string(at.x + at.y); },
                            point{40, 2}, "n"};
    EXPECT_EQ(pool.call(add), "n42");
    pool.call(weft::closure{[] {}});
  });
}

TEST(client, a_closure_gets_services_made_in_the_worker) {
  client pool;
  on_fiber([&] {
    const weft::closure count{[](weft_test::counter& counter) { return counter.next(); }};
    auto held = pool.checkout();
    EXPECT_EQ(held.call(count), 1);
    EXPECT_EQ(held.call(count), 2);
    EXPECT_EQ(held.call<int>("count"), 3);
  });
}

TEST(client, an_error_of_a_closure_is_thrown_here) {
  client pool;
  on_fiber([&] {
    EXPECT_THROW(pool.call(weft::closure{[] { throw weft_test::out_of_cheese("no feta"); }}),
                 weft_test::out_of_cheese);
    try {
      pool.call(weft::closure{[] { ::raise(SIGKILL); }});
      ADD_FAILURE() << "no error";
    } catch (const weft::workers::worker_died& died) {
      EXPECT_NE(died.message().find("closure"), std::string::npos);
    }
  });
}

TEST(client, a_pool_without_room_is_refused) {
  EXPECT_EQ(caught<weft::error>([] { client pool({.max_workers = 0}); }).code(), errc::invalid_argument);
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
