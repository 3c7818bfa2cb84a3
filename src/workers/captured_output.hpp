#pragma once

#include <string>

#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::workers::detail {

/// What a worker writes to its standard error: passed on to that of this process, and the end of it
/// kept, as the last words of a process often say why it ended.
///
/// Never waits: what the own standard error cannot take at once is dropped there, so a reader that
/// stands still stops nobody.
class captured_output {
 public:
  captured_output() = default;
  /// Takes over the read end of the worker's pipe.
  explicit captured_output(unique_fd reader);

  int fd() const noexcept { return reader_.get(); }
  /// Takes what is there; false at the end of the stream.
  bool take() noexcept;
  void close() noexcept { reader_.reset(); }
  /// The last lines, at most kept_bytes_max.
  const std::string& tail() const noexcept { return tail_; }

  static constexpr std::size_t kept_bytes_max = 512;

 private:
  void keep(const char* bytes, std::size_t count);

  unique_fd reader_;  // non-blocking
  std::string tail_;
};

}  // namespace weft::inline v1::workers::detail
