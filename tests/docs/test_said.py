"""Commands, keys, ports, automations and messages that the documents name are those of the code."""

import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest
import typer
import yaml

from deployments.docs import ROOT
from flows.__main__ import app
from lake import health_report, health_runs
from lake.settings import Settings
from tests.docs import pages

AUTOMATIONS = {
    yaml.safe_load(path.read_text())["name"] for path in (ROOT / "deployments" / "automations").glob("*.yaml")
}
FILE = re.compile(r".*\.(ya?ml|json|md|py|ipynb|lock|toml|prom|log|parquet|sqlite|csv|sql|gz|txt)")
COMMAND = re.compile(r"^(?:sudo )?(?:[\w.\\/]*[\\/])?crypto-lake (.+)$")


def commands(page):
    """The words of every crypto-lake command in code blocks and code spans, without what a shell does with them."""
    lines = [line for body in pages.blocks(page, "") for line in body.splitlines()]
    said = [part for line in lines for part in re.split(r" && |; ", line)] + pages.spans(page)
    found = [match[1] for line in said if (match := COMMAND.match(line.strip()))]
    words = [shlex.split(line, comments=True) for line in found if f"crypto-lake {line}" not in AUTOMATIONS]
    return [list(takewhile(lambda word: word not in ("|", ">", "<", "&"), one)) for one in words]


def wrong(words):
    """Why typer does not take these words, or None."""
    try:
        context = typer.main.get_command(app).make_context("crypto-lake", list(words))
        while hasattr(context.command, "resolve_command"):
            _, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
            context = command.make_context(command.name, rest, parent=context)
    except Exception as error:
        kind, bare = type(error).__name__, len(words) == 1  # a command that is only mentioned
        right = kind == "Exit" or (bare and kind == "MissingParameter")
        return None if right else f"{shlex.join(words)}: {error or kind}"
    return None


@pytest.mark.parametrize("name", pages.NAMES)
def test_every_command_is_one(name):
    assert [why for words in commands(pages.text(name)) if (why := wrong(words))] == []


@pytest.mark.parametrize(
    "said",
    [
        "crypto-lake colect-live", "crypto-lake up --now", "crypto-lake service instal", "crypto-lake demo x",
        "crypto-lake slice-export --symbols SOLUSDT",
    ],
)  # fmt: skip
def test_a_command_that_is_none_is_found(said):
    for page in (f"`{said}`", f"```\n{said}   # so it goes\n```\n", f"```\nls && sudo .venv/bin/{said} > file\n```\n"):
        assert [wrong(words) is not None for words in commands(page)] == [True]


def test_every_command_is_in_a_document():
    said = {words[0] for name in pages.NAMES for words in commands(pages.text(name))}
    assert set(typer.main.get_command(app).commands) - said == set()


@pytest.mark.parametrize("name", pages.NAMES)
def test_every_make_target_is_one(name):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [line for body in pages.blocks(pages.text(name), "") for line in body.splitlines()]
    said = [
        match[1] for line in [*lines, *pages.spans(pages.text(name))] if (match := re.match(r"make ([a-z]+)", line))
    ]
    assert set(said) - targets == set()


KEYS = {
    key if inner is None else f"{key}.{inner}"
    for key, field in Settings.model_fields.items()
    for inner in [None, *getattr(field.annotation, "model_fields", {})]
}


def keys(page):
    """What reads like a key: section.name in code, and LAKE_… anywhere."""
    code = [*pages.spans(page), *(word for body in pages.blocks(page, "") for word in body.split())]
    dotted = [match[1] for span in code if (match := re.match(r"([a-z_]+\.[a-z_]+)(?:: .*)?$", span))]
    said = [
        one
        for one in dotted
        if not FILE.fullmatch(one) and one.partition(".")[0] not in ("lake", "deployments", "main")
    ]
    variables = [name for name in re.findall(r"\bLAKE_([A-Z_]+[A-Z])", page) if name != "CONFIG"]
    return {*said, *(name.lower().replace("__", ".") for name in variables)}


@pytest.mark.parametrize("name", pages.NAMES)
def test_every_key_is_one(name):
    assert keys(pages.text(name)) - KEYS == set()


def test_a_key_that_is_none_is_found():
    page = "`colector.flush_seconds`, `server.prot: 1`, `config.yml`, `lake.bars`, `symbols`\n"
    page += "```\nLAKE_BINANCE__WSURL=x up\n```\n"
    assert keys(page) == {"colector.flush_seconds", "server.prot", "binance.wsurl"}
    assert keys(page) & KEYS == set()


@pytest.mark.parametrize("name", pages.NAMES)
def test_the_ports_are_those_as_shipped(name):
    shipped = {str(Settings.model_fields[part].default.port) for part in ("server", "dashboard", "docs")}
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", pages.text(name))) <= shipped


def section(name, heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", pages.text(name), re.MULTILINE | re.DOTALL)[1]


def firsts(part):
    """The first cell of each row of the tables in a part, less the heads."""
    rows = [line.split(" | ")[0].removeprefix("| ") for line in part.splitlines() if line.startswith("| ")]
    return [row for row in rows if row not in ("line", "automation", "message", "alert")]


def test_what_health_says_is_what_the_runbook_explains():
    part = section("docs/runbook.md", "What health says")
    modules = [*Path(health_report.__file__).parent.glob("health*.py"), ROOT / "collector" / "run.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in modules)
    said = [row for row in firsts(part) if not row.startswith("*")]
    assert len(said) >= 6
    for row in said:
        for piece in re.split("…", re.sub(r"^(collector|disk): ", "", row)):
            assert piece.strip() in source, row
    for state in (health_report.HEALTHY, health_report.STARTING, health_report.STOPPED, health_report.ERROR):
        assert f"**{state}**" in part
    assert health_runs.DIED in part


def test_the_automations_are_those_that_are_made():
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    made = AUTOMATIONS | {trigger["name"] for one in deployments for trigger in one.get("triggers", ())}
    said = {row.strip("`") for row in firsts(section("docs/runbook.md", "What is told, and by whom")) if row[0] == "`"}
    assert said == made


def test_every_alert_is_explained():
    rules = yaml.safe_load((ROOT / "deployments" / "monitoring" / "alerts.yml").read_text(encoding="utf-8"))
    there = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert {row.strip("`") for row in firsts(section("docs/runbook.md", "Alerts of Prometheus"))} == there
