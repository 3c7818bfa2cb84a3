#include "progress.hpp"

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <string>

namespace signup {

progress::progress(std::string_view what, std::size_t total, bool print_events)
    : what_(what), total_(total), print_events_(print_events), is_terminal_(isatty(STDERR_FILENO) == 1) {}

progress::~progress() {
  if (is_terminal_ && done_ > 0) std::fputc('\n', stderr);
}

void progress::set(std::size_t done) {
  for (; done_ < done; ++done_) {
    if (print_events_)
      std::printf("event %.*s %zu\n", static_cast<int>(what_.size()), what_.data(), done_ + 1);
  }
  if (print_events_) std::fflush(stdout);
  if (is_terminal_) draw();
}

void progress::draw() const {
  constexpr std::size_t width = 40;
  const std::size_t filled = total_ == 0 ? width : std::min(width, done_ * width / total_);
  std::fprintf(stderr, "\r%-10.*s [%s%s] %zu/%zu", static_cast<int>(what_.size()), what_.data(),
               std::string(filled, '#').c_str(), std::string(width - filled, ' ').c_str(), done_, total_);
}

}  // namespace signup
