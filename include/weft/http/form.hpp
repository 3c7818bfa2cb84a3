#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/http/text_value.hpp>

namespace weft::inline v1::http {

/// Bounds of a form, and where its files go. What passes a bound is answered with 413; the bound of the whole
/// is that of the body (limits, route_options).
struct form_options {
  std::size_t fields_max = 1000;                   ///< values that are not files
  std::size_t field_bytes_max = 256 * 1024;        ///< of one, with its name
  std::size_t memory_bytes_max = 2 * 1024 * 1024;  ///< of all that is kept in memory
  std::size_t files_max = 20;
  std::uint64_t file_bytes_max = 64 * 1024 * 1024;  ///< of each file
  std::string folder = {};  ///< where files are written, one each; empty: they are kept in memory
};

/// One value of a form or a query, decoded.
struct form_field {
  std::string name;
  std::string value;
};

/// The values of a query or a form, in their order; a name may stand there more than once.
class form_fields {
 public:
  form_fields() = default;
  /// Decodes "a=1&b=two+words", with %XX. Throws status_error: 400 for a broken encoding, 413 for more than
  /// `bounds` allow.
  static form_fields parse(std::string_view text, const form_options& bounds = {});

  void add(std::string name, std::string value);

  /// The first value of that name; nothing where it is absent.
  std::optional<std::string_view> first(std::string_view name) const noexcept;
  std::vector<std::string_view> all(std::string_view name) const;

  /// The first value of that name, read as a value; nothing where it is absent. Text that is no such value is
  /// answered with 400.
  template <text_readable Value = std::string>
  std::optional<Value> value(std::string_view name) const {
    const auto text = first(name);
    if (!text) return std::nullopt;
    return detail::require_value<Value>(name, *text);
  }

  /// Reads a struct of WEFT_DESCRIBE, whose members are text, numbers, bool, described enumerations, and
  /// optional or vector of those. An optional is empty where the name is absent or its text is empty; a
  /// vector takes all values; a bool that is absent is false, as browsers leave out boxes that are not
  /// ticked. Other members must be there, unless the struct is marked WEFT_MISSING_IS_DEFAULT. Names that it
  /// does not have are ignored. What does not fit is answered with 400, which names the field.
  template <described Struct>
  Struct as() const;

  std::size_t size() const noexcept { return fields_.size(); }
  bool empty() const noexcept { return fields_.empty(); }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }

 private:
  std::vector<form_field> fields_;
};

/// A file of a form. Its name and type are the client's word: show them to people, and never take the name
/// for a path. One on disk is deleted with this object, unless it was saved; after a crash it stays.
class uploaded_file {
 public:
  struct description {
    std::string field;
    std::string file_name;
    std::string content_type;
  };
  /// One that is kept in memory.
  uploaded_file(description about, std::string contents) noexcept;
  /// One on disk, which it owns from now on.
  uploaded_file(description about, std::string path, std::uint64_t size) noexcept;
  uploaded_file(uploaded_file&& other) noexcept;
  uploaded_file& operator=(uploaded_file&& other) noexcept;
  ~uploaded_file();

  const std::string& field() const noexcept { return about_.field; }
  const std::string& file_name() const noexcept { return about_.file_name; }
  const std::string& content_type() const noexcept { return about_.content_type; }
  std::uint64_t size() const noexcept { return size_; }
  /// Where it lies; empty where it is kept in memory.
  const std::string& path() const noexcept { return path_; }

  /// All of it; from disk, this waits. Throws weft::error.
  std::string contents() const;
  /// Makes it a file of that name, in place of one that is there, of mode 600, which is not deleted. One on
  /// disk is renamed: both names are on one file system. Waits; throws weft::error, and is as before then.
  void save_as(const std::string& path);

 private:
  description about_;
  std::uint64_t size_ = 0;
  std::string contents_;
  std::string path_;
  bool is_owned_ = false;  // the file at path_
};

/// A form that was sent: request::form.
struct form {
  form_fields fields;
  std::vector<uploaded_file> files;

  /// The first file of that field; null where there is none.
  const uploaded_file* file(std::string_view field) const noexcept;
  uploaded_file* file(std::string_view field) noexcept;
};

namespace detail {

[[noreturn]] void throw_missing_field(std::string_view name);

template <typename Value>
struct is_list_of_fields : std::false_type {};
template <typename Value>
struct is_list_of_fields<std::vector<Value>> : std::true_type {};
template <typename Value>
struct is_optional_field : std::false_type {};
template <typename Value>
struct is_optional_field<std::optional<Value>> : std::true_type {};

/// Visits the members of a struct and fills them.
class form_member_reader {
 public:
  form_member_reader(const form_fields& from, bool missing_is_default) noexcept
      : from_(from), missing_is_default_(missing_is_default) {}

  template <typename Value>
  void member(const char* name, Value& into) {
    if constexpr (is_list_of_fields<Value>::value) {
      into.clear();
      for (const std::string_view text : from_.all(name))
        into.push_back(read<typename Value::value_type>(name, text));
    } else {
      const std::optional<std::string_view> text = from_.first(name);
      if constexpr (is_optional_field<Value>::value) {
        into.reset();
        if (text && !text->empty()) into = read<typename Value::value_type>(name, *text);
      } else if (text) {
        into = read<Value>(name, *text);
      } else if (missing_is_default_) {
        return;
      } else if constexpr (std::is_same_v<Value, bool>) {
        into = false;
      } else {
        throw_missing_field(name);
      }
    }
  }

 private:
  template <typename Value>
  static Value read(std::string_view name, std::string_view text) {
    if constexpr (weft::detail::described_enum<Value>) {
      weft::detail::enum_decoder<Value> finder{text, {}};
      weft_describe_enum(finder, described_as<Value>{});
      if (!finder.found) throw_bad_parameter(name, text);
      return *finder.found;
    } else {
      static_assert(
          text_readable<Value>,
          "weft::http: a member of a form is text, a number, bool, a described enumeration, or optional "
          "or vector of those");
      return require_value<Value>(name, text);
    }
  }

  const form_fields& from_;
  bool missing_is_default_;
};

}  // namespace detail

template <described Struct>
Struct form_fields::as() const {
  Struct made{};
  detail::form_member_reader reader(*this, weft::detail::missing_is_default<Struct>);
  weft::detail::visit_members<Struct>(reader, made);
  return made;
}

}  // namespace weft::inline v1::http
