#include "http/corked_stream.hpp"

#include <algorithm>
#include <array>

#include <weft/core/error.hpp>

#include "http/bound_until.hpp"

namespace weft::inline v1::http::detail {

namespace {

/// Is it a failure of the peer, in a transfer whose other end may be a file?
bool is_of_the_peer(errc code) noexcept {
  switch (code) {
    case errc::unavailable:
    case errc::timed_out:
    case errc::closed:
    case errc::malformed:  // TLS
    case errc::refused:    // TLS
      return true;
    default:
      return false;
  }
}

}  // namespace

template <typename Send>
net::transfer corked_stream::to_peer(Send&& send) {
  try {
    const net::transfer sent = send();
    if (sent.end != net::transfer_end::timed_out) return sent;
  } catch (const error& failed) {
    lost_peer_ = lost_peer_ || is_of_the_peer(failed.code());
    throw;
  }
  lost_peer_ = true;
  throw error(errc::timed_out, "http: the client does not read its response");
}

void corked_stream::send(std::string_view first, std::string_view second, std::string_view third) {
  const std::array<std::string_view, 4> pieces{corked_, first, second, third};
  if (cut_) throw error(errc::closed, "http: an earlier answer was cut off");
  cut_ = true;
  to_peer([&] { return peer_.write_all_until(pieces, bound_until(write_timeout_)); });
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
  if (peer_.tls() != nullptr) {
    const std::string read = from.read_at(offset, bytes);
    const std::string_view piece = read;
    return to_peer([&] { return peer_.write_all_until({&piece, 1}, bound_until(write_timeout_)); }).bytes;
  }
  from.load(offset, bytes);
  return to_peer([&] {
           return peer_.socket().send_file_until(from.fd(), static_cast<off_t>(offset), bytes,
                                                 bound_until(write_timeout_));
         })
      .bytes;
}

}  // namespace weft::inline v1::http::detail
