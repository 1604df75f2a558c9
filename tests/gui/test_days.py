"""Days of bars that are kept: always those of the files as they are now."""

from datetime import timedelta

import pytest

from gui import days, queries, source
from lake import compact, views
from lake.windows import Window
from tests.gui.small import START, seconds, write

LONG = Window(START, START + timedelta(days=3))


@pytest.fixture
def con(layout):
    write(layout, seconds(7200))
    write(layout, seconds(7200, START + timedelta(days=2, hours=1)))
    return views.locked(layout)


@pytest.fixture
def asked(monkeypatch):
    """The number of files that each question to DuckDB opened."""
    found, ask = [], source.ask

    def counted(con, select):
        params = select().params
        found.append(len(params["hour_files"]) + len(params["day_files"]))
        return ask(con, select)

    monkeypatch.setattr(source, "ask", counted)
    return found


def own(con, names):
    """What the lake's own view has."""
    rows = con.sql(f"SELECT {', '.join(names)} FROM bars_1m ORDER BY window_start").to_arrow_table().to_pylist()
    return [row for row in rows if LONG.start <= row["window_start"] < LONG.end]


def check(layout, con):
    found = queries.bars(con, layout, "SOLUSDT", LONG, "1m")
    assert found.to_pylist() == own(con, found.column_names)
    return found.num_rows


def test_what_is_asked_twice_is_read_once(layout, con, asked):
    assert check(layout, con) == check(layout, con) == 240
    assert asked == [4]


def test_a_new_hour_is_seen_and_only_its_day_read_again(layout, con, asked):
    check(layout, con)
    write(layout, seconds(60, START + timedelta(days=2, hours=5)))
    assert check(layout, con) == 241
    assert asked == [4, 3]


def test_an_hour_made_anew_is_seen(layout, con):
    check(layout, con)
    write(layout, seconds(3600, price=500.0))
    check(layout, con)


def test_a_compacted_day_stays_what_it_was(layout, con):
    check(layout, con)
    compact.run(layout, "SOLUSDT", START.date())
    assert check(layout, con) == 240


def test_a_range_begins_and_ends_where_it_was_asked_to(layout, con):
    check(layout, con)
    within = Window(START + timedelta(minutes=30), START + timedelta(days=2, hours=2))
    found = queries.bars(con, layout, "SOLUSDT", within, "1m")
    assert found["window_start"][0].as_py() == within.start
    assert found["window_start"][-1].as_py() == within.end - timedelta(minutes=1)


def test_what_is_kept_has_an_end(layout, con, monkeypatch):
    monkeypatch.setattr(days, "MOST_DAYS", 2)
    check(layout, con)
    assert check(layout, con) == 240
    assert len(days._kept) == 2
