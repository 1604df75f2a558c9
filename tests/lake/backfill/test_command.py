"""The command `backfill-binance`: killed, interrupted, and what it shows."""

import json
import os
import signal
import subprocess
import sys
from datetime import date
from functools import partial

from lake.budget import Budget
from tests.lake.backfill.exchange import KLINES
from tests.live import wait


def test_a_killed_run_goes_on_where_it_was(exchange):
    environment = {
        **os.environ, "LAKE_BASE_PATH": str(exchange.layout.base), "LAKE_BINANCE__REST_URL": exchange.sim.rest_url,
        "LAKE_BINANCE__ARCHIVE_URL": exchange.sim.archive_url,
    }  # fmt: skip
    command = [sys.executable, "-m", "flows", "backfill-binance", "--symbols", "SOLUSDT", "--source", "rest"]
    command += ["--start", "2024-12-16", "--end", "2025-01-04"]
    exchange.sim.fault("slow", ms=400, path=KLINES)

    def files():
        return list(exchange.layout.backfill.rglob("*.parquet"))

    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        wait(lambda: len(files()) >= 3)
        process.send_signal(signal.SIGKILL)
    assert 3 <= len(files()) < 19
    kept = {path: path.stat().st_mtime_ns for path in files()}
    torn = exchange.layout.kline_file("SOLUSDT", date(2025, 1, 3), "1m").with_name(".klines_1m.parquet.1-0123abcd.tmp")
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"half")
    exchange.sim.clear_faults()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert exchange.held() == exchange.truth("2024-12-16", "2025-01-04")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert list(exchange.layout.backfill.rglob(".*")) == []


def test_an_interrupt_while_all_wait_for_the_exchanges_next_minute_ends_the_command(exchange, layout):
    exchange.run("2025-01-01", "2025-01-01T00:01:00Z")  # so that the listing date is known
    limits = Budget(layout.limits, f"{exchange.sim.rest_url} weight", 1200)
    exchange.sim.fault("418", path=KLINES, retry_after=200)
    environment = {
        **os.environ, "LAKE_BASE_PATH": str(layout.base), "LAKE_BINANCE__REST_URL": exchange.sim.rest_url,
    }  # fmt: skip
    command = [sys.executable, "-m", "flows", "backfill-binance", "--symbols", "SOLUSDT", "--source", "rest"]
    command += ["--start", "2024-12-16", "--end", "2025-01-04"]
    # Where the tests run in the background, SIGINT is ignored, and so it would be in the command.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    try:
        wait(lambda: not limits.free())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
        limits.close()
    assert (process.returncode, "crypto-lake: stopped" in said) == (130, True), said


def test_the_command_shows_the_cost_and_then_a_table(exchange, capfd):
    environment = {
        **os.environ, "LAKE_BASE_PATH": str(exchange.layout.base), "LAKE_BINANCE__REST_URL": exchange.sim.rest_url,
        "LAKE_BINANCE__ARCHIVE_URL": exchange.sim.archive_url, "LAKE_SYMBOLS": json.dumps(["SOLUSDT", "OPUSDT"]),
    }  # fmt: skip
    command = [sys.executable, "-m", "flows", "backfill-binance", "--start", "2025-01-01", "--end", "2025-01-03"]
    dry = subprocess.run([*command, "--dry-run"], env=environment, capture_output=True, text=True, timeout=60)
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.startswith("dry run: 5,760 candles of 1m in 2025-01-01T00:00:00Z/2025-01-03T00:00:00Z")
    assert not exchange.layout.backfill.exists()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "5,760 candles of 1m, 2 symbols\n")
    assert "SOLUSDT" in done.stderr
    assert "2,880" in done.stderr
