-- Numbers of names. They are made in a transaction of their own, so that nobody waits for a push that is a part of
-- a long one.

-- The numbers of queues and closures, and rows for the lines: the arrays have one element for each pair.
CREATE OR REPLACE FUNCTION weft_names(p_queue text[], p_handler text[], OUT queue_id bigint[], OUT handler_id bigint[])
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = weft, pg_temp AS $$
BEGIN
  INSERT INTO weft_queue (name)
    SELECT DISTINCT n FROM unnest(p_queue) n
    WHERE NOT EXISTS (SELECT 1 FROM weft_queue q WHERE q.name = n) ORDER BY n
    ON CONFLICT DO NOTHING;
  INSERT INTO weft_handler (identity)
    SELECT DISTINCT n FROM unnest(p_handler) n
    WHERE NOT EXISTS (SELECT 1 FROM weft_handler h WHERE h.identity = n) ORDER BY n
    ON CONFLICT DO NOTHING;
  SELECT array_agg(q.id ORDER BY a.place), array_agg(h.id ORDER BY a.place)
    INTO queue_id, handler_id
    FROM unnest(p_queue, p_handler) WITH ORDINALITY a (queue, handler, place)
    JOIN weft_queue q ON q.name = a.queue JOIN weft_handler h ON h.identity = a.handler;
  INSERT INTO weft_line (queue, handler)
    SELECT DISTINCT a.queue, a.handler FROM unnest(queue_id, handler_id) a (queue, handler)
    WHERE NOT EXISTS (SELECT 1 FROM weft_line l WHERE l.queue = a.queue AND l.handler = a.handler)
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
END $$;

-- The number of a queue, made if it is new.
CREATE OR REPLACE FUNCTION weft_queue_id(p_name text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE v_id bigint;
BEGIN
  LOOP
    SELECT id INTO v_id FROM weft_queue WHERE name = p_name;
    IF FOUND THEN RETURN v_id; END IF;
    INSERT INTO weft_queue (name) VALUES (p_name) ON CONFLICT DO NOTHING;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION weft_set_paused(p_queue text, p_paused boolean) RETURNS void
LANGUAGE plpgsql
SET search_path = weft, pg_temp AS $$
DECLARE v_id bigint := weft_queue_id(p_queue);
BEGIN
  UPDATE weft_queue SET paused = p_paused WHERE id = v_id;
END $$;

-- Adds the same number for many: a row of weft_count.
CREATE OR REPLACE FUNCTION weft_count_jobs(p_queue integer, p_state integer, p_handler integer, p_by bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF p_state = 2 OR p_by = 0 THEN RETURN; END IF;
  INSERT INTO weft_count VALUES (p_queue, p_state, CASE WHEN p_state IN (0, 1, 7) THEN p_handler ELSE 0 END, p_by);
END $$;

-- Sums rows of weft_count up. Returns how many there were.
CREATE OR REPLACE FUNCTION weft_sum_counts() RETURNS bigint
LANGUAGE plpgsql SET search_path = weft, pg_temp SET jit = off AS $$
DECLARE v_rows bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  WITH few AS MATERIALIZED (SELECT ctid FROM weft_count LIMIT 50000 FOR UPDATE SKIP LOCKED),
  gone AS (DELETE FROM weft_count WHERE ctid = ANY (ARRAY(SELECT ctid FROM few)) RETURNING *),
  summed AS (INSERT INTO weft_count
    SELECT queue, state, handler, sum(jobs) FROM gone GROUP BY queue, state, handler HAVING sum(jobs) <> 0)
  SELECT count(*) INTO v_rows FROM gone;
  RETURN v_rows;
END $$;
