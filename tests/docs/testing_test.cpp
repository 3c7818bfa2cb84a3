// What docs/testing.md shows.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <weft/core/fault_point.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/net/files.hpp>
#include <weft/testing/fake_workers.hpp>
#include <weft/testing/fault.hpp>
#include <weft/testing/macros.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/errors.hpp>

#include "support/scratch_folder.hpp"

namespace {

using namespace std::chrono_literals;

/// Tries three times, with a pause that grows.
template <typename Work>
auto patiently(Work work) {
  for (auto pause = 1s;; pause *= 2) {
    try {
      return work();
    } catch (const weft::error& failed) {
      if (pause == 4s || !weft::is_retryable(failed.code())) throw;
      weft::sleep_for(pause);
    }
  }
}

int fetch() {
  static int calls = 0;
  if (++calls % 3 != 0) throw weft::error(weft::errc::unavailable, "closed");
  return 42;
}

// example: testing_run
WEFT_TEST(fetching, survives_two_failures, .time = weft::testing::test_time::jumps) {
  const auto begun = weft::steady_clock::now();
  EXPECT_EQ(patiently(fetch), 42);
  EXPECT_GE(weft::steady_clock::now() - begun, 3s);  // of which the test waits for none
}
// end of example

TEST(docs_testing, run) {
  // example: testing_run_plain
  weft::testing::run(
      [] {
        weft::scope both;
        both.go([] { weft::sleep_for(5ms); });
        both.join();
      },
      {.deadline = 10s, .threads = 2});
  // end of example
}

// example: testing_point
struct shop {
  int charged = 0, paid = 0;

  void pay() {
    ++charged;
    weft::fault_point("shop.charged");  // what if the process ends just here?
    ++paid;
  }
};
// end of example

TEST(docs_testing, fault) {
  // example: testing_fault
  namespace kit = weft::testing;
  shop tea;
  const kit::fault at("shop.charged", kit::throws(std::runtime_error("power cut")), {.after = 1, .times = 1});
  tea.pay();
  EXPECT_THROW(tea.pay(), std::runtime_error);
  EXPECT_EQ(tea.charged - tea.paid, 1);  // so somebody has to find that out later
  // end of example
}

TEST(docs_testing, faults_of_weft) {
  const weft_test::scratch_folder folder;
  const std::string path = folder / "order";
  // example: testing_fault_in_weft
  weft::testing::run([&] {
    const weft::testing::fault full("weft.files.write", weft::testing::fails(ENOSPC));
    EXPECT_THROW(weft::files::write_file(path, "tea"), weft::error);
  });
  // end of example
}

// example: testing_workers_code
std::string preview(weft::workers::client& pool, const std::string& picture) {
  try {
    return pool.call<std::string>("thumbnail", picture);
  } catch (const weft::workers::worker_died&) {
    return "no preview";
  }
}
// end of example

TEST(docs_testing, workers) {
  // example: testing_workers
  weft::testing::fake_workers fake([](weft::services&, weft::workers::interfaces& offered) {
    offered.add("thumbnail", [](std::string picture) { return "small " + picture; });
  });
  weft::workers::client pool(fake.options({.max_workers = 4}));

  fake.on("thumbnail").runs().crashes();
  EXPECT_EQ(preview(pool, "cat.png"), "small cat.png");
  EXPECT_EQ(preview(pool, "dog.png"), "no preview");
  EXPECT_EQ(fake.calls().back().arguments, R"(["dog.png"])");
  // end of example
}

}  // namespace
