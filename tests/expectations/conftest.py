import pytest

from lake.layout import Layout


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "lake")
