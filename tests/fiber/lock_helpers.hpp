#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

// What the tests of the locks share.

/// Lets others run until `holds()`; from a fiber or a plain thread.
template <typename Condition>
void until(Condition holds) {
  while (!holds()) {
    if (weft::this_fiber::in_fiber()) weft::yield();
    std::this_thread::yield();
  }
}

/// Lets others run until `count` tasks wait in `primitive`.
template <typename Primitive>
void until_waiting(const Primitive& primitive, std::size_t count) {
  until([&] { return primitive.waiting() >= count; });
}

/// Starts tasks, on fibers, plain threads, or in turn on both, and joins them at its end.
class crew {
 public:
  enum class kind { fibers, threads, mixed };

  explicit crew(kind of) : of_(of) {}
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  ~crew() { join(); }

  template <typename Work>
  void start(Work work) {
    const bool thread = of_ == kind::threads || (of_ == kind::mixed && started_ % 2 == 1);
    ++started_;
    if (thread) {
      threads_.emplace_back(std::move(work));
    } else {
      fibers_.push_back(weft::go(std::move(work)));
    }
  }

  void join() {
    for (auto& one : fibers_) one.join();
    for (auto& one : threads_) one.join();
    fibers_.clear();
    threads_.clear();
  }

 private:
  kind of_;
  std::size_t started_ = 0;
  std::vector<weft::fiber<void>> fibers_;
  std::vector<std::thread> threads_;
};

/// All kinds, and their names, for INSTANTIATE_TEST_SUITE_P.
inline auto kinds_of_crew() {
  return testing::Values(crew::kind::fibers, crew::kind::threads, crew::kind::mixed);
}
struct kind_name {
  std::string operator()(const testing::TestParamInfo<crew::kind>& one) const {
    constexpr const char* names[] = {"fibers", "threads", "fibers_and_threads"};
    return names[static_cast<std::size_t>(one.param)];
  }
};

/// Runs `work` on `fibers` fibers of one loop and `threads` plain threads, all at a time.
inline void on_fibers_and_threads(std::size_t fibers, std::size_t threads,
                                  const std::function<void()>& work) {
  std::vector<std::thread> plain;
  for (std::size_t i = 0; i < threads; ++i) plain.emplace_back(work);
  weft::run([&] {
    std::vector<weft::fiber<void>> all;
    for (std::size_t i = 0; i < fibers; ++i) all.push_back(weft::go(work));
    for (auto& one : all) one.join();
  });
  for (auto& one : plain) one.join();
}

/// Runs `work` on `fibers` fibers of a run with `threads` threads.
inline void on_loops(std::size_t threads, std::size_t fibers, const std::function<void()>& work) {
  const auto main = [&] {
    std::vector<weft::fiber<void>> all;
    for (std::size_t i = 0; i < fibers; ++i) all.push_back(weft::go(work));
    for (auto& one : all) one.join();
  };
  weft::run(main, {.threads = threads});
}
