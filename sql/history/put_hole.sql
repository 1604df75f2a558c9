-- A source was asked for a range and has nothing there. Parameters: symbol, interval, source, start_us, end_us.
INSERT INTO hole VALUES (:symbol, :interval, :source, :start_us, :end_us)
ON CONFLICT DO UPDATE SET end_us = max(end_us, excluded.end_us)
