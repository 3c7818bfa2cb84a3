#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/trace/recorder.hpp>

namespace weft::inline v1::detail {

/// The body of a request that hands spans over: an ExportTraceServiceRequest of opentelemetry-proto 1, in its
/// JSON form. Ids are hex, times and integers are texts of digits. Bytes that are not UTF-8 become U+FFFD.
std::string otlp_json(const std::vector<trace::attribute>& resource,
                      std::span<const trace::finished_span> spans);

/// What a collector says of a request that it took.
struct partial_success {
  std::uint64_t rejected_spans = 0;
  std::string message = {};
};

/// Of the body of its answer; nothing in it where there is none, or what is no such thing.
partial_success read_partial_success(std::string_view body);

}  // namespace weft::inline v1::detail
