#pragma once

namespace weft::inline v1::wire {

/// How JSON text stands for what JSON has no form of its own for.
struct json_style {
  /// Bytes as a string of the characters U+0000 to U+00FF, as Perl writes them; else as base64 text.
  bool bytes_as_characters = false;
  /// A double without a fraction, up to 2^53, as an integer, as Perl writes it; else 3.0 keeps its fraction.
  bool whole_doubles_as_integers = false;
};

/// As Perl writes values, and as they stand in the messages of its AnyEvent::Task.
inline constexpr json_style perl_json_style{.bytes_as_characters = true, .whole_doubles_as_integers = true};

}  // namespace weft::inline v1::wire
