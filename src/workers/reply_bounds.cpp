#include "workers/reply_bounds.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "workers/compat/message.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// What a failure, a record or a value takes in a frame beside its texts, at most.
constexpr std::size_t item_overhead = 64;

// Cuts a text to its bound, and to what is left of that of all; gives what it takes.
void fit_into(std::size_t& left, std::string& text, std::size_t bytes_max) {
  if (text.size() > std::min(bytes_max, left)) text = fit(text, std::min(bytes_max, left));
  left -= std::min(left, text.size());
}

void fit_stack(std::size_t& left, std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (left < name_bytes_max + item_overhead) {
      lines.resize(i);
      return;
    }
    left -= item_overhead;
    fit_into(left, lines[i], text_bytes_max);
  }
}

void fit_into(std::size_t& left, weft::failure& one) {
  left -= std::min(left, item_overhead);
  fit_into(left, one.type, name_bytes_max);
  fit_into(left, one.where, name_bytes_max);
  fit_into(left, one.message, text_bytes_max);
  for (std::size_t i = 0; i < one.causes.size(); ++i) {
    if (left < 4 * name_bytes_max) {
      one.causes.resize(i);
      break;
    }
    fit_into(left, one.causes[i]);
  }
  fit_stack(left, one.stack);
}

// A list or an object that is cut is none any more, but a text.
void fit_value(log::field_value& value, std::size_t bytes_max) {
  if (auto* const text = std::get_if<std::string>(&value)) {
    if (text->size() > bytes_max) *text = fit(*text, bytes_max);
  } else if (auto* const json = std::get_if<log::json_text>(&value); json && json->text.size() > bytes_max) {
    value = fit(json->text, bytes_max);
  }
}

std::size_t size_of(const log::field_value& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) return text->size();
  if (const auto* const json = std::get_if<log::json_text>(&value)) return json->text.size();
  return sizeof(std::int64_t);
}

void fit_name(std::string& name) {
  if (name.size() > name_bytes_max) name = fit(name, name_bytes_max);
}

// Gives how long it is then.
std::size_t fit_record(log::record& one) {
  if (one.message.size() > text_bytes_max) one.message = fit(one.message, text_bytes_max);
  fit_name(one.task_name);
  fit_name(one.file);
  std::size_t bytes = item_overhead + one.message.size() + one.task_name.size() + one.file.size();
  for (auto& each : one.fields) {
    fit_name(each.name);
    fit_value(each.value, field_bytes_max);
    bytes += 2 * sizeof(std::uint32_t) + 1 + each.name.size() + size_of(each.value);
  }
  for (auto& each : one.context) {
    fit_name(each.name);
    if (each.text.size() > field_bytes_max) each.text = fit(each.text, field_bytes_max);
    bytes += 2 * sizeof(std::uint32_t) + each.name.size() + each.text.size();
  }
  return bytes;
}

}  // namespace

std::string fit(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  const std::string note = "... (" + std::to_string(text.size()) + " bytes in all)";
  const std::size_t kept = bytes_max - std::min(bytes_max, note.size());
  return std::string(compat::shortened(text, kept)).append(note, 0, bytes_max);
}

void fit(weft::failure& one) {
  std::size_t left = failure_bytes_max;
  fit_into(left, one);
}

void fit(closure_refusal& one) {
  for (auto* const text : {&one.message, &one.stored_schema, &one.schema, &one.build_id}) {
    if (text->size() > text_bytes_max) *text = fit(*text, text_bytes_max);
  }
}

void fit(log::collection& one) {
  std::size_t left = data_bytes_max;
  for (auto& each : one.data) {
    fit_name(each.name);
    fit_value(each.value, std::min(field_bytes_max, left));
    left -= std::min(left, size_of(each.value));
  }
  for (auto& each : one.timers) fit_name(each.name);
  left = records_bytes_max;
  const auto gone = std::remove_if(one.records.begin(), one.records.end(), [&](log::record& each) {
    const std::size_t bytes = fit_record(each);
    if (bytes > left) return true;
    left -= bytes;
    return false;
  });
  one.dropped += static_cast<std::uint64_t>(one.records.end() - gone);
  one.records.erase(gone, one.records.end());
}

void fit(reply_frame& one) {
  if (one.type == frame_type::failed) fit(one.failure);
  if (one.type == frame_type::declined) fit(one.refusal);
  fit(one.log);
}

}  // namespace weft::inline v1::workers::detail
