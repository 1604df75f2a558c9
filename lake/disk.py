"""What the file system under a lake has left, and when that is too little."""

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a write for which there is no room."""
FULL_BYTES, LOW_BYTES = 256 << 20, 2 << 30
FULL_INODES, LOW_INODES = 1_000, 50_000
MAKE_ROOM = "crypto-lake disk shows what takes the space; move old days of raw/ away, or base_path to a larger disk"


@dataclass(frozen=True)
class Disk:
    """What a file system has left: bytes, and inodes where it counts them."""

    free: int
    total: int
    inodes_free: int | None = None

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        """Ask the one that a folder lies on."""
        found = shutil.disk_usage(folder)
        if os.name == "nt":
            return cls(found.free, found.total)
        told = os.statvfs(folder)
        return cls(found.free, found.total, told.f_favail if told.f_files else None)

    @property
    def full(self) -> bool:
        """Whether so little is left that a write may fail within minutes."""
        return self.free < FULL_BYTES or (self.inodes_free is not None and self.inodes_free < FULL_INODES)


def existing(base: Path) -> Path:
    """Return the folder, or, where it is not there yet, the nearest one above it."""
    return next(folder for folder in (base, *base.parents) if folder.is_dir())
