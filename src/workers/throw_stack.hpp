#pragma once

#include <exception>
#include <string>
#include <vector>

#include <weft/workers/error_stacks.hpp>

// Where an exception was thrown: known afterwards because the program's throws pass by here first. A throw
// costs a look at a counter where nobody wants to know. Nothing is remembered in builds with sanitizers,
// which watch throws themselves, and in programs that link the C++ library statically.

namespace weft::inline v1::workers::detail {

/// While one lives in a thread, the thread's throws are remembered: about a microsecond each.
class throw_watch {
 public:
  explicit throw_watch(error_stacks wanted) noexcept;
  throw_watch(const throw_watch&) = delete;
  throw_watch& operator=(const throw_watch&) = delete;
  ~throw_watch();

  /// The calls that led to the throw, innermost first, as wanted; empty where that was too many throws ago.
  std::vector<std::string> stack_of(const std::exception_ptr& thrown) const;

 private:
  error_stacks wanted_;
};

}  // namespace weft::inline v1::workers::detail
