"""The integrator's session with one controller: start, subscribe, take results, keep alive, stop.

Sans I/O: works on a link (toolcart.agent.link), knows no port and no flash. The owner feeds the link, calls
`next_event` until it is EV_NONE, `tick` when time has passed, and answers every EV_PUSHED and EV_PUSHED_CUT with
`acknowledge` or `withhold`. What is asked and how it is answered is in the rows of
toolcart.agent.openprotocol.requests, what is pushed in those of toolcart.agent.openprotocol.subscriptions.

    STARTING --0002--> SUBSCRIBING --0005--> READY --stop--> STOPPING --0005--> OVER
       | 0004: next revision   | 0004/09: CLEARING by 0063, then SUBSCRIBING again (one that survived may have another
       |                       |          revision)
       | 96,16,35: OVER, busy  | 99,73,75: no such message, MID 0008 is tried; 98,28,27: the same again, later
                               | 00: rule 9; any other code: next revision, then MID 0008; OVER when none is left
                               | without one that is not needed the session goes on after any other code, or silence

Rules (protocol.md 4)
1. A request that is not answered in any of its tries loses the link, unless its row says otherwise. MID 0003 waits for
   the answer to what is outstanding, `stop_wait_ms` at most; nothing is asked again then.
2. A push is acknowledged only when the owner says so. One that comes instead of its subscription's answer counts as
   that answer: the subscription is accepted, unless a rejection comes behind it
   (toolcart.agent.openprotocol.accepted_by_push). One that comes before all of the request has gone out answers
   nothing. The mirror of MID 9999 is never answered.
3. Results are read by the revision in their own header, never by the one asked for. A result in parts is made whole
   (toolcart.agent.openprotocol.linked_messages), and answered as one; a part alone never is.
4. What was rejected is not asked for again before everything else was, on this connection or the next: each revision
   (toolcart.agent.openprotocol.revision_fallback), and each way to ask for results. A connection that ends in front
   of an answer speaks against what was asked, unless something was rejected on it: then that is why it ended, and
   its code the reason reported. What is not needed is left out if connections end with it: for an hour if two did
   after its rejection, or five. The owner remembers what was accepted.
5. A controller whose stations share its IDs, or may (system type 003), has to name ours: a session that was begun in a
   lower revision is ended, and the next one begins with 6, unless that was rejected. So it is where an old result has
   the place for a station (toolcart.agent.openprotocol.shared_ids).
6. One message is posted at a time: first answers, those of the link level
   (toolcart.agent.openprotocol.link_level_receive) and one acknowledgement for each push that came, then the request
   that is due.
7. MID 9999 goes out `keepalive_ms` after our last transmission. If no message comes from the controller for
   `silence_ms` while a mirror is due, the link is lost; likewise if the port takes nothing for that long. One that is
   under way by then is waited for. What else comes over a line is no sign of the controller: bytes, acknowledgements of
   a line's procedure, and an echo of what we sent; where a line echoes, MID 9999 comes back twice.
8. Before 0002 nothing is sent but what is asked for (OP 5.2.1 p. 70), and after 0003 only answers of the link level.
9. 0004 with code 00, "no error" (OP 5.2.4 p. 74), is a yes where 0005 would be, but not to a subscription: there the
   other revisions are asked for first. What exists by then, or no other revision, shows that it was meant.
"""

from struct import pack_into

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, number, put_number
from toolcart.agent.base.ticks import FOREVER, Timer
from toolcart.agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_JUNK, LINK_NEED_DATA, WHY_SLOW, WHY_UNANSWERED
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol import session_answers, session_start, session_states
from toolcart.agent.openprotocol.controller_identity import IDENTITY_BYTES
from toolcart.agent.openprotocol.header import (
    HEADER_BYTES,
    SPINDLE,
    STATION,
    mid_of,
    put_header,
    revision_of,
)
from toolcart.agent.openprotocol.link_level_receive import CODE_NONE, CODE_PART
from toolcart.agent.openprotocol.result_mode import ResultMode
from toolcart.agent.openprotocol.revision_fallback import BLANK, Revisions
from toolcart.agent.openprotocol.subscriptions import NAMED, Pushes

_TYPE_CHECKING = const(0)  # as in the module typing, which a chip lacks: for the type checker alone
if _TYPE_CHECKING:
    from toolcart.agent.openprotocol.link_level_receive import LinkLevelReceiver

_PARTS = const(18)  # place of the number of parts in the header; blank, 0 and 1: the message is whole (OP 2.2.2 p. 27)
SUSPENDED_MS = const(3600000)
# Whether the line brings back what we send, as it did MID 0001; if so, whether it has brought back the last MID 9999.
_ECHO_NONE = const(0)
_ECHO_DUE = const(1)
_ECHO_CAME = const(2)


class LastMessage:
    """What the controller's last message says."""

    def __init__(self):
        self.clear()

    def clear(self):
        """The connection is over: there is none."""
        self.mid = self.revision = 0
        self.sequence = 0  # its link-level number, 0 if it has none
        self.named = self.code = 0  # of a 0005, 0004 or 9998: the MID it is about, and the error code
        self.rejection = 0  # class of that code
        self.rejected_mid = self.rejected_code = 0  # the last rejection of what a session begins with


class Session:
    """Sessions over one link, one after another. Times in ms; start_revisions is a tuple, most wanted first."""

    def __init__(
        self,
        link,
        subscriptions,
        start_revisions=(5, 6, 4, 3, 2, 1),
        keepalive_ms=7000,  # without a transmission; one may get lost before a controller closes after 15 s
        response_timeout_ms=5000,  # the specification names none; controllers answer within tenths of a second
        silence_ms=15000,  # the time after which a controller gives us up as well (OP 5.28.1 p. 265)
        stop_wait_ms=1000,
        tries=3,  # OP 3.2.1 p. 35
    ):
        self.link = link
        self.is_event_driven = link.is_event_driven  # found here at once: on the link it is the class's
        self.subscriptions = subscriptions
        self.state = session_states.CLOSED
        self.station_id = 0  # 0: the header field stays blank
        self.spindle_id = 0
        self.needs_station = False  # the controller has to name its station: a revision that does is wanted
        self.start_revisions = Revisions(start_revisions)
        self.tool_revisions = Revisions((1,))  # of MID 0040
        self.identity = bytearray(b" " * IDENTITY_BYTES)  # what the controller says about itself
        self.system_type = 0
        self.request = rq.Request()
        self.old_result = rq.OldResultRequest()
        # when a message of ours is due, and when the controller is given up (rules 1 and 7)
        self._keepalive_ms = keepalive_ms
        self.response_timeout_ms = response_timeout_ms
        self._silence_ms = silence_ms
        self._stop_wait_ms = stop_wait_ms
        self.tries = tries
        self.keepalives = 0  # sent since the session was READY, but for those behind one that has no answer yet
        self._suspension = Timer()  # until what connections end with is asked for again
        self._keepalive_timer = Timer()  # since our last message: then MID 9999 is due
        self.silence = Timer()  # since an unanswered 9999: then the controller is gone; a message of its stops it
        self._is_extended = False  # that is over, and a message that was under way by then is waited for
        self._echo = _ECHO_NONE
        self._blocked = Timer()  # since the link took nothing: likewise
        # if the controller numbers what it sends
        self.link_level_receive: "LinkLevelReceiver" = None  # type: ignore - else no message has a number
        # A toolcart.agent.openprotocol.link_level_send.LinkLevelSender, to number what we send where that is offered.
        self.link_level_send = None
        self.result_mode = ResultMode()
        self.subscriptions_end = 0  # one past the last subscription that is asked for in this turn
        self.is_cleared = False  # what exists was ended on this connection, or could not be
        self.pushes = Pushes(subscriptions)
        self.pushed = subscriptions[0].pushes[0]  # the last one that came
        self.received = LastMessage()
        self._linked = None  # made when the first part comes: hardly any controller ever sends one
        self.closed()

    # -- the owner's calls -------------------------------------------------------------------------------------

    def acknowledge(self):
        """Answer what the last event pushed: it is durable, or already known.

        Not after MID 0003, the last request of a session: the result comes again in the next one.
        """
        if self.state == session_states.STOPPING and self.request.row is rq.STOP and not self.request.unsent:
            return
        push = self.pushed
        if self.received.sequence:
            self.link_level_receive.owe(push.pushed_mid, CODE_NONE)
        else:
            push.unanswered += 1
            self.pushes.owing = push

    def acknowledges(self, mid):
        """True if it is by this MID that pushes are acknowledged."""
        return self.link_level_receive is not None if mid == 9997 else self.pushes.acknowledges(mid)

    def withhold(self):
        """What the last event pushed could not be kept: no answer, so that it comes again."""
        if self.received.sequence:
            self.link_level_receive.expected = self.received.sequence

    def has_more(self):
        """True if `tick` would post another message at once."""
        if self.pushes.owing is not None or self.request.unsent:
            return True
        return self.link_level_receive is not None and self.link_level_receive.owed > 0

    def post_last(self):
        """The session is over: post one more acknowledgement that is due; False if none is, or there is no room."""
        return self.link.idle() and self._post_owed()

    def tick(self, now):
        """Post what is due, if the link has room; return the ms until something may be due again."""
        if self.state == session_states.CLOSED or self.state == session_states.OVER:
            return FOREVER
        left = FOREVER
        if self.link.idle():
            self._blocked.armed = False
            left = self._post_next(now)
        elif not self._blocked.armed:
            wait = self._silence_ms
            if self.link.is_receiving():
                wait += self.link.message_ms
            self._blocked.start(now, wait)
        wait = self.link.tick(now)
        if left < wait:
            wait = left
        answer = self.request.answer
        if answer.armed:
            wait = answer.least(now, wait)
        if self.silence.armed:
            wait = self.silence.least(now, wait)
        if self._blocked.armed:
            wait = self._blocked.least(now, wait)
        if self._linked is not None:
            wait = self._linked.pause.least(now, wait)
        return wait

    def closed(self):
        """The port is closed."""
        session_start.count_end(self)
        self._note_connection_end()
        self.state = session_states.CLOSED
        self.why = session_states.WHY_NOTHING  # while a session begins: why it will have failed, should it end now
        self.received.clear()
        self.subscription_index = 0  # place of the subscription that was asked for last
        self.no_error_index = -1  # place of its revision that was answered with "no error"
        self.accepted_by_push = 0  # bits, by place: the subscriptions that were, and have got no other answer yet
        self.request.closed()
        self.link_level_receive = None  # type: ignore - likewise, none has a number
        if self.link_level_send is not None:
            self.link_level_send.reset()
        self.pushes.owing = None
        self._keepalive_timer.stop()
        self.silence.stop()
        self._blocked.stop()
        if self._linked is not None:
            self._linked.closed()

    def opened(self):
        """The port is open: begin with MID 0001."""
        self.keepalives = 0
        self._echo = _ECHO_NONE
        self.result_mode.opened(self)
        for subscription in self.subscriptions:
            self.open_pushes(subscription)
        self.link.reset()
        session_start.begin(self)

    def open_pushes(self, subscription):
        for push in subscription.pushes:
            push.opened(self._header_revision(1))
            self._put_station(push.acknowledgement, 0)

    def can_fetch(self):
        """True if `fetch` may be called."""
        if self.old_result.revisions.is_suspended():
            return False
        generic = self.result_mode.generic
        if generic is not None and generic.holds_back:
            return False  # its answer would come between the parts of a push
        return self.state == session_states.READY and self.request.asked == 0

    def fetch(self):
        """Ask by MID 0064 for the result that `old_result.asked_id` names; all zeros mean the newest."""
        old_result = self.old_result
        old_result.asked(self.keepalives)
        self.received.mid = 0  # nothing has come since
        generic = self.result_mode.generic
        if generic is not None and generic.in_use:
            generic.fetch(self)
        else:
            self.request.spindle = old_result.spindle
            self.ask(rq.FETCH, old_result.revision, old_result.data())

    def is_old_result_asked(self):
        """True if the last request was for an old result."""
        return self.request.row[rq.SILENT] == session_states.EV_FETCH_SILENT

    def place_of_pushed_id(self):
        """Return the offset of the tightening ID in a pushed result."""
        from toolcart.agent.openprotocol.layouts import place_of_id  # loaded already where results are fetched

        return place_of_id(self.subscriptions[0].revision() or 1)

    def ask_tool(self):
        """Ask by MID 0040 for the tool's data; False if connections end with that."""
        if not self.tool_revisions.passed_over:
            self.ask(rq.TOOL, 1, b"")
        return not self.tool_revisions.passed_over

    def stop(self, now):
        """End the session in order: MID 0003, then EV_OVER after its answer or `stop_wait_ms`.

        An outstanding request is answered first, or given up after `stop_wait_ms`: only one is outstanding at a time.
        Where that is MID 0001 there is no session to end: it is over without MID 0003.
        """
        if (
            self.state == session_states.CLOSED
            or self.state == session_states.OVER
            or self.state == session_states.STOPPING
        ):
            return
        self.state = session_states.STOPPING
        answer = self.request.answer
        if self.request.asked == 0 or self.request.unsent:
            self.ask_stop()
        elif answer.armed:
            answer.start(now, answer.least(now, self._stop_wait_ms))

    def put_subscriptions(self, subscriptions):
        """Use these from now on; the first one is for results, wanted or not like the one before."""
        subscriptions[0].wanted = self.subscriptions[0].wanted
        self.subscriptions = subscriptions
        self.pushes.put(subscriptions)
        self.pushed = subscriptions[0].pushes[0]
        self.open_pushes(subscriptions[0])

    def subscribe(self, first, end):
        """Ask for subscriptions[first:end], as far as they are wanted; READY again when that is done."""
        self.subscription_index = first - 1
        self.subscriptions_end = end
        session_start.ask_next(self, False)

    def subscribe_again(self):
        """Ask for the first subscription once more, in READY: EV_SUBSCRIBED, EV_NOT_SUBSCRIBED, or no event."""
        one = self.subscriptions[0]
        self.accepted_by_push = 0  # an answer from now on is to this
        self.request.ask(rq.SUBSCRIBE_AGAIN, one.mid, one.row[NAMED] or one.mid, one.revision(), one.data, 1)

    # -- what goes out -----------------------------------------------------------------------------------------

    def ask(self, row, revision, data):
        self.request.ask(row, row[rq.MID], row[rq.MID], revision, data, self.tries)

    def answered(self):
        self.request.answered()
        if self.state == session_states.STOPPING:
            self.ask_stop()

    def ask_stop(self):
        self.ask(rq.STOP, 1, b"")

    def _post_next(self, now):
        """Post one message if any is due; return the ms until MID 9999 is."""
        may_owe = self.pushes.owing is not None or self.link_level_receive is not None
        if not (may_owe and self._post_owed()):
            if self.request.unsent:
                self._post_request(now)
            elif session_states.SUBSCRIBING <= self.state <= session_states.READY:
                if self._keepalive_timer.left(now) > 0:
                    return self._keepalive_timer.left(now)
                self._post(rq.KEEP_ALIVE, 1, b"", False, 0)
                if self._echo:
                    self._echo = _ECHO_DUE
                if not self.silence.armed:  # the one before was answered
                    self.silence.start(now, self._silence_ms)
                    self._is_extended = False
                    self.keepalives += self.state == session_states.READY
                self._retry_suspended(now)
            else:
                return FOREVER  # no MID 9999 while a session begins or ends
        self._keepalive_timer.start(now, self._keepalive_ms)
        return self._keepalive_ms if session_states.SUBSCRIBING <= self.state <= session_states.READY else FOREVER

    def _post_owed(self):
        """Post an answer or an acknowledgement that is due; False if none is."""
        link = self.link
        receiver = self.link_level_receive
        if receiver is not None and receiver.owed:
            link.post(receiver.put_owed(link.tx, link.tx_at), False)
            return True
        push = self.pushes.owing
        if push is None:
            return False
        push.unanswered -= 1
        if push.unanswered == 0:
            self.pushes.owing = self.pushes.next_owing() if self.pushes.are_many else None
        pack_into("24s", link.tx, link.tx_at, push.acknowledgement)
        link.post(push.acknowledgement_bytes, False)
        return True

    def _post_request(self, now):
        self._retry_suspended(now)
        request = self.request
        row = request.row
        wait_ms = self._stop_wait_ms if row is rq.STOP else self.response_timeout_ms
        number = 0
        if self.link_level_send is not None and self.link_level_send.active:
            number = self.link_level_send.number_for(request.asked)
            wait_ms = min(wait_ms, self.link_level_send.wait_ms)
        request.posted(now, wait_ms)
        self._post(
            request.asked, request.revision, request.data, row is rq.SUBSCRIBE or row is rq.SUBSCRIBE_AGAIN, number
        )

    def _post(self, mid, revision, data, wants_ack, number):
        link = self.link
        tx = link.tx
        at = link.tx_at
        octets = HEADER_BYTES + len(data)
        put_header(tx, at, octets, mid, self._header_revision(revision))
        if wants_ack:
            tx[at + 11] = 0x30  # acknowledged (OP 2.2.2 p. 26)
        if number:
            put_number(tx, at + 16, 2, number)
        copy(tx, at + HEADER_BYTES, data, 0, len(data))
        self._put_station(tx, at)
        if self.request.row is rq.FETCH and self.request.spindle and mid == rq.FETCH[rq.MID]:
            put_number(tx, at + SPINDLE, 2, self.request.spindle)
        link.post(octets, True)

    def _retry_suspended(self, now):
        """After SUSPENDED_MS allow again what is suspended: it was left out since connections ended with it."""
        suspension = self._suspension
        if not suspension.armed:
            if self._is_any_suspended():
                suspension.start(now, SUSPENDED_MS)
        elif suspension.expired(now):
            suspension.stop()
            self.tool_revisions.allow_again()
            self.old_result.revisions.allow_again()
            for one in self.subscriptions:
                one.revisions.allow_again()

    def _is_any_suspended(self):
        """True if something that a session can go on without is left out. Hot: allocates nothing."""
        for one in self.subscriptions:
            if one.revisions.is_suspended():
                return True
        return self.tool_revisions.is_suspended() or self.old_result.revisions.is_suspended()

    def _header_revision(self, revision):
        """Return the revision as the header shows it: BLANK in place of 1 where MID 0001 is taken only so."""
        return BLANK if revision == 1 and self.start_revisions.wanted() == BLANK else revision

    def _put_station(self, buf, at):
        """Write station and spindle into the header at buf[at:]; 0 leaves them blank."""
        if self.station_id:
            put_number(buf, at + STATION, 2, self.station_id)
        if self.spindle_id:
            put_number(buf, at + SPINDLE, 2, self.spindle_id)

    # -- the end of a connection, and of a session ----------------------------------------------------------------

    def _note_connection_end(self):
        """The connection has ended: what it went on without may be why, if it did not last."""
        old_result, request = self.old_result, self.request
        old_result.has_ended = False
        if self.state == session_states.CLOSED:
            return
        if request.asked and request.row is rq.TOOL:
            self.tool_revisions.given_up = True
        lasted = self.keepalives >= rq.LASTING
        self.tool_revisions.connection_ended(lasted)
        is_open = request.asked > 0 and self.is_old_result_asked()
        if is_open and self.state == session_states.READY and not self.received.mid:
            old_result.has_ended = not request.unsent and request.tries == self.tries  # it was sent once
        old_result.connection_ended(self.keepalives, is_open)
        for subscription in self.subscriptions:
            subscription.revisions.connection_ended(lasted)

    def end_session(self, why):
        """End the session: no answer came, or nothing that can be read."""
        session_start.count_end(self)
        is_silence = why == session_states.WHY_SILENCE or why == session_states.WHY_UNUSABLE
        return self.end(self.why if self.why and is_silence else why)

    def _why_broken(self):
        """Return why the link is lost."""
        if self.link.why == WHY_UNANSWERED:
            return session_states.WHY_SILENCE
        if self.link.why == WHY_SLOW and self.request.asked and self.state < session_states.READY:
            self.request.other_mid = session_states.INCOMPLETE_MESSAGE
            return self._why_silent()
        return session_states.WHY_FRAMING

    def _why_silent(self):
        """Return why a request has no answer: nothing came, or something that is none; `received` says what then."""
        other_mid = self.request.other_mid
        if not other_mid:
            return session_states.WHY_SILENCE
        if not self.why:
            self.received.rejected_mid = self.request.asked
            self.received.rejected_code = other_mid
        return session_states.WHY_UNUSABLE

    def end(self, why):
        self.state = session_states.OVER
        self.why = why
        return session_states.EV_OVER

    # -- events ------------------------------------------------------------------------------------------------

    def next_event(self, now):
        """Return the next EV_; EV_NONE when there is nothing to do until input or time comes."""
        while self.state != session_states.OVER and self.state != session_states.CLOSED:
            kind = self.link.next_message(now)
            if kind == LINK_NEED_DATA:
                return self._check_timers(now)
            if kind == LINK_BROKEN:
                return self.end_session(self._why_broken())
            event = self._take(kind == LINK_CUT_SHORT) if kind != LINK_JUNK else self._take_junk()
            if event != session_states.EV_NONE:
                return event
        return session_states.EV_NONE

    def _check_timers(self, now):
        if (self.silence.armed and self._is_silent(now)) or (self._blocked.armed and self._blocked.expired(now)):
            return self.end_session(session_states.WHY_SILENCE)
        if self._linked is not None and self._linked.is_over(self.link, now):
            self.received.mid = self._linked.mid
            return session_states.EV_MALFORMED
        if self.result_mode.is_late(now):
            return session_states.EV_PART_LATE
        answer = self.request.answer
        if not answer.armed or not answer.expired(now):
            return session_states.EV_NONE
        sender = self.link_level_send
        return self.silent(now, False) if sender is None or not sender.active else sender.silent(self, now)

    def _is_silent(self, now):
        """True if the time for a message is up, and none is under way that may still be in time."""
        silence = self.silence
        is_late = silence.expired(now)
        if not is_late and not self._is_extended:
            return False
        if not self.link.is_receiving():
            return True
        if not self._is_extended:
            self._is_extended = True
            silence.start(now, self.link.message_ms)
            return False
        return is_late

    def silent(self, now, is_last):
        """The request was not answered in time; `is_last`: it will not be."""
        request = self.request
        request.answer.stop()
        request.tries -= 1
        leaves = self.state == session_states.STOPPING and request.row is not rq.STOP
        if leaves and request.row is rq.START:  # there is no session to end
            return self.end_session(session_states.WHY_STOPPED)
        if request.tries > 0 and not (leaves or is_last):
            generic = self.result_mode.generic
            if generic is not None and generic.withholds_part(request):
                request.answer.start(now, self.response_timeout_ms)  # with one answer a repeated part is a push
            else:
                request.unsent = True
            return session_states.EV_NONE
        event = request.row[rq.SILENT]
        if request.row[rq.MID] == 0 and not leaves and session_start.is_optional(self):
            return session_start.ask_next(self, True)
        if event == session_states.EV_OVER and not leaves:
            return self.end_session(
                session_states.WHY_STOPPED if self.state == session_states.STOPPING else self._why_silent()
            )
        request.given_up()
        self.answered()
        return session_states.EV_NONE if event == session_states.EV_OVER else event

    # -- what comes in -----------------------------------------------------------------------------------------

    def _take_junk(self):
        """Take octets that are no message: they have no MID. Where no message comes at all, that is the reason why."""
        self.received.mid = 0
        if self.link.why == WHY_SLOW and self.request.asked and self.state < session_states.READY:
            self.request.other_mid = session_states.INCOMPLETE_MESSAGE
        elif self.state == session_states.STARTING and not self.why:
            self.why = session_states.WHY_FRAMING
        return session_states.EV_MALFORMED

    def _take(self, cut_short):
        link = self.link
        if self.state == session_states.STARTING and session_start.has_other_header(self):
            return self.end_session(session_states.WHY_HEADER)
        head = number(link.buf, link.at + 4, 7)  # MID and revision, where both are digits
        if head > 0 and head % 1000:
            mid = head // 1000
            self.received.revision = head % 1000
        else:
            mid = mid_of(link.buf, link.at)
            self.received.revision = revision_of(link.buf, link.at)
            if mid < 0:
                return self._take_junk()
        self.received.mid = mid
        if self.silence.armed:
            echo = self._echo
            if mid == rq.KEEP_ALIVE:
                self.silence.armed = echo == _ECHO_DUE
                self._echo = _ECHO_CAME if echo else _ECHO_NONE
            else:
                self.silence.armed = echo != _ECHO_NONE and mid == self.request.asked
        push = self.pushed
        if mid != push.pushed_mid:
            push = self.pushes.by_mid.get(mid)
        if not self.is_event_driven:
            if push is None:
                link.answered()
            elif not link.pushed():
                return session_states.EV_NONE
        self.received.sequence = 0
        if self.link_level_receive is not None:
            if mid == 9998 and self.link_level_receive.is_ack_rejected(self):
                return session_states.EV_ACK_REJECTED
            if self.link_level_send is not None and (mid == 9997 or mid == 9998):
                return self.link_level_send.received(self, mid)
            if not self.link_level_receive.is_in_turn(self, mid, push is not None):
                return session_states.EV_REPEATED if self.link_level_receive.owes_again() else session_states.EV_NONE
        if 0x31 < link.buf[link.at + _PARTS] < 0x3A and (push or self.request.is_answered_in_parts(mid)):
            return self._take_part(mid, push, cut_short)
        if self._linked is not None and self._linked.pass_whole(link, mid, cut_short):
            if push:
                self.withhold()  # it comes again
            return session_states.EV_MALFORMED
        if push:
            if cut_short or self.request.asked:
                return self._pushed(push, cut_short)
            self.pushed = push
            return session_states.EV_PUSHED
        if mid == rq.KEEP_ALIVE:
            if self.state == session_states.STARTING:  # none of ours went out: it mirrors nothing
                self.request.other_mid = mid
            return session_states.EV_NONE
        event = session_answers.take_answer(self, mid, cut_short)
        if event == session_states.EV_UNKNOWN or event == session_states.EV_MALFORMED:
            self.request.other_mid = mid
            if self.state == session_states.STARTING and mid == rq.START[rq.MID]:
                self._echo = _ECHO_DUE
        return event

    def _pushed(self, push, cut_short):
        """Take a push that is whole, or as much of it as there is."""
        self.pushed = push
        if session_start.is_subscribed_by(self, push):
            self.accepted_by_push |= 1 << self.subscription_index
            session_start.accept_subscription(self)  # it came instead of the 0005
        return session_states.EV_PUSHED_CUT if cut_short else session_states.EV_PUSHED

    def _take_part(self, mid, push, cut_short):
        """Take a message that says it is one part of several."""
        from toolcart.agent.openprotocol import linked_messages  # only where a controller sends parts

        if self._linked is None:
            self._linked = linked_messages.LinkedMessages()
        part = self._linked.take(self.link, mid, cut_short)
        if part >= linked_messages.PART_LAST:
            cut_short = part == linked_messages.PART_LAST_CUT
            return self._pushed(push, cut_short) if push else session_answers.take_answer(self, mid, cut_short)
        if self.received.sequence:
            code = CODE_PART if part == linked_messages.PART_REJECTED else CODE_NONE
            self.link_level_receive.owe(mid, code)
            if part == linked_messages.PART_REJECTED:
                self.withhold()
                self._linked.give_up(self.link)  # the 9998 tells: what comes next comes in order
        return session_states.EV_NONE if part == linked_messages.PART_KEPT else session_states.EV_MALFORMED
