#pragma once

#include <weft/codec/describe.hpp>
#include <weft/core/failure.hpp>

namespace weft::inline v1 {

/// Error codes travel by name; a name that this build does not know becomes errc::unknown.
template <>
struct codec<errc> {
  static void encode(encoder& out, errc value);
  static void decode(decoder& in, errc& into);
  static void schema(schema_writer& out);
};

WEFT_DESCRIBE(failure, code, type, message, where, when, causes, stack);
WEFT_MISSING_IS_DEFAULT(failure);

}  // namespace weft::inline v1
