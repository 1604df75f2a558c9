"""The statements of the ledger (SQLite)."""
