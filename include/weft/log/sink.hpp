#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <weft/log/record.hpp>

namespace weft::inline v1::log {

/// Where records go in the end. Implementations keep the promise that nobody waits for a log.
class sink {
 public:
  virtual ~sink();
  /// Takes a record. Never waits and never throws; what it cannot keep it counts. Any thread or fiber.
  virtual void accept(const std::shared_ptr<const record>& one) noexcept = 0;
  /// Waits until everything accepted so far was written, at most `bound`. Suspends a fiber, blocks a
  /// plain thread; cancellation does not end it. False when the bound passed first.
  virtual bool flush(std::chrono::milliseconds bound) = 0;
  /// Flushes within `bound` and ends the sink's thread; a record that comes later, or meanwhile,
  /// starts it again.
  virtual void pause(std::chrono::milliseconds bound) noexcept = 0;
  /// Records that were not written, since the start.
  virtual std::uint64_t dropped() const noexcept = 0;
  /// Least level of a record that this sink takes.
  virtual log::level threshold() const noexcept = 0;
  /// Opens anew what it writes to, where that is a file, which was renamed. Never waits.
  virtual void reopen() noexcept {}
};

/// What a line sink writes to, and its bounds.
struct line_sink_options {
  int fd = 2;                              ///< written to; stays open and stays the caller's
  log::level level = level::debug;         ///< records below are not written
  std::size_t queue_records_max = 10'000;  ///< waiting to be written; more are dropped and counted
  /// Called where the formatter is, before lines are written and at a nudge(): may change what `fd` leads to.
  /// What it appends is written.
  std::function<void(std::string& out)> before_lines = {};
};

/// Appends one record to `out`, as a line with its newline. Called on the sink's thread, or where it has none
/// by who logs; under a lock of the sink, one call at a time. It must not wait: a wait in it throws. What it
/// throws costs the record, and what it logs itself goes to no line sink: both are counted as dropped.
using line_formatter = std::function<void(const record& from, std::string& out)>;

/// Writes each record as a line to a descriptor, from a thread of its own.
///
/// The thread starts with the first record. A full queue drops the new record; a line in the log
/// says how many were dropped. A write error drops what was to be written. With neither thread nor
/// memory to be had, and after the program's exit began, the line is written by the caller itself.
class line_sink : public sink {
 public:
  line_sink(line_sink_options options, line_formatter format);
  line_sink(const line_sink&) = delete;
  line_sink& operator=(const line_sink&) = delete;
  /// Writes what is queued, then ends.
  ~line_sink() override;

  void accept(const std::shared_ptr<const record>& one) noexcept override;
  bool flush(std::chrono::milliseconds bound) override;
  void pause(std::chrono::milliseconds bound) noexcept override;
  std::uint64_t dropped() const noexcept override;
  log::level threshold() const noexcept override;

  class writer;

 protected:
  /// Has the thread call before_lines, also where there is nothing to write. Never waits.
  void nudge() noexcept;

 private:
  std::unique_ptr<writer> writer_;
};

/// Colour in text: on a terminal, unless NO_COLOR is set and not empty or TERM is "dumb"; or as said.
enum class colour : unsigned char { automatic, never, always };

/// Should text for `fd` be coloured?
bool use_colour(colour asked, int fd) noexcept;

/// The human form of a record, one line with its newline:
/// `2026-03-01T12:00:00.000123Z info  mail sent to=a@b.c bytes=12 | app.request=r1 | mailer #7 in 4242 at
/// mail.cpp:31`. Control characters are escaped, so that a value cannot forge a line.
void format_text(const record& from, std::string& out, bool coloured = false);

/// Where a text sink writes to.
struct text_sink_options {
  int fd = 2;
  log::level level = level::debug;  ///< records below are not written; see also set_level
  log::colour colour = colour::automatic;
  std::size_t queue_records_max = 10'000;
};

/// A line sink for people.
class text_sink : public line_sink {
 public:
  explicit text_sink(text_sink_options options = {});
};

/// Adds a sink. The first one replaces the default, which is a text_sink on stderr.
void add_sink(std::shared_ptr<sink> one);
/// Takes it out; nothing where it is not in. Does not flush.
void remove_sink(const std::shared_ptr<sink>& one);
/// Takes all out, the default too: records that no collector takes are gone.
void remove_all_sinks();

/// Records below `least` go to no sink; collectors have levels of their own. Initially info.
void set_level(level least) noexcept;
level current_level() noexcept;

/// Records lost on the way to collectors and sinks because memory ran out, since the start.
std::uint64_t lost() noexcept;

/// Records that did not get where they should, since the start, in this process: lost(), and those that line
/// sinks dropped.
std::uint64_t dropped() noexcept;

/// Has all sinks open their files anew: sink::reopen.
void reopen_sinks() noexcept;

/// Flushes all sinks within `bound`; as sink::flush.
bool flush(std::chrono::milliseconds bound);

/// Flushes all sinks and ends their threads, so that a process that will fork has none of them; a
/// later record starts them again.
void pause_sinks(std::chrono::milliseconds bound) noexcept;

/// For a forked child: forgets the parent's sinks, whose threads it does not have, without touching
/// them, and begins again with the default. Happens by itself after fork(); harmless to repeat.
void after_fork_child() noexcept;

}  // namespace weft::inline v1::log
