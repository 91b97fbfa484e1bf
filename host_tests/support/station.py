"""The machines and the store of one station over its area of a flash, joined as the cart does.

    class Bench(Station):
        def start(self):
            self.bring_up(self.area)
            self.take(self.clock)

What a bench does not make is not imported either: a small heap has room for some of it only.
"""

from toolcart.agent.base.counters import Counters
from toolcart.agent.log.log import WHEN_FULL_REFUSE
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res
from host_tests.support.log import Area, held

PORTABLE = True


NUMBER = 10  # of the station; type and number of its system are 3 and 1


class Station:
    """What is made at each start. The area is the bench's own, since its flash survives."""

    def bring_up(self, area, keeps=False, **log):
        """Mount the area and, if it `keeps`, the quarantine; `log` goes to `area.mount`. False: it cannot be read."""
        self.area = area
        self.counters = Counters()
        self.state, self.log = area.mount(**log)
        if area.mount_result != MOUNT_DONE:
            return False
        if keeps:
            from toolcart.agent.quarantine.quarantine import Quarantine

            self.quarantine = Quarantine(area.kept, self.state, self.log)
            self.quarantine.start()
        return True

    def take(self, board, recover=True, **recovery):
        """Make what stores results and knows which are missing. True if all of the log counts already."""
        from toolcart.agent.openprotocol.duplicate_search import DuplicateSearch
        from toolcart.agent.openprotocol.id_ledger import IdLedger
        from toolcart.agent.openprotocol.recovery import Recovery
        from toolcart.agent.station.store import Store

        self.ledger = IdLedger(self.state, recover)
        self.duplicates = DuplicateSearch(self.log)
        recovery.setdefault("revisions", (2, 1))
        self.recovery = Recovery(self.duplicates, self.ledger, **recovery)
        self.store = Store(self.log, self.ledger, self.recovery, self.duplicates, self.counters, board, NUMBER)
        return self.store.start()

    def counted(self, code):
        return self.counters.counts[code]


# A station's store over a flash in RAM, which is given messages as a link gives them.

NOW = 1000
IDENTITY = b"0" * 41 + b" " * 10
BLANK = b" " * 19


class LinkMessage:
    """A message as a link shows it: at buf[at:at+length]."""

    def __init__(self, buf, at, length):
        self.buf = buf
        self.at = at
        self.length = length


class Clock:
    """The agent's own clock: a second later each time it is asked."""

    def __init__(self):
        self.reads = 0

    def stamp_into(self, buf):
        self.reads += 1
        buf[:] = ("2030-01-01:00:00:%02d" % (self.reads % 60)).encode()


class Bench(Station):
    """A store over a flash in RAM."""

    def __init__(self, blocks=19, when_full=WHEN_FULL_REFUSE, area=None, **options):
        self.area = area or Area(blocks)
        self.device = self.area.flash
        self.when_full = when_full
        self.options = options
        self.start()

    def start(self):
        """As after a power cut: everything new but the flash."""
        assert self.bring_up(self.area, when_full=self.when_full)
        self.clock = Clock()
        self.take(self.clock, **self.options)
        self.recovery.flags = 0  # as on a connection that has proven its IDs
        return self

    def push(self, frame, cut_short=False):
        """Hand over a MID 0061 from somewhere inside a buffer."""
        buf = b"##" + frame + b"\0"
        revision = int(frame[8:11]) if frame[8:11].strip() else 1
        return self.store.put_pushed(LinkMessage(buf, 2, len(frame)), revision, cut_short, NOW)

    def fetch(self, frame):
        assert self.store.read_fetched(frame, 0, len(frame), int(frame[8:11]))
        return self.store.put_fetched(NOW)

    def prove(self, frame):
        """Let the controller prove what its IDs mean: the answer to the newest is this MID 0065."""
        self.recovery.begin_session(IDENTITY, 0, BLANK, NOW)
        while self.recovery.flags:
            assert self.recovery.prepare_request(NOW)
            assert self.store.read_fetched(frame, 0, len(frame), int(frame[8:11]))
            self.recovery.fetched(self.log.stage, self.store.body, NOW)
        return self

    def records(self, *kinds):
        """Return (kind, flags, payload) of the records of these kinds, in order."""
        return [(kind, flags, payload) for _, kind, flags, payload in held(self.log) if kind in kinds]

    def results(self):
        return self.records(KIND_RESULT)

    def idents(self):
        """Return the IDs of the results in the log, in order."""
        at = res.HEAD_BYTES + res.TIGHTENING_ID
        return [int(payload[at : at + res.ID_BYTES]) for _, _, payload in self.results()]
