"""The documents say what the code does: generated parts are as generated; the README's queries and the notebook run."""

import ast
import json
import re
import shlex

from deployments import docs
from tests.shell import crypto_lake


def test_the_flow_table_of_the_readme_is_that_of_prefect_yaml():
    assert (docs.ROOT / "README.md").read_text() == docs.readme()
    assert "`transform-hour/local` | `*/5 * * * *`" in docs.readme()


def test_the_data_dictionary_is_that_of_the_schemas():
    assert (docs.ROOT / "docs" / "dictionary.md").read_text() == docs.dictionary()


def test_the_readmes_queries_run(small_lake, capsys):
    found = re.findall(r"```python\n(.*?)```", (docs.ROOT / "README.md").read_text(), re.DOTALL)
    assert sum("lake.bars(" in block for block in found) == 1
    assert sum("con.sql(" in block for block in found) == 1
    exec("".join(found), {})
    shown = capsys.readouterr().out
    assert "SOLUSDT" in shown
    assert "oldest_s" in shown, "the last query was answered too"


def test_the_readmes_commands_run(small_lake):
    found = re.findall(r"^crypto-lake sql (\".*?\")", (docs.ROOT / "README.md").read_text(), re.MULTILINE)
    assert found
    for query in found:
        done = crypto_lake("sql", *shlex.split(query))
        assert done.returncode == 0, done.stderr
        assert "SOLUSDT" in done.stdout


def test_the_notebook_runs_cell_by_cell(small_lake):
    notebook = json.loads((docs.ROOT / "docs" / "research.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells), "outputs are of somebody's own lake"
    names = {}
    for cell in cells:
        body = ast.parse("".join(cell["source"])).body
        exec(compile(ast.Module(body[:-1], []), "cell", "exec"), names)
        if isinstance(body[-1], ast.Expr):
            shown = eval(compile(ast.Expression(body[-1].value), "cell", "eval"), names)
            assert len(repr(shown)), "what the notebook would show"
        else:
            exec(compile(ast.Module(body[-1:], []), "cell", "exec"), names)
    assert names["symbol"] == "SOLUSDT"
    assert names["coverage"]["seconds_held"].sum() == 400
    assert len(names["bars"]) == 67
    assert len(names["result"]) > 50
