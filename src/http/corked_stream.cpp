#include "http/corked_stream.hpp"

#include <array>

#include <weft/core/error.hpp>

#include "http/bound_until.hpp"

namespace weft::http::detail {

void corked_stream::send(std::string_view first, std::string_view second, std::string_view third) {
  const std::array<std::string_view, 4> pieces{corked_, first, second, third};
  if (cut_) throw error(errc::closed, "http: an earlier answer was cut off");
  cut_ = true;
  const net::transfer sent = peer_.write_all_until(pieces, bound_until(write_timeout_));
  if (!sent) throw error(errc::timed_out, "http: the client does not read its response");
  corked_.clear();
  cut_ = false;
}

}  // namespace weft::http::detail
