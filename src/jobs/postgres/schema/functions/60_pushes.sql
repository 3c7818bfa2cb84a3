-- Pushes. The arrays have an element for each job; tags and what jobs wait for come as pairs, with the place of the
-- job in those (from 1). Arrays of what no job has are null. Returns the ids, that of another job where it has the
-- unique key. The queue, closure and line of each must be there: weft_names.
CREATE OR REPLACE FUNCTION weft_push(
  p_id bigint[], p_queue bigint[], p_handler bigint[], p_priority bigint[], p_created bigint[], p_run_at bigint[],
  p_backoffs bigint[], p_envelope bytea[], p_expires bigint[],
  p_tag_of bigint[], p_tag text[],
  p_unique bytea[], p_until bigint[], p_at_least bigint[],
  p_limit text[], p_limit_turn bigint[], p_limit_max bigint[], p_token_ns bigint[], p_burst bigint[],
  p_dep_of bigint[], p_dep_on bigint[], p_dep_even bigint[], p_before bigint[], p_top_up boolean,
  OUT ids bigint[], OUT work boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = weft, pg_temp AS $$
DECLARE
  one record;
  v_holder bigint;
  v_pending integer;
  v_state integer;
  v_place weft_place;
  v_tags text[];
BEGIN
  ids := p_id;
  work := true;
  IF p_unique IS NULL AND p_limit IS NULL AND p_dep_of IS NULL AND p_before IS NULL THEN
    INSERT INTO weft_job (id, queue, handler, priority, created, envelope, limit_id, expires)
      SELECT a.id, a.queue, a.handler, a.priority, a.created, a.envelope, 0, a.expires
      FROM unnest(p_id, p_queue, p_handler, p_priority, p_created, p_envelope, p_expires)
        a (id, queue, handler, priority, created, envelope, expires);
    WITH new AS MATERIALIZED (
      SELECT a.id, a.run_at, 0::bigint, 0::bigint, a.queue::integer AS queue, a.handler::integer AS handler,
             a.priority::integer, 0, a.backoffs::integer, 0,
             CASE WHEN a.place = ANY (p_tag_of) THEN 8 ELSE 0 END + CASE WHEN a.expires IS NULL THEN 0 ELSE 16 END,
             a.run_at > a.created AS is_ahead
      FROM unnest(p_id, p_queue, p_handler, p_priority, p_created, p_run_at, p_backoffs, p_expires) WITH ORDINALITY
        a (id, queue, handler, priority, created, run_at, backoffs, expires, place)
      ),
    ready AS (INSERT INTO weft_ready
      SELECT n.id, n.run_at, 0, 0, n.queue, n.handler, n.priority, 0, n.backoffs, 0, n.flags
      FROM new n (id, run_at, f, l, queue, handler, priority, a, backoffs, c, flags, is_ahead) WHERE NOT is_ahead),
    ahead AS (INSERT INTO weft_scheduled
      SELECT n.id, n.run_at, 0, 0, n.queue, n.handler, n.priority, 0, n.backoffs, 0, n.flags
      FROM new n (id, run_at, f, l, queue, handler, priority, a, backoffs, c, flags, is_ahead) WHERE is_ahead)
    INSERT INTO weft_count
      SELECT queue, CASE WHEN is_ahead THEN 0 ELSE 1 END, handler, count(*) FROM new GROUP BY queue, handler, is_ahead;
    IF p_tag_of IS NOT NULL THEN
      INSERT INTO weft_tag (job, tag, state)
        SELECT DISTINCT p_id[t.of], t.tag, CASE WHEN p_run_at[t.of] > p_created[t.of] THEN 0 ELSE 1 END
        FROM unnest(p_tag_of, p_tag) t (of, tag);
    END IF;
    IF p_expires IS NOT NULL THEN
      INSERT INTO weft_expiry SELECT a.id, a.expires FROM unnest(p_id, p_expires) a (id, expires)
        WHERE a.expires IS NOT NULL;
    END IF;
    RETURN;
  END IF;
  FOR one IN SELECT * FROM
    unnest(p_id, p_queue, p_handler, p_priority, p_created, p_run_at, p_backoffs, p_envelope, p_expires, p_unique,
           p_until, p_at_least, p_limit, p_limit_turn, p_limit_max, p_token_ns, p_burst, p_before) WITH ORDINALITY
    a (id, queue, handler, priority, created, run_at, backoffs, envelope, expires, key,
       until, at_least, name, turn, max, token_ns, burst, before, place)
    ORDER BY place
  LOOP
    IF one.key IS NOT NULL THEN
      v_holder := weft_take_key(one.id, one.key, one.until::integer, one.at_least, one.created);
      IF v_holder IS NOT NULL THEN
        ids[one.place] := v_holder;
        CONTINUE;
      END IF;
    END IF;
    v_pending := 0;
    IF p_dep_of IS NOT NULL THEN
      SELECT weft_add_dependencies(one.id, array_agg(d.job), array_agg(d.even)) INTO v_pending
        FROM unnest(p_dep_of, p_dep_on, p_dep_even) d (of, job, even) WHERE d.of = one.place;
    END IF;
    IF one.before IS NOT NULL THEN PERFORM weft_add_dependent(one.id, one.before); END IF;
    v_place.limit_id := 0;
    IF one.name IS NOT NULL THEN
      SELECT l.limit_id INTO v_place.limit_id FROM
        weft_limit_id(one.name, one.turn, one.max, one.token_ns, one.burst, one.created, p_top_up) l;
    END IF;
    v_tags := NULL;
    IF p_tag_of IS NOT NULL THEN
      v_tags := ARRAY(SELECT DISTINCT t.tag FROM unnest(p_tag_of, p_tag) t (of, tag) WHERE t.of = one.place);
    END IF;
    v_place.id := one.id;
    v_place.run_at := one.run_at;
    v_place.fence := 0;
    v_place.queue := one.queue;
    v_place.handler := one.handler;
    v_place.priority := one.priority;
    v_place.attempts := 0;
    v_place.backoffs := one.backoffs;
    v_place.crashes := 0;
    v_place.flags := CASE WHEN one.key IS NULL THEN 0 ELSE 1 END + CASE WHEN v_pending > 0 THEN 4 ELSE 0 END +
      CASE WHEN cardinality(v_tags) > 0 THEN 8 ELSE 0 END + CASE WHEN one.expires IS NULL THEN 0 ELSE 16 END;
    INSERT INTO weft_job (id, queue, handler, priority, created, envelope, limit_id, expires)
      VALUES (one.id, one.queue, one.handler, one.priority, one.created, one.envelope, v_place.limit_id, one.expires);
    v_state := weft_state_after(-1,
      CASE WHEN v_pending > 0 THEN 2 WHEN one.run_at > one.created THEN 1 ELSE 0 END);
    PERFORM weft_enter(v_place, v_state, NULL, 0, v_pending);
    IF cardinality(v_tags) > 0 THEN
      INSERT INTO weft_tag (job, tag, state) SELECT one.id, t, v_state FROM unnest(v_tags) t;
    END IF;
    IF one.expires IS NOT NULL THEN INSERT INTO weft_expiry VALUES (one.id, one.expires); END IF;
  END LOOP;
END $$;
