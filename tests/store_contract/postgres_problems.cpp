#include <array>
#include <string>

#include "store_contract/postgres_database.hpp"
#include "support/postgres_link.hpp"

// What must hold between the tables of jobs in PostgreSQL, each a query for the rows that break it, as
// src/jobs/sqlite/check.cpp has them for SQLite.

namespace weft::store_contract_support {
namespace {

struct rule {
  const char* broken;  ///< what a row that the query finds means; its first column says of what
  const char* query;
};

#define WEFT_JOB_PLACES                                                                                      \
  "(SELECT id FROM weft_ready UNION ALL SELECT id FROM weft_scheduled UNION ALL SELECT id FROM weft_running" \
  " UNION ALL SELECT id FROM weft_blocked UNION ALL SELECT id FROM weft_done UNION ALL SELECT id FROM "      \
  "weft_dead)"
#define WEFT_WAITING                                                                             \
  "(SELECT id FROM weft_ready UNION ALL SELECT id FROM weft_scheduled UNION ALL SELECT id FROM " \
  "weft_blocked)"
#define WEFT_FLAGGED                                                                                       \
  "(SELECT id, flags FROM weft_ready UNION ALL SELECT id, flags FROM weft_scheduled UNION ALL SELECT id, " \
  "flags FROM weft_running UNION ALL SELECT id, flags FROM weft_blocked UNION ALL SELECT id, flags FROM "  \
  "weft_dead)"

constexpr std::array rules{
    rule{"is a job in no state", "SELECT id FROM weft_job WHERE id NOT IN " WEFT_JOB_PLACES},
    rule{"is in more than one state", "SELECT id FROM " WEFT_JOB_PLACES " p GROUP BY id HAVING count(*) > 1"},
    rule{"has a state and is no job",
         "SELECT id FROM " WEFT_JOB_PLACES " p WHERE id NOT IN (SELECT id FROM weft_job)"},
    rule{"is of a queue, closure or line that is not there",
         "SELECT id FROM weft_job j WHERE NOT EXISTS (SELECT 1 FROM weft_line l JOIN weft_queue q ON q.id = "
         "l.queue"
         " JOIN weft_handler h ON h.id = l.handler WHERE l.queue = j.queue AND l.handler = j.handler)"},
    rule{"runs, and its worker is not there",
         "SELECT id FROM weft_running WHERE owner NOT IN (SELECT id FROM weft_worker)"},
    rule{"has attempts and is no job",
         "SELECT DISTINCT job FROM weft_attempt WHERE job NOT IN (SELECT id FROM weft_job)"},
    rule{"has tags and is no job",
         "SELECT DISTINCT job FROM weft_tag WHERE job NOT IN (SELECT id FROM weft_job)"},
    rule{"has tags for another state than it is in",
         "SELECT DISTINCT t.job FROM weft_tag t JOIN (SELECT id, 1 AS state FROM weft_ready"
         " UNION ALL SELECT id, 1 FROM weft_running UNION ALL SELECT id, 0 FROM weft_scheduled"
         " UNION ALL SELECT id, 7 FROM weft_blocked UNION ALL SELECT id, 3 FROM weft_done"
         " UNION ALL SELECT id, state FROM weft_dead) s ON s.id = t.job WHERE t.state <> s.state"},
    rule{"has steps and is no job",
         "SELECT DISTINCT job FROM weft_step WHERE job NOT IN (SELECT id FROM weft_job)"},
    rule{"is to expire and does not wait", "SELECT job FROM weft_expiry WHERE job NOT IN " WEFT_WAITING},
    rule{"waits and is to expire, and nobody would see to it",
         "SELECT id FROM weft_job WHERE expires IS NOT NULL AND id IN " WEFT_WAITING
         " AND expires IS DISTINCT FROM (SELECT expires FROM weft_expiry WHERE job = weft_job.id)"},
    rule{"does not know rightly whether it has a unique key",
         "SELECT id FROM " WEFT_FLAGGED
         " f WHERE (flags & 1 <> 0) <> EXISTS (SELECT 1 FROM weft_unique WHERE job = id)"},
    rule{"does not know rightly whether it has tags",
         "SELECT id FROM " WEFT_FLAGGED
         " f WHERE (flags & 8 <> 0) <> EXISTS (SELECT 1 FROM weft_tag WHERE job = id)"},
    rule{"does not know rightly whether it is to expire",
         "SELECT f.id FROM " WEFT_FLAGGED
         " f JOIN weft_job j ON j.id = f.id WHERE (f.flags & 16 <> 0) <> (j.expires IS NOT NULL)"},
    rule{"does not know that it waits for others",
         "SELECT id FROM " WEFT_FLAGGED
         " f WHERE flags & 4 = 0 AND NOT EXISTS (SELECT 1 FROM weft_blocked b WHERE b.id = f.id)"
         " AND EXISTS (SELECT 1 FROM weft_dependency WHERE child = id)"},
    rule{"holds a unique key and is no job",
         "SELECT job FROM weft_unique WHERE held = 1 AND job NOT IN (SELECT id FROM weft_job)"},
    rule{"waits for fewer or more jobs than it says",
         "SELECT id FROM weft_blocked WHERE pending <> (SELECT count(*) FROM weft_dependency WHERE child = "
         "id)"},
    rule{"waits for others and is not blocked",
         "SELECT DISTINCT child FROM weft_dependency WHERE child NOT IN (SELECT id FROM weft_blocked)"},
    rule{
        "waits for an end that has come",
        "SELECT d.child FROM weft_dependency d WHERE EXISTS (SELECT 1 FROM weft_done e WHERE e.id = d.parent)"
        " OR (d.even_if_given_up AND EXISTS (SELECT 1 FROM weft_dead e WHERE e.id = d.parent))"},
    rule{"is a queue that counts other jobs than it has",
         "SELECT DISTINCT queue::bigint FROM (SELECT queue, state, handler, jobs FROM weft_count"
         " UNION ALL SELECT queue, 0, handler, -1 FROM weft_scheduled"
         " UNION ALL SELECT queue, 1, handler, -1 FROM weft_ready"
         " UNION ALL SELECT queue, 7, handler, -1 FROM weft_blocked"
         " UNION ALL SELECT queue, 3, 0, -1 FROM weft_done"
         " UNION ALL SELECT queue, state, 0, -1 FROM weft_dead) c"
         " GROUP BY queue, state, handler HAVING sum(jobs) <> 0"},
    rule{"is a job of a limit that is not there",
         "SELECT id FROM weft_job WHERE limit_id > 0 AND limit_id NOT IN (SELECT id FROM weft_limit)"},
    rule{"is a limit that counts other jobs than run",
         "SELECT id FROM weft_limit l WHERE running <> (SELECT count(*) FROM weft_running r WHERE r.limit_id "
         "= l.id)"},
};

}  // namespace

std::vector<std::string> postgres_problems(const std::string& url) {
  std::vector<std::string> found;
  weft_test::with_connection(url, [&](auto& session) {
    session.run("SET search_path = weft");
    for (const auto& one : rules) {
      const auto rows = session.run(one.query);
      for (std::size_t row = 0; row < rows.rows() && row < 5; ++row) {
        found.push_back(std::to_string(rows.integer(row, 0)) + ' ' + one.broken);
      }
    }
  });
  return found;
}

}  // namespace weft::store_contract_support
