"""Where a slice goes: a file that a person named, outside of the lake's own, and its receipt beside it.

Two files cannot be put in place by one rename, so their order keeps two promises at every moment, be it killed there:

- **A receipt is never beside a file that it does not describe.**
- **At the file's name there is all of a slice or none of it**, and what was there before until the new one is whole.

A new file: first its receipt, then the file, so that where the file is, its receipt is too. A kill in between leaves a
receipt of no file, which the next run replaces. Overwriting: the old receipt goes, the new file takes the place of the
old one, the new receipt comes. A kill in between leaves the old file or the new one, whole, without a receipt, and
`crypto-lake verify` says so. The name is never empty, as it would have to be if the new receipt came first.

Hidden files (``.NAME.….tmp``) that a kill leaves are swept by the next run that writes to the same name.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lake import files
from lake.errors import BadInputError, LakeError
from lake.layout import Layout

RECEIPT = ".receipt.json"
_OWN = {
    "raw", "parquet", "backfill", "derivatives", "macro", "quarantine", "ledger", "locks", "logs", "reports",
}  # fmt: skip


def receipt_of(out: Path) -> Path:
    """The receipt of a slice: ``NAME.receipt.json`` beside it."""
    return out.with_name(out.name + RECEIPT)


def refuse(layout: Layout, out: Path, overwrite: bool) -> None:
    """Refuse a file that must not be written.

    Raises:
        BadInputError: it is there (and shall not be overwritten, or is no plain file), lies among the lake's own files
            (by whatever links and ``..``), or is the name of a receipt; or another's file has its receipt's name.
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
        if (receipt.exists() or receipt.is_symlink()) and not (out.exists() or _is_receipt(receipt, out.name)):
            raise BadInputError(f"{receipt}: is there already, and no receipt: name another file, or move it away")
    except (OSError, ValueError, RuntimeError) as error:
        raise BadInputError(f"out {str(out)[:200]!r}: cannot be the name of a file ({error})") from error


def inside(layout: Layout, out: Path) -> Path:
    """Return a file below the lake's folder: relative paths are taken from it.

    Raises:
        BadInputError: by whatever links and ``..``, it lies elsewhere; ``~`` is somebody's home folder.
    """
    try:
        place = layout.base / out
        if layout.base.resolve() in place.resolve().parents and not out.parts[0].startswith("~"):
            return place
        why = "lies outside of the lake's folder"
    except (OSError, ValueError, RuntimeError) as error:
        why = f"cannot be the name of a file ({error})"
    raise BadInputError(
        f"{str(out)[:200]!r} {why}: name a file below it, such as slices/sol.parquet; only a shell writes elsewhere"
    )


def unfit(out: Path) -> bool:
    """Tell whether a name is that of a link, a folder, a device, or lies below a file."""
    strange = out.is_symlink() or (out.exists() and not out.is_file())
    return strange or any(parent.exists() and not parent.is_dir() for parent in out.parents)


def is_own(layout: Layout, out: Path) -> bool:
    """Tell whether a file lies among those that the lake itself writes and reads, by whatever links and ``..``.

    By name, in whichever case, for folders that are not there yet; by identity, as a link has another name.
    """
    base, place = layout.base.resolve(), out.resolve()
    if base in place.parents and place.relative_to(base).parts[0].casefold() in _OWN:
        return True
    own = [folder for name in _OWN if (folder := base / name).exists()]
    return any(folder.samefile(parent) for parent in place.parents if parent.exists() for folder in own)


def _is_receipt(path: Path, name: str) -> bool:
    """Whether a file is the receipt of a slice of this name, such as a killed run leaves."""
    try:
        return not path.is_symlink() and json.loads(path.read_bytes())["file"] == name
    except (OSError, ValueError, KeyError, TypeError):
        return False


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


def _replace(out: Path, hidden: Path, receipt: Path, hidden_receipt: Path) -> None:
    receipt.unlink(missing_ok=True)
    files.sync_folder(out.parent)
    hidden.replace(out)
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
