#pragma once

#include <span>
#include <vector>

#include <weft/codec/codec.hpp>

namespace weft::inline v1::wire {

/// Writes one value in weft's binary form (docs/formats/codec.md), appended to a byte string.
/// Equal values give equal bytes. Throws as json_encoder.
class binary_encoder final : public encoder {
 public:
  /// `out` outlives the encoder.
  explicit binary_encoder(bytes& out) : out_(out) {}

  void null() override;
  void boolean(bool value) override;
  void integer(std::int64_t value) override;
  void unsigned_integer(std::uint64_t value) override;
  void number(double value) override;
  void text(std::string_view value) override;
  void binary(std::span<const std::byte> value) override;
  void key(std::string_view name) override;

 protected:
  void open_list(std::size_t count) override;
  void close_list() override {}
  void open_object(std::size_t count) override;
  void close_object() override {}

 private:
  void tag(unsigned value);
  void varint(std::uint64_t value);
  void append(std::span<const std::byte> data);

  bytes& out_;
};

/// Reads one value of the binary form straight from `data`, which outlives it. What is malformed is
/// found where it is read; from_binary also refuses bytes after the value.
class binary_decoder final : public decoder {
 public:
  explicit binary_decoder(std::span<const std::byte> data) : data_(data) {}

  value_kind peek() override;
  /// Throws weft::error (malformed) unless all of the data was read.
  void expect_end() const;

 protected:
  void read_null() override;
  bool read_boolean() override;
  std::int64_t read_integer() override;
  std::uint64_t read_unsigned() override;
  double read_number() override;
  std::string_view read_text() override;
  void read_binary(bytes& into) override;
  std::size_t open_list() override;
  bool more_items() override;
  void open_object() override;
  bool more_members(std::string_view& name) override;

 private:
  std::uint64_t varint(std::size_t& at) const;
  std::uint64_t read_varint();
  std::span<const std::byte> read_block();
  std::string_view read_utf8();
  void open();

  std::span<const std::byte> data_;
  std::size_t at_ = 0;
  std::vector<std::uint64_t> left_;  // items or members still to come, per open list or object
};

/// `value` in the binary form.
template <encodable T>
bytes to_binary(const T& value) {
  bytes out;
  binary_encoder encoder(out);
  weft::encode(encoder, value);
  return out;
}

/// The value that the bytes hold.
template <encodable T>
T from_binary(std::span<const std::byte> data) {
  binary_decoder decoder(data);
  T value = weft::decode<T>(decoder);
  decoder.expect_end();
  return value;
}

}  // namespace weft::inline v1::wire
