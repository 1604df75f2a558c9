"""Rules of a user's own in a lake, and whether they were allowed to run here.

A lake is data, and may come from somebody else; rules in it are code, or run with what code there is. So none runs
before the person at this machine has allowed it (`crypto-lake rules allow`), by the SHA-256 of its name and content:
one that was changed is not allowed any more. What was allowed is kept outside of every lake, in this user's own folder
of settings.

Of one's own are: every file of code below ``reports/gx/plugins`` (rules, and what they import), expectations that were
added to a stored suite, and actions that were added to a checkpoint (which may send what they find to any address).
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import Any

from lake import files, owners, settings
from lake.errors import BadInputError, LakeError
from lake.layout import Layout

PLUGINS = "plugins"
_CODE = (*all_suffixes(), ".so", ".pyd", ".dylib", ".dll")
_CACHE = "__pycache__"


@dataclass(frozen=True)
class OwnRule:
    """Something of a user's own that takes part in a validation.

    Attributes:
        name: Its path in the project, such as ``plugins/expectations/busy.py``.
        path: The file that it is, or is in.
        content: What runs; of a suite or checkpoint, only what was added.
        digest: SHA-256 of name and content.
        is_allowed: Whether that was allowed here.
    """

    name: str
    path: Path
    content: bytes
    digest: str
    is_allowed: bool

    @property
    def is_code(self) -> bool:
        """Whether it is a file of code."""
        return self.name.startswith(f"{PLUGINS}/")


def project(layout: Layout) -> Path:
    """Return the folder of the Great Expectations project of a lake."""
    return layout.reports / "gx"


def found(project: Path) -> list[OwnRule]:
    """Return what is of a user's own in a project, by name.

    Raises:
        BadInputError: something there is another user's, or others may write to it; or it is a link to a folder.
        LakeError: it cannot be read.
    """
    try:
        parts = [*_code(project), *_added(project, "expectations", "expectations", is_added)]
        parts += _added(project, "checkpoints", "actions", lambda one: one.get("type") != "update_data_docs")
    except OSError as error:
        raise LakeError(f"{error.filename or project}: cannot be read ({error.strerror or error})") from error
    known = allowed() if parts else frozenset()
    named = [(path.relative_to(project).as_posix(), path, content) for path, content in parts]
    digests = [hashlib.sha256(f"{name}\0".encode() + content).hexdigest() for name, _, content in named]
    return [OwnRule(*one, digest, digest in known) for one, digest in zip(named, digests, strict=True)]


def not_allowed(rules: Iterable[OwnRule]) -> str | None:
    """Return one line that names the rules that were not allowed, with the command that allows them; None of none."""
    names = [one.name for one in rules if not one.is_allowed]
    if not names:
        return None
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return (
        f"rules of your own are not run, as they were not allowed here: {', '.join(names[:_NAMED])}{more}: look at "
        "them, then crypto-lake rules allow"
    )


_NAMED = 10


def allow(rules: Iterable[OwnRule]) -> None:
    """Note that rules may run, for this user and on this machine.

    Raises:
        LakeError: it cannot be written down.
    """
    known = _lines()
    new = {one.digest: one.name for one in rules}
    with files.for_the_owner():
        files.write_text(store(), "".join(f"{digest}  {name}\n" for digest, name in sorted((known | new).items())))


def allowed() -> frozenset[str]:
    """Return the digests that were allowed.

    Raises:
        BadInputError: others may write to what they are kept in.
    """
    return frozenset(_lines())


def store() -> Path:
    """Return the file in which is kept what was allowed: a line of digest and name each."""
    return settings.own_folder() / "allowed-rules"


def is_added(expectation: dict[str, Any]) -> bool:
    """Whether neither the rulepack nor a file of the user's has put an expectation into a stored suite."""
    meta = expectation.get("meta")
    return expectation["type"] != "expect_check_to_hold" and not (isinstance(meta, dict) and "file" in meta)


def _lines() -> dict[str, str]:
    place = store()
    owners.refuse_strangers(place.parent)
    owners.refuse_strangers(place)
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise LakeError(f"{place}: cannot be read ({error}): remove it, and allow your rules again") from error
    return {digest: name for digest, _, name in (line.partition("  ") for line in lines) if name}


def _code(project: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file that Python would import from the plugins, with its bytes; what it has compiled itself is not read."""
    top = project / PLUGINS
    for folder, folders, names in os.walk(top, onerror=_raise):
        folders[:] = sorted(name for name in folders if name != _CACHE)
        links = [name for name in folders if Path(folder, name).is_symlink()]
        if links:
            raise BadInputError(f"{Path(folder, links[0])}: is a link to a folder: put the folder itself there")
        code = [Path(folder, name) for name in sorted(names) if name.endswith(_CODE) and not name.startswith("._")]
        if code:
            for place in {project, top, Path(folder)}:
                owners.refuse_strangers(place)
        for path in code:
            owners.refuse_strangers(path)
            yield path, path.read_bytes()


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _added(
    project: Path, folder: str, key: str, is_added: Callable[[dict[str, Any]], bool]
) -> Iterator[tuple[Path, bytes]]:  # fmt: skip
    """What was added to stored suites or checkpoints, less what Great Expectations adds to it by itself."""
    for path in sorted((project / folder).glob("*.json")):
        try:
            listed = json.loads(path.read_bytes())[key]
            added = [_said(one) for one in listed if is_added(one)]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # torn: it is put aside
            continue
        if added:
            yield path, json.dumps(added, sort_keys=True).encode()


def _said(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in ("id", "meta", "rendered_content")}
