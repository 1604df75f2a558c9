"""What a run leaves to look at: a value of any type, and none, in every table."""

import dataclasses
import importlib
import inspect
import json
import math
import pkgutil
import types
import typing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import tasks
from tasks import artifacts
from tasks.runs import LakeTask

SAMPLES = {
    int: 1234567, float: 0.5, str: "[red]x", bool: True, type(None): None, date: date(2025, 10, 20),
    datetime: datetime(2025, 10, 20, tzinfo=UTC), Path: Path("x"),
}  # fmt: skip


def results():
    """The dataclasses that the lake's tasks return, alone, in lists or in tuples."""
    modules = [importlib.import_module(f"tasks.{module.name}") for module in pkgutil.iter_modules(tasks.__path__)]
    functions = [value.fn for module in modules for value in vars(module).values() if isinstance(value, LakeTask)]
    names = {"Outcome": importlib.import_module("expectations.outcome").Outcome}
    returned = [typing.get_type_hints(function, localns=names)["return"] for function in functions]
    kinds = [kind for one in returned for kind in (one, *typing.get_args(one)) if dataclasses.is_dataclass(kind)]
    return sorted(set(kinds), key=lambda kind: kind.__name__)


def values(annotation):
    """Every value that a field can have, one of each type; of what is no plain value, its type's name."""
    plain = [annotation]
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        plain = typing.get_args(annotation)
    return [SAMPLES.get(one, str(one)) for one in plain]


def rows(kind):
    """A row a value: each field in turn has each of its values, and the others their first."""
    hints = {name: values(hint) for name, hint in typing.get_type_hints(kind).items()}
    hints |= {name: [None] for name, value in inspect.getmembers(kind) if isinstance(value, property)}
    first = {name: each[0] for name, each in hints.items()}
    return [first | {name: value} for name, each in hints.items() for value in each]


RESULTS = results()


def test_the_results_of_all_flows_are_among_those_of_the_test_below():
    names = {kind.__name__ for kind in RESULTS}
    assert names >= {"Backfilled", "Built", "Collected", "Compacted", "MacroResult", "Outcome", "Plan", "Sliced"}
    assert any(None in row.values() for kind in RESULTS for row in rows(kind)), "some fields can be None"


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.__name__)
def test_a_table_of_any_result_is_printed_whatever_is_none_in_it(capsys, kind):
    every = rows(kind)
    artifacts.table("x", every, "[title]")
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == len(every) + 2
    none_first = [dict.fromkeys(every[0]), *every]
    artifacts.table("x", none_first, "title")


def test_numbers_are_in_thousands_truth_in_words_and_nothing_is_a_dash(capsys):
    artifacts.table("x", [{"a": None, "b": 1234567, "c": True, "d": "[b]x", "e": date(2025, 10, 20)}, {"f": 0.5}], "t")
    head, *lines = [line.split() for line in capsys.readouterr().err.splitlines()[1:]]
    assert head == ["a", "b", "c", "d", "e", "f"]
    assert lines == [["–", "1,234,567", "yes", "[b]x", "2025-10-20", "–"], ["–", "–", "–", "–", "–", "0.5"]]


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.__name__)
def test_a_flow_run_leaves_a_table_of_any_result_whatever_is_none_in_it(monkeypatch, kind):
    """Prefect sends it to its server as JSON; `tests/deployments/test_server.py` looks at one that the server keeps."""
    left, every = {}, rows(kind)
    monkeypatch.setattr(artifacts.FlowRunContext, "get", lambda: "a run")
    monkeypatch.setattr(artifacts, "create_table_artifact", lambda **more: left.update(more))
    artifacts.table("x", [*every, {"more": math.nan}], "title")
    sent = json.loads(json.dumps(left["table"], allow_nan=False))
    assert [[value is None for value in row.values()] for row in sent[:-1]] == [
        [*(value is None for value in row.values()), True] for row in every
    ]
    assert (sent[-1]["more"], set(sent[-1].values())) == ("nan", {"nan", None})


def test_a_files_name_is_text_in_the_link_that_a_run_leaves(tmp_path, monkeypatch):
    left = {}
    monkeypatch.setattr(artifacts.FlowRunContext, "get", lambda: "a run")
    monkeypatch.setattr(artifacts, "create_link_artifact", lambda **more: left.update(more))
    artifacts.link("slice-export", tmp_path / "x](javascript:alert(1)).csv", "x](javascript:alert(1)).csv: 6 rows")
    assert left["link_text"] == left["description"] == r"x\](javascript:alert(1)).csv: 6 rows"
    assert left["link"].startswith("file:///")
    assert not {"]", "(", ")"} & set(left["link"].partition("x%5D")[0])
