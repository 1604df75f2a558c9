"""The view in the page's address."""

from datetime import UTC, datetime, timedelta

import pytest

from gui import state
from gui.state import View
from lake.errors import BadInputError
from lake.windows import Window

NEWEST = datetime(2025, 10, 20, 10, 59, 59, tzinfo=UTC)
FIRST = NEWEST - timedelta(days=400)


@pytest.mark.parametrize(
    "view",
    [
        View(),
        View("Quality", "SOLUSDT", "SUIUSDT", "15m", "7d", refresh="30s"),
        View("Macro", "币安人生USDT", tf="1h", start="2025-10-20", end="2025-10-21T00:00:00Z", ticker="EURUSD=X"),
    ],
)
def test_a_link_reproduces_the_view(view):
    assert state.parse(view.params()) == (view, [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("symbol", "<script>alert(1)</script>"),
        ("symbol", "../../etc"),
        ("versus", "SOL'; DROP TABLE x"),
        ("ticker", "![](http://evil)"),
        ("tf", "7m"),
        ("range", "forever"),
        ("page", "Admin"),
        ("refresh", "1ms"),
    ],
)
def test_what_is_hostile_or_unknown_is_refused_by_name_in_one_line(name, text):
    view, wrong = state.parse({name: text, "symbol": "SOLUSDT"} | {name: text})
    assert getattr(view, name) == getattr(View, name)
    assert len(wrong) == 1
    assert wrong[0].startswith(name.replace("versus", "symbol"))
    assert text[:40] in wrong[0]
    assert "\n" not in wrong[0]


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("yesterday", "2025-10-21", "start 'yesterday'"),
        ("2025-10-21", "", "end is missing"),
        ("2025-10-21", "2025-10-20", "is not after start"),
        ("2010-01-01", "2025-01-01", "longer than"),
        ("2025-10-20T00:00:00.2", "2025-10-20T00:00:00.7", "no second begins"),
    ],
)
def test_bad_times_are_one_line(start, end, words):
    with pytest.raises(BadInputError, match=words):
        state.typed(start, end)
    assert words in state.parse({"start": start, "end": end})[1][0]


def test_a_typed_range_is_that_of_the_seconds_that_begin_in_it():
    found = state.typed("2025-10-20T00:00:00.2", "2025-10-20T23:59:59.1")
    assert found == Window.parse("2025-10-20T00:00:01Z", "2025-10-21")
    assert state.typed("2025-10-20", "2025-10-20T23:59:59") == Window.parse("2025-10-20", "2025-10-20T23:59:59Z")


def test_a_quick_range_ends_with_the_newest_second_and_begins_where_there_is_something():
    hour = state.window(View(range="1h"), FIRST, NEWEST)
    assert (hour.start, hour.end) == (datetime(2025, 10, 20, 10, tzinfo=UTC), datetime(2025, 10, 20, 11, tzinfo=UTC))
    first = NEWEST - timedelta(minutes=3)
    assert state.window(View(range="1h"), first, NEWEST).start == first
    assert state.window(View(range="1h"), None, NEWEST) == hour
    assert state.begun(hour, [first, NEWEST]).start == first
    assert state.begun(hour, [FIRST, NEWEST]) == hour
    assert state.begun(hour, []) == hour


@pytest.mark.parametrize(("name", "length"), [*state.RANGES.items(), ("all", state.LONGEST)])
@pytest.mark.parametrize("tf", state.SECONDS)
def test_no_range_has_more_points_than_the_browser_is_given(name, length, tf):
    window = Window(NEWEST - length, NEWEST)
    shown = state.coarse(tf, window)
    assert state.SECONDS[shown] >= state.SECONDS[tf]
    assert length.total_seconds() / state.SECONDS[shown] <= state.MOST_POINTS
    finer = [one for one in state.SECONDS if state.SECONDS[tf] <= state.SECONDS[one] < state.SECONDS[shown]]
    assert all(length.total_seconds() / state.SECONDS[one] + 1 > state.MOST_POINTS for one in finer), name
    assert length.total_seconds() / state.minutes(window) <= state.MOST_POINTS
    assert length.total_seconds() / state.hours(window) <= state.MOST_POINTS
    assert length.total_seconds() / state.stretch(window) <= (
        240 if length <= timedelta(days=240) else state.MOST_POINTS
    )


def test_a_range_in_which_no_bar_begins_shows_the_bar_that_it_lies_in():
    window = Window(FIRST.replace(minute=10, second=0), FIRST.replace(minute=20, second=0))
    assert state.with_a_bar(window, "5m") == window
    assert state.with_a_bar(window, "1h").start == FIRST.replace(minute=0, second=0)
    assert state.with_a_bar(window, "1h").end == window.end


def test_the_newest_bar_is_drawn_whole_though_it_is_not_over():
    window = Window(FIRST.replace(minute=11, second=24), FIRST.replace(minute=12, second=40))
    ends = {tf: state.drawn(window, tf).end for tf in ("1s", "1m", "5m", "1h")}
    assert ends["1s"] == window.end
    assert ends["1m"] == FIRST.replace(minute=13, second=0)
    assert ends["5m"] == FIRST.replace(minute=15, second=0)
    assert ends["1h"] == FIRST.replace(minute=0, second=0) + timedelta(hours=1)
    assert state.drawn(window, "1m").start == window.start
    assert state.drawn(Window(window.start, ends["1m"]), "1m").end == ends["1m"]
