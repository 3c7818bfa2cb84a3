#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <thread>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

struct waits_at_its_end {
  ~waits_at_its_end() { weft::sleep_for(1h); }
};

void cancel_in_a_destructor() {
  weft::run([] {
    auto one = weft::go(
        [] {
          const waits_at_its_end held;
          weft::checkpoint();
        },
        {.name = "careless"});
    weft::yield();
    one.cancel();
    one.join();
  });
}

TEST(terminate_DeathTest, of_a_wait_in_a_destructor_names_the_fiber_the_wait_and_the_remedy) {
  EXPECT_DEATH(cancel_in_a_destructor(), "\"careless\".*cancelled \\(requested\\) in sleep.*weft::shield");
}

[[gnu::noinline]] void fails() { throw std::runtime_error("not so"); }

TEST(terminate_DeathTest, of_an_error_in_a_noexcept_function_names_the_fiber_and_the_error) {
  EXPECT_DEATH(weft::run([] { weft::go([]() noexcept { fails(); }, {.name = "sure"}).join(); }),
               "\"sure\".*not so");
}

TEST(terminate_DeathTest, goes_on_with_the_handler_that_was_there_before) {
  EXPECT_EXIT(
      {
        std::set_terminate([] { std::_Exit(42); });
        weft::run([] { std::terminate(); });
      },
      testing::ExitedWithCode(42), "std::terminate was called");
}

TEST(terminate, is_as_it_was_after_the_run) {
  const std::terminate_handler before = std::get_terminate();
  weft::run([&] {
    EXPECT_NE(std::get_terminate(), before);
    std::thread([] { weft::run([] {}); }).join();
    EXPECT_NE(std::get_terminate(), before);
  });
  EXPECT_EQ(std::get_terminate(), before);
}

}  // namespace
