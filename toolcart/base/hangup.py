"""SIGHUP and SIGTERM while an agent starts: they wait until it can take them, instead of ending what has just begun.

`hold` comes before every other import of a program that runs an agent, `release` when its handler is in place
(toolcart.tools.process.supervisor). A child that is started in between would hold them too: the demo, which starts
others, does not hold SIGTERM.
"""

from __future__ import annotations

import signal


def hold(also_end: bool = True) -> None:
    """Let SIGHUP wait from now on; `also_end`: SIGTERM, too."""
    if hasattr(signal, "pthread_sigmask"):  # the library runs where there is no such signal
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP, *[signal.SIGTERM] * also_end])


def release() -> None:
    """Take what has waited, and what comes from now on."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP, signal.SIGTERM])
