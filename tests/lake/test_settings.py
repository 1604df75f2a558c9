import functools
import os
import re

import pytest
import yaml
from pydantic import TypeAdapter

from lake import params, settings
from lake.errors import BadInputError
from lake.names import symbol, ticker
from lake.windows import Window, parse_day, parse_time


@pytest.fixture
def config(tmp_path, monkeypatch):
    def write(text):
        (tmp_path / "config.yml").write_text(text)
        monkeypatch.setenv("LAKE_CONFIG", str(tmp_path / "config.yml"))
        return tmp_path

    return write


def test_the_projects_config_file_says_the_defaults(tmp_path, monkeypatch, config):
    monkeypatch.chdir(settings._ROOT)
    shipped = settings.load()
    config("{}")
    assert shipped.model_copy(update={"base_path": ""}) == settings.load().model_copy(update={"base_path": ""})
    assert len(shipped.symbols) == 19
    assert shipped.symbols[:3] == ("SOLUSDT", "SUIUSDT", "ADAUSDT")


def test_the_environment_wins_over_the_file(config, monkeypatch):
    config("collector: {rotate_seconds: 5, flush_seconds: 2}\nsymbols: [BTCUSDT]")
    monkeypatch.setenv("LAKE_COLLECTOR__ROTATE_SECONDS", "7")
    monkeypatch.setenv("LAKE_SYMBOLS", '["solusdt","SOLUSDT"]')
    found = settings.load()
    assert (found.collector.rotate_seconds, found.collector.flush_seconds, found.symbols) == (7, 2, ("SOLUSDT",))


def test_a_relative_base_path_is_taken_from_its_file_and_of_the_environment_from_here(config, monkeypatch, tmp_path):
    folder = config("base_path: ./lake")
    assert settings.load().layout.base == folder / "lake"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("LAKE_BASE_PATH", "other")
    assert settings.load().layout.base == tmp_path / "here" / "other"


def test_a_base_path_whose_links_lead_in_a_circle_is_one_line(config):
    folder = config("base_path: ./circle")
    (folder / "circle").symlink_to(folder / "circle")
    with pytest.raises(BadInputError, match="circle': its links lead in a circle"):
        settings.load()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colector: {}", "colector: no such key"),
        ("collector: {rotate: 1}", "collector.rotate: no such key"),
        ("collector: {rotate_seconds: soon}", "collector.rotate_seconds"),
        ("collector: {rotate_seconds: 0}", "collector.rotate_seconds"),
        ("validation: {keep_runs: 0}", "validation.keep_runs"),
        ("validation: {keep_run: 9}", "validation.keep_run: no such key"),
        ("symbols: ['../../x']", "symbols: symbol '../../x'"),
        ("symbols: []", "symbols: at least one"),
        ("symbols: SOLUSDT", "symbols"),
        ("macro_minute: {tickers: ['../../x']}", "macro_minute.tickers: ticker '../../x'"),
        ("macro_minute: {tickers: []}", "macro_minute.tickers: tickers: at least one"),
        ("binance: {ws_url: 'http://x'}", "binance.ws_url: expected a URL that starts with ws"),
        ("base_path: ''", "base_path"),
        ("base_path: 'lake[1]'", "would be a pattern"),
        ("base_path: '~nobody-here/x'", "base_path"),
        ("collector: {rotate_seconds: 1.0e-9}", "collector.rotate_seconds"),
        ("binance: {ws_url: 'ws://a:99999'}", "binance.ws_url"),
        ("binance: {ws_url: 'ws://[::1'}", "binance.ws_url"),
        ("base_path: [a", "line 2"),
        ("- a", "expected keys and values"),
        ("transformer: {parquet_compression: rar}", "transformer.parquet_compression"),
    ],
)
def test_nonsense_in_the_file_is_one_line_that_names_the_key(config, text, named):
    config(text + "\n")
    with pytest.raises(BadInputError, match=named.replace("[", r"\[")) as error:
        settings.load()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAKE_BASEPATH", "x"),
        ("LAKE_BINANCE__WSURL", "ws://x"),
        ("LAKE_SYMBOLS", "SOLUSDT"),
        ("LAKE_CONFIG", "/nowhere.yml"),
    ],
)
def test_nonsense_in_the_environment_is_one_line_that_names_the_variable(config, monkeypatch, name, value):
    config("{}")
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInputError) as error:
        settings.load()
    assert "\n" not in str(error.value)
    assert name in str(error.value) or "LAKE_SYMBOLS" in str(error.value)


def leaves(section, above=()):
    """The path and the type of every key."""
    for name, field in section.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from leaves(field.annotation, (*above, name))
        else:
            yield (*above, name), field.annotation


HOSTILE = [
    "", " ", "../../etc/passwd", "a\nb", "a\x1b[2Jb", "<script>alert(1)</script>", "{{ 7*7 }}", "'; DROP TABLE x; --",
    "=cmd|' /C calc'!A0", "-rf", "x" * 10_000, "\u202eTDSULOS", "S\u041eLUSDT", "nan", "inf", "-1", "1e400", "9" * 30,
    "file:///etc/passwd", "http://169.254.169.254/latest", "http://[fe80::1]/", "http://user:password@127.0.0.1",
    "http://\u0430.com", "http://a/?x=1", "javascript:alert(1)", "ftp://a", "ws://a b", "mysql://a/b", "0.0.0.0", "::",
    "lan", "127.0.0.2", "127.0.0.1 ", "localhost.", "a\0b",
]  # fmt: skip
HARMLESS = {
    "base_path": {"../../etc/passwd", "-rf", "S\u041eLUSDT", "nan", "inf", "-1", "1e400", "9" * 30, "lan", "::",
                  "javascript:alert(1)", "0.0.0.0", "127.0.0.2", "127.0.0.1 ", "localhost.", "'; DROP TABLE x; --",
                  "x" * 10_000},
    "server.auth_string": {"file:///etc/passwd", "http://169.254.169.254/latest", "http://user:password@127.0.0.1",
                           "http://[fe80::1]/", "http://\u0430.com", "http://a/?x=1", "javascript:alert(1)", "ws://a b",
                           "mysql://a/b"},
}  # fmt: skip
"""The lake lies where its owner says, and a password may be anything."""


@pytest.mark.parametrize("key", [path for path, _ in leaves(settings.Settings)], ids=".".join)
def test_every_key_refuses_what_is_hostile_in_the_file_and_in_the_environment(config, monkeypatch, key):
    variable, taken = "LAKE_" + "__".join(key).upper(), []
    for value in HOSTILE:
        nested = functools.reduce(lambda inner, name: {name: inner}, reversed(key), value)
        for text, environment in ((yaml.safe_dump(nested), {}), ("{}", {} if "\0" in value else {variable: value})):
            config(text)
            with monkeypatch.context() as patch:
                for name, given in environment.items():
                    patch.setenv(name, given)
                try:
                    settings.load()
                    taken += [value] if text != "{}" or environment else []
                except BadInputError as error:
                    assert not {"\n", "\x1b", "\u202e"} & set(str(error))
                    assert key[0] in str(error).lower()
    assert set(taken) == HARMLESS.get(".".join(key), set())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "127.0.0.1 ", "127.0.0.2", "nas.lan", "LOCALHOST", "0", "127.1"])
def test_a_server_for_others_to_see_needs_a_login(config, monkeypatch, host):
    config(yaml.safe_dump({"server": {"host": host}}))
    with pytest.raises(BadInputError, match=r"server(\.host)?: "):
        settings.load()
    monkeypatch.setenv("LAKE_SERVER__AUTH_STRING", "admin:secret")
    if host.strip() == host != "":
        assert settings.load().server.host == host
    else:
        with pytest.raises(BadInputError, match=r"server\.host"):
            settings.load()


def test_tickers_are_in_yahoos_capitals_each_once(config):
    config("macro_minute: {tickers: [spy, 'eurusd=x', SPY]}")
    assert settings.load().macro_minute.tickers == ("SPY", "EURUSD=X")


@pytest.mark.parametrize(
    "name",
    ["SPY", "^GSPC", "ES=F", "EURUSD=X", "BRK-B", "0700.HK", "DX-Y.NYB", "M&M.NS", "J&KBANK.NS", "NIFTY_FIN_SERVICE.NS",
     "^SP500-45", "0P0000XTS7.F", "AAPL251219C00100000", "SPXW251219P06000000", "UNI7083-USD", "A" * 40],
)  # fmt: skip
def test_every_ticker_that_yahoo_has_is_one_in_config_form_and_folder(name, config, layout):
    config(f"macro_minute: {{tickers: [' {name.lower()} ']}}")
    assert settings.load().macro_minute.tickers == (name,)
    (layout.macro / name).mkdir(parents=True)
    assert layout.tickers() == [name]
    for kind in (params.Tickers, params.Series):
        assert re.search(TypeAdapter(kind).json_schema()["items"]["pattern"], name)


@pytest.mark.parametrize(
    "name",
    ["", " ", "A" * 41, "../x", "A/B", "A\\B", ".A", "A.", "..", "A B", "A'B", 'A"B', "A;B", "A,B", "A%41", "A?B",
     "A*B", "A[B]", "A{B}", "A|B", "A:B", "A#B", "A\tB", "A\nB", "SPY\n", "A\x00B", "<B>", "&AMP", "_A", "-A", "=A",
     "$A", "\u017fPY", "SP\u200bY", "\uff33PY", "\u0421L=F", "NUL", "con", "COM1.NS", "LPT9"],
)  # fmt: skip
def test_what_is_no_ticker_is_refused_in_one_line(name):
    with pytest.raises(BadInputError, match="ticker ") as error:
        ticker(name)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["SOLUSDT", "1INCHUSDT", "币安人生USDT", "solusdt"])
def test_symbols_of_any_script_are_symbols(name):
    assert symbol(name) == name.upper()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../../x",
        "A/B",
        "A\\B",
        "A.B",
        "A'B",
        'A"B',
        "A B",
        "A\0B",
        "A\u202eB",
        "<b>",
        "[A]",
        "NUL",
        "x" * 41,
        None,
        5,
        "EURUSD=X",
    ],
)
def test_what_is_no_symbol_is_refused_by_name(name):
    with pytest.raises(BadInputError, match="symbol"):
        symbol(name)


def test_times_are_utc_and_a_day_alone_is_its_midnight():
    assert parse_time("2025-10-21") == parse_time("2025-10-21T02:00:00+02:00") == parse_time("2025-10-21T00:00:00Z")
    assert parse_day("2025-10-21").isoformat() == "2025-10-21"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13-01", "1970-01-01", "9999-12-31T23:59:59Z", "0001-01-01", None, 5]
)
def test_what_is_no_time_is_refused_by_name(text):
    with pytest.raises(BadInputError, match="start"):
        parse_time(text, "start")


@pytest.mark.parametrize(("start", "end"), [("2025-10-21", "2025-10-21"), ("2025-10-22", "2025-10-21")])
def test_an_end_that_is_not_after_its_start_is_refused(start, end):
    with pytest.raises(BadInputError, match="is not after start"):
        Window.parse(start, end)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder that one stands in, with a config.yml and a lake."""
    if os.name == "nt":
        pytest.skip("permissions are POSIX's")
    (tmp_path / "here" / "data").mkdir(parents=True)
    (tmp_path / "here" / "config.yml").write_text("base_path: ./data")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize(("name", "variable"), [("config.yml", "LAKE_CONFIG"), ("data", "LAKE_BASE_PATH")])
@pytest.mark.parametrize("how", ["another user", "other users"])
def test_settings_and_a_lake_that_somebody_else_can_change_are_refused_unless_named(
    here, monkeypatch, name, variable, how
):
    place = here / name
    assert settings.load().layout.base == here / "data"
    if how == "another user":
        if os.geteuid():
            pytest.skip("only root gives files away")
        os.chown(place, 65534, -1)
    else:
        place.chmod(0o777)
    with pytest.raises(BadInputError, match=rf"{name}: .*{how}.*, or name it in {variable}$"):
        settings.load()
    monkeypatch.setenv(variable, str(place))
    assert settings.load().layout.base == here / "data"


def test_a_group_of_this_user_alone_may_write(here):
    import grp
    import pwd

    user = pwd.getpwuid(os.geteuid())
    group = grp.getgrgid(user.pw_gid)
    (here / "config.yml").chmod(0o664)
    os.chown(here / "config.yml", -1, user.pw_gid)
    if group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}:
        assert settings.load().layout.base == here / "data"
    else:
        with pytest.raises(BadInputError, match="other users"):
            settings.load()
    if os.geteuid() == 0:
        os.chown(here / "config.yml", -1, 65534)
        with pytest.raises(BadInputError, match="other users"):
            settings.load()


def test_on_a_disk_without_permissions_they_are_not_judged(exfat, monkeypatch):
    (exfat / "config.yml").write_text("base_path: ./data")
    (exfat / "data").mkdir()
    monkeypatch.chdir(exfat)
    assert (exfat / "data").stat().st_mode & 0o002
    assert settings.load().layout.base == exfat / "data"
    assert {path.name for path in exfat.iterdir()} == {"config.yml", "data"}
    monkeypatch.chdir("/")
