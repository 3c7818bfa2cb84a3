#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/codec.hpp>
#include <weft/wire/json_style.hpp>

namespace weft::inline v1::wire {

class json_value;

namespace detail {
class json_tape;
}

/// Writes one value as JSON text without white space, appended to a string.
///
/// Integers are written exactly, doubles in their shortest exact form with a fraction or exponent,
/// bytes as base64 text; a json_style may say otherwise. Throws weft::error (invalid_argument) for text that
/// is not UTF-8 and for infinite and not-a-number doubles.
class json_encoder final : public encoder {
 public:
  /// `out` outlives the encoder.
  /// What is written stands inside of `depth` lists and objects, which count where values of any kind are
  /// nested.
  explicit json_encoder(std::string& out, json_style style = {}, std::size_t depth = 0)
      : out_(out), style_(style), depth_(depth) {}

  void null() override;
  void boolean(bool value) override;
  void integer(std::int64_t value) override;
  void unsigned_integer(std::uint64_t value) override;
  void number(double value) override;
  void text(std::string_view value) override;
  void binary(std::span<const std::byte> value) override;
  void key(std::string_view name) override;
  /// Writes a value of any kind. It may be nested json_depth_max deep, with what is around it.
  void value(const json_value& any);
  /// Has a part of the value been begun?
  bool has_begun() const noexcept { return has_begun_; }

 protected:
  void open_list(std::size_t count) override;
  void close_list() override;
  void open_object(std::size_t count) override;
  void close_object() override;

 private:
  void separate();
  void scalar(const json_value& any);

  std::string& out_;
  json_style style_;
  std::size_t depth_;  // lists and objects that are open
  bool has_begun_ = false;
  bool needs_comma_ = false;
};

/// What reading JSON accepts at most.
struct json_limits {
  std::size_t bytes_max = 16 * 1024 * 1024;  ///< length of the text
  std::size_t depth_max = codec_depth_max;   ///< of lists and objects; more than that only value() reads
  std::size_t values_max = 2 * 1024 * 1024;  ///< of all kinds, and names: what bounds the memory
};

/// Reads one JSON text (RFC 8259), which is checked as a whole when the decoder is made.
///
/// The text must be UTF-8, without byte order mark, and nothing but white space may follow the
/// value. Integers keep all 64 bits, signed or unsigned; doubles are rounded correctly. Of members
/// with one name the last one wins. Throws weft::error: malformed (with the place), too_large.
class json_decoder final : public decoder {
 public:
  explicit json_decoder(std::string_view text, json_limits limits = {});
  ~json_decoder() override;

  value_kind peek() override;
  /// The next value, of any kind; moves past it.
  json_value value();

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
  std::unique_ptr<const detail::json_tape> tape_;
  std::size_t next_ = 0;             // index of the next node
  std::vector<std::uint32_t> left_;  // items or members still to come, per open list or object
};

/// `value` as JSON text.
template <encodable T>
std::string to_json(const T& value) {
  std::string out;
  json_encoder encoder(out);
  weft::encode(encoder, value);
  return out;
}

/// The value that the JSON text holds.
template <encodable T>
T from_json(std::string_view text, json_limits limits = {}) {
  json_decoder decoder(text, limits);
  return weft::decode<T>(decoder);
}

}  // namespace weft::inline v1::wire
