"""Faults of the archive's files, observed by a client that checks sums and reads zips."""

import hashlib
import io
import zipfile
from decimal import Decimal

import pytest
import requests

from simulator import Simulator
from simulator.fault_kinds import SHAPES
from tests.simulator.conftest import NOON, Clock

DAILY = "/data/spot/daily/klines/SOLUSDT/1m/SOLUSDT-1m-2024-02-13.zip"
NEXT = "/data/spot/daily/klines/SOLUSDT/1m/SOLUSDT-1m-2024-02-14.zip"
MONTHLY = "/data/spot/monthly/klines/SOLUSDT/1m/SOLUSDT-1m-2024-02.zip"
OTHER = "/data/spot/daily/klines/OPUSDT/1m/OPUSDT-1m-2024-02-13.zip"
KINDS = {
    "klines": DAILY,
    "trades": "/data/spot/daily/trades/SOLUSDT/SOLUSDT-trades-2024-02-13.zip",
    "aggTrades": "/data/spot/daily/aggTrades/SOLUSDT/SOLUSDT-aggTrades-2024-02-13.zip",
    "metrics": "/data/futures/um/daily/metrics/SOLUSDT/SOLUSDT-metrics-2024-02-13.zip",
    "fundingRate": "/data/futures/um/monthly/fundingRate/SOLUSDT/SOLUSDT-fundingRate-2024-02.zip",
}


@pytest.fixture(scope="module")
def running():
    with Simulator(["SOLUSDT", "OPUSDT"], 7, rate=0.02, clock=Clock(NOON)) as sim:
        yield sim


@pytest.fixture
def sim(running):
    yield running
    running.clear_faults()


def get(sim, path, **headers):
    return requests.get(sim.archive_url + path, headers=headers, timeout=30)


def good(sim, path):
    """Whether a zip is there and its CHECKSUM is of it."""
    body, told = get(sim, path), get(sim, f"{path}.CHECKSUM")
    assert (body.status_code, told.status_code) == (200, 200)
    return told.text == f"{hashlib.sha256(body.content).hexdigest()}  {path.rpartition('/')[2]}"


def members(sim, path):
    with zipfile.ZipFile(io.BytesIO(get(sim, path).content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def rows(sim, path):
    (text,) = members(sim, path).values()
    return [line.split(",") for line in text.splitlines()]


def test_a_corrupt_zip_is_no_zip_and_its_checksum_is_of_the_good_one(sim):
    whole, told = get(sim, DAILY).content, get(sim, f"{DAILY}.CHECKSUM").text
    sim.fault("corrupt_zip", count=1, symbols=["SOLUSDT"])
    assert good(sim, OTHER)
    broken = get(sim, DAILY)
    assert broken.status_code == 200
    assert not zipfile.is_zipfile(io.BytesIO(broken.content))
    assert broken.headers["ETag"] == f'"{hashlib.md5(broken.content).hexdigest()}"'
    assert get(sim, f"{DAILY}.CHECKSUM").text == told
    assert get(sim, DAILY).content == whole


def test_a_wrong_checksum_looks_like_one(sim):
    right = get(sim, f"{DAILY}.CHECKSUM").text
    sim.fault("wrong_checksum", count=1)
    wrong = get(sim, f"{DAILY}.CHECKSUM").text
    assert wrong != right and wrong[64:] == right[64:]
    assert set(wrong[:64]) <= set("0123456789abcdef")
    assert good(sim, DAILY)


@pytest.mark.parametrize(("kind", "statuses"), [("missing_checksum", (200, 404)), ("missing_zip", (404, 200))])
def test_one_of_the_two_is_missing(sim, kind, statuses):
    sim.fault(kind, path=DAILY)
    found = tuple(get(sim, path).status_code for path in (DAILY, f"{DAILY}.CHECKSUM"))
    assert found == statuses
    assert good(sim, NEXT)
    sim.clear_faults()
    sim.fault(kind, count=1)
    assert sorted(get(sim, path).status_code for path in (DAILY, f"{DAILY}.CHECKSUM")) == [200, 404]
    assert good(sim, DAILY)


@pytest.mark.parametrize("kind", KINDS)
def test_revised_changes_so_many_rows_and_its_sums_with_them(sim, kind):
    path = KINDS[kind]
    before, tag = rows(sim, path), get(sim, path).headers["ETag"]
    sim.fault("revised", rows=5)
    after = rows(sim, path)
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(changed) == 5
    column = 5 if kind == "klines" else 2
    for a, b in changed:
        assert a[:column] + a[column + 1 :] == b[:column] + b[column + 1 :]
        assert Decimal(a[column]) != Decimal(b[column])
    assert good(sim, path)
    assert get(sim, path, **{"If-None-Match": tag}).status_code == 200
    new = get(sim, path).headers["ETag"]
    assert get(sim, path, **{"If-None-Match": new}).status_code == 304
    sim.clear_faults()
    assert rows(sim, path) == before


def test_revised_can_be_of_one_frequency_so_that_monthly_and_daily_differ(sim):
    daily = rows(sim, DAILY)
    sim.fault("revised", freq="monthly", rows=100_000)
    assert rows(sim, DAILY) == daily
    month = {row[0]: row for row in rows(sim, MONTHLY)}
    assert all(month[row[0]] != row for row in daily)
    sim.clear_faults()
    sim.fault("revised", freq="daily", rows=2)
    month = {row[0]: row for row in rows(sim, MONTHLY)}
    assert sum(month[row[0]] != row for row in rows(sim, DAILY)) == 2


def test_the_count_of_a_revision_is_of_files_and_a_revised_file_stays_so(sim):
    before = rows(sim, DAILY), rows(sim, NEXT)
    sim.fault("revised", count=1)
    revised = rows(sim, DAILY)
    assert revised != before[0]
    assert good(sim, DAILY)
    assert rows(sim, NEXT) == before[1]
    assert rows(sim, DAILY) == revised
    assert sim.faults.all()[0]["hits"] == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_evil_zip_has_the_right_checksum(sim, kind, shape):
    path = KINDS[kind]
    (name, text), *_ = members(sim, path).items()
    sim.fault("evil_zip", shape=shape, symbols=["SOLUSDT"])
    assert good(sim, path) and good(sim, OTHER)
    found = members(sim, path)
    (first, told), *more = found.items()
    whole, got = text.splitlines(), told.splitlines()
    if shape == "two_members":
        assert (first, told, len(more)) == (name, text, 1)
    elif shape == "parent_path":
        assert (first, told) == ("../x.csv", text)
    elif shape == "header":
        assert got[1:] == whole and not got[0][0].isdigit()
        assert got[0].count(",") == whole[-1].count(",")
    elif shape == "extra_column":
        assert got == [f"{line},0" for line in whole]
    elif shape == "torn_row":
        assert got[:-1] == whole[:-1] and whole[-1].startswith(got[-1]) and len(got[-1]) < len(whole[-1])
        assert got[-1] and not told.endswith("\n")
    elif shape == "wrong_symbol_name":
        assert (first, told) == (f"OTHERUSDT-{name.partition('-')[2]}", text)
    elif shape in ("bom", "crlf", "empty"):
        assert (first, told) == (name, {"bom": f"\ufeff{text}", "crlf": text.replace("\n", "\r\n"), "empty": ""}[shape])
    elif shape != "partial":
        assert (told == text) == (kind != "klines")
    else:
        headed = kind in ("metrics", "fundingRate")
        assert got == whole[: headed + (len(whole) - headed) // 2] and len(got) > 10


def kline_rows(sim, shape):
    sim.fault("evil_zip", shape=shape, symbols=["SOLUSDT"])
    found = rows(sim, DAILY)
    sim.clear_faults()
    return found


def test_odd_rows_of_klines_are_odd_in_the_way_that_was_ordered(sim):
    whole = rows(sim, DAILY)
    meant = [number for number in range(len(whole)) if number % 10 == 3]
    repeated = kline_rows(sim, "repeated")
    assert len(repeated) == len(whole) + 2 * len(meant) and list(dict.fromkeys(map(tuple, repeated))) == [
        *map(tuple, whole)
    ]
    twice = kline_rows(sim, "contradicting")
    assert len(twice) == len(whole) + len(meant) and [row[0] for row in twice] == sorted(row[0] for row in twice)
    unordered = kline_rows(sim, "unordered")
    assert unordered != whole and sorted(unordered) == sorted(whole)
    odd = [[number for number, row in enumerate(kline_rows(sim, shape)) if wrong(row)] for shape, wrong in {
        "negative_price": lambda row: float(row[3]) < 0, "high_below_low": lambda row: float(row[2]) < float(row[3]),
        "no_number": lambda row: row[5] == "NaN", "backwards": lambda row: row[6] == row[0],
    }.items()]  # fmt: skip
    assert odd[0] == odd[2] == odd[3] == meant and set(odd[1]) <= set(meant) and odd[1]


def test_klines_in_other_forms_say_the_same(sim):
    whole = rows(sim, DAILY)
    numbers = [[Decimal(cell) for cell in row] for row in whole]
    for shape in ("spaces", "quotes", "scientific", "float_times"):
        found = kline_rows(sim, shape)
        assert found != whole and [[Decimal(cell.strip(' "')) for cell in row] for row in found] == numbers
    other, mixed, none = (kline_rows(sim, shape) for shape in ("other_unit", "mixed_units", "no_unit"))
    assert [int(row[0]) for row in other] == [int(row[0]) * 1000 for row in whole]
    assert [int(row[6]) for row in other] == [int(row[6]) * 1000 + 999 for row in whole]
    assert [int(row[0]) > 10**14 for row in mixed] == [number % 2 == 1 for number in range(len(whole))]
    assert max(int(row[0]) for row in none) < 10**10
    assert kline_rows(sim, "next_day")[:-1] == whole
    assert int(kline_rows(sim, "next_day")[-1][0]) == int(whole[-1][0]) + 86_400_000


def test_a_checksum_in_another_form_is_of_the_zip(sim):
    right = get(sim, f"{DAILY}.CHECKSUM").text.split()
    sim.fault("odd_checksum", shape="capitals")
    assert get(sim, f"{DAILY}.CHECKSUM").text == f"{right[0].upper()} *{right[1]}\r\n"
    sim.clear_faults()
    sim.fault("odd_checksum", shape="empty")
    assert (get(sim, f"{DAILY}.CHECKSUM").status_code, get(sim, f"{DAILY}.CHECKSUM").text) == (200, "")


def test_faults_reach_files_of_a_served_folder_too(tmp_path):
    name = "BTCUSDT-1m-2020-01-01.zip"
    line = "1577836800000,1.0,2.0,0.5,1.5,10.00000000,1577836859999,15.0,3,5.0,7.5,0\n"
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr(name.replace(".zip", ".csv"), line)
    told = f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}  {name}"
    (tmp_path / f"{name}.CHECKSUM").write_text(told)
    path = f"/data/spot/daily/klines/BTCUSDT/1m/{name}"
    with Simulator(["SOLUSDT"], 7, rate=0.02, clock=Clock(NOON), archive_folder=tmp_path) as sim:
        assert good(sim, path)
        sim.fault("wrong_checksum", count=1)
        assert not good(sim, path)
        sim.fault("revised", rows=1)
        assert good(sim, path)
        assert rows(sim, path)[0][5] == "11.00000000"


def test_faults_work_with_the_command_lines_orders(sim):
    order = {"kind": "evil_zip", "shape": "partial", "freq": "monthly", "symbols": ["SOLUSDT"], "count": 1}
    answer = requests.post(f"{sim.control_url}/faults", json=order, timeout=10)
    assert answer.status_code == 200
    assert len(rows(sim, DAILY)) == 1440
    assert len(rows(sim, MONTHLY)) == 29 * 1440 // 2
    for wrong in ({"shape": "round"}, {"freq": "weekly"}, {"rows": 3}):
        answer = requests.post(f"{sim.control_url}/faults", json={"kind": "evil_zip", **wrong}, timeout=10)
        assert answer.status_code == 400
