#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::inline v1 {

/// Collects the schema text of a type: `i64`, `{id:i64,mail:str?}`, `[f64]`, `(i64,str)`.
///
/// A described type that contains itself is written once; inside itself it is `^n`, where n counts
/// the described types to go out by (`^1` is the nearest one).
class schema_writer {
 public:
  /// Adds text as it is.
  void write(std::string_view piece) { text_ += piece; }

  /// Begins a type that may contain itself. False if it is being written already: then `^n` was
  /// added and nothing else is to be written. `tag` is an address that only this type has.
  bool enter(const void* tag);
  void leave();

  /// `"name":`, with a comma before all but the first since enter().
  void member(std::string_view name);

  std::string take() { return std::move(text_); }

 private:
  struct level {
    const void* tag;
    bool first;
  };

  std::string text_;
  std::vector<level> levels_;
};

}  // namespace weft::inline v1
