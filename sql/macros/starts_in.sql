-- starts_in(files): for each symbol the seconds with which trade ids start again, by ledger/gaps. Grain: one row, with a map
-- from the symbol to a list; null where ids have never started again, which costs a query nothing.
CREATE OR REPLACE MACRO starts_in(files) AS TABLE
SELECT CASE WHEN count(*) > 0 THEN map_from_entries(list((symbol, starts))) END AS starts
FROM (SELECT symbol, list(to_time) AS starts FROM gaps_in(files) WHERE state = 'new numbering' GROUP BY symbol);
