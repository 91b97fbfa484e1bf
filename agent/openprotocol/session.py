"""The integrator's session with one controller: start, subscribe, take results, keep alive, stop.

Sans I/O: works on a link (agent.link), knows no port and no flash. The owner feeds the link, calls `next_event` until
it is EV_NONE, `tick` when time has passed, and answers every EV_PUSHED with `acknowledge` or `withhold`. What is asked
and what answers it are the rows of agent.openprotocol.requests, what comes by itself those of `subscriptions`.

Rules (DIGEST part C)
1. A request that is not answered in all its tries loses the link, unless its row says otherwise.
2. A push is acknowledged only when the owner says so (what is sent when: agent.openprotocol.sending). The mirror of
   MID 9999 is never answered.
3. Results are read by the revision in their own header, never by the one asked for.
4. A result in parts is made whole (agent.openprotocol.linked), and answered as one; a part alone never is.
5. MID 0003 waits for the answer to what is out, one `response_timeout_ms` at most; nothing is asked again then.

    STARTING --> SUBSCRIBING --> READY (agent.openprotocol.opening) --stop--> STOPPING --0005--> OVER
"""

from agent.base.compat import const
from agent.base.fields import number
from agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_NEED_DATA, WHY_UNANSWERED
from agent.openprotocol import identity as idy
from agent.openprotocol import requests as rq
from agent.openprotocol.header import mid_of, revision_of, sequence_of
from agent.openprotocol.numbering import CODE_NONE, CODE_PART
from agent.openprotocol.opening import Opening
from agent.openprotocol.replies import code_of, refusal_class
from agent.openprotocol.states import (
    CLEARING,
    CLOSED,
    EV_LATE,
    EV_MALFORMED,
    EV_NONE,
    EV_OVER,
    EV_PUSHED,
    EV_PUSHED_CUT,
    EV_UNKNOWN,
    OVER,
    READY,
    STARTING,
    STOPPING,
    WHY_FRAMING,
    WHY_NOTHING,
    WHY_SILENCE,
    WHY_STOPPED,
)

_PARTS = const(18)  # place of the number of parts in the header; blank, 0 and 1: the message is whole (003:1152-1158)


class Session(Opening):
    """One session after the other over one link. Times in ms; start_revisions is a tuple, most wanted first."""

    # What runs for every result is found here at once: each class on the way to it would cost a look-up.
    tick = Opening.tick
    receive = Opening.receive
    acknowledge = Opening.acknowledge
    has_more = Opening.has_more

    def __init__(
        self,
        link,
        subscriptions,
        start_revisions=(5, 6, 4, 3, 2, 1),
        keepalive_ms=7000,
        response_timeout_ms=5000,
        silence_ms=15000,
        stop_wait_ms=1000,
        tries=3,
    ):
        Opening.__init__(
            self,
            link,
            subscriptions,
            start_revisions,
            keepalive_ms,
            response_timeout_ms,
            silence_ms,
            stop_wait_ms,
            tries,
        )
        self.tool_serial = bytearray(b" " * idy.TOOL_BYTES)
        self.fetch_id = bytearray(b"0" * 10)
        self.fetch_revision = 2
        self._pushes = {push.pushed_mid: push for subscription in subscriptions for push in subscription.pushes}
        self._linked = None  # made when the first part comes: hardly any controller ever sends one
        self.closed()

    # -- the owner's calls -------------------------------------------------------------------------------------

    def closed(self):
        """The port is closed."""
        if self.state == STARTING:
            self._turn_to_next_start()
        self.state = CLOSED
        self.why = WHY_NOTHING
        self.mid = 0
        self.code = 0
        self.revision = 0
        self.refusal = 0
        self._asked = 0  # which of the subscriptions was asked for last
        self._cleared = False
        self._forget()
        if self._linked is not None:
            self._linked.closed()

    def opened(self):
        """The port is open: begin with MID 0001."""
        if self.several is not None:
            self.several.leave(self)
        if self.generic is not None:
            self.generic.leave(self)
        self._prepare()
        self._start()

    def can_fetch(self):
        """Tell whether `fetch` may be called."""
        return self.state == READY and self.request.asked == 0

    def fetch(self):
        """Ask with MID 0064 for the result whose ten digits were put into `fetch_id`; all zeros: the newest."""
        if self.generic is not None and self.generic.in_use:
            self.generic.fetch(self)
        else:
            self._ask(rq.FETCH, self.fetch_revision, self.fetch_id)

    def place_of_pushed_id(self):
        """Return at which octet of a result that is pushed, from 0 on, its tightening ID stands."""
        from agent.openprotocol.layouts import place_of_id  # who fetches has it

        return place_of_id(self.subscriptions[0].revision())

    def ask_tool(self):
        """Ask with MID 0040 for the tool's data; a controller that does not know it is not asked again by itself."""
        self._ask(rq.TOOL, 1, b"")

    def stop(self):
        """End the session in order: MID 0003, then EV_OVER after its answer or `stop_wait_ms`.

        What was asked before is answered first, or its time is over: one request is outstanding at a time.
        """
        if self.state == CLOSED or self.state == OVER or self.state == STOPPING:
            return
        self.state = STOPPING
        if self.request.asked == 0 or self.request.unsent:
            self._leave()

    def put_subscriptions(self, subscriptions):
        """Have these from now on; the first one is for results."""
        self.subscriptions = subscriptions
        self._pushes = {push.pushed_mid: push for row in subscriptions for push in row.pushes}
        self.pushed = subscriptions[0].pushes[0]
        self._many = len(self._pushes) > 1
        for push in subscriptions[0].pushes:
            push.opened()
            self._put_place(push.acknowledgement, 0)

    # -- events ------------------------------------------------------------------------------------------------

    def next_event(self, now):
        """Return the next EV_; EV_NONE when there is nothing to do until input or time comes."""
        while self.state != OVER and self.state != CLOSED:
            found = self.link.next_message(now)
            if found == LINK_BROKEN:
                return self._over(WHY_SILENCE if self.link.why == WHY_UNANSWERED else WHY_FRAMING)
            if found == LINK_NEED_DATA:
                return self._look_at_time(now)
            event = self._take(found == LINK_CUT_SHORT)
            if event != EV_NONE:
                return event
        return EV_NONE

    def _look_at_time(self, now):
        if self._is_mute(now):
            return self._over(WHY_SILENCE)
        if self._linked is not None and self._linked.is_over(self.link, now):
            self.mid = self._linked.mid
            return EV_MALFORMED
        if self.generic is not None and self.generic.operation.is_late(now):
            self.generic.operation.give_up()
            return EV_LATE
        if self.several is not None and self.several.cycle.is_late(now):
            self.several.cycle.give_up()
            return EV_LATE
        answer = self._answer
        if not answer.armed or not answer.expired(now):
            return EV_NONE
        return self._silent() if self.numbers is None else self.numbers.silent(self, now)

    def _silent(self):
        """The request was not answered in time."""
        request = self.request
        request.answer.stop()
        request.tries -= 1
        leaves = self.state == STOPPING and request.row is not rq.STOP
        if request.tries > 0 and not leaves:
            request.unsent = True
            return EV_NONE
        event = request.row[rq.SILENT]
        if request.row[rq.MID] == 0 and not leaves and self._may_go_without():
            return self._stands(True)
        if event == EV_OVER and not leaves:
            return self._over(WHY_STOPPED if self.state == STOPPING else WHY_SILENCE)
        request.given_up()
        self._answered()
        return EV_NONE if event == EV_OVER else event

    # -- what comes in -----------------------------------------------------------------------------------------

    def _take(self, cut_short):
        link = self.link
        head = number(link.buf, link.at + 4, 7)  # MID and revision, where both are digits
        if head > 0 and head % 1000:
            mid = head // 1000
            self.revision = head % 1000
        else:
            mid = mid_of(link.buf, link.at)
            self.revision = revision_of(link.buf, link.at)
            if mid < 0:
                return self._over(WHY_FRAMING)
        self.mid = mid
        push = self.pushed
        if mid != push.pushed_mid:
            push = self._pushes.get(mid)
        if not link.steady:
            if push is None:
                link.answered()
            elif not link.pushed():
                return EV_NONE
        self._sequence = 0
        if self.numbering.active:
            if self.numbers is not None and (mid == 9997 or mid == 9998):
                return self.numbers.heard(self, mid)
            if not self._is_in_turn(mid, push is not None):
                return EV_NONE
        if link.buf[link.at + _PARTS] > 0x31 and (push or self.request.is_answered_in_parts(mid)):
            return self._take_part(mid, push, cut_short)
        if push:
            if cut_short or self.request.asked:
                return self._pushed(push, cut_short)
            self.pushed = push
            return EV_PUSHED
        return EV_NONE if mid == rq.KEEP_ALIVE else self._take_answer(mid, cut_short)

    def _pushed(self, push, cut_short):
        """A whole push. One that was cut short only for what parts under way have left of the buffer comes again."""
        self.pushed = push
        if self._is_subscribed_by(push):
            self._stands(False)  # it came instead of the 0005
        if not cut_short:
            return EV_PUSHED
        if self._linked is not None and self._linked.took_room(self.link):
            self.withhold()
            return EV_MALFORMED
        return EV_PUSHED_CUT

    def _take_part(self, mid, push, cut_short):
        """A message that says it is one part of several."""
        from agent.openprotocol import linked  # only where a controller sends parts

        if self._linked is None:
            self._linked = linked.Linked()
        found = self._linked.take(self.link, mid, cut_short)
        if found == linked.PART_NONE or found >= linked.PART_LAST:
            if found != linked.PART_NONE:
                cut_short = found == linked.PART_LAST_CUT
            return self._pushed(push, cut_short) if push else self._take_answer(mid, cut_short)
        if self._sequence:
            self.numbering.owe(mid, CODE_PART if found == linked.PART_REFUSED else CODE_NONE)
            if found == linked.PART_REFUSED:
                self.withhold()
        return EV_NONE if found == linked.PART_KEPT else EV_MALFORMED

    def _is_in_turn(self, mid, later):
        """Look at the message's link-level number; False if it is a repeat or out of turn."""
        if mid != 9997 and mid != 9998:
            self._sequence = sequence_of(self.link.buf, self.link.at)
        return not self._sequence or self.numbering.admits(mid, self._sequence, later)

    def _take_answer(self, mid, cut_short):
        link = self.link
        buf = link.buf
        at = link.at
        if cut_short and self._linked is not None and self._linked.took_room(link):
            return EV_MALFORMED
        if mid == rq.DONE:
            return self._accepted(number(buf, at + 20, 4)) if link.length >= 24 else EV_MALFORMED
        if mid == rq.REFUSAL:
            return self._refused(number(buf, at + 20, 4)) if link.length >= 25 else EV_MALFORMED
        request = self.request
        row = request.row
        if not request.asked or mid != row[rq.ANSWER] or (cut_short and row[rq.WHOLE]):
            return EV_UNKNOWN
        if link.length < row[rq.LEAST]:
            return EV_MALFORMED
        if not request.is_matched(buf, at):
            return EV_UNKNOWN
        if row is rq.START:
            return self._started(buf, at, link.length)
        if row is rq.TOOL:
            idy.read_tool(self.tool_serial, buf, at)
        self._answered()
        return row[rq.EVENT]

    def _accepted(self, named):
        request = self.request
        if request.row[rq.ANSWER] != rq.DONE or not request.is_named(named):
            return EV_UNKNOWN
        if request.row is rq.STOP:
            return self._over(WHY_STOPPED)
        event = request.row[rq.EVENT]
        if self.state == STOPPING or event != EV_NONE:
            self._answered()
            return event  # type: ignore
        if self.state == CLEARING:
            self._subscribe()
            return EV_NONE
        return self._stands(False)

    def _refused(self, named):
        link = self.link
        self.code = code_of(link.buf, link.at + 24, link.at + link.length)
        if named == rq.KEEP_ALIVE:
            return EV_NONE  # no keep-alive there: a sign of life all the same
        return self._refused_as(refusal_class(self.code)) if self.request.is_named(named) else EV_UNKNOWN

    def _refused_as(self, refusal):
        """What is outstanding was refused, by a code of this class."""
        request = self.request
        row = request.row
        self.refusal = refusal
        act = row[rq.ACTS][self.refusal]  # type: ignore
        if act == rq.ACT_TELL and not request.is_refused():
            return EV_UNKNOWN
        if self.state == STOPPING and (row is rq.START or row is rq.STOP):  # there is no session, or none any more
            return self._over(WHY_STOPPED)
        if act == rq.ACT_TELL:
            self._answered()
            return row[rq.REFUSED]
        if self.state == STOPPING:
            self._answered()
            return EV_NONE
        return self._act(act)
