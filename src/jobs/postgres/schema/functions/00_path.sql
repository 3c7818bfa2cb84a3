-- The functions of the schema, as they are after its last step: each is made, or replaced, in the transaction of the
-- steps before. The functions of earlier builds stay as they are called, name and parameters: a function with other ones
-- is another function. What only functions of here called, and none does any more, is left in old databases.
SET LOCAL search_path = weft, pg_temp;
