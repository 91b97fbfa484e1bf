"""Debian's package lists, fetched again if a mirror fails for a moment."""

from __future__ import annotations

import time

from toolcart.base.cache import Unavailable, output_of

TRIES = 2
PAUSE_S = 5.0


def update(timeout_s: int, env: dict[str, str]) -> None:
    """Fetch the package lists that `env` names. Unavailable if both tries failed, with apt's message."""
    for left in reversed(range(TRIES)):
        try:
            output_of(["apt-get", "update", "-qq"], timeout_s, env)
            return
        except Unavailable:
            if not left:
                raise
        time.sleep(PAUSE_S)
