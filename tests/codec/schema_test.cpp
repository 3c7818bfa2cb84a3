#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include <weft/codec/codec.hpp>

namespace {

struct user_id {
  std::int64_t id = 0;
  std::optional<std::string> mail;
};
WEFT_DESCRIBE(user_id, id, mail);

struct tree {
  std::string name;
  std::vector<tree> children;
  WEFT_DESCRIBE_MEMBERS(name, children);
};

struct settings {
  int port = 80;
  bool fast = true;
};
WEFT_DESCRIBE(settings, port, fast);
WEFT_MISSING_IS_DEFAULT(settings);

struct nothing {};
WEFT_DESCRIBE(nothing);

class account {
 public:
  int balance() const { return balance_; }

 private:
  int balance_ = 3;
  WEFT_DESCRIBE_MEMBERS(balance_);
};

enum class size : unsigned char { small, large };
enum class colour { red, green };
WEFT_DESCRIBE_ENUM(colour, red, green);

struct not_described {
  int x;
};

using weft::encodable;
using weft::schema_text;

TEST(schema, names_plain_types_by_kind_and_width) {
  EXPECT_EQ(schema_text<bool>(), "bool");
  EXPECT_EQ(schema_text<std::int8_t>(), "i8");
  EXPECT_EQ(schema_text<long long>(), "i64");
  EXPECT_EQ(schema_text<std::uint16_t>(), "u16");
  EXPECT_EQ(schema_text<float>(), "f32");
  EXPECT_EQ(schema_text<double>(), "f64");
  EXPECT_EQ(schema_text<std::string>(), "str");
  EXPECT_EQ(schema_text<weft::bytes>(), "bytes");
  EXPECT_EQ(schema_text<size>(), "u8");
  EXPECT_EQ(schema_text<colour>(), "enum(red|green)");
  EXPECT_EQ(schema_text<std::chrono::milliseconds>(), "duration");
  EXPECT_EQ(schema_text<std::chrono::system_clock::time_point>(), "time");
}

TEST(schema, shows_structure_of_composed_types) {
  EXPECT_EQ((schema_text<std::pair<std::int64_t, user_id>>()), "(i64,{id:i64,mail:str?})");
  EXPECT_EQ((schema_text<std::array<int, 2>>()), "(i32,i32)");
  EXPECT_EQ((schema_text<std::vector<std::set<std::string>>>()), "[[str]]");
  EXPECT_EQ((schema_text<std::map<std::string, double>>()), "{*:f64}");
  EXPECT_EQ((schema_text<std::unordered_map<int, bool>>()), "[(i32,bool)]");
  EXPECT_EQ((schema_text<std::variant<std::monostate, int, std::string>>()), "<null|i32|str>");
  EXPECT_EQ(schema_text<account>(), "{balance_:i32}");
  EXPECT_EQ(schema_text<nothing>(), "{}");
}

TEST(schema, writes_a_type_that_contains_itself_once) {
  EXPECT_EQ(schema_text<tree>(), "{name:str,children:[^1]}");
  EXPECT_EQ(schema_text<weft::failure>(),
            "{code:errc=,type:str=,message:str=,where:str=,when:time=,causes:[^1]=,stack:[str]=}");
}

TEST(schema, marks_members_that_may_be_missing) {
  EXPECT_EQ(schema_text<settings>(), "{port:i32=,fast:bool=}");
}

TEST(encodable, takes_values_and_refuses_what_has_no_meaning_elsewhere) {
  static_assert(encodable<const int>);
  static_assert(encodable<std::deque<user_id>>);
  static_assert(encodable<std::optional<std::vector<tree>>>);
  static_assert(encodable<std::tuple<>>);
  static_assert(encodable<weft::failure>);
  static_assert(!encodable<int*>);
  static_assert(!encodable<const char*>);
  static_assert(!encodable<std::string_view>);
  static_assert(!encodable<not_described>);
  static_assert(!encodable<std::vector<not_described>>);
  static_assert(!encodable<std::tuple<int, not_described>>);
  static_assert(!encodable<std::optional<std::optional<int>>>);
  static_assert(!encodable<wchar_t>);
  static_assert(!encodable<long double>);
  static_assert(!encodable<std::chrono::steady_clock::time_point>);
}

}  // namespace
