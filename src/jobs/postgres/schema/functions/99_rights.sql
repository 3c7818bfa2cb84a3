-- Who may do what. Nobody but the owner, until weft_grant says so.
--
-- Functions that callers call have their search_path set, and run with the rights of the owner of the schema: so a
-- worker needs no right to write any table. Those that only other functions call have neither.
DO $$
DECLARE one regprocedure;
BEGIN
  FOR one IN SELECT oid FROM pg_proc
    WHERE pronamespace = 'weft'::regnamespace AND array_to_string(proconfig, ',') LIKE '%search_path=%'
  LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', one);
  END LOOP;
END $$;

-- What a role may do from now on: 'pusher', 'worker', 'reader' or 'none'.
--   pusher   weft_push of jobs without a signature (65_push_by_sql.sql), and nothing else
--   worker   what programs that push, work and look do: all functions of the above, and to read all tables
--   reader   to read all tables, for dashboards: also the arguments of jobs, which are in clear
-- For the owner of the schema, who alone may change it (`weft db migrate`).
CREATE OR REPLACE FUNCTION weft_grant(p_role text, p_rights text) RETURNS void
LANGUAGE plpgsql SET search_path = weft, pg_temp AS $$
DECLARE
  v_owner constant regrole := (SELECT nspowner FROM pg_namespace WHERE nspname = 'weft');
  v_push constant regprocedure := (SELECT oid FROM pg_proc WHERE pronamespace = 'weft'::regnamespace
    AND proname = 'weft_push' AND 'queue' = ANY (proargnames));
  one regprocedure;
BEGIN
  IF p_rights IS NULL OR p_rights NOT IN ('pusher', 'worker', 'reader', 'none') THEN
    RAISE EXCEPTION 'jobs: grant rights: "%" are none', p_rights
      USING ERRCODE = 'WF007', HINT = 'They are pusher, worker, reader or none';
  END IF;
  IF NOT pg_has_role(current_user, v_owner, 'USAGE') THEN
    RAISE EXCEPTION 'jobs: grant rights: the schema weft belongs to %, who alone can grant them', v_owner
      USING ERRCODE = 'WF002', HINT = 'Connect as that role';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = p_role) THEN
    RAISE EXCEPTION 'jobs: grant rights: there is no role "%"', p_role
      USING ERRCODE = 'WF001', HINT = format('CREATE ROLE %I LOGIN', p_role);
  END IF;
  IF pg_has_role(p_role, v_owner, 'USAGE') THEN
    RAISE EXCEPTION 'jobs: grant rights: "%" has all rights of %, to whom the schema weft belongs', p_role, v_owner
      USING ERRCODE = 'WF002', HINT = 'Grant them to a role of its own';
  END IF;
  EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA weft FROM %I', p_role);
  EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA weft FROM %I', p_role);
  EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA weft FROM %I', p_role);
  EXECUTE format('REVOKE ALL ON SCHEMA weft FROM %I', p_role);
  IF p_rights = 'none' THEN RETURN; END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA weft TO %I', p_role);
  IF p_rights IN ('worker', 'reader') THEN
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA weft TO %I', p_role);
  END IF;
  FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = 'weft'::regnamespace AND prosecdef
    AND (p_rights = 'worker' OR (p_rights = 'pusher' AND oid = v_push))
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', one, p_role);
  END LOOP;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA weft FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA weft FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA weft FROM PUBLIC;
REVOKE ALL ON SCHEMA weft FROM PUBLIC;

-- Who had rights before has them for what is new, too.
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT r.rolname, CASE max(g.rights) WHEN 3 THEN 'worker' WHEN 2 THEN 'reader' ELSE 'pusher' END AS rights
    FROM (SELECT a.grantee, CASE WHEN p.proname = 'weft_finish' THEN 3 ELSE 1 END AS rights
            FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a WHERE p.pronamespace = 'weft'::regnamespace
          UNION ALL SELECT a.grantee, 2
            FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a WHERE c.oid = 'weft_job'::regclass) g
    JOIN pg_roles r ON r.oid = g.grantee
    WHERE NOT pg_has_role(r.oid, (SELECT nspowner FROM pg_namespace WHERE nspname = 'weft'), 'USAGE')
    GROUP BY r.rolname
  LOOP
    PERFORM weft_grant(one.rolname, one.rights);
  END LOOP;
END $$;
