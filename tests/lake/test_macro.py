"""What is asked of Yahoo, what is kept of its answers, and how they are merged; Yahoo itself is in `yahoo`."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lake import macro_fetch, macro_store, yahoo
from lake.errors import LakeError
from lake.layout import Layout
from lake.schemas import MACRO
from lake.sections import MacroMinute
from lake.windows import MINUTE_US, Window, micros, moment
from tests.conftest import content

NOW = datetime(2026, 11, 25, 15, 30, 20, tzinfo=UTC)  # a Wednesday; New York is open since 14:30
RULES = MacroMinute()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def answer(bars):
    """Yahoo's answer: (minutes before NOW's minute, close or None) to a table; other columns follow from the close."""
    base = NOW.replace(second=0)
    rows = [
        {"ts": base - back * timedelta(minutes=1), "open": close, "high": close and close + 1, "low": close,
         "close": close, "volume": 7.0}
        for back, close in sorted(bars, reverse=True)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=yahoo.ANSWER)


class Asked:
    """Answers from a list, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers, self.windows = list(answers), []

    def __call__(self, ticker, window, url):
        self.windows.append(window)
        found = self.answers.pop(0) if self.answers else yahoo.ANSWER.empty_table()
        if isinstance(found, Exception):
            raise found
        return found


def update(layout, *answers, ticker="BTC-USD", now=NOW, days=None):
    return macro_fetch.update(layout, ticker, RULES, now, days, ask=Asked(*answers))


def held(layout, ticker="BTC-USD"):
    paths = sorted((layout.macro / ticker).rglob("macro_minute.parquet"))
    return pa.concat_tables([pq.ParquetFile(path).read() for path in paths]).to_pylist() if paths else []


def test_what_is_stored_is_the_contracts_table_under_the_tickers_own_name(layout):
    found = update(layout, answer([(2, 1.5), (1, 1.75)]), ticker="EURUSD=X")
    path = layout.base / "macro/minute/EURUSD=X/year=2026/month=11/day=25/macro_minute.parquet"
    table = pq.ParquetFile(path).read()
    assert table.schema.remove_metadata() == MACRO.arrow
    assert table.to_pylist()[0] == {
        "ticker": "EURUSD=X", "ts": datetime(2026, 11, 25, 15, 28, tzinfo=UTC), "open": 1.5, "high": 2.5, "low": 1.5,
        "close": 1.5, "volume": 7.0,
    }  # fmt: skip
    assert (found.new, found.revised, found.rows, found.newest) == (2, 0, 2, NOW.replace(minute=29, second=0))


def test_minutes_lie_in_the_file_of_their_utc_day(layout):
    update(layout, answer([(15 * 60 + 31, 1.0), (15 * 60 + 30, 2.0)]))
    days = [path.parent.name for path in sorted(layout.macro.rglob("*.parquet"))]
    assert days == ["day=24", "day=25"]
    assert [row["ts"].hour for row in held(layout)] == [23, 0]


def test_the_minute_still_forming_is_left_out_until_it_has_ended(layout):
    found = update(layout, answer([(1, 1.0), (0, 2.0)]))
    assert (found.new, found.forming) == (1, 1)
    ended = NOW.replace(minute=31, second=0)
    assert macro_fetch.update(layout, "BTC-USD", RULES, ended, ask=Asked(answer([(0, 3.0)]))).new == 1
    assert [row["close"] for row in held(layout)] == [1.0, 3.0]


def test_yahoos_last_price_behind_the_bars_is_no_minute(layout):
    live = answer([(3, 9.0)]).set_column(
        0, "ts", pa.array([NOW - timedelta(minutes=3, seconds=13)], MACRO.arrow.field("ts").type)
    )
    found = update(layout, live)
    assert (found.new, found.forming, held(layout)) == (0, 1, [])


def test_null_rows_are_left_out_and_counted_and_take_nothing_away(layout):
    update(layout, answer([(3, 1.0), (2, 2.0)]))
    found = update(layout, answer([(3, None), (2, 2.0), (1, None)]))
    assert (found.new, found.revised, found.nulls) == (0, 0, 2)
    assert [row["close"] for row in held(layout)] == [1.0, 2.0]


def test_twice_gives_once_and_the_same_rows_are_not_written_again(layout):
    bars = [(back, 100.0 + back) for back in range(1, 2000)]
    update(layout, answer(bars))
    before = content(layout.base)
    stamps = {path: path.stat().st_mtime_ns for path in layout.macro.rglob("*.parquet")}
    found = update(layout, answer(bars))
    assert (found.new, found.revised) == (0, 0)
    assert content(layout.base) == before
    assert {path: path.stat().st_mtime_ns for path in layout.macro.rglob("*.parquet")} == stamps


def test_of_two_answers_about_a_minute_the_later_wins_and_is_counted(layout):
    update(layout, answer([(3, 1.0), (2, 2.0)]))
    found = update(layout, answer([(2, 5.0), (1, 6.0)]))
    assert (found.new, found.revised) == (1, 1)
    assert [row["close"] for row in held(layout)] == [1.0, 5.0, 6.0]


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.integers(0, 2000), st.none() | st.floats(1, 9), max_size=8), max_size=6))
def test_any_overlapping_answers_give_the_last_word_about_each_minute(tmp_path_factory, answers):
    layout = Layout(tmp_path_factory.mktemp("lake"))
    expected = {}
    for each in answers:
        update(layout, answer(each.items()))
        expected |= {back: close for back, close in each.items() if back and close is not None}
    base = micros(NOW.replace(second=0))
    rows = [((base - micros(row["ts"])) // MINUTE_US, row["close"]) for row in held(layout)]
    assert rows == sorted(expected.items(), reverse=True)


# -- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "days", "back"),
    [
        (None, None, 7 * DAY),
        (NOW - HOUR, None, DAY),
        (NOW - 3 * DAY, None, 3 * DAY),
        (NOW - 20 * DAY, None, 7 * DAY),
        (None, 2, 2 * DAY),
        (NOW - HOUR, 20, 20 * DAY),
        (NOW - HOUR, 30, yahoo.KEPT),
    ],
    ids=["empty", "up to date", "after a downtime", "long ago", "asked 2", "asked 20", "what Yahoo keeps"],
)
def test_the_lookback_is_the_startups_then_the_runtimes_and_never_leaves_a_hole(newest, days, back):
    assert macro_fetch.asked_window(newest, RULES, NOW, days) == Window(NOW - back, NOW)


def test_more_than_seven_days_are_asked_in_pieces_oldest_first_and_seven_in_one(layout):
    asked = Asked()
    macro_fetch.update(layout, "BTC-USD", RULES, NOW, 20, ask=asked)
    assert [(NOW - w.start).days for w in asked.windows] == [20, 13, 6]
    assert all(a.end == b.start for a, b in zip(asked.windows, asked.windows[1:], strict=False))
    asked = Asked()
    macro_fetch.update(layout, "BTC-USD", RULES, NOW, ask=asked)
    assert asked.windows == [Window(NOW - 7 * DAY, NOW)]


def test_a_piece_that_fails_leaves_the_older_ones_stored_so_that_the_next_run_goes_on_from_there(layout):
    with pytest.raises(LakeError, match="down"):
        update(layout, answer([(10 * 24 * 60, 1.0)]), LakeError("down"), days=14)
    assert macro_store.newest(layout, "BTC-USD") == NOW.replace(second=0) - 10 * DAY


@pytest.mark.parametrize(
    ("newest", "now", "certain"),
    [
        ("2026-11-25T20:59:00Z", "2026-11-26T12:00:00Z", True),
        ("2026-11-25T20:59:00Z", "2026-11-27T14:29:59Z", True),
        ("2026-11-25T20:59:00Z", "2026-11-27T14:30:00Z", False),
        ("2026-11-25T20:58:00Z", "2026-11-26T12:00:00Z", False),
        ("2026-11-25T20:59:00Z", "2026-11-25T21:59:59Z", False),
        (None, "2026-11-26T12:00:00Z", False),
    ],
    ids=["holiday", "not open yet", "open", "a minute lacks", "Yahoo corrects", "empty"],
)
def test_a_ticker_is_not_asked_about_only_where_nothing_can_be_new(newest, now, certain):
    at, when = newest and datetime.fromisoformat(newest), datetime.fromisoformat(now)
    assert macro_fetch.nothing_new("SPY", at, when) is certain
    assert macro_fetch.nothing_new("VOD.L", at, when) is False


def test_what_is_closed_is_not_asked_about_except_by_name_of_days(layout):
    close = datetime(2026, 11, 24, 20, 59, tzinfo=UTC)
    night = datetime(2026, 11, 25, 3, tzinfo=UTC)
    macro_store.store(layout, "SPY", {micros(close): (1.0, 1.0, 1.0, 1.0, 1.0)}, "snappy")
    asked = Asked()
    assert not macro_fetch.update(layout, "SPY", RULES, night, ask=asked).asked
    assert macro_fetch.update(layout, "SPY", RULES, night, 1, ask=asked).asked
    assert len(asked.windows) == 1


# -- what is reported -------------------------------------------------------------------------------------------------


def test_closed_is_not_missing_and_a_hole_is(layout):
    """60 minutes from 14:30 to 15:30, all but one held; the day and night before count only with the session."""
    bars = [(back, 1.0) for back in range(1, 61) if back != 30]
    found = update(layout, answer(bars), ticker="SPY")
    session_before = 390 * 4 + 329  # Thursday to Tuesday, and Wednesday the 18th from 15:31 on
    assert found.expected == session_before + 60
    assert found.missing == session_before + 1
    assert found.without_price == 0


def test_a_minute_that_yahoo_says_had_no_price_is_not_missing(layout):
    bars = [(back, None if back == 30 else 1.0) for back in range(1, 61)]
    found = update(layout, answer(bars), ticker="SPY")
    assert (found.without_price, found.expected - found.missing) == (1, 60)


def test_currencies_and_futures_have_minutes_without_a_price_and_none_missing(layout):
    found = update(layout, answer([(1, 1.0), (2, 1.0)]), ticker="EURUSD=X", days=1)
    assert (found.expected, found.without_price, found.missing) == (1439, 1437, 0)
    assert update(layout, answer([(1, 1.0)]), ticker="VOD.L").expected is None


# -- what can go wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [yahoo.ChangedSchemaError("SPY", "x"), yahoo.RateLimitedError("SPY")])
def test_an_error_leaves_the_table_alone(layout, error):
    update(layout, answer([(3, 1.0), (2, 2.0)]))
    before = content(layout.base)
    with pytest.raises(type(error)):
        update(layout, error)
    assert content(layout.base) == before


@pytest.mark.parametrize("damage", [b"", b"PAR1 torn", "another table"])
def test_a_day_that_cannot_be_read_is_named_with_the_remedy_and_left_as_it_is(layout, damage):
    update(layout, answer([(3, 1.0)]))
    (path,) = layout.macro.rglob("*.parquet")
    if isinstance(damage, bytes):
        path.write_bytes(damage)
    else:
        pq.write_table(pa.table({"a": [1]}), path)
    before = path.read_bytes()
    with pytest.raises(LakeError, match=r"macro_minute.parquet: cannot be read .*move it away") as error:
        update(layout, answer([(2, 1.0)]))
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


def test_what_a_killed_writer_left_is_swept(layout):
    update(layout, answer([(3, 1.0)]))
    (path,) = layout.macro.rglob("*.parquet")
    left = path.with_name(".macro_minute.parquet.1-0123abcd.tmp")
    left.write_bytes(b"half")
    update(layout)
    assert not left.exists()


def test_two_runs_of_a_ticker_wait_for_each_other(layout):
    """The lock is held while Yahoo is asked: else the older of two answers could be the later one written."""
    from filelock import Timeout

    from lake import locks

    def ask(ticker, window, url):
        with pytest.raises(Timeout):
            locks.macro(layout, ticker).acquire(timeout=0)
        locks.macro(layout, "OTHER").acquire(timeout=0)
        return answer([(1, 1.0)])

    assert macro_fetch.update(layout, "BTC-USD", RULES, NOW, ask=ask).new == 1
    assert moment(micros(NOW)) == NOW
