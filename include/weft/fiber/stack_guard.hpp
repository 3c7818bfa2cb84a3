#pragma once

#include <string_view>

namespace weft::inline v1 {

/// What stands below the stack of a fiber.
enum class stack_guard : unsigned char {
  /// A page that faults, without a mapping of its own (Linux 6.13): no limit on guarded stacks.
  lightweight,
  /// A page that faults, by mprotect: two mappings a stack, so that about half of vm.max_map_count
  /// stacks can be had; the fiber after those ends with weft::error (resource_exhausted).
  mprotect,
  /// A pattern that is compared at every switch away from the stack: an overflow is found late, after it
  /// has overwritten something; and a page more of memory for each stack.
  canary,
};

/// The first of these that the system gives; looked at once in the process. The environment variable
/// WEFT_STACK_GUARD with the name of one asks for that one or a later one.
stack_guard stack_guard_in_use() noexcept;

/// "lightweight", "mprotect" or "canary".
std::string_view to_string(stack_guard guard) noexcept;

}  // namespace weft::inline v1
