"""The Great Expectations project below a lake's `reports/`: its context, suites, checkpoints, one run of them.

``reports/gx/`` is the project (suites, validation definitions, a checkpoint a suite, results, plugins),
``reports/data_docs/`` its site. A run is named by the window it validates, and a result's run time is the day that it
is about: the same validation leaves the same files.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before the import: nothing is told to anybody

import great_expectations as gx
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context import FileDataContext
from great_expectations.data_context.data_context import context_factory
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from loguru import logger

from expectations import assets, checkpoints, damage, own, project_file, rulepack, runs, site, suites
from expectations.limits import TOP
from expectations.rule import Check, rule_id, state_of
from lake import files, own_rules
from lake.errors import LakeError
from lake.layout import EXCHANGE, Layout
from lake.windows import Window

if TYPE_CHECKING:
    import pandas as pd

_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": TOP}


class _Context(FileDataContext):
    """A project whose plugins are not on Python's path by themselves: `expectations.own` decides whether they are."""

    plugins_directory = None


class Project:
    """The Great Expectations project of one lake, made when it is not there yet. Only one process may have it open.

    Attributes:
        rules: those of the rulepack that apply, then the user's own (`expectations.own`).
        doubts: why not all of the user's own may have been run, in words.
    """

    def __init__(self, layout: Layout, source: str, tf: str, window: Window, symbols: Iterable[str]) -> None:
        self._folder = layout.reports / "gx"
        self._source = source
        self._suite_name = suites.name(source, tf)
        self._run_name = f"{window.start:%Y-%m-%dT%H%M%SZ}_{window.end:%Y-%m-%dT%H%M%SZ}"
        self._results: dict[ValidationResultIdentifier, gx.core.ExpectationSuiteValidationResult | None] = {}
        self._days: dict[tuple[str, datetime], runs.Day] = {}
        project_file.refuse_foreign(self._folder)
        mine = own_rules.found(self._folder)
        self._trusted = all(one.is_allowed for one in mine)
        self._files, self.doubts = own.load(self._folder, self._suite_name, mine)
        with files.scratch(self._folder) as hidden:  # a folder that cannot be written is not a damaged project
            hidden.write_bytes(b"\n")
        try:
            self._open(source, tf, symbols)
        except Exception as error:  # whatever Great Expectations makes of a torn file: it does not write them whole
            if damage.of_the_disk(error):
                raise
            logger.warning(
                "{}: not readable ({}): put aside in {}, made anew; results are kept",
                self._folder, type(error).__name__, damage.put_aside(self._folder).name,
            )  # fmt: skip
            self._open(source, tf, symbols)
        self.doubts += damage.doubts(self._folder, self._suite_name)

    def _open(self, source: str, tf: str, symbols: Iterable[str]) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        self._context = _Context(project_root_dir=self._folder.parent)
        context_factory.set_context(self._context)
        self._settle()
        self._suite = self._current_suite(suites.suite(source, tf))
        theirs = [one for one in self._suite.expectations if not isinstance(one, suites.ExpectCheckToHold)]
        self.rules = (*rulepack.rules(source), *own.rules(theirs))
        self._checks = {check.key: check for rule in self.rules for check in rule.checks}
        self._definitions = assets.definitions(self._context, self._suite, symbols)
        self._checkpoint = checkpoints.current(self._context, self._suite_name, self._definitions.values())

    def check(self, key: str) -> Check:
        """Return the check with this key, the rulepack's or the user's own."""
        return self._checks[key]

    def run(self, symbol: str, day: datetime, frame: "pd.DataFrame", facts: Mapping[str, Any]) -> dict[str, Any]:
        """Validate one symbol-day and keep the result; return Great Expectations' result by check key.

        Raises:
            LakeError: an expectation could not be evaluated. That is never a pass.
        """
        run_id = RunIdentifier(self._run_name, run_time=day)
        try:
            found = self._definitions[symbol].run(
                checkpoint_id=self._checkpoint.id,
                batch_parameters={"dataframe": frame},
                expectation_parameters=suites.parameters(self._source, dict(facts)),
                result_format=_FORMAT,
                run_id=run_id,
            )
        except SystemExit as error:  # of a user's expectation: the program would end as if all were well
            raise LakeError(f"{symbol} {day:%Y-%m-%d}: an expectation tried to end the program: mend it") from error
        self._let_go(symbol)
        results = {}
        for one in found.results:
            key = suites.key(one.expectation_config)
            if _raised(one.exception_info):
                where = (one.expectation_config.meta or {}).get("file", "")
                raise LakeError(
                    f"{symbol} {day:%Y-%m-%d}: {key} could not be evaluated: {_reason(one.exception_info)}"
                    + (f" (in {self._folder / where})" if where else "")
                )
            if not suites.is_ours(one.expectation_config):
                one.result = own.result(one, frame, symbol)
            results[key] = one.result
        found.meta["batch_markers"].pop("ge_load_time", None)  # the clock: the same validation leaves the same file
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(self._suite_name), run_id, found.batch_id)
        self._context.validation_results_store.set(key, found)
        self._results[key] = found if self._trusted and checkpoints.has_more_to_do(self._checkpoint) else None
        self._days[symbol, day] = self._day(symbol, day, results)
        return results

    def _day(self, symbol: str, day: datetime, results: Mapping[str, Any]) -> runs.Day:
        violated = [key for key, result in results.items() if result["unexpected_count"]]
        state = state_of([self._checks[key].severity for key in violated], rows=results["R5-rows"]["element_count"])
        ids = {rule_id(key) for key in violated}
        named = tuple(rule.id for rule in self.rules if rule.id in ids)
        page = self.page(symbol, day)
        return runs.day_of(page.parent.parent, page, state=state, violated=named)

    def _let_go(self, symbol: str) -> None:
        """Free the frame: Great Expectations keeps the last one of each asset, some 25 MB a symbol, until the end."""
        held = self._definitions[symbol].data_source.get_execution_engine().batch_manager
        held.reset_batch_cache()
        held.batch_data_cache.clear()

    def page(self, symbol: str, day: datetime) -> Path:
        """Return the path of the Data Docs page of a symbol-day of this run."""
        folder = site.runs(self._context).folder(self._suite_name, self._run_name)
        return folder / day.strftime("%Y%m%dT%H%M%S.%fZ") / f"{EXCHANGE}-{symbol}.html"

    def finish(self, keep_runs: int) -> Path:
        """Run the checkpoint's actions, which build the pages of this run once; let old runs go; return the index.

        Raises:
            LakeError: a page cannot be built.
        """
        kept = site.runs(self._context)
        for name in kept.prune(self._suite_name, keep_runs, sure=self._run_name):
            logger.info(
                "{} {}: pages and results removed (validation.keep_runs is {})", self._suite_name, name, keep_runs
            )
        suite = ExpectationSuiteIdentifier(self._suite_name)
        self._context.build_data_docs([site.NAME], [suite, *self._results], build_index=False)
        site.write_run(self._context, kept.keep(self._suite_name, self._run_name, self._days.values()))
        self._context.build_data_docs([site.NAME], [])
        if self._trusted:
            checkpoints.act(self._checkpoint, self._run_name, self._results)
        return site.folder(self._context) / "index.html"

    def _settle(self) -> None:
        """Bring the project's settings to what they must be; an unchanged project is not written again."""
        wanted = {site.NAME: site.config()}
        if self._context.variables.data_docs_sites != wanted:
            self._context.variables.data_docs_sites = wanted
            self._context.variables.progress_bars = {"globally": False}
            self._context.variables.analytics_enabled = False
            self._context.variables.save()

    def _current_suite(self, wanted: gx.ExpectationSuite) -> gx.ExpectationSuite:
        """The stored suite where it is as it must be; else the rulepack's, with the user's own, stored."""
        mine = [one for part in self._files.values() for one in part]
        try:
            stored = self._context.suites.get(wanted.name)
        except gx.exceptions.DataContextError:
            stored = None
        before = suites.said(stored) if stored else None
        wanted.expectations += [*mine, *own.added(stored.expectations if stored else [], wanted.name)]
        if stored and before == suites.said(wanted):
            return stored
        return self._context.suites.add_or_update(wanted)


def _raised(exception_info: Mapping[str, Any] | None) -> bool:
    """Whether an exception info, one record or one record a metric, is of an exception."""
    info = exception_info or {}
    records = [info] if "raised_exception" in info else info.values()
    return any(record["raised_exception"] for record in records)


def _reason(exception_info: Mapping[str, Any]) -> str:
    """The message in an exception info, which is one record or one record a metric."""
    if "exception_message" in exception_info:
        return " ".join(str(exception_info["exception_message"]).split())
    return "; ".join(dict.fromkeys(_reason(info) for info in exception_info.values()))


def link(path: Path, start: Path) -> str:
    """Return the relative link from a file in the folder ``start`` to ``path``, quoted for Markdown and HTML."""
    return quote(os.path.relpath(path, start).replace(os.sep, "/"))
