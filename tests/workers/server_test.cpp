#include <weft/workers/server.hpp>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <weft/closure/closure.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/run.hpp>

#include "workers/protocol.hpp"
#include "workers/test_program.hpp"

// A fork server of its own, and clients that connect to it.

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft::workers::server;
using weft::workers::server_options;

class listening : public testing::Test {
 protected:
  listening() {
    char name[] = "/tmp/weft-server-XXXXXX";
    folder_ = ::mkdtemp(name);
    path = folder_ + "/socket";
  }
  ~listening() override { std::filesystem::remove_all(folder_); }

  server_options options() {
    server_options made{.listen = "unix:" + path};
    weft::services none;
    weft_test::offer_functions(none, made.interface);
    return made;
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

  std::string path;

 private:
  std::string folder_;
};

TEST_F(listening, clients_connect_and_call) {
  auto running = server::fork(options());
  client pool({.connect = "unix:" + path, .min_workers = 1});
  weft::run([&] {
    EXPECT_EQ(pool.call<std::int64_t>("sum", 40, 2), 42);
    EXPECT_NE(pool.call<std::int64_t>("pid"), ::getpid());
  });
  EXPECT_EQ(running.terminate(5s), weft::process::exit_status::exited(0));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(listening, a_death_names_its_signal) {
  auto running = server::fork(options());
  client pool({.connect = "unix:" + path});
  weft::run([&] {
    try {
      pool.call("die_by", SIGSEGV);
      ADD_FAILURE() << "no error";
    } catch (const weft::workers::worker_died& died) {
      EXPECT_EQ(died.status().value, SIGSEGV);
    }
    EXPECT_THROW(pool.checkout({.timeout = 50ms}).call("spin_deaf"), weft::workers::call_timed_out);
    pool.call("nothing");
  });
}

TEST_F(listening, a_client_may_come_before_its_server) {
  client pool({.connect = "unix:" + path, .min_workers = 0});
  weft::run(
      [&] { EXPECT_THROW(pool.checkout({.timeout = 10ms}).call("nothing"), weft::workers::start_failed); });
  auto running = server::fork(options());
  weft::run([&] { pool.call("nothing"); });
}

TEST_F(listening, the_socket_is_for_its_owner_only) {
  auto running = server::fork(options());
  struct stat file {};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
}

TEST_F(listening, where_another_server_answers_is_refused) {
  auto running = server::fork(options());
  try {
    server second(options());
    ADD_FAILURE() << "listens";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::busy);
  }
  client pool({.connect = "unix:" + path});
  weft::run([&] { pool.call("nothing"); });
}

TEST_F(listening, a_stale_socket_is_replaced) {
  server::fork(options()).kill(SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(path));
  auto running = server::fork(options());
  client pool({.connect = "unix:" + path});
  weft::run([&] { pool.call("nothing"); });
}

TEST_F(listening, setup_runs_before_the_first_call_and_its_failure_is_that_calls_error) {
  auto wanted = options();
  wanted.setup = [tries = 0](weft::services&) mutable {
    if (tries++ == 0) throw std::runtime_error("no database");
  };
  auto running = server::fork(std::move(wanted));
  client pool({.connect = "unix:" + path, .min_workers = 1, .max_workers = 1});
  weft::run([&] {
    auto held = pool.checkout();
    try {
      held.call("nothing");
      ADD_FAILURE() << "no error";
    } catch (const std::exception& failed) {
      EXPECT_NE(std::string(failed.what()).find("no database"), std::string::npos);
    }
    held.call("nothing");
  });
}

TEST_F(listening, a_peer_of_the_old_protocol_is_answered_in_it) {
  auto running = server::fork(options());
  const weft::unique_fd connection = connect();
  const std::string_view said = R"(["do",{},"echo","x"])";
  EXPECT_EQ(::send(connection.get(), said.data(), said.size(), 0), static_cast<ssize_t>(said.size()));
  ::shutdown(connection.get(), SHUT_WR);
  EXPECT_EQ(hear(connection), R"(["ok",{},"x"])");
}

TEST_F(listening, a_client_of_another_build_is_refused_with_both_builds_named) {
  auto running = server::fork(options());
  weft::workers::detail::hello_frame hello;
  hello.build_id = "another";
  hello.same_build_only = true;
  weft::bytes said = weft::to_bytes(weft::workers::detail::native_magic);
  write_frame(said, hello);
  weft::wire::frame_reader reader;
  const auto heard = talk(weft::as_text(said));
  reader.append(weft::as_bytes(heard));
  const auto answer = reader.next();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->type, static_cast<std::uint8_t>(weft::workers::detail::frame_type::refused));
  EXPECT_NE(weft::workers::detail::read_refused(*answer).find("another"), std::string::npos);
}

TEST_F(listening, tcp_has_clients_too_and_refuses_their_closures) {
  auto wanted = options();
  wanted.listen = "127.0.0.1:0";
  server one(std::move(wanted));
  const std::string address = one.address();
  auto running = weft::process::child::fork([&] { return one.run(); });
  client pool({.connect = address, .min_workers = 1});
  weft::run([&] {
    EXPECT_EQ(pool.call<std::int64_t>("sum", 40, 2), 42);
    try {
      pool.call(weft::closure{[] {}});
      ADD_FAILURE() << "runs";
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::refused);
    }
  });
}

TEST_F(listening, an_address_that_cannot_be_is_refused) {
  for (const std::string bad : {"/run/x", "unix:", "127.0.0.1", "127.0.0.1:x"}) {
    EXPECT_THROW(server(server_options{.listen = bad}), weft::error) << bad;
  }
  EXPECT_THROW(server(server_options{.listen = "unix:" + std::string(200, 'x')}), weft::error);
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
