"""How long a message may be for a broker that says nothing of its limit: what failures and successes show of it.

    sent since the last failure:  the longest confirmed | .. the longest that was sent
                                  `low`                          `high`

Rules
1. A failure behind which the longest that was sent is longer than all that were confirmed may be the limit's: it lies
   between the two. One alone may be the network's. Two in a row whose ranges overlap are a limit.
2. From then on no message is as long as the shorter of the two, for a day or until a start, or until TRIED_LEAST were
   confirmed: then longer ones are tried again. If one more failure shows the same limit, it takes twice as many.
3. What arrived late was not refused: then its failures, and what followed from them, are taken back.
4. Messages that were lost without being alone show nothing: a queue may have been full.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer

REMEMBERED_MS = const(86400000)
TRIED_LEAST = const(2048)
TRIED_MOST = const(1 << 20)


class MessageSize:
    """One broker's. `octets`: no message is as long as that; 0 if no limit is known.

    `records`: the most records in one message that was sent since the last failure.
    """

    __slots__ = (
        "_confirmed",
        "_failed",
        "_good",
        "_high",
        "_longest",
        "_low",
        "_number",
        "_octets",
        "_octets_before",
        "_records_before",
        "_tried_behind",
        "_until",
        "octets",
        "records",
    )

    def __init__(self):
        self.octets = 0
        self.records = 0
        self._low = self._high = 0  # of the failure before, 0 if it showed no limit
        self._good = self._longest = 0  # confirmed and sent since that
        self._number = self._octets = 0  # a message that is not confirmed yet
        self._confirmed = 0  # messages below the limit
        self._tried_behind = TRIED_LEAST
        self._until = Timer()
        self._failed = 0  # up to here something was lost, and nothing was confirmed since
        self._octets_before = self._records_before = 0  # in front of that

    def put_sent(self, number, octets, records):
        """A message of so many octets and records has gone out; `number` is where it ends."""
        if records > self.records:
            self.records = records
        if octets > self._longest:
            self._longest = octets
        if self._number == 0:
            self._number = number
            self._octets = octets

    def put_confirmed(self, number):
        """What ends at this number or before it has arrived."""
        if 0 < self._number <= number:
            self._number = self._failed = 0
            if self._octets > self._good:
                self._good = self._octets
            if self.octets:
                self._confirmed += 1
                if self._confirmed >= self._tried_behind:
                    self._forget()
                    if self._tried_behind < TRIED_MOST:
                        self._tried_behind *= 2

    def put_dropped(self):
        """What was sent was lost, and may have had no room in a queue."""
        self._longest = self._number = self.records = 0

    def put_late(self, number):
        """Everything up to this number was there before it was sent again; return how many records a message had."""
        if not 0 < self._failed <= number:
            return 0
        self.octets = self._octets_before
        self._low = self._high = self._failed = 0
        return self._records_before

    def put_failed(self, now, number=0):
        """Something of what was sent, up to this number, was not taken."""
        if self._failed == 0:
            self._octets_before = self.octets
            self._records_before = self.records
        self._failed = max(self._failed, number)
        low = self._good
        high = self._longest
        self._good = self._longest = self._number = self.records = 0
        if low == 0:
            return  # the one before was not long ago: how long they may be shows behind it
        if low >= high:
            self._low = self._high = 0
            return
        if low < self._high and self._low < high:
            high = min(high, self._high)
            self.octets = high
            self._until.start(now, REMEMBERED_MS)
        self._low = low
        self._high = high

    def look(self, now):
        """Return `octets`; forget the limit when its time is over."""
        if self._until.expired(now):
            self._forget()
            self._low = self._high = 0
            self._tried_behind = TRIED_LEAST
        return self.octets

    def _forget(self):
        """Try longer ones again."""
        self._until.stop()
        self.octets = self._confirmed = 0
