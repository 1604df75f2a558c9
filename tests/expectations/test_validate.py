"""The validation as a whole: one computation behind report, Data Docs and JSON; twice is once; errors are no pass."""

import hashlib
import json
import math
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations import checks, days, rulepack
from expectations.validate import validate
from lake.errors import BadInputError, LakeError
from lake.layout import Layout
from lake.windows import Window
from tests.expectations.small import (
    LATER,
    SOL,
    START,
    at,
    bars,
    check,
    counts,
    plant,
    rows_of,
    table,
    write_as_is,
    write_hours,
)

MAYBE_PRICE = st.sampled_from([100.0, 100.0, 99.0, 101.0, 0.0, -1.0, None, math.nan, 250.0])
MAYBE_QUOTE = st.sampled_from([99.5, 100.5, None, 100.0, 50.0])


@st.composite
def broken_bars(draw):
    """Bars with random values in random rows, some rows gone, some twice, some of another symbol."""
    rows = bars(draw(st.integers(1, 40)))
    for row in draw(st.lists(st.sampled_from(rows), max_size=6)):
        for name in draw(st.sets(st.sampled_from(["open", "high", "low", "close"]), max_size=3)):
            row[name] = draw(MAYBE_PRICE)
        row["bid"], row["ask"] = draw(MAYBE_QUOTE), draw(MAYBE_QUOTE)
        row["spread"] = None if None in (row["bid"], row["ask"]) else row["ask"] - row["bid"]
        row["symbol"] = draw(st.sampled_from([SOL, SOL, "SUIUSDT"]))
        if row["first_trade_id"] and draw(st.booleans()):
            row["first_trade_id"] += draw(st.integers(-2, 2))
    kept = [row for row in rows if draw(st.integers(0, 9)) > 0] or rows
    return sorted(kept + draw(st.lists(st.sampled_from(kept), max_size=3)), key=lambda row: row["window_start"])


def naively(rows, seconds):
    """The contract, row by row, in plain Python."""
    there = lambda value: value is not None and not math.isnan(value)  # noqa: E731
    found = dict.fromkeys(("R0", "R1", "R2", "R3", "R4", "R5", "R6", "R8"), 0)
    seen, own, wide, quoted, last = set(), set(), 0, 0, None
    for row in rows:
        o, h, low, c = (row[name] for name in ("open", "high", "low", "close"))
        pairs = [(low, o), (low, c), (o, h), (c, h), (low, h)]
        found["R0"] += row["symbol"] != SOL
        found["R1"] += any(there(a) and there(b) and a > b for a, b in pairs)
        found["R2"] += any(there(price) and not 0 < price < math.inf for price in (o, h, low, c))
        found["R4"] += not all(there(price) for price in (o, h, low, c))
        if there(row["bid"]) and there(row["ask"]):
            quoted += 1
            found["R3"] += row["ask"] < row["bid"]
            found["R6"] += row["spread"] < 0
            wide += row["spread"] >= 0.05 * (row["bid"] + row["ask"]) / 2
        key = (row["symbol"], row["window_start"])
        again = key in seen
        found["R5"] += again
        seen.add(key)
        if row["symbol"] == SOL:
            own.add(row["window_start"])
            if row["first_trade_id"] is not None and not again:
                found["R8"] += last is not None and row["first_trade_id"] != last + 1
                last = row["last_trade_id"]
    found["R5"] += seconds - len(own)
    found["R6"] += wide if quoted and wide / quoted >= 0.001 else 0
    return {rule: count for rule, count in found.items() if count}


def summary(outcome):
    """The counts in the report's summary table."""
    lines = re.findall(r"^\| (R\d) \| .* \| ([\d,]+) \| ([\d,]+) \| [^|]* \|$", outcome.report.read_text(), re.M)
    return {rule: (int(checked.replace(",", "")), int(count.replace(",", ""))) for rule, checked, count in lines}


class Cells(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.rows, self._in = [], False
        self.feed(page.read_text())

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        self._in = tag == "td" or (self._in and tag != "tr")

    def handle_endtag(self, tag):
        self._in = self._in and tag != "td"

    def handle_data(self, data):
        if self._in:
            self.rows[-1][-1] += data


def docs(outcome):
    """The violations in the Data Docs pages, by rule."""
    found = {}
    for day in outcome.days:
        for row in Cells(day.page).rows:
            if len(row) == 7 and re.fullmatch(r"[RMD]\d", row[0]):
                found[row[0]] = found.get(row[0], 0) + int(row[4].replace(",", ""))
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=broken_bars())
def test_report_json_and_pages_say_what_a_naive_count_finds(tmp_path_factory, rows):
    layout = Layout(tmp_path_factory.mktemp("lake"))
    write_hours(layout, rows)
    outcome = check(layout, 50)
    said = json.loads(json.dumps(outcome.to_json(), allow_nan=False))
    expected = naively(rows, 50)
    assert counts(outcome) == expected
    assert {rule["rule"]: rule["violations"] for rule in said["rules"] if rule["violations"]} == expected
    assert summary(outcome) == {rule["rule"]: (rule["checked"], rule["violations"]) for rule in said["rules"]}
    assert {rule: count for rule, count in docs(outcome).items() if count} == expected
    failing = outcome.rows != len(rows) or expected.keys() & {"R0", "R1", "R2", "R3", "R4"}
    duplicates = len(rows) - len({(row["symbol"], row["window_start"]) for row in rows})
    wanted = "FAIL" if failing or duplicates else "INVESTIGATE" if expected else "PASS"
    assert outcome.verdict == said["verdict"] == wanted


def fingerprints(layout):
    files = sorted(path for path in layout.base.rglob("*") if path.is_file())
    return {path.relative_to(layout.base).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_validation_twice_leaves_the_lake_the_same_byte_for_byte(layout):
    write_hours(layout, plant(bars(700), [3], open=None))
    write_hours(layout, bars(700, symbol="SUIUSDT"), "SUIUSDT")
    check(layout, 700, symbols=(SOL, "SUIUSDT"))
    before = fingerprints(layout)
    check(layout, 700, symbols=(SOL, "SUIUSDT"), now=LATER + timedelta(days=1))
    assert fingerprints(layout) == before


def test_a_repaired_day_replaces_its_page_and_report(layout):
    write_hours(layout, plant(bars(60), [3], open=None))
    first = check(layout, 60)
    write_hours(layout, bars(60))
    second = check(layout, 60)
    assert (first.verdict, second.verdict, first.report) == ("FAIL", "PASS", second.report)
    assert docs(second) == dict.fromkeys(docs(second), 0)


def test_minutes_are_those_of_the_view_and_only_whole_ones(layout):
    write_hours(layout, [row for index, row in enumerate(bars(600)) if not 120 <= index < 180])
    outcome = check(layout, 590, tf="1m")
    assert {name: count for name, count in counts(outcome).items() if name != "R8"} == {"R5": 1}
    assert (outcome.rows, outcome.days[0].expected) == (8, 9)
    assert check(layout, 580, start=START + timedelta(seconds=1), tf="1m").days[0].expected == 8
    with pytest.raises(BadInputError, match="no whole minute"):
        check(layout, 59, tf="1m")


def test_minutes_of_broken_seconds_are_counted_not_refused(layout):
    write_hours(layout, plant(bars(120), range(60), open=None, high=None, low=None, close=None))
    assert counts(check(layout, 120, tf="1m")) == {"R4": 1}


def test_hostile_text_is_shown_and_never_runs(layout):
    evil = "<script>alert(1)</script>"
    write_hours(layout, plant(bars(60), [3], symbol=evil))
    outcome = check(layout, 60)
    assert rows_of(outcome, "R0")[0]["symbol"] == evil
    page, report = outcome.days[0].page.read_text(), outcome.report.read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;script&gt;alert(1)" in report
    assert "<script" not in page + report


def test_pages_fetch_nothing_and_link_only_to_what_is_there(layout):
    write_hours(layout, plant(bars(60), [3], open=None))
    outcome = check(layout, 60)
    pages = sorted(outcome.data_docs.parent.rglob("*.html"))
    assert len(pages) == 4  # index, run, symbol-day, rules
    for page in pages:
        text = page.read_text()
        assert "//" not in re.sub(r"<!DOCTYPE.*?>", "", text)
        for href in re.findall(r'(?:href|src)="([^"#]+)"', text):
            assert href == "data:," or (page.parent / href.replace("%20", " ")).is_file(), (page, href)
    for href in re.findall(r"\]\(([^)]+)\)", outcome.report.read_text()):
        assert (outcome.report.parent / href).is_file(), href


def test_pages_name_rules_symbols_and_days_not_internals(layout):
    write_hours(layout, [row for row in bars(60) if row["window_start"].second != 9])
    outcome = check(layout, 60)
    page = re.sub(r"<[^>]+>", " ", outcome.days[0].page.read_text())
    for words in ("R5 Timestamps run on without a hole", "SOLUSDT 2025-10-20", "missing windows"):
        assert words in page
    assert "__none__" not in page
    assert "expect_" not in page


def test_the_report_goes_where_it_is_told_and_links_from_there(layout, tmp_path):
    write_hours(layout, bars(60))
    outcome = check(layout, 60, report=tmp_path / "elsewhere" / "mine.md")
    assert outcome.report == tmp_path / "elsewhere" / "mine.md"
    for heading in ("Run Metadata", "Validation Summary", "Detailed Statistics", "Overall Assessment"):
        assert f"## {heading}" in outcome.report.read_text()
    for href in re.findall(r"\]\(([^)]+)\)", outcome.report.read_text()):
        assert (outcome.report.parent / href).is_file()


def test_an_error_inside_a_check_is_never_a_pass(layout, monkeypatch):
    write_hours(layout, bars(60))

    def broken(frame, facts):
        raise ZeroDivisionError("planted")

    monkeypatch.setitem(checks.FUNCTIONS, "priced", broken)
    with pytest.raises(LakeError, match=r"SOLUSDT 2025-10-20: R4 could not be evaluated: .*planted"):
        check(layout, 60)


def test_a_page_that_cannot_be_rendered_is_an_error(layout, monkeypatch):
    write_hours(layout, bars(60))
    monkeypatch.setattr("expectations.pages.ResultRenderer.render", lambda *_: 1 / 0)
    with pytest.raises(LakeError, match="page was not built"):
        check(layout, 60)


def test_a_file_that_is_no_parquet_is_named(layout):
    path = layout.hour_file(SOL, START)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 torn")
    with pytest.raises(LakeError, match=r"bars_1s_10\.parquet: not readable as Parquet"):
        check(layout, 60)


@pytest.mark.parametrize(
    ("torn", "verdict"), [("great_expectations.yml", "PASS"), ("expectations/bars_1s.json", "INVESTIGATE")]
)
def test_a_torn_project_file_is_made_anew(layout, torn, verdict):
    """Of a suite that cannot be read nobody knows what a user had added to it."""
    write_hours(layout, bars(60))
    check(layout, 60)
    path = layout.reports / "gx" / torn
    path.write_bytes(path.read_bytes()[:40])
    outcome = check(layout, 60)
    assert outcome.verdict == verdict
    assert ["reports/gx/damaged-1/expectations/bars_1s.json" in note for note in outcome.notes] == [True] * (
        verdict != "PASS"
    )


@pytest.mark.parametrize("torn", ["great_expectations.yml", "checkpoints/bars_1s.json"])
def test_own_expectations_lost_with_a_torn_project_are_told_until_they_are_dealt_with(layout, torn):
    import great_expectations as gx
    import great_expectations.expectations as gxe

    write_hours(layout, bars(60))
    check(layout, 60)
    context = gx.get_context(mode="file", project_root_dir=layout.reports)
    context.suites.get("bars_1s").add_expectation(gxe.ExpectTableRowCountToEqual(value=1, severity="critical"))
    assert check(layout, 60).verdict == "FAIL"
    project = layout.reports / "gx"
    (project / torn).write_text("{torn")
    for _ in range(2):  # not the run alone that finds the project torn
        outcome = check(layout, 60)
        [note] = outcome.to_json()["notes"]
        assert outcome.verdict == "INVESTIGATE"
        assert "1 expectation " in note
        assert "reports/gx/damaged-1/expectations/bars_1s.json" in note
        assert "reports/gx/damaged-1/expectations/bars\\_1s.json" in outcome.report.read_text()
    assert check(layout, 60, tf="1m").verdict == "PASS"  # another suite, which lost nothing
    shutil.rmtree(project / "damaged-1")
    assert (check(layout, 60).verdict, check(layout, 60).notes) == ("PASS", ())


def test_what_a_user_has_added_to_a_torn_project_is_put_aside_and_not_lost(layout):
    write_hours(layout, bars(60))
    check(layout, 60)
    project = layout.reports / "gx"
    (project / "expectations" / "theirs.json").write_text("{}")
    for number in (1, 2):
        (project / "checkpoints" / "bars_1s.json").write_text(f"torn {number}")
        assert check(layout, 60).verdict == "PASS"
    assert (project / "damaged-1" / "expectations" / "theirs.json").read_text() == "{}"
    for number in (1, 2):
        assert (project / f"damaged-{number}" / "checkpoints" / "bars_1s.json").read_text() == f"torn {number}"
    assert not (project / "damaged-3").exists()


def test_a_changed_rulepack_changes_the_stored_suite(layout, monkeypatch):
    write_hours(layout, plant(bars(60), [3], open=None))
    assert check(layout, 60).verdict == "FAIL"
    monkeypatch.setattr(rulepack, "RULES", tuple(rule for rule in rulepack.RULES if rule.id != "R4"))
    outcome = check(layout, 60)
    assert (outcome.verdict, [rule.rule for rule in outcome.rules].count("R4")) == ("PASS", 0)


def test_bad_input_is_refused_before_anything_is_written(layout):
    for wrong in ({"tf": "2s"}, {"source": "trades"}, {"source": "macro", "tf": "1s"}, {"symbols": ("../etc",)}):
        with pytest.raises(BadInputError):
            check(layout, 60, **wrong)
    assert not layout.base.exists()


def test_progress_tells_each_symbol_day(layout):
    start = START.replace(hour=23, minute=59)
    write_hours(layout, bars(120, start))
    told = []
    validate(layout, [SOL], Window(start, start + timedelta(seconds=120)), now=LATER, progress=told.append)
    assert told == ["SOLUSDT 2025-10-20", "SOLUSDT 2025-10-21"]


@pytest.mark.parametrize("source", ["bars", "klines", "macro", "derivatives"])
def test_days_that_are_yet_to_come_are_not_walked(layout, monkeypatch, source):
    looked_at, read = [], days.read

    def noted(layout, of, symbol, day, *more, **named):
        looked_at.append(day)
        return read(layout, of, symbol, day, *more, **named)

    monkeypatch.setattr(days, "read", noted)
    write_hours(layout, bars(60))
    end = START.replace(year=2261)
    outcome = validate(layout, [SOL], Window(START, end), source=source, now=START + timedelta(days=2, seconds=60))
    assert sorted(set(looked_at)) == [START.date() + timedelta(days=number) for number in range(3)]
    assert (outcome.window.end, outcome.clipped_to) == (end, at(60, START + timedelta(days=2)))


def test_a_window_that_is_all_yet_to_come_has_no_row_and_is_no_pass(layout):
    write_hours(layout, bars(60))
    outcome = validate(layout, [SOL], Window(LATER, LATER.replace(year=2261)), now=START)
    assert (outcome.verdict, outcome.days) == ("FAIL", ())


def test_no_frame_is_held_longer_than_its_symbol_day(layout):
    import gc

    import pandas as pd

    names = [f"COIN{letter}USDT" for letter in "ABCD"]
    for name in names:
        write_hours(layout, bars(777, symbol=name), name)
    held = []

    def look(_):
        gc.collect()
        held.append(sum(isinstance(one, pd.DataFrame) and len(one) == 777 for one in gc.get_objects()))

    window = Window(START, START + timedelta(seconds=777))
    validate(layout, names, window, now=LATER, progress=look)
    assert len(held) == len(names)
    assert max(held) <= 1


def test_importing_validate_is_light():
    code = "import sys, expectations.validate, expectations.rulepack; print('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_bars_as_a_broken_writer_left_them_hide_nothing(layout):
    write_as_is(layout.hour_file(SOL, START), table(bars(60)).slice(0, 0))
    outcome = check(layout, 60)
    assert (outcome.verdict, counts(outcome)) == ("FAIL", {"R5": 60})


def test_a_rule_that_had_nothing_to_check_does_not_say_that_it_holds(layout):
    """R7 without klines: a reader must not take it for parity."""
    write_hours(layout, bars(60))
    page = check(layout, 60).days[0].page
    results = {cells[0]: cells[-1] for cells in Cells(page).rows if len(cells) == 7}
    assert (results["R7"], results["R8"]) == ("nothing to check", "holds")
