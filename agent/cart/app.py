"""Builds the whole agent from a completed configuration and a board; the only module that knows all others.

A board provides
    now()                 the tick counter, 0..2**30-1 ms
    stamp_into(buf)       its wall clock as 19 characters `YYYY-MM-DD:HH:MM:SS` into buf[0:19]
    tcp()                 a new port (toolcart.agent.link.port)
    serial(controller)    a new port for the serial line of these `controller` settings; opened with device and baud
    lines(outlet)         the file of lines of these `outlet` settings (toolcart.agent.linux.file), on Linux
    flash(spool)          the flash device of one station's `spool` settings (toolcart.agent.log.flash), or None if
                          there is none now; the board knows why. `owner` is among them: the numbers of system type,
                          system and station, for a board that keeps them with the spool
    clock_is_set()        whether that clock is kept right from outside; boards that cannot know need not have it
    seed()                any number, for the jitter
    watch(port, slot)     wake this slot of the scheduler when the port can be read, written or has failed

Rules
1. One station is one controller, one spool and up to four outlets (toolcart.agent.outlets). Stations share nothing but
   the scheduler, and that survives the failure of any task.
2. A station whose spool cannot be read waits and tries again; it never writes over what it could not read. Stations
   are tried in turn, however long an attempt takes.
3. What only a start needs (toolcart.agent.log.mount, toolcart.agent.cart.storage, toolcart.agent.cart.assembly) is
   loaded for it and given back to the heap, each before the next is loaded.
4. Every part of a station is made once, when its flash has been read, and never replaced.
"""

# First, because imports nest: on a board with 8 KB of stack each level takes 640 bytes, and these go deepest.
import toolcart.agent.log.carry_over
import toolcart.agent.log.log
import toolcart.agent.openprotocol.light_result
import toolcart.agent.quarantine.quarantine

# isort: split
# The parts for toolcart.agent.cart.assembly: loaded here and not in the middle of a step; on a board they are one
# module.
import toolcart.agent.link.flash_window
import toolcart.agent.log.flash
import toolcart.agent.log.snapshot
import toolcart.agent.openprotocol.duplicate_search
import toolcart.agent.openprotocol.recovery
import toolcart.agent.openprotocol.session
import toolcart.agent.station.intake
import toolcart.agent.station.store  # noqa: F401
from toolcart.agent.base.compat import ON_CPYTHON, const, give_back
from toolcart.agent.base.counters import FLASH_FAILED, Counters
from toolcart.agent.base.scheduler import Scheduler
from toolcart.agent.base.ticks import FOREVER, ticks_diff

MOUNT_RETRY_MS = const(10000)
_MOUNTING_MS = const(100)
NAMES_MOST = const(400)
SLOTS_A_STATION = const(2)  # itself and the intake; one more for each outlet


class StartFindings:
    """What a start found other than the configuration says (toolcart.agent.cart.storage fills it in)."""

    def __init__(self):
        self.quarantine_blocks_differ = False  # the spool keeps another size for its quarantine
        self.graph_blocks_differ = False  # likewise for curves
        if ON_CPYTHON:
            self.curves_asked = False  # the controller is to give curves, whether there is room for them or not
        self.holds_toolsnet = False  # there is a place of ToolsNet, also of one that is not configured now
        self.guessed = False  # whose some places are was not certain
        self.last = 0  # the number of the newest record
        self.repeated = 0  # how many records may come twice at most, as the state or its newest was lost
        # one for each outlet that is configured
        self.added = []  # how many records it could not have; None if it was there before
        self.returned = []  # how many records it lacks that the log gave up before
        self.back = []  # its place was kept while it was not configured
        # outlets that are not configured any more
        self.removed = []  # their places are kept
        self.given_up = []  # another needed their places


class Station:
    """All machines of one station; as a task it brings the spool up and then sleeps."""

    def __init__(self, settings, configuration, board):
        self.number = settings["number"]
        self.name = settings["name"]
        self.settings = settings
        self.board = board
        self.counters = Counters()
        self.mounted = False
        self.why = 0  # the result of mounting, while the spool is not up (toolcart.agent.log.mount)
        self.state = None
        self.log = None
        self.quarantine = None  # where an outlet may refuse a result
        self.graphs = None  # a log of curves, where one is configured
        self.ledger = None
        self.session = None
        self.flash_window = None
        self.recovery = None
        self.intake = None
        self.commands = None  # where the settings allow others to give the controller commands
        self.controller_events = None  # the handler of events, where an outlet wants them
        self.outlets = []  # outlets[index] has log.cursors[index]
        self.at_start = StartFindings()
        # Until the station is assembled: what the outlets are made with, in the order of settings["outlets"].
        self.system = configuration["system"]
        self.outlet_settings = [configuration.get(one["kind"]) or one for one in settings["outlets"]]
        for one in settings["outlets"]:
            one.setdefault("name", one["kind"])  # a board may have the tree of a version whose outlets had no names
        self.names = [one["name"] for one in settings["outlets"]]  # of the outlets, in the order of `outlets`
        self.known_names = self.names  # those that an outlet which is gone may have had
        self.outlet_ports = []
        self.next_up = []  # all stations whose spool is not up, the one that was tried longest ago first

    def toolsnet(self):
        """Return the outlet to ToolsNet; None if there is none, or the spool is not up."""
        for outlet in self.outlets:
            if outlet.kind == "toolsnet":
                return outlet
        return None

    def attach(self, scheduler, now):
        """Take this station's slots; the ports are made here, so that a start fails early or not at all."""
        controller = self.settings["controller"]
        if controller["link"] == "tcp":
            self.controller_port = self.board.tcp()
        else:
            self.controller_port = self.board.serial(controller)
        for index in range(len(self.outlet_settings)):
            shared, own = self.outlet_settings[index], self.settings["outlets"][index]
            self.outlet_ports.append(None if shared is own else self._port(shared, own["kind"]))
        self._scheduler = scheduler
        scheduler.add(self, now)

    def _port(self, shared, kind):
        """Return a TCP port, or one that speaks TLS if the other side has it (a tunnel in front of the PIM)."""
        if not shared["tls_ca"]:
            return self.board.tcp()
        tls = getattr(self.board, "tls", None)
        if tls is None:
            raise ValueError(kind + ".tls_ca: this board has no TLS")
        return tls(shared)

    def step(self, now):
        """Bring the spool up; FOREVER once it is."""
        if self.mounted:
            return FOREVER
        # Of many stations some come up in a turn: whoever asks meanwhile gets an answer between two. A chip's first
        # attempts are all in one turn, before any line is open and before the watchdog runs (toolcart.board.main).
        if (ON_CPYTHON or self.why) and ticks_diff(self.board.now(), now) > _MOUNTING_MS:
            return 0
        if self.next_up[0] is not self:
            return _MOUNTING_MS  # attempts that take long and fail do not use up the turns of the others
        self.next_up.append(self.next_up.pop(0))
        spool = self.settings["spool"]
        spool["owner"] = (self.system["type"], self.system["number"], self.number)
        device = self.board.flash(spool)
        if device is None or not self._bring_up(device):
            self.counters.note(FLASH_FAILED, 0, now)
            return MOUNT_RETRY_MS
        give_back("toolcart.agent.log", "mount", "partitioning", "snapshot_v4")
        give_back("toolcart.agent.cart", "storage", "outlet_places")
        self.mounted = True
        self.next_up.remove(self)
        from toolcart.agent.cart.assembly import assemble

        assemble(self, self._scheduler, now)
        # Everything read from the configuration is in its place by now.
        self.settings = self.system = {}
        self.outlet_settings = []
        give_back("toolcart.agent.cart", "assembly")
        give_back("toolcart.agent.outlets.toolsnet", "factory")
        return FOREVER

    def _bring_up(self, device):
        from toolcart.agent.cart.storage import bring_up  # nothing holds it after this returns, so it can be given back

        return bring_up(self, device)

    def reset_after_fault(self, now):
        """Try the spool again, after a fault."""
        self.counters.note(FLASH_FAILED, 0, now)


def load_outlets(configuration):
    """Load the code of ToolsNet's outlet, the deepest one, if it is configured: a station's step has less stack."""
    kinds = [outlet["kind"] for settings in configuration["stations"] for outlet in settings["outlets"]]
    if "toolsnet" in kinds:
        import toolcart.agent.outlets.toolsnet.forward
        import toolcart.agent.toolsnet.result04
        import toolcart.agent.toolsnet.session  # noqa: F401


class App:
    """Every station of one configuration (as `toolcart.agent.cart.config.complete` returns it) on one board."""

    def __init__(self, configuration, board):
        self.board = board
        load_outlets(configuration)
        self.stations = [Station(settings, configuration, board) for settings in configuration["stations"]]
        self.know_names([])
        slots = 0
        for settings in configuration["stations"]:
            slots += SLOTS_A_STATION + len(settings["outlets"])
        self.scheduler = Scheduler(slots)
        self.step = self.scheduler.step  # step(now): run what is due; return the ms until the next thing is
        now = board.now()
        next_up = list(self.stations)
        for station in self.stations:
            station.attach(self.scheduler, now)
            station.next_up = next_up

    def know_names(self, earlier):
        """Let outlets that are gone be named, if they are called as one of any station or one of `earlier`."""
        names = []
        for name in [name for station in self.stations for name in station.names] + earlier:
            if name not in names and len(names) < NAMES_MOST:
                names.append(name)
        self.known_names = names
        for station in self.stations:
            station.known_names = names

    def stop(self, now):
        """Begin the orderly end: MID 0003 to the controllers, nothing new to ToolsNet. Step on until `stopped`."""
        for station in self.stations:
            if station.intake is not None:
                station.intake.stop(now)
            for outlet in station.outlets:
                outlet.begin_shutdown(now)
        self.scheduler.wake_all(range(self.scheduler.count), now)

    def network_is_up(self, now):
        """Let everything that waits for its next attempt try now: the network is up, or up again."""
        for station in self.stations:
            if station.intake is not None:
                station.intake.connect_now(now)
            for outlet in station.outlets:
                outlet.connect_now(now)
        self.scheduler.wake_all(range(self.scheduler.count), now)

    def stopped(self):
        """True if every controller has been left, and what was outstanding is answered or too late."""
        now = self.board.now()
        for station in self.stations:
            if station.intake is not None and not station.intake.stopped():
                return False
            for outlet in station.outlets:
                if not outlet.may_stop(now):
                    return False
        return True

    def close(self):
        """Close everything and make the cursors durable; call it after `stopped`, or when time is up."""
        for station in self.stations:
            station.controller_port.close()
            for outlet in station.outlets:
                outlet.stop()
