#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/core/task_block.hpp>
#include <weft/core/unique_function.hpp>

// What a task keeps until its end. Users read defer.hpp and fiber_local.hpp.

namespace weft::inline v1::detail {

/// The deferred calls and the local values of one task; the only kind of task_extras.
///
/// Used by its task alone. Stays in the task's block while it ends, so that deferred calls and the
/// destructors of locals see the locals that are still there, and may add more of both.
class fiber_extras final : public task_extras {
 public:
  /// The running task's, made at first use. Throws std::bad_alloc before any change.
  static fiber_extras& current();
  /// The running task's; null if it has none.
  static fiber_extras* current_or_null() noexcept {
    return static_cast<fiber_extras*>(task_block::current().extras);
  }

  fiber_extras(const fiber_extras&) = delete;
  fiber_extras& operator=(const fiber_extras&) = delete;

  void defer(unique_function<void()> call);

  /// The value kept under `index`; null if there is none.
  void* find(std::uint32_t index) const noexcept {
    return index < locals_.size() ? locals_[index].value : nullptr;
  }
  /// Keeps `value`, to be ended by `destroy`. Throws std::bad_alloc before any change.
  void keep(std::uint32_t index, void* value, void (*destroy)(void* value) noexcept);

  void end() noexcept override;

 private:
  fiber_extras() = default;
  ~fiber_extras() = default;
  bool run_last_deferred() noexcept;
  bool end_last_local() noexcept;

  struct deferred_call {
    unique_function<void()> call;
    weft::context context;
  };
  struct local {
    void* value = nullptr;
    void (*destroy)(void* value) noexcept = nullptr;
    std::uint32_t made_before = 0;  // the one made before it; 0: none
  };
  std::vector<deferred_call> deferred_;
  std::vector<local> locals_;     // by index; index 0 is nobody's
  std::uint32_t last_local_ = 0;  // the one made last
};

/// An index for a new fiber_local: counted up in the process, never given again.
std::uint32_t next_local_index() noexcept;

}  // namespace weft::inline v1::detail
