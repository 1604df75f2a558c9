import os
import subprocess
import sys

import duckdb

from lake import compact, read, transform
from lake.schemas import BARS
from lake.windows import Window
from tests import oracle
from tests.conftest import DAY

ALL = Window.parse("2025-10-20", "2025-10-21")


def test_views_of_an_empty_lake_have_their_columns_and_no_rows(layout):
    con = read.connect(layout)
    for view in ("bars_1s", "bars_1m"):
        found = con.sql(f"SELECT * FROM {view}")
        assert found.columns == ["exchange", *BARS.names]
        assert found.fetchall() == []


def test_views_see_what_comes_later_without_being_made_anew(layout, raw):
    con = read.connect(layout)
    raw.put(raw.trade(1, 10))
    transform.run(layout, "SOLUSDT")
    assert con.sql("SELECT symbol, trade_count FROM bars_1s").fetchall() == [("SOLUSDT", 1)]


def test_a_connection_and_its_cursors_are_in_utc_on_a_machine_that_is_not():
    script = (
        "from lake import duck\ncon = duck.memory()\n"
        "print([one.sql(\"SELECT current_setting('TimeZone')\").fetchall() for one in (con, con.cursor())])"
    )
    zone = os.environ | {"TZ": "Asia/Kolkata"}
    done = subprocess.run([sys.executable, "-c", script], env=zone, capture_output=True, text=True, check=True)
    assert done.stdout == "[[('UTC',)], [('UTC',)]]\n"


def test_views_sql_works_in_any_client(layout, raw):
    raw.put(raw.trade(1, 10), raw.trade(2, 11))
    transform.run(layout, "SOLUSDT")
    con = duckdb.connect()
    con.execute(read.views_sql(layout))
    assert con.sql("SELECT exchange, sum(trade_count) FROM bars_1m GROUP BY ALL").fetchall() == [("binance", 2)]


def test_a_base_path_with_quotes_spaces_and_letters_of_another_script_is_read(tmp_path, raw_of):
    from lake.layout import Layout
    from tests.conftest import Raw

    odd = Layout(tmp_path / "a 'lake' 湖")
    raw = Raw(odd, "币安人生USDT")
    raw.put(raw.trade(1, 10))
    transform.run(odd, "币安人生USDT")
    compact.run(odd, "币安人生USDT", ALL.start.date())
    assert read.connect(odd).sql("SELECT symbol, trade_count FROM bars_1s").fetchall() == [("币安人生USDT", 1)]


def test_flat_seconds_count_for_neither_open_high_nor_low_of_their_minute(layout, raw):
    raw.put(raw.trade(1, 50, "500.0"), raw.trade(2, 70, "7.0"), raw.trade(3, 80, "6.0"), raw.trade(4, 200, "6.5"))
    transform.run(layout, "SOLUSDT")
    minutes = oracle.rows(read.bars(layout, "SOLUSDT", ALL, "1m"))
    second = minutes[DAY + 60_000_000]
    assert [second[key] for key in ("open", "high", "low", "close", "complete")] == [7.0, 7.0, 6.0, 6.0, True]
    flat = minutes[DAY + 120_000_000]
    assert [flat[key] for key in ("open", "high", "low", "close", "trade_count", "vwap")] == [6.0] * 4 + [0, None]


def test_a_minute_is_complete_only_with_all_its_seconds(layout, raw):
    raw.put(raw.trade(1, 59), raw.trade(2, 60), raw.trade(3, 119), raw.trade(4, 120), raw.trade(6, 150))
    transform.run(layout, "SOLUSDT")
    minutes = oracle.rows(read.bars(layout, "SOLUSDT", ALL, "1m"))
    assert [bar["complete"] for _, bar in sorted(minutes.items())] == [False, True, False]
