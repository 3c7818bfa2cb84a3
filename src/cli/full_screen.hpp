#pragma once

#include <termios.h>

#include <cstddef>
#include <string>
#include <utility>

namespace weft::inline v1::cli {

/// The terminal at stdin and stdout as one screen: what it showed comes back at the end, keys arrive as they
/// are pressed and are not shown, Ctrl-C among them. One at a time; ends on the thread that made it.
class full_screen {
 public:
  /// Is there one? Both are a terminal, and it is not a dumb one.
  static bool is_possible() noexcept;

  /// Throws weft::system_error.
  full_screen();
  full_screen(const full_screen&) = delete;
  full_screen& operator=(const full_screen&) = delete;
  ~full_screen();

  /// Columns and lines as they are now.
  std::pair<std::size_t, std::size_t> size() const noexcept;
  /// Shows lines in place of what is there, without flicker. False where nobody reads it any more.
  bool show(const std::string& lines) const;

 private:
  termios former_{};
};

}  // namespace weft::inline v1::cli
