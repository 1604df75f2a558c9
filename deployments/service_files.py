"""What a service manager is told: the files of `deployments/services`, filled in. Pure.

A place to be filled reads ``@@CONTEXT NAME@@``: the template says by which rules the value is quoted there, `_QUOTED`
has the rules. What no quoting can say is refused, so that a service never starts something else than it was told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from xml.sax.saxutils import escape

from lake.errors import BadInputError

_PLACE = re.compile(r"@@([a-z]+) ([A-Z_]+)@@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Facts:
    """What the templates are filled with.

    Attributes:
        python: The interpreter of the clone's virtual environment.
        project: The clone.
        config: The `config.yml` in force.
        folder: The folder that it lies in.
        base: The lake's folder.
        user: Who the service runs as.
    """

    python: str
    project: str
    config: str
    folder: str
    base: str
    user: str


def filled(name: str, facts: Facts) -> str:
    """Return a template of `deployments/services` with its places filled.

    Args:
        name: The template's file name, such as ``user.service``.
        facts: What to fill in.

    Raises:
        BadInputError: a value cannot be written there.
    """
    values = {key.upper(): value for key, value in vars(facts).items()}
    values["CONFIG_LINE"] = f"LAKE_CONFIG={facts.config}"
    text = files("deployments").joinpath("services", name).read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: _QUOTED[place[1]](_plain(values[place[2]])), text)


def _plain(value: str) -> str:
    if _CONTROL.search(value):
        raise BadInputError(f"{value!r}: a service cannot be given a name with control characters: rename the folder")
    return value


def _word(value: str) -> str:
    r"""One word of systemd's: in quotes, where ``\`` and ``"`` are escaped, and ``%`` doubled (systemd.syntax)."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _exec(value: str) -> str:
    """A word of a command line of systemd's: there ``$`` begins a variable, and is doubled too (systemd.service)."""
    return _word(value).replace("$", "$$")


def _rest(value: str) -> str:
    """The rest of a line of systemd's, as it is but for ``%``; a space at its end, or a backslash, would be lost."""
    if value != value.strip() or value.endswith("\\"):
        raise BadInputError(f"{value!r}: systemd cannot be given a folder that ends like this: rename it")
    return value.replace("%", "%%")


def _xml(value: str) -> str:
    """Text of an XML element."""
    return escape(value)


def _task(value: str) -> str:
    """A path in Windows' Task Scheduler: XML, and ``%NAME%`` is a variable that nothing can escape."""
    if re.search("%[^%]+%", value):
        raise BadInputError(f"{value!r}: Task Scheduler takes %…% for a variable: rename the folder")
    return _xml(value)


_QUOTED: dict[str, Callable[[str], str]] = {"word": _word, "exec": _exec, "rest": _rest, "xml": _xml, "task": _task}
