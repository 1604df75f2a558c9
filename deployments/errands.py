"""What `up` has done now and then beside its own work."""

import threading
from collections.abc import Callable


class Errand:
    """Work that is done every so often, in a thread, so that nothing else waits for it.

    Args:
        work: Returns what there is to tell.
        every_s: From its beginning to its next.
    """

    def __init__(self, work: Callable[[], list[str]], every_s: float) -> None:
        self._work, self._every_s = work, every_s
        self._next = float("-inf")
        self._thread: threading.Thread | None = None
        self._told: list[str] = []

    def tick(self, now: float) -> list[str]:
        """Begin it if it is due; return what the last one has told. ``now`` is in seconds and only goes forward."""
        if self._thread is not None and self._thread.is_alive():
            return []
        told, self._told = self._told, []
        if now >= self._next:
            self._next = now + self._every_s
            self._thread = threading.Thread(target=self._run, name="errand", daemon=True)
            self._thread.start()
        return told

    def _run(self) -> None:
        try:
            self._told = self._work()
        except Exception as error:  # the lake goes on without it
            self._told = [f"{type(error).__name__}: {' '.join(str(error).split())}"]
