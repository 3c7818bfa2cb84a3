#include <weft/http/cookie.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/http/status_error.hpp>
#include <weft/wire/key_ring.hpp>

namespace weft::http {
namespace {

using namespace std::chrono_literals;

std::string names_and_values(std::string_view header) {
  std::string all;
  for (const received_cookie& one : parse_cookies(header))
    all.append(one.name).append("[").append(one.value).append("]");
  return all;
}

TEST(cookies, of_a_request_are_read_as_browsers_send_them) {
  EXPECT_EQ(names_and_values("a=1; b=2"), "a[1]b[2]");
  EXPECT_EQ(names_and_values("a=1;b=2; ;"), "a[1]b[2]");
  EXPECT_EQ(names_and_values("a==; b=x=y; c=\"q\"; d="), "a[=]b[x=y]c[\"q\"]d[]");
  EXPECT_EQ(names_and_values(" \ta = 1\t;b=two words, and commas"), "a[1]b[two words, and commas]");
  EXPECT_EQ(names_and_values(""), "");
}

TEST(cookies, without_a_name_are_left_out) {
  EXPECT_EQ(names_and_values("=1; a; b=2; c d=3; ;;=;(x)=4; \xc3\xa4=5"), "b[2]");
}

TEST(cookies, are_found_by_their_exact_name_the_first_of_several) {
  const std::vector<header> fields{{"Cookie", "a=1; A=2; a=3"}, {"X", "z=9"}, {"cookie", "z=4"}};
  const request in(detail::request_parts{.headers = fields});
  EXPECT_EQ(in.cookie("a"), "1");
  EXPECT_EQ(in.cookie("A"), "2");
  EXPECT_EQ(in.cookie("z"), "4");
  EXPECT_EQ(in.cookie("b"), std::nullopt);
  EXPECT_EQ(in.cookies().size(), 4u);
}

TEST(cookies, of_a_request_have_a_bound) {
  std::string text;
  for (std::size_t i = 0; i < cookies_max; ++i) text += "a=;";
  std::vector<header> fields{{"Cookie", text}};
  EXPECT_EQ(request(detail::request_parts{.headers = fields}).cookies().size(), cookies_max);
  fields.push_back({"Cookie", "b=1"});
  try {
    request(detail::request_parts{.headers = fields}).cookies();
    FAIL() << "one too many";
  } catch (const status_error& refused) {
    EXPECT_EQ(refused.status(), 431);
  }
}

TEST(cookies, are_set_with_what_was_asked_for) {
  EXPECT_EQ(set_cookie_text("a", "1"), "a=1; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(set_cookie_text("a", "", {.path = "", .http_only = false, .same_site = same_site::unset}), "a=");
  const std::chrono::sys_seconds date(784111777s);
  EXPECT_EQ(set_cookie_text("__Secure-a", "x/y+z==",
                            {.max_age = 60s,
                             .expires = date,
                             .domain = "example.org",
                             .path = "/a b",
                             .secure = true,
                             .same_site = same_site::none,
                             .partitioned = true,
                             .priority = cookie_priority::high}),
            "__Secure-a=x/y+z==; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=60; Domain=example.org; "
            "Path=/a b; Secure; HttpOnly; SameSite=None; Partitioned; Priority=High");
  EXPECT_EQ(set_cookie_text("a", "1", {.max_age = -5s, .same_site = same_site::strict}),
            "a=1; Max-Age=0; Path=/; HttpOnly; SameSite=Strict");
}

TEST(cookies, of_one_name_stand_beside_each_other_in_a_response) {
  response out;
  out.set_cookie("a", "1", {.path = "/x"}).set_cookie("a", "2").clear_cookie("b");
  EXPECT_EQ(out.header("Set-Cookie"), "a=1; Path=/x; HttpOnly; SameSite=Lax");
  EXPECT_THROW(out.set_cookie("c", "1\r\nX-Evil: 1"), error);
}

TEST(cookies, that_browsers_would_cut_up_or_drop_are_refused) {
  const auto refused = [](std::string_view name, std::string_view value, const cookie_options& options = {}) {
    try {
      set_cookie_text(name, value, options);
      return false;
    } catch (const error& why) {
      return why.code() == errc::invalid_argument;
    }
  };
  EXPECT_TRUE(refused("", "1"));
  EXPECT_TRUE(refused("a=b", "1"));
  EXPECT_TRUE(refused("a b", "1"));
  EXPECT_TRUE(refused("a\r\nb", "1"));
  for (const char* const value :
       {"a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nSet-Cookie: b=1", "\xc3\xa4", "\x7f"})
    EXPECT_TRUE(refused("a", value)) << value;
  EXPECT_TRUE(refused("a", std::string("x\0y", 3)));
  EXPECT_FALSE(refused("a", std::string(4095, 'x')));
  EXPECT_TRUE(refused("a", std::string(4096, 'x')));
  EXPECT_TRUE(refused("a", "1", {.domain = "a.b; Path=/"}));
  EXPECT_TRUE(refused("a", "1", {.path = "/;x"}));
  EXPECT_TRUE(refused("a", "1", {.path = "x"}));
  EXPECT_TRUE(refused("a", "1", {.path = "/\r\n"}));
  EXPECT_TRUE(refused("a", "1", {.path = "/" + std::string(1024, 'x')}));
  EXPECT_TRUE(refused("a", "1", {.same_site = same_site::none}));
  EXPECT_TRUE(refused("a", "1", {.partitioned = true}));
  EXPECT_TRUE(refused("a", "1", {.expires = std::chrono::sys_seconds(253402300800s)}));
  EXPECT_TRUE(refused("__Secure-a", "1"));
  EXPECT_TRUE(refused("__host-a", "1"));
  EXPECT_FALSE(refused("__Host-a", "1", {.secure = true}));
  EXPECT_TRUE(refused("__Host-a", "1", {.path = "/x", .secure = true}));
  EXPECT_TRUE(refused("__Host-a", "1", {.domain = "example.org", .secure = true}));
}

wire::key_ring some_keys() { return wire::key_ring(wire::key::generate("k1")); }

TEST(signed_cookies, come_back_as_they_were) {
  const wire::key_ring keys = some_keys();
  const cookie_signer signer(keys, 1h);
  const std::string value = std::string("any \0 bytes; \"\r\n", 16);
  const std::string sealed = signer.seal("a", value);
  EXPECT_NO_THROW(set_cookie_text("a", sealed));
  EXPECT_EQ(signer.open("a", sealed), value);
  EXPECT_EQ(signer.open("a", signer.seal("a", "")), "");
}

TEST(signed_cookies, end_with_their_time_whatever_the_browser_does) {
  const wire::key_ring keys = some_keys();
  simulate(1, [&] {
    const cookie_signer signer(keys, 1h);
    const std::string sealed = signer.seal("a", "value");
    sleep_for(59min);
    EXPECT_EQ(signer.open("a", sealed), "value");
    sleep_for(61s);
    EXPECT_EQ(signer.open("a", sealed), std::nullopt);
  });
}

TEST(signed_cookies, of_another_name_key_or_text_are_none) {
  const wire::key_ring keys = some_keys();
  const wire::key_ring others = some_keys();
  const cookie_signer signer(keys, 1h);
  const std::string sealed = signer.seal("a", "value");
  EXPECT_EQ(signer.open("b", sealed), std::nullopt);
  EXPECT_EQ(cookie_signer(others, 1h).open("a", sealed), std::nullopt);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(signer.open("a", changed), std::nullopt) << i;
  }
  for (std::size_t bytes = 0; bytes < sealed.size(); ++bytes)
    EXPECT_EQ(signer.open("a", sealed.substr(0, bytes)), std::nullopt);
  EXPECT_EQ(signer.open("a", std::string(1'000'000, 'A')), std::nullopt);
  EXPECT_THROW(cookie_signer(keys, 0s), error);
}

}  // namespace
}  // namespace weft::http
