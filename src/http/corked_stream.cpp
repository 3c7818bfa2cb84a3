#include "http/corked_stream.hpp"

#include <algorithm>
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

bool corked_stream::send_file(std::string_view first, files::file& from, std::uint64_t offset,
                              std::uint64_t bytes) {
  constexpr std::uint64_t window_bytes = 256 * 1024;
  if (!first.empty() || !corked_.empty()) send(first);
  if (cut_) throw error(errc::closed, "http: an earlier answer was cut off");
  cut_ = true;
  while (bytes > 0) {
    const std::uint64_t sent = send_window(from, offset, std::min(bytes, window_bytes));
    if (sent == 0) break;
    offset += sent;
    bytes -= sent;
  }
  cut_ = false;
  return bytes == 0;
}

/// TLS has to see the bytes; a plain connection takes them from the file. Gives 0 at the end of the file.
std::uint64_t corked_stream::send_window(files::file& from, std::uint64_t offset, std::uint64_t bytes) {
  net::transfer sent;
  if (peer_.tls() != nullptr) {
    const std::string read = from.read_at(offset, bytes);
    const std::string_view piece = read;
    sent = peer_.write_all_until(std::span(&piece, 1), bound_until(write_timeout_));
  } else {
    from.load(offset, bytes);
    sent = peer_.socket().send_file_until(from.fd(), static_cast<off_t>(offset), bytes,
                                          bound_until(write_timeout_));
  }
  if (sent.end == net::transfer_end::timed_out)
    throw error(errc::timed_out, "http: the client does not read its response");
  return sent.bytes;
}

}  // namespace weft::http::detail
