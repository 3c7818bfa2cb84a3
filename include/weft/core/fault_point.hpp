#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace weft::inline v1 {

namespace detail {

/// How many points are armed in the process. Read by everybody, written by tests.
extern constinit std::atomic<std::uint32_t> armed_fault_points;

/// What a test has happen at a point: it may throw and wait, and gives the errno to fail with, or 0.
using fault_hook = std::function<int()>;
/// Arms a point. Throws weft::error (already_exists) where it is.
void arm_fault_point(const std::string& name, fault_hook hook);
void disarm_fault_point(const std::string& name) noexcept;

int pass_fault_point(const char* name);
void pass_fault_point_or_throw(const char* name);

}  // namespace detail

/// A place with a name, at which a test may let something go wrong: throw, wait, or cancel the task
/// (weft::testing::fault arms it, by this name). Put it where a failure is hard to bring about otherwise,
/// such as between two writes.
///
///     void pay(order& what) {
///       bank_.charge(what);
///       weft::fault_point("shop.charged");
///       store_.mark_paid(what);
///     }
///
/// An errno that a test asks for is thrown as system_error(name, errno). `name` is a literal; names that
/// begin with "weft." are weft's own. Any thread. Costs a load and a branch where no point of the process is
/// armed.
inline void fault_point(const char* name) {
  if (detail::armed_fault_points.load(std::memory_order_relaxed) != 0) [[unlikely]]
    detail::pass_fault_point_or_throw(name);
}

/// The same beside a system call: what it is to fail with, in errno too, and 0 for "make the call".
///
///     const int failed = weft::fault_errno("shop.till.open");
///     const int fd = failed != 0 ? -1 : ::open(path, O_RDWR);
[[nodiscard]] inline int fault_errno(const char* name) {
  if (detail::armed_fault_points.load(std::memory_order_relaxed) == 0) [[likely]]
    return 0;
  return detail::pass_fault_point(name);
}

/// A fault point in weft itself.
struct known_fault_point {
  const char* name;
  const char* place;  ///< what is about to happen there, for people
  bool errno_only;    ///< what a test has happen there must neither throw nor wait
};

/// Those of weft, by name.
std::span<const known_fault_point> known_fault_points() noexcept;

}  // namespace weft::inline v1
