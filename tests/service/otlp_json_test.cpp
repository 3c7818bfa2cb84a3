#include "service/otlp_json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include <weft/trace/span_context.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::detail {
namespace {

trace::span_context place(const char* traceparent, const char* state = "") {
  auto made = trace::read_traceparent(traceparent).value();
  made.state = trace::trace_state::parse(state).value();
  return made;
}

trace::finished_span bare(std::string name) {
  trace::finished_span made;
  made.name = std::move(name);
  made.context = place("00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01");
  made.start = trace::span_time(std::chrono::nanoseconds(1'544'712'660'000'000'001));
  made.end = trace::span_time(std::chrono::nanoseconds(1'544'712'661'000'000'000));
  return made;
}

/// The text between the two, both of which must be there.
std::string between(const std::string& text, const std::string& before, const std::string& behind) {
  const std::size_t begin = text.find(before);
  const std::size_t end = text.rfind(behind);
  if (begin == std::string::npos || end == std::string::npos) return "nothing in " + text;
  return text.substr(begin + before.size(), end - begin - before.size());
}

std::string span_text(const trace::finished_span& of) {
  return between(otlp_json({}, {&of, 1}), "\"spans\":[", "]}]}]}");
}

std::string value_text(log::field_value value) {
  auto one = bare("x");
  one.attributes.push_back({"a", std::move(value)});
  return between(span_text(one), "\"key\":\"a\",\"value\":", "}],\"endTime");
}

// Members stand in the order of their names.
TEST(otlp_json, is_what_the_protocol_wants) {
  trace::finished_span one = bare("GET /cart");
  one.kind = trace::span_kind::server;
  one.context.state = trace::trace_state::parse("a=1,b=2").value();
  one.parent = place("00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b173-01").span;
  one.parent_is_remote = true;
  one.status = trace::span_status::error;
  one.status_message = "no \"card\"";
  one.attributes = {{"url.path", "/cart"}, {"http.response.status_code", std::int64_t{503}}};
  const trace::span_time retried(std::chrono::nanoseconds(1'544'712'660'500'000'000));
  one.events.push_back({retried, "retry", {{"try", std::int64_t{1}}}});
  one.links.push_back(
      {place("00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00", "c=3"), {{"by", "queue"}}});
  one.links.front().to.is_remote = true;
  one.dropped_attributes = 1;
  one.dropped_events = 2;
  one.dropped_links = 3;
  EXPECT_EQ(
      otlp_json({{"service.name", "shop"}}, {&one, 1}),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"weft","version":"0.1.0"},"spans":[{)"
      R"("attributes":[{"key":"url.path","value":{"stringValue":"/cart"}},)"
      R"({"key":"http.response.status_code","value":{"intValue":"503"}}],)"
      R"("droppedAttributesCount":1,"droppedEventsCount":2,"droppedLinksCount":3,)"
      R"("endTimeUnixNano":"1544712661000000000",)"
      R"("events":[{"attributes":[{"key":"try","value":{"intValue":"1"}}],"name":"retry",)"
      R"("timeUnixNano":"1544712660500000000"}],)"
      R"("flags":769,"kind":2,)"
      R"("links":[{"attributes":[{"key":"by","value":{"stringValue":"queue"}}],"flags":768,)"
      R"("spanId":"bbbbbbbbbbbbbbbb","traceId":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","traceState":"c=3"}],)"
      R"("name":"GET /cart","parentSpanId":"eee19b7ec3c1b173","spanId":"eee19b7ec3c1b174",)"
      R"("startTimeUnixNano":"1544712660000000001","status":{"code":2,"message":"no \"card\""},)"
      R"("traceId":"5b8efff798038103d269b633813fc60c","traceState":"a=1,b=2"}]}]}]})");
}

TEST(otlp_json, leaves_out_what_is_empty) {
  EXPECT_EQ(span_text(bare("x")),
            R"({"endTimeUnixNano":"1544712661000000000","flags":257,"kind":1,"name":"x",)"
            R"("spanId":"eee19b7ec3c1b174","startTimeUnixNano":"1544712660000000001","status":{},)"
            R"("traceId":"5b8efff798038103d269b633813fc60c"})");
}

TEST(otlp_json, has_numbers_for_kinds_and_statuses) {
  using trace::span_kind;
  for (const auto& [kind, number] :
       {std::pair(span_kind::internal, 1), std::pair(span_kind::server, 2), std::pair(span_kind::client, 3),
        std::pair(span_kind::producer, 4), std::pair(span_kind::consumer, 5)}) {
    auto one = bare("x");
    one.kind = kind;
    EXPECT_NE(span_text(one).find("\"kind\":" + std::to_string(number)), std::string::npos);
  }
  auto well = bare("x");
  well.status = trace::span_status::ok;
  EXPECT_NE(span_text(well).find(R"("status":{"code":1})"), std::string::npos);
}

TEST(otlp_json, writes_values_of_each_type) {
  EXPECT_EQ(value_text("text"), R"({"stringValue":"text"})");
  EXPECT_EQ(value_text(std::numeric_limits<std::int64_t>::min()), R"({"intValue":"-9223372036854775808"})");
  EXPECT_EQ(value_text(std::uint64_t{7}), R"({"intValue":"7"})");
  EXPECT_EQ(value_text(std::numeric_limits<std::uint64_t>::max()),
            R"({"stringValue":"18446744073709551615"})");
  EXPECT_EQ(value_text(0.5), R"({"doubleValue":0.5})");
  EXPECT_EQ(value_text(std::numeric_limits<double>::quiet_NaN()), R"({"doubleValue":"NaN"})");
  EXPECT_EQ(value_text(-std::numeric_limits<double>::infinity()), R"({"doubleValue":"-Infinity"})");
  EXPECT_EQ(value_text(true), R"({"boolValue":true})");
  EXPECT_EQ(value_text("a\xff\n"), "{\"stringValue\":\"a\xef\xbf\xbd\\n\"}");
  EXPECT_EQ(
      value_text(log::json_text{R"([1,"a",null,2.5,{"k":[true]}])"}),
      R"({"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"a"},{},{"doubleValue":2.5},)"
      R"({"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{"values":[{"boolValue":true}]}}}]}}]}})");
  EXPECT_EQ(value_text(log::json_text{"no json"}), R"({"stringValue":"no json"})");
}

TEST(otlp_json, bounds_how_deep_values_are) {
  const std::string deep = std::string(300, '[') + std::string(300, ']');
  const std::string text = value_text(log::json_text{deep});
  const std::size_t left = 300 - 16;
  EXPECT_NE(text.find("{\"stringValue\":\"" + std::string(left, '[') + std::string(left, ']') + "\"}"),
            std::string::npos)
      << text;
}

TEST(otlp_json, reads_what_was_not_taken) {
  const auto read = [](const char* body) {
    const partial_success got = read_partial_success(body);
    return std::to_string(got.rejected_spans) + ' ' + got.message;
  };
  EXPECT_EQ(read(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})"), "3 too old");
  EXPECT_EQ(read(R"({"partialSuccess":{"rejectedSpans":3}})"), "3 ");
  EXPECT_EQ(read(R"({"partialSuccess":{"errorMessage":"slow down"}})"), "0 slow down");
  for (const char* const nothing :
       {"", "{}", "null", "[1]", "no json", R"({"partialSuccess":null})", R"({"partialSuccess":{}})",
        R"({"partialSuccess":{"rejectedSpans":"-3"}})", R"({"partialSuccess":{"rejectedSpans":-3}})"})
    EXPECT_EQ(read(nothing), "0 ") << nothing;
}

}  // namespace
}  // namespace weft::detail
