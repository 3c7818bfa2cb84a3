#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <weft/http/client.hpp>
#include <weft/trace/recorder.hpp>

namespace weft::inline v1 {

/// Where spans are sent, as what, and in which bounds.
struct otlp_options {
  /// The whole URL of the collector: "http://127.0.0.1:4318/v1/traces".
  std::string url = "http://localhost:4318/v1/traces";
  /// Fields that go with each request, such as a key of the collector's.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Of this program, as service.name; empty: "unknown_service:" and the program's name.
  std::string service_name = {};
  /// What else is known of this program: service.version, deployment.environment.name. One named service.name
  /// is of use where service_name is empty.
  std::vector<trace::attribute> resource = {};
  bool compresses = false;                    ///< requests go in gzip
  std::chrono::milliseconds timeout{10'000};  ///< for one request
  std::chrono::milliseconds schedule{5'000};  ///< what has ended waits at most so long to be sent
  std::size_t batch_spans_max = 512;          ///< in one request; so many that wait are sent at once
  std::chrono::milliseconds backoff_min{
      1'000};  ///< before a second try; twice as much before each further one
  std::chrono::milliseconds backoff_max{30'000};    ///< also of what a Retry-After is believed
  std::chrono::milliseconds retry_timeout{60'000};  ///< a batch that was not taken in that time is given up
  /// TLS, proxies and so on; what is named above wins.
  http::client_options client = {};

  /// As the environment says, by the names of the OpenTelemetry specification; the rest as above. Read are
  /// OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT and _COMPRESSION, for each also the form of traces alone
  /// (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT), OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES,
  /// OTEL_BSP_SCHEDULE_DELAY and OTEL_BSP_MAX_EXPORT_BATCH_SIZE. A value that cannot be read is as if it were
  /// not there, with a warning in the log. Not while another thread changes the environment.
  static otlp_options from_environment();
};

/// Does the environment want spans to be sent: neither OTEL_SDK_DISABLED=true nor OTEL_TRACES_EXPORTER=none?
bool environment_wants_traces();

}  // namespace weft::inline v1
