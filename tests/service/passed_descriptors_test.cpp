#include <weft/service/passed_descriptors.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <cstdlib>
#include <initializer_list>
#include <string>

#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/process/pipe.hpp>
#include <weft/process/socket.hpp>

#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::ops {
namespace {

/// Makes copies of these the descriptors from 3 on, as a service manager does, and keeps what was there. Each
/// test of ctest is a process of its own.
class passed {
 public:
  explicit passed(std::initializer_list<int> fds) {
    int number = 3;
    for (const int fd : fds) {
      kept_.emplace_back(::fcntl(number, F_DUPFD_CLOEXEC, 100));
      copies_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 100));
      ++number;
    }
    for (std::size_t i = 0; i < copies_.size(); ++i) ::dup2(copies_[i].get(), 3 + static_cast<int>(i));
    ::setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  }
  passed(const passed&) = delete;
  passed& operator=(const passed&) = delete;
  ~passed() {
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const int number = 3 + static_cast<int>(i);
      if (kept_[i]) {
        ::dup2(kept_[i].get(), number);
      } else {
        ::close(number);
      }
    }
  }

 private:
  std::vector<unique_fd> kept_;
  std::vector<unique_fd> copies_;
};

TEST(passed_descriptors, none_without_an_environment) {
  EXPECT_TRUE(take_passed_descriptors().empty());
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", std::to_string(::getppid()).c_str(), 1);
  EXPECT_TRUE(take_passed_descriptors().empty()) << "they are another one's";
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
}

TEST(passed_descriptors, a_server_accepts_of_one) {
  const net::bound_socket made(net::endpoint::parse("127.0.0.1:0"));
  auto pipe = process::make_pipe();
  const passed here({made.fd(), pipe.reader.get()});
  ::setenv("LISTEN_FDNAMES", "web:", 1);
  run([&] {
    auto all = take_passed_descriptors();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].name, "web");
    EXPECT_EQ(all[1].name, "");
    EXPECT_EQ(::fcntl(all[0].fd.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(std::getenv("LISTEN_FDNAMES"), nullptr);
    EXPECT_TRUE(take_passed_descriptors().empty()) << "they are taken once";

    ASSERT_TRUE(all[0].is_listening());
    const net::bound_socket socket = all[0].listener();
    EXPECT_EQ(socket.address(), made.address());
    http::server server({.listener = &socket});
    server.get("/", [] { return "hello"; });
    server.start();
    EXPECT_EQ(http::client(server.url()).get("/").body(), "hello");
    server.stop();

    EXPECT_FALSE(all[1].is_listening());
    EXPECT_TRUE(has_text(message_of(errc::invalid_argument, [&] { (void)all[1].listener(); }), "listens"));
    for (auto& one : all) (void)one.fd.release();  // `here` puts back what was there
  });
}

TEST(passed_descriptors, the_file_of_a_unix_socket_stays) {
  const weft_test::scratch_folder folder;
  const net::bound_socket made(net::endpoint::unix_socket(folder / "socket"));
  const passed here({made.fd()});
  auto all = take_passed_descriptors();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name, "unknown");
  {
    const net::bound_socket socket = all[0].listener();
    EXPECT_EQ(socket.address().path(), folder / "socket");
  }
  struct stat there {};
  EXPECT_EQ(::stat((folder / "socket").c_str(), &there), 0);
  (void)all[0].fd.release();
}

TEST(passed_descriptors, a_malformed_environment_is_an_error) {
  const auto refuses = [](const char* count, const char* names) {
    ::setenv("LISTEN_FDS", count, 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    if (names != nullptr) ::setenv("LISTEN_FDNAMES", names, 1);
    return message_of(errc::invalid_argument, [] { (void)take_passed_descriptors(); });
  };
  EXPECT_TRUE(has_text(refuses("two", nullptr), "LISTEN_FDS is \"two\""));
  EXPECT_TRUE(has_text(refuses("-1", nullptr), "LISTEN_FDS"));
  EXPECT_TRUE(has_text(refuses("1001", nullptr), "LISTEN_FDS"));
  EXPECT_TRUE(has_text(refuses("1", "a:b"), "LISTEN_FDNAMES has 2 names"));
  EXPECT_TRUE(has_text(refuses("900", nullptr), "is not open"));
}

}  // namespace
}  // namespace weft::ops
