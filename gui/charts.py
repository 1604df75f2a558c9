"""Tables into Vega-Altair charts, drawn by the Vega that Streamlit brings along. All times are shown in UTC.

Times go to the browser as milliseconds, onto a UTC scale, and as text into the tooltips: so that no zone of the
browser's can move them.
"""

from typing import Any

import altair as alt
import pandas as pd
import pyarrow as pa

from gui import theme
from lake.windows import Window

_AXIS = {"minExtent": 56, "maxExtent": 56, "title": None, "tickCount": 5}
_LABEL = (
    "utcFormat(datum.value, utchours(datum.value) + utcminutes(datum.value) + "
    "utcseconds(datum.value) == 0 ? '%d %b' : utcseconds(datum.value) == 0 ? '%H:%M' : '%H:%M:%S')"
)
_X = alt.Axis(title=None, labelOverlap=True, tickCount=6, labelFlush=True, grid=False, labelExpr=_LABEL)


def candles(bars: pa.Table, seconds: int, span: Window) -> alt.Chart:
    """Candles; what is not proved complete is pale, as in `volume`."""
    data = _bars(bars, seconds)
    base = alt.Chart(data).encode(color=_DIRECTION, opacity=_PROVED, tooltip=_tips(_PRICES))
    y = alt.Y("low:Q", scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(**_AXIS))
    wick = base.mark_rule(strokeWidth=1).encode(x=_x("mid", span), y=y, y2="high:Q")
    body = base.mark_bar(strokeWidth=1, clip=True).encode(
        x=_x("left", span), x2="right:Q", y=alt.Y("open:Q"), y2="close:Q", stroke=_DIRECTION
    )
    return _sized(alt.layer(wick, body), 340)


def volume(bars: pa.Table, seconds: int, span: Window) -> alt.Chart:
    """Volume in the quote currency, coloured by the bar's direction."""
    y = alt.Y("volume_quote:Q", axis=alt.Axis(**_AXIS | {"tickCount": 3, "format": "~s"}))
    shared = {"color": _DIRECTION, "opacity": _PROVED, "tooltip": _tips(_VOLUMES)}
    chart = alt.Chart(_bars(bars, seconds)).mark_rect(clip=True)
    return _sized(chart.encode(x=_x("left", span), x2="right:Q", y=y, y2=alt.Y2Datum(0), **shared), 130)


def spread(bars: pa.Table, seconds: int, span: Window) -> alt.Chart:
    """The spread of each bar's last quote, in basis points of its middle."""
    data = _timed(bars.to_pandas())
    data["bps"] = 10_000 * data["spread"] / ((data["bid"] + data["ask"]) / 2)
    return _line(data, "bps", "Spread (bps)", theme.LINE, seconds, span, height=130, step=True)


def rebased(both: dict[str, pa.Table], seconds: int, span: Window) -> alt.Chart:
    """Closes of symbols as shares of the first that is there of each, in hundredths."""
    frames = []
    for bars in both.values():
        frame = _timed(bars.to_pandas())
        if len(frame):
            frame["rebased"] = 100 * frame["close"] / frame["close"].iloc[0]
            frames.append(_broken(frame[["t", "time", "symbol", "rebased"]], "rebased", seconds))
    data = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["t", "time", "symbol", "rebased"])
    colour = alt.Color(
        "symbol:N",
        scale=alt.Scale(domain=list(both), range=[theme.LINE, theme.SECOND]),
        legend=alt.Legend(title=None, orient="top"),
    )
    y = alt.Y("rebased:Q", scale=alt.Scale(zero=False), axis=alt.Axis(**_AXIS))
    tips = ["symbol:N", alt.Tooltip("time:N", title="UTC"), alt.Tooltip("rebased:Q", format=".3f")]
    return _sized(
        alt.Chart(data).mark_line(strokeWidth=1.6).encode(x=_x("t", span), y=y, color=colour, tooltip=tips), 240
    )


def line(table: pa.Table, column: str, title: str, colour: str, seconds: int, span: Window, *,
         step: bool = False) -> alt.Chart:  # fmt: skip
    """One column over time, a row every ``seconds``, on the whole of ``span``; where rows are missing it is broken."""
    return _line(_timed(table.to_pandas()), column, title, colour, seconds, span, step=step)


def signed(table: pa.Table, column: str, title: str, seconds: int, span: Window, percent: str = ".3%") -> alt.Chart:
    """One column over time as an area from zero, coloured by its sign."""
    data = _timed(table.to_pandas()).dropna(subset=[column])
    data["end"] = data["t"] + seconds * 1000.0
    colour = alt.condition(f"datum['{column}'] >= 0", alt.value(theme.UP), alt.value(theme.DOWN))
    tips = [alt.Tooltip("time:N", title="UTC"), alt.Tooltip(f"{column}:Q", title=title, format=percent)]
    y = alt.Y(f"{column}:Q", axis=alt.Axis(**_AXIS | {"format": percent}))
    return _sized(
        alt.Chart(data)
        .mark_rect(clip=True, strokeWidth=_SEAM)
        .encode(x=_x("t", span), x2="end:Q", y=y, y2=alt.Y2Datum(0), color=colour, stroke=colour, tooltip=tips),
        180,
    )


def coverage(table: pa.Table, width: int, span: Window) -> alt.Chart:
    """Of each stretch of ``width`` seconds the shares that are held, flat and missing, one on the other."""
    wide, parts, below = _timed(table.to_pandas()), [], 0.0
    for name in ("held", "flat", "missing"):
        part = wide[["t", "time", "seconds"]].assign(what=name, count=wide[name], low=below)
        below = below + wide[name] / wide["seconds"]
        parts.append(part.assign(high=below, end=wide["t"] + width * 1000.0))
    data = pd.concat(parts, ignore_index=True)
    scale = alt.Scale(domain=["held", "flat", "missing"], range=[theme.LINE, theme.FLAT, theme.MISSING])
    legend = alt.Legend(title=None, orient="top")
    colour, stroke = (channel("what:N", scale=scale, legend=legend) for channel in (alt.Color, alt.Stroke))
    tips = [alt.Tooltip("time:N", title="UTC"), "what:N", alt.Tooltip("count:Q", title="seconds"), "seconds:Q"]
    y = alt.Y("low:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(**_AXIS | {"format": "%", "values": [0, 0.5, 1]}))
    return _sized(
        alt.Chart(data[data["count"] > 0])
        .mark_rect(clip=True, strokeWidth=_SEAM)
        .encode(x=_x("t", span), x2="end:Q", y=y, y2="high:Q", color=colour, stroke=stroke, tooltip=tips),
        220,
    )


def _line(data: pd.DataFrame, column: str, title: str, colour: str, seconds: int, span: Window, *, height: int = 180,
          step: bool = False) -> alt.Chart:  # fmt: skip
    data = _broken(data[["t", "time", column]].dropna(subset=[column]), column, seconds, held=step)
    tips = [alt.Tooltip("time:N", title="UTC"), alt.Tooltip(f"{column}:Q", title=title, format=",.6~f")]
    form = {"format": "~s"} if data[column].abs().max() >= 100_000 else {}
    shared: dict[str, Any] = {
        "x": _x("t", span), "tooltip": tips,
        "y": alt.Y(f"{column}:Q", scale=alt.Scale(zero=False), axis=alt.Axis(**_AXIS | form)),
    }  # fmt: skip
    mark = alt.Chart(data).mark_line(color=colour, strokeWidth=1.5, interpolate="step-after" if step else "linear")
    alone = alt.condition("datum.alone", alt.value(1), alt.value(0))
    points = alt.Chart(data).mark_point(color=colour, size=20, filled=True)
    return _sized(alt.layer(mark.encode(**shared), points.encode(**shared, opacity=alone)), height)


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


def _bars(bars: pa.Table, seconds: int) -> pd.DataFrame:
    data = _timed(bars.to_pandas())
    width = seconds * 1000.0
    data["left"], data["mid"], data["right"] = (data["t"] + width * share for share in (0.15, 0.5, 0.85))
    data["direction"] = (data["close"] >= data["open"]).map({True: "up", False: "down"})
    data["proved"] = data["complete"].map({True: "complete", False: "not proved complete"})
    return data


def _timed(data: pd.DataFrame) -> pd.DataFrame:
    """The frame with `t`, milliseconds since 1970, and `time`, text, in place of `window_start`."""
    at = data.pop("window_start")
    data["t"] = at.astype("datetime64[us, UTC]").astype("int64") / 1000.0
    data["time"] = at.dt.strftime("%Y-%m-%d %H:%M:%S")
    return data


def _x(name: str, span: Window) -> alt.X:
    ends = [{"expr": str(at // 1000)} for at in (span.start_us, span.end_us)]
    return alt.X(f"{name}:T", scale=alt.Scale(type="utc", nice=False, domain=ends), axis=_X)


def _tips(columns: dict[str, str]) -> list[alt.Tooltip]:
    found = [alt.Tooltip("time:N", title="UTC"), *(alt.Tooltip(f"{n}:Q", format=f) for n, f in columns.items())]
    return [*found, alt.Tooltip("proved:N", title="trade ids")]


def _sized(chart: alt.Chart, height: int) -> alt.Chart:
    return chart.properties(height=height, width="container").configure_view(strokeWidth=0)


_DIRECTION = alt.Color("direction:N", scale=alt.Scale(domain=["up", "down"], range=[theme.UP, theme.DOWN]), legend=None)
_PROVED = alt.condition("datum.complete", alt.value(1.0), alt.value(0.5))
_SEAM = 0.7
"""Width of the stroke that covers the seams between neighbours, which is as much as a hole of a second shows."""
_PRICES = {**dict.fromkeys(("open", "high", "low", "close"), ",.8~f"), "trade_count": ",d"}
_VOLUMES = {"volume_base": ",.4~f", "volume_quote": ",.2~f", "trade_count": ",d"}
