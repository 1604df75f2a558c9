"""What report and pages say, where they link to, and what cannot hide or run in them."""

import re

from tests.expectations.shown import Cells, docs
from tests.expectations.small import (
    bars,
    check,
    plant,
    rows_of,
    write_hours,
)


def test_a_repaired_day_replaces_its_page_and_report(layout):
    write_hours(layout, plant(bars(60), [3], open=None))
    first = check(layout, 60)
    write_hours(layout, bars(60))
    second = check(layout, 60)
    assert (first.verdict, second.verdict, first.report) == ("FAIL", "PASS", second.report)
    assert docs(second) == dict.fromkeys(docs(second), 0)


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


def test_a_rule_that_had_nothing_to_check_does_not_say_that_it_holds(layout):
    """R7 without klines: a reader must not take it for parity."""
    write_hours(layout, bars(60))
    page = check(layout, 60).days[0].page
    results = {cells[0]: cells[-1] for cells in Cells(page).rows if len(cells) == 7}
    assert (results["R7"], results["R8"]) == ("nothing to check", "holds")
