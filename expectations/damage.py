"""A Great Expectations project that cannot be read: it is put aside, and what a user had added there is not forgotten.

Great Expectations does not write its files whole, so a killed run can leave one torn.
"""

import errno
import json
from itertools import count
from pathlib import Path

from lake import own_rules
from lake.disk import FULL

_DISK = (*FULL, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
_FILES = ("great_expectations.yml", "uncommitted/config_variables.yml")
_FOLDERS = ("expectations", "validation_definitions", "checkpoints")
_REMEDY = "add what you want of them again, and remove that folder"


def of_the_disk(error: BaseException | None) -> bool:
    """Tell whether an error, or what led to it, is of a disk that cannot be written or read: no file is torn then."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK:
            return True
        error = error.__cause__ or error.__context__
    return False


def put_aside(project: Path) -> Path:
    """Move all of a project but its results and plugins into a folder of it, ``damaged-1`` or the next; return that."""
    aside = next(path for number in count(1) if not (path := project / f"damaged-{number}").exists())
    aside.mkdir(parents=True)
    for name in (*_FILES, *_FOLDERS):
        if (project / name).exists():
            (project / name).rename(aside / Path(name).name)
    return aside


def doubts(project: Path, suite: str) -> list[str]:
    """Return, in words, what a user had added to a suite that was put aside: it is not run any more.

    That is said for as long as the folder is there, not by the one run that found the project damaged.
    """
    found = []
    for path in sorted(project.glob(f"damaged-*/expectations/{suite}.json")):
        where = f"reports/gx/{path.relative_to(project).as_posix()}"
        try:
            lost = sum(own_rules.is_added(one) for one in json.loads(path.read_bytes())["expectations"])
        except (ValueError, TypeError, KeyError, AttributeError, OSError):
            found.append(f"expectations of your own may not be run: {where} was put aside, not readable: {_REMEDY}")
            continue
        if lost:
            many = "1 expectation of your own is" if lost == 1 else f"{lost:,} expectations of your own are"
            found.append(f"{many} not run, put aside with a damaged project in {where}: {_REMEDY}")
    return found
