#include <algorithm>
#include <array>
#include <atomic>
#include <new>
#include <stdexcept>
#include <vector>

#include <sys/mman.h>

#include "jobs/sqlite_helpers.hpp"

// A rate holds over the processes that share a file. Their time is one that they move on themselves, to the
// moment when the store says that there is more to do.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t per_second = 50;
constexpr std::int64_t burst = 5;
constexpr std::int64_t length = 20 * second;
constexpr std::size_t jobs = 1200;

struct shared_time {
  std::atomic<std::int64_t> now{0};
  std::atomic<std::size_t> count{0};
  std::array<std::atomic<std::int64_t>, jobs> begun{};
};

void move_on(std::atomic<std::int64_t>& now, std::int64_t to) {
  for (std::int64_t seen = now; seen < to && !now.compare_exchange_weak(seen, to);) {
  }
}

void work(store& kept, worker_id owner, shared_time& time) {
  kept.add_worker({.id = owner, .host = "h", .pid = ::getpid(), .build = "b"});
  claim_request request;
  request.owner = owner;
  request.queues = {"mail"};
  request.count = 3;
  while (time.now < length) {
    request.now = moment(std::chrono::microseconds(time.now.load()));
    const auto claimed = kept.claim(request);
    for (const auto& one : claimed.jobs) {
      time.begun.at(time.count++) = request.now.time_since_epoch().count();
      attempt_end end;
      end.id = one.id;
      end.owner = owner;
      end.fence = one.fence;
      end.now = request.now;
      if (!kept.finish(end)) throw std::runtime_error("its own job was taken");
    }
    if (claimed.jobs.empty() && claimed.next_due)
      move_on(time.now, claimed.next_due->time_since_epoch().count());
  }
}

class sqlite_rates : public sqlite_test {};

TEST_F(sqlite_rates, a_rate_holds_over_three_processes) {
  {
    std::vector<new_job> many;
    for (std::size_t id = 1; id <= jobs; ++id) {
      many.push_back(job(static_cast<std::int64_t>(id)));
      many.back().limit = limit_options{"tenant", 1000, {per_second, 1s, burst}};
    }
    open()->push(many);
  }
  void* const memory =
      ::mmap(nullptr, sizeof(shared_time), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& time = *new (memory) shared_time;
  std::vector<pid_t> children;
  for (std::int64_t number = 1; number <= 3; ++number) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    int status = 1;
    try {
      work(*open(), worker_id{number}, time);
      status = 0;
    } catch (const std::exception& failed) {
      (void)!::write(2, failed.what(), std::char_traits<char>::length(failed.what()));
    }
    ::_exit(status);
  }
  for (const pid_t child : children) {
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::vector<std::int64_t> begun;
  for (std::size_t index = 0; index < time.count; ++index) begun.push_back(time.begun.at(index));
  ::munmap(memory, sizeof(shared_time));
  std::sort(begun.begin(), begun.end());
  for (std::size_t first = 0; first < begun.size(); ++first) {
    for (std::size_t last = first; last < begun.size(); ++last) {
      const std::int64_t within = begun[last] - begun[first];
      ASSERT_LE(static_cast<std::int64_t>(last - first) + 1, within * per_second / second + burst);
    }
  }
  EXPECT_GE(begun.size(), static_cast<std::size_t>(length / second * per_second * 95 / 100));
}

}  // namespace
}  // namespace weft::jobs
