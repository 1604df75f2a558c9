-- The lines of one part that cannot be used, by their number among its lines that are not blank, from 1.
-- Input: lines, which is in the order of the file. Parameter: filename.
SELECT n, reason
FROM (SELECT row_number() OVER () AS n, reason FROM lines WHERE filename = $filename)
WHERE reason IS NOT NULL
ORDER BY n
