"""What the parts of the system say of themselves: ``logs/health/heartbeat.json``."""

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from gui import parts, queries, theme
from gui.open import Lake, now
from gui.state import View
from lake.health_parts import PARTS
from lake.health_report import last_seen

SILENT_AFTER_S = 90
NONE = "There is no heartbeat (`logs/health/heartbeat.json`): it is written while the system is up."
_FILES = {
    "raw_count_today": "Raw parts today", "parquet_1s_rows_today": "1-second bars today",
    "macro_min_rows_today": "Macro minutes today",
}  # fmt: skip
_SEEN = "last seen (UTC)"


def draw(lake: Lake, view: View) -> None:
    """Draw the page."""
    found = queries.heartbeat(lake.layout)
    if found is None:
        st.info(NONE + " `crypto-lake collect-live` records; `crypto-lake transform-hour` builds bars.")
        return
    age = queries.age_seconds(found.get("ts_utc"), now())
    st.caption(f"Heartbeat of {theme.plain(str(found.get('ts_utc')))}" + (f", {age:,.0f} s ago" if age else ""))
    told = _told(found)
    rows = pd.DataFrame([_row(name, part, age) for name, part in told.items()], columns=["part", "status", _SEEN])
    st.dataframe(rows.style.map(_ink, subset=["status"]), hide_index=True, height="content")
    for problem in found.get("problems") or ():
        st.error(theme.plain(f"{problem['part'].replace('_', ' ')}: {problem['what']}; {problem['remedy']}"))
    latency(found)
    if isinstance(files := found.get("files"), dict):
        parts.figures({title: parts.number(_float(files.get(name))) for name, title in _FILES.items()})


def latency(found: dict[str, Any] | None) -> None:
    """Show how long after its event a frame was received."""
    collector = (found or {}).get("collector")
    if not isinstance(collector, dict):
        st.caption(NONE)
        return
    values = (_float(collector.get(f"last_latency_{which}_ms")) for which in ("p50", "p95"))
    parts.figures(dict(zip(("Latency, median (ms)", "Latency, 95 % (ms)"), map(parts.number, values), strict=True)))


def _told(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parts that say something: those of every heartbeat, then the other flows."""
    all_of_them = {name: found.get(name) for name in PARTS} | (found.get("flows") or {})
    return {name: part for name, part in all_of_them.items() if isinstance(part, dict)}


def status(part: dict[str, Any], age: float | None) -> str:
    """Return a part's status; one that is up in a heartbeat that is too old is silent."""
    said = str(part.get("status", "unknown"))
    return "silent" if said in ("starting", "running", "idle") and (age is None or age > SILENT_AFTER_S) else said


def _row(name: str, part: dict[str, Any], age: float | None) -> dict[str, str]:
    state = status(part, age)
    return {"part": name.replace("_", " "), "status": state, _SEEN: _time(last_seen(part))}


def _ink(state: str) -> str:
    return f"color: {theme.STATE.get(state, theme.FLAT)}; font-weight: bold"


def _time(text: Any) -> str:
    try:
        return parts.short(datetime.fromisoformat(str(text)))
    except ValueError:
        return "–"


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
