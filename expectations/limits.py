"""The numbers of the rules, and the columns that R7 compares."""

from lake.windows import HOUR_US, MINUTE_US

TOP = 25
"""How many offending rows are kept of each check and shown of each rule."""

WIDE_PART_OF_MID = 0.05
"""A spread of this part of the mid price, or more, is wide."""

WIDE_SHARE = 0.001
"""Wide spreads count as violations from this share of the rows that have quotes."""

WITHIN = 1e-9
"""So much, as part of the larger, may a volume differ from the kline's: ours are rounded once from the exact sum."""

EXACT = {"open": "open", "high": "high", "low": "low", "close": "close", "trade_count": "trades"}
VOLUMES = {
    "volume_base": "volume",
    "volume_quote": "quote_volume",
    "taker_buy_base": "taker_base_vol",
    "taker_buy_quote": "taker_quote_vol",
}
"""Columns of ours that R7 compares, and what a kline calls them: equal, and within `WITHIN`."""

JUMP = 0.02
"""A close that differs by more than this (log return) from its neighbour's is a jump."""

NEIGHBOURS_US = 5 * MINUTE_US
"""Macro minutes so close are of one session: every market rests longer."""

RARELY_US = 8 * HOUR_US
"""No contract pays its funding more rarely."""

RATE = 0.03
"""A funding rate beyond this is more than the exchange's caps let most contracts pay."""
