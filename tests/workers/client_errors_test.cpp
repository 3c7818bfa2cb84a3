#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/codec/codec.hpp>
#include <weft/core/failure.hpp>
#include <weft/workers/client.hpp>

#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// What goes wrong in a call, and what that leaves behind.

namespace {

using weft::errc;
using weft::workers::client;
using weft_test::caught;
using weft_test::on_fiber;

TEST(client_errors, an_error_comes_back_as_its_registered_type) {
  client pool;
  on_fiber([&] {
    const auto thrown = caught<weft_test::out_of_cheese>([&] { pool.call("throw_cheese", "cheddar"); });
    EXPECT_EQ(thrown.message(), "no cheddar");
    EXPECT_EQ(thrown.code(), errc::resource_exhausted);
  });
}

TEST(client_errors, an_error_brings_its_causes_and_its_place) {
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

// Sanitizers watch throws themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(client_errors, an_error_brings_the_calls_that_led_to_it) {
  using weft::workers::error_stacks;
  for (const auto wanted : {error_stacks::none, error_stacks::addresses, error_stacks::names}) {
    client pool({.error_stacks = wanted});
    on_fiber([&] {
      const auto thrown = caught<weft::remote_error>([&] { pool.call("throw_int"); });
      std::string stack;
      for (const auto& line : thrown.details().stack) stack += line + "\n";
      EXPECT_EQ(stack.empty(), wanted == error_stacks::none) << stack;
      EXPECT_EQ(stack.find("test_workers_client_errors+0x") != std::string::npos,
                wanted != error_stacks::none)
          << stack;
      EXPECT_EQ(stack.find("offer_failures") != std::string::npos, wanted == error_stacks::names) << stack;
    });
  }
}
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(client_errors, each_error_of_a_worker_brings_its_own_stack) {
  client pool({.min_workers = 1, .max_workers = 1});
  on_fiber([&] {
    auto held = pool.checkout();
    std::vector<std::string> tops;
    for (const char* function : {"throw_int", "throw_text", "throw_int"}) {
      const auto thrown = caught<weft::remote_error>([&] { held.call(function); });
      ASSERT_FALSE(thrown.details().stack.empty());
      tops.push_back(thrown.details().stack.front());
    }
    EXPECT_NE(tops[0], tops[1]);
    EXPECT_EQ(tops[0], tops[2]);
  });
}
#endif

TEST(client_errors, an_unknown_function_is_an_error_that_names_it) {
  client pool;
  on_fiber([&] {
    EXPECT_NE(std::string(caught<weft::error>([&] { pool.call("no_such"); }).what()).find("no_such"),
              std::string::npos);
  });
}

TEST(client_errors, a_checkout_goes_on_after_an_error) {
  client pool;
  on_fiber([&] {
    auto held = pool.checkout();
    const auto first = held.call<std::int64_t>("pid");
    EXPECT_THROW(held.call("throw_cheese", "gouda"), weft_test::out_of_cheese);
    EXPECT_EQ(held.call<std::int64_t>("pid"), first);
  });
}

TEST(client_errors, a_worker_whose_call_failed_is_replaced_unless_asked_otherwise) {
  for (const bool keep : {false, true}) {
    client pool({.min_workers = 1, .max_workers = 1, .dont_refork_after_error = keep});
    on_fiber([&] {
      const auto first = pool.call<std::int64_t>("pid");
      EXPECT_THROW(pool.call("throw_cheese", "gouda"), weft_test::out_of_cheese);
      EXPECT_EQ(pool.call<std::int64_t>("pid") == first, keep);
    });
  }
}

TEST(client_errors, arguments_over_the_limit_are_refused_and_the_worker_goes_on) {
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

TEST(client_errors, an_answer_over_the_limit_is_refused_and_the_worker_goes_on) {
  client pool({.min_workers = 1, .max_workers = 1, .message_bytes_max = 1000});
  on_fiber([&] {
    auto held = pool.checkout();
    const auto first = held.call<std::int64_t>("pid");
    EXPECT_EQ(caught<weft::error>([&] { held.call<std::string>("zeros", 5000); }).code(), errc::too_large);
    EXPECT_EQ(held.call<std::int64_t>("pid"), first);
  });
}

TEST(client_errors, a_limit_the_system_refuses_is_an_error_that_names_it) {
  client pool({.min_workers = 1, .limits = {.open_files = std::uint64_t{1} << 62U}});
  on_fiber([&] {
    EXPECT_NE(caught<weft::workers::start_failed>([&] { pool.call("nothing"); }).message().find("open_files"),
              std::string::npos);
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
