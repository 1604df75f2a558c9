"""What can go wrong, as kinds a caller must tell apart."""

from pathlib import Path


class LakeError(Exception):
    """The work could not be done. The message names the thing, what was expected, and the remedy, in one line."""


class BadInputError(LakeError):
    """What was asked for makes no sense (configuration, symbol, time range, file). The command line exits with 2."""


class DamagedError(LakeError):
    """A file of the lake is not what was written: bit rot, or another program changed it. Nothing is made from it."""

    def __init__(self, path: Path, why: str) -> None:
        """Take the file, and how that shows."""
        self.path, self.why = path, why
        super().__init__(f"{path}: damaged ({why}): crypto-lake verify sets it aside and rebuilds it")
