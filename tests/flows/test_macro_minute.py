"""macro-minute as a person runs it and as a flow: real yfinance, the stand-in's Yahoo."""

import csv
import json
import time

import pyarrow.parquet as pq
import pytest

from simulator import Simulator
from tests.conftest import content
from tests.flows.test_commands import refused


@pytest.fixture
def sim():
    with Simulator(["SOLUSDT"], seed=7) as running:
        yield running


@pytest.fixture
def macro(command, sim):
    return lambda *arguments, **more: command(
        "macro-minute", *arguments, **({"LAKE_MACRO_MINUTE__YAHOO_URL": sim.yahoo_url} | more)
    )


def tickers(layout):
    return sorted(path.name for path in layout.macro.iterdir()) if layout.macro.is_dir() else []


def test_an_empty_lake_is_filled_from_config_and_twice_gives_once(macro, layout):
    """The tickers are closed on no day, and a minute may end between the two runs."""
    follow = {"LAKE_MACRO_MINUTE__TICKERS": '["btc-usd", "EURUSD=X"]'}
    done = macro(**follow)
    assert done.returncode == 0, done.stderr
    assert tickers(layout) == ["BTC-USD", "EURUSD=X"]
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in (layout.macro / "BTC-USD").rglob("*.parquet"))
    assert 7 * 1440 - 1 <= rows <= 7 * 1440 + 1
    before = content(layout.base)
    done = macro(**follow)
    assert done.returncode == 0, done.stderr
    after = content(layout.base)
    assert after.keys() >= before.keys()
    assert sum(after.get(name) != before[name] for name in before) <= 4  # at most two days of two tickers went on


def refused_at_the_end(done, *words):
    """The last line has these words; those before it are the log's."""
    assert done.returncode == 1, done
    assert all(word in done.stderr.splitlines()[-1] for word in words), done.stderr
    return True


def test_a_ticker_that_does_not_exist_is_named_the_others_are_stored_and_the_exit_code_is_1(macro, layout):
    done = macro("--tickers", "NOPE,SPY,uup", "--lookback-days", "8")
    assert refused_at_the_end(done, "1 failed: NOPE: Yahoo has no ticker NOPE", "new minutes of 2 tickers")
    assert tickers(layout) == ["SPY", "UUP"]


def test_a_changed_schema_is_exit_code_1_and_leaves_the_table_alone(macro, layout, sim):
    assert macro("--tickers", "BTC-USD", "--lookback-days", "1").returncode == 0
    before = content(layout.base)
    sim.fault("yahoo_schema")
    done = macro("--tickers", "BTC-USD", "--lookback-days", "2")
    assert refused_at_the_end(done, "BTC-USD: Yahoo's answer has changed: expected `close`")
    assert content(layout.base) == before


class Yahoo:
    """Answers of Yahoo's by hand: ten minutes that ended an hour ago."""

    def __init__(self, folder):
        self.folder = folder
        self.first = int(time.time()) // 60 * 60 - 3600

    def put(self, ticker, rows=10, symbol=None, twice=None, meta=None, **columns):
        """Place an answer; ``columns`` gives values by the number of their row, ``twice`` a row that comes again."""
        stamps = [self.first + 60 * number for number in range(rows)]
        close = [100.0 + number for number in range(rows)]
        quote = {"open": close, "high": [c + 1 for c in close], "low": [c - 1 for c in close], "close": close[:]}
        quote["volume"] = [1000] * rows
        for name, changes in columns.items():
            quote[name] = [changes.get(number, value) for number, value in enumerate(quote[name])]
        if twice is not None:
            for column in (stamps, *{id(one): one for one in quote.values()}.values()):
                column.insert(twice, column[twice])
            quote["volume"][twice + 1] = 2000
        about = {"symbol": symbol or ticker, "dataGranularity": "1m", "exchangeTimezoneName": "Asia/Kolkata"} | (
            meta or {}
        )
        result = {"meta": about, "indicators": {"quote": [quote if rows else {}]}} | (
            {"timestamp": stamps} if rows else {}
        )
        name = ticker.lstrip("^").replace("=", "_")
        (self.folder / f"{name}.json").write_text(json.dumps({"chart": {"error": None, "result": [result]}}))


@pytest.fixture
def yahoo(tmp_path):
    (tmp_path / "yahoo").mkdir()
    return Yahoo(tmp_path / "yahoo")


@pytest.fixture
def by_hand(command, yahoo):
    """macro-minute on answers by hand."""
    with Simulator(["SOLUSDT"], seed=7, yahoo_folder=yahoo.folder) as running:
        yield lambda *arguments: command(
            "macro-minute", *arguments, LAKE_MACRO_MINUTE__YAHOO_URL=running.yahoo_url, COLUMNS="300"
        )


def rows_of(done):
    """The rows of the table that is printed, by ticker: what stands in each column."""
    lines = done.stderr.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.strip().startswith("ticker")]
    return {line.split()[0]: line.split()[1:] for line in lines[at + 1 :]}


def test_unknown_hours_and_no_minute_yet_are_no_failure(by_hand, yahoo, layout):
    yahoo.put("^VIX")
    yahoo.put("NONE.L", rows=0)
    done = by_hand("--tickers", "^VIX,NONE.L", "--lookback-days", "1")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert rows_of(done)["NONE.L"][:10] == ["yes", "0", "0", "0", "0", "–", "–", "–", "–", "–"]
    assert rows_of(done)["^VIX"][:9] == ["yes", "10", "0", "0", "0", "–", "–", "–", "–"]
    assert done.stdout == (
        "10 new minutes of 2 tickers, 0 revised, 0 null rows left out, 0 missing, not known whether any is missing of "
        "^VIX NONE.L, whose trading hours are not known\n"
    )
    assert tickers(layout) == ["^VIX"]


PERIODS = [{"pre": [], "post": []}, {"pre": [[{}]], "post": [[{}]]}, None, [], "x", {"regular": None}]


@pytest.mark.parametrize("periods", PERIODS, ids=str)
def test_trading_periods_that_cannot_be_read_cost_no_minute(by_hand, yahoo, layout, periods):
    yahoo.put("VOD.L", meta={"tradingPeriods": periods})
    assert by_hand("--tickers", "VOD.L").returncode == 0
    assert sum(pq.ParquetFile(path).metadata.num_rows for path in layout.macro.rglob("*.parquet")) == 10


def test_rows_that_cannot_be_are_refused_one_by_one_counted_and_kept(by_hand, yahoo, layout):
    yahoo.put("BTC-USD", low={2: -1.0}, high={4: 1.0}, volume={6: 2**60}, open={8: None}, twice=0)
    done = by_hand("--tickers", "BTC-USD", "--lookback-days", "1")
    assert done.returncode == 0, done.stderr
    assert rows_of(done)["BTC-USD"][:7] == ["yes", "6", "0", "0", "4", "1", "superseded"]
    assert "4 refused (see quarantine/macro), 1 superseded by a later row" in done.stdout
    kept = [json.loads(line) for path in layout.quarantine.rglob("*.jsonl") for line in path.read_text().splitlines()]
    assert sorted((each["offset"] - yahoo.first) // 60 for each in kept) == [2, 4, 6, 8]
    before = content(layout.base)
    assert "4 refused" in by_hand("--tickers", "BTC-USD", "--lookback-days", "1").stdout
    assert content(layout.base) == before


def test_an_answer_about_another_ticker_is_exit_code_1_and_stores_nothing(by_hand, yahoo, layout):
    yahoo.put("FB", symbol="META")
    yahoo.put("USDJPY=X", symbol="JPY=X")
    done = by_hand("--tickers", "FB,USDJPY=X")
    assert refused_at_the_end(done, "1 failed: FB: Yahoo answers about META when asked for FB: nothing was stored")
    assert tickers(layout) == ["USDJPY=X"]


def test_a_ticker_with_an_ampersand_goes_through_every_command(by_hand, command, yahoo, layout, tmp_path):
    names = ["M&M.NS", "NIFTY_FIN_SERVICE.NS", "AAPL251219C00100000"]
    for name in names:
        yahoo.put(name)
    assert by_hand("--tickers", ",".join(names).lower(), "--lookback-days", "1").returncode == 0
    assert tickers(layout) == sorted(names)
    day = time.strftime("%Y-%m-%d", time.gmtime(yahoo.first))
    until = time.strftime("%Y-%m-%d", time.gmtime(yahoo.first + 2 * 86_400))
    span = ("--start", day, "--end", until)
    found = command("sql", "SELECT DISTINCT ticker FROM macro_minute ORDER BY 1", "--format", "csv")
    assert found.stdout.splitlines()[1:] == sorted(names)
    done = command("validate-rules", "--source", "macro", "--symbols", "m&m.ns", *span)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PASS: 10 rows of 1 symbol")
    pages = [path.read_text() for path in layout.reports.rglob("*.html")]
    assert any("M&amp;M.NS" in page for page in pages)
    assert not any("M&M.NS" in page for page in pages)
    out = tmp_path / "here" / "x.csv"
    done = command("slice-export", "--source", "macro", "--symbols", ",".join(names), *span, "--out", "x.csv",
                   "--format", "csv")  # fmt: skip
    assert done.returncode == 0, done.stderr
    with out.open(newline="") as handle:
        assert [line[0] for line in csv.reader(handle)][1:] == [name for name in names for _ in range(10)]


@pytest.mark.parametrize(
    ("arguments", "more", "words"),
    [
        (["--tickers", "S/Y"], {}, ["ticker 'S/Y'"]),
        (["--tickers", ","], {}, ["tickers"]),
        (["--lookback-days", "31"], {}, ["lookback_days", "31"]),
        (["--lookback-days", "0"], {}, ["lookback_days", "0"]),
        (["--lookback-days", "some"], {}, ["lookback_days", "some"]),
        ([], {"LAKE_MACRO_MINUTE__TICKERS": '["../x"]'}, ["LAKE_MACRO_MINUTE__TICKERS", "../x"]),
        ([], {"LAKE_MACRO_MINUTE__TICKERS": "[]"}, ["LAKE_MACRO_MINUTE__TICKERS", "at least one"]),
        ([], {"LAKE_MACRO_MINUTE__YAHOO_URL": "yahoo"}, ["LAKE_MACRO_MINUTE__YAHOO_URL", "http"]),
    ],
)
def test_bad_input_is_exit_code_2_and_one_line(macro, arguments, more, words):
    assert refused(macro(*arguments, **more), *words)


def test_a_rate_limit_storm_is_waited_out_with_the_others_stored_meanwhile(layout, sim, monkeypatch):
    """The storm is on one ticker; it ends while the flow waits."""
    from flows.macro_minute import macro_minute
    from tasks import macro as patience

    waited = []

    def sleep(seconds):
        waited.append((seconds, tickers(layout)))
        if len(waited) == 2:
            sim.clear_faults()

    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setenv("LAKE_MACRO_MINUTE__YAHOO_URL", sim.yahoo_url)
    monkeypatch.setattr(patience.patiently, "__defaults__", (None, sleep))
    monkeypatch.setattr(patience, "WAITS_S", (30.0, 60.0, 90.0))
    sim.fault("429", path="/v8/finance/chart/EURUSD=X")
    state = macro_minute.fn(tickers=["EURUSD=X", "BTC-USD", "UUP"], lookback_days=8)
    assert state.is_completed(), state.message
    assert "minutes of 3 tickers" in state.message
    assert [stored for _, stored in waited] == [["BTC-USD", "UUP"]] * 2
    assert tickers(layout) == ["BTC-USD", "EURUSD=X", "UUP"]


def test_a_storm_that_does_not_end_names_the_ticker_with_the_others_stored(layout, sim, monkeypatch):
    from flows.macro_minute import macro_minute
    from tasks import macro as patience

    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setenv("LAKE_MACRO_MINUTE__YAHOO_URL", sim.yahoo_url)
    monkeypatch.setattr(patience, "WAITS_S", (0.0, 0.0))
    sim.fault("429", path="/v8/finance/chart/EURUSD=X")
    state = macro_minute.fn(tickers=["EURUSD=X", "BTC-USD"], lookback_days=1)
    assert state.is_failed()
    assert "EURUSD=X: Yahoo asks for a pause" in state.message
    assert tickers(layout) == ["BTC-USD"]
