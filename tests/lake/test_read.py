import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from lake import compact, read, transform, views
from lake.schemas import BARS
from lake.windows import Window, moment
from tests import oracle
from tests.conftest import DAY

ALL = Window.parse("2025-10-20", "2025-10-21")


def test_views_of_an_empty_lake_have_their_columns_and_no_rows(layout):
    con = views.connect(layout)
    for view in ("bars_1s", "bars_1m"):
        found = con.sql(f"SELECT * FROM {view}")
        assert found.columns == ["exchange", *BARS.names]
        assert found.fetchall() == []


def test_views_see_what_comes_later_without_being_made_anew(layout, raw):
    con = views.connect(layout)
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
    con.execute(views.sql(layout))
    assert con.sql("SELECT exchange, sum(trade_count) FROM bars_1m GROUP BY ALL").fetchall() == [("binance", 2)]


def test_a_base_path_with_quotes_spaces_and_letters_of_another_script_is_read(tmp_path, raw_of):
    from lake.layout import Layout
    from tests.conftest import Raw

    odd = Layout(tmp_path / "a 'lake' 湖")
    raw = Raw(odd, "币安人生USDT")
    raw.put(raw.trade(1, 10))
    transform.run(odd, "币安人生USDT")
    compact.run(odd, "币安人生USDT", ALL.start.date())
    assert views.connect(odd).sql("SELECT symbol, trade_count FROM bars_1s").fetchall() == [("币安人生USDT", 1)]


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


def test_a_minute_without_one_of_its_seconds_is_not_complete_though_all_others_are(layout, raw):
    raw.put(raw.trade(1, 59), *(raw.trade(n + 2, 60 + n) for n in range(60)), raw.trade(62, 120))
    transform.run(layout, "SOLUSDT")
    whole = read.bars(layout, "SOLUSDT", Window.parse("2025-10-20T00:01:00Z", "2025-10-20T00:02:00Z"))
    assert read.rolled_up(whole, "1m")["complete"].to_pylist() == [True]
    assert read.rolled_up(whole.slice(1), "1m")["complete"].to_pylist() == [False]


def test_the_quote_of_a_minute_is_the_last_that_one_of_its_seconds_has(layout, raw):
    quotes = (raw.quote(1, 61, "98.0", "99.0"), raw.quote(2, 90, "97.0", "99.5"))
    raw.put(raw.trade(1, 60), *quotes, raw.trade(2, 119), raw.trade(3, 121))
    transform.run(layout, "SOLUSDT")
    minute = oracle.rows(read.bars(layout, "SOLUSDT", ALL, "1m"))[DAY + 60_000_000]
    assert [minute[key] for key in ("bid", "ask", "spread")] == [97.0, 99.5, 2.5]


def test_coverage_counts_each_hour_from_the_first_bar_to_the_last(layout, raw):
    """Trades 1 to 3 at 0:59:58 to 1:00:01 (one second flat), 4 missing, 5 and 6 at 3:00:10 and 3:00:11."""
    raw.put(raw.trade(1, 3598), raw.trade(2, 3599), raw.trade(3, 3601), raw.trade(5, 10_810), raw.trade(6, 10_811))
    transform.run(layout, "SOLUSDT")
    found = views.connect(layout).sql("FROM coverage ORDER BY window_start").fetchall()
    hours = [DAY + hour * 3_600_000_000 for hour in range(4)]
    assert [(row[0], row[1], int(row[2].timestamp() * 1_000_000)) for row in found] == [
        ("binance", "SOLUSDT", hour) for hour in hours
    ]
    # expected, held, flat, missing, complete, trades missing
    assert [row[3:] for row in found] == [
        (2, 2, 0, 0, 1, 0),
        (3600, 1, 1, 3598, 1, 0),
        (3600, 0, 0, 3600, 0, 0),
        (12, 2, 0, 10, 0, 1),
    ]


def test_bars_of_every_length_are_whole_days_hours_and_minutes_in_utc_whatever_the_zone(layout, raw):
    raw.put(*(raw.trade(number + 1, number * 600, str(100 + number)) for number in range(7)))
    transform.run(layout, "SOLUSDT")
    con = views.connect(layout)
    con.execute("SET TimeZone = 'Asia/Kolkata'")
    opens = {
        tf: con.sql(f"SELECT epoch_us(window_start), open, close, trade_count FROM bars_{tf} ORDER BY ALL").fetchall()
        for tf in ("5m", "15m", "1h", "1d")
    }
    assert opens["1d"] == [(DAY, 100.0, 106.0, 7)]
    assert opens["1h"] == [(DAY, 100.0, 105.0, 6), (DAY + 3_600_000_000, 106.0, 106.0, 1)]
    assert [(at - DAY) // 60_000_000 for at, *_ in opens["15m"]] == [0, 15, 30, 45, 60]
    assert [(at - DAY) // 60_000_000 for at, *_ in opens["5m"]] == list(range(0, 61, 5))
    assert [count for *_, count in opens["5m"]] == [1, 0] * 6 + [1]


@pytest.mark.parametrize(
    "folder", ["year=2025/month=13/day=01", "year=2025/month=02/day=30", "year=0000/month=01/day=01"]
)
def test_a_folder_that_is_named_after_no_day_is_passed_over(layout, raw, folder):
    raw.put(raw.trade(1, 0))
    transform.run(layout, "SOLUSDT")
    shutil.copytree(layout.hour_folder("SOLUSDT", moment(DAY).date()), layout.parquet / "SOLUSDT" / folder)
    assert layout.hour_days("SOLUSDT") == [moment(DAY).date()]


def test_a_folder_that_compaction_takes_away_while_days_are_listed_has_no_hours(layout, raw, monkeypatch):
    raw.put(raw.trade(1, 0))
    transform.run(layout, "SOLUSDT")
    look = os.scandir

    def meddle(folder):
        if isinstance(folder, Path) and folder.name.startswith("day="):
            shutil.rmtree(folder)
        return look(folder)

    monkeypatch.setattr(os, "scandir", meddle)
    assert layout.hour_files("SOLUSDT", moment(DAY).date()) == {}
    monkeypatch.undo()
    transform.run(layout, "SOLUSDT", ALL)
    monkeypatch.setattr(os, "scandir", meddle)
    assert layout.hour_days("SOLUSDT") == []
