#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "jobs/sqlite_helpers.hpp"
#include "store_contract/lose_worker.hpp"

// Many jobs in several processes, of which some are killed in the middle of what they do, compared with
// ledgers that the processes keep beside the store.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

constexpr int processes = 3;
constexpr std::size_t claimed_at_once = 20;
constexpr int jobs_per_failure = 100;     // 1 %
constexpr int jobs_per_two_kills = 2000;  // 0.1 %
constexpr int attempts_max = 2;

/// Whole lines of two numbers, which a kill does not cut.
class number_log {
 public:
  explicit number_log(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}
  void add(std::int64_t first, std::int64_t second) const {
    const std::string line = std::to_string(first) + " " + std::to_string(second) + "\n";
    (void)!::write(fd_, line.data(), line.size());
  }

 private:
  int fd_;
};

/// What is to become of a job, by its number: one of a hundred fails, each second of those always.
bool fails(std::int64_t id, int attempt) {
  return id % jobs_per_failure == 0 && (attempt == 1 || id % (2 * jobs_per_failure) == 0);
}

/// Works until nothing is left: exit 0. A job that is to kill its process does so once, before or after its
/// end is stored; others of its claim are not done then.
[[noreturn]] void work(const std::string& folder, std::int64_t self) {
  const auto kept = open_store("sqlite:" + folder + "/jobs.db");
  const number_log ends(folder + "/ends");
  const number_log kills(folder + "/kills");
  const auto may_die = [&](const claimed_job& one, std::int64_t where) {
    const auto id = static_cast<std::int64_t>(one.id);
    if (id % jobs_per_two_kills != where || one.crashes > 0) return;
    kills.add(id, self);
    ::raise(SIGKILL);
  };
  claim_request request;
  request.owner = worker_id{self};
  request.queues = {"mail"};
  request.count = claimed_at_once;
  request.now = moment(1s);
  kept->add_worker({.id = request.owner, .host = "h", .pid = 1, .build = "b"});
  for (;;) {
    const auto some = kept->claim(request).jobs;
    if (some.empty()) ::_exit(0);
    for (const auto& one : some) {
      const auto id = static_cast<std::int64_t>(one.id);
      const int attempt = one.attempts + 1;
      const bool failed = fails(id, attempt);
      attempt_end end;
      end.id = one.id;
      end.owner = request.owner;
      end.fence = one.fence;
      end.next = !failed ? next_step::done : attempt == attempts_max ? next_step::dead : next_step::again;
      end.now = end.run_at = request.now;
      may_die(one, 1);
      const bool is_held = kept->finish(end);
      may_die(one, 1 + jobs_per_two_kills / 2);
      if (is_held && end.next != next_step::again) ends.add(id, end.next == next_step::done ? 1 : 0);
    }
  }
}

class sqlite_ledger : public sqlite_test {
 protected:
  std::vector<std::pair<std::int64_t, std::int64_t>> read(const std::string& name) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> lines;
    std::ifstream file(folder_ + "/" + name);
    for (std::int64_t first = 0, second = 0; file >> first >> second;) lines.emplace_back(first, second);
    return lines;
  }

  void push_all(std::int64_t count) const {
    constexpr std::int64_t at_once = 500;
    const auto kept = open();
    for (std::int64_t first = 1; first <= count; first += at_once) {
      std::vector<new_job> some;
      for (std::int64_t id = first; id < first + at_once && id <= count; ++id) some.push_back(job(id));
      kept->push(some);
    }
  }

  /// Runs processes until nothing is left, each killed one's claims taken over by the next; returns how many
  /// were killed.
  int run_processes() const {
    std::map<pid_t, std::int64_t> running;
    std::int64_t last = 0;
    const auto begin = [&] {
      const std::int64_t self = ++last;
      const pid_t child = ::fork();
      if (child == 0) work(folder_, self);
      running.emplace(child, self);
    };
    for (int number = 0; number < processes; ++number) begin();
    int killed = 0;
    while (!running.empty()) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, 0);
      const std::int64_t worker = running.at(ended);
      running.erase(ended);
      store_contract_support::lose_worker(*open(), worker_id{worker}, moment(1s), 1000);
      if (WIFEXITED(status)) continue;
      ++killed;
      begin();
    }
    return killed;
  }
};

// WEFT_LEDGER_JOBS in the environment: that many.
TEST_F(sqlite_ledger, each_of_many_jobs_ends_once_whatever_fails_and_whoever_is_killed) {
  const char* const asked = std::getenv("WEFT_LEDGER_JOBS");
  const std::int64_t count = asked != nullptr ? std::max<std::int64_t>(std::atoll(asked), 1) : 4000;
  push_all(count);
  const int killed = run_processes();
  std::map<std::int64_t, std::int64_t> ended;
  for (const auto& [id, is_done] : read("ends"))
    EXPECT_TRUE(ended.emplace(id, is_done).second) << id << " has ended twice";
  const auto kept = open();
  std::size_t unwritten = 0;
  for (std::int64_t id = 1; id <= count; ++id) {
    const auto found = kept->find(job_id{id});
    ASSERT_TRUE(found) << "lost " << id;
    const bool is_done = !fails(id, attempts_max);
    ASSERT_EQ(found->state, is_done ? job_state::done : job_state::dead) << id;
    const auto line = ended.find(id);
    if (line == ended.end()) {
      ++unwritten;
    } else {
      ASSERT_EQ(line->second, is_done ? 1 : 0) << id;
    }
  }
  EXPECT_LE(unwritten, static_cast<std::size_t>(killed)) << "who was killed between the end and its line";
  EXPECT_GT(killed, 0);
  EXPECT_EQ(static_cast<std::size_t>(killed), read("kills").size());
  EXPECT_EQ(kept->stats().at(0).total(), count);
  std::printf("%ld jobs, %d processes were killed, %zu ends were not written down\n",
              static_cast<long>(count), killed, unwritten);
}

}  // namespace
}  // namespace weft::jobs
