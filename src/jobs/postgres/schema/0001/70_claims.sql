-- Claims: give up what has expired, promote what has become due, then move ready jobs to weft_running. The jobs of
-- one closure, priority and limit are a line: a range of weft_ready_line. Rows that another client has
-- locked are passed over, so claims wait for nobody's jobs; they wait for limits, in the order of their numbers.

-- What has expired becomes dead. Each gets an attempt that says so, whose error the client makes: it is told of
-- the ids by a claim, and comes back with these.
CREATE FUNCTION weft_expire(p_ids bigint[], p_error bytea[], p_now bigint, OUT ids bigint[], OUT work boolean)
LANGUAGE plpgsql
SET search_path = weft, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  one record;
  w record;
  v_place weft_place;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  work := false;
  ids := '{}';
  FOR one IN SELECT e.job, a.error FROM unnest(p_ids, p_error) a (id, error) JOIN weft_expiry e ON e.job = a.id
    WHERE e.expires < p_now ORDER BY e.job FOR UPDATE OF e SKIP LOCKED
  LOOP
    SELECT * INTO w FROM weft_lock_waiting(one.job);
    IF w.state IS NULL THEN  -- of no job that waits, it would be due for ever
      DELETE FROM weft_expiry WHERE job = one.job;
      CONTINUE;
    END IF;
    v_place := w.place;
    v_place.fence := v_place.fence + 1;  -- as if it had been claimed: its attempt has a number of its own
    PERFORM weft_put_attempt(v_place.id, v_place.fence, v_place.attempts + 1, 0, 5, p_now, p_now, one.error, NULL);
    work := weft_move(v_place, w.state, 18, p_now) OR work;
    ids := ids || v_place.id;
  END LOOP;
END $$;

CREATE FUNCTION weft_promote(p_now bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v_tagged bigint[];
BEGIN
  PERFORM 1 FROM weft_scheduled WHERE run_at <= p_now LIMIT 1;
  IF NOT FOUND THEN RETURN false; END IF;
  WITH gone AS (DELETE FROM weft_scheduled WHERE id = ANY (ARRAY(
      SELECT id FROM weft_scheduled WHERE run_at <= p_now ORDER BY run_at, id LIMIT 500 FOR UPDATE SKIP LOCKED))
      RETURNING *),
    came AS (INSERT INTO weft_ready SELECT * FROM gone),
    less AS (INSERT INTO weft_count SELECT queue, 0, handler, -count(*) FROM gone GROUP BY queue, handler),
    more AS (INSERT INTO weft_count SELECT queue, 1, handler, count(*) FROM gone GROUP BY queue, handler)
  SELECT array_agg(id) FILTER (WHERE flags & 8 <> 0) INTO v_tagged FROM gone;
  IF v_tagged IS NOT NULL THEN UPDATE weft_tag SET state = 1 WHERE job = ANY (v_tagged) AND state <> 1; END IF;
  RETURN true;
END $$;

-- Of the lines of these closures at this priority and limit: how many of the first so many jobs are of each.
CREATE FUNCTION weft_shares(p_queue integer, p_handlers integer[], p_priority integer, p_limit bigint, p_count bigint,
                            OUT handlers integer[], OUT jobs bigint[])
LANGUAGE plpgsql AS $$
BEGIN
  handlers := p_handlers;
  jobs := ARRAY[p_count];
  IF cardinality(p_handlers) = 1 THEN RETURN; END IF;
  SELECT array_agg(s.handler), array_agg(s.jobs) INTO handlers, jobs FROM (
    SELECT f.handler, count(*) AS jobs FROM (
      SELECT r.handler FROM unnest(p_handlers) h CROSS JOIN LATERAL
        (SELECT run_at, id, handler FROM weft_ready WHERE queue = p_queue AND handler = h
           AND priority = p_priority AND limit_id = p_limit AND limit_id >= 0
           ORDER BY run_at, id LIMIT p_count) r
      ORDER BY r.run_at, r.id LIMIT p_count) f
    GROUP BY f.handler) s;
END $$;

-- Locks up to so many jobs of those lines, and returns them in their order. Where there are several closures, each
-- gives as many as it has among the first ones.
CREATE FUNCTION weft_take_line(p_queue integer, p_handlers integer[], p_priority integer, p_limit bigint,
                               p_count bigint)
RETURNS SETOF weft_ready LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
  s := weft_shares(p_queue, p_handlers, p_priority, p_limit, p_count);
  RETURN QUERY SELECT l.* FROM unnest(s.handlers, s.jobs) a (handler, jobs) CROSS JOIN LATERAL
      (SELECT * FROM weft_ready r WHERE r.queue = p_queue AND r.handler = a.handler AND r.priority = p_priority
         AND r.limit_id = p_limit AND r.limit_id >= 0
         ORDER BY r.run_at, r.id LIMIT a.jobs FOR UPDATE SKIP LOCKED) l
    ORDER BY l.run_at, l.id;
END $$;

CREATE TYPE weft_told AS (
  kind integer, a bigint, b bigint, c bigint, d bigint, e bigint, f bigint, g bigint, h bigint, t text, x bytea);

-- The same, and moves them to weft_running: for jobs without a limit. Returns rows of kind 1; see weft_claim.
CREATE FUNCTION weft_claim_line(p_place bigint, p_queue integer, p_handlers integer[], p_priority integer,
                                p_count bigint, p_owner bigint, p_now bigint)
RETURNS SETOF weft_told LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
  s := weft_shares(p_queue, p_handlers, p_priority, 0, p_count);
  RETURN QUERY WITH gone AS (DELETE FROM weft_ready WHERE id = ANY (ARRAY(
      SELECT l.id FROM unnest(s.handlers, s.jobs) a (handler, jobs) CROSS JOIN LATERAL
        (SELECT r.id FROM weft_ready r WHERE r.queue = p_queue AND r.handler = a.handler
           AND r.priority = p_priority AND r.limit_id = 0 AND r.limit_id >= 0
           ORDER BY r.run_at, r.id LIMIT a.jobs FOR UPDATE SKIP LOCKED) l))
      RETURNING *),
    came AS (INSERT INTO weft_running
      SELECT id, run_at, fence + 1, limit_id, queue, handler, priority, attempts, backoffs, crashes, flags,
             false, p_owner, p_now FROM gone),
    less AS (INSERT INTO weft_count SELECT queue, 1, handler, -count(*) FROM gone GROUP BY queue, handler),
    unexpired AS (DELETE FROM weft_expiry WHERE job = ANY (ARRAY(SELECT id FROM gone WHERE flags & 16 <> 0))),
    unheld AS (UPDATE weft_unique SET held = CASE WHEN at_least > p_now THEN 2 ELSE 0 END
      WHERE job = ANY (ARRAY(SELECT id FROM gone WHERE flags & 1 <> 0)) AND held = 1 AND until = 1)
  SELECT 1, g.id, p_place, g.handler::bigint, g.priority::bigint, g.fence + 1, g.attempts::bigint,
      g.backoffs::bigint, g.crashes::bigint, NULL::text, (SELECT j.envelope FROM weft_job j WHERE j.id = g.id)
    FROM gone g ORDER BY g.run_at, g.id;
END $$;

-- Rows of kind 0: how it went (once): a when there is more to do, b unroutable jobs, c when the next schedule of the
-- queues is due, d whether something has become ready, e the moments are the server's: now. 1: a job: a id, b which
-- of the queues, c closure, d priority, e fence, f attempts, g backoffs, h crashes, x envelope. 2: a closure that
-- the client has to look at before its queue is claimed from: a number, t identity. 3: a job, a, that has expired,
-- up to 500 of any queue; there are no other rows then, and nothing was done. Told of only if p_expire.
CREATE FUNCTION weft_claim(p_owner bigint, p_queues text[], p_count bigint, p_now bigint, p_routable bigint[],
                           p_unroutable bigint[], p_expire boolean)
RETURNS SETOF weft_told
LANGUAGE plpgsql
SET search_path = weft, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_claimed bigint := 0;
  v_unroutable bigint := 0;
  v_more bigint;
  v_again boolean := false;
  v_work boolean;
  v_schedule bigint;
  v_queue integer;
  v_queues integer[] := '{}';
  v_names integer[] := '{}';
  v_turns bigint[] := '{}';
  v_handlers integer[];
  v_having integer[];  -- those that have jobs of the priority
  v_priority integer;
  v_has_limits boolean;
  v_began bigint;
  v_turn bigint;
  v_at bigint;
  v_goes_on boolean;
  v_limit bigint;
  v_held_back integer := 0;
  v_locked bigint := 0;
  v_job weft_ready;
  l weft_limit;
  v_touched bigint[] := '{}';
BEGIN
  PERFORM 1 FROM weft_worker w WHERE w.id = p_owner;
  IF NOT FOUND THEN PERFORM weft_refuse_unknown_worker('claim', p_owner); END IF;
  IF p_expire THEN
    RETURN QUERY SELECT 3, y.job, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
        NULL::bigint, NULL::text, NULL::bytea
      FROM weft_expiry y WHERE y.expires < p_now ORDER BY y.expires, y.job LIMIT 500;
    IF FOUND THEN RETURN; END IF;
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  v_work := weft_promote(p_now);
  v_work := weft_wake_limits(p_now) OR v_work;
  IF v_work THEN v_locked := 9223372036854775807; END IF;  -- it may have locked limits, in no order

  FOR n IN 1 .. cardinality(p_queues) LOOP
    EXIT WHEN v_claimed >= p_count;
    SELECT q.id INTO v_queue FROM weft_queue q WHERE q.name = p_queues[n] AND NOT q.paused;
    CONTINUE WHEN NOT FOUND;
    RETURN QUERY SELECT 2, i.handler::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
        NULL::bigint, NULL::bigint, w.identity, NULL::bytea
      FROM weft_line i JOIN weft_handler w ON w.id = i.handler
      WHERE i.queue = v_queue AND i.handler <> ALL (p_routable) AND i.handler <> ALL (p_unroutable);
    EXIT WHEN FOUND;
    SELECT v_unroutable + coalesce(sum(few.jobs), 0) INTO v_unroutable
      FROM weft_line i CROSS JOIN LATERAL (SELECT count(*) AS jobs FROM (SELECT 1 FROM weft_ready r
        WHERE r.queue = v_queue AND r.handler = i.handler AND r.limit_id >= 0 LIMIT 100) first) few
      WHERE i.queue = v_queue AND i.handler = ANY (p_unroutable);
    v_handlers := ARRAY(SELECT i.handler FROM weft_line i WHERE i.queue = v_queue AND i.handler = ANY (p_routable)
      ORDER BY 1);
    CONTINUE WHEN cardinality(v_handlers) = 0;
    v_began := coalesce((SELECT u.turn FROM weft_turn u WHERE u.queue = v_queue), -1);
    v_turn := v_began;
    v_priority := NULL;
    WHILE v_claimed < p_count AND v_held_back < 500 LOOP
      SELECT f.priority, array_agg(f.handler), bool_or(f.has_limits) INTO v_priority, v_having, v_has_limits
        FROM unnest(v_handlers) i CROSS JOIN LATERAL
        (SELECT r.handler, r.priority, EXISTS (SELECT 1 FROM weft_ready m WHERE m.queue = v_queue
             AND m.handler = i AND m.priority = r.priority AND m.limit_id > 0) AS has_limits
           FROM weft_ready r WHERE r.queue = v_queue AND r.handler = i AND r.limit_id >= 0
             AND r.priority > coalesce(v_priority::bigint, -2147483649) ORDER BY r.priority LIMIT 1) f
        GROUP BY f.priority ORDER BY f.priority LIMIT 1;
      EXIT WHEN v_priority IS NULL;
      IF NOT v_has_limits THEN
        RETURN QUERY SELECT * FROM
          weft_claim_line(n, v_queue, v_having, v_priority, p_count - v_claimed, p_owner, p_now);
        GET DIAGNOSTICS v_more = ROW_COUNT;
        IF v_more > 0 THEN
          v_turn := 0;
          v_claimed := v_claimed + v_more;
        END IF;
        CONTINUE;
      END IF;
      v_at := v_turn;
      v_goes_on := true;
      WHILE v_claimed < p_count AND v_held_back < 500 LOOP
        SELECT min(next.limit_id) INTO v_limit FROM unnest(v_having) i CROSS JOIN LATERAL
          (SELECT r.limit_id FROM weft_ready r WHERE r.queue = v_queue AND r.handler = i
             AND r.priority = v_priority AND r.limit_id >= 0 AND r.limit_id > v_at ORDER BY r.limit_id LIMIT 1) next;
        IF v_limit IS NULL THEN
          EXIT WHEN NOT v_goes_on;  -- a whole round, and others have locked what is there
          v_goes_on := false;
          SELECT min(next.limit_id) INTO v_limit FROM unnest(v_having) i CROSS JOIN LATERAL
            (SELECT r.limit_id FROM weft_ready r WHERE r.queue = v_queue AND r.handler = i
               AND r.priority = v_priority AND r.limit_id >= 0 ORDER BY r.limit_id LIMIT 1) next;
          EXIT WHEN v_limit IS NULL;
        END IF;
        IF v_limit = 0 THEN
          RETURN QUERY SELECT * FROM weft_claim_line(n, v_queue, v_having, v_priority,
            CASE WHEN v_at = 0 THEN p_count - v_claimed ELSE 1 END, p_owner, p_now);
          GET DIAGNOSTICS v_more = ROW_COUNT;
          v_claimed := v_claimed + v_more;
        ELSE
          v_more := 0;
          -- Waits only for limits behind those that it has locked, so that no two claims wait for each other.
          IF v_limit = ANY (v_touched) THEN
            v_more := 1;
          ELSIF v_limit > v_locked THEN
            PERFORM weft_lock_limit(v_limit, p_now);
            v_locked := v_limit;
            v_more := 1;
          ELSE
            PERFORM 1 FROM weft_limit m WHERE m.id = v_limit FOR NO KEY UPDATE SKIP LOCKED;
            IF FOUND THEN
              PERFORM weft_lock_limit(v_limit, p_now);
              v_more := 1;
            ELSE
              v_again := true;
            END IF;
          END IF;
          IF v_more > 0 THEN
            IF v_limit <> ALL (v_touched) THEN v_touched := v_touched || v_limit; END IF;
            v_more := 0;
            FOR v_job IN SELECT * FROM weft_take_line(v_queue, v_having, v_priority, v_limit,
              CASE WHEN v_at = v_limit THEN least(p_count - v_claimed, 500 - v_held_back) ELSE 1 END)
            LOOP
              v_more := v_more + 1;
              SELECT * INTO l FROM weft_limit m WHERE m.id = v_limit;
              IF least(l.max - l.running, weft_tokens(l.token_ns, l.burst, l.full_at, p_now)) > 0 THEN
                v_job.fence := v_job.fence + 1;
                PERFORM weft_move((v_job.id, v_job.run_at, v_job.fence, v_job.limit_id, v_job.queue, v_job.handler,
                  v_job.priority, v_job.attempts, v_job.backoffs, v_job.crashes, v_job.flags)::weft_place,
                  1, 7, p_now, p_owner);
                RETURN QUERY SELECT 1, v_job.id, n::bigint, v_job.handler::bigint, v_job.priority::bigint, v_job.fence,
                  v_job.attempts::bigint, v_job.backoffs::bigint, v_job.crashes::bigint, NULL::text,
                  (SELECT j.envelope FROM weft_job j WHERE j.id = v_job.id);
                v_claimed := v_claimed + 1;
              ELSE
                PERFORM weft_move((v_job.id, v_job.run_at, v_job.fence, v_job.limit_id, v_job.queue, v_job.handler,
                  v_job.priority, v_job.attempts, v_job.backoffs, v_job.crashes, v_job.flags)::weft_place,
                  1, 4, p_now);
                v_held_back := v_held_back + 1;
              END IF;
            END LOOP;
          END IF;
        END IF;
        v_at := v_limit;
        IF v_more > 0 THEN
          v_turn := v_limit;
          v_goes_on := true;
        END IF;
      END LOOP;
    END LOOP;
    IF v_turn <> v_began THEN
      v_queues := v_queues || v_queue;
      v_turns := v_turns || v_turn;
    END IF;
  END LOOP;

  FOREACH v_limit IN ARRAY v_touched LOOP
    v_work := weft_top_up(v_limit, p_now) OR v_work;
  END LOOP;
  IF v_claimed > 0 THEN
    -- A rescue of this worker waits for the end of this transaction, and then finds what it has claimed.
    PERFORM 1 FROM weft_worker w WHERE w.id = p_owner FOR KEY SHARE;
    IF NOT FOUND THEN PERFORM weft_refuse_unknown_worker('claim', p_owner); END IF;
  END IF;
  SELECT min(s.next) INTO v_schedule FROM weft_queue q CROSS JOIN LATERAL
    (SELECT next FROM weft_schedule s WHERE s.queue = q.id AND NOT s.paused ORDER BY next LIMIT 1) s
    WHERE q.name = ANY (p_queues);
  IF v_again OR v_held_back >= 500 THEN
    v_more := p_now;
  ELSE
    SELECT least((SELECT min(s.run_at) FROM weft_scheduled s), weft_next_token(p_now),
                 (SELECT min(y.expires) + 1 FROM weft_expiry y)) INTO v_more;
  END IF;
  RETURN QUERY SELECT 0, v_more, v_unroutable, v_schedule, v_work::integer::bigint, p_now, NULL::bigint, NULL::bigint,
    NULL::bigint, NULL::text, NULL::bytea;
  -- Last, and in their order: the one row that claims of all clients have in common.
  IF cardinality(v_queues) > 0 THEN
    INSERT INTO weft_turn AS u SELECT * FROM unnest(v_queues, v_turns) t (queue, turn) ORDER BY t.queue
      ON CONFLICT (queue) DO UPDATE SET turn = excluded.turn;
  END IF;
END $$;

CREATE FUNCTION weft_refuse_unknown_worker(p_what text, p_owner bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'jobs: % for worker %: it is not there; if it was, it was taken for dead, and its jobs were given to others',
    p_what, p_owner USING ERRCODE = 'WF001';
END $$;
