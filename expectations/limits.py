"""The numbers of the rules, and the columns that R7 compares (`lake.minutes`)."""

from lake.minutes import EXACT as EXACT
from lake.minutes import VOLUMES as VOLUMES
from lake.minutes import WITHIN as WITHIN
from lake.windows import HOUR_US, MINUTE_US

TOP = 25
"""How many offending rows are kept of each check and shown of each rule."""

WIDE_PART_OF_MID = 0.05
"""A spread of this part of the mid price, or more, is wide."""

WIDE_SHARE = 0.001
"""Wide spreads count as violations from this share of the rows that have quotes."""

JUMP = 0.02
"""A close that differs by more than this (log return) from its neighbour's is a jump."""

NEIGHBOURS_US = 5 * MINUTE_US
"""Macro minutes so close are of one session: every market rests longer."""

RARELY_US = 8 * HOUR_US
"""No contract pays its funding more rarely."""

RATE = 0.03
"""A funding rate beyond this is more than the exchange's caps let most contracts pay."""
