#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/wire/key_ring.hpp>

namespace weft::inline v1::wire {

/// What a key file holds, for tools that change it; programs that sign use key_ring::load.
///
/// Text, a line per key, the signer first: `<id> <secret in base64> [created=<date>]`, and
/// `<id> - retired=<date>` for one that was retired; docs/formats/envelope.md. Not thread-safe.
class key_file {
 public:
  std::vector<key> keys;  ///< the first one signs
  std::vector<retired_key> retired;
  std::vector<std::string> comments;  ///< lines that begin with #; they are kept, at the top

  /// Reads the text of a file; `shown` is how messages name it. Throws weft::error (malformed,
  /// invalid_argument) with the line; the text of a line is in no message.
  static key_file parse(std::string_view text, const std::string& shown);

  /// Reads a file. Throws as key_ring::load.
  static key_file load(const std::string& path);

  /// Writes a new file for its owner only; whoever reads it meanwhile, or after a crash, finds a whole one or
  /// none. Throws weft::error: already_exists if there is one, which stays as it is.
  void create(const std::string& path) const;

  /// Reads the file, lets `change` change what it holds, and puts the result in its place as a whole: who
  /// reads meanwhile sees the old file or the new one. Mode 0600, the owner stays. Others that change it
  /// wait. What `change` throws leaves the file as it was. Throws weft::error as load, and for a result that
  /// is no key ring.
  static void change(const std::string& path, const std::function<void(key_file&)>& change);

  /// The key with that id; the end of `keys` if there is none.
  std::vector<key>::iterator find(std::string_view id) noexcept;
};

/// `2026-11-22T02:30:00Z`, as key files write dates.
std::string date_text(std::chrono::sys_seconds at);

}  // namespace weft::inline v1::wire
