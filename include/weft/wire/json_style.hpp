#pragma once

namespace weft::wire {

/// How JSON text stands for what JSON has no form of its own for.
struct json_style {
  /// Bytes as a string of the characters U+0000 to U+00FF, as Perl writes them; else as base64 text.
  bool bytes_as_characters = false;
  /// A double without a fraction, up to 2^53, as an integer, as Perl writes it; else 3.0 keeps its fraction.
  bool whole_doubles_as_integers = false;
};

}  // namespace weft::wire
