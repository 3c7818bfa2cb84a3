#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <weft/log/record.hpp>
#include <weft/trace/span_context.hpp>

namespace weft::inline v1::trace {

/// Wall clock in nanoseconds.
using span_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// A named value of a span, an event or a link.
using attribute = log::field;

/// What a span is to its neighbours.
enum class span_kind : unsigned char {
  internal,  ///< a step of the program itself
  server,    ///< answers a request from elsewhere
  client,    ///< waits for an answer from elsewhere
  producer,  ///< hands over work that is done later
  consumer,  ///< does such work
};

/// How a span ended.
enum class span_status : unsigned char { unset, ok, error };

/// Another span that a span has to do with, without being its child.
struct span_link {
  span_context to;
  std::vector<attribute> attributes;
  bool operator==(const span_link&) const = default;
};

/// Something that happened during a span.
struct span_event {
  span_time time{};
  std::string name;
  std::vector<attribute> attributes;
  bool operator==(const span_event&) const = default;
};

/// A span that has ended. Plain data.
struct finished_span {
  std::string name;
  span_kind kind = span_kind::internal;
  span_context context;           ///< its own
  span_id parent{};               ///< none: the first of its trace
  bool parent_is_remote = false;  ///< it runs, or ran, in another process
  span_time start{};
  span_time end{};  ///< start and the monotonic time since: a change of the wall clock does not show
  span_status status = span_status::unset;
  std::string status_message;  ///< of an error
  std::vector<attribute> attributes;
  std::vector<span_event> events;
  std::vector<span_link> links;
  std::uint32_t dropped_attributes = 0;  ///< beyond the bound of a span, as the next two
  std::uint32_t dropped_events = 0;
  std::uint32_t dropped_links = 0;
};

/// The bounds of a recorder, and how much it is given.
struct recorder_options {
  std::size_t spans_max = 4096;                   ///< of more, the oldest are dropped
  std::size_t bytes_max = std::size_t{16} << 20;  ///< of text and lists in them, as spans_max
  double sample_ratio = 1;                        ///< of the traces that begin here; 0 to 1
};

/// Keeps the spans that have ended, until somebody takes them: an exporter, or a test.
///
/// A span is recorded by the recorder in force where it began, if its trace is sampled. A trace that came
/// from elsewhere is sampled if they say so; one that begins here by `sample_ratio`. Any thread.
class recorder {
 public:
  explicit recorder(recorder_options options = {});
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  /// What is kept, in the order in which the spans ended.
  std::vector<finished_span> snapshot() const;
  /// The same, at most `count`; they are gone from here then.
  std::vector<finished_span> drain(std::size_t count = std::numeric_limits<std::size_t>::max());
  /// How many are kept now.
  std::size_t size() const noexcept;
  /// Spans that were lost because nobody took them in time, since the start.
  std::uint64_t dropped() const noexcept;
  /// Spans that were recorded, dropped ones included.
  std::uint64_t recorded() const noexcept;

  /// Has `told` called each time so many spans are kept, by whoever ends the span, so that an exporter need
  /// not look again and again: it must not wait, nor throw. One at a time: a later call takes the place of an
  /// earlier one, which may still be called once. Nothing, or 0: nobody is told.
  void tell_at(std::size_t spans, std::function<void()> told);

  /// Takes a span, which weft does by itself at the end of one. Never throws: what cannot be kept is counted.
  void record(finished_span one) noexcept;

  const recorder_options& options() const noexcept { return options_; }

 private:
  struct kept {
    finished_span span;
    std::size_t bytes;
  };
  void drop_oldest();

  const recorder_options options_;
  mutable std::mutex mutex_;
  std::deque<kept> kept_;  // guarded by mutex_, as what follows
  std::size_t bytes_ = 0;  // of kept_
  std::uint64_t dropped_ = 0;
  std::uint64_t recorded_ = 0;
  std::size_t tell_at_ = 0;
  std::shared_ptr<const std::function<void()>> told_;  // null: nobody
};

/// Makes `now` the recorder of the process, null for none; gives the former one, in which spans that still
/// run will be recorded. Any thread.
std::shared_ptr<recorder> exchange_recorder(std::shared_ptr<recorder> now);

/// The recorder of the process; null if there is none.
std::shared_ptr<recorder> current_recorder();

}  // namespace weft::inline v1::trace
