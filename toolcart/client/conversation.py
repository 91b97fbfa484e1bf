"""Drives the agent's session machine from asyncio: bytes in, events out, messages to the line, one timer.

Rules
1. `turn` does all that is due: takes the session's events, lets it post what it owes, and sets the timer for the next
   deadline. It is called when bytes came, when the timer runs out, and when there is a request.
2. A push is acknowledged only when its reader says so. MID 0062 does not say which result it is for, so pushes are
   acknowledged in the order in which they came: one that is skipped holds back those behind it. All copies of one have
   a single acknowledgement, for a controller takes a second one for the next result. A copy of a result that comes when
   that is sent has crossed it, and gets none; what comes once more does, for the controller still waits. A result
   that has neither ID nor time may be the next one, and has an acknowledgement of its own.
3. On the link level (MID 9997) nothing else comes before a push is acknowledged: an answer waits behind it.
4. What was outstanding when a connection ended has failed: nothing is asked again automatically.
   A request whose caller has gone, at its deadline or by cancellation, keeps its turn until its answer comes, or the
   time for one is over: else a late answer would be taken for that to the next request. What was never answered is
   not asked again over the same connection.
5. What comes of a topic that is not read is not kept and not acknowledged: it stays with the controller. The topic is
   subscribed to again over another connection, for an acknowledgement there cannot be taken for what stayed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from toolcart import catalogue
from toolcart.agent.base.ticks import FOREVER, TICKS_MAX
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol import session_start, session_states
from toolcart.agent.openprotocol.error_codes import NO_CODE
from toolcart.agent.openprotocol.subscriptions import NAMED, UNSUBSCRIBE_MID
from toolcart.client import unusable
from toolcart.client.errors import ConnectionLost, OutOfOrder, Refused, StateError
from toolcart.client.log import Log
from toolcart.client.received import Pushed, is_identified
from toolcart.client.traffic import Traffic

LOGGER = Log("toolcart.client")
CLOSED = "the client is closed"
RESULTS = "results"  # the topic of which the same content is the same message, unless it has neither ID nor time
_NAMELESS = {0, rq.DONE}  # say of no request that they answer it
_HEADER_BYTES = 20
_EVENTS = (session_states.EV_QUERY, session_states.EV_QUERY_SILENT, session_states.EV_QUERY_REJECTED)
_WHY = {
    session_states.WHY_FRAMING: "the controller sent what is no message",
    session_states.WHY_HEADER: "the controller lays out its headers otherwise: see the option `header`",
    session_states.WHY_SILENCE: "the controller does not answer any more",
    session_states.WHY_BUSY: "the controller has no room for another client",
    session_states.WHY_NO_REVISION: "the controller takes no revision of MID 0001",
    session_states.WHY_NO_RESULTS: "the controller knows no subscription for results",
    session_states.WHY_REJECTED: "the controller has refused a revision, and does not answer any more",
    session_states.WHY_STOPPED: "the session was ended",
}
_REFUSED = (session_states.WHY_BUSY, session_states.WHY_NO_REVISION, session_states.WHY_NO_RESULTS)  # by a MID 0004


class Conversation:
    """One session after another, over one line after another."""

    def __init__(
        self, session, topics: list, on_start: Callable, on_ready: Callable, traffic: Traffic, scaled: bool
    ) -> None:
        self.session = session
        self.link = session.link
        self.loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self.free = asyncio.Event()  # a request may be sent
        self.connection = 0  # counts up
        self.traffic = traffic
        self.over: asyncio.Future = self.loop.create_future()  # its result: what ended the connection, as text
        self.why = session_states.WHY_NOTHING  # the session's own reason for the end
        self.is_readied = False
        # MID -> messages that were not asked for, that no one reads, or cannot be read; 0: octets that are no message
        self.unexpected: Counter[int] = Counter()
        self.refusal: Refused | None = None  # the last one of what this connection, or a subscription, begins with
        self._is_no_error = False  # one of a subscription that is asked for had code 00
        self._topics = topics  # by the place of a subscription
        self._scaled = scaled
        self._on_start = on_start
        self._on_ready = on_ready
        self._line = None
        self._timer: asyncio.TimerHandle | None = None
        self._pending_answer: asyncio.Future | None = None
        self._usual_timeout_ms = session.response_timeout_ms
        self._awaited: frozenset[int] = frozenset()  # MIDs by which the answer to the last request is known
        self._unanswered: frozenset[int] = frozenset()  # the same, of requests of this connection without an answer
        self.is_withdrawn = False  # the last request was not sent
        self._requested_mid = 0
        self._subscribing: asyncio.Future | None = None
        self._topic_due: Any = None  # that is being subscribed to
        self._outstanding: list[Pushed] = []  # not acknowledged, in the order in which they came
        self._repeated: dict[int, list] = {}  # MID -> data of the last one not acknowledged, how often it came again
        self._settled: dict[int, bytes] = {}  # MID -> data of the result acknowledged last, if nothing came since
        self._is_started = False
        self.started: Any = None  # the MID 0002 of this connection, or of the last one
        self._came = bytearray()  # before a session stands
        self._sent = b""  # the last request then
        self._left_for = ""  # why we end the connection ourselves
        self._stayed: list = []  # subscriptions of which something came on this connection that no one acknowledged

    # -- for the line ------------------------------------------------------------------------------------------

    def begin(self, line) -> None:
        """Begin the session: the line is open."""
        self._line = line
        self.connection += 1
        self.over = self.loop.create_future()
        self.is_readied = False
        self.why = session_states.WHY_NOTHING
        self._stayed.clear()
        self._settled.clear()
        self._unanswered = frozenset()
        self.session.response_timeout_ms = self._usual_timeout_ms
        self._left_for = ""
        self.refusal = None
        self._came.clear()
        self._sent = b""
        self._is_started = False
        self.traffic.begin()
        self.session.opened()
        self.turn()

    def received(self, octets: int) -> None:
        """Take the first `octets` bytes of link.inlet()."""
        if self.traffic.is_wanted():
            self.traffic.came(bytes(memoryview(self.link.inlet())[:octets]))
        if not self._is_started and len(self._came) < unusable.KEPT_BYTES:
            self._came += bytes(memoryview(self.link.inlet())[:octets])
        self.link.receive(octets)
        self.turn()

    def what_came(self) -> str:
        """Return the words for what came in place of the answer that was waited for, empty where nothing did."""
        if self.refusal is not None:
            return str(self.refusal)
        return "" if self._is_started else unusable.described(bytes(self._came[: unusable.KEPT_BYTES]), self._sent)

    def line_ended(self, reason: str) -> None:
        """Take the end of the line, which is not our doing."""
        self.lost(self._with_what_came(reason))

    def _with_what_came(self, reason: str) -> str:
        came = self.what_came()
        return f"{reason}: {came}" if came else reason

    def check_loop(self) -> None:
        """StateError in another loop, thread or process than the one that the client was entered in."""
        try:
            is_here = asyncio.get_running_loop() is self.loop
        except RuntimeError:
            is_here = False
        if not is_here or self._process != os.getpid():
            raise StateError("this client is used in the loop that it was entered in: enter another one here")

    def lost(self, reason: str) -> None:
        """End everything: the line, or the session on it, is over."""
        if self._line is None:
            return
        line, self._line = self._line, None
        line.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._close_session()
        self.free.clear()
        self._outstanding.clear()
        refusal = self.refusal if self.why == session_states.WHY_NO_RESULTS else None
        self._fail(ConnectionLost(reason, self._requested_mid), refusal or ConnectionLost(reason))
        if not self.over.done():
            self.over.set_result(reason)

    def turn(self) -> None:
        """Do what is due."""
        session = self.session
        now = int(self.loop.time() * 1000) & TICKS_MAX
        while self._line is not None:
            event = session.next_event(now)
            if event == session_states.EV_NONE:
                break
            try:
                self._handle(event)
            except catalogue.FrameError as error:
                self.lost("the controller sent what is no message: %s" % error)
        if self._line is None:
            return
        if session.state == session_states.READY and not (self.is_readied and self._subscribing is None):
            self._note_ready()
        left = session.tick(now)
        link = self.link
        while link.pending and self._line is not None:
            at = link.tx_from
            taken = self._line.write(link.tx, at, link.pending)
            if taken and not self._is_started:
                self._sent = bytes(memoryview(link.tx)[at : at + taken])
            if taken and self.traffic.is_wanted():
                self.traffic.went(bytes(memoryview(link.tx)[at : at + taken]))
            link.sent(taken)
            if link.pending or session.has_more():
                left = session.tick(now)
            if not taken:
                break
        if self._line is None:
            return
        if session.can_fetch() != self.free.is_set():
            self.free.clear() if self.free.is_set() else self.free.set()
        self._set_timer(left)

    # -- for the client ------------------------------------------------------------------------------------------

    async def ask(self, frame: bytes, answer: int, named: int, deadline: float):
        """Send this frame as a request; return the Message that answers it. `deadline` is in the loop's time."""
        session = self.session
        mid = int(frame[4:8])
        acts = rq.REPORT_OR_DONE if answer == rq.DONE else rq.REPORT
        definition = (mid, answer, _HEADER_BYTES, True, 0, 0, True, *_EVENTS, acts)
        future = self._pending_answer = self.loop.create_future()
        self._requested_mid = mid
        self._awaited = frozenset((mid, named, answer)) - _NAMELESS
        session.response_timeout_ms = max(self._usual_timeout_ms, int((deadline - self.loop.time()) * 1000))
        session.request.ask(definition, mid, named or mid, int(frame[8:11]), frame[_HEADER_BYTES:], 1)
        self.turn()
        try:
            message = await future
        finally:
            self._withdraw(future)
        if message.mid == rq.REJECTION:
            LOGGER.warning(
                '%s: MID 0004 with code 00, "no error", to MID %04d is taken as a yes', self.traffic.where, mid
            )
        return message

    async def until_free(self) -> None:
        """Wait until a request may be sent."""
        while not self.free.is_set():  # it may be cleared before the task that waits runs again
            await self.free.wait()

    def may_be_answered_late(self, mid: int, named: int, answer: int) -> bool:
        """True if an answer to an earlier request may still come, and would be taken for that to this one."""
        return not self._unanswered.isdisjoint({mid, named, answer} - _NAMELESS)

    def why_not_free(self) -> str:
        """Return what a request has to wait for."""
        asked = self.session.request.asked
        return "MID %04d is not answered yet" % asked if asked else "another request comes first"

    async def subscribe(self, first: int, behind: int) -> None:
        """Subscribe to subscriptions[first:behind], now and later; Refused if the controller has none of them."""
        session = self.session
        self._want(first, behind, True)
        self.refusal = None
        self._is_no_error = False
        session.received.rejected_mid = 0
        subscribing = self._subscribing = self.loop.create_future()
        self._topic_due = self._topics[first]
        session.subscribe(first, behind)
        self.turn()
        await subscribing

    def leave(self, first: int, behind: int) -> None:
        """Do not subscribe to these again, and forget what came of them and is not acknowledged."""
        self._want(first, behind, False)
        left = self.session.subscriptions[first:behind]
        self._stayed += [one.push.subscription for one in self._outstanding if one.push.subscription in left]
        self._repeated.clear()
        self._settled.clear()  # a controller may push its last result at each subscription: that is no copy on its way
        self._outstanding = [one for one in self._outstanding if one.push.subscription not in left]

    def has_left_some(self, first: int, behind: int) -> bool:
        """True if something of subscriptions[first:behind] stayed with the controller on this connection (rule 5)."""
        return any(one in self._stayed for one in self.session.subscriptions[first:behind])

    def is_held_up(self) -> bool:
        """True if no answer comes before a push is acknowledged (rule 3)."""
        return any(one.sequence for one in self._outstanding)

    async def unsubscribe(self, first: int, behind: int, deadline: float) -> None:
        """End what stands of subscriptions[first:behind]: a topic has several ways, and one is in use."""
        for one in self.session.subscriptions[first:behind]:
            extra = one.data if one.clearing is None else one.clearing
            mid = one.row[UNSUBSCRIBE_MID]
            frame = b"%04d%04d001%9s" % (_HEADER_BYTES + len(extra), mid, b"") + bytes(extra)
            with contextlib.suppress(Refused):
                await self.ask(frame, rq.DONE, one.row[NAMED], deadline)
                return

    def acknowledge(self, message: Pushed) -> bool:
        """See Received.acknowledge."""
        self.check_loop()
        self._repeated.pop(message.mid, None)
        same = [one for one in self._outstanding if one.push is message.push]
        if message not in same:
            return message.acknowledged
        if same[0].data != message.data:
            raise OutOfOrder(message.mid)
        copies = [one for one in same if one.data == message.data]
        numbered = [one for one in copies if one.sequence]  # on the link level each has an acknowledgement of its own
        owed = numbered or [one for one in copies if one.is_owed][:1]
        for one in owed:
            self._send_acknowledgement(one)
        if owed and not numbered and message.topic.name == RESULTS and is_identified(message.message):
            self._settled[message.mid] = message.data
        for one in copies:
            one.acknowledged = True
        self._outstanding = [one for one in self._outstanding if not one.acknowledged]
        self.turn()
        return True

    def _send_acknowledgement(self, pushed: Pushed) -> None:
        session = self.session
        if pushed.sequence and session.link_level_receive is not None:
            session.link_level_receive.judge(pushed.sequence)
        session.pushed = pushed.push
        session.received.sequence = pushed.sequence
        session.acknowledge()

    def stop(self) -> None:
        """End the session in order; `over` is done then. Whoever waits for an answer gets none any more."""
        self._fail(ConnectionLost(CLOSED, self._requested_mid), ConnectionLost(CLOSED))
        self.begin_again(CLOSED)

    def begin_again(self, reason: str) -> None:
        """End the session in order, for this reason: the controller's slot is free for the next one."""
        if self._line is not None:
            self._left_for = reason
            self.session.stop(int(self.loop.time() * 1000) & TICKS_MAX)
            self.turn()

    # -- inside --------------------------------------------------------------------------------------------------

    def _close_session(self) -> None:
        """Tell the session that its line is gone.

        To the session that speaks against the revision that was asked for. Where this controller has rejected others
        in words it does not: whoever subscribes again asks for the same one.
        """
        session = self.session
        is_innocent = (
            session.state == session_states.SUBSCRIBING
            and self.refusal is not None
            and self._subscribing is not None
            and not self._subscribing.done()
        )
        if not is_innocent:
            session.closed()
            return
        revisions = session_start.subscription_due(session).revisions
        before = [(name, getattr(revisions, name)) for name in revisions.__slots__]
        session.closed()
        for name, value in before:
            setattr(revisions, name, value)

    def _want(self, first: int, behind: int, wanted: bool) -> None:
        for subscription in self.session.subscriptions[first:behind]:
            subscription.wanted = wanted
            subscription.revisions.passed_over = False  # whoever asks for it wants it to be tried

    def _handle(self, event: int) -> None:
        session = self.session
        if event == session_states.EV_PUSHED or event == session_states.EV_PUSHED_CUT:
            self._take_push()
        elif event == session_states.EV_QUERY:
            self._answered(self._message(), None)
        elif event == session_states.EV_QUERY_REJECTED:
            self._answered(None, self._refusal(self._requested_mid))
        elif event == session_states.EV_QUERY_SILENT:
            self._unanswered |= self._awaited
            self._answered(None, TimeoutError())
        elif event == session_states.EV_STARTED or event == session_states.EV_GENERIC:
            started = self._message()
            self._is_started = True
            self.started = started
            if unusable.is_short_start(started.frame):
                LOGGER.warning("%s: its MID 0002 is short and says nothing: is it a controller?", self.traffic.where)
            self._on_start(started)
        elif event == session_states.EV_REJECTED:
            self.refusal = self._refusal(0)
            self._is_no_error = self._is_no_error or self.refusal.code == 0
        elif event == session_states.EV_READY:
            self._note_no_error()
            self.refusal = None
        elif event == session_states.EV_UNKNOWN or event == session_states.EV_MALFORMED:
            self.unexpected[session.received.mid] += 1
        elif event == session_states.EV_OVER:
            self.why = session.why
            if session.why in _REFUSED:
                self.refusal = self._refusal(0)
            self.lost(self._left_for or self._why_ended())

    def _why_ended(self) -> str:
        session = self.session
        unanswered = (session_states.WHY_SILENCE, session_states.WHY_UNUSABLE, session_states.WHY_FRAMING)
        if session.why in unanswered and not self._is_started:
            return self.what_came() or "no answer to MID 0001"
        return self._with_what_came(_WHY.get(session.why, "the connection ended"))

    def _note_no_error(self) -> None:
        """Warn if a subscription was answered by MID 0004 with code 00: in no other revision it is taken as a yes."""
        received = self.session.received
        if self._is_no_error or (received.rejected_mid and not received.rejected_code):
            LOGGER.warning(
                '%s: MID 0004 with code 00, "no error", to MID %04d is taken as a yes if no revision is accepted',
                self.traffic.where,
                received.rejected_mid,
            )

    def _note_repeat(self, pushed: Pushed) -> None:
        """Warn the second time that a message comes again: its reader forgets to acknowledge."""
        last = self._repeated.get(pushed.mid)
        if last is None or last[0] != pushed.data:
            self._repeated[pushed.mid] = [pushed.data, 0]
            return
        last[1] += 1
        if last[1] == 2:
            LOGGER.warning(
                "%s: MID %04d of %s came for the third time: it is not acknowledged, and the controller may close the"
                " connection; call acknowledge() on each when what you keep of it is safe",
                self.traffic.where,
                pushed.mid,
                pushed.topic.name,
            )

    def _take_push(self) -> None:
        session = self.session
        push = session.pushed
        session.withhold()  # until its reader takes it: on the link level a repeat would be answered as known
        if not push.subscription.wanted:
            self._stayed.append(push.subscription)
            self.unexpected[session.received.mid] += 1
            return
        topic = self._topics[session.subscriptions.index(push.subscription)]
        if self._topic_due is topic:
            self.refusal = None  # this push is the answer: a yes
        pushed = Pushed(self._message(), self, topic, push, session.received.sequence)
        pushed.is_owed = self._settled.pop(pushed.mid, None) != pushed.data
        self._outstanding.append(pushed)
        self._note_repeat(pushed)
        topic.put(pushed)

    def _message(self):
        """Return the message in the link's buffer."""
        link = self.link
        frame = bytes(link.buf[link.at : link.at + link.length])
        if frame[:4] != b"%04d" % len(frame):  # joined from parts, or cut short
            frame = b"%04d" % min(len(frame), 9999) + frame[4:]
            return catalogue.STANDARD.decode_joined(frame, self._scaled)
        return catalogue.decode(frame, scaled=self._scaled)

    def _refusal(self, mid: int) -> Refused:
        """Return the Refused for the MID 0004 in the link's buffer."""
        message = self._message()
        if message.mid != rq.REJECTION:
            return Refused(mid, self.session.received.code)
        code = self.session.received.code
        mid = mid or self.session.received.named
        return Refused(mid, None) if code == NO_CODE else Refused(mid, code, _words(code))

    def _withdraw(self, future: asyncio.Future) -> None:
        """Whoever asked is gone: what is not on the line yet stays here."""
        self.is_withdrawn = self._pending_answer is future and self.session.request.unsent
        if self.is_withdrawn:
            self.session.answered()
            self._answered(None, None)
            self.turn()

    def _answered(self, message, error) -> None:
        self.session.response_timeout_ms = self._usual_timeout_ms
        pending, self._pending_answer = self._pending_answer, None
        if pending is None or pending.done():
            return  # whoever asked is gone
        if error is None:
            pending.set_result(message)
        else:
            pending.set_exception(error)

    def _fail(self, request_error: Exception, subscribing: Exception) -> None:
        for waiting, error in ((self._pending_answer, request_error), (self._subscribing, subscribing)):
            if waiting is not None and not waiting.done():
                waiting.set_exception(error)

    def _note_ready(self) -> None:
        self.is_readied = True
        subscribing, self._subscribing, self._topic_due = self._subscribing, None, None
        if subscribing is not None and not subscribing.done():
            if self.refusal is None:
                subscribing.set_result(None)
            else:
                subscribing.set_exception(self.refusal)
        self.refusal = None
        self._on_ready()

    def _set_timer(self, left_ms: int) -> None:
        if left_ms >= FOREVER:
            return
        due = self.loop.time() + left_ms / 1000
        if self._timer is not None:
            if self._timer.when() <= due:
                return  # it looks again then
            self._timer.cancel()
        self._timer = self.loop.call_at(due, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self.turn()


def _words(code: int) -> str:
    """Return the documents' words for a code of MID 0004."""
    refused = catalogue.decode(catalogue.encode(4, 2, failed_mid=1, error_code=code, check=False))
    return str(refused.meaning("error_code"))
