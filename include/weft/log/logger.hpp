#pragma once

#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::log {

/// The log of the running request, call or attempt, as an object that can be kept and handed on: to code that
/// runs elsewhere, to a checkout, to what merges foreign logs. Within a task log::info() and its kin do the
/// same.
///
/// A handle: copies write to one log. It belongs to the collector in force where it was made, and keeps it
/// from being delivered. Made where nothing is collected it takes everything and keeps nothing. As any log
/// call it never waits and never throws. Any thread or fiber.
class logger {
 public:
  /// Of the collector in force.
  logger() noexcept;
  explicit logger(const collector& of) noexcept;
  /// Keeps nothing.
  explicit logger(std::nullptr_t) noexcept;

  /// Does it belong to a collector?
  explicit operator bool() const noexcept { return state_ != nullptr; }
  /// Would an entry with that number be kept?
  bool enabled(int number) const noexcept;

  /// Adds an entry with a number of its own for a level; 10 is error, 20 warn, 30 info, 40 debug.
  void add_log(int number, const text& what, arguments fields = {}) const noexcept;
  void error(const text& what, arguments fields = {}) const noexcept { add_log(10, what, fields); }
  void warn(const text& what, arguments fields = {}) const noexcept { add_log(20, what, fields); }
  void info(const text& what, arguments fields = {}) const noexcept { add_log(30, what, fields); }
  void debug(const text& what, arguments fields = {}) const noexcept { add_log(40, what, fields); }

  // The same with a callable that makes the message, which is called where the entry is kept. What it throws
  // is thrown here.
  template <makes_message Make>
  void add_log(int number, Make&& make, arguments fields = {},
               std::source_location where = std::source_location::current()) const {
    if (!enabled(number)) return;
    const std::string made = make();
    add_log(number, text(made, where), fields);
  }
  template <makes_message Make>
  void error(Make&& make, arguments fields = {},
             std::source_location where = std::source_location::current()) const {
    add_log(10, std::forward<Make>(make), fields, where);
  }
  template <makes_message Make>
  void warn(Make&& make, arguments fields = {},
            std::source_location where = std::source_location::current()) const {
    add_log(20, std::forward<Make>(make), fields, where);
  }
  template <makes_message Make>
  void info(Make&& make, arguments fields = {},
            std::source_location where = std::source_location::current()) const {
    add_log(30, std::forward<Make>(make), fields, where);
  }
  template <makes_message Make>
  void debug(Make&& make, arguments fields = {},
             std::source_location where = std::source_location::current()) const {
    add_log(40, std::forward<Make>(make), fields, where);
  }

  /// Measures until the guard ends.
  log::timer timer(std::string_view name) const;
  /// Named values; a later value of a name replaces the earlier one.
  void data(arguments values) const noexcept;
  /// Takes in a log that was written elsewhere: records by time, timers behind those that are there, data
  /// over what is there.
  void merge(collection more) const noexcept;

 private:
  friend class log::timer;
  std::shared_ptr<detail::collecting> state_;  // null: nobody collects
};

}  // namespace weft::inline v1::log
