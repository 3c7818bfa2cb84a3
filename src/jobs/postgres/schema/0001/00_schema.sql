-- Whom it belongs to, where it is there already, may have no right to make one.
DO $$ BEGIN
  IF to_regnamespace('weft') IS NULL THEN CREATE SCHEMA weft; END IF;
END $$;
SET LOCAL search_path = weft, pg_temp;
CREATE TABLE weft_meta (
  name text PRIMARY KEY,
  value integer NOT NULL
);
INSERT INTO weft_meta VALUES ('schema_version', 1), ('compatible_from', 1);
