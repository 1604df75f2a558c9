"""The views over klines, derivatives and macro minutes: small files in, exact rows out."""

import math

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake import compact, files, frames, kline_store, macro_store, transform, views
from lake.layout import Layout
from lake.schemas import FUNDING, KLINES, OPEN_INTEREST, UTC_US
from lake.windows import DAY_US, HOUR_US, MINUTE_US, SECOND_US, moment
from tests.conftest import DAY

DATE = moment(DAY).date()
RATES = ("EURUSD=X", "USDJPY=X", "GBPUSD=X", "USDCAD=X", "USDSEK=X", "USDCHF=X")
PRICES = dict(zip(RATES, (1.1643, 150.61, 1.3424, 1.4012, 9.4187, 0.7931), strict=True))
COLUMNS = {
    "klines_1m": "exchange symbol window_start open high low close volume close_time quote_volume trades "
    "taker_base_vol taker_quote_vol exchange_open_time year month day",
    "compare_our_vs_kline_1m": "symbol window_start complete our_open kline_open diff_open our_high kline_high "
    "diff_high our_low kline_low diff_low our_close kline_close diff_close our_volume kline_volume diff_volume "
    "our_quote_volume kline_quote_volume diff_quote_volume our_trades kline_trades diff_trades",
    "funding_oi_hourly": "symbol window_start funding_rate mark_price open_interest open_interest_value",
    "macro_minute": "ticker window_start open high low close volume",
    "dxy_synthetic_minute": "window_start dxy oldest_s",
}


def candles(symbol, *minutes, day=DAY, close=100.5):
    rows = {
        "symbol": [symbol] * len(minutes), "open_time": [day + m * MINUTE_US for m in minutes],
        "open": 100.0, "high": 101.0, "low": 99.0, "close": close, "volume": 2.5,
        "close_time": [day + (m + 1) * MINUTE_US - 1000 for m in minutes], "quote_volume": 250.0, "trades": 2,
        "taker_base_vol": 1.5, "taker_quote_vol": 150.0, "exchange_open_time": None,
    }  # fmt: skip
    whole = {name: value if isinstance(value, list) else [value] * len(minutes) for name, value in rows.items()}
    types = (pa.int64() if column.type == UTC_US else column.type for column in KLINES.columns)
    return KLINES.conform(pa.table([pa.array(v, t) for v, t in zip(whole.values(), types, strict=True)], KLINES.names))


def put(layout, symbol, *minutes, day=DAY, interval="1m", **values):
    table = candles(symbol, *minutes, day=day, **values)
    kline_store.write(layout, symbol, interval, moment(day).date(), table, "snappy", None)
    return layout.kline_file(symbol, moment(day).date(), interval)


def fund(layout, *fundings, symbol="SOLUSDT"):
    """Write fundings: (microseconds after the day's start, rate, mark price)."""
    times, rates, marks = zip(*fundings, strict=True)
    table = pa.table([[symbol] * len(times), pa.array([DAY + at for at in times], UTC_US), rates, marks], FUNDING.names)
    files.write_parquet(layout.funding_file(symbol, 2025), FUNDING.conform(table), "snappy")


def open_interest(layout, *values, symbol="SOLUSDT"):
    """Write open interest: (microseconds after the day's start, amount)."""
    for day in {at // DAY_US for at, _ in values}:
        times, amounts = zip(*[v for v in values if v[0] // DAY_US == day], strict=True)
        table = pa.table(
            [[symbol] * len(times), pa.array([DAY + at for at in times], UTC_US), amounts, [a * 100 for a in amounts]],
            OPEN_INTEREST.names,
        )
        path = layout.open_interest_file(symbol, moment(DAY + day * DAY_US).date())
        files.write_parquet(path, OPEN_INTEREST.conform(table), "snappy")


def rate(layout, ticker, *minutes, close=None):
    bar = (1.0, 1.0, 1.0, PRICES[ticker] if close is None else close, 0.0)
    macro_store.store(layout, ticker, {DAY + minute * MINUTE_US: bar for minute in minutes}, "snappy")


def rows(layout, query):
    con = views.connect(layout)
    return con.sql(query).fetchall()


def everything(layout, raw):
    """Some data for every view."""
    raw.put(raw.trade(1, 59), raw.trade(2, 60), raw.trade(3, 119), raw.trade(4, 120))
    transform.run(layout, "SOLUSDT")
    put(layout, "SOLUSDT", 0, 1, 2)
    fund(layout, (3000, 0.0001, 185.5))
    open_interest(layout, (0, 10.0))
    for ticker in RATES:
        rate(layout, ticker, 0)


def test_views_have_their_columns_and_types_with_and_without_data(layout, raw):
    con = views.connect(layout)
    empty = {view: con.sql(f"FROM {view}") for view in views.VIEWS}
    shapes = {view: (found.columns, found.types) for view, found in empty.items()}
    assert [found.fetchall() for found in empty.values()] == [[]] * len(views.VIEWS)
    assert {view: " ".join(shapes[view][0]) for view in COLUMNS} == COLUMNS
    assert {str(shapes[view][1][shapes[view][0].index("window_start")]) for view in views.VIEWS} == {
        "TIMESTAMP WITH TIME ZONE"
    }
    everything(layout, raw)
    full = {view: con.sql(f"FROM {view}") for view in views.VIEWS}
    assert {view: (found.columns, found.types) for view, found in full.items()} == shapes
    assert all(found.fetchall() for found in full.values())


def test_klines_are_those_of_the_file_with_the_open_time_as_window_start(layout):
    put(layout, "SOLUSDT", 1439)
    put(layout, "ADAUSDT", 0, day=DAY + DAY_US)
    found = rows(layout, "SELECT * REPLACE (epoch_us(window_start) AS window_start, epoch_us(close_time) AS close_time)"
                         " FROM klines_1m ORDER BY symbol")  # fmt: skip
    prices, rest, midnight = (100.0, 101.0, 99.0, 100.5, 2.5), (250.0, 2, 1.5, 150.0), DAY + DAY_US
    assert found == [
        ("binance", "ADAUSDT", midnight, *prices, midnight + MINUTE_US - 1000, *rest, None, 2025, 10, 21),
        ("binance", "SOLUSDT", midnight - MINUTE_US, *prices, midnight - 1000, *rest, None, 2025, 10, 20),
    ]


@pytest.mark.parametrize("interval", ["1s", "3m", "15m", "1h", "12h", "1d", "1w", "1M"])
def test_candles_of_another_interval_are_no_minutes(layout, interval):
    put(layout, "SOLUSDT", 0)
    put(layout, "SOLUSDT", 0, interval=interval, close=7.0)
    assert rows(layout, "SELECT close FROM klines_1m") == [(100.5,)]


@pytest.mark.parametrize("older", [0, 1])
def test_files_of_an_earlier_version_have_no_open_time_of_the_exchange_and_are_read_all_the_same(layout, older):
    paths = [put(layout, "SOLUSDT", 0), put(layout, "SOLUSDT", 0, day=DAY + DAY_US)]
    for path in paths:
        table = pq.read_table(path, partitioning=None)
        own = pa.array([DAY + 7], pa.int64()).cast(UTC_US)
        table = table.set_column(table.column_names.index("exchange_open_time"), "exchange_open_time", own)
        pq.write_table(table if path != paths[older] else table.drop_columns(["exchange_open_time"]), path)
    query = "SELECT day, epoch_us(exchange_open_time) FROM klines_1m ORDER BY day"
    assert rows(layout, query) == [(20 + number, None if number == older else DAY + 7) for number in (0, 1)]
    assert rows(layout, "SELECT count(*), sum(close) FROM klines_1m") == [(2, 201.0)]
    found = frames.klines("SOLUSDT", "2025-10-20", "2025-10-22", form="arrow", base=layout.base)
    assert found["exchange_open_time"].null_count == 1


def test_a_file_without_rows_and_a_temporary_one_do_no_harm(layout):
    path = put(layout, "SOLUSDT", 0)
    put(layout, "SOLUSDT", day=DAY - DAY_US)
    path.with_name(f".{path.name}.1-0123abcd.tmp").write_bytes(b"")
    assert rows(layout, "SELECT symbol, close FROM klines_1m") == [("SOLUSDT", 100.5)]


def test_a_column_that_the_oldest_file_does_not_have_is_read_from_the_others(layout):
    paths = [put(layout, "SOLUSDT", 0, day=day) for day in (DAY, DAY + DAY_US)]
    files.write_parquet(paths[0], pq.read_table(paths[0]).drop_columns(["taker_base_vol"]), "snappy")
    assert rows(layout, "SELECT taker_base_vol FROM klines_1m ORDER BY window_start") == [(None,), (1.5,)]


@pytest.mark.parametrize("which", [0, 1])
def test_a_column_that_only_some_files_have_does_no_harm(layout, which):
    paths = [put(layout, "SOLUSDT", 0, day=day) for day in (DAY, DAY + DAY_US)]
    with_more = pq.read_table(paths[which]).append_column("later", pa.array(["x"]))
    files.write_parquet(paths[which], with_more, "snappy")
    assert rows(layout, "SELECT count(*), sum(close) FROM klines_1m") == [(2, 201.0)]
    assert rows(layout, "SELECT count(*), sum(close) FROM klines_1m WHERE symbol = 'SOLUSDT'") == [(2, 201.0)]


def test_a_filter_on_symbol_and_date_opens_no_other_file(layout):
    put(layout, "SOLUSDT", 0)
    for symbol, day in (("ADAUSDT", DAY), ("SOLUSDT", DAY + DAY_US)):
        put(layout, symbol, 0, day=day).write_bytes(b"no Parquet, so reading it would fail")
    query = "SELECT count(*) FROM klines_1m WHERE symbol = 'SOLUSDT' AND year = 2025 AND month = 10 AND day = 20"
    with pytest.raises(duckdb.Error):
        rows(layout, "SELECT sum(close) FROM klines_1m")
    assert rows(layout, query) == [(1,)]


def test_a_base_path_that_looks_like_partitions_is_read(tmp_path):
    odd = Layout(tmp_path / "year=1999" / "symbol=X" / "a 'lake' 湖")
    put(odd, "币安人生USDT", 0)
    rate(odd, "EURUSD=X", 0)
    assert rows(odd, "SELECT symbol, year FROM klines_1m") == [("币安人生USDT", 2025)]
    assert rows(odd, "SELECT ticker FROM macro_minute") == [("EURUSD=X",)]


def test_a_kline_off_the_grid_is_not_compared_with_our_minute(layout, raw):
    raw.put(*(raw.trade(number, 30 + 60 * number) for number in range(4)))
    transform.run(layout, "SOLUSDT")
    path = put(layout, "SOLUSDT", 1, 2)
    table = pq.read_table(path, partitioning=None)
    own = pa.array([None, DAY + 2 * MINUTE_US + 7], pa.int64()).cast(UTC_US)
    pq.write_table(table.set_column(len(table.column_names) - 1, "exchange_open_time", own), path)
    query = "SELECT epoch_us(window_start) FROM compare_our_vs_kline_1m"
    assert rows(layout, query) == [(DAY + MINUTE_US,)]
    assert rows(layout, "SELECT count(*) FROM klines_1m") == [(2,)]


def test_our_minutes_are_compared_with_the_exchanges_where_both_are_there(layout, raw):
    raw.put(
        raw.trade(1, 59), raw.trade(2, 60, "100.0", "2.0"), raw.trade(3, 119, "101.5", "0.25"), raw.trade(4, 120),
        raw.trade(5, 180),
    )  # fmt: skip
    transform.run(layout, "SOLUSDT")
    put(layout, "SOLUSDT", 1, 2, 600)
    put(layout, "ADAUSDT", 1)
    found = views.connect(layout).sql("FROM compare_our_vs_kline_1m ORDER BY window_start").to_arrow_table().to_pylist()
    first, second = found
    at = first.pop("window_start")
    assert (first.pop("symbol"), at, second["window_start"]) == (
        "SOLUSDT", moment(DAY + MINUTE_US), moment(DAY + 2 * MINUTE_US)
    )  # fmt: skip
    assert (first.pop("complete"), second["complete"]) == (True, True)
    assert first == {
        "our_open": 100.0, "kline_open": 100.0, "diff_open": 0.0,
        "our_high": 101.5, "kline_high": 101.0, "diff_high": 0.5,
        "our_low": 100.0, "kline_low": 99.0, "diff_low": 1.0,
        "our_close": 101.5, "kline_close": 100.5, "diff_close": 1.0,
        "our_volume": 2.25, "kline_volume": 2.5, "diff_volume": -0.25,
        "our_quote_volume": 225.375, "kline_quote_volume": 250.0, "diff_quote_volume": -24.625,
        "our_trades": 2, "kline_trades": 2, "diff_trades": 0,
    }  # fmt: skip
    assert (second["our_trades"], second["diff_trades"]) == (1, -1)


def hourly(layout):
    found = rows(layout, "SELECT epoch_us(window_start), * EXCLUDE (symbol, window_start) FROM funding_oi_hourly "
                         "ORDER BY ALL")  # fmt: skip
    return {(at - DAY) / HOUR_US: values for at, *values in found}


def test_a_funding_belongs_to_the_hour_in_which_it_is_paid_and_to_those_after(layout):
    fund(layout, (3000, 0.0001, 185.5), (8 * HOUR_US + 3000, -0.0002, None), (16 * HOUR_US, 0.0003, 190.0))
    open_interest(layout, (-HOUR_US, 9.0), *((hour * HOUR_US, 10.0 + hour) for hour in (0, 7, 8, 15, 16)))
    assert hourly(layout) == {
        -1: [None, None, 9.0, 900.0],
        0: [0.0001, 185.5, 10.0, 1000.0],
        7: [0.0001, 185.5, 17.0, 1700.0],
        8: [-0.0002, None, 18.0, 1800.0],
        15: [-0.0002, None, 25.0, 2500.0],
        16: [0.0003, 190.0, 26.0, 2600.0],
    }


def test_open_interest_is_the_last_of_the_hour(layout):
    five = 5 * MINUTE_US
    open_interest(layout, (0, 1.0), (11 * five, 3.0), (10 * five, 2.0), (12 * five, 4.0))
    assert hourly(layout) == {0: [None, None, 3.0, 300.0], 1: [None, None, 4.0, 400.0]}


def test_a_funding_is_carried_on_for_24_hours_and_no_longer(layout):
    fund(layout, (0, 0.0001, 185.5))
    open_interest(layout, (23 * HOUR_US, 1.0), (24 * HOUR_US, 2.0))
    assert hourly(layout) == {
        0: [0.0001, 185.5, None, None], 23: [0.0001, 185.5, 1.0, 100.0], 24: [None, None, 2.0, 200.0],
    }  # fmt: skip


def test_one_contracts_funding_is_not_anothers(layout):
    fund(layout, (3000, 0.0001, 185.5))
    open_interest(layout, (0, 1.0), symbol="ADAUSDT")
    assert rows(layout, "SELECT symbol, funding_rate, open_interest FROM funding_oi_hourly ORDER BY symbol") == [
        ("ADAUSDT", None, 1.0), ("SOLUSDT", 0.0001, None),
    ]  # fmt: skip


def test_macro_minutes_of_a_folder_that_looks_like_a_partition_are_there(layout):
    rate(layout, "EURUSD=X", 0)
    macro_store.store(layout, "SPY", {DAY: (1.0, 4.0, 0.5, 2.0, 300.0)}, "snappy")
    found = rows(layout, "SELECT epoch_us(window_start), * EXCLUDE window_start FROM macro_minute ORDER BY ticker")
    assert found == [
        (DAY, "EURUSD=X", 1.0, 1.0, 1.0, 1.1643, 0.0), (DAY, "SPY", 1.0, 4.0, 0.5, 2.0, 300.0),
    ]  # fmt: skip
    assert rows(layout, "SELECT count(*) FROM macro_minute WHERE ticker = 'EURUSD=X'") == [(1,)]


def ice(prices):
    weights = (-0.576, 0.136, -0.119, 0.091, 0.042, 0.036)
    return 50.14348112 * math.prod(prices[ticker] ** weight for ticker, weight in zip(RATES, weights, strict=True))


def dxy(layout):
    found = rows(layout, "SELECT epoch_us(window_start), dxy, oldest_s FROM dxy_synthetic_minute ORDER BY ALL")
    return {(at - DAY) // MINUTE_US: (value, age) for at, value, age in found}


def test_dxy_is_ices_formula_over_the_six_closes(layout):
    for ticker in RATES:
        rate(layout, ticker, 0)
    macro_store.store(layout, "SPY", {DAY + MINUTE_US: (1.0, 1.0, 1.0, 1.0, 1.0)}, "snappy")
    assert dxy(layout) == {0: (pytest.approx(ice(PRICES), rel=1e-14), 0)}
    assert 98 < ice(PRICES) < 100


def test_dxy_takes_closes_that_are_up_to_five_minutes_old(layout):
    for ticker in RATES[1:]:
        rate(layout, ticker, 0)
    rate(layout, "EURUSD=X", 0, 3, 5, 6, close=1.2)
    value = pytest.approx(ice(PRICES | {"EURUSD=X": 1.2}), rel=1e-14)
    assert dxy(layout) == {0: (value, 0), 3: (value, 180), 5: (value, 300)}


@pytest.mark.parametrize("close", [0.0, -1.0, math.inf, math.nan])
def test_a_rate_that_cannot_be_makes_no_dxy(layout, close):
    for ticker in RATES:
        rate(layout, ticker, 0, 7)
    rate(layout, "EURUSD=X", 7, close=close)
    assert list(dxy(layout)) == [0]


def test_dxy_needs_all_six_rates(layout):
    for ticker in RATES[:-1]:
        rate(layout, ticker, 0, 1)
    rate(layout, "USDCHF=X", 1)
    assert list(dxy(layout)) == [1]


def test_hours_are_utc_whatever_the_clients_zone(layout, raw):
    """Hours of Kolkata begin at half past."""
    fund(layout, (3000, 0.0001, 185.5))
    open_interest(layout, (50 * MINUTE_US, 1.0))
    raw.put(raw.trade(1, 3000), raw.trade(2, 3700))
    transform.run(layout, "SOLUSDT")
    compact.run(layout, "SOLUSDT", DATE)
    raw.put(raw.trade(3, 3701))
    transform.run(layout, "SOLUSDT")
    con = views.connect(layout)
    con.execute("SET TimeZone = 'Asia/Kolkata'")
    assert con.sql("SELECT epoch_us(window_start), open_interest FROM funding_oi_hourly").fetchall() == [(DAY, 1.0)]
    traded = "SELECT epoch_us(window_start) FROM bars_1s WHERE trade_count > 0 ORDER BY ALL"
    assert [at for (at,) in con.sql(traded).fetchall()] == [DAY + s * SECOND_US for s in (3000, 3700, 3701)]


def test_a_base_path_that_looks_like_a_pattern_is_a_folder(tmp_path):
    layout = Layout(tmp_path / "data[1]" / "lake")
    kline_store.put(layout, "SOLUSDT", "1m", DATE, candles("SOLUSDT", 1, 2), "snappy", None)
    with views.connect(layout) as con:
        assert con.sql("FROM klines_1m").fetchall() != []
