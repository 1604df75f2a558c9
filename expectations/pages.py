"""Data Docs as pages that read well without the internet: our renderers and view for Great Expectations' site builder.

Great Expectations' own pages fetch scripts, styles and a logo from four hosts, build their index in the browser, and
print cell values unescaped. These are plain HTML with the style inside and everything escaped; the index has a script
of its own, in a file beside it, that filters, and reads as well without.
"""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from great_expectations.core import ExpectationSuite
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from expectations import own, rulepack, suites
from expectations.rule import Check, rule_id, state_of
from expectations.runs import Run

Document = dict[str, Any]
SCRIPT = "find.js"


def script() -> str:
    """Return the index's script: the box that finds a symbol and a day."""
    return (files("expectations") / "templates" / SCRIPT).read_text(encoding="utf-8")


class SuiteRenderer:
    """A suite's page: the rules, why they matter, and what to do when one is broken."""

    def render(self, suite: ExpectationSuite) -> Document:
        """Return what the page of a suite says."""
        config = [item.configuration for item in suite.expectations]
        wanted = dict.fromkeys(rule_id(suites.key(item)) for item in config if suites.is_ours(item))
        theirs = own.rules([item for item in suite.expectations if not suites.is_ours(item.configuration)])
        rules = [*(rulepack.rule(key) for key in wanted), *theirs]
        return {"template": "suite.html.j2", "suite": suite.name, "rules": rules}


class ResultRenderer:
    """The page of one symbol-day: what was checked, what is violated, the offending rows."""

    def render(self, found: ExpectationSuiteValidationResult) -> Document:
        """Return what the page of a validation result says."""
        items = sorted((_check(item) for item in found.results), key=lambda item: bool(item["own"]))
        rows = next((item["checked"] for item in items if item["check"].key == "R5-rows"), 0)
        run_id = found.meta["run_id"]
        state = state_of([item["check"].severity for item in items if item["violations"]], rows=rows)
        violated = dict.fromkeys(item["rule"].id for item in items if item["violations"])
        return {
            "template": "result.html.j2",
            "suite": found.suite_name,
            "symbol": found.asset_name,
            "day": _day(run_id),
            "run": window(_run_name(run_id)),
            "checks": items,
            "rows_read": rows,
            "state": state,
            "violated": list(violated),
        }


class RunRenderer:
    """A run's page: its symbol-days, the worst first."""

    def render(self, run: Run) -> Document:
        """Return what the page of a run says."""
        return {"template": "run.html.j2", "run": run, "name": window(run.name)}


class IndexRenderer:
    """The index: of each suite a table of days and symbols, then the runs, newest first."""

    def render(self, found: dict[str, Any]) -> Document:
        """Return what the index says, from all runs, the newest first, and the names of the suites."""
        runs: list[Run] = found["runs"]
        return {
            "template": "index.html.j2",
            "suites": [_suite(name, [run for run in runs if run.suite == name]) for name in found["suites"]],
            "runs": [{"run": run, "name": window(run.name)} for run in runs],
        }


class OfflineView:
    """Renders a document with its template; every value is escaped."""

    def render(self, document: Document, **_: Any) -> str:
        """Return the page as HTML."""
        return _environment().get_template(document["template"]).render(document)


def window(name: str) -> str:
    """Return a run's name, ``2025-10-20T000000Z_2025-10-21T000000Z``, in words: one day, or from when until when."""
    start, _, end = (part.removesuffix("T000000Z") for part in name.partition("_"))
    if len(start) == len(end) == 10 and _days(start, end) == 1:
        return start
    return f"{_moment(start)} to {_moment(end)}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("expectations", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    environment.filters["cell"] = lambda value: "null" if value is None else value
    environment.filters["path"] = lambda text: Markup(quote(str(text)))  # noqa: S704  (quoted, so nothing is left in it)
    return environment


def _check(item: Any) -> Document:
    config, result = item.expectation_config, item.result
    if suites.is_ours(config):
        check = rulepack.check(config.kwargs["check"])
        rule = rulepack.rule(check.rule)
    else:
        rule, check = own.said(config)
    return {
        "check": check,
        "rule": rule,
        "own": not suites.is_ours(config),
        "checked": result["element_count"],
        "violations": result["unexpected_count"],
        "percent": result["unexpected_percent"],
        "rows": [_ordered(row, check) for row in result["partial_unexpected_index_list"]],
    }


def _ordered(row: Document, check: Check) -> Document:
    """An offending row with its columns in the reader's order: the store of results sorts them by name."""
    first = ("symbol", "window_start", *check.columns, "column", "expected", "found")
    return {name: row[name] for name in dict.fromkeys([*first, *row]) if name in row}


def _suite(name: str, runs: list[Run]) -> Document:
    """Of each symbol and day the page of the newest run that has one, as a table: days down, newest first."""
    newest: dict[tuple[str, str], Document] = {}
    for run in reversed(runs):
        base = quote(f"validations/{run.suite}/{run.name}/")
        for day in run.days:
            newest[day.day, day.symbol] = {"state": day.state, "rules": day.violated, "href": base + quote(day.href)}
    symbols = sorted({symbol for _, symbol in newest})
    days = sorted({day for day, _ in newest}, reverse=True)
    rows = [{"day": day, "cells": [newest.get((day, symbol)) for symbol in symbols]} for day in days]
    return {"name": name, "href": f"expectations/{quote(name)}.html", "symbols": symbols, "days": rows}


def _run_name(run_id: Any) -> str:
    return run_id["run_name"] if isinstance(run_id, dict) else run_id.run_name


def _day(run_id: Any) -> str:
    time = run_id["run_time"] if isinstance(run_id, dict) else run_id.run_time
    return str(time)[:10]


def _days(start: str, end: str) -> int:
    return (date.fromisoformat(end) - date.fromisoformat(start)).days


def _moment(text: str) -> str:
    day, _, time = text.partition("T")
    return f"{day} {time[:2]}:{time[2:4]}:{time[4:6]}" if time else day
