"""The archive: zips that say what REST says, when they are there, their sums, a served folder."""

import csv
import hashlib
import io
import itertools
import urllib.parse
import zipfile
from datetime import UTC, datetime

import pytest
import requests

from simulator import Listing, Simulator
from simulator.candles import INTERVALS
from simulator.zip_names import read_path
from tests.simulator.conftest import DAY, REALDATA, Clock

HOUR = DAY // 24
FIVE = HOUR // 12
CHANGED = 1_782_345_600_000_000  # 2026-06-25
JANUARY = 1_735_689_600_000_000  # 2025-01-01
START = JANUARY - 62 * DAY  # 2024-10-31
NOW = JANUARY + 12 * DAY + 9 * HOUR  # 2025-01-13 09:00: the 12th is out, and December since Monday the 6th
LISTED = JANUARY - 5 * DAY + 7 * HOUR
CHINESE = "币安人生USDT"
SYMBOLS = ("SOLUSDT", "OPUSDT", CHINESE, Listing("NEWUSDT", 3.0, 4, 1, listed_us=LISTED),
           Listing("RIFUSDT", 0.1, 4, 1, perpetual=False))  # fmt: skip


@pytest.fixture(scope="module")
def sim():
    with Simulator(SYMBOLS, 7, rate=0.1, start_us=START, clock=Clock(NOW), weight_limit=10**9) as running:
        yield running


def day(time_us):
    return datetime.fromtimestamp(time_us // 10**6, UTC).strftime("%Y-%m-%d")


def url(kind, date, symbol="SOLUSDT", interval="1m"):
    """The path of a file; kind is klines, trades, aggTrades, metrics or fundingRate."""
    market = "futures/um" if kind in ("metrics", "fundingRate") else "spot"
    folder, name = (f"{interval}/", interval) if kind == "klines" else ("", kind)
    freq = "daily" if len(date) == 10 else "monthly"
    return f"/data/{market}/{freq}/{kind}/{symbol}/{folder}{symbol}-{name}-{date}.zip"


def fetch(sim, path, method="GET", **headers):
    return requests.request(method, sim.archive_url + urllib.parse.quote(path), headers=headers, timeout=60)


def lines(sim, path):
    """The rows of a file's only member, whose name is the zip's."""
    answer = fetch(sim, path)
    assert answer.status_code == 200, (path, answer.text)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        assert name == path.rpartition("/")[2].replace(".zip", ".csv")
        text = archive.read(name).decode()
    assert text.endswith("\n") and "\r" not in text
    return list(csv.reader(text.splitlines()))


def rest(sim, path, unit="MILLISECOND", **query):
    answer = requests.get(sim.rest_url + path, params=query, headers={"X-MBX-TIME-UNIT": unit}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rest_klines(sim, symbol, interval, low, high, unit):
    found, query = [], {"symbol": symbol, "interval": interval, "limit": 1000, "endTime": high - 1}
    while low < high and (part := rest(sim, "/api/v3/klines", unit, startTime=low, **query)):
        found += part
        low = (part[-1][6] + 1) * (1000 if unit == "MILLISECOND" else 1)
    return [[str(value) for value in row] for row in found]


def capital(value):
    return {True: "True", False: "False"}.get(value, str(value)) if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("symbol", ["SOLUSDT", "OPUSDT", CHINESE])
def test_a_days_klines_are_rests_in_milliseconds_before_2025_and_in_microseconds_from_then_on(sim, symbol):
    for at, unit in ((JANUARY - DAY, "MILLISECOND"), (JANUARY, "MICROSECOND")):
        rows = lines(sim, url("klines", day(at), symbol))
        assert len(rows) == 1440
        assert rows == rest_klines(sim, symbol, "1m", at, at + DAY, unit)
    assert lines(sim, url("klines", day(JANUARY - DAY), symbol))[-1][6] == "1735689599999"
    assert lines(sim, url("klines", day(JANUARY), symbol))[0][6] == "1735689659999999"


@pytest.mark.parametrize("interval", [name for name in INTERVALS if name not in ("3d", "1w", "1M", "1m")])
def test_every_interval_up_to_a_day_is_there_daily(sim, interval):
    at = JANUARY + 3 * DAY
    rows = lines(sim, url("klines", day(at), interval=interval))
    assert len(rows) == DAY // INTERVALS[interval]
    if interval == "1s":  # 87 pages of REST: its last thousand will do
        assert rows[-1000:] == rest_klines(sim, "SOLUSDT", "1s", at + DAY - 1000 * 10**6, at + DAY, "MICROSECOND")
    else:
        assert rows == rest_klines(sim, "SOLUSDT", interval, at, at + DAY, "MICROSECOND")


@pytest.mark.parametrize("interval", ["1m", "1d", "3d", "1w", "1mo"])
def test_a_months_klines_are_rests(sim, interval):
    december = JANUARY - 31 * DAY
    rows = lines(sim, url("klines", "2024-12", interval=interval))
    name = {"1mo": "1M"}.get(interval, interval)
    assert rows == rest_klines(sim, "SOLUSDT", name, december, JANUARY, "MILLISECOND")
    assert len(rows) == {"1m": 44_640, "1d": 31, "3d": 11, "1w": 5, "1mo": 1}[interval]


@pytest.mark.parametrize("interval", ["3d", "1w", "1mo", "1M", "7m"])
def test_there_is_no_daily_file_of_longer_or_unknown_intervals(sim, interval):
    assert fetch(sim, url("klines", day(JANUARY), interval=interval)).status_code == 404


@pytest.mark.parametrize("at", [JANUARY - DAY, JANUARY + 2 * DAY])
@pytest.mark.parametrize("symbol", ["OPUSDT", CHINESE])
def test_a_days_trades_and_aggregates_are_rests(sim, at, symbol):
    unit = "MILLISECOND" if at < JANUARY else "MICROSECOND"
    trades, aggregates = (lines(sim, url(kind, day(at), symbol)) for kind in ("trades", "aggTrades"))
    found, ident = [], int(trades[0][0])
    while len(found) < len(trades):
        found += rest(sim, "/api/v3/historicalTrades", unit, symbol=symbol, fromId=ident, limit=1000)
        ident = found[-1]["id"] + 1
    assert trades == [[capital(value) for value in row.values()] for row in found[: len(trades)]]
    truth = sim.trades(symbol, at, at + DAY)
    assert [int(row[0]) for row in trades] == [t.id for t in truth]
    found, ident = [], int(aggregates[0][0])
    while len(found) < len(aggregates):
        found += rest(sim, "/api/v3/aggTrades", unit, symbol=symbol, fromId=ident, limit=1000)
        ident = found[-1]["a"] + 1
    assert aggregates == [[capital(value) for value in row.values()] for row in found[: len(aggregates)]]
    assert (aggregates[0][3], aggregates[-1][4]) == (trades[0][0], trades[-1][0])
    assert {row[5] for row in trades} == {row[6] for row in aggregates} == {"True", "False"}


def test_a_months_trades_are_its_days_trades(sim):
    december = [JANUARY - 31 * DAY + n * DAY for n in range(31)]
    for kind in ("trades", "aggTrades"):
        days = [row for at in december for row in lines(sim, url(kind, day(at), "OPUSDT"))]
        assert lines(sim, url(kind, "2024-12", "OPUSDT")) == days


def test_metrics_are_the_open_interest_of_rest_and_older_ones_of_the_truth(sim):
    for at in (JANUARY + 2 * DAY, START + DAY):
        header, *rows = lines(sim, url("metrics", day(at)))
        assert header == [
            "create_time", "symbol", "sum_open_interest", "sum_open_interest_value", "count_toptrader_long_short_ratio",
            "sum_toptrader_long_short_ratio", "count_long_short_ratio", "sum_taker_long_short_vol_ratio",
        ]  # fmt: skip
        assert labels(rows) == [at + FIVE + FIVE * n for n in range(288)], "by the end of each five minutes"
        assert {row[1] for row in rows} == {"SOLUSDT"} and all(0.5 < float(row[4]) < 4 for row in rows)
        truth = sim.open_interests("SOLUSDT", at + FIVE, at + DAY + FIVE)
        assert [row[2:4] for row in rows] == [[t.amount, t.value] for t in truth]
        if at > JANUARY:
            query = {
                "symbol": "SOLUSDT",
                "period": "5m",
                "startTime": (at + FIVE) // 1000,
                "endTime": (at + DAY) // 1000,
            }
            hist = rest(sim, "/futures/data/openInterestHist", **query, limit=500)
            assert [row[2:4] for row in rows] == [[h["sumOpenInterest"], h["sumOpenInterestValue"]] for h in hist]


def test_metrics_are_labelled_by_their_start_from_2026_06_25_on():
    at = CHANGED
    with Simulator(["SOLUSDT"], 7, rate=0.1, start_us=at - 3 * DAY, clock=Clock(at + 2 * DAY)) as sim:
        for first, late in ((at - DAY, 0), (at, FIVE)):
            _, *rows = lines(sim, url("metrics", day(first)))
            assert labels(rows) == [first + FIVE - late + FIVE * n for n in range(288)]
            truth = sim.open_interests("SOLUSDT", first + FIVE, first + DAY + FIVE)
            assert [row[2:4] for row in rows] == [[t.amount, t.value] for t in truth]


def labels(rows):
    times = (datetime.strptime(row[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for row in rows)
    return [int(time.timestamp()) * 10**6 for time in times]


def test_a_months_fundings_are_rests_in_milliseconds(sim):
    header, *rows = lines(sim, url("fundingRate", "2024-12"))
    assert header == ["calc_time", "funding_interval_hours", "last_funding_rate"]
    query = {"startTime": (JANUARY - 31 * DAY) // 1000, "endTime": JANUARY // 1000 - 1, "limit": 1000}
    paid = rest(sim, "/fapi/v1/fundingRate", symbol="SOLUSDT", **query)
    assert rows == [[str(row["fundingTime"]), "8", row["fundingRate"]] for row in paid]
    assert len(rows) == 93


def test_a_day_is_there_from_eight_the_next_morning():
    clock = Clock(JANUARY + DAY + 8 * HOUR - 1)
    with Simulator(["SOLUSDT"], 7, rate=0.1, start_us=START, clock=clock) as sim:
        for kind in ("klines", "trades", "aggTrades", "metrics"):
            assert fetch(sim, url(kind, "2025-01-01")).status_code == 404
            assert fetch(sim, url(kind, "2024-12-31")).status_code == 200
        clock.now += 1
        for kind in ("klines", "trades", "aggTrades", "metrics"):
            assert fetch(sim, url(kind, "2025-01-01")).status_code == 200
            assert fetch(sim, url(kind, "2025-01-02")).status_code == 404


def test_a_month_is_there_from_its_first_monday_on():
    monday = JANUARY + 5 * DAY  # 2025-01-06
    clock = Clock(monday + 8 * HOUR - 1)
    with Simulator(["OPUSDT"], 7, rate=0.1, start_us=START, clock=clock) as sim:
        for kind in ("klines", "trades", "fundingRate"):
            assert fetch(sim, url(kind, "2024-12", "OPUSDT")).status_code == 404
            assert fetch(sim, url(kind, "2024-11", "OPUSDT")).status_code == 200
        clock.now += 1
        for kind in ("klines", "trades", "fundingRate"):
            assert fetch(sim, url(kind, "2024-12", "OPUSDT")).status_code == 200


@pytest.mark.parametrize(
    ("month", "interval", "expected"),
    [
        ("2024-12", "1m", "2025-01-06"), ("2024-06", "1m", "2024-07-01"), ("2024-08", "1m", "2024-09-02"),
        ("2024-06", "1w", "2024-07-01"), ("2024-06", "3d", "2024-07-04"), ("2024-12", "3d", "2025-01-06"),
    ],
)  # fmt: skip
def test_a_month_waits_for_its_last_kline_to_close(month, interval, expected):
    name = read_path(url("klines", month, interval=interval))
    assert name.published_us == int(datetime.fromisoformat(f"{expected}T08:00Z").timestamp()) * 10**6


@pytest.mark.parametrize("path", [
    "/data/spot/daily/klines/NOPEUSDT/1m/NOPEUSDT-1m-2025-01-02.zip",
    "/data/spot/daily/klines/SOLUSDT/1m/OPUSDT-1m-2025-01-02.zip",
    "/data/spot/daily/klines/SOLUSDT/1m/SOLUSDT-5m-2025-01-02.zip",
    "/data/spot/daily/klines/SOLUSDT/1m/SOLUSDT-1m-2025-02-30.zip",
    "/data/spot/daily/klines/SOLUSDT/1m/SOLUSDT-1m-2025-01.zip",
    "/data/spot/daily/metrics/SOLUSDT/SOLUSDT-metrics-2025-01-02.zip",
    "/data/futures/um/monthly/metrics/SOLUSDT/SOLUSDT-metrics-2024-12.zip",
    "/data/futures/um/daily/fundingRate/SOLUSDT/SOLUSDT-fundingRate-2025-01-02.zip",
    "/data/futures/um/daily/metrics/RIFUSDT/RIFUSDT-metrics-2025-01-02.zip",
    "/data/spot/daily/klines/SOLUSDT/1m/SOLUSDT-1m-2024-10-30.zip",
    "/data/nothing",
])  # fmt: skip
def test_what_is_not_there_is_answered_as_s3_does(sim, path):
    for one in (path, f"{path}.CHECKSUM"):
        answer = fetch(sim, one)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/xml")
        assert "<Code>NoSuchKey</Code>" in answer.text and f"<Key>{one[1:]}</Key>" in answer.text


def test_a_pair_has_no_file_before_its_listing_and_a_part_of_its_first_day(sim):
    for kind in ("klines", "trades", "aggTrades", "metrics"):
        assert fetch(sim, url(kind, day(LISTED - DAY), "NEWUSDT")).status_code == 404
    rows = lines(sim, url("klines", day(LISTED), "NEWUSDT"))
    assert rows == rest_klines(sim, "NEWUSDT", "1m", 0, LISTED // DAY * DAY + DAY, "MILLISECOND")
    assert 0 <= int(rows[0][0]) * 1000 - LISTED < HOUR and len(rows) <= 17 * 60
    trades = lines(sim, url("trades", day(LISTED), "NEWUSDT"))
    assert int(trades[0][4]) // 60_000 * 60_000 == int(rows[0][0])
    assert lines(sim, url("metrics", day(LISTED), "NEWUSDT"))[1][0].endswith("07:00:00")
    assert len(lines(sim, url("klines", "2024-12", "NEWUSDT", "1d"))) == 5
    assert len(lines(sim, url("fundingRate", "2024-12", "NEWUSDT"))) == 1 + 14
    assert fetch(sim, url("fundingRate", "2024-11", "NEWUSDT")).status_code == 404


@pytest.mark.parametrize("kind", ["klines", "trades", "aggTrades", "metrics"])
@pytest.mark.parametrize("symbol", ["SOLUSDT", CHINESE])
def test_the_checksum_is_the_zips_sha256_and_name_without_a_newline(sim, kind, symbol):
    path = url(kind, day(JANUARY), symbol)
    body = fetch(sim, path).content
    told = fetch(sim, f"{path}.CHECKSUM")
    assert told.content.decode() == f"{hashlib.sha256(body).hexdigest()}  {path.rpartition('/')[2]}"
    assert fetch(sim, path).content == body


def test_another_stand_in_makes_the_same_bytes(sim):
    path = url("klines", day(JANUARY + DAY))
    with Simulator(SYMBOLS, 7, rate=0.1, start_us=START, clock=Clock(NOW)) as other:
        assert fetch(other, path).content == fetch(sim, path).content


def test_head_and_validators(sim):
    path = url("klines", day(JANUARY))
    full, head = fetch(sim, path), fetch(sim, path, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Length"):
        assert head.headers[name] == full.headers[name]
    assert int(full.headers["Content-Length"]) == len(full.content)
    assert full.headers["ETag"] == f'"{hashlib.md5(full.content).hexdigest()}"'
    assert full.headers["Last-Modified"] == "Thu, 02 Jan 2025 08:00:00 GMT"
    same = fetch(sim, path, **{"If-None-Match": full.headers["ETag"]})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", full.headers["ETag"])
    assert fetch(sim, path, **{"If-None-Match": '"other"'}).status_code == 200
    assert fetch(sim, url("klines", "2030-01-01"), "HEAD").status_code == 404


def test_a_file_of_the_served_folder_is_served_byte_for_byte_in_place_of_a_made_up_one(tmp_path):
    real = {
        "BTCUSDT-1m-2020-01-01.zip": b"PK as recorded",
        "BTCUSDT-1m-2020-01-01.zip.CHECKSUM": b"abc  BTCUSDT-1m-2020-01-01.zip",
        "SOLUSDT-1m-2025-01-01.zip": b"PK without its sum",
    }
    for name, body in real.items():
        (tmp_path / name).write_bytes(body)
    with Simulator(["SOLUSDT"], 7, rate=0.1, start_us=START, clock=Clock(NOW), archive_folder=tmp_path) as sim:
        for market in ("spot", "futures/um"):
            path = f"/data/{market}/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2020-01-01.zip"
            assert fetch(sim, path).content == real["BTCUSDT-1m-2020-01-01.zip"]
            assert fetch(sim, f"{path}.CHECKSUM").content == real["BTCUSDT-1m-2020-01-01.zip.CHECKSUM"]
        path = url("klines", "2025-01-01")
        assert fetch(sim, path).content == b"PK without its sum"
        told = f"{hashlib.sha256(b'PK without its sum').hexdigest()}  SOLUSDT-1m-2025-01-01.zip"
        assert fetch(sim, f"{path}.CHECKSUM").text == told
        assert len(lines(sim, url("klines", "2025-01-02"))) == 1440
        assert fetch(sim, "/data/..%2f..%2fetc%2fpasswd.zip").status_code == 404


@pytest.mark.skipif(not (REALDATA / "binance_archive").is_dir(), reason="the real zips are not beside this checkout")
def test_the_real_zips_are_served_as_they_are():
    folder = REALDATA / "binance_archive"
    with Simulator(["SOLUSDT"], 7, rate=0.1, start_us=START, clock=Clock(NOW), archive_folder=folder) as sim:
        for date in ("2020-01-01", "2020-01-02", "2020-01-03"):
            path = url("klines", date, "BTCUSDT")
            name = path.rpartition("/")[2]
            body = fetch(sim, path).content
            assert body == (folder / name).read_bytes()
            assert fetch(sim, f"{path}.CHECKSUM").text == f"{hashlib.sha256(body).hexdigest()}  {name}"
            assert len(lines(sim, path)) == 1440


def test_a_served_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a folder"):
        Simulator(["SOLUSDT"], archive_folder=tmp_path / "missing")


def test_the_archive_costs_no_weight(sim):
    before = int(requests.get(f"{sim.rest_url}/api/v3/time", timeout=5).headers["X-MBX-USED-WEIGHT-1M"])
    assert "X-MBX-USED-WEIGHT-1M" not in fetch(sim, url("klines", day(JANUARY))).headers
    after = int(requests.get(f"{sim.rest_url}/api/v3/time", timeout=5).headers["X-MBX-USED-WEIGHT-1M"])
    assert after == before + 1


def test_minutes_without_a_trade_are_in_the_file_too(sim):
    rows = lines(sim, url("klines", day(JANUARY + DAY), "OPUSDT"))
    flat = [(before, row) for before, row in itertools.pairwise(rows) if row[8] == "0"]
    assert len(rows) == 1440 and flat
    assert all(row[1:5] == [before[4]] * 4 and row[5] == "0.00000000" for before, row in flat)


def test_days_after_a_delisting_are_not_made():
    clock = Clock(JANUARY + DAY + HOUR)
    with Simulator(["SOLUSDT"], 7, rate=0.1, start_us=START, clock=clock) as sim:
        sim.fault("delisting", rest="history")
        clock.now = JANUARY + 5 * DAY
        assert len(lines(sim, url("klines", "2025-01-01"))) == 1440
        assert len(lines(sim, url("klines", "2025-01-02"))) == 60
        assert fetch(sim, url("klines", "2025-01-03")).status_code == 404
