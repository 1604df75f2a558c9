"""The Great Expectations project below a lake's `reports/`: its context, its suites, one run, its Data Docs site.

``reports/gx/`` is the project (suites, validation definitions, results), ``reports/data_docs/`` its site. A run is
named by the window it validates, and a result's run time is the day that it is about: the same validation leaves the
same files.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before the import: nothing is told to anybody

import great_expectations as gx
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from loguru import logger

from expectations import suites
from lake.errors import LakeError
from lake.layout import EXCHANGE, Layout
from lake.windows import Window

if TYPE_CHECKING:
    import pandas as pd

_SITE = "data_docs"
_BATCH = "symbol-day"


class Project:
    """The Great Expectations project of one lake, made when it is not there yet. Only one process may have it open."""

    def __init__(self, layout: Layout, source: str, tf: str, window: Window, symbols: Iterable[str]) -> None:
        self.pages = layout.reports / "data_docs"
        self._folder = layout.reports / "gx"
        self._source = source
        self._suite_name = suites.name(source, tf)
        self._run_name = f"{window.start:%Y-%m-%dT%H%M%SZ}_{window.end:%Y-%m-%dT%H%M%SZ}"
        self._results: list[ValidationResultIdentifier] = []
        try:
            self._open(source, tf, symbols)
        except Exception as error:  # whatever Great Expectations makes of a torn file: it does not write them whole
            logger.warning("{}: not readable ({}), made anew; results are kept", self._folder, type(error).__name__)
            self._forget()
            self._open(source, tf, symbols)

    def _open(self, source: str, tf: str, symbols: Iterable[str]) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        self._context = gx.get_context(mode="file", project_root_dir=self._folder.parent)
        self._settle()
        self._suite = self._current_suite(suites.suite(source, tf))
        self._definitions = {symbol: self._definition(symbol) for symbol in symbols}

    def _forget(self) -> None:
        """Take away what the rulepack can make anew: all of the project but its results."""
        for name in ("great_expectations.yml", "uncommitted/config_variables.yml"):
            (self._folder / name).unlink(missing_ok=True)
        for name in ("expectations", "validation_definitions", "checkpoints"):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def run(self, symbol: str, day: datetime, frame: "pd.DataFrame", facts: Mapping[str, Any]) -> dict[str, Any]:
        """Validate one symbol-day and keep the result; return Great Expectations' result by check key.

        Raises:
            LakeError: an expectation could not be evaluated. That is never a pass.
        """
        run_id = RunIdentifier(self._run_name, run_time=day)
        found = self._definitions[symbol].run(
            batch_parameters={"dataframe": frame},
            expectation_parameters=suites.parameters(self._source, dict(facts)),
            run_id=run_id,
        )
        self._let_go(symbol)
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(self._suite_name), run_id, found.batch_id)
        if key not in self._results:
            self._results.append(key)
        for result in found.results:
            if result.exception_info and "unexpected_count" not in result.result:
                raise LakeError(
                    f"{symbol} {day:%Y-%m-%d}: {result.expectation_config.kwargs['check']} could not be evaluated: "
                    f"{_reason(result.exception_info)}"
                )
        found.meta["batch_markers"].pop("ge_load_time", None)  # the clock: the same validation leaves the same file
        self._context.validation_results_store.set(key, found)
        return {result.expectation_config.kwargs["check"]: result.result for result in found.results}

    def _let_go(self, symbol: str) -> None:
        """Free the frame: Great Expectations keeps the last one of each asset, some 25 MB a symbol, until the end."""
        held = self._definitions[symbol].data_source.get_execution_engine().batch_manager
        held.reset_batch_cache()
        held.batch_data_cache.clear()

    def page(self, symbol: str, day: datetime) -> Path:
        """Return the path of the Data Docs page of a symbol-day of this run."""
        time = day.strftime("%Y%m%dT%H%M%S.%fZ")
        return self.pages / "validations" / self._suite_name / self._run_name / time / f"{EXCHANGE}-{symbol}.html"

    def build_pages(self) -> Path:
        """Build the pages of this run, the suite's page and the index; return the path of the index.

        Raises:
            LakeError: a page is missing. Great Expectations logs what goes wrong in a page and goes on.
        """
        suite = ExpectationSuiteIdentifier(self._suite_name)
        self._context.build_data_docs(site_names=[_SITE], resource_identifiers=[suite, *self._results])
        shutil.rmtree(self.pages / "static", ignore_errors=True)  # 4 MB that no page of ours uses
        index = self.pages / "index.html"
        wanted = [index, *(self.pages / "validations" / _relative(key) for key in self._results)]
        if missing := [path for path in wanted if not path.is_file()]:
            raise LakeError(f"{missing[0]}: Data Docs page was not built ({len(missing)} in all): see the log")
        return index

    def _settle(self) -> None:
        """Bring the project's settings to what they must be; an unchanged project is not written again."""
        wanted = {_SITE: _site()}
        if self._context.variables.data_docs_sites != wanted:
            self._context.variables.data_docs_sites = wanted
            self._context.variables.progress_bars = {"globally": False}
            self._context.variables.analytics_enabled = False
            self._context.variables.save()

    def _current_suite(self, wanted: gx.ExpectationSuite) -> gx.ExpectationSuite:
        """The stored suite where it is the rulepack's, else the rulepack's, stored."""
        try:
            stored = self._context.suites.get(wanted.name)
        except gx.exceptions.DataContextError:
            return self._context.suites.add(wanted)
        if _said(stored) == _said(wanted):
            return stored
        return self._context.suites.add_or_update(wanted)

    def _definition(self, symbol: str) -> gx.ValidationDefinition:
        name = f"{self._suite_name} {symbol}"
        try:
            return self._context.validation_definitions.get(name)
        except gx.exceptions.DataContextError:
            pass
        bars = self._context.data_sources.all().get(EXCHANGE) or self._context.data_sources.add_pandas(EXCHANGE)
        if symbol in bars.get_asset_names():
            batch = bars.get_asset(symbol).get_batch_definition(_BATCH)
        else:
            batch = bars.add_dataframe_asset(symbol).add_batch_definition_whole_dataframe(_BATCH)
        definition = gx.ValidationDefinition(name=name, data=batch, suite=self._suite)
        return self._context.validation_definitions.add_or_update(definition)


def _site() -> dict[str, Any]:
    """The Data Docs site: Great Expectations' builder, our renderers and view, which fetch nothing and escape all."""
    view = {"module_name": "expectations.pages", "class_name": "OfflineView"}

    def page(renderer: str) -> dict[str, Any]:
        return {"renderer": {"module_name": "expectations.pages", "class_name": renderer}, "view": view}

    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": "../data_docs/"},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", **page("IndexRenderer")},
        "site_section_builders": {
            "expectations": {"class_name": "DefaultSiteSectionBuilder", **page("SuiteRenderer")},
            "validations": {"class_name": "DefaultSiteSectionBuilder", **page("ResultRenderer")},
            "profiling": "None",
        },
    }


def _said(suite: gx.ExpectationSuite) -> list[tuple[Any, ...]]:
    return [(item.check, item.facts, str(item.severity), item.description) for item in suite.expectations]


def _relative(key: ValidationResultIdentifier) -> Path:
    *folders, last = key.to_tuple()
    return Path(*folders, f"{last}.html")


def _reason(exception_info: Mapping[str, Any]) -> str:
    """The message in an exception info, which is one record or one record a metric."""
    if "exception_message" in exception_info:
        return str(exception_info["exception_message"])
    return "; ".join(str(info.get("exception_message")) for info in exception_info.values())


def link(path: Path, start: Path) -> str:
    """Return the relative link from a file in the folder ``start`` to ``path``, quoted for Markdown and HTML."""
    return quote(os.path.relpath(path, start).replace(os.sep, "/"))
