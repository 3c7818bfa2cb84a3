#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weft::inline v1 {

/// Lists and objects may be nested this deep, in what is written and in what is read.
inline constexpr std::size_t codec_depth_max = 64;

/// Writes one value, piece by piece, in some format. The formats are in the component wire.
///
/// A list is begin_list, its items, end_list; an object is begin_object, for each member key and a
/// value, end_object. The counts are exact. Throws weft::error: too_large when the nesting passes
/// codec_depth_max, invalid_argument for what the format cannot hold (text that is not UTF-8, a
/// number that is not finite). Not thread-safe. What was written before an error is of no use.
class encoder {
 public:
  encoder() = default;
  encoder(const encoder&) = delete;
  encoder& operator=(const encoder&) = delete;
  virtual ~encoder();

  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  virtual void integer(std::int64_t value) = 0;
  virtual void unsigned_integer(std::uint64_t value) = 0;
  virtual void number(double value) = 0;
  virtual void text(std::string_view value) = 0;
  virtual void binary(std::span<const std::byte> value) = 0;

  void begin_list(std::size_t count);
  void end_list();
  void begin_object(std::size_t count);
  virtual void key(std::string_view name) = 0;
  void end_object();

 protected:
  virtual void open_list(std::size_t count) = 0;
  virtual void close_list() = 0;
  virtual void open_object(std::size_t count) = 0;
  virtual void close_object() = 0;

 private:
  void enter();

  std::size_t depth_ = 0;
};

}  // namespace weft::inline v1
