"""R0 to R8, which are contracted: of bars, and those that hold of other tables too."""

from expectations.limits import EXACT, VOLUMES
from expectations.rule import Check, Rule

_PRICES = ("open", "high", "low", "close")
_PAIRS = (name for ours, theirs in {**EXACT, **VOLUMES}.items() for name in (f"our_{ours}", f"kline_{theirs}"))
_CANDLES = ("bars", "klines", "macro")
_ALL = (*_CANDLES, "funding", "open_interest")
_ANEW = (
    "Bars: transform the hour again from raw. Klines: move the day's file away and backfill. Macro: run macro-minute "
    "with lookback_days."
)

RULES: tuple[Rule, ...] = (
    Rule(
        "R0",
        "The table is what it says it is",
        "A column that is missing or of another type, or a row of another symbol, makes every other number doubtful.",
        f"{_ANEW} Derivatives: move the file away and run derivatives-hour. Look for what else writes there.",
        (
            Check(
                "R0-columns",
                "every column is there with its type",
                "fail",
                "column",
                "columns",
                facts=("table", "found", "files"),
            ),
            Check("R0-rows", "no other symbol's rows", "fail", "row", "own_symbol", facts=("symbol",)),
        ),
        _ALL,
    ),
    Rule(
        "R1",
        "High and low enclose open and close",
        "low ≤ open, close ≤ high. A bar that breaks it was not made of trades. Prices that are null or NaN are R4's.",
        _ANEW,
        (Check("R1", "low ≤ open, close ≤ high", "fail", "row", "enclosed", _PRICES),),
        _CANDLES,
    ),
    Rule(
        "R2",
        "Prices are positive",
        "Nothing trades at zero, below, or at infinity. Prices that are null or NaN are R4's.",
        f"Look at the raw lines of the second: the exchange's text, or its parsing, is wrong. {_ANEW}",
        (Check("R2", "open, high, low, close > 0 and finite", "fail", "row", "positive", _PRICES),),
        _CANDLES,
    ),
    Rule(
        "R3",
        "The book is not crossed",
        "ask ≥ bid where both are there. A crossed quote is two quotes mixed up, and spreads made of it are wrong.",
        "Look at the bookTicker lines of the second in raw.",
        (Check("R3", "ask ≥ bid where both are there", "fail", "row", "uncrossed", ("bid", "ask")),),
    ),
    Rule(
        "R4",
        "Every bar has its prices",
        "A null or NaN in open, high, low or close turns into a hole, or a zero, in whatever is computed from it.",
        f"{_ANEW} A window without a known price must be missing, not null.",
        (Check("R4", "no null or NaN in open, high, low, close", "fail", "row", "priced", _PRICES),),
        _CANDLES,
    ),
    Rule(
        "R5",
        "Timestamps run on without a hole",
        "A duplicate counts a second twice, a timestamp off the grid or in another day's file is found by no join, and "
        "a missing window is time of which nothing is known. A candle is due when it has closed, and not where the "
        "exchange is known to have none; a macro minute is due in the market's hours, where every one has a price.",
        f"Missing bars: recover the trades, transform again; missing klines: backfill-binance. Else: {_ANEW}",
        (
            Check(
                "R5-rows",
                "on the grid of the timeframe and in its day's file, no duplicates",
                "fail",
                "row",
                "on_grid",
                facts=("table", "timeframe", "day"),
            ),
            Check(
                "R5-windows",
                "no missing window between start and end, clipped to the present",
                "investigate",
                "window",
                "no_hole",
                facts=("symbol", "timeframe", "due"),
                sources=(*_CANDLES, "open_interest"),
            ),
        ),
        _ALL,
    ),
    Rule(
        "R6",
        "Spreads are plausible",
        "spread ≥ 0; and spread < 5 % of mid for more than 99.9 % of the rows that have quotes, in the whole "
        "validation. Wide spreads are counted only when they are 0.1 % or more: a few happen, many mean a bad feed.",
        "Compare bid and ask with the trades of the same seconds; look for a halt or a listing.",
        (
            Check(
                "R6",
                "spread ≥ 0; < 5 % of mid for more than 99.9 % of the rows with quotes",
                "investigate",
                "row",
                "plausible_spread",
                ("bid", "ask", "spread"),
                ("wide_counts",),
            ),
        ),
    ),
    Rule(
        "R7",
        "Complete minutes equal the exchange's own klines",
        "A minute that is proved complete has the exchange's prices and count, and its volumes within 1e-9 (taker "
        "volumes too), or the proof is wrong. A minute without a kline is not checked. The reason is what the data "
        "prove. Hole of ours: trade ids in the minute or at its edges do not run on, the missing are named. Trades "
        "counted twice: ids overlap, or are fewer than the trades. Late trade: ids run on, the counts differ. Revision "
        "upstream: ids run on and counts agree, values differ.",
        "Hole of ours: recover the named trades, transform the hour again. Counted twice, late trade: transform the "
        "hour again. Revision upstream: move the day's klines away and backfill them; if it stays, look at the trades.",
        (
            Check(
                "R7",
                "every complete minute equals the official 1m kline, where one is there",
                "investigate",
                "row",
                "parity",
                ("reason", "missing_ids", "differs", *_PAIRS),
                facts=("parity",),
            ),
        ),
    ),
    Rule(
        "R8",
        "Trade ids run on from bar to bar",
        "The exchange numbers a symbol's trades one by one: first_trade_id is the last_trade_id of the traded bar "
        "before it, plus 1, across midnight too. A jump is the proof that trades are missing. Ids that never existed, "
        "as the official klines show, are not counted; the notes have their number. Where the exchange starts its ids "
        "again, nothing is compared across.",
        "Backfill the trades whose ids are named, then transform the hour again. If no trade is missing: run "
        "backfill-binance and transform-hour for the day, so that the klines can show it.",
        (
            Check(
                "R8",
                "first_trade_id = last_trade_id of the traded bar before + 1, unless ids never existed or start again",
                "investigate",
                "row",
                "consecutive_ids",
                ("first_trade_id", "last_trade_id"),
                ("symbol", "timeframe", "previous_trade_id", "never_existed", "numberings"),
            ),
        ),
    ),
)  # fmt: skip
