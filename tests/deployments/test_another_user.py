"""A lake that belongs to another user: each command says so in a line, and doctor tells it as JSON."""

import json
import os
import shutil
import subprocess
import sys

import pytest

COMMANDS = ("status", "down", "health", "housekeeping", "up", "doctor --json", "disk")
SCRIPT = """
import contextlib, io, json, sys
from flows.__main__ import main
for command in sys.argv[1:]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(command.split())
        except SystemExit as ended:
            code = ended.code
    print(json.dumps([command, code, out.getvalue(), err.getvalue()]))
"""


@pytest.fixture
def another_users(tmp_path):
    """The environment of a lake that another user owns and nobody else may enter, and how to be no superuser."""
    base = tmp_path / "lake"
    (base / "locks").mkdir(parents=True)
    (base / "locks" / "up.lock").touch()
    powerless = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and setpriv is not there")
        powerless = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
        for path in (base / "locks" / "up.lock", base / "locks", base):
            os.chown(path, 65534, 65534)
    hosts = dict.fromkeys(("REST", "FUTURES", "ARCHIVE"), "http://127.0.0.1:9") | {"WS": "ws://127.0.0.1:9"}
    own = {f"LAKE_BINANCE__{name}_URL": url for name, url in hosts.items()}
    own |= {f"LAKE_{name}__PORT": "0" for name in ("SERVER", "DASHBOARD", "DOCS")}
    own |= {"LAKE_BASE_PATH": str(base), "LAKE_MACRO_MINUTE__YAHOO_URL": "http://127.0.0.1:9"}
    yield base, powerless, os.environ | own
    base.chmod(0o700)
    for path in base.rglob("*"):
        path.chmod(0o700)


@pytest.mark.parametrize("closed", ["", "locks/up.lock"])
def test_each_command_says_in_a_line_that_it_may_not_look(another_users, closed):
    base, powerless, environment = another_users
    (base / closed).chmod(0)
    done = subprocess.run(
        [*powerless, sys.executable, "-c", SCRIPT, *COMMANDS], env=environment, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = {command: (code, out, err) for command, code, out, err in map(json.loads, done.stdout.splitlines())}
    assert set(told) == set(COMMANDS)
    for command in ("status", "down", "up"):
        code, _, err = told[command]
        assert code in (1, 2), told[command]
        assert err.count("\n") == 1, told[command]
        assert "Permission denied" in err
    findings = json.loads(told["doctor --json"][1])["findings"]
    assert any(one["state"] == "fail" and "Permission denied" in one["said"] for one in findings)
    assert not [one for one in findings if "itself broke" in one["said"]]
