#include <map>
#include <set>

#include "jobs/postgres/reads.hpp"
#include "postgres_fixture.hpp"

// That what is asked often costs the same with many jobs.

namespace weft::jobs {
namespace {

class postgres_reads : public postgres_stores {
 protected:
  /// Jobs of all kinds in numbers, some of which have a tag.
  void fill() {
    constexpr std::int64_t count = 8000;
    std::vector<new_job> all;
    for (std::int64_t id = 1; id <= count; ++id) {
      all.push_back(job(id));
      all.back().handler = "closure " + std::to_string(id % 3);
      if (id % 3 == 0) all.back().run_at = at(50'000'000);
      if (id % 4 == 0) all.back().tags = {"eu"};
    }
    const auto filling = open_store(url_);
    filling->push(all);
    join(*filling, 1);
    const auto claimed = claim(*filling, 1, 2400);
    constexpr int threads = 24;  // so that many end together
    at_once(threads, [&](int number) {
      for (std::size_t i = static_cast<std::size_t>(number); i < claimed.size(); i += threads) {
        EXPECT_TRUE(filling->finish(end(claimed[i], 1, i % 5 == 0 ? next_step::dead : next_step::done)));
      }
    });
    weft_test::with_connection(url_, [](auto& session) { session.run("ANALYZE"); });
  }
  /// How often each large table was read from its first row to its last, so far.
  std::map<std::string, std::int64_t> whole_reads() {
    std::map<std::string, std::int64_t> reads;
    weft_test::with_connection(url_, [&](auto& session) {
      const auto rows = session.run(
          "SELECT relname::text, seq_scan FROM pg_stat_user_tables WHERE relname IN ('weft_job', "
          "'weft_ready',"
          " 'weft_scheduled', 'weft_done', 'weft_dead', 'weft_tag', 'weft_attempt')");
      for (std::size_t row = 0; row < rows.rows(); ++row)
        reads[std::string(rows.text(row, 0))] = rows.integer(row, 1);
    });
    return reads;
  }
  /// How many entries of the indexes of hot tables were read so far, by sessions that have ended: they tell
  /// it then.
  std::int64_t entries_read() {
    std::int64_t entries = 0;
    weft_test::with_connection(url_, [&](auto& session) {
      session.run(
          "DO $$ BEGIN LOOP PERFORM pg_stat_clear_snapshot(); EXIT WHEN NOT EXISTS (SELECT 1 FROM"
          " pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid());"
          " PERFORM pg_sleep(0.01); END LOOP; END $$");
      entries = session
                    .run(
                        "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname IN "
                        "('weft_ready', 'weft_running', 'weft_done')")
                    .integer(0, 0);
    });
    return entries;
  }
};

}  // namespace

TEST_F(postgres_reads, pushes_claims_ends_and_looks_read_no_table_as_a_whole) {
  fill();
  const auto before = whole_reads();
  ASSERT_EQ(before.size(), 7U);
  {
    const auto own = open_store(url_);  // its sessions tell what they did when they end
    join(*own, 2);
    for (std::int64_t id = 10'001; id <= 10'040; ++id) {
      auto one = job(id);
      if (id % 2 == 0) one.tags = {"us"};
      if (id % 3 == 0) one.unique = unique_key{"key " + std::to_string(id)};
      if (id % 4 == 0) one.limit = limit_options{"tenant", 3};
      if (id % 5 == 0) one.after = {{job_id{1}, true}};
      push(*own, one);
      for (const auto& claimed : claim(*own, 2, 3))
        (void)own->finish(end(claimed, 2, id % 2 == 0 ? next_step::done : next_step::again));
      (void)own->find(job_id{id});
      own->cancel(job_id{id - 9000}, at(3000));
      own->retry(job_id{id - 9000}, at(3000));
      own->beat(worker_id{2});
    }
    (void)own->purge(at(1), at(3000), 100);
    (void)own->tags("e", "", 10);
  }
  EXPECT_EQ(whole_reads(), before);
}

TEST_F(postgres_reads, plans_that_were_made_for_empty_tables_are_good_for_full_ones) {
  constexpr std::int64_t count = 5000;
  const auto before = entries_read();
  {
    const auto own = open_store(url_);
    join(*own, 1);
    for (std::int64_t id = 1; id <= 10; ++id) {  // so often that the server settles for a plan
      push(*own, job(id));
      for (const auto& one : claim(*own, 1, 10)) EXPECT_TRUE(own->finish(end(one, 1)));
    }
    std::vector<new_job> all;
    for (std::int64_t id = 11; id <= count; ++id) all.push_back(job(id));
    own->push(all);
    for (int round = 0; round < 5; ++round) {
      for (const auto& one : claim(*own, 1, 10)) EXPECT_TRUE(own->finish(end(one, 1)));
    }
  }
  EXPECT_LT(entries_read() - before, count);
}

TEST_F(postgres_reads, the_oldest_ready_jobs_cost_as_much_as_there_are_lines_of_them) {
  fill();
  // Entries of jobs that were claimed are there until somebody has met them.
  EXPECT_EQ(open_store(url_)->find_oldest_ready(at(1000)).size(), 1U);
  const auto before = entries_read();
  const auto reads_before = whole_reads();
  {
    const auto own = open_store(url_);
    for (int round = 0; round < 10; ++round) EXPECT_EQ(own->find_oldest_ready(at(1000)).size(), 1U);
  }
  EXPECT_LT(entries_read() - before, 500);
  EXPECT_EQ(whole_reads(), reads_before);
}

TEST_F(postgres_reads, lists_walk_indexes_whatever_is_asked_for) {
  fill();
  std::vector<list_filter> filters;
  for (const char* const queue : {"", "mail"}) {
    for (const char* const tag : {"", "eu"}) {
      filters.push_back({.queue = queue, .tag = tag, .state = {}, .before = {}});
      filters.push_back({.queue = queue, .tag = tag, .state = {}, .without_done = true, .before = {}});
      for (int state = 0; state < 8; ++state)
        filters.push_back({.queue = queue, .tag = tag, .state = static_cast<job_state>(state), .before = {}});
    }
  }
  weft_test::with_connection(url_, [&](auto& session) {
    for (const auto& filter : filters) {
      postgres::parameters with;
      with.bigint(INT64_MAX).text(filter.queue).text(filter.tag);
      std::string plan;
      const auto rows = session.run("EXPLAIN " + postgres::list_statement(filter), with, {.prepare = false});
      for (std::size_t row = 0; row < rows.rows(); ++row) plan += std::string(rows.text(row, 0)) + "\n";
      for (const char* const large : {"weft_job", "weft_ready", "weft_scheduled", "weft_done"}) {
        EXPECT_EQ(plan.find("Seq Scan on " + std::string(large)), std::string::npos) << plan;
      }
    }
  });
}

}  // namespace weft::jobs
