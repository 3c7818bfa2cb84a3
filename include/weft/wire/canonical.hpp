#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <weft/codec/bytes.hpp>

namespace weft::inline v1::wire {

/// Writes fields so that each list of fields has exactly one byte form and no two lists share one:
/// each with a tag and its length (docs/formats/envelope.md). For what is signed.
class canonical_writer {
 public:
  void text(std::string_view value);
  void binary(std::span<const std::byte> value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  /// A field that says that there is no value.
  void absent();

  const bytes& data() const noexcept { return data_; }

 private:
  void field(char tag, std::span<const std::byte> value);

  bytes data_;
};

/// Reads such fields in order. Throws weft::error (malformed) when the next field is of another
/// kind, cut off or not in the one form. `data` outlives the reader and what it returns.
class canonical_reader {
 public:
  explicit canonical_reader(std::span<const std::byte> data) : rest_(data) {}

  std::string_view text();
  std::span<const std::byte> binary();
  std::int64_t integer();
  std::uint64_t unsigned_integer();
  /// Is the next field absent()? If so moves past it.
  bool take_absent();
  /// Throws unless all fields were read.
  void expect_end() const;

 private:
  std::span<const std::byte> field(char tag, const char* kind);
  std::uint64_t number(char tag);
  [[noreturn]] void fail(const std::string& why) const;

  std::span<const std::byte> rest_;
  unsigned index_ = 0;  // of the next field, for messages
};

}  // namespace weft::inline v1::wire
