#include "workers/chaos/intruder.hpp"

#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include <weft/core/unique_fd.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/wire/binary.hpp>

#include "workers/protocol.hpp"

namespace weft_test {

namespace {

namespace native = weft::workers::detail;

weft::unique_fd connect_to(const std::string& path) {
  weft::unique_fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  // The backlog is full now and then: another time, then.
  const auto* const where = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(connection.get(), where, sizeof address) != 0) connection.reset();
  return connection;
}

}  // namespace

// A hello and a call that takes a while, or, as a server may meet it too, one that never ends.
std::string intruder::native_words(bool whole) {
  weft::bytes said = weft::to_bytes(native::native_magic);
  write_frame(said, native::hello_frame{});
  const auto arguments = weft::wire::to_binary(std::tuple(
      slots_.path, slots_.slots, static_cast<int>(random_() % 2 == 0 ? fault::hang : fault::kill_during), 3));
  native::call_frame call;
  call.id = 1;
  call.target = "act";
  call.arguments = weft::as_text(arguments);
  write_frame(said, call);
  std::string all(weft::as_text(said));
  if (!whole) all.resize(1 + random_() % (all.size() - 1));
  return all;
}

std::string intruder::old_words() {
  std::string all =
      R"(["do",{},"act",")" + slots_.path + "\"," + std::to_string(slots_.slots) + R"(,3,3]["do",{},"pid"])";
  if (random_() % 2 == 0) all.resize(1 + random_() % (all.size() - 1));
  return all;
}

std::string intruder::words() {
  std::string noise(random_() % 200, '\0');
  for (auto& one : noise) one = static_cast<char>(random_());
  switch (random_() % 7) {
    case 0:
      return {};
    case 1:
      return noise;
    case 2:
      return native_words(true);
    case 3:
      return native_words(false);
    case 4:
      return native_words(true) + noise;
    case 5:
      return old_words();
    default:
      return std::string(" \t\r\n\t \r\n").substr(0, 1 + random_() % 8) + old_words() + noise;
  }
}

std::uint64_t intruder::run(std::uint64_t times) {
  std::uint64_t connected = 0;
  for (std::uint64_t i = 0; i < times; ++i) {
    const auto connection = connect_to(path_);
    const auto said = words();
    const auto stay = std::chrono::microseconds(random_() % 3000);
    if (connection) {
      ++connected;
      if (!said.empty()) (void)!::send(connection.get(), said.data(), said.size(), MSG_NOSIGNAL);
    }
    weft::sleep_for(stay);
  }
  return connected;
}

}  // namespace weft_test
