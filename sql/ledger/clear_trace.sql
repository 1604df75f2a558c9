-- Forget the seconds with trades of an hour. Parameters: symbol, hour.
DELETE FROM trace WHERE symbol = :symbol AND second >= :hour AND second < :hour + 3600000000
