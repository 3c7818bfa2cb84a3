#include "service/otlp_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>

#include <weft/core/error.hpp>
#include <weft/core/version.hpp>
#include <weft/log/escape.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::inline v1::detail {

namespace {

using wire::json_object;
using wire::json_value;

constexpr std::size_t depth_max = 16;  // of lists and objects in an attribute; what is in deeper ones is text

json_value text_value(std::string_view text) { return json_object{{"stringValue", log::to_utf8(text)}}; }

json_value integer_value(std::int64_t number) { return json_object{{"intValue", std::to_string(number)}}; }

/// An AnyValue has no unsigned integers.
json_value unsigned_value(std::uint64_t number) {
  return std::in_range<std::int64_t>(number) ? integer_value(static_cast<std::int64_t>(number))
                                             : text_value(std::to_string(number));
}

/// JSON has no such numbers, the JSON form of protobuf has names for them.
json_value number_value(double number) {
  if (std::isfinite(number)) return json_object{{"doubleValue", number}};
  const char* const name = std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
  return json_object{{"doubleValue", name}};
}

json_value any_value(const json_value& from, std::size_t depth) {
  if (const auto* const text = from.if_text()) return text_value(*text);
  if (const auto* const number = from.if_integer()) return integer_value(*number);
  if (const auto* const number = from.if_unsigned()) return unsigned_value(*number);
  if (const auto* const number = from.if_number()) return number_value(*number);
  if (const auto* const boolean = from.if_boolean()) return json_object{{"boolValue", *boolean}};
  if (from.is_null()) return json_object();
  if (depth == depth_max) return text_value(wire::to_text(from));
  json_value::list values;
  if (const auto* const list = from.if_list()) {
    for (const json_value& one : *list) values.push_back(any_value(one, depth + 1));
    return json_object{{"arrayValue", json_object{{"values", std::move(values)}}}};
  }
  for (const wire::json_member& one : *from.if_object())
    values.push_back(json_object{{"key", one.name}, {"value", any_value(one.value, depth + 1)}});
  return json_object{{"kvlistValue", json_object{{"values", std::move(values)}}}};
}

json_value json_value_of(const std::string& text) {
  try {
    return any_value(wire::parse_json(text), 0);
  } catch (const error&) {  // what is no JSON is a text
    return text_value(text);
  }
}

json_value any_value(const log::field_value& from) {
  struct converter {
    json_value operator()(const std::string& text) const { return text_value(text); }
    json_value operator()(std::int64_t number) const { return integer_value(number); }
    json_value operator()(std::uint64_t number) const { return unsigned_value(number); }
    json_value operator()(double number) const { return number_value(number); }
    json_value operator()(bool boolean) const { return json_object{{"boolValue", boolean}}; }
    json_value operator()(const log::json_text& json) const { return json_value_of(json.text); }
  };
  return std::visit(converter(), from);
}

/// Members of a message. Protobuf's JSON leaves out what is empty, and so do collectors' examples.
class message {
 public:
  void set(const char* name, json_value value) { members_.push_back({name, std::move(value)}); }
  void set_text(const char* name, std::string_view text) {
    if (!text.empty()) set(name, log::to_utf8(text));
  }
  void set_count(const char* name, std::uint32_t count) {
    if (count > 0) set(name, count);
  }
  void set_list(const char* name, json_value::list values) {
    if (!values.empty()) set(name, std::move(values));
  }
  void set_attributes(const std::vector<trace::attribute>& all) {
    json_value::list values;
    for (const trace::attribute& one : all)
      values.push_back(json_object{{"key", log::to_utf8(one.name)}, {"value", any_value(one.value)}});
    set_list("attributes", std::move(values));
  }
  void set_time(const char* name, trace::span_time when) {
    set(name, std::to_string(std::max<std::int64_t>(when.time_since_epoch().count(), 0)));
  }
  void set_place(const trace::span_context& of) {
    set("traceId", trace::to_string(of.trace));
    set("spanId", trace::to_string(of.span));
    set_text("traceState", of.state.text());
  }
  json_value take() { return json_object(std::move(members_)); }

 private:
  std::vector<wire::json_member> members_;
};

/// SpanFlags: those of the W3C, and whether the other one is in another process.
std::uint32_t flags_of(const trace::span_context& of, bool is_remote) noexcept {
  constexpr std::uint32_t says_whether_remote = 0x100;
  constexpr std::uint32_t remote = 0x200;
  return of.flags | says_whether_remote | (is_remote ? remote : 0);
}

int kind_number(trace::span_kind of) noexcept {
  switch (of) {
    case trace::span_kind::server:
      return 2;
    case trace::span_kind::client:
      return 3;
    case trace::span_kind::producer:
      return 4;
    case trace::span_kind::consumer:
      return 5;
    default:
      return 1;
  }
}

json_value status_of(const trace::finished_span& of) {
  message made;
  made.set_text("message", of.status_message);
  if (of.status != trace::span_status::unset) made.set("code", of.status == trace::span_status::ok ? 1 : 2);
  return made.take();
}

json_value event_of(const trace::span_event& from) {
  message made;
  made.set_time("timeUnixNano", from.time);
  made.set_text("name", from.name);
  made.set_attributes(from.attributes);
  return made.take();
}

json_value link_of(const trace::span_link& from) {
  message made;
  made.set_place(from.to);
  made.set_attributes(from.attributes);
  made.set("flags", flags_of(from.to, from.to.is_remote));
  return made.take();
}

json_value span_of(const trace::finished_span& from) {
  message made;
  made.set_place(from.context);
  if (from.parent) made.set("parentSpanId", trace::to_string(from.parent));
  made.set("flags", flags_of(from.context, from.parent_is_remote));
  made.set_text("name", from.name);
  made.set("kind", kind_number(from.kind));
  made.set_time("startTimeUnixNano", from.start);
  made.set_time("endTimeUnixNano", from.end);
  made.set_attributes(from.attributes);
  made.set_count("droppedAttributesCount", from.dropped_attributes);
  json_value::list events;
  for (const trace::span_event& one : from.events) events.push_back(event_of(one));
  made.set_list("events", std::move(events));
  made.set_count("droppedEventsCount", from.dropped_events);
  json_value::list links;
  for (const trace::span_link& one : from.links) links.push_back(link_of(one));
  made.set_list("links", std::move(links));
  made.set_count("droppedLinksCount", from.dropped_links);
  made.set("status", status_of(from));
  return made.take();
}

std::uint64_t digits_value(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && stop == text.data() + text.size() ? number : 0;
}

}  // namespace

std::string otlp_json(const std::vector<trace::attribute>& resource,
                      std::span<const trace::finished_span> spans) {
  message about;
  about.set_attributes(resource);
  json_value::list all;
  all.reserve(spans.size());
  for (const trace::finished_span& one : spans) all.push_back(span_of(one));
  const json_value scope = json_object{{"name", "weft"}, {"version", version}};
  json_value::list scopes;
  scopes.push_back(json_object{{"scope", scope}, {"spans", std::move(all)}});
  json_value::list resources;
  resources.push_back(json_object{{"resource", about.take()}, {"scopeSpans", std::move(scopes)}});
  return wire::to_text(json_object{{"resourceSpans", std::move(resources)}});
}

partial_success read_partial_success(std::string_view body) {
  partial_success made;
  try {
    const json_value answer = wire::parse_json(body);
    const json_object* const all = answer.if_object();
    const json_value* const part = all == nullptr ? nullptr : all->find("partialSuccess");
    const json_object* const said = part == nullptr ? nullptr : part->if_object();
    if (said == nullptr) return made;
    if (const json_value* const text = said->find("errorMessage");
        text != nullptr && text->if_text() != nullptr)
      made.message = *text->if_text();
    const json_value* const count = said->find("rejectedSpans");  // a text of digits; some send a number
    if (count == nullptr) return made;
    if (const auto* const number = count->if_integer(); number != nullptr && *number > 0)
      made.rejected_spans = static_cast<std::uint64_t>(*number);
    if (const auto* const text = count->if_text()) made.rejected_spans = digits_value(*text);
  } catch (const error&) {  // no JSON: the status said that it was taken
  }
  return made;
}

}  // namespace weft::inline v1::detail
