"""The same work on many things by a few threads, which decoders let run at once."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

MOST_THREADS = 8  # each may hold a picture of many megabytes

T = TypeVar("T")


def for_each(work: Callable[[T], None], things: Iterable[T]) -> None:
    """Works in several threads. What `work` raises first ends it. Warnings of decoders are
    nobody's: what they doubt is either read or named as unreadable."""
    threads = min(MOST_THREADS, _cores())
    waiting = _Shared(iter(things))
    with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
        warnings.simplefilter("ignore")
        futures = [pool.submit(_work_off, work, waiting) for _ in range(threads)]
        for future in futures:
            future.result()


def _work_off(work: Callable[[T], None], waiting: "_Shared[T]") -> None:
    try:
        for thing in waiting:
            work(thing)
    except BaseException:
        waiting.close()
        raise


class _Shared(Iterator[T]):
    """An iterator that threads take from in turn."""

    def __init__(self, things: Iterator[T]) -> None:
        self._things: Iterator[T] = things
        self._lock = Lock()

    def __next__(self) -> T:
        with self._lock:
            return next(self._things)

    def close(self) -> None:
        with self._lock:
            self._things = iter(())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
