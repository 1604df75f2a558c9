"""What `great_expectations.yml` may hold: what Great Expectations and this lake write there, and nothing else.

Great Expectations imports each ``module_name`` and ``class_name``, replaces ``$NAME`` by what the environment has, and
asks services for ``secret|…``: a file that came with somebody else's data would decide what is run.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from great_expectations.data_context.data_context import file_data_context

from lake.errors import BadInputError
from lake.layout import EXCHANGE, is_symbol, is_ticker

NAME = "great_expectations.yml"
_FREE = {"id", "data_context_id", "name"}
"""Keys with any plain text."""
_FLAGS = {
    "analytics_enabled", "show_how_to_buttons", "suppress_store_backend_id", "globally", "enabled",
    "metric_calculations",
}  # fmt: skip
_TEXTS: dict[str, set[Any]] = {
    "config_version": {4.0},
    "config_variables_file_path": {"uncommitted/config_variables.yml"},
    "plugins_directory": {"plugins/", None},
    "module_name": {"expectations.site", "expectations.pages", "great_expectations.render.renderer.site_builder"},
    "class_name": {
        "ExpectationsStore", "ValidationResultsStore", "CheckpointStore", "ValidationDefinitionStore",
        "TupleFilesystemStoreBackend", "Site", "IndexBuilder", "SectionBuilder", "IndexRenderer", "SuiteRenderer",
        "ResultRenderer", "OfflineView", "SiteBuilder", "DefaultSiteIndexBuilder",
    },
    "base_directory": {
        "expectations/", "uncommitted/validations/", "checkpoints/", "validation_definitions/", "../data_docs/",
        "uncommitted/data_docs/local_site/",
    },
    "expectations_store_name": {"expectations_store"},
    "validation_results_store_name": {"validation_results_store"},
    "checkpoint_store_name": {"checkpoint_store"},
    "type": {"pandas", "dataframe"},
    "profiling": {"None"},
}  # fmt: skip
_PARTS = {
    "stores", "expectations_store", "validation_results_store", "checkpoint_store", "validation_definition_store",
    "store_backend", "data_docs_sites", "data_docs", "local_site", "site_index_builder", "site_section_builders",
    "expectations", "validations", "renderer", "view", "progress_bars", "fluent_datasources", EXCHANGE, "assets",
    "batch_definitions", "symbol-day", "batch_metadata", "options",
}  # fmt: skip


def refuse_foreign(project: Path) -> None:
    """Refuse a project's settings where anything stands there that neither we nor Great Expectations write.

    It is read as Great Expectations reads it. What it cannot read it does not run either.

    Raises:
        BadInputError: in one line that names the key.
    """
    path = project / NAME
    try:
        found = file_data_context.yaml.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except Exception:  # whatever its parser raises: the project is put aside
        return
    strange = next(_strange(found, ()), None) if isinstance(found, dict) else None
    if strange is not None:
        key = ".".join(map(str, strange))
        raise BadInputError(
            f"{path}: {key[:200]!r} is not as crypto-lake writes it, and could run code: move the file away; it is "
            "made again"
        )


def _strange(values: dict[Any, Any], place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield each place at which something stands that we do not write."""
    for key, value in values.items():
        here = (*place, key)
        if isinstance(value, dict):
            known = is_symbol(str(key)) or is_ticker(str(key)) if place[-1:] == ("assets",) else key in _PARTS
            yield from _strange(value, here) if known else iter([here])
        elif not _is_plain(key, value):
            yield here


def _is_plain(key: Any, value: Any) -> bool:
    if key in _TEXTS:
        return isinstance(value, (str, int, float, type(None))) and value in _TEXTS[key]
    if key in _FLAGS:
        return isinstance(value, bool)
    return key in _FREE and isinstance(value, str) and value.replace("-", "").isalnum() and value.isascii()
