"""The client's loggers: what a handler or a filter raises ends no connection, no wait and no task of the client."""

import contextlib
import logging
import sys
import traceback

_OUR_FRAMES = 2  # a record names the line that logged, behind this module's


class Log(logging.LoggerAdapter):
    """The logger of this name; an exception of a handler is printed, as one of its output is."""

    def __init__(self, name: str) -> None:
        super().__init__(logging.getLogger(name), {})

    def process(self, msg, kwargs):
        """Leave `extra` as it is."""
        return msg, kwargs

    def log(self, level, msg, *args, **kwargs):
        """Log this, whatever a handler raises."""
        try:
            super().log(level, msg, *args, stacklevel=_OUR_FRAMES, **kwargs)
        except Exception:
            if logging.raiseExceptions and sys.stderr is not None:
                with contextlib.suppress(OSError, ValueError):
                    traceback.print_exc()
