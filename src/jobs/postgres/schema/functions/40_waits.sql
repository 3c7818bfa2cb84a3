-- Unique keys, and jobs that wait for others.

-- Takes the key for a new job; returns whose it is, if another's.
CREATE OR REPLACE FUNCTION weft_take_key(p_id bigint, p_key bytea, p_until integer, p_at_least bigint, p_now bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v_holder weft_unique;
BEGIN
  LOOP
    INSERT INTO weft_unique (job, key, until, at_least, held) VALUES (p_id, p_key, p_until, p_at_least, 1)
      ON CONFLICT (key) WHERE held > 0 DO NOTHING;
    IF FOUND THEN RETURN NULL; END IF;
    SELECT * INTO v_holder FROM weft_unique WHERE key = p_key AND held > 0;
    IF NOT FOUND THEN CONTINUE; END IF;
    IF v_holder.held = 1 OR v_holder.at_least > p_now THEN RETURN v_holder.job; END IF;
    PERFORM weft_give_key_up(v_holder.job);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION weft_give_key_up(p_job bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM weft_unique WHERE job = p_job AND held = 3;
  UPDATE weft_unique SET held = 0 WHERE job = p_job AND held = 2;
END $$;

CREATE OR REPLACE FUNCTION weft_release_key(p_job bigint, p_ended boolean, p_now bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE weft_unique SET held = CASE WHEN at_least > p_now THEN 2 ELSE 0 END
    WHERE job = p_job AND held = 1 AND (until = 1 OR p_ended);
END $$;

-- For a job that is retried; returns who has the key by now, if another.
CREATE OR REPLACE FUNCTION weft_take_key_again(p_job bigint, p_now bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE v_other weft_unique;
BEGIN
  SELECT o.* INTO v_other FROM weft_unique m JOIN weft_unique o ON o.key = m.key AND o.held > 0 AND o.job <> m.job
    WHERE m.job = p_job;
  IF FOUND THEN
    IF v_other.held = 1 OR v_other.at_least > p_now THEN RETURN v_other.job; END IF;
    PERFORM weft_give_key_up(v_other.job);
  END IF;
  UPDATE weft_unique SET held = 1 WHERE job = p_job;
  RETURN NULL;
END $$;

-- Lets a new job wait for others; returns for how many it does. The row of each is held, so that it does not end
-- before this transaction, unseen by who would have to let the new job go on.
CREATE OR REPLACE FUNCTION weft_add_dependencies(p_job bigint, p_on bigint[], p_even bigint[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  v_pending integer := 0;
  v_state integer;
  one record;
BEGIN
  FOR one IN SELECT a.id, (array_agg(a.even ORDER BY a.place))[1] <> 0 AS even
    FROM unnest(p_on, p_even) WITH ORDINALITY a (id, even, place) GROUP BY a.id ORDER BY a.id
  LOOP
    v_state := weft_hold_state(one.id);
    IF v_state IS NULL THEN
      RAISE EXCEPTION 'jobs: push a job: it waits for job %, which is not there (any more)', one.id
        USING ERRCODE = 'WF001';
    END IF;
    CONTINUE WHEN v_state = 3 OR (v_state IN (4, 5, 6) AND one.even);
    INSERT INTO weft_dependency VALUES (one.id, p_job, one.even);
    v_pending := v_pending + 1;
  END LOOP;
  RETURN v_pending;
END $$;

-- Lets a job that waits for others wait for a new one, too.
CREATE OR REPLACE FUNCTION weft_add_dependent(p_job bigint, p_child bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE weft_blocked SET pending = pending + 1 WHERE id = p_child AND pending > 0;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'jobs: push a job before job %: that is not there, or waits for no other any more', p_child
      USING ERRCODE = 'WF002';
  END IF;
  INSERT INTO weft_dependency VALUES (p_job, p_child, true);
END $$;

-- What the end of a job is for those that wait for it.
CREATE OR REPLACE FUNCTION weft_release_children(p_parent bigint, p_is_child boolean, p_done boolean, p_now bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_children bigint[];
  v_child bigint;
  v_row weft_blocked;
  v_work boolean := false;
BEGIN
  IF p_is_child THEN DELETE FROM weft_dependency WHERE child = p_parent; END IF;
  PERFORM 1 FROM weft_dependency WHERE parent = p_parent LIMIT 1;
  IF NOT FOUND THEN RETURN false; END IF;
  WITH gone AS (DELETE FROM weft_dependency WHERE parent = p_parent AND (even_if_given_up OR p_done) RETURNING child)
  SELECT array_agg(child ORDER BY child) INTO v_children FROM gone;
  FOREACH v_child IN ARRAY coalesce(v_children, '{}') LOOP
    UPDATE weft_blocked SET pending = pending - 1 WHERE id = v_child RETURNING * INTO v_row;
    CONTINUE WHEN NOT FOUND OR v_row.pending > 0;
    v_work := weft_move((v_row.id, v_row.run_at, v_row.fence, v_row.limit_id, v_row.queue, v_row.handler,
                         v_row.priority, v_row.attempts, v_row.backoffs, v_row.crashes, v_row.flags)::weft_place,
                        7, CASE WHEN v_row.run_at > p_now THEN 6 ELSE 5 END, p_now) OR v_work;
  END LOOP;
  RETURN v_work;
END $$;
