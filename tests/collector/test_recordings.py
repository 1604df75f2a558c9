"""Recordings of others, imported: what comes in, what is refused, and what a kill leaves."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from datetime import date

import pytest

from collector.recordings import import_file
from collector.spill import Spill
from lake import leftovers, locks, raw, read, transform
from lake.errors import BadInputError, LakeError
from lake.windows import Window
from tests.collector.recorded import RECV, files, line, quote, raw_lines, trade, usd_m, wrapped
from tests.conftest import content

CANDLE = (28165.47, 28168.76, 28155.21, 28156.07)
FILES = [("hftbacktest_spot_btcusdt_20230405.dat.gz", 3144, 8015), ("cryptofeed_BINANCE.ws.1.0", 2, 84)]


@pytest.fixture
def put(tmp_path):
    """Write a file of some text or bytes, and return its path."""

    def write(data, name="x.txt"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def bars(layout, symbol="SOLUSDT"):
    """Second, close, count and volume of each bar of 2025-10-20."""
    transform.run(layout, symbol)
    rows = read.bars(layout, symbol, Window.parse("2025-10-20", "2025-10-21")).to_pylist()
    return [(row["window_start"].second, row["close"], row["trade_count"], row["volume_base"]) for row in rows]


@pytest.mark.parametrize(("name", "trades", "quotes"), FILES)
def test_a_recording_comes_in_whole_once_and_with_its_own_receive_times(layout, realdata, name, trades, quotes):
    took = import_file(layout, realdata / "binance_ws" / name)
    assert (took.trades, took.quotes, took.quarantined, took.before) == (trades, quotes, 0, False)
    before = content(layout.base)
    assert import_file(layout, realdata / "binance_ws" / name).before
    assert content(layout.base) == before
    assert {path.parent.name for path in layout.raw.rglob("part_*")} <= {"2023-04-05", "2021-10-12"}


def test_a_recording_of_binance_us_is_refused_though_its_frames_look_like_spots(layout, realdata):
    with pytest.raises(BadInputError, match=r"cryptofeed_BINANCE_US.ws.1.0 line 1: a connection to Binance\.US"):
        import_file(layout, realdata / "binance_ws" / "cryptofeed_BINANCE_US.ws.1.0")
    assert files(layout) == []


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


def test_the_unit_of_the_receive_times_does_not_change_the_bars(layout, put, tmp_path):
    found = set()
    for power in (1, 1000):
        times = [
            line(trade(number, number), number).replace(" ", f"{'7' * 3} " if power > 1 else " ", 1)
            for number in (1, 2, 4)
        ]
        lake = type(layout)(tmp_path / f"lake{power}")
        assert import_file(lake, put("".join(times), f"{power}.txt")).trades == 3
        found.add(str(bars(lake)))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("other", "market"),
    [
        (usd_m(900_000, 1), "Binance USD-M futures"),
        (usd_m(900_099, 1, p="0", q="0", X="NA"), "Binance USD-M futures"),
        ({**quote(77), "e": "bookTicker", "T": 1760918400900, "E": 1760918400901}, "Binance USD-M futures"),
        (usd_m(1, 1, s="BTCUSD_PERP"), "Binance COIN-M futures"),
        (usd_m(1, 1, s="BTCUSD_240628"), "Binance COIN-M futures"),
    ],
)
def test_one_frame_of_another_market_refuses_the_file_and_leaves_nothing(layout, put, other, market):
    path = put("".join(line(trade(number, number), number) for number in range(3)) + line(other, 3))
    for stated in (None, "spot"):
        with pytest.raises(BadInputError, match=f"x.txt line 4: a .* of {market}") as refused:
            import_file(layout, path, market=stated)
        assert "\n" not in str(refused.value)
    assert files(layout) == []
    path.write_text("".join(line(trade(number, number), number) for number in range(3)))
    assert (import_file(layout, path).trades, [row[1:3] for row in bars(layout)]) == (3, [(187.31, 1)] * 3)


def test_trades_that_show_no_market_need_it_stated_or_a_connection_to_spot(layout, put, tmp_path):
    bare = {key: value for key, value in trade(7).items() if key != "M"}
    with pytest.raises(BadInputError, match=r"x.txt line 1: a trade without M.*--market spot"):
        import_file(layout, put(line(bare)))
    assert files(layout) == []
    assert import_file(layout, put(line(bare)), market="spot").trades == 1
    connection = "wss://stream.binance.com:9443/stream <-> 1760918400.1\n"
    assert import_file(layout, put(f"{connection}1760918400.123456: {wrapped(bare)}\n", "y.txt")).trades == 1
    relay = put(f"wss://relay.example/ws <-> 1760918400.1\n1760918400.123456: {wrapped(trade(8))}\n", "z.txt")
    with pytest.raises(BadInputError, match=r"z.txt line 1: a connection to wss://relay\.example/ws.*--market spot"):
        import_file(layout, relay)
    assert import_file(layout, relay, market="spot").trades == 1
    with pytest.raises(BadInputError, match="market 'usdm': this lake holds Binance spot"):
        import_file(layout, relay, market="usdm")


def test_a_file_that_was_rotated_has_no_connection_line_and_is_known_by_its_name(layout, put):
    path = put(f"1760918400.123456: {wrapped(trade(7))}\n", "BINANCE_US.ws.1.1")
    with pytest.raises(BadInputError, match=r"named as a recording of Binance\.US"):
        import_file(layout, path)
    assert files(layout) == []


def test_a_file_imported_before_markets_were_looked_at_is_looked_at_once_more(layout, put):
    spot, other = put(line(trade(1))), put(line(usd_m(1)), "other.txt")
    for path in (spot, other):
        old = {"file": path.name, "trades": 1, "quotes": 0, "ignored": 0, "quarantined": 0, "parts": 1}
        layout.imports.mkdir(parents=True, exist_ok=True)
        receipt = layout.imports / f"{hashlib.sha256(path.read_bytes()).hexdigest()}.json"
        receipt.write_text(json.dumps({**old, "symbols": ["SOLUSDT"], "before": False}))
    for _ in range(2):
        took = import_file(layout, spot)
        assert (took.before, took.trades, took.format, raw_lines(layout)) == (True, 1, "hftbacktest", [])
    with pytest.raises(BadInputError, match="USD-M"):
        import_file(layout, other)


CRYPTOFEED = f"""configuration: {{"trades": ["SOL-USDT"]}}
wss://stream.binance.com:9443/stream?streams=solusdt@trade/solusdt@bookTicker <-> 1760918400.0012345
wss://stream.binance.com:9443/ws <- 1760918400.01: {{"method":"SUBSCRIBE","params":["solusdt@trade"],"id":1}}
1760918400.02: {{"result":null,"id":1}}
https://api.binance.com/api/v3/depth?symbol=SOLUSDT -> 1760918400.05: {{"lastUpdateId":5000,"bids":[]}}
1760918400.25: {wrapped(trade(2000))}

1760918400.35: {wrapped(quote(7000))}
"""


def test_the_recorders_own_lines_are_ignored_and_not_quarantined(layout, put):
    took = import_file(layout, put(CRYPTOFEED, "BINANCE.ws.1.0"))
    assert (took.trades, took.quotes, took.ignored, took.quarantined) == (1, 1, 5, 0)
    assert not layout.quarantine.exists()


def test_lines_that_are_no_frames_are_quarantined_and_the_rest_comes_in(layout, put):
    good = line(quote(1))
    took = import_file(layout, put(f"{good}nonsense\n1760918400000000 {{torn\n{good}"))
    assert (took.quotes, took.quarantined, took.symbols) == (2, 2, ("SOLUSDT",))
    (kept,) = (layout.quarantine / "imports").iterdir()
    offsets = [json.loads(text)["offset"] for text in kept.read_text().splitlines()]
    assert offsets == [len(good), len(good) + 9]


@pytest.mark.parametrize(
    "odd",
    [
        trade(7, T=1_760_918_402),
        trade(7, T=1_760_918_402_119_000_000),
        trade(7, T=0),
        trade(7, 3 * 86_400),
        trade(1 << 62),
        trade(7, e="aggTrade", a=1, f=7, l=1_000_008),
    ],
    ids=["seconds", "nanoseconds", "1970", "three days later", "id", "aggregate"],
)
def test_what_the_transformer_would_refuse_is_not_counted_as_imported(layout, put, odd):
    took = import_file(layout, put(line(trade(5)) + line(odd, 2)))
    built = transform.run(layout, "SOLUSDT")
    assert (took.trades, took.quarantined) == (1, 1)
    assert (built.rows, built.quarantined) == (1, 0)


def test_bare_frames_are_placed_by_their_own_time_and_quotes_without_one_are_quarantined(layout, put):
    took = import_file(layout, put(f"{json.dumps(trade(7))}\n{json.dumps(quote(1))}\n"))
    assert (took.format, took.trades, took.quotes, took.quarantined) == ("jsonl", 1, 0, 1)
    assert [row["ts_recv"] for row in raw_lines(layout)] == [1_760_918_400_120_000]


def test_the_same_trade_by_each_format_is_one_trade(layout, put):
    frame, recv = wrapped(trade(1001)), RECV
    row = "1001,187.31000000,2.00000000,374.62000000,1760918400119000,False,True\n"
    tardis = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    name = "SOLUSDT-trades-2025-10-20"
    recordings = [
        put(f"{recv}789 {frame}\n", "ns.txt"), put(f"{recv} {frame}\n", "us.txt"), put(f"{frame}\n", "bare.jsonl"),
        put(f'{{"ts":{recv},"raw":{frame}}}\n', "wrapped.jsonl"), put(row, f"{name}.csv"), put(row, f"{name}-copy.csv"),
        put(f"{tardis}binance,SOLUSDT,1760918400119000,{recv},1001,buy,187.31,2\n", "tardis.csv"),
        put(gzip.compress(f"2025-10-20T00:00:00.1234567Z {frame}\n\n".encode(), mtime=0), "raw.gz"),
        put(f'{{"localTimestamp":"2025-10-20T00:00:00.123Z","message":{frame}}}\n', "machine.ndjson"),
    ]  # fmt: skip
    assert [import_file(layout, path).trades for path in recordings] == [1] * len(recordings)
    raw_part = next((layout.raw / "SOLUSDT").rglob("part_*.jsonl"))
    assert import_file(layout, raw_part).format == "crypto-lake"
    assert bars(layout) == [(0, 187.31, 1, 2.0)]


def packed(put, name, members, **given):
    path = put(b"", name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **given) as opened:
        for member, text in members.items():
            opened.writestr(member, text)
    return path


NAME = "SOLUSDT-trades-2025-10-20"
ROW = "1001,187.31000000,2.00000000,374.62000000,1760918400119000,False,True\n"


def test_a_zip_of_the_archive_is_compared_with_the_checksum_beside_it(layout, put):
    path = packed(put, f"{NAME}.zip", {f"{NAME}.csv": ROW})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    beside = put(f"{'0' * 64}  {NAME}.zip\n", f"{NAME}.zip.CHECKSUM")
    with pytest.raises(BadInputError, match=rf"{NAME}.zip: is not what {NAME}.zip.CHECKSUM says"):
        import_file(layout, path)
    assert files(layout) == []
    beside.write_text(f"{digest}  {NAME}.zip")
    assert import_file(layout, path).symbols == ("SOLUSDT",)
    assert bars(layout) == [(0, 187.31, 1, 2.0)]


def test_a_zip_that_is_damaged_or_no_recording_is_refused_in_one_line(layout, put):
    path = packed(put, "a.zip", {f"{NAME}.csv": ROW * 500})
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInputError, match=r"a.zip: its member is damaged"):
        import_file(layout, path)
    with pytest.raises(BadInputError, match=r"b.zip: has 2 members: unpack it"):
        import_file(layout, packed(put, "b.zip", {"a.csv": ROW, "b.csv": ROW}))
    with pytest.raises(BadInputError, match=r"c.zip: .* bytes that claim to be 10,000,000"):
        import_file(layout, packed(put, "c.zip", {f"{NAME}.csv": bytes(10_000_000)}))
    with pytest.raises(BadInputError, match=r"d.zip: no zip that can be read"):
        import_file(layout, put(b"PK\x03\x04" + bytes(100), "d.zip"))
    with pytest.raises(BadInputError, match=r"e.zip: its name does not show the symbol: rename it"):
        import_file(layout, packed(put, "e.zip", {"trades.csv": ROW}))
    assert files(layout) == []


@pytest.mark.parametrize(
    "header", ["id,price,qty,quote_qty,time,is_buyer_maker\n", "", "id,price,qty,base_qty,time,is_buyer_maker\n"]
)
def test_a_csv_of_the_futures_is_refused_by_name(layout, put, header):
    row = "1001,187.31,2.0,374.62,1760918400119,false\n"
    with pytest.raises(BadInputError, match=f"{NAME}.csv line 1: trades of Binance (USD-M|COIN-M)"):
        import_file(layout, put(header + row, f"{NAME}.csv"))
    assert files(layout) == []


def test_a_format_is_recognized_by_most_of_the_first_lines(layout, put):
    head = '{"recorder": "mine", "started": 1760918400}\n# comment\n'
    took = import_file(layout, put(head + "".join(line(trade(n, n), n) for n in range(3))))
    assert (took.format, took.trades, took.quarantined) == ("hftbacktest", 3, 2)
    took = import_file(layout, put("# log\n" * 900 + line(trade(9)), "late.txt"))
    assert (took.trades, took.quarantined) == (1, 900)


def test_a_format_can_be_named_and_an_unknown_one_is_refused(layout, put):
    path = put(f"# my recorder\n{line(trade(1))}")
    with pytest.raises(BadInputError, match="format 'csv': expected hftbacktest, "):
        import_file(layout, path, form="csv")
    with pytest.raises(BadInputError, match=r"no trade and no quote in it .* 2 that cannot be understood"):
        import_file(layout, path, form="cryptofeed")
    took = import_file(layout, path, form="hftbacktest")
    assert (took.trades, took.quarantined) == (1, 1)
    assert import_file(layout, path).before
    with pytest.raises(BadInputError, match="no trade and no quote"):
        import_file(layout, path, form="jsonl")


def recording(count):
    return "".join(line(trade(n, n), n) + line(quote(n), n + 0.5) for n in range(count)).encode()


def test_of_a_torn_gzip_each_whole_line_is_taken_once_and_its_end_is_reported(layout, put):
    text = recording(600)
    data = gzip.compress(text, mtime=0)[:-200]
    path = put(data, "torn.gz")
    took = import_file(layout, path)
    lines = len(raw_lines(layout))
    assert 1100 < lines == took.trades + took.quotes < 1200
    assert text.startswith("".join(f"{row['ts_recv']} " for row in raw_lines(layout)[:1]).encode())
    assert took.lost == (
        f"gzip cut off at byte {len(data):,}: the rest of it is missing; the {lines:,} whole lines before are taken, "
        "which no checksum confirms",
    )
    before = content(layout.base)
    again = import_file(layout, path)
    assert (again.before, again.lost, content(layout.base)) == (True, took.lost, before)
    assert len(bars(layout)) == took.trades
    (kept,) = (layout.quarantine / "imports").iterdir()
    assert "cut off" in kept.read_text()


def test_a_recorder_started_again_over_its_old_file_or_behind_it_loses_no_whole_line(layout, put):
    old, new = gzip.compress(recording(600), mtime=0), gzip.compress(recording(100), mtime=0)
    took = import_file(layout, put(new + old[len(new) :], "restart.gz"))
    assert (took.trades, took.quotes, len(took.lost)) == (100, 100, 1)
    assert took.lost[0].startswith(f"bytes {len(new):,} to {len(old):,}: not gzip data")
    more = gzip.compress("".join(line(trade(n, n), n) for n in range(600, 700)).encode(), mtime=0)
    took = import_file(layout, put(old[:-100] + more, "appended.gz"))
    assert took.trades > 650
    numbers = {row["trade_id"] for row in raw_lines(layout) if row["stream"] == "trade"}
    assert set(range(600, 700)) | set(range(550)) <= numbers


def test_a_gzip_whose_checksum_fails_brings_no_line_of_that_member(layout, put):
    good = gzip.compress("".join(line(trade(n, n), n) for n in range(600, 700)).encode(), mtime=0)
    bad = bytearray(gzip.compress(recording(100), mtime=0))
    bad[len(bad) // 2] ^= 16
    with pytest.raises(BadInputError, match=r"bad.gz: .*nothing was imported"):
        import_file(layout, put(bytes(bad), "bad.gz"))
    assert files(layout) == []
    took = import_file(layout, put(bytes(bad) + good + good, "half.gz"))
    assert took.lost[0].startswith(f"gzip damaged in bytes 0 to {len(bad):,}: ")
    assert took.quarantined == 1, "the first line after damage may have lost its beginning"
    assert {row["trade_id"] for row in raw_lines(layout)} == set(range(600, 700))


def test_a_file_merged_from_two_clocks_makes_no_more_parts_than_another(layout, put):
    lines = [line(trade(n, n), n % 2 * 7200 + n) for n in range(200)]
    took = import_file(layout, put("".join(lines)))
    assert (took.trades, took.parts) == (200, 2)
    assert [row["trade_id"] for row in raw_lines(layout)] == [*range(0, 200, 2), *range(1, 200, 2)]


def test_lines_spilled_to_disk_make_the_same_parts(layout, tmp_path):
    lakes = [type(layout)(tmp_path / name) for name in ("a", "b")]
    for lake, most in zip(lakes, (1 << 20, 100), strict=True):
        folder = tmp_path / f"spill{most}"
        folder.mkdir()
        spill = Spill(folder, most)
        for number in range(300):
            spill.add(("SOLUSDT", "BNBUSDT")[number % 2], RECV + number * 60_000_000, b"%d\n" % number)
        assert (spill.symbols, len(list(folder.iterdir()))) == (["BNBUSDT", "SOLUSDT"], 10 if most == 100 else 0)
        assert spill.place(lake, lambda at, total: None) == 10
        assert list(folder.iterdir()) == []
    assert content(lakes[0].base) == content(lakes[1].base)


def test_a_large_hour_is_placed_in_parts_of_some_megabytes(layout, tmp_path):
    spill = Spill(tmp_path)
    for _ in range(20_000):
        spill.add("SOLUSDT", RECV, b"x" * 999 + b"\n")
    assert spill.place(layout, lambda at, total: None) == 3
    assert all(path.stat().st_size % 1000 == 0 for path in layout.raw.rglob("part_*.jsonl"))


DYING = """
import os, signal, sys
from pathlib import Path
from collector.recordings import import_file
from lake import raw
from lake.layout import Layout
place, placed = raw.add_part, []
def dying(folder, data):
    if len(placed) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    placed.append(place(folder, data))
raw.add_part = dying
import_file(Layout(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def test_an_import_that_was_killed_while_placing_is_healed_by_importing_again(layout, put, tmp_path):
    path = put("".join(line(trade(n, n * 3600), n * 3600) for n in range(8)))
    done = subprocess.run([sys.executable, "-c", DYING, layout.base, path])
    assert done.returncode == -signal.SIGKILL
    assert len(raw_lines(layout)) == 3
    assert list(layout.imports.glob("*.json")) == []
    (left,) = layout.imports.glob(".import-*")
    assert leftovers.find(layout, young_s=0).spills == [left]
    took = import_file(layout, path)
    assert (took.before, took.trades, took.parts) == (False, 8, 8)
    whole = type(layout)(tmp_path / "whole")
    import_file(whole, path)
    assert content(layout.base) == content(whole.base)
    assert not left.exists()


def test_a_live_collectors_parts_are_not_overwritten(layout, put):
    folder = layout.raw_day("SOLUSDT", date(2025, 10, 20))
    own = raw.add_part(folder, b"the collector's\n")
    import_file(layout, put(line(trade(1))))
    assert own.read_bytes() == b"the collector's\n"
    assert [path.name for path in sorted(folder.glob("part_*"))] == ["part_0001.jsonl", "part_0002.jsonl"]


def test_two_imports_of_one_file_at_a_time_bring_it_once(layout, put):
    path, took = put("".join(line(trade(n, n), n) for n in range(50))), []
    with locks.imports(layout):
        threads = [threading.Thread(target=lambda: took.append(import_file(layout, path).before)) for _ in range(2)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(60)
    assert (sorted(took), len(raw_lines(layout))) == ([False, True], 50)


def test_a_file_that_is_still_being_written_is_not_taken(layout, put):
    path = put(line(trade(1)))

    def write_on(done, what):
        if what.startswith("reading"):
            path.write_text(line(trade(1)) + line(trade(2, 1), 1))

    with pytest.raises(LakeError, match="has changed while it was read"):
        import_file(layout, path, progress=write_on)
    assert raw_lines(layout) == []
    assert import_file(layout, path).trades == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read in /proc")
def test_a_line_without_end_takes_little_memory_and_is_quarantined(layout, put, tmp_path):
    path = tmp_path / "x.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(line(trade(1)).encode())
        for _ in range(300):
            file.write(bytes(1 << 20))
    script = (
        "import sys; from pathlib import Path; from collector.recordings import import_file;"
        "from lake.layout import Layout; took = import_file(Layout(Path(sys.argv[1])), Path(sys.argv[2]));"
        "kilobytes = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0];"
        "print(took.trades, took.quarantined, int(kilobytes) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", script, layout.base, path], capture_output=True, text=True)
    trades, quarantined, megabytes = map(int, done.stdout.split())
    assert (trades, quarantined) == (1, 1), done.stderr
    assert megabytes < 150


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "of no known format .it is empty."),
        (b"hello\n", "of no known format .line 1 is 'hello'.: expected hftbacktest, "),
        (gzip.compress(b"x\n" * 1000, mtime=0)[:-9], "gzip cut off at byte"),
        (b"(\xb5/\xfd" + bytes(20), "zstd: give it as text"),
        (b"\xfd7zXZ\x00" + bytes(20), "xz: give it as text"),
        (b"BZh91AY" + bytes(20), "bzip2: give it as text"),
        ("1760918400000000 {}\n".encode("utf-16"), "UTF-16 text: give it as text in UTF-8"),
        (b'1760918400000000 {"e":"depthUpdate"}\n', "no trade and no quote in it .1 other lines"),
        (b'{"type":"trade","price":1.5}\n', "no trade and no quote in it"),
    ],
    ids=["empty", "text", "torn", "zstd", "xz", "bzip2", "utf-16", "depth", "other-json"],
)
def test_a_file_that_is_no_recording_is_refused_in_one_line(layout, put, data, reason):
    with pytest.raises(BadInputError, match=f"x.txt: {reason}"):
        import_file(layout, put(data))
    assert files(layout) == []


def test_what_is_no_file_is_refused_in_one_line(layout, tmp_path):
    with pytest.raises(BadInputError, match="y: no such file"):
        import_file(layout, tmp_path / "y")
    with pytest.raises(BadInputError, match="is a folder: name the files in it"):
        import_file(layout, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInputError, match="pipe: is no regular file"):
        import_file(layout, tmp_path / "pipe")


@pytest.mark.parametrize("name", ["x" * 251 + ".txt", "t\u00e4glich \u5e01.txt", os.fsdecode(b"caf\xe9.txt")])
def test_any_name_of_a_file_will_do(layout, put, name):
    took = import_file(layout, put(f"{line(trade(1))}nonsense\n", name))
    assert (took.trades, took.quarantined) == (1, 1)


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(layout, put):
    text = "".join(line(trade(n, n), n) for n in range(3)).replace("\n", "\r\n")
    took = import_file(layout, put(b"\xef\xbb\xbf" + text.encode()))
    assert (took.trades, took.quarantined) == (3, 0)


def test_a_last_line_without_its_line_feed_is_taken_where_its_end_shows(layout, put):
    assert import_file(layout, put(line(trade(1)) + line(trade(2, 1), 1).rstrip("\n"))).trades == 2
    took = import_file(layout, put(ROW + ROW.replace("1001", "1002").rstrip("\n"), f"{NAME}.csv"))
    assert (took.trades, took.quarantined) == (2, 0)
    took = import_file(layout, put(ROW + ROW.replace("1001", "1003").rstrip("\n")[:-5], f"{NAME}-cut.csv"))
    assert (took.trades, took.quarantined) == (1, 1)
    tardis = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    row = f"binance,SOLUSDT,1760918400119000,{RECV},1004,buy,187.31,2"
    took = import_file(layout, put(f"{tardis}{row}\n{row.replace('1004', '1005')}", "tardis.csv"))
    assert (took.trades, took.quarantined) == (1, 1)
