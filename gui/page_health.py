"""What the parts of the system say of themselves: ``logs/health/heartbeat.json``."""

from datetime import datetime
from typing import Any

import streamlit as st

from gui import parts, queries, theme
from gui.open import Lake, now
from gui.state import View

SILENT_AFTER_S = 90
NONE = "There is no heartbeat (`logs/health/heartbeat.json`): it is written while the system is up."
_PARTS = ("collector", "transformer", "macro_minute")


def draw(lake: Lake, view: View) -> None:
    """Draw the page."""
    found = queries.heartbeat(lake.layout)
    if found is None:
        st.info(NONE + " `crypto-lake collect-live` records; `crypto-lake transform-hour` builds bars.")
        return
    age = queries.age_seconds(found.get("ts_utc"), now())
    st.caption(f"Heartbeat of {theme.plain(str(found.get('ts_utc')))}" + (f", {age:,.0f} s ago" if age else ""))
    rows = [_row(name, part, age) for name in _PARTS if isinstance(part := found.get(name), dict)]
    st.dataframe(rows, hide_index=True, height="content")
    latency(found)
    if isinstance(files := found.get("files"), dict):
        parts.figures({str(name).replace("_", " "): parts.number(_float(value)) for name, value in files.items()})


def latency(found: dict[str, Any] | None) -> None:
    """Show how long after its event a frame was received."""
    collector = (found or {}).get("collector")
    if not isinstance(collector, dict):
        st.caption(NONE)
        return
    values = (_float(collector.get(f"last_latency_{which}_ms")) for which in ("p50", "p95"))
    parts.figures(dict(zip(("Latency, median (ms)", "Latency, 95 % (ms)"), map(parts.number, values), strict=True)))


def status(part: dict[str, Any], age: float | None) -> str:
    """Return a part's status; who says `running` in a heartbeat that is too old is silent."""
    said = str(part.get("status", "unknown"))
    return "silent" if said in ("running", "idle") and (age is None or age > SILENT_AFTER_S) else said


def _row(name: str, part: dict[str, Any], age: float | None) -> dict[str, str]:
    state = status(part, age)
    last = part.get("last_seen_ts") or part.get("last_run_end") or part.get("last_run_start")
    return {
        "part": name.replace("_", " "),
        "status": f"{theme.STATE.get(state, '⚪')} {state}",
        "last seen (UTC)": _time(last),
        "last error": str(part.get("last_error") or ""),
    }


def _time(text: Any) -> str:
    try:
        return parts.short(datetime.fromisoformat(str(text)))
    except ValueError:
        return "–"


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
