-- The span of an account that was counted last, what is used of it, and until when nobody may ask.
SELECT span, used, until_s FROM budget WHERE account = :account
