"""Locks whose file cannot be had."""

import pytest
from filelock import Timeout

from lake import locks
from lake.errors import LakeError


def test_a_lock_whose_file_cannot_be_opened_is_one_line_that_names_it(layout):
    layout.locks.mkdir(parents=True)
    path = layout.locks / "up.lock"
    path.mkdir()
    with pytest.raises(LakeError, match=rf"{path}: cannot be opened \(Is a directory\): it must be a file"):
        locks.up(layout).acquire(blocking=False)
    path.rmdir()
    path.symlink_to(path)
    with pytest.raises(LakeError, match="Too many levels"), locks.up(layout):
        pass
    path.unlink()
    with locks.up(layout), pytest.raises(Timeout):
        locks.up(layout).acquire(blocking=False)
