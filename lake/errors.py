"""What can go wrong, as two kinds a caller must tell apart."""


class LakeError(Exception):
    """The work could not be done. The message names the thing, what was expected, and the remedy, in one line."""


class BadInputError(LakeError):
    """What was asked for makes no sense (configuration, symbol, time range, file). The command line exits with 2."""
