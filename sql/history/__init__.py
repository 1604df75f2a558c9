"""Statements of what is known about history: `lake/history.py`, and the shared request limits: `lake/budget.py`."""
