"""crypto-lake's domain: settings, paths, time windows, schemas, Parquet, DuckDB, raw parts, bars, the ledger, export.

In a notebook: ``import lake``, then ``lake.bars("SOLUSDT", "2025-10-21", "2025-10-22", tf="5m")`` and its kin
``klines``, ``macro``, ``funding`` and ``coverage`` (`lake.frames`), or SQL over every view:
``lake.connect().sql("FROM bars_1m LIMIT 5")``. All of it only reads.

What does not belong here: Prefect (`tasks`, `flows`), Great Expectations (`expectations`), sockets (`collector`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lake.frames import bars, coverage, funding, klines, macro
    from lake.sandbox import connect

__all__ = ["bars", "connect", "coverage", "funding", "klines", "macro"]


def __getattr__(name: str) -> Any:
    """Load what is asked for first: who needs one module of the lake alone does not wait for pyarrow and DuckDB."""
    if name not in __all__:
        raise AttributeError(f"module 'lake' has no attribute {name!r}")
    return getattr(import_module("lake.sandbox" if name == "connect" else "lake.frames"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
