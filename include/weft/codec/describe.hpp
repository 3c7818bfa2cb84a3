#pragma once

#include <weft/codec/chrono.hpp>
#include <weft/codec/container.hpp>
#include <weft/codec/tuple.hpp>
#include <weft/codec/value.hpp>

// Plain structs as objects:
//
//     struct person { std::int64_t id; std::optional<std::string> mail; };
//     WEFT_DESCRIBE(person, id, mail)                 // beside the type, in its namespace
//
//     struct point { int x; int y; WEFT_DESCRIBE_MEMBERS(x, y) };   // or inside it
//
// When read, members that the struct does not have are ignored, and a member that is missing is an
// error, unless it is a std::optional (then it is empty) or the struct is marked with
// WEFT_MISSING_IS_DEFAULT(type) beside it: then it keeps its default. A struct needs a default
// constructor and has at most 64 described members.

/// Describes `type` by its data members. Stands beside the type, in its namespace.
#define WEFT_DESCRIBE(type, ...)                                                                             \
  template <typename WeftVisitor, typename WeftSelf>                                                         \
  constexpr void weft_describe(WeftVisitor& weft_visitor, WeftSelf& weft_self, ::weft::described_as<type>) { \
    WEFT_DETAIL_MEMBERS(__VA_ARGS__)                                                                         \
  }                                                                                                          \
  static_assert(true)

/// Describes the struct it stands in by its data members.
#define WEFT_DESCRIBE_MEMBERS(...)                                                              \
  friend struct ::weft::describe_access;                                                        \
  template <typename WeftVisitor, typename WeftSelf>                                            \
  static constexpr void weft_describe_members(WeftVisitor& weft_visitor, WeftSelf& weft_self) { \
    WEFT_DETAIL_MEMBERS(__VA_ARGS__)                                                            \
  }                                                                                             \
  static_assert(true)

/// A missing member of the described `type` keeps the default of its type. Stands beside the type.
#define WEFT_MISSING_IS_DEFAULT(type)                                                                  \
  [[maybe_unused]] constexpr bool weft_missing_is_default(::weft::described_as<type>) { return true; } \
  static_assert(true)

/// Makes an enumeration travel by the names of its values; an unknown name is an error. Beside the type.
#define WEFT_DESCRIBE_ENUM(type, ...)                                                        \
  template <typename WeftVisitor>                                                            \
  constexpr void weft_describe_enum(WeftVisitor& weft_visitor, ::weft::described_as<type>) { \
    using weft_enum = type;                                                                  \
    __VA_OPT__(WEFT_DETAIL_EXPAND(WEFT_DETAIL_VALUE(__VA_ARGS__)))                           \
  }                                                                                          \
  static_assert(true)

// One visitor statement per member.
#define WEFT_DETAIL_MEMBERS(...) \
  (void)weft_self;               \
  (void)weft_visitor;            \
  __VA_OPT__(WEFT_DETAIL_EXPAND(WEFT_DETAIL_MEMBER(__VA_ARGS__)))
#define WEFT_DETAIL_MEMBER(name, ...)         \
  weft_visitor.member(#name, weft_self.name); \
  __VA_OPT__(WEFT_DETAIL_MEMBER_AGAIN WEFT_DETAIL_PARENTHESES(__VA_ARGS__))
#define WEFT_DETAIL_MEMBER_AGAIN() WEFT_DETAIL_MEMBER
#define WEFT_DETAIL_VALUE(name, ...)          \
  weft_visitor.value(#name, weft_enum::name); \
  __VA_OPT__(WEFT_DETAIL_VALUE_AGAIN WEFT_DETAIL_PARENTHESES(__VA_ARGS__))
#define WEFT_DETAIL_VALUE_AGAIN() WEFT_DETAIL_VALUE
#define WEFT_DETAIL_PARENTHESES ()
// Rescans its arguments often enough for 64 of them.
#define WEFT_DETAIL_EXPAND(...) WEFT_DETAIL_EXPAND3(WEFT_DETAIL_EXPAND3(WEFT_DETAIL_EXPAND3(__VA_ARGS__)))
#define WEFT_DETAIL_EXPAND3(...) WEFT_DETAIL_EXPAND2(WEFT_DETAIL_EXPAND2(WEFT_DETAIL_EXPAND2(__VA_ARGS__)))
#define WEFT_DETAIL_EXPAND2(...) WEFT_DETAIL_EXPAND1(WEFT_DETAIL_EXPAND1(WEFT_DETAIL_EXPAND1(__VA_ARGS__)))
#define WEFT_DETAIL_EXPAND1(...) WEFT_DETAIL_EXPAND0(WEFT_DETAIL_EXPAND0(WEFT_DETAIL_EXPAND0(__VA_ARGS__)))
#define WEFT_DETAIL_EXPAND0(...) __VA_ARGS__

namespace weft::inline v1 {

/// Tag that finds the description of T by its namespace.
template <typename T>
struct described_as {};

/// Lets WEFT_DESCRIBE_MEMBERS name private members.
struct describe_access {
  template <typename T, typename Visitor, typename Self>
  static constexpr auto visit(Visitor& visitor, Self& self)
      -> decltype(T::weft_describe_members(visitor, self)) {
    T::weft_describe_members(visitor, self);
  }
};

namespace detail {

struct describe_probe {
  template <typename T>
  void member(const char*, T&) {}
  template <typename T>
  void value(const char*, T) {}
};

template <typename T>
concept described_beside =
    requires(describe_probe& probe, T& value) { weft_describe(probe, value, described_as<T>{}); };
template <typename T>
concept described_inside =
    requires(describe_probe& probe, T& value) { describe_access::visit<T>(probe, value); };
template <typename T>
concept described_enum = requires(describe_probe& probe) { weft_describe_enum(probe, described_as<T>{}); };
template <typename T>
concept missing_is_default = requires { weft_missing_is_default(described_as<T>{}); };

template <typename T, typename Visitor, typename Self>
constexpr void visit_members(Visitor& visitor, Self& self) {
  if constexpr (described_inside<T>) {
    describe_access::visit<T>(visitor, self);
  } else {
    weft_describe(visitor, self, described_as<T>{});
  }
}

template <typename T>
struct member_check {
  static_assert(encodable<T>,
                "weft codec: a described member has a type that cannot be encoded. Describe its type with "
                "WEFT_DESCRIBE, or specialise weft::codec for it.");
  static constexpr bool ok = true;
};

class member_counter {
 public:
  std::size_t count = 0;
  template <typename T>
  constexpr void member(const char*, const T&) {
    ++count;
  }
};

class member_encoder {
 public:
  explicit member_encoder(encoder& out) : out_(out) {}
  template <typename T>
  void member(const char* name, const T& value) {
    static_assert(member_check<T>::ok);
    out_.key(name);
    codec<T>::encode(out_, value);
  }

 private:
  encoder& out_;
};

/// Visited once for each member that is read, to find its place, and once more for what was missing.
class member_decoder {
 public:
  member_decoder(decoder& in, bool missing_is_default);

  bool next();  // moves to the next member, then once to the end

  template <typename T>
  void member(const char* name, T& value) {
    static_assert(member_check<T>::ok);
    if (matches(name, may_be_missing<T>)) codec<T>::decode(in_, value);
  }

 private:
  bool matches(const char* name, bool may_miss);

  decoder& in_;
  std::string_view name_;
  std::uint64_t seen_ = 0;  // a bit for each member, in their order
  unsigned index_ = 0;
  bool missing_is_default_;
  bool found_ = true;
  bool at_end_ = false;
};

class member_schema {
 public:
  member_schema(schema_writer& out, bool missing_is_default)
      : out_(out), missing_is_default_(missing_is_default) {}
  template <typename T>
  void member(const char* name, const T&) {
    static_assert(member_check<T>::ok);
    out_.member(name);
    codec<T>::schema(out_);
    if (missing_is_default_ && !may_be_missing<T>) out_.write("=");
  }

 private:
  schema_writer& out_;
  bool missing_is_default_;
};

}  // namespace detail

/// Is T described by WEFT_DESCRIBE or WEFT_DESCRIBE_MEMBERS?
template <typename T>
concept described = std::is_class_v<T> && (detail::described_beside<T> || detail::described_inside<T>);

template <described T>
struct codec<T> {
  static_assert(std::is_default_constructible_v<T>,
                "weft codec: a described struct needs a default constructor");

  static void encode(encoder& out, const T& value) {
    detail::member_counter counter;
    detail::visit_members<T>(counter, value);
    out.begin_object(counter.count);
    detail::member_encoder members(out);
    detail::visit_members<T>(members, value);
    out.end_object();
  }
  static void decode(decoder& in, T& into) {
    detail::member_decoder members(in, detail::missing_is_default<T>);
    while (members.next()) detail::visit_members<T>(members, into);
  }
  static void schema(schema_writer& out) {
    if (!out.enter(&detail::type_tag<T>)) return;
    out.write("{");
    const T sample{};
    detail::member_schema members(out, detail::missing_is_default<T>);
    detail::visit_members<T>(members, sample);
    out.write("}");
    out.leave();
  }
};

namespace detail {

template <typename T>
struct enum_encoder {
  T wanted;
  const char* name = nullptr;
  constexpr void value(const char* its_name, T its) {
    if (its == wanted && name == nullptr) name = its_name;
  }
};

template <typename T>
struct enum_decoder {
  std::string_view wanted;
  std::optional<T> found;
  constexpr void value(const char* its_name, T its) {
    if (wanted == its_name) found = its;
  }
};

struct enum_schema {
  schema_writer& out;
  bool first = true;
  template <typename T>
  void value(const char* name, T) {
    if (!first) out.write("|");
    first = false;
    out.write(name);
  }
};

[[noreturn]] void throw_unnamed_value(std::int64_t value);
[[noreturn]] void throw_unknown_name(decoder& in, std::string_view name);

}  // namespace detail

template <detail::enumeration T>
  requires detail::described_enum<T>
struct codec<T> {
  static void encode(encoder& out, T value) {
    detail::enum_encoder<T> finder{value};
    weft_describe_enum(finder, described_as<T>{});
    if (finder.name == nullptr) detail::throw_unnamed_value(static_cast<std::int64_t>(value));
    out.text(finder.name);
  }
  static void decode(decoder& in, T& into) {
    detail::enum_decoder<T> finder{in.text(), {}};
    weft_describe_enum(finder, described_as<T>{});
    if (!finder.found) detail::throw_unknown_name(in, finder.wanted);
    into = *finder.found;
  }
  static void schema(schema_writer& out) {
    out.write("enum(");
    detail::enum_schema names{out};
    weft_describe_enum(names, described_as<T>{});
    out.write(")");
  }
};

}  // namespace weft::inline v1
