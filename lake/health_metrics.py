"""A heartbeat in Prometheus' text format: for node_exporter's textfile collector and an endpoint on loopback. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lake.health_parts import STANDING, STATUSES, Heartbeat
from lake.health_report import parts
from lake.health_runs import PARTS

PREFIX = "crypto_lake_"
_FLOW_OF = {part: flow for flow, part in PARTS.items()}
_COUNTERS = {
    "trades": "Trades received since the collector was started",
    "quotes": "Best quotes received since the collector was started",
    "quarantined": "Frames that could not be understood, since the collector was started",
    "connections": "Connections made since the collector was started",
}
_RUNS = {
    "last_success_timestamp_seconds": ("last_success", "When a run last ended well"),
    "last_run_timestamp_seconds": ("last_run_end", "When a run last ended, well or not"),
    "last_duration_seconds": ("last_duration_s", "How long the last run took"),
    "last_rows": ("last_run_rows_written", "Rows that the last run wrote, or checked"),
}
_FILES = {
    "raw_parts_today": ("raw_count_today", "Raw parts closed on this UTC day"),
    "bar_rows_today": ("parquet_1s_rows_today", "1-second bars in the hour files of this UTC day"),
    "macro_rows_today": ("macro_min_rows_today", "Macro minutes of this UTC day"),
}

_VERIFIED = {
    "verify_items": ("items", "Items of the lake that its scrub knows: days of bars and of raw parts, files, slices"),
    "verify_unverified_items": ("unverified", "Of these, those that have never been compared with their checksums"),
    "verify_oldest_timestamp_seconds": ("oldest_ts", "When the item was verified that waits longest"),
    "damaged_files": ("damaged", "Damaged files that lie in quarantine/damaged"),
}


def text(found: Heartbeat) -> str:
    """Return a judged heartbeat as metrics; what is not known is left out."""
    registry = CollectorRegistry()
    registry.register(_Families(found))
    return generate_latest(registry).decode()


class _Families(Collector):
    def __init__(self, found: Heartbeat) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        found = self._found
        states = "0 healthy, 1 degraded, 2 down, 3 starting: the exit code of crypto-lake health"
        yield _gauge("health", states, found["exit_code"])
        yield _gauge("health_timestamp_seconds", "When this was found out", found["ts_utc"])
        yield from _statuses(found)
        yield from _collector(found["collector"])
        yield from _flows({name: part for name, part in parts(found).items() if name not in STANDING})
        if found.get("disk"):
            yield _gauge("disk_free_bytes", "What the lake's file system has left", found["disk"]["free_bytes"])
            yield _gauge("disk_full", "Whether so little is left that writes may fail", float(found["disk"]["full"]))
        for name, (key, what) in _VERIFIED.items():
            yield _gauge(name, what, found.get("verified", {}).get(key))
        for name, (key, what) in _FILES.items():
            yield _gauge(name, what, found["files"][key])


def _statuses(found: Heartbeat) -> Iterator[Metric]:
    up = GaugeMetricFamily(f"{PREFIX}up", "Whether a standing part runs", labels=["part"])
    status = GaugeMetricFamily(f"{PREFIX}part_status", "1 of the status that a part has", labels=["part", "status"])
    for name, part in parts(found).items():
        if name in STANDING:
            up.add_metric([name], float(part["alive"]))
        for one in STATUSES:
            status.add_metric([name, one], float(part["status"] == one))
    yield from (up, status)


def _collector(part: dict[str, Any]) -> Iterator[Metric]:
    latency = GaugeMetricFamily(
        f"{PREFIX}collector_latency_seconds",
        "From a trade to its receipt, in the last minute",
        labels=["quantile"],
    )
    for quantile, key in (("0.5", "last_latency_p50_ms"), ("0.95", "last_latency_p95_ms")):
        if part[key] is not None:
            latency.add_metric([quantile], part[key] / 1000)
    yield latency
    yield _gauge("collector_last_seen_timestamp_seconds", "When a frame was last received", part["last_seen_ts"])
    yield _gauge("collector_waiting_lines", "Lines received and not yet written", part.get("waiting"))
    for name, what in _COUNTERS.items():
        family = CounterMetricFamily(f"{PREFIX}collector_{name}", what)
        if part.get(name) is not None:
            family.add_metric([], part[name])
        yield family


def _flows(told: dict[str, dict[str, Any]]) -> Iterator[Metric]:
    failed = GaugeMetricFamily(f"{PREFIX}flow_failed", "Whether the last run failed, or died", labels=["flow"])
    for name, part in told.items():
        failed.add_metric([_FLOW_OF.get(name, name)], float(part["status"] == "error"))
    yield failed
    for metric, (key, what) in _RUNS.items():
        family = GaugeMetricFamily(f"{PREFIX}flow_{metric}", what, labels=["flow"])
        for name, part in told.items():
            if part[key] is not None:
                family.add_metric([_FLOW_OF.get(name, name)], _number(part[key]))
        yield family


def _gauge(name: str, what: str, value: Any) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}{name}", what)
    if value is not None:
        family.add_metric([], _number(value))
    return family


def _number(value: Any) -> float:
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else float(value)
