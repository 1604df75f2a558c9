-- Forget which hours a part has events of. Parameter: part.
DELETE FROM part_hour WHERE part = :part
