"""The floor plan's arrows: who may import whom."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("lake", "collector", "tasks", "flows", "expectations", "sql", "deployments", "simulator", "gui")
MAY = {
    "sql": set(),
    "lake": {"sql"},
    "collector": {"lake"},
    "expectations": {"lake"},
    "simulator": {"lake"},
    "gui": {"lake"},
    "tasks": {"lake", "expectations"},
    "flows": {"lake", "tasks"},
    "deployments": {"lake"},
}
"""Folder: folders that its files may import, besides its own (for `flows`, not even that)."""
EXCEPT = {
    "flows/collect_live.py": {"collector"},
    "flows/__main__.py": {"flows", "simulator", "deployments", "collector", "gui"},
    "flows/flow_commands.py": {"flows", "deployments"},
}
NEVER = {
    "lake": {"prefect", "great_expectations", "websockets", "streamlit", "uvicorn", "starlette"},
    "collector": {"prefect", "great_expectations", "streamlit"},
    "expectations": {"prefect", "websockets", "streamlit"},
    "simulator": {"prefect", "great_expectations", "streamlit"},
    "gui": {"prefect", "great_expectations", "websockets"},
    "tasks": {"great_expectations", "websockets", "duckdb", "pandas", "pyarrow", "requests"},
    "flows": {"great_expectations", "websockets", "duckdb", "pandas", "pyarrow", "requests", "sqlite3"},
}
FILES = sorted(path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(source: str) -> set[str]:
    """The top-level names that a source imports, at its head or anywhere inside."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative import: write the folder's name"
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            found.add(re.sub(r"\W.*", "", ast.unparse(node.args[0]).removeprefix("f").strip("'\"")))
    return found


def broken(path: str, names: set[str]) -> set[str]:
    package = path.split("/")[0]
    own = set() if package == "flows" else {package}
    return ((names & set(PACKAGES)) - own - MAY[package] - EXCEPT.get(path, set())) | (
        names & NEVER.get(package, set())
    )


@pytest.mark.parametrize("path", FILES)
def test_imports_follow_the_floor_plan(path):
    assert broken(path, imported((ROOT / path).read_text(encoding="utf-8"))) == set()


@pytest.mark.parametrize(
    ("path", "source", "what"),
    [
        ("lake/x.py", "def f():\n    import prefect", {"prefect"}),
        ("lake/x.py", "from collector.run import collect", {"collector"}),
        ("flows/x.py", "from flows.compact_day import compact_day", {"flows"}),
        ("flows/x.py", "from collector.run import collect", {"collector"}),
        ("tasks/x.py", "import flows.transform_hour", {"flows"}),
        ("simulator/x.py", "from collector import frames", {"collector"}),
        ("deployments/x.py", "import_module(f'flows.{name}')", {"flows"}),
    ],
)
def test_a_wrong_arrow_is_found(path, source, what):
    assert broken(path, imported(source)) == what


def test_no_flow_has_the_name_of_something_else_that_can_be_imported():
    """Prefect puts flows/ first on the path, so that flows/collector.py would hide the package of that name."""
    import sys
    from importlib.metadata import packages_distributions

    taken = {*PACKAGES, *sys.stdlib_module_names, *packages_distributions()}
    names = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__", "__main__"}
    assert names & taken == set()


def test_the_environment_is_read_in_one_place_and_handed_on_in_another():
    """`expectations/project.py` and `flows/__init__.py` only switch off what Great Expectations and Prefect send.

    `expectations/apart.py` hands all of it on to a process of its own.
    """
    readers = {path for path in FILES if "os.environ" in (ROOT / path).read_text(encoding="utf-8")}
    switches = {"expectations/project.py", "expectations/apart.py", "flows/__init__.py"}
    assert readers == {"lake/settings.py", "deployments/prefect_stack.py"} | switches


def test_sql_files_are_read_in_one_place():
    readers = {path for path in FILES if 'files("sql")' in (ROOT / path).read_text(encoding="utf-8")}
    assert readers == {"lake/duck.py"}
