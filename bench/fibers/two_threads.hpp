#pragma once

#include <atomic>
#include <thread>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace weft::bench {

/// Runs one function on a fiber of this thread and the other on one of a second thread of the same run.
template <typename Here, typename There>
void on_two_threads(const Here& here, const There& there) {
  const auto main = [&] {
    std::atomic<bool> started{false};
    auto other = weft::go([&] {
      started.store(true);
      there();
    });
    // Only the other thread can start it: this one is busy, and does not wait.
    while (!started.load()) std::this_thread::yield();
    here();
    other.join();
  };
  weft::run(main, {.threads = 2});
}

}  // namespace weft::bench
