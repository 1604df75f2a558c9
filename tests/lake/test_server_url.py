"""At which address this machine finds the server that listens elsewhere."""

import pytest

from lake.sections import Server


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4200"), ("localhost", "http://localhost:4200"), ("::1", "http://[::1]:4200"),
        ("0.0.0.0", "http://127.0.0.1:4200"), ("::", "http://[::1]:4200"), ("192.168.0.7", "http://192.168.0.7:4200"),
        ("fd00::7", "http://[fd00::7]:4200"), ("nas.lan", "http://nas.lan:4200"),
    ],
)  # fmt: skip
def test_wherever_the_server_listens_this_machine_finds_it(host, url):
    assert Server(host=host, port=4200, auth_string="admin:secret").url == url
