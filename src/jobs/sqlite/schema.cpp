#include "jobs/sqlite/schema.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <weft/core/error.hpp>

#include "jobs/sqlite/connection.hpp"

// The tables share the file with the user's own, so each name begins with weft_.
//
// weft_job is written at the push and then only read. A waiting job has one row in weft_ready, weft_scheduled
// or weft_blocked, a claimed one in weft_running, an ended one in weft_done or weft_dead: a job is in
// exactly one of these, and moves between them within one transaction. Claiming walks the primary
// key of weft_ready, a range for each closure, priority and limit, so its cost does not depend on how many
// jobs wait, also of closures that the worker does not know, or have ended.
//
// Moments are microseconds of UTC. Numbers of states are never given a new meaning.

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr const char* tables_1 = R"sql(
CREATE TABLE weft_queue (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE weft_handler (
  id INTEGER PRIMARY KEY,
  identity TEXT NOT NULL UNIQUE
);
CREATE TABLE weft_job (
  id INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL,
  handler INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  created INTEGER NOT NULL,
  envelope BLOB NOT NULL
);
CREATE TABLE weft_ready (
  queue INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  id INTEGER NOT NULL,
  handler INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  backoffs INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  PRIMARY KEY (queue, priority, run_at, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX weft_ready_id ON weft_ready (id);
CREATE TABLE weft_scheduled (
  run_at INTEGER NOT NULL,
  id INTEGER NOT NULL,
  queue INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  handler INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  backoffs INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  PRIMARY KEY (run_at, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX weft_scheduled_id ON weft_scheduled (id);
CREATE TABLE weft_running (
  id INTEGER PRIMARY KEY,
  owner INTEGER NOT NULL,
  queue INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  handler INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  backoffs INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  started INTEGER NOT NULL,
  cancel INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX weft_running_owner ON weft_running (owner);
CREATE TABLE weft_worker (
  id INTEGER PRIMARY KEY,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  pid_started INTEGER NOT NULL,
  build TEXT NOT NULL,
  beat INTEGER NOT NULL
);
CREATE TABLE weft_done (
  id INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  backoffs INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  fence INTEGER NOT NULL
);
CREATE INDEX weft_done_finished ON weft_done (finished);
CREATE TABLE weft_dead (
  id INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL,
  state INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  backoffs INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  fence INTEGER NOT NULL
);
CREATE INDEX weft_dead_finished ON weft_dead (finished);
CREATE TABLE weft_attempt (
  job INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  error BLOB,
  records BLOB,
  PRIMARY KEY (job, fence)
) WITHOUT ROWID;
)sql";

// Flags of a job, as it is carried through the tables of the living and the given up: 1 it has a row in
// weft_unique. Its key is in force while `held` is 1, by the job, or 2, for the rest of its period.
constexpr const char* tables_2 = R"sql(
ALTER TABLE weft_queue ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_ready ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_scheduled ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_running ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_running ADD COLUMN progress_done INTEGER;
ALTER TABLE weft_running ADD COLUMN progress_total INTEGER;
ALTER TABLE weft_running ADD COLUMN progress_note TEXT;
ALTER TABLE weft_dead ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
CREATE TABLE weft_unique (
  job INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  until INTEGER NOT NULL,
  at_least INTEGER NOT NULL,
  held INTEGER NOT NULL
);
CREATE UNIQUE INDEX weft_unique_key ON weft_unique (key) WHERE held > 0;
CREATE INDEX weft_unique_period ON weft_unique (at_least) WHERE held = 2;
CREATE TABLE weft_tag (
  job INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (job, tag)
) WITHOUT ROWID;
CREATE INDEX weft_tag_name ON weft_tag (tag, job);
CREATE TABLE weft_result (
  job INTEGER PRIMARY KEY,
  value BLOB NOT NULL
);
)sql";

// A job with a limit carries its number along; `running` of a limit counts those in weft_running. A blocked
// job waits for as many jobs as `pending` says, each a row of weft_dependency, or else for its limit. Flags:
// 2 jobs wait for this one, 4 it was pushed behind others.
constexpr const char* tables_3 = R"sql(
ALTER TABLE weft_job ADD COLUMN limit_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_ready ADD COLUMN limit_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_scheduled ADD COLUMN limit_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_running ADD COLUMN limit_id INTEGER NOT NULL DEFAULT 0;
CREATE TABLE weft_limit (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  max INTEGER NOT NULL,
  running INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE weft_blocked (
  id INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  handler INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  backoffs INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  limit_id INTEGER NOT NULL,
  pending INTEGER NOT NULL
);
CREATE INDEX weft_blocked_limit ON weft_blocked (limit_id, queue, priority, run_at, id) WHERE pending = 0;
CREATE TABLE weft_dependency (
  parent INTEGER NOT NULL,
  child INTEGER NOT NULL,
  even_if_given_up INTEGER NOT NULL,
  PRIMARY KEY (parent, child)
) WITHOUT ROWID;
CREATE INDEX weft_dependency_child ON weft_dependency (child);
)sql";

// A schedule is looked at when `next` has come; `last` is up to when its times were seen to.
constexpr const char* tables_4 = R"sql(
CREATE TABLE weft_schedule (
  name TEXT PRIMARY KEY,
  queue INTEGER NOT NULL,
  timing TEXT NOT NULL,
  envelope BLOB NOT NULL,
  last INTEGER NOT NULL,
  next INTEGER NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX weft_schedule_next ON weft_schedule (next) WHERE paused = 0;
)sql";

constexpr const char* tables_5 = R"sql(
CREATE TABLE weft_step (
  job INTEGER NOT NULL,
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (job, name)
);
)sql";

// Ids of a queue in their order, and in each state, for lists; and how many jobs of a queue are in a state,
// by handler while they wait. Running ones are not counted.
constexpr const char* tables_6 = R"sql(
CREATE INDEX weft_job_queue ON weft_job (queue);
CREATE INDEX weft_ready_queue ON weft_ready (queue, id);
CREATE INDEX weft_scheduled_queue ON weft_scheduled (queue, id);
CREATE INDEX weft_running_queue ON weft_running (queue);
CREATE INDEX weft_blocked_queue ON weft_blocked (queue);
CREATE INDEX weft_done_queue ON weft_done (queue);
CREATE INDEX weft_dead_state ON weft_dead (state);
CREATE INDEX weft_dead_queue ON weft_dead (state, queue);
CREATE TABLE weft_count (
  queue INTEGER NOT NULL,
  state INTEGER NOT NULL,
  handler INTEGER NOT NULL,
  jobs INTEGER NOT NULL,
  PRIMARY KEY (queue, state, handler)
) WITHOUT ROWID;
INSERT INTO weft_count
  SELECT queue, 0, handler, count(*) FROM weft_scheduled GROUP BY queue, handler
  UNION ALL SELECT queue, 1, handler, count(*) FROM weft_ready GROUP BY queue, handler
  UNION ALL SELECT queue, 7, handler, count(*) FROM weft_blocked GROUP BY queue, handler
  UNION ALL SELECT queue, 3, 0, count(*) FROM weft_done GROUP BY queue
  UNION ALL SELECT queue, state, 0, count(*) FROM weft_dead GROUP BY queue, state;
)sql";

// Ready jobs by closure, so that a claim meets none whose closure its worker does not know; blocked ones too,
// so that such a job does not keep others from the room in their limit. `jobs` of a limit counts the rows of
// weft_job that name it: nobody needs it at 0. A row of weft_unique whose job was deleted holds its key by 3.
constexpr const char* tables_7 = R"sql(
CREATE TABLE weft_ready_by_closure (
  queue INTEGER NOT NULL,
  handler INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  id INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  backoffs INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  limit_id INTEGER NOT NULL,
  PRIMARY KEY (queue, handler, priority, run_at, id)
) WITHOUT ROWID;
INSERT INTO weft_ready_by_closure
  SELECT queue, handler, priority, run_at, id, attempts, backoffs, crashes, fence, flags, limit_id
  FROM weft_ready ORDER BY queue, handler, priority, run_at, id;
DROP TABLE weft_ready;
ALTER TABLE weft_ready_by_closure RENAME TO weft_ready;
CREATE UNIQUE INDEX weft_ready_id ON weft_ready (id);
CREATE INDEX weft_ready_queue ON weft_ready (queue, id);
CREATE INDEX weft_ready_limit ON weft_ready (limit_id, queue, handler) WHERE limit_id > 0;
DROP INDEX weft_blocked_limit;
CREATE INDEX weft_blocked_limit ON weft_blocked (limit_id, queue, handler, priority, run_at, id)
  WHERE pending = 0;
ALTER TABLE weft_limit ADD COLUMN jobs INTEGER NOT NULL DEFAULT 0;
UPDATE weft_limit SET jobs = counted.jobs
  FROM (SELECT limit_id, count(*) AS jobs FROM weft_job WHERE limit_id > 0 GROUP BY limit_id) AS counted
  WHERE counted.limit_id = weft_limit.id;
CREATE INDEX weft_limit_unused ON weft_limit (id) WHERE jobs = 0;
DELETE FROM weft_unique WHERE held = 0 AND job NOT IN (SELECT id FROM weft_job);
UPDATE weft_unique SET held = 3 WHERE held = 2 AND job NOT IN (SELECT id FROM weft_job);
DROP INDEX weft_unique_period;
CREATE INDEX weft_unique_period ON weft_unique (at_least) WHERE held = 3;
)sql";

// Rates: see token_bucket.hpp. `wake_at` is when there is a token for the jobs that wait for one.
constexpr const char* tables_8 = R"sql(
ALTER TABLE weft_limit ADD COLUMN token_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_limit ADD COLUMN burst INTEGER NOT NULL DEFAULT 1;
ALTER TABLE weft_limit ADD COLUMN full_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weft_limit ADD COLUMN wake_at INTEGER;
CREATE INDEX weft_limit_wake ON weft_limit (wake_at) WHERE wake_at IS NOT NULL;
DROP INDEX weft_limit_unused;
CREATE INDEX weft_limit_unused ON weft_limit (full_at) WHERE jobs = 0;
)sql";

// When a limit began to wait for its next token, as far as it knew.
constexpr const char* tables_9 = R"sql(
CREATE INDEX weft_limit_wait ON weft_limit (wake_at - token_ns / 1000) WHERE wake_at IS NOT NULL;
)sql";

// Due schedules by queue; and tags with the state of their job, so that a list by both passes over no others.
// A job that runs keeps `ready` there. Flags: 8 the job has tags.
constexpr const char* tables_10 = R"sql(
DROP INDEX weft_schedule_next;
CREATE INDEX weft_schedule_due ON weft_schedule (queue, next) WHERE paused = 0;
ALTER TABLE weft_tag ADD COLUMN state INTEGER NOT NULL DEFAULT 1;
UPDATE weft_tag SET state = coalesce(
  (SELECT 3 FROM weft_done s WHERE s.id = weft_tag.job),
  (SELECT state FROM weft_dead s WHERE s.id = weft_tag.job),
  (SELECT 0 FROM weft_scheduled s WHERE s.id = weft_tag.job),
  (SELECT 7 FROM weft_blocked s WHERE s.id = weft_tag.job), 1);
DROP INDEX weft_tag_name;
CREATE INDEX weft_tag_name ON weft_tag (tag, state, job);
UPDATE weft_ready SET flags = flags | 8 WHERE id IN (SELECT job FROM weft_tag WHERE state = 1);
UPDATE weft_running SET flags = flags | 8 WHERE id IN (SELECT job FROM weft_tag WHERE state = 1);
UPDATE weft_scheduled SET flags = flags | 8 WHERE id IN (SELECT job FROM weft_tag WHERE state = 0);
UPDATE weft_blocked SET flags = flags | 8 WHERE id IN (SELECT job FROM weft_tag WHERE state = 7);
UPDATE weft_dead SET flags = flags | 8 WHERE id IN (SELECT job FROM weft_tag WHERE state NOT IN (0, 1, 3, 7));
)sql";

// Jobs that wait and expire; flags: 16 the job is one that has a moment for that.
constexpr const char* tables_11 = R"sql(
ALTER TABLE weft_job ADD COLUMN expires INTEGER;
CREATE TABLE weft_expiry (
  job INTEGER PRIMARY KEY,
  expires INTEGER NOT NULL
);
CREATE INDEX weft_expiry_at ON weft_expiry (expires);
)sql";

// Ready jobs by limit, so that limits take turns; `turn` of a queue is the limit that had the last one.
// Numbers of new limits are those of turn_of_limit().
constexpr const char* tables_12 = R"sql(
ALTER TABLE weft_queue ADD COLUMN turn INTEGER NOT NULL DEFAULT -1;
CREATE TABLE weft_ready_by_limit (
  queue INTEGER NOT NULL,
  handler INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  limit_id INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  id INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  backoffs INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  PRIMARY KEY (queue, handler, priority, limit_id, run_at, id)
) WITHOUT ROWID;
INSERT INTO weft_ready_by_limit
  SELECT queue, handler, priority, limit_id, run_at, id, attempts, backoffs, crashes, fence, flags
  FROM weft_ready ORDER BY queue, handler, priority, limit_id, run_at, id;
DROP TABLE weft_ready;
ALTER TABLE weft_ready_by_limit RENAME TO weft_ready;
CREATE UNIQUE INDEX weft_ready_id ON weft_ready (id);
CREATE INDEX weft_ready_queue ON weft_ready (queue, id);
CREATE INDEX weft_ready_limit ON weft_ready (limit_id, queue, handler) WHERE limit_id > 0;
)sql";

// Fewer indexes, as each costs a page at every push, claim or end. A ready job is found by its queue, which
// its row of weft_job says; lists of a queue merge those of its states; and what runs is few.
constexpr const char* tables_13 = R"sql(
DROP INDEX weft_job_queue;
DROP INDEX weft_ready_id;
DROP INDEX weft_running_owner;
DROP INDEX weft_running_queue;
CREATE INDEX weft_running_cancel ON weft_running (owner) WHERE cancel = 1;
)sql";

// Limits that somebody has set, so that pushes do not change them.
constexpr const char* tables_14 = R"sql(
ALTER TABLE weft_limit ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
)sql";

// One entry a version; an entry that was released is never changed.
constexpr std::array<const char*, schema_version> migrations{
    tables_1, tables_2, tables_3,  tables_4,  tables_5,  tables_6,  tables_7,
    tables_8, tables_9, tables_10, tables_11, tables_12, tables_13, tables_14};

int version_of(connection& database) {
  statement query(database.handle(), "SELECT value FROM weft_meta WHERE name = 'schema_version'",
                  "read the schema version");
  return query.step() ? static_cast<int>(query.integer(0)) : 0;
}

void check_version(connection& database, int found) {
  if (found >= 0 && found <= schema_version) return;
  throw error(errc::unsupported, "jobs: open the database \"" + database.path() +
                                     "\": its schema has version " + std::to_string(found) +
                                     ", this build knows up to " + std::to_string(schema_version) +
                                     "; use a newer build");
}

void store_version(connection& database, int version) {
  statement change(database.handle(),
                   "INSERT OR REPLACE INTO weft_meta (name, value) VALUES ('schema_version', ?)",
                   "store the schema version");
  change.bind(std::int64_t{version}).run();
}

/// One step, or all of a new file; false when there was nothing left to do.
bool migrate_one(connection& database, std::chrono::milliseconds busy_timeout, int to) {
  database.begin(true, busy_timeout);
  try {
    database.execute("CREATE TABLE IF NOT EXISTS weft_meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
                     "make the tables");
    const int found = version_of(database);
    check_version(database, found);
    const int reached = found == 0 ? to : found + 1;
    for (int version = found; version < std::min(reached, to); ++version)
      database.execute(migrations[static_cast<std::size_t>(version)], "make the tables");
    if (found < to) store_version(database, reached);
    database.commit();
    return found < to;
  } catch (...) {
    database.rollback();
    throw;
  }
}

bool is_current(connection& database) { return checked_version(database) == schema_version; }

}  // namespace

const char* migration_text(int version) noexcept { return migrations[static_cast<std::size_t>(version - 1)]; }

void schema_watch::check() {
  const std::int64_t now = connection_.data_version();
  if (checked_ == now) return;
  const int found = version_of(connection_);
  if (found != schema_version) {
    throw error(errc::unsupported, "jobs: use the database \"" + connection_.path() +
                                       "\": another process has brought its schema to version " +
                                       std::to_string(found) + ", this build needs " +
                                       std::to_string(schema_version) +
                                       "; restart this process with the build of that one");
  }
  checked_ = now;
}

int stored_version(connection& database) {
  statement query(database.handle(), "SELECT 1 FROM sqlite_schema WHERE name = 'weft_meta'",
                  "look at the schema");
  return query.step() ? version_of(database) : 0;
}

int checked_version(connection& database) {
  const int found = stored_version(database);
  check_version(database, found);
  return found;
}

void expect_current(connection& database) {
  if (is_current(database)) return;
  throw error(errc::unsupported,
              "jobs: open the database \"" + database.path() + "\": its schema has version " +
                  std::to_string(stored_version(database)) + ", this build needs " +
                  std::to_string(schema_version) +
                  "; `weft db migrate` brings it up to date, and earlier builds then refuse it");
}

void migrate(connection& database, std::chrono::milliseconds busy_timeout, int to) {
  if (checked_version(database) >= to) return;
  while (migrate_one(database, busy_timeout, to)) {
  }
}

}  // namespace weft::inline v1::jobs::sqlite
