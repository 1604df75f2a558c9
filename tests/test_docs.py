"""The documents say what the code does: generated parts are as generated, and the README's query runs."""

import re

import lake
from deployments import docs
from lake import transform
from lake.layout import Layout
from tests.conftest import Raw


def test_the_flow_table_of_the_readme_is_that_of_prefect_yaml():
    assert (docs.ROOT / "README.md").read_text() == docs.readme()
    assert "`transform-hour/local` | `*/5 * * * *`" in docs.readme()


def test_the_data_dictionary_is_that_of_the_schemas():
    assert (docs.ROOT / "docs" / "dictionary.md").read_text() == docs.dictionary()


def test_the_readmes_queries_run(tmp_path, monkeypatch, capsys):
    raw = Raw(Layout(tmp_path))
    raw.put(raw.trade(1, 10), raw.trade(2, 11))
    transform.run(raw.layout, "SOLUSDT")
    monkeypatch.setenv("LAKE_BASE_PATH", str(tmp_path))
    found = re.findall(r"```python\n(.*?)```", (docs.ROOT / "README.md").read_text(), re.DOTALL)
    queries = [block for block in found if "con.sql" in block]
    assert len(queries) == 2
    exec("".join(queries), {"lake": lake})
    assert "SOLUSDT" in capsys.readouterr().out
