"""Where a Markdown report goes: a new file, or in the place of another report."""

from pathlib import Path

from lake import outputs
from lake.errors import BadInputError
from lake.layout import Layout

HEADING = "# Validation of "
"""How every report begins."""


def refuse(layout: Layout, report: Path) -> None:
    """Refuse a file that a report must not be written to.

    Raises:
        BadInputError: it is there and is no report, is not named ``NAME.md``, or lies among the lake's own files,
            but for ``reports/NAME.md``.
    """
    try:
        if report.suffix.casefold() != ".md":
            raise BadInputError(f"report {report}: is not the name of a report: name it NAME.md")
        if outputs.is_own(layout, report) and not _among_reports(layout, report):
            raise BadInputError(f"report {report}: lies among the lake's own files: name reports/NAME.md, or another")
        if outputs.unfit(report) or (report.exists() and not _is_report(report)):
            raise BadInputError(f"report {report}: is there already, and no report: name another file, or move it away")
    except (OSError, ValueError, RuntimeError) as error:
        raise BadInputError(f"report {str(report)[:200]!r}: cannot be the name of a file ({error})") from error


def _among_reports(layout: Layout, report: Path) -> bool:
    name, own = report.name.casefold(), layout.health_report.name
    return name != own and not name.startswith(".") and report.parent.resolve() == layout.reports.resolve()


def _is_report(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(len(HEADING)) == HEADING.encode()
