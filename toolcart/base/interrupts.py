"""Ctrl-C while the command is imported: it ends the process at once by the signal, with nothing printed.

Python's handler would raise KeyboardInterrupt in the midst of an import, where nothing of ours can catch it. `end`
comes before every other import of the command, `take` when all that it needs is here.
"""

from __future__ import annotations

import signal

_state = {"ends": False}


def are_taken() -> bool:
    """True if Ctrl-C raises KeyboardInterrupt: neither does it end the process nor is it ignored."""
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def end() -> None:
    """Let Ctrl-C end the process from now on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _state["ends"] = True


def take() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, after `end`."""
    if _state["ends"]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _state["ends"] = False
