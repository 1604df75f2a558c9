"""A verdict on the Quality page leads to its page of the Data Docs."""

import functools
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.expectations import small
from tests.gui.conftest import ROOT


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """The port of a server of a folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@pytest.fixture
def verdicts(layout, monkeypatch):
    """The table of verdicts on a day that was validated, as the page shows it when a port is that of the Data Docs."""
    small.write_hours(layout, small.bars(3600))
    small.check(layout, 3600)
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    st.cache_resource.clear()

    def shown(port):
        monkeypatch.setenv("LAKE_DOCS__PORT", str(port))
        test = AppTest.from_file(str(ROOT / "gui" / "app.py"), default_timeout=60)
        test.query_params["page"] = "Quality"
        test.run()
        assert not test.exception
        (found,) = (one.value for one in test.dataframe if "verdict" in one.value)
        return found.to_dict("records")

    return shown


def test_the_link_of_a_verdict_leads_to_its_page(layout, verdicts):
    with served(layout.reports / "data_docs") as port:
        rows = verdicts(port)
        assert rows
        for row in rows:
            assert row["page"].startswith(f"http://127.0.0.1:{port}/validations/")
            with urlopen(row["page"]) as answer:
                text = answer.read().decode()
            assert answer.headers.get_content_type() == "text/html"
            assert row["verdict"] in text
            assert row["day"] in text
            assert small.SOL in text


def test_where_no_server_answers_the_verdict_names_its_file(layout, verdicts):
    for row in verdicts(1):
        assert row["page"].startswith(str(layout.reports / "data_docs"))
        assert row["verdict"] in Path(row["page"]).read_text(encoding="utf-8")
