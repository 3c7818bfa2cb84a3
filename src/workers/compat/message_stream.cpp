#include "workers/compat/message_stream.hpp"

#include <sys/socket.h>

#include <weft/codec/bytes.hpp>

#include "workers/protocol.hpp"

namespace weft::inline v1::workers::detail::compat {

bool message_stream::is_quiet() noexcept {
  if (messages_.first_byte() || !messages_.is_empty()) return false;
  if (connection_.is_quiet()) return true;
  char peeked[native_magic.size() + 1];
  const ssize_t count = ::recv(connection_.fd(), peeked, sizeof peeked, MSG_PEEK | MSG_DONTWAIT);
  return expects_acceptance_ && count > 0 &&
         std::string_view(peeked, static_cast<std::size_t>(count)) == native_magic;
}

// No message begins as it does. False while only a part of it is there.
bool message_stream::pass_over_acceptance() {
  if (messages_.first_byte() != native_magic.front()) return true;
  const std::string rest = messages_.take_rest();
  was_accepted_ = rest.starts_with(native_magic);
  if (!was_accepted_ && native_magic.starts_with(rest)) {
    messages_.append(rest);
    return false;
  }
  expects_acceptance_ = false;
  messages_.append(was_accepted_ ? std::string_view(rest).substr(native_magic.size()) : rest);
  return true;
}

stream_end message_stream::read(wire::json_value& into, steady_time until) {
  while (true) {
    if (!expects_acceptance_ || pass_over_acceptance()) {
      if (auto next = messages_.next()) {
        into = std::move(*next);
        return stream_end::ok;
      }
    }
    char piece[piece_bytes];
    std::size_t got = 0;
    if (const auto end = connection_.read_some(piece, got, until); end != stream_end::ok) return end;
    messages_.append({piece, got});
  }
}

std::string message_stream::take_rest() {
  messages_.first_byte();  // passes over white space
  return messages_.take_rest();
}

stream_end message_stream::write(std::string_view message, steady_time until) {
  return connection_.write(as_bytes(message), until);
}

}  // namespace weft::inline v1::workers::detail::compat
