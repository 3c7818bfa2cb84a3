#pragma once

#include <string>

#include <weft/closure/closure.hpp>

namespace weft::jobs::detail {

/// What a job keeps of a closure.
struct pushed_closure {
  std::string identity;   ///< closure_identity::text()
  std::string arguments;  ///< a JSON list
  std::string source;     ///< for people
};

template <typename Result>
pushed_closure describe_closure(const closure<Result>& what) {
  return {what.identity().text(), what.arguments(), what.place().text()};
}

}  // namespace weft::jobs::detail
