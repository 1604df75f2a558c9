"""Which pairs are recorded: those that the exchange lists, as far as it can be asked: recording hardly waits."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from loguru import logger

from lake import spot
from lake.errors import BadInputError, LakeError
from lake.settings import Settings
from lake.web import RefusedError

ASK_S = 3.0
"""How long an answer is waited for: trades of a new pair pass meanwhile."""


@dataclass(frozen=True)
class Listed:
    """The pairs to record, in the order given, and those that the exchange does not list."""

    symbols: list[str]
    unlisted: list[str]


def listed(settings: Settings, symbols: Sequence[str], force: bool = False) -> Listed:
    """Leave out the pairs that the exchange does not list; one that this lake holds bars or raw lines of is known.

    Only pairs that are new to the lake are asked about, so that a collector that starts again asks nobody. Where REST
    does not answer in `ASK_S`, all are recorded, and the log says that they were not checked.

    Args:
        settings: With the address of REST.
        symbols: The pairs.
        force: Record all of them, whatever is listed.

    Raises:
        BadInputError: the exchange lists none of the pairs.
    """
    held = {*settings.layout.raw_symbols(), *settings.layout.bar_symbols()}
    new = [] if force else [name for name in symbols if name not in held]
    unlisted = _unlisted(settings, new) if new else []
    if not unlisted:
        return Listed(list(symbols), [])
    names = ", ".join(unlisted)
    if len(unlisted) == len(symbols):
        raise BadInputError(f"the exchange does not list {names}: correct the symbols, or collect-live --force")
    logger.error("not recorded, as the exchange does not list it: {}: correct symbols, or collect-live --force", names)
    return Listed([name for name in symbols if name not in unlisted], unlisted)


def _unlisted(settings: Settings, new: list[str]) -> list[str]:
    """Of some pairs, those that the exchange does not list; none where it does not answer in time."""
    found: list[str] = []
    why = [f"no answer in {ASK_S:.0f} s"]

    def ask() -> None:
        try:
            found.extend(name for name in new if name not in _known(settings, new))
            why.clear()
        except LakeError as error:
            why[0] = str(error)

    asking = threading.Thread(target=ask, name="exchange info", daemon=True)
    asking.start()
    asking.join(ASK_S)
    if reasons := list(why):
        logger.warning("whether the exchange lists {} is not known ({}): recording them", ", ".join(new), reasons[0])
        return []
    return found


def _known(settings: Settings, names: list[str]) -> set[str]:
    with spot.connected(settings.layout, settings.binance.rest_url) as rest:
        try:
            return set(rest.info(names).statuses)
        except RefusedError as error:
            if error.code != spot.UNKNOWN_SYMBOL:
                raise
            return set()
