"""A log that a test fills, the agent's way to ToolsNet, and a simulated ToolsNet, on one simulated clock."""

from toolcart.agent.base.counters import Counters
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.mount import MOUNT_DONE
from toolcart.agent.log.snapshot_fields import SEND_LIMIT
from toolcart.agent.openprotocol.light_result import read_light
from toolcart.agent.outlets.toolsnet.forward import ToolsNetOutlet
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.record import KIND_RAW
from toolcart.agent.record import result as res
from toolcart.agent.toolsnet.result04 import ResultWriter
from toolcart.agent.toolsnet.session import Session
from toolcart.base.clock import Dice, SimClock
from toolcart.sim import controller_frames as frames
from toolcart.sim.controller_model import Tightening
from toolcart.sim.memory_archive import MemoryArchive
from toolcart.sim.toolsnet import ToolsNet, ToolsNetOptions
from toolcart.toolsnet.telegrams import take_apart
from host_tests.support.log import Area, put
from lab.harness.line import Network, Timed

PORTABLE = True

PIM = ("pim", 6575)
SERVER = ("tn", 10111)
NUMBER = 10  # of the station; type and number of its system are 3 and 1

SETTINGS = {
    "pim_host": "pim",
    "pim_port": 6575,
    "host_override": None,
    "allow_hosts": None,
    "tls_ca": None,
    "rewind": False,
    "refused": "park",
}


def read(telegram):
    """Return what an independent reader finds; the length is right, and nothing breaks the document."""
    octets = bytes(telegram)
    assert int(octets[:4]) == len(octets) - 4
    fields, breaches = take_apart(octets[4:])
    assert not breaches, [str(breach) for breach in breaches]
    return fields


class Outlet(Timed):
    """One station's forwarding, which takes it for its station and its board.

    What survives a cut are the flash, the clock, and ToolsNet.
    """

    flash_window = None
    places = (PIM, SERVER)  # where the other side answers

    def __init__(
        self, options=None, blocks=24, kept_blocks=4, cursor_batch=32, make_port=None, when_full=0, **settings
    ):
        self.board = self
        self.clock = SimClock()
        self.network = Network(self.clock, Dice(5))
        options = dict(options or {})
        options.setdefault("server_host", "tn")
        self.options = ToolsNetOptions(**options)
        self.archive = MemoryArchive(3000)
        self.toolsnet = ToolsNet(self.clock, self.archive, self.options)
        self.network.listen(PIM[0], PIM[1], self.toolsnet.pim_endpoint)
        self.network.listen(SERVER[0], SERVER[1], self.toolsnet.server_endpoint)
        self.area = Area(blocks, kept_blocks=kept_blocks)
        self.flash = self.area.flash
        self.make_port = make_port  # of the network; None for its own
        self.settings = dict(SETTINGS)
        self.settings.update(settings)
        self.cursor_batch = cursor_batch
        self.when_full = when_full
        self.next_id = 1
        self.start()

    def start(self):
        """Make everything new over the flash, as after power has come back."""
        self.state, self.log = self.area.mount(when_full=self.when_full)
        assert self.area.mount_result == MOUNT_DONE
        self.counters = Counters()
        self.quarantine = Quarantine(self.area.kept, self.state, self.log)
        self.quarantine.start()
        self.cursor = self.log.cursors[0]
        self.port = self.tcp()
        self.session = self.make_session()
        writer = ResultWriter(self.session.result, 3, 1)
        writer.session = self.session
        batch = self.cursor_batch
        self.forward = ToolsNetOutlet(self.port, self.session, writer, self, self.settings, cursor_batch=batch)
        self.policy = self.forward.policy
        self.forward.begin(self.clock.now)

    def make_session(self):
        return Session(3, 1, NUMBER)

    def cut(self):
        """Let the power fail and come back: the connection goes without a word."""
        self.network.abandon(self.port)
        self.start()

    # What a board gives

    def now(self):
        return self.clock.now

    def tcp(self):
        return self.make_port(self.network) if self.make_port else self.network.port()

    def stamp_into(self, buf):
        """The station's wall clock."""
        buf[0:19] = self.clock.stamp().encode()

    # What lies in the log

    def store(self, count=1, **fields):
        """Put light results into the log; returns their tightening IDs."""
        ids = []
        for _ in range(count):
            result = Tightening()
            result.tightening_id = self.next_id
            result.time = self.clock.stamp()
            result.pset_change = "2024-02-01:08:00:00"
            for name in fields:
                setattr(result, name, fields[name])
            message = frames.header(61, 999, 101) + frames.result_data(result, 999)
            body = bytearray(res.BODY_BYTES)
            read_light(body, 0, message, 0)
            assert put(self.log, body) == LOG_DONE, "it is not stored"
            ids.append(result.tightening_id)
            self.next_id += 1
        return ids

    def store_raw(self, octets=b"0061 that no one could read"):
        """Put a frame that could not be read into the log."""
        assert put(self.log, octets, KIND_RAW) == LOG_DONE

    def parked_records(self):
        """Return (kind, number in the log, reason, content behind the number) of all that is kept, oldest first."""
        quarantine = self.quarantine
        records = []
        entry = 0
        while True:
            kind = quarantine.next_entry(entry)
            if kind <= 0:
                assert kind == 0
                return records
            entry = quarantine.entry
            log = quarantine.log
            content = bytes(log.page[log.at + 4 : log.at + quarantine.length])
            records.append((kind, quarantine.number, quarantine.reason, content))

    def parked_numbers(self):
        return [record[1] for record in self.parked_records()]

    def numbers_after_cut(self):
        """Return the numbers that a start would find if power failed now; the flash itself is not touched."""
        state, _log = self.area.clone().mount(when_full=self.when_full)
        return state.numbers

    def limit_after_cut(self):
        return self.numbers_after_cut()[SEND_LIMIT]

    def waiting(self):
        """Return how many numbers of the log wait; 0 if nothing in them is for ToolsNet."""
        return self.log.backlog_of(self.cursor)

    # Time

    def work(self, now):
        return self.forward.step(now)

    def until_refused(self, count):
        """Let time pass until ToolsNet has refused so many telegrams; returns the ms it took."""
        return self.until(lambda: self.toolsnet.refused >= count)

    def until_passed(self, limit_ms=600000, and_ms=0):
        """Let time pass until the cursor is behind everything, and then some more."""
        self.until(lambda: self.waiting() == 0, limit_ms)
        if and_ms:
            self.run(and_ms)

    # What became of it

    def status(self):
        """Return what the outlet tells people."""
        state = {"waiting": self.log.backlog_of(self.cursor)}
        self.forward.put_state(state)
        return state

    def clean(self):
        """Assert that ToolsNet found nothing to complain about."""
        assert self.toolsnet.complaints == [], self.toolsnet.complaints[:3]


class SecondOutlet(Outlet):
    """One station's outlet at its second cursor; ToolsNet takes nothing and keeps nothing. `make_outlet` makes it."""

    durable = True
    events = (1,)  # it wants them

    def start(self):
        best_effort = (0,) if self.durable else (0, 1)
        self.state, self.log = self.area.mount(best_effort, events=self.events, cursors=2, when_full=self.when_full)
        self.counters = Counters()
        self.cursor = self.log.cursors[1]
        self.forward = self.make_outlet()
        self.forward.begin(self.clock.now)
