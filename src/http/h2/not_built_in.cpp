#include <weft/core/error.hpp>

#include "http/h2/make_connection.hpp"

// In place of everything else in this folder, where there is no nghttp2.

namespace weft::inline v1::http::detail::h2 {

bool is_built_in() noexcept { return false; }

std::unique_ptr<http2_link> make_connection(server_lane& /*lane*/, transport /*peer*/) {
  throw error(errc::unsupported, "http: this build of weft has no HTTP/2");
}

}  // namespace weft::inline v1::http::detail::h2
