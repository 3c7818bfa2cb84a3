#include <csignal>

#include <sqlite3.h>

#include <weft/jobs/maintenance.hpp>

#include "jobs/faulty_vfs.hpp"
#include "jobs/schema_1.hpp"
#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/schema.hpp"
#include "jobs/sqlite_helpers.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

class sqlite_migration : public sqlite_test {
 protected:
  void make_old_file() const {
    for (const char* const end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
    run_sql(std::string("PRAGMA journal_mode=WAL; BEGIN;") + schema_1 + "COMMIT;");
  }
  /// With the jobs of the first schema, at a later one.
  void make_file_of_schema(int version) const {
    make_old_file();
    sqlite::connection database(path_);
    sqlite::migrate(database, 1s, version);
    database.checkpoint();
  }
  /// The same at the schema before the newest two: what is true of their steps is true of all.
  void make_late_file() const {
    const std::string kept = path_ + ".late";
    if (!std::filesystem::exists(kept)) {
      make_file_of_schema(sqlite::schema_version - 2);
      std::filesystem::copy_file(path_, kept);
    }
    for (const char* const end : {"-wal", "-shm"}) std::filesystem::remove(path_ + end);
    std::filesystem::copy_file(kept, path_, std::filesystem::copy_options::overwrite_existing);
  }
  void run_sql(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem;
    sqlite3_free(problem);
    sqlite3_close(database);
  }
  static void expect_all_jobs(store& kept) {
    const std::vector<job_state> states{job_state::ready,      job_state::scheduled, job_state::running,
                                        job_state::done,       job_state::dead,      job_state::cancelled,
                                        job_state::quarantined};
    for (std::size_t index = 0; index < states.size(); ++index) {
      const auto found = kept.find(job_id{static_cast<std::int64_t>(index) + 1});
      ASSERT_TRUE(found) << index;
      EXPECT_EQ(found->state, states[index]) << index;
      EXPECT_EQ(found->envelope, "envelope " + std::to_string(index + 1));
    }
    std::int64_t waiting = 0;
    std::int64_t ended = 0;
    for (const auto& of : kept.stats()) {
      waiting += of.scheduled + of.ready;
      ended += of.done + of.dead + of.cancelled + of.quarantined;
    }
    EXPECT_EQ(waiting, 2) << "they are counted";
    EXPECT_EQ(ended, 4) << "they are counted";
  }
};

TEST_F(sqlite_migration, a_file_of_the_first_schema_goes_on_where_it_was) {
  make_old_file();
  const auto kept = open();
  expect_all_jobs(*kept);
  const auto ready = claim(*kept).jobs;
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0].attempts, 2);
  EXPECT_EQ(ready[0].fence, 4);
  attempt_end end;
  end.id = job_id{3};
  end.owner = worker_id{9};
  end.fence = 1;
  end.result = "42";
  EXPECT_TRUE(kept->finish(end));
  EXPECT_EQ(kept->find(job_id{3})->result, "42");
  for (const std::int64_t id : {5, 6, 7}) EXPECT_TRUE(kept->retry(job_id{id}, moment(1s))) << id;
  EXPECT_EQ(claim(*kept, 10).jobs.size(), 3U);
  auto unique = job(8);
  unique.unique = unique_key{"key", unique_until::ended, {}};
  EXPECT_EQ(kept->push({&unique, 1}).at(0), job_id{8});
  kept->put_schedule({"report", "mail", "@hourly", "envelope", moment(1s), moment(2s)});
  EXPECT_EQ(kept->schedules().at(0).next, moment(2s));
}

TEST_F(sqlite_migration, tags_of_schema_9_come_to_know_the_states_of_their_jobs) {
  make_file_of_schema(9);
  run_sql(
      "INSERT INTO weft_tag (job, tag) SELECT id, 'eu' FROM weft_job;"
      "INSERT INTO weft_tag (job, tag) VALUES (4, 'us');");
  const auto kept = open();
  const auto list = [&](job_state state) {
    return kept->list({.queue = {}, .tag = "eu", .state = state, .before = {}});
  };
  const auto expect_states = [&](const std::vector<job_state>& states) {
    for (std::size_t index = 0; index < states.size(); ++index) {
      const auto found = list(states[index]);
      const job_id id{static_cast<std::int64_t>(index) + 1};
      EXPECT_TRUE(std::any_of(found.begin(), found.end(), [id](const auto& one) { return one.id == id; }))
          << "job " << index + 1 << " is " << to_string(states[index]);
    }
  };
  expect_states({job_state::ready, job_state::scheduled, job_state::running, job_state::done, job_state::dead,
                 job_state::cancelled, job_state::quarantined});
  EXPECT_EQ(kept->count_tagged("eu").total(), 7);
  ASSERT_EQ(claim(*kept, 10).jobs.size(), 1U);
  kept->cancel(job_id{2}, moment(1s));
  attempt_end end;
  end.id = job_id{3};
  end.owner = worker_id{9};
  end.fence = 1;
  EXPECT_TRUE(kept->finish(end));
  for (const std::int64_t id : {5, 6, 7}) EXPECT_TRUE(kept->retry(job_id{id}, moment(1s)));
  expect_states({job_state::running, job_state::cancelled, job_state::done, job_state::done, job_state::ready,
                 job_state::ready, job_state::ready});
  const auto counts = kept->count_tagged("eu");
  EXPECT_EQ(counts.running, 1);
  EXPECT_EQ(counts.ready, 3);
  EXPECT_EQ(counts.done, 2);
  EXPECT_EQ(check_database("sqlite:" + path_).problems, std::vector<std::string>{});
}

TEST_F(sqlite_migration, what_was_found_by_indexes_that_are_gone_is_still_found) {
  make_file_of_schema(12);
  const auto kept = open();
  const auto ids = [&](const list_filter& filter) {
    std::vector<std::int64_t> listed;
    for (const auto& one : kept->list(filter)) listed.push_back(static_cast<std::int64_t>(one.id));
    return listed;
  };
  using numbers = std::vector<std::int64_t>;
  EXPECT_EQ(ids({.queue = "mail", .state = {}, .before = {}}), (numbers{7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(ids({.queue = "mail", .state = {}, .before = job_id{6}, .limit = 2}), (numbers{5, 4}));
  EXPECT_EQ(ids({.queue = {}, .state = job_state::ready, .before = {}}), numbers{1});
  EXPECT_EQ(ids({.queue = "mail", .state = job_state::running, .before = {}}), numbers{3});
  EXPECT_EQ(kept->workers().at(0).running, 1);
  EXPECT_TRUE(kept->cancel(job_id{3}, moment(1s)));
  EXPECT_EQ(kept->beat(worker_id{9}), std::vector{job_id{3}});
  EXPECT_TRUE(kept->cancel(job_id{1}, moment(1s)));
  EXPECT_EQ(kept->find(job_id{1})->state, job_state::cancelled);
  EXPECT_EQ(check_database("sqlite:" + path_).problems, std::vector<std::string>{});
}

// Its statements would write rows that lack what the new schema needs.
TEST_F(sqlite_migration, a_process_of_the_old_build_fails_clearly_and_writes_nothing_more) {
  const auto old = open();
  push(*old, 1);
  ASSERT_EQ(claim(*old).jobs.size(), 1U);
  push(*old, 2);
  const auto set_version = [&](int version) {
    run_sql("UPDATE weft_meta SET value = " + std::to_string(version) + " WHERE name = 'schema_version'");
  };
  attempt_end end;
  end.id = job_id{1};
  end.owner = worker_id{1};
  end.fence = 1;
  const std::vector<std::function<void()>> uses{
      [&] { push(*old, 3); },
      [&] { claim(*old); },
      [&] { old->finish(end); },
      [&] { old->beat(worker_id{1}); },
      [&] { old->cancel(job_id{2}, moment(1s)); },
      [&] { old->transact([](store_transaction& in) { in.run("CREATE TABLE own (x)", {}); }, {}); },
      [&] { old->holds(job_id{1}, worker_id{1}, 1); },
      [&] { old->find(job_id{1}); },
      [&] { old->list({}); },
      [&] { old->stats(); },
  };
  set_version(7777);
  for (std::size_t index = 0; index < uses.size(); ++index) {
    const error refused = failure_of(uses[index]);
    EXPECT_EQ(refused.code(), errc::unsupported) << index << ": " << refused.message();
    EXPECT_NE(refused.message().find("7777"), std::string::npos) << refused.message();
    EXPECT_NE(refused.message().find(path_), std::string::npos) << refused.message();
  }
  set_version(sqlite::schema_version);
  EXPECT_EQ(old->find(job_id{1})->state, job_state::running);
  EXPECT_EQ(old->find(job_id{2})->state, job_state::ready);
  EXPECT_EQ(old->list({}).size(), 2U);
  EXPECT_NO_THROW(old->transact([](store_transaction& in) { in.run("CREATE TABLE own (x)", {}); }, {}));
  EXPECT_TRUE(old->finish(end));
}

TEST_F(sqlite_migration, is_done_on_demand_and_foretold) {
  make_old_file();
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(plan_migration("sqlite:" + path_).from, 1) << "it only looks";
  }
  const int newest = plan_migration("sqlite:" + path_).to;
  EXPECT_EQ(migrate_database("sqlite:" + path_).from, 1);
  EXPECT_EQ(plan_migration("sqlite:" + path_).from, newest);
  expect_all_jobs(*open_store("sqlite:" + path_, {.prepare = false}));
}

TEST_F(sqlite_migration, a_process_that_dies_in_it_leaves_the_old_file_or_the_new_one) {
  std::int64_t deaths = 0;
  for (;; ++deaths) {
    make_late_file();
    const int status = in_child([&] {
      faulty_vfs files;
      files.arm(fault::death, deaths + 1);
      (void)open();
      return 0;
    });
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) break;
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    expect_all_jobs(*open());
    ASSERT_FALSE(HasFailure()) << "death at call " << deaths + 1;
  }
  EXPECT_GT(deaths, 5) << "it wrote and locked more than that";
}

TEST_F(sqlite_migration, one_that_fails_leaves_the_old_file_and_can_be_done_again) {
  for (const fault kind : {fault::write_error, fault::full, fault::sync_error, fault::busy}) {
    for (std::int64_t nth = 1;; ++nth) {
      make_late_file();
      bool has_struck = false;
      {
        faulty_vfs files;
        files.arm(kind, nth);
        store_options options;
        options.busy_timeout = 0ms;
        try {
          (void)open(options);
        } catch (const error&) {
          has_struck = true;
        }
        has_struck = has_struck || files.has_struck();
      }
      expect_all_jobs(*open());
      ASSERT_FALSE(HasFailure()) << "fault " << static_cast<int>(kind) << " at call " << nth;
      if (!has_struck) break;
    }
  }
}

}  // namespace
}  // namespace weft::jobs
