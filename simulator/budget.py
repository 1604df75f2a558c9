"""The REST budgets: what a window has used, 429 past it, 418 for those who go on (rest-api.md, "IP Limits")."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

_IGNORED_BEFORE_BAN = 10
_FIRST_BAN_SECONDS = 120
_LONGEST_BAN_SECONDS = 3 * 86_400
LIMITS = {
    "spot": (6000, 60),
    "futures": (2400, 60),
    "funding": (500, 300),
    "open_interest": (1000, 300),
}
"""Units and seconds by account: weights a minute of spot and of USD-M; requests in five minutes for
fundingRate and fundingInfo together, and for openInterestHist."""


@dataclass
class _Account:
    window: int = -1
    used: int = 0
    over: int = 0
    bans: int = 0
    banned_until: float = 0


@dataclass(frozen=True)
class Verdict:
    """What a request is answered: 200 goes on; ``used`` is what this window has used, ``retry_after`` in seconds."""

    status: int
    used: int
    retry_after: int = 0


class Budget:
    """Units used by address and window of ``seconds``. Time is passed in, in seconds since 1970 UTC."""

    def __init__(self, limit: int = 6000, seconds: int = 60) -> None:
        self.limit, self.seconds = limit, seconds
        self._accounts: dict[str, _Account] = {}
        self._lock = threading.Lock()

    def charge(self, address: str, units: int, now: float) -> Verdict:
        """Charge a request to an address."""
        with self._lock:
            account = self._accounts.setdefault(address, _Account())
            window = int(now // self.seconds)
            if window != account.window:
                account.window, account.used, account.over = window, 0, 0
            if now < account.banned_until:
                return Verdict(418, account.used, max(1, int(account.banned_until - now + 0.999)))
            account.used += units
            if account.used <= self.limit:
                return Verdict(200, account.used)
            account.over += 1
            if account.over > _IGNORED_BEFORE_BAN:
                ban = min(_FIRST_BAN_SECONDS * 4**account.bans, _LONGEST_BAN_SECONDS)
                account.bans += 1
                account.banned_until = now + ban
                return Verdict(418, account.used, ban)
            return Verdict(429, account.used, max(1, int(self.seconds - now % self.seconds + 0.999)))


def budgets(limits: Mapping[str, int] | None = None) -> dict[str, Budget]:
    """Return a budget by account, with other limits than the exchange's where given.

    Raises:
        ValueError: An account there is not.
    """
    if unknown := set(limits or {}) - set(LIMITS):
        raise ValueError(f"limits: no account {', '.join(sorted(unknown))}; there are {', '.join(LIMITS)}")
    return {name: Budget((limits or {}).get(name, limit), seconds) for name, (limit, seconds) in LIMITS.items()}
