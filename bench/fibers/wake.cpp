// From a plain thread's push to the fiber that waited for it, while the fiber's thread sleeps.

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include <weft/core/unique_fd.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/run.hpp>

#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using clock_type = std::chrono::steady_clock;

constexpr int wakes = 1000;

/// Calls `wake(now)` often enough apart that the other side sleeps again in between.
void wake_sleepers(const std::function<void(clock_type::time_point)>& wake) {
  for (int n = 0; n < wakes; ++n) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    wake(clock_type::now());
  }
}

double microseconds_since(clock_type::time_point start) {
  return std::chrono::duration<double, std::micro>(clock_type::now() - start).count();
}

double wake_a_fiber() {
  std::vector<double> times;
  weft::channel<clock_type::time_point> sent(1);
  std::thread waker([&] {
    wake_sleepers([&](clock_type::time_point now) { sent.push(now); });
    sent.close();
  });
  weft::run([&] {
    while (const auto start = sent.pop()) times.push_back(microseconds_since(*start));
  });
  waker.join();
  return percentile(times, 0.5);
}

/// What it costs without a runtime: an eventfd, and a thread in epoll_wait.
double wake_bare_epoll() {
  const weft::unique_fd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const weft::unique_fd poll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(poll.get(), EPOLL_CTL_ADD, bell.get(), &event) != 0) throw unavailable("no epoll");
  std::atomic<clock_type::time_point> sent{};
  std::atomic<bool> over{false};
  std::vector<double> times;
  std::thread waker([&] {
    const auto ring = [&](clock_type::time_point now) {
      sent.store(now);
      const std::uint64_t one = 1;
      if (::write(bell.get(), &one, sizeof one) != sizeof one) std::terminate();
    };
    wake_sleepers(ring);
    over.store(true);
    ring(clock_type::now());
  });
  while (!over.load()) {  // two rings may come as one
    if (::epoll_wait(poll.get(), &event, 1, -1) != 1) continue;
    std::uint64_t rung = 0;
    if (::read(bell.get(), &rung, sizeof rung) == sizeof rung)
      times.push_back(microseconds_since(sent.load()));
  }
  waker.join();
  return percentile(times, 0.5);
}

const add wake{{
    .group = "fibers",
    .name = "wake of a sleeping loop, p50",
    .unit = "us",
    .ours = wake_a_fiber,
    .baseline = "bare eventfd and epoll",
    .peer = wake_bare_epoll,
    .target = at_most(10),
}};

}  // namespace
