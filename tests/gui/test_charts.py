"""What the charts are given to draw."""

from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest

from gui import charts, queries
from lake import views
from lake.windows import Window
from tests.gui.small import START, seconds, write

SPAN = Window(START, START + timedelta(minutes=10))


@pytest.fixture
def bars(layout):
    """Ten minutes of which the fourth to the sixth are missing, and the ninth."""
    write(layout, seconds(600, without={*range(180, 360), *range(480, 540)}))
    return queries.bars(views.locked(layout), layout, "SOLUSDT", SPAN, "1m")


def rows(chart):
    """What is drawn, as a frame; its `minute` is counted from ten o'clock."""
    frame = chart.rows
    return frame.assign(minute=(frame["t"] - START.timestamp() * 1000) / 60_000)


def stretches(frame, column):
    """The minutes of each stretch that is drawn without a break."""
    found, stretch = [], []
    for minute, value in zip(frame["minute"], frame[column], strict=True):
        if pd.isna(value):
            found, stretch = [*found, stretch], []
        else:
            stretch.append(minute)
    assert stretch == [], "the last is ended too"
    return found


def test_a_line_is_broken_at_a_hole(bars):
    frame = rows(charts.line(bars, "close", "Close", "red", 60, SPAN))
    assert stretches(frame, "close") == [[0, 1, 2], [6, 7], [9]]
    assert frame["minute"][frame["alone"]].tolist() == [9]


def test_a_quote_lasts_until_its_bar_ends_and_not_longer(bars):
    frame = rows(charts.spread(bars, 60, SPAN))
    assert stretches(frame, "bps") == [[0, 1, 2, 3], [6, 7, 8], [9, 10]]
    assert not frame["alone"].any()


def test_bars_without_a_quote_are_a_hole_in_the_spread(bars):
    quotes = [None if n == 1 else value for n, value in enumerate(bars["bid"].to_pylist())]
    table = bars.set_column(bars.column_names.index("bid"), "bid", pa.array(quotes, pa.float64()))
    assert stretches(rows(charts.spread(table, 60, SPAN)), "bps")[0] == [0, 1]


def test_two_symbols_are_each_broken_at_their_own_holes(bars):
    whole = pa.Table.from_pylist(
        [row | {"symbol": "SUIUSDT", "window_start": START + timedelta(minutes=n)}
         for n, row in enumerate(bars.to_pylist() * 2)], bars.schema,
    )[:10]  # fmt: skip
    frame = rows(charts.rebased({"SOLUSDT": bars, "SUIUSDT": whole}, 60, SPAN))
    assert stretches(frame[frame["symbol"] == "SOLUSDT"], "rebased") == [[0, 1, 2], [6, 7], [9]]
    assert stretches(frame[frame["symbol"] == "SUIUSDT"], "rebased") == [list(range(10))]
    assert frame["rebased"][0] == pytest.approx(100)


def test_no_rows_are_no_chart_and_no_error(bars):
    assert len(charts.line(bars[:0], "close", "Close", "red", 60, SPAN).rows) == 0


@pytest.mark.parametrize(("value", "domain"), [(100.0, [99.0, 101.0]), (0.0, [-1.0, 1.0]), (-2.0, [-2.02, -1.98])])
def test_a_line_of_one_value_has_room_around_it(value, domain):
    table = pa.table({"window_start": [START, START + timedelta(minutes=1)], "close": [value, value]})
    drawn = charts.line(table, "close", "Close", "#000000", 60, SPAN)
    assert drawn.spec["encoding"]["y"]["scale"]["domain"] == domain
    moved = table.set_column(1, "close", [[value, value + 1]])
    assert "domain" not in charts.line(moved, "close", "Close", "#000000", 60, SPAN).spec["encoding"]["y"]["scale"]
