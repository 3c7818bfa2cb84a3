// The examples of docs/coming-from-go.md and docs/coming-from-swoole.md.

#include <gtest/gtest.h>

#include <any>
#include <chrono>
#include <stdexcept>
#include <string>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>

namespace {

using namespace std::chrono_literals;

// example: exit_at_depth
void deep() { weft::exit(3); }  // throws from here; destructors run
void deeper() { deep(); }

int exits_at_depth() {
  return weft::run([] {
    weft::go([] { deeper(); });
    weft::sleep_for(1h);  // cancelled
  });
}
// end of example

TEST(coming_from, exit_at_depth) { EXPECT_EQ(exits_at_depth(), 3); }

TEST(coming_from, exit_with_a_status) {
  // example: exit_with_a_status
  const int status = weft::run([] { weft::exit(std::string("no configuration")); });
  EXPECT_EQ(status, 0);  // not an int: run gives 0, and the status itself is in last_exit()
  EXPECT_EQ(std::any_cast<std::string>(weft::last_exit()), "no configuration");
  // end of example
}

TEST(coming_from, exit_caught) {
  weft::run([] {
    // example: exit_caught
    try {
      weft::exit(7);
    } catch (const weft::exit_exception& stop) {  // not a std::exception: caught by name only
      EXPECT_EQ(stop.status_code(), 7);
      EXPECT_TRUE(stop.in_fiber());
      EXPECT_FALSE(stop.in_server());
    }
    // end of example
  });
}

TEST(coming_from, catch_wrong) {
  int seen = 0;
  bool caught = false;
  weft::run(
      [&] {
        // example: catch_wrong
        try {
          weft::go([] { throw std::runtime_error("lost?"); });  // wrong: nobody joins it
        } catch (const std::runtime_error&) {
          caught = true;  // never: an exception does not cross fibers by itself
        }
        // end of example
      },
      {.on_uncaught = [&](const weft::uncaught_error&) { ++seen; }});
  EXPECT_FALSE(caught);
  EXPECT_EQ(seen, 1);
}

TEST(coming_from, catch_right) {
  bool caught = false;
  weft::run([&] {
    // example: catch_right
    auto child = weft::go([] { throw std::runtime_error("found"); });
    try {
      child.join();  // right: the joiner gets it
    } catch (const std::runtime_error&) {
      caught = true;
    }
    // end of example
  });
  EXPECT_TRUE(caught);
}

TEST(coming_from, go_errgroup) {
  weft::run([] {
    // example: go_errgroup
    weft::scope group;
    group.go([] { weft::sleep_for(1h); });
    group.go([] { throw std::runtime_error("first"); });
    EXPECT_THROW(group.join(), std::runtime_error);  // the other one was cancelled and has ended
    // end of example
  });
}

TEST(coming_from, go_channel) {
  weft::run([] {
    // example: go_channel
    weft::channel<int> results(0);  // unbuffered
    weft::scope producers;
    for (int n = 1; n <= 3; ++n) producers.go([&results, n] { results.push(n); });
    int sum = 0;
    for (int n = 0; n < 3; ++n) sum += *results.pop();
    producers.join();
    EXPECT_EQ(sum, 6);
    // end of example
  });
}

}  // namespace
