-- The ends of attempts. Whoever ends one must still hold the fence: the row in weft_running names it.

-- The arrays have an element for each end, as jobs::attempt_end has them, in the order of their ids: rows are locked
-- in that order. Returns the places (from 1) of those that
-- were held; p_strict: all have to be.
CREATE OR REPLACE FUNCTION weft_finish(
  p_id bigint[], p_owner bigint[], p_fence bigint[], p_next bigint[], p_now bigint[], p_run_at bigint[],
  p_counts bigint[], p_backs_off bigint[], p_crashed bigint[], p_attempt bigint[], p_outcome bigint[],
  p_started bigint[], p_ended bigint[], p_error bytea[], p_records bytea[], p_result bytea[],
  p_durable boolean, p_strict boolean, OUT held bigint[], OUT work boolean)
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE
  one record;
  v_parents bigint[];
  v_olds bigint[];
  v_place weft_place;
  v_event integer;
  v_limit bigint := 0;  -- of so many that have left it
  v_left bigint := 0;
  v_now bigint;
BEGIN
  IF NOT p_durable THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
  work := false;
  -- Plain ones that succeeded, all at once.
  WITH gone AS (DELETE FROM weft_running r
      USING unnest(p_id, p_owner, p_fence, p_next, p_now, p_crashed, p_attempt, p_outcome, p_started, p_ended,
                   p_error, p_records, p_result) WITH ORDINALITY
        a (id, owner, fence, next, now, crashed, attempt, outcome, started, ended, error, records, result, place)
      WHERE a.next = 0 AND a.crashed = 0 AND r.id = a.id AND r.owner = a.owner AND r.fence = a.fence
        AND r.limit_id = 0 AND r.flags & 15 = 0
      RETURNING r.id, r.fence, r.owner, r.queue, r.attempts, r.backoffs, r.crashes, a.now, a.attempt, a.outcome,
                a.started, a.ended, a.error, a.records, a.result, a.place),
    came AS (INSERT INTO weft_done (id, finished, fence, owner, started, ended, queue, attempts, backoffs, crashes,
                                    attempt, outcome, error, records, result)
      SELECT id, now, fence, owner, started, ended, queue, attempts, backoffs, crashes, attempt, outcome, error,
             records, result FROM gone),
    more AS (INSERT INTO weft_count SELECT queue, 3, 0, count(*) FROM gone GROUP BY queue)
  SELECT coalesce(array_agg(place), '{}'), array_agg(id), array_agg(id) FILTER (WHERE fence > 100)
    INTO held, v_parents, v_olds FROM gone;
  -- Not above: who pushed one that waits may have held a row until now, and that statement does not see it.
  v_parents := ARRAY(SELECT DISTINCT parent FROM weft_dependency WHERE parent = ANY (v_parents));
  IF v_olds IS NOT NULL THEN
    PERFORM weft_forget_attempts(d.id, d.fence) FROM weft_done d WHERE d.id = ANY (v_olds);
  END IF;
  IF cardinality(v_parents) > 0 THEN
    SELECT bool_or(weft_release_children(d.id, false, true, d.finished)) INTO work
      FROM (SELECT id, finished FROM weft_done WHERE id = ANY (v_parents) ORDER BY id) d;
  END IF;
  IF cardinality(held) < cardinality(p_id) THEN
    PERFORM 1 FROM weft_running WHERE id = ANY (p_id) ORDER BY id FOR UPDATE;
    FOR one IN SELECT a.*, r.run_at AS r_run_at, r.limit_id, r.queue, r.handler, r.priority, r.attempts, r.backoffs,
                      r.crashes, r.flags, r.cancel, r.started AS r_started
      FROM unnest(p_id, p_owner, p_fence, p_next, p_now, p_run_at, p_counts, p_backs_off, p_crashed, p_attempt,
                  p_outcome, p_started, p_ended, p_error, p_records, p_result) WITH ORDINALITY
        a (id, owner, fence, next, now, run_at, counts, backs_off, crashed, attempt, outcome, started, ended, error,
           records, result, place)
      JOIN weft_running r ON r.id = a.id AND r.owner = a.owner AND r.fence = a.fence
      ORDER BY r.limit_id, a.id
    LOOP
      CONTINUE WHEN one.place = ANY (held);
      IF one.limit_id <> v_limit THEN
        IF v_left > 0 THEN work := weft_left_limit(v_limit, v_left, v_now) OR work; END IF;
        v_limit := one.limit_id;
        v_left := 0;
      END IF;
      v_place := (one.id, one.r_run_at, one.fence, one.limit_id, one.queue, one.handler, one.priority, one.attempts,
                  one.backoffs, one.crashes, one.flags);
      IF one.next = 5 THEN
        IF one.limit_id <> 0 THEN PERFORM weft_give_token_back(one.limit_id, one.r_started, one.now); END IF;
      ELSIF one.next <> 0 THEN
        PERFORM weft_put_attempt(one.id, one.fence, one.attempt::integer, one.owner, one.outcome::integer,
                                 one.started, one.ended, one.error, one.records);
      END IF;
      IF one.counts <> 0 AND one.next IN (1, 2) THEN v_place.attempts := v_place.attempts + 1; END IF;
      IF one.crashed <> 0 THEN v_place.crashes := v_place.crashes + 1; END IF;
      IF one.next = 1 THEN
        IF one.backs_off <> 0 THEN v_place.backoffs := v_place.backoffs + 1; END IF;
        v_place.run_at := one.run_at;
      END IF;
      v_event := CASE one.next
        WHEN 0 THEN 8
        WHEN 1 THEN CASE WHEN one.cancel THEN 12 WHEN one.run_at > one.now THEN 10 ELSE 9 END
        WHEN 2 THEN 11
        WHEN 3 THEN 12
        WHEN 4 THEN CASE WHEN one.crashed <> 0 THEN 16 ELSE 13 END
        WHEN 5 THEN CASE WHEN one.cancel THEN 12 ELSE 14 END
        ELSE -1 END;
      work := weft_move_job(v_place, 2, v_event, one.now) OR work;
      IF v_limit <> 0 THEN v_left := v_left + 1; END IF;
      v_now := one.now;
      IF one.next = 0 THEN
        UPDATE weft_done SET owner = one.owner, started = one.started, ended = one.ended,
            attempt = one.attempt, outcome = one.outcome, error = one.error, records = one.records,
            result = one.result WHERE id = one.id;
        PERFORM weft_forget_attempts(one.id, one.fence);
      END IF;
      held := held || one.place;
    END LOOP;
    IF v_left > 0 THEN work := weft_left_limit(v_limit, v_left, v_now) OR work; END IF;
  END IF;
  IF p_strict AND cardinality(held) < cardinality(p_id) THEN
    RAISE EXCEPTION 'jobs: end an attempt: another one has its job by now' USING ERRCODE = 'WF020';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION weft_cancel(p_id bigint, p_now bigint, OUT was_there boolean, OUT work boolean)
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE w record;
BEGIN
  work := false;
  FOR round IN 1 .. 100 LOOP
    SELECT * INTO w FROM weft_lock_waiting(p_id);
    was_there := w.state IS NOT NULL;
    IF was_there THEN
      work := weft_move(w.place, w.state, 17, p_now);
      RETURN;
    END IF;
    UPDATE weft_running SET cancel = true WHERE id = p_id;
    was_there := FOUND;
    EXIT WHEN was_there;
    -- It has ended, unless it went on to wait between the two looks.
    PERFORM 1 FROM weft_job WHERE id = p_id
      AND NOT EXISTS (SELECT 1 FROM weft_done WHERE id = p_id) AND NOT EXISTS (SELECT 1 FROM weft_dead WHERE id = p_id);
    EXIT WHEN NOT FOUND;
  END LOOP;
END $$;

-- Makes a job that was given up ready again. What became of it: 0 it is none, 1 retried, 2 it has expired, 3 `other`
-- has its unique key.
CREATE OR REPLACE FUNCTION weft_retry(p_id bigint, p_now bigint, OUT outcome integer, OUT other bigint)
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE
  d weft_dead;
  j weft_job;
BEGIN
  outcome := 0;
  SELECT * INTO d FROM weft_dead WHERE id = p_id FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO j FROM weft_job WHERE id = p_id;
  outcome := 2;
  IF j.expires < p_now THEN RETURN; END IF;
  IF d.flags & 1 <> 0 THEN
    other := weft_take_key_again(p_id, p_now);
    outcome := 3;
    IF other IS NOT NULL THEN RETURN; END IF;
  END IF;
  PERFORM weft_move((d.id, p_now, d.fence, j.limit_id, d.queue, j.handler, j.priority, 0, 0, 0, d.flags & ~4)::weft_place,
                    d.state, 19, p_now);
  outcome := 1;
END $$;

-- The same for some of a queue (empty: of all) that are in a state, behind a job, in the order of their ids.
CREATE OR REPLACE FUNCTION weft_retry_some(p_queue text, p_state bigint, p_now bigint, p_limit bigint, p_after bigint,
                                OUT retried bigint, OUT last bigint, OUT looked_at bigint)
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE
  v_ids bigint[];
  v_id bigint;
BEGIN
  retried := 0;
  last := p_after;
  looked_at := 0;
  IF p_queue = '' THEN
    v_ids := ARRAY(SELECT id FROM weft_dead WHERE state = p_state AND id > p_after ORDER BY id LIMIT 500);
  ELSE
    v_ids := ARRAY(SELECT id FROM weft_dead WHERE state = p_state AND id > p_after
      AND queue > 0 AND queue = (SELECT id FROM weft_queue WHERE name = p_queue) ORDER BY id LIMIT 500);
  END IF;
  looked_at := cardinality(v_ids);
  FOREACH v_id IN ARRAY v_ids LOOP
    EXIT WHEN retried = p_limit;
    last := v_id;
    IF (SELECT r.outcome FROM weft_retry(v_id, p_now) r) = 1 THEN retried := retried + 1; END IF;
  END LOOP;
END $$;

-- Deletes jobs that were done, or given up, before those moments; who still waits for one is cancelled.
CREATE OR REPLACE FUNCTION weft_purge(p_done bigint, p_given_up bigint, p_now bigint, p_limit bigint, OUT purged bigint, OUT work boolean)
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE
  v_done bigint[];
  v_dead bigint[];
  v_ids bigint[];
  v_children bigint[];
  v_child bigint;
  v_latest bigint := greatest(p_done, p_given_up);
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  work := false;
  WITH old AS MATERIALIZED (SELECT id FROM weft_done WHERE finished < p_done LIMIT p_limit FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM weft_done d USING old o WHERE d.id = o.id RETURNING d.id, d.queue),
    less AS (INSERT INTO weft_count SELECT queue, 3, 0, -count(*) FROM gone GROUP BY queue)
  SELECT coalesce(array_agg(id), '{}') INTO v_done FROM gone;
  WITH old AS MATERIALIZED (SELECT id FROM weft_dead WHERE finished < p_given_up AND state <> 6
      LIMIT p_limit - cardinality(v_done) FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM weft_dead d USING old o WHERE d.id = o.id RETURNING d.id, d.queue, d.state),
    less AS (INSERT INTO weft_count SELECT queue, state, 0, -count(*) FROM gone GROUP BY queue, state)
  SELECT coalesce(array_agg(id), '{}') INTO v_dead FROM gone;
  v_ids := v_done || v_dead;
  purged := cardinality(v_ids);
  IF purged > 0 THEN
    WITH gone AS (DELETE FROM weft_dependency WHERE parent = ANY (v_ids) RETURNING child)
    SELECT array_agg(DISTINCT child) INTO v_children FROM gone;
    DELETE FROM weft_attempt WHERE job = ANY (v_ids);
    DELETE FROM weft_tag WHERE job = ANY (v_ids);
    DELETE FROM weft_step WHERE job = ANY (v_ids);
    DELETE FROM weft_unique WHERE job = ANY (v_ids) AND (held = 0 OR at_least <= v_latest);
    UPDATE weft_unique SET held = 3 WHERE job = ANY (v_ids);
    DELETE FROM weft_job WHERE id = ANY (v_ids);
    FOREACH v_child IN ARRAY coalesce(v_children, '{}') LOOP
      work := (SELECT c.work FROM weft_cancel(v_child, p_now) c) OR work;
    END LOOP;
  END IF;
  WITH old AS MATERIALIZED (SELECT job FROM weft_unique WHERE held = 3 AND at_least <= v_latest LIMIT p_limit
    FOR UPDATE SKIP LOCKED)
  DELETE FROM weft_unique u USING old o WHERE u.job = o.job AND u.held = 3;
  PERFORM weft_forget_limits(p_now, p_limit);
END $$;

-- Deletes a job that does not run; one that waits is cancelled first. Who still waits for it is cancelled.
CREATE OR REPLACE FUNCTION weft_remove(p_id bigint, p_seen bigint, p_now bigint, OUT removed boolean, OUT work boolean)
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE
  w record;
  v_queue integer;
  v_state integer;
  v_children bigint[];
  v_child bigint;
BEGIN
  removed := false;
  work := false;
  FOR round IN 1 .. 100 LOOP
    SELECT * INTO w FROM weft_lock_waiting(p_id);
    IF w.state <> p_seen THEN RETURN; END IF;
    IF w.state IS NOT NULL THEN work := weft_move(w.place, w.state, 17, p_now); END IF;
    DELETE FROM weft_dead WHERE id = p_id AND (w.state IS NOT NULL OR p_seen IS NULL OR state = p_seen)
      RETURNING queue, state INTO v_queue, v_state;
    EXIT WHEN FOUND;
    DELETE FROM weft_done WHERE id = p_id AND (p_seen IS NULL OR p_seen = 3) RETURNING queue, 3 INTO v_queue, v_state;
    EXIT WHEN FOUND;
    IF p_seen IS NOT NULL THEN RETURN; END IF;  -- it has gone on since
    -- It runs, or is not there, unless it went on to wait or to its end between the looks.
    PERFORM 1 FROM weft_job WHERE id = p_id AND NOT EXISTS (SELECT 1 FROM weft_running WHERE id = p_id);
    IF NOT FOUND THEN RETURN; END IF;
  END LOOP;
  IF v_state IS NULL THEN RETURN; END IF;
  removed := true;
  INSERT INTO weft_count VALUES (v_queue, v_state, 0, -1);
  WITH gone AS (DELETE FROM weft_dependency WHERE parent = p_id RETURNING child)
  SELECT array_agg(DISTINCT child) INTO v_children FROM gone;
  DELETE FROM weft_attempt WHERE job = p_id;
  DELETE FROM weft_tag WHERE job = p_id;
  DELETE FROM weft_step WHERE job = p_id;
  DELETE FROM weft_unique WHERE job = p_id AND (held = 0 OR at_least <= p_now);
  UPDATE weft_unique SET held = 3 WHERE job = p_id;
  DELETE FROM weft_job WHERE id = p_id;
  FOREACH v_child IN ARRAY coalesce(v_children, '{}') LOOP
    work := (SELECT c.work FROM weft_cancel(v_child, p_now) c) OR work;
  END LOOP;
END $$;

-- A limit's row is kept until no job refers to it and its tokens are all there. Who pushes one refers to it from
-- then on (FOR KEY SHARE), so a row that can be locked for its deletion is looked at again.
CREATE OR REPLACE FUNCTION weft_forget_limits(p_now bigint, p_count bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE v_ids bigint[];
BEGIN
  v_ids := ARRAY(SELECT l.id FROM weft_limit l WHERE l.full_at <= weft_ns(p_now) AND l.running = 0 AND NOT l.pinned
    AND NOT EXISTS (SELECT 1 FROM weft_job j WHERE j.limit_id = l.id AND j.limit_id > 0)
    ORDER BY l.id LIMIT p_count FOR UPDATE SKIP LOCKED);
  DELETE FROM weft_limit l WHERE l.id = ANY (v_ids) AND l.full_at <= weft_ns(p_now) AND NOT l.pinned
    AND NOT EXISTS (SELECT 1 FROM weft_job j WHERE j.limit_id = l.id AND j.limit_id > 0);
END $$;
