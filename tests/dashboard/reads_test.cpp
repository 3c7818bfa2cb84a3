#include <string>
#include <vector>

#include "dashboard/every_answer.hpp"
#include "dashboard/many_jobs.hpp"
#include "jobs/statement_log.hpp"

// How the database goes about what the pages ask for: no answer, and no bulk action, reads a table of jobs
// from its first row to its last.

namespace weft::dashboard {
namespace {

class dashboard_reads : public dashboard_many {
 protected:
  /// Besides, some that are scheduled, tags and steps.
  void fill_all() {
    fill();
    store_.reset();
    many_->run(
        "INSERT INTO weft_tag (job, state, tag) SELECT id, 4, 'eu' FROM weft_dead WHERE id < 4000000000;"
        "INSERT INTO weft_step (job, name, value) SELECT id, 'charge', envelope FROM weft_job"
        " WHERE id < 4000000000 AND limit_id = 0;"
        "INSERT INTO weft_job (id, created, limit_id, queue, handler, priority, envelope)"
        " SELECT -j.id, created, 0, j.queue, j.handler, 0, envelope FROM weft_job j JOIN weft_ready r ON "
        "r.id = j.id;"
        "INSERT INTO weft_scheduled (id, run_at, fence, limit_id, queue, handler, priority, attempts, "
        "backoffs,"
        " crashes, flags) SELECT -id, run_at, 0, 0, queue, handler, 0, 0, 0, 0, 0 FROM weft_ready; ANALYZE");
  }
  /// By a store of its own, which has ended when this returns.
  void ask_for_everything() {
    store_ = jobs::open_store(many_->url());
    serve([&] {
      const auto newest = text_of(list_of(json("/jobs?state=dead&limit=1"), "jobs").at(0), "id");
      const auto group = text_of(list_of(errors_of(1), "groups").at(0), "key");
      for (const auto& path : weft_test::every_answer(newest, group))
        EXPECT_EQ(get(path).status(), 200) << path;
      std::vector<std::string> confirmed;
      for (const std::string& what :
           {"group=" + group, std::string("queue=mail"), std::string("error=such")}) {
        const auto counted =
            posted("/bulk/count", R"({"action":"retry","filter":"state=dead&)" + what + "\"}");
        EXPECT_GT(number_of(counted, "jobs"), 0) << what;
        confirmed.push_back("{\"token\":\"" + text_of(counted, "token") + "\"}");
      }
      for (const auto& one : confirmed) posted("/bulk/run", one);
      for (const char* const action : {"retry", "cancel", "delete"})
        posted("/jobs/" + newest + "/" + action, "");
    });
    store_.reset();
  }
  /// SQLite: how it would go about each statement that was asked.
  void explain_each_statement() {
    const jobs::statement_log log;
    ask_for_everything();
    const std::string path = many_->url().substr(std::string("sqlite:").size());
    std::size_t explained = 0;
    for (const auto& text : log.seen()) {
      if (!jobs::is_of_jobs(text) || text.ends_with("FROM weft_schedule ORDER BY name"))
        continue;  // that lists them all
      ++explained;
      for (const auto& step : jobs::run_sql(path, "EXPLAIN QUERY PLAN " + text)) {
        EXPECT_FALSE(jobs::reads_whole_table(step)) << step << " in " << text;
        EXPECT_EQ(step.find("TEMP B-TREE FOR ORDER BY"), std::string::npos) << step << " in " << text;
      }
    }
    EXPECT_GT(explained, 20U) << "it sees the statements";
  }
  /// PostgreSQL: how often it has read each table as a whole.
  void count_whole_reads() {
    // Sessions tell what they did when they end.
    const std::string when_all_have_ended =
        "DO $$ BEGIN LOOP PERFORM pg_stat_clear_snapshot(); EXIT WHEN NOT EXISTS (SELECT 1 FROM "
        "pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client "
        "backend');"
        " PERFORM pg_sleep(0.01); END LOOP; END $$; ";
    const std::string reads =
        "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE schemaname = 'weft' AND relname IN "
        "('weft_job',"
        " 'weft_ready', 'weft_scheduled', 'weft_blocked', 'weft_done', 'weft_dead', 'weft_attempt', "
        "'weft_tag',"
        " 'weft_step')";
    many_->run(when_all_have_ended +
               "DROP TABLE IF EXISTS public.reads_before; CREATE TABLE public.reads_before AS " + reads);
    ask_for_everything();
    EXPECT_NO_THROW(many_->run(
        when_all_have_ended +
        "DO $$ DECLARE v_read text; BEGIN ASSERT (SELECT count(*) = 9 FROM public.reads_before), 'nine "
        "tables';"
        " SELECT string_agg(now.relname, ', ') INTO v_read FROM (" +
        reads +
        ") now JOIN public.reads_before b USING (relname) WHERE now.seq_scan > b.seq_scan;"
        " IF v_read IS NOT NULL THEN RAISE EXCEPTION 'read as a whole: %', v_read; END IF; END $$"));
  }
};

TEST_F(dashboard_reads, nothing_reads_a_large_table_from_its_first_row_to_its_last) {
  fill_all();
  if (jobs::test_database::is_postgres())
    count_whole_reads();
  else
    explain_each_statement();
}

}  // namespace
}  // namespace weft::dashboard
