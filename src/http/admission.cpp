#include "http/admission.hpp"

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/loop_rest.hpp>

namespace weft::inline v1::http::detail {

namespace {

/// A way through the line that took no longer met nobody.
constexpr std::chrono::microseconds empty_line{5};

}  // namespace

admission::admission(std::atomic<std::size_t>& running, std::size_t requests_max,
                     std::chrono::milliseconds delay_max) noexcept
    : running_(running),
      requests_max_(requests_max),
      measures_(delay_max.count() > 0),
      by_delay_(delay_max, loop_at_rest) {}

bool admission::begin() noexcept {
  if (measures_ && !came_in_time()) return false;
  if (!has_room()) return false;
  by_delay_.serves();
  return true;
}

bool admission::has_room() noexcept {
  if (requests_max_ == 0) return true;
  std::size_t now = running_.load(std::memory_order_relaxed);
  do {
    if (now >= requests_max_) return false;
  } while (!running_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
  return true;
}

bool admission::came_in_time() noexcept {
  if (!by_delay_.is_walking()) wanted_.set();
  return by_delay_.takes(steady_clock::now());
}

void admission::measure() {
  while (true) {
    wanted_.wait();
    wanted_.reset();
    by_delay_.end_walk(steady_clock::now());  // that of who asked for it
    do {
      yield();
    } while (by_delay_.end_walk(steady_clock::now()) > empty_line);
    by_delay_.pause();
  }
}

}  // namespace weft::inline v1::http::detail
