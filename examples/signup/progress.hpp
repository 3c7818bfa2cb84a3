#pragma once

#include <cstddef>
#include <string_view>

namespace signup {

/// Shows how far the work is: a bar where stderr is a terminal; with events on, a line for each step
/// on stdout, for programs that watch. Nothing else.
class progress {
 public:
  progress(std::string_view what, std::size_t total, bool print_events);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress();

  /// `done` pieces are done; the same or a smaller number than before shows nothing.
  void set(std::size_t done);

 private:
  void draw() const;

  std::string_view what_;
  std::size_t total_;
  std::size_t done_ = 0;
  bool print_events_;
  bool is_terminal_;
};

}  // namespace signup
