SET LOCAL search_path = weft, pg_temp;
UPDATE weft_meta SET value = 2 WHERE name = 'schema_version';
-- What claims answer with: rows of several kinds (weft_claim).
CREATE TYPE weft_answer AS (
  kind integer, a bigint, b bigint, c bigint, d bigint, e bigint, f bigint, g bigint, h bigint, i bigint, t text, x bytea);
