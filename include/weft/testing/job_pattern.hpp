#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/closure/made_of.hpp>
#include <weft/closure/type_name.hpp>
#include <weft/jobs/job_info.hpp>
#include <weft/jobs/pushed_closure.hpp>

namespace weft::inline v1::jobs {

/// Which jobs a question of a test is about: those of a closure with equal arguments, or those of a function
/// with whatever arguments. A function, and a closure without a name, mean all closures of the program that
/// are made of that function, also under a name or with a place to run.
///
/// Throws weft::error (not_found) where the program has no such closure: its jobs would never be pushed, and
/// a test that expects none of them would always pass.
class job_pattern {
 public:
  /// Jobs of that name: `"mail.welcome"`.
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
  job_pattern(F)  // NOLINT(google-explicit-constructor)
      : job_pattern(of_function(weft::detail::reader_of<function_in<F>>(),
                                weft::detail::type_name<function_in<F>>(),
                                weft::detail::unwrapped<F>::name::text)) {}

  bool fits(const job_info& job) const;
  /// For messages: `mail.welcome(i64) with [42]`.
  std::string text() const;

 private:
  template <typename F>
  using function_in = typename weft::detail::unwrapped<F>::function;

  job_pattern() = default;
  static job_pattern named(std::string_view name);
  static job_pattern described(const detail::pushed_closure& what);
  static job_pattern of_function(weft::detail::argument_reader function, std::string_view type,
                                 std::string_view name);

  std::string name_;                     // or else
  std::vector<std::string> identities_;  // each with the schema of the arguments; at least one
  std::optional<std::string> arguments_;
};

}  // namespace weft::inline v1::jobs
