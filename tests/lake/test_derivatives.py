"""Fundings and open interest from a stand-in, over real sockets: only what is missing, all of it, once."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake import derivatives, derivatives_store
from lake.derivatives import Collected
from lake.errors import LakeError
from lake.intervals import opens
from lake.schemas import FUNDING as FUNDING_SCHEMA
from lake.schemas import OPEN_INTEREST
from lake.sections import Binance
from lake.web import RestrictedError, Web, WebError
from lake.windows import DAY_US, Window, micros, moment
from simulator import Listing, Simulator
from tests.conftest import content
from tests.live import wait

NOW = datetime(2024, 3, 15, 12, 2, 30, tzinfo=UTC)
FIVE = timedelta(minutes=5)
LISTED = datetime(2024, 3, 10, 7, 33, tzinfo=UTC)
FUNDING, INTEREST, ARCHIVE = "/fapi/v1/fundingRate", "/futures/data/openInterestHist", "/data/futures/um"
PAIRS = [
    "SOLUSDT",
    Listing("RIFUSDT", 0.1, 4, 1, perpetual=False),
    Listing("NEWUSDT", 5.0, 4, 2, listed_us=micros(LISTED)),
]


@pytest.fixture(scope="module")
def shared():
    """A stand-in whose clock stands at 2024-03-15 12:02:30, with 200 days of history."""
    free = {"futures": 10**9, "funding": 10**9, "open_interest": 10**9}
    with Simulator(PAIRS, 7, rate=0.05, clock=lambda: micros(NOW), request_limits=free) as sim:
        yield sim


@pytest.fixture
def sim(shared):
    yield shared
    shared.clear_faults()


@pytest.fixture
def run(sim, layout):
    hosts = Binance(futures_url=sim.futures_url, archive_url=sim.archive_url)

    def run(start, end, symbol="SOLUSDT", now=NOW) -> Collected:
        window = Window.parse(start, end) if isinstance(start, str) else Window(start, end)
        return derivatives.run(layout, hosts, symbol, window, now)

    return run


def counted(sim, path=""):
    """Count the requests of a path from here on: returns a function that tells how many came."""
    ident = sim.fault("slow", ms=0, path=path)["id"]
    return lambda: next(fault["hits"] for fault in sim.faults.all() if fault["id"] == ident)


def rows(layout, kind, symbol="SOLUSDT"):
    """Every row in the lake, read by a glob, as a user does."""
    files = (layout.derivatives / kind / symbol).rglob("*.parquet")
    tables = [pq.ParquetFile(path).read() for path in files]
    table = pa.concat_tables(tables) if tables else pa.table({"symbol": [], "at": []})
    found = [tuple(micros(v) if isinstance(v, datetime) else v for v in row.values()) for row in table.to_pylist()]
    return sorted(found)


def paid(sim, start, end, symbol="SOLUSDT"):
    found = sim.fundings(symbol, micros(start), micros(end))
    return [(f.symbol, f.time_us, float(f.rate), float(f.mark_price)) for f in found]


def interest(sim, start, end, symbol="SOLUSDT"):
    found = sim.open_interests(symbol, micros(start), micros(end))
    return [(o.symbol, o.time_us, float(o.amount), float(o.value)) for o in found]


def day(number, hour=0, minute=0):
    return datetime(2024, 3, number, hour, minute, tzinfo=UTC)


def test_200_days_of_funding_and_40_of_open_interest_are_the_exchanges_and_a_second_run_asks_nothing(sim, run, layout):
    start, middle, end = NOW - timedelta(days=200), NOW - timedelta(days=40), day(15, 10)
    archive, all_of = counted(sim, ARCHIVE), counted(sim)
    done = run(middle, end)
    assert archive() == 2 * 11, "ten and a half days by the archive, each a zip and its CHECKSUM"
    assert all_of() - archive() <= 1 + 1 + 18, "30 days by REST, 500 an answer; one of fundings, one of the time"
    assert rows(layout, "open_interest") == interest(sim, middle, end)
    assert (done.absent, done.left, done.quarantined) == (0, 0, 0)
    assert done.interests == len(rows(layout, "open_interest"))

    sim.fault("missing_zip")  # of the 160 days before it, only fundings are wanted here
    run(start, middle)
    sim.clear_faults()
    assert rows(layout, "funding") == paid(sim, start, end)
    assert len(rows(layout, "funding")) >= 599

    before, again = content(layout.derivatives), counted(sim)
    done = run(start, end)
    assert again() == 0
    assert (done.fundings, done.interests) == (0, 0)
    assert content(layout.derivatives) == before


def test_files_lie_where_the_contract_says(run, layout):
    run("2024-03-10", "2024-03-12")
    found = sorted(path.relative_to(layout.base).parent.as_posix() for path in layout.derivatives.rglob("*.parquet"))
    assert found == [
        "derivatives/binance/funding/SOLUSDT/year=2024",
        "derivatives/binance/open_interest/SOLUSDT/year=2024/month=03/day=10",
        "derivatives/binance/open_interest/SOLUSDT/year=2024/month=03/day=11",
    ]
    assert all(len(list(path.parent.iterdir())) == 1 for path in layout.derivatives.rglob("*.parquet"))


def test_a_window_is_half_open_and_the_newest_moment_comes_when_the_next_one_has(sim, run, layout):
    run(day(15, 7, 55), day(15, 11, 55))
    assert rows(layout, "open_interest") == interest(sim, day(15, 7, 55), day(15, 11, 55))
    assert rows(layout, "funding") == paid(sim, day(15, 7, 55), day(15, 11, 55))
    run(day(15, 11), day(15, 13))
    assert rows(layout, "open_interest")[-1][1] == micros(day(15, 11, 55)), "12:00 is over at 12:05"
    run(day(15, 11), day(15, 13), now=NOW + FIVE)
    assert rows(layout, "open_interest")[-1][1] == micros(day(15, 12))


def test_funding_times_stay_as_given_some_milliseconds_after_the_hour(run, layout):
    run("2024-03-01", "2024-03-11")
    late = [at % 3_600_000_000 for _, at, *_ in rows(layout, "funding")]
    assert 0 < max(late) < 18_000
    assert all(us % 1000 == 0 for us in late)


def test_a_funding_at_the_very_start_belongs_and_one_at_the_end_does_not(sim, run, layout):
    whole = paid(sim, day(12), day(13))
    low, high = moment(whole[0][1]), moment(whole[2][1])
    run(low, high)
    assert rows(layout, "funding") == whole[:2]
    run(high, high + timedelta(microseconds=1))
    assert rows(layout, "funding") == whole


def test_pieces_in_any_order_and_over_each_other_are_one_whole(sim, run, layout):
    for low, high in ((11, 12), (8, 10), (9, 13), (7, 8), (7, 13)):
        run(day(low, 5, 10), day(high, 17, 25))
    assert rows(layout, "open_interest") == interest(sim, day(7, 5, 10), day(13, 17, 25))
    assert rows(layout, "funding") == paid(sim, day(7, 5, 10), day(13, 17, 25))


def test_an_hourly_run_asks_each_endpoint_once(sim, run, layout):
    run(day(14), NOW)
    fundings, interests, archive = (counted(sim, path) for path in (FUNDING, INTEREST, ARCHIVE))
    run(day(14), NOW + timedelta(hours=1), now=NOW + timedelta(hours=1))
    assert (fundings(), interests(), archive()) == (1, 1, 0)


def test_files_thrown_away_are_fetched_anew(sim, run, layout):
    run("2024-03-10", "2024-03-12")
    for path in layout.derivatives.rglob("*.parquet"):
        path.unlink()
    done = run("2024-03-10", "2024-03-12")
    assert (done.fundings, done.interests) == (6, 576)
    assert rows(layout, "funding") == paid(sim, day(10), day(12))


def test_what_was_before_a_listing_is_absent_and_not_asked_for_again(sim, run, layout):
    start, end = day(15) - timedelta(days=40), day(14)
    done = run(start, end, "NEWUSDT")
    assert rows(layout, "open_interest", "NEWUSDT") == interest(sim, start, end, "NEWUSDT")
    assert rows(layout, "funding", "NEWUSDT") == paid(sim, start, end, "NEWUSDT")
    assert rows(layout, "funding", "NEWUSDT")[0][1] >= micros(LISTED)
    assert done.absent == len(opens("5m", micros(start), micros(LISTED)))
    assert done.left == 0
    again = counted(sim)
    assert run(start, end, "NEWUSDT").absent == 0
    assert again() == 0


def test_fundings_of_a_year_without_any_are_not_asked_for_again(sim, run, layout):
    run("2023-03-01", "2023-03-20", "NEWUSDT")
    again = counted(sim, FUNDING)
    run("2023-03-01", "2023-03-20", "NEWUSDT")
    assert again() == 0


def test_one_empty_answer_is_no_proof_that_nothing_was_paid_or_open(run, layout, monkeypatch):
    real, slips = Web.json, {FUNDING, INTEREST}

    def slip(web, path, *more):
        found = real(web, path, *more)
        return [] if path in slips and not slips.remove(path) else found

    monkeypatch.setattr(Web, "json", slip)
    run("2024-03-10", "2024-03-12")
    done = run("2024-03-10", "2024-03-12")
    assert (slips, done.absent) == (set(), 0)
    assert len(rows(layout, "funding")) == 6
    assert len(rows(layout, "open_interest")) == 576


def test_an_exchange_with_nothing_to_say_is_not_believed(run, layout, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("lake.futures.Futures.fundings", lambda *_: FUNDING_SCHEMA.empty())
        patched.setattr("lake.futures.Futures.interests", lambda *_: OPEN_INTEREST.empty())
        assert run("2024-03-10", "2024-03-12").left == 576
    done = run("2024-03-10", "2024-03-12")
    assert (done.interests, done.left) == (576, 0)


def test_a_clock_of_ours_that_is_hours_ahead_loses_no_funding(run, layout):
    run(day(14), NOW + timedelta(hours=9), now=NOW + timedelta(hours=9))
    assert derivatives_store.whole(layout, "SOLUSDT", 2024)[-1][1] <= micros(NOW)


@pytest.mark.parametrize("symbol", ["RIFUSDT", "NOPEUSDT"])
def test_a_pair_without_a_contract_is_told_apart_and_leaves_nothing(run, layout, symbol):
    done = run("2024-02-01", "2024-03-12", symbol)
    assert not done.known
    assert not layout.derivatives.exists()


def test_a_contract_that_rest_does_not_know_any_more_comes_out_of_the_archive(sim, run, layout):
    start, end = day(1) - timedelta(days=45), day(12)
    sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    done = run(start, end)
    assert done.known
    assert rows(layout, "open_interest") == interest(sim, start, end)
    without_mark = [(*row[:3], None) for row in paid(sim, start, day(1))]
    assert rows(layout, "funding") == without_mark, "the archive has whole months only, and no mark prices"


def test_mark_prices_are_filled_in_when_rest_has_them(sim, run, layout):
    fault = sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    run("2024-02-01", "2024-03-01")
    sim.clear_faults(fault["id"])
    for path in (layout.derivatives / "funding").rglob("*.parquet"):
        table = pq.ParquetFile(path).read()
        pq.write_table(table.replace_schema_metadata(None), path)
    done = run("2024-02-01", "2024-03-01")
    assert done.fundings == 0
    assert rows(layout, "funding") == paid(sim, day(1) - timedelta(days=29), day(1))


@pytest.mark.parametrize("kind", ["wrong_checksum", "corrupt_zip", "missing_checksum"])
def test_a_zip_that_cannot_be_believed_is_quarantined_and_its_day_comes_later(sim, run, layout, kind):
    sim.fault(kind, count=1, path=f"{ARCHIVE}/daily/metrics/SOLUSDT/SOLUSDT-metrics-2024-02-03.zip")
    start, end = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 6, tzinfo=UTC)
    done = run(start, end)
    assert (done.quarantined, done.left, done.absent, done.interests) == (1, 288, 0, 4 * 288)
    kept = [path.name for path in (layout.quarantine / "archive").iterdir()]
    assert sorted(kept) == ["SOLUSDT-metrics-2024-02-03.zip", "SOLUSDT-metrics-2024-02-03.zip.reason.txt"]
    assert (
        "/data/futures/um/daily/metrics/SOLUSDT/SOLUSDT-metrics-2024-02-03.zip: "
        in (layout.quarantine / "archive" / "SOLUSDT-metrics-2024-02-03.zip.reason.txt").read_text()
    )
    assert run(start, end).interests == 288
    assert rows(layout, "open_interest") == interest(sim, start, end)


def test_a_zip_that_is_not_there_is_absent_when_old_and_comes_later_when_young(sim, run, layout):
    sim.fault("missing_zip")
    old = run("2024-02-01", "2024-02-02")
    assert (old.absent, old.left) == (288, 0)
    sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    young = run("2024-03-10", "2024-03-11")
    assert (young.absent, young.left) == (0, 288)
    sim.clear_faults()
    assert run("2024-02-01", "2024-02-02").interests == 0, "noted: it is not asked for again"


def test_rows_that_a_zip_lacks_are_absent_and_the_others_stored(sim, run, layout):
    sim.fault("evil_zip", shape="partial")
    done = run("2024-02-01", "2024-02-02")
    assert (done.interests, done.absent) == (144, 144)


def test_a_storm_of_429_is_obeyed_and_all_of_it_comes(sim, run, layout):
    asked = counted(sim, FUNDING)
    storm = sim.fault("429", duration=1.5, retry_after=1, path=FUNDING)
    began = time.monotonic()
    run("2024-03-10", "2024-03-11")
    hits = next(fault["hits"] for fault in sim.faults.all() if fault["id"] == storm["id"])
    assert 1 <= hits <= 2
    assert time.monotonic() - began >= hits, "each Retry-After of a second was waited for"
    assert asked() == hits + 1
    assert rows(layout, "funding") == paid(sim, day(10), day(11))


@pytest.mark.parametrize("kind", ["500", "truncated"])
def test_answers_that_fail_are_asked_for_again(sim, run, layout, kind):
    sim.fault(kind, count=1, path=FUNDING)
    sim.fault(kind, count=1, path=INTEREST)
    sim.fault(kind, count=1, path=ARCHIVE)
    run("2024-02-10", "2024-02-16")
    start, end = datetime(2024, 2, 10, tzinfo=UTC), datetime(2024, 2, 16, tzinfo=UTC)
    assert rows(layout, "open_interest") == interest(sim, start, end)
    assert rows(layout, "funding") == paid(sim, start, end)


def test_an_exchange_that_stays_broken_is_one_clear_error_and_what_came_stays(sim, run, layout):
    sim.fault("500", path=INTEREST)
    with pytest.raises(WebError, match="openInterestHist: HTTP 500"):
        run("2024-03-10", "2024-03-11")
    assert rows(layout, "funding") == paid(sim, day(10), day(11))


def test_a_place_that_is_not_served_is_told_apart_after_one_request(sim, run, layout):
    sim.fault("451", path="/fapi")
    asked = counted(sim)
    with pytest.raises(RestrictedError):
        run("2024-02-10", "2024-03-11")
    assert asked() == 1
    assert not layout.derivatives.exists()


def test_a_file_that_cannot_be_read_is_named_with_the_remedy(run, layout):
    run("2024-03-10", "2024-03-11")
    path = next((layout.derivatives / "funding").rglob("*.parquet"))
    path.write_bytes(b"PAR1 this is none PAR1")
    with pytest.raises(LakeError, match=r"funding\.parquet: cannot be read .*: move it away"):
        run("2024-03-10", "2024-03-12")


def test_what_a_killed_writer_left_beside_a_file_is_swept(run, layout):
    paths = layout.funding_file("SOLUSDT", 2024), layout.open_interest_file("SOLUSDT", day(10).date())
    torn = [path.with_name(f".{path.name}.1-abc.tmp") for path in paths]
    for path in torn:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
    run("2024-03-10", "2024-03-11")
    assert not [path for path in torn if path.exists()]


def test_a_window_that_lies_ahead_asks_nobody(sim, run, layout):
    asked = counted(sim)
    assert run(NOW + FIVE, NOW + 2 * FIVE) == Collected("SOLUSDT")
    assert asked() == 0


@pytest.mark.slow
def test_a_killed_run_leaves_whole_files_and_the_next_one_goes_on_there(layout, tmp_path):
    with Simulator(["SOLUSDT"], 7, rate=0.05) as sim:
        end = micros(datetime.now(UTC)) // DAY_US * DAY_US - DAY_US
        start = moment(end - 60 * DAY_US)
        sim.fault("slow", ms=100, path="/data")
        command = [sys.executable, "-m", "flows", "derivatives-hour", "--symbols", "SOLUSDT", "--start"]
        command += [start.isoformat(), "--end", moment(end).isoformat()]
        settings = {
            "LAKE_BASE_PATH": str(layout.base), "LAKE_BINANCE__FUTURES_URL": sim.futures_url,
            "LAKE_BINANCE__ARCHIVE_URL": sim.archive_url,
        }  # fmt: skip
        process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
        zips = layout.derivatives / "open_interest"
        wait(lambda: len(list(zips.rglob("*.parquet"))) >= 33)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        kept = {path: path.stat().st_mtime_ns for path in zips.rglob("*.parquet")}
        assert 33 <= len(kept) < 60
        assert all(pq.ParquetFile(path).metadata.num_rows for path in kept)
        sim.clear_faults()
        done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        whole = [path for path in kept if pq.ParquetFile(path).metadata.num_rows == 288]
        assert sum(path.stat().st_mtime_ns == kept[path] for path in kept) >= len(kept) - 4
        assert len(whole) == len(kept)
        assert rows(layout, "open_interest") == interest(sim, start, moment(end))
        assert rows(layout, "funding") == paid(sim, start, moment(end))
