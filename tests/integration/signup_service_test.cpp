// The sign-up service under faults.

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/net/listener.hpp>

#include "integration/signup_process.hpp"

namespace {

using weft::test::signup_process;
using weft::test::temporary_folder;

/// A service that is up, and its address.
struct running_service {
  explicit running_service(const temporary_folder& folder)
      : program({"--serve", "--folder", folder.path() / "data", "--fault-percent", "0"}) {
    const std::string line = program.read_line();
    const auto begin = line.find("http://");
    EXPECT_NE(begin, line.npos) << line;
    url = line.substr(begin, line.find(';', begin) - begin);
  }
  signup_process program;
  std::string url;
};

std::string body_of(const std::string& email) {
  return R"({"name":"Ada","email":")" + email + R"(","password":"analytical"})";
}

TEST(signup_service, answers_a_hash_that_crashes_with_503_and_stores_nothing) {
  const temporary_folder folder;
  running_service service(folder);
  weft::run([&] {
    weft::http::client client(service.url);
    std::vector<pid_t> hashers;
    weft::with_timeout(std::chrono::seconds(10), [&] {
      // They are started in advance; the service is up before they have their titles.
      while (hashers.size() < 2) {
        weft::sleep_for(std::chrono::milliseconds(2));
        hashers = service.program.processes_named("hasher");
      }
    });
    for (const pid_t one : hashers) kill(one, SIGSTOP);  // the call below is in a worker, and stays there
    auto posted = weft::go([&] { return client.post("/signup", body_of("ada@example.org")); });
    ASSERT_TRUE(posted.join_for(std::chrono::milliseconds(200)).is_timed_out());
    for (const pid_t one : hashers) {
      kill(one, SIGSEGV);
      kill(one, SIGCONT);
    }
    const auto crashed = posted.join();
    EXPECT_EQ(crashed.status(), 503);
    const auto again = client.post("/signup", body_of("ada@example.org"));
    EXPECT_EQ(again.status(), 201) << again.body();
    EXPECT_EQ(client.post("/signup", body_of("ada@example.org")).status(), 409);
  });
  service.program.terminate();
  EXPECT_EQ(service.program.wait(), weft::process::exit_status::exited(0));
}

TEST(signup_service, says_which_port_is_in_use_and_ends_with_2) {
  const temporary_folder folder;
  weft::run([&] {
    weft::net::listener taken(weft::net::endpoint::parse("127.0.0.1:0"));
    signup_process late({"--serve", "--folder", folder.path() / "data", "--listen", taken.address().text()});
    EXPECT_EQ(late.wait(), weft::process::exit_status::exited(1));
  });
}

TEST(signup_service, refuses_a_database_that_is_a_folder) {
  const temporary_folder folder;
  std::filesystem::create_directories(folder.path() / "data" / "signup.db");
  signup_process program({"--serve", "--folder", folder.path() / "data"});
  EXPECT_EQ(program.wait(), weft::process::exit_status::exited(1));
}

}  // namespace
