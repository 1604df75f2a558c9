"""A lake of somebody else's: nothing in it is run before it was allowed here, and nothing by its settings at all."""

import importlib.util
import os
import py_compile
import sys
from pathlib import Path

import pytest

from flows.__main__ import main
from lake import own_rules
from lake.errors import BadInputError
from tests.expectations.small import bars, check, counts, plant, write_hours
from tests.expectations.test_own import BUSY, allow, put


@pytest.fixture
def project(layout):
    """The project of a lake with a minute of bars, as it is after a first validation."""
    write_hours(layout, plant(bars(60), [3], trade_count=5_000))
    check(layout, 60)
    return layout.reports / "gx"


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """A file, and the code that makes it."""
    for name in ("pyspark", "mine"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "ran", f"open({str(tmp_path / 'ran')!r}, 'w').close()\n"


def write(project, name, text):
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", [
    "expectations/busy.py", "expectations/_helper.py", "pyspark.py", "mine/__init__.py", "mine.pyc", "a/b/c.so",
])  # fmt: skip
def test_code_that_was_not_allowed_is_not_run_and_there_is_no_pass(layout, project, marker, name):
    ran, code = marker
    write(project, f"plugins/{name}", code + BUSY.format(severity="info"))
    outcome = check(layout, 60)
    [note] = outcome.to_json()["notes"]
    assert outcome.verdict == "INVESTIGATE"
    assert f"plugins/{name}" in note
    assert note.endswith("crypto-lake rules allow")
    assert not ran.exists()
    assert str(project / "plugins") not in sys.path


def test_an_allowed_rule_runs_until_it_is_changed_or_renamed(layout, project, marker):
    ran, code = marker
    path = write(project, "plugins/expectations/busy.py", BUSY.format(severity="critical") + code)
    allow(layout)
    assert (check(layout, 60).verdict, counts(check(layout, 60))) == ("FAIL", {"busy": 1})
    for change in (lambda: path.write_text(path.read_text() + "\n"), lambda: path.rename(path.with_name("calm.py"))):
        allow(layout)
        change()
        ran.unlink(missing_ok=True)
        assert check(layout, 60).verdict == "INVESTIGATE"
        assert not ran.exists()


def test_what_a_rule_imports_is_run_from_its_source_and_not_from_what_somebody_compiled(layout, project, marker):
    ran, code = marker
    helper = write(project, "plugins/mine.py", code + "LIMIT = 1\n")
    py_compile.compile(str(helper))
    cached = importlib.util.cache_from_source(helper)
    before = helper.stat()
    helper.write_text("LIMIT = 1_000" + " " * (before.st_size - 13))
    os.utime(helper, ns=(before.st_atime_ns, before.st_mtime_ns))
    text = BUSY.format(severity="critical").replace("1_000", "mine.LIMIT").replace("import", "import mine\nimport", 1)
    put(layout, text)
    assert Path(cached).exists()
    assert (check(layout, 60).verdict, ran.exists()) == ("FAIL", False)


PLANTED = {
    "a module in the place of a store": ("class_name: CheckpointStore", "class_name: X\n    module_name: mine"),
    "a module of the site": ("module_name: expectations.site\n    class_name: Site", "module_name: mine"),
    "another class of a store": ("class_name: ExpectationsStore", "class_name: DatabaseStore"),
    "a folder elsewhere": ("base_directory: checkpoints/", "base_directory: ../../../elsewhere/"),
    "the environment": ("data_context_id: ", "data_context_id: $HOME"),
    "a secret": ("uncommitted/config_variables.yml", "secret|projects/x/secrets/y"),
    "plugins elsewhere": ("plugins_directory: plugins/", "plugins_directory: /tmp"),
    "a database": ("type: pandas", "type: sqlite\n    connection_string: sqlite:////tmp/x.db"),
    "a file": ("type: dataframe", "type: pickle\n        filepath_or_buffer: /tmp/x"),
    "a key": ("config_version", "mine: 1\nconfig_version"),
    "a list": ("config_version", "stores2: [1]\nconfig_version"),
    "a tag": ("class_name: CheckpointStore", "class_name: !mine CheckpointStore"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_setting_of_the_project_that_we_do_not_write_is_refused_and_nothing_is_imported(
    layout, project, marker, planted
):
    ran, code = marker
    path = project / "great_expectations.yml"
    before = path.read_text()
    assert planted[0] in before
    sys.path.insert(0, str(write(project, "elsewhere/mine.py", code).parent))
    path.write_text(before.replace(*planted, 1))
    with pytest.raises(BadInputError, match="is not as crypto-lake writes it") as error:
        check(layout, 60)
    assert "\n" not in str(error.value)
    assert not ran.exists()
    path.unlink()
    assert check(layout, 60).verdict == "PASS", "moved away, it is made again"


def test_a_project_of_more_than_one_source_and_timeframe_is_as_we_write_it(layout, project):
    assert check(layout, 60, tf="1m").verdict != "FAIL"
    assert check(layout, 60).verdict == "PASS"


@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's")
@pytest.mark.parametrize("place", ["", "plugins", "plugins/expectations", "plugins/expectations/busy.py"])
@pytest.mark.parametrize("how", ["owner", "world"])
def test_rules_that_somebody_else_could_change_are_refused(layout, project, place, how):
    if how == "owner" and os.geteuid():
        pytest.skip("only root gives files away")
    put(layout, BUSY.format(severity="info"))
    if how == "owner":
        os.chown(project / place, 65534, -1)
    else:
        (project / place).chmod(0o777)
    with pytest.raises(BadInputError, match=r"another user|other users") as error:
        check(layout, 60)
    assert str(project / place) in str(error.value)


def test_a_folder_of_plugins_that_is_a_link_is_refused(layout, project, tmp_path):
    write(tmp_path, "theirs/__init__.py", "")
    (project / "plugins" / "mine").symlink_to(tmp_path / "theirs")
    with pytest.raises(BadInputError, match="is a link to a folder"):
        check(layout, 60)


@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's")
def test_what_was_allowed_is_the_users_alone_and_lies_outside_of_the_lake(layout):
    put(layout, BUSY.format(severity="info"))
    place = own_rules.store()
    assert layout.base not in place.parents
    assert (place.stat().st_mode & 0o777, place.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    place.chmod(0o666)
    with pytest.raises(BadInputError, match="other users may write to it"):
        own_rules.allowed()


def test_the_commands_list_what_there_is_and_allow_it(layout, monkeypatch, capsys):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))

    def command(*words):
        with pytest.raises(SystemExit) as end:
            main(["rules", *map(str, words)])
        return end.value.code, capsys.readouterr().out.splitlines()

    assert command("list") == (0, ["no rules of your own in this lake"])
    write(layout.reports / "gx", "plugins/expectations/busy.py", BUSY.format(severity="info"))
    calm = write(layout.reports / "gx", "plugins/expectations/calm.py", BUSY.format(severity="info"))
    assert command("list") == (
        1,
        ["not allowed  plugins/expectations/busy.py", "not allowed  plugins/expectations/calm.py"],
    )
    assert command("allow", calm) == (0, ["allowed  plugins/expectations/calm.py"])
    assert command("list")[1] == [
        "not allowed  plugins/expectations/busy.py",
        "allowed      plugins/expectations/calm.py",
    ]
    assert command("allow") == (0, ["allowed  plugins/expectations/busy.py"])
    assert command("list")[0] == 0
    assert command("allow", layout.base / "x.py") == (2, [])
