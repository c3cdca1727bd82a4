"""An end for work that cannot be interrupted: with its process, whose parent starts another.

What reads and converts networks is C++ for seconds at a time, where no exception reaches.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)

# Later than the limit, where no thread of Python's comes to run: the kernel ends the process.
PATIENCE_SECONDS = 10.0


@contextmanager
def ends_with_its_process(seconds: float, last_words: Callable[[], bool]) -> Iterator[None]:
    """Ends the process, by SIGKILL, where the block takes longer.

    Args:
        last_words: called before, by a thread; whether it is ended, for the block may just be over.
            When it fails the process is ended all the same.
    """
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(seconds, is_over, last_words), daemon=True)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main:
        before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds + PATIENCE_SECONDS)
    watch.start()
    try:
        yield
    finally:
        is_over.set()
        if is_main:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _watch(seconds: float, is_over: threading.Event, last_words: Callable[[], bool]) -> None:
    if is_over.wait(seconds):
        return
    is_wanted = True
    try:
        is_wanted = last_words()
    except Exception as error:
        log.warning("last_words_failed", error=type(error).__name__)
    if is_wanted and not is_over.is_set():
        log.error("work_took_too_long", seconds=seconds, consequence="the process ends")
        os.kill(os.getpid(), signal.SIGKILL)
