#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::inline v1 {

/// What a closure is called where it is written down.
///
/// A named closure is its name; any build that has one of that name may run it if it accepts the
/// stored arguments. An unnamed one is the build id of its module (ELF NT_GNU_BUILD_ID) and the place
/// of its entry in there; only the same build can run it.
struct closure_identity {
  std::string name;          ///< empty for an unnamed one
  std::string build_id;      ///< in hex, of an unnamed one; empty where the module has none
  std::uint64_t offset = 0;  ///< of the entry of an unnamed one, in its module
  std::string schema;        ///< of the value parameters: `(i64,{id:i64,mail:str?})`

  /// One line: `mail.welcome(i64,str)` or `@<build id>+<offset in hex>(i64,str)`.
  std::string text() const;

  /// The identity of such a line. Throws weft::error (malformed) for any other text.
  static closure_identity parse(std::string_view text);

  bool operator==(const closure_identity&) const = default;
};

/// Where a closure is written, for people.
struct closure_place {
  std::string file;        ///< as the compiler was given it; may be cut at its front
  std::uint32_t line = 0;  ///< 0 where it is not known (g++, an unnamed closure that never ran)
  std::uint32_t column = 0;
  std::string function;  ///< as the compiler spells it; may be empty

  /// `mail.cpp:12:3`, or `mail.cpp, in void send()`.
  std::string text() const;
};

}  // namespace weft::inline v1
