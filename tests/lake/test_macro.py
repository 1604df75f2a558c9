"""What is asked of Yahoo, what is kept of its answers, and how they are merged; Yahoo itself is in `yahoo`."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lake import damage, macro_fetch, macro_rows, macro_store, yahoo
from lake.errors import LakeError
from lake.layout import Layout
from lake.schemas import MACRO
from lake.sections import MacroMinute
from lake.windows import MINUTE_US, Window, micros, moment
from lake.yahoo_payload import Answer, Row, Session
from tests.conftest import content

NOW = datetime(2026, 11, 25, 15, 30, 20, tzinfo=UTC)  # a Wednesday; New York is open since 14:30
RULES = MacroMinute()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def answer(bars):
    """Yahoo's answer: (minutes before NOW's minute, close or None) to rows; other columns follow from the close."""
    base = int(NOW.replace(second=0).timestamp())
    return Answer(
        tuple(
            Row(base - 60 * back, close, close and close + 1, close, close, 7.0)
            for back, close in sorted(bars, reverse=True)
        )
    )


class Asked:
    """Answers from a list, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers, self.windows = list(answers), []

    def __call__(self, ticker, window, url):
        self.windows.append(window)
        found = self.answers.pop(0) if self.answers else Answer()
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
    """It is the last row, at its own second, or at the end of what was asked for, as in each piece of a long range."""
    (held_row,) = answer([(3, 9.0)]).rows
    found = update(layout, Answer((held_row, held_row._replace(ts_s=held_row.ts_s + 73))))
    assert (found.new, found.forming, found.refused) == (1, 1, 0)
    found = update(layout, Answer((held_row,)), days=10)
    assert (found.new, found.revised, found.forming, found.refused) == (0, 0, 1, 0)


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


def test_where_the_hours_are_not_known_nothing_is_said_to_be_complete(layout):
    found = update(layout, answer([(1, 1.0)]), ticker="^VIX")
    assert (found.new, found.expected, found.without_price, found.missing) == (1, None, None, None)


def test_a_ticker_without_any_minute_yet_has_no_newest(layout):
    found = update(layout, ticker="NONEA", days=1)
    assert (found.new, found.newest, found.missing, layout.tickers()) == (0, None, 329 + 60, [])


# -- rows that cannot be ----------------------------------------------------------------------------------------------

GOOD = Row(int(NOW.timestamp()) // 60 * 60 - 600, 10.0, 11.0, 9.0, 10.5, 100)
INFINITE, NO_NUMBER = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"open": 0.0, "high": 0.0, "low": 0.0, "close": 0.0}, "open is 0: expected a price above 0"),
        ({"low": -37.63}, "low is -37.63: expected a price above 0"),
        ({"close": INFINITE}, "close is inf: expected a price above 0"),
        ({"high": NO_NUMBER}, "high is nan: expected a price above 0"),
        ({"high": 10**400}, "high is 1000000000000000000000000000000000000000: expected a price above 0"),
        ({"high": 8.0}, "low 9 is above high 8"),
        ({"open": 11.5}, "open 11.5 is not between low 9 and high 11"),
        ({"close": 8.5}, "close 8.5 is not between low 9 and high 11"),
        ({"volume": -5}, "volume is -5: expected 0 to 2^53"),
        ({"volume": 2**53 + 1}, "volume is 9007199254740993: expected 0 to 2^53"),
        ({"volume": NO_NUMBER}, "volume is nan: expected 0 to 2^53"),
        ({"open": None}, "open is null, and other prices are not"),
        ({"high": None, "low": None}, "high, low is null, and other prices are not"),
        ({"ts_s": GOOD.ts_s + 7}, "time is not on a whole minute"),
        ({"ts_s": 0}, "time is before 2009, or a day or more from now"),
        ({"ts_s": -(10**30)}, "time is before 2009, or a day or more from now"),
        ({"ts_s": GOOD.ts_s * 1000}, "time is before 2009, or a day or more from now"),
        ({"ts_s": GOOD.ts_s + 90_000}, "time is before 2009, or a day or more from now"),
    ],
)
def test_a_row_that_cannot_be_is_refused_alone_counted_and_kept_with_its_reason(layout, values, reason):
    bad, after = GOOD._replace(**values), GOOD._replace(ts_s=GOOD.ts_s + 60)
    found = update(layout, Answer((GOOD._replace(ts_s=GOOD.ts_s - 60), bad, after)), ticker="SPY", days=1)
    assert (found.new, found.refused, found.nulls) == (2, 1, 0)
    (kept,) = layout.quarantine.rglob("*.jsonl")
    assert kept.parent == layout.quarantine / "macro/minute/SPY"
    (record,) = [json.loads(line) for line in kept.read_text().splitlines()]
    assert (record["file"], record["offset"], record["reason"]) == ("Yahoo's chart of SPY", bad.ts_s, reason)
    assert str(json.loads(record["line"])) == str(dict(zip(("timestamp", *Row._fields[1:]), bad, strict=True)))
    assert found.missing == 329 + 60 - 2, "the minute of the row that was refused is missing"


def test_what_is_refused_is_kept_once_however_often_it_comes(layout):
    for _ in range(3):
        found = update(layout, Answer((GOOD._replace(volume=-1),)))
        assert (found.new, found.refused) == (0, 1)
    update(layout, Answer((GOOD._replace(volume=-2),)))
    (kept,) = layout.quarantine.rglob("*.jsonl")
    assert kept.name == "2026-11-25.jsonl"
    before = kept.read_bytes()
    assert len(before.splitlines()) == 2
    kept.write_bytes(b"\xff torn\n" + before)
    assert update(layout, Answer((GOOD._replace(volume=-3),))).refused == 1
    assert kept.read_bytes().startswith(b"\xff torn\n" + before), "a damaged line there costs nothing"


def test_a_refused_row_takes_nothing_away_and_is_missing_even_in_a_market_where_not_every_minute_has_a_price(layout):
    assert update(layout, Answer((GOOD,))).new == 1
    second = GOOD._replace(ts_s=GOOD.ts_s - 60, low=-1.0)
    found = update(layout, Answer((second, GOOD._replace(close=99.0))), days=1)
    assert (found.new, found.revised, found.refused, found.missing) == (0, 0, 2, 1)
    assert [row["close"] for row in held(layout)] == [10.5]


@pytest.mark.parametrize("volume", [0, 2**53, 1.5, None])
def test_a_volume_is_kept_as_it_is_and_one_that_yahoo_does_not_give_is_not_called_0(layout, volume):
    assert update(layout, Answer((GOOD._replace(volume=volume),))).new == 1
    assert [row["volume"] for row in held(layout)] == [volume]
    assert update(layout, Answer((GOOD._replace(volume=volume),))).revised == 0


@pytest.mark.parametrize("last", [11.5, None, -1.0])
def test_of_two_rows_about_a_minute_the_later_that_can_be_wins(layout, last):
    second = GOOD._replace(high=12.0, close=last)
    found = update(layout, Answer((GOOD, second, GOOD._replace(ts_s=GOOD.ts_s + 60))))
    assert (found.new, found.superseded, found.refused) == (2, last == 11.5, last != 11.5)
    assert [row["close"] for row in held(layout)] == [11.5 if last == 11.5 else 10.5, 10.5]


def test_a_null_row_beside_a_row_with_prices_takes_nothing_away(layout):
    null = Row(GOOD.ts_s, None, None, None, None, None)
    assert update(layout, Answer((GOOD, null, GOOD))).new == 1
    assert [row["close"] for row in held(layout)] == [10.5]


SESSION = Session(GOOD.ts_s - 3600, GOOD.ts_s + 60, -5 * 3600)


@pytest.mark.parametrize(
    ("ticker", "sessions", "outside"),
    [("VOD.L", (SESSION,), 2), ("VOD.L", None, 0), ("VOD.L", (SESSION._replace(start_s=0, end_s=60),), 0),
     ("DX-Y.NYB", (SESSION,), 0)],
    ids=["after", "not known", "of another day", "around the clock"],
)  # fmt: skip
def test_rows_beyond_a_regular_session_are_left_out_and_counted(layout, ticker, sessions, outside):
    rows = tuple(GOOD._replace(ts_s=GOOD.ts_s + 60 * minute) for minute in range(3))
    found = update(layout, Answer(rows, sessions), ticker=ticker)
    assert (found.new, found.outside) == (3 - outside, outside)


def test_where_yahoo_names_no_session_that_of_the_calendar_counts(layout):
    """Yahoo puts the price of the closing auction behind the bars, at 16:00:00."""
    close = datetime(2026, 11, 24, 21, tzinfo=UTC)
    rows = tuple(GOOD._replace(ts_s=int(close.timestamp()) + 60 * minute) for minute in (-2, -1, 0, 1, 239, 1050))
    found = update(layout, Answer(rows), ticker="SPY")
    assert (found.new, found.outside) == (3, 3)
    assert [row["ts"].hour for row in held(layout, "SPY")] == [20, 20, 14]


PRICES_OF_A_ROW = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.floats(1, 9)
ROWS = st.builds(
    Row, st.integers(0, 5).map(lambda minute: GOOD.ts_s + 60 * minute) | st.integers(), *[PRICES_OF_A_ROW] * 5
)


@examples(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, max_size=8))
def test_whatever_comes_every_row_is_counted_and_what_is_stored_can_be(tmp_path_factory, rows):
    layout = Layout(tmp_path_factory.mktemp("lake"))
    left, now = macro_rows.Left(), NOW
    answer = Answer(tuple(rows))
    bars = macro_rows.bars("VOD.L", answer, Window(now - 7 * DAY, now), now, left)
    counted = {ts // 1_000_000 for ts in bars.keys() | left.nulls | left.forming} | {row.ts_s for row in left.refused}
    assert counted == {row.ts_s for row in rows}
    macro_store.store(layout, "VOD.L", bars, "snappy")
    macro_rows.put_aside(layout, "VOD.L", left.refused)
    for row in held(layout, "VOD.L"):
        assert 0 < row["low"] <= min(row["open"], row["close"]) <= max(row["open"], row["close"]) <= row["high"]
        assert row["volume"] is None or 0 <= row["volume"] <= 2**53


# -- what can go wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [yahoo.ChangedSchemaError("SPY", "x"), yahoo.RateLimitedError("SPY")])
def test_an_error_leaves_the_table_alone(layout, error):
    update(layout, answer([(3, 1.0), (2, 2.0)]))
    before = content(layout.base)
    with pytest.raises(type(error)):
        update(layout, error)
    assert content(layout.base) == before


def test_a_day_of_other_columns_is_named_with_the_remedy_and_left_as_it_is(layout):
    update(layout, answer([(3, 1.0)]))
    (path,) = layout.macro.rglob("*.parquet")
    pq.write_table(pa.table({"a": [1]}), path)
    before = path.read_bytes()
    with pytest.raises(LakeError, match=r"macro_minute.parquet: cannot be read .*move it away") as error:
        update(layout, answer([(2, 1.0)]))
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("torn", [b"", b"PAR1 torn"])
def test_a_damaged_day_is_set_aside_and_asked_for_again(layout, torn):
    update(layout, answer([(3, 1.0)]))
    (path,) = layout.macro.rglob("*.parquet")
    path.write_bytes(torn)
    update(layout, answer([(3, 1.0), (2, 1.0)]))
    assert len(macro_store.read(path)) == 2
    assert [one.name for one in damage.kept(layout)] == ["macro_minute.parquet.reason.txt"]


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
