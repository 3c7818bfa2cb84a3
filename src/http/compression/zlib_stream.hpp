#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

// zlib, with strings. Its header stays in this folder.

namespace weft::inline v1::http::detail {

/// What stands around the compressed bytes: RFC 1952, RFC 1950 ("deflate" in HTTP), or nothing (WebSockets).
enum class deflate_format : unsigned char { gzip, zlib, raw };

constexpr int window_bits_max = 15;

class deflater {
 public:
  enum class flush : unsigned char {
    none,   ///< keeps bytes back, for as long as that makes the whole smaller
    sync,   ///< all that was given can be decoded from what is out
    finish  ///< the end
  };

  /// `window_bits` is 9 to 15: 2^n bytes are looked back. Throws std::bad_alloc.
  deflater(deflate_format format, int level, int window_bits = window_bits_max);
  ~deflater();
  deflater(deflater&&) noexcept = default;
  deflater& operator=(deflater&&) = delete;

  /// Appends what it makes of `in`.
  void write(std::string_view in, flush how, std::string& out);
  /// As new, with its memory.
  void restart() noexcept;

 private:
  std::unique_ptr<z_stream_s> stream_;
};

class inflater {
 public:
  enum class outcome : unsigned char {
    more,  ///< all of the input is used up, and what it stands for is out
    full,  ///< `most` bytes are out, and there may be more
    end,   ///< the end of the compressed bytes; what is left of the input follows it
    malformed
  };

  inflater(deflate_format format, int window_bits = window_bits_max);
  ~inflater();
  inflater(inflater&&) noexcept = default;
  inflater& operator=(inflater&&) = delete;

  /// Appends at most `most` bytes and takes what was used off `in`. Throws std::bad_alloc.
  outcome read(std::string_view& in, std::string& out, std::size_t most);
  /// Does the next block begin here? Only right behind read().
  bool is_between_blocks() const noexcept;
  void restart() noexcept;

 private:
  std::unique_ptr<z_stream_s> stream_;
};

}  // namespace weft::inline v1::http::detail
