#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <weft/service/otlp_options.hpp>
#include <weft/trace/recorder.hpp>

namespace weft::inline v1 {

/// What became of the spans that an exporter took.
struct otlp_statistics {
  std::uint64_t exported = 0;  ///< taken by the collector
  std::uint64_t rejected = 0;  ///< of a request that was taken; the collector says why
  std::uint64_t failed = 0;    ///< given up: their request was refused, or not taken in time
  std::uint64_t dropped = 0;   ///< by the recorder, which was full
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;  ///< requests that were sent again, of those
};

/// Sends the spans of a recorder to a collector: OTLP over HTTP, as JSON (opentelemetry-proto 1).
///
///     auto recorder = std::make_shared<weft::trace::recorder>();
///     weft::trace::exchange_recorder(recorder);
///     weft::otlp_exporter exporter(recorder, weft::otlp_options::from_environment());
///
/// It has a thread of its own, so that neither busy loops hold it up nor it them: ending a span puts it into
/// the recorder, which is the queue. That is bounded, and where the collector is slow or gone the oldest
/// spans are dropped and counted. Sent is what has waited for `schedule`, or `batch_spans_max` at once. A
/// request that ends with 429, 502, 503 or 504, or without an answer, is repeated, later and later, or when
/// Retry-After says; any other status gives its spans up. Both are in the log, once until it works again.
/// Its own requests belong to no trace.
///
/// Thread-safety: all members. Made and ended anywhere, in a run or outside; one exporter for a recorder.
/// Spans of a forked child stay in that child: it needs an exporter of its own, made after the fork.
class otlp_exporter {
 public:
  /// Starts. Throws weft::error: invalid_argument for options out of range, a URL or a header field that is
  /// none; resource_exhausted where there is no thread.
  explicit otlp_exporter(std::shared_ptr<trace::recorder> from,
                         otlp_options options = otlp_options::from_environment());
  otlp_exporter(const otlp_exporter&) = delete;
  otlp_exporter& operator=(const otlp_exporter&) = delete;
  /// stop(), within 5 s.
  ~otlp_exporter();

  /// Sends what the recorder has now and waits for the end of that, also where it is given up; at most for
  /// `bound`, false then. A cancellation point.
  bool flush(std::chrono::milliseconds bound);

  /// Sends what the recorder has, for at most `bound` (some milliseconds are needed in any case), and ends.
  /// True if nothing was given up meanwhile. Spans that end later stay in the recorder. Calling it again has
  /// no effect. Not a cancellation point.
  bool stop(std::chrono::milliseconds bound) noexcept;

  otlp_statistics statistics() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace weft::inline v1
