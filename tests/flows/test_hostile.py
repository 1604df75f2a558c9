"""What is hostile, through every parameter of every flow: refused with one line, and nothing is written by it.

The parameters are those of the flows that prefect.yaml names: a new one is covered by its type, or fails here.
"""

import inspect
import os
import shutil
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Literal, get_args, get_origin

import pytest
import yaml
from loguru import logger
from prefect.flows import load_flow_from_entrypoint
from prefect.runtime import deployment
from pydantic import ValidationError

from flows.__main__ import main
from flows.flow_commands import _checked as checked
from lake import params
from lake.errors import BadInputError
from lake.layout import Layout
from tasks.places import named_file

ROOT = Path(__file__).resolve().parent.parent.parent
ENTRYPOINTS = [one["entrypoint"] for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]]
FLOWS = {entry.partition(":")[2]: load_flow_from_entrypoint(str(ROOT / entry)).fn for entry in ENTRYPOINTS}

TEXTS = [
    "../../etc/passwd", "/etc/passwd", "..\\..\\x", "a\nb", "a\x1b[2Jb", "<script>alert(1)</script>", "${HOME}",
    "{{ 7*7 }}", "$(id)", "`id`", "'; DROP TABLE x; --", "=cmd|' /C calc'!A0", "@SUM(1)", "-rf", "--help", "x" * 10_000,
    "\u202eTDSULOS", "SOL\u200bUSDT", "S\u041eLUSDT", "\uff33\uff2f\uff2c", "\u05d0\u05d1USDT", "SOL\u00b2", "NUL",
    "file:///etc/passwd", "http://169.254.169.254/", "[SOL]", "a*b", "%2e%2e",
]  # fmt: skip
NUMBERS = [
    "1e400", "nan", "inf", "-inf", "-1", "0", "99999999999999999999999", "0x10", "one", "", "1;2", "１２",
]  # fmt: skip
PATHS = [
    "a\nb", "a\x1b[2Jb", "\u202ecod.x", "<script>alert(1)</script>", 'a"b', "a|b", "a?b", "a*b", "x" * 10_000,
    "n" * 300, "loop/x", "there/x", "link", "there", ".", "", "raw/x", "parquet/binance/x", "Raw/x", "to_raw/x",
    "logs/../raw/x", "ledger/x", "locks/x", "reports/data_docs/index.html", "logs/health/heartbeat.json",
]  # fmt: skip
OUTSIDE = ["../x", "/etc/x", "out/x", "{outside}/x", "{outside}/there", "slices/../../x", "~/x", "//etc/x"]
ORDERED = [
    ".prefect/prefect.db", ".prefect/profiles.toml", "slices/.x", "slices/.x/y", "reports/.x.md", ".x.md", "~",
    "slices", "slices/../.prefect/x", "reports/../config.yml", "{lake}/config.yml", "{lake}/.prefect/prefect.db",
    "{lake}/there", "{lake}/slices/../there", "slices/out/x", "slices/out/x.md", "reports/out/x.md", "{lake}/raw/x.md",
    "slices/theirs.csv", "reports/theirs.md", "reports/health.md", "reports/data_docs/x.md", "reports/gx/x.yml",
    "slices/x.receipt.json", "reports/gx/plugins/expectations/x.py", "./../x.md", "slices/a\nb", "reports/\u202ecod.md",
    "slices/theirs.csv/x.md", "reports/theirs.md/x.md", "config.yml/../../x",
]  # fmt: skip
NO_BOOL = ["maybe", "2", "", "<script>"]
BY_TYPE = {
    params.Symbols: TEXTS, params.Tickers: TEXTS, params.Series: TEXTS, params.Start: TEXTS + NUMBERS,
    params.End: TEXTS + NUMBERS, params.Day: TEXTS + NUMBERS, params.Interval: TEXTS + NUMBERS,
    params.Timeframe: TEXTS + NUMBERS, params.Out: PATHS, params.MacroDays: TEXTS + NUMBERS,
    params.LookbackDays: TEXTS + NUMBERS, params.Duration: TEXTS + NUMBERS,
    bool: NO_BOOL,
}  # fmt: skip
NEEDED = {
    "slice_export": {"symbols": "SOLUSDT", "start": "2025-10-20", "end": "2025-10-21", "out": "x.parquet"},
    "validate_rules": {"symbols": "SOLUSDT"},
}


def kind(annotation):
    """A parameter's type, less what says that it may be left out."""
    if str(annotation).startswith("typing.Annotated") or annotation is bool or get_origin(annotation) is Literal:
        return annotation
    (found,) = [one for one in get_args(annotation) if one is not NoneType]
    return found


def hostile(annotation):
    """The hostile values of a parameter's type."""
    found = kind(annotation)
    return TEXTS + NUMBERS if get_origin(found) is Literal else BY_TYPE[found]


PARAMETERS = [
    (name, parameter.name, parameter.annotation)
    for name, function in FLOWS.items()
    for parameter in inspect.signature(function, eval_str=True).parameters.values()
]


@pytest.fixture(autouse=True)
def lake(layout, tmp_path, monkeypatch):
    """A lake without data, with links in it and a file beside it; after the test everything is as it was."""
    outside, mask = tmp_path / "outside", os.umask(0o077)
    os.umask(mask)
    for folder in (outside, layout.raw, layout.reports / "data_docs"):
        folder.mkdir(parents=True)
    (outside / "there").write_text("mine")
    (layout.base / "there").write_text("mine")
    for name, target in (("out", outside), ("to_raw", layout.raw), ("loop", "loop"), ("link", "there")):
        (layout.base / name).symlink_to(target)
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setenv("LAKE_BINANCE__REST_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HOME", str(outside))
    monkeypatch.chdir(layout.base)
    before = everything(tmp_path)
    yield layout
    os.umask(mask)
    logger.remove()
    assert everything(tmp_path) == before


def everything(folder):
    """Every file and link below a folder, but for what the lake tells of itself."""
    own = {"logs", "locks", "health.md"}
    found = {path for path in folder.rglob("*") if not own & set(path.relative_to(folder).parts)}
    return {path: path.read_text() if path.is_file() else path.is_symlink() for path in found}


def run(flow, name, value, more=MappingProxyType({})):
    """Run a flow's plain function with one parameter so, its types checked as Prefect and the command line do."""
    given = NEEDED.get(flow, {}) | {name: value, **more}
    listed = {key: [one] if key in ("symbols", "tickers") else one for key, one in given.items()}
    return FLOWS[flow](**checked(FLOWS[flow], listed))


def refused(call, *given):
    """Whether it is refused as bad input in one line."""
    try:
        call(*given)
    except BadInputError as error:
        return "\n" not in str(error) and "\x1b" not in str(error)
    except ValidationError:  # of which the command line says the first line; Prefect's server, which parameter
        return True
    return False


@pytest.mark.parametrize(
    ("flow", "name", "annotation"), PARAMETERS, ids=lambda one: one if isinstance(one, str) else ""
)
def test_every_parameter_of_every_flow_refuses_what_is_hostile(lake, tmp_path, flow, name, annotation):
    assert [value for value in hostile(annotation) if not refused(run, flow, name, value)] == []


@pytest.mark.parametrize(("flow", "name"), [("slice_export", "out"), ("validate_rules", "report")])
def test_a_run_that_a_form_has_ordered_names_no_file_outside_of_the_lake(lake, tmp_path, monkeypatch, flow, name):
    monkeypatch.setattr(deployment, "get_id", lambda: "of a deployment")
    monkeypatch.setitem(deployment.FIELDS, "id", lambda: "of a deployment")
    for folder in ("slices", "reports"):
        (lake.base / folder).mkdir(exist_ok=True)
        (lake.base / folder / "out").symlink_to(tmp_path / "outside")
        (lake.base / folder / f"theirs.{'csv' if folder == 'slices' else 'md'}").write_text("theirs")
    before = everything(tmp_path)
    wanted = [place.replace("{outside}", str(tmp_path / "outside")) for place in OUTSIDE + ORDERED
              if flow == "validate_rules" or not place.startswith("reports/") or ".." in place]  # fmt: skip
    places = [place.replace("{lake}", str(lake.base)) for place in wanted]
    more = {"overwrite": True} if flow == "slice_export" else {}
    assert [place for place in places if not refused(run, flow, name, place, more)] == []
    assert everything(tmp_path) == before
    shutil.rmtree(lake.base / "slices")
    (lake.base / "reports" / "out").unlink()
    (lake.base / "reports" / "theirs.md").unlink()


@pytest.mark.parametrize(("folder", "name"), [("slices", "sol.csv"), ("reports", "sol.md")])
def test_a_relative_name_that_a_form_gives_lies_in_the_folder_of_its_kind(lake, monkeypatch, folder, name):
    monkeypatch.setitem(deployment.FIELDS, "id", lambda: "of a deployment")
    place = lake.base / folder / name
    for given in (name, f"{folder}/{name}", f"./{name}", str(place)):
        assert named_file(lake, given, folder) == place
    assert named_file(lake, f"deep/{name}", folder) == lake.base / folder / "deep" / name
    (lake.base.parent / ".elsewhere").mkdir()
    try:
        moved = Layout(lake.base.parent / ".elsewhere")
        assert named_file(moved, str(moved.base / folder / name), folder) == moved.base / folder / name
    finally:
        (lake.base.parent / ".elsewhere").rmdir()


def test_a_null_in_a_name_is_refused_too():
    """It cannot be given on a command line; a form can."""
    texts = [one for one in PARAMETERS if kind(one[2]) in (params.Symbols, params.Tickers, params.Series, params.Out)]
    assert [one for one in texts if not refused(run, *one[:2], "a\0b")] == []


@pytest.mark.parametrize(
    ("flow", "name"), [one[:2] for one in PARAMETERS if one[2] is not bool and one[0] != "collect_live"]
)
def test_the_command_says_it_in_one_line_with_exit_code_two(capsys, flow, name):
    given = NEEDED.get(flow, {}) | {name: "<script>alert(1)</script>"}
    options = [word for option, value in given.items() for word in (f"--{option.replace('_', '-')}", value)]
    with pytest.raises(SystemExit) as end:
        main([flow.replace("_", "-"), *options])
    said = capsys.readouterr()
    assert (end.value.code, said.out, len(said.err.splitlines())) == (2, "", 1), said
    assert name.split("_")[0].removesuffix("s") in said.err
