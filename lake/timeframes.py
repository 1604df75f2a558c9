"""The lengths that bars have: 1s as stored, the others rolled up from it."""

from typing import Literal, get_args

from lake.errors import BadInputError

Timeframe = Literal["1s", "1m", "5m", "15m", "1h", "1d"]
TIMEFRAMES: tuple[Timeframe, ...] = get_args(Timeframe)
SECONDS: dict[Timeframe, int] = {"1s": 1, "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86_400}
"""Each divides the UTC day, so that its grid begins at midnight."""


def seconds(tf: str) -> int:
    """Return how many seconds a timeframe has.

    Raises:
        BadInputError: there is no such timeframe.
    """
    for known, length in SECONDS.items():
        if tf == known:
            return length
    raise BadInputError(f"tf {str(tf)[:20]!r}: expected one of {', '.join(TIMEFRAMES)}")
