#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <weft/trace/propagation.hpp>

// The cases of the W3C test suite for trace context, as a table: headers in, the trace that they continue.

namespace weft::trace {
namespace {

using headers = std::vector<std::pair<std::string, std::string>>;

const std::string good = "00-12345678901234567890123456789012-1234567890123456-01";
const std::string unsampled = "00-12345678901234567890123456789012-1234567890123456-00";

std::string repeated(std::size_t count, char one) { return std::string(count, one); }

std::string all_visible() {
  std::string text;
  for (char one = 0x20; one < 0x7f; ++one) {
    if (one != ',' && one != '=') text += one;
  }
  return text;
}

/// `count` members in headers of ten.
headers many_members(int count) {
  headers all{{"traceparent", unsampled}};
  for (int number = 1; number <= count; ++number) {
    if (number % 10 == 1) all.push_back({"tracestate", ""});
    const std::string two = (number < 10 ? "0" : "") + std::to_string(number);
    all.back().second += (all.back().second.empty() ? "bar" : ",bar") + two + "=" + two;
  }
  return all;
}

struct vector {
  std::string what;
  headers in;
  std::string traceparent;      // of what is continued; empty: a new trace
  std::string tracestate = {};  // of what is continued
};

std::vector<vector> traceparent_vectors() {
  const auto with = [](const char* what, std::string traceparent, std::string out) {
    return vector{what, {{"traceparent", std::move(traceparent)}}, std::move(out)};
  };
  const std::string id = "12345678901234567890123456789012";
  return {
      {"nothing", {}, ""},
      with("valid", good, good),
      {"twice", {{"traceparent", good}, {"traceparent", unsampled}}, ""},
      {"twice the same", {{"traceparent", good}, {"traceparent", good}}, ""},
      {"name with a dash", {{"trace-parent", good}}, ""},
      {"name with a dot", {{"trace.parent", good}}, ""},
      {"name TraceParent", {{"TraceParent", good}}, good},
      {"name TrAcEpArEnT", {{"TrAcEpArEnT", good}}, good},
      {"name TRACEPARENT", {{"TRACEPARENT", good}}, good},
      with("version 00, one character more", good + ".", ""),
      with("version 00, a field more", good + "-what-the-future-will-be-like", ""),
      with("version cc", "cc" + good.substr(2), good),
      with("version cc, a field more", "cc" + good.substr(2) + "-what-the-future-will-be-like", good),
      with("version cc, no dash after the flags", "cc" + good.substr(2) + ".what-the-future-will-be-like",
           ""),
      with("version 01", "01" + good.substr(2), good),
      with("version ff", "ff" + good.substr(2), ""),
      with("version .0", ".0" + good.substr(2), ""),
      with("version 0.", "0." + good.substr(2), ""),
      with("version CC", "CC" + good.substr(2), ""),
      with("version 000", "0" + good, ""),
      with("version 0000", "00" + good, ""),
      with("version 0", good.substr(1), ""),
      with("trace id zero", "00-" + repeated(32, '0') + "-1234567890123456-01", ""),
      with("trace id begins badly", "00-." + id.substr(1) + "-1234567890123456-01", ""),
      with("trace id ends badly", "00-" + id.substr(0, 31) + ".-1234567890123456-01", ""),
      with("trace id in upper case", "00-" + repeated(32, 'A') + "-1234567890123456-01", ""),
      with("trace id too long", "00-" + id + "3-1234567890123456-01", ""),
      with("trace id too short", "00-" + id.substr(0, 31) + "-1234567890123456-01", ""),
      with("span id zero", "00-" + id + "-0000000000000000-01", ""),
      with("span id begins badly", "00-" + id + "-.234567890123456-01", ""),
      with("span id ends badly", "00-" + id + "-123456789012345.-01", ""),
      with("span id in upper case", "00-" + id + "-ABCDEF7890123456-01", ""),
      with("span id too long", "00-" + id + "-12345678901234567-01", ""),
      with("span id too short", "00-" + id + "-123456789012345-01", ""),
      with("flags .0", good.substr(0, 53) + ".0", ""),
      with("flags 0.", good.substr(0, 53) + "0.", ""),
      with("flags 001", good.substr(0, 53) + "001", ""),
      with("flags 1", good.substr(0, 53) + "1", ""),
      with("flags 02, random", good.substr(0, 53) + "02", good.substr(0, 53) + "02"),
      with("flags ff, those known are kept", good.substr(0, 53) + "ff", good.substr(0, 53) + "03"),
      with("flags fc, none is known", good.substr(0, 53) + "fc", unsampled),
      with("flags FF", good.substr(0, 53) + "FF", ""),
      with("a blank before", " " + good, good),
      with("a tab before", "\t" + good, good),
      with("a blank after", good + " ", good),
      with("a tab after", good + "\t", good),
      with("both around", "\t " + good + " \t", good),
      with("empty", "", ""),
      with("dashes elsewhere", "00_" + good.substr(3), ""),
  };
}

std::vector<vector> tracestate_vectors() {
  std::vector<vector> all;
  const auto state = [&](const char* what, std::vector<std::string> in, std::string out) {
    headers sent{{"traceparent", unsampled}};
    for (auto& one : in) sent.push_back({"tracestate", std::move(one)});
    all.push_back({what, std::move(sent), unsampled, std::move(out)});
  };
  const std::string every_key_char = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
  state("two members", {"foo=1,bar=2"}, "foo=1,bar=2");
  state("empty", {""}, "");
  state("empty after another", {"foo=1", ""}, "foo=1");
  state("empty before another", {"", "foo=1"}, "foo=1");
  state("several headers", {"foo=1,bar=2", "rojo=1,congo=2", "baz=3"}, "foo=1,bar=2,rojo=1,congo=2,baz=3");
  state("a key twice, equal", {"foo=1,foo=1"}, "");
  state("a key twice", {"foo=1,foo=2"}, "");
  state("a key in two headers, equal", {"foo=1", "foo=1"}, "");
  state("a key in two headers", {"foo=1", "foo=2"}, "");
  state("every character", {every_key_char + "=" + all_visible()}, every_key_char + "=" + all_visible());
  state("every character, with a system", {every_key_char + "@a-z0-9_-*/=" + all_visible()},
        every_key_char + "@a-z0-9_-*/=" + all_visible());
  state("blanks", {"foo=1 \t , \t bar=2, \t baz=3"}, "foo=1,bar=2,baz=3");
  state("tabs", {"foo=1\t \t,\t \tbar=2,\t \tbaz=3"}, "foo=1,bar=2,baz=3");
  for (const char* const written : {" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"}) {
    state("blanks around", {written}, "foo=1");
  }
  state("a blank in the key", {"foo =1"}, "");
  state("a key in upper case", {"FOO=1"}, "");
  state("a dot in the key", {"foo.bar=1"}, "");
  state("no system", {"foo@=1,bar=2"}, "");
  state("no tenant", {"@foo=1,bar=2"}, "");
  state("two at signs", {"foo@@bar=1,bar=2"}, "");
  state("two systems", {"foo@bar@baz=1,bar=2"}, "");
  state("a key of 256", {"foo=1", repeated(256, 'z') + "=1"}, "foo=1," + repeated(256, 'z') + "=1");
  state("a key of 257", {"foo=1", repeated(257, 'z') + "=1"}, "");
  state("a tenant of 241, a system of 14", {"foo=1", repeated(241, 't') + "@" + repeated(14, 'v') + "=1"},
        "foo=1," + repeated(241, 't') + "@" + repeated(14, 'v') + "=1");
  state("a tenant of 242", {"foo=1", repeated(242, 't') + "@v=1"}, "");
  state("a system of 15", {"foo=1", "t@" + repeated(15, 'v') + "=1"}, "");
  state("= in the value", {"foo=bar=baz"}, "");
  state("no value", {"foo=,bar=3"}, "");
  state("no =", {"foobarbaz"}, "");
  state("a value of 256", {"foo=" + repeated(256, 'x')}, "foo=" + repeated(256, 'x'));
  state("a value of 257", {"foo=" + repeated(257, 'x')}, "");

  std::string of_32;
  for (const auto& [name, value] : many_members(32)) {
    if (name == "tracestate") of_32 += (of_32.empty() ? "" : ",") + value;
  }
  all.push_back({"32 members", many_members(32), unsampled, of_32});
  all.push_back({"33 members", many_members(33), unsampled, ""});
  all.push_back({"without traceparent", {{"tracestate", "foo=1"}}, ""});
  all.push_back({"with a bad traceparent", {{"traceparent", good + "."}, {"tracestate", "foo=1"}}, ""});
  all.push_back({"name trace-state", {{"traceparent", good}, {"trace-state", "foo=1"}}, good});
  all.push_back({"name trace.state", {{"traceparent", good}, {"trace.state", "foo=1"}}, good});
  for (const char* const name : {"TraceState", "TrAcEsTaTe", "TRACESTATE"}) {
    all.push_back({name, {{"traceparent", good}, {name, "foo=1"}}, good, "foo=1"});
  }
  return all;
}

void expect_to_hold(const vector& one) {
  SCOPED_TRACE(one.what);
  const auto made = from_headers(one.in, context());
  const auto* const found = made.find(detail::current_key());
  EXPECT_EQ(found == nullptr ? "" : to_traceparent(*found), one.traceparent);
  EXPECT_EQ(found == nullptr ? "" : found->state.text(), one.tracestate);
  EXPECT_TRUE(found == nullptr || found->is_remote);

  std::vector<header> out;
  if (!one.traceparent.empty()) out.push_back({"traceparent", one.traceparent});
  if (!one.tracestate.empty()) out.push_back({"tracestate", one.tracestate});
  EXPECT_EQ(to_headers(made), out);
}

TEST(w3c, traceparent_as_the_test_suite_wants_it) {
  for (const auto& one : traceparent_vectors()) expect_to_hold(one);
}

TEST(w3c, tracestate_as_the_test_suite_wants_it) {
  for (const auto& one : tracestate_vectors()) expect_to_hold(one);
}

TEST(w3c, reads_back_what_it_writes) {
  const auto read = read_traceparent(good);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_string(read->trace), "12345678901234567890123456789012");
  EXPECT_EQ(to_string(read->span), "1234567890123456");
  EXPECT_TRUE(read->is_sampled());
  EXPECT_EQ(to_traceparent(*read), good);
  EXPECT_EQ(to_traceparent(span_context()), "");
}

TEST(w3c, every_change_of_one_character_is_refused_or_read_back_the_same) {
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = good;
      changed[at] = static_cast<char>(byte);
      const auto read = read_traceparent(changed);
      if (!read) continue;
      EXPECT_TRUE(read->is_valid());
      EXPECT_EQ(to_traceparent(*read).substr(2, 50), changed.substr(2, 50));
      EXPECT_EQ(read_traceparent(to_traceparent(*read)), read);
    }
  }
}

TEST(w3c, a_prefix_is_refused) {
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(read_traceparent(good.substr(0, size)));
}

}  // namespace
}  // namespace weft::trace
