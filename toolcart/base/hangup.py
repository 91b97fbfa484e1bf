"""SIGHUP while an agent starts: it waits until the agent can take it, instead of ending what has just begun.

`hold` comes before every other import of a program that runs an agent, `release` when its handler is in place
(toolcart.tools.process.supervisor). A child that is started in between would hold it too.
"""

from __future__ import annotations

import signal


def hold() -> None:
    """Let SIGHUP wait from now on."""
    if hasattr(signal, "pthread_sigmask"):  # the library runs where there is no such signal
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])


def release() -> None:
    """Take what has waited, and what comes from now on."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
