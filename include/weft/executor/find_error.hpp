#pragma once

#include <exception>
#include <vector>

namespace weft::inline v1 {

namespace detail {
/// Those that it has inside: nested in it, or of an aggregate_error.
std::vector<std::exception_ptr> errors_inside(const std::exception_ptr& thrown);

template <typename Error>
const Error* as_error(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& found) {
    return &found;
  } catch (...) {
    return nullptr;
  }
}
}  // namespace detail

/// The first error of type `Error` in `thrown`: itself, those nested in it, those of an aggregate_error. Null
/// if there is none; else valid while `thrown` lives.
template <typename Error>
const Error* find_error(const std::exception_ptr& thrown) {
  if (thrown == nullptr) return nullptr;
  if (const Error* const found = detail::as_error<Error>(thrown)) return found;
  for (const auto& one : detail::errors_inside(thrown)) {
    if (const Error* const found = find_error<Error>(one)) return found;
  }
  return nullptr;
}

}  // namespace weft::inline v1
