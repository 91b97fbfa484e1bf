"""Sends again what lies in the quarantine: each record becomes a new result at the end of the main log.

Rules
1. A retried result is durable in the main log, marked FLAG_RETRIED, before it leaves the quarantine. A cut between the
   two leaves it in both: the first retry after a start finds the marked ones in the log and gives up what they stand
   for. A mark counts only above the number under which the record was set aside: a result may be refused again.
2. A frame that could not be read is read again by the readers of this version. It goes out as a result if it can be
   read now and the log does not hold that tightening already; else it stays and the answer says so.
3. What finds no room is not sent again: no waiting result is overwritten for it.
4. The methods that take time are generators, as agent.quarantine_orders has it.
"""

from struct import pack_into

from agent.base.compat import const
from agent.base.fields import copy, fill
from agent.base.words import get_u32
from agent.openprotocol.header import mid_of, revision_of
from agent.openprotocol.layouts import layout_of, read_whole
from agent.record import result as res
from agent.spool.blocks import SPOOL_FULL
from agent.spool.cursors import Cursor
from agent.spool.record import HEAD_BYTES, KIND_RAW, KIND_RESULT, RECORD_NONE
from agent.spool.search import is_same

GROUP = const(8)  # so many are sent again before one record drops them all
QUIET_ASKED_MOST = const(20000)  # how often a line is asked whether it is quiet, before the order is given up

_BODY_BYTES = const(143)  # a body and its limits
_HEADER_BYTES = const(20)


class Refused(Exception):
    """The order cannot be carried out, or not to its end; the text says why and what to do."""


class Again:
    """One station's quarantine and main log, both mounted."""

    def __init__(self, quarantine, main, clock, quiet):
        self.quarantine = quarantine
        self.main = main
        self._clock = clock
        self._quiet = quiet
        self._body = bytearray(_BODY_BYTES)
        self._length = 0  # of the payload that `_read` has read
        self._flags = 0

    def send(self, numbers):
        """Send the kept records with these numbers again; how many it were."""
        yield from self._settle()
        there = self.quarantine.numbers()
        numbers = [number for number in numbers if number in there]
        done = 0
        while numbers:
            group = self._group(numbers)
            numbers = numbers[len(group) :]
            sent = self.quarantine.retried
            for number in group:
                yield from self._wait_for_line()
                told = self._send_again(number)
                if told is None:
                    told = yield from self._send_read(number)
                yield told
                if "unreadable" not in told and "gone" not in told:
                    sent.append(number)
                done += "sent_as" in told
            yield from self._wait_for_line()
            self._drop_sent()
        return done

    def _group(self, numbers):
        """Return the first few of the numbers: where room is short those that one drop has to give up together."""
        group = numbers[:GROUP]
        if not may_drop(self.quarantine, group):
            oldest = oldest_block(self.quarantine)
            group = numbers[: len(oldest)]
            self._check_may_drop(group)
        return group

    def _drop_sent(self):
        sent = self.quarantine.retried
        if sent:
            if not self.quarantine.drop(*sent):
                raise Refused(
                    "%d were sent again and could not be taken out of the quarantine yet; the next retry does that "
                    "first, and sends none of them twice" % len(sent)
                )
            sent.clear()

    def _send_again(self, number):
        """Append the kept result; what was done in words, None for a frame that has to be read first."""
        quarantine, main = self.quarantine, self.main
        kind = quarantine.find(number)
        if kind <= RECORD_NONE:
            return {"gone": number}
        if kind == KIND_RAW:
            return None
        walk = quarantine.ring.walk
        length = walk.length - res.PARKED_BYTES
        flags = walk.flags
        at = self._begin(length)
        if quarantine.find(number) != KIND_RESULT or walk.length != length + res.PARKED_BYTES:
            raise Refused("the quarantine could not be read; try again")
        copy(main.stage, at, walk.page, HEAD_BYTES, length)
        return self._commit(number, at, flags, length)

    def _send_read(self, number):
        """Append what a kept frame says, if it can be read now."""
        if not self._read(number):
            return {"number": number, "unreadable": "this version cannot read it either; it stays"}
        found = yield from self._is_held()
        if found:
            return {"number": number, "held_as": found}
        yield from self._wait_for_line()
        at = self._begin(self._length)
        walk = self.quarantine.ring.walk
        if self.quarantine.find(number) != KIND_RAW:
            raise Refused("the quarantine could not be read; try again")
        copy(self.main.stage, at, walk.page, HEAD_BYTES, res.HEAD_BYTES)
        copy(self.main.stage, at + res.HEAD_BYTES, self._body, 0, self._length - res.HEAD_BYTES)
        return self._commit(number, at, self._flags, self._length)

    def _begin(self, length):
        main = self.main
        main.sparing = True  # rule 3
        has_room = main.has_room(length)
        at = main.begin(KIND_RESULT, length) if has_room else SPOOL_FULL
        main.sparing = False
        if at == SPOOL_FULL:
            raise Refused(
                "the spool has no room for more results; what is not sent again stays. "
                "Try again when ToolsNet has taken some"
            )
        if at < 0:
            raise Refused("the spool takes no result now (%d); what is not sent again stays. Try again" % at)
        return at

    def _commit(self, number, at, flags, length):
        main = self.main
        pack_into("<I", main.stage, at, main.number + 1)
        flags = flags & ~(res.FLAG_COPY | res.FLAG_TRUNCATED | res.FLAG_ASIDE) | res.FLAG_RETRIED
        if main.commit(KIND_RESULT, flags, length) != 0:
            raise Refused("the flash refused result %d; it stays. Try again" % number)
        return {"number": number, "sent_as": main.number}

    def _read(self, number):
        """Read the kept frame `number` into the body; whether that is possible."""
        quarantine = self.quarantine
        if quarantine.find(number) != KIND_RAW:
            return False
        walk = quarantine.ring.walk
        buf = walk.page
        at = HEAD_BYTES + res.HEAD_BYTES
        length = walk.length - res.HEAD_BYTES - res.PARKED_BYTES
        if length < _HEADER_BYTES:
            return False
        body = self._body
        fill(body, 0, _BODY_BYTES)
        self._flags = walk.flags & res.FLAG_RECOVERED
        mid = mid_of(buf, at)
        layout = layout_of(mid, revision_of(buf, at)) if mid == 61 or mid == 65 else None
        if layout is None:
            return False
        read, octets = read_whole(layout, buf, at, length, body, 0)
        if not read:
            return False
        self._length = res.HEAD_BYTES + octets
        if read == res.RESULT_ODD:
            self._flags |= res.FLAG_ODD
        if not res.has_time(body, 0):
            stamp = bytearray(res.STAMP_BYTES)
            self._clock.stamp_into(stamp)
            res.put_time(body, 0, stamp, 0)
            self._flags |= res.FLAG_EDGE_TIME
        return True

    # -- what the log holds already ----------------------------------------------------------------------------

    def _settle(self):
        """Finish what a cut left between append and drop: give up what the log holds marked as sent again."""
        quarantine = self.quarantine
        if quarantine.retried is None:
            sent = []
            numbers = quarantine.numbers()
            body = bytearray(res.BODY_BYTES)
            walk = self.main.walk
            for block in _newest_first(self.main):
                offset = last = 0
                while numbers and self._next_result(block, offset, last, res.FLAG_RETRIED):
                    offset, last, flags = walk.offset, walk.seq, walk.flags
                    main_number = get_u32(walk.page, HEAD_BYTES)
                    copy(body, 0, walk.page, HEAD_BYTES + res.HEAD_BYTES, res.BODY_BYTES)
                    for number in numbers:
                        if number not in sent and self._stands_for(number, body, flags, main_number):
                            sent.append(number)
                    yield None
                yield None
            quarantine.retried = sent
        yield from self._wait_for_line()
        for number in quarantine.retried:
            yield {"number": number, "sent_before": True}
        self._drop_sent()

    def _next_result(self, block, offset, last, mark):
        """Bring the block's next result with this flag into the page; whether there is one."""
        walk = self.main.walk
        bound = self.main.bound(block)
        walk.begin(block, offset, last, bound)
        kind = RECORD_NONE if bound < 0 else walk.next()
        while kind > RECORD_NONE and (kind != KIND_RESULT or walk.flags & mark != mark):
            kind = walk.next()
        if bound < 0 or kind < RECORD_NONE:
            raise Refused("the flash could not be read; nothing was done. Try again")
        return kind > RECORD_NONE

    def _main_number(self):
        walk = self.quarantine.ring.walk
        return get_u32(walk.page, HEAD_BYTES + walk.length - res.PARKED_BYTES)

    def _stands_for(self, number, body, flags, main_number):
        """Tell whether the marked result is what the kept record was sent again as."""
        kind = self.quarantine.find(number)
        if kind <= RECORD_NONE or self._main_number() >= main_number:
            return False
        walk = self.quarantine.ring.walk
        if kind == KIND_RESULT:
            return is_same(walk.page, HEAD_BYTES + res.HEAD_BYTES, walk.flags, body, 0, flags)
        return self._read(number) and is_same(self._body, 0, self._flags, body, 0, flags)

    def _is_held(self):
        """Return under which number the log holds the tightening that was read just now, 0 if it does not."""
        walk = self.main.walk
        for block in _newest_first(self.main):
            offset = last = 0
            while self._next_result(block, offset, last, 0):
                offset, last = walk.offset, walk.seq
                if is_same(walk.page, HEAD_BYTES + res.HEAD_BYTES, walk.flags, self._body, 0, self._flags):
                    return get_u32(walk.page, HEAD_BYTES)
            yield None
        return 0

    # -- steps -------------------------------------------------------------------------------------------------

    def _check_may_drop(self, numbers):
        if not may_drop(self.quarantine, numbers):
            oldest = oldest_block(self.quarantine)
            raise Refused(
                "the quarantine is full to the brim: %d-%d have to go first, in one order; or `all`"
                % (oldest[0], oldest[-1])
            )

    def _wait_for_line(self):
        """Go on when the flash may be used."""
        if self._quiet is None:
            return
        for _ in range(QUIET_ASKED_MOST):
            if self._quiet.may_write(self.main) and self._quiet.may_write(self.quarantine.ring):
                return
            yield None
        raise Refused("the controller's line was never quiet enough to write; what was not done stays. Try again")


def _newest_first(main):
    """Return the blocks of the log, the newest first."""
    count = main.device.block_count
    return [(main.block - back) % count for back in range(count)]


def may_drop(quarantine, numbers):
    """Tell whether these may be dropped now: always, but for the last room, which is for `oldest_block`."""
    ring = quarantine.ring
    if ring.is_free(1) or ring.fits(2 * ring.memory_octets):
        return True
    for number in oldest_block(quarantine):
        if number not in numbers:
            return False
    return True


def oldest_block(quarantine):
    """Return the numbers of the kept records that lie in one block with the oldest."""
    ring = quarantine.ring
    scout = Cursor()
    scout.stand_at(ring.cursors[0])
    found = []
    block = -1
    while ring.peek_from(scout) > RECORD_NONE:
        if not quarantine.is_dropped(scout.peek_number):
            if block < 0:
                block = scout.peek_block
            elif scout.peek_block != block:
                break
            found.append(scout.peek_number)
        scout.advance()
    return found


assert res.BODY_BYTES + res.LIMITS_BYTES == _BODY_BYTES
