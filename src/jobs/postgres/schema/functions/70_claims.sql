-- Claims: give up what has expired, promote what has become due, then move ready jobs to weft_running. The jobs of
-- one closure, priority and limit are a line: a range of weft_ready_line. Rows that another client has
-- locked are passed over, so claims wait for nobody's jobs; they wait for limits, in the order of their numbers.
--
-- What was claimed leaves dead entries at the beginning of its line, which nothing can clean away as long as an older
-- transaction is open. So a client keeps, for each line without a limit, the place (run_at, id) of the last job that it
-- was given from it, and has most claims begin there; src/jobs/postgres/claim_marks.hpp says when it looks for what came
-- in behind: at the beginning, or in slices. Of lines it names stretches: of a closure, from a place on to a
-- higher number of a priority. Nothing of this is needed to be right: what a place passes over is found later.

-- What has expired becomes dead. Each gets an attempt that says so, whose error the client makes: it is told of
-- the ids by a claim, and comes back with these.
CREATE OR REPLACE FUNCTION weft_expire(p_ids bigint[], p_error bytea[], p_now bigint, OUT ids bigint[], OUT work boolean)
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
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

-- Of those that were due after a moment. Tells how many; where it is 500, there may be more.
CREATE OR REPLACE FUNCTION weft_promote_due(p_since bigint, p_now bigint, OUT jobs bigint, OUT earliest bigint)
LANGUAGE plpgsql AS $$
DECLARE v_tagged bigint[];
BEGIN
  jobs := 0;
  PERFORM 1 FROM weft_scheduled WHERE run_at > p_since AND run_at <= p_now LIMIT 1;
  IF NOT FOUND THEN RETURN; END IF;
  WITH gone AS (DELETE FROM weft_scheduled WHERE id = ANY (ARRAY(
      SELECT id FROM weft_scheduled WHERE run_at > p_since AND run_at <= p_now
        ORDER BY run_at, id LIMIT 500 FOR UPDATE SKIP LOCKED))
      RETURNING *),
    came AS (INSERT INTO weft_ready SELECT * FROM gone),
    less AS (INSERT INTO weft_count SELECT queue, 0, handler, -count(*) FROM gone GROUP BY queue, handler),
    more AS (INSERT INTO weft_count SELECT queue, 1, handler, count(*) FROM gone GROUP BY queue, handler)
  SELECT count(*), min(run_at), array_agg(id) FILTER (WHERE flags & 8 <> 0) INTO jobs, earliest, v_tagged FROM gone;
  IF v_tagged IS NOT NULL THEN UPDATE weft_tag SET state = 1 WHERE job = ANY (v_tagged) AND state <> 1; END IF;
END $$;

-- Of the lines of these closures at this priority and limit, from these places on: how many of the first so many jobs
-- are of each. Closures that have none of them are left out.
CREATE OR REPLACE FUNCTION weft_shares(p_queue integer, p_handlers integer[], p_run_at bigint[], p_id bigint[],
                                       p_priority integer, p_limit bigint, p_count bigint,
                                       OUT handlers integer[], OUT run_at bigint[], OUT id bigint[], OUT jobs bigint[])
LANGUAGE plpgsql AS $$
BEGIN
  handlers := p_handlers;
  run_at := p_run_at;
  id := p_id;
  jobs := ARRAY[p_count];
  IF cardinality(p_handlers) = 1 THEN RETURN; END IF;
  SELECT array_agg(s.handler), array_agg(s.run_at), array_agg(s.id), array_agg(s.jobs)
    INTO handlers, run_at, id, jobs FROM (
    SELECT f.handler, f.from_run_at AS run_at, f.from_id AS id, count(*) AS jobs FROM (
      SELECT r.handler, h.run_at AS from_run_at, h.id AS from_id
        FROM unnest(p_handlers, p_run_at, p_id) h (handler, run_at, id) CROSS JOIN LATERAL
        (SELECT r.run_at, r.id, r.handler FROM weft_ready r WHERE r.queue = p_queue AND r.handler = h.handler
           AND r.priority = p_priority AND r.limit_id = p_limit AND r.limit_id >= 0
           AND (r.run_at, r.id) >= (h.run_at, h.id)
           ORDER BY r.run_at, r.id LIMIT p_count) r
      ORDER BY r.run_at, r.id LIMIT p_count) f
    GROUP BY f.handler, f.from_run_at, f.from_id) s;
END $$;

-- Locks up to so many jobs of those lines, and returns them in their order. Where there are several closures, each
-- gives as many as it has among the first ones.
CREATE OR REPLACE FUNCTION weft_take_line(p_queue integer, p_handlers integer[], p_priority integer, p_limit bigint,
                               p_count bigint)
RETURNS SETOF weft_ready LANGUAGE plpgsql AS $$
DECLARE
  s record;
  v_start constant bigint[] := array_fill(-9223372036854775808, ARRAY[cardinality(p_handlers)]);
BEGIN
  s := weft_shares(p_queue, p_handlers, v_start, v_start, p_priority, p_limit, p_count);
  RETURN QUERY SELECT l.* FROM unnest(s.handlers, s.jobs) a (handler, jobs) CROSS JOIN LATERAL
      (SELECT * FROM weft_ready r WHERE r.queue = p_queue AND r.handler = a.handler AND r.priority = p_priority
         AND r.limit_id = p_limit AND r.limit_id >= 0
         ORDER BY r.run_at, r.id LIMIT a.jobs FOR UPDATE SKIP LOCKED) l
    ORDER BY l.run_at, l.id;
END $$;

-- Moves locked jobs without a limit to weft_running, with what they have on them. Returns rows of kind 1; see weft_claim.
CREATE OR REPLACE FUNCTION weft_start_plain(p_place bigint, p_ids bigint[], p_flags integer, p_owner bigint, p_now bigint)
RETURNS SETOF weft_answer LANGUAGE plpgsql AS $$
BEGIN
  IF p_flags & 16 <> 0 THEN DELETE FROM weft_expiry WHERE job = ANY (p_ids); END IF;
  IF p_flags & 1 <> 0 THEN
    UPDATE weft_unique SET held = CASE WHEN at_least > p_now THEN 2 ELSE 0 END
      WHERE job = ANY (p_ids) AND held = 1 AND until = 1;
  END IF;
  RETURN QUERY WITH gone AS (DELETE FROM weft_ready WHERE id = ANY (p_ids) RETURNING *),
    came AS (INSERT INTO weft_running
      SELECT id, run_at, fence + 1, limit_id, queue, handler, priority, attempts, backoffs, crashes, flags,
             false, p_owner, p_now FROM gone),
    less AS (INSERT INTO weft_count SELECT queue, 1, handler, -count(*) FROM gone GROUP BY queue, handler)
  SELECT 1, g.id, p_place, g.handler::bigint, g.priority::bigint, g.fence + 1, g.attempts::bigint,
      g.backoffs::bigint, g.crashes::bigint, g.run_at, NULL::text, (SELECT j.envelope FROM weft_job j WHERE j.id = g.id)
    FROM gone g ORDER BY g.run_at, g.id;
END $$;

-- The same as weft_take_line from places on, and moves them: for jobs without a limit.
CREATE OR REPLACE FUNCTION weft_claim_line(p_place bigint, p_queue integer, p_handlers integer[], p_run_at bigint[],
                                           p_id bigint[], p_priority integer, p_count bigint, p_owner bigint, p_now bigint)
RETURNS SETOF weft_answer LANGUAGE plpgsql AS $$
DECLARE
  s record;
  v_ids bigint[];
  v_flags integer;
BEGIN
  s := weft_shares(p_queue, p_handlers, p_run_at, p_id, p_priority, 0, p_count);
  SELECT array_agg(l.id), bit_or(l.flags) INTO v_ids, v_flags
    FROM unnest(s.handlers, s.run_at, s.id, s.jobs) a (handler, run_at, id, jobs) CROSS JOIN LATERAL
      (SELECT r.id, r.flags FROM weft_ready r WHERE r.queue = p_queue AND r.handler = a.handler
         AND r.priority = p_priority AND r.limit_id = 0 AND r.limit_id >= 0 AND (r.run_at, r.id) >= (a.run_at, a.id)
         ORDER BY r.run_at, r.id LIMIT a.jobs FOR UPDATE SKIP LOCKED) l;
  IF v_ids IS NULL THEN RETURN; END IF;
  RETURN QUERY SELECT * FROM weft_start_plain(p_place, v_ids, v_flags, p_owner, p_now);
END $$;

-- Claims jobs without a limit from a slice of one line: from a place (run_at, id) on, up to another. Those that have
-- expired are left to weft_expire. p_place: which of the client's queues it is. Returns rows of kind 1, and one of kind 0 with d and g; see weft_claim.
CREATE OR REPLACE FUNCTION weft_claim_slice(p_owner bigint, p_place bigint, p_queue text, p_handler bigint,
                           p_priority bigint, p_run_at bigint, p_id bigint, p_below_run_at bigint, p_below_id bigint,
                           p_count bigint, p_now bigint)
RETURNS SETOF weft_answer LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE
  v_pages bigint := weft_pages_read();
  v_queue integer;
  v_ids bigint[];
  v_flags integer;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT q.id INTO v_queue FROM weft_queue q WHERE q.name = p_queue AND NOT q.paused;
  SELECT array_agg(l.id), bit_or(l.flags) INTO v_ids, v_flags FROM
    (SELECT r.id, r.flags FROM weft_ready r WHERE r.queue = v_queue AND r.handler = p_handler::integer
       AND r.priority = p_priority::integer AND r.limit_id = 0 AND r.limit_id >= 0
       AND (r.run_at, r.id) >= (p_run_at, p_id) AND (r.run_at, r.id) < (p_below_run_at, p_below_id)
       AND (r.flags & 16 = 0 OR  -- by EXISTS the plan may hash them all
         ((SELECT y.expires FROM weft_expiry y WHERE y.job = r.id) < p_now) IS NOT TRUE)
       ORDER BY r.run_at, r.id LIMIT p_count FOR UPDATE SKIP LOCKED) l;
  v_pages := weft_pages_read() - v_pages;
  IF v_ids IS NOT NULL THEN
    RETURN QUERY SELECT * FROM weft_start_plain(p_place, v_ids, v_flags, p_owner, p_now);
  END IF;
  -- As in weft_claim.
  PERFORM 1 FROM weft_worker w WHERE w.id = p_owner FOR KEY SHARE;
  IF NOT FOUND THEN PERFORM weft_refuse_unknown_worker('claim', p_owner); END IF;
  RETURN QUERY SELECT 0, NULL::bigint, NULL::bigint, NULL::bigint, 0::bigint, NULL::bigint, NULL::bigint, v_pages,
    NULL::bigint, NULL::bigint, NULL::text, NULL::bytea;
END $$;

-- Rows of kind 0: how it went (once): a when there is more to do, b unroutable jobs, c when the next schedule of the
-- queues is due, d whether something has become ready, e the moments are the server's: now; f when the next waiting
-- job expires, g how many pages it read to find jobs, h up to when it has seen to what is due, i the earliest run_at of
-- what has come due. 1: a job: a id, b which
-- of the queues, c closure, d priority, e fence, f attempts, g backoffs, h crashes, i run_at of one without a limit,
-- x envelope. 2: a closure that
-- the client has to look at before its queue is claimed from: a number, t identity. 3: a job, a, that has expired,
-- up to 500 of any queue; there are no other rows then, and nothing was done. Told of only if p_expire.
--
-- p_tell_all: b and f are told. p_since: what was due, or had expired, up to then was seen to; g is told where that is the
-- first moment. Null: all is to be looked at from the beginning, whatever the arguments after it say, and g is told.
-- Those are stretches: p_in is which of the queues.
CREATE OR REPLACE FUNCTION weft_claim(p_owner bigint, p_queues text[], p_count bigint, p_now bigint, p_routable bigint[],
                           p_unroutable bigint[], p_expire boolean, p_tell_all boolean, p_since bigint, p_in bigint[], p_handler bigint[],
                           p_priority bigint[], p_run_at bigint[], p_id bigint[], p_below bigint[])
RETURNS SETOF weft_answer
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE
  c_first constant bigint := -9223372036854775808;
  v_since constant bigint := coalesce(p_since, c_first);
  v_pages bigint := CASE WHEN v_since = c_first THEN weft_pages_read() END;
  v_claimed bigint := 0;
  v_unroutable bigint := CASE WHEN p_tell_all THEN 0 END;
  v_more bigint;
  v_again boolean := false;
  v_work boolean;
  v_due bigint;
  v_earliest bigint;
  v_expires bigint;
  v_schedule bigint;
  v_queue integer;
  v_queues integer[] := '{}';
  v_turns bigint[] := '{}';
  v_handlers integer[];
  v_of integer[];  -- stretches of the queue: closure, first and behind the last priority, place in the first
  v_from integer[];
  v_below bigint[];
  v_run_at bigint[];
  v_id bigint[];
  v_having integer[];  -- those that have jobs of the priority, and the places from which on
  v_having_run_at bigint[];
  v_having_id bigint[];
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
  v_running bigint;
  v_touched bigint[] := '{}';
BEGIN
  PERFORM 1 FROM weft_worker w WHERE w.id = p_owner;
  IF NOT FOUND THEN PERFORM weft_refuse_unknown_worker('claim', p_owner); END IF;
  IF p_expire THEN
    RETURN QUERY SELECT 3, y.job, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
        NULL::bigint, NULL::bigint, NULL::text, NULL::bytea
      FROM weft_expiry y WHERE y.expires >= v_since AND y.expires < p_now ORDER BY y.expires, y.job LIMIT 500;
    IF FOUND THEN RETURN; END IF;
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT p.jobs, p.earliest INTO v_due, v_earliest FROM weft_promote_due(v_since, p_now) p;
  v_work := v_due > 0;
  v_due := CASE WHEN v_due < 500 THEN p_now END;
  v_work := weft_wake_limits(p_now) OR v_work;
  IF v_work THEN v_locked := 9223372036854775807; END IF;  -- it may have locked limits, in no order

  FOR n IN 1 .. cardinality(p_queues) LOOP
    EXIT WHEN v_claimed >= p_count;
    SELECT q.id INTO v_queue FROM weft_queue q WHERE q.name = p_queues[n] AND NOT q.paused;
    CONTINUE WHEN NOT FOUND;
    RETURN QUERY SELECT 2, i.handler::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
        NULL::bigint, NULL::bigint, NULL::bigint, w.identity, NULL::bytea
      FROM weft_line i JOIN weft_handler w ON w.id = i.handler
      WHERE i.queue = v_queue AND i.handler <> ALL (p_routable) AND i.handler <> ALL (p_unroutable);
    EXIT WHEN FOUND;
    IF p_tell_all THEN
      SELECT v_unroutable + coalesce(sum(few.jobs), 0) INTO v_unroutable
        FROM weft_line i CROSS JOIN LATERAL (SELECT count(*) AS jobs FROM (SELECT 1 FROM weft_ready r
          WHERE r.queue = v_queue AND r.handler = i.handler AND r.limit_id >= 0 LIMIT 100) first) few
        WHERE i.queue = v_queue AND i.handler = ANY (p_unroutable);
    END IF;
    v_handlers := ARRAY(SELECT i.handler FROM weft_line i WHERE i.queue = v_queue AND i.handler = ANY (p_routable)
      ORDER BY 1);
    CONTINUE WHEN cardinality(v_handlers) = 0;
    v_of := v_handlers;
    v_from := array_fill(-2147483648, ARRAY[cardinality(v_of)]);
    v_below := array_fill(2147483648, ARRAY[cardinality(v_of)]);
    v_run_at := array_fill(c_first, ARRAY[cardinality(v_of)]);
    v_id := v_run_at;
    IF p_since IS NOT NULL AND n = ANY (p_in) THEN
      SELECT array_agg(s.handler), array_agg(s.priority), array_agg(s.below), array_agg(s.run_at), array_agg(s.id)
        INTO v_of, v_from, v_below, v_run_at, v_id FROM (
          SELECT a.handler::integer, a.priority::integer, a.below,  -- what came due may be behind its place
              least(a.run_at, v_earliest) AS run_at, CASE WHEN a.run_at >= v_earliest THEN c_first ELSE a.id END AS id
            FROM unnest(p_in, p_handler, p_priority, p_below, p_run_at, p_id) a (place, handler, priority, below, run_at, id)
            WHERE a.place = n AND a.handler = ANY (v_handlers)
          UNION ALL SELECT a.* FROM unnest(v_of, v_from, v_below, v_run_at, v_id) a (handler, priority, below, run_at, id)
            WHERE NOT EXISTS (SELECT 1 FROM unnest(p_in, p_handler) k (place, handler)
              WHERE k.place = n AND k.handler = a.handler)) s;
    END IF;
    v_began := coalesce((SELECT u.turn FROM weft_turn u WHERE u.queue = v_queue), -1);
    v_turn := v_began;
    v_priority := NULL;
    WHILE v_claimed < p_count AND v_held_back < 500 LOOP
      -- Behind the last priority, that is from its own place on in stretches that begin there, and else from the next.
      SELECT f.priority, array_agg(f.handler), array_agg(CASE WHEN s.priority = f.priority THEN s.run_at ELSE c_first END),
             array_agg(CASE WHEN s.priority = f.priority THEN s.id ELSE c_first END), bool_or(f.has_limits)
        INTO v_priority, v_having, v_having_run_at, v_having_id, v_has_limits
        FROM (SELECT a.handler, a.below, greatest(a.priority, v_priority::bigint + 1)::integer AS priority,
                  CASE WHEN a.priority <= v_priority THEN c_first ELSE a.run_at END AS run_at,
                  CASE WHEN a.priority <= v_priority THEN c_first ELSE a.id END AS id
                FROM unnest(v_of, v_from, v_below, v_run_at, v_id) a (handler, priority, below, run_at, id)
                WHERE v_priority IS NULL OR a.below > v_priority::bigint + 1) s CROSS JOIN LATERAL
        (SELECT r.handler, r.priority, (SELECT m.limit_id FROM weft_ready m WHERE m.queue = v_queue
             AND m.handler = r.handler AND m.priority = r.priority AND m.limit_id > 0
             ORDER BY m.limit_id LIMIT 1) IS NOT NULL AS has_limits  -- by EXISTS the plan may hash them all
           FROM weft_ready r WHERE r.queue = v_queue AND r.handler = s.handler AND r.limit_id >= 0
             AND (r.priority, r.limit_id, r.run_at, r.id) >= (s.priority, 0::bigint, s.run_at, s.id)
             AND r.priority < s.below ORDER BY r.priority, r.limit_id, r.run_at, r.id LIMIT 1) f
        GROUP BY f.priority ORDER BY f.priority LIMIT 1;
      EXIT WHEN v_priority IS NULL;
      IF NOT v_has_limits THEN
        RETURN QUERY SELECT * FROM
          weft_claim_line(n, v_queue, v_having, v_having_run_at, v_having_id, v_priority, p_count - v_claimed, p_owner,
                          p_now);
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
        SELECT min(next.limit_id) INTO v_limit FROM unnest(v_having, v_having_run_at, v_having_id) i (handler, run_at, id)
          CROSS JOIN LATERAL (SELECT r.limit_id FROM weft_ready r WHERE r.queue = v_queue AND r.handler = i.handler
             AND r.priority = v_priority AND r.limit_id >= 0 AND (r.limit_id, r.run_at, r.id) >=
               (v_at + 1, CASE WHEN v_at < 0 THEN i.run_at ELSE c_first END, CASE WHEN v_at < 0 THEN i.id ELSE c_first END)
             ORDER BY r.limit_id, r.run_at, r.id LIMIT 1) next;
        IF v_limit IS NULL THEN
          EXIT WHEN NOT v_goes_on;  -- a whole round, and others have locked what is there
          v_goes_on := false;
          SELECT min(next.limit_id) INTO v_limit FROM unnest(v_having, v_having_run_at, v_having_id) i (handler, run_at, id)
            CROSS JOIN LATERAL (SELECT r.limit_id FROM weft_ready r WHERE r.queue = v_queue AND r.handler = i.handler
               AND r.priority = v_priority AND r.limit_id >= 0 AND (r.limit_id, r.run_at, r.id) >= (0, i.run_at, i.id)
               ORDER BY r.limit_id, r.run_at, r.id LIMIT 1) next;
          EXIT WHEN v_limit IS NULL;
        END IF;
        IF v_limit = 0 THEN
          RETURN QUERY SELECT * FROM weft_claim_line(n, v_queue, v_having, v_having_run_at, v_having_id, v_priority,
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
            SELECT * INTO l FROM weft_limit m WHERE m.id = v_limit;
            v_running := l.running;
            FOR v_job IN SELECT * FROM weft_take_line(v_queue, v_having, v_priority, v_limit,
              CASE WHEN v_at = v_limit THEN least(p_count - v_claimed, 500 - v_held_back) ELSE 1 END)
            LOOP
              v_more := v_more + 1;
              IF least(l.max - l.running, weft_tokens(l.token_ns, l.burst, l.full_at, p_now)) > 0 THEN
                v_job.fence := v_job.fence + 1;
                l.running := l.running + 1;
                IF l.token_ns > 0 THEN l.full_at := greatest(l.full_at, weft_ns(p_now)) + l.token_ns; END IF;
                PERFORM weft_move_job((v_job.id, v_job.run_at, v_job.fence, v_job.limit_id, v_job.queue, v_job.handler,
                  v_job.priority, v_job.attempts, v_job.backoffs, v_job.crashes, v_job.flags)::weft_place,
                  1, 7, p_now, p_owner);
                RETURN QUERY SELECT 1, v_job.id, n::bigint, v_job.handler::bigint, v_job.priority::bigint, v_job.fence,
                  v_job.attempts::bigint, v_job.backoffs::bigint, v_job.crashes::bigint, NULL::bigint, NULL::text,
                  (SELECT j.envelope FROM weft_job j WHERE j.id = v_job.id);
                v_claimed := v_claimed + 1;
              ELSE
                PERFORM weft_move_job((v_job.id, v_job.run_at, v_job.fence, v_job.limit_id, v_job.queue, v_job.handler,
                  v_job.priority, v_job.attempts, v_job.backoffs, v_job.crashes, v_job.flags)::weft_place,
                  1, 4, p_now);
                v_held_back := v_held_back + 1;
              END IF;
            END LOOP;
            IF l.running > v_running THEN
              UPDATE weft_limit SET running = l.running, full_at = l.full_at WHERE id = v_limit;
            END IF;
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
  IF p_tell_all THEN SELECT min(y.expires) + 1 INTO v_expires FROM weft_expiry y WHERE y.expires >= v_since; END IF;
  v_pages := weft_pages_read() - v_pages;
  IF v_again OR v_held_back >= 500 THEN
    v_more := p_now;
  ELSE
    SELECT least((SELECT min(s.run_at) FROM weft_scheduled s WHERE s.run_at > v_since), weft_next_token(p_now), v_expires)
      INTO v_more;
  END IF;
  RETURN QUERY SELECT 0, v_more, v_unroutable, v_schedule, v_work::integer::bigint, p_now, v_expires, v_pages, v_due,
    v_earliest, NULL::text, NULL::bytea;
  -- Last, and in their order: the one row that claims of all clients have in common.
  IF cardinality(v_queues) > 0 THEN
    INSERT INTO weft_turn AS u SELECT * FROM unnest(v_queues, v_turns) t (queue, turn) ORDER BY t.queue
      ON CONFLICT (queue) DO UPDATE SET turn = excluded.turn;
  END IF;
END $$;

-- As older builds call it.
CREATE OR REPLACE FUNCTION weft_claim(p_owner bigint, p_queues text[], p_count bigint, p_now bigint, p_routable bigint[],
                           p_unroutable bigint[], p_expire boolean)
RETURNS SETOF weft_told
LANGUAGE sql SET search_path = weft, pg_temp AS $$
  SELECT kind, a, b, c, d, e, f, g, h, t, x FROM
    weft_claim(p_owner, p_queues, p_count, p_now, p_routable, p_unroutable, p_expire, true, NULL, NULL, NULL, NULL, NULL, NULL,
               NULL)
$$;

-- Pages of the tables of waiting jobs and their indexes that this session has looked at, to be subtracted.
CREATE OR REPLACE FUNCTION weft_pages_read() RETURNS bigint
LANGUAGE sql AS $$
  SELECT pg_stat_get_xact_blocks_fetched('weft_ready'::regclass) + pg_stat_get_xact_blocks_fetched('weft_ready_line'::regclass)
    + pg_stat_get_xact_blocks_fetched('weft_scheduled'::regclass) + pg_stat_get_xact_blocks_fetched('weft_scheduled_due'::regclass)
    + pg_stat_get_xact_blocks_fetched('weft_expiry'::regclass) + pg_stat_get_xact_blocks_fetched('weft_expiry_at'::regclass)
$$;

CREATE OR REPLACE FUNCTION weft_refuse_unknown_worker(p_what text, p_owner bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'jobs: % for worker %: it is not there; if it was, it was taken for dead, and its jobs were given to others',
    p_what, p_owner USING ERRCODE = 'WF001';
END $$;
