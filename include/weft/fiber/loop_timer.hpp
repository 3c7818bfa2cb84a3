#pragma once

#include <weft/core/timer_wheel.hpp>

namespace weft::inline v1::detail {

/// A timer of a loop: `fire` is called on the loop's own stack, where nothing may wait.
struct loop_timer : timer_node {
  explicit loop_timer(void (*when_due)(loop_timer&) noexcept) noexcept : fire(when_due) {}
  void (*fire)(loop_timer& self) noexcept;
};

}  // namespace weft::inline v1::detail
