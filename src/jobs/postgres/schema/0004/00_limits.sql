SET LOCAL search_path = weft, pg_temp;
UPDATE weft_meta SET value = 4 WHERE name = 'schema_version';
-- Limits that somebody has set, so that pushes do not change them.
ALTER TABLE weft_limit ADD COLUMN pinned boolean NOT NULL DEFAULT false;
