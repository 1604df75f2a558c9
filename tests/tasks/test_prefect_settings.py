"""A folder of data does not configure Prefect."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHOW = """
from prefect.settings import get_current_settings, temporary_settings, PREFECT_LOGGING_LEVEL

def show():
    found = get_current_settings()
    print(found.api.url, found.logging.config_path.name, found.server.api.port, found.client.max_retries)

show()
with temporary_settings({PREFECT_LOGGING_LEVEL: "DEBUG"}):
    show()
"""


def test_the_files_of_a_folder_do_not_configure_prefect_and_the_environment_does(tmp_path):
    (tmp_path / ".env").write_text("PREFECT_API_URL=http://theirs.invalid/api\nPREFECT_LOGGING_SETTINGS_PATH=x.yml\n")
    (tmp_path / "prefect.toml").write_text("[server.api]\nport = 4444\n")
    (tmp_path / "pyproject.toml").write_text("[tool.prefect.client]\nmax_retries = 77\n")

    (tmp_path / "home").mkdir()

    def shown(before, **environment):
        done = subprocess.run(
            [sys.executable, "-c", before + SHOW], cwd=tmp_path, capture_output=True, text=True,
            env={"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path / "home")} | environment,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    assert shown("") == ["http://theirs.invalid/api x.yml 4444 77"] * 2, "what Prefect does by itself"
    own = {"PREFECT_API_URL": "http://mine.invalid/api", "PREFECT_SERVER_API_PORT": "1234"}
    assert shown("import flows", **own) == ["http://mine.invalid/api logging.yml 1234 5"] * 2
    (tmp_path / "theirs.toml").write_text(
        'active = "x"\n[profiles.x]\nPREFECT_API_URL = "http://theirs.invalid/api"\nPREFECT_CLIENT_MAX_RETRIES = "77"\n'
    )
    (tmp_path / ".env").write_text("PREFECT_PROFILES_PATH=theirs.toml\nPREFECT_HOME=.\n")
    (tmp_path / "prefect.toml").write_text('profiles_path = "theirs.toml"\n')
    (tmp_path / "pyproject.toml").write_text("[torn")
    assert shown("from flows.slice_export import slice_export") == ["None logging.yml 4200 5"] * 2
