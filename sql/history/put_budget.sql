-- Note what is known of an account. Parameters: account, units, ahead_s, span, used, until_s.
INSERT OR REPLACE INTO budget VALUES (:account, :units, :ahead_s, :span, :used, :until_s)
