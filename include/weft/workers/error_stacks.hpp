#pragma once

#include <cstdint>

namespace weft::inline v1::workers {

/// What the error of a call tells of the calls that led to it, in the worker (remote_error::details().stack).
enum class error_stacks : std::uint8_t {
  none,
  addresses,  ///< "program+0x1234", for addr2line; some microseconds
  names,  ///< "function at file:line", as far as the program has them; some ten milliseconds the first time
};

}  // namespace weft::inline v1::workers
