"""The dashboard as a person sees it: a real server, a real browser that reaches nothing but this machine."""

import functools
import io
import itertools
import re
from datetime import timedelta
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from PIL import Image

from gui import theme
from lake import read
from lake.layout import Layout
from lake.windows import Window
from tests import browser
from tests.expectations.test_pages_chromium import brightness
from tests.gui.conftest import dashboard
from tests.gui.small import START, derivatives, macro, seconds, write
from tests.live import wait

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not browser.executable(), reason=browser.MISSING)]
LATE = START.replace(hour=22)
UP, DOWN, LINE, SECOND, FLAT = (
    tuple(bytes.fromhex(one[1:])) for one in (theme.UP, theme.DOWN, theme.LINE, theme.SECOND, theme.FLAT)
)
CHART = "document.querySelectorAll('[data-testid=stVegaLiteChart]')[{}]"
TICKS = "[...document.querySelectorAll('[data-testid=stVegaLiteChart] svg text')].map(one => one.textContent)"
TIP = "document.querySelector('#vg-tooltip-element')?.innerText ?? ''"
EVIL = "<img src=x onerror=document.title='owned'>![](http://evil.example/x.png)"
DRAWN = (
    "document.querySelectorAll('[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg.marks').length"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A lake of two hours and more, and the address of a dashboard on it, whose machine is in Kolkata."""
    base = tmp_path_factory.mktemp("gui")
    layout = Layout(base / "lake")
    write(layout, seconds(7200))
    write(layout, seconds(7200, symbol="SUIUSDT", price=3.0))
    for start in (LATE, LATE + timedelta(hours=26)):  # and a whole day that is missing between them
        write(layout, seconds(7200, start, "XRPUSDT"))
    derivatives(layout, 2)
    macro(layout, 120)
    with dashboard(layout.base, base / "log") as url:
        yield layout, url


def text(page):
    return page.value("document.body?.innerText ?? ''")


def said(page, words):
    return wait(lambda: words in text(page), 30)


def stayed_here(page):
    """Whatever the page asked for came from this machine; nothing complained."""
    hosts = {urlsplit(url).hostname for url in page.requests if url.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}
    assert page.complaints == []


def opened(chromium, url, query="", *, charts=3, width=1400, dark=False, height=1100, **more):
    page = chromium.open(f"{url}/?{query}", width, height, dark=dark, **more)
    wait(lambda: page.value(DRAWN) >= charts, 30)
    said(page, " UTC")
    return page


def box(page, index):
    """The left, upper, right and lower edge of a chart on the screen."""
    edges = "(one => [one.left, one.top, one.right, one.bottom])"
    return page.value(f"{edges}({CHART.format(index)}.getBoundingClientRect())")


def columns(page, folder, index, *inks):
    """The columns on the screen in which a chart has one of some inks, or nearly."""
    picture = Image.open(io.BytesIO(page.picture(folder / "page.png"))).convert("RGB")
    data = np.asarray(picture.crop(tuple(map(int, box(page, index)))), dtype=int)
    inked = np.zeros(data.shape[1], dtype=bool)
    for ink in inks:
        inked |= (np.abs(data - ink).max(axis=2) < 40).any(axis=0)
    return np.flatnonzero(inked).tolist()


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (1400, True), (390, False), (390, True)])
def test_candles_are_drawn_in_light_and_dark_wide_and_narrow(chromium, served, tmp_path, width, dark):
    page = opened(chromium, served[1], "range=1h", width=width, dark=dark, height=1600)
    for index, ink in itertools.product((0, 1), (UP, DOWN)):
        wait(functools.partial(columns, page, tmp_path, index, ink), 20)
    if width > 1000:  # neighbours touch on a telephone
        for index in (0, 1):
            inked = columns(page, tmp_path, index, UP, DOWN)
            assert sum(after - before > 1 for before, after in itertools.pairwise(inked)) + 1 == 60, "one a minute"
    app = "getComputedStyle(document.querySelector('.stApp'))"
    paper, ink = (brightness(page.value(f"{app}.{what}")) for what in ("backgroundColor", "color"))
    assert (paper < 0.2) is dark
    assert abs(paper - ink) > 0.6
    assert page.value("document.documentElement.scrollWidth") <= width
    over = page.value(
        f"[...document.querySelectorAll('.stMainBlockContainer *')].filter(one => {{const box = "
        f"one.getBoundingClientRect(); return box.width && box.right > {width} + 1}}).length"
    )
    assert over == 0
    stayed_here(page)


def test_the_csv_that_is_offered_is_the_lakes_rows(chromium, served):
    layout, url = served
    page = opened(chromium, url, "range=15m")
    said(page, "CSV, 15 rows")
    page.value(
        "window.saved = '', window.made = HTMLAnchorElement.prototype.click, HTMLAnchorElement.prototype.click = "
        "function () { fetch(this.href).then(one => one.text()).then(one => { window.saved = one }) }, 1"
    )
    page.value("document.querySelector('[data-testid=stDownloadButton] button').click(), 1")
    lines = wait(lambda: page.value("window.saved")).splitlines()
    window = Window(START + timedelta(minutes=105), START + timedelta(hours=2))
    rows = read.bars(layout, "SOLUSDT", window, "1m").to_pylist()
    found = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    assert [(row["window_start"], float(row["open"]), float(row["volume_quote"])) for row in found] == [
        (row["window_start"].isoformat().replace("+00:00", "Z"), row["open"], row["volume_quote"]) for row in rows
    ]


def test_a_new_bar_is_drawn_by_itself(chromium, tmp_path):
    layout = Layout(tmp_path / "lake")
    write(layout, seconds(600))
    with dashboard(layout.base, tmp_path / "log") as url:
        page = opened(chromium, url, "refresh=15s")
        said(page, "10 1m bars of SOLUSDT")
        page.value("window.same = true, 1")
        write(layout, seconds(660))
        said(page, "11 1m bars of SOLUSDT")
        assert page.value("window.same")
        stayed_here(page)


def test_an_empty_lake_explains_and_fills_by_itself(chromium, tmp_path):
    layout = Layout(tmp_path / "lake")
    with dashboard(layout.base, tmp_path / "log") as url:
        page = chromium.open(url)
        said(page, "This lake has no bars yet")
        said(page, "crypto-lake up")
        assert page.value(DRAWN) == 0
        write(layout, seconds(600))
        said(page, "10 1m bars of SOLUSDT")
        stayed_here(page)


def test_a_hostile_address_is_text(chromium, served):
    page = opened(chromium, served[1], f"symbol={quote(EVIL)}")
    said(page, EVIL[:40])
    assert page.value("document.title") == "crypto-lake"
    assert page.value("document.querySelectorAll('.stMainBlockContainer img').length") == 0
    stayed_here(page)


def test_a_click_goes_into_the_address(chromium, served):
    page = opened(chromium, served[1])
    page.value("[...document.querySelectorAll('button')].find(one => one.innerText === '15m').click(), 1")
    assert wait(lambda: re.search(r"(tf|range)=15m", page.value("location.search")))[0]


def test_axes_and_tips_are_in_utc_wherever_the_browser_is(chromium, served):
    query = "start=2025-10-20T10:00:00Z&end=2025-10-20T12:00:00Z"
    page = opened(chromium, served[1], query, zone="Asia/Kolkata")
    assert page.value("new Date(0).getHours()") == 5
    clocks = wait(lambda: [one for one in page.value(TICKS) if re.fullmatch(r"\d\d:\d\d", one)], 20)
    assert {"10:00", "11:00", "12:00"} <= set(clocks)
    assert {one[:2] for one in clocks} == {"10", "11", "12"}
    left, _, right, bottom = box(page, 1)
    offsets = itertools.cycle(range(20, 80, 3))

    def tip():
        page.point(left + 56 + (right - left - 56) / 2 + 4, bottom - next(offsets))
        return re.search(r"2025-10-20 (\d\d:\d\d)", page.value(TIP))

    assert wait(tip, 20)[1] in ("10:59", "11:00", "11:01")


def test_the_end_of_a_day_is_not_the_next_day_of_another_zone(chromium, served):
    page = opened(chromium, served[1], "symbol=XRPUSDT&range=15m", zone="Asia/Kolkata")
    assert said(page, "15 1m bars of XRPUSDT · 2025-10-22 01:45:00 to 2025-10-22 02:00:00 UTC")


def test_a_missing_day_is_a_gap_in_every_chart(chromium, served, tmp_path):
    page = opened(chromium, served[1], "symbol=XRPUSDT&tf=15m&start=2025-10-20T22:00:00Z&end=2025-10-22T02:00:00Z")
    said(page, "16 15m bars of XRPUSDT")
    for index, inks in enumerate(((UP, DOWN), (UP, DOWN), (LINE,))):
        inked = wait(functools.partial(columns, page, tmp_path, index, *inks), 20)
        widest = max(after - before for before, after in itertools.pairwise(inked))
        assert 0.8 < widest / (inked[-1] - inked[0]) < 0.9, "24 of 28 hours"


def test_a_day_that_is_missing_is_said_and_counted(chromium, served):
    day = "symbol=XRPUSDT&start=2025-10-21&end=2025-10-22"
    said(opened(chromium, served[1], day, charts=0), "The lake has no bars of this range")
    page = opened(chromium, served[1], f"page=Quality&{day}", charts=1)
    assert re.search(r"Missing\s+86,400", text(page))


@pytest.mark.parametrize(("page_name", "more"), [("Derivatives", "&range=6h"), ("Macro", "&ticker=SPY")])
@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, True)])
def test_derivatives_and_macro_are_drawn(chromium, served, tmp_path, page_name, more, width, dark):
    page = opened(chromium, served[1], f"page={page_name}{more}", width=width, dark=dark, height=1400)
    for index, ink in enumerate((DOWN, LINE, SECOND) if page_name == "Derivatives" else (LINE, SECOND, FLAT)):
        assert wait(functools.partial(columns, page, tmp_path, index, ink), 20)
    assert page.value("document.documentElement.scrollWidth") <= width
    stayed_here(page)


@pytest.mark.parametrize("page_name", ["Derivatives", "Macro", "Quality", "Health"])
def test_every_page_opens_without_a_complaint(chromium, served, page_name):
    page = chromium.open(f"{served[1]}/?page={page_name}&symbol=SUIUSDT", 390, dark=True)
    said(page, "crypto-lake " if page_name != "Macro" else "minutes of EURUSD=X")
    assert page.value("document.documentElement.scrollWidth") <= 390
    stayed_here(page)
