-- What was known of an hour's neighbours when its bars were written. Parameters: symbol, hour.
SELECT surroundings FROM built WHERE symbol = :symbol AND hour = :hour
