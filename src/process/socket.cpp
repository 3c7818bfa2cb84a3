#include <weft/process/socket.hpp>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::process {

namespace {

constexpr std::size_t descriptors_max = 8;

struct control_space {
  alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(int) * descriptors_max)];
};

std::pair<unique_fd, unique_fd> make_pair_of(int type, const char* what) {
  int both[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, both) != 0) throw system_error(what, errno);
  return {unique_fd(both[0]), unique_fd(both[1])};
}

void attach_descriptors(msghdr& message, control_space& space, const std::vector<int>& descriptors) noexcept {
  const std::size_t bytes = sizeof(int) * descriptors.size();
  message.msg_control = space.bytes;
  message.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
}

void take_descriptors(msghdr& message, std::vector<unique_fd>& into) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int numbers[descriptors_max];
    std::memcpy(numbers, CMSG_DATA(header), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) into.emplace_back(numbers[i]);
  }
}

}  // namespace

pipe_ends make_pipe() {
  int both[2];
  if (::pipe2(both, O_CLOEXEC) != 0) throw system_error("process: pipe", errno);
  return {unique_fd(both[0]), unique_fd(both[1])};
}

std::pair<unique_fd, unique_fd> stream_pair() { return make_pair_of(SOCK_STREAM, "process: socketpair"); }
std::pair<unique_fd, unique_fd> message_pair() { return make_pair_of(SOCK_SEQPACKET, "process: socketpair"); }

void set_nonblocking(int fd, bool on) {
  const int flags = ::fcntl(fd, F_GETFL);
  const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (flags < 0 || (wanted != flags && ::fcntl(fd, F_SETFL, wanted) != 0)) {
    throw system_error("process: set O_NONBLOCK of descriptor " + std::to_string(fd), errno);
  }
}

long send_with_descriptors(int socket, std::string_view bytes, const std::vector<int>& descriptors) noexcept {
  if (descriptors.size() > descriptors_max) {
    errno = EINVAL;
    return -1;
  }
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  control_space space{};
  if (!descriptors.empty()) attach_descriptors(message, space, descriptors);
  long sent = -1;
  do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

long receive_with_descriptors(int socket, char* buffer, std::size_t capacity,
                              std::vector<unique_fd>& descriptors, int flags) noexcept {
  iovec part{buffer, capacity};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  control_space space{};
  message.msg_control = space.bytes;
  message.msg_controllen = sizeof space.bytes;
  long received = -1;
  do received = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  if (received >= 0) take_descriptors(message, descriptors);
  return received;
}

}  // namespace weft::inline v1::process
