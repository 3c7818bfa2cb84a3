#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weft/codec/bytes.hpp>
#include <weft/codec/encoder.hpp>

namespace weft::inline v1 {

/// What a decoder finds at its place.
enum class value_kind : unsigned char {
  null,
  boolean,
  integer,           ///< fits std::int64_t
  unsigned_integer,  ///< above that, fits std::uint64_t
  number,            ///< a number with a fraction or an exponent
  text,
  binary,
  list,
  object,
};

/// "null", "text", ...: for messages.
std::string_view to_string(value_kind kind) noexcept;

/// Reads one value, pulled piece by piece: the caller says what it expects next.
///
/// Each reading function moves past one value. Where the next value is of another kind, or cannot be
/// given without loss, it throws weft::error (malformed) whose message begins with the path of the
/// value, such as `$.people[3].mail`. Not thread-safe. After an error the decoder is of no use.
class decoder {
 public:
  decoder() = default;
  decoder(const decoder&) = delete;
  decoder& operator=(const decoder&) = delete;
  virtual ~decoder();

  /// The kind of the next value; does not move.
  virtual value_kind peek() = 0;

  void null();
  bool boolean();
  std::int64_t integer();
  std::uint64_t unsigned_integer();
  /// An integer is taken too where a double holds it exactly.
  double number();
  /// Valid until the next value is read.
  std::string_view text();
  /// In formats that have no bytes of their own, text in base64 is taken.
  void binary(bytes& into);

  /// Enters a list; returns how many items to make room for (bounded by the input's own size).
  std::size_t begin_list();
  /// Moves to the next item; false at the end, which leaves the list.
  bool next_item();

  /// Enters an object.
  void begin_object();
  /// Moves to the next member; false at the end, which leaves the object. `name` stays valid until
  /// the object is left.
  bool next_member(std::string_view& name);

  /// Moves past the next value, whatever it is.
  void skip();

  /// Throws weft::error (malformed) with the path of the value that is being read.
  [[noreturn]] void fail(std::string_view what) const;
  /// As fail(), for the member `name` of the object that is being read.
  [[noreturn]] void fail_member(std::string_view name, std::string_view what) const;
  /// The path, `$` at the top.
  std::string path() const;

 protected:
  virtual void read_null() = 0;
  virtual bool read_boolean() = 0;
  virtual std::int64_t read_integer() = 0;
  virtual std::uint64_t read_unsigned() = 0;
  virtual double read_number() = 0;
  virtual std::string_view read_text() = 0;
  virtual void read_binary(bytes& into) = 0;
  virtual std::size_t open_list() = 0;
  virtual bool more_items() = 0;
  virtual void open_object() = 0;
  virtual bool more_members(std::string_view& name) = 0;

 private:
  struct step {
    std::string_view name;  // of the current member of an object
    std::size_t next = 0;   // items or members begun so far
    bool is_list = false;
  };

  void expect(value_kind kind);
  void enter(bool is_list);
  [[noreturn]] void throw_at(std::string where, std::string_view what) const;

  std::vector<step> steps_;
};

}  // namespace weft::inline v1
