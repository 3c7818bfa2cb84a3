#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include <weft/core/error.hpp>

namespace weft::inline v1 {

/// An error that can leave its process: what an exception becomes on the way out, and what it is
/// made from again on the far side. Plain data; copyable; the codec component can write it down.
struct failure {
  errc code = errc::unknown;
  std::string type;                            ///< registered name of the exception's type; may be empty
  std::string message;                         ///< what() of the exception
  std::string where;                           ///< host, process or task it happened in; for people
  std::chrono::system_clock::time_point when;  ///< wall clock of the place where it happened
  std::vector<failure> causes;                 ///< nested exceptions, outermost cause first
  std::vector<std::string> stack = {};         ///< the calls that led to the throw, innermost first; or empty

  /// Describes the exception, its registered type and its std::nested_exception chain (at most 16 deep).
  static failure from(std::exception_ptr thrown);

  /// The exception to throw here: of the registered type if that type is known in this program,
  /// else a remote_error that carries this failure.
  std::exception_ptr to_exception() const;

  /// Throws to_exception().
  [[noreturn]] void raise() const;

  /// Message with all causes, "a: caused by: b".
  std::string chain() const;
};

/// Thrown where a failure of another process has a type that this program did not register.
class remote_error : public error {
 public:
  explicit remote_error(failure what);
  const failure& details() const noexcept { return details_; }

 private:
  failure details_;
};

/// Makes `Error` known by `name`, so that it is rethrown as itself after a hop between processes.
/// `Error` needs a constructor from std::string (the message). Call before `main` or from setup;
/// thread-safe. Registering a name twice for different types throws weft::error (already_exists).
template <typename Error>
void register_error(std::string name);

namespace detail {

struct error_type {
  bool (*is_exactly)(const std::exception& thrown);
  bool (*is_derived)(const std::exception& thrown);
  std::exception_ptr (*make)(const failure& from);
};

void register_error_type(std::string name, const error_type& type);

/// Runs `raise`, which must throw, inside a handler for the first cause of `from`, if it has one.
std::exception_ptr with_causes(const failure& from, void (*raise)(const failure& from));

template <typename Error>
constexpr error_type error_type_of = {
    [](const std::exception& thrown) { return typeid(thrown) == typeid(Error); },
    [](const std::exception& thrown) { return dynamic_cast<const Error*>(&thrown) != nullptr; },
    [](const failure& from) {
      if (from.causes.empty()) return std::make_exception_ptr(Error(from.message));
      return with_causes(from, [](const failure& what) { std::throw_with_nested(Error(what.message)); });
    }};

}  // namespace detail

template <typename Error>
void register_error(std::string name) {
  detail::register_error_type(std::move(name), detail::error_type_of<Error>);
}

}  // namespace weft::inline v1
