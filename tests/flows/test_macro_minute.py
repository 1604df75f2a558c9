"""macro-minute as a person runs it and as a flow: real yfinance, the stand-in's Yahoo."""

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
