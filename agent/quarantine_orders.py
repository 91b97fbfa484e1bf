"""What an operator does with results that were set aside: list, show, drop, retry; one bounded piece of work a step.

    list          one line for each record, then a line with the counts
    show N        everything about one
    drop WHICH    give them up for good; WHICH is `all`, numbers `3`, and ranges `5-9`
    retry WHICH   send them again: each becomes a new result at the end of the main log, and leaves the quarantine

Rules
1. `carry_out` is a generator: it gives a line (a dict) or None, which means "go on when the others had their turn". The
   flash is written only while the controller's line is quiet (agent.quiet).
2. How something is sent again without being lost or sent twice: agent.quarantine_retry.
3. Loaded when an order comes, and given back when it is done.
"""

from agent.quarantine_list import IN_PLACE_TOLD, InPlace, kept, needs_operator
from agent.quarantine_retry import Again, Refused
from agent.record.result import TAKEN

HELP = "list, show N, drop all|N|N-M, retry all|N|N-M"


def carry_out(quarantine, main, station, clock, quiet, words):
    """Give the lines of the answer to the order `words`; see rule 1.

    `clock` has stamp_into; `quiet` tells when the flash may be used (agent.quiet), None if nobody minds.
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


class Orders(Again):
    """The orders for one station whose logs are mounted."""

    def __init__(self, quarantine, main, station, clock, quiet):
        Again.__init__(self, quarantine, main, clock, quiet)
        self.station = station

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
        done = yield from self.send(numbers)
        yield from self._move_in()
        yield {"count": done, "parked": self.quarantine.count(), "still_in_place": self.main.has_aside()}

    # -- steps -------------------------------------------------------------------------------------------------

    def _ready(self):
        self.quarantine.pass_dropped()
        if not self.quarantine.ring.confirm() or not self.main.confirm():
            raise Refused("the spool takes nothing now: it is full, or the disk or flash refuses; nothing was done")

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


def _number(word):
    if not word.isdigit():
        raise Refused("%s is no number of a record" % word)
    return int(word)
