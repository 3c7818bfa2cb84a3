#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <weft/context/key.hpp>

namespace weft::inline v1 {

/// A value in the wire form of a context (docs/formats/context.md), for people.
struct wire_value {
  std::string name;
  std::string text;  ///< any bytes
  wire_policy policy = wire_policy::worker;
  /// It may be a secret: this program does not know its key, or knows it as one that is not to be printed
  /// (key_spec::redact). What goes out as baggage is none.
  bool may_be_secret = true;
};

/// What stands in the wire form of a context, by name. Throws weft::error (malformed) as context::from_wire.
/// Thread-safe; never waits.
std::vector<wire_value> wire_values(std::string_view bytes);

}  // namespace weft::inline v1
