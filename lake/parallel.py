"""Many requests in flight, results as they come, and nothing lost when one fails."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, Self, TypeVar

K = TypeVar("K")
R = TypeVar("R")

PARALLEL = 16
"""Requests in flight. Against 40 ms of latency more bring nothing: parsing on one core is then the limit."""


def in_parallel(jobs: Iterable[tuple[K, Callable[[], R]]]) -> Iterator[tuple[K, R]]:
    """Call each job in one of `PARALLEL` threads; yield its key and result in the order in which they come.

    Jobs are taken from the iterable only some ahead of what runs. When one fails no more are begun; those that run are
    waited for and yielded, so that their work is not lost, and then the first error is raised. When the caller is
    interrupted nothing is waited for: threads that sleep until the exchange's next minute wake up when their `lake.web`
    connection is closed, which the interrupt must reach first.
    """
    todo, failure = iter(jobs), None
    running: dict[Future[R], K] = {}
    pool = ThreadPoolExecutor(PARALLEL)
    try:
        while True:
            while failure is None and len(running) < 2 * PARALLEL and (job := next(todo, None)):
                running[pool.submit(job[1])] = job[0]
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                key = running.pop(future)
                if error := future.exception():
                    failure = failure or error
                    for other in running:
                        other.cancel()
                    running = {other: k for other, k in running.items() if not other.cancelled()}
                    break
                yield key, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if failure:
        raise failure


class Behind(Generic[R]):
    """Some threads that write behind the work that goes on; when the block ends all that was added is written."""

    def __init__(self, threads: int) -> None:
        """Begin with nothing to do; at most four jobs a thread wait."""
        self._pool, self._most = ThreadPoolExecutor(threads), 4 * threads
        self._waiting: deque[Future[R]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def add(self, job: Callable[[], R]) -> None:
        """Have a job done; when too many wait, wait for the oldest."""
        if len(self._waiting) >= self._most:
            wait([self._waiting[0]])
        self._waiting.append(self._pool.submit(job))

    def done(self, wait: bool = False) -> Iterator[R]:
        """Yield the results of the oldest jobs that are done, or of all; raise what a job raised."""
        while self._waiting and (wait or self._waiting[0].done()):
            yield self._waiting.popleft().result()
