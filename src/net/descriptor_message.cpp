#include "net/descriptor_message.hpp"

#include <cstring>

#include <weft/core/error.hpp>

namespace weft::inline v1::net::detail {

descriptor_message::descriptor_message(msghdr& header) noexcept {
  header.msg_control = bytes_.data();
  header.msg_controllen = bytes_.size();
}

descriptor_message::descriptor_message(msghdr& header, std::span<const int> descriptors) noexcept {
  if (descriptors.empty()) return;
  const std::size_t bytes = descriptors.size_bytes();
  bytes_.fill(0);
  header.msg_control = bytes_.data();
  header.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(rights), descriptors.data(), bytes);
}

std::vector<unique_fd> descriptor_message::take(msghdr& header) {
  std::vector<unique_fd> all;
  all.reserve(descriptors_max);  // from here on nothing throws before all are owned
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::array<int, descriptors_max> numbers;
    std::memcpy(numbers.data(), CMSG_DATA(one), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) all.emplace_back(numbers[i]);
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) {
    throw error(errc::resource_exhausted,
                "stream: receive descriptors: this process has no room for all that were sent; "
                "those that came were closed");
  }
  return all;
}

}  // namespace weft::inline v1::net::detail
