#include "workers/server_link.hpp"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/process/socket.hpp>

namespace weft::inline v1::workers::detail {

namespace {

constexpr char client_mark = 'c';
constexpr char compatible_client_mark = 'o';  // surely of the older protocol; also one that is given back
constexpr char finish_mark = 'f';

bool send(int link, char mark, std::string_view said, const std::vector<int>& along) {
  const std::string message = mark + std::string(said);
  return process::send_with_descriptors(link, message, along) == static_cast<long>(message.size());
}

// No connection where no client comes. `got`: as recv().
unserved_client receive(int link, std::vector<unique_fd>& received, long& got, int flags) {
  std::string message(1 + said_bytes_max, '\0');
  got = process::receive_with_descriptors(link, message.data(), message.size(), received, flags);
  if (got < 1 || received.empty()) return {};
  if (message[0] != client_mark && message[0] != compatible_client_mark) return {};
  message.resize(static_cast<std::size_t>(got));
  return {std::move(received[0]), message.substr(1), message[0] == compatible_client_mark};
}
unserved_client receive(int link, std::vector<unique_fd>& received) {
  long got = 0;
  return receive(link, received, got, 0);
}

}  // namespace

bool send_client(const unique_fd& link, const unserved_client& client, const unique_fd& hand_over) {
  std::vector<int> along{client.connection.get()};
  if (hand_over) along.push_back(hand_over.get());
  return send(link.get(), client.is_compatible ? compatible_client_mark : client_mark, client.said, along);
}

void send_finish(const unique_fd& link) { ::send(link.get(), &finish_mark, 1, MSG_NOSIGNAL | MSG_DONTWAIT); }

unserved_client take_returned(const unique_fd& link) {
  std::vector<unique_fd> received;
  process::set_nonblocking(link.get(), true);
  return receive(link.get(), received);
}

handed_on send_to_successor(const unique_fd& link, const unserved_client& client) {
  if (send_client(link, client, {})) return handed_on::yes;
  if (errno == EAGAIN) return handed_on::not_yet;
  const bool has_ended = errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN;
  return has_ended ? handed_on::never : handed_on::failed;
}

// Looks first: a message whose descriptor finds no place here would be gone with it.
handed_over take_from_predecessor(const unique_fd& link, unserved_client& client) {
  std::vector<unique_fd> received;
  long got = 0;
  client = receive(link.get(), received, got, MSG_PEEK);
  if (got < 0 && errno == EAGAIN) return handed_over::none_yet;
  if (got < 1) return handed_over::no_more;
  if (!client.connection) return handed_over::no_descriptor;
  char mark = 0;
  ::recv(link.get(), &mark, 1, 0);  // the whole message, and its second descriptor
  return handed_over::one;
}

bool await_client(worker_descriptors& worker) {
  std::vector<unique_fd> received;
  worker.client = receive(worker.link.get(), received);
  if (received.size() > 1) worker.monitor = std::move(received[1]);
  return static_cast<bool>(worker.client.connection);
}

void give_back(int link, int connection, std::string_view said) noexcept {
  try {
    send(link, compatible_client_mark, said, {connection});
  } catch (const std::exception&) {
    // Without memory the client sees an end.
  }
}

void when_asked_to_finish(int link, std::function<void()> asked) {
  weft::go([link, asked = std::move(asked)] {
    char mark = 0;
    weft::wait_readable(link);
    // The end of the server is the business of others.
    if (::recv(link, &mark, 1, MSG_DONTWAIT) == 1 && mark == finish_mark) asked();
  });
}

}  // namespace weft::inline v1::workers::detail
