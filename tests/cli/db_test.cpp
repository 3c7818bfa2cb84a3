#include "cli/db.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <weft/closure/closure.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/jobs/maintenance.hpp>

#include "cli/jobs_fixture.hpp"
#include "jobs/sqlite/connection.hpp"
#include "jobs/sqlite/writer_lock.hpp"

namespace {

using namespace std::chrono_literals;
using weft::jobs::database_report;
using weft::jobs::job_id;
using weft::wire::from_json;

bool has(const std::string& in, const std::string& what) { return in.find(what) != std::string::npos; }

class weft_db : public weft_test::jobs_commands {
 protected:
  weft_test::command_outcome db(const std::string& name, std::vector<std::string> rest = {}) {
    return command("db", name, std::move(rest));
  }
  job_id push(const weft::jobs::push_options& options = {}) {
    return queue().push(weft::closure{weft::named_closure<"db.fine">([](int n) { return n; }), 1}, options);
  }
  /// Changes weft's tables as somebody else with access to the file could.
  void tamper(const std::string& sql) {
    weft::jobs::sqlite::writer_lock lock(path_);
    const weft::jobs::sqlite::writer_lock::guard held(lock, 10s);
    weft::jobs::sqlite::connection database(path_);
    database.begin(true, 10s);
    database.execute(sql.c_str(), "tamper");
    database.commit();
  }
  database_report checked() {
    return from_json<weft::cli::check_report>(db("check", {"--json"}).out).database;
  }
};

TEST_F(weft_db, check_is_content_with_what_weft_made) {
  const auto first = push({.tags = {"a"}, .limit = weft::jobs::limit_options{.key = "disk", .max = 1}});
  push({.delay = 1h});
  push({.unique = weft::jobs::unique_options{}});
  push({.after = {first}});
  push({.limit = weft::jobs::limit_options{.key = "disk", .max = 1}});
  queue().cancel(push());
  EXPECT_EQ(db("check").status, 0) << db("check").out;
  run_due();
  push();
  const auto done = db("check");
  EXPECT_EQ(done.status, 0) << done.out;
  EXPECT_TRUE(has(done.out, "all is well: 7 jobs")) << done.out;
  EXPECT_EQ(checked().jobs, 7);
}

TEST_F(weft_db, check_names_what_is_broken) {
  const auto id = to_string(push({.tags = {"a"}}));
  const struct {
    const char* sql;
    const char* problem;
  } cases[] = {
      {"DELETE FROM weft_ready", "is a job in no state"},
      {"INSERT INTO weft_done (id, queue, finished, attempts, backoffs, crashes, fence)"
       " SELECT id, queue, 1, 0, 0, 0, 1 FROM weft_job",
       "has tags for another state than it is in"},
      {"UPDATE weft_tag SET state = 3; UPDATE weft_count SET state = 3, handler = 0", ""},
      {"INSERT INTO weft_dead (id, queue, state, finished, attempts, backoffs, crashes, fence)"
       " SELECT id, queue, 4, 1, 0, 0, 0, 1 FROM weft_job",
       "is in more than one state"},
      {"DELETE FROM weft_dead", ""},
      {"DELETE FROM weft_done; INSERT INTO weft_running (id, owner, queue, priority, handler, run_at, "
       "attempts,"
       " backoffs, crashes, fence, started) SELECT id, 7, queue, 0, handler, 1, 0, 0, 0, 1, 1 FROM weft_job",
       "runs, and its worker is not there"},
      {"DELETE FROM weft_job", "has a state and is no job"},
  };
  for (const auto& one : cases) {
    tamper(one.sql);
    const auto done = db("check");
    const std::string expected = *one.problem == '\0' ? "all is well" : id + ' ' + one.problem;
    EXPECT_TRUE(has(done.out, expected)) << one.sql << ": " << done.out;
    EXPECT_EQ(done.status, *one.problem == '\0' ? 0 : 1) << one.sql;
  }
}

TEST_F(weft_db, check_counts_the_jobs_of_each_queue) {
  push();
  push();
  EXPECT_EQ(db("check").status, 0);
  tamper("UPDATE weft_count SET jobs = 3");
  const auto done = db("check");
  EXPECT_EQ(done.status, 1);
  EXPECT_TRUE(has(done.out, "counts other jobs than it has")) << done.out;
}

TEST_F(weft_db, check_finds_pages_that_were_overwritten) {
  for (int i = 0; i < 200; ++i) push({.tags = {"a tag"}});
  const auto copy = folder_ / "copy.db";
  ASSERT_EQ(db("backup", {copy}).status, 0);
  {
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 3);
    file << std::string(4096 * 4, '\x5a');
  }
  const auto done = weft_test::run_weft({"db", "check", "--db", "sqlite:" + copy});
  EXPECT_EQ(done.status, 1);
  EXPECT_FALSE(has(done.out, "all is well")) << done.out;
}

TEST_F(weft_db, backup_is_a_whole_database_of_its_moment) {
  const auto id = push();
  chmod(path_.c_str(), 0640);
  const auto copy = folder_ / "copy.db";
  EXPECT_EQ(db("backup", {copy}).status, 0);
  push();
  EXPECT_EQ(weft_test::run_weft({"db", "check", "--db", "sqlite:" + copy}).status, 0);
  const auto in_copy = weft::jobs::open_store("sqlite:" + copy, {.prepare = false});
  EXPECT_TRUE(in_copy->find(id));
  EXPECT_EQ(in_copy->stats().at(0).ready, 1) << "what came later is not in it";
  struct stat file {};
  ASSERT_EQ(stat(copy.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0640U);
  EXPECT_FALSE(std::filesystem::exists(copy + ".partial"));
}

TEST_F(weft_db, backup_goes_on_where_another_one_died_and_not_where_one_is_at_work) {
  const auto id = push();
  const auto copy = folder_ / "copy.db";
  const auto left = copy + ".partial";
  std::ofstream(left) << std::string(100'000, 'x');
  std::ofstream(left + "-journal") << "left, too";
  {
    const weft::unique_fd at_work(::open(left.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::flock(at_work.get(), LOCK_EX | LOCK_NB), 0);
    const auto refused = db("backup", {copy});
    EXPECT_EQ(refused.status, 1);
    EXPECT_TRUE(has(refused.err, "another backup")) << refused.err;
    EXPECT_EQ(std::filesystem::file_size(left), 100'000U);
  }
  EXPECT_EQ(db("backup", {copy}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_FALSE(std::filesystem::exists(left + "-journal"));
  EXPECT_TRUE(weft::jobs::open_store("sqlite:" + copy, {.prepare = false})->find(id));
}

TEST_F(weft_db, backup_writes_to_no_file_that_is_there_by_another_name) {
  const auto id = push();
  const auto copy = folder_ / "copy.db";
  EXPECT_EQ(db("backup", {copy}).status, 0);
  // As a process leaves it that dies right after the backup got its name; then the backup is moved.
  std::filesystem::rename(copy, folder_ / "copy.1");
  std::filesystem::create_hard_link(folder_ / "copy.1", copy + ".partial");
  push();
  EXPECT_EQ(db("backup", {copy}).status, 0);
  const auto first = weft::jobs::open_store("sqlite:" + (folder_ / "copy.1"), {.prepare = false});
  EXPECT_TRUE(first->find(id));
  EXPECT_EQ(first->stats().at(0).ready, 1);
}

TEST_F(weft_db, backup_is_not_begun_in_the_database_itself) {
  push();
  std::filesystem::create_hard_link(path_, folder_ / "copy.db.partial");
  const auto refused = db("backup", {folder_ / "copy.db"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(has(refused.err, "is the database")) << refused.err;
  EXPECT_EQ(db("check").status, 0);
}

TEST_F(weft_db, backup_is_never_written_over_a_file) {
  push();
  const auto mine = folder_ / "mine";
  std::ofstream(mine) << "mine";
  const auto refused = db("backup", {mine});
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(has(refused.err, mine)) << refused.err;
  EXPECT_EQ(std::filesystem::file_size(mine), 4U);
  EXPECT_EQ(db("backup", {path_}).status, 1) << "itself";
  EXPECT_EQ(db("backup", {folder_ / "none/copy.db"}).status, 1);
  EXPECT_EQ(db("backup").status, 2);
}

TEST_F(weft_db, migrate_has_nothing_to_do_here_and_refuses_what_is_newer) {
  push();
  EXPECT_TRUE(has(db("migrate", {"--dry-run"}).out, "nothing to do"));
  EXPECT_EQ(db("migrate").status, 0);
  queue_.reset();
  tamper("UPDATE weft_meta SET value = 1000 WHERE name = 'schema_version'");
  const auto newer = db("migrate");
  EXPECT_EQ(newer.status, 1);
  EXPECT_TRUE(has(newer.err, "1000")) << newer.err;
  EXPECT_EQ(db("check").status, 1);
}

TEST_F(weft_db, migrate_shows_the_statements_of_each_step_where_it_only_looks) {
  push();
  queue_.reset();
  tamper("UPDATE weft_meta SET value = 12 WHERE name = 'schema_version'");
  const auto shown = db("migrate", {"--dry-run"});
  EXPECT_TRUE(has(shown.out, "would bring the schema from version 12 to ")) << shown.out;
  EXPECT_TRUE(has(shown.out, "-- step to version 13, in one transaction\n\nDROP INDEX weft_job_queue;"))
      << shown.out;
  const auto plan = from_json<weft::cli::migration_report>(db("migrate", {"--dry-run", "--json"}).out);
  ASSERT_FALSE(plan.steps.empty());
  EXPECT_EQ(plan.steps.front().version, 13);
  EXPECT_EQ(plan.compatible_from, plan.to);
  EXPECT_TRUE(has(shown.out, "; builds that know less than that refuse the database\n")) << shown.out;
}

TEST_F(weft_db, roles_and_their_backups_are_for_databases_that_have_them) {
  push();
  const auto refused = db("grant", {"shop", "pusher"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_TRUE(has(refused.err, "a file has no roles")) << refused.err;
  EXPECT_EQ(db("grant", {"shop", "everything"}).status, 2);
  EXPECT_EQ(db("grant", {"shop"}).status, 2);
}

TEST_F(weft_db, copy_goes_to_a_new_database) {
  const auto id = push({.tags = {"a"}});
  queue_.reset();
  const std::string copy = "sqlite:" + (folder_ / "copy.db");
  const auto done = weft_test::run_weft({"db", "copy", url(), copy});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_TRUE(has(done.out, "copied 1 job and 0 schedules from ")) << done.out;
  EXPECT_TRUE(weft::jobs::open_store(copy, {.prepare = false})->find(id));
  EXPECT_EQ(weft_test::run_weft({"db", "check", "--db", copy}).status, 0);
  const auto again = weft_test::run_weft({"db", "copy", url(), copy});
  EXPECT_EQ(again.status, 1);
  EXPECT_TRUE(has(again.err, "has jobs, schedules or workers")) << again.err;
  EXPECT_EQ(weft_test::run_weft({"db", "copy", url()}).status, 2);
}

TEST_F(weft_db, commands_make_no_database_of_a_mistyped_path) {
  for (const auto* name : {"check", "migrate"}) {
    const auto done = db(name);
    EXPECT_EQ(done.status, 1) << name;
    EXPECT_TRUE(has(done.err, "does not exist")) << done.err;
  }
  EXPECT_EQ(db("backup", {folder_ / "copy.db"}).status, 1);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1) << "the keys only";
  EXPECT_EQ(weft_test::run_weft({"db", "check", "--db", "memory:"}).status, 2);
  EXPECT_EQ(weft_test::run_weft({"db"}).status, 2);
}

}  // namespace
