"""The files for Prometheus and Grafana use only what the lake says, and the endpoint says it on loopback."""

import json
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from deployments import docs_server
from lake import health, health_runs, verified
from lake.errors import BadInputError
from lake.windows import micros

MONITORING = Path(docs_server.__file__).parent / "monitoring"
BOARD = json.loads((MONITORING / "grafana.json").read_text(encoding="utf-8"))
RULES = [rule for group in yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
NOW = datetime(2025, 10, 20, 12, tzinfo=UTC)
FLOWS = ("transform_hour", "macro_minute", "compact_day", "backfill_binance", "validate_rules", "slice_export")
COLLECTOR = {
    "last_latency_p50_ms": 42.5, "last_latency_p95_ms": 95.0, "last_seen_ts": "2025-10-20T11:59:59Z", "trades": 7,
    "quotes": 8, "quarantined": 1, "connections": 2, "waiting": 3,
}  # fmt: skip


@pytest.fixture
def full(layout):
    """A lake in which everything has run."""
    for part in ("collector", "server", "worker"):
        health.say(layout, part, "running", NOW, **(COLLECTOR if part == "collector" else {}))
    for flow in FLOWS:
        part = health_runs.PARTS.get(flow, flow)
        name = health_runs.begin(layout, part, NOW - timedelta(seconds=9))
        health_runs.end(layout, part, name, NOW - timedelta(seconds=4), 11, "no" if flow == "compact_day" else None)
    verified.note(layout, {"bars SOLUSDT 2025-10-19": micros(NOW) - 1})
    return layout


def samples(text):
    """Every sample of a text in Prometheus' format: by its name, and its labels and values."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(found, name, **labels):
    [one] = [value for told, value in found[name] if labels.items() <= told.items()]
    return one


def test_what_each_part_said_stands_in_the_metrics(full):
    found = samples(health.metrics(full, NOW))
    assert value(found, "crypto_lake_health") == 1, "compact_day failed"
    assert value(found, "crypto_lake_health_timestamp_seconds") == NOW.timestamp()
    assert value(found, "crypto_lake_up", part="collector") == 1
    assert value(found, "crypto_lake_part_status", part="compact_day", status="error") == 1
    assert value(found, "crypto_lake_collector_latency_seconds", quantile="0.95") == 0.095
    assert value(found, "crypto_lake_collector_last_seen_timestamp_seconds") == NOW.timestamp() - 1
    assert value(found, "crypto_lake_collector_trades_total") == 7
    assert value(found, "crypto_lake_flow_last_success_timestamp_seconds", flow="transform_hour") == NOW.timestamp() - 4
    assert value(found, "crypto_lake_flow_last_duration_seconds", flow="macro_minute") == 5
    assert value(found, "crypto_lake_flow_last_rows", flow="validate_rules") == 11
    assert [labels["flow"] for labels, told in found["crypto_lake_flow_failed"] if told] == ["compact_day"]
    later = samples(health.metrics(full, NOW + timedelta(seconds=90)))
    assert value(later, "crypto_lake_up", part="worker") == 0


@pytest.mark.parametrize(("started_s", "code", "status"), [(30, 3, "starting"), (91, 1, "error")])
def test_a_collector_that_has_received_nothing_is_up_and_is_told_from_one_that_records(layout, started_s, code, status):
    started = (NOW - timedelta(seconds=started_s)).isoformat()
    health.say(layout, "collector", "running", NOW, started_ts=started)
    found = samples(health.metrics(layout, NOW))
    assert value(found, "crypto_lake_health") == code
    assert value(found, "crypto_lake_up", part="collector") == 1
    assert value(found, "crypto_lake_part_status", part="collector", status=status) == 1
    assert value(found, "crypto_lake_part_status", part="collector", status="running") == 0


def test_they_lie_beside_the_heartbeat_for_node_exporter(full):
    health.write(full, NOW)
    written, fresh = samples((full.health / "metrics.prom").read_text()), samples(health.metrics(full, NOW))
    changing = "crypto_lake_disk_free_bytes"  # other programs write to this disk too
    assert written.pop(changing)[0][1] > 0
    assert fresh.pop(changing)[0][1] > 0
    assert written == fresh


def used(expression):
    """The metrics, each with its label matchers, that an expression of PromQL names."""
    pattern = r"(crypto_lake_\w+)(?:\{([^}]*)\})?"
    return [(name, re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', labels)) for name, labels in re.findall(pattern, expression)]


EXPRESSIONS = {f"alert {rule['alert']}": rule["expr"] for rule in RULES}
for panel in BOARD["panels"]:
    EXPRESSIONS |= {f"panel {panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_every_metric_and_label_that_a_file_uses_is_one_that_the_lake_gives(full, expression):
    found = samples(health.metrics(full, NOW))
    assert used(expression)
    for name, matchers in used(expression):
        assert name in found, f"{name}: no such metric"
        for label, how, wanted in matchers:
            told = {labels.get(label) for labels, _ in found[name]}
            assert told & set(wanted.split("|")) or how == "!=", f"{name}: {label} is never {wanted}"
            assert how != "!=" or told - {wanted, None}


def test_a_name_that_nobody_gives_is_found(full):
    assert used('rate(crypto_lake_x[5m]) + crypto_lake_up{part="y"}') == [
        ("crypto_lake_x", []), ("crypto_lake_up", [("part", "=", "y")]),
    ]  # fmt: skip


def test_alerts_say_what_to_do_and_panels_have_places_of_their_own():
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 10
    for rule in RULES:
        assert len(rule["annotations"]["summary"]) > 60
        assert rule["labels"]["severity"] in ("warning", "critical")
    cells = [(x, y) for panel in BOARD["panels"] for x in range(panel["gridPos"]["x"], sum_of(panel, "x", "w"))
             for y in range(panel["gridPos"]["y"], sum_of(panel, "y", "h"))]  # fmt: skip
    assert len(cells) == len(set(cells)), "panels overlap"
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def sum_of(panel, start, size):
    return panel["gridPos"][start] + panel["gridPos"][size]


def test_the_endpoint_composes_anew_for_each_scrape(full):
    with docs_server.server(full, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port

        def scrape(path="/metrics"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.headers["Content-Type"], samples(answer.read().decode())

        kind, found = scrape()
        assert kind.startswith("text/plain; version=0.0.4")
        assert value(found, "crypto_lake_up", part="collector") == 0, "what it said was long ago"
        health.say(full, "collector", "running", datetime.now(UTC))
        assert value(scrape()[1], "crypto_lake_up", part="collector") == 1
        with pytest.raises(urllib.error.HTTPError, match="404"):
            scrape("/../config.yml")
        with pytest.raises(BadInputError, match=f"docs.port {port}"):
            docs_server.server(full, port)
        server.shutdown()
    with pytest.raises(urllib.error.URLError):
        scrape()
