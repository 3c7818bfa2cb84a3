#include "jobs/table_rules.hpp"

#include <array>
#include <string>

#include <weft/log/escape.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::size_t problems_max = 100;

/// The id of each job in each table of states.
#define WEFT_JOB_PLACES                                                                                      \
  "(SELECT id FROM weft_ready UNION ALL SELECT id FROM weft_scheduled UNION ALL SELECT id FROM weft_running" \
  " UNION ALL SELECT id FROM weft_blocked UNION ALL SELECT id FROM weft_done UNION ALL SELECT id FROM "      \
  "weft_dead)"

#define WEFT_WAITING                                                                             \
  "(SELECT id FROM weft_ready UNION ALL SELECT id FROM weft_scheduled UNION ALL SELECT id FROM " \
  "weft_blocked)"

/// The id and the flags of each job that a table has flags of.
#define WEFT_FLAGGED                                                                                       \
  "(SELECT id, flags FROM weft_ready UNION ALL SELECT id, flags FROM weft_scheduled UNION ALL SELECT id, " \
  "flags FROM weft_running UNION ALL SELECT id, flags FROM weft_blocked UNION ALL SELECT id, flags FROM "  \
  "weft_dead)"

constexpr std::array rules{
    table_rule{"is a job in no state", "SELECT id FROM weft_job WHERE id NOT IN " WEFT_JOB_PLACES},
    table_rule{"is in more than one state",
               "SELECT id FROM " WEFT_JOB_PLACES " p GROUP BY id HAVING count(*) > 1"},
    table_rule{"has a state and is no job",
               "SELECT id FROM " WEFT_JOB_PLACES " p WHERE id NOT IN (SELECT id FROM weft_job)"},
    table_rule{"is a job of a queue that is not there",
               "SELECT id FROM weft_job WHERE queue NOT IN (SELECT id FROM weft_queue)"},
    table_rule{"is a job of a closure that is not there",
               "SELECT id FROM weft_job WHERE handler NOT IN (SELECT id FROM weft_handler)"},
    table_rule{"runs, and its worker is not there",
               "SELECT id FROM weft_running WHERE owner NOT IN (SELECT id FROM weft_worker)"},
    table_rule{"has attempts and is no job",
               "SELECT DISTINCT job FROM weft_attempt WHERE job NOT IN (SELECT id FROM weft_job)"},
    table_rule{"has tags and is no job",
               "SELECT DISTINCT job FROM weft_tag WHERE job NOT IN (SELECT id FROM weft_job)"},
    table_rule{"has tags for another state than it is in",
               "SELECT DISTINCT t.job FROM weft_tag t JOIN (SELECT id, 1 AS state FROM weft_ready"
               " UNION ALL SELECT id, 1 FROM weft_running UNION ALL SELECT id, 0 FROM weft_scheduled"
               " UNION ALL SELECT id, 7 FROM weft_blocked UNION ALL SELECT id, 3 FROM weft_done"
               " UNION ALL SELECT id, state FROM weft_dead) s ON s.id = t.job WHERE t.state <> s.state"},
    table_rule{"has steps and is no job",
               "SELECT DISTINCT job FROM weft_step WHERE job NOT IN (SELECT id FROM weft_job)"},
    table_rule{"is to expire and does not wait",
               "SELECT job FROM weft_expiry WHERE job NOT IN " WEFT_WAITING},
    table_rule{"waits and is to expire, and nobody would see to it",
               "SELECT id FROM weft_job j WHERE expires IS NOT NULL AND id IN " WEFT_WAITING
               " AND NOT EXISTS (SELECT 1 FROM weft_expiry e WHERE e.job = j.id AND e.expires = j.expires)"},
    table_rule{"does not know rightly whether it has a unique key",
               "SELECT id FROM " WEFT_FLAGGED
               " f WHERE (flags & 1 <> 0) <> EXISTS (SELECT 1 FROM weft_unique WHERE job = id)"},
    table_rule{"does not know rightly whether it has tags",
               "SELECT id FROM " WEFT_FLAGGED
               " f WHERE (flags & 8 <> 0) <> EXISTS (SELECT 1 FROM weft_tag WHERE job = id)"},
    table_rule{"does not know rightly whether it is to expire",
               "SELECT f.id FROM " WEFT_FLAGGED
               " f JOIN weft_job j ON j.id = f.id WHERE (f.flags & 16 <> 0) <> (j.expires IS NOT NULL)"},
    table_rule{"holds a unique key and is no job",
               "SELECT job FROM weft_unique WHERE held = 1 AND job NOT IN (SELECT id FROM weft_job)"},
    table_rule{"waits for fewer or more jobs than it says",
               "SELECT id FROM weft_blocked b WHERE pending <> (SELECT count(*) FROM weft_dependency d WHERE "
               "d.child = b.id)"},
    table_rule{"waits for others and is not blocked",
               "SELECT DISTINCT child FROM weft_dependency WHERE child NOT IN (SELECT id FROM weft_blocked)"},
    table_rule{
        "counts other jobs than it has",
        "SELECT DISTINCT coalesce('queue \"' || (SELECT name FROM weft_queue q WHERE q.id = c.queue) || '\"',"
        " 'a queue that is not there') FROM (SELECT queue, state, handler, jobs FROM weft_count"
        " UNION ALL SELECT queue, 0, handler, -1 FROM weft_scheduled"
        " UNION ALL SELECT queue, 1, handler, -1 FROM weft_ready"
        " UNION ALL SELECT queue, 7, handler, -1 FROM weft_blocked"
        " UNION ALL SELECT queue, 3, 0, -1 FROM weft_done"
        " UNION ALL SELECT queue, state, 0, -1 FROM weft_dead) c"
        " GROUP BY queue, state, handler HAVING sum(jobs) <> 0"},
    table_rule{"is a job of a limit that is not there",
               "SELECT id FROM weft_job WHERE limit_id > 0 AND limit_id NOT IN (SELECT id FROM weft_limit)"},
    table_rule{"counts other jobs than run",
               "SELECT 'limit \"' || name || '\"' FROM weft_limit l WHERE running <>"
               " (SELECT count(*) FROM weft_running r WHERE r.limit_id = l.id)"},
};

#undef WEFT_FLAGGED
#undef WEFT_WAITING
#undef WEFT_JOB_PLACES

}  // namespace

std::span<const table_rule> common_table_rules() noexcept { return rules; }

void add_problem(database_report& to, std::string_view what) {
  if (to.problems.size() < problems_max) log::append_escaped(to.problems.emplace_back(), what);
}

void add_unnamed_problems(database_report& to, const table_rule& broken, std::int64_t count) {
  if (count <= shown_per_rule) return;
  add_problem(to, "and " + std::to_string(count - shown_per_rule) + " more of which each " + broken.broken);
}

}  // namespace weft::inline v1::jobs
