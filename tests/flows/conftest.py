import os

import pytest

from tests.shell import crypto_lake


@pytest.fixture
def command(layout, tmp_path):
    """Run crypto-lake on the lake of the test, in an empty folder."""
    home, here = tmp_path / "prefect", tmp_path / "here"
    here.mkdir()

    def run(*arguments, **environment):
        own = {key: value for key, value in os.environ.items() if not key.startswith(("LAKE_", "PREFECT_"))}
        settings = {"LAKE_BASE_PATH": str(layout.base), "PREFECT_HOME": str(home), "COLUMNS": "100", "NO_COLOR": "1"}
        return crypto_lake(*arguments, env=own | settings | environment, cwd=here)

    yield run
    assert not list(home.glob("*.db*")), "a Prefect server was started"
