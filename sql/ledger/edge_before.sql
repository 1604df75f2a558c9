-- The nearest hour with trades before an hour. Parameters: symbol, hour.
SELECT hour, first_id, last_id, last_price FROM edge WHERE symbol = :symbol AND hour < :hour ORDER BY hour DESC LIMIT 1
