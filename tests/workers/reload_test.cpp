#include <atomic>
#include <barrier>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/fiber/run.hpp>
#include <weft/process/self.hpp>
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

// So that events cannot be watched.
void spoil_listening_socket() {
  const weft::unique_fd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const int fd : weft::process::open_descriptors()) {
    int listens = 0;
    socklen_t size = sizeof listens;
    const bool is_socket = ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0;
    if (is_socket && listens != 0) ::dup2(other.get(), fd);
  }
}

TEST_F(reload, of_a_server_that_failed_to_run_is_misuse) {
  auto tried = child::fork([&] {
    server one(options());
    spoil_listening_socket();
    try {
      one.run();
      return 1;
    } catch (const weft::error&) {
    }
    try {
      one.reload();
    } catch (const weft::error& refused) {
      return refused.code() == weft::errc::misuse ? 0 : 2;
    }
    return 3;
  });
  EXPECT_EQ(tried.wait(), exit_status::exited(0));
}

TEST_F(reload, signals_are_as_before_once_a_server_has_run) {
  auto tried = child::fork([&] {
    sigset_t before;
    ::sigemptyset(&before);
    ::sigaddset(&before, SIGINT);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    server one(options());
    spoil_listening_socket();
    try {
      one.run();
      return 1;
    } catch (const weft::error&) {
    }
    sigset_t after;
    ::sigprocmask(SIG_SETMASK, nullptr, &after);
    const bool is_as_before = ::sigismember(&after, SIGTERM) == 0 && ::sigismember(&after, SIGHUP) == 0 &&
                              ::sigismember(&after, SIGINT) == 1;
    return is_as_before ? 0 : 2;
  });
  EXPECT_EQ(tried.wait(), exit_status::exited(0));
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
    environment.push_back("WEFT_TEST_SERVER=" + address);
    running = child::spawn(
        {.program = program_, .environment = environment, .descriptors = {{errors_.writer.get(), 2}}});
    errors_.writer.reset();
    const auto heard = await_in_log("\n");
    listens_at = heard.substr(0, heard.find('\n'));
    while (!serves()) ::sched_yield();
  }

  bool serves() {
    try {
      return weft::workers::server_status(listens_at).pid == running.pid();
    } catch (const weft::error&) {
      return false;  // not yet
    }
  }

  void replace_program(const std::string& by) {
    std::filesystem::copy_file(by, program_ + "-new");
    std::filesystem::rename(program_ + "-new", program_);
  }

  /// All that the server and its successors write, until the last of them has ended.
  std::string rest_of_log() {
    std::string heard;
    char piece[512];
    for (ssize_t got = 0; (got = ::read(errors_.reader.get(), piece, sizeof piece)) > 0;) {
      heard.append(piece, static_cast<std::size_t>(got));
    }
    return heard;
  }

  /// Reads what the server writes until it has written that; gives all of it.
  std::string await_in_log(const std::string& text) {
    std::string heard;
    char piece[512];
    while (heard.find(text) == std::string::npos) {
      const ssize_t got = ::read(errors_.reader.get(), piece, sizeof piece);
      if (got <= 0) {
        ADD_FAILURE() << heard;
        break;
      }
      heard.append(piece, static_cast<std::size_t>(got));
    }
    return heard;
  }
  /// Who serves from now on, asked of the log: the new server sees nobody.
  pid_t await_successor() {
    const auto heard = await_in_log(" serves from now on");
    const auto end = heard.find(" serves from now on");
    return static_cast<pid_t>(std::stol(heard.substr(heard.rfind(' ', end - 1) + 1)));
  }

  /// Who serves now, and is our child.
  pid_t successor() const { return static_cast<pid_t>(weft::workers::server_status("unix:" + path).pid); }
  static int end(pid_t server) {
    ::kill(server, SIGTERM);
    int status = 0;
    EXPECT_EQ(::waitpid(server, &status, 0), server);
    return status;
  }
  std::string parent_asked_by(const weft::unique_fd& connection) const {
    say(connection, R"(["do",{},"parent"])");
    return hear_one(connection);
  }
  static std::string is_parent(pid_t server) { return R"(["ok",{},)" + std::to_string(server) + "]"; }

  /// A new program, that is this text.
  void replace_program_by_script(const std::string& text) {
    std::ofstream(path + "-script") << text;
    std::filesystem::permissions(path + "-script", std::filesystem::perms::owner_all);
    replace_program(path + "-script");
  }

  /// This program, with that in its environment.
  void replace_program_by_one_with(const std::string& variables) {
    std::filesystem::copy_file("/proc/self/exe", path + "-original");
    replace_program_by_script("#!/bin/sh\nexec env " + variables + " " + path + "-original\n");
  }

  std::string address = "unix:" + path;  // what the program is told
  std::string listens_at;
  std::vector<std::string> environment;
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
  EXPECT_EQ(end(successor()), 0);
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
  end(successor());
}

TEST_F(reloaded, a_new_program_that_does_not_serve_changes_nothing) {
  replace_program("/bin/false");
  running.kill(SIGHUP);
  await_in_log("this one serves on");
  EXPECT_EQ(talk_and_end(R"(["do",{},"echo","x"])"), R"(["ok",{},"x"])");
  EXPECT_EQ(weft::workers::server_status("unix:" + path).pid, running.pid());
  EXPECT_EQ(running.terminate(60s), exit_status::exited(0));
}

TEST_F(reloaded, a_new_program_for_another_address_changes_nothing) {
  replace_program_by_one_with("WEFT_TEST_SERVER=unix:" + path + "-other");
  running.kill(SIGHUP);
  await_in_log("this one serves on");
  EXPECT_EQ(talk_and_end(R"(["do",{},"echo","x"])"), R"(["ok",{},"x"])");
  EXPECT_EQ(weft::workers::server_status("unix:" + path).pid, running.pid());
}

class reloaded_at_any_port : public reloaded {
 protected:
  reloaded_at_any_port() { address = "127.0.0.1:0"; }
};

TEST_F(reloaded_at_any_port, the_new_program_serves_at_the_port_of_the_old_one) {
  running.kill(SIGHUP);
  const auto serves = await_successor();
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_EQ(weft::workers::server_status(listens_at).pid, serves);
  end(serves);
}

class reloaded_with_time_to_end : public reloaded {
 protected:
  reloaded_with_time_to_end() { environment.emplace_back("WEFT_TEST_STOP_GRACE=3600"); }
};

TEST_F(reloaded_with_time_to_end, a_new_program_that_does_not_serve_yet_ends_with_the_old_one) {
  replace_program_by_script("#!/bin/sh\necho $$ > " + path + "-number\necho begins >&2\nexec sleep 1000\n");
  const auto connection = connect();
  EXPECT_EQ(parent_asked_by(connection), is_parent(running.pid()));
  running.kill(SIGHUP);
  await_in_log("begins");
  pid_t begins = 0;
  std::ifstream(path + "-number") >> begins;
  running.kill(SIGTERM);
  EXPECT_TRUE(weft_test::is_gone(begins));
  EXPECT_EQ(parent_asked_by(connection), is_parent(running.pid()));
  say(connection, R"(["dn",{}])");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

// It has taken clients by then, perhaps.
TEST_F(reloaded_with_time_to_end, a_new_program_that_serves_unseen_is_told_to_end_with_the_old_one) {
  const std::string may_serve = path + "-may-serve";
  ASSERT_EQ(::mkfifo(may_serve.c_str(), 0600), 0);
  replace_program_by_script("#!/bin/sh\ntrap 'echo told to end >&2; exit' TERM\necho begins >&2\nread it < " +
                            may_serve + "\nprintf c >&4\necho serves >&2\nwhile :; do sleep 0.1; done\n");
  running.kill(SIGHUP);
  await_in_log("begins");
  running.kill(SIGSTOP);
  weft_test::await_stopped(running.pid());
  running.kill(SIGTERM);
  std::ofstream(may_serve) << "serve\n";
  await_in_log("serves");
  running.kill(SIGCONT);
  await_in_log("told to end");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_FALSE(std::filesystem::exists(path));
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
  end(successor());
}

// --- clients without a worker ---

// The old server ends though it is given an hour, so they are no longer its.
TEST_F(reloaded, a_silent_client_goes_on_with_the_new_program) {
  const auto silent = connect();
  status_with([](const auto& now) { return now.silent == 1; });
  running.kill(SIGHUP);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_EQ(parent_asked_by(silent), is_parent(successor()));
  end(successor());
}

TEST_F(reloaded, more_silent_clients_than_fit_into_a_socket_go_on_with_the_new_program) {
  std::vector<weft::unique_fd> silent;
  while (silent.size() < 500) silent.push_back(connect());
  status_with([](const auto& now) { return now.silent == 500; });
  running.kill(SIGHUP);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  const auto serves = successor();
  for (auto& one : silent) {
    EXPECT_EQ(parent_asked_by(one), is_parent(serves));
    one.reset();
  }
  end(serves);
}

TEST_F(reloaded, a_client_of_the_old_protocol_between_two_checkouts_goes_on_with_the_new_program) {
  const auto connection = connect();
  EXPECT_EQ(parent_asked_by(connection), is_parent(running.pid()));
  say(connection, R"(["dn",{}])");
  status_with([](const auto& now) { return now.workers.size() == 1 && now.workers[0].checkouts == 1; });
  running.kill(SIGHUP);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_EQ(parent_asked_by(connection), is_parent(successor()));
  end(successor());
}

// Half of its next call has been read by then, as it came along with the end of the checkout.
TEST_F(reloaded, what_was_read_of_a_client_goes_along) {
  const auto connection = connect();
  EXPECT_EQ(parent_asked_by(connection), is_parent(running.pid()));
  running.kill(SIGHUP);
  await_in_log("serves from now on");
  say(connection, R"(["dn",{}]["do",{},"par)");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  say(connection, R"(ent"])");
  EXPECT_EQ(hear_one(connection), is_parent(successor()));
  end(successor());
}

// It learns of its end before it learns of the client.
TEST_F(reloaded, a_client_on_its_way_to_a_new_program_that_is_told_to_end_is_served) {
  const auto connection = connect();
  EXPECT_EQ(parent_asked_by(connection), is_parent(running.pid()));
  running.kill(SIGHUP);
  await_in_log("serves from now on");
  const auto serves = successor();
  ::kill(serves, SIGSTOP);
  weft_test::await_stopped(serves);
  ::kill(serves, SIGTERM);
  say(connection, R"(["dn",{}]["do",{},"par)");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  say(connection, R"(ent"])");
  ::kill(serves, SIGCONT);
  EXPECT_EQ(hear_one(connection), is_parent(serves));
  EXPECT_EQ(::waitpid(serves, nullptr, 0), serves);
}

// The process can open one more only where it closes one.
rlimit take_free_descriptors(pid_t process) {
  rlim_t free = 0;
  while (std::filesystem::exists("/proc/" + std::to_string(process) + "/fd/" + std::to_string(free))) ++free;
  rlimit former{};
  EXPECT_EQ(::prlimit(process, RLIMIT_NOFILE, nullptr, &former), 0);
  const rlimit none{free, former.rlim_max};
  EXPECT_EQ(::prlimit(process, RLIMIT_NOFILE, &none, nullptr), 0);
  return former;
}

TEST_F(reloaded, a_client_waits_until_the_new_program_has_a_descriptor_for_it) {
  const auto connection = connect();
  EXPECT_EQ(parent_asked_by(connection), is_parent(running.pid()));
  running.kill(SIGHUP);
  const auto serves = await_successor();
  ::kill(serves, SIGSTOP);
  weft_test::await_stopped(serves);
  const auto former = take_free_descriptors(serves);
  say(connection, R"(["dn",{}]["do",{},"par)");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  ::kill(serves, SIGCONT);
  await_in_log("no descriptor is free");
  EXPECT_EQ(::prlimit(serves, RLIMIT_NOFILE, &former, nullptr), 0);
  say(connection, R"(ent"])");
  EXPECT_EQ(hear_one(connection), is_parent(serves));
  end(serves);
}

class reloaded_with_one_worker : public reloaded {
 protected:
  reloaded_with_one_worker() { environment.emplace_back("WEFT_TEST_MAX_WORKERS=1"); }
};

// Nothing else happens that would make the new server look.
TEST_F(reloaded_with_one_worker, more_clients_than_have_room_in_the_new_program_go_on_with_it) {
  const auto held = connect();
  EXPECT_EQ(parent_asked_by(held), is_parent(running.pid()));
  std::vector<weft::unique_fd> waiting;
  while (waiting.size() < 10) {
    waiting.push_back(connect());
    say(waiting.back(), R"(["do",{},"parent"])");
  }
  status_with([](const auto& now) { return now.waiting == 10; });
  replace_program_by_one_with("WEFT_TEST_MAX_WORKERS=100 WEFT_TEST_MAX_WAITING=1");
  running.kill(SIGHUP);
  const auto serves = await_successor();
  for (const auto& one : waiting) EXPECT_EQ(hear_one(one), is_parent(serves));
  waiting.clear();
  say(held, R"(["dn",{}])");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  end(serves);
}

// By a program that takes no clients, and by one that does not when it comes to it.
TEST_F(reloaded, clients_that_the_new_program_does_not_take_are_served_by_the_old_one) {
  replace_program_by_script("#!/bin/sh\nprintf r >&4\n");
  const auto silent = connect();
  status_with([](const auto& now) { return now.silent == 1; });
  running.kill(SIGHUP);
  await_in_log("serves from now on");
  EXPECT_EQ(parent_asked_by(silent), is_parent(running.pid()));
  ::shutdown(silent.get(), SHUT_WR);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

TEST_F(reloaded, clients_that_cannot_be_handed_on_are_served_by_the_old_one) {
  replace_program_by_script(
      "#!/usr/bin/env python3\n"
      "import socket\n"
      "link = socket.socket(fileno=4)\n"
      "link.shutdown(socket.SHUT_RD)\n"
      "link.send(b'c')\n");
  const auto silent = connect();
  status_with([](const auto& now) { return now.silent == 1; });
  running.kill(SIGHUP);
  await_in_log("takes no clients");
  EXPECT_EQ(parent_asked_by(silent), is_parent(running.pid()));
  ::shutdown(silent.get(), SHUT_WR);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
}

// Its own workers are forked by a process that has nothing to do with what the new program inherited.
class reloaded_with_weft_main : public reloaded {
 protected:
  reloaded_with_weft_main() { environment.emplace_back("WEFT_TEST_WEFT_MAIN=1"); }
};

TEST_F(reloaded_with_weft_main, calls_workers_of_its_own_before_it_serves) {
  running.kill(SIGHUP);
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  end(successor());
}

std::size_t times_in(std::string_view text, std::string_view part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

// Signals that nobody has taken yet are one: the second is sent when the successor of the first holds on.
TEST_F(reloaded, again_while_a_successor_starts_there_is_no_other_one) {
  const std::string starts = path + "-starts";
  const std::string goes_on = path + "-goes-on";
  ASSERT_EQ(::mkfifo(goes_on.c_str(), 0600), 0);
  replace_program_by_script("#!/bin/sh\necho x >> " + starts + "\nread word < " + goes_on +
                            "\nprintf r >&4\n");
  running.kill(SIGHUP);
  const weft::unique_fd writer(::open(goes_on.c_str(), O_WRONLY | O_CLOEXEC));  // waits for its reader
  running.kill(SIGHUP);
  EXPECT_EQ(successor(), running.pid());  // who has taken the signal before it answers
  ASSERT_EQ(::write(writer.get(), "\n", 1), 1);
  await_in_log("serves from now on");
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_EQ(std::filesystem::file_size(starts), 2U);  // one line
}

TEST_F(reloaded, by_many_threads_at_once_there_is_one_successor) {
  weft::run([&] { EXPECT_EQ(client_with(1).call<int>("reload_by_threads", 8), 8); });
  const auto seen = status_with([&](const auto& now) { return now.pid != running.pid(); });
  EXPECT_EQ(running.wait(), exit_status::exited(0));
  EXPECT_EQ(successor(), seen.pid);
  EXPECT_EQ(end(successor()), 0);
  EXPECT_EQ(times_in(rest_of_log(), "serves from now on"), 1U);
}

// How many of the threads were not refused.
int reload_by_threads(const server& one, int count) {
  std::atomic<int> done = 0;
  std::barrier together(count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      one.reload();
      ++done;
    });
  }
  threads.clear();
  return done;
}

std::size_t from_environment(const char* name, std::size_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoul(text);
}

int serve_at(const std::string& address) {
  weft::workers::server_options wanted{.listen = address};
  wanted.max_workers = from_environment("WEFT_TEST_MAX_WORKERS", wanted.max_workers);
  wanted.max_waiting = from_environment("WEFT_TEST_MAX_WAITING", wanted.max_waiting);
  wanted.stop_grace = std::chrono::seconds(from_environment("WEFT_TEST_STOP_GRACE", 5));
  weft::services none;
  weft_test::offer_functions(none, wanted.interface);
  wanted.interface.add("parent", [] { return std::int64_t{::getppid()}; });
  server* self = nullptr;
  wanted.interface.add("reload", [&self] { self->reload(); });
  wanted.interface.add("reload_by_threads", [&self](int count) { return reload_by_threads(*self, count); });
  server one(std::move(wanted));
  self = &one;
  std::fprintf(stderr, "%s\n", one.address().c_str());
  return one.run();
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* const address = std::getenv("WEFT_TEST_SERVER")) {
    if (std::getenv("WEFT_TEST_WEFT_MAIN") == nullptr) return serve_at(address);
    return weft::main(argc, argv, &weft_test::offer_functions, [&] {
      weft::workers::client({.min_workers = 0}).call("nothing");
      return serve_at(address);
    });
  }
  return weft_test::run_tests(argc, argv);
}
