"""Feeds the watchdog from a timer a limited number of times: it cannot be stopped, and some things take longer than it.

A person who ends the agent has HELD_S, then the board restarts by itself: no cart stays off because it was forgotten.
A scan for access points gets as many feeds as it may need.
"""

import machine

from toolcart.agent.base.compat import const

HELD_S = const(1800)
HELD_FEED_MS = const(2000)

# The next collection ends a timer without a reference, and nothing refers to the board of an ended agent.
held = []


def hold(watchdog, timer):
    """Feed the watchdog from the timer of this number for HELD_S from now on, then never again."""
    held.append(WatchdogGrace(watchdog, timer, HELD_S * 1000 // HELD_FEED_MS))


class WatchdogGrace:
    """Feeds a watchdog from a timer, `feeds` times and no more."""

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
