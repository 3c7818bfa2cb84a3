#pragma once

// A database as the first schema kept it, with a job in each state: 1 ready, 2 scheduled, 3 running,
// 4 done, 5 dead, 6 cancelled, 7 quarantined.

namespace weft::inline v1::jobs {

inline constexpr const char* schema_1 = R"sql(
CREATE TABLE weft_meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO weft_meta VALUES ('schema_version', 1);
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
INSERT INTO weft_queue VALUES (1, 'mail');
INSERT INTO weft_handler VALUES (1, 'mail.welcome');
INSERT INTO weft_job SELECT value, 1, 1, 0, 100, CAST('envelope ' || value AS BLOB)
  FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 7) SELECT value FROM n);
INSERT INTO weft_ready VALUES (1, 0, 100, 1, 1, 2, 1, 0, 3);
INSERT INTO weft_scheduled VALUES (5000000, 2, 1, 0, 1, 0, 0, 0, 0);
INSERT INTO weft_worker VALUES (9, 'h', 1, 1, 'b', 1);
INSERT INTO weft_running (id, owner, queue, priority, handler, run_at, attempts, backoffs, crashes, fence, started)
  VALUES (3, 9, 1, 0, 1, 100, 0, 0, 0, 1, 200);
INSERT INTO weft_done VALUES (4, 1, 300, 0, 0, 0, 1);
INSERT INTO weft_attempt VALUES (4, 1, 1, 9, 0, 200, 300, NULL, NULL);
INSERT INTO weft_dead VALUES (5, 1, 4, 300, 3, 0, 0, 3), (6, 1, 5, 300, 0, 0, 0, 0), (7, 1, 6, 300, 0, 0, 3, 3);
)sql";

}  // namespace weft::inline v1::jobs
