"""`config.yml` and the environment, read here and nowhere else.

Every key of the file can be overridden by ``LAKE_<KEY>``, nested with ``__`` (``LAKE_BINANCE__WS_URL``), lists as JSON.
The file is looked for at ``LAKE_CONFIG``, else in the folder one stands in, else at the root of the project.
"""

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from lake.errors import BadInputError
from lake.layout import Layout
from lake.names import path as checked_path
from lake.names import symbols as checked_symbols
from lake.names import tickers as checked_tickers
from lake.owners import refuse_strangers
from lake.sections import Binance, Collector, Listener, Logging, MacroMinute, Notify, Server, Transformer, Validation

CONFIG_VARIABLE = "LAKE_CONFIG"
_PREFIX = "LAKE_"
SECRET = {"server.database_url", "server.auth_string"}
"""Keys whose values are never said."""
_ROOT = Path(__file__).resolve().parent.parent


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
    server: Server = Server(port=4200)
    notify: Notify = Notify()
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
        BadInputError: ``LAKE_CONFIG`` names a file that is not there; or the file in the folder one stands in is
            another user's, or others may write to it. One that ``LAKE_CONFIG`` names is taken at its user's word.
    """
    if named := os.environ.get(CONFIG_VARIABLE):
        if not Path(named).is_file():
            raise BadInputError(f"{CONFIG_VARIABLE}={named}: no such file: name a config.yml, or unset it")
        return Path(named).resolve()
    here, ours = Path.cwd() / "config.yml", _ROOT / "config.yml"
    if here.is_file() and here != ours:
        refuse_strangers(here, f"name it in {CONFIG_VARIABLE}")
    return next((path for path in (here, ours) if path.is_file()), None)


def own_folder() -> Path:
    """Return the folder in which this user's settings of crypto-lake are, outside of every lake."""
    place = Path(os.environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME", ""))
    return (place if place.is_absolute() else Path.home() / ".config") / "crypto-lake"


def variables() -> list[str]:
    """Return the names of the LAKE_… variables that are set, less the one that names the file."""
    return sorted(name for name in os.environ if name.upper().startswith(_PREFIX) and name.upper() != CONFIG_VARIABLE)


def load() -> Settings:
    """Return the settings in force.

    Raises:
        BadInputError: one line that names the key, or the place in the file, and what was expected there. Or the lake's
            folder is another user's, or others may write to it, and ``LAKE_BASE_PATH`` does not name it.
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
    if not os.environ.get("LAKE_BASE_PATH"):
        refuse_strangers(Path(base), "name it in LAKE_BASE_PATH")
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
    value = str(first.get("input"))
    secret = key in SECRET or "@" in value  # a login in an address
    hidden = first["type"] == "extra_forbidden" or isinstance(first.get("input"), dict) or secret
    given = "" if hidden else f" (given: {value[:60]!r})"
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
    if not text.strip():
        raise BadInputError("base_path: expected a folder, such as ./data")
    try:
        checked_path(text)
    except BadInputError as error:
        raise BadInputError(f"base_path: {error}") from None
    if odd := set("[]" + ("" if os.name == "nt" else "\\")) & set(text):
        raise BadInputError(
            f"base_path {text!r}: {''.join(sorted(odd))} would be a pattern in DuckDB: name another folder"
        )
    from_file = (
        path is not None and "LAKE_BASE_PATH" not in {name.upper() for name in os.environ} and "base_path" in values
    )
    place = (path.parent if from_file and path else Path.cwd()) / _expanded(text)
    try:
        return str(place.resolve())
    except (OSError, RuntimeError):  # the latter until Python 3.12
        raise BadInputError(f"base_path {text!r}: its links lead in a circle: name another folder") from None


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise BadInputError(f"base_path {text!r}: {error}") from None
