"""What a controller pushes by itself: a row for each subscription, and what a session keeps of it.

    1201 is (8, 9, 1201, extra, True, ((1201, 1203), (1202, 1203)))   toolcart.agent.openprotocol.operation_result

Rules
1. They are asked for one after another; a session is READY when the last one is accepted. Without one that is NEEDED
   there is no session, without any other it goes on. One that is wanted INSTEAD is asked for only where the one before
   it was rejected.
2. The revisions are tried in their order; the one that was accepted is asked for first the next time.
3. A controller's other events are asked for by the rows of toolcart.agent.linux.controller_events, curves by
   toolcart.agent.linux.mid0900.
4. A push is acknowledged once for each time it comes, with a message of 20 bytes, or with MID 0005, which names it; or
   not at all: what is withheld comes again (`acknowledge`, `withhold` of toolcart.agent.openprotocol.session).
5. Which of the two its handler decides: `take(intake, cut_short, now)` finds it at link.buf[link.at:]
   (toolcart.agent.station.intake, rule 1). The handler of results gets events of the session as well:
   `on_event(intake, event, now)` gets EV_READY when it is, and events from EV_HANDLERS on.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import put_number
from toolcart.agent.openprotocol.header import HEADER_BYTES, put_header
from toolcart.agent.openprotocol.revision_fallback import Revisions

# The columns.
SUBSCRIBE_MID = const(0)
UNSUBSCRIBE_MID = const(1)
NAMED = const(2)  # the MID that a generic subscription (0008) is for: its revisions are of that one. 0: none
EXTRA = const(3)  # data of a generic subscription: the length of what follows, two digits, and that
NEEDED = const(4)  # True, False or INSTEAD
PUSHES = const(5)  # of each: MID, MID of its acknowledgement

INSTEAD = const(2)

RESULTS = (60, 63, 0, b"", True, ((61, 62),))

ACKNOWLEDGEMENT_BYTES = const(24)
_DONE = const(5)


class Push:
    """One message that is pushed, and its acknowledgement."""

    __slots__ = (
        "acknowledgement",
        "acknowledgement_bytes",
        "handler",
        "pushed_mid",
        "reply",
        "subscription",
        "unanswered",
    )

    def __init__(self, subscription, row):
        self.subscription = subscription
        self.pushed_mid, self.reply = row
        self.handler = None
        self.acknowledgement = bytearray(ACKNOWLEDGEMENT_BYTES)  # made once
        self.acknowledgement_bytes = ACKNOWLEDGEMENT_BYTES if self.reply == _DONE else HEADER_BYTES
        self.unanswered = 0  # how many are owed

    def opened(self, revision=1):
        """A connection begins; the session writes station and spindle. `revision` is 1, or BLANK."""
        self.unanswered = 0
        put_header(self.acknowledgement, 0, self.acknowledgement_bytes, self.reply, revision)
        put_number(self.acknowledgement, HEADER_BYTES, 4, self.pushed_mid)  # sent only with a 0005


class Subscription:
    """One subscription of a session: a row, and its revisions, most wanted first."""

    wanted = True  # asked for; if not, what comes by it is still known

    def __init__(self, row, revisions, rare=0):
        self.row = row
        self.revisions = Revisions(revisions)
        self._rare = rare  # how many of them, the last ones, are asked for only when every way was tried
        self.ask_for_rare(False)
        self.mid = row[SUBSCRIBE_MID]
        self.data = b""
        if row[NAMED]:
            self.data = bytearray(b"%04d%03d" % (row[NAMED], 0) + row[EXTRA])
        self.clearing = None  # data of the MID that ends it, if different
        self.pushes = tuple([Push(self, push) for push in row[PUSHES]])
        self.handler = None

    def ask_for_rare(self, is_wanted):
        """Ask for the rare revisions as well, or not."""
        self.revisions.end = len(self.revisions.all) - (0 if is_wanted else self._rare)

    def set_handler(self, handler):
        """Have this handler take what comes by this subscription."""
        self.handler = handler
        for push in self.pushes:
            push.handler = handler

    def is_passed_over(self, rejected):
        """True if it is not to be asked for; `rejected`: the one before it was rejected."""
        return not self.wanted or self.revisions.passed_over or (not rejected and self.row[NEEDED] == INSTEAD)

    def revision(self):
        """Return the revision to ask for in the header; that of a generic one goes into its data."""
        revision = self.revisions.wanted()
        if not self.row[NAMED]:
            return revision
        put_number(self.data, 4, 3, revision)
        return 1


class Pushes:
    """What is pushed by the subscriptions of a session, and what of it is owed an acknowledgement."""

    __slots__ = ("_all", "are_many", "by_mid", "owing")

    def __init__(self, subscriptions):
        self.owing = None  # the push whose acknowledgement is due
        self.put(subscriptions)

    def put(self, subscriptions):
        """Know what these push, from now on. What is owed stays so."""
        self._all = tuple([push for subscription in subscriptions for push in subscription.pushes])
        self.are_many = len(self._all) > 1
        self.by_mid = {push.pushed_mid: push for push in self._all}

    def next_owing(self):
        """Return another push that is still owed an acknowledgement."""
        for push in self._all:
            if push.unanswered:
                return push
        return None

    def acknowledges(self, mid):
        """True if it is by this MID that pushes are acknowledged."""
        for push in self._all:
            if push.reply == mid:
                return True
        return False
