-- What was known of an hour's neighbours when its bars were written, and the trades in them. Parameters: symbol, hour.
SELECT surroundings, trades FROM built WHERE symbol = :symbol AND hour = :hour
