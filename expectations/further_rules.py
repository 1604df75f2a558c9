"""The rules beyond the contract: K of klines, M of macro minutes, D of derivatives."""

from expectations.limits import JUMP, NEIGHBOURS_US, RATE
from expectations.rule import Check, Rule
from lake.windows import MINUTE_US

_INTEREST = ("open_interest", "open_interest_value")

RULES: tuple[Rule, ...] = (
    Rule(
        "K1",
        "A candle covers its own window",
        "The exchange has published candles that open off the grid: on 9 and 10 February 2018, 1,230 opened 14.789 s "
        "after the minute. Such a candle is stored at the window in which it opens, and its own open time is kept. It "
        "covers a part of the next window, so it is not what a bar of that minute would be. Where two candles open in "
        "one window, the one that covers more of it is stored, and the other is in the quarantine.",
        "The data are the exchange's own: leave the range out, or use exchange_open_time and close_time. Of two "
        "candles in one window, see the quarantine.",
        (
            Check("K1", "it opens on the grid, and no other candle opens in its window", "investigate", "row",
                  "own_window", ("exchange_open_time", "close_time")),
        ),
        ("klines",),
    ),
    Rule(
        "M1",
        "Prices do not jump within a session",
        f"Two closes at most {NEIGHBOURS_US // MINUTE_US} minutes apart differ by {JUMP:.0%} or less. More is news, or "
        "a price of another instrument or unit.",
        "Compare with another source; if it is Yahoo's mistake, it corrects it: run macro-minute with lookback_days.",
        (
            Check("M1", f"|log return| ≤ {JUMP:.0%} between neighbouring minutes", "investigate", "row", "steady",
                  ("close",)),
        ),
        ("macro",),
    ),
    Rule(
        "D1",
        "Fundings come regularly, and all of them",
        "A contract pays every 8, 4, 2 or 1 hours and changes that now and then; one missing funding makes every carry "
        "computed from it wrong. A funding is irregular when it comes more than 8 hours after the one before, or after "
        "a longer wait than both the one before and the one after it. An hour is known when the store has noted that "
        "it has all fundings of it.",
        "Run derivatives-hour for the range.",
        (
            Check("D1-known", "of every hour all fundings are held", "investigate", "window", "known",
                  facts=("symbol", "timeframe", "due", "held")),
            Check("D1-regular", "no funding comes after a longer wait than its neighbours, or than 8 hours",
                  "investigate", "row", "regular", ("funding_rate",), ("symbol", "around")),
        ),
        ("funding",),
    ),
    Rule(
        "D2",
        "Funding rates are there and plausible",
        f"A rate is a number and at most {RATE:.0%} either way; the mark price is positive where there is one.",
        "Compare with the exchange; move the year's file away and run derivatives-hour.",
        (
            Check("D2-there", "no null or NaN in funding_rate", "fail", "row", "rated", ("funding_rate",)),
            Check("D2-plausible", f"|funding_rate| ≤ {RATE:.0%}, mark_price > 0 where it is there", "investigate",
                  "row", "plausible_rate", ("funding_rate", "mark_price")),
        ),
        ("funding",),
    ),
    Rule(
        "D3",
        "Open interest is there and positive",
        "A contract that trades has some open. Nought, less, or nothing is an answer misread, or a contract that ends.",
        "Compare with the exchange; move the day's file away and run derivatives-hour.",
        (
            Check("D3-there", "no null or NaN in open interest and its value", "fail", "row", "interested", _INTEREST),
            Check("D3-positive", "open interest and its value > 0 and finite", "investigate", "row",
                  "positive_interest", _INTEREST),
        ),
        ("open_interest",),
    ),
)  # fmt: skip
