-- The parts of the batch that have a line which cannot be used. Grain: one part. Input: lines.
SELECT DISTINCT filename FROM lines WHERE reason IS NOT NULL ORDER BY filename
