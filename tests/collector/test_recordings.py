import gzip
import json
from datetime import date

import pytest

from collector.recordings import import_file
from lake import read, transform
from lake.errors import BadInputError
from lake.windows import Window
from tests.conftest import content

CANDLE = (28165.47, 28168.76, 28155.21, 28156.07)
FILES = [
    ("hftbacktest_spot_btcusdt_20230405.dat.gz", 3144, 8015),
    ("cryptofeed_BINANCE.ws.1.0", 2, 84),
    ("cryptofeed_BINANCE_US.ws.1.0", 11, 128),
]


@pytest.mark.parametrize(("name", "trades", "quotes"), FILES)
def test_a_recording_comes_in_whole_once_and_with_its_own_receive_times(layout, realdata, name, trades, quotes):
    took = import_file(layout, realdata / "binance_ws" / name)
    assert (took.trades, took.quotes, took.quarantined, took.before) == (trades, quotes, 0, False)
    before = content(layout.base)
    assert import_file(layout, realdata / "binance_ws" / name).before
    assert content(layout.base) == before
    assert {path.parent.name for path in layout.raw.rglob("part_*")} <= {"2023-04-05", "2021-10-12"}


def check_bars_of_the_recording(layout):
    """The bars of the recorded BTCUSDT frames equal the exchange's own candle of 00:00 to 00:05."""
    five = read.bars(layout, "BTCUSDT", Window.parse("2023-04-05T00:00:00Z", "2023-04-05T00:05:00Z"), "1m").to_pylist()
    assert all(bar["complete"] for bar in five)
    assert (five[0]["open"], max(b["high"] for b in five), min(b["low"] for b in five), five[-1]["close"]) == CANDLE
    assert sum(bar["volume_base"] for bar in five) == pytest.approx(83.42189, rel=1e-12)
    everything = read.bars(layout, "BTCUSDT", Window.parse("2023-04-04", "2023-04-06"))
    assert sum(everything["trade_count"].to_pylist()) == 3144
    eve = read.bars(layout, "BTCUSDT", Window.parse("2023-04-04", "2023-04-05"))
    assert eve["first_trade_id"].to_pylist() == [3071245454]
    minutes = read.bars(layout, "BTCUSDT", Window.parse("2023-04-05", "2023-04-06"), "1m")
    assert minutes["complete"].to_pylist() == [True] * 6 + [False]


def test_the_bars_of_recorded_frames_equal_the_exchanges_own_candle(layout, realdata):
    import_file(layout, realdata / "binance_ws" / FILES[0][0])
    assert transform.run(layout, "BTCUSDT").quarantined == 0
    check_bars_of_the_recording(layout)


def test_aggregates_of_a_recording_make_bars_too(layout, realdata):
    import_file(layout, realdata / "binance_ws" / FILES[1][0])
    for symbol in transform.pending(layout):
        transform.run(layout, symbol)
    bars = read.day(layout, "NKNUSDT", date(2021, 10, 12)).to_pylist()
    (bar,) = [bar for bar in bars if bar["first_trade_id"] == 19862790]
    assert (bar["open"], bar["volume_base"], bar["trade_count"]) == (0.3528, 58.0, 1)


def test_lines_that_are_no_frames_are_quarantined_and_the_rest_comes_in(layout, tmp_path):
    quote = '{"stream":"solusdt@bookTicker","data":{"u":1,"s":"SOLUSDT","b":"1.0","B":"1.0","a":"2.0","A":"1.0"}}'
    good = f"1760918400000000 {quote}"
    (tmp_path / "x.txt").write_text(f"{good}\nnonsense\n1760918400000000 {{torn\n{good}\n")
    took = import_file(layout, tmp_path / "x.txt")
    assert (took.quotes, took.quarantined, took.symbols) == (2, 2, ("SOLUSDT",))
    (kept,) = (layout.quarantine / "imports").iterdir()
    offsets = [json.loads(line)["offset"] for line in kept.read_text().splitlines()]
    assert offsets == [len(good) + 1, len(good) + 10]


@pytest.mark.parametrize(
    "data", [b"", b"hello\n", gzip.compress(b"x\n" * 1000, mtime=0)[:-9]], ids=["empty", "text", "torn"]
)
def test_a_file_that_is_no_recording_is_refused_in_one_line(layout, tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(BadInputError, match="x"):
        import_file(layout, tmp_path / "x")
    with pytest.raises(BadInputError, match="no such file"):
        import_file(layout, tmp_path / "y")
