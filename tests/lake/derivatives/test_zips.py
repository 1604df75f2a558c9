"""The archive's zips: where REST does not know a contract, and those that lack rows, are missing or not believed."""

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from tests.lake.derivatives.perpetuals import ARCHIVE, day, interest, paid, rows


def test_a_contract_that_rest_does_not_know_any_more_comes_out_of_the_archive(sim, run, layout):
    start, end = day(1) - timedelta(days=45), day(12)
    sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    done = run(start, end)
    assert done.known
    assert rows(layout, "open_interest") == interest(sim, start, end)
    without_mark = [(*row[:3], None) for row in paid(sim, start, day(1))]
    assert rows(layout, "funding") == without_mark, "the archive has whole months only, and no mark prices"
    assert done.hours_left == 11 * 24, "those of the month that is not over are not there yet, and that is reported"


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


@pytest.mark.parametrize("kind", ["wrong_checksum", "corrupt_zip"])
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
