"""The market's promises: one history, found by time or id, the same for the same seed."""

import itertools
import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.candles import INTERVALS, Candles, floor_time, next_time
from simulator.exchange import Exchange, Plan
from simulator.market import Rates, SymbolMarket
from simulator.records import aggregate_records, kline_record, trade_records
from simulator.rows import aggregate_csv, kline_csv, kline_json, trade_csv
from simulator.symbols import DEFAULT_SYMBOLS, decimal_text, listing, listings
from tests.simulator.conftest import DAY, NOON, Clock

START = 1_709_251_200_000_000  # 2024-03-01, a Friday
HOUR = 3_600_000_000


def market(symbol="SOLUSDT", seed=7, past=0.2, live=0.5, live_us=START + 3 * DAY, quotes=2.0):
    return SymbolMarket(listing(symbol), seed, START, live_us, Rates(past, live, quotes))


def records(source, low, high):
    return [record for part in source.trades(low, high) for record in trade_records(source, part)]


def naive(source, interval, low, high, horizon):
    """Klines added up trade by trade with Decimal, an independent way."""
    every = records(source, START, horizon)
    rows, close, open_us = [], None, floor_time(every[0].time_us, interval)
    by_open = {}
    for trade in every:
        by_open.setdefault(floor_time(trade.time_us, interval), []).append(trade)
    while open_us < horizon and open_us <= high:
        trades, next_us = by_open.get(open_us, []), next_time(open_us, interval)
        prices = [t.price for t in trades] or [close]
        buys = [t for t in trades if not t.buyer_is_maker]
        sums = [
            sum((Decimal(t.qty) for t in trades), Decimal(0)),
            sum((Decimal(t.price) * Decimal(t.qty) for t in trades), Decimal(0)),
            sum((Decimal(t.qty) for t in buys), Decimal(0)),
            sum((Decimal(t.price) * Decimal(t.qty) for t in buys), Decimal(0)),
        ]
        volume, quote, buy_base, buy_quote = (f"{value:.8f}" for value in sums)
        high_low = [max(prices, key=Decimal), min(prices, key=Decimal)]
        close = prices[-1]
        row = [
            open_us // 1000,
            prices[0],
            *high_low,
            close,
            volume,
            next_us // 1000 - 1,
            quote,
            len(trades),
            buy_base,
            buy_quote,
            "0",
        ]
        if open_us >= low:
            rows.append(row)
        open_us = next_us
    return rows


@pytest.mark.parametrize("interval", INTERVALS)
def test_klines_of_every_interval_are_what_the_trades_add_up_to(interval):
    length = INTERVALS[interval] or 31 * DAY
    past = 0.005 if length >= DAY else 0.05
    source = market(past=past, live=past)
    horizon = START + min(max(length * 7, 2 * HOUR), 70 * DAY) + 12_345_678
    low = START + length // 2 + 1 if length < DAY else START
    if interval == "1s":
        horizon, low = START + HOUR + 123, START + HOUR - 500_000_000
    got = Candles(source).klines(interval, low, horizon, horizon, 1_000_000)
    assert [kline_record(source, kline) for kline in got] == naive(source, interval, low, horizon, horizon)
    assert len(got) > 1


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["1s", "1m", "3m", "15m", "1h", "2h"]),
    st.integers(60, 30_000),
    st.sampled_from([0.002, 0.3]),
)
def test_klines_hold_for_any_seed_and_any_moment_that_is_now(seed, interval, seconds, rate):
    source = market("ARBUSDT", seed, rate * 5, rate * 20, START + HOUR)
    horizon = START + seconds * 1_000_000 + seed
    first = records(source, START, horizon)[:1]
    low = max(horizon - 900_000_000, START) if interval == "1s" else START
    got = Candles(source).klines(interval, low, horizon, horizon, 10_000)
    assert [kline_record(source, kline) for kline in got] == (
        naive(source, interval, low, horizon, horizon) if first else []
    )


@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT", "PEPE2USDT", "币安人生USDT"])
@pytest.mark.parametrize("unit_us", [1, 1000])
def test_tables_as_text_are_the_records_written_one_by_one(symbol, unit_us):
    source = market(symbol)
    listed, part = source.listing, source.trades(START, START + HOUR)[0]
    table = Candles(source).table("1m", START, START + HOUR, START + DAY, 1000)
    klines = [
        kline_record(source, k, unit_us) for k in Candles(source).klines("1m", START, START + HOUR, START + DAY, 1000)
    ]
    assert json.loads(kline_json(listed, table, unit_us)) == klines
    assert kline_csv(listed, table, unit_us) == "".join(f"{','.join(map(str, row))}\n" for row in klines)
    assert trade_csv(source, part, unit_us) == "".join(
        f"{t.id},{t.price},{t.qty},{t.quote_qty},{t.time_us // unit_us},{t.buyer_is_maker},True\n"
        for t in trade_records(source, part)
    )
    assert aggregate_csv(source, part, unit_us) == "".join(
        f"{a.id},{a.price},{a.qty},{a.first_id},{a.last_id},{a.time_us // unit_us},{a.buyer_is_maker},True\n"
        for a in aggregate_records(source, part)
    )


def test_minutes_without_trades_are_flat_and_counted_as_nothing():
    source = market(past=0.003)
    horizon = START + 6 * HOUR
    rows = [kline_record(source, kline) for kline in Candles(source).klines("1m", START, horizon, horizon, 1000)]
    flat = [(before, row) for before, row in itertools.pairwise(rows) if row[8] == 0]
    assert len(flat) > 50
    assert all(row[1:5] == [before[4]] * 4 and row[5] == row[7] == "0.00000000" for before, row in flat)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.floats(0.01, 3), st.floats(0.01, 9))
def test_ids_are_consecutive_and_times_never_decrease_across_blocks_and_the_live_seam(seed, past, live):
    source = market(seed=seed, past=past, live=live, live_us=START + HOUR + 17 * 60_000_000)
    every = records(source, START, START + int(1.6 * HOUR))
    assert [t.id for t in every] == list(range(source.first_id, source.first_id + len(every)))
    assert all(
        a.time_us <= b.time_us and b.aggregate_id - a.aggregate_id in (0, 1) for a, b in itertools.pairwise(every)
    )
    assert every == records(
        market(seed=seed, past=past, live=live, live_us=START + HOUR + 17 * 60_000_000), START, START + int(1.6 * HOUR)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5 * 24 * 3600), st.integers(1, 700))
def test_a_trade_is_the_same_found_by_time_or_by_id(second, limit):
    source = market()
    low = START + second * 1_000_000
    by_time = [t for part in source.trades(low, START + 6 * DAY, limit) for t in trade_records(source, part)]
    parts = source.trades_from_index(source.trades_before(low), START + 6 * DAY, limit)
    assert [t for part in parts for t in trade_records(source, part)] == by_time
    assert len(by_time) == limit or by_time[-1].time_us > START + 5 * DAY


def test_aggregates_are_the_trades_put_together():
    source = market()
    trades = records(source, START, START + 2 * HOUR)
    found = [a for part in source.trades(START, START + 2 * HOUR) for a in aggregate_records(source, part)]
    assert [a.id for a in found] == list(range(source.first_aggregate, source.first_aggregate + len(found)))
    spanned = {}
    for trade in trades:
        spanned.setdefault(trade.aggregate_id, []).append(trade)
    for a in found:
        of = spanned[a.id]
        assert (of[0].id, of[-1].id, {t.price for t in of}, {t.time_us for t in of}) == (
            a.first_id,
            a.last_id,
            {a.price},
            {a.time_us},
        )
        assert sum(Decimal(t.qty) for t in of) == Decimal(a.qty)
        assert {t.buyer_is_maker for t in of} == {a.buyer_is_maker}
    assert sum(a.last_id - a.first_id + 1 for a in found) == len(trades)
    assert max(len(of) for of in spanned.values()) > 2


def test_another_seed_makes_another_market_and_the_same_seed_the_same():
    first, again, other = (records(market(seed=seed), START, START + HOUR) for seed in (7, 7, 8))
    assert first == again != other


def test_many_trades_share_their_millisecond_and_many_seconds_have_none():
    times = np.array([t.time_us for t in records(market(past=1.0, live_us=START + DAY), START, START + 6 * HOUR)])
    _, counts = np.unique(times // 1000, return_counts=True)
    assert 0.41 <= counts[counts > 1].sum() / len(times) <= 0.85
    assert len(np.unique(times // 1_000_000)) < 0.8 * 6 * 3600


@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT", "PEPE2USDT", "币安人生USDT"])
def test_prices_and_sizes_keep_to_tick_and_step(symbol):
    source = market(symbol)
    tick, step = Decimal(1).scaleb(-source.listing.tick_decimals), Decimal(1).scaleb(-source.listing.step_decimals)
    trades = records(source, START, START + HOUR)
    assert trades
    for trade in trades:
        price, qty = Decimal(trade.price), Decimal(trade.qty)
        assert price > 0 < qty and price % tick == 0 == qty % step
        assert Decimal(trade.quote_qty) == price * qty
        assert len(trade.price.partition(".")[2]) == len(trade.qty.partition(".")[2]) == 8


def test_quotes_rise_in_update_id_with_holes_and_bid_stays_below_ask():
    source = market(live_us=START)
    quotes = source.quotes(START, START + HOUR)
    ids = np.concatenate([q.update_id for q in quotes])
    assert (np.diff(ids) > 0).all() and (np.diff(ids) > 1).any()
    assert all(
        (q.bid < q.ask).all() and (q.bid > 0).all() and (q.bid_steps > 0).all() and (q.ask_steps > 0).all()
        for q in quotes
    )


def test_a_burst_moves_later_ids_up_and_leaves_earlier_trades_alone():
    source, plain = market(), market()
    at = START + 3 * DAY + 5 * HOUR
    before = records(source, START, at)
    candles = Candles(source)
    candles.klines("1h", START, at, at, 1000)
    source.burst(at + 1000, 735)
    assert records(source, START, at) == before == records(plain, START, at)
    every = records(source, START, at + HOUR)
    assert [t.id for t in every] == list(range(source.first_id, source.first_id + len(every)))
    times = [t.time_us // 1000 for t in every]
    assert max(times.count(ms) for ms in {(at + 1000) // 1000}) >= 735
    assert len(every) == len(records(plain, START, at + HOUR)) + 735
    got = candles.klines("15m", START, at + HOUR, at + HOUR, 100_000)
    assert sum(kline[2][6] for kline in got) == len(every)
    later = records(source, START + 4 * DAY, START + 4 * DAY + HOUR)
    assert later[0].id == records(plain, START + 4 * DAY, START + 4 * DAY + HOUR)[0].id + 735


def test_nothing_of_the_future_is_told(clock):
    exchange = Exchange(Plan(("SOLUSDT",), 7, rate=5.0), clock)
    assert exchange.trades("SOLUSDT", NOON - 60_000_000, NOON + DAY)[-1].time_us < NOON
    clock.now += 60_000_000
    assert exchange.trades("SOLUSDT", NOON, NOON + DAY) == []
    exchange.advance(DAY)
    made = exchange.trades("SOLUSDT")
    assert NOON <= made[0].time_us <= made[-1].time_us < clock.now


def test_a_paused_exchange_stands_still_and_catches_up(clock):
    exchange = Exchange(Plan(("SOLUSDT",), 7, rate=5.0), clock)
    exchange.pause()
    clock.now += 60_000_000
    assert exchange.advance(DAY) == (NOON, NOON)
    exchange.resume()
    assert exchange.advance(DAY) == (NOON, clock.now)


def test_history_begins_200_days_before_the_utc_day_of_the_session():
    exchange = Exchange(Plan(("SOLUSDT",)), Clock(NOON))
    assert exchange.start_us == NOON // DAY * DAY - 200 * DAY
    assert exchange.klines("SOLUSDT", "1d", limit=1)[0][0] == exchange.start_us


@given(st.integers(0, 10**15), st.integers(0, 8))
def test_decimal_text_is_exact(units, decimals):
    assert Decimal(decimal_text(units, decimals)) == Decimal(units).scaleb(-decimals)


@pytest.mark.parametrize(
    ("symbols", "message"), [([], "at least one"), (["A", "a"], "twice"), (["A/B"], "letters and digits")]
)
def test_symbols_that_cannot_be_listed_are_refused_by_name(symbols, message):
    with pytest.raises(ValueError, match=message):
        listings(symbols)


@pytest.mark.parametrize("nonsense", [{"seed": -1}, {"rate": 0}, {"rate": 1e9}, {"quote_rate": -1}])
def test_a_plan_without_sense_is_refused(nonsense):
    with pytest.raises(ValueError, match="expected"):
        Plan(("SOLUSDT",), **nonsense)


def test_nineteen_pairs_are_listed_by_default():
    assert len(DEFAULT_SYMBOLS) == 19
