"""The integrator's session with one controller: start, subscribe, take results, keep alive, stop.

Sans I/O: works on a link (agent.link), knows no port and no flash. The owner feeds the link, calls `next_event` until
it is EV_NONE, `tick` when time has passed, and answers every EV_RESULT with `acknowledge` or `withhold`.

Rules (DIGEST part C)
1. MID 0001 goes through a list of revisions, MID 0060 through another; what was accepted is remembered by the owner.
2. One request is outstanding at a time; it is sent `tries` times, `response_timeout_ms` apart, then the link is lost.
   What was sent again may be answered again: such an echo, which carries no ID, is not taken for the next one's answer.
3. A result is acknowledged once for each time it comes, and only when the owner says so; acknowledgements go first.
4. MID 9999 goes out `keepalive_ms` after our last transmission; its mirror is never answered. Without one octet from
   the controller for `silence_ms` while a mirror is due, the link is lost; so it is when the port takes nothing for
   as long.
5. Results are read by the revision in their own header, never by the one asked for.
6. A result in parts is made whole (agent.openprotocol.linked), and answered as one; a part alone never is.
7. MID 0003 waits for the answer to what is out, one `response_timeout_ms` at most; nothing is asked again then.

    STARTING --0002--> SUBSCRIBING --0005--> READY --stop--> STOPPING --0005--> OVER
       | 0004: next revision   | 0004/09: 0063, then 0060 again (a surviving subscription may have another revision)
       | 96,16,35: OVER, busy  | 97,74,76: next revision; 99,73,75: OVER, no such message
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import copy, fill, number, put_number
from agent.base.ticks import FOREVER, Timer
from agent.link import LINK_BROKEN, LINK_CUT_SHORT, LINK_NEED_DATA, WHY_UNANSWERED
from agent.openprotocol import replies
from agent.openprotocol.header import HEADER_BYTES, mid_of, put_header, revision_of, sequence_of
from agent.openprotocol.numbering import NUMBER_DELIVER, NUMBER_WRONG, Numbering

CLOSED = const(0)
STARTING = const(1)
SUBSCRIBING = const(2)
CLEARING = const(3)  # 0063 is out, because a subscription of an earlier session is still there
READY = const(4)
STOPPING = const(5)
OVER = const(6)  # close the port; `why` tells the reason
STATE_NAMES = ("closed", "starting", "subscribing", "clearing", "ready", "stopping", "over")

EV_NONE = const(0)
EV_STARTED = const(1)  # 0002 came: cell, channel, name and serial can be read
EV_READY = const(2)  # subscribed
EV_RESULT = const(3)  # 0061 at link.buf[link.at:], whole
EV_RESULT_CUT = const(4)  # 0061 too large for the buffer: only its first octets are there
EV_FETCHED = const(5)  # 0065, the answer to `fetch`
EV_FETCH_REFUSED = const(6)  # 0004 to it; `refusal` holds the class
EV_FETCH_SILENT = const(7)  # no answer in time; the session goes on
EV_UNKNOWN = const(8)  # a message that nobody asked for; `mid` names it
EV_MALFORMED = const(9)  # a header or an answer that cannot be read, or a part of a result that does not fit the others
EV_REFUSED = const(10)  # a 0004 that changes the way: `code` holds it, for the log
EV_OVER = const(11)
EV_TOOL = const(12)  # 0041, the answer to `ask_tool`: its serial number is in `tool_serial`

WHY_NOTHING = const(0)
WHY_FRAMING = const(1)
WHY_SILENCE = const(2)
WHY_BUSY = const(3)
WHY_NO_REVISION = const(4)
WHY_NO_RESULTS = const(5)  # the controller does not know MID 0060 in any revision we have
WHY_REFUSED = const(6)
WHY_STOPPED = const(7)
WHY_NAMES = (
    "nothing",
    "framing lost",
    "silence",
    "slot taken",
    "no revision accepted",
    "knows no MID 0060",
    "refused",
    "stopped",
)

_PARTS = const(18)  # place of the number of parts in the header; blank, 0 and 1: the message is whole (003:1152-1158)


class Session:
    """One session after the other over one link. Times in ms; revision lists are tuples, most wanted first."""

    def __init__(
        self,
        link,
        start_revisions=(5, 6, 4, 3, 2, 1),
        result_revisions=(999, 1),
        keepalive_ms=7000,
        response_timeout_ms=5000,
        silence_ms=15000,
        stop_wait_ms=1000,
        tries=3,
    ):
        self.link = link
        self.start_revisions = start_revisions
        self.result_revisions = result_revisions
        self.keepalive_ms = keepalive_ms
        self.response_timeout_ms = response_timeout_ms
        self.silence_ms = silence_ms
        self.stop_wait_ms = stop_wait_ms
        self.tries = tries
        self.station_id = 0  # 0: the header field stays blank
        self.spindle_id = 0
        self.start_index = 0
        self.result_index = 0
        self.identity = bytearray(b" " * 41)  # cell 4, channel 2, name 25, serial 10
        self.system_type = 0
        self.tool_serial = bytearray(b" " * 14)
        self.fetch_id = bytearray(b"0" * 10)
        self.fetch_revision = 2
        self.numbering = Numbering()
        self._linked = None  # made when the first part comes: hardly any controller ever sends one
        self._acknowledgement = bytearray(HEADER_BYTES)  # MID 0062: one for every result, so it is made once
        self._answer = Timer()
        self._rest = Timer()
        self._silence = Timer()
        self._blocked = Timer()
        self.state = CLOSED
        self.closed()

    # -- the owner's calls -------------------------------------------------------------------------------------

    def closed(self):
        """The port is closed. A start that was cut off tries the next revision on the next connection."""
        if self.state == STARTING:
            self.start_index = (self.start_index + 1) % len(self.start_revisions)
        self.state = CLOSED
        self.why = WHY_NOTHING
        self.mid = 0
        self.code = 0
        self.revision = 0
        self.refusal = 0
        self.request = 0
        self._request_due = False
        self._tries_left = 0
        self._sends = 0
        self._passed_over = False
        self._echoes = 0  # answers to earlier tries of MID 0064 that may still come
        self._acks_due = 0
        self._link_ack_mid = 0
        self._link_ack_code = 0
        self._cleared = False
        self._sequence = 0
        self.numbering.reset()
        if self._linked is not None:
            self._linked.closed()
        self._answer.stop()
        self._rest.stop()
        self._silence.stop()
        self._blocked.stop()

    def opened(self):
        """The port is open: begin with MID 0001."""
        put_header(self._acknowledgement, 0, HEADER_BYTES, 62, 1)
        self._put_place(self._acknowledgement, 0)
        self.link.reset()
        self.state = STARTING
        self._ask(1)

    def receive(self, n):
        """The first n octets of link.inlet() were filled."""
        self.link.receive(n)
        self._silence.armed = False

    def acknowledge(self):
        """The result of the last EV_RESULT is durable (or is known already): answer it.

        Not behind MID 0003: that is the last message of a session. The result comes again in the next one.
        """
        if self.state == STOPPING and self.request == 3 and not self._request_due:
            return
        if self._sequence:
            self._link_ack_mid = 61
            self._link_ack_code = 0
        else:
            self._acks_due += 1

    def withhold(self):
        """The result of the last EV_RESULT could not be kept: no answer, so that it comes again."""
        if self._sequence:
            self.numbering.expected = self._sequence

    def can_fetch(self):
        """Tell whether `fetch` may be called."""
        return self.state == READY and self.request == 0

    def fetch(self):
        """Ask with MID 0064 for the result whose ten digits were put into `fetch_id`; all zeros: the newest."""
        self._ask(64)

    def ask_tool(self):
        """Ask with MID 0040 for the tool's data; a controller that does not know it is not asked again by itself."""
        self._ask(40)
        self._tries_left = 1

    def stop(self):
        """End the session in order: MID 0003, then EV_OVER after its answer or `stop_wait_ms`.

        What was asked before is answered first, or its time is over: one request is outstanding at a time.
        """
        if self.state == CLOSED or self.state == OVER or self.state == STOPPING:
            return
        self.state = STOPPING
        if self.request == 0 or self._request_due:
            self._leave()

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

    def has_more(self):
        """Tell whether `tick` would post another message at once."""
        return self._acks_due > 0 or self._request_due or self._link_ack_mid > 0

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

    def _look_at_time(self, now):
        if (self._silence.armed and self._silence.expired(now)) or (self._blocked.armed and self._blocked.expired(now)):
            return self._over(WHY_SILENCE)
        if self._linked is not None and self._linked.is_over(self.link, now):
            self.mid = self._linked.mid
            return EV_MALFORMED
        if not self._answer.armed or not self._answer.expired(now):
            return EV_NONE
        self._answer.stop()
        self._tries_left -= 1
        silent = self.request
        leaves = self.state == STOPPING and silent != 3
        if self._tries_left > 0 and not leaves:
            self._request_due = True
            return EV_NONE
        if silent == 64 or silent == 40 or leaves:
            if silent == 64:
                self._count_echoes(self._sends)
            self._answered()
            return EV_FETCH_SILENT if silent == 64 else EV_NONE
        return self._over(WHY_STOPPED if self.state == STOPPING else WHY_SILENCE)

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
        if mid != 61:
            link.answered()
        elif not link.pushed():
            return EV_NONE
        self._sequence = 0
        if self.numbering.active and not self._is_in_turn(mid):
            return EV_NONE
        if link.buf[link.at + _PARTS] > 0x31 and (mid == 61 or (mid == 65 and self.request == 64)):
            return self._take_part(mid, cut_short)
        if mid == 61:
            if self.request == 60:  # it came instead of the 0005: the subscription stands
                self._subscribed()
            return self._result_cut() if cut_short else EV_RESULT
        return EV_NONE if mid == 9999 else self._take_answer(mid, cut_short)

    def _result_cut(self):
        """A result too large for the buffer, or only for what parts under way have left of it: that one comes again."""
        if self._linked is not None and self._linked.took_room(self.link):
            self.withhold()
            return EV_MALFORMED
        return EV_RESULT_CUT

    def _take_part(self, mid, cut_short):
        """A message that says it is one part of several."""
        from agent.openprotocol import linked  # only where a controller sends parts

        if self._linked is None:
            self._linked = linked.Linked()
        found = self._linked.take(self.link, mid, cut_short)
        if found == linked.PART_NONE or found >= linked.PART_LAST:
            if found != linked.PART_NONE:
                cut_short = found == linked.PART_LAST_CUT
            if mid == 65:
                return self._take_answer(mid, cut_short)
            if self.request == 60:
                self._subscribed()
            return self._result_cut() if cut_short else EV_RESULT
        if self._sequence:
            self._link_ack_mid = mid
            self._link_ack_code = 0
            if found == linked.PART_REFUSED:
                self._link_ack_code = 4  # 003:3054-3055
                self.withhold()
        return EV_NONE if found == linked.PART_KEPT else EV_MALFORMED

    def _is_in_turn(self, mid):
        """Look at the message's link-level number; False if it is a repeat or out of turn."""
        link = self.link
        if mid != 9997 and mid != 9998:
            self._sequence = sequence_of(link.buf, link.at)
        if not self._sequence:
            return True
        verdict = self.numbering.judge(self._sequence)
        if mid != 61 or verdict != NUMBER_DELIVER:  # a result is answered when it is durable
            self._link_ack_mid = mid
            self._link_ack_code = 3 if verdict == NUMBER_WRONG else 0
        return verdict == NUMBER_DELIVER

    def _take_answer(self, mid, cut_short):
        link = self.link
        buf = link.buf
        at = link.at
        if cut_short and self._linked is not None and self._linked.took_room(link):
            return EV_MALFORMED
        if mid == 5 and link.length >= 24:
            return self._accepted(number(buf, at + 20, 4))
        if mid == 4 and link.length >= 25:
            return self._refused(number(buf, at + 20, 4))
        if mid == 2 and self.request == 1:
            return self._started(buf, at, link.length)
        if mid == 65 and self.request == 64 and not cut_short:
            return self._fetched(buf, at, link.length)
        if mid == 41 and self.request == 40 and link.length >= 36:
            copy(self.tool_serial, 0, buf, at + 22, 14)  # 003:5303-5330
            self._answered()
            return EV_TOOL
        return EV_MALFORMED if mid == 4 or mid == 5 else EV_UNKNOWN

    def _started(self, buf, at, length):
        if length < 57:
            return EV_MALFORMED
        identity = self.identity
        fill(identity, 0, 41)
        copy(identity, 0, buf, at + 22, 4)
        copy(identity, 4, buf, at + 28, 2)
        copy(identity, 6, buf, at + 32, 25)
        if length >= 163:
            copy(identity, 31, buf, at + 153, 10)
        self.system_type = number(buf, at + 165, 3) if length >= 168 else 0
        self.numbering.active = length >= 176 and buf[at + 175] == 0x31
        if self.numbering.active and sequence_of(buf, at):  # a peer that counts its 0002 waits for the 9997
            self.numbering.judge(sequence_of(buf, at))
            self._link_ack_mid = 2
        if self.state == STOPPING:
            self._answered()
            return EV_NONE
        self.state = SUBSCRIBING
        self._ask(60)
        return EV_STARTED

    def _accepted(self, mid):
        if mid == 60 and self.state == SUBSCRIBING:
            self._subscribed()
            return EV_READY
        if mid == 63 and self.state == CLEARING:
            self.state = SUBSCRIBING
            self._ask(60)
            return EV_NONE
        if mid != self.request or self.state != STOPPING or mid == 64:
            return EV_UNKNOWN
        if mid == 3:
            return self._over(WHY_STOPPED)
        self._answered()
        return EV_NONE

    def _subscribed(self):
        if self.state != STOPPING:
            self.state = READY
        self._answered()

    def _answered(self):
        self.request = 0
        self._request_due = False
        self._answer.stop()
        if self.state == STOPPING:
            self._leave()

    def _leave(self):
        self._ask(3)
        self._tries_left = 1

    def _fetched(self, buf, at, length):
        if length < 32:
            return EV_MALFORMED
        newest = True
        for octet in self.fetch_id:
            if octet != 0x30:
                newest = False
        if not newest:
            for index in range(10):
                if buf[at + 22 + index] != self.fetch_id[index]:
                    if self._echoes:
                        self._echoes -= 1
                    return EV_UNKNOWN  # the answer to an earlier try
        self._count_echoes(self._sends - 1)
        self._answered()
        return EV_FETCHED

    def _count_echoes(self, most):
        # What was passed over may have been the answer itself: then none comes, or each refusal would cost a time-out.
        self._echoes = 0 if self._passed_over or most < 0 else most  # below 0: answered before it was sent

    def _refused(self, mid):
        link = self.link
        self.code = self._code(link.buf, link.at + 24, link.at + link.length)
        if mid == 9999:
            return EV_NONE  # no keep-alive there: a sign of life all the same
        if self.request == 0 or mid != self.request:
            return EV_UNKNOWN
        kind = replies.refusal_class(self.code)
        self.refusal = kind
        if mid == 64 or mid == 40:
            if mid == 64:
                if self._echoes:
                    self._echoes -= 1
                    self._passed_over = True
                    return EV_UNKNOWN
                self._count_echoes(self._sends - 1)
            self._answered()
            return EV_FETCH_REFUSED if mid == 64 else EV_NONE
        if self.state == STOPPING:
            if mid == 1 or mid == 3:  # there is no session, or none any more
                return self._over(WHY_STOPPED)
            self._answered()
            return EV_NONE
        return self._act(replies.action(mid, kind))

    def _act(self, action):
        if action == replies.ACT_NEXT_START:
            self.start_index += 1
            if self.start_index == len(self.start_revisions):
                self.start_index = 0
                return self._end(WHY_NO_REVISION)
            self._ask(1)
        elif action == replies.ACT_NEXT_SUBSCRIBE:
            self.result_index += 1
            if self.result_index == len(self.result_revisions):
                self.result_index = 0
                return self._over(WHY_NO_RESULTS)
            self._ask(60)
        elif action == replies.ACT_CLEAR:
            if self._cleared:
                self._subscribed()
                return EV_READY
            self._cleared = True
            self.state = CLEARING
            self._ask(63)
        elif action == replies.ACT_SUBSCRIBE:
            self.state = SUBSCRIBING
            self._ask(60)
        elif action == replies.ACT_OVER_BUSY:
            return self._end(WHY_BUSY)
        elif action == replies.ACT_OVER_NO_RESULTS:
            return self._over(WHY_NO_RESULTS)
        elif action == replies.ACT_OVER_REFUSED:
            return self._over(WHY_REFUSED)
        # ACT_AGAIN_LATER: the request stays outstanding and is sent again when its time is over
        return EV_REFUSED

    def _code(self, buf, start, end):
        value = 0
        while start < end and 0x30 <= buf[start] <= 0x39 and value < 1000:
            value = value * 10 + buf[start] - 0x30
            start += 1
        return value

    def _end(self, why):
        """Over without counting the start as cut off: the revision was not what failed."""
        self.state = OVER
        self.why = why
        return EV_OVER

    def _over(self, why):
        if self.state == STARTING:
            self.start_index = (self.start_index + 1) % len(self.start_revisions)
        return self._end(why)

    # -- what goes out -----------------------------------------------------------------------------------------

    def _ask(self, mid):
        self.request = mid
        self._request_due = True
        self._tries_left = self.tries
        self._sends = 0
        self._passed_over = False
        self._answer.stop()

    def _post_next(self, now):
        """Post what is due, one message; return the ms until MID 9999 is."""
        # Nothing is answered before 0002 (003:3075-3076), nothing follows 0003.
        mute = self.state == STARTING or self.state == STOPPING
        if self._link_ack_mid:
            self._post_link_ack()
        elif self._acks_due:
            self._acks_due -= 1
            pack_into("20s", self.link.tx, self.link.tx_at, self._acknowledgement)
            self.link.post(HEADER_BYTES, False)
        elif self._request_due:
            self._request_due = False
            self._post_request()
            self._answer.start(now, self.stop_wait_ms if self.request == 3 else self.response_timeout_ms)
        else:
            left = FOREVER if mute or not self._rest.armed else self._rest.left(now)
            if left > 0:
                return left
            self._post(9999, 1, 0)
            if not self._silence.armed:
                self._silence.start(now, self.silence_ms)
        self._rest.start(now, self.keepalive_ms)
        return FOREVER if mute else self.keepalive_ms

    def _post_request(self):
        mid = self.request
        self._sends += 1
        link = self.link
        if mid == 1:
            self._post(1, self.start_revisions[self.start_index], 0)
        elif mid == 60:
            self._post(60, self.result_revisions[self.result_index], 0)
        elif mid == 64:
            copy(link.tx, link.tx_at + 20, self.fetch_id, 0, 10)
            self._post(64, self.fetch_revision, 10)
        else:
            self._post(mid, 1, 0)

    def _post(self, mid, revision, data_bytes):
        link = self.link
        tx = link.tx
        at = link.tx_at
        put_header(tx, at, 20 + data_bytes, mid, revision)
        if mid == 60:
            tx[at + 11] = 0x30  # acknowledged, said aloud (003:1114-1125)
        self._put_place(tx, at)
        link.post(20 + data_bytes, True)

    def _put_place(self, buf, at):
        """Write station and spindle into the header at buf[at:]; 0 leaves them blank."""
        if self.station_id:
            put_number(buf, at + 12, 2, self.station_id)
        if self.spindle_id:
            put_number(buf, at + 14, 2, self.spindle_id)

    def _post_link_ack(self):
        link = self.link
        tx = link.tx
        at = link.tx_at
        negative = self._link_ack_code
        put_number(tx, at + 20, 4, self._link_ack_mid)
        if negative:
            put_number(tx, at + 24, 4, negative)
        put_header(tx, at, 28 if negative else 24, 9998 if negative else 9997, 1)
        following = self.numbering.expected
        if negative == 4:  # "received + 1" (003:1468-1469), though the number stays open: the part may come again
            following = following % 99 + 1
        put_number(tx, at + 16, 2, following)
        self._link_ack_mid = 0
        link.post(28 if negative else 24, False)
