-- Limits are released in one write (weft_release_limit): functions only.
SET LOCAL search_path = weft, pg_temp;
UPDATE weft_meta SET value = 5 WHERE name = 'schema_version';
