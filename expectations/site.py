"""The Data Docs site as Great Expectations builds it, with builders of ours where its own would grow with every run.

Its section builder lists every result there ever was, compares each with each wanted, and logs what goes wrong in a
page; its index builder reads every result again. Ours take just the pages that are asked for, raise, and make the index
of what the runs have noted (`expectations.runs`).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from great_expectations.core import ExpectationSuite
from great_expectations.data_context.store.html_site_store import SiteSectionIdentifier
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.render.renderer.site_builder import (
    DefaultSiteIndexBuilder,
    DefaultSiteSectionBuilder,
    SiteBuilder,
)

from expectations import pages
from expectations.runs import Run, Runs
from lake.errors import LakeError
from lake.files import write_text

NAME = "data_docs"
_KIND = {"expectations": ExpectationSuiteIdentifier, "validations": ValidationResultIdentifier}


def config() -> dict[str, Any]:
    """Return the site as `great_expectations.yml` has it: our builders, renderers and view."""
    view = {"module_name": "expectations.pages", "class_name": "OfflineView"}

    def part(builder: str, renderer: str) -> dict[str, Any]:
        page = {"renderer": {"module_name": "expectations.pages", "class_name": renderer}, "view": view}
        return {"module_name": "expectations.site", "class_name": builder, **page}

    return {
        "module_name": "expectations.site",
        "class_name": "Site",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": "../data_docs/"},
        "site_index_builder": part("IndexBuilder", "IndexRenderer"),
        "site_section_builders": {
            "expectations": part("SectionBuilder", "SuiteRenderer"),
            "validations": part("SectionBuilder", "ResultRenderer"),
            "profiling": "None",
        },
    }


def folder(context: Any) -> Path:
    """Return the folder of the site of a project."""
    return Path(context.root_directory).parent / NAME


def runs(context: Any) -> Runs:
    """Return the runs of a project."""
    results = context.validation_results_store.store_backend.full_base_directory
    return Runs(folder(context), Path(results))


def write_run(context: Any, run: Run) -> None:
    """Write the page of one run."""
    page = runs(context).folder(run.suite, run.name) / "index.html"
    write_text(page, pages.OfflineView().render(pages.RunRenderer().render(run)))


class Site(SiteBuilder):
    """Builds sections and index, without the 4 MB of static files that no page of ours uses."""

    def build(self, resource_identifiers: Iterable[Any] | None = None, build_index: bool = True) -> tuple[Any, Any]:
        """Build the pages that are asked for (all, where none are), and the index."""
        for section in self.site_section_builders.values():
            section.build(resource_identifiers)
        return self.site_index_builder.build(build_index=build_index)


class SectionBuilder(DefaultSiteSectionBuilder):
    """Builds the pages that are asked for; all of its section where none are."""

    def build(self, resource_identifiers: Iterable[Any] | None = None) -> None:
        """Build pages.

        Raises:
            LakeError: a page cannot be built.
        """
        wanted = resource_identifiers if resource_identifiers is not None else self.source_store.list_keys()
        for key in wanted:
            if not isinstance(key, _KIND[self.name]):
                continue
            try:
                found = self.source_store.get(key)
                document = self.renderer_class.render(ExpectationSuite(**found) if isinstance(found, dict) else found)
                self.target_store.set(SiteSectionIdentifier(self.name, key), self.view_class.render(document))
            except Exception as error:  # whatever is wrong in a result or a template
                what = "/".join(key.to_tuple())
                raise LakeError(f"{what}: its Data Docs page was not built: {type(error).__name__}: {error}") from error


class IndexBuilder(DefaultSiteIndexBuilder):
    """Builds the index, and each suite's list of runs, from what the runs have noted."""

    def build(self, skip_and_clean_missing: bool = True, build_index: bool = True) -> tuple[Any, Any]:
        """Build the index; return where it is, and nothing of Great Expectations' list of links."""
        if not build_index:
            return None, None
        site = folder(self.data_context)
        suites = sorted(path.stem for path in (site / "expectations").glob("*.html"))
        found = runs(self.data_context).all()
        document = self.renderer_class.render({"runs": found, "suites": suites})
        write_text(site / "index.html", self.view_class.render(document))
        write_text(site / pages.SCRIPT, pages.script())
        return (site / "index.html").as_uri(), {}
