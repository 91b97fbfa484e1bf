"""Ends a test that waits for what may never come, such as the writer of a pipe."""

import contextlib
import signal

SECONDS = 10


@contextlib.contextmanager
def waits_for_nobody(seconds=SECONDS):
    """Let what is done here fail after these seconds; an open that blocks is ended by nothing else."""

    def waits(*_):
        raise AssertionError(f"it has waited for {seconds} s")

    before = signal.signal(signal.SIGALRM, waits)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
