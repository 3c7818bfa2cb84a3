#include "workers/records.hpp"

#include <limits>

#include <weft/core/error.hpp>

namespace weft::inline v1::workers::detail {

namespace {

constexpr int causes_depth_max = 17;

void write(byte_writer& out, log::record_time at) { out.number(std::int64_t{at.time_since_epoch().count()}); }

// Times come from the other end: one that the clock cannot hold in nanoseconds is none.
log::record_time read_time(byte_reader& in) {
  constexpr std::int64_t micros_max = std::numeric_limits<std::int64_t>::max() / 1000;
  const auto micros = in.number<std::int64_t>();
  if (micros > micros_max || micros < -micros_max)
    throw error(errc::malformed, "workers: read a time: out of range");
  return log::record_time(std::chrono::microseconds(micros));
}

void write(byte_writer& out, const std::string& text) { out.text(text); }

void write(byte_writer& out, const log::field& from) {
  out.text(from.name);
  out.number(static_cast<std::uint8_t>(from.value.index()));
  std::visit(
      [&](const auto& value) {
        using held = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<held, std::string>) {
          out.text(value);
        } else if constexpr (std::is_same_v<held, log::json_text>) {
          out.text(value.text);
        } else {
          out.number(value);
        }
      },
      from.value);
}

log::field read_field(byte_reader& in) {
  std::string name = in.owned_text();
  switch (in.number<std::uint8_t>()) {
    case 0:
      return {std::move(name), in.owned_text()};
    case 1:
      return {std::move(name), in.number<std::int64_t>()};
    case 2:
      return {std::move(name), in.number<std::uint64_t>()};
    case 3:
      return {std::move(name), in.number<double>()};
    case 4:
      return {std::move(name), in.number<std::uint8_t>() != 0};
    case 5:
      return {std::move(name), log::json_text{in.owned_text()}};
    default:
      throw error(errc::malformed, "workers: read a log field: unknown kind of value");
  }
}

void write(byte_writer& out, const log::record& from) {
  write(out, from.time);
  out.number(static_cast<std::uint8_t>(from.level));
  out.text(from.message);
  out.number(static_cast<std::uint32_t>(from.fields.size()));
  for (const auto& one : from.fields) write(out, one);
  out.number(static_cast<std::uint32_t>(from.context.size()));
  for (const auto& one : from.context) {
    out.text(one.name);
    out.text(one.text);
  }
  out.number(from.task_id);
  out.text(from.task_name);
  out.number(from.process_id);
  out.text(from.file);
  out.number(from.line);
  out.number(from.number);
}

log::level read_level(byte_reader& in) {
  const auto value = in.number<std::uint8_t>();
  if (value > static_cast<std::uint8_t>(log::level::off)) {
    throw error(errc::malformed, "workers: read a log record: unknown level");
  }
  return static_cast<log::level>(value);
}

log::record read_record(byte_reader& in) {
  log::record one;
  one.time = read_time(in);
  one.level = read_level(in);
  one.message = in.owned_text();
  for (auto left = in.count(); left > 0; --left) one.fields.push_back(read_field(in));
  for (auto left = in.count(); left > 0; --left) {
    std::string name = in.owned_text();
    one.context.push_back({std::move(name), in.owned_text()});
  }
  one.task_id = in.number<std::uint64_t>();
  one.task_name = in.owned_text();
  one.process_id = in.number<std::int64_t>();
  one.file = in.owned_text();
  one.line = in.number<std::uint32_t>();
  one.number = in.number<std::int32_t>();
  return one;
}

void write(byte_writer& out, const log::timing& from) {
  out.text(from.name);
  write(out, from.start);
  out.number(from.took ? std::int64_t{from.took->count()} : std::int64_t{-1});
}

log::timing read_timing(byte_reader& in) {
  log::timing one;
  one.name = in.owned_text();
  one.start = read_time(in);
  if (const auto took = in.number<std::int64_t>(); took >= 0) one.took = std::chrono::microseconds(took);
  return one;
}

template <typename Item>
void write_all(byte_writer& out, const std::vector<Item>& items) {
  out.number(static_cast<std::uint32_t>(items.size()));
  for (const auto& one : items) write(out, one);
}

}  // namespace

void throw_short_frame() {
  throw error(errc::malformed, "workers: read a frame: it ends in the middle of a value");
}

void write(byte_writer& out, const weft::failure& from) {
  out.text(to_string(from.code));
  out.text(from.type);
  out.text(from.message);
  out.text(from.where);
  write(out, std::chrono::time_point_cast<std::chrono::microseconds>(from.when));
  write_all(out, from.causes);
  write_all(out, from.stack);
}

weft::failure read_failure(byte_reader& in, int depth) {
  if (depth > causes_depth_max)
    throw error(errc::malformed, "workers: read a failure: causes nested too deep");
  weft::failure one;
  one.code = errc_from_string(in.text());
  one.type = in.owned_text();
  one.message = in.owned_text();
  one.where = in.owned_text();
  one.when = read_time(in);
  for (auto left = in.count(); left > 0; --left) one.causes.push_back(read_failure(in, depth + 1));
  for (auto left = in.count(); left > 0; --left) one.stack.push_back(in.owned_text());
  return one;
}

void write(byte_writer& out, const log::collection& from) {
  const bool empty = from.records.empty() && from.timers.empty() && from.data.empty() && from.dropped == 0;
  out.number(static_cast<std::uint8_t>(empty ? 0 : 1));
  if (empty) return;
  write(out, from.start);
  write(out, from.end);
  write_all(out, from.records);
  write_all(out, from.timers);
  write_all(out, from.data);
  out.number(from.dropped);
}

log::collection read_log(byte_reader& in) {
  log::collection all;
  if (in.number<std::uint8_t>() == 0) return all;
  all.start = read_time(in);
  all.end = read_time(in);
  for (auto left = in.count(); left > 0; --left) all.records.push_back(read_record(in));
  for (auto left = in.count(); left > 0; --left) all.timers.push_back(read_timing(in));
  for (auto left = in.count(); left > 0; --left) all.data.push_back(read_field(in));
  all.dropped = in.number<std::uint64_t>();
  return all;
}

}  // namespace weft::inline v1::workers::detail
