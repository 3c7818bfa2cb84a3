-- Claims look over slices of what they pass over (weft_claim_slice): functions only.
SET LOCAL search_path = weft, pg_temp;
UPDATE weft_meta SET value = 3 WHERE name = 'schema_version';
