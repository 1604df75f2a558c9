"""`crypto-lake derivatives-hour` as a person types it, against the stand-in: lines and exit codes."""

from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from simulator import Listing, Simulator
from tests.flows.test_commands import refused

NOTHING = "USD-M futures are not served from here (HTTP 451): nothing collected"


@pytest.fixture
def sim():
    with Simulator(["SOLUSDT", "BTCUSDT", Listing("RIFUSDT", 0.1, 4, 1, perpetual=False)], 7, rate=0.05) as running:
        yield running


@pytest.fixture
def hour(command, sim):
    places = {"LAKE_BINANCE__FUTURES_URL": sim.futures_url, "LAKE_BINANCE__ARCHIVE_URL": sim.archive_url}
    return lambda *arguments, **more: command("derivatives-hour", *arguments, **(places | more))


def count(layout, kind, symbol):
    files = (layout.derivatives / kind / symbol).rglob("*.parquet")
    return sum(pq.ParquetFile(path).metadata.num_rows for path in files)


def test_the_pairs_of_config_are_filled_from_yesterday_on_and_one_without_a_contract_is_a_word(hour, layout):
    follow = {"LAKE_SYMBOLS": '["SOLUSDT", "RIFUSDT", "BTCUSDT"]'}
    done = hour(**follow)
    assert done.returncode == 0, done.stderr
    assert "open interests, 2 symbols" in done.stdout
    assert done.stdout.endswith("without a USD-M contract: RIFUSDT\n")
    assert 288 <= count(layout, "open_interest", "BTCUSDT") <= 576
    assert 3 <= count(layout, "funding", "SOLUSDT") <= 6
    done = hour(**follow)
    assert done.stdout.startswith("0 fundings, "), "unless a funding fell between the two runs"
    assert done.returncode == 0


def test_a_pair_asked_for_by_name_without_a_contract_is_a_failure_and_the_other_is_stored(hour, layout):
    done = hour("--symbols", "RIFUSDT,SOLUSDT", "--lookback-days", "2")
    assert done.returncode == 1
    assert "RIFUSDT: has no USD-M contract: check the name" in done.stderr
    assert count(layout, "open_interest", "SOLUSDT") >= 576


def test_a_place_that_is_not_served_is_one_line_and_no_error(hour, sim, layout):
    fault = sim.fault("451")
    done = hour("--symbols", "SOLUSDT,BTCUSDT")
    assert (done.returncode, done.stdout) == (0, f"{NOTHING}\n")
    assert "451" not in done.stderr
    assert next(one["hits"] for one in sim.faults.all() if one["id"] == fault["id"]) == 1
    assert not layout.derivatives.exists()


def test_a_zip_that_is_refused_is_said_and_no_failure(hour, sim):
    end = sim.exchange.start_us // 1_000_000 + 20 * 86_400
    days = [f"{datetime.fromtimestamp(end + number * 86_400, UTC):%Y-%m-%d}" for number in (0, 1)]
    sim.fault("wrong_checksum", path=f"/data/futures/um/daily/metrics/SOLUSDT/SOLUSDT-metrics-{days[0]}.zip")
    done = hour("--symbols", "SOLUSDT", "--start", days[0], "--end", days[1])
    assert (done.returncode, done.stdout) == (
        0, "3 fundings, 1 open interests, 1 symbol, 287 not there yet, 1 zips refused\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--symbols", "a/b"), ["symbol", "a/b"]),
        (("--lookback-days", "0"), ["lookback_days"]),
        (("--start", "2025-10-21"), ["end is missing"]),
        (("--start", "2025-10-22", "--end", "2025-10-21"), ["end", "start"]),
        (("--start", "frog", "--end", "2025-10-21"), ["start", "frog"]),
        (("--lookback-days", "frog"), ["lookback-days", "valid integer"]),
    ],
)
def test_nonsense_is_one_line_and_exit_code_2(hour, arguments, words):
    assert refused(hour(*arguments), *words)
