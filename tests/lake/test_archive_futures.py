"""Zips of metrics and fundings, over real sockets: labels, header or none, rows that do not belong, quarantine."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from lake.archive import ArchiveError
from lake.archive_futures import ArchiveFutures
from lake.derivatives import run
from lake.sections import Binance
from lake.web import NotThereError, Web
from lake.windows import Window
from simulator import Simulator
from tests.lake.counted import counted
from tests.lake.zipped import put

NOW = datetime(2024, 3, 15, 12, tzinfo=UTC)
DAY = date(2024, 1, 2)
FIVE = timedelta(minutes=5)
HEAD = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
)
ROW = "2024-01-02 00:05:00,SOLUSDT,7301224.5,1367612345.67,1.1,,1.3,1.4\n"
NEXT = "2024-01-02 00:10:00,SOLUSDT,7301225,1367612346,1.1,1.2,1.3,1.4\n"
METRICS, FUNDINGS = "SOLUSDT-metrics-2024-01-02", "SOLUSDT-fundingRate-2024-01"
OLD, CHANGED = datetime(2026, 6, 24, tzinfo=UTC), datetime(2026, 6, 25, tzinfo=UTC)
"""The last day whose rows are labelled by their end, and the first whose rows are labelled by their start."""


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


@pytest.fixture
def metrics(zips, tmp_path):
    """Read a day's zip whose rows have some labels; a row's open interest is its number, from 1 on."""

    def metrics(day, labels):
        lines = [f"{label:%Y-%m-%d %H:%M:%S},SOLUSDT,{number},2,1,1,1,1\n" for number, label in enumerate(labels, 1)]
        put(tmp_path / "zips", f"SOLUSDT-metrics-{day:%Y-%m-%d}", HEAD + "".join(lines))
        return zips.metrics(day.date())

    return metrics


def labels(first, count=288):
    return [first + number * FIVE for number in range(count)]


def kept(layout, stem):
    """The odd rows of a zip in the quarantine: their text and reason."""
    lines = (layout.quarantine / "archive" / f"{stem}.zip.rows.jsonl").read_text().splitlines()
    return [(one["line"], one["reason"]) for one in map(json.loads, lines)]


@pytest.mark.parametrize("head", [HEAD, "", "\ufeff", f"\ufeff{HEAD}"], ids=["header", "none", "BOM", "BOM and header"])
def test_open_interest_is_read_with_a_header_row_or_without(zips, tmp_path, head):
    put(tmp_path / "zips", METRICS, head + ROW + NEXT)
    rows = zips.metrics(DAY)
    assert ([tuple(row.values()) for row in rows.table.to_pylist()], rows.refused) == (
        [
            ("SOLUSDT", datetime(2024, 1, 2, 0, 5, tzinfo=UTC), 7301224.5, 1367612345.67),
            ("SOLUSDT", datetime(2024, 1, 2, 0, 10, tzinfo=UTC), 7301225.0, 1367612346.0),
        ],
        0,
    )


@pytest.mark.parametrize("head", ["calc_time,funding_interval_hours,last_funding_rate\n", ""], ids=["header", "none"])
@pytest.mark.parametrize("unit", [1, 1000], ids=["milliseconds", "microseconds"])
def test_fundings_are_read_with_a_header_row_or_without_in_any_order_and_unit(zips, tmp_path, head, unit):
    text = f"{1704096000000 * unit},4,-0.00010000\n{1704067200003 * unit},8,0.00037409\n"
    put(tmp_path / "zips", FUNDINGS, head + text)
    rows = zips.fundings(DAY)
    assert ([tuple(row.values()) for row in rows.table.to_pylist()], rows.refused) == (
        [
            ("SOLUSDT", datetime(2024, 1, 1, 0, 0, 0, 3000, tzinfo=UTC), 0.00037409, None),
            ("SOLUSDT", datetime(2024, 1, 1, 8, tzinfo=UTC), -0.0001, None),
        ],
        0,
    )


@pytest.mark.parametrize(
    ("day", "first", "count", "moment"),
    [
        (OLD, OLD + FIVE, 288, OLD + FIVE),
        (CHANGED, CHANGED, 288, CHANGED + FIVE),
        (CHANGED, CHANGED + FIVE, 288, CHANGED + FIVE),
        (OLD, OLD, 288, OLD + FIVE),
        (OLD, OLD + 12 * FIVE, 100, OLD + 12 * FIVE),
        (CHANGED, CHANGED + 12 * FIVE, 100, CHANGED + 13 * FIVE),
        (CHANGED, CHANGED + 200 * FIVE, 89, CHANGED + 200 * FIVE),
        (OLD, OLD, 100, OLD + FIVE),
    ],
    ids=[
        "by their end, before the change", "by their start, after it", "by their end on the day of the change",
        "by their start, republished", "no midnight: before the change", "no midnight: after it",
        "only the midnight that ends the day", "only the midnight that begins the day",
    ],
)  # fmt: skip
def test_ts_is_the_moment_of_the_snapshot_however_the_file_labels_it(metrics, day, first, count, moment):
    rows = metrics(day, labels(first, count))
    assert (rows.table["ts"].to_pylist(), rows.refused) == (labels(moment, count), 0)
    assert rows.table["open_interest"].to_pylist() == list(range(1, count + 1))


@pytest.mark.parametrize(("day", "odd", "late"), [(OLD, 0, 0), (CHANGED, -1, 1)])
def test_with_both_midnights_the_date_decides_and_the_one_of_another_days_zip_is_refused(
    layout, metrics, day, odd, late
):
    both = labels(day, 289)
    rows = metrics(day, both)
    own = [label for label in both if label != both[odd]]
    assert (rows.table["ts"].to_pylist(), rows.refused) == ([label + late * FIVE for label in own], 1)
    [(line, reason)] = kept(layout, f"SOLUSDT-metrics-{day:%Y-%m-%d}")
    assert line.startswith(f"{both[odd]:%Y-%m-%d %H:%M:%S},")
    assert "expected" in reason


def test_a_row_without_one_of_its_sums_has_no_value_and_is_not_odd(zips, tmp_path):
    blank = "2024-01-02 00:15:00,SOLUSDT,,5,1,1,1,1\n2024-01-02 00:20:00,SOLUSDT,5,,1,1,1,1\n"
    put(tmp_path / "zips", METRICS, HEAD + NEXT + blank + ROW)
    rows = zips.metrics(DAY)
    assert (rows.table["open_interest"].to_pylist(), rows.refused) == ([7301224.5, 7301225.0], 0)


ODD_METRICS = [
    (ROW.replace("00:05:00", "00:05:07"), "create_time is 2024-01-02T00:05:07Z, off the 5m grid"),
    (ROW.replace("01-02", "01-01"), "create_time is 2024-01-01T00:05:00Z, expected 2024-01-02T00:00:00Z to 2024-01-03"),
    (ROW.replace("01-02", "01-03"), "create_time is 2024-01-03T00:05:00Z, expected 2024-01-02T00:00:00Z to 2024-01-03"),
    (ROW.replace("SOLUSDT", "BTCUSDT"), "it is of 'BTCUSDT'"),
    (ROW.replace("2024-01-02 ", "2 Jan "), "create_time is '2 Jan 00:05:00', expected a time"),
    (ROW.replace("7301224.5", "lots"), "it has 'lots', expected a number"),
    (ROW.replace("7301224.5", "inf"), "it has 'inf', expected a number"),
    (ROW.replace("7301224.5", "1e999"), "it has '1e999', expected a number"),
    (ROW.replace("7301224.5", "-7301224.5"), "it has '-7301224.5', expected a number ≥ 0"),
    (ROW.replace("\n", ",1\n"), "it has 9 fields, expected 8"),
    (ROW[: len(ROW) // 2] + "\n", "it has 3 fields, expected 8"),
]


@pytest.mark.parametrize(("odd", "words"), ODD_METRICS)
def test_an_odd_row_of_metrics_is_quarantined_with_the_reason_and_the_others_are_kept(
    zips, tmp_path, layout, odd, words
):
    put(tmp_path / "zips", METRICS, HEAD + odd + NEXT)
    rows = zips.metrics(DAY)
    assert (rows.table["open_interest"].to_pylist(), rows.refused) == ([7301225.0], 1)
    [(line, reason)] = kept(layout, METRICS)
    assert line == odd.rstrip("\n")
    assert reason.startswith(f"row 2: {words}")


@pytest.mark.parametrize(("odd", "words"), [*ODD_METRICS, ("", "it has no row")])
def test_metrics_without_a_good_row_are_quarantined_as_a_whole(zips, tmp_path, layout, odd, words):
    put(tmp_path / "zips", METRICS, HEAD + odd)
    with pytest.raises(ArchiveError) as caught:
        zips.metrics(DAY)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert (layout.quarantine / "archive" / f"{METRICS}.zip").is_file()


ODD_FUNDINGS = [
    ("1706745600000,8,0.0001", "calc_time is 1706745600000, outside 2024-01-01T00:00:00Z/2024-02-01T00:00:00Z"),
    ("1704067199999,8,0.0001", "calc_time is 1704067199999, outside"),
    ("9" * 99 + ",8,0.0001", "calc_time is 999"),
    ("soon1,8,0.0001", "calc_time is 'soon1'"),
    ("1704067200003,8,", "it has '', expected a number"),
    ("1704067200003,8,nan", "it has 'nan', expected a number"),
    ("1704067200003,8", "it has 2 fields, expected 3"),
]


@pytest.mark.parametrize(("odd", "words"), ODD_FUNDINGS)
def test_an_odd_funding_is_quarantined_with_the_reason_and_the_others_are_kept(zips, tmp_path, layout, odd, words):
    put(tmp_path / "zips", FUNDINGS, f"1704096000000,8,0.0002\n{odd}\n")
    rows = zips.fundings(DAY)
    assert (rows.table["funding_rate"].to_pylist(), rows.refused) == ([0.0002], 1)
    [(line, reason)] = kept(layout, FUNDINGS)
    assert (line, reason[: len(words) + 7]) == (odd, f"row 2: {words}")


def test_a_revised_zip_takes_its_odd_rows_out_of_the_quarantine(zips, tmp_path, layout):
    put(tmp_path / "zips", METRICS, HEAD + ODD_METRICS[0][0] + NEXT)
    zips.metrics(DAY)
    put(tmp_path / "zips", METRICS, HEAD + ROW + NEXT)
    assert len(zips.metrics(DAY).table) == 2
    assert list((layout.quarantine / "archive").iterdir()) == []


def test_a_zip_without_a_checksum_is_verified_by_its_content(sim, zips, tmp_path, layout):
    sim.fault("missing_checksum")
    put(tmp_path / "zips", METRICS, HEAD + ROW, signed=False)
    assert zips.metrics(DAY).table["open_interest"].to_pylist() == [7301224.5]
    path = tmp_path / "zips" / f"{METRICS}.zip"
    path.write_bytes(path.read_bytes().replace(b"7301224.5", b"7301225.5"))
    with pytest.raises(ArchiveError, match="CRC"):
        zips.metrics(DAY)


def test_a_zip_with_another_checksum_is_refused(sim, zips, tmp_path):
    sim.fault("wrong_checksum")
    put(tmp_path / "zips", METRICS, HEAD + ROW)
    with pytest.raises(ArchiveError, match="CHECKSUM"):
        zips.metrics(DAY)


def test_a_day_that_is_not_there_is_told_apart(zips):
    with pytest.raises(NotThereError):
        zips.metrics(date(2020, 1, 1))


def test_the_midnight_that_begins_a_day_is_taken_from_the_zip_before(sim, layout, tmp_path):
    for number in (1, 2, 3):
        times = labels(datetime(2024, 1, number, 0, 5, tzinfo=UTC))
        text = HEAD + "".join(f"{at:%Y-%m-%d %H:%M:%S},SOLUSDT,{number}.5,2,1,1,1,1\n" for at in times)
        put(tmp_path / "zips", f"SOLUSDT-metrics-2024-01-0{number}", text)
    hosts = Binance(futures_url=sim.futures_url, archive_url=sim.archive_url)
    asked = counted(sim, "/data/futures/um/daily")
    done = run(layout, hosts, "SOLUSDT", Window.parse("2024-01-02", "2024-01-04"), NOW)
    assert (done.interests, done.absent, done.left) == (2 * 288, 0, 0)
    assert asked() == 2 * 3
