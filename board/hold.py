"""Feeds the watchdog from a timer, so often and no oftener: it cannot be stopped, and some things take longer than it.

A person who ended the agent has HELD_S, then the board starts again by itself: no cart stays switched off because
somebody forgot it. A scan for access points has as many feeds as it may take.
"""

import machine

from agent.base.compat import const

HELD_S = 1800
HELD_FEED_MS = const(2000)

# A timer that no one holds is ended by the next collection, and the board of an ended agent is held by no one.
held = []


def hold(watchdog, timer):
    """Feed it for HELD_S from now on, then never again, from the timer of this number."""
    held.append(Hold(watchdog, timer, HELD_S * 1000 // HELD_FEED_MS))


class Hold:
    """Feeds a watchdog from a timer, so often and no oftener."""

    def __init__(self, watchdog, timer, feeds):
        self._watchdog = watchdog
        self._left = feeds
        watchdog.feed()
        self._timer = machine.Timer(timer)
        self._timer.init(period=HELD_FEED_MS, mode=machine.Timer.PERIODIC, callback=self._feed)

    def _feed(self, timer):
        if self._left > 0:
            self._left -= 1
            self._watchdog.feed()
        else:
            timer.deinit()

    def end(self):
        """Leave the watchdog to the loop again."""
        self._timer.deinit()
