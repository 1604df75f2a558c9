"""Zips of metrics and fundings, over real sockets: header or none, rows that do not belong, quarantine."""

import hashlib
import io
import zipfile
from datetime import UTC, date, datetime

import pytest

from lake.archive import ArchiveError
from lake.archive_futures import ArchiveFutures
from lake.derivatives import run
from lake.sections import Binance
from lake.web import NotThereError, Web
from lake.windows import Window
from simulator import Simulator
from tests.lake.counted import counted

NOW = datetime(2024, 3, 15, 12, tzinfo=UTC)
DAY = date(2024, 1, 2)
HEAD = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
)
ROW = "2024-01-02 00:05:00,SOLUSDT,7301224.5,1367612345.67,1.1,,1.3,1.4\n"
NEXT = "2024-01-02 00:10:00,SOLUSDT,7301225,1367612346,1.1,1.2,1.3,1.4\n"
MIDNIGHT = "2024-01-03 00:00:00,SOLUSDT,7301226,1367612347,1.1,1.2,1.3,1.4\n"
METRICS, FUNDINGS = "SOLUSDT-metrics-2024-01-02", "SOLUSDT-fundingRate-2024-01"


def put(folder, stem, text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr(f"{stem}.csv", text)
    (folder / f"{stem}.zip").write_bytes(packed.getvalue())
    (folder / f"{stem}.zip.CHECKSUM").write_text(f"{hashlib.sha256(packed.getvalue()).hexdigest()}  {stem}.zip\n")


@pytest.fixture
def sim(tmp_path):
    folder = tmp_path / "zips"
    folder.mkdir()
    micros = int(NOW.timestamp()) * 1_000_000
    with Simulator(["SOLUSDT"], 7, rate=0.05, clock=lambda: micros, archive_folder=folder) as running:
        yield running


@pytest.fixture
def zips(sim, layout):
    with Web(sim.archive_url) as web:
        yield ArchiveFutures(web, layout, "SOLUSDT")


@pytest.mark.parametrize("head", [HEAD, ""], ids=["header", "none"])
def test_open_interest_is_read_with_a_header_row_or_without(zips, tmp_path, head):
    put(tmp_path / "zips", METRICS, head + ROW + NEXT)
    assert [tuple(row.values()) for row in zips.metrics(DAY).to_pylist()] == [
        ("SOLUSDT", datetime(2024, 1, 2, 0, 5, tzinfo=UTC), 7301224.5, 1367612345.67),
        ("SOLUSDT", datetime(2024, 1, 2, 0, 10, tzinfo=UTC), 7301225.0, 1367612346.0),
    ]


@pytest.mark.parametrize("head", ["calc_time,funding_interval_hours,last_funding_rate\n", ""], ids=["header", "none"])
def test_fundings_are_read_with_a_header_row_or_without_and_have_no_mark_price(zips, tmp_path, head):
    put(tmp_path / "zips", FUNDINGS, head + "1704067200003,8,0.00037409\n1704096000000,4,-0.00010000\n")
    assert [tuple(row.values()) for row in zips.fundings(DAY).to_pylist()] == [
        ("SOLUSDT", datetime(2024, 1, 1, 0, 0, 0, 3000, tzinfo=UTC), 0.00037409, None),
        ("SOLUSDT", datetime(2024, 1, 1, 8, tzinfo=UTC), -0.0001, None),
    ]


def test_rows_without_a_value_are_none_and_of_the_same_time_the_first_counts(zips, tmp_path):
    blank = "2024-01-02 00:15:00,SOLUSDT,,,1,1,1,1\n"
    put(tmp_path / "zips", METRICS, HEAD + NEXT + ROW + NEXT.replace("7301225", "1") + blank)
    assert zips.metrics(DAY)["open_interest"].to_pylist() == [7301224.5, 7301225.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "it has no row"),
        (HEAD + ROW.replace("00:05:00", "00:05:01"), "it has a row of 2024-01-02T00:05:01Z, which is none of"),
        (HEAD + ROW.replace("01-02", "01-01"), "it has a row of 2024-01-01T00:05:00Z"),
        (HEAD + MIDNIGHT.replace("00:00:00", "00:05:00"), "it has a row of 2024-01-03T00:05:00Z"),
        (HEAD + ROW.replace("SOLUSDT", "BTCUSDT"), "it has rows of 'BTCUSDT'"),
        (HEAD + ROW.replace("2024-01-02 ", "2 Jan "), "a create_time is none"),
        (HEAD + ROW.replace("7301224.5", "lots"), "a number is none"),
        (HEAD + ROW.replace("7301224.5", "inf"), "a number is not finite"),
        (HEAD + ROW.replace("\n", ",1\n"), "its CSV is not as documented"),
        (HEAD + ROW[: len(ROW) // 2], "its CSV is not as documented"),
    ],
)
def test_metrics_that_are_none_are_quarantined_with_the_reason(zips, tmp_path, layout, text, words):
    put(tmp_path / "zips", METRICS, text)
    with pytest.raises(ArchiveError, match=words) as caught:
        zips.metrics(DAY)
    assert "\n" not in str(caught.value)
    assert (layout.quarantine / "archive" / f"{METRICS}.zip").is_file()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1706745600000,8,0.0001\n", "which is none of"),
        ("1704067199999,8,0.0001\n", "which is none of"),
        ("99999999999999999,8,0.0001\n", "which is none of"),
        ("1704096000000,8,0.0001\n1704067200003,8,0.0001\n", "not in order"),
        ("1704067200003,8,\n", "funding_rate"),
        ("1704067200003,8\n", "its CSV is not as documented"),
    ],
)
def test_fundings_that_are_none_are_quarantined_with_the_reason(zips, tmp_path, layout, text, words):
    put(tmp_path / "zips", FUNDINGS, text)
    with pytest.raises(ArchiveError, match=words):
        zips.fundings(DAY)
    assert (layout.quarantine / "archive" / f"{FUNDINGS}.zip").is_file()


def test_a_day_that_is_not_there_is_told_apart(zips):
    with pytest.raises(NotThereError):
        zips.metrics(date(2020, 1, 1))


def test_the_midnight_of_files_that_begin_at_five_past_is_taken_from_the_zip_before(sim, layout, tmp_path):
    """As the exchange's own files are: 00:05 to the next midnight."""
    for number in (1, 2, 3):
        times = [f"2024-01-0{number} {m // 60:02d}:{m % 60:02d}:00" for m in range(5, 1440, 5)]
        times.append(f"2024-01-0{number + 1} 00:00:00")
        text = HEAD + "".join(f"{at},SOLUSDT,{number}.5,2,1,1,1,1\n" for at in times)
        put(tmp_path / "zips", f"SOLUSDT-metrics-2024-01-0{number}", text)
    hosts = Binance(futures_url=sim.futures_url, archive_url=sim.archive_url)
    asked = counted(sim, "/data/futures/um/daily")
    done = run(layout, hosts, "SOLUSDT", Window.parse("2024-01-02", "2024-01-04"), NOW)
    assert (done.interests, done.absent, done.left) == (2 * 288, 0, 0)
    assert asked() == 2 * 3
