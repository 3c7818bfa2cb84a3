#include <sys/socket.h>
#include <string>

#include <weft/core/error.hpp>
#include <weft/net/stream.hpp>

#include "net/descriptor_message.hpp"
#include "net/socket_io.hpp"

namespace weft::inline v1::net {

static_assert(stream::descriptors_max == detail::descriptor_message::descriptors_max);

transfer stream::send_descriptors_until(std::string_view bytes, std::span<const int> descriptors,
                                        steady_time until) {
  constexpr const char* tried = "stream: send descriptors";
  if (bytes.empty() || descriptors.size() > descriptors_max) {
    throw error(errc::invalid_argument,
                std::string(tried) + (bytes.empty() ? ": they need a byte to come with"
                                                    : ": " + std::to_string(descriptors.size()) + ", but " +
                                                          std::to_string(descriptors_max) + " go at once"));
  }
  std::size_t first = 0;
  {
    const detail::direction_guard writing(writer_, fd_, tried);
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const detail::descriptor_message along(header, descriptors);
    const auto count =
        detail::when_writable(io_, until, tried, [&] { return ::sendmsg(fd(), &header, MSG_NOSIGNAL); });
    if (!count) return {0, transfer_end::timed_out};
    first = *count;
  }
  const std::string_view rest = bytes.substr(first);
  transfer done = write_all_until(std::span(&rest, 1), until);
  done.bytes += first;
  return done;
}

std::optional<received_descriptors> stream::receive_descriptors_until(std::span<char> into,
                                                                      steady_time until) {
  constexpr const char* tried = "stream: receive descriptors";
  const detail::direction_guard reading(reader_, fd_, tried);
  iovec part{into.data(), into.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  detail::descriptor_message room(header);
  const msghdr empty = header;
  const auto count = detail::when_readable(io_, until, tried, [&] {
    header = empty;
    return ::recvmsg(fd(), &header, MSG_CMSG_CLOEXEC);
  });
  if (!count) return std::nullopt;
  // A message with descriptors ends a read before what comes after it: a short one is no sign of the end.
  return received_descriptors{*count, detail::descriptor_message::take(header)};
}

}  // namespace weft::inline v1::net
