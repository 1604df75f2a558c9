"""What the audit of the dependencies says, and what they are pinned by."""

import json
import re

import pytest

from deployments.audit import CLEAN, FOUND, LOCK, UNKNOWN, verdict

GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
AWAY = {"name": "c", "skip_reason": "not found on PyPI"}


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        ([GOOD], CLEAN, "1 distributions: none is known"),
        ([GOOD, BAD], FOUND, "b 2: CVE-1, mended in 3"),
        ([BAD, AWAY], FOUND, "b 2: CVE-1, mended in 3"),
        ([GOOD, AWAY], UNKNOWN, "not audited: 1 of 2 distributions could not be looked up (not found on PyPI)"),
        ([], UNKNOWN, "not audited"),
    ],
)
def test_what_could_not_be_looked_up_is_no_pass(found, code, words):
    told, lines = verdict(json.dumps({"dependencies": found}))
    assert (told, lines[0][: len(words)]) == (code, words)


@pytest.mark.parametrize("told", ["", "Traceback", "{}", "[]"])
def test_no_answer_is_no_pass(told):
    assert verdict(told)[0] == UNKNOWN


def test_every_distribution_is_pinned_by_version_and_sha_256():
    entries = re.split(r"\n(?=[a-z0-9])", LOCK.read_text())
    assert len(entries) > 100
    name, version = r"[a-z0-9._-]+(\[[a-z0-9, -]+\])?", r"==[0-9][^ @/]*( ; [^\n]*)?"
    pinned = re.compile(rf"{name}{version} \\\n( +--hash=sha256:[0-9a-f]{{64}}( \\)?\n)+( +#.*\n?)*")
    assert [entry for entry in entries if not pinned.fullmatch(entry.rstrip() + "\n")] == []
