"""Real input: recorded frames against klines of the same trades, the archive's own zips, Yahoo's own answers."""

import shutil
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest

from collector.recordings import import_file
from expectations.reasons import HOLE
from expectations.validate import validate
from lake import kline_csv, kline_store, transform
from lake.kline_rows import judge
from lake.windows import Window, moment
from tests.expectations.candles import candles_of, write_candles
from tests.expectations.small import LATER, counts, plant
from tests.live import lines

BTC = "BTCUSDT"
MIDNIGHT = datetime(2023, 4, 5, tzinfo=UTC)
FULL = 6
"""The recording has six whole minutes."""


@pytest.fixture
def recorded(layout, realdata):
    """The recording as bars, and its trades, read from raw, as the exchange's klines would have them."""
    import_file(layout, realdata / "binance_ws" / "hftbacktest_spot_btcusdt_20230405.dat.gz")
    transform.run(layout, BTC)
    given = {
        line["trade_id"]: (
            line["trade_id"], moment(line["ts_event"]), line["price"], line["qty"], line["side"] == "buy",
        )
        for line in lines(layout, BTC)
        if line["stream"] == "trade"
    }  # fmt: skip
    return candles_of([given[number] for number in sorted(given)], FULL, MIDNIGHT, BTC)


def checked(layout, start=MIDNIGHT, minutes=FULL, **more):
    window = Window(start, start + timedelta(minutes=minutes))
    return validate(layout, [BTC], window, **{"now": LATER, **more})


@pytest.mark.parametrize("tf", ["1s", "1m"])
def test_bars_of_recorded_frames_equal_klines_of_the_same_trades(layout, recorded, tf):
    write_candles(layout, recorded, BTC)
    outcome = checked(layout, tf=tf)
    assert (outcome.verdict, counts(outcome)) == ("PASS", {})
    parity = outcome.to_json()["parity"]
    assert (parity["complete"], parity["checked"], parity["klines_missing"]) == (FULL, FULL, 0)
    assert (
        outcome.days[0].parity.our_trades == outcome.days[0].parity.kline_trades == sum(r["trades"] for r in recorded)
    )


@pytest.mark.parametrize("tf", ["1s", "1m"])
def test_where_the_recording_is_cut_it_is_investigated_with_the_right_windows(layout, recorded, tf):
    write_candles(layout, recorded, BTC)
    outcome = checked(layout, minutes=60, tf=tf)
    assert (outcome.verdict, set(counts(outcome))) == ("INVESTIGATE", {"R5"})
    assert outcome.to_json()["parity"]["checked"] == FULL
    held = {"1s": outcome.days[0].rows, "1m": 7}[tf]
    assert counts(outcome)["R5"] == {"1s": 3600, "1m": 60}[tf] - held


def test_a_kline_that_was_made_of_another_trade_is_found_among_real_ones(layout, recorded):
    write_candles(layout, plant(recorded, [3], close=recorded[3]["close"] + 0.01), BTC)
    outcome = checked(layout)
    assert (outcome.verdict, counts(outcome)) == ("INVESTIGATE", {"R7": 1})
    assert HOLE not in outcome.to_json()["parity"]["reasons"]


def test_klines_of_the_archive_pass(layout, realdata):
    day = date(2020, 1, 1)
    with zipfile.ZipFile(realdata / "binance_archive" / f"BTCUSDT-1m-{day}.zip") as packed:
        found = kline_csv.read(packed.read(packed.namelist()[0]))
    judged = judge(BTC, "1m", found.columns, found.lines)
    kline_store.write(layout, BTC, "1m", day, judged.table, "snappy", None)
    outcome = validate(layout, [BTC], Window.of_day(day), source="klines", now=LATER)
    assert (outcome.verdict, outcome.rows, counts(outcome)) == ("PASS", 1440, {})


def test_without_a_lake_of_klines_real_bars_pass_and_r7_says_that_it_compared_nothing(layout, recorded):
    shutil.rmtree(layout.backfill, ignore_errors=True)
    outcome = checked(layout)
    assert outcome.verdict == "PASS"
    assert outcome.to_json()["parity"]["klines_missing"] == FULL
