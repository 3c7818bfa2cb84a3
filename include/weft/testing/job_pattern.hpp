#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <weft/closure/closure.hpp>
#include <weft/jobs/job_info.hpp>
#include <weft/jobs/pushed_closure.hpp>

namespace weft::jobs {

/// Which jobs a question of a test is about: those of a closure with equal arguments, or those of a function
/// with whatever arguments.
class job_pattern {
 public:
  /// Jobs of that name: `"mail.welcome"`. Throws weft::error (not_found) where no closure of this program has
  /// it: a name that is misspelt would never be pushed.
  template <typename Text>
    requires std::convertible_to<const Text&, std::string_view>
  job_pattern(const Text& name) : job_pattern(named(name)) {}  // NOLINT(google-explicit-constructor)
  /// Jobs of that function with those arguments. Secrets are not compared.
  template <typename Result>
  job_pattern(const closure<Result>& what)  // NOLINT(google-explicit-constructor)
      : job_pattern(described(detail::describe_closure(what))) {}
  /// Jobs of what closures are made of: a lambda, named_closure<...>(...), weft::function<&f>.
  template <typename F>
    requires(std::is_empty_v<F>)
  job_pattern(F) : job_pattern(of_function(identity_of<F>())) {}  // NOLINT(google-explicit-constructor)

  bool fits(const job_info& job) const;
  /// For messages: `mail.welcome(i64) with [42]`.
  std::string text() const;

 private:
  template <typename F>
  static const closure_identity& identity_of() {
    using function = weft::detail::unwrapped<F>;
    using registered =
        weft::detail::registration<typename function::function, typename function::name, function::place>;
    (void)&registered::done;
    return weft::detail::identity_of(registered::entry);
  }

  job_pattern() = default;
  static job_pattern named(std::string_view name);
  static job_pattern described(const detail::pushed_closure& what);
  static job_pattern of_function(const closure_identity& identity);

  std::string name_;      // or else
  std::string identity_;  // with the schema of the arguments
  std::optional<std::string> arguments_;
};

}  // namespace weft::jobs
