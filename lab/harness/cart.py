"""The whole agent on a board in memory, between simulated controllers and a simulated ToolsNet, on one clock.

    cart = Cart(controller={"nul": "late"}, settings={"toolsnet": {"rewind": True}}, blocks=8)
    cart.until_ready(); cart.produce(); cart.until_quiet(); cart.cut()

Rules
1. Time moves only to the next deadline of any part: a sleeping agent is woken by input or by its own deadline.
2. An agent that asks to run again at once, over and over, is at fault.
3. `cut` is a power cut: new objects over the same flash; the peers do not notice.
4. SimLines is a file of lines in memory that can refuse everything and lose what is not durable.
"""

from toolcart.agent.cart.app import App
from toolcart.agent.cart.config import complete
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.base.clock import Dice, SimClock
from toolcart.board.ram_flash import RamFlash
from toolcart.sim.controller import Controller
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.memory_archive import MemoryArchive
from toolcart.sim.toolsnet import ToolsNet, ToolsNetOptions
from lab.harness.line import Network, Timed

PORTABLE = True


class SimLines:
    """What toolcart.board.linux.lines promises. `cut(octets)` is a power cut: so many bytes not yet durable stay."""

    path = "lines"
    cure = ""

    def __init__(self):
        self.octets = b""
        self.durable = 0
        self.is_open = False
        self.refuses = ()  # names of the calls that fail
        self.room = None  # bytes left until the disk is full
        self.calls = 0
        self.is_begun = False
        self.why = ""

    def _fails(self, name):
        self.calls += 1
        self.why = "it refuses" if name in self.refuses else ""
        return name in self.refuses

    def open(self):
        if self._fails("open") or self._fails("sync"):
            return False
        self.octets = self.octets[: self.octets.rfind(b"\n") + 1]
        self.durable = len(self.octets)
        self.is_begun = self.octets != b""
        self.is_open = True
        return True

    def backwards(self):
        return iter([line + b"\n" for line in self.lines()[::-1]])

    def add(self, line):
        assert self.is_open, "it is closed"
        if self._fails("add") or (self.room is not None and len(self.octets) + len(line) > self.room):
            return False
        self.octets += line
        return True

    def sync(self):
        assert self.is_open, "it is closed"
        if self._fails("sync"):
            self.octets = self.octets[: self.durable]
            return False
        self.durable = len(self.octets)
        return True

    def close(self):
        self.is_open = False

    def cut(self, octets):
        """Let the power fail."""
        self.octets = self.octets[: self.durable + octets]
        self.is_open = False

    def lines(self):
        """Return the whole lines."""
        return self.octets.split(b"\n")[:-1]


PIM = ("tn", 6575)
SERVER = ("tn", 10111)
OPEN_PROTOCOL_PORT = 4545
QUARANTINE_BLOCKS = 3  # of each station's flash, behind its state and in front of its log
MORE_BLOCKS = STATE_BLOCKS + QUARANTINE_BLOCKS - 2  # so that a log has the blocks asked for less two, as always


def controller_address(index):
    return ("cart%d" % index, OPEN_PROTOCOL_PORT)


CONTROLLER = controller_address(0)


class Board:
    """What toolcart.agent.cart.app asks of a board. Wakes a slot only when its port has input: no idle steps."""

    def __init__(self, cart):
        self.cart = cart
        self.watched = []  # [port, slot, its state when last seen]

    def now(self):
        return self.cart.clock.now

    def stamp_into(self, buf):
        buf[0:19] = self.cart.clock.stamp().encode()

    def clock_is_set(self):
        return True

    def wall_s(self):
        return 1792567680  # 2026-10-21 07:28 UTC

    def tcp(self):
        return self.cart.network.port()

    def flash(self, spool):
        return self.cart.flashes[spool["path"]]

    def lines(self, outlet):
        # no board has a file

        return self.cart.lines.setdefault(outlet["path"], SimLines())

    def seed(self):
        return self.cart.seed

    def watch(self, port, slot):
        self.watched.append([port, slot, None])

    def wake_what_has_input(self, scheduler):
        """Wake slots whose port can be read, has ended, or has changed since the agent's last step."""
        for port, slot, before in self.watched:
            if port.has_input() or before != _seen(port):
                scheduler.wake(slot, self.now())

    def note_ports(self):
        """Remember the state in which the agent's step leaves the ports."""
        for entry in self.watched:
            entry[2] = _seen(entry[0])


def _seen(port):
    connection = port._connection
    return port.state(), connection.to_peer_bytes if connection is not None else 0


class Cart(Timed):
    """Stations 10, 20 .. with a controller each. Flash, clock, controllers and ToolsNet survive a cut.

    `controller` and `toolsnet` are options of the simulators (`toolsnet` None: there is none), `first_id` is the ID of
    the controllers' first result. `settings` changes the configuration: tables by name (`toolsnet`, `station`,
    `controller`, `spool`), the last three for every station. `files` are outlets beside ToolsNet. With `on` False the
    agent has no power yet.
    """

    make_board = Board
    make_archive = MemoryArchive
    places = (PIM, SERVER)

    def __init__(
        self,
        stations=1,
        blocks=16,
        controller=None,
        toolsnet=(),
        settings=None,
        files=(),
        seed=1,
        first_id=1,
        archive_rows=3000,
        make_flash=RamFlash,
        clock=None,
        on=True,
    ):
        self.seed = seed
        self.clock = clock or SimClock()
        self.network = Network(self.clock, Dice(seed))
        self.controllers = []
        for index in range(stations):
            device = Controller(self.clock, ControllerOptions(**(controller or {})), first_id)
            self.controllers.append(device)
            self.network.listen("cart%d" % index, OPEN_PROTOCOL_PORT, device.endpoint)
        self.controller = self.controllers[0]
        self.toolsnet = None
        if toolsnet is not None:
            self._listen(dict(toolsnet), archive_rows)
        self.flashes = {}
        for index in range(stations):
            self.flashes["spool%d" % index] = make_flash(blocks + MORE_BLOCKS)
        self.lines = {}  # of the files, by their path
        self.configuration = complete(_tree(stations, settings or {}, files))
        self.app = self.board = self.station = None
        if on:
            self.boot()

    def _listen(self, options, rows):
        options.setdefault("server_host", SERVER[0])
        self.archive = self.make_archive(rows)
        self.options = ToolsNetOptions(**options)
        self.toolsnet = ToolsNet(self.clock, self.archive, self.options)
        self.network.listen(PIM[0], PIM[1], self.toolsnet.pim_endpoint)
        self.network.listen(SERVER[0], SERVER[1], self.toolsnet.server_endpoint)

    def boot(self):
        """Make the agent again, as when power comes back."""
        self.board = self.make_board(self)
        self.app = App(self.configuration, self.board)
        self.station = self.app.stations[0]
        self.app.step(self.clock.now)

    def cut(self):
        """Let the power fail and come back: the connections vanish without a word."""
        for entry in self.board.watched:
            self.abandon(entry[0])
        self.boot()

    def abandon(self, port):
        """Let the agent's side of a port vanish."""
        self.network.abandon(port)

    def produce(self, count=1, every_ms=0, **fields):
        """Have the controller tighten so many, each with these fields, and let so much time pass behind each."""
        for _ in range(count):
            self.controller.produce(**fields)
            if every_ms:
                self.run(every_ms)

    def miss(self, count, every_ms=0):
        """Have the first controller tighten so many while no one can reach it."""
        self.network.down(*CONTROLLER)
        self.produce(count, every_ms)
        self.network.up(*CONTROLLER)

    # Time

    def work(self, now):
        """Run one turn of a board's loop without waiting; return the ms until something of it is due."""
        self.board.wake_what_has_input(self.app.scheduler)
        left = self.app.step(now)
        self.board.note_ports()
        self.healthy()
        return left

    def healthy(self):
        """Raise the exception of a task, if there was one."""
        if self.app.scheduler.last_fault is not None:
            raise self.app.scheduler.last_fault

    def until_ready(self, and_ms=0):
        """Let time pass until every controller has a subscriber, and then some more; return self."""
        self.until(lambda: all(device.messages.get(60) or device.messages.get(8) for device in self.controllers))
        if and_ms:
            self.run(and_ms)
        return self

    def until_quiet(self, limit_ms=600000, and_ms=0):
        """Let time pass until everything produced is in the archive, and then some more."""
        produced = sum([len(device.produced) for device in self.controllers])
        return self.until_stored(produced, limit_ms, and_ms)

    # Books

    def outlet_status(self, index=0):
        """Return what this outlet of the first station tells people."""
        state = {}
        self.station.outlets[index].put_state(state)
        return state

    @property
    def counters(self):
        return self.station.counters

    def clean(self):
        """Assert that neither side has complaints."""
        complaints = self.toolsnet.complaints[:] if self.toolsnet else []
        for device in self.controllers:
            complaints += device.complaints
        assert complaints == [], complaints[:3]


def _tree(stations, settings, files):
    """Return the configuration as a person would write it."""
    tree = {"system": {}, "toolsnet": {"pim_host": PIM[0], "pim_port": PIM[1]}, "stations": []}
    tree["toolsnet"].update(settings.get("toolsnet", {}))
    for index in range(stations):
        link = {"host": "cart%d" % index}
        link.update(settings.get("controller", {}))
        if link.get("device"):
            del link["host"]
        keep = {"path": "spool%d" % index, "parked_kib": 4 * QUARANTINE_BLOCKS, "size_kib": 40}
        keep.update(settings.get("spool", {}))
        station = {"number": 10 * (index + 1), "controller": link, "spool": keep}
        station.update(settings.get("station", {}))
        if files:
            station["outlets"] = [{"kind": "toolsnet"}] + [dict({"kind": "file"}, **file) for file in files]
        tree["stations"].append(station)
    outlets = [outlet for station in tree["stations"] for outlet in station.get("outlets", [{"kind": "toolsnet"}])]
    if not any(outlet["kind"] == "toolsnet" for outlet in outlets):
        del tree["toolsnet"]
    return tree
