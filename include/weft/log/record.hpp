#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <weft/log/level.hpp>

namespace weft::inline v1::log {

/// Wall clock in microseconds: what records are ordered by, also across processes.
using record_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// The wall clock now.
record_time now() noexcept;

/// A list or an object, as JSON text.
struct json_text {
  std::string text;
  bool operator==(const json_text&) const = default;
};

/// What a field of a record holds.
using field_value = std::variant<std::string, std::int64_t, std::uint64_t, double, bool, json_text>;

/// A named value of a record.
struct field {
  std::string name;
  field_value value;
  bool operator==(const field&) const = default;
};

/// A context value that was in force where the record was written, as text.
struct context_field {
  std::string name;
  std::string text;
  bool operator==(const context_field&) const = default;
};

/// One entry of a log. Plain data: it may leave its process and come back from another one. What log
/// calls make has UTF-8 text (U+FFFD for other bytes) and finite numbers (else "nan", "inf", "-inf").
struct record {
  record_time time{};
  log::level level = level::info;
  std::string message;
  std::vector<field> fields;           ///< in the order they were given
  std::vector<context_field> context;  ///< keys with `.log = true` and what context sources add, by name
  std::uint64_t task_id = 0;           ///< unique within the process
  std::string task_name;
  std::int64_t process_id = 0;
  std::string file;  ///< where it was written
  std::uint32_t line = 0;
  std::int32_t number = 0;  ///< the level as a number, where it is one of its own; 0: that of `level`
  bool operator==(const record&) const = default;
};

/// The number of its level.
int number_of(const record& one) noexcept;

/// A measured span of time; see log::timer.
struct timing {
  std::string name;
  record_time start{};
  std::optional<std::chrono::microseconds> took;  ///< by the monotonic clock; nothing while it runs
  bool operator==(const timing&) const = default;
};

/// Everything that a collector gathered. Plain data, as a record.
struct collection {
  record_time start{};
  record_time end{};
  std::vector<record> records;  ///< by time
  std::vector<timing> timers;   ///< in the order they were started
  std::vector<field> data;      ///< one of each name, the latest
  std::uint64_t dropped = 0;    ///< records that did not fit the collector's bounds
  bool operator==(const collection&) const = default;
};

/// Merges `more` into `into`, by time. Records of one time keep their order, those of `into` first.
/// Neither needs to be sorted before.
void merge(std::vector<record>& into, std::vector<record> more);

/// Merges records, appends timers, and takes over data: a name that both have keeps the value of `more`.
void merge(collection& into, collection more);

/// Puts the log of a call in place in the time of its caller, who sent it and had the answer at those times.
/// Where the other clock goes ahead or behind, so that the log begins or ends outside of the call, all its
/// times are shifted, by the least that brings it inside. A timer that still runs ends with the call.
void fit_into_call(collection& log, record_time sent, record_time answered) noexcept;

}  // namespace weft::inline v1::log
