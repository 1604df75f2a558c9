-- What is known of an account. Parameters: account.
SELECT units, ahead_s, span, used, until_s FROM budget WHERE account = :account
