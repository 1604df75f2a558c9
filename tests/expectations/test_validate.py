"""A validation as a whole: twice is once, errors are no pass, what is to come is not walked."""

import hashlib
import subprocess
import sys
from datetime import timedelta

import pytest

from expectations import checks, days
from expectations.validate import validate
from lake.errors import BadInputError, LakeError
from lake.windows import Window
from tests.expectations.small import (
    LATER,
    SOL,
    START,
    at,
    bars,
    check,
    counts,
    plant,
    table,
    write_as_is,
    write_hours,
)


def fingerprints(layout):
    files = sorted(path for path in layout.base.rglob("*") if path.is_file())
    return {path.relative_to(layout.base).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_validation_twice_leaves_the_lake_the_same_byte_for_byte(layout):
    write_hours(layout, plant(bars(700), [3], open=None))
    write_hours(layout, bars(700, symbol="SUIUSDT"), "SUIUSDT")
    check(layout, 700, symbols=(SOL, "SUIUSDT"))
    before = fingerprints(layout)
    check(layout, 700, symbols=(SOL, "SUIUSDT"), now=LATER + timedelta(days=1))
    assert fingerprints(layout) == before


def test_minutes_are_those_of_the_view_that_begin_in_the_range_each_whole(layout):
    write_hours(layout, [row for index, row in enumerate(bars(600)) if not 120 <= index < 180])
    outcome = check(layout, 599, tf="1m")
    assert {name: count for name, count in counts(outcome).items() if name != "R8"} == {"R5": 1}
    assert (outcome.rows, outcome.days[0].expected, outcome.window.end) == (9, 10, START + timedelta(seconds=600))
    assert outcome.days[0].complete == 9, "the last minute has all of its seconds, those after the end too"
    assert check(layout, 540, start=START + timedelta(seconds=1), tf="1m").days[0].expected == 9
    with pytest.raises(BadInputError, match="no window of 1m begins in it"):
        check(layout, 59, start=START + timedelta(seconds=1), tf="1m")


def test_what_is_wrong_in_the_last_second_of_the_last_minute_is_found_though_the_range_ends_before(layout):
    write_hours(layout, plant(bars(120), [118], low=-1.0))
    assert check(layout, 118, tf="1s").verdict == "PASS"
    assert counts(check(layout, 118, tf="1m")) == {"R2": 1}


def test_a_minute_that_begins_in_the_range_and_is_not_over_is_not_due(layout):
    write_hours(layout, bars(120))
    outcome = check(layout, 150, tf="1m", now=START + timedelta(seconds=155))
    assert (outcome.days[0].expected, counts(outcome)) == (2, {})


def test_minutes_of_broken_seconds_are_counted_not_refused(layout):
    write_hours(layout, plant(bars(120), range(60), open=None, high=None, low=None, close=None))
    assert counts(check(layout, 120, tf="1m")) == {"R4": 1}


def test_an_error_inside_a_check_is_never_a_pass(layout, monkeypatch):
    write_hours(layout, bars(60))

    def broken(frame, facts):
        raise ZeroDivisionError("planted")

    monkeypatch.setitem(checks.FUNCTIONS, "priced", broken)
    with pytest.raises(LakeError, match=r"SOLUSDT 2025-10-20: R4 could not be evaluated: .*planted"):
        check(layout, 60)


def test_a_page_that_cannot_be_rendered_is_an_error(layout, monkeypatch):
    write_hours(layout, bars(60))
    monkeypatch.setattr("expectations.pages.ResultRenderer.render", lambda *_: 1 / 0)
    with pytest.raises(LakeError, match="page was not built"):
        check(layout, 60)


def test_a_file_that_is_no_parquet_is_named(layout):
    path = layout.hour_file(SOL, START)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 torn")
    with pytest.raises(LakeError, match=r"bars_1s_10\.parquet: damaged"):
        check(layout, 60)


def test_bad_input_is_refused_before_anything_is_written(layout):
    for wrong in ({"tf": "2s"}, {"source": "trades"}, {"source": "macro", "tf": "1s"}, {"symbols": ("../etc",)}):
        with pytest.raises(BadInputError):
            check(layout, 60, **wrong)
    assert not layout.base.exists()


def test_progress_tells_each_symbol_day(layout):
    start = START.replace(hour=23, minute=59)
    write_hours(layout, bars(120, start))
    told = []
    validate(layout, [SOL], Window(start, start + timedelta(seconds=120)), now=LATER, progress=told.append)
    assert told == ["SOLUSDT 2025-10-20", "SOLUSDT 2025-10-21"]


@pytest.mark.parametrize("source", ["bars", "klines", "macro", "derivatives"])
def test_days_that_are_yet_to_come_are_not_walked(layout, monkeypatch, source):
    looked_at, read = [], days.read

    def noted(layout, of, symbol, day, *more, **named):
        looked_at.append(day)
        return read(layout, of, symbol, day, *more, **named)

    monkeypatch.setattr(days, "read", noted)
    write_hours(layout, bars(60))
    end = START.replace(year=2261)
    outcome = validate(layout, [SOL], Window(START, end), source=source, now=START + timedelta(days=2, seconds=60))
    assert sorted(set(looked_at)) == [START.date() + timedelta(days=number) for number in range(3)]
    assert (outcome.window.end, outcome.clipped_to) == (end, at(60, START + timedelta(days=2)))


def test_a_window_that_is_all_yet_to_come_has_no_row_and_is_no_pass(layout):
    write_hours(layout, bars(60))
    outcome = validate(layout, [SOL], Window(LATER, LATER.replace(year=2261)), now=START)
    assert (outcome.verdict, outcome.days) == ("FAIL", ())


def test_no_frame_is_held_longer_than_its_symbol_day(layout):
    import gc

    import pandas as pd

    names = [f"COIN{letter}USDT" for letter in "ABCD"]
    for name in names:
        write_hours(layout, bars(777, symbol=name), name)
    held = []

    def look(_):
        gc.collect()
        held.append(sum(isinstance(one, pd.DataFrame) and len(one) == 777 for one in gc.get_objects()))

    window = Window(START, START + timedelta(seconds=777))
    validate(layout, names, window, now=LATER, progress=look)
    assert len(held) == len(names)
    assert max(held) <= 1


def test_importing_validate_is_light():
    code = "import sys, expectations.validate, expectations.rulepack; print('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_bars_as_a_broken_writer_left_them_hide_nothing(layout):
    write_as_is(layout.hour_file(SOL, START), table(bars(60)).slice(0, 0))
    outcome = check(layout, 60)
    assert (outcome.verdict, counts(outcome)) == ("FAIL", {"R5": 60})
