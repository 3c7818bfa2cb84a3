#pragma once

namespace weft::inline v1::http {

/// Which of the W3C's headers a server believes (weft/trace/propagation.hpp). Baggage sets keys of the
/// application, so it is only for services that belong together.
enum class trace_headers : unsigned char { none, trace, trace_and_baggage };

}  // namespace weft::inline v1::http
