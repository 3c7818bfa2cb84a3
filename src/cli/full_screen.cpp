#include "cli/full_screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <weft/core/error.hpp>

namespace weft::inline v1::cli {

bool full_screen::is_possible() noexcept {
  const char* const kind = std::getenv("TERM");
  return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0 && kind != nullptr &&
         std::string_view(kind) != "dumb";
}

full_screen::full_screen() {
  if (::tcgetattr(STDIN_FILENO, &former_) != 0) throw system_error("read the terminal's settings", errno);
  termios raw = former_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
    throw system_error("change the terminal's settings", errno);
  std::fputs("\x1b[?1049h\x1b[?25l", stdout);  // another screen, no cursor
}

full_screen::~full_screen() {
  std::fputs("\x1b[?25h\x1b[?1049l", stdout);
  std::fflush(stdout);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &former_);
}

std::pair<std::size_t, std::size_t> full_screen::size() const noexcept {
  winsize found{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) != 0 || found.ws_col == 0 || found.ws_row == 0)
    return {80, 24};
  return {found.ws_col, found.ws_row};
}

bool full_screen::show(const std::string& lines) const {
  std::string text = "\x1b[H";
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = lines.find('\n', at);
    if (at > 0) text += "\r\n";  // none behind the last line: it would move the screen
    text.append(lines, at, end - at).append("\x1b[K");
    at = end + 1;
  }
  text += "\x1b[J";
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0;
}

}  // namespace weft::inline v1::cli
