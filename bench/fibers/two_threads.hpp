#pragma once

#include <thread>
#include <utility>

#include <weft/fiber/run.hpp>

namespace weft::bench {

/// Runs one function on a fiber of this thread and the other on one of a second thread, at the same time.
template <typename Here, typename There>
void on_two_threads(Here&& here, There&& there) {
  std::thread other([&] { weft::run(std::forward<There>(there)); });
  weft::run(std::forward<Here>(here));
  other.join();
}

}  // namespace weft::bench
