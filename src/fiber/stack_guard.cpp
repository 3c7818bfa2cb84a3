#include <weft/fiber/stack_guard.hpp>

#include <cstdlib>

#include "fiber/sanitizer.hpp"
#include "fiber/stack_memory.hpp"

namespace weft::inline v1 {
namespace {

stack_guard asked_for() noexcept {
  const char* const name = std::getenv("WEFT_STACK_GUARD");
  for (const stack_guard one : {stack_guard::mprotect, stack_guard::canary}) {
    if (name != nullptr && to_string(one) == name) return one;
  }
  // Valgrind does not know lightweight guards.
  return detail::sanitizer::on_valgrind() ? stack_guard::mprotect : stack_guard::lightweight;
}

bool can_be_had(stack_guard guard) noexcept {
  char* const probe = detail::map_stacks(detail::guard_bytes);
  if (probe == nullptr) return false;
  const bool had = detail::guard_stacks(probe, 1, detail::guard_bytes, guard);
  detail::unmap_stacks(probe, detail::guard_bytes);
  return had;
}

stack_guard choose() noexcept {
  const stack_guard first = asked_for();
  for (const stack_guard one : {stack_guard::lightweight, stack_guard::mprotect}) {
    if (one >= first && can_be_had(one)) return one;
  }
  return stack_guard::canary;
}

}  // namespace

stack_guard stack_guard_in_use() noexcept {
  static const stack_guard chosen = choose();
  return chosen;
}

std::string_view to_string(stack_guard guard) noexcept {
  switch (guard) {
    case stack_guard::lightweight:
      return "lightweight";
    case stack_guard::mprotect:
      return "mprotect";
    case stack_guard::canary:
      return "canary";
  }
  return "";
}

}  // namespace weft::inline v1
