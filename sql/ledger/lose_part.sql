-- A part is no longer in its folder; its hours keep their bars. Parameters: symbol, day, name.
UPDATE part SET gone = 1 WHERE symbol = :symbol AND day = :day AND name = :name
