"""Secrets are not said: what a line says of a login or of a database's address is three stars."""

from urllib.parse import unquote, urlsplit

from lake.sections import SHORTEST
from lake.settings import Settings

HIDDEN = "***"


def secrets(found: Settings) -> tuple[str, ...]:
    """Return the secrets in the settings and the passwords in them, the longest first."""
    server = found.server
    login = server.auth_string.get_secret_value() if server.auth_string else ""
    address = server.database_url.get_secret_value() if server.database_url else ""
    known = {login, login.partition(":")[2], address, *_passwords(address)}
    return tuple(sorted((one for one in known if len(one) >= SHORTEST), key=len, reverse=True))


def hidden(text: str, known: tuple[str, ...]) -> str:
    """Return a text without the secrets."""
    for one in known:
        text = text.replace(one, HIDDEN)
    return text


def _passwords(url: str) -> set[str]:
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        return set()
    return {password, unquote(password)}
