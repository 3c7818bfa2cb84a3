#include "log_book.hpp"

#include <algorithm>
#include <cstdio>

namespace signup {
namespace {

std::string text_of(const weft::log::field_value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using held_type = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<held_type, std::string>) {
          return held;
        } else if constexpr (std::is_same_v<held_type, bool>) {
          return held ? "true" : "false";
        } else if constexpr (std::is_same_v<held_type, weft::log::json_text>) {
          return held.text;
        } else {
          return std::to_string(held);
        }
      },
      value);
}

bool belongs_to(const weft::log::record& one, std::string_view request_id) {
  return std::any_of(one.context.begin(), one.context.end(), [&](const auto& entry) {
    return entry.name == "http.request_id" && entry.text == request_id;
  });
}

}  // namespace

void log_book::accept(const std::shared_ptr<const weft::log::record>& one) noexcept {
  const std::lock_guard lock(mutex_);
  if (records_.size() == records_max) {
    ++dropped_;
    return;
  }
  try {
    records_.push_back(one);
  } catch (const std::bad_alloc&) {
    ++dropped_;
  }
}

std::uint64_t log_book::dropped() const noexcept {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

std::vector<weft::log::record> log_book::of_request(std::string_view request_id) const {
  const std::lock_guard lock(mutex_);
  std::vector<weft::log::record> found;
  for (const auto& one : records_) {
    if (belongs_to(*one, request_id)) found.push_back(*one);
  }
  return found;
}

void print_timeline(const std::vector<weft::log::record>& records) {
  if (records.empty()) return;
  const auto start = records.front().time;
  for (const auto& one : records) {
    const double ms = std::chrono::duration<double, std::milli>(one.time - start).count();
    std::string fields;
    for (const auto& field : one.fields) fields += " " + field.name + "=" + text_of(field.value);
    std::printf("%10.1f ms  process %-7lld %-14.14s  %s%s\n", ms, static_cast<long long>(one.process_id),
                one.task_name.c_str(), one.message.c_str(), fields.c_str());
  }
}

}  // namespace signup
