// A database that builds of the schema's first version made, and its jobs, under this one.

#include <algorithm>
#include <fstream>
#include <sstream>

#include "postgres_fixture.hpp"

namespace weft::jobs {
namespace {

class postgres_migration : public postgres_stores {
 protected:
  void SetUp() override {
    postgres_stores::SetUp();
    weft_test::with_connection(url_, [](auto& session) {
      session.run("DROP DATABASE IF EXISTS of_version_1");
      session.run("CREATE DATABASE of_version_1");
    });
    ready_made_ = url_;
    const std::size_t begin = url_.find('/', url_.find("//") + 2) + 1;
    url_.replace(begin, url_.find('?') - begin, "of_version_1");
    weft_test::with_connection(url_, [](auto& session) {
      std::ifstream file(WEFT_POSTGRES_SCHEMA_1);
      std::ostringstream script;
      script << "BEGIN;" << file.rdbuf() << "COMMIT";
      session.run_script(script.str());
    });
  }
  void TearDown() override {
    stores_.clear();
    EXPECT_EQ(check_database(url_).problems, std::vector<std::string>{});
    url_ = ready_made_;
    weft_test::with_connection(url_, [](auto& session) { session.run("DROP DATABASE of_version_1"); });
    postgres_stores::TearDown();
  }
  static std::vector<std::int64_t> ids_of(const std::vector<claimed_job>& jobs) {
    std::vector<std::int64_t> all;
    for (const auto& one : jobs) all.push_back(static_cast<std::int64_t>(one.id));
    std::ranges::sort(all);
    return all;
  }

  std::string ready_made_;  // of this schema's version
};

TEST_F(postgres_migration, a_database_of_the_first_version_goes_on_where_it_was) {
  EXPECT_EQ(plan_migration(url_).from, 1);
  store& kept = open();
  EXPECT_TRUE(plan_migration(url_).steps.empty());
  const std::vector<job_state> states{job_state::done,      job_state::running, job_state::dead,
                                      job_state::cancelled, job_state::ready,   job_state::scheduled,
                                      job_state::blocked,   job_state::ready,   job_state::ready};
  for (std::size_t index = 0; index < states.size(); ++index) {
    const auto found = kept.find(job_id{static_cast<std::int64_t>(index) + 1});
    ASSERT_TRUE(found) << index + 1;
    EXPECT_EQ(found->state, states[index]) << index + 1;
    EXPECT_EQ(found->envelope, "envelope " + std::to_string(index + 1));
  }
  EXPECT_EQ(kept.list({.queue = {}, .tag = "vip", .state = {}, .before = {}, .limit = 10}).size(), 1U);
  EXPECT_EQ(kept.schedules().size(), 1U);

  claimed_job held;  // by a worker that lives on
  held.id = job_id{2};
  held.fence = 1;
  EXPECT_TRUE(kept.finish(end(held, 1)));
  join(kept, 2);
  const auto first = claim(kept, 2, 10);
  EXPECT_EQ(ids_of(first), (std::vector<std::int64_t>{5, 8})) << "one of a limit that lets one run";
  auto same = job(20);
  same.unique = unique_key{"key", unique_until::ended, {}};
  EXPECT_EQ(kept.push({&same, 1}).at(0), job_id{5});
  for (const auto& one : first) EXPECT_TRUE(kept.finish(end(one, 2)));
  const auto second = claim(kept, 2, 10, 6000);
  EXPECT_EQ(ids_of(second), (std::vector<std::int64_t>{6, 9})) << "its moment has come; and the limit's next";
  for (const auto& one : second) EXPECT_TRUE(kept.finish(end(one, 2, next_step::done, 6000)));
  EXPECT_EQ(ids_of(claim(kept, 2, 10, 6000)), (std::vector<std::int64_t>{7})) << "it waited for another";
  EXPECT_TRUE(kept.retry(job_id{3}, at(6000)));
  EXPECT_EQ(ids_of(claim(kept, 2, 10, 6000)), (std::vector<std::int64_t>{3}));
}

TEST_F(postgres_migration, builds_of_the_first_version_go_on_beside_a_newer_one) {
  store& newer = open();
  weft_test::with_connection(url_, [](auto& session) {
    const auto claimed = session.run(
        "SELECT count(*) FROM weft.weft_claim(1, '{mail}', 1, 1000, '{1}', '{}', true) WHERE kind = 1");
    EXPECT_EQ(claimed.integer(0, 0), 1);
    session.run(
        "SELECT weft.weft_push('{10}', '{1}', '{1}', '{0}', '{100}', '{100}', '{0}', '{envelope 10}', NULL, "
        "NULL,"
        " NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true)");
  });
  join(newer, 2);
  auto all = claim(newer, 2, 10);
  EXPECT_EQ(all.size(), 2U) << "but for the one of the older one, and the limit's other one";
  newer.remove_worker(worker_id{1}, at(1000));
  for (auto& one : claim(newer, 2, 10)) all.push_back(std::move(one));
  EXPECT_EQ(ids_of(all), (std::vector<std::int64_t>{2, 5, 8, 10})) << "and what the older one had";
}

TEST_F(postgres_migration, functions_that_came_later_are_made) {
  open();
  stores_.clear();
  weft_test::with_connection(url_, [](auto& session) {
    session.run("UPDATE weft.weft_meta SET value = 4 WHERE name = 'schema_version'");
    session.run("DROP FUNCTION weft.weft_release_limit");
  });
  EXPECT_EQ(plan_migration(url_).from, 4);
  EXPECT_FALSE(open().release_limit("of nobody"));
}

}  // namespace
}  // namespace weft::jobs
