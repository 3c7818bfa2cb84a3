-- The settings of the functions that clients call, but for those that say their own: a plan for all sessions and sizes,
-- as schema/0001/10_tables.sql says.
DO $$
DECLARE one regprocedure;
BEGIN
  FOR one IN SELECT p.oid FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.pronamespace = 'weft'::regnamespace AND l.lanname = 'plpgsql'
      AND cardinality(p.proconfig) = 1 AND p.proconfig[1] LIKE 'search_path=%'
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET jit = off SET plan_cache_mode = force_generic_plan SET enable_seqscan = off'
      ' SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off', one);
  END LOOP;
END $$;
