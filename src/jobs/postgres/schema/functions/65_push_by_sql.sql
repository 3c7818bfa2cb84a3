-- A push for programs in other languages, in their own transaction: psql, psycopg, node-pg, a trigger. It makes jobs
-- without a signature (docs/formats/job.md): a worker runs them where its options name queue and closure.
--
--   SELECT weft.weft_push('mail', 'mail.welcome(i64,str)', '[7, "Ann"]', delay => '5 minutes');

CREATE OR REPLACE FUNCTION weft_refuse_push(p_closure text, p_why text, p_hint text DEFAULT '', p_state text DEFAULT 'WF007')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'jobs: push "%": %', p_closure, p_why USING ERRCODE = p_state, HINT = p_hint;
END $$;

-- Microseconds, within nothing and the longest wait (a century).
CREATE OR REPLACE FUNCTION weft_wait_of(p_wait interval) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT least(greatest(extract(epoch FROM coalesce(p_wait, '0')) * 1000000, 0), 3155760000000000)::bigint $$;

CREATE OR REPLACE FUNCTION weft_moment_of(p_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE STRICT AS $$
  SELECT least(greatest(extract(epoch FROM p_at) * 1000000, 0), 7000000000000000)::bigint $$;

-- As limit_turn.cpp has it: FNV-1a, folded. Rows name limits by it.
CREATE OR REPLACE FUNCTION weft_turn_of_limit(p_key text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_bytes bytea := convert_to(p_key, 'UTF8');
  v_hash numeric := 14695981039346656037;
  v_last integer;
  v_turn bigint;
BEGIN
  FOR i IN 0 .. octet_length(v_bytes) - 1 LOOP
    v_last := v_hash % 256;
    v_hash := ((v_hash - v_last + (v_last # get_byte(v_bytes, i))) * 1099511628211) % 18446744073709551616;
  END LOOP;
  v_turn := (v_hash % 2147483648)::bigint # (div(v_hash, 4294967296) % 2147483648)::bigint;
  RETURN CASE v_turn WHEN 0 THEN 1 ELSE v_turn END;
END $$;

-- The bytes of a unique key, as queue.cpp makes them: with a key of its own, a job pushed here and one pushed by a
-- program keep each other out.
CREATE OR REPLACE FUNCTION weft_unique_key_of(p_queue text, p_closure text, p_kind text, p_text text) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg('\x74'::bytea || int4send(octet_length(b)) || b, ''::bytea ORDER BY place)
    FROM (SELECT convert_to(t, 'UTF8'), place FROM unnest(ARRAY[p_queue, p_closure, p_kind, p_text])
      WITH ORDINALITY a (t, place)) f (b, place) $$;

-- Nanoseconds between two tokens, and how many there are at most, as token_bucket.cpp has them.
CREATE OR REPLACE FUNCTION weft_rate_of(p_closure text, p_count integer, p_period interval, p_burst integer,
                             OUT token_ns bigint, OUT burst bigint)
LANGUAGE plpgsql AS $$
DECLARE v_period numeric := extract(epoch FROM p_period) * 1000000000;
BEGIN
  token_ns := 0;
  burst := 1;
  IF p_count = 0 THEN RETURN; END IF;
  token_ns := ceil(v_period / nullif(p_count, 0));
  burst := CASE WHEN p_burst > 0 THEN p_burst ELSE p_count END;
  IF p_count > 0 AND p_burst >= 0 AND v_period > 0 AND v_period <= 366 * 86400 * 1000000000::numeric
    AND burst * token_ns::numeric <= 10 * 366 * 86400 * 1000000000::numeric THEN RETURN; END IF;
  PERFORM weft_refuse_push(p_closure, 'the rate of its limit cannot be kept',
    'limit_count is how many begin in each limit_period, of up to a year; limit_burst at once, filled within ten years');
END $$;

CREATE OR REPLACE FUNCTION weft_check_push(p_queue text, p_closure text, p_arguments jsonb, p_priority integer,
                                p_max_attempts integer, p_unique_until text, p_tags text[], p_limit_key text,
                                p_limit_max integer, p_traceparent text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(octet_length(p_queue), 0) NOT BETWEEN 1 AND 200 THEN
    PERFORM weft_refuse_push(p_closure, 'the name of its queue must have 1 to 200 bytes');
  END IF;
  IF p_closure IS NULL OR octet_length(p_closure) > 2000 OR p_closure !~ '^[^@()[:space:]][^()[:space:]]*\(.*\)$' THEN
    PERFORM weft_refuse_push(p_closure, 'that is not a named closure with the types of its arguments',
      'Write it as `weft work --list-jobs` of the program that runs it prints it: mail.welcome(i64,str)');
  END IF;
  IF p_arguments IS NULL OR jsonb_typeof(p_arguments) <> 'array' THEN
    PERFORM weft_refuse_push(p_closure, 'its arguments must be a JSON array, also where there is one or none',
      'jsonb_build_array(7, ''Ann''), or ''[]''');
  END IF;
  IF p_priority NOT BETWEEN -32768 AND 32767 THEN
    PERFORM weft_refuse_push(p_closure, format('the priority %s is not within -32768 and 32767', p_priority));
  END IF;
  IF p_max_attempts < 1 THEN PERFORM weft_refuse_push(p_closure, 'max_attempts must be 1 or more'); END IF;
  IF p_unique_until NOT IN ('ended', 'claimed') THEN
    PERFORM weft_refuse_push(p_closure, format('unique_until is "%s"', p_unique_until),
      'ended: others with its key are kept out until it has ended; claimed: until a worker takes it');
  END IF;
  IF cardinality(p_tags) > 16 OR EXISTS (SELECT 1 FROM unnest(p_tags) t
       WHERE coalesce(octet_length(t), 0) NOT BETWEEN 1 AND 64) THEN
    PERFORM weft_refuse_push(p_closure, 'it may have 16 tags of 1 to 64 bytes');
  END IF;
  IF p_limit_key IS NOT NULL AND (octet_length(p_limit_key) NOT BETWEEN 1 AND 256 OR p_limit_max < 1) THEN
    PERFORM weft_refuse_push(p_closure, 'its limit needs a key of 1 to 256 bytes and room for one job');
  END IF;
  IF p_traceparent !~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}' THEN
    PERFORM weft_refuse_push(p_closure, 'traceparent is none', 'as in W3C Trace Context: 00-<32 hex>-<16 hex>-01');
  END IF;
END $$;

-- Returns the job's id; with a unique key that another job has, that one's.
--
-- queue, closure     as the worker's options name them; the closure with the types of its arguments
-- delay, run_at      not before; run_at wins                   expires    not started later
-- max_attempts       failures until it is dead                 timeout    of an attempt; 0: none
-- priority           lower runs first, -32768 to 32767
-- unique_key         at most one job of queue and closure with it; '': its arguments are the key
-- unique_until       'ended' or 'claimed'; and at least for unique_period
-- limit_key          at most limit_max run at a time, and limit_count begin in each limit_period, limit_burst at once
-- after, after_end   runs when these jobs are done, or have ended in whatever way
-- source             where it was pushed, for people           tags       the same
-- traceparent, tracestate, baggage   the W3C headers
-- wake               tells workers at the commit; false: they find it when they look, within a second
CREATE OR REPLACE FUNCTION weft_push(
  queue text, closure text, arguments jsonb DEFAULT '[]',
  priority integer DEFAULT 0, delay interval DEFAULT '0', run_at timestamptz DEFAULT NULL,
  expires timestamptz DEFAULT NULL, max_attempts integer DEFAULT 10, timeout interval DEFAULT '0',
  unique_key text DEFAULT NULL, unique_until text DEFAULT 'ended', unique_period interval DEFAULT '0',
  tags text[] DEFAULT NULL,
  limit_key text DEFAULT NULL, limit_max integer DEFAULT 1, limit_count integer DEFAULT 0,
  limit_period interval DEFAULT '1 second', limit_burst integer DEFAULT 0,
  after bigint[] DEFAULT NULL, after_end bigint[] DEFAULT NULL,
  source text DEFAULT NULL, traceparent text DEFAULT NULL, tracestate text DEFAULT NULL, baggage text DEFAULT NULL,
  wake boolean DEFAULT true)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = weft, pg_temp SET enable_seqscan = off SET jit = off
AS $$
DECLARE
  v_now bigint := weft_moment_of(clock_timestamp());
  v_id bigint := v_now << 11 | (nextval('weft_pushed') & 255);
  v_body bytea;
  v_queue bigint[];
  v_handler bigint[];
  v_token_ns bigint;
  v_burst bigint;
  v_key bytea;
  v_on bigint[] := coalesce(after, '{}') || coalesce(after_end, '{}');
  v_even bigint[] := array_fill(0::bigint, ARRAY[coalesce(cardinality(after), 0)]) ||
    array_fill(1::bigint, ARRAY[coalesce(cardinality(after_end), 0)]);
  v_pushed bigint;
BEGIN
  priority := coalesce(priority, 0);
  max_attempts := coalesce(max_attempts, 10);
  unique_until := coalesce(unique_until, 'ended');
  limit_max := coalesce(limit_max, 1);
  PERFORM weft_check_push(queue, closure, arguments, priority, max_attempts, unique_until, tags, limit_key, limit_max,
                          traceparent);
  IF limit_key IS NOT NULL THEN
    SELECT r.token_ns, r.burst INTO v_token_ns, v_burst
      FROM weft_rate_of(closure, coalesce(limit_count, 0), coalesce(limit_period, '1 second'), coalesce(limit_burst, 0)) r;
  END IF;
  v_body := convert_to((jsonb_build_object('weft_job', 1, 'arguments', arguments, 'attempts', max_attempts,
      'timeout_ms', weft_wait_of(timeout) / 1000, 'source', coalesce(source, 'SQL of ' || session_user))
    || CASE WHEN traceparent IS NULL THEN '{}' ELSE jsonb_build_object('traceparent', traceparent) END
    || CASE WHEN tracestate IS NULL THEN '{}' ELSE jsonb_build_object('tracestate', tracestate) END
    || CASE WHEN baggage IS NULL THEN '{}' ELSE jsonb_build_object('baggage', baggage) END)::text, 'UTF8');
  IF octet_length(v_body) > 1048576 THEN
    PERFORM weft_refuse_push(closure, format('it has %s bytes, 1048576 are the limit', octet_length(v_body)),
      'Keep large values elsewhere, and pass where they are', 'WF010');
  END IF;
  IF unique_key IS NOT NULL THEN
    v_key := weft_unique_key_of(queue, closure, CASE unique_key WHEN '' THEN 'arguments' ELSE 'key' END,
                                CASE unique_key WHEN '' THEN arguments::text ELSE unique_key END);
    IF octet_length(v_key) > 4096 THEN
      PERFORM weft_refuse_push(closure, format('its unique key has %s bytes with its names, 4096 are the limit',
        octet_length(v_key)), 'Where it is the arguments, give a shorter one', 'WF010');
    END IF;
  END IF;
  SELECT ARRAY[q.id::bigint], ARRAY[h.id::bigint] INTO v_queue, v_handler
    FROM weft_queue q JOIN weft_handler h ON h.identity = closure JOIN weft_line l ON l.queue = q.id AND l.handler = h.id
    WHERE q.name = weft_push.queue;
  IF NOT FOUND THEN
    SELECT n.queue_id, n.handler_id INTO v_queue, v_handler FROM weft_names(ARRAY[queue], ARRAY[closure]) n;
  END IF;
  SELECT p.ids[1] INTO v_pushed FROM weft_push(
    ARRAY[v_id], v_queue, v_handler, ARRAY[priority::bigint], ARRAY[v_now],
    ARRAY[coalesce(weft_moment_of(run_at), v_now + weft_wait_of(delay))], ARRAY[0::bigint], ARRAY[v_body],
    CASE WHEN expires IS NOT NULL THEN ARRAY[weft_moment_of(expires)] END,
    CASE WHEN cardinality(tags) > 0 THEN array_fill(1::bigint, ARRAY[cardinality(tags)]) END,
    CASE WHEN cardinality(tags) > 0 THEN tags END,
    CASE WHEN v_key IS NOT NULL THEN ARRAY[v_key] END,
    ARRAY[CASE unique_until WHEN 'ended' THEN 0 ELSE 1 END::bigint], ARRAY[v_now + weft_wait_of(unique_period)],
    CASE WHEN limit_key IS NOT NULL THEN ARRAY[limit_key] END,
    CASE WHEN limit_key IS NOT NULL THEN ARRAY[weft_turn_of_limit(limit_key)] END,
    ARRAY[limit_max::bigint],
    ARRAY[v_token_ns], ARRAY[v_burst],
    CASE WHEN v_on <> '{}' THEN array_fill(1::bigint, ARRAY[cardinality(v_on)]) END,
    CASE WHEN v_on <> '{}' THEN v_on END, v_even, NULL, false) p;
  IF wake AND v_pushed = v_id THEN PERFORM pg_notify('weft_jobs', 'sql w'); END IF;
  RETURN v_pushed;
END $$;
