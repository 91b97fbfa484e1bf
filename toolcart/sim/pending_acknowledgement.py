"""A message of the simulated controller's that waits for its acknowledgement."""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff

PORTABLE = True


class PendingAcknowledgement:
    """What waits for its acknowledgement: sent again without one, and at last given up (OP 4.3.3 p. 62)."""

    def __init__(self, session, what, say, item, now):
        self.session = session
        self.what = what
        self.item = item
        self.sends = 0
        self._say = say
        self.again(now)

    def again(self, now):
        """Send it."""
        self.sends += 1
        self._sent_at = now
        self._say(self.item)

    def watch(self, now):
        """Send it again if it is late, or give it up; return ms until the next check."""
        options = self.session.options
        left = ticks_diff(ticks_add(self._sent_at, options.ack_timeout_ms), now)
        if left > 0:
            return left
        if self.sends > options.resends:
            self.session.give_up(self.what)
            return FOREVER
        self.again(now)
        return options.ack_timeout_ms
