"""crypto-lake's domain: settings, paths, time windows, schemas, Parquet, DuckDB, raw parts, bars, the ledger, export.

Good in a notebook: ``import lake; con = lake.connect(); con.sql("SELECT * FROM bars_1m LIMIT 5")``.

What does not belong here: Prefect (`tasks`, `flows`), Great Expectations (`expectations`), sockets (`collector`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def connect() -> "duckdb.DuckDBPyConnection":
    """Return a DuckDB connection in memory that has every view of the lake that `config.yml` names."""
    from lake import settings, views

    return views.connect(settings.load().layout)
