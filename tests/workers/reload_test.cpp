#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/fiber/run.hpp>
#include <weft/process/socket.hpp>

#include "workers/listening.hpp"

// How a server comes to its successor: SIGHUP.

namespace {

using namespace std::chrono_literals;
using weft::process::child;
using weft::process::exit_status;
using weft::workers::server;

using reload = weft_test::listening;

TEST_F(reload, in_a_child_replaces_the_workers) {
  auto running = server::fork(options());
  auto clients = client_with(1);
  weft::run([&] {
    std::int64_t before = 0;
    {
      auto held = clients.checkout();
      before = held.call<std::int64_t>("pid");
      running.kill(SIGHUP);
      EXPECT_EQ(held.call<std::int64_t>("pid"), before);
    }
    EXPECT_TRUE(weft_test::is_gone(static_cast<pid_t>(before)));
    EXPECT_NE(clients.call<std::int64_t>("pid"), before);
  });
}

TEST_F(reload, of_a_server_that_does_not_run_is_misuse) {
  const server one(options());
  try {
    one.reload();
    ADD_FAILURE() << "no error";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::misuse);
  }
}

// The old protocol has no goodbye: a client between two checkouts notices nothing.
TEST_F(reload, in_a_child_gives_clients_of_the_old_protocol_fresh_workers) {
  auto running = server::fork(options());
  constexpr std::string_view whose = R"(["do",{},"pid"])";
  const auto connection = connect();
  say(connection, whose);
  const auto before = hear_one(connection);
  say(connection, R"(["dn",{}])");
  status_with([](const auto& now) { return now.workers.size() == 1 && now.workers[0].checkouts == 1; });
  running.kill(SIGHUP);
  status_with([](const auto& now) { return now.workers.empty(); });
  say(connection, whose);
  const auto after = hear_one(connection);
  EXPECT_EQ(after.substr(0, 9), R"(["ok",{},)");
  EXPECT_NE(after, before);
}

// This program as a server, from a file that may be replaced.
class reloaded : public weft_test::listening {
 protected:
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // the successor becomes ours
    program_ = path + "-program";
    std::filesystem::copy_file("/proc/self/exe", program_);
    errors_ = weft::process::make_pipe();
    running = child::spawn({.program = program_,
                            .environment = {"WEFT_TEST_SERVER=unix:" + path},
                            .descriptors = {{errors_.writer.get(), 2}}});
    errors_.writer.reset();
    while (!serves()) ::sched_yield();
  }

  bool serves() {
    try {
      return weft::workers::server_status("unix:" + path).pid == running.pid();
    } catch (const weft::error&) {
      return false;  // not yet
    }
  }

  void replace_program(const std::string& by) {
    std::filesystem::copy_file(by, program_ + "-new");
    std::filesystem::rename(program_ + "-new", program_);
  }

  /// Reads what the server writes until it has written that.
  void await_in_log(const std::string& text) {
    std::string heard;
    char piece[512];
    while (heard.find(text) == std::string::npos) {
      const ssize_t got = ::read(errors_.reader.get(), piece, sizeof piece);
      ASSERT_GT(got, 0) << heard;
      heard.append(piece, static_cast<std::size_t>(got));
    }
  }

  child running;

 private:
  std::string program_;
  weft::process::pipe_ends errors_;
};

TEST_F(reloaded, the_new_program_serves_and_running_checkouts_end_in_the_old_one) {
  auto before = client_with(1);
  weft::run([&] {
    auto held = before.checkout();
    const auto worker = held.call<std::int64_t>("pid");
    running.kill(SIGHUP);
    const auto seen = status_with([&](const auto& now) { return now.pid != running.pid(); });
    await_in_log("serves from now on");  // until then both take clients
    EXPECT_EQ(held.call<std::int64_t>("pid"), worker);
    auto after = client_with(1);
    auto other = after.checkout();
    EXPECT_NE(other.call<std::int64_t>("pid"), worker);
    EXPECT_EQ(other.call<std::int64_t>("parent"), seen.pid);
    EXPECT_EQ(held.call<std::int64_t>("parent"), running.pid());
  });
  // The checkout is over.
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_TRUE(std::filesystem::exists(path));
  const auto successor = static_cast<pid_t>(weft::workers::server_status("unix:" + path).pid);
  ::kill(successor, SIGTERM);
  int status = 0;
  EXPECT_EQ(::waitpid(successor, &status, 0), successor);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(reloaded, nobody_who_connects_meanwhile_is_turned_away) {
  for (int i = 0; i < 3; ++i) {
    const auto before = weft::workers::server_status("unix:" + path).pid;
    ::kill(static_cast<pid_t>(before), SIGHUP);
    int calls = 0;
    while (weft::workers::server_status("unix:" + path).pid == before || ++calls < 10) {
      ASSERT_EQ(talk_and_end(R"(["do",{},"echo","x"])"), R"(["ok",{},"x"])");
    }
    if (i == 0) {
      EXPECT_EQ(running.wait(), exit_status::exited(0));
    } else {
      EXPECT_EQ(::waitpid(static_cast<pid_t>(before), nullptr, 0), before);
    }
  }
  const auto last = static_cast<pid_t>(weft::workers::server_status("unix:" + path).pid);
  ::kill(last, SIGTERM);
  ::waitpid(last, nullptr, 0);
}

TEST_F(reloaded, a_new_program_that_does_not_serve_changes_nothing) {
  replace_program("/bin/false");
  running.kill(SIGHUP);
  await_in_log("this one serves on");
  EXPECT_EQ(talk_and_end(R"(["do",{},"echo","x"])"), R"(["ok",{},"x"])");
  EXPECT_EQ(weft::workers::server_status("unix:" + path).pid, running.pid());
  EXPECT_EQ(running.terminate(60s), exit_status::exited(0));
}

TEST_F(reloaded, a_program_that_is_gone_changes_nothing) {
  std::filesystem::remove(path + "-program");
  running.kill(SIGHUP);
  await_in_log("this server serves on");
  EXPECT_EQ(talk_and_end(R"(["do",{},"echo","x"])"), R"(["ok",{},"x"])");
}

TEST_F(reloaded, by_a_function_of_the_program) {
  weft::run([&] { client_with(1).call("reload"); });
  status_with([&](const auto& now) { return now.pid != running.pid(); });
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  const auto successor = static_cast<pid_t>(weft::workers::server_status("unix:" + path).pid);
  ::kill(successor, SIGTERM);
  ::waitpid(successor, nullptr, 0);
}

int serve_at(const std::string& address) {
  weft::workers::server_options wanted{.listen = address};
  weft::services none;
  weft_test::offer_functions(none, wanted.interface);
  wanted.interface.add("parent", [] { return std::int64_t{::getppid()}; });
  server* self = nullptr;
  wanted.interface.add("reload", [&self] { self->reload(); });
  server one(std::move(wanted));
  self = &one;
  return one.run();
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* const address = std::getenv("WEFT_TEST_SERVER")) return serve_at(address);
  return weft_test::run_tests(argc, argv);
}
