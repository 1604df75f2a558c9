"""HTTP, the only way out of the lake: tried again where that can help, within the limits the exchange sets.

What a caller must tell apart are kinds of `WebError`. Source: rest-api.md, "IP Limits" and "HTTP Return Codes".
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import orjson
import requests
from loguru import logger
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from lake.budget import Budget
from lake.errors import LakeError

TRIES = 5
_TIMEOUT_S = (5, 20)
_LONGEST_WAIT_S = 300.0
"""A ban that lasts longer is told at once, in place of a run that seems to hang."""
_LIMITED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT)


class WebError(LakeError):
    """A request that was not answered as it should; the message names address, answer and remedy."""


class NotThereError(WebError):
    """HTTP 404: an archive has no such file."""


class RestrictedError(WebError):
    """HTTP 451: the exchange does not serve this place."""


class RefusedError(WebError):
    """The exchange refuses what was asked for (HTTP 4xx).

    Attributes:
        code: The exchange's own, such as -1121 (invalid symbol); 0 where it gave none.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class _AgainError(WebError):
    """Worth another try."""


@dataclass(frozen=True)
class Answer:
    """The body of an answer, and its headers in lower case."""

    body: bytes
    headers: Mapping[str, str]


class Web:
    """One host: ``get`` from any thread, at most `TRIES` times, waiting as long as its budget says.

    Args:
        url: Where it is, such as ``https://data-api.binance.vision``.
        budget: Its limit; None where it has none.
        counted: The header in which an answer tells how much of that limit is used; empty where none does.

    Attributes:
        latency_s: How long the last answer took, waiting before the request not counted.
    """

    def __init__(self, url: str, budget: Budget | None = None, counted: str = "x-mbx-used-weight-1m") -> None:
        self.url, self._budget, self._counted = url, budget, counted
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._left = threading.Event()
        self.latency_s = 0.0
        self._retrying = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential_jitter(multiplier=0.5, max=20, jitter=1),
            retry=retry_if_exception_type(_AgainError),
            sleep=self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; threads that wait give up."""
        self._left.set()
        for session in self._sessions:
            session.close()

    def get(self, path: str, query: Mapping[str, str | int] | None = None, weight: int = 0) -> Answer:
        """Return the answer to a GET.

        Raises:
            NotThereError: HTTP 404.
            RestrictedError: HTTP 451.
            RefusedError: another HTTP 4xx.
            WebError: no usable answer after `TRIES` tries, or a ban of more than some minutes.
        """
        return self._retrying(self._once, path, query or {}, weight, bytes)[0]

    def json(self, path: str, query: Mapping[str, str | int] | None = None, weight: int = 0) -> Any:
        """Return the JSON of an answer; a body that is none is asked for again. Raises what `get` does."""
        return self._retrying(self._once, path, query or {}, weight, orjson.loads)[1]

    def _once(
        self, path: str, query: Mapping[str, str | int], weight: int, parse: Callable[[bytes], Any]
    ) -> tuple[Answer, Any]:
        told = 0.0
        while True:
            self._wait_for(weight, path)
            try:
                found = self._session().get(self.url + path, params=dict(query), timeout=_TIMEOUT_S)
            except requests.RequestException as error:
                raise _AgainError(f"{self.url}{path}: no answer ({_short(error)}): check the network") from error
            self.latency_s = found.elapsed.total_seconds()
            used = found.headers.get(self._counted, "")
            if self._budget and used.isdecimal():
                self._budget.counted(int(used))
            if found.status_code not in _LIMITED or not self._budget:
                break
            told += self._stop(found, path)
            if told > _LONGEST_WAIT_S:
                raise WebError(f"{self.url}{path}: HTTP {found.status_code} for {told:.0f} s: run this again later")
        return self._judged(found, path, parse)

    def _judged(self, found: requests.Response, path: str, parse: Callable[[bytes], Any]) -> tuple[Answer, Any]:
        status, what = found.status_code, f"{self.url}{path}: HTTP {found.status_code}"
        if status == HTTPStatus.OK:
            try:
                return Answer(found.content, {k.lower(): v for k, v in found.headers.items()}), parse(found.content)
            except ValueError as error:
                raise _AgainError(f"{self.url}{path}: the answer is no whole JSON ({error})") from error
        if status == HTTPStatus.NOT_FOUND:
            raise NotThereError(f"{what}: there is no such file")
        if status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
            raise RestrictedError(f"{what}: the exchange does not serve this place")
        code, message = _told(found.content)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LIMITED:
            raise _AgainError(f"{what} {message}: try later")
        raise RefusedError(f"{what} {message}".rstrip(), code)

    def _wait_for(self, weight: int, path: str) -> None:
        """Wait until the budget has so much. Nothing is asked any more once the connection is closed."""
        self._sleep(0)
        while self._budget and (seconds := self._budget.take(weight)) > 0:
            if seconds > _LONGEST_WAIT_S:
                raise WebError(f"{self.url}{path}: the exchange has us wait {seconds:.0f} s: run this again then")
            self._sleep(seconds + 0.01)

    def _stop(self, found: requests.Response, path: str) -> float:
        """Have everybody wait as long as the answer says; return how long that is."""
        text = found.headers.get("Retry-After", "")
        seconds = float(text) if text.isdecimal() else 1.0
        if self._budget:
            self._budget.stop_for(seconds)
        logger.info("{}{}: HTTP {}: waiting {:.0f} s as told", self.url, path, found.status_code, seconds)
        return seconds

    def _sleep(self, seconds: float) -> None:
        if self._left.wait(seconds):
            raise WebError(f"{self.url}: given up")

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        logger.debug("{}: try {} of {} failed", error, state.attempt_number, TRIES)

    def _session(self) -> requests.Session:
        """One session a thread. What the environment says about proxies is asked once: each time costs 0.3 ms."""
        if not hasattr(self._local, "session"):
            session = requests.Session()
            around = session.merge_environment_settings(self.url, {}, None, None, None)
            session.proxies, session.verify, session.cert = around["proxies"], around["verify"], around["cert"]
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=1))
            self._local.session = session
            self._sessions.append(session)
        found: requests.Session = self._local.session
        return found


def sha256(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _short(error: Exception) -> str:
    return type(error).__name__


def _told(body: bytes) -> tuple[int, str]:
    """The exchange's ``{"code": -1121, "msg": "Invalid symbol."}``."""
    try:
        found = orjson.loads(body)
        return int(found["code"]), str(found["msg"])[:200]
    except (ValueError, TypeError, KeyError):
        return 0, ""
