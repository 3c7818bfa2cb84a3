#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/core/clock.hpp>
#include <weft/log/log.hpp>
#include <weft/log/record.hpp>

namespace weft::inline v1::log {

/// The bounds and ways of a collector.
struct collector_options {
  log::level level = level::debug;   ///< records below are not collected
  bool pass_on = false;              ///< also hand records to what is around: a collector, else the sinks
  std::size_t records_max = 10'000;  ///< more are dropped and counted
  std::size_t bytes_max = std::size_t{1} << 20;  ///< of text in the records; more are dropped and counted
  std::optional<int> verbosity = {};  ///< records with a larger number are not collected, see number_of()
  /// Gets everything, once, when the last reference goes: the collector, each task that was started inside,
  /// each logger and timer. Until then those go on writing here. It is called where that happens to be, and
  /// neither waits nor throws.
  std::function<void(collection)> deliver = {};
};

namespace detail {
class collecting;
}

class logger;

/// Gathers the log of the running task, and of everything started from it, while it lives: a request,
/// a call in a worker, an attempt of a job.
///
/// It is carried in the context, so fibers, pools and continuations started inside belong to it.
/// Work that outlives it writes to what was around it, unless it delivers. Made and destroyed on one task,
/// LIFO with scoped values; take() from any thread.
class [[nodiscard]] collector {
 public:
  explicit collector(collector_options options = {});
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;
  ~collector();

  /// The records so far, by time; they are gone from here then. Timers and data stay.
  std::vector<record> take();
  /// Everything so far: records, timers, data and the number of dropped records; all gone from here
  /// then. A timer that still runs is in it without its length.
  collection take_all();
  /// Records that did not fit since the last take_all().
  std::uint64_t dropped() const noexcept;

 private:
  friend class logger;
  std::shared_ptr<detail::collecting> state_;
  scoped_value<std::shared_ptr<detail::collecting>> bound_;
};

/// Measures from its construction to its end, for the log of the collector in force.
/// Where there is none it costs a look-up and keeps nothing.
class [[nodiscard]] timer {
 public:
  explicit timer(std::string_view name);
  /// For the log of that handle.
  timer(const logger& of, std::string_view name);
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer();

  /// When it began and ended, as the log says it.
  struct span {
    record_time start;
    record_time end;
  };
  /// Ends it. Nothing where it is not kept, or has ended before.
  std::optional<span> end() noexcept;

 private:
  std::shared_ptr<detail::collecting> state_;  // null: nobody collects, or it has ended
  std::uint64_t number_ = 0;
  record_time start_;
  steady_clock::time_point from_;
};

/// Puts named values into the log of the collector in force; a later value of a name replaces the
/// earlier one. Values a log is searched by: a user, a size, an outcome.
void data(arguments values) noexcept;

}  // namespace weft::inline v1::log
