#include <weft/trace/span.hpp>

#include <algorithm>
#include <string>
#include <variant>

#include <weft/core/clock.hpp>
#include <weft/core/failure.hpp>

#include "trace/random_ids.hpp"

namespace weft::inline v1::trace {

namespace detail {

struct running_span {
  finished_span span;
  std::shared_ptr<recorder> into;
  steady_time started{};
  int exceptions = 0;  // that were unwinding when it began
};

}  // namespace detail

namespace {

span_time wall_now() noexcept {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(wall_clock::now());
}

/// Not more than the bound, and no part of a character of UTF-8.
void shorten(std::string& text) {
  if (text.size() <= span::text_bytes_max) return;
  std::size_t end = span::text_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
}

std::string utf8_of(std::string_view text) {
  auto clean = std::get<std::string>(log::argument("", text).to_field().value);  // makes UTF-8 of it
  shorten(clean);
  return clean;
}

attribute attribute_of(const log::argument& from) {
  auto made = from.to_field();
  if (auto* const text = std::get_if<std::string>(&made.value)) shorten(*text);
  return made;
}

std::vector<attribute> attributes_of(log::arguments given) {
  std::vector<attribute> all;
  for (const auto& one : given) {
    if (all.size() < span::attributes_max) all.push_back(attribute_of(one));
  }
  return all;
}

void set_one(finished_span& of, attribute value) {
  const auto same = std::ranges::find(of.attributes, value.name, &attribute::name);
  if (same != of.attributes.end()) {
    same->value = std::move(value.value);
  } else if (of.attributes.size() < span::attributes_max) {
    of.attributes.push_back(std::move(value));
  } else {
    ++of.dropped_attributes;
  }
}

/// The place of a new span below `parent`; null begins a trace.
span_context place_below(const span_context* parent, double sample_ratio) {
  span_context made;
  if (parent != nullptr) {
    made = *parent;
    made.is_remote = false;
  } else {
    made.trace = detail::new_trace_id();
    made.flags = span_context::random_flag;
    if (detail::sample_point(made.trace) < sample_ratio) made.flags |= span_context::sampled_flag;
  }
  made.span = detail::new_span_id();
  return made;
}

}  // namespace

void span::deleter::operator()(detail::running_span* one) const noexcept { delete one; }

void span::begin(std::string_view name, log::arguments attributes, span_options options) {
  auto into = current_recorder();
  if (into == nullptr) return;
  const context here = context::current();
  const span_context* parent = options.parent ? &*options.parent : here.find(detail::current_key());
  if (options.new_trace || (parent != nullptr && !parent->is_valid())) parent = nullptr;
  const span_context mine = place_below(parent, into->options().sample_ratio);
  if (mine.is_sampled()) {
    running_.reset(new detail::running_span);
    auto& record = running_->span;
    record.name = utf8_of(name);
    record.kind = options.kind;
    record.context = mine;
    if (parent != nullptr) {
      record.parent = parent->span;
      record.parent_is_remote = parent->is_remote;
    }
    running_->into = std::move(into);
    running_->exceptions = std::uncaught_exceptions();
    set(attributes);
    for (const auto& one : options.links) link(one);
    record.start = wall_now();
    running_->started = steady_clock::now();
  }
  attached_.emplace(with_current(here, mine), std::source_location::current(),
                    weft::detail::scope_kind::same_work);
}

void span::end() noexcept {
  attached_.reset();
  if (running_ == nullptr) return;
  auto& record = running_->span;
  record.end = record.start +
               std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now() - running_->started);
  if (record.status == span_status::unset && std::uncaught_exceptions() > running_->exceptions)
    record.status = span_status::error;
  running_->into->record(std::move(record));
  running_.reset();
}

void span::set(log::arguments attributes) {
  if (running_ == nullptr) return;
  for (const auto& one : attributes) set_one(running_->span, attribute_of(one));
}

void span::event(std::string_view name, log::arguments attributes) {
  if (running_ == nullptr) return;
  auto& record = running_->span;
  if (record.events.size() == events_max) {
    ++record.dropped_events;
    return;
  }
  record.events.push_back({wall_now(), utf8_of(name), attributes_of(attributes)});
}

void span::link(const span_context& to, log::arguments attributes) {
  if (running_ == nullptr || !to.is_valid()) return;
  auto& record = running_->span;
  if (record.links.size() == links_max) {
    ++record.dropped_links;
    return;
  }
  record.links.push_back({to, attributes_of(attributes)});
}

void span::link(const context& other, log::arguments attributes) {
  if (const span_context* const to = other.find(detail::current_key())) link(*to, attributes);
}

void span::status(span_status how, std::string_view message) {
  if (running_ == nullptr) return;
  running_->span.status = how;
  running_->span.status_message = how == span_status::error ? utf8_of(message) : std::string();
}

void span::fail(const std::exception_ptr& thrown) noexcept {
  if (running_ == nullptr) return;
  try {
    const auto what = failure::from(thrown);
    status(span_status::error, what.chain());
    const std::string_view type = what.type.empty() ? to_string(what.code) : what.type;
    event("exception", {{"exception.type", type}, {"exception.message", what.message}});
  } catch (...) {
    running_->span.status = span_status::error;  // no memory for more
  }
}

}  // namespace weft::inline v1::trace
