#include <weft/codec/secret.hpp>

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/codec/codec.hpp>
#include <weft/core/error.hpp>
#include <weft/wire/json.hpp>

namespace {

using weft::errc;
using weft::secret;
using weft::wire::from_json;
using weft::wire::to_json;

enum class colour { red, green };
WEFT_DESCRIBE_ENUM(colour, red, green);

struct account {
  std::string name;
  secret<std::string> password;
};
WEFT_DESCRIBE(account, name, password);

TEST(secret, is_not_written_unless_it_is_allowed) {
  const account one{"ann", "hunter2"};
  try {
    (void)to_json(one);
    FAIL() << "it was written";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), errc::refused);
    EXPECT_EQ(refused.message().find("hunter2"), std::string::npos);
  }
  {
    const weft::secrets_in_clear allowed;
    EXPECT_EQ(to_json(one), R"({"name":"ann","password":"hunter2"})");
  }
  EXPECT_THROW((void)to_json(one), weft::error) << "no longer allowed";
}

TEST(secret, is_read_from_any_form_wherever_it_stands) {
  EXPECT_EQ(from_json<account>(R"({"name":"ann","password":"hunter2"})").password.reveal(), "hunter2");
  EXPECT_EQ(from_json<std::vector<secret<int>>>("[1,2]").at(1).reveal(), 2);
  EXPECT_FALSE(from_json<std::optional<secret<int>>>("null"));
}

TEST(secret, says_nothing_of_itself_where_it_does_not_fit) {
  for (const char* text : {"\"hunter2\"", "7", "[\"hunter2\"]"}) {
    try {
      (void)from_json<secret<colour>>(text);
      ADD_FAILURE() << "it was read";
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), errc::malformed);
      EXPECT_EQ(refused.message().find("hunter2"), std::string::npos) << refused.what();
    }
  }
}

TEST(secret, is_named_in_the_schema) {
  EXPECT_EQ(weft::schema_text<account>(), "{name:str,password:secret(str)}");
}

TEST(secret, converts_from_its_value_and_into_nothing) {
  static_assert(std::is_convertible_v<const char*, secret<std::string>>);
  static_assert(std::is_convertible_v<std::string, secret<std::string>>);
  static_assert(!std::is_convertible_v<secret<std::string>, std::string>);
  static_assert(!std::is_convertible_v<std::vector<int>, secret<std::string>>);
  secret<std::string> one = "a";
  secret<std::string> other = one;
  one = std::string("b");
  EXPECT_EQ(other.reveal(), "a");
  EXPECT_EQ(one.reveal(), "b");
}

TEST(secret, is_zeroed_at_its_end) {
  alignas(secret<std::uint64_t>) unsigned char place[sizeof(secret<std::uint64_t>)];
  auto* const one = new (place) secret<std::uint64_t>(0x1122334455667788U);
  EXPECT_EQ(one->reveal(), 0x1122334455667788U);
  one->~secret();
  volatile const unsigned char* const bytes = place;
  for (std::size_t i = 0; i < sizeof place; ++i) EXPECT_EQ(bytes[i], 0) << i;
}

}  // namespace
