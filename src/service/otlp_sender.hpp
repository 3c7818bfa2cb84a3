#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <weft/http/client.hpp>
#include <weft/service/otlp_options.hpp>

namespace weft::inline v1::detail {

/// What became of one request with spans.
struct sent_spans {
  enum class outcome : unsigned char {
    taken,
    later,   ///< not taken now: it may be sent again
    refused  ///< sending it again would change nothing
  };
  outcome how = outcome::later;
  std::optional<std::chrono::seconds> retry_after = {};
  std::uint64_t rejected_spans = 0;  ///< of those taken
  std::string why = {};              ///< for people, where not all is well
};

/// Sends requests to a collector. Made and used in a run.
class otlp_sender {
 public:
  explicit otlp_sender(const otlp_options& options);
  /// Waits for the answer. Never throws a weft::error.
  sent_spans send(const std::string& body);

  /// Throws weft::error (invalid_argument) where the options name no collector.
  static void check(const otlp_options& options);

 private:
  std::string target_;
  http::request_options with_;
  http::client client_;
};

/// A delay in seconds, or a date (RFC 9110, 10.2.3); nothing for anything else.
std::optional<std::chrono::seconds> read_retry_after(std::string_view text);

}  // namespace weft::inline v1::detail
