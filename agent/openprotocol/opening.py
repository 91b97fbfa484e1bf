"""How a session begins: MID 0001, then one subscription after the other, through their revisions and their refusals.

    STARTING --0002--> SUBSCRIBING --0005--> READY
       | 0004: next revision   | 0004/09: 0063, then 0060 again (a surviving subscription may have another revision)
       | 96,16,35: OVER, busy  | 97,74,76: next revision; 99,73,75: no such message, MID 0008 is tried, or OVER
                               | one that is not needed: whatever else it gets, or silence, it is done without

Rules
1. The owner remembers which revisions were accepted. A start that was cut off tries the next one; where a session has
   stood in it before only the third time: in a lower one the controller would name no station, and not its type.
2. A push that comes instead of its subscription's answer is one: the subscription stands.
3. A controller whose stations may share its IDs (system type 003) has to name ours: a session that was begun in a lower
   revision is ended, and the next one begins with 6.
"""

from agent.base.compat import const
from agent.openprotocol import identity as idy
from agent.openprotocol import requests as rq
from agent.openprotocol.header import sequence_of
from agent.openprotocol.numbering import CODE_NONE
from agent.openprotocol.sending import Sender
from agent.openprotocol.states import (
    CLEARING,
    EV_GENERIC,
    EV_NONE,
    EV_OVER,
    EV_READY,
    EV_REFUSED,
    EV_STARTED,
    OVER,
    READY,
    STARTING,
    STOPPING,
    SUBSCRIBING,
    WHY_BUSY,
    WHY_NO_RESULTS,
    WHY_NO_REVISION,
    WHY_REFUSED,
)
from agent.openprotocol.subscriptions import INSTEAD, NAMED, NEEDED, RESULTS, UNSUBSCRIBE_MID

_CUTS_MOST = const(3)
_STATION_REVISION = const(6)  # of MID 0001 and 0002
_STATION_BYTES = const(191)  # a 0002 with the station's ID; before release 2.7 revision 6 ended in front of it


class Opening(Sender):
    """The beginning of a session, and its end where it cannot begin."""

    def __init__(
        self,
        link,
        subscriptions,
        start_revisions,
        keepalive_ms,
        response_timeout_ms,
        silence_ms,
        stop_wait_ms,
        tries,
    ):
        Sender.__init__(self, link, subscriptions, keepalive_ms, response_timeout_ms, silence_ms, stop_wait_ms, tries)
        self.start_revisions = start_revisions
        self.start_index = 0
        self.stood_index = -1  # that of the last session that stood
        self._cuts = 0  # starts in a row that came to nothing
        self.identity = bytearray(b" " * idy.IDENTITY_BYTES)
        self.software = bytearray(b" " * idy.SOFTWARE_BYTES)  # version of the controller's, as it came
        self.system_type = 0
        self.why = 0
        self.generic = None  # made where a controller has no MID 0060
        self.several = None  # an agent.openprotocol.spindles.Several, made where it has several spindles, or configured
        self.known = None  # the IDs of the controller: what is stored of it
        self._asked = 0  # which of the subscriptions was asked for last
        self._cleared = False

    def _start(self):
        self.state = STARTING
        self._ask(rq.START, self.start_revisions[self.start_index], b"")

    def _started(self, buf, at, length):
        idy.read_identity(self.identity, buf, at, length)
        idy.read_software(self.software, buf, at, length)
        self.system_type = idy.system_type_of(buf, at, length)
        numbering = self.numbering
        numbering.active = idy.numbers_messages(buf, at, length)
        if numbering.active and sequence_of(buf, at):  # a peer that counts its 0002 waits for the 9997
            numbering.judge(sequence_of(buf, at))
            numbering.owe(2, CODE_NONE)
        if numbering.active and self.wants_numbers:
            from agent.openprotocol.link_level import LinkLevel  # only where it is configured, and offered

            self.numbers = LinkLevel()
        if self.state == STOPPING:
            self._answered()
            return EV_NONE
        if self._begins_again(length):
            return EV_NONE
        if self.system_type == idy.REPEATS_NOTHING:
            self._go_generic()
            self._subscribe()
            return EV_GENERIC
        if self.system_type == idy.SEVERAL_SPINDLES or (self.several is not None and self.several.forced):
            self._go_several()
        self._subscribe()
        return EV_STARTED

    def _begins_again(self, length):
        """A Power Focus 6000 names our station from revision 6 on alone: rule 3."""
        asked = self.start_revisions[self.start_index]
        wanted = _STATION_REVISION in self.start_revisions and asked < _STATION_REVISION
        if self.system_type != idy.SHARED_SYSTEM or length >= _STATION_BYTES or not wanted:
            return False
        self.start_index = self.stood_index = self.start_revisions.index(_STATION_REVISION)
        self._answered()
        self.state = STOPPING
        self._leave()
        return True

    def _subscribe(self):
        subscription = self.subscriptions[self._asked]
        self.state = SUBSCRIBING
        self._ask_for(rq.SUBSCRIBE, subscription.mid, subscription.revision())

    def _stands(self, refused):
        """The subscription stands, or the session goes on without: ask for the next one. READY behind the last."""
        self._cleared = False
        if self.state == STOPPING:
            self._answered()
            return EV_NONE
        subscriptions = self.subscriptions
        self._asked += 1
        while not refused and self._asked < len(subscriptions) and subscriptions[self._asked].row[NEEDED] == INSTEAD:
            self._asked += 1
        if self._asked < len(subscriptions):
            self._subscribe()
            return EV_NONE
        self.state = READY
        self.stood_index = self.start_index
        self._cuts = 0
        self._answered()
        return EV_READY

    def _act(self, act):
        """Do what the row of the request says about its refusal."""
        subscription = self.subscriptions[self._asked]
        if (act == rq.ACT_BUSY or act == rq.ACT_LATER) and self._may_go_without():
            return self._go_without(WHY_REFUSED)
        if act == rq.ACT_NEXT_START:
            self.start_index += 1
            if self.start_index == len(self.start_revisions):
                self.start_index = 0
                return self._end(WHY_NO_REVISION)
            self._start()
        elif act == rq.ACT_NEXT_REVISION:
            if not subscription.has_next():
                return self._go_without(WHY_NO_RESULTS)
            self._subscribe()
        elif act == rq.ACT_CLEAR:
            if self._cleared:
                return self._stands(False)
            self._cleared = True
            self.state = CLEARING
            self._ask_for(rq.UNSUBSCRIBE, subscription.row[UNSUBSCRIBE_MID], 1)
        elif act == rq.ACT_SUBSCRIBE:
            self._subscribe()
        elif act == rq.ACT_BUSY:
            return self._end(WHY_BUSY)
        elif act == rq.ACT_UNKNOWN:
            if subscription.row is not RESULTS:
                return self._go_without(WHY_NO_RESULTS)
            self._go_generic()
            self._subscribe()
        elif act == rq.ACT_REFUSED:
            return self._go_without(WHY_REFUSED)
        return EV_REFUSED

    def _go_generic(self):
        """This controller knows no MID 0060: ask for its results by MID 0008."""
        if self.generic is None:
            # Hardly any controller needs it. One after the other: imports nest, and this is deep in a step.
            import agent.openprotocol.variable  # noqa: F401

            # isort: split
            from agent.openprotocol.operation import Generic

            self.generic = Generic(self)
        self.generic.begin(self)

    def _go_several(self):
        """This controller may have results of several spindles; False if that was tried in every way."""
        if self.several is None:
            from agent.openprotocol.spindles import Several  # hardly any controller needs it

            self.several = Several(self, self.known)
        return self.several.begin(self)

    def _go_without(self, why):
        """The subscription cannot be had."""
        if self._asked == 0 and why == WHY_NO_RESULTS and self._is_asked_otherwise() and self._go_several():
            self._subscribe()
            return EV_REFUSED
        if not self._may_go_without():
            return self._over(why)
        self._stands(True)
        return EV_REFUSED

    def _is_asked_otherwise(self):
        """Tell whether results are asked for by another MID than 0060, since that is not known."""
        if self.several is not None and self.several.subscription is not None:
            return True
        return self.generic is not None and self.generic.in_use

    def _may_go_without(self):
        """Tell whether what is asked for is a subscription that is not needed."""
        return self.state != STARTING and self.subscriptions[self._asked].row[NEEDED] is not True

    def _is_subscribed_by(self, push):
        """Tell whether this push shows that the subscription that was asked for stands (rule 2)."""
        if self.request.row is not rq.SUBSCRIBE or not self.request.asked:
            return False
        for one in self.subscriptions[self._asked].pushes:
            if one.pushed_mid == push.pushed_mid:
                return True
        return False

    def _ask_for(self, row, mid, revision):
        """Ask for the subscription whose turn it is, or for its end."""
        subscription = self.subscriptions[self._asked]
        named = subscription.row[NAMED] or mid  # a generic one may be called by either (002:145-150)
        data = subscription.data
        if row is rq.UNSUBSCRIBE and subscription.clearing is not None:
            data = subscription.clearing
        tries = self.tries if subscription.row[NEEDED] is True else 1  # nobody waits long for what is not needed
        self.request.ask(row, mid, named, revision, data, tries)

    def _over(self, why):
        if self.state == STARTING:
            self._turn_to_next_start()
        return self._end(why)

    def _turn_to_next_start(self):
        """The start was cut off, or nobody answered it."""
        self._cuts += 1
        if self.start_index != self.stood_index or self._cuts == _CUTS_MOST:
            self.start_index = (self.start_index + 1) % len(self.start_revisions)
            self._cuts = 0

    def _end(self, why):
        """Over without counting the start as cut off: the revision was not what failed."""
        self.state = OVER
        self.why = why
        return EV_OVER
