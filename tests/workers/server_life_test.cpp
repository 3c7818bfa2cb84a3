#include <algorithm>
#include <csignal>
#include <set>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <weft/codec/bytes.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/self.hpp>

#include "workers/listening.hpp"
#include "workers/protocol.hpp"

// How a server comes to workers, and what their deaths do.

namespace {

using namespace std::chrono_literals;
using weft::process::child;
using weft::process::exit_status;
using weft::workers::server;
using weft::workers::server_state;
using weft::workers::worker_state;

class server_life : public weft_test::listening {
 protected:
  static std::set<std::int64_t> ready(const weft::workers::server_figures& of) {
    std::set<std::int64_t> all;
    for (const auto& one : of.workers) {
      if (one.state == worker_state::ready) all.insert(one.pid);
    }
    return all;
  }
};

// --- workers in advance ---

TEST_F(server_life, workers_in_advance_serve_the_next_clients_and_are_replaced) {
  auto wanted = options();
  wanted.min_workers = 2;
  auto running = server::fork(std::move(wanted));
  const auto before = ready(status_with([](const auto& now) { return ready(now).size() == 2; }));
  auto clients = client_with(2);
  weft::run([&] {
    auto one = clients.checkout();
    auto other = clients.checkout();
    EXPECT_EQ(before.count(one.call<std::int64_t>("pid")), 1U);
    EXPECT_GT(other.call<std::int64_t>("sum", 1, 2), 0);
    const auto after = ready(status_with([](const auto& now) { return ready(now).size() == 2; }));
    EXPECT_EQ(after.count(one.worker_pid()), 0U);
  });
}

TEST_F(server_life, more_workers_are_kept_in_advance_while_many_clients_come) {
  auto wanted = options();
  wanted.min_workers = 1;
  wanted.idle_timeout = 20ms;
  auto running = server::fork(std::move(wanted));
  status_with([](const auto& now) { return ready(now).size() == 1; });
  // Three at once: the second one finds no worker.
  running.kill(SIGSTOP);
  std::vector<weft::unique_fd> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(connect());
    say(clients.back(), R"(["do",{},"echo","x"])");
  }
  running.kill(SIGCONT);
  for (const auto& one : clients) EXPECT_EQ(hear_one(one), R"(["ok",{},"x"])");
  // Twice as many were kept, and the one too many went: each fork is one of these.
  const auto seen = status_with([](const auto& now) { return now.forked == 5 && now.workers.size() == 4; });
  EXPECT_EQ(ready(seen).size(), 1U);
  EXPECT_EQ(seen.died, 0U);
}

TEST_F(server_life, workers_in_advance_die_as_others_do) {
  auto wanted = options();
  wanted.min_workers = 1;
  auto running = server::fork(std::move(wanted));
  status_with([](const auto& now) { return ready(now).size() == 1; });
  auto clients = client_with(1);
  weft::run([&] {
    try {
      clients.call("die_by", SIGSEGV);
      ADD_FAILURE() << "no error";
    } catch (const weft::workers::worker_died& died) {
      EXPECT_EQ(died.status().value, SIGSEGV);
    }
  });
}

TEST_F(server_life, workers_in_advance_are_no_more_than_allowed) {
  auto wanted = options();
  wanted.min_workers = 5;
  wanted.max_workers = 2;
  auto running = server::fork(std::move(wanted));
  const auto seen = status_with([](const auto& now) { return ready(now).size() == 2; });
  EXPECT_EQ(seen.forked, 2U);
  auto clients = client_with(2);
  weft::run([&] {
    auto one = clients.checkout();
    one.call("nothing");
    auto other = clients.checkout();
    other.call("nothing");
    EXPECT_EQ(weft::workers::server_status("unix:" + path).forked, 2U);
  });
}

TEST_F(server_life, a_worker_has_the_same_descriptors_however_it_was_forked) {
  auto wanted = options();
  auto running = server::fork(std::move(wanted));
  std::string forked;
  weft::run([&] { forked = client_with(1).call<std::string>("descriptors"); });
  running.terminate(60s);
  wanted = options();
  wanted.min_workers = 1;
  running = server::fork(std::move(wanted));
  status_with([](const auto& now) { return ready(now).size() == 1; });
  weft::run([&] { EXPECT_EQ(client_with(1).call<std::string>("descriptors"), forked); });
}

// --- deaths ---

TEST_F(server_life, too_many_deaths_are_a_state_and_no_storm) {
  auto wanted = options();
  wanted.restarts = {.deaths_max = 2, .within = 1h, .pause_first = 1h, .pause_max = 1h};
  wanted.stop_grace = 30min;  // not waited for: nobody could be served within that
  auto running = server::fork(std::move(wanted));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(talk(R"(["do",{},"exit_process",3])"), "");
  auto seen = status_with([](const auto& now) { return now.state == server_state::crash_loop; });
  EXPECT_EQ(seen.died, 3U);
  EXPECT_GT(seen.resumes_in, 30min);
  const auto waits = connect();
  say(waits, R"(["do",{},"echo","x"])");
  seen = status_with([](const auto& now) { return now.waiting == 1; });
  EXPECT_EQ(seen.forked, 3U);
  EXPECT_TRUE(seen.workers.empty());
  EXPECT_EQ(running.terminate(60s), exit_status::exited(0));
}

TEST_F(server_life, a_pause_ends) {
  auto wanted = options();
  wanted.restarts = {.deaths_max = 1, .pause_first = 1ms};
  auto running = server::fork(std::move(wanted));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(talk(R"(["do",{},"exit_process",3])"), "");
  EXPECT_EQ(talk_and_end(R"(["do",{},"echo","x"])"), R"(["ok",{},"x"])");
}

TEST_F(server_life, workers_that_end_in_order_are_no_deaths) {
  auto wanted = options();
  wanted.restarts = {.deaths_max = 1, .pause_first = 1h};
  auto running = server::fork(std::move(wanted));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(talk_and_end(R"(["do",{},"echo","x"])"), R"(["ok",{},"x"])");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(talk(R"(["do",{},"exit_process",0])"), "");
  EXPECT_EQ(weft::workers::server_status("unix:" + path).died, 0U);
}

TEST_F(server_life, clients_that_cannot_be_understood_stop_nobody_else) {
  auto wanted = options();
  wanted.restarts = {.deaths_max = 1, .pause_first = 1h};
  auto running = server::fork(std::move(wanted));
  const std::string magic(weft::workers::detail::native_magic);
  weft::bytes hello;
  write_frame(hello, weft::workers::detail::hello_frame());
  const std::string greeting = magic + std::string(weft::as_text(hello));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(talk("nonsense"), "");
    EXPECT_EQ(talk(R"(["what",{}])"), "");
    talk(magic + std::string(64, 'x'));
    talk(greeting + std::string(64, 'x'));
  }
  const auto seen = weft::workers::server_status("unix:" + path);
  EXPECT_EQ(seen.died, 0U);
  EXPECT_EQ(seen.state, server_state::running);
}

#if !defined(__SANITIZE_ADDRESS__)  // its checks need descriptors of their own
// So many free numbers are left to a server that was started by this: for what its loop needs, and a
// connection.
void leave_descriptors(int listener, int count) {
  weft::process::close_descriptors_except({listener});
  int limit = 0;
  while (count > 0) {
    if (::fcntl(limit++, F_GETFD) < 0) --count;
  }
  const rlimit files{static_cast<rlim_t>(limit), static_cast<rlim_t>(limit)};
  ::setrlimit(RLIMIT_NOFILE, &files);
}

TEST_F(server_life, a_fork_that_fails_is_an_error_of_the_client_that_says_why) {
  // The event set, the signals, the connection and a pair for its monitor; none for the worker's standard
  // error.
  constexpr int descriptors = 5;
  auto wanted = options();
  wanted.restarts.pause_first = 1ms;
  wanted.restarts.pause_max = 1ms;
  const auto before = weft::process::open_descriptors();
  server one(std::move(wanted));
  const auto after = weft::process::open_descriptors();
  const int listener = *std::mismatch(after.begin(), after.end(), before.begin(), before.end()).first;
  auto running = child::fork([&] {
    leave_descriptors(listener, descriptors);
    return one.run();
  });
  auto clients = client_with(1);
  weft::run([&] {
    for (int i = 0; i < 3; ++i) {
      try {
        clients.call("nothing");
        ADD_FAILURE() << "no error";
      } catch (const weft::workers::start_failed& failed) {
        EXPECT_NE(std::string(failed.what()).find("fork a worker: Too many open files"), std::string::npos)
            << failed.what();
      }
    }
  });
  const auto said = talk(R"(["do",{},"echo","x"])");
  EXPECT_EQ(said.rfind(R"(["er",{},"workers: fork a worker: Too many open files)", 0), 0U) << said;
}

#endif

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
