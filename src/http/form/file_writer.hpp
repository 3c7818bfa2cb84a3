#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::http::detail {

/// A new file of a free name in a folder, for its owner only; deleted with this object unless it is kept. All
/// but the end waits, for a thread that may block. Throws weft::error, and status_error (507) where the disk
/// is full.
class file_writer {
 public:
  explicit file_writer(const std::string& folder);
  file_writer(const file_writer&) = delete;
  file_writer& operator=(const file_writer&) = delete;
  ~file_writer();

  void write(std::string_view bytes);
  std::uint64_t size() const noexcept { return size_; }
  /// Closes the file and gives its path away.
  std::string keep();
  /// As keep(), and gives it that name, in place of a file that is there.
  void keep_as(const std::string& path);

 private:
  std::string path_;
  unique_fd file_;
  std::uint64_t size_ = 0;
};

/// rename(2), on a thread that may block.
void rename_file(const std::string& from, const std::string& to);

}  // namespace weft::inline v1::http::detail
