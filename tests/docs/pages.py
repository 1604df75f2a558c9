"""The documents as tests read them: pages, headings, code blocks, code spans, links."""

import re

from deployments.docs import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page, *languages):
    """The code blocks in one of the languages ("" is none)."""
    return [body for language, body in _BLOCK.findall(page) if language in languages]


def prose(page):
    return _BLOCK.sub("", page)


def spans(page):
    return _SPAN.findall(prose(page))


def links(page):
    return _LINK.findall(_SPAN.sub("code", prose(page)))


def anchors(page):
    """What GitHub makes of the headings."""
    found = []
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        again = sum(one == slug for one in found)
        found.append(f"{slug}-{again}" if again else slug)
    return set(found)
