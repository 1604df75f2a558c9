"""The pages, by what they are called."""

from gui import page_chart, page_health, page_quality, page_series

PAGES = {
    "Chart": page_chart.draw,
    "Derivatives": page_series.derivatives,
    "Macro": page_series.macro,
    "Quality": page_quality.draw,
    "Health": page_health.draw,
}
