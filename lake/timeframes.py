"""The lengths that bars have: 1s as stored, the others rolled up from it."""

from typing import Literal, get_args

from lake.errors import BadInputError
from lake.windows import SECOND_US, Window, iso, moment

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


def on_grid(window: Window, tf: str) -> Window:
    """Return the window, which begins and ends on the grid of a timeframe.

    Raises:
        BadInputError: it does not.
    """
    step = seconds(tf) * SECOND_US
    for name, us in (("start", window.start_us), ("end", window.end_us)):
        if us % step:
            raise BadInputError(
                f"{name} {iso(moment(us))}: {tf} bars need one that is a multiple of {tf}, such as "
                f"{iso(moment(us - us % step))}"
            )
    return window


def starts_in(window: Window, tf: str) -> Window | None:
    """Return the stretch of time of those bars that begin in a window, or None where none does."""
    step = seconds(tf) * SECOND_US
    first, end = -(-window.start_us // step) * step, -(-window.end_us // step) * step
    return Window(moment(first), moment(end)) if first < end else None
