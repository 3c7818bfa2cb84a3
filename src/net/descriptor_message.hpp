#pragma once

#include <sys/socket.h>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <weft/core/unique_fd.hpp>

namespace weft::inline v1::net::detail {

/// The room of a message for descriptors, to be sent or to be received.
class descriptor_message {
 public:
  static constexpr std::size_t descriptors_max = 253;  // SCM_MAX_FD

  /// Receives: `header` gets room for as many as there can be.
  explicit descriptor_message(msghdr& header) noexcept;
  /// Sends `descriptors`, at most descriptors_max.
  descriptor_message(msghdr& header, std::span<const int> descriptors) noexcept;
  descriptor_message(const descriptor_message&) = delete;
  descriptor_message& operator=(const descriptor_message&) = delete;

  /// Owns what came. Throws weft::error (resource_exhausted) where some did not fit; then none stays open.
  static std::vector<unique_fd> take(msghdr& header);

 private:
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * descriptors_max)> bytes_;
};

}  // namespace weft::inline v1::net::detail
