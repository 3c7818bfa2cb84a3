#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <weft/log/level.hpp>

namespace weft::log {

/// Wall clock in microseconds: what records are ordered by, also across processes.
using record_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// The wall clock now.
record_time now() noexcept;

/// What a field of a record holds.
using field_value = std::variant<std::string, std::int64_t, std::uint64_t, double, bool>;

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
  bool operator==(const record&) const = default;
};

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

}  // namespace weft::log
