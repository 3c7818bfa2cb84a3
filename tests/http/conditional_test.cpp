#include <weft/http/conditional.hpp>

#include <gtest/gtest.h>

#include <vector>

#include "support/expect_error.hpp"

namespace weft::http {
namespace {

using fields = std::vector<header>;

precondition check(std::string_view method, const fields& sent, const validators& now) {
  return check_preconditions(request({.method = method, .headers = sent}), now);
}

const std::chrono::sys_seconds modified(std::chrono::seconds(784111777));
constexpr std::string_view that_time = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view after = "Sun, 06 Nov 1994 08:49:38 GMT";
const validators strong{.tag = entity_tag{"v1"}, .modified = modified};
const validators weak{.tag = entity_tag{"v1", true}, .modified = modified};
const validators absent{.exists = false};
constexpr auto holds = precondition::holds;
constexpr auto failed = precondition::failed;
constexpr auto not_modified = precondition::not_modified;

TEST(entity_tag, is_written_and_read) {
  EXPECT_EQ(to_string({"a,b", false}), "\"a,b\"");
  EXPECT_EQ(to_string({"", true}), "W/\"\"");
  EXPECT_EQ(parse_entity_tag("W/\"x\""), (entity_tag{"x", true}));
  EXPECT_EQ(parse_entity_tag("\"\""), (entity_tag{"", false}));
  for (const char* const text : {"", "x", "\"x", "x\"", "w/\"x\"", "\"x\"y", "\"a b\"", "\"\x7f\"", "W/x"}) {
    EXPECT_FALSE(parse_entity_tag(text)) << text;
  }
  message_of(errc::invalid_argument, [] { to_string({"a\"b", false}); });
  message_of(errc::invalid_argument, [] { to_string({"a\r\nb", false}); });
}

// The table of RFC 9110, 8.8.3.2.
TEST(entity_tag, compares_strongly_and_weakly) {
  const entity_tag one{"1"};
  const entity_tag weak_one{"1", true};
  const entity_tag weak_two{"2", true};
  EXPECT_FALSE(is_same_bytes(weak_one, weak_one));
  EXPECT_TRUE(is_same_state(weak_one, weak_one));
  EXPECT_FALSE(is_same_state(weak_one, weak_two));
  EXPECT_FALSE(is_same_bytes(weak_one, one));
  EXPECT_TRUE(is_same_state(weak_one, one));
  EXPECT_TRUE(is_same_bytes(one, one));
}

TEST(preconditions, if_match_compares_strongly) {
  EXPECT_EQ(check("PUT", {{"If-Match", "\"v1\""}}, strong), holds);
  EXPECT_EQ(check("PUT", {{"if-match", "\"v0\" , ,W/\"v9\", \"v1\""}}, strong), holds);
  EXPECT_EQ(check("PUT", {{"If-Match", "\"v0\""}, {"If-Match", "\"v1\""}}, strong), holds);
  EXPECT_EQ(check("PUT", {{"If-Match", "\"v1\""}}, weak), failed);
  EXPECT_EQ(check("PUT", {{"If-Match", "W/\"v1\""}}, strong), failed);
  EXPECT_EQ(check("PUT", {{"If-Match", "\"v0\""}}, strong), failed);
  EXPECT_EQ(check("PUT", {{"If-Match", "*"}}, strong), holds);
  EXPECT_EQ(check("PUT", {{"If-Match", "*"}}, absent), failed);
  EXPECT_EQ(check("GET", {{"If-Match", "\"v0\""}}, strong), failed);
  EXPECT_EQ(check("PUT", {{"If-Match", "v1"}}, strong), failed);  // no list of tags
  EXPECT_EQ(check("PUT", {{"If-Match", "\"v1\" \"v2\""}}, strong), failed);
  EXPECT_EQ(check("PUT", {{"If-Match", ""}}, strong), failed);
}

TEST(preconditions, if_none_match_compares_weakly) {
  EXPECT_EQ(check("GET", {{"If-None-Match", "W/\"v1\""}}, strong), not_modified);
  EXPECT_EQ(check("HEAD", {{"If-None-Match", "\"v0\", \"v1\""}}, weak), not_modified);
  EXPECT_EQ(check("PUT", {{"If-None-Match", "\"v1\""}}, strong), failed);
  EXPECT_EQ(check("GET", {{"If-None-Match", "\"v0\""}}, strong), holds);
  EXPECT_EQ(check("GET", {{"If-None-Match", "*"}}, strong), not_modified);
  EXPECT_EQ(check("PUT", {{"If-None-Match", "*"}}, strong), failed);
  EXPECT_EQ(check("PUT", {{"If-None-Match", "*"}}, absent), holds);
  EXPECT_EQ(check("GET", {{"If-None-Match", "v1"}}, strong), holds);
}

TEST(preconditions, times_count_where_no_tags_are_asked_for) {
  EXPECT_EQ(check("GET", {{"If-Modified-Since", that_time}}, strong), not_modified);
  EXPECT_EQ(check("GET", {{"If-Modified-Since", after}}, strong), not_modified);
  EXPECT_EQ(check("GET", {{"If-Modified-Since", before}}, strong), holds);
  EXPECT_EQ(check("POST", {{"If-Modified-Since", that_time}}, strong), holds);
  EXPECT_EQ(check("GET", {{"If-Modified-Since", "yesterday"}}, strong), holds);
  EXPECT_EQ(check("GET", {{"If-Modified-Since", after}}, {.tag = entity_tag{"v1"}}), holds);
  EXPECT_EQ(check("GET", {{"If-Modified-Since", after}, {"If-None-Match", "\"v0\""}}, strong), holds);
  EXPECT_EQ(check("PUT", {{"If-Unmodified-Since", that_time}}, strong), holds);
  EXPECT_EQ(check("PUT", {{"If-Unmodified-Since", before}}, strong), failed);
  EXPECT_EQ(check("PUT", {{"If-Unmodified-Since", before}, {"If-Match", "\"v1\""}}, strong), holds);
  EXPECT_EQ(check("PUT", {{"If-Unmodified-Since", "x"}}, strong), holds);
}

TEST(preconditions, what_forbids_comes_before_what_saves_work) {
  EXPECT_EQ(check("GET", {{"If-Match", "\"v0\""}, {"If-None-Match", "\"v1\""}}, strong), failed);
  EXPECT_EQ(check("GET", {{"If-Match", "\"v1\""}, {"If-None-Match", "\"v1\""}}, strong), not_modified);
  EXPECT_EQ(check("GET", {}, strong), holds);
}

}  // namespace
}  // namespace weft::http
