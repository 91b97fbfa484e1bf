"""What an operator does with results that were set aside: list, show, drop, retry; one bounded piece of work a step.

    list          one line for each record, then a line with the counts
    show N        everything about one
    drop WHICH    give them up for good; WHICH is `all`, numbers `3`, and ranges `5-9`
    retry WHICH   send them again: each becomes a new result at the end of the main log, and leaves the quarantine

Rules
1. `carry_out` is a generator: it gives a line (a dict) or None, which means "go on when the others had their turn". The
   flash is written only while the controller's line is quiet (agent.link).
2. A retried result is durable in the main log, marked FLAG_RETRIED, before it leaves the quarantine. A cut between the
   two leaves it in both: the first retry after a start finds the marked ones in the log and gives up what they stand
   for. A mark counts only above the number under which the record was set aside: a result may be refused again.
3. A frame that could not be read is read again by the readers of this version. It goes out as a result if it can be
   read now and the log does not hold that tightening already; else it stays and the answer says so.
4. What finds no room is not sent again: no waiting result is overwritten for it.
5. Loaded when an order comes, and given back when it is done.
"""

from struct import pack_into

from agent.base import result as res
from agent.base.compat import const
from agent.base.fields import copy, fill
from agent.base.words import get_u32
from agent.link import ERASE_MS, PROGRAM_MS
from agent.openprotocol.header import mid_of, revision_of
from agent.openprotocol.light import LIGHT_BYTES, read_light
from agent.quarantine import TAKEN
from agent.quarantine_list import IN_PLACE_TOLD, InPlace, kept, needs_operator
from agent.spool.blocks import SPOOL_FULL, WHEN_FULL_REFUSE
from agent.spool.record import HEAD_BYTES, KIND_RAW, KIND_RESULT, RECORD_NONE
from agent.spool.search import is_same

GROUP = const(8)  # so many are sent again before one record drops them all
QUIET_ASKED_MOST = const(20000)  # how often a line is asked whether it is quiet, before the order is given up

_BODY_BYTES = const(142)  # a body and its limits
_HEADER_BYTES = const(20)

HELP = "list, show N, drop all|N|N-M, retry all|N|N-M"


class Refused(Exception):
    """The order cannot be carried out, or not to its end; the text says why and what to do."""


def carry_out(quarantine, main, station, clock, quiet, words):
    """Give the lines of the answer to the order `words`; see rule 1.

    `clock` has stamp_into; `quiet(ms)` tells whether the flash may be busy for so long, None if nobody minds.
    """
    orders = Orders(quarantine, main, station, clock, quiet)
    verb = words[0] if words else ""
    try:
        if verb == "list" and len(words) == 1:
            yield from orders.list()
        elif verb == "show" and len(words) == 2:
            yield from orders.show(words[1])
        elif verb == "drop" and len(words) > 1:
            yield from orders.drop(words[1:])
        elif verb == "retry" and len(words) > 1:
            yield from orders.retry(words[1:])
        else:
            yield {"error": "no such order; there are: " + HELP}
    except Refused as refused:
        yield {"error": str(refused)}


class Orders:
    """The orders for one station whose logs are mounted."""

    def __init__(self, quarantine, main, station, clock, quiet):
        self.quarantine = quarantine
        self.main = main
        self.station = station
        self._clock = clock
        self._quiet = quiet
        self._body = bytearray(_BODY_BYTES)
        self._length = 0  # of the payload that _read has read
        self._flags = 0

    # -- looking -----------------------------------------------------------------------------------------------

    def list(self):
        """One line for each record, and the counts."""
        count = 0
        for number in self.quarantine.numbers():
            told = kept(self.quarantine, number)
            if told is not None:
                count += 1
                yield {"record": told}
        in_place = InPlace(self.main, self.quarantine)
        stay = 0
        while stay < IN_PLACE_TOLD:
            told = in_place.next()
            if told is None:
                break
            stay += 1
            yield {"record": told}
        if stay == IN_PLACE_TOLD:
            stay += in_place.count()
        need = needs_operator(self.quarantine, self.station)
        yield {"station": self.station, "parked": count, "parked_in_place": stay, "needs_operator": need}

    def show(self, word):
        """One record."""
        told = kept(self.quarantine, _number(word))
        if told is None:
            raise Refused("there is no record %s; `toolcart quarantine list` names those that are there" % word)
        yield {"record": told}

    # -- giving up ---------------------------------------------------------------------------------------------

    def drop(self, words):
        """Give up those that the words name, and let move in what waits for their room."""
        self._ready()
        numbers = self._chosen(words)
        self._check_may_drop(numbers)
        yield from self._wait_for_line()
        if not self.quarantine.drop(*numbers):
            raise Refused("nothing was dropped: it could not be written to the flash; try again")
        for number in numbers:
            yield {"dropped": number}
        yield from self._move_in()
        yield {"count": len(numbers), "parked": self.quarantine.count(), "still_in_place": self.main.has_aside()}

    def _move_in(self):
        """Without an agent; one that runs does it by itself within a minute, when its line is quiet."""
        if self._quiet is None:
            while self.quarantine.take_oldest(self.main) == TAKEN:
                yield None

    # -- sending again -----------------------------------------------------------------------------------------

    def retry(self, words):
        """Send again those that the words name."""
        self._ready()
        numbers = self._chosen(words)
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
            done += len(sent)
            yield from self._wait_for_line()
            self._drop_sent()
        yield from self._move_in()
        yield {"count": done, "parked": self.quarantine.count(), "still_in_place": self.main.has_aside()}

    def _group(self, numbers):
        """Return the first few of the numbers: where room is short those that one drop has to give up together."""
        group = numbers[:GROUP]
        if not self.quarantine.may_drop(group):
            oldest = self.quarantine.oldest_block()
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
        when_full = main.when_full
        main.when_full = WHEN_FULL_REFUSE  # rule 4
        has_room = main.has_room(length)
        at = main.begin(KIND_RESULT, length) if has_room else SPOOL_FULL
        main.when_full = when_full
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
        flags = flags & ~(res.FLAG_COPY | res.FLAG_TRUNCATED) | res.FLAG_RETRIED
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
        if walk.flags & res.FLAG_TRUNCATED or length < _HEADER_BYTES:
            return False
        body = self._body
        fill(body, 0, _BODY_BYTES)
        self._length = res.HEAD_BYTES + res.BODY_BYTES
        self._flags = walk.flags & res.FLAG_RECOVERED
        mid, revision = mid_of(buf, at), revision_of(buf, at)
        if mid == 61 and revision == 999:
            if length < LIGHT_BYTES or read_light(body, 0, buf, at, length) != res.RESULT_READ:
                return False
        elif not self._read_long(mid, revision, buf, at, length):
            return False
        if not res.has_time(body, 0):
            stamp = bytearray(res.STAMP_BYTES)
            self._clock.stamp_into(stamp)
            res.put_time(body, 0, stamp, 0)
            self._flags |= res.FLAG_EDGE_TIME
        return True

    def _read_long(self, mid, revision, buf, at, length):
        from agent.openprotocol import layouts

        layout = layouts.layout_of(mid, revision) if mid == 61 or mid == 65 else None
        if layout is None or layouts.read_result(layout, buf, at, length, self._body, 0) != res.RESULT_READ:
            return False
        if layouts.read_limits(layout, buf, at, length, self._body, res.BODY_BYTES):
            self._length += res.LIMITS_BYTES
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

    def _ready(self):
        self.quarantine.pass_dropped()
        if not self.quarantine.ring.confirm() or not self.main.confirm():
            raise Refused("the spool takes nothing now: it is full, or the disk or flash refuses; nothing was done")

    def _check_may_drop(self, numbers):
        if not self.quarantine.may_drop(numbers):
            oldest = self.quarantine.oldest_block()
            raise Refused(
                "the quarantine is full to the brim: %d-%d have to go first, in one order; or `all`"
                % (oldest[0], oldest[-1])
            )

    def _chosen(self, words):
        """Return the kept numbers that the words name, oldest first."""
        there = self.quarantine.numbers()
        if words == ["all"]:
            return there
        chosen = []
        for word in words:
            first, _, last = word.partition("-")
            low = _number(first)
            high = _number(last) if last else low
            found = [number for number in there if low <= number <= high]
            if not found:
                raise Refused("there is no record %s; nothing was done" % word)
            chosen += found
        return sorted(set(chosen))

    def _wait_for_line(self):
        """Go on when the flash may be used."""
        if self._quiet is None:
            return
        for _ in range(QUIET_ASKED_MOST):
            ready = self.main.is_ready() and self.quarantine.ring.is_ready()
            if self._quiet(PROGRAM_MS if ready else ERASE_MS):
                return
            yield None
        raise Refused("the controller's line was never quiet enough to write; what was not done stays. Try again")


def _newest_first(main):
    """Return the blocks of the log, the newest first."""
    count = main.device.block_count
    return [(main.block - back) % count for back in range(count)]


def _number(word):
    if not word.isdigit():
        raise Refused("%s is no number of a record" % word)
    return int(word)


assert res.BODY_BYTES + res.LIMITS_BYTES == _BODY_BYTES
