"""Who a server on loopback answers."""

import asyncio

import pytest

from lake.loopback import Guard, strange

HERE = {"host": "127.0.0.1:4200"}
CROSS = HERE | {"sec-fetch-site": "cross-site"}


@pytest.mark.parametrize(
    "headers",
    [
        HERE, {"host": "localhost:4200"}, {"host": "[::1]:4200"}, {"host": "LOCALHOST"},
        HERE | {"origin": "http://127.0.0.1:4200"}, HERE | {"origin": "http://localhost:4200"},
        HERE | {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        HERE | {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        CROSS | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    ],
)  # fmt: skip
def test_programs_own_pages_and_links_that_are_followed_are_answered(headers):
    assert not strange(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"host": ""}, {"host": "evil.example"}, {"host": "evil.example:4200"}, {"host": "127.0.0.1.evil.example"},
        {"host": "127.0.0.1@evil.example"}, {"host": "evil.example@127.0.0.1"}, {"host": "127.0.0.1/x"},
        {"host": "127.0.0.1:x"}, {"host": "127.0.0.1:999999"}, {"host": "[::1"}, {"host": "127.0.0.2"}, {"host": "0"},
        {"host": "localhost."}, {"host": "192.168.0.1"}, {"host": "127.0.0.1 evil.example"}, {"host": "127.0.0.1#"},
        HERE | {"origin": "http://evil.example"}, HERE | {"origin": "null"}, HERE | {"origin": ""},
        HERE | {"origin": "https://127.0.0.1:4200"}, HERE | {"origin": "http://127.0.0.1:8501"},
        HERE | {"origin": "http://127.0.0.1:4200.evil.example"}, HERE | {"origin": "file://"},
        {"host": "evil.example:4200", "origin": "http://evil.example:4200", "sec-fetch-site": "same-origin"},
        CROSS, CROSS | {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        CROSS | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        HERE | {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        HERE | {"origin": "null", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    ],
)  # fmt: skip
def test_another_site_or_name_is_not(headers):
    assert strange(headers)


def answered(kind, host):
    """What an application behind the guard is asked, and what the guard says in its place."""
    asked, said = [], []

    async def app(scope, receive, send):
        asked.append(scope["type"])

    async def send(message):
        said.append(message.get("status") or message.get("code"))

    asyncio.run(Guard(app)({"type": kind, "headers": [(b"host", host)]}, None, send))
    return asked, [one for one in said if one]


@pytest.mark.parametrize(("kind", "refusal"), [("http", 403), ("websocket", 1008)])
def test_an_application_behind_the_guard_is_not_even_asked(kind, refusal):
    assert answered(kind, b"localhost:1") == ([kind], [])
    assert answered(kind, b"evil.example") == ([], [refusal])


def test_the_start_and_end_of_an_application_are_its_own():
    assert answered("lifespan", b"") == (["lifespan"], [])
