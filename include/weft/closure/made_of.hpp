#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/closure/call.hpp>

namespace weft::inline v1::detail {

/// Stands for a function: it reads the arguments of all closures that are made of it, of whatever names and
/// places.
using argument_reader = std::shared_ptr<const closure_call> (*)(decoder& arguments);

template <typename Function>
constexpr argument_reader reader_of() noexcept {
  return &call_of<Function>::decode;
}

/// Identities, as text, of all closures of this program that are made of that function. Those without one,
/// which have neither name nor build id, are left out.
std::vector<std::string> identities_made_of(argument_reader function);

/// Those that are made of the same function as the closure of that identity; none where it is not of this
/// program.
std::vector<std::string> identities_made_like(std::string_view identity);

}  // namespace weft::inline v1::detail
