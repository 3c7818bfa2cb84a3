#include <weft/workers/errors.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/fiber/run.hpp>

#include "support/scratch_folder.hpp"
#include "workers/listening.hpp"
#include "workers/oom_watch.hpp"

// Workers that are killed, and why, as their server tells.

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft::workers::death_cause;
using weft::workers::server;
using weft::workers::worker_died;

// The control group of this program's processes, as a test wants it; made in main().
std::string cgroup;

// Written over what was there, as counts do not get shorter: like the system's, the file is never seen
// empty by a server that begins to watch it meanwhile.
void tell_kills(int count) {
  std::fstream(cgroup + "/mount/memory.events", std::ios::in | std::ios::out) << "oom_kill " << count << "\n";
}

void tell_cgroup(const weft_test::scratch_folder& folder) {
  cgroup = folder.path();
  std::filesystem::create_directory(cgroup + "/mount");
  std::ofstream(cgroup + "/self") << "0::/\n";
  std::ofstream(cgroup + "/mount/memory.events") << "oom_kill 0\n";
  weft::workers::detail::set_cgroup_files({cgroup + "/self", cgroup + "/mount"});
}

void offer(weft::workers::interfaces& offered) {
  offered.add("stop", [] { ::raise(SIGSTOP); });
  offered.add("spin_through_alarms", [] {
    std::signal(SIGALRM, SIG_IGN);
    volatile bool for_ever = true;
    while (for_ever) {
    }
  });
  // As the kernel does it: the count first.
  offered.add("run_out_of_memory", [](int count) {
    tell_kills(count);
    ::kill(::getpid(), SIGKILL);
  });
}

void offer_all(weft::services& provided, weft::workers::interfaces& offered) {
  weft_test::offer_functions(provided, offered);
  offer(offered);
}

class killed : public weft_test::listening {
 protected:
  void start(std::chrono::nanoseconds hung_after) {
    auto wanted = options();
    offer(wanted.interface);
    wanted.hung_worker_timeout = hung_after;
    running_ = server::fork(std::move(wanted));
  }

  /// How the call fails; it has to.
  template <typename... Arguments>
  static std::optional<worker_died> death_in(client& of, std::string_view name, Arguments... arguments) {
    std::optional<worker_died> seen;
    weft::run([&] {
      try {
        of.call(name, arguments...);
      } catch (const worker_died& died) {
        seen = died;
      }
    });
    return seen;
  }

 private:
  weft::process::child running_;
};

// --- too long ---

TEST_F(killed, a_worker_that_is_stopped_in_a_call) {
  start(50ms);
  EXPECT_EQ(talk(R"(["do",{},"stop"])"), "");
}

TEST_F(killed, a_worker_that_has_switched_its_alarm_off) {
  start(50ms);
  EXPECT_EQ(talk(R"(["do",{},"spin_through_alarms"])"), "");
}

TEST_F(killed, a_worker_in_advance_too) {
  auto wanted = options();
  offer(wanted.interface);
  wanted.hung_worker_timeout = 50ms;
  wanted.min_workers = 1;
  const auto running = server::fork(std::move(wanted));
  status_with([](const auto& now) { return now.workers.size() == 1; });
  EXPECT_EQ(talk(R"(["do",{},"stop"])"), "");
}

TEST_F(killed, a_worker_that_is_stopped_between_two_calls_and_no_other) {
  start(3s);  // enough for any machine to answer
  const auto idle = connect();
  say(idle, R"(["do",{},"echo","x"])");
  EXPECT_EQ(hear_one(idle), R"(["ok",{},"x"])");
  const auto stopped = connect();
  say(stopped, R"(["do",{},"pid"])");
  const std::string answer = hear_one(stopped);
  const auto pid = static_cast<pid_t>(std::stoi(answer.substr(answer.rfind(',') + 1)));
  ::kill(pid, SIGSTOP);
  say(stopped, R"(["do",{},"echo","y"])");
  EXPECT_EQ(hear(stopped), "");
  // The other one was looked at as often.
  say(idle, R"(["do",{},"echo","z"])");
  EXPECT_EQ(hear_one(idle), R"(["ok",{},"z"])");
}

TEST_F(killed, the_client_is_told_that_the_call_took_too_long) {
  start(50ms);
  auto clients = client_with(1);
  for (const char* const name : {"stop", "spin"}) {
    const auto died = death_in(clients, name);
    ASSERT_TRUE(died) << name;
    EXPECT_EQ(died->cause(), death_cause::hung) << died->message();
    EXPECT_NE(died->message().find("hung_worker_timeout"), std::string::npos) << died->message();
  }
}

// --- for want of memory ---

void expect_out_of_memory(const std::optional<worker_died>& died) {
  ASSERT_TRUE(died);
  EXPECT_EQ(died->cause(), death_cause::out_of_memory);
  EXPECT_EQ(died->status().value, SIGKILL);
  EXPECT_NE(died->message().find("by the kernel, for want of memory"), std::string::npos) << died->message();
}

void expect_unknown(const std::optional<worker_died>& died) {
  ASSERT_TRUE(died);
  EXPECT_EQ(died->cause(), death_cause::unknown);
  EXPECT_NE(died->message().find("by somebody or by the kernel"), std::string::npos) << died->message();
}

TEST_F(killed, by_the_kernel_for_want_of_memory) {
  tell_kills(0);
  start(0s);
  auto clients = client_with(1);
  expect_out_of_memory(death_in(clients, "run_out_of_memory", 1));
  expect_unknown(death_in(clients, "die_by", SIGKILL));
  expect_out_of_memory(death_in(clients, "run_out_of_memory", 2));
}

TEST_F(killed, by_the_kernel_in_the_own_program_too) {
  client own({.min_workers = 0, .max_workers = 1});
  tell_kills(10);
  // What was killed before was none of its workers; the fork tells it apart.
  expect_out_of_memory(death_in(own, "run_out_of_memory", 11));
}

TEST_F(killed, another_signal_is_never_taken_for_that) {
  tell_kills(0);
  start(0s);
  auto clients = client_with(1);
  tell_kills(1);
  const auto died = death_in(clients, "die_by", SIGSEGV);
  ASSERT_TRUE(died);
  EXPECT_EQ(died->cause(), death_cause::unknown);
  EXPECT_EQ(died->status().value, SIGSEGV);
}

}  // namespace

int main(int argc, char** argv) {
  const weft_test::scratch_folder folder;
  tell_cgroup(folder);
  return weft::main(argc, argv, &offer_all, [&] {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
