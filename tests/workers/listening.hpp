#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <weft/core/unique_fd.hpp>
#include <weft/workers/server.hpp>
#include <weft/workers/server_status.hpp>

#include "support/scratch_folder.hpp"
#include "workers/test_program.hpp"

namespace weft_test {

/// A place for a server to listen, and raw clients of it.
class listening : public testing::Test {
 protected:
  weft::workers::server_options options() {
    weft::workers::server_options made{.listen = "unix:" + path};
    weft::services none;
    offer_functions(none, made.interface);
    return made;
  }

  /// Not `automatic`, which takes a server for one of the older protocol where the machine is slow.
  weft::workers::client_options native_client(std::size_t workers) const {
    return {.connect = "unix:" + path,
            .min_workers = 0,
            .max_workers = workers,
            .protocol = weft::workers::protocol_choice::native};
  }
  weft::workers::client client_with(std::size_t workers) const {
    return weft::workers::client(native_client(workers));
  }

  weft::unique_fd connect() {
    weft::unique_fd connection(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    EXPECT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return connection;
  }

  // All that comes until the end of the connection.
  static std::string hear(const weft::unique_fd& connection) {
    std::string heard;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::recv(connection.get(), buffer, sizeof buffer, 0)) > 0;) {
      heard.append(buffer, static_cast<std::size_t>(got));
    }
    return heard;
  }

  // Sends the bytes on a fresh connection and gives all that comes back until its end.
  std::string talk(std::string_view said) {
    const weft::unique_fd connection = connect();
    EXPECT_EQ(::send(connection.get(), said.data(), said.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(said.size()));
    return hear(connection);
  }

  // Ends its own side at once.
  std::string talk_and_end(std::string_view said) {
    const weft::unique_fd connection = connect();
    EXPECT_EQ(::send(connection.get(), said.data(), said.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(said.size()));
    ::shutdown(connection.get(), SHUT_WR);
    return hear(connection);
  }

  /// What the server says it is doing, once that is as wanted.
  template <typename Wanted>
  weft::workers::server_figures status_with(Wanted is_wanted) {
    while (true) {
      auto seen = weft::workers::server_status("unix:" + path);
      if (is_wanted(seen)) return seen;
    }
  }

  static void say(const weft::unique_fd& connection, std::string_view said) {
    EXPECT_EQ(::send(connection.get(), said.data(), said.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(said.size()));
  }
  /// The next message of a peer of the old protocol; all there is where it ends.
  static std::string hear_one(const weft::unique_fd& connection) {
    std::string heard;
    int depth = 0;
    for (char one = 0; ::recv(connection.get(), &one, 1, 0) == 1;) {
      heard += one;
      if (one == '[') ++depth;
      if (one == ']' && --depth == 0) break;
    }
    return heard;
  }

  scratch_folder folder;
  std::string path = folder / "socket";
};

}  // namespace weft_test
