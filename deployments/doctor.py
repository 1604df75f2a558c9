"""`crypto-lake doctor`: every check there is, at once; and those that `up` makes before it starts and while it runs."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.text import Text
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from deployments import doctor_prefect, ports
from lake import doctor, doctor_data, doctor_disk, doctor_filesystem, doctor_install, doctor_net, settings
from lake.doctor import Check, Finding
from lake.errors import BadInputError, LakeError
from lake.settings import Settings

_COLORS = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_MOST_TRADES = 20
_REFUSED = {
    "base_path": BadInputError, "file system": BadInputError, "port server": BadInputError,
    "port dashboard": BadInputError, "port docs": BadInputError, "disk full": LakeError, "Python": LakeError,
    "versions": LakeError,
}  # fmt: skip


def run() -> list[Finding]:
    """Make every check, within some ten seconds, and return what they found. It never raises."""
    try:
        found = settings.load()
    except Exception as error:
        wrong = Finding("config", "fail", str(error), "mend that; the config.yml that was shipped shows every key")
        return [wrong, *doctor.examine(_install())]
    return [Finding("config", "ok", str(settings.config_file() or "the defaults")), *doctor.examine(_all(found))]


def _all(found: Settings) -> Mapping[str, Check]:
    layout, now = found.layout, datetime.now(UTC)
    return {
        **_install(), **_base(found, now), **_outside(found),
        "Prefect": lambda: doctor_prefect.all_of(found, now),
        "leftovers": lambda: doctor_disk.strays(layout, 5),
        "quarantine": lambda: doctor_data.quarantine(layout),
        "trade ids": lambda: doctor_data.trade_ids(layout),
        "verified": lambda: doctor_data.verified(layout, now),
        "days": lambda: doctor_data.days(layout, now),
    }  # fmt: skip


def _install() -> dict[str, Check]:
    return {"Python": doctor_install.python, "versions": lambda: doctor_install.versions(doctor_install.facts())}


def _base(found: Settings, now: datetime) -> dict[str, Check]:
    base = found.layout.base

    def room() -> list[Finding]:
        disk, a_day = doctor_disk.Disk.of(doctor_disk.existing(base)), doctor_disk.rate(found.layout, now.date())
        return [doctor_disk.space(disk, a_day), doctor_disk.inodes(disk, a_day)]

    return {
        "base_path": lambda: doctor_disk.writable(base), "file system": lambda: doctor_filesystem.able(base),
        "room": room, "privacy": lambda: doctor_disk.private(base),
        "secrets": lambda: doctor_disk.secrets(settings.config_file()), "ports": lambda: ports.all_of(found),
    }  # fmt: skip


NO_HOST = (
    "no host answers, neither the exchange's nor Yahoo's: is this machine on the network? All of it is tried again and "
    "again; crypto-lake doctor says more; crypto-lake up --demo needs none of them"
)


def _outside(found: Settings) -> dict[str, Check]:
    hosts = found.binance
    return {
        "REST": lambda: doctor_net.rest(hosts), "WebSocket": lambda: websocket(found),
        "futures": lambda: doctor_net.futures(hosts), "archive": lambda: doctor_net.archive(hosts),
        "Yahoo": lambda: doctor_net.yahoo(found.macro_minute.yahoo_url),
    }  # fmt: skip


def websocket(found: Settings) -> list[Finding]:
    """The exchange's streams: connect, and hold the clock against the first trades that come."""
    url, began = found.binance.ws_url, time.monotonic()
    try:
        with connect(
            f"{url}/stream?streams={quote(found.symbols[0].lower())}@trade", compression=None,
            open_timeout=doctor_net.TIMEOUT_S, close_timeout=1,
        ) as socket:  # fmt: skip
            taken, delays = time.monotonic() - began, []
            end = time.monotonic() + doctor_net.TIMEOUT_S
            with suppress(TimeoutError):
                while len(delays) < _MOST_TRADES and (left := end - time.monotonic()) > 0:
                    delays += delay(socket.recv(timeout=left), time.time())
    except (OSError, TimeoutError, WebSocketException) as error:
        why = f"{url}: no connection after {time.monotonic() - began:.1f} s ({type(error).__name__})"
        return [
            Finding("WebSocket", "fail", why, "check network, proxy and firewall, and binance.ws_url in config.yml")
        ]
    return [Finding("WebSocket", "ok", f"{url}: {taken * 1000:,.0f} ms"), doctor_net.by_trades(delays)]


def delay(frame: str | bytes, now: float) -> list[float]:
    """Return how old the trade of a frame was at ``now`` (seconds since 1970): ms or µs; none if it is no trade."""
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(frame)["data"]["T"]
        return [now - told / (1e6 if told > 1e14 else 1e3)]
    return []


def before_up(found: Settings) -> list[str]:
    """Make the checks that need nothing but this machine; return the lines that are worth telling.

    Raises:
        LakeError: nothing could run here, and why; a `BadInputError` where another setting would help.
    """
    told = doctor.examine(_install() | _base(found, datetime.now(UTC)))
    for one in told:
        if one.state == "fail" and one.name in _REFUSED:
            raise _REFUSED[one.name](one.line)
    return [one.line for one in told if one.state != "ok"]


def outside(found: Settings) -> list[str]:
    """Return a line for each host that does not answer, one where none does, and one for a clock that is wrong.

    These pass, and `up` goes on.
    """
    checks = _outside(found)
    wrong = [one for one in doctor.examine(checks) if one.state != "ok"]
    if {one.name for one in wrong} >= set(checks):
        return [NO_HOST]
    return [one.line for one in wrong]


def show(found: list[Finding], console: Console) -> None:
    """Print a line for each finding; in colour on a terminal."""
    width = max(len(one.name) for one in found)
    for one in found:
        line = Text.assemble((f"{one.state:<5}", _COLORS[one.state]), (f"{one.name:<{width}}  ", "bold"), one.said)
        console.print(line.append(f"  -> {one.remedy}", "cyan") if one.remedy else line, soft_wrap=True)


def as_json(found: list[Finding]) -> dict[str, Any]:
    """Return the findings for programs."""
    keys = ("name", "state", "said", "remedy")
    return {"state": doctor.worst(found), "findings": [{key: getattr(one, key) for key in keys} for one in found]}
