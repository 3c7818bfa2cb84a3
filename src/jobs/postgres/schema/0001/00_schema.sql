CREATE SCHEMA IF NOT EXISTS weft;
SET LOCAL search_path = weft, pg_temp;
CREATE TABLE weft_meta (
  name text PRIMARY KEY,
  value integer NOT NULL
);
INSERT INTO weft_meta VALUES ('schema_version', 1), ('compatible_from', 1);
