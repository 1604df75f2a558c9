"""Property: the report, Data Docs' results, the JSON and one SQL query count the same on random data."""

import json
import math
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lake import views
from lake.layout import Layout
from tests.expectations.candles import candle, write_candles
from tests.expectations.shown import docs, summary
from tests.expectations.small import SOL, START, bars, check, write_hours

SECONDS = 240
PRICE = st.sampled_from([100.0, 99.0, 101.0, 0.0, -1.0, None, math.nan, 250.0])
QUOTE = st.sampled_from([99.5, 100.5, None, 100.0, 50.0])

COUNTS = """
WITH seconds AS (SELECT * FROM read_parquet($files, can_have_nan = true)),
prices AS (
    SELECT list_filter([open, high, low, close], lambda p: p IS NOT NULL AND NOT isnan(p)) AS known,
        list_transform([open, high, low, close], lambda p: if(isnan(p), NULL, p)) AS p,
        bid IS NOT NULL AND ask IS NOT NULL AS quoted, *
    FROM seconds
),
wide AS (
    SELECT count(*) FILTER (quoted AND spread >= 0.05 * (bid + ask) / 2) AS n, count(*) FILTER (quoted) AS quoted
    FROM prices
),
own AS (SELECT DISTINCT ON (window_start) * FROM seconds WHERE symbol = $symbol),
ids AS (
    SELECT first_trade_id, lag(last_trade_id) OVER (ORDER BY window_start) AS before
    FROM own WHERE first_trade_id IS NOT NULL
),
minutes AS (
    SELECT ours.open IS DISTINCT FROM k.open OR ours.high IS DISTINCT FROM k.high
        OR ours.low IS DISTINCT FROM k.low OR ours.close IS DISTINCT FROM k.close
        OR ours.trade_count IS DISTINCT FROM k.trades
        OR abs(ours.volume_base - k.volume) > 1e-9 * greatest(ours.volume_base, k.volume)
        OR abs(ours.volume_quote - k.quote_volume) > 1e-9 * greatest(ours.volume_quote, k.quote_volume) AS differs
    FROM bars_1m AS ours JOIN klines_1m AS k USING (symbol, window_start)
    WHERE ours.complete AND symbol = $symbol
)
SELECT
    count(*) FILTER (symbol IS DISTINCT FROM $symbol) AS R0,
    count(*) FILTER (p[3] > p[1] OR p[3] > p[4] OR p[1] > p[2] OR p[4] > p[2] OR p[3] > p[2]) AS R1,
    count(*) FILTER (list_min(known) <= 0) AS R2,
    count(*) FILTER (ask < bid) AS R3,
    count(*) FILTER (len(known) < 4) AS R4,
    count(*) - count(DISTINCT (coalesce(symbol, ''), window_start)) + $seconds - (SELECT count(*) FROM own) AS R5,
    count(*) FILTER (spread < 0) + (SELECT if(n >= 0.001 * quoted, n, 0) FROM wide) AS R6,
    (SELECT count(*) FILTER (differs) FROM minutes) AS R7,
    (SELECT count(*) FILTER (first_trade_id <> before + 1) FROM ids) AS R8,
    (SELECT count(*) FROM minutes) AS compared
FROM prices
"""


@st.composite
def broken(draw):
    """Bars with random values in few random rows, some gone, some twice; klines, some gone, some of other values."""
    rows = bars(SECONDS)
    given = [klines_of(rows[at : at + 60]) for at in range(0, SECONDS, 60)]
    for row in draw(st.lists(st.sampled_from(rows), max_size=4)):
        for name in draw(st.sets(st.sampled_from(["open", "high", "low", "close"]), max_size=2)):
            row[name] = draw(PRICE)
        row["bid"], row["ask"] = draw(QUOTE), draw(QUOTE)
        row["spread"] = None if None in (row["bid"], row["ask"]) else row["ask"] - row["bid"]
        row["symbol"] = draw(st.sampled_from([SOL, SOL, SOL, "SUIUSDT", None]))
        if row["first_trade_id"] and draw(st.booleans()):
            row["first_trade_id"] += draw(st.integers(-2, 2))
    gone = draw(st.sets(st.integers(0, SECONDS - 1), max_size=2))
    kept = [row for index, row in enumerate(rows) if index not in gone]
    for one in draw(st.lists(st.sampled_from(given), max_size=2)):
        one[draw(st.sampled_from(["open", "close", "volume", "quote_volume"]))] = draw(st.sampled_from([100.0, 77.0]))
    twice = draw(st.lists(st.sampled_from(kept), max_size=2))
    return sorted(kept + twice, key=lambda row: row["window_start"]), draw(st.sets(st.integers(0, 3))), given


def klines_of(rows):
    sums = {name: sum(row[name] for row in rows) for name in
            ("volume_base", "volume_quote", "trade_count", "taker_buy_base", "taker_buy_quote")}  # fmt: skip
    sums |= {"open": 100.0, "close": 100.0, "high": 101.0, "low": 99.0}
    return candle(rows[0]["window_start"], SOL, sums)


def stored(layout):
    """The violations in Great Expectations' own store of results."""
    found = {}
    for path in (layout.reports / "gx" / "uncommitted" / "validations").rglob("*.json"):
        for item in json.loads(path.read_text())["results"]:
            rule = item["expectation_config"]["kwargs"]["check"].partition("-")[0]
            found[rule] = found.get(rule, 0) + item["result"]["unexpected_count"]
    return found


@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=broken())
def test_report_results_pages_json_and_sql_count_the_same(tmp_path_factory, data):
    rows, there, klines = data
    layout = Layout(tmp_path_factory.mktemp("lake"))
    write_hours(layout, rows)
    write_candles(layout, [one for index, one in enumerate(klines) if index in there])
    outcome = check(layout, SECONDS)
    with views.connect(layout) as con:
        files = [str(path) for path in layout.parquet.rglob("*.parquet")]
        asked = con.execute(COUNTS, {"files": files, "symbol": SOL, "seconds": SECONDS})
        said = dict(zip([column[0] for column in asked.description], asked.fetchone(), strict=True))
    compared = said.pop("compared")
    assert {rule.rule: rule.violations for rule in outcome.rules} == said
    assert {rule: count for rule, (_, count) in summary(outcome).items()} == said
    assert stored(layout) == docs(outcome) == said
    assert {rule["rule"]: rule["violations"] for rule in outcome.to_json()["rules"]} == said
    parity = outcome.to_json()["parity"]
    assert (parity["checked"], sum(parity["reasons"].values())) == (compared, said["R7"])
    assert next(rule.checked for rule in outcome.rules if rule.rule == "R7") == compared


def test_the_query_of_the_property_finds_something_to_compare(layout):
    """So that the property cannot hold for want of complete minutes."""
    rows = bars(SECONDS)
    write_hours(layout, rows)
    write_candles(layout, [klines_of(rows[at : at + 60]) for at in range(0, SECONDS, 60)])
    parity = check(layout, SECONDS).to_json()["parity"]
    assert (parity["checked"], parity["violations"]) == (4, 0)
    assert rows[-1]["window_start"] == START + timedelta(seconds=SECONDS - 1)
