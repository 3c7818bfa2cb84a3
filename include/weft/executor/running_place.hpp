#pragma once

#include <weft/core/task_block.hpp>

namespace weft::inline v1 {
class executor_core;
struct executor_task;
}  // namespace weft::inline v1

namespace weft::inline v1::detail {

/// Where a task runs: on `on`, which may itself be a task of the executor around it (a strand of a pool).
/// On the stack of whoever runs it; a loop has one for all its fibers.
struct running_place {
  executor_core* on = nullptr;          ///< null: it only runs callbacks of futures
  const executor_task* task = nullptr;  ///< null for a fiber's loop
  running_place* around = nullptr;
  unsigned depth = 0;  ///< how many are around it
};

/// Does the running task, or one that it runs inside of, run at `place`? Compares addresses only.
bool is_inside(const running_place* place) noexcept;
/// The same, of an executor.
bool is_inside(const executor_core& on) noexcept;

}  // namespace weft::inline v1::detail
