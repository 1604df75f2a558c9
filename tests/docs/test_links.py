"""Every link leads somewhere, and every document can be reached from the README."""

import pytest

from deployments.docs import ROOT
from tests.docs import pages


def broken(name, page):
    wrong = []
    for link in pages.links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        there = ROOT in (target, *target.parents) and target.exists()
        if not there or (anchor and anchor not in pages.anchors(target.read_text(encoding="utf-8") if path else page)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("name", pages.NAMES)
def test_every_link_and_anchor_is_there(name):
    assert broken(name, pages.text(name)) == []


def test_a_broken_link_is_found():
    page = "# A `b` c's\n[1](#a-b-cs) [2](#gone) [3](docs/gone.md) [4](docs/faq.md#gone) [5](../outside)\n"
    page += "```\n[6](x)\n```\n"
    assert broken("README.md", page) == ["#gone", "docs/gone.md", "docs/faq.md#gone", "../outside"]


def test_every_document_can_be_reached_from_the_readme():
    seen, todo = set(), ["README.md"]
    while todo:
        name = todo.pop()
        seen.add(name)
        for link in pages.links(pages.text(name)):
            target = ((ROOT / name).parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and ROOT in target.parents and target.is_file():
                found = target.relative_to(ROOT).as_posix()
                todo += [found] if found not in seen else []
    assert set(pages.NAMES) - seen == set()
