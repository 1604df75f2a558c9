"""The dashboard as a person sees it: a real server, a real browser that reaches nothing but this machine."""

import re
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest

from gui import theme
from lake import read
from lake.layout import Layout
from lake.windows import Window
from tests import browser
from tests.expectations.test_pages_chromium import brightness
from tests.gui.conftest import dashboard
from tests.gui.small import START, seconds, write
from tests.live import wait

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not browser.executable(), reason=browser.MISSING)]
INKS = """[...document.querySelectorAll('[data-testid=stVegaLiteChart] canvas')].slice(0, 2).map(one => {
    const found = new Set(), data = one.getContext('2d').getImageData(0, 0, one.width, one.height).data
    for (let at = 0; at < data.length; at += 4)
        if (data[at + 3] === 255) found.add([...data.slice(at, at + 3)].join())
    return [...found]
})"""
UP, DOWN = (",".join(str(byte) for byte in bytes.fromhex(one[1:])) for one in (theme.UP, theme.DOWN))
EVIL = "<img src=x onerror=document.title='owned'>![](http://evil.example/x.png)"
DRAWN = (
    "document.querySelectorAll('[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg.marks').length"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A lake of two hours, and the address of a dashboard on it, whose machine is in Kolkata."""
    base = tmp_path_factory.mktemp("gui")
    layout = Layout(base / "lake")
    write(layout, seconds(7200))
    write(layout, seconds(7200, symbol="SUIUSDT", price=3.0))
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


def opened(chromium, url, query="", *, charts=3, width=1400, dark=False, height=1100):
    page = chromium.open(f"{url}/?{query}", width, height, dark=dark)
    wait(lambda: page.value(DRAWN) >= charts, 30)
    said(page, " UTC")
    return page


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (1400, True), (390, False), (390, True)])
def test_candles_are_drawn_in_light_and_dark_wide_and_narrow(chromium, served, tmp_path, width, dark):
    page = opened(chromium, served[1], "range=1h", width=width, dark=dark, height=1600)
    wait(lambda: all({UP, DOWN} <= set(one) for one in page.value(INKS)), 20)
    page.picture(tmp_path / "page.png")
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
        said(page, "crypto-lake collect-live")
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
    wait(lambda: re.search(r"tf=15m|range=15m", page.value("location.search")))


@pytest.mark.parametrize("page_name", ["Derivatives", "Macro", "Quality", "Health"])
def test_every_page_opens_without_a_complaint(chromium, served, page_name):
    page = chromium.open(f"{served[1]}/?page={page_name}", 390, dark=True)
    said(page, "crypto-lake ")
    assert page.value("document.documentElement.scrollWidth") <= 390
    stayed_here(page)
