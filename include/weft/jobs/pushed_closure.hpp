#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <weft/closure/closure.hpp>
#include <weft/wire/secret_bytes.hpp>

namespace weft::inline v1::jobs::detail {

/// A secret among the arguments of a closure: JSON, and where in their text it belongs.
struct clear_secret {
  std::size_t place = 0;
  wire::secret_bytes value;
};

/// What a job keeps of a closure.
struct pushed_closure {
  std::string identity;               ///< closure_identity::text()
  std::string arguments;              ///< a JSON list, with "(secret)" in place of each secret
  std::string source;                 ///< for people
  std::vector<clear_secret> secrets;  ///< by place
};

using argument_writer = void (*)(const void* closure, encoder& out);

/// Writes the arguments of `closure` and takes the secrets out.
void write_arguments(pushed_closure& into, const void* closure, argument_writer write);

/// Throws weft::error (invalid_argument): a closure with a service that only a request has runs nowhere as a
/// job.
[[noreturn]] void refuse_service_of_request(const std::string& identity, std::string_view type_name);

template <typename Result>
pushed_closure describe_closure(const closure<Result>& what) {
  pushed_closure made{what.identity().text(), {}, what.place().text(), {}};
  if (const auto of_request = what.service_of_request(); !of_request.empty())
    refuse_service_of_request(made.identity, of_request);
  write_arguments(made, &what, [](const void* one, encoder& out) {
    static_cast<const closure<Result>*>(one)->encode_arguments(out);
  });
  return made;
}

}  // namespace weft::inline v1::jobs::detail
