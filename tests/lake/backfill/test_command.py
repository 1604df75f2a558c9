"""The command `backfill-binance`: killed, interrupted, and what it shows."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from functools import partial

from lake.budget import Budget
from lake.windows import MINUTE_US, micros
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
    torn = exchange.layout.kline_file("SOLUSDT", date(2025, 1, 3), "1m").with_name(".klines_1m.parquet.1-abc.tmp")
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


def command(exchange, *args):
    """Run `backfill-binance` of SOLUSDT against an exchange; return exit code, output and log."""
    environment = {
        **os.environ, "LAKE_BASE_PATH": str(exchange.layout.base), "LAKE_BINANCE__REST_URL": exchange.sim.rest_url,
        "LAKE_BINANCE__ARCHIVE_URL": exchange.sim.archive_url,
    }  # fmt: skip
    line = [sys.executable, "-m", "flows", "backfill-binance", "--symbols", "SOLUSDT", *args]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_the_command_says_what_was_off_the_grid_refused_missing_and_absent(later):
    start = micros(datetime(2024, 12, 20, 3, tzinfo=UTC))
    later.sim.fault("off_grid", from_us=start, to_us=start + 10 * MINUTE_US)
    later.sim.fault("missing_klines", from_us=start + 60 * MINUTE_US, to_us=start + 65 * MINUTE_US)
    span = ("--start", "2024-12-20", "--end", "2024-12-21")
    code, said, log = command(later, *span)
    assert (code, said) == (
        0, "1,435 candles of 1m, 1 symbol, 10 off the grid (stored at the window in which they open), 5 absent at the "
        "exchange\n",
    )  # fmt: skip
    assert "SOLUSDT 1m: 10 candles open off the grid" in log and "off grid" in log
    assert command(later, *span)[:2] == (0, "0 candles of 1m, 1 symbol\n")


def test_the_command_says_which_zip_was_refused_and_why(later):
    later.sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    later.sim.fault("wrong_checksum", freq="daily")
    later.sim.fault("evil_zip", freq="monthly", shape="repeated")
    code, said, log = command(later, "--start", "2024-12-20", "--end", "2024-12-21")
    assert (code, said) == (
        0, "1,440 candles of 1m, 1 symbol, 1 zip refused (see the quarantine), 1 zip imperfect but believed (see the "
        "log)\n",
    )  # fmt: skip
    assert "SOLUSDT-1m-2024-12-20.zip: its CHECKSUM is" in log
    assert "SOLUSDT-1m-2024-12.zip: rows repeated: 4,896, each taken once" in log
    later.sim.fault("corrupt_zip")
    code, said, log = command(later, "--start", "2024-12-21", "--end", "2024-12-22")
    assert (code, said) == (
        0, "0 candles of 1m, 1 symbol, 1,440 still missing, 2 zips refused (see the quarantine)\n"
    )  # fmt: skip


def test_the_dry_run_tells_what_only_the_archive_may_have(later):
    span = ("--start", "2024-12-01", "--end", "2025-01-01", "--dry-run")
    code, said, _ = command(later, *span)
    assert (code, said.split(", about")[0]) == (
        0, "dry run: 24,480 candles of 1m in 2024-12-01T00:00:00Z/2025-01-01T00:00:00Z, and up to 20,160 that the "
        "archive is looked through for",
    )  # fmt: skip
    assert not later.layout.backfill.exists()


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
