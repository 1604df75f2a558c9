"""Files that a parameter names: anywhere for a person's own shell, in one folder of the lake's for a form."""

from pathlib import Path

from prefect.runtime import deployment

from lake import outputs
from lake.layout import Layout


def named_file(layout: Layout, path: str, folder: str) -> Path:
    """Return the file that a flow was asked to write; a relative path is taken from the lake's folder.

    A run of a deployment is ordered by a form, a schedule or another program: it writes in ``folder`` alone, from which
    its relative paths are taken. A command, or a flow that a program of one's own calls, writes wherever that person
    may.

    Raises:
        BadInputError: a run of a deployment was asked to write elsewhere (`lake.outputs.ordered`).
    """
    return outputs.ordered(layout, Path(path), folder) if deployment.id else layout.base / path
