#pragma once

#include <exception>

namespace weft::inline v1::detail {

/// Would a handler for `const Type&` catch it? Null holds nothing. Throws and catches what it holds, so
/// it is for what has failed anyway.
template <typename Type>
bool holds_exception(const std::exception_ptr& thrown) noexcept {
  if (thrown == nullptr) return false;
  try {
    std::rethrow_exception(thrown);
  } catch (const Type&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace weft::inline v1::detail
