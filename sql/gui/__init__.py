"""Statements of the dashboard: each reads, none writes; all values are bound."""
