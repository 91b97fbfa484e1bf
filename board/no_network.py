"""What stands in for a chip's network where there is none; loaded only then."""

from toolcart.agent.base.compat import const

_CALL_MS = const(60000)


class NoNetwork:
    """No network: none is wanted on a board with serial lines only, or one of this kind is configured and missing."""

    def __init__(self, kind=""):
        self._kind = kind

    def tick(self, now):
        """Do nothing; return the ms until the next call."""
        return _CALL_MS

    def is_up(self):
        """True if none is missed; else the lamp would always show it."""
        return not self._kind

    def servers(self):
        """Return (): there is no name server."""
        return ()

    def restart(self, is_deep, now):
        """Do nothing."""

    def about(self):
        return {"kind": self._kind, "missing": True} if self._kind else {"kind": "none"}
