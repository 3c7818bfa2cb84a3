// Closures and services where tasks wait: on fibers, and on a pool.
#include <gtest/gtest.h>

#include <weft/closure/closure.hpp>
#include <weft/closure/registry.hpp>
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

// Which of the registrations of a program comes first is not said; here it is.
template <weft::detail::closure_name Name, weft::run_place Place>
weft::detail::closure_entry& entry_of() {
  constexpr auto function = [] {};
  return weft::detail::registration<decltype(function), weft::detail::given_name<Name>, Place>::entry;
}

template <weft::detail::closure_name Name, weft::run_place First, weft::run_place Second>
weft::run_place place_of_both() {
  weft::detail::register_closure(entry_of<Name, First>());
  weft::detail::register_closure(entry_of<Name, Second>());
  return weft::closure_registry::find(std::string(Name.view()) + "()")->runs_in;
}

TEST(placed_closure, a_place_that_is_said_holds_whether_it_comes_first_or_last) {
  using weft::run_place;
  EXPECT_EQ((place_of_both<"said.last", run_place::unsaid, run_place::pool>()), run_place::pool);
  EXPECT_EQ((place_of_both<"said.first", run_place::pool, run_place::unsaid>()), run_place::pool);
  EXPECT_EQ((place_of_both<"said.twice", run_place::pool, run_place::pool>()), run_place::pool);
}

TEST(placed_closure, holds_for_all_that_is_made_of_one_function) {
  constexpr auto named = weft::named_closure<"made.of_one">([] {});
  const weft::closure plain{named};
  const weft::closure placed{weft::placed_closure<weft::run_place::workers>(named)};
  EXPECT_EQ(plain.identity().text(), placed.identity().text());
  EXPECT_EQ(weft::closure_registry::find(plain.identity().text())->runs_in, weft::run_place::workers);
}

TEST(placed_closure_DeathTest, two_places_of_one_closure_end_the_program_and_are_named) {
  using weft::run_place;
  EXPECT_EXIT((place_of_both<"said.differently", run_place::pool, run_place::workers>()),
              testing::ExitedWithCode(70),
              "\"said.differently\" at .*places_test.cpp:.*: \"pool\" and \"workers\"");
}

}  // namespace
