-- Whether any id of the hours to build has two contents, or a trade is contained in an aggregate. Input: once.
SELECT coalesce(bool_or(copies > 1 OR cover >= last_id), false) FROM once
