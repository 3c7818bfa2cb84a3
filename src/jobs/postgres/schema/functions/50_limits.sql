-- Limits: how many jobs of a key may run at a time, and how often they begin. A claim that meets a job whose limit
-- is reached moves it to weft_blocked, and each job is moved aside at most once for each time that it comes to the
-- front. While there is room for so many jobs, so many of each queue and closure are ready, up to 200, or none of
-- them is blocked: whatever makes room, and a claim at its end, tops them up. Where only a token lacks, wake_at says
-- when it comes, and the first claim from then on tops them up; or a claim whose clock is further back than the time
-- of a token, as it was set back.
--
-- Tokens as in src/jobs/token_bucket.cpp.

CREATE OR REPLACE FUNCTION weft_ns(p_micros bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT least(greatest(p_micros, 0), 6000000000000000) * 1000 $$;

CREATE OR REPLACE FUNCTION weft_tokens(p_token_ns bigint, p_burst bigint, p_full_at bigint, p_now bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_token_ns WHEN 0 THEN 9223372036854775807
    ELSE greatest(p_burst * p_token_ns - greatest(p_full_at - weft_ns(p_now), 0), 0) / p_token_ns END $$;

-- Locks a limit, its tokens as its clock has them.
CREATE OR REPLACE FUNCTION weft_lock_limit(p_limit bigint, p_now bigint) RETURNS weft_limit
LANGUAGE plpgsql AS $$
DECLARE
  l weft_limit;
  v_latest bigint;
BEGIN
  SELECT * INTO l FROM weft_limit WHERE id = p_limit FOR NO KEY UPDATE;
  v_latest := weft_ns(p_now) + l.burst * l.token_ns;
  IF l.full_at > v_latest + 10000000000 THEN  -- clocks_differ_max
    l.full_at := v_latest;
    UPDATE weft_limit SET full_at = v_latest WHERE id = p_limit;
  END IF;
  RETURN l;
END $$;

-- One that was released gives its token back, but for what the bucket may have gained since.
CREATE OR REPLACE FUNCTION weft_give_token_back(p_limit bigint, p_started bigint, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM weft_lock_limit(p_limit, p_now);
  UPDATE weft_limit SET full_at = full_at -
      least(greatest(token_ns - (weft_ns(p_now) - weft_ns(p_started)), 0), token_ns)
    WHERE id = p_limit AND token_ns > 0;
END $$;

-- A claim, or a call that ends many, changes the row of a limit once: a row that is changed often costs each look at it
-- more, as long as an older transaction is open.
CREATE OR REPLACE FUNCTION weft_left_limit(p_limit bigint, p_jobs bigint, p_now bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE weft_limit SET running = running - p_jobs WHERE id = p_limit;
  RETURN weft_top_up(p_limit, p_now);
END $$;

CREATE OR REPLACE FUNCTION weft_top_up(p_limit bigint, p_now bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  l weft_limit := weft_lock_limit(p_limit, p_now);
  v_tokens bigint;
  v_places bigint;
  v_room bigint;
  v_wake bigint;
  v_work boolean := false;
  v_more bigint;
  v_moved bigint[];
  v_queue integer := 0;
  v_handler integer := 0;
BEGIN
  IF l.id IS NULL THEN RETURN false; END IF;
  v_tokens := weft_tokens(l.token_ns, l.burst, l.full_at, p_now);
  v_places := l.max - l.running;
  v_room := least(v_places, v_tokens, 200);
  WHILE v_room > 0 LOOP
    SELECT queue, handler INTO v_queue, v_handler FROM weft_blocked
      WHERE limit_id = p_limit AND pending = 0 AND (queue, handler) > (v_queue, v_handler)
      ORDER BY queue, handler LIMIT 1;
    EXIT WHEN NOT FOUND;
    SELECT v_room - count(*) INTO v_more FROM (SELECT 1 FROM weft_ready
      WHERE limit_id = p_limit AND limit_id > 0 AND queue = v_queue AND queue > 0 AND handler = v_handler LIMIT v_room) few;
    CONTINUE WHEN v_more <= 0;
    WITH next AS MATERIALIZED (SELECT id FROM weft_blocked
        WHERE limit_id = p_limit AND pending = 0 AND queue = v_queue AND handler = v_handler
        ORDER BY priority, run_at, id LIMIT v_more FOR UPDATE SKIP LOCKED),
      gone AS (DELETE FROM weft_blocked b USING next n WHERE b.id = n.id RETURNING b.*),
      came AS (INSERT INTO weft_ready
        SELECT id, run_at, fence, limit_id, queue, handler, priority, attempts, backoffs, crashes, flags FROM gone)
    SELECT array_agg(id) INTO v_moved FROM gone;
    CONTINUE WHEN v_moved IS NULL;
    UPDATE weft_tag SET state = 1 WHERE job = ANY (v_moved) AND state <> 1;
    PERFORM weft_count_jobs(v_queue, 7, v_handler, -cardinality(v_moved)),
            weft_count_jobs(v_queue, 1, v_handler, cardinality(v_moved));
    v_work := true;
  END LOOP;
  IF v_places > 0 AND v_tokens = 0 THEN
    PERFORM 1 FROM weft_blocked WHERE limit_id = p_limit AND pending = 0 LIMIT 1;
    IF FOUND THEN v_wake := (l.full_at - (l.burst - 1) * l.token_ns + 999) / 1000; END IF;
  END IF;
  IF l.wake_at IS DISTINCT FROM v_wake THEN
    UPDATE weft_limit SET wake_at = v_wake WHERE id = p_limit;
    v_work := v_work OR v_wake IS NOT NULL;  -- who waits for work waits for that moment, too
  END IF;
  RETURN v_work;
END $$;

-- A wait for a token that begins after this began before the clock was set back: it takes a token's time.
CREATE OR REPLACE FUNCTION weft_latest_wait(p_now bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT p_now + 10001000 $$;

-- Tops up limits that have a token by now. Those that another client has locked are seen to by it, or next time.
CREATE OR REPLACE FUNCTION weft_wake_limits(p_now bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_ids bigint[];
  v_id bigint;
  v_work boolean := false;
BEGIN
  PERFORM 1 FROM weft_limit WHERE wake_at IS NOT NULL LIMIT 1;
  IF NOT FOUND THEN RETURN false; END IF;
  v_ids := ARRAY(SELECT id FROM weft_limit WHERE wake_at IS NOT NULL AND wake_at <= p_now
    ORDER BY wake_at LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED);
  v_ids := v_ids || ARRAY(SELECT id FROM weft_limit
    WHERE wake_at IS NOT NULL AND wake_at - token_ns / 1000 > weft_latest_wait(p_now)
    LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED);
  FOREACH v_id IN ARRAY v_ids LOOP
    v_work := weft_top_up(v_id, p_now) OR v_work;
  END LOOP;
  RETURN v_work;
END $$;

CREATE OR REPLACE FUNCTION weft_next_token(p_now bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE v_at bigint;
BEGIN
  SELECT min(wake_at) INTO v_at FROM weft_limit WHERE wake_at IS NOT NULL;
  IF v_at IS NULL THEN RETURN NULL; END IF;
  PERFORM 1 FROM weft_limit WHERE wake_at IS NOT NULL AND wake_at - token_ns / 1000 > weft_latest_wait(p_now) LIMIT 1;
  RETURN CASE WHEN FOUND THEN p_now ELSE v_at END;
END $$;

-- The number of the limit with that name, as this push has it: the last one says it, unless somebody has set it. Its row is there as long as
-- this transaction. Who changes what a limit is, holds its row until then; others only refer to it. p_top_up: this
-- transaction is a short one, and may.
CREATE OR REPLACE FUNCTION weft_limit_id(p_name text, p_turn bigint, p_max bigint, p_token_ns bigint, p_burst bigint,
                              p_now bigint, p_top_up boolean, OUT limit_id bigint, OUT work boolean)
LANGUAGE plpgsql AS $$
DECLARE
  l weft_limit;
  v_missing bigint;
  v_part bigint;
BEGIN
  work := false;
  limit_id := p_turn;
  LOOP
    SELECT * INTO l FROM weft_limit WHERE name = p_name FOR KEY SHARE;
    EXIT WHEN FOUND;
    -- Two keys may have one place in the round: then the next one is as good.
    INSERT INTO weft_limit (id, name, max, token_ns, burst) VALUES (limit_id, p_name, p_max, p_token_ns, p_burst)
      ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      PERFORM 1 FROM weft_limit WHERE id = limit_id AND name <> p_name;
      IF FOUND THEN limit_id := limit_id + 1; END IF;
    END IF;
  END LOOP;
  limit_id := l.id;
  IF NOT l.pinned AND (l.max <> p_max OR l.token_ns <> p_token_ns OR l.burst <> p_burst) THEN
    SELECT * INTO l FROM weft_limit WHERE id = limit_id FOR NO KEY UPDATE;
    IF l.pinned THEN RETURN; END IF;  -- by now
    IF l.token_ns <> 0 AND p_token_ns <> 0 AND l.token_ns <> p_token_ns THEN
      -- As many tokens are missing as before, parts of one too.
      v_missing := greatest(l.full_at - weft_ns(p_now), 0);
      v_part := ceil((v_missing % l.token_ns)::float8 * p_token_ns::float8 / l.token_ns::float8);
      l.full_at := weft_ns(p_now) +
        least(least(v_missing / l.token_ns, p_burst) * p_token_ns + v_part, p_burst * p_token_ns);
    END IF;
    UPDATE weft_limit SET max = p_max, token_ns = p_token_ns, burst = p_burst, full_at = l.full_at WHERE id = l.id;
    work := weft_top_up(limit_id, p_now);
  ELSIF p_top_up AND l.token_ns > 0 THEN
    PERFORM 1 FROM weft_blocked b WHERE b.limit_id = l.id AND b.pending = 0 LIMIT 1;
    IF FOUND THEN work := weft_top_up(limit_id, p_now); END IF;
  END IF;
END $$;

-- Makes the rows of limits, so that a push in a long transaction makes none.
CREATE OR REPLACE FUNCTION weft_limits(p_name text[], p_turn bigint[], p_max bigint[], p_token_ns bigint[], p_burst bigint[],
                            p_now bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = weft, pg_temp AS $$
DECLARE one record;
BEGIN
  FOR one IN SELECT * FROM unnest(p_name, p_turn, p_max, p_token_ns, p_burst) a (name, turn, max, token_ns, burst)
    WHERE NOT EXISTS (SELECT 1 FROM weft_limit l WHERE l.name = a.name) ORDER BY a.name
  LOOP
    PERFORM weft_limit_id(one.name, one.turn, one.max, one.token_ns, one.burst, p_now, true);
  END LOOP;
END $$;

-- Sets a limit for all its jobs; pinned: pushes do not change it from then on.
CREATE OR REPLACE FUNCTION weft_set_limit(p_name text, p_turn bigint, p_max bigint, p_token_ns bigint, p_burst bigint,
                               p_pinned boolean, p_now bigint, OUT work boolean)
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE v_id bigint;
BEGIN
  UPDATE weft_limit SET pinned = false WHERE name = p_name;
  SELECT l.limit_id, l.work INTO v_id, work
    FROM weft_limit_id(p_name, p_turn, p_max, p_token_ns, p_burst, p_now, true) l;
  UPDATE weft_limit SET pinned = p_pinned WHERE id = v_id;
END $$;

-- The next push says what the limit is. False: nobody has set it.
CREATE OR REPLACE FUNCTION weft_release_limit(p_name text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
BEGIN
  UPDATE weft_limit SET pinned = false WHERE name = p_name AND pinned;
  RETURN FOUND;
END $$;
