"""What a check answers, and how it reads a frame's columns."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from lake.windows import iso

Facts = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """How many were checked, how many violate, and the first of those (`TOP`), ready for JSON."""

    checked: int
    violations: int
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Rows:
    """The answer of a row check: how many rows it applies to, which of all rows offend, columns that show why."""

    checked: int
    bad: np.ndarray
    why: dict[str, np.ndarray] = field(default_factory=dict)


def own(frame: pd.DataFrame, symbol: str) -> np.ndarray:
    """Return which rows are of this symbol; a row without a symbol is not."""
    return (frame["symbol"] == symbol).to_numpy(dtype=bool, na_value=False)


def starts(frame: pd.DataFrame) -> np.ndarray:
    """Return window_start in microseconds since 1970; a null is the smallest integer, far off any window."""
    return frame["window_start"].dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype("int64")


def floats(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of doubles, a null as NaN."""
    return frame[column].to_numpy(dtype="float64", na_value=np.nan)


def plain(value: Any) -> Any:
    """Return a cell as JSON has it: times in ISO 8601, null for null and NaN, infinity as text."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    return value
