"""`crypto-lake service`: what it writes is what systemd itself, a plist reader and an XML reader understand by it."""

import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deployments import service
from deployments.service_files import Facts, filled
from lake.errors import BadInputError, LakeError

ODD = 'a b/100% %h r&d/it\'s "q" <x>/größe $HOME ${USER} $$/币安/back\\slash\\n'
ANALYZE = shutil.which("systemd-analyze")
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def facts(root):
    return Facts(f"{root}/.venv/bin/python", f"{root}", f"{root}/config.yml", f"{root}", f"{root}/data", "root")


def analyzed(tmp_path, text, user, level):
    place = tmp_path / "unit" / "crypto-lake.service"
    place.parent.mkdir(exist_ok=True)
    place.write_text(text, encoding="utf-8")
    runtime = tmp_path / "run"
    runtime.mkdir(exist_ok=True)
    environment = os.environ | {"SYSTEMD_LOG_LEVEL": level, "XDG_RUNTIME_DIR": str(runtime), "LC_ALL": "C.UTF-8"}
    words = [ANALYZE, *(["--user"] if user else []), "--man=no", "verify", str(place)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", ["user.service", "system.service"])
def test_systemd_reads_in_the_unit_what_was_meant(tmp_path, name):
    root = tmp_path / ODD
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
    python.chmod(0o755)
    text = filled(name, facts(root))
    quiet = analyzed(tmp_path, text, name == "user.service", "warning")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    told = analyzed(tmp_path, text, name == "user.service", "debug").stdout.partition("Unit crypto-lake.service:")[2]

    def said(key):
        return re.search(rf"^\s+{key}: (.*)$", told, re.MULTILINE)[1]

    assert said("WorkingDirectory") == str(root)
    assert said("Environment") == f"LAKE_CONFIG={root}/config.yml"
    kinds = tuple(map(said, ("Type", "Restart", "KillMode", "KillSignal")))
    assert kinds == ("exec", "always", "mixed", "SIGINT")
    assert (said("TimeoutStopSec"), said("UMask")) == ("30s", "0077")
    if name == "system.service":
        assert said("User") == "root"
        assert f"RequiresMountsFor: {root}/data " in told
    # systemd shows the words as they stand before it puts in variables, where $$ becomes $
    words = [word.replace("\\$", "$").replace("$$", "$") for word in shlex.split(said("Command Line"))]
    ran = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert ran == f"{python}\n-m\nflows\nup\n"


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_what_systemd_does_not_understand_would_be_noticed(tmp_path):
    text = filled("user.service", facts("/somewhere")).replace("KillMode=mixed", "KillMood=mixed")
    assert "KillMood" in analyzed(tmp_path, text, True, "warning").stderr


def test_the_plist_says_what_was_meant():
    root = f"/Users/{ODD}"
    found = plistlib.loads(filled("launchd.plist", facts(root)).encode())
    assert found["ProgramArguments"] == [f"{root}/.venv/bin/python", "-m", "flows", "up"]
    assert (found["WorkingDirectory"], found["EnvironmentVariables"]) == (root, {"LAKE_CONFIG": f"{root}/config.yml"})
    assert (found["KeepAlive"], found["RunAtLoad"], found["Umask"]) == (True, True, 0o077)


@pytest.mark.parametrize("name", ["login.xml", "boot.xml"])
def test_the_task_says_what_was_meant(name):
    folder = "C:\\Users\\Jörg & Söhne\\100% it's <币安>"
    python = f"{folder}\\.venv\\Scripts\\python.exe"
    text = filled(name, Facts(python, folder, f"{folder}\\config.yml", folder, f"{folder}\\data", "Jörg"))
    found = ET.fromstring(text.encode("utf-16"))
    assert found.findtext(f".//{TASK}Command") == python
    assert found.findtext(f".//{TASK}WorkingDirectory") == folder
    assert found.findtext(f".//{TASK}Arguments") == "-m flows up"
    assert {element.text for element in found.iter(f"{TASK}UserId")} == {"Jörg"}
    assert found.findtext(f".//{TASK}ExecutionTimeLimit") == "PT0S", "else Windows ends it after three days"
    assert [child.tag for child in found.find(f"{TASK}Triggers")] == [
        f"{TASK}{name[:-4].capitalize().replace('Login', 'Logon')}Trigger"
    ]


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("user.service", "/two\nlines"), ("launchd.plist", "/bell\a"), ("user.service", "/ends in a space "),
        ("system.service", "/ends so\\"), ("login.xml", "C:\\%TEMP%\\lake"), ("launchd.plist", "/lone\udcff"),
    ],
)  # fmt: skip
def test_what_no_quoting_can_say_is_refused(name, root):
    with pytest.raises(BadInputError):
        filled(name, facts(root))


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with a systemctl that notes what it is asked, and a lake's config.yml."""
    fake = tmp_path / "bin" / "systemctl"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n'
        f'case "$*" in *fails*) ;; *) if [ -e {tmp_path}/refuses ]; then echo "no bus" >&2; exit 1; fi ;; esac\n'
        f'case "$*" in *restart*) touch {tmp_path}/active ;; *--now*) rm -f {tmp_path}/active ;;\n'
        f"*is-active*) test -e {tmp_path}/active ;; esac\n"
    )
    fake.chmod(0o755)
    (tmp_path / "config.yml").write_text("base_path: ./lake\n")
    for name in [name for name in os.environ if name.startswith("LAKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LAKE_CONFIG", str(tmp_path / "config.yml"))
    return tmp_path


def asked(home):
    path = home / "asked"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def command(*words):
    done = subprocess.run(
        [sys.executable, "-m", "flows", "service", *words], capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    return done


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd's")


@linux
def test_installed_twice_is_installed_once_and_taken_away_it_is_gone(home):
    unit = home / ".config" / "systemd" / "user" / "crypto-lake.service"
    assert command("status").returncode == 1
    done = command("install")
    assert done.returncode == 0, done.stderr
    assert "loginctl enable-linger" in done.stdout
    reload = "--user daemon-reload"
    assert asked(home) == [reload, reload, "--user enable crypto-lake.service", "--user restart crypto-lake.service"]
    assert f'Environment="LAKE_CONFIG={home}/config.yml"' in unit.read_text()
    before = unit.stat().st_mtime_ns
    assert "installed already" in command("install").stdout
    assert asked(home) == ["--user is-active crypto-lake.service"]
    assert unit.stat().st_mtime_ns == before
    assert command("status").returncode == 0
    unit.write_text(unit.read_text() + "# of an older version\n")
    assert "install it again" in command("status").stdout
    assert command("install").returncode == 0
    assert "older" not in unit.read_text()
    for _ in range(2):
        done = command("uninstall")
        assert done.returncode == 0, done.stderr
        assert not unit.exists()
    assert "not installed" in done.stdout


@linux
def test_dry_run_prints_and_changes_nothing(home):
    done = command("install", "--dry-run")
    assert "ExecStart=" in done.stdout
    assert "# would run systemctl --user restart crypto-lake.service" in done.stdout
    done = command("install", "--system", "--run-as", "nobody", "--dry-run")
    assert "User=nobody" in done.stdout
    assert "# would write /etc/systemd/system/crypto-lake.service" in done.stdout
    assert asked(home) == []
    assert not (home / ".config").exists()


@linux
def test_where_systemd_does_not_answer_nothing_is_written(home):
    (home / "refuses").touch()
    done = command("install")
    assert (done.returncode, "no bus" in done.stderr) == (1, True)
    assert not list(home.rglob("crypto-lake.service"))


@linux
def test_what_a_service_would_not_see_is_refused(home, monkeypatch):
    monkeypatch.setenv("LAKE_BASE_PATH", "/elsewhere")
    done = command("install")
    assert (done.returncode, "LAKE_BASE_PATH" in done.stderr) == (2, True)
    monkeypatch.delenv("LAKE_BASE_PATH")
    assert command("install", "--system", "--run-as", "nobody-of-this-name").returncode == 2
    assert command("install", "--run-as", "nobody").returncode == 2
    monkeypatch.setenv("LAKE_CONFIG", str(home / "gone.yml"))
    assert command("install").returncode == 2
    assert asked(home) == []


def test_a_machine_without_the_manager_is_told_so(home):
    found = service.manager(False, platform="win32")
    assert service.text(found).startswith("<?xml")
    assert found.file == home / "lake" / "logs" / "crypto-lake-task.xml"
    with pytest.raises(LakeError, match="schtasks: not on this machine"):
        service.install(found, print)
    assert not found.file.exists()
    with pytest.raises(BadInputError, match="not on macOS"):
        service.manager(True, platform="darwin")
    assert plistlib.loads(service.manager(False, platform="darwin").content)["Label"] == "crypto-lake"
    other = home / "other.yml"
    other.write_text("base_path: ./lake\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAKE_CONFIG", str(other))
        with pytest.raises(BadInputError, match=r"call the file config\.yml"):
            service.manager(True, platform="win32")


def test_every_template_is_used_and_packed():
    names = {path.name for path in (Path(service.__file__).parent / "services").iterdir()}
    assert names == {"user.service", "system.service", "launchd.plist", "login.xml", "boot.xml"}
    told = (service.PROJECT / "pyproject.toml").read_text()
    assert '"services/*"' in told
