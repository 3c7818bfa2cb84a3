-- Who may do what is said by grants.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA weft FROM PUBLIC;
