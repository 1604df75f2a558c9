"""Colours and style: one look, readable on light and on dark paper (3:1 or more on both)."""

UP, DOWN, LINE, SECOND, MISSING, FLAT = "#15936f", "#d9534f", "#3f83c9", "#b9791f", "#d9534f", "#8a94a3"
STATE = {"starting": LINE, "running": UP, "idle": LINE, "error": DOWN, "stopped": FLAT, "silent": SECOND}
STYLE = """<style>
.stMainBlockContainer {padding-top: 1.4rem; padding-bottom: 2rem; max-width: 1500px}
.stMainBlockContainer h1 {font-size: 1.35rem; padding: 0 0 .5rem; margin: 0}
.stMainBlockContainer h3 {font-size: 1rem; padding: .5rem 0 .25rem}
[data-testid="stButtonGroup"] button {min-height: 2.5rem}
[data-testid="stMetricValue"] {font-size: 1.25rem; font-variant-numeric: tabular-nums}
@media (max-width: 640px) {.stMainBlockContainer {padding-left: .8rem; padding-right: .8rem}
  [data-testid="stButtonGroup"] button {padding: 0 .6rem}}
</style>"""


def plain(text: str) -> str:
    """Return text so that Markdown shows it as it is: no link, picture, colour or formula comes out of it."""
    return "".join(f"\\{char}" if char.isascii() and not char.isalnum() and char != " " else char for char in text)
