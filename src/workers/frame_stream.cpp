#include "workers/frame_stream.hpp"

#include <algorithm>

#include <weft/codec/bytes.hpp>

namespace weft::workers::detail {

stream_end frame_stream::read(wire::frame& into, steady_time until) {
  while (true) {
    if (auto next = reader_.next()) {
      into = std::move(*next);
      return stream_end::ok;
    }
    char piece[piece_bytes];
    std::size_t got = 0;
    if (const auto end = connection_.read_some(piece, got, until); end != stream_end::ok) return end;
    reader_.append(as_bytes(std::string_view(piece, got)));
  }
}

stream_end frame_stream::read_raw(std::string& into, std::size_t count, steady_time until) {
  into.clear();
  while (into.size() < count) {
    char piece[64];
    std::size_t got = 0;
    const auto wanted = std::span(piece).first(std::min(sizeof piece, count - into.size()));
    if (const auto end = connection_.read_some(wanted, got, until); end != stream_end::ok) return end;
    into.append(piece, got);
  }
  return stream_end::ok;
}

}  // namespace weft::workers::detail
