"""Is what is installed what was tested? Python, and each distribution against `requirements.lock`. Pure but `facts`."""

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lake.doctor import Finding
from lake.errors import LakeError

OLDEST, NEWEST = (3, 11), (3, 13)
_ROOT = Path(__file__).resolve().parent.parent
_INSTALL = "make install (without make: pip install --no-deps --require-hashes -r requirements.lock)"
_SHOWN = 4


@dataclass(frozen=True)
class Facts:
    """What there is: the lock's text (None: no such file), versions by name, and what the project itself needs."""

    lock: str | None
    installed: Mapping[str, str]
    needs: Sequence[str]


def facts(root: Path = _ROOT) -> Facts:
    """Gather them, of the checkout at ``root``."""
    try:
        lock = (root / "requirements.lock").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        lock = None
    try:
        needs = metadata.requires("crypto-lake") or []
    except metadata.PackageNotFoundError:
        needs = []
    named = ((one.metadata["Name"], one.version) for one in metadata.distributions())
    return Facts(lock, {canonicalize_name(name): version for name, version in named if name}, needs)


def python(version: tuple[int, ...] | None = None) -> Finding:
    """Whether this Python is one that the lake was tested with."""
    found = version or tuple(sys.version_info[:3])
    said = f"{'.'.join(map(str, found))} ({platform.python_implementation()}, {platform.system()} {platform.machine()})"
    wanted = f"expected {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    remedy = "install one of these, remove .venv, make install"
    if found[:2] < OLDEST:
        return Finding("Python", "fail", f"{said}: too old, {wanted}", remedy)
    if found[:2] > NEWEST:
        return Finding("Python", "warn", f"{said}: newer than any it was tested with, {wanted}", remedy)
    return Finding("Python", "ok", said)


def versions(given: Facts) -> Finding:
    """Whether what is installed is what the lock says.

    What the project needs and is missing, or outside of the bounds that it gives, is a failure; what is only in another
    version than the locked one, or is needed by others, a warning.
    """
    name = "versions"
    try:
        pinned = pins(given.lock)
    except LakeError as error:
        return Finding(name, "fail", str(error), "git checkout requirements.lock, then make install")
    if broken := _broken(given):
        return Finding(name, "fail", _listed(broken), _INSTALL)
    other = [
        f"{one} {given.installed[one]} (locked: {version})" if one in given.installed else f"{one} is missing"
        for one, version in sorted(pinned.items())
        if given.installed.get(one) != version
    ]
    if other:
        return Finding(name, "warn", f"not as tested: {_listed(other)}", _INSTALL)
    return Finding(name, "ok", f"{len(pinned)} distributions, all as locked")


def pins(lock: str | None) -> dict[str, str]:
    """Return the versions that a lock names for this machine, by name.

    Raises:
        LakeError: it is not there, or a line of it is no pin.
    """
    if lock is None:
        raise LakeError("requirements.lock: is not there, or cannot be read")
    found: dict[str, str] = {}
    for number, line in enumerate(lock.splitlines(), 1):
        text = line.partition("#")[0].rstrip(" \\")
        if not text or line.startswith("    --hash=sha256:"):
            continue
        try:
            one = Requirement(text)
            (bound,) = one.specifier
        except (InvalidRequirement, ValueError):
            raise LakeError(f"requirements.lock: line {number} is no pin: {line[:60]!r}") from None
        if one.marker is None or one.marker.evaluate():
            found[canonicalize_name(one.name)] = bound.version
    if not found:
        raise LakeError("requirements.lock: names nothing")
    return found


def _broken(given: Facts) -> list[str]:
    wrong = []
    for text in given.needs:
        one = Requirement(text)
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        version = given.installed.get(canonicalize_name(one.name))
        if version is None:
            wrong.append(f"{one.name} is missing")
        elif not one.specifier.contains(version, prereleases=True):
            wrong.append(f"{one.name} {version} (needed: {one.specifier})")
    return wrong


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
