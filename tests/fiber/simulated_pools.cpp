// Pools, blocking and futures in the orders of many seeds: each task ends once, whatever cancels it.
#include <chrono>
#include <optional>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/simulate.hpp>

namespace {

using weft::simulation::random;
using weft::simulation::require;

std::chrono::milliseconds some_ms() { return std::chrono::milliseconds(random(4)); }

void submit_and_shut_down() {
  int ran = 0;
  std::size_t ended = 0;
  std::vector<weft::future<void>> results;
  weft::thread_pool pool{{.threads = 1 + random(3)}};
  for (int i = 0; i < 5; ++i) {
    results.push_back(pool.submit([&] {
      weft::sleep_for(some_ms());
      ++ran;
    }));
  }
  const auto report = pool.shutdown(some_ms());
  for (auto& one : results) {
    const auto outcome = one.get_result();
    ended += outcome.has_value() ? 0 : 1;
  }
  require(static_cast<std::size_t>(ran) + ended == results.size(), "each task ended one way");
  require(report.dropped_tasks <= ended, "who was dropped did not run");
}

void block_and_time_out() {
  int ran = 0;
  weft::scope all;
  for (int i = 0; i < 3; ++i) {
    all.go([&] {
      try {
        weft::with_timeout(some_ms(), [&] {
          weft::blocking([&] {
            ++ran;
            weft::sleep_for(some_ms());
          });
        });
      } catch (const weft::deadline_exceeded&) {
      }
    });
  }
  all.join();
  require(ran <= 3, "each ran at most once");
}

void promise_and_wait() {
  weft::promise<int> promise;
  auto future = promise.get_future();
  auto setter = weft::go([&] {
    weft::sleep_for(some_ms());
    promise.set_value(7);
  });
  const bool early = future.wait_for(some_ms());
  require(future.get() == 7, "its value, early or late");
  require(early || setter.join_for(std::chrono::seconds(1)), "it was set");
}

}  // namespace

int main() {
  return weft::simulated_main([] {
    submit_and_shut_down();
    block_and_time_out();
    promise_and_wait();
  });
}
