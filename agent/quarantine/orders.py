"""What an operator can do with the quarantine: list, show, drop, retry; one bounded piece of work per step.

    list             one line for each entry, then a line with the counts
    show N           everything about one entry
    drop WHICH       give them up for good; WHICH is `all`, also what cannot be read, numbers `3`, and ranges `5-9`; the
                     answer says how many that cannot be read left with them (toolcart.agent.quarantine.quarantine)
    drop first       give up the one that ToolsNet refuses and that holds all others, while the quarantine has no room;
                     an outstanding one goes when its outcome is known ("soon"); a restart before that forgets the order
    retry WHICH      offer them to ToolsNet again at once, even while others are held
    retry in-doubt WHICH   also those that ToolsNet may already have: they may be there twice then

Rules
1. `carry_out` is a generator: it yields a line (a dict), or None, which means "continue after the other tasks". The
   flash is written only while the controller's line is quiet (toolcart.agent.link.flash_window).
2. A drop and a retry need no room anywhere. What is dropped is durably gone when its line is yielded.
3. A retry is made by the outlet: it has one outstanding at a time, and an entry leaves the quarantine when ToolsNet has
   taken it; it has forgotten the order after a restart. If no agent is running, the next one offers them before those
   that it has offered, after ten minutes of good service (toolcart.agent.outlets.toolsnet.reoffer_schedule).
4. What is dropped while `offer-again` (toolcart.agent.linux.offer_again) has it sent again with others goes out with
   them all the same, and counts as waiting; the answer says so.
5. A frame that could not be read is read again with this version's readers. If that works, the result takes its place
   and is sent or, if the log holds the same tightening elsewhere, the frame is dropped; else it stays and the answer
   says so.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy, fill
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.snapshot_fields import DAMAGED, DROPPED, REOFFERED_TO
from toolcart.agent.openprotocol import header
from toolcart.agent.openprotocol.duplicate_search import HELD_UNKNOWN
from toolcart.agent.openprotocol.header import mid_of, place_of, revision_of
from toolcart.agent.openprotocol.layouts import in_place, layout_of, read_whole
from toolcart.agent.openprotocol.shifted_result import find
from toolcart.agent.quarantine.entries import entry_of, needs_operator
from toolcart.agent.quarantine.quarantine import DROP_NONE, DROP_SOON, FAILED
from toolcart.agent.record import KIND_RAW, KIND_RESULT
from toolcart.agent.record import result as res
from toolcart.agent.record.malformed import mark
from toolcart.agent.record.provenance import NO_SOURCE, NONE_NAMED, ORIGIN_BYTES, SPINDLE, put_origin, source_of

NO_TOOLSNET = "ToolsNet is not among the outlets of station %d: nothing is set aside, and nothing can be offered again"
HELD = (
    "ToolsNet is not among the outlets of station %d now: what was set aside or delivered there is kept, as far as the "
    "spool has room, and nothing is sent or dropped until ToolsNet is configured again"
)
HELP = "list, show N, drop first|all|N|N-M, retry [in-doubt] all|N|N-M"
STEP = const(64)  # how many are looked at, or dropped by one snapshot, before the other tasks have their turn
QUIET_ASKED_MOST = const(20000)  # how often to check whether the line is quiet before giving up the order

_WHY_NOT = (  # by ASK_
    "",
    "the quarantine cannot be read now; try again",
    "it is no longer in the quarantine",
    "it is a frame that could not be read, and no result",
    "ToolsNet may have it already",
    "many others are to be offered first; ask again later",
    "there is no room for what ToolsNet refused; drop something first",
)

_PAYLOAD_BYTES = const(158)  # head, body, limits and origin


class OrderRefused(Exception):
    """The order cannot be carried out, or not completely; the text says why and what to do."""


def why_none(station):
    """Return why a running station can be given no such order now; "" if it can."""
    if not station.mounted:
        return "the spool of station %d is not up; the agent's log says why" % station.number
    if station.quarantine is not None:
        return ""
    return (HELD if station.at_start.holds_toolsnet else NO_TOOLSNET) % station.number


def of_station(station, board, words):
    """Return a generator of the answer's lines for a running station."""
    wrong = why_none(station)
    if wrong:
        return iter([{"error": wrong}])
    return carry_out(
        station.quarantine, station.log, station.number, board, station.flash_window, words, station.toolsnet()
    )


def carry_out(quarantine, main, station, clock, quiet, words, outlet=None):
    """Yield the lines of the answer to the order `words`; see rule 1.

    `clock` has stamp_into; `quiet` says when the flash may be used, None: always; `outlet` is the running ToolsNet
    outlet: `offer_on_order(number, in_doubt)` has it offer one again or says why not (ASK_), `drop_first` drops what
    holds it.
    """
    orders = Orders(quarantine, main, station, clock, quiet, outlet)
    verb = words[0] if words else ""
    try:
        if verb == "list" and len(words) == 1:
            yield from orders.list()
        elif verb == "show" and len(words) == 2:
            yield from orders.show(words[1])
        elif verb == "drop" and words[1:] == ["first"]:
            yield from orders.drop_first()
        elif verb == "drop" and len(words) > 1:
            yield from orders.drop(words[1:])
        elif verb == "retry" and len(words) > 1 and words[1] != "in-doubt":
            yield from orders.retry(words[1:], False)
        elif verb == "retry" and len(words) > 2:
            yield from orders.retry(words[2:], True)
        else:
            yield {"error": "no such order; there are: " + HELP}
    except OrderRefused as refused:
        yield {"error": str(refused)}


class Orders:
    """The orders for one station whose logs are mounted."""

    def __init__(self, quarantine, main, station, clock, quiet, outlet):
        self.quarantine = quarantine
        self.main = main
        self.station = station
        self._clock = clock
        self._quiet = quiet
        self._outlet = outlet
        self._payload = bytearray(_PAYLOAD_BYTES)  # that `_read` has read
        self._length = 0
        self._flags = 0

    # -- looking -----------------------------------------------------------------------------------------------

    def list(self):
        """Yield a line for each entry, and one with the counts."""
        quarantine = self.quarantine
        count = lost = entry = oldest = 0
        place = -1
        while True:
            kind = quarantine.next_listed(entry)
            if kind < RECORD_NONE:
                raise OrderRefused("the quarantine cannot be read now; try again")
            lost += quarantine.lost
            if kind == RECORD_NONE:
                break
            entry = quarantine.entry
            place = quarantine.place() if count == 0 else place
            oldest += quarantine.place() == place
            count += 1
            yield {"record": entry_of(quarantine, kind)}
        counts = {"station": self.station, "parked": count, "parked_damaged": lost, "oldest_block": oldest}
        counts["needs_operator"] = needs_operator(quarantine)
        counts["is_known"] = not quarantine.state.lost
        quarantine.unreadable = lost
        yield counts

    def show(self, word):
        """Yield one entry."""
        quarantine, number = self.quarantine, _number(word, word)
        kind = quarantine.next_listed(0)
        while kind > RECORD_NONE and quarantine.number != number:
            kind = quarantine.next_listed(quarantine.entry)
        if kind < RECORD_NONE:
            raise OrderRefused("the quarantine cannot be read now; try again")
        if kind == RECORD_NONE:
            raise OrderRefused("there is no record %s in the quarantine; `list` names those that are" % word)
        yield {"record": entry_of(quarantine, kind)}

    # -- giving up ---------------------------------------------------------------------------------------------

    def drop(self, words):
        """Drop those that the words name."""
        left = yield from self._chosen(words)
        numbers = self.quarantine.state.numbers
        count = again = given_up = 0
        while left:
            yield from wait_for_line(self._quiet)
            is_again = [self.quarantine.is_sent_again(number) for number in left[:STEP]]
            damaged = numbers[DAMAGED]
            gone = self._drop_some(left)
            given_up += numbers[DAMAGED] - damaged
            for number in left[:gone]:
                yield {"dropped": number}
            count += gone
            again += sum(is_again[:gone])
            left = left[gone or self._is_gone(left[0]) :]
            yield None
        answer = {"count": count, "again": again}
        if words == ["all"] and self.quarantine.count():
            more = self.quarantine.give_up_unreadable()
            if more < 0:
                raise OrderRefused("the flash takes nothing now; what cannot be read is not given up. Try again")
            given_up += more
        if given_up:
            answer["given_up"] = given_up
        answer["parked"] = self.quarantine.count()
        yield answer

    def _drop_some(self, numbers):
        """Drop the first of these; return how many, 0 if a gap had to be made first or the first was already gone."""
        done = self.quarantine.remove(numbers[:STEP], DROPPED)
        if done == 0 and not self._is_gone(numbers[0]):
            done = 0 if self.quarantine.tidy() else FAILED
        if done < 0:
            raise OrderRefused(
                "the flash takes nothing now; what was not named as dropped may be there still. Try again"
            )
        return done

    def _is_gone(self, number):
        """True if this one has left in another way in the meantime."""
        return self._find(number) == RECORD_NONE

    def drop_first(self):
        """Drop the one that holds all others."""
        if self._outlet is None:
            raise OrderRefused("the agent has to run for that: it knows which one is refused")
        yield from wait_for_line(self._quiet)
        done = self._outlet.drop_first()
        if done == DROP_NONE:
            raise OrderRefused(
                "nothing was dropped: nothing is held now, or the flash takes nothing; `status` tells more"
            )
        yield {"count": 1, "parked": self.quarantine.count(), "soon": done == DROP_SOON}

    # -- offering again ----------------------------------------------------------------------------------------

    def retry(self, words, in_doubt):
        """Offer those that the words name again."""
        chosen = yield from self._chosen(words)
        first = count = 0
        for number in chosen:
            kind = self._find(number)
            if kind == KIND_RAW:
                answer = yield from self._read_again(number)
                kind = self._find(number)
            else:
                answer = None
            if answer is None:
                answer = self._ask(number, kind, in_doubt)
            if "asked" in answer:
                count += 1
                first = min(first or self.quarantine.entry, self.quarantine.entry)
            yield answer
            yield from wait_for_line(self._quiet)
        if first and self._outlet is None:
            self._offer_first(first)
        yield {"count": count, "parked": self.quarantine.count(), "running": self._outlet is not None}

    def _ask(self, number, kind, in_doubt):
        """Have the entry just found offered again; return what was done, in words."""
        if kind == RECORD_NONE:
            return {"gone": number}
        is_doubtful = self.quarantine.reason == res.QUARANTINED_IN_DOUBT
        if is_doubtful and not in_doubt:
            return {"number": number, "stays": "in doubt: ToolsNet may have it; look there, then `retry in-doubt`"}
        if self._outlet is None:
            if is_doubtful:
                return {"number": number, "stays": "in doubt: the agent has to run for that"}
            return {"number": number, "asked": True}
        why = self._outlet.offer_on_order(number, in_doubt)
        return {"number": number, "stays": _WHY_NOT[why]} if why else {"number": number, "asked": True}

    def _offer_first(self, entry):
        """Count this entry and those after it as never offered again (rule 3)."""
        numbers = self.quarantine.state.numbers
        before = numbers[REOFFERED_TO]
        numbers[REOFFERED_TO] = min(before, entry - 1)
        if not self.quarantine.state.save():
            numbers[REOFFERED_TO] = before
            raise OrderRefused("the flash takes nothing now; try again")

    def _read_again(self, number):
        """Replace a frame by its result if it can be read now; return None if that was done, else the answer."""
        if not self._read(number):
            return {"number": number, "stays": "this version cannot read it either"}
        from toolcart.agent.openprotocol.duplicate_search import DuplicateSearch

        held = DuplicateSearch(self.main).holds(self._payload, 0, self._length, self._flags)
        if held == HELD_UNKNOWN:
            raise OrderRefused("the log cannot be read now; try again")
        if held:
            yield from wait_for_line(self._quiet)
            gone = self._drop_some([number])
            return {"number": number, "held": True} if gone else {"number": number, "stays": "try again"}
        quarantine = self.quarantine
        for _ in range(quarantine.count()):
            yield from wait_for_line(self._quiet)
            if not quarantine.settle() or quarantine.next_entry(0) <= RECORD_NONE:
                break
            if quarantine.number == number:
                log = quarantine.log
                copy(log.stage, log.payload_at, self._payload, 0, self._length)
                if quarantine.replace_oldest(KIND_RESULT, self._flags, self._length, res.QUARANTINED_READ):
                    return None
                break
            if not quarantine.move_oldest():
                break
        raise OrderRefused("the flash takes nothing now; %d stays a frame. Try again" % number)

    def _read(self, number):
        """Read the frame `number` into the payload; return True if that worked."""
        quarantine = self.quarantine
        if quarantine.find(number) != KIND_RAW or quarantine.log.flags & res.FLAG_ODD:  # its unit is not known
            return False
        buf = quarantine.log.page
        at = quarantine.log.at + res.HEAD_BYTES
        length = quarantine.length - res.HEAD_BYTES
        if length < header.HEADER_BYTES:
            return False
        payload, body = self._payload, res.HEAD_BYTES
        fill(payload, 0, _PAYLOAD_BYTES)
        copy(payload, 0, buf, quarantine.log.at, res.HEAD_BYTES)
        is_cut = quarantine.log.flags & res.FLAG_TRUNCATED
        self._flags = quarantine.log.flags & res.FLAG_RECOVERED
        mid = mid_of(buf, at)
        revision = revision_of(buf, at)
        layout = layout_of(mid, revision) if mid == 61 or mid == 65 else None
        if layout is None:
            return False
        message, how = bytes(buf[at : at + length]), 0
        if not in_place(mid, revision, buf, at, length):
            found = find(mid, revision, buf, at, length)
            if found is None:
                return False
            used, message, how = found
            layout = layout_of(mid, used)
        read, octets = read_whole(layout, message, 0, len(message), payload, body)
        if not read:
            return False
        self._length = res.HEAD_BYTES + octets
        if how:
            self._length = mark(payload, 0, self._length, how)
            read = res.RESULT_ODD
        self._sign(mid, NO_SOURCE if is_cut else source_of(mid, revision), buf, at, length)
        if read == res.RESULT_ODD:
            self._flags |= res.FLAG_ODD
        if not res.has_time(payload, body):
            stamp = bytearray(res.STAMP_BYTES)
            self._clock.stamp_into(stamp)
            res.put_time(payload, body, stamp, 0)
            self._flags |= res.FLAG_EDGE_TIME
        return True

    def _sign(self, mid, source, buf, at, length):
        """Say in the payload where the message came from, as toolcart.agent.station.store does."""
        payload = self._payload
        unnamed = 1 if mid == 61 else NONE_NAMED
        payload[SPINDLE] = place_of(buf, at + header.SPINDLE) or unnamed
        station = place_of(buf, at + header.STATION) or unnamed
        first, end = at + header.HEADER_BYTES, at + length
        self._length = put_origin(payload, 0, self._length, station, source, buf, first, end)

    # -- steps -------------------------------------------------------------------------------------------------

    def _find(self, number):
        kind = self.quarantine.find(number)
        if kind < RECORD_NONE:
            raise OrderRefused("the quarantine cannot be read now; try again")
        return kind

    def _chosen(self, words):
        """Return the numbers that the words name, in the order of the entries."""
        quarantine = self.quarantine
        yield from wait_for_line(self._quiet)
        if not quarantine.settle():
            raise OrderRefused("the flash takes nothing now; nothing was done. Try again")
        ranges = [] if words == ["all"] else [_range(word) for word in words]
        hits = [0] * len(ranges)
        chosen = []
        kind = quarantine.next_entry(0)
        while kind > RECORD_NONE:
            number, entry = quarantine.number, quarantine.entry
            is_chosen = not ranges
            for index in range(len(ranges)):
                if ranges[index][0] <= number <= ranges[index][1]:
                    hits[index] += 1
                    is_chosen = True
            if is_chosen:
                chosen.append(number)
            if len(chosen) % STEP == STEP - 1:
                yield None
            kind = quarantine.next_entry(entry)
        if kind < RECORD_NONE:
            raise OrderRefused("the quarantine cannot be read now; nothing was done. Try again")
        if 0 in hits:
            raise OrderRefused("there is no record %s in the quarantine; nothing was done" % words[hits.index(0)])
        return chosen


def wait_for_line(quiet):
    """Wait until the flash may be used, including an erase."""
    if quiet is None:
        return
    for _ in range(QUIET_ASKED_MOST):
        if quiet.may_erase():
            return
        yield None
    raise OrderRefused("the controller's line was never quiet enough to write; what was not done stays. Try again")


def _number(digits, word):
    """Return the number that these digits of a word are."""
    if not digits.isdigit():
        raise OrderRefused("%s is no number of a record" % word)
    return int(digits)


def _range(word):
    first, _, last = word.partition("-")
    low = _number(first, word)
    high = _number(last, word) if last else low
    if high < low:
        raise OrderRefused("%s is the wrong way round: %d-%d" % (word, high, low))
    return (low, high)


assert res.HEAD_BYTES + res.BODY_BYTES + res.LIMITS_BYTES + ORIGIN_BYTES == _PAYLOAD_BYTES
