"""Secrets are never said: by the settings, by an error, in a log."""

import pytest
from loguru import logger

from lake import log, redaction, settings
from lake.errors import BadInputError

LOGIN, ADDRESS = "admin:s3cr%et", "postgresql+asyncpg://lake:p%40ssw0rd@db.example/prefect"


@pytest.fixture
def found(layout, monkeypatch):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setenv("LAKE_SERVER__AUTH_STRING", LOGIN)
    monkeypatch.setenv("LAKE_SERVER__DATABASE_URL", ADDRESS)
    yield settings.load()
    logger.remove()
    logger.configure(patcher=lambda record: None)


def silent(text):
    return not any(secret in text for secret in ("s3cr%et", "p%40ssw0rd", "p@ssw0rd"))


def test_settings_do_not_show_them(found):
    for text in (repr(found), str(found), str(found.model_dump()), found.model_dump_json()):
        assert "127.0.0.1" in text
        assert silent(text)


def test_a_line_is_logged_without_them(found, capsys):
    log.start(found)
    logger.warning("cannot connect to {} as {}, {}", ADDRESS, LOGIN, "p@ssw0rd")
    (path,) = found.layout.logs.glob("*.log")
    for text in (path.read_text(), capsys.readouterr().err):
        assert "cannot connect to *** as ***, ***" in text
        assert silent(text)


def test_without_secrets_nothing_is_hidden(monkeypatch):
    assert redaction.secrets(settings.load()) == ()
    monkeypatch.setenv("LAKE_SERVER__DATABASE_URL", "postgresql+asyncpg://a:b@c/d")
    assert "b" not in redaction.secrets(settings.load()), "so short a one would hide half of every line"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAKE_BINANCE__REST_URL", "http://server:s3cr%et@x"), ("LAKE_SERVER__DATABASE_URL", "mysql://a:s3cr%et@b/c"),
        ("LAKE_SERVER__AUTH_STRING", ":s3cr%et"), ("LAKE_SERVER__AUTH_STRING", "s3cr%et\n:a"),
        ("LAKE_SERVER__AUTH_STRING", "s3cr%et"), ("LAKE_SERVER__AUTH_STRING", '["s3cr%et"]'),
        ("LAKE_SERVER", '{"auth_strng": "s3cr%et"}'), ("LAKE_SERVER", '{"auth_string": {"x": "s3cr%et"}}'),
        ("LAKE_SERVER", '{"auth_string": "s3cr%et"'), ("LAKE_SERVER", '{"database_url": ["s3cr%et"]}'),
    ],
)  # fmt: skip
def test_an_error_about_them_does_not_say_them(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInputError) as error:
        settings.load()
    assert name.split("_")[1].lower() in str(error.value).lower()
    assert silent(str(error.value))
    assert silent(repr(error.value.__context__) if error.value.__suppress_context__ is False else "")
