#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace signup {

/// A folder of mails, one file each, as qmail's Maildir: written in tmp/, then moved to new/.
/// A mail with the name of an older one replaces it, so delivering twice is delivering once.
class maildir {
 public:
  /// Makes the folders that are missing. Throws std::filesystem::filesystem_error.
  explicit maildir(std::filesystem::path folder);

  /// Durable when it returns. Throws weft::error that names the file.
  void deliver(std::string_view name, std::string_view text) const;
  /// The names of the mails delivered, in order.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace signup
