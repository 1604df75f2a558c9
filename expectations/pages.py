"""Data Docs as pages that read well without the internet: our renderers and view for Great Expectations' site builder.

Great Expectations' own pages fetch scripts, styles and a logo from four hosts, build their index in the browser, and
print cell values unescaped. These are plain HTML with the style inside, no script at all, and everything escaped.
"""

from functools import cache
from typing import Any
from urllib.parse import quote

from great_expectations.core import ExpectationSuite
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from expectations import rulepack

Document = dict[str, Any]


class SuiteRenderer:
    """A suite's page: the rules, why they matter, and what to do when one is broken."""

    def render(self, suite: ExpectationSuite) -> Document:
        """Return what the page of a suite says."""
        wanted = dict.fromkeys(rulepack.check(item.check).rule for item in suite.expectations)
        return {"template": "suite.html.j2", "suite": suite.name, "rules": [rulepack.rule(key) for key in wanted]}


class ResultRenderer:
    """The page of one symbol-day: what was checked, what is violated, the offending rows."""

    def render(self, found: ExpectationSuiteValidationResult) -> Document:
        """Return what the page of a validation result says."""
        rows = [_check(item) for item in found.results]
        run_id = found.meta["run_id"]
        return {
            "template": "result.html.j2",
            "suite": found.suite_name,
            "symbol": found.asset_name,
            "day": _day(run_id),
            "run": _run_name(run_id),
            "checks": rows,
            "rows_read": _rows_read(rows),
            "state": state([row["check"].severity for row in rows if row["violations"]], rows_read=_rows_read(rows)),
        }


class IndexRenderer:
    """The index: every run, newest first, and its symbol-days."""

    def render(self, links: dict[str, Any]) -> Document:
        """Return what the index says, from Great Expectations' list of links."""
        runs: dict[tuple[str, str], list[Document]] = {}
        for item in links.get("validations_links", ()):
            key = (item["expectation_suite_name"], item["run_name"])
            runs.setdefault(key, []).append(
                {
                    "symbol": item["asset_name"],
                    "day": item["run_time"].strftime("%Y-%m-%d"),
                    "holds": item["validation_success"],
                    "href": item["filepath"],
                }
            )
        return {
            "template": "index.html.j2",
            "suites": [
                {"name": item["expectation_suite_name"], "href": item["filepath"]}
                for item in sorted(links.get("expectations_links", ()), key=lambda item: item["filepath"])
            ],
            "runs": [
                {"suite": suite, "name": name, "pages": sorted(pages, key=lambda page: (page["symbol"], page["day"]))}
                for (suite, name), pages in sorted(runs.items(), key=lambda run: run[0][1], reverse=True)
            ],
        }


class OfflineView:
    """Renders a document with its template; every value is escaped."""

    def render(self, document: Document, **_: Any) -> str:
        """Return the page as HTML."""
        environment = _environment()
        return environment.get_template(document["template"]).render(document)


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
    environment.filters["path"] = lambda text: Markup(quote(str(text)))  # noqa: S704  (quoted, so nothing is left in it)
    return environment


def state(violated: list[str], *, rows_read: int) -> str:
    """Return the verdict of severities that were violated, of so many rows."""
    if "fail" in violated or not rows_read:
        return "FAIL"
    return "INVESTIGATE" if violated else "PASS"


def _check(item: Any) -> Document:
    check = rulepack.check(item.expectation_config.kwargs["check"])
    result = item.result
    return {
        "check": check,
        "rule": rulepack.rule(check.rule),
        "checked": result["element_count"],
        "violations": result["unexpected_count"],
        "percent": result["unexpected_percent"],
        "rows": [_ordered(row, check) for row in result["partial_unexpected_index_list"]],
        "facts": item.expectation_config.kwargs["facts"],
    }


def _ordered(row: Document, check: rulepack.Check) -> Document:
    """An offending row with its columns in the reader's order: the store of results sorts them by name."""
    first = ("symbol", "window_start", *check.columns, "column", "expected", "found")
    return {name: row[name] for name in dict.fromkeys([*first, *row]) if name in row}


def _rows_read(rows: list[Document]) -> int:
    return next((row["checked"] for row in rows if row["check"].key == "R5-rows"), 0)


def _run_name(run_id: Any) -> str:
    return run_id["run_name"] if isinstance(run_id, dict) else run_id.run_name


def _day(run_id: Any) -> str:
    time = run_id["run_time"] if isinstance(run_id, dict) else run_id.run_time
    return str(time)[:10]
