#include "http/admission.hpp"

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/loop_rest.hpp>

namespace weft::http::detail {

namespace {

/// A way through the line that took no longer met nobody.
constexpr std::chrono::microseconds empty_line{5};

}  // namespace

bool admission::begin() noexcept {
  if (measures() && !came_in_time() && served_in_walk_) return false;
  if (!has_room()) return false;
  served_in_walk_ = true;
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
  const steady_time now = steady_clock::now();
  if (!in_line_since_) {
    in_line_since_ = now;
    wanted_.set();
    return true;
  }
  const auto waited = now - *in_line_since_;
  if (waited <= delay_max_) return true;
  return waited <= interval && now - loop_at_rest() < interval;
}

void admission::measure() {
  while (true) {
    wanted_.wait();
    wanted_.reset();
    steady_time now = steady_clock::now();
    do {
      in_line_since_ = now;
      served_in_walk_ = false;
      yield();
      now = steady_clock::now();
    } while (now - *in_line_since_ > empty_line);
    in_line_since_.reset();
  }
}

}  // namespace weft::http::detail
