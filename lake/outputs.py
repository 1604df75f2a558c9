"""Where a slice goes: a file that a person named, outside of the lake's own, and its receipt beside it.

Two files cannot be put in place by one rename, so their order keeps two promises at every moment, be it killed there:

- **A receipt is never beside a file that it does not describe.**
- **At the file's name there is all of a slice or none of it**, and what was there before until the new one is whole.

A new file: first its receipt, then the file, so that where the file is, its receipt is too. A kill in between leaves a
receipt of no file, which the next run replaces. Overwriting: the old receipt is hidden, the new file takes the place of
the old one, the new receipt comes. A kill in between leaves the old file or the new one, whole, without a receipt, and
`crypto-lake verify` says so; its hidden receipt is put back by the next run. The name is never empty, as it would have
to be if the new receipt came first.

**Only a slice is ever replaced**: a file that its receipt describes to the byte. Another file that has the name, and a
slice that was changed after it was written, belong to somebody else.

Hidden files (``.NAME.….tmp``) that a kill leaves are swept by the next run that writes to the same name.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lake import files
from lake.errors import BadInputError, LakeError
from lake.layout import Layout

RECEIPT = ".receipt.json"
SLICES, REPORTS = "slices", "reports"
"""The folders of the lake's that a run which was ordered from Prefect may write to: slices to one, reports to other."""
_OWN = {
    "raw", "parquet", "ticks", "minutes", "backfill", "derivatives", "macro", "quarantine", "ledger", "locks", "logs",
    "reports", ".prefect",
}  # fmt: skip
_CONFIG = "config.yml"


def receipt_of(out: Path) -> Path:
    """The receipt of a slice: ``NAME.receipt.json`` beside it."""
    return out.with_name(out.name + RECEIPT)


def refuse(layout: Layout, out: Path, overwrite: bool) -> None:
    """Refuse a file that must not be written.

    Raises:
        BadInputError: it is there (and shall not be overwritten, or is no plain file), lies among the lake's own files
            (by whatever links and ``..``), or is the name of a receipt or of settings; or another's file has its
            receipt's name.
    """
    try:
        if out.name.endswith(RECEIPT):
            raise BadInputError(f"{out}: is the name of a slice's receipt: name another file")
        if unfit(out):
            raise BadInputError(f"{out}: is there already, and no plain file (or a part of it is a file): name another")
        if out.exists() and not overwrite:
            raise BadInputError(f"{out}: is there already: name another file, move it away, or overwrite it")
        if is_own(layout, out):
            raise BadInputError(
                f"{out}: lies among the lake's own files, where readers would take it for theirs: name another folder"
            )
        receipt = receipt_of(out)
        if (receipt.exists() or receipt.is_symlink()) and not _is_receipt(receipt, out.name):
            raise BadInputError(f"{receipt}: is there already, and no receipt: name another file, or move it away")
    except (OSError, ValueError, RuntimeError) as error:
        raise BadInputError(f"out {str(out)[:200]!r}: cannot be the name of a file ({error})") from error


def refuse_foreign(out: Path) -> None:
    """Refuse to replace a file that is no slice as it was written; call it holding the lock of ``out``.

    Raises:
        BadInputError: no receipt describes it, neither the one beside it nor a hidden one that a kill has left.
        LakeError: it cannot be read.
    """
    try:
        if out.exists() and _own_receipt(out) is None:
            raise BadInputError(
                f"{out}: is not a slice as its receipt describes it, so it is not replaced: name another file, or move "
                "it away"
            )
    except OSError as error:
        raise LakeError(f"{out}: cannot be read ({error.strerror or error}): check the folder and disk") from error


def ordered(layout: Layout, out: Path, folder: str) -> Path:
    """Return the file that a run which was ordered from Prefect writes: it lies in one folder of the lake's.

    A relative path is taken from that folder, with its name or without: ``sol.parquet`` is ``slices/sol.parquet``.

    Raises:
        BadInputError: by whatever links, it lies elsewhere; or a part of the path begins with a dot, or with ``~``,
            somebody's home folder.
    """
    try:
        root = layout.base / folder
        place = (layout.base if out.parts[:1] == (folder,) else root) / out
        parts = place.relative_to(root).parts if root in place.parents else (".",)
        if root.resolve() in place.resolve().parents and not any(part.startswith((".", "~")) for part in parts):
            return place
        why = f"does not lie in {folder}/, or a part of it begins with a dot"
    except (OSError, ValueError, RuntimeError) as error:
        why = f"cannot be the name of a file ({error})"
    raise BadInputError(
        f"{str(out)[:200]!r} {why}: a run ordered from Prefect writes there alone: name a file there, or run the "
        "command in a shell"
    )


def unfit(out: Path) -> bool:
    """Tell whether a name is that of a link, a folder, a device, or lies below a file."""
    strange = out.is_symlink() or (out.exists() and not out.is_file())
    return strange or any(parent.exists() and not parent.is_dir() for parent in out.parents)


def is_own(layout: Layout, out: Path) -> bool:
    """Tell whether a file lies among those that the lake itself writes and reads, by whatever links and ``..``.

    By name, in whichever case, for folders that are not there yet; by identity, as a link has another name. Whatever is
    hidden in the lake's folder is its own, and so is any ``config.yml``: the lake would take it for its settings.
    """
    base, place = layout.base.resolve(), out.resolve()
    first = place.relative_to(base).parts[0].casefold() if base in place.parents else ""
    if first in _OWN or first.startswith(".") or place.name.casefold() == _CONFIG:
        return True
    own = [folder for name in _OWN if (folder := base / name).exists()]
    return any(folder.samefile(parent) for parent in place.parents if parent.exists() for folder in own)


def _is_receipt(path: Path, name: str) -> bool:
    """Whether a file is the receipt of a slice of this name, such as a killed run leaves."""
    return _told(path).get("file") == name


def _told(path: Path) -> dict[str, Any]:
    """What a receipt holds; nothing where it is none."""
    try:
        told = {} if path.is_symlink() else json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _own_receipt(out: Path) -> Path | None:
    """The receipt that describes a file to the byte: the one beside it, or a hidden one that a kill has left."""
    beside, size = receipt_of(out), out.stat().st_size
    told = ((path, _told(path)) for path in (beside, *files.hidden(out.parent, beside.name)))
    fits = [(path, one) for path, one in told if (one.get("file"), one.get("bytes")) == (out.name, size)]
    if not fits:
        return None
    with out.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    return next((path for path, one in fits if one.get("sha256") == found), None)


@contextmanager
def placed(out: Path, overwrite: bool) -> Iterator[tuple[Path, Path]]:
    """Yield hidden paths for a slice and its receipt; when the block ends without an error, both are put in place.

    Call it holding the lock of ``out`` (`lake.locks.slice_file`).

    Raises:
        LakeError: the folder cannot be written to, the disk is full, or somebody else made the file meanwhile. What was
            there before is still there.
    """
    receipt = receipt_of(out)
    try:
        _put_back(out)
        for name in (out.name, receipt.name):
            files.sweep(out.parent, name)
        with files.scratch(out.parent, out.name) as hidden, files.scratch(out.parent, receipt.name) as hidden_receipt:
            yield hidden, hidden_receipt
            for path in (hidden, hidden_receipt):
                files.sync(path)
            if overwrite and out.exists():
                _replace(out, hidden, receipt, hidden_receipt)
            else:
                _create(out, hidden, receipt, hidden_receipt)
    except OSError as error:
        raise LakeError(f"{out}: cannot be written ({error.strerror or error}): check the folder and disk") from error


def _put_back(out: Path) -> None:
    """Give a slice the receipt back that a killed run had hidden, before the rest of that run is swept."""
    receipt = receipt_of(out)
    if out.exists() and not receipt.exists() and (left := _own_receipt(out)):
        left.replace(receipt)
        files.sync_folder(out.parent)


def _replace(out: Path, hidden: Path, receipt: Path, hidden_receipt: Path) -> None:
    with files.scratch(out.parent, receipt.name) as old_receipt:
        receipt.replace(old_receipt)
        files.sync_folder(out.parent)
        try:
            hidden.replace(out)
        except OSError:
            old_receipt.replace(receipt)
            raise
        files.sync_folder(out.parent)
        hidden_receipt.replace(receipt)
        files.sync_folder(out.parent)


def _create(out: Path, hidden: Path, receipt: Path, hidden_receipt: Path) -> None:
    hidden_receipt.replace(receipt)
    files.sync_folder(out.parent)
    try:
        files.place(hidden, out)
    except OSError:
        receipt.unlink()
        raise
    files.sync_folder(out.parent)
