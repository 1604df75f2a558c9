"""`crypto-lake validate-rules` as a person types it: the sources, the klines that are fetched first, exit codes."""

import json
from datetime import UTC, datetime

import pytest

from lake import own_rules, transform
from lake.windows import DAY_US, MINUTE_US, iso, micros, moment
from simulator import Simulator
from tests.flows.test_commands import refused
from tests.lake.sliceable import everything

NOW = micros(datetime(2025, 1, 4, 12, 30, 30, tzinfo=UTC))
FIRST = NOW // MINUTE_US * MINUTE_US - 12 * MINUTE_US
SPAN = ("--start", iso(moment(FIRST)), "--end", iso(moment(FIRST + 10 * MINUTE_US)))


@pytest.fixture
def sim():
    with Simulator(["SOLUSDT"], 5, start_us=NOW // DAY_US * DAY_US - DAY_US, rate=2, clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def rules(command, sim, raw, layout):
    """The command on a lake that has twelve minutes of the stand-in's trades as bars."""
    trades = sim.trades("SOLUSDT", FIRST - MINUTE_US, FIRST + 11 * MINUTE_US)
    raw.put(*({
        "symbol": "SOLUSDT", "ts_event": t.time_us, "ts_recv": t.time_us, "price": t.price, "qty": t.qty,
        "side": "sell" if t.buyer_is_maker else "buy", "bid": None, "ask": None, "stream": "trade", "trade_id": t.id,
    } for t in trades))  # fmt: skip
    transform.run(layout, "SOLUSDT")
    places = {"LAKE_BINANCE__REST_URL": sim.rest_url, "LAKE_BINANCE__ARCHIVE_URL": sim.archive_url}
    places["LAKE_SYMBOLS"] = '["SOLUSDT"]'
    return lambda *arguments, **more: command("validate-rules", *arguments, **(places | more))


def checked(found, rule):
    return next(one["checked"] for one in found["rules"] if one["rule"] == rule)


@pytest.mark.parametrize("tf", ["1s", "1m"])
def test_klines_are_fetched_first_and_every_complete_minute_equals_its_own(rules, tf):
    done = rules(*SPAN, "--tf", tf, "--json")
    found = json.loads(done.stdout)
    assert (found["verdict"], checked(found, "R7"), found["parity"]["klines_missing"]) == ("PASS", 0, 10)
    done = rules(*SPAN, "--tf", tf, "--fetch-klines", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], checked(found, "R7")) == (0, "PASS", 10)
    unseen = {"klines_missing": 0, "klines_off_grid": 0}
    assert found["parity"] == {"complete": 10, "checked": 10, "violations": 0, "reasons": {}, **unseen}


def test_klines_that_cannot_be_fetched_are_a_warning_and_nothing_is_compared(rules, layout):
    done = rules(*SPAN, "--fetch-klines", "--json", LAKE_BINANCE__REST_URL="http://127.0.0.1:9",
                 LAKE_BINANCE__ARCHIVE_URL="http://127.0.0.1:9")  # fmt: skip
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], checked(found, "R7")) == (0, "PASS", 0)
    [note] = found["notes"]
    assert "could not be fetched" in note
    [report] = set(layout.reports.glob("*.md")) - {layout.health_report}
    assert "could not be fetched" in report.read_text()
    assert "R7 had nothing to compare" in report.read_text()


def test_a_rule_of_ones_own_for_a_suite_that_does_not_exist_is_told_on_the_console(rules, layout):
    mine = layout.reports / "gx" / "plugins" / "expectations" / "mine.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("from great_expectations.expectations import ExpectColumnToExist\n"
                    "EXPECTATIONS = [ExpectColumnToExist(column='close')]\nSUITES = ['bars_1sec']\n")  # fmt: skip
    done = rules(*SPAN)
    assert (done.returncode, done.stdout.startswith("INVESTIGATE: ")) == (0, True)
    assert "plugins/expectations/mine.py: look at them, then crypto-lake rules allow" in done.stdout
    own_rules.allow(own_rules.found(own_rules.project(layout)))
    done = rules(*SPAN)
    assert (done.returncode, done.stdout.startswith("INVESTIGATE: ")) == (0, True)
    for words in ("plugins/expectations/mine.py", "'bars_1sec'", "bars_1s,"):
        assert words in done.stdout


def test_each_source_is_a_word_and_what_is_not_there_says_what_to_run(rules, layout):
    assert refused(rules("--source", "klines"), "no symbol has klines yet: run backfill-binance first", code=1)
    assert refused(rules("--source", "derivatives"), "run derivatives-hour first", code=1)
    rules(*SPAN, "--fetch-klines")
    done = rules(*SPAN, "--source", "klines", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["tf"], found["rows"]) == (0, "PASS", "1m", 10)
    done = rules(*SPAN, "--source", "macro", "--symbols", "EURUSD=X,SPY", "--json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (1, "FAIL")


SMALL = ("--start", "2025-10-20", "--end", "2025-10-20T00:05:00Z", "--json")


@pytest.mark.parametrize("source", ["bars", "klines", "macro", "derivatives"])
def test_without_symbols_all_that_the_lake_has_is_checked_and_what_config_names_and_it_lacks_is_no_pass(
    command, layout, source
):
    everything(layout)
    (layout.derivatives / "funding" / "not a symbol").mkdir()
    held = ["EURUSD=X", "SPY", "^GSPC"] if source == "macro" else ["ADAUSDT", "SOLUSDT", "XRPUSDT"]
    both = {"LAKE_SYMBOLS": '["SOLUSDT", "BTCUSDT"]', "LAKE_MACRO_MINUTE__TICKERS": '["SPY", "QQQ"]'}
    found = json.loads(command("validate-rules", *SMALL, "--source", source, **both).stdout)
    assert found["symbols"] == held
    lacking = "QQQ" if source == "macro" else "BTCUSDT"
    [note] = [note for note in found["notes"] if "config.yml" in note]
    assert note.startswith(f"config.yml names {lacking}, and the lake holds no {source} of it: not checked")
    assert found["verdict"] != "PASS"


def test_what_config_names_and_the_lake_lacks_makes_of_a_pass_an_investigate_and_named_symbols_do_not(rules):
    more = {"LAKE_SYMBOLS": '["SOLUSDT", "BTCUSDT"]'}
    assert json.loads(rules(*SPAN, "--json", **more).stdout)["verdict"] == "INVESTIGATE"
    named = json.loads(rules(*SPAN, "--json", "--symbols", "SOLUSDT", **more).stdout)
    assert (named["verdict"], named["notes"]) == ("PASS", [])
    done = rules(*SPAN, **more)
    assert (done.returncode, "config.yml names BTCUSDT, and the lake holds no bars of it" in done.stdout) == (0, True)


def test_klines_that_cannot_be_read_are_a_failure_and_no_verdict(rules, layout):
    path = layout.kline_file("SOLUSDT", moment(FIRST).date(), "1m")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 torn")
    assert refused(rules(*SPAN, "--json"), "klines_1m.parquet: damaged", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--source", "trades"), ["source"]),
        (("--source", "macro", "--tf", "1s"), ["tf '1s'", "macro have 1m"]),
        (("--source", "macro", "--symbols", "a/b"), ["ticker 'a/b'"]),
        (("--source", "klines", "--symbols", "EURUSD=X"), ["symbol 'EURUSD=X'"]),
        (("--symbols", "EURUSD=X"), ["symbol 'EURUSD=X'"]),
    ],
)
def test_bad_input_is_one_line(command, arguments, words, layout):
    layout.parquet.joinpath("SOLUSDT").mkdir(parents=True)
    assert refused(command("validate-rules", *SPAN, *arguments), *words)
