// Processes with workers on one server, while what is around them fails: some are stopped or killed, sessions
// are ended, connections cut in the middle of calls and commits, the server is killed and started again. What
// each run has left in a book is compared with what the store says in the end.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include <weft/core/error.hpp>
#include <weft/jobs/maintenance.hpp>

#include "jobs/postgres_host_fixture.hpp"
#include "support/postgres_link.hpp"
#include "support/postgres_proxy.hpp"
#include "support/sanitized.hpp"

namespace weft::jobs {
namespace {

using weft_test::comes_true;
using weft_test::proxy_fault;

constexpr std::size_t hosts_wanted = 3;
constexpr std::size_t pushed_at_once = 50;
constexpr std::size_t pushes_per_transaction = 5;  // that one of so many is made in
constexpr std::size_t pushed_ahead_max = 400;      // so that faults meet pushes, too
constexpr std::size_t pushers = 2;
constexpr std::size_t jobs_per_fault_min = 250;
constexpr std::size_t jobs_unless_asked = 6 * jobs_per_fault_min;  // a fault of each kind

class postgres_ledger : public postgres_host_fixture {
 protected:
  struct host {
    std::string name;
    std::unique_ptr<worker_host> process;
    std::optional<job_id> stopped_in = {};  // and others shall have that job
  };

  void SetUp() override {
    if (sanitized) GTEST_SKIP() << "not under a sanitizer";
    if (!weft_test::is_root()) GTEST_SKIP() << "processes that are hosts of their own take root";
    start_server();
    proxy_.emplace(server_->folder());
  }

  void TearDown() override {
    end_pushes();
    for (host& one : hosts_) {
      if (HasFailure()) std::printf("host %s said:\n%s\n", one.name.c_str(), one.process->output().c_str());
    }
  }

  host& start_host(const std::string& url) {
    std::string name = std::to_string(++hosts_made_);
    auto process = std::make_unique<worker_host>(name, url, keys_, book_);
    return hosts_.emplace_back(host{std::move(name), std::move(process)});
  }

  // ---- pushes

  /// A few fail, once or for good, and one in so many asks for its process to be stopped.
  closure<> kind_of(std::size_t number, std::size_t stops_every) const {
    if (number % stops_every == stops_every / 2) return stop_of_host();
    if (number % 100 == 1) return failing_on_host(1);
    if (is_given_up(number)) return failing_on_host(2);
    return step_of_host(0);
  }
  static bool is_given_up(std::size_t number) { return number % 200 == 2; }

  /// Begins to push `each` from each of the pushers, on threads.
  void begin_pushes(std::size_t each, std::size_t stops_every) {
    way_of_pushes_ = open(proxy_->url());
    for (std::size_t number = 0; number < pushers; ++number) {
      pushing_.emplace_back([=, this] {
        try {
          push_all(*way_of_pushes_, number * each, each, stops_every);
        } catch (const error& failed) {
          ADD_FAILURE() << "a push failed: " << failed.what();
          over_ = true;
        }
      });
    }
  }
  void end_pushes() {
    over_ = true;
    for (auto& one : pushing_) one.join();
    pushing_.clear();
  }

  /// Each is in the ledger once the store has promised it.
  void push_all(queue& to, std::size_t first, std::size_t count, std::size_t stops_every) {
    for (std::size_t done = 0; done < count && !over_;) {
      if (pushed_so_far_ > ended_ + pushed_ahead_max) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      const std::size_t some = std::min(pushed_at_once, count - done);
      std::vector<closure<>> closures;
      for (std::size_t i = 0; i < some; ++i) closures.push_back(kind_of(first + done + i, stops_every));
      std::vector<job_id> ids;
      if (done / pushed_at_once % pushes_per_transaction == 0) {
        try {
          to.transact([&](transaction& inside) {
            ids.clear();
            for (const auto& one : closures) ids.push_back(inside.push(one));
          });
        } catch (const error&) {
          ++undone_;  // which is certain: it is done again
          continue;
        }
      } else {
        ids = to.push_many(closures);
      }
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < some; ++i) pushed_.emplace(ids[i], is_given_up(first + done + i));
      done += some;
      pushed_so_far_ += some;
    }
  }

  // ---- faults, all of them of the test's own thread, with which what it starts ends

  void end_sessions() const {
    weft_test::with_connection(server_->url(), [](auto& session) {
      session.run(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
          " AND datname = current_database()");
    });
  }
  void kill_a_host() {
    const auto one =
        std::find_if(hosts_.begin(), hosts_.end(), [](const host& of) { return !of.stopped_in; });
    const std::string url = hosts_made_ % 2 == 0 ? proxy_->url() : server_->url();
    hosts_.erase(one);
    start_host(url);
    ++killed_;
  }
  void restart_server() {
    server_->stop();
    server_->start();
  }
  void harm(std::size_t number) {
    switch (number % 6) {
      case 0:
        return end_sessions();
      case 1:
        return proxy_->set_fault(proxy_fault::cut_before, "COMMIT");
      case 2:
        return kill_a_host();
      case 3:
        return proxy_->set_fault(proxy_fault::cut_after, "COMMIT");
      case 4:
        return proxy_->set_fault(proxy_fault::cut_after, "an attempt that fails on a host");
      default:
        return restart_server();
    }
  }

  /// Stops who asked for it, one at a time, and lets it go on once its job was taken from it. Not only when
  /// that is done: whoever has it by then may have asked, too, and does nothing until it was stopped.
  void stop_and_go_on() {
    const auto asked = stops();
    for (; stops_seen_ < asked.size(); ++stops_seen_) {
      const auto stopped = std::count_if(hosts_.begin(), hosts_.end(),
                                         [](const host& one) { return one.stopped_in.has_value(); });
      if (stopped > 0) break;
      for (host& one : hosts_) {
        if (one.name != asked[stops_seen_].host) continue;
        one.process->stop();
        one.stopped_in = job_id_from_string(asked[stops_seen_].job);
      }
    }
    for (host& one : hosts_) {
      if (!one.stopped_in) continue;
      const auto info = queue_->show(*one.stopped_in);
      if (!info || (info->crashes == 0 && info->state != job_state::done)) continue;
      one.process->go_on();
      one.stopped_in.reset();
      ++stopped_;
    }
  }

  // ---- the end

  /// When each job ended, and whether it was given up.
  std::map<job_id, std::pair<moment, bool>> kept() const {
    std::map<job_id, std::pair<moment, bool>> all;
    weft_test::with_connection(server_->url(), [&](auto& session) {
      const auto rows = session.run(
          "SELECT j.id, finished, given_up FROM weft.weft_queue q JOIN (SELECT id, queue, finished, 0 AS "
          "given_up"
          " FROM weft.weft_done UNION ALL SELECT id, queue, finished, 1 FROM weft.weft_dead) j ON j.queue = "
          "q.id"
          " WHERE q.name = 'default'");
      for (std::size_t row = 0; row < rows.rows(); ++row) {
        all.emplace(
            job_id{rows.integer(row, 0)},
            std::pair(moment(std::chrono::microseconds(rows.integer(row, 1))), rows.integer(row, 2) != 0));
      }
    });
    return all;
  }
  void compare() {
    const auto found = kept();
    std::map<job_id, moment> ends;
    std::int64_t given_up = 0;
    for (const auto& [id, end] : found) {
      const auto in_ledger = pushed_.find(id);
      if (in_ledger == pushed_.end()) {
        ADD_FAILURE() << "nobody was told that " << to_string(id) << " was pushed";
        continue;
      }
      EXPECT_EQ(end.second, in_ledger->second) << to_string(id);
      given_up += end.second ? 1 : 0;
      ends.emplace(id, end.first);
    }
    EXPECT_EQ(found.size(), pushed_.size()) << "some are lost";
    const state_counts said = counts();
    EXPECT_EQ(said.dead, given_up);
    EXPECT_EQ(said.done, static_cast<std::int64_t>(found.size()) - given_up);
    EXPECT_EQ(said.total(), said.done + said.dead);
    EXPECT_EQ(check_database(server_->url()).problems, std::vector<std::string>{});
    check_runs(ends);
  }

  void show_what_is_left() const {
    weft_test::with_connection(server_->url(), [](auto& session) {
      const auto rows = session.run(
          "SELECT 'running ' || id || ' of ' || owner || ' since ' || to_timestamp(started / 1e6) FROM "
          "weft.weft_running UNION ALL SELECT 'ready ' || id FROM weft.weft_ready UNION ALL SELECT "
          "'scheduled '"
          " || id || ' for ' || to_timestamp(run_at / 1e6) FROM weft.weft_scheduled");
      for (std::size_t row = 0; row < rows.rows(); ++row)
        ADD_FAILURE() << "did not end: " << rows.text(row, 0);
    });
  }

  std::optional<weft_test::postgres_proxy> proxy_;
  std::list<host> hosts_;
  int hosts_made_ = 0;
  std::size_t stops_seen_ = 0;
  int killed_ = 0;
  int stopped_ = 0;
  std::atomic<int> undone_{0};
  std::atomic<std::size_t> pushed_so_far_{0};
  std::atomic<std::size_t> ended_{0};  // as the store said last
  std::atomic<bool> over_{false};      // nobody waits for the end any more
  std::unique_ptr<queue> way_of_pushes_;
  std::vector<std::thread> pushing_;
  std::mutex mutex_;
  std::map<job_id, bool> pushed_;  // guarded by mutex_; the second: it fails for good
};

TEST_F(postgres_ledger, a_process_that_is_stopped_past_its_lease_begins_nothing_that_others_have_ended) {
  constexpr std::int64_t count = 41;
  host& first = start_host(server_->url());
  std::vector<closure<>> closures(count, step_of_host(0));
  closures.front() = stop_of_host();
  for (const job_id id : queue_->push_many(closures)) pushed_.emplace(id, false);
  ASSERT_TRUE(comes_true([&] { return !stops().empty(); }));
  first.process->stop();
  const auto held = queue_->kept_in().workers();
  ASSERT_EQ(held.size(), 1U);
  EXPECT_GT(held[0].running, 1) << "it has claimed jobs that it has not begun";
  host& second = start_host(server_->url());
  ASSERT_TRUE(comes_true([&] { return counts().done == count; }));
  first.process->go_on();
  ASSERT_TRUE(comes_true([&] { return queue_->kept_in().workers().size() == 2; })) << "it joins again";
  for (const job_id id : queue_->push_many(std::vector<closure<>>(10, step_of_host(0))))
    pushed_.emplace(id, false);
  ASSERT_TRUE(comes_true([&] { return counts().done == count + 10; }));
  for (const host& one : hosts_) queue_->push(end_host(), {.queue = one.name});
  EXPECT_TRUE(first.process->had_late_results());
  EXPECT_FALSE(second.process->had_late_results());
  compare();
}

// With WEFT_LEDGER_JOBS in the environment: that many.
TEST_F(postgres_ledger, each_of_many_jobs_ends_once_whatever_fails_and_whoever_is_killed) {
  const char* const asked = std::getenv("WEFT_LEDGER_JOBS");
  const std::size_t wanted =
      asked == nullptr ? jobs_unless_asked : static_cast<std::size_t>(std::max(std::atoll(asked), 2LL));
  const std::size_t count = wanted / pushers * pushers;
  const std::size_t jobs_per_fault = std::max(count / 100, jobs_per_fault_min);
  for (std::size_t number = 0; number < hosts_wanted; ++number)
    start_host(number == 0 ? server_->url() : proxy_->url());
  begin_pushes(count / pushers, 2 * jobs_per_fault);
  std::size_t faults = 0;
  const auto has_ended = [&] {
    const state_counts now = counts();
    ended_ = static_cast<std::size_t>(now.done + now.dead);
    stop_and_go_on();
    if (ended_ < (faults + 1) * jobs_per_fault) return ended_ == count;
    harm(faults++);
    return false;  // a server that was killed has forgotten the last ends, which need not be durable
  };
  const steady_time until = deadline_after(std::chrono::milliseconds(60'000 + count * 20));
  bool is_complete = false;
  while (!is_complete && !over_ && steady_clock::now() < until) {
    is_complete = has_ended();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (!is_complete) show_what_is_left();
  end_pushes();
  compare();
  EXPECT_GT(killed_, 0);
  EXPECT_GT(stopped_, 0);
  std::printf(
      "%zu jobs, %zu runs, %zu faults, %d processes were killed, %d stopped past their lease, %d "
      "transactions undone\n",
      count, runs().size(), faults, killed_, stopped_, undone_.load());
}

}  // namespace
}  // namespace weft::jobs
