#pragma once

#include <string>
#include <string_view>

#include <weft/http/handler.hpp>
#include <weft/metrics/registry.hpp>
#include <weft/metrics/snapshot.hpp>

namespace weft::inline v1::ops {

/// The texts in which metrics are given to who collects them.
enum class exposition_format : unsigned char {
  prometheus,   ///< the text format of Prometheus, 0.0.4
  openmetrics,  ///< OpenMetrics 1.0.0
};

/// Its Content-Type.
std::string_view content_type(exposition_format of) noexcept;

/// What a request with this Accept field wants: OpenMetrics where it is named and no less wanted than plain
/// text, else the text format, also where neither is wanted. Never fails.
exposition_format wanted_format(std::string_view accept) noexcept;

/// `from` as text in that format, by the names and help texts as they were registered. Families without
/// samples are named. A histogram of negative values has no `_sum` and `_count` in
/// OpenMetrics, which forbids them there: one with a negative bound or sum. Moments of creation are not known
/// and left out.
std::string expose(const metrics::snapshot& from, exposition_format as);

/// A handler for GET: the metrics of `from`, which outlives it, in the format that the request wants.
///
///     server.get("/metrics", weft::ops::metrics_handler());
http::handler metrics_handler(const metrics::registry& from = metrics::default_registry());

}  // namespace weft::inline v1::ops
