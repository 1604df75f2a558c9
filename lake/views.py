"""The views over the whole lake, and connections that have them."""

import os
import uuid
from contextlib import suppress
from pathlib import Path

import duckdb

from lake import duck, landlock
from lake.layout import Layout

MACROS = (
    "own_files", "bars_in", "gaps_in", "starts_in", "rolled_up", "coverage_of", "klines_in", "funding_oi_in",
    "macro_in", "dxy_of",
)  # fmt: skip
"""The statements behind the views, as table macros of the files or rows that they read (`sql/macros`)."""
VIEWS = (
    "bars_1s",
    "bars_1m",
    "bars_5m",
    "bars_15m",
    "bars_1h",
    "bars_1d",
    "coverage",
    "klines_1m",
    "compare_our_vs_kline_1m",
    "funding_oi_hourly",
    "macro_minute",
    "dxy_synthetic_minute",
)
"""Every view (`sql/views`), each after those that it reads."""
_SPILL = ".duckdb"


def connect(layout: Layout) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB connection that has every view of the lake."""
    con = duck.memory()
    con.execute(sql(layout))
    return con


def macros() -> duckdb.DuckDBPyConnection:
    """Return such a connection without the views: enough for `lake.selections`, and no file is looked at."""
    con = duck.memory()
    for name in MACROS:
        con.execute(duck.sql(f"macros/{name}"))
    return con


def locked(layout: Layout) -> duckdb.DuckDBPyConnection:
    """Return such a connection for our own statements: it reads only the lake's folder, and its settings are locked.

    No extension, no file or address elsewhere; a link that leads out of the folder is refused too. It could still write
    inside the folder: SQL of others is for `readonly`. What does not fit into memory goes to a hidden folder of this
    connection's own, which DuckDB takes away.
    """
    base = layout.base.resolve()
    con = connect(Layout(base))
    # Its pattern too: of a base path such as /data[1] that is the name which DuckDB asks about before it lists files.
    return _shut(con, _spill(base), [f"{base}{os.sep}", f"{duck.pattern(base)}/"])


def readonly(layout: Layout, *, confined: bool = False) -> duckdb.DuckDBPyConnection:
    """Return such a connection for SQL of others: its only file system is `lake.readonly`, so nothing can be written.

    The views read ``lake://parquet/…``. The one folder that DuckDB itself writes is the hidden one for what does not
    fit into memory, as of `locked`.

    Args:
        layout: The lake.
        confined: The kernel, too, holds this process to that from now on, where it can (`lake.landlock`).
    """
    from lake.readonly import ROOT, LakeFiles  # fsspec: 70 ms that no other command needs

    base = layout.base.resolve()
    spill = _spill(base)
    if confined:
        with suppress(OSError):  # there is no such folder, or nobody can write there anyway
            spill.mkdir(mode=0o700)
            landlock.write_only_below(spill)
    con = duck.memory()
    con.register_filesystem(LakeFiles(base))
    con.execute(_sql(ROOT.removesuffix("/")))
    return _shut(con, spill, [ROOT])


def _spill(base: Path) -> Path:
    return base / f"{_SPILL}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def _shut(con: duckdb.DuckDBPyConnection, spill: Path, allowed: list[str]) -> duckdb.DuckDBPyConnection:
    for name, value in (("temp_directory", str(spill)), ("allowed_directories", allowed)):
        con.execute(f"SET {name} = {duck.literal(value)}")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


def spilled(layout: Layout) -> list[Path]:
    """Return the folders of what this process's connections have put onto the disk for want of memory."""
    return sorted(layout.base.resolve().glob(f"{_SPILL}-{os.getpid()}-*"))


def sql(layout: Layout) -> str:
    """Return the SQL that makes every view, with the base path filled in, for any DuckDB 2 client."""
    return _sql(duck.pattern(layout.base))


def _sql(base: str) -> str:
    statements = [duck.sql(f"macros/{name}") for name in MACROS] + [duck.sql(f"views/{name}") for name in VIEWS]
    return "\n".join(statements).replace("@@BASE@@", base.replace("'", "''"))
