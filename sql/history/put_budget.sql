-- Note what is used of an account.
INSERT OR REPLACE INTO budget (account, span, used, until_s) VALUES (:account, :span, :used, :until_s)
