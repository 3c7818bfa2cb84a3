#include "workers/frame_stream.hpp"

#include <algorithm>

#include <weft/codec/bytes.hpp>

namespace weft::inline v1::workers::detail {

stream_end frame_stream::read(wire::frame& into, steady_time until) {
  while (true) {
    if (auto ready = next()) {
      into = std::move(*ready);
      return stream_end::ok;
    }
    if (const auto end = fill(until); end != stream_end::ok) return end;
  }
}

template <typename Read>
stream_end frame_stream::fill_by(Read read) {
  char piece[piece_bytes];
  std::size_t got = 0;
  const auto end = read(std::span<char>(piece), got);
  if (end == stream_end::ok) reader_.append(as_bytes(std::string_view(piece, got)));
  return end;
}

stream_end frame_stream::fill(steady_time until) {
  return fill_by(
      [&](std::span<char> into, std::size_t& got) { return connection_.read_some(into, got, until); });
}

stream_end frame_stream::fill_now() {
  return fill_by([&](std::span<char> into, std::size_t& got) { return connection_.read_now(into, got); });
}

stream_end frame_stream::fill_aside() {
  return fill_by([&](std::span<char> into, std::size_t& got) { return connection_.read_aside(into, got); });
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

}  // namespace weft::inline v1::workers::detail
