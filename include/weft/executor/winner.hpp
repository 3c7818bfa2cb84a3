#pragma once

#include <cstddef>

#include <weft/core/result.hpp>

namespace weft::inline v1 {

/// The one of several that gave a value first, as of invoke_any: which it was, and its value.
template <typename Value>
struct winner {
  std::size_t index = 0;
  typename result<Value>::stored_type value;
};

}  // namespace weft::inline v1
