#include "workers/link.hpp"

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <weft/core/unique_fd.hpp>

// What becomes of a worker whose connection has ended.

namespace {

using namespace weft::workers::detail;
using weft::process::exit_status;
using strings = std::vector<std::string>;

// Goes on until it is killed, whatever its connection says.
class busy_worker final : public worker_handle {
 public:
  explicit busy_worker(strings& done) : done_(done) {}

  pid_t pid() override { return 4711; }
  std::optional<exit_status> wait_until(weft::steady_time /*until*/) override {
    done_.emplace_back("wait");
    return ended_;
  }
  bool kill(int signal) override {
    done_.push_back("kill " + std::to_string(signal));
    ended_ = exit_status::signaled(signal);
    return true;
  }

 private:
  strings& done_;
  std::optional<exit_status> ended_;
};

weft::unique_fd one_end() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const weft::unique_fd other(ends[1]);
  return weft::unique_fd(ends[0]);
}

struct broken_link {
  strings done;
  worker_link link{one_end(), 1000, std::make_unique<busy_worker>(done)};
};

TEST(link, that_ended_by_itself_gives_its_worker_a_while_to_be_gone) {
  broken_link broken;
  const auto died = death_of(broken.link, {}, "in a test");
  EXPECT_EQ(broken.done, (strings{"wait", "kill 15", "wait"}));
  EXPECT_EQ(died.pid(), 4711);
  EXPECT_FALSE(broken.link.asked_to_end);
}

TEST(link, that_was_broken_off_has_its_worker_stopped_at_once) {
  broken_link broken;
  broken.link.asked_to_end = true;
  broken.link.break_off();
  EXPECT_EQ(death_of(broken.link, {}, "in a test").status(), exit_status::signaled(SIGTERM));
  EXPECT_EQ(broken.done, (strings{"kill 15", "wait"}));
}

}  // namespace
