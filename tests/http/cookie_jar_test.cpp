#include <weft/http/cookie_jar.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "http/set_cookie.hpp"

namespace weft::http {
namespace {

constexpr cookie_place shop{.host = "www.shop.example", .path = "/a/b", .secure = true};
constexpr cookie_place plain{.host = "www.shop.example", .path = "/a/b", .secure = false};

std::string sent_to(cookie_jar& jar, std::string_view host, std::string_view path = "/a/b",
                    bool secure = true) {
  return jar.cookies_for({.host = host, .path = path, .secure = secure});
}

TEST(cookie_jar, keeps_cookies_for_their_host_or_domain) {
  cookie_jar jar;
  EXPECT_TRUE(jar.take(shop, "own=1"));
  EXPECT_TRUE(jar.take(shop, "all=2; domain=.Shop.Example; PATH=/"));
  EXPECT_EQ(sent_to(jar, "WWW.shop.example"), "own=1; all=2");  // the longer path first
  EXPECT_EQ(sent_to(jar, "shop.example"), "all=2");
  EXPECT_EQ(sent_to(jar, "x.www.shop.example"), "all=2");
  for (const char* const other : {"myshop.example", "example", "shop.example.org"})
    EXPECT_EQ(sent_to(jar, other), "") << other;
  EXPECT_EQ(jar.all().size(), 2u);
  jar.clear();
  EXPECT_EQ(sent_to(jar, "www.shop.example"), "");
}

TEST(cookie_jar, refuses_what_a_place_may_not_set) {
  cookie_jar jar;
  for (const std::string bad :
       {"", "a", "=a", ";a=b", "a=b\x01", "a=1; Domain=other.example", "a=1; Domain=example",
        "a=1; Domain=x.www.shop.example", "a=1; Domain=op.example", "__Secure-a=1", "__Host-a=1; Secure",
        "__host-a=1; Secure; Path=/; Domain=www.shop.example", "__HOST-a=1; Path=/"}) {
    EXPECT_FALSE(jar.take(shop, bad)) << bad;
  }
  EXPECT_FALSE(jar.take(shop, "a=" + std::string(cookie_jar::cookie_bytes_max, 'x')));
  EXPECT_FALSE(jar.take(plain, "a=1; Secure"));
  EXPECT_FALSE(jar.take({.host = "10.0.0.1"}, "a=1; Domain=0.0.1"));
  EXPECT_EQ(jar.all().size(), 0u);
  EXPECT_TRUE(jar.take(shop, "__Host-a=1; Secure; Path=/"));
  EXPECT_TRUE(jar.take(shop, "__Secure-b=1; Secure; Domain=shop.example"));
  EXPECT_TRUE(jar.take({.host = "localhost"}, "c=1; Domain=localhost"));
  EXPECT_TRUE(jar.take({.host = "10.0.0.1"}, "d=1; Domain=10.0.0.1"));
  EXPECT_EQ(sent_to(jar, "x.localhost", "/", false), "");
  EXPECT_EQ(sent_to(jar, "10.0.0.1", "/", false), "d=1");
}

TEST(cookie_jar, paths_are_whole_segments) {
  cookie_jar jar;
  EXPECT_TRUE(jar.take(shop, "default=1"));  // of /a/b: /a
  EXPECT_TRUE(jar.take(shop, "deep=1; Path=/a/b/"));
  EXPECT_TRUE(jar.take(shop, "root=1; Path=no path"));                // as if nothing was said
  EXPECT_TRUE(jar.take({.host = shop.host, .path = "/x"}, "all=1"));  // of /x: /
  const std::vector<std::pair<const char*, const char*>> table = {
      {"/", "all=1"},   {"/a", "default=1; root=1; all=1"},   {"/a/", "default=1; root=1; all=1"},
      {"/ab", "all=1"}, {"/a/b", "default=1; root=1; all=1"}, {"/a/b/c", "deep=1; default=1; root=1; all=1"},
  };
  for (const auto& [path, expected] : table) EXPECT_EQ(sent_to(jar, shop.host, path), expected) << path;
}

TEST(cookie_jar, secure_ones_go_over_tls_only_and_are_not_hidden_by_others) {
  cookie_jar jar;
  EXPECT_TRUE(jar.take(shop, "id=safe; Secure; HttpOnly; SameSite=Lax; Domain=shop.example"));
  EXPECT_TRUE(jar.all().front().http_only);
  EXPECT_EQ(jar.cookies_for(plain), "");
  EXPECT_EQ(jar.cookies_for(shop), "id=safe");
  EXPECT_FALSE(jar.take(plain, "id=forged"));
  EXPECT_FALSE(jar.take(plain, "id=forged; Domain=shop.example; Max-Age=0"));
  EXPECT_EQ(jar.cookies_for(shop), "id=safe");
  EXPECT_TRUE(jar.take(plain, "id=mine; Path=/"));  // hides nothing: it is sent behind
  EXPECT_EQ(jar.cookies_for(shop), "id=safe; id=mine");
}

TEST(cookie_jar, cookies_end_by_max_age_or_date_and_are_replaced) {
  cookie_jar jar;
  EXPECT_TRUE(jar.take(shop, "a=1"));
  EXPECT_TRUE(jar.take(shop, "b=1"));
  EXPECT_TRUE(jar.take(shop, "a=2; Max-Age=1000; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));  // Max-Age counts
  EXPECT_EQ(jar.cookies_for(shop), "a=2; b=1");  // as old as it was
  const auto most = std::chrono::system_clock::now() + cookie_jar::kept_for_max + std::chrono::hours(1);
  EXPECT_TRUE(jar.take(shop, "b=3; Max-Age=99999999999999999999"));
  for (const kept_cookie& one : jar.all()) EXPECT_LT(one.expires.value(), most) << one.name;
  EXPECT_TRUE(jar.take(shop, "a=; Max-Age=-1"));
  EXPECT_TRUE(jar.take(shop, "b=; Expires=Thu, 01-Jan-1970 00:00:01 GMT"));
  EXPECT_EQ(jar.cookies_for(shop), "");
  EXPECT_TRUE(jar.take(shop, "c=1; Max-Age=soon; Expires=one day; Domain=; Path"));  // all passed over
  EXPECT_EQ(jar.cookies_for(shop), "c=1");
}

TEST(cookie_jar, is_bounded_and_gives_up_what_was_not_sent_for_longest) {
  cookie_jar jar({.cookies_max = 4, .cookies_of_a_domain_max = 3});
  for (const char* const one : {"a=1; Secure", "b=1", "c=1"}) EXPECT_TRUE(jar.take(shop, one));
  EXPECT_TRUE(jar.take(shop, "d=1"));  // b goes: a is older, but secure
  EXPECT_EQ(jar.cookies_for(shop), "a=1; c=1; d=1");
  const cookie_place other{.host = "other.example"};
  EXPECT_TRUE(jar.take(other, "x=1"));
  EXPECT_TRUE(jar.take(other, "y=1"));  // a goes: it was sent first of all
  EXPECT_EQ(jar.cookies_for(shop), "c=1; d=1");
  EXPECT_EQ(jar.cookies_for(other), "x=1; y=1");
}

TEST(cookie_jar, dates_are_read_as_servers_write_them) {
  using std::chrono::sys_seconds;
  const sys_seconds expected{std::chrono::seconds(784111777)};
  for (const char* const text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06-Nov-1994 08:49:37 GMT", "6 november 94 8:49:37", "1994/Nov/6 (08:49:37)"}) {
    EXPECT_EQ(detail::read_cookie_date(text), expected) << text;
  }
  for (const char* const bad :
       {"", "Sun, 06 Nov 1994", "31 Feb 2020 00:00:00", "6 Nov 1600 00:00:00", "6 Nov 1994 24:00:00",
        "6 Nov 1994 00:00:000", "06 xyz 1994 00:00:00", "006 Nov 1994 00:00:00"}) {
    EXPECT_EQ(detail::read_cookie_date(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(detail::read_cookie_date("1 Jan 69 00:00:00"),
            sys_seconds(std::chrono::sys_days(std::chrono::year(2069) / 1 / 1)));
}

}  // namespace
}  // namespace weft::http
