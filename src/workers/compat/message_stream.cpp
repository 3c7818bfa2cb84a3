#include "workers/compat/message_stream.hpp"

#include <weft/codec/bytes.hpp>

namespace weft::workers::detail::compat {

stream_end message_stream::read(wire::json_value& into, steady_time until) {
  while (true) {
    if (auto next = messages_.next()) {
      into = std::move(*next);
      return stream_end::ok;
    }
    char piece[piece_bytes];
    std::size_t got = 0;
    if (const auto end = connection_.read_some(piece, got, until); end != stream_end::ok) return end;
    messages_.append({piece, got});
  }
}

stream_end message_stream::write(std::string_view message, steady_time until) {
  return connection_.write(as_bytes(message), until);
}

}  // namespace weft::workers::detail::compat
