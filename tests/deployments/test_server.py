"""The deployments on a real Prefect server with a real worker, used as a Prefect user uses them."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest

from deployments import prefect_automations, prefect_stack
from deployments.processes import Children
from lake import read
from lake.errors import BadInputError
from lake.layout import Layout
from lake.windows import Window
from simulator import Simulator
from tests.conftest import Raw
from tests.deployments.receiver import BLOCKS, receiver
from tests.lake.sliceable import write_days
from tests.live import wait

pytestmark = pytest.mark.slow(minutes=2)
RUN_S = 90
FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


class Stack:
    """Server, pool, deployments and worker on a lake of their own, and a stand-in to collect from."""

    def __init__(self, api, children, layout):
        self.api, self.children, self.layout = api, children, layout

    def end(self, deployment, **parameters):
        return self.api.wait(self.api.run(deployment, **parameters), RUN_S, FINAL)

    def prefect(self, *arguments):
        """Run Prefect's own command line."""
        return subprocess.run(
            [sys.executable, "-m", "prefect", *arguments], env=self.children.environment,
            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, what, body):
        return self.api._send("POST", f"{what}/filter", body)

    def running(self, flow):
        """The id of the one run of a flow that goes on running: the trigger may have started it before anybody else."""
        state = {"state": {"type": {"any_": ["RUNNING"]}}}
        body = {"flows": {"name": {"any_": [flow]}}, "flow_runs": state}

        def alone():
            found = self.ask("flow_runs", body)
            return found[0]["id"] if len(found) == 1 else None

        return wait(alone, RUN_S)

    def artifacts(self, run):
        found = self.ask("artifacts", {"artifacts": {"flow_run_id": {"any_": [run.id]}}})
        return {(item["type"], item["key"]): item["data"] for item in found}

    def logs(self, run):
        return [line["message"] for line in self.ask("logs", {"logs": {"flow_run_id": {"any_": [run.id]}}})]

    def server_errors(self):
        text = (self.children.logs / "prefect-server.log").read_text(encoding="utf-8")
        return [line for line in text.splitlines() if "| ERROR" in line or line.startswith("Traceback")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    base = tmp_path_factory.mktemp("stack")
    port = prefect_stack.free_port()
    with Simulator(["SOLUSDT", "SUIUSDT"], rate=20) as sim:
        config = {
            "base_path": str(base / "lake"), "symbols": ["SOLUSDT", "SUIUSDT"], "collector": {"rotate_seconds": 2},
            "binance": {name: getattr(sim, name) for name in ("ws_url", "rest_url", "futures_url", "archive_url")},
            "macro_minute": {"yahoo_url": sim.yahoo_url},
        }  # fmt: skip
        (base / "config.yml").write_text(json.dumps(config))
        environment = prefect_stack.environment(base / "prefect", port, base / "config.yml")
        with Children(environment, base / "logs", prefect_stack.PROJECT) as children:
            api = prefect_stack.start_server(children, port)
            prefect_stack.deploy(children)
            prefect_stack.start_worker(children, api)
            yield Stack(api, children, Layout(base / "lake"))


@pytest.fixture(scope="module")
def bars(stack):
    """Six seconds of DOTUSDT, built by the deployment: the run that built them."""
    raw = Raw(stack.layout, "DOTUSDT")
    raw.put(*(raw.trade(number, number) for number in range(1, 7)))
    return stack.end("transform-hour/local", symbols=["DOTUSDT"])


def test_every_deployment_is_there_with_its_schedule(stack):
    found = stack.ask("deployments", {})
    flows = {flow["id"]: flow["name"] for flow in stack.ask("flows", {})}
    crons = {flows[d["flow_id"]]: [s["schedule"]["cron"] for s in d["schedules"]] for d in found}
    assert crons == {
        "collect-live": [], "transform-hour": ["*/5 * * * *"], "compact-day": ["30 1 * * *"],
        "backfill-binance": ["10 2 * * *"], "derivatives-hour": ["5 * * * *"], "macro-minute": ["*/15 * * * *"],
        "validate-rules": ["0 3 * * *"], "slice-export": [],
    }  # fmt: skip
    steps = [step["prefect.deployments.steps.set_working_directory"] for d in found for step in d["pull_steps"]]
    assert steps == [{"directory": str(prefect_stack.PROJECT)}] * len(crons)


def test_klines_are_fetched_by_a_run_that_shows_its_progress_and_leaves_a_table(stack):
    run = stack.end("backfill-binance/local", symbols=["SOLUSDT", "SUIUSDT"], lookback_days=2)
    assert (run.type, run.name) == ("COMPLETED", "backfill SOLUSDT,SUIUSDT")
    left = stack.artifacts(run)
    rows = json.loads(left["table", "backfill-binance"])
    assert [row["symbol"] for row in rows] == ["SOLUSDT", "SUIUSDT"]
    assert all(row["candles"] > 2880 for row in rows)
    assert left["progress", None] == 100
    again = stack.end("backfill-binance/local", symbols=["SOLUSDT"], interval="1d", dry_run=True)
    assert again.message.startswith("dry run: 1 candles of 1d")


def test_macro_minutes_with_one_ticker_that_does_not_exist_end_failed_with_the_other_stored(stack):
    run = stack.end("macro-minute/local", tickers=["BTC-USD", "NOPE"], lookback_days=1)
    assert (run.type, run.name) == ("FAILED", "macro BTC-USD,NOPE")
    assert "NOPE: Yahoo has no ticker NOPE" in run.message
    (row,) = json.loads(stack.artifacts(run)["table", "macro-minute"])
    assert (row["ticker"], row["missing"]) == ("BTC-USD", 0)
    assert row["new"] >= 1439
    assert list((stack.layout.macro / "BTC-USD").rglob("macro_minute.parquet"))


def test_a_ticker_whose_trading_hours_are_not_known_leaves_a_table_with_what_is_not_known(stack):
    run = stack.end("macro-minute/local", tickers=["^VIX", "m&m.ns"], lookback_days=5)
    assert (run.type, run.name) == ("COMPLETED", "macro ^VIX,M&M.NS")
    rows = json.loads(stack.artifacts(run)["table", "macro-minute"])
    assert [row["ticker"] for row in rows] == ["^VIX", "M&M.NS"]
    assert [(row["expected"], row["without a price"], row["missing"]) for row in rows] == [(None, None, None)] * 2
    assert all(row["new"] > 0 for row in rows)


def test_fundings_and_open_interest_are_collected_with_a_row_a_contract(stack):
    """Of days that no scheduled run has asked for."""
    days = [f"{datetime.now(UTC) - timedelta(days=ago):%Y-%m-%d}" for ago in (10, 9)]
    run = stack.end("derivatives-hour/local", symbols=["SOLUSDT", "SUIUSDT"], start=days[0], end=days[1])
    assert (run.type, run.name) == ("COMPLETED", f"derivatives SOLUSDT,SUIUSDT {days[0]}/{days[1]}")
    found = json.loads(stack.artifacts(run)["table", "derivatives-hour"])
    assert [row["symbol"] for row in found] == ["SOLUSDT", "SUIUSDT"]
    assert [(row["fundings"], row["open interest"]) for row in found] == [(3, 288)] * 2


def test_schedules_make_runs(stack):
    def scheduled():
        runs = stack.ask("flow_runs", {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}})
        return {run["deployment_id"] for run in runs}

    assert wait(lambda: len(scheduled()) == 6, 60)


def test_a_run_leaves_a_table_progress_and_the_lakes_own_log_lines(stack, bars):
    assert (bars.type, bars.message) == ("COMPLETED", "6 bars of 1 symbol, 0 seconds missing")
    assert bars.name == "transform DOTUSDT"
    left = stack.artifacts(bars)
    (row,) = json.loads(left["table", "transform-hour"])
    assert (row["symbol"], row["rows"], row["gaps (s)"]) == ("DOTUSDT", 6, 0)
    assert left["progress", None] == 100


def test_what_a_run_writes_only_its_owner_may_read_whoever_started_the_worker(stack, bars):
    found = [path for path in stack.layout.base.rglob("*") if "raw" not in path.relative_to(stack.layout.base).parts]
    assert any(path.suffix == ".parquet" for path in found)
    assert [path for path in found if path.stat().st_mode & 0o077] == []


def test_one_that_fails_is_named_and_the_other_is_built(stack, bars):
    run = stack.end("transform-hour/local", symbols=["XXXUSDT", "DOTUSDT"], start="2025-10-20", end="2025-10-21")
    assert run.type == "FAILED"
    assert "XXXUSDT: has no raw parts" in run.message
    assert "6 bars of 1 symbol" in run.message


def test_a_slice_is_ordered_from_a_shell_as_any_prefect_user_does(stack, bars):
    done = stack.prefect(
        "deployment", "run", "slice-export/local", "-p", 'symbols=["DOTUSDT"]', "-p", "start=2025-10-20", "-p",
        "end=2025-10-21", "-p", "out=a.csv", "-p", "format=csv", "--watch",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len((stack.layout.base / "slices" / "a.csv").read_text().splitlines()) == 7


def test_a_form_writes_slices_and_reports_to_their_folders_and_replaces_nothing_of_the_lake(stack, bars):
    span = {"symbols": ["DOTUSDT"], "start": "2025-10-20", "end": "2025-10-21"}
    database = stack.layout.base / ".prefect" / "prefect.db"
    database.parent.mkdir()
    database.write_bytes(b"SQLite format 3")
    (stack.layout.base / "slices").mkdir(exist_ok=True)
    (stack.layout.base / "slices" / "mine.csv").write_text("mine")
    outs = (str(database), "slices/../.prefect/profiles.toml", "mine.csv")
    ordered = [stack.api.run("slice-export/local", out=out, overwrite=True, **span) for out in outs]
    ordered.append(stack.api.run("validate-rules/local", report="config.yml", **span))
    for run in [stack.api.wait(one, RUN_S, FINAL) for one in ordered]:
        assert run.type == "FAILED", run.message
        assert any(word in run.message for word in ("ordered from Prefect", "not replaced", "own files", "NAME.md"))
    assert database.read_bytes() == b"SQLite format 3"
    assert not (stack.layout.base / ".prefect" / "profiles.toml").exists()
    assert (stack.layout.base / "slices" / "mine.csv").read_text() == "mine"
    assert not list(stack.layout.base.rglob("config.yml"))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (["symbols=[\"a/b\"]", "start=2025-10-20", "end=2025-10-21", "out=x"], ["symbols", "a/b"]),
        (["symbols=[]", "start=2025-10-20", "end=2025-10-21", "out=x"], ["symbols"]),
        (["symbols=[\"A\"]", "start=frog", "end=2025-10-21", "out=x"], ["start", "frog"]),
        (["symbols=[\"A\"]", "start=2025-10-20", "end=2025-10-21", "out=x", "tf=7m"], ["tf", "7m"]),
        (["symbols=[\"A\"]", "start=2025-10-20", "end=2025-10-21"], ["out"]),
        (["symbols=[\"A\"]", "start=2025-10-20", "end=2025-10-21", "out=x", "colour=red"], ["colour"]),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_name_before_a_run_is_made(stack, parameters, words):
    options = [part for parameter in parameters for part in ("-p", parameter)]
    done = stack.prefect("deployment", "run", "slice-export/local", *options)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert all(word in said for word in words), said
    assert "Created flow run" not in said


def test_what_only_the_run_can_refuse_is_one_clear_line(stack, bars):
    run = stack.end("slice-export/local", symbols=["DOTUSDT"], start="2025-10-21", end="2025-10-20", out="x")
    assert run.type == "FAILED"
    assert run.message == "end 2025-10-20T00:00:00Z is not after start 2025-10-21T00:00:00Z: give a later end"
    assert not [line for line in stack.logs(run) if "Traceback" in line]


def test_the_verdict_stands_in_the_runs_state_and_its_report_beside_it(stack, bars):
    span = {"start": "2025-10-20T00:00:02Z", "end": "2025-10-20T00:00:06Z"}
    run = stack.end("validate-rules/local", symbols=["DOTUSDT"], **span)
    assert (run.type, run.message.split(":")[0]) == ("COMPLETED", "PASS")
    left = stack.artifacts(run)
    assert "Validation Summary" in left["markdown", "validate-rules-report"]
    assert "data_docs/index.html" in left["markdown", "validate-rules-docs"]
    assert json.loads(left["table", "validate-rules-days"]) == [
        {"day": "2025-10-20", "verdict": "PASS", "symbols": 1, "rows": 4, "missing": 0, "violations": 0}
    ]
    run = stack.end("validate-rules/local", symbols=["DOTUSDT"], start="2025-10-25", end="2025-10-26")
    assert (run.type, run.message.split(":")[0]) == ("FAILED", "FAIL")
    assert json.loads(stack.artifacts(run)["table", "validate-rules-days"])[0]["verdict"] == "FAIL"


def test_each_source_leaves_artifacts_by_keys_of_its_own_and_an_error_is_no_verdict(stack, bars):
    span = {"start": "2025-10-20T00:00:00Z", "end": "2025-10-20T00:02:00Z"}
    run = stack.end("validate-rules/local", symbols=["SPY", "EURUSD=X"], source="macro", **span)
    assert (run.type, run.message.split(":")[0]) == ("FAILED", "FAIL"), "no row was checked"
    assert ("markdown", "validate-rules-macro-report") in stack.artifacts(run)
    path = stack.layout.kline_file("DOTUSDT", date(2025, 10, 20), "1m")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 torn")
    try:
        run = stack.end("validate-rules/local", symbols=["DOTUSDT"], **span)
    finally:
        path.unlink()
    assert run.type == "FAILED"
    assert "klines_1m.parquet: damaged" in run.message
    assert not any(word in run.message for word in ("PASS", "INVESTIGATE", "FAIL:"))


@pytest.fixture(scope="module")
def told(stack):
    """The messages that were sent so far; blocks are there that send them."""
    with receiver() as (place, messages):
        script = [sys.executable, "-c", BLOCKS, place]
        subprocess.run(script, env=stack.children.environment, check=True, capture_output=True, timeout=120)
        yield messages


def about(told, run):
    """The texts of the messages that name a run."""
    return [text for text in map(json.dumps, told) if run.name in text]


def test_a_failed_run_and_a_verdict_fail_are_told_once_each_by_flow_run_and_reason(stack, bars, told):
    prefect_automations.put(stack.api, "custom-webhook/alerts")
    failed = stack.end("slice-export/local", symbols=["DOTUSDT"], start="2025-10-23", end="2025-10-20", out="x")
    judged = stack.end("validate-rules/local", symbols=["DOTUSDT"], start="2025-10-27", end="2025-10-28")
    stack.end("transform-hour/local", symbols=["DOTUSDT"])
    for run, flow, reason in (
        (failed, "slice-export", "is not after start"),
        (judged, "validate-rules", "FAIL: 0 rows"),
    ):
        wait(lambda run=run: about(told, run), RUN_S)
        (text,) = about(told, run)
        assert all(word in text for word in (f"crypto-lake: {flow} Failed", run.name, reason, f"flow-run/{run.id}")), (
            text
        )
    assert not [message for message in told if "transform DOTUSDT" in json.dumps(message)]
    prefect_automations.put(stack.api, "slack-webhook/alerts")
    again = stack.end("slice-export/local", symbols=["DOTUSDT"], start="2025-10-24", end="2025-10-20", out="x")
    wait(lambda: about(told, again), RUN_S)
    assert len(about(told, again)) == 1
    assert {message.get("key") for message in told} == {"k3y-of-the-receiver", None}
    assert not [message for message in told if "k3y" in json.dumps({**message, "key": ""})]


def test_a_block_that_is_not_there_or_sends_no_messages_is_refused_by_name(stack, told):
    for block, words in (("slack-webhook/none", "no such block"), ("webhook/alerts", "cannot send messages")):
        with pytest.raises(BadInputError, match=f"notify.block '{block}'.*{words}"):
            prefect_automations.put(stack.api, block)


def test_a_day_is_compacted(stack, bars):
    run = stack.end("compact-day/local", date="2025-10-20")
    assert (run.type, run.message) == ("COMPLETED", "1 symbol-day, 6 bars")
    assert len(read.bars(stack.layout, "DOTUSDT", Window.parse("2025-10-20", "2025-10-21"))) == 6


def test_a_slice_whose_run_is_ended_leaves_nothing_half_written(stack):
    """Prefect ends a run that is cancelled, and the runs of a worker that stops, with SIGTERM."""
    write_days(stack.layout, "LTCUSDT", 15)
    folder = stack.layout.base / "slices" / "long"
    asked = {"symbols": ["LTCUSDT"], "start": "2025-10-20", "end": "2025-11-04", "format": "csv"}
    run = stack.api.run("slice-export/local", out="long/a.csv", **asked)
    wait(lambda: any(path.stat().st_size for path in folder.glob(".*.tmp")), RUN_S)
    [pid] = [int(one.infrastructure_pid) for one in stack.api.active(prefect_stack.POOL) if one.id == run]
    os.kill(pid, signal.SIGTERM)
    assert stack.api.wait(run, RUN_S, FINAL).type in ("CRASHED", "CANCELLED")
    wait(lambda: not psutil.pid_exists(pid))
    assert list(folder.iterdir()) == []


def test_the_collector_keeps_a_second_one_out_outlives_the_server_and_is_cancelled_cleanly(stack):
    def parts():
        return list((stack.layout.raw / "SUIUSDT").glob("*/part_*.jsonl"))

    stack.api.run("collect-live/local")
    wait(parts)
    second = stack.end("collect-live/local")
    assert (second.type, second.state) == ("COMPLETED", "AlreadyRunning")
    first = stack.running("collect-live")

    stack.children.stop("prefect-server")
    before = len(parts())
    wait(lambda: len(parts()) >= before + 4)
    prefect_stack.start_server(stack.children, int(stack.api.url.rpartition(":")[2]))
    assert stack.api.look(first).type == "RUNNING"

    stack.api.cancel(first)
    assert stack.api.wait(first, 60, FINAL).type == "CANCELLED"
    assert list(stack.layout.raw.rglob(".part_*")) == []


def test_the_servers_log_has_no_error(stack):
    assert stack.server_errors() == []
