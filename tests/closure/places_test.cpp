// Closures and services where tasks wait: on fibers, and on a pool.
#include <gtest/gtest.h>

#include <weft/closure/closure.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

struct connection {
  int number = 0;
};

TEST(closure, goes_to_a_fiber_and_to_a_pool) {
  weft::services app;
  app.add<connection>([] { return connection{40}; });
  const weft::closure c{[](connection& to, int more) { return to.number + more; }, 2};
  weft::thread_pool pool({.threads = 1, .name = "test"});
  EXPECT_EQ(pool.submit(c.in(app)).get(), 42);
  const int status = weft::run([&] {
    auto child = weft::go(c.in(app));
    EXPECT_EQ(child.join(), 42);
    return 0;
  });
  EXPECT_EQ(status, 0);
}

// The first fiber's factory waits; the second one must wait for it and not make another.
TEST(services, are_made_once_when_fibers_ask_while_the_factory_waits) {
  weft::services app;
  int made = 0;
  const int status = weft::run([&] {
    weft::event go_on;
    app.add<connection>([&] {
      go_on.wait();
      return connection{++made};
    });
    auto first = weft::go([&] { return app.get<connection>().number; });
    auto second = weft::go([&] { return app.get<connection>().number; });
    weft::yield();  // both run until they wait
    go_on.set();
    EXPECT_EQ(first.join(), 1);
    EXPECT_EQ(second.join(), 1);
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(made, 1);
}

}  // namespace
