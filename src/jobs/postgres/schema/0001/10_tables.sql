-- The tables of jobs. All of weft is in the schema weft, so that it shares a database with the user's tables.
--
-- weft_job is written at the push and then only read. A waiting job has one row in weft_ready, weft_scheduled or
-- weft_blocked, a claimed one in weft_running, an ended one in weft_done or weft_dead: a job is in exactly one of
-- these, and moves between them within one transaction. A row is inserted and deleted, hardly ever updated.
--
-- Many write at once. What keeps them right and apart:
-- * Whoever moves a job has locked its row in the table of its state. Claims take rows that nobody has locked.
-- * Rows of limits are locked (FOR NO KEY UPDATE) by who changes what of a limit runs or waits; a push refers to
--   one (FOR KEY SHARE) and holds up nobody. Locks are taken in one order: jobs by id, then limits by id.
-- * No row is changed by every push: a push may be a part of somebody's long transaction. So weft_count gains
--   rows, which are summed up now and then, and queues, closures and lines get their rows before the push.
--
-- A plan is made once for a session, perhaps while a table is empty, and has to be as good for millions of rows. So
-- each statement that is run often has one index that it can use at all: others have a condition that always holds
-- (queue > 0, limit_id >= 0), and serve only who asks with it. The settings of the functions that clients call are
-- for that, too: one plan, of index scans and nested loops, and never compiled, which takes longer than any of them.
--
-- Moments are microseconds of UTC. Numbers of states are those of jobs::job_state: 0 scheduled, 1 ready,
-- 2 running, 3 done, 4 dead, 5 cancelled, 6 quarantined, 7 blocked. Flags of a job: 1 it has a row in weft_unique,
-- 4 it was pushed behind others, 8 it has tags, 16 it is one that expires.

-- Rows of these three are never deleted or renamed: clients keep their numbers.
CREATE TABLE weft_queue (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  paused boolean NOT NULL DEFAULT false
);
CREATE TABLE weft_handler (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  identity text COLLATE "C" NOT NULL UNIQUE
);
-- Which closures a queue has had jobs of.
CREATE TABLE weft_line (
  queue integer NOT NULL,
  handler integer NOT NULL,
  PRIMARY KEY (queue, handler)
);
-- The limit that had the last turn in a queue.
CREATE TABLE weft_turn (
  queue integer PRIMARY KEY,
  turn bigint NOT NULL
);

CREATE TABLE weft_job (
  id bigint PRIMARY KEY,
  created bigint NOT NULL,
  expires bigint,
  limit_id bigint NOT NULL,
  queue integer NOT NULL,
  handler integer NOT NULL,
  priority integer NOT NULL,
  envelope bytea NOT NULL
);
CREATE INDEX weft_job_limit ON weft_job (limit_id) WHERE limit_id > 0;

-- What a job carries along through the tables of the living, in their first columns.
CREATE TYPE weft_place AS (
  id bigint,
  run_at bigint,
  fence bigint,
  limit_id bigint,
  queue integer,
  handler integer,
  priority integer,
  attempts integer,
  backoffs integer,
  crashes integer,
  flags integer
);
CREATE TABLE weft_ready (
  id bigint PRIMARY KEY,
  run_at bigint NOT NULL,
  fence bigint NOT NULL,
  limit_id bigint NOT NULL,
  queue integer NOT NULL,
  handler integer NOT NULL,
  priority integer NOT NULL,
  attempts integer NOT NULL,
  backoffs integer NOT NULL,
  crashes integer NOT NULL,
  flags integer NOT NULL
);
CREATE INDEX weft_ready_queue ON weft_ready (queue, id) WHERE queue > 0;
-- A claim reads a range of it: closures that its worker does not know are not in its way.
CREATE UNIQUE INDEX weft_ready_line ON weft_ready (queue, handler, priority, limit_id, run_at, id)
  WHERE limit_id >= 0;
CREATE INDEX weft_ready_limit ON weft_ready (limit_id, queue, handler) WHERE limit_id > 0 AND queue > 0;
CREATE TABLE weft_scheduled (
  id bigint PRIMARY KEY,
  run_at bigint NOT NULL,
  fence bigint NOT NULL,
  limit_id bigint NOT NULL,
  queue integer NOT NULL,
  handler integer NOT NULL,
  priority integer NOT NULL,
  attempts integer NOT NULL,
  backoffs integer NOT NULL,
  crashes integer NOT NULL,
  flags integer NOT NULL
);
CREATE INDEX weft_scheduled_due ON weft_scheduled (run_at, id);
CREATE INDEX weft_scheduled_queue ON weft_scheduled (queue, id) WHERE queue > 0;
-- One waits for as many jobs as `pending` says, each a row of weft_dependency, or else for its limit.
CREATE TABLE weft_blocked (
  id bigint PRIMARY KEY,
  run_at bigint NOT NULL,
  fence bigint NOT NULL,
  limit_id bigint NOT NULL,
  queue integer NOT NULL,
  handler integer NOT NULL,
  priority integer NOT NULL,
  attempts integer NOT NULL,
  backoffs integer NOT NULL,
  crashes integer NOT NULL,
  flags integer NOT NULL,
  pending integer NOT NULL
);
CREATE INDEX weft_blocked_queue ON weft_blocked (queue, id) WHERE queue > 0;
CREATE INDEX weft_blocked_limit ON weft_blocked (limit_id, queue, handler, priority, run_at, id)
  WHERE pending = 0;
CREATE TABLE weft_running (
  id bigint PRIMARY KEY,
  run_at bigint NOT NULL,
  fence bigint NOT NULL,
  limit_id bigint NOT NULL,
  queue integer NOT NULL,
  handler integer NOT NULL,
  priority integer NOT NULL,
  attempts integer NOT NULL,
  backoffs integer NOT NULL,
  crashes integer NOT NULL,
  flags integer NOT NULL,
  cancel boolean NOT NULL DEFAULT false,
  owner bigint NOT NULL,
  started bigint NOT NULL,
  progress_done bigint,
  progress_total bigint,
  progress_note text
);
CREATE INDEX weft_running_cancel ON weft_running (owner) WHERE cancel;
-- With its last attempt; those before it are in weft_attempt.
CREATE TABLE weft_done (
  id bigint PRIMARY KEY,
  finished bigint NOT NULL,
  fence bigint NOT NULL,
  owner bigint,
  started bigint,
  ended bigint,
  queue integer NOT NULL,
  attempts integer NOT NULL,
  backoffs integer NOT NULL,
  crashes integer NOT NULL,
  attempt integer,
  outcome integer,
  error bytea,
  records bytea,
  result bytea
);
CREATE INDEX weft_done_finished ON weft_done (finished);
CREATE INDEX weft_done_queue ON weft_done (queue, id) WHERE queue > 0;
CREATE TABLE weft_dead (
  id bigint PRIMARY KEY,
  finished bigint NOT NULL,
  fence bigint NOT NULL,
  queue integer NOT NULL,
  state integer NOT NULL,
  attempts integer NOT NULL,
  backoffs integer NOT NULL,
  crashes integer NOT NULL,
  flags integer NOT NULL
);
CREATE INDEX weft_dead_finished ON weft_dead (finished);
CREATE INDEX weft_dead_state ON weft_dead (state, id);
CREATE INDEX weft_dead_queue ON weft_dead (state, queue, id) WHERE queue > 0;

CREATE TABLE weft_worker (
  id bigint PRIMARY KEY,
  pid bigint NOT NULL,
  pid_started bigint NOT NULL,
  beat bigint NOT NULL,
  host text NOT NULL,
  build text NOT NULL
) WITH (fillfactor = 50);
-- The worker that does what one should do for all; it may have gone.
CREATE TABLE weft_leader (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  worker bigint NOT NULL
);
INSERT INTO weft_leader (worker) VALUES (0);
CREATE TABLE weft_attempt (
  job bigint NOT NULL,
  fence bigint NOT NULL,
  owner bigint NOT NULL,
  started bigint NOT NULL,
  ended bigint NOT NULL,
  attempt integer NOT NULL,
  outcome integer NOT NULL,
  error bytea,
  records bytea,
  PRIMARY KEY (job, fence)
);
-- A job's key is in force while `held` is 1, by the job, 2, for the rest of its period, or 3, the same when the job
-- was deleted.
CREATE TABLE weft_unique (
  job bigint PRIMARY KEY,
  at_least bigint NOT NULL,
  until integer NOT NULL,
  held integer NOT NULL,
  key bytea NOT NULL
);
CREATE UNIQUE INDEX weft_unique_key ON weft_unique (key) WHERE held > 0;
CREATE INDEX weft_unique_period ON weft_unique (at_least) WHERE held = 3;
-- `state` is that of the job, so that a list by both passes over no others. One that runs keeps `ready` there.
CREATE TABLE weft_tag (
  job bigint NOT NULL,
  state integer NOT NULL,
  tag text COLLATE "C" NOT NULL,
  PRIMARY KEY (job, tag)
);
CREATE INDEX weft_tag_name ON weft_tag (tag, state, job);
CREATE TABLE weft_step (
  job bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  value bytea NOT NULL,
  PRIMARY KEY (job, name)
);
-- Jobs that wait and expire.
CREATE TABLE weft_expiry (
  job bigint PRIMARY KEY,
  expires bigint NOT NULL
);
CREATE INDEX weft_expiry_at ON weft_expiry (expires);
-- What a blocked job still waits for.
CREATE TABLE weft_dependency (
  parent bigint NOT NULL,
  child bigint NOT NULL,
  even_if_given_up boolean NOT NULL,
  PRIMARY KEY (parent, child)
);
CREATE INDEX weft_dependency_child ON weft_dependency (child);
-- `running` counts the limit's rows in weft_running. Rates are those of token_bucket.hpp; `wake_at` is when there is
-- a token for the jobs that wait for one. Numbers are those of turn_of_limit(), or the next free ones.
CREATE TABLE weft_limit (
  id bigint PRIMARY KEY,
  max bigint NOT NULL,
  running bigint NOT NULL DEFAULT 0,
  token_ns bigint NOT NULL,
  burst bigint NOT NULL,
  full_at bigint NOT NULL DEFAULT 0,
  wake_at bigint,
  name text COLLATE "C" NOT NULL UNIQUE
) WITH (fillfactor = 50);
CREATE INDEX weft_limit_wake ON weft_limit (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX weft_limit_wait ON weft_limit ((wake_at - token_ns / 1000)) WHERE wake_at IS NOT NULL;
-- A schedule is looked at when `next` has come; `last` is up to when its times were seen to.
CREATE TABLE weft_schedule (
  name text COLLATE "C" PRIMARY KEY,
  last bigint NOT NULL,
  next bigint NOT NULL,
  queue integer NOT NULL,
  paused boolean NOT NULL DEFAULT false,
  timing text NOT NULL,
  envelope bytea NOT NULL
);
CREATE INDEX weft_schedule_due ON weft_schedule (queue, next) WHERE NOT paused;
-- How many jobs of a queue are in a state, by handler while they wait (else 0): the sum of the rows. Running ones
-- are not counted.
CREATE TABLE weft_count (
  queue integer NOT NULL,
  state integer NOT NULL,
  handler integer NOT NULL,
  jobs bigint NOT NULL
);

-- What the first claims answered with: builds of this version still ask for it.
CREATE TYPE weft_told AS (
  kind integer, a bigint, b bigint, c bigint, d bigint, e bigint, f bigint, g bigint, h bigint, t text, x bytea);

-- For ids of jobs that are pushed by SQL. Below 256 their last bits are the database's: no program draws them
-- (job_ids.cpp).
CREATE SEQUENCE weft_pushed;
