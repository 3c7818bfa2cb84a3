#include "jobs/sqlite_helpers.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

#include <fcntl.h>

#include "jobs/sqlite/writer_lock.hpp"
#include "store_contract/lose_worker.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

class sqlite_durability : public sqlite_test {
 protected:
  /// Commits in the write-ahead log: frames that carry the size of the database. Only when no store is open.
  std::size_t commits_in_log() const {
    std::ifstream file(path_ + "-wal", std::ios::binary);
    const std::string log((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    constexpr std::size_t header = 32;
    constexpr std::size_t frame = 24 + 4096;
    std::size_t commits = 0;
    for (std::size_t at = header; at + frame <= log.size(); at += frame) {
      commits += log.compare(at + 4, 4, std::string(4, '\0')) != 0 ? 1 : 0;
    }
    return commits;
  }

  std::vector<std::int64_t> numbers_in(const std::string& name) const {
    std::vector<std::int64_t> numbers;
    std::ifstream file(folder_ + "/" + name);
    for (std::int64_t number = 0; file >> number;) numbers.push_back(number);
    return numbers;
  }
};

/// Appends whole lines, so that what was written before a kill is complete.
class line_log {
 public:
  explicit line_log(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}
  void add(job_id id) const {
    const std::string line = to_string(id) + "\n";
    (void)!::write(fd_, line.data(), line.size());
  }

 private:
  int fd_;
};

/// What a job that was pushed by the end of another adds to its number.
constexpr std::int64_t follower = 500'000;
bool is_follower(job_id id) { return static_cast<std::int64_t>(id) % 1'000'000 >= follower; }
job_id follower_of(job_id id) { return job_id{static_cast<std::int64_t>(id) + follower}; }

/// A success, which pushes a follower unless it is one.
attempt_end end_of(const claimed_job& one, worker_id owner) {
  attempt_end end;
  end.id = one.id;
  end.owner = owner;
  end.fence = one.fence;
  if (is_follower(one.id)) return end;
  new_job next;
  next.id = follower_of(one.id);
  next.queue = "mail";
  next.handler = "mail.welcome";
  next.envelope = "f";
  end.pushes = {next};
  return end;
}

/// What there is to work off until a kill, so that kills meet all of pushes, ends and claims, and not many
/// more jobs are left for the end of the test than were run before.
constexpr std::int64_t pushes_per_round = 60;

/// Pushes from three threads and works off with one, until it is killed.
[[noreturn]] void push_and_work(const std::string& folder, std::int64_t first_id) {
  const auto kept = open_store("sqlite:" + folder + "/jobs.db");
  const line_log pushed(folder + "/pushed");
  const line_log finished(folder + "/finished");
  std::vector<std::thread> producers;
  for (std::int64_t number = 0; number < 3; ++number) {
    producers.emplace_back([&, number] {
      for (std::int64_t id = first_id + number; id < first_id + pushes_per_round; id += 3) {
        new_job one;
        one.id = job_id{id};
        one.queue = "mail";
        one.handler = "mail.welcome";
        one.envelope = std::string(200, 'e');
        kept->push({&one, 1});
        pushed.add(one.id);
      }
    });
  }
  claim_request request;
  request.owner = worker_id{first_id};
  request.queues = {"mail"};
  request.count = 5;
  request.now = moment(1s);
  kept->add_worker({.id = request.owner, .host = "h", .pid = 1, .build = "b"});
  for (;;) {
    for (const auto& one : kept->claim(request).jobs) {
      if (kept->finish(end_of(one, request.owner))) finished.add(one.id);
    }
  }
}

/// Does what is left; returns how much that was.
std::size_t work_off(store& kept) {
  claim_request request;
  request.owner = worker_id{7};
  request.queues = {"mail"};
  request.count = 100;
  request.now = moment(3s);
  kept.add_worker({.id = request.owner, .host = "h", .pid = 1, .build = "b"});
  std::size_t count = 0;
  for (;;) {
    const auto some = kept.claim(request).jobs;
    if (some.empty()) return count;
    for (const auto& one : some) count += kept.finish(end_of(one, request.owner)) ? 1U : 0U;
  }
}

/// A job is done if, and only if, what its end pushed is there.
void expect_followers_of_done(store& kept) {
  list_filter page;
  page.limit = 1000;
  for (auto jobs = kept.list(page); !jobs.empty(); jobs = kept.list(page)) {
    for (const auto& one : jobs) {
      if (is_follower(one.id)) continue;
      ASSERT_EQ(kept.find(follower_of(one.id)).has_value(), one.state == job_state::done)
          << to_string(one.id);
    }
    page.before = jobs.back().id;
  }
}

TEST_F(sqlite_durability, kill_9_loses_no_acknowledged_job_and_no_recorded_end) {
  // WEFT_KILLS in the environment: that many; 3,000 take two minutes on two loaded cores.
  const char* const asked = std::getenv("WEFT_KILLS");
  const int rounds_min = asked != nullptr ? std::max(std::atoi(asked), 1) : 40;
  const int rounds_per_check = std::max(rounds_min / 20, 1);  // of all pages, which takes longer and longer
  constexpr std::size_t pushed_min = 100;  // on a slow disk it takes more rounds to get there
  std::mt19937 random(20);
  for (int round = 0; round < rounds_min || numbers_in("pushed").size() < pushed_min; ++round) {
    const std::int64_t first_id = 1 + round * 1'000'000;
    const pid_t child = ::fork();
    if (child == 0) push_and_work(folder_, first_id);
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + random() % 20));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    const auto after = open();
    store_contract_support::lose_worker(*after, worker_id{first_id}, moment(2s), 100);
    std::string verdict = "ok";
    if (round % rounds_per_check == 0)
      after->transact(
          [&](store_transaction& transaction) {
            verdict = std::get<std::string>(transaction.run("PRAGMA integrity_check", {})[0][0]);
          },
          {.limit = 60s});
    EXPECT_EQ(verdict, "ok");
    for (const auto& worker : after->workers()) EXPECT_EQ(worker.running, 0);
  }
  const auto kept = open();
  EXPECT_EQ(kept->stats().at(0).running, 0);
  const auto finished = numbers_in("finished");
  EXPECT_EQ(std::set<std::int64_t>(finished.begin(), finished.end()).size(), finished.size())
      << "an end was taken of a job that had ended";
  for (const auto id : finished) ASSERT_EQ(kept->find(job_id{id})->state, job_state::done) << id;
  expect_followers_of_done(*kept);
  const std::size_t left = work_off(*kept);
  const auto pushed = numbers_in("pushed");
  for (const auto id : pushed) {
    const auto found = kept->find(job_id{id});
    ASSERT_TRUE(found) << "lost " << id;
    ASSERT_EQ(found->state, job_state::done) << id;
  }
  std::printf("%d kills: %zu jobs were acknowledged, %zu had ended, %zu were left\n", rounds_min,
              pushed.size(), finished.size(), left);
}

TEST_F(sqlite_durability, producers_at_once_share_a_commit) {
  { (void)open(); }
  const std::size_t before = commits_in_log();
  {
    const auto kept = open();
    std::vector<std::function<void()>> producers;
    for (std::int64_t id = 1; id <= 16; ++id) producers.emplace_back([&kept, id] { push(*kept, id); });
    in_one_turn(*kept, producers);
    EXPECT_EQ(kept->list({}).size(), 16U);
  }
  EXPECT_EQ(commits_in_log() - before, 1U);
}

TEST_F(sqlite_durability, the_log_stays_bounded_and_survives_the_last_close) {
  { (void)open(); }
  const auto of_tables = std::filesystem::file_size(path_ + "-wal");
  {
    store_options options;
    options.wal_pages_max = 50;
    const auto kept = open(options);
    for (std::int64_t id = 1; id <= 400; ++id) push(*kept, id);
  }
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), of_tables + 100U * 4120);
  EXPECT_EQ(open()->stats().at(0).ready, 400);
}

TEST_F(sqlite_durability, a_push_that_fails_is_undone_whole_and_alone_in_its_group) {
  const auto kept = open();
  push(*kept, 1'000);
  std::vector<std::thread> producers;
  for (int number = 0; number < 16; ++number) {
    producers.emplace_back([&, number] {
      for (int round = 0; round < 10; ++round) {
        const int id = 1 + number * 10 + round;
        const std::vector<new_job> two{job(id), job(id % 3 == 0 ? 1'000 : 2'000 + id)};
        if (id % 3 == 0) {
          EXPECT_NE(failure_of([&] { kept->push(two); }).code(), errc::unknown);
        } else {
          kept->push(two);
        }
      }
    });
  }
  for (auto& producer : producers) producer.join();
  EXPECT_EQ(kept->stats().at(0).ready, 1 + 2 * (160 - 53));
  for (int id = 1; id <= 160; ++id) EXPECT_EQ(kept->find(job_id{id}).has_value(), id % 3 != 0) << id;
}

TEST_F(sqlite_durability, the_writer_lock_lets_one_in_and_names_itself_when_it_takes_too_long) {
  sqlite::writer_lock first(path_);
  sqlite::writer_lock second(path_);
  first.lock(1s);
  const error busy = failure_of([&] { second.lock(5ms); });
  EXPECT_EQ(busy.code(), errc::busy);
  EXPECT_NE(busy.message().find(path_ + ".weft-lock"), std::string::npos);
  first.unlock();
  second.lock(1s);
  second.unlock();
}

TEST_F(sqlite_durability, a_store_whose_lock_is_held_refuses_in_time_and_works_again_after) {
  store_options options;
  options.busy_timeout = 10ms;
  const auto kept = open(options);
  {
    sqlite::writer_lock other(path_);
    const sqlite::writer_lock::guard held(other, 1s);
    EXPECT_EQ(failure_of([&] { push(*kept, 1); }).code(), errc::busy);
  }
  push(*kept, 1);
  EXPECT_TRUE(kept->find(job_id{1}));
}

/// Whoever opens with this hears of others by their bell, or not at all.
store_options never_looking() {
  store_options options;
  options.poll_interval = std::chrono::hours(1);
  return options;
}

TEST_F(sqlite_durability, a_push_of_another_store_rings_the_bell) {
  const auto here = open(never_looking());
  const auto there = open(never_looking());
  const auto seen = here->bell();
  std::thread producer([&] { push(*there, 1); });
  EXPECT_NE(here->wait_bell(seen, deadline_after(30s)), seen);
  producer.join();
  EXPECT_EQ(claim(*here).jobs.size(), 1U);
}

TEST_F(sqlite_durability, a_push_of_another_process_rings_the_bell) {
  int begin[2];
  ASSERT_EQ(::pipe(begin), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char one = 0;
    if (::read(begin[0], &one, 1) != 1) ::_exit(2);
    push(*open(), 1);
    ::_exit(0);
  }
  {
    const auto here = open(never_looking());
    auto seen = here->bell();
    seen = here->wait_bell(seen, steady_clock::now());  // listens from now on
    ASSERT_EQ(::write(begin[1], "x", 1), 1);
    while (!here->find(job_id{1})) seen = here->wait_bell(seen, deadline_after(30s));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const int end : begin) ::close(end);
}

TEST_F(sqlite_durability, without_a_bell_file_a_push_of_another_store_is_noticed_by_looking) {
  std::filesystem::create_directory(path_ + ".weft-bell");
  const auto here = open(never_looking());
  const auto there = open(never_looking());
  auto seen = here->bell();
  std::thread producer([&] { push(*there, 1); });
  EXPECT_NE(here->wait_bell(seen, deadline_after(30s)), seen);
  producer.join();
}

TEST_F(sqlite_durability, a_bell_rings_for_many_who_listen_in_turn) {
  std::vector<std::shared_ptr<store>> all;
  for (int number = 0; number < 4; ++number) all.push_back(open(never_looking()));
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> listening;
    for (const auto& one : all) {
      listening.emplace_back([&one, id = job_id{round + 1}] {
        for (;;) {
          const auto seen = one->bell();
          if (one->find(id)) return;
          one->wait_bell(seen, deadline_after(30s));
        }
      });
    }
    push(*all[static_cast<std::size_t>(round) % all.size()], round + 1);
    for (auto& one : listening) one.join();
  }
}

TEST_F(sqlite_durability, two_stores_of_one_file_claim_no_job_twice) {
  constexpr std::size_t count = 200;
  std::vector<new_job> batch;
  for (std::size_t id = 1; id <= count; ++id) batch.push_back(job(static_cast<std::int64_t>(id)));
  open()->push(batch);
  std::vector<std::vector<job_id>> claimed(2);
  std::vector<std::thread> workers;
  for (auto& mine : claimed) {
    workers.emplace_back([&] {
      const auto kept = open();
      for (auto some = claim(*kept, 3).jobs; !some.empty(); some = claim(*kept, 3).jobs) {
        for (const auto& one : some) mine.push_back(one.id);
      }
    });
  }
  for (auto& worker : workers) worker.join();
  std::vector<job_id> all = claimed[0];
  all.insert(all.end(), claimed[1].begin(), claimed[1].end());
  EXPECT_EQ(all.size(), count);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_F(sqlite_durability, the_library_says_whether_it_needs_the_lock) {
  const auto version = sqlite_version();
  int major = 0, minor = 0, patch = 0;
  ASSERT_EQ(std::sscanf(version.version.c_str(), "%d.%d.%d", &major, &minor, &patch), 3);
  EXPECT_EQ(version.has_wal_reset_bug, std::tie(major, minor, patch) < std::make_tuple(3, 51, 3));
}

}  // namespace
}  // namespace weft::jobs
