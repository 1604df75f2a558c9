"""Trade ids that never existed: holes in the numbering that the exchange's own 1-minute klines settle.

An id is missing between two trades that are held. Either its trade was not recorded, or the exchange has no such trade.
Where the klines prove that no trade is missing (`lake.kline_proof`), the ids never existed, and the trades around them
count as consecutive (`lake.surroundings`). The claim lasts as long as its proof: it is withdrawn when such a trade
arrives after all, or when a kline is no longer equal.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from loguru import logger

from lake import locks
from lake.gaps import Gap
from lake.kline_proof import REACH_US, DirtyError, KlineProof
from lake.layout import Layout
from lake.ledger import Ledger
from lake.windows import HOUR_US, Window


@dataclass(frozen=True)
class Settled:
    """What klines settle now: gaps that are ``new``, those ``withdrawn``, and all that ``hold``, old and new."""

    new: list[Gap] = field(default_factory=list)
    withdrawn: list[Gap] = field(default_factory=list)
    hold: list[Gap] = field(default_factory=list)

    @property
    def changed(self) -> set[int]:
        """The hours whose bars must be built again."""
        return {hour for gap in (*self.new, *self.withdrawn) for hour in gap.hours}

    @property
    def hours(self) -> set[int]:
        """All hours whose bars depend on these gaps."""
        return self.changed | {hour for gap in self.hold for hour in gap.hours}


def settle(layout: Layout, ledger: Ledger, hours: Collection[int]) -> Settled:
    """Settle the holes in and beside some hours whose bars have just been written, and note it. Twice gives once.

    Call it with the symbol's lock of bars held, before the hours are noted as built. Hours whose bars depend on a claim
    become dirty before it is noted, so that a kill in between costs nothing.

    Raises:
        LakeError: bars cannot be read, or the ledger cannot be written.
    """
    beside = {hour + step for hour in hours for step in (-HOUR_US, 0, HOUR_US)}
    found = _decide(layout, ledger, beside, hours)
    gone = {gap.place for gap in (*found.withdrawn, *found.hold)}
    before = ledger.claims.settled()
    after = sorted([gap for gap in before if gap.place not in gone] + found.hold)
    if after == before:
        return found
    with ledger.transaction():
        ledger.mark_dirty(found.changed)
    ledger.claims.put(after)
    for gap in found.new:
        logger.info("{}: trade ids {} to {} never existed: {}", ledger.symbol, gap.first_id, gap.last_id, gap.reason)
    for gap in found.withdrawn:
        logger.warning(
            "{}: trade ids {} to {} no longer count as never existed: one has arrived, or the klines have changed",
            ledger.symbol, gap.first_id, gap.last_id,
        )  # fmt: skip
    return found


def reconsider(layout: Layout, symbol: str, window: Window) -> Settled:
    """Mark the hours dirty where the klines of a window settle a hole now, or no longer do; `settle` then notes it.

    Raises:
        LakeError: bars cannot be read, or the ledger is damaged.
    """
    if not layout.ledger.exists():
        return Settled()
    first = (window.start_us - REACH_US) // HOUR_US * HOUR_US
    hours = range(first, window.end_us + REACH_US, HOUR_US)
    with Ledger(layout, symbol) as ledger:
        if not ledger.claims.holes(hours) and not ledger.claims.touching(hours, ()):
            return Settled()
    with locks.bars(layout, symbol), Ledger(layout, symbol) as ledger:
        found = _decide(layout, ledger, hours, ())
        able = {hour for hour in found.changed if not ledger.parts_of_hour(hour)[1]}
        with ledger.transaction():
            ledger.mark_dirty(able)
    new, gone = ([gap for gap in gaps if able & set(gap.hours)] for gaps in (found.new, found.withdrawn))
    return Settled(new, gone, found.hold)


def _decide(layout: Layout, ledger: Ledger, hours: Collection[int], written: Collection[int]) -> Settled:
    """Decide about the holes that touch some hours; ``written`` are those whose bars are new though they are dirty."""
    claims = ledger.claims.touching(hours, written)
    known = {ledger.claims.hole_of(gap): gap for gap in claims}
    proof = KlineProof(layout, ledger, written)
    hold = []
    for hole in ledger.claims.holes(hours):
        try:
            gap = proof.of(hole)
        except DirtyError:
            gap = known.get(hole)
        hold += [gap] if gap else []
    before, after = ({gap.place for gap in gaps} for gaps in (claims, hold))
    return Settled(
        [gap for gap in hold if gap.place not in before], [gap for gap in claims if gap.place not in after], hold
    )  # fmt: skip
