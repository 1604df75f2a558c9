"""What the report and the Data Docs pages of a validation show."""

import re
from html.parser import HTMLParser


def summary(outcome):
    """The counts in the report's summary table."""
    lines = re.findall(r"^\| (R\d) \| .* \| ([\d,]+) \| ([\d,]+) \| [^|]* \|$", outcome.report.read_text(), re.M)
    return {rule: (int(checked.replace(",", "")), int(count.replace(",", ""))) for rule, checked, count in lines}


class Cells(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.rows, self._in = [], False
        self.feed(page.read_text())

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        self._in = tag == "td" or (self._in and tag != "tr")

    def handle_endtag(self, tag):
        self._in = self._in and tag != "td"

    def handle_data(self, data):
        if self._in:
            self.rows[-1][-1] += data


def docs(outcome):
    """The violations in the Data Docs pages, by rule."""
    found = {}
    for day in outcome.days:
        for row in Cells(day.page).rows:
            if len(row) == 7 and re.fullmatch(r"[RMD]\d", row[0]):
                found[row[0]] = found.get(row[0], 0) + int(row[4].replace(",", ""))
    return found
