"""What a session sends, and when: answers first, then the request that is due, and a keep-alive if there was nothing.

Rules (DIGEST part C)
1. One message is posted at a time. Answers are those of the link level (agent.openprotocol.numbering) and the
   acknowledgements of pushes, one for each time it came.
2. MID 9999 goes out `keepalive_ms` after our last transmission. Without one octet from the controller for `silence_ms`
   while a mirror is due, the link is lost; so it is when the port takes nothing for as long.
3. Nothing is said before 0002 but what is asked for (003:3075-3076), and nothing behind 0003.
"""

from struct import pack_into

from agent.base.fields import copy, put_number
from agent.base.ticks import FOREVER, Timer
from agent.openprotocol import requests as rq
from agent.openprotocol.header import HEADER_BYTES, put_header
from agent.openprotocol.numbering import CODE_NONE, Numbering
from agent.openprotocol.states import CLOSED, OVER, STARTING, STOPPING


class Sender:
    """The outgoing half of a session; `state` is the session's."""

    def __init__(self, link, subscriptions, keepalive_ms, response_timeout_ms, silence_ms, stop_wait_ms, tries):
        self.link = link
        self.subscriptions = subscriptions
        self.keepalive_ms = keepalive_ms
        self.response_timeout_ms = response_timeout_ms
        self.silence_ms = silence_ms
        self.stop_wait_ms = stop_wait_ms
        self.tries = tries
        self.state = CLOSED
        self.station_id = 0  # 0: the header field stays blank
        self.spindle_id = 0
        self.request = rq.Request()
        self._answer = self.request.answer
        self.numbering = Numbering()
        self.wants_numbers = False  # number what we send, where the controller offers that
        self.numbers = None  # then it is an agent.openprotocol.link_level
        self.pushed = subscriptions[0].pushes[0]  # the one that came last
        self.sequence = 0  # its link-level number, 0 if it has none
        self._owing = None  # a push whose acknowledgement is due
        self._many = len(subscriptions) > 1 or len(subscriptions[0].pushes) > 1
        self._rest = Timer()
        self._silence = Timer()
        self._blocked = Timer()

    def receive(self, n):
        """The first n octets of link.inlet() were filled."""
        self.link.receive(n)
        self._silence.armed = False

    def acknowledge(self):
        """What the last event pushed is durable (or is known already): answer it.

        Not behind MID 0003: that is the last message of a session. The result comes again in the next one.
        """
        if self.state == STOPPING and self.request.row is rq.STOP and not self.request.unsent:
            return
        push = self.pushed
        if self.sequence:
            self.numbering.owe(push.pushed_mid, CODE_NONE)
        else:
            push.unanswered += 1
            self._owing = push

    def withhold(self):
        """What the last event pushed could not be kept: no answer, so that it comes again."""
        if self.sequence:
            self.numbering.expected = self.sequence

    def has_more(self):
        """True if `tick` would post another message at once."""
        return self._owing is not None or self.request.unsent or self.numbering.owed > 0

    def tick(self, now):
        """Post what is due, if the link has room; return the ms until something may be due again."""
        if self.state == CLOSED or self.state == OVER:
            return FOREVER
        rest = FOREVER
        if self.link.idle():
            self._blocked.armed = False
            rest = self._post_next(now)
        elif not self._blocked.armed:
            self._blocked.start(now, self.silence_ms)
        wait = self.link.tick(now)
        if rest < wait:
            wait = rest
        if self._answer.armed:
            wait = self._answer.least(now, wait)
        if self._silence.armed:
            wait = self._silence.least(now, wait)
        if self._blocked.armed:
            wait = self._blocked.least(now, wait)
        return wait

    def _leave(self):
        self.ask(rq.STOP, 1, b"")

    def ask(self, row, revision, data):
        self.request.ask(row, row[rq.MID], row[rq.MID], revision, data, self.tries)

    def answered(self):
        self.request.answered()
        if self.state == STOPPING:
            self._leave()

    def _is_mute(self, now):
        """True if the controller says nothing any more, or takes nothing."""
        return (self._silence.armed and self._silence.expired(now)) or (
            self._blocked.armed and self._blocked.expired(now)
        )

    def _forget(self):
        """A connection has ended."""
        self.request.closed()
        self.numbering.reset()
        self.numbers = None
        self._owing = None
        self.sequence = 0
        self._rest.stop()
        self._silence.stop()
        self._blocked.stop()

    def _prepare(self):
        """A connection begins."""
        for subscription in self.subscriptions:
            for push in subscription.pushes:
                push.opened()
                self._put_place(push.acknowledgement, 0)
        self.link.reset()

    def _post_next(self, now):
        """Post what is due, one message; return the ms until MID 9999 is."""
        mute = self.state == STARTING or self.state == STOPPING
        link = self.link
        if self.numbering.owed:
            link.post(self.numbering.put_owed(link.tx, link.tx_at), False)
        elif self._owing is not None:
            push = self._owing
            push.unanswered -= 1
            if push.unanswered == 0:
                self._owing = self._next_owing() if self._many else None
            pack_into("24s", link.tx, link.tx_at, push.acknowledgement)
            link.post(push.acknowledgement_bytes, False)
        elif self.request.unsent:
            self._post_request(now)
        else:
            left = FOREVER if mute or not self._rest.armed else self._rest.left(now)
            if left > 0:
                return left
            self._post(rq.KEEP_ALIVE, 1, b"", False, 0)
            if not self._silence.armed:
                self._silence.start(now, self.silence_ms)
        self._rest.start(now, self.keepalive_ms)
        return FOREVER if mute else self.keepalive_ms

    def _next_owing(self):
        """Return another push that is still owed an acknowledgement."""
        for subscription in self.subscriptions:
            for push in subscription.pushes:
                if push.unanswered:
                    return push
        return None

    def _post_request(self, now):
        request = self.request
        row = request.row
        wait_ms = self.stop_wait_ms if row is rq.STOP else self.response_timeout_ms
        number = 0
        if self.numbers is not None:
            number = self.numbers.number_for(request.asked)
            wait_ms = min(wait_ms, self.numbers.wait_ms)
        request.posted(now, wait_ms)
        self._post(request.asked, request.revision, request.data, row is rq.SUBSCRIBE, number)

    def _post(self, mid, revision, data, aloud, number):
        link = self.link
        tx = link.tx
        at = link.tx_at
        octets = HEADER_BYTES + len(data)
        put_header(tx, at, octets, mid, revision)
        if aloud:
            tx[at + 11] = 0x30  # acknowledged (003:1114-1125)
        if number:
            put_number(tx, at + 16, 2, number)
        copy(tx, at + HEADER_BYTES, data, 0, len(data))
        self._put_place(tx, at)
        link.post(octets, True)

    def _put_place(self, buf, at):
        """Write station and spindle into the header at buf[at:]; 0 leaves them blank."""
        if self.station_id:
            put_number(buf, at + 12, 2, self.station_id)
        if self.spindle_id:
            put_number(buf, at + 14, 2, self.spindle_id)
