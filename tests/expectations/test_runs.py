"""Many runs: the index finds every symbol-day, only what is new is built, and what is old goes with its results."""

import os
from datetime import timedelta

import pytest

from expectations.runs import FILE, Runs, day_of
from tests.expectations.small import SOL, START, bars, check, next_id, plant, write_hours


def run(layout, number, **more):
    """Validate the minute with this number."""
    return check(layout, 60, START + timedelta(minutes=number), **more)


@pytest.fixture
def four_minutes(layout):
    write_hours(layout, bars(240))
    return layout


def names(layout):
    site, results = (
        {path.name for path in root.glob("bars_1s/*")}
        for root in (layout.reports / "data_docs/validations", layout.reports / "gx/uncommitted/validations")
    )
    assert site == results
    return sorted(name[11:17] for name in site)


def test_old_runs_go_pages_and_results_together_and_the_index_with_them(four_minutes):
    for number in range(4):
        outcome = run(four_minutes, number, keep_runs=2)
    assert names(four_minutes) == ["100200", "100300"]
    index = outcome.data_docs.read_text()
    assert "2025-10-20T100000Z" not in index
    assert "2025-10-20T100300Z" in index


def test_a_run_again_is_the_newest_and_the_one_at_work_is_never_removed(four_minutes):
    for number in (0, 1, 2, 0, 3):
        run(four_minutes, number, keep_runs=2)
    assert names(four_minutes) == ["100000", "100300"]
    assert run(four_minutes, 1, keep_runs=1).days[0].page.is_file()
    assert names(four_minutes) == ["100100"]


def test_runs_of_another_suite_are_not_counted(four_minutes):
    run(four_minutes, 0, keep_runs=1, tf="1m")
    run(four_minutes, 1, keep_runs=1)
    index = run(four_minutes, 2, keep_runs=1).data_docs.read_text()
    assert "bars_1m" in index
    assert len(list((four_minutes.reports / "data_docs/validations/bars_1m").glob("*"))) == 1


def test_pages_of_earlier_runs_are_not_built_again(four_minutes):
    page = run(four_minutes, 0).days[0].page
    os.utime(page, ns=(1, 1))
    run(four_minutes, 1)
    assert page.stat().st_mtime_ns == 1


def test_the_index_leads_to_the_newest_page_of_each_symbol_and_day(four_minutes):
    write_hours(four_minutes, bars(60, symbol="SUIUSDT"), "SUIUSDT")
    tomorrow = START + timedelta(days=1)
    write_hours(four_minutes, plant(bars(60, tomorrow, first_id=next_id(bars(240))), [3], open=None))
    run(four_minutes, 0, symbols=(SOL, "SUIUSDT"))
    check(four_minutes, 60, tomorrow)
    index = run(four_minutes, 1).data_docs.read_text()
    assert 'title="SOLUSDT 2025-10-20 PASS "' in index
    assert 'title="SUIUSDT 2025-10-20 PASS "' in index
    assert 'title="SOLUSDT 2025-10-21 FAIL R4"' in index
    grid = index[: index.index("Runs, newest first")]
    assert grid.count("T100100Z_") == 1  # the newest run that has this symbol-day
    assert grid.index("2025-10-21") < grid.index("2025-10-20")


def test_a_symbol_added_to_a_window_joins_the_pages_that_are_there(four_minutes):
    write_hours(four_minutes, bars(60, symbol="SUIUSDT"), "SUIUSDT")
    run(four_minutes, 0)
    index = run(four_minutes, 0, symbols=("SUIUSDT",)).data_docs.read_text()
    assert 'title="SOLUSDT' in index
    assert 'title="SUIUSDT' in index


@pytest.mark.parametrize("text", [None, "", "{", '{"days": [{"symbol": 1}]}', '{"days": 3}'])
def test_a_torn_or_missing_note_of_a_run_hides_no_page(four_minutes, text):
    page = run(four_minutes, 0).days[0].page
    note = page.parent.parent / FILE
    note.unlink() if text is None else note.write_text(text)
    index = run(four_minutes, 1).data_docs.read_text()
    assert page.relative_to(four_minutes.reports / "data_docs").as_posix() in index or "T100000Z_" in index


def test_what_a_killed_run_left_is_counted_and_removed(four_minutes):
    run(four_minutes, 0)
    left = four_minutes.reports / "gx/uncommitted/validations/bars_1s/2025-10-19T000000Z_2025-10-20T000000Z"
    left.mkdir()
    os.utime(left, ns=(1, 1))
    run(four_minutes, 1, keep_runs=2)
    assert not left.exists()
    assert names(four_minutes) == ["100000", "100100"]


def test_a_page_is_named_by_its_path(tmp_path):
    page = tmp_path / "20251020T000000.000000Z" / "binance-SOLUSDT.html"
    day = day_of(tmp_path, page)
    assert (day.symbol, day.day, day.href) == (SOL, "2025-10-20", "20251020T000000.000000Z/binance-SOLUSDT.html")
    assert Runs(tmp_path, tmp_path).all() == []
