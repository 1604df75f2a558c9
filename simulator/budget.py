"""The REST weight budget: what a minute has used, 429 past it, 418 for those who go on (rest-api.md, "IP Limits")."""

import threading
from dataclasses import dataclass

MINUTE_SECONDS = 60
_IGNORED_BEFORE_BAN = 10
_FIRST_BAN_SECONDS = 120
_LONGEST_BAN_SECONDS = 3 * 86_400


@dataclass
class _Account:
    minute: int = -1
    used: int = 0
    over: int = 0
    bans: int = 0
    banned_until: float = 0


@dataclass(frozen=True)
class Verdict:
    """What a request is answered: 200 goes on; ``used`` is the weight of this minute, ``retry_after`` in seconds."""

    status: int
    used: int
    retry_after: int = 0


class Budget:
    """Weight used by address and minute. Time is passed in, in seconds since 1970 UTC."""

    def __init__(self, limit: int = 6000) -> None:
        self.limit = limit
        self._accounts: dict[str, _Account] = {}
        self._lock = threading.Lock()

    def charge(self, address: str, weight: int, now: float) -> Verdict:
        """Charge a request to an address."""
        with self._lock:
            account = self._accounts.setdefault(address, _Account())
            minute = int(now // MINUTE_SECONDS)
            if minute != account.minute:
                account.minute, account.used, account.over = minute, 0, 0
            if now < account.banned_until:
                return Verdict(418, account.used, max(1, int(account.banned_until - now + 0.999)))
            account.used += weight
            if account.used <= self.limit:
                return Verdict(200, account.used)
            account.over += 1
            if account.over > _IGNORED_BEFORE_BAN:
                ban = min(_FIRST_BAN_SECONDS * 4**account.bans, _LONGEST_BAN_SECONDS)
                account.bans += 1
                account.banned_until = now + ban
                return Verdict(418, account.used, ban)
            return Verdict(429, account.used, max(1, int(MINUTE_SECONDS - now % MINUTE_SECONDS + 0.999)))
