"""The verdict on a heartbeat: what is wrong, what to do about it, and all of it as a page for a person. Pure."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lake.disk import MAKE_ROOM
from lake.health_parts import SILENT_AFTER_S, STANDING, Heartbeat, silence_s

HEALTHY, STARTING, ERROR, STOPPED = "HEALTHY", "STARTING", "ERROR", "STOPPED"
DONE, DEGRADED, DOWN, NOT_YET = 0, 1, 2, 3
"""Exit codes: healthy; something is in error or stale; the collector does not run; it has received nothing yet.

The last is what Nagios calls unknown: it pages nobody, and whoever waits for the lake to be healthy goes on waiting. It
lasts `SILENT_AFTER_S` at most."""
STALE_AFTER_S = {"transformer": 30 * 60, "macro_minute": 60 * 60}
"""So long after its last run, six and four times its schedule, a flow is behind while the collector goes on."""
ON_DEMAND = ("slice_export",)
"""Flows whose failure is told to whoever started them, and makes nobody ill."""
START = "crypto-lake up"
_STARTS = {
    "collector": START,
    "server": START,
    "worker": START,
    "transformer": "crypto-lake transform-hour",
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a part, and what to do."""

    part: str
    what: str
    remedy: str


def judged(found: Heartbeat, now: datetime) -> Heartbeat:
    """Return a heartbeat with its verdict: ``state``, ``exit_code`` and ``problems``.

    The state is HEALTHY, STARTING (the collector runs and has received nothing yet), ERROR or STOPPED.
    """
    wrong, collector = problems(found, now), found["collector"]
    ready = STARTING if collector["status"] == "starting" else HEALTHY
    state = ERROR if wrong else ready if collector["alive"] else STOPPED
    code = DOWN if not collector["alive"] else {ERROR: DEGRADED, STARTING: NOT_YET, HEALTHY: DONE}[state]
    return {**found, "state": state, "exit_code": code, "problems": [asdict(one) for one in wrong]}


def problems(found: Heartbeat, now: datetime) -> list[Problem]:
    """Return what is wrong, the collector's first."""
    full = _full(found.get("disk"))
    failed = [name for name, part in parts(found).items() if part["status"] == "error" and not part.get("alive")]
    wrong = [_failed(name, parts(found)[name]) for name in failed]
    if found["collector"]["alive"]:
        silent = [] if full else _silent(found["collector"], now)  # what it says of itself is old then
        wrong = [*_unwritten(found["collector"]), *_unlisted(found["collector"]), *silent, *wrong, *_stale(found, now)]
    wrong = [*full, *wrong]
    return [one for one in wrong if one.part not in ON_DEMAND]


def parts(found: Heartbeat) -> dict[str, dict[str, Any]]:
    """Return every part of a heartbeat by its name, in the order to be shown in."""
    names = [*STANDING[:1], "transformer", "macro_minute", *STANDING[1:]]
    return {name: found[name] for name in names} | dict(found["flows"])


def never_ran(found: Heartbeat) -> bool:
    """Whether nothing has ever said a sign of life in this lake."""
    return not any(part.get(name) for part in parts(found).values() for name in ("last_sign_ts", *_LAST))


def last_seen(part: dict[str, Any]) -> str | None:
    """Return when a part last did something: for the collector, when it last received something."""
    names = ("last_seen_ts",) if "last_seen_ts" in part else _LAST
    return next((str(part[name]) for name in names if part.get(name)), None)


_LAST = ("last_sign_ts", "last_run_end", "last_run_start")


def _failed(name: str, part: dict[str, Any]) -> Problem:
    command = command_of(name)
    why = part.get("last_error") or "ended with an error"
    if name in STANDING:
        return Problem(name, str(why), f"start it again: {command} (what it said last is in logs/)")
    if name == "validate_rules" and str(why).startswith("FAIL"):
        return Problem(name, str(why), "look at the newest report in reports/, and at its page in Data Docs")
    return Problem(name, f"its last run failed: {why}", f"run it again: {command} (its log lines are in logs/)")


def _full(disk: dict[str, Any] | None) -> list[Problem]:
    """A full disk comes first: most of what else is wrong then follows from it, and parts may not be able to say so."""
    if not disk or not disk["full"]:
        return []
    files = "" if disk["free_files"] is None else f", and room for {disk['free_files']:,} files"
    return [Problem("disk", f"is full: {disk['free_bytes'] / 1e6:,.1f} MB left{files}", MAKE_ROOM)]


def _unwritten(collector: dict[str, Any]) -> list[Problem]:
    if not collector.get("unwritten"):
        return []
    since = f" since {short(collector.get('unwritten_since_ts'))} UTC"
    what = f"{collector['unwritten']}{since}: {collector.get('waiting') or 0:,} lines wait in memory"
    return [Problem("collector", what, f"they are written as soon as that works: {MAKE_ROOM}")]


def _unlisted(collector: dict[str, Any]) -> list[Problem]:
    if not (names := collector.get("unlisted")):
        return []
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    what = f"does not record {', '.join(names[:_NAMED])}{more}: the exchange does not list them"
    return [Problem("collector", what, "correct symbols in config.yml, or crypto-lake collect-live --force")]


_NAMED = 10


def _silent(collector: dict[str, Any], now: datetime) -> list[Problem]:
    age = silence_s(collector, now)
    if age <= SILENT_AFTER_S:
        return []
    remedy = "look at the network, and at binance.ws_url and symbols in config.yml; logs/ says what it meets with"
    return [Problem("collector", f"runs, but has received nothing for {age:,.0f} s", remedy)]


def _stale(found: Heartbeat, now: datetime) -> list[Problem]:
    wrong = []
    for name, most in STALE_AFTER_S.items():
        part = found[name]
        if part["status"] != "idle":
            continue
        age = (now - datetime.fromisoformat(part["last_run_end"])).total_seconds()
        if min(age, _runs_for_s(found["collector"], now)) > most:
            what = f"has not run for {age / 60:,.0f} minutes"
            remedy = f"see that Prefect's worker is up; {command_of(name)} does what is pending now"
            wrong.append(Problem(name, what, remedy))
    return wrong


def _runs_for_s(collector: dict[str, Any], now: datetime) -> float:
    """For how long a collector runs: a schedule that it has just been started with is not behind yet."""
    since = collector.get("started_ts")
    return (now - datetime.fromisoformat(since)).total_seconds() if since else float("inf")


def command_of(name: str) -> str:
    """Return the command that starts a part."""
    return _STARTS.get(name, f"crypto-lake {name.replace('_', '-')}")


def markdown(found: Heartbeat) -> str:
    """Return a judged heartbeat as a page whose first word is its state."""
    state = found["state"]
    lines = [state, "=" * len(state), "", f"{summary(found)} As of {short(found['ts_utc'])} UTC.", ""]
    if found["problems"]:
        lines += ["| part | what is wrong | what to do |", "|---|---|---|"]
        lines += [_row(one["part"], one["what"], one["remedy"]) for one in found["problems"]]
        lines.append("")
    lines += ["| part | status | last seen (UTC) | |", "|---|---|---|---|"]
    lines += [_row(*row) for row in rows(found)]
    return "\n".join([*lines, "", today(found), ""])


def today(found: Heartbeat) -> str:
    """Return in a sentence what has come today."""
    counts = found["files"]
    return f"Today (UTC): {', '.join(f'{counts[name]:,} {what}' for name, what in _FILES.items())}."


_FILES = {
    "raw_count_today": "raw parts", "parquet_1s_rows_today": "1-second bars", "macro_min_rows_today": "macro minutes",
}  # fmt: skip


def summary(found: Heartbeat) -> str:
    """Return in a sentence or two how the lake is."""
    if never_ran(found):
        return f"Nothing has run in this lake yet. {START} starts it."
    said = ["; ".join(f"{one['part']}: {one['what']}" for one in found["problems"]) + "."] if found["problems"] else []
    if found["collector"]["status"] == "stopped":
        said.append(f"The collector does not run. {START} starts it.")
    if found["collector"]["status"] == "starting":
        said.append("The collector runs, and has received nothing yet.")
    return " ".join(said) or "The collector records, and nothing is wrong."


def rows(found: Heartbeat) -> list[tuple[str, str, str, str]]:
    """Return of each part that has ever run, and of the contracted ones: name, status, last seen, a few figures."""
    shown = {name: part for name, part in parts(found).items() if name not in STANDING[1:] or last_seen(part)}
    return [(name, part["status"], short(last_seen(part)), _figures(part)) for name, part in shown.items()]


def short(text: str | None) -> str:
    """Return an ISO 8601 time to the second, or a dash."""
    return text[:19].replace("T", " ") if text else "–"


def _figures(part: dict[str, Any]) -> str:
    told = []
    p50, p95 = (part.get(f"last_latency_{which}_ms") for which in ("p50", "p95"))
    if p50 is not None and p95 is not None:
        told.append(f"latency {p50:,.4g} ms (median), {p95:,.4g} ms (95 %)")
    if part.get("last_duration_s") is not None:
        told.append(f"last run {part['last_duration_s']:,.3g} s")
    if part.get("last_run_rows_written") is not None:
        told.append(f"{part['last_run_rows_written']:,} rows")
    return ", ".join(told)


def _row(*cells: str) -> str:
    """A row of a table in Markdown: no pipe of a text ends its cell, nothing in it is a tag."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ") for cell in cells) + " |"
