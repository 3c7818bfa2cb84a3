#include <csignal>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/closure/closure.hpp>
#include <weft/codec/codec.hpp>
#include <weft/workers/client.hpp>

#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// Closures in workers.

namespace {

using weft::workers::client;
using weft_test::on_fiber;

struct point {
  int x = 0;
  int y = 0;
};
WEFT_DESCRIBE(point, x, y);

TEST(client_closure, a_closure_runs_in_a_worker) {
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

TEST(client_closure, a_closure_gets_services_made_in_the_worker) {
  client pool;
  on_fiber([&] {
    const weft::closure count{[](weft_test::counter& counter) { return counter.next(); }};
    auto held = pool.checkout();
    EXPECT_EQ(held.call(count), 1);
    EXPECT_EQ(held.call(count), 2);
    EXPECT_EQ(held.call<int>("count"), 3);
  });
}

TEST(client_closure, an_error_of_a_closure_is_thrown_here) {
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

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
