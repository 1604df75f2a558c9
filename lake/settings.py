"""`config.yml` and the environment, read here and nowhere else.

Every key of the file can be overridden by ``LAKE_<KEY>``, nested with ``__`` (``LAKE_BINANCE__WS_URL``), lists as JSON.
The file is looked for at ``LAKE_CONFIG``, else in the folder one stands in, else at the root of the project.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from lake.errors import BadInputError
from lake.layout import Layout
from lake.names import symbols as checked_symbols
from lake.names import tickers as checked_tickers

CONFIG_VARIABLE = "LAKE_CONFIG"
_PREFIX = "LAKE_"
_ROOT = Path(__file__).resolve().parent.parent


def _http(url: str) -> str:
    return _url(url, ("http://", "https://"))


def _ws(url: str) -> str:
    return _url(url, ("ws://", "wss://"))


def _url(url: str, kinds: tuple[str, ...]) -> str:
    try:
        known = url.startswith(kinds) and bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        known = False
    if not known or any(c.isspace() for c in url):
        raise ValueError(f"expected a URL that starts with {' or '.join(kinds)}, such as {kinds[-1]}127.0.0.1:9001")
    return url.rstrip("/")


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


class Settings(BaseSettings):
    """All that a user can set. Frozen: made once by `load` and passed on."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    base_path: str = "./data"
    symbols: tuple[str, ...] = (
        "SOLUSDT", "SUIUSDT", "ADAUSDT", "BTCUSDT", "ETHUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT", "TRXUSDT", "AVAXUSDT",
        "LINKUSDT", "DOTUSDT", "LTCUSDT", "BCHUSDT", "NEARUSDT", "UNIUSDT", "APTUSDT", "ARBUSDT", "OPUSDT",
    )  # fmt: skip
    binance: Binance = Binance()
    collector: Collector = Collector()
    transformer: Transformer = Transformer()
    macro_minute: MacroMinute = MacroMinute()
    validation: Validation = Validation()
    logging: Logging = Logging()
    server: Listener = Listener(port=4200)
    dashboard: Listener = Listener(port=8501)
    docs: Listener = Listener(port=8502)

    @property
    def layout(self) -> Layout:
        """The paths of this lake."""
        return Layout(Path(self.base_path))

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file (given as init values)."""
        return EnvSettingsSource(settings_cls), init_settings


def config_file() -> Path | None:
    """Return the `config.yml` in force, or None where there is none and the defaults hold.

    Raises:
        BadInputError: ``LAKE_CONFIG`` names a file that is not there.
    """
    if named := os.environ.get(CONFIG_VARIABLE):
        if not Path(named).is_file():
            raise BadInputError(f"{CONFIG_VARIABLE}={named}: no such file: name a config.yml, or unset it")
        return Path(named).resolve()
    return next((path for path in (Path.cwd() / "config.yml", _ROOT / "config.yml") if path.is_file()), None)


def load() -> Settings:
    """Return the settings in force.

    Raises:
        BadInputError: one line that names the key, or the place in the file, and what was expected there.
    """
    path = config_file()
    values = _file_values(path) if path else {}
    _refuse_unknown_variables()
    key = "symbols"
    try:
        found = Settings(**values)
        names = tuple(checked_symbols(found.symbols))
        key = "macro_minute.tickers"
        macro = found.macro_minute.model_copy(update={"tickers": tuple(checked_tickers(found.macro_minute.tickers))})
    except ValidationError as error:
        raise BadInputError(_one_line(error, values, path)) from None
    except SettingsError as error:
        raise BadInputError(
            f"environment: {error}: write lists as JSON, such as LAKE_SYMBOLS='[\"SOLUSDT\"]'"
        ) from None
    except BadInputError as error:
        raise BadInputError(f"{_source(key, values, path)}: {error}") from None
    base = _base(found.base_path, values, path)
    return found.model_copy(update={"symbols": names, "macro_minute": macro, "base_path": base})


def layout(base: str | Path | None = None) -> Layout:
    """Return where the lake lies: in the folder given, or else where the settings in force say.

    Raises:
        BadInputError: as `load`, or there is no such folder.
    """
    if base is None:
        return Layout(load().layout.base.resolve())
    try:
        folder = Path(base).expanduser().resolve()
        there = folder.is_dir()
    except (OSError, RuntimeError, TypeError, ValueError):  # too long, ~nobody, no path, a NUL
        there = False
    if not there:
        raise BadInputError(
            f"base {str(base)[:200]!r}: no such folder: name the lake's, the base_path of its config.yml"
        )
    return Layout(folder)


def _file_values(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        place = f" line {where.line + 1}" if where else ""
        raise BadInputError(f"{path}{place}: no YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(values, dict):
        raise BadInputError(f"{path}: expected keys and values, such as `base_path: ./data`")
    return values


def _refuse_unknown_variables() -> None:
    known = {f"{_PREFIX}{name}".upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    for name in os.environ:
        if name.upper().startswith(_PREFIX) and name.upper().split("__")[0] not in known:
            raise BadInputError(f"environment variable {name}: no such setting: see the keys in config.yml")


def _one_line(error: ValidationError, values: dict[str, Any], path: Path | None) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "config"
    what = "no such key: see config.yml for the keys there are" if first["type"] == "extra_forbidden" else first["msg"]
    given = "" if first["type"] == "extra_forbidden" else f" (given: {str(first.get('input'))[:60]!r})"
    return f"{_source(key, values, path)}: {what.removeprefix('Value error, ')}{given}"


def _source(key: str, values: dict[str, Any], path: Path | None) -> str:
    variable = _PREFIX + key.upper().replace(".", "__")
    if any(name.upper() == variable for name in os.environ) or key.split(".")[0] not in values:
        return variable
    return f"{path}: {key}"


def _base(text: str, values: dict[str, Any], path: Path | None) -> str:
    """A relative base path in the file is taken from the file's folder, so that a worker's folder does not matter."""
    if "://" in text:
        raise BadInputError(f"base_path {text!r}: object stores are not supported yet: name a folder")
    if "\0" in text or not text.strip():
        raise BadInputError("base_path: expected a folder, such as ./data")
    if odd := set("*?[]" + ("" if os.name == "nt" else "\\")) & set(text):
        raise BadInputError(
            f"base_path {text!r}: {''.join(sorted(odd))} would be a pattern in DuckDB: name another folder"
        )
    from_file = (
        path is not None and "LAKE_BASE_PATH" not in {name.upper() for name in os.environ} and "base_path" in values
    )
    return str(((path.parent if from_file and path else Path.cwd()) / _expanded(text)).resolve())


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise BadInputError(f"base_path {text!r}: {error}") from None
