"""The hosts that the lake asks, each once: does it answer, how fast, and what time does it have?"""

import time
from dataclasses import dataclass
from http import HTTPStatus

import orjson
import requests

from lake.doctor import Finding, State
from lake.sections import Binance

TIMEOUT_S = 3.0
WRONG_S, OFF_S = 5.0, 1.0
"""A clock that is off by so much is wrong; by the second, it is told."""
YAHOO = "https://query1.finance.yahoo.com"
_NETWORK = "check network, proxy and firewall"
_SET_CLOCK = "set this machine's clock: timedatectl set-ntp true (Windows: w32tm /resync)"
_LEGAL = HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS


@dataclass(frozen=True)
class Reply:
    """What became of one request: its status, how long it took, its body, and how far it was when it failed."""

    status: int
    seconds: float
    body: bytes = b""
    failed: str = ""


def ask(url: str) -> Reply:
    """Send one GET, no redirect followed, and no more of the body read than a page."""
    began = time.monotonic()
    try:
        with requests.get(url, timeout=TIMEOUT_S, stream=True, allow_redirects=False) as answer:
            return Reply(answer.status_code, time.monotonic() - began, answer.raw.read(4096, decode_content=True))
    except (requests.RequestException, OSError) as error:
        return Reply(0, time.monotonic() - began, failed=type(error).__name__)


def rest(hosts: Binance) -> list[Finding]:
    """The exchange's REST address, and our clock against its own."""
    reply = ask(f"{hosts.rest_url}/api/v3/time")
    received = time.time()
    found = judged("REST", hosts.rest_url, reply, "fail", "binance.rest_url")
    return [found, clock(reply, received)]


def futures(hosts: Binance) -> Finding:
    """The futures' REST address."""
    return judged("futures", hosts.futures_url, ask(f"{hosts.futures_url}/fapi/v1/ping"), "warn", "binance.futures_url")


def archive(hosts: Binance) -> Finding:
    """The archive of zips."""
    return judged("archive", hosts.archive_url, ask(f"{hosts.archive_url}/"), "warn", "binance.archive_url")


def yahoo(url: str | None) -> Finding:
    """Yahoo, or what stands in for it."""
    return judged("Yahoo", url or YAHOO, ask(f"{url or YAHOO}/"), "warn", "macro_minute.yahoo_url")


def judged(name: str, url: str, reply: Reply, state: State, key: str) -> Finding:
    """Say how a host answered: ``state`` is how much it matters that it does not. Any answer but 5xx and 451 is one."""
    if reply.failed:
        what = f"{url}: no answer after {reply.seconds:.1f} s ({reply.failed})"
        return Finding(name, state, what, f"{_NETWORK}, and {key} in config.yml")
    if reply.status == _LEGAL:
        return Finding(name, state, f"{url}: HTTP 451: does not serve this place", f"set {key} to a host that does")
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Finding(name, state, f"{url}: HTTP {reply.status}", "it is ill: try later")
    return Finding(name, "ok", f"{url}: {reply.seconds * 1000:,.0f} ms")


def clock(reply: Reply, received: float) -> Finding:
    """Compare the exchange's ``serverTime`` with ours (seconds since 1970), known to half of the time that it took."""
    name = "clock"
    try:
        theirs = orjson.loads(reply.body)["serverTime"] / 1000
    except (ValueError, KeyError, TypeError):
        return Finding(name, "warn", "not compared: the exchange has not told its time", _NETWORK)
    ahead = received - reply.seconds / 2 - theirs
    return off(name, ahead, reply.seconds / 2, "the exchange's")


def by_trades(delays: list[float]) -> Finding:
    """Judge our clock by trades as they come: seconds from each trade's own time until we had it."""
    name = "clock by trades"
    if not delays:
        return Finding(name, "ok", f"not compared: nobody traded within {TIMEOUT_S:.0f} s")
    median = sorted(delays)[len(delays) // 2]
    if -OFF_S <= median <= WRONG_S:
        return Finding(name, "ok", f"trades are {median * 1000:,.0f} ms old when they come (median of {len(delays)})")
    return off(name, median, 0.0, "trades' times")


def off(name: str, ahead: float, uncertain: float, whose: str) -> Finding:
    """Judge how far our clock is ahead (behind: negative), known to ``uncertain`` seconds."""
    said = f"{abs(ahead):,.3g} s {'ahead of' if ahead > 0 else 'behind'} {whose}, ± {uncertain:.2g} s"
    surely = abs(ahead) - uncertain
    if surely > WRONG_S:
        return Finding(name, "fail", f"wrong: {said}", _SET_CLOCK)
    if surely > OFF_S:
        return Finding(name, "warn", said, _SET_CLOCK)
    return Finding(name, "ok", said)
