#pragma once

namespace weft::inline v1::detail {

class scheduler;

/// While it lives, its loop is in the list from which tools/gdb/weft.py finds all fibers.
class shown_to_debuggers {
 public:
  explicit shown_to_debuggers(scheduler& loop) noexcept : loop_(loop) { show(loop); }
  shown_to_debuggers(const shown_to_debuggers&) = delete;
  shown_to_debuggers& operator=(const shown_to_debuggers&) = delete;
  ~shown_to_debuggers() { hide(loop_); }

 private:
  static void show(scheduler& loop) noexcept;
  static void hide(scheduler& loop) noexcept;
  scheduler& loop_;
};

}  // namespace weft::inline v1::detail
