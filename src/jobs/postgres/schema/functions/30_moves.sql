-- The one way from state to state for jobs that are more than plain: with a limit, tags, a unique key, an expiry, or
-- others that wait for them. Plain ones are moved many at a time where they are pushed, claimed and ended.
--
-- The functions here return whether anything has become ready or scheduled, or has a moment to wait for: whoever
-- waits for work is to look.

-- Where a job is after an event, by the numbers of jobs::job_event; -1: it comes into being.
CREATE OR REPLACE FUNCTION weft_state_after(p_from integer, p_event integer) RETURNS integer
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE v_to integer := CASE
  WHEN p_from = -1 AND p_event = 0 THEN 1
  WHEN p_from = -1 AND p_event = 1 THEN 0
  WHEN p_from = -1 AND p_event = 2 THEN 7
  WHEN p_from = 0 AND p_event = 3 THEN 1
  WHEN p_from = 1 AND p_event = 4 THEN 7
  WHEN p_from = 7 AND p_event = 5 THEN 1
  WHEN p_from = 7 AND p_event = 6 THEN 0
  WHEN p_from = 1 AND p_event = 7 THEN 2
  WHEN p_from = 2 AND p_event = 8 THEN 3
  WHEN p_from = 2 AND p_event = 9 THEN 1
  WHEN p_from = 2 AND p_event = 10 THEN 0
  WHEN p_from = 2 AND p_event = 11 THEN 4
  WHEN p_from = 2 AND p_event = 12 THEN 5
  WHEN p_from = 2 AND p_event IN (13, 16) THEN 6
  WHEN p_from = 2 AND p_event IN (14, 15) THEN 1
  WHEN p_from IN (0, 1, 7) AND p_event = 17 THEN 5
  WHEN p_from IN (0, 1, 7) AND p_event = 18 THEN 4
  WHEN p_from IN (4, 5, 6) AND p_event = 19 THEN 1
END;
BEGIN
  IF v_to IS NULL THEN
    RAISE EXCEPTION 'jobs: move a job: one of state % cannot have event %', p_from, p_event USING ERRCODE = 'WF021';
  END IF;
  RETURN v_to;
END $$;

CREATE OR REPLACE FUNCTION weft_leave(p weft_place, p_from integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  CASE p_from
    WHEN 1 THEN DELETE FROM weft_ready WHERE id = p.id;
    WHEN 0 THEN DELETE FROM weft_scheduled WHERE id = p.id;
    WHEN 7 THEN DELETE FROM weft_blocked WHERE id = p.id;
    WHEN 2 THEN DELETE FROM weft_running WHERE id = p.id;
    ELSE DELETE FROM weft_dead WHERE id = p.id;
  END CASE;
  PERFORM weft_count_jobs(p.queue, p_from, p.handler, -1);
END $$;

CREATE OR REPLACE FUNCTION weft_enter(p weft_place, p_to integer, p_now bigint, p_owner bigint, p_pending integer)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM weft_count_jobs(p.queue, p_to, p.handler, 1);
  CASE p_to
    WHEN 1 THEN INSERT INTO weft_ready SELECT p.*;
    WHEN 0 THEN INSERT INTO weft_scheduled SELECT p.*;
    WHEN 7 THEN INSERT INTO weft_blocked SELECT p.*, p_pending;
    WHEN 2 THEN INSERT INTO weft_running SELECT p.*, false, p_owner, p_now;
    WHEN 3 THEN
      INSERT INTO weft_done (id, queue, finished, attempts, backoffs, crashes, fence)
        VALUES (p.id, p.queue, p_now, p.attempts, p.backoffs, p.crashes, p.fence);
    ELSE
      INSERT INTO weft_dead (id, queue, state, finished, attempts, backoffs, crashes, fence, flags)
        VALUES (p.id, p.queue, p_to, p_now, p.attempts, p.backoffs, p.crashes, p.fence, p.flags);
  END CASE;
  RETURN p_to IN (0, 1);
END $$;

-- Moves a job whose row the caller has locked, but for what its limit is to know of it.
CREATE OR REPLACE FUNCTION weft_move_job(p weft_place, p_from integer, p_event integer, p_now bigint, p_owner bigint DEFAULT 0)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_to integer := weft_state_after(p_from, p_event);
  v_waited boolean := p_from IN (0, 1, 7);
  v_waits boolean := v_to IN (0, 1, 7);
  v_work boolean;
BEGIN
  PERFORM weft_leave(p, p_from);
  v_work := weft_enter(p, v_to, p_now, p_owner, 0);
  IF p.flags & 16 <> 0 AND v_waited <> v_waits THEN
    IF v_waits THEN
      INSERT INTO weft_expiry SELECT id, expires FROM weft_job WHERE id = p.id;
    ELSE
      DELETE FROM weft_expiry WHERE job = p.id;
    END IF;
  END IF;
  IF p.flags & 8 <> 0 AND v_to <> 2 THEN
    UPDATE weft_tag SET state = v_to WHERE job = p.id AND state <> v_to;
  END IF;
  IF p.flags & 1 <> 0 AND NOT v_waits THEN
    PERFORM weft_release_key(p.id, v_to <> 2, p_now);
  END IF;
  IF NOT v_waits AND v_to <> 2 THEN
    v_work := weft_release_children(p.id, p.flags & 4 <> 0, v_to = 3, p_now) OR v_work;
  END IF;
  RETURN v_work;
END $$;

-- With its limit, whose row is locked here. Not for a job that is claimed: weft_claim sees to its limit.
CREATE OR REPLACE FUNCTION weft_move(p weft_place, p_from integer, p_event integer, p_now bigint, p_owner bigint DEFAULT 0)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_to integer := weft_state_after(p_from, p_event);
  v_work boolean := weft_move_job(p, p_from, p_event, p_now, p_owner);
BEGIN
  IF p.limit_id = 0 THEN RETURN v_work; END IF;
  IF p_from = 2 THEN
    v_work := weft_left_limit(p.limit_id, 1, p_now) OR v_work;
  ELSIF p_from = 1 AND v_to NOT IN (0, 1, 2, 7) THEN
    v_work := weft_top_up(p.limit_id, p_now) OR v_work;
  END IF;
  RETURN v_work;
END $$;

CREATE OR REPLACE FUNCTION weft_put_attempt(p_job bigint, p_fence bigint, p_attempt integer, p_owner bigint, p_outcome integer,
                                 p_started bigint, p_ended bigint, p_error bytea, p_records bytea)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO weft_attempt (job, fence, attempt, owner, outcome, started, ended, error, records)
    VALUES (p_job, p_fence, p_attempt, p_owner, p_outcome, p_started, p_ended, p_error, p_records);
  PERFORM weft_forget_attempts(p_job, p_fence);
END $$;

-- Of a job that has come to that claim, attempts of so many are kept: jobs::attempts_kept_max.
CREATE OR REPLACE FUNCTION weft_forget_attempts(p_job bigint, p_fence bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF p_fence > 100 THEN DELETE FROM weft_attempt WHERE job = p_job AND fence < p_fence - 99; END IF;
END $$;

-- Locks the row of a waiting job, wherever it is; no row: it does not wait.
CREATE OR REPLACE FUNCTION weft_lock_waiting(p_id bigint, OUT place weft_place, OUT state integer)
LANGUAGE plpgsql AS $$
BEGIN
  FOR round IN 1 .. 100 LOOP  -- it may move on from a table to one that was looked at before
    SELECT * INTO place FROM weft_ready WHERE id = p_id FOR UPDATE;
    state := 1;
    IF FOUND THEN RETURN; END IF;
    SELECT s.* INTO place FROM weft_scheduled s WHERE id = p_id FOR UPDATE;
    state := 0;
    IF FOUND THEN RETURN; END IF;
    SELECT id, run_at, fence, limit_id, queue, handler, priority, attempts, backoffs, crashes, flags
      INTO place FROM weft_blocked WHERE id = p_id FOR UPDATE;
    state := 7;
    IF FOUND THEN RETURN; END IF;
    state := NULL;
    PERFORM 1 FROM weft_running WHERE id = p_id
      UNION ALL SELECT 1 FROM weft_done WHERE id = p_id UNION ALL SELECT 1 FROM weft_dead WHERE id = p_id;
    IF FOUND THEN RETURN; END IF;
    PERFORM 1 FROM weft_job WHERE id = p_id;
    IF NOT FOUND THEN RETURN; END IF;
  END LOOP;
END $$;

-- The state of a job, which does not leave it before the end of this transaction; nothing: there is no such job.
CREATE OR REPLACE FUNCTION weft_hold_state(p_id bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE v_state integer;
BEGIN
  FOR round IN 1 .. 100 LOOP
    PERFORM 1 FROM weft_ready WHERE id = p_id FOR KEY SHARE;
    IF FOUND THEN RETURN 1; END IF;
    PERFORM 1 FROM weft_scheduled WHERE id = p_id FOR KEY SHARE;
    IF FOUND THEN RETURN 0; END IF;
    PERFORM 1 FROM weft_blocked WHERE id = p_id FOR KEY SHARE;
    IF FOUND THEN RETURN 7; END IF;
    PERFORM 1 FROM weft_running WHERE id = p_id FOR KEY SHARE;
    IF FOUND THEN RETURN 2; END IF;
    PERFORM 1 FROM weft_done WHERE id = p_id FOR KEY SHARE;
    IF FOUND THEN RETURN 3; END IF;
    SELECT state INTO v_state FROM weft_dead WHERE id = p_id FOR KEY SHARE;
    IF FOUND THEN RETURN v_state; END IF;
    PERFORM 1 FROM weft_job WHERE id = p_id;
    IF NOT FOUND THEN RETURN NULL; END IF;
  END LOOP;
  RAISE EXCEPTION 'jobs: find job %: it moves all the time', p_id USING ERRCODE = '40001';
END $$;
