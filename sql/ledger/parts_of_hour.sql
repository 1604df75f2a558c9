-- The parts that have events of an hour. Grain: one part. Parameters: symbol, hour.
SELECT day, name, size, gone FROM part_hour JOIN part ON part.id = part_hour.part
WHERE part_hour.symbol = :symbol AND hour = :hour ORDER BY day, name
