#include <csignal>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/fiber/run.hpp>

#include "workers/listening.hpp"

// How a server ends, and what its clients see of that.

namespace {

using namespace std::chrono_literals;
using weft::process::child;
using weft::process::exit_status;
using weft::workers::server;

class server_end : public weft_test::listening {
 protected:
  child serve(std::chrono::nanoseconds stop_grace, std::size_t min_workers = 0) {
    auto wanted = options();
    wanted.stop_grace = stop_grace;
    wanted.min_workers = min_workers;
    return server::fork(std::move(wanted));
  }
  /// A connection of the older protocol whose checkout runs.
  weft::unique_fd begin_checkout() {
    auto connection = connect();
    say(connection, R"(["do",{},"echo","x"])");
    EXPECT_EQ(hear_one(connection), R"(["ok",{},"x"])");
    return connection;
  }
  /// The server has stopped listening.
  void await_stop() const {
    while (std::filesystem::exists(path)) ::sched_yield();
  }
};

TEST_F(server_end, a_checkout_that_runs_may_end_before_the_server_does) {
  auto running = serve(1h);
  auto clients = client_with(1);
  weft::run([&] {
    auto held = clients.checkout();
    held.call("nothing");
    running.kill(SIGTERM);
    while (std::filesystem::exists(path)) weft::yield();
    EXPECT_EQ(held.call<std::int64_t>("sum", 40, 2), 42);
    EXPECT_EQ(running.try_wait(), std::nullopt);
  });
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST_F(server_end, a_checkout_of_the_old_protocol_may_end_before_the_server_does) {
  auto running = serve(1h);
  const auto connection = begin_checkout();
  running.kill(SIGTERM);
  await_stop();
  say(connection, R"(["do",{},"echo","y"])");
  EXPECT_EQ(hear_one(connection), R"(["ok",{},"y"])");
  say(connection, R"(["dn",{}])");
  EXPECT_EQ(hear(connection), "");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST_F(server_end, connections_without_a_checkout_do_not_keep_a_server) {
  auto running = serve(1h, 2);
  auto clients = client_with(2);
  weft::run([&] {
    auto one = clients.checkout();
    auto other = clients.checkout();
    one.call("nothing");
    other.call("nothing");
  });
  const auto silent = connect();
  const auto compatible = connect();
  say(compatible, R"(["do",{},"echo","x"]["dn",{}])");
  EXPECT_EQ(hear_one(compatible), R"(["ok",{},"x"])");
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

class full_line : public server_end {
 protected:
  full_line() {
    auto wanted = options();
    wanted.stop_grace = 1h;
    wanted.max_waiting = 2;
    running_ = server::fork(std::move(wanted));
    silent_ = connect();
    status_with([](const auto& now) { return now.silent == 1; });
    running_.kill(SIGSTOP);
    weft_test::await_stopped(running_.pid());
  }
  static std::string answer_to(const weft::unique_fd& connection) {
    ::shutdown(connection.get(), SHUT_WR);
    return hear_one(connection);
  }
  weft::unique_fd connect_and_ask() {
    auto connection = connect();
    say(connection, whose);
    return connection;
  }

  static constexpr std::string_view whose = R"(["do",{},"echo","x"])";
  static constexpr std::string_view answer = R"(["ok",{},"x"])";
  child running_;
  weft::unique_fd silent_;
};

TEST_F(full_line, a_client_that_has_just_spoken_makes_no_room_for_another_one) {
  const auto one = connect_and_ask();
  const auto other = connect_and_ask();
  say(silent_, whose);
  running_.kill(SIGCONT);
  EXPECT_EQ(answer_to(silent_), answer);
  EXPECT_EQ(answer_to(one), answer);
  EXPECT_EQ(answer_to(other), answer);
  EXPECT_EQ(running_.terminate(60s), exit_status::exited(0));
}

TEST_F(full_line, a_client_that_has_just_spoken_is_served_by_a_server_told_to_stop) {
  running_.kill(SIGTERM);
  const auto one = connect_and_ask();
  const auto beyond = connect_and_ask();
  say(silent_, whose);
  running_.kill(SIGCONT);
  EXPECT_EQ(answer_to(silent_), answer);
  EXPECT_EQ(answer_to(one), answer);
  ::shutdown(beyond.get(),
             SHUT_WR);  // it is served, too, if the server found time for one of the others before
  EXPECT_EQ(running_.wait(), exit_status::exited(0));
}

TEST_F(server_end, a_checkout_that_takes_too_long_is_killed) {
  auto running = serve(10ms);
  const auto connection = begin_checkout();
  say(connection, R"(["do",{},"spin_deaf"])");
  running.kill(SIGTERM);
  EXPECT_EQ(hear(connection), "");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST_F(server_end, what_a_checkout_ends_with_is_done_before_the_server_ends) {
  const std::string entered = path + ".entered";
  const std::string may_end = path + ".may_end";
  ASSERT_EQ(::mkfifo(entered.c_str(), 0600) | ::mkfifo(may_end.c_str(), 0600), 0);
  auto wanted = options();
  wanted.stop_grace = 1h;
  wanted.checkout_done = [&] {
    const weft::unique_fd tells(::open(entered.c_str(), O_WRONLY | O_CLOEXEC));
    const weft::unique_fd waits(::open(may_end.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    (void)!::write(tells.get(), "e", 1);
    weft::wait_readable(waits.get());
    (void)!::write(tells.get(), "d", 1);
  };
  auto running = server::fork(std::move(wanted));
  const auto idle = begin_checkout();
  const auto connection = begin_checkout();
  say(connection, R"(["dn",{}])");
  const weft::unique_fd told(::open(entered.c_str(), O_RDONLY | O_CLOEXEC));
  char said = 0;
  EXPECT_EQ(::read(told.get(), &said, 1), 1);
  running.kill(SIGTERM);
  await_stop();
  say(idle, R"(["do",{},"echo","y"])");  // by now its worker has been asked to end, as the other one has
  EXPECT_EQ(hear_one(idle), R"(["ok",{},"y"])");
  ::shutdown(idle.get(), SHUT_WR);
  EXPECT_EQ(hear(idle), "");
  const weft::unique_fd goes_on(::open(may_end.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(::write(goes_on.get(), "g", 1), 1);
  EXPECT_EQ(::read(told.get(), &said, 1), 1);
  EXPECT_EQ(said, 'd');
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST_F(server_end, what_is_said_behind_a_checkout_is_answered_by_a_server_that_stops) {
  const std::string entered = path + ".entered";
  ASSERT_EQ(::mkfifo(entered.c_str(), 0600), 0);
  auto wanted = options();
  wanted.stop_grace = 1h;
  wanted.checkout_done = [&] { const weft::unique_fd waits(::open(entered.c_str(), O_RDONLY | O_CLOEXEC)); };
  auto running = server::fork(std::move(wanted));
  const auto connection = begin_checkout();
  say(connection, R"(["dn",{}])");
  running.kill(SIGTERM);
  await_stop();
  say(connection, R"(["do",{},"echo","y"])");
  const weft::unique_fd tells(::open(entered.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(hear_one(connection), R"(["ok",{},"y"])");
  ::shutdown(connection.get(), SHUT_WR);
  EXPECT_EQ(hear(connection), "");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST_F(server_end, who_waits_for_a_worker_is_served_by_a_server_that_stops) {
  auto wanted = options();
  wanted.stop_grace = 1h;
  wanted.max_workers = 1;
  auto running = server::fork(std::move(wanted));
  const auto first = begin_checkout();
  const auto second = connect();
  say(second, R"(["do",{},"echo","y"])");
  const auto silent = connect();
  status_with([](const auto& now) { return now.waiting == 1 && now.silent == 1; });
  running.kill(SIGTERM);
  EXPECT_EQ(hear(silent), "");
  say(first, R"(["dn",{}])");
  EXPECT_EQ(hear(first), "");
  EXPECT_EQ(hear_one(second), R"(["ok",{},"y"])");
  ::shutdown(second.get(), SHUT_WR);
  EXPECT_EQ(hear(second), "");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

// The server sees the signal and the connections at once.
TEST_F(server_end, who_has_just_connected_and_spoken_is_served_by_a_server_that_stops) {
  auto running = serve(1h);
  running.kill(SIGSTOP);
  std::vector<weft::unique_fd> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(connect());
    say(clients.back(), R"(["do",{},"echo","y"])");
  }
  const auto silent = connect();
  running.kill(SIGTERM);
  running.kill(SIGCONT);
  EXPECT_EQ(hear(silent), "");
  for (const auto& one : clients) {
    EXPECT_EQ(hear_one(one), R"(["ok",{},"y"])");
    ::shutdown(one.get(), SHUT_WR);
  }
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST_F(server_end, the_second_signal_leaves_no_grace) {
  auto running = serve(1h);
  const auto connection = begin_checkout();
  running.kill(SIGTERM);
  await_stop();
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
