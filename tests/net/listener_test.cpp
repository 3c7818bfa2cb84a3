#include <weft/net/listener.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/collector.hpp>

namespace weft::net {
namespace {

const endpoint any_port = endpoint::parse("127.0.0.1:0");

/// A path in a folder of its own, removed at the end.
class temporary_path {
 public:
  temporary_path() {
    if (::mkdtemp(folder_) == nullptr) throw system_error("make a folder", errno);
  }
  ~temporary_path() {
    ::unlink(path().c_str());
    ::rmdir(folder_);
  }
  std::string path() const { return std::string(folder_) + "/s"; }

 private:
  char folder_[32] = "/tmp/weft-net-XXXXXX";
};

TEST(listener, takes_any_free_port_for_port_0) {
  run([] {
    listener first(any_port);
    listener second(any_port);
    EXPECT_NE(first.address().port(), 0);
    EXPECT_NE(first.address().port(), second.address().port());
  });
}

TEST(listener, a_port_in_use_is_an_error_that_says_what_to_do) {
  run([] {
    listener first(any_port);
    try {
      listener second(first.address());
      ADD_FAILURE() << "two listeners on one port";
    } catch (const error& in_use) {
      EXPECT_EQ(in_use.code(), errc::busy);
      const std::string message = in_use.what();
      EXPECT_EQ(
          message.find("listen on " + first.address().text() + ": Address already in use; stop the program"),
          0u)
          << message;
    }
  });
}

TEST(listener, says_what_to_do_about_other_addresses_it_cannot_have) {
  run([] {
    try {
      listener nowhere(endpoint::parse("192.0.2.1:0"));
      ADD_FAILURE();
    } catch (const error& failed) {
      EXPECT_NE(std::string(failed.what()).find("no interface of this machine"), std::string::npos)
          << failed.what();
    }
    try {
      listener nowhere(endpoint::parse("unix:/nonexistent/folder/s"));
      ADD_FAILURE();
    } catch (const error& failed) {
      EXPECT_NE(std::string(failed.what()).find("make the folder first"), std::string::npos) << failed.what();
    }
  });
}

TEST(listener, close_wakes_the_task_in_accept) {
  run([] {
    listener listening(any_port);
    auto accepting = go([&] { listening.accept(); });
    yield();
    listening.close();
    try {
      accepting.join();
      ADD_FAILURE();
    } catch (const error& closed) {
      EXPECT_EQ(closed.code(), errc::closed);
    }
    EXPECT_THROW(listening.accept(), error);
  });
}

TEST(listener, accepted_descriptors_are_closed_on_exec) {
  run([] {
    listener listening(any_port);
    stream client = stream::connect(listening.address());
    stream accepted = listening.accept();
    for (const int fd : {client.fd(), accepted.fd()}) EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
  });
}

TEST(listener, a_unix_socket_is_made_private_and_removed_at_close) {
  const temporary_path at;
  run([&] {
    const endpoint where = endpoint::unix_socket(at.path());
    listener listening(where);
    struct stat status {};
    ASSERT_EQ(::lstat(at.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    stream client = stream::connect(where);
    stream accepted = listening.accept();
    client.write_all("x");
    char byte = 0;
    EXPECT_EQ(accepted.read_some({&byte, 1}), 1u);
    listening.close();
    EXPECT_NE(::lstat(at.path().c_str(), &status), 0);
  });
}

TEST(listener, a_left_over_unix_socket_is_replaced_and_a_live_one_is_not) {
  const temporary_path at;
  run([&] {
    const endpoint where = endpoint::unix_socket(at.path());
    {
      listener dies(where);
      ASSERT_EQ(::link(at.path().c_str(), (at.path() + "2").c_str()), 0);
    }
    ASSERT_EQ(::rename((at.path() + "2").c_str(), at.path().c_str()), 0);  // a file that nobody listens at
    listener listening(where);
    try {
      listener second(where);
      ADD_FAILURE();
    } catch (const error& in_use) {
      EXPECT_EQ(in_use.code(), errc::busy);
    }
    EXPECT_NO_THROW(stream::connect(where));
  });
}

TEST(listener, out_of_descriptors_it_backs_off_says_so_once_and_loses_no_connection) {
  run([] {
    log::collector collected;
    listener listening(any_port);
    std::vector<stream> clients;
    const auto accept_all = [&] {
      for (stream& client : clients) {
        const stream accepted = listening.accept();
        EXPECT_EQ(accepted.peer_address(), client.local_address());
      }
    };
    // All once before: the undefined-behaviour sanitizer needs descriptors to look at a type for the first
    // time.
    clients.push_back(stream::connect(listening.address()));
    auto before = go(accept_all);
    while (!before.done()) sleep_for(std::chrono::milliseconds(1));
    before.join();
    log::warn("before");
    EXPECT_EQ(collected.take().size(), 1u);
    clients.clear();
    for (int n = 0; n < 3; ++n) clients.push_back(stream::connect(listening.address()));
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit former = limit;
    limit.rlim_cur = 64;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    std::vector<unique_fd> all;
    while (true) {
      unique_fd one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!one) break;
      all.push_back(std::move(one));
    }
    auto accepting = go(accept_all);
    while (listening.back_offs() < 2) sleep_for(std::chrono::milliseconds(5));
    EXPECT_FALSE(accepting.done());
    all.clear();
    accepting.join();
    EXPECT_LT(listening.back_offs(), 20u);  // it did not spin
    ::setrlimit(RLIMIT_NOFILE, &former);
    const auto lines = collected.take();
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines.front().level, log::level::warn);
    EXPECT_EQ(lines.front().message,
              "net: no room for another connection; those that come wait until there is");
  });
}

}  // namespace
}  // namespace weft::net
