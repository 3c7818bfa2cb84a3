// Text from anywhere: queries and forms, cookies, header values with parameters, Accept-Encoding, URLs.
// What was written is read as the same; what was read keeps its bounds.
#include "fuzz/check.hpp"
#include "http/compression/encoding.hpp"
#include "http/parameters.hpp"
#include "http/url.hpp"

#include <weft/core/error.hpp>
#include <weft/http/cookie.hpp>
#include <weft/http/cookie_jar.hpp>
#include <weft/http/form.hpp>
#include <weft/http/request.hpp>
#include <weft/http/status_error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace weft::http;

void check_percent(std::string_view text) {
  fuzz_check(percent_decode(percent_encode(text)) == text, "what was encoded is decoded as the same");
  if (const auto decoded = percent_decode(text))
    fuzz_check(decoded->size() <= text.size(), "decoded text is no longer");
}

void check_form(std::string_view text) {
  constexpr std::size_t fields_max = 20;
  const form_options small{.fields_max = fields_max, .field_bytes_max = 100, .folder = {}};
  form_fields got;
  try {
    got = form_fields::parse(text, small);
  } catch (const status_error& refused) {
    fuzz_check(refused.status() == 400 || refused.status() == 413, "a refusal is the client's fault");
    return;
  }
  fuzz_check(got.size() <= fields_max, "the number of fields keeps its bound");
  std::string written;
  for (const form_field& one : got) {
    fuzz_check(one.name.size() + one.value.size() <= small.field_bytes_max, "a field keeps its bound");
    written += percent_encode(one.name) + "=" + percent_encode(one.value) + "&";
  }
  if (written.size() > 2000) return;
  const form_fields again = form_fields::parse(written, {.field_bytes_max = 1000, .folder = {}});
  fuzz_check(again.size() == got.size(), "what was written is read as the same fields");
  for (const form_field& one : got) {
    fuzz_check(again.first(one.name) == got.first(one.name), "what was written is read as the same value");
    fuzz_check(form_value(written, one.name) == got.first(one.name), "both readers agree");
  }
}

void check_cookies(std::string_view text) {
  for (const received_cookie& one : parse_cookies(text)) {
    fuzz_check(find_cookie(text, one.name).has_value(), "what is listed is found");
    try {
      const std::string set = set_cookie_text(
          one.name, one.value, {.path = "", .http_only = false, .same_site = same_site::unset});
      fuzz_check(find_cookie(set, one.name) == one.value, "what was set is read as the same");
      fuzz_check(set.find_first_of("\r\n;") == std::string::npos, "no cookie has a second line or attribute");
    } catch (const weft::error& refused) {
      fuzz_check(refused.code() == weft::errc::invalid_argument, "a cookie that cannot be set is told so");
    }
  }
}

/// A jar takes what a server says and sends it back: to nobody else, and as one field.
void check_jar(std::string_view text) {
  cookie_jar jar({.cookies_max = 2, .cookies_of_a_domain_max = 1});
  const cookie_place from{.host = "a.example.org", .path = "/a/b"};
  jar.take(from, "first=1");
  const bool taken = jar.take(from, text);
  const auto all = jar.all();
  fuzz_check(all.size() <= 2 && (taken || all.size() == 1), "a jar keeps its bound");
  for (const kept_cookie& one : all) {
    fuzz_check(one.name.size() + one.value.size() <= cookie_jar::cookie_bytes_max,
               "a cookie keeps its bound");
    fuzz_check(one.domain == "a.example.org" || one.domain == "example.org", "a cookie stays in its domain");
    fuzz_check(!one.secure, "plain HTTP sets no secure cookie");
  }
  const std::string sent = jar.cookies_for({.host = "a.example.org", .path = "/a/b/c"});
  fuzz_check(sent.find_first_of("\r\n") == std::string::npos, "cookies are one line");
  fuzz_check(jar.cookies_for({.host = "example.com"}).empty(), "another host gets nothing");
}

void check_parameters(std::string_view text) {
  if (const auto got = detail::parse_parameters(text)) {
    for (const auto& [name, value] : got->parameters)
      fuzz_check(got->find(name) == &value, "names of parameters are found, and unique");
  }
  detail::wanted_format(text);
}

void check_url(std::string_view text) {
  try {
    const detail::url got = detail::read_url(text, "http", "fuzz");
    fuzz_check(got.target.starts_with('/'), "a target begins with a slash");
    fuzz_check(got.target.find_first_of(" \t\r\n#") == std::string::npos, "a target cannot end a line");
    fuzz_check(got.origin.authority.find_first_of(" \t\r\n/@") == std::string::npos, "nor can an authority");
    const detail::url again = detail::read_url(got.origin.text() + got.target, "http", "fuzz");
    fuzz_check(again.target == got.target && again.origin.text() == got.origin.text() &&
                   again.origin.secure == got.origin.secure,
               "what was written is read as the same URL");
  } catch (const weft::error& refused) {
    fuzz_check(refused.code() == weft::errc::invalid_argument, "a bad URL is told so");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_percent(text);
  check_form(text);
  check_cookies(text);
  check_jar(text);
  check_parameters(text);
  check_url(text);
  return 0;
}
