"""Tables into Vega-Lite charts, drawn by the Vega that Streamlit brings along. All times are shown in UTC.

Times go to the browser as milliseconds, onto a UTC scale, and as text into the tooltips: so that no zone of the
browser's can move them. Specifications are plain dictionaries, as Altair's objects cost 0.2 s a page to check, and half
a second to import; and a chart is given only the columns that it draws.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from gui import theme
from lake.windows import Window

Spec = dict[str, Any]
CANVAS_FROM = 500
"""Rows from which a chart is one picture, not an element a mark: of 2,880 candles the elements take a second."""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification, and the rows that it draws."""

    spec: Spec
    rows: pd.DataFrame


def candles(bars: pa.Table, seconds: int, span: Window) -> Chart:
    """Candles; what is not proved complete is pale, as in `volume`."""
    names = ["open", "high", "low", "close", "trade_count"]
    y = {"field": "low", "type": "quantitative", "scale": {"zero": False, "nice": True}, "axis": _AXIS}
    wick: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1, "invalid": None},
        "encoding": {"x": _x("mid", span), "y": y, "y2": {"field": "high"}},
    }
    body: Spec = {
        "mark": {"type": "bar", "strokeWidth": 1, "clip": True, "invalid": None},
        "encoding": {
            "x": _x("left", span), "x2": {"field": "right"}, "stroke": _DIRECTION,
            "y": {"field": "open", "type": "quantitative"}, "y2": {"field": "close"},
        },
    }  # fmt: skip
    rows = _bars(bars, names, seconds)
    rows["mid"] = rows["t"] + seconds * 500.0
    for layer in (
        (wick, body) if len(rows) < CANVAS_FROM else (body,)
    ):  # where bodies are as thin, tips of both cost 0.2 s
        layer["encoding"]["tooltip"] = _tips(_PRICES)
    return _chart({"encoding": {"color": _DIRECTION, "opacity": _PROVED}, "layer": [wick, body]}, rows, 340)


def volume(bars: pa.Table, seconds: int, span: Window) -> Chart:
    """Volume in the quote currency, coloured by the bar's direction."""
    axis = _AXIS | {"tickCount": 3, "format": "~s"}
    encoding = {
        "x": _x("left", span), "x2": {"field": "right"}, "y2": {"datum": 0},
        "y": {"field": "volume_quote", "type": "quantitative", "axis": axis},
        "color": _DIRECTION, "opacity": _PROVED, "tooltip": _tips(_VOLUMES),
    }  # fmt: skip
    names = ["open", "close", "volume_base", "volume_quote", "trade_count"]
    rows = _bars(bars, names, seconds).drop(columns=["open", "close"])
    return _chart({"mark": {"type": "rect", "clip": True, "invalid": None}, "encoding": encoding}, rows, 130)


def spread(bars: pa.Table, seconds: int, span: Window) -> Chart:
    """The spread of each bar's last quote, in basis points of its middle."""
    data = _timed(bars.select(["window_start", "bid", "ask", "spread"]))
    data["bps"] = 10_000 * data["spread"] / ((data["bid"] + data["ask"]) / 2)
    return _line(data, "bps", "Spread (bps)", theme.LINE, seconds, span, height=130, step=True)


def rebased(both: dict[str, pa.Table], seconds: int, span: Window) -> Chart:
    """Closes of symbols as shares of the first that is there of each, in hundredths."""
    frames = []
    for bars in both.values():
        frame = _timed(bars.select(["window_start", "symbol", "close"]))
        if len(frame):
            closes = frame.pop("close")
            frame["rebased"] = 100 * closes / closes.iloc[0]
            frames.append(_broken(frame, "rebased", seconds).drop(columns="alone"))
    data = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["t", "time", "symbol", "rebased"])
    encoding = {
        "x": _x("t", span),
        "y": {"field": "rebased", "type": "quantitative", "scale": {"zero": False}, "axis": _AXIS},
        "color": _colour("symbol", list(both), [theme.LINE, theme.SECOND], legend=True),
        "tooltip": [{"field": "symbol", "type": "nominal"}, _TIME, _tip("rebased", ".3f")],
    }
    return _chart({"mark": {"type": "line", "strokeWidth": 1.6}, "encoding": encoding}, data, 240)


def line(table: pa.Table, column: str, title: str, colour: str, seconds: int, span: Window, *,
         step: bool = False) -> Chart:  # fmt: skip
    """One column over time, a row every ``seconds``, on the whole of ``span``; where rows are missing it is broken."""
    return _line(_timed(table.select(["window_start", column])), column, title, colour, seconds, span, step=step)


def signed(table: pa.Table, column: str, title: str, seconds: int, span: Window, percent: str = ".3%") -> Chart:
    """One column over time as an area from zero, coloured by its sign."""
    data = _timed(table.select(["window_start", column])).dropna(subset=[column])
    data["end"] = data["t"] + seconds * 1000.0
    colour = {"condition": {"test": f"datum['{column}'] >= 0", "value": theme.UP}, "value": theme.DOWN}
    encoding = {
        "x": _x("t", span), "x2": {"field": "end"}, "y2": {"datum": 0}, "color": colour, "stroke": colour,
        "y": {"field": column, "type": "quantitative", "axis": _AXIS | {"format": percent}},
        "tooltip": [_TIME, _tip(column, percent, title)],
    }  # fmt: skip
    return _chart({"mark": _SEAMLESS, "encoding": encoding}, data, 180)


def coverage(table: pa.Table, width: int, span: Window) -> Chart:
    """Of each stretch of ``width`` seconds the shares that are held, flat and missing, one on the other."""
    wide, parts, below = _timed(table), [], 0.0
    for name in ("held", "flat", "missing"):
        part = wide[["t", "time", "seconds"]].assign(what=name, count=wide[name], low=below)
        below = below + wide[name] / wide["seconds"]
        parts.append(part.assign(high=below, end=wide["t"] + width * 1000.0))
    data = pd.concat(parts, ignore_index=True)
    colour = _colour("what", ["held", "flat", "missing"], [theme.LINE, theme.FLAT, theme.MISSING], legend=True)
    axis = _AXIS | {"format": "%", "values": [0, 0.5, 1]}
    what = {"field": "what", "type": "nominal"}
    encoding = {
        "x": _x("t", span), "x2": {"field": "end"}, "y2": {"field": "high"}, "color": colour, "stroke": colour,
        "y": {"field": "low", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": axis},
        "tooltip": [_TIME, what, _tip("count", ",d", "seconds"), _tip("seconds", ",d", "of")],
    }  # fmt: skip
    return _chart({"mark": _SEAMLESS, "encoding": encoding}, data[data["count"] > 0], 220)


def _line(data: pd.DataFrame, column: str, title: str, colour: str, seconds: int, span: Window, *, height: int = 180,
          step: bool = False) -> Chart:  # fmt: skip
    data = _broken(data[["t", "time", column]].dropna(subset=[column]), column, seconds, held=step)
    form = {"format": "~s"} if data[column].abs().max() >= 100_000 else {}
    scale = {"zero": False} | _room(data[column])
    shared = {
        "x": _x("t", span), "tooltip": [_TIME, _tip(column, ",.6~f", title)],
        "y": {"field": column, "type": "quantitative", "scale": scale, "axis": _AXIS | form},
    }  # fmt: skip
    layers: list[Spec] = [
        {
            "mark": {
                "type": "line",
                "color": colour,
                "strokeWidth": 1.5,
                "interpolate": "step-after" if step else "linear",
                "clip": True,
            }
        }
    ]
    if data["alone"].any():
        alone = {"type": "point", "color": colour, "size": 20, "filled": True}
        layers.append({"mark": alone, "transform": [{"filter": "datum.alone"}]})
    return _chart({"encoding": shared, "layer": layers}, data, height)


def _room(values: pd.Series) -> Spec:
    """A domain for values that are all the same, around which Vega would make none, with labels of six digits."""
    low, high = values.min(), values.max()
    if low != high:
        return {}
    by = abs(low) / 100 or 1.0
    return {"domain": [low - by, high + by]}


def _broken(data: pd.DataFrame, column: str, seconds: int, *, held: bool = False) -> pd.DataFrame:
    """The rows with one that has no value after each stretch of them, so that no line is drawn across a hole.

    ``alone`` is a row that no line reaches. With ``held`` a value lasts until its own bar ends.
    """
    width = seconds * 1000.0
    stops = data["t"].diff(-1).abs().gt(width)
    stops.iloc[-1:] = True
    data = data.assign(alone=stops & stops.shift(fill_value=True) & (not held))
    ends = data[stops].assign(t=data["t"] + width, alone=False)
    parts = [data, *([ends] if held else []), ends.assign(**{column: float("nan")})]
    return pd.concat(parts, ignore_index=True).sort_values("t", kind="stable", ignore_index=True)


def _bars(bars: pa.Table, names: list[str], seconds: int) -> pd.DataFrame:
    data = _timed(bars.select(["window_start", "complete", *names]))
    width = seconds * 1000.0
    data["left"], data["right"] = data["t"] + width * 0.15, data["t"] + width * 0.85
    data["direction"] = (data["close"] >= data["open"]).map({True: "up", False: "down"})
    data["proved"] = data.pop("complete").map({True: "complete", False: "not proved complete"})
    return data


def _timed(table: pa.Table) -> pd.DataFrame:
    """The table with `t`, milliseconds since 1970, and `time`, text, in place of `window_start`."""
    data = table.to_pandas()
    at = data.pop("window_start")
    data["t"] = at.astype("datetime64[us, UTC]").astype("int64") / 1000.0
    data["time"] = at.dt.strftime("%Y-%m-%d %H:%M:%S")
    return data


def _x(name: str, span: Window) -> Spec:
    ends = [{"expr": str(at // 1000)} for at in (span.start_us, span.end_us)]
    return {
        "field": name, "type": "temporal", "axis": _X, "scale": {"type": "utc", "nice": False, "domain": ends}
    }  # fmt: skip


def _tips(columns: dict[str, str]) -> list[Spec]:
    found = [_TIME, *(_tip(name, form) for name, form in columns.items())]
    return [*found, {"field": "proved", "type": "nominal", "title": "trade ids"}]


def _tip(column: str, form: str, title: str | None = None) -> Spec:
    return {"field": column, "type": "quantitative", "format": form, "title": title or column}


def _colour(column: str, domain: list[str], inks: list[str], *, legend: bool) -> Spec:
    shown = {"title": None, "orient": "top"} if legend else None
    return {"field": column, "type": "nominal", "scale": {"domain": domain, "range": inks}, "legend": shown}


def _chart(spec: Spec, rows: pd.DataFrame, height: int) -> Chart:
    # Vega's own description of each mark costs as much as the mark; the chart as a whole has its name from the page.
    more: Spec = {"height": height, "config": {"view": {"strokeWidth": 0}, "aria": False}}
    if len(rows) >= CANVAS_FROM:
        more["usermeta"] = {"embedOptions": {"renderer": "canvas"}}
    return Chart(spec | more, rows)


_AXIS: Spec = {"minExtent": 56, "maxExtent": 56, "title": None, "tickCount": 5}
_LABEL = (
    "utcFormat(datum.value, utchours(datum.value) + utcminutes(datum.value) + "
    "utcseconds(datum.value) == 0 ? '%d %b' : utcseconds(datum.value) == 0 ? '%H:%M' : '%H:%M:%S')"
)
_X: Spec = {
    "title": None, "labelOverlap": True, "tickCount": 6, "labelFlush": True, "grid": False, "labelExpr": _LABEL,
}  # fmt: skip
_TIME: Spec = {"field": "time", "type": "nominal", "title": "UTC"}
_DIRECTION = _colour("direction", ["up", "down"], [theme.UP, theme.DOWN], legend=False)
_PROVED: Spec = {"condition": {"test": "datum.proved == 'complete'", "value": 1.0}, "value": 0.5}
_SEAMLESS: Spec = {"type": "rect", "clip": True, "strokeWidth": 0.7}
"""Its stroke covers the seams between neighbours, which are as wide as a hole of a second is shown."""
_PRICES = {**dict.fromkeys(("open", "high", "low", "close"), ",.8~f"), "trade_count": ",d"}
_VOLUMES = {"volume_base": ",.4~f", "volume_quote": ",.2~f", "trade_count": ",d"}
