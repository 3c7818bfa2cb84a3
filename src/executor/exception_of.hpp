#pragma once

#include <exception>

namespace weft::inline v1::detail {

/// What `make` gives, as a pointer; the std::bad_alloc where there is no memory for its text.
template <typename Make>
std::exception_ptr exception_of(Make&& make) noexcept {
  try {
    return std::make_exception_ptr(make());
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace weft::inline v1::detail
