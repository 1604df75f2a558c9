"""The sections of `config.yml`: each key with its type, bounds and default."""

from contextlib import suppress
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from lake.loopback import NAMES


def _http(url: str) -> str:
    return _url(url, ("http://", "https://"))


def _ws(url: str) -> str:
    return _url(url, ("ws://", "wss://"))


def _url(url: str, kinds: tuple[str, ...]) -> str:
    try:
        known = url.startswith(kinds) and _is_plain(urlsplit(url))
    except ValueError:
        known = False
    if not known or any(c.isspace() for c in url):
        raise ValueError(f"expected a URL that starts with {' or '.join(kinds)}, such as {kinds[-1]}127.0.0.1:9001")
    return url.rstrip("/")


def _is_plain(url: SplitResult) -> bool:
    """A host that is what it looks like, and no login, which would stand in errors; not where clouds keep theirs."""
    host = url.hostname or ""
    with suppress(ValueError):
        if ip_address(host).is_link_local:
            return False
    return bool(host) and host.isascii() and url.port != 0 and not ("@" in url.netloc or url.query or url.fragment)


def _database(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(_DATABASES) or not url.get_secret_value().isprintable():
        raise ValueError(f"expected a URL that starts with {' or '.join(_DATABASES)}")
    return url


def _login(login: SecretStr) -> SecretStr:
    user, _, password = login.get_secret_value().partition(":")
    if not user or len(password) < SHORTEST or not password.isprintable():
        raise ValueError(f"expected user:password, the password with {SHORTEST} characters or more")
    return login


SHORTEST = 4
"""Of a password; a shorter one could not be hidden in a line without hiding half of it."""
_DATABASES = ("postgresql+asyncpg://", "sqlite+aiosqlite:///")
HttpUrl = Annotated[str, AfterValidator(_http)]
WsUrl = Annotated[str, AfterValidator(_ws)]
Port = Annotated[int, Field(ge=0, le=65535)]
Compression = Literal["snappy", "zstd", "gzip", "lz4", "brotli", "none"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Binance(_Section):
    """Where the exchange is; a stand-in's addresses work too."""

    ws_url: WsUrl = "wss://data-stream.binance.vision"
    rest_url: HttpUrl = "https://data-api.binance.vision"
    futures_url: HttpUrl = "https://fapi.binance.com"
    archive_url: HttpUrl = "https://data.binance.vision"


class Collector(_Section):
    """How raw parts are written."""

    rotate_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 60
    flush_seconds: Annotated[float, Field(ge=0.05, le=60)] = 1


class Transformer(_Section):
    """How Parquet files are written."""

    parquet_compression: Compression = "snappy"


class MacroMinute(_Section):
    """Which macro tickers are followed, and how far back a run looks."""

    tickers: tuple[str, ...] = (
        "SPY", "UUP", "ES=F", "EURUSD=X", "GBPUSD=X", "USDJPY=X", "USDCAD=X", "USDCHF=X", "USDSEK=X",
    )  # fmt: skip
    startup_backfill_days: Annotated[int, Field(ge=1, le=30)] = 7
    runtime_lookback_days: Annotated[int, Field(ge=1, le=7)] = 1
    yahoo_url: HttpUrl | None = None


class Validation(_Section):
    """What stays of validations: pages and results of so many runs of each suite, the newest."""

    keep_runs: Annotated[int, Field(ge=1, le=10_000)] = 90


class Logging(_Section):
    """How long log files are kept; one file a day."""

    retention_days: Annotated[int, Field(ge=1, le=3650)] = 14


class Listener(_Section):
    """A port on loopback; 0 takes a free one."""

    port: Port


class Server(Listener):
    """Prefect's server: on loopback, with SQLite, unless it is told otherwise.

    ``database_url`` is SQLAlchemy's, such as ``postgresql+asyncpg://user:password@host/prefect``. Any ``host`` but
    loopback needs ``auth_string`` (``user:password``), which everyone who talks to the server then has to say. Runs
    that ended more than ``keep_runs_days`` ago are taken out of its database.
    """

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:-]+$")] = "127.0.0.1"
    keep_runs_days: Annotated[int, Field(ge=1, le=3650)] = 30
    database_url: Annotated[SecretStr, AfterValidator(_database)] | None = None
    auth_string: Annotated[SecretStr, AfterValidator(_login)] | None = None

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.host not in NAMES and self.auth_string is None:
            raise ValueError(
                f"host {self.host} is not loopback, and there is no login: set server.auth_string to user:password, "
                "or leave host at 127.0.0.1"
            )
        return self

    @property
    def url(self) -> str:
        """Its address on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  what all addresses contain
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


class Notify(_Section):
    """Who is told of failed runs: a block of Prefect's, as ``TYPE/NAME``, such as ``slack-webhook/alerts``."""

    block: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")] | None = None
