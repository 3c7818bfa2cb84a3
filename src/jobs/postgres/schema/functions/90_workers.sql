-- Workers and their leases, progress, steps, schedules.

CREATE OR REPLACE FUNCTION weft_add_worker(p_id bigint, p_host text, p_pid bigint, p_pid_started bigint, p_build text, p_beat bigint)
RETURNS void LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  INSERT INTO weft_worker (id, host, pid, pid_started, build, beat)
    VALUES (p_id, p_host, p_pid, p_pid_started, p_build, p_beat + 1) ON CONFLICT DO NOTHING;
END $$;

-- One heartbeat. Returns the jobs whose cancellation was asked for.
CREATE OR REPLACE FUNCTION weft_beat(p_id bigint) RETURNS bigint[]
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE weft_worker SET beat = beat + 1 WHERE id = p_id;
  IF NOT FOUND THEN PERFORM weft_refuse_unknown_worker('beat', p_id); END IF;
  RETURN ARRAY(SELECT id FROM weft_running WHERE owner = p_id AND cancel ORDER BY id);
END $$;

-- Takes what a worker holds from it. p_crashes_max null: it stopped in order, and its jobs are released.
CREATE OR REPLACE FUNCTION weft_take_back(p_owner bigint, p_now bigint, p_crashes_max bigint, OUT jobs bigint)
LANGUAGE plpgsql AS $$
DECLARE
  r weft_running;
  v_event integer;
BEGIN
  jobs := 0;
  PERFORM 1 FROM weft_running WHERE owner = p_owner ORDER BY id FOR UPDATE;
  FOR r IN SELECT * FROM weft_running WHERE owner = p_owner ORDER BY limit_id, id LOOP
    v_event := CASE WHEN r.cancel THEN 12 ELSE 14 END;
    IF p_crashes_max IS NOT NULL THEN
      PERFORM weft_put_attempt(r.id, r.fence, r.attempts + 1, p_owner, 3, r.started, greatest(p_now, r.started), NULL, NULL);
      r.crashes := r.crashes + 1;
      v_event := CASE WHEN r.crashes >= p_crashes_max THEN 16 WHEN r.cancel THEN 12 ELSE 15 END;
    END IF;
    PERFORM weft_move((r.id, r.run_at, r.fence, r.limit_id, r.queue, r.handler, r.priority, r.attempts, r.backoffs,
                       r.crashes, r.flags)::weft_place, 2, v_event, p_now);
    jobs := jobs + 1;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION weft_remove_worker(p_id bigint, p_now bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  DELETE FROM weft_worker WHERE id = p_id;  -- waits for its claims
  PERFORM weft_take_back(p_id, p_now, NULL);
END $$;

-- How many jobs a dead worker held; null: it is not there, or has beaten since.
CREATE OR REPLACE FUNCTION weft_rescue(p_id bigint, p_beat bigint, p_now bigint, p_crashes_max bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  DELETE FROM weft_worker WHERE id = p_id AND beat = p_beat;
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN weft_take_back(p_id, p_now, p_crashes_max);
END $$;

-- Who leads: as it was, as long as it is there and not `silent`; else p_self from now on.
CREATE OR REPLACE FUNCTION weft_lead(p_self bigint, p_silent bigint, p_silent_beat bigint) RETURNS weft_worker
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE
  v_own weft_worker;
  v_leader weft_worker;
BEGIN
  SELECT * INTO v_own FROM weft_worker WHERE id = p_self;
  IF NOT FOUND THEN PERFORM weft_refuse_unknown_worker('lead', p_self); END IF;
  SELECT w.* INTO v_leader FROM weft_leader l JOIN weft_worker w ON w.id = l.worker;
  IF FOUND AND (v_leader.id, v_leader.beat) IS DISTINCT FROM (p_silent, p_silent_beat) THEN RETURN v_leader; END IF;
  PERFORM 1 FROM weft_leader FOR NO KEY UPDATE;  -- another one may be faster
  SELECT w.* INTO v_leader FROM weft_leader l JOIN weft_worker w ON w.id = l.worker;
  IF FOUND AND (v_leader.id, v_leader.beat) IS DISTINCT FROM (p_silent, p_silent_beat) THEN RETURN v_leader; END IF;
  UPDATE weft_leader SET worker = p_self;
  RETURN v_own;
END $$;

CREATE OR REPLACE FUNCTION weft_progress(p_id bigint, p_owner bigint, p_fence bigint, p_done bigint, p_total bigint, p_note text)
RETURNS boolean LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE weft_running SET progress_done = p_done, progress_total = p_total, progress_note = p_note
    WHERE id = p_id AND owner = p_owner AND fence = p_fence;
  RETURN FOUND;
END $$;

-- What became of it: 0 it is not held, 1 kept, 2 the job has too many.
CREATE OR REPLACE FUNCTION weft_keep_step(p_id bigint, p_owner bigint, p_fence bigint, p_name text, p_value bytea, p_max bigint)
RETURNS integer LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  PERFORM 1 FROM weft_running WHERE id = p_id AND owner = p_owner AND fence = p_fence FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 0; END IF;
  IF (SELECT count(*) FROM weft_step WHERE job = p_id AND name <> p_name) >= p_max THEN RETURN 2; END IF;
  INSERT INTO weft_step (job, name, value) VALUES (p_id, p_name, p_value)
    ON CONFLICT (job, name) DO UPDATE SET value = excluded.value;
  RETURN 1;
END $$;

-- p_put_back: where the times of a schedule were seen to up to a later moment, a clock was put back.
CREATE OR REPLACE FUNCTION weft_put_schedule(p_name text, p_queue text, p_timing text, p_envelope bytea, p_last bigint, p_next bigint,
                                  p_put_back bigint)
RETURNS void LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  INSERT INTO weft_schedule AS s (name, queue, timing, envelope, last, next)
    VALUES (p_name, weft_queue_id(p_queue), p_timing, p_envelope, p_last, p_next)
    ON CONFLICT (name) DO UPDATE SET queue = excluded.queue, envelope = excluded.envelope, timing = excluded.timing,
      last = CASE WHEN s.timing = excluded.timing AND s.last <= p_put_back THEN s.last ELSE excluded.last END,
      next = CASE WHEN s.timing = excluded.timing AND s.last <= p_put_back THEN s.next ELSE excluded.next END;
END $$;

CREATE OR REPLACE FUNCTION weft_remove_schedule(p_name text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  DELETE FROM weft_schedule WHERE name = p_name;
  RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION weft_pause_schedule(p_name text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  UPDATE weft_schedule SET paused = true WHERE name = p_name;
  RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION weft_resume_schedule(p_name text, p_last bigint, p_next bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  UPDATE weft_schedule SET paused = false, last = CASE WHEN paused THEN p_last ELSE last END,
    next = CASE WHEN paused THEN p_next ELSE next END WHERE name = p_name;
  RETURN FOUND;
END $$;

-- Moves a schedule on, if it is still as it was seen; raises WF020 if not, so that what comes with it is undone.
CREATE OR REPLACE FUNCTION weft_fire(p_name text, p_envelope bytea, p_seen bigint, p_last bigint, p_next bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  UPDATE weft_schedule SET last = p_last, next = p_next
    WHERE name = p_name AND next = p_seen AND envelope = p_envelope AND NOT paused;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'jobs: fire schedule "%": it is not as it was seen any more', p_name USING ERRCODE = 'WF020';
  END IF;
END $$;
