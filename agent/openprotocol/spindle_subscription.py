"""How results of several spindles are asked for: MID 0100 of a sync master, MID 0105 of a PowerMACS.

    0100, 0105   revision 1 no data | 2: data number 10 | 3 on: data number 10, "only new" 1
    0108         bolt data 1 | acknowledges MID 0106 and 0107

From OP 5.12.6 p. 172-173, 5.13.1 p. 180-181 and 5.13.4 p. 195.

Rules
1. PowerMACS (system type 002) is never asked by MID 0060. Any other controller that knows neither MID 0060 nor MID
   0008 for 1201 is asked by 0105, then 0100; a setting may name one of them.
2. A subscription rewinds so that the last result stored is pushed again (`data number`, 0105 from revision 2 on): if it
   is another one by now, the numbers have restarted. It names the result stored before that, since the number just
   below the last one may be no result's; for a number it does not hold the controller begins with its oldest
   (OP 5.13.1 p. 181), and what comes is taken like any push. The first subscription asks for new results only, or for
   what the controller pushes by itself. MID 0101 does not give its data number: there revision 1, which has none, is
   asked for first, and a later one asks for all that the controller has. Where the numbers have restarted with a result
   that found no room, it rewinds to that one: the number of the stored one may be used again.
3. Bolt data is asked for only where the controller can rewind: else a cut before the last MID 0107 would lose the
   result, as MID 0106 has been answered by then. It is not asked for where messages are numbered: then there is no
   MID 0108.

Imported when the first such controller is met, or configured.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import put_number
from toolcart.agent.openprotocol.header import HEADER_BYTES
from toolcart.agent.openprotocol.ids import before, put_id
from toolcart.agent.openprotocol.receive_buffer import make_room
from toolcart.agent.openprotocol.spindle_assembly import SpindleAssembly
from toolcart.agent.openprotocol.subscriptions import PUSHES, Push, Subscription

_BOLTS = ((106, 108), (107, 108))
ROWS = {
    "powermacs": (105, 109, 0, b"", True, _BOLTS),
    "sync": (100, 103, 0, b"", True, ((101, 102),)),
}
_REVISIONS = {"powermacs": (4, 3, 2, 1), "sync": (1, 5, 4, 3, 2)}
_AUTO = ("powermacs", "sync")

_ACKNOWLEDGEMENT_BYTES = const(21)  # MID 0108
_NUMBER_BYTES = const(10)


class StationPush(Push):
    """MID 0106 or 0107, whose acknowledgement says whether more is wanted."""

    def __init__(self, subscription, row):
        Push.__init__(self, subscription, row)
        self.acknowledgement_bytes = _ACKNOWLEDGEMENT_BYTES

    def opened(self, revision=1):
        """A connection begins."""
        Push.opened(self, revision)
        self.asks_for_more(False)

    def asks_for_more(self, more):
        """Say in the next acknowledgement whether the next bolt's data is wanted."""
        put_number(self.acknowledgement, 8, 3, self.subscription.revision_used())
        self.acknowledgement[HEADER_BYTES] = 0x31 if more else 0x30


class MultiSpindleSubscription(Subscription):
    """MID 0100 or 0105; `ledger` has the IDs of the controller, None: nothing is stored."""

    def __init__(self, name, ledger):
        Subscription.__init__(self, ROWS[name], _REVISIONS[name])
        self.name = name
        self.ledger = ledger
        self.rewind_to = -1  # data number to rewind to in place of the last one stored, if not negative
        if name == "powermacs":
            self.pushes = tuple([StationPush(self, push) for push in self.row[PUSHES]])

    def revision_used(self):
        """Return the revision that was asked for last."""
        return self.revisions.wanted()

    def revision(self):
        """Return the revision to ask for, and put together the data it needs (rule 2)."""
        revision = self.revision_used()
        data = bytearray(b"0" * (_NUMBER_BYTES + 1))
        ledger = self.ledger
        if ledger is None or not (ledger.is_met() or ledger.is_empty()):
            data[_NUMBER_BYTES] = 0x31
        elif self.name == "powermacs" and ledger.is_met():
            in_front = ledger.in_front() or before(ledger.top())
            put_id(data, 0, in_front if self.rewind_to < 0 else self.rewind_to)
        self.data = data[: (0, _NUMBER_BYTES, len(data))[min(revision, 3) - 1]]
        return revision

    def rewind_after(self, number):
        """From now on rewind to what comes after this data number; to the last one stored if it is negative."""
        self.rewind_to = number

    def rewinds(self):
        """True if what was not stored comes again after a reconnect."""
        return self.revision_used() > 1


class MultiSpindleResults:
    """Takes the place of a session's row for MID 0060, from the first such controller on."""

    def __init__(self, session, ledger, results="auto", assembly_class=SpindleAssembly):
        name = results.partition("-")[0]
        if name == "operations":
            name = "auto"
        self.forced = name != "auto"
        self.bolts = results == "powermacs-bolts"  # bolt data is wanted
        self.assembly = assembly_class()
        self.subscription = None
        self._subscriptions = [MultiSpindleSubscription(one, ledger) for one in (_AUTO if name == "auto" else (name,))]
        self._tried = 0
        self._before = session.subscriptions

    def begin(self, session):
        """Take the place of the session's first subscription; False if there is nothing left to try."""
        if self._tried == len(self._subscriptions):
            return False
        if self.subscription is None:
            self._before = session.subscriptions
        self.subscription = self._subscriptions[self._tried]
        self._tried += 1
        session.put_subscriptions((self.subscription,) + self._before[1:])
        make_room(session.link)
        return True

    def leave(self, session):
        """Begin a new session as with any controller. What had begun on the last connection comes again."""
        self.assembly.give_up()
        self._tried = 0
        if self.subscription is not None:
            self.subscription = None
            session.put_subscriptions(self._before)

    def rewind_after(self, number):
        """Begin the next subscriptions after this data number; with the last one stored if it is negative."""
        if self.subscription is not None:
            self.subscription.rewind_after(number)

    def rewinds(self):
        """True if the last result stored comes again with each subscription, which is no reason for doubt."""
        return self.subscription is not None and self.subscription.rewinds()

    def wants_bolts(self, session):
        """True if the bolt data of what has just begun is to be asked for (rule 3)."""
        return self.bolts and self.rewinds() and session.link_level_receive is None
