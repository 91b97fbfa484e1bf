"""Builds the whole agent from a completed configuration and a board; the only module that knows all others.

A board gives
    now()                 the tick counter, 0..2**30-1 ms
    stamp_into(buf)       its wall clock as 19 characters `YYYY-MM-DD:HH:MM:SS` into buf[0:19]
    tcp()                 a new port (agent.link.port)
    serial(controller)    a new port for the serial line of these `controller` settings; it is opened with device, baud
    flash(spool)          the flash device of one station's `spool` settings (agent.spool.flash), or None if it cannot
                          be had now; the board knows why
    seed()                any number, for the jitter
    watch(port, slot)     wake this slot of the scheduler when the port can be read, written or has failed

Rules
1. One station is one controller, one spool, one connection to ToolsNet. Nothing is shared between stations but the
   scheduler, and that survives the failure of any task.
2. A station whose spool cannot be read waits and tries again; it never writes over what it could not read.
"""

# First, because imports nest: on a board with 8 KB of stack each level takes 640 octets, and the spool is deepest.
import agent.spool.ring  # noqa: F401
from agent.base.compat import const
from agent.base.ticks import FOREVER
from agent.forward import Forward
from agent.health import FLASH_FAILED, Health
from agent.intake import Intake
from agent.openprotocol.recovery import Recovery
from agent.openprotocol.session import Session as ControllerSession
from agent.scheduler import Scheduler
from agent.spool.flash import Part
from agent.spool.mount import mount, parking_blocks
from agent.spool.ring import ROLE_PARKED, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE, Ring
from agent.store import Store
from agent.toolsnet.result04 import PARAM_NAMES, ResultWriter
from agent.toolsnet.session import ALWAYS, AUTO, NEVER
from agent.toolsnet.session import Session as ToolsNetSession

MOUNT_RETRY_MS = const(10000)
SLOTS_A_STATION = const(3)

_CHOICES = {"auto": AUTO, "always": ALWAYS, "never": NEVER}


class Station:
    """All machines of one station; as a task it brings the spool up and then sleeps."""

    def __init__(self, settings, system, toolsnet, board):
        self.number = settings["number"]
        self.name = settings["name"]
        self.settings = settings
        self.board = board
        self.health = Health()
        self.mounted = False
        self.parked_blocks_differ = False  # from the setting: the spool keeps the size it was made with
        self.ring = None
        self.parked = None
        self.intake = None
        self.forward = None
        self._system = system
        self._toolsnet = toolsnet

    def attach(self, scheduler, now):
        """Take this station's slots; the ports are made here, so that a start fails early or not at all."""
        controller = self.settings["controller"]
        if controller["link"] == "tcp":
            self.controller_port = self.board.tcp()
        else:
            self.controller_port = self.board.serial(controller)
        self.toolsnet_port = self.board.tcp()
        self._scheduler = scheduler
        scheduler.add(self, now)

    def step(self, now):
        """Bring the spool up; FOREVER once it is."""
        if self.mounted:
            return FOREVER
        device = self.board.flash(self.settings["spool"])
        if device is None or not self._mount(device):
            self.health.note(FLASH_FAILED, 0, now)
            return MOUNT_RETRY_MS
        self.mounted = True
        self._build(now)
        return FOREVER

    def recover(self, now):
        """After a fault: try the spool again."""
        self.health.note(FLASH_FAILED, 1, now)

    def _mount(self, device):
        spool = self.settings["spool"]
        wanted = spool["parked_kib"] * 1024 // device.block_bytes
        if wanted < 2:
            wanted = 2
        # The parking area lies in front, so that the ring can grow at the end. Where a spool lies already, its HEADs
        # say how large it is: another setting of parked_kib takes effect with a new spool.
        blocks = parking_blocks(device, wanted)
        if not 2 <= blocks <= device.block_count - 2:
            return False
        self.parked_blocks_differ = blocks != wanted
        overwrites = spool["when_full"] == "overwrite"
        self.ring = Ring(
            Part(device, blocks, device.block_count - blocks),
            when_full=WHEN_FULL_OVERWRITE if overwrites else WHEN_FULL_REFUSE,
        )
        self.parked = Ring(Part(device, 0, blocks), role=ROLE_PARKED, stage=self.ring.desk)
        return mount(self.parked) >= 0 and mount(self.ring, confirm=False) >= 0

    def _build(self, now):
        controller = self.settings["controller"]
        toolsnet = self._toolsnet
        system = self._system
        ring = self.ring
        self.session = _controller_session(controller)
        self.recovery = Recovery(
            ring.memory,  # type: ignore
            revisions=tuple(controller["recover_revisions"]),
            round_ids=controller["recover_round"],
            retry_ms=controller["recover_retry_ms"],
            store_newest=controller["store_newest"],
            enabled=controller["recover"],
        )
        store = Store(ring, self.recovery, self.health, self.board, self.number)
        tcp = controller["link"] == "tcp"
        store.strict = not tcp
        self.intake = Intake(
            self.controller_port,
            self.session,
            self.recovery,
            store,
            self.health,
            controller["host"] if tcp else controller["device"],
            controller["port"] if tcp else controller["baud"],
            controller,
            self.board.seed() + self.number,
        )
        self.outlet = _toolsnet_session(toolsnet, system, self.number)
        writer = ResultWriter(
            self.outlet.result,
            system["type"],
            system["number"],
            _parameter_mask(toolsnet["parameters"]),
            toolsnet["program_for_zero"],
        )
        batch = self.settings["spool"]["cursor_batch"]
        self.forward = Forward(
            self.toolsnet_port, self.outlet, writer, ring, self.parked, self.health, self.board, toolsnet, batch
        )
        self.intake.begin(now)
        self.forward.begin(now)
        self.board.watch(self.controller_port, self._scheduler.add(self.intake, now))
        outlet_slot = self._scheduler.add(self.forward, now)
        self.board.watch(self.toolsnet_port, outlet_slot)
        self.intake.attach(self._scheduler, outlet_slot, self.forward)
        self.forward.attach(self.intake)


class App:
    """Every station of one configuration (as `agent.config.complete` returns it) on one board."""

    def __init__(self, configuration, board):
        self.board = board
        self.stations = [
            Station(settings, configuration["system"], configuration["toolsnet"], board)
            for settings in configuration["stations"]
        ]
        self.scheduler = Scheduler(SLOTS_A_STATION * len(self.stations))
        self.step = self.scheduler.step  # step(now): run what is due; the ms until the next thing is
        now = board.now()
        for station in self.stations:
            station.attach(self.scheduler, now)

    def stop(self, now):
        """Begin the orderly end: MID 0003 to every controller. Go on stepping until `stopped`."""
        for station in self.stations:
            if station.intake is not None:
                station.intake.stop()
        for slot in range(self.scheduler.count):
            self.scheduler.wake(slot, now)

    def stopped(self):
        """Tell whether every controller has been left."""
        for station in self.stations:
            if station.intake is not None and not station.intake.stopped():
                return False
        return True

    def close(self):
        """Close everything and make the cursors durable; call after `stopped`, or when its time is over."""
        for station in self.stations:
            station.controller_port.close()
            if station.forward is not None:
                station.forward.stop()


def _link(controller):
    """Return the link of these settings; only the one that is used is imported."""
    kind = controller["link"]
    if kind == "tcp":
        from agent.link.stream import Stream

        return Stream(controller["buffer_bytes"], controller["frame_timeout_ms"])
    bits = 9 + controller["stop_bits"] + (0 if controller["parity"] == "none" else 1)
    octet_us = (bits * 1000000 + controller["baud"] - 1) // controller["baud"]
    if kind == "ascii":
        from agent.link.serial_ascii import SerialAscii

        return SerialAscii(controller["buffer_bytes"], octet_us, controller["zvz_ms"], controller["payload"])
    from agent.link.r3964 import R3964

    return R3964(
        controller["buffer_bytes"],
        octet_us,
        controller["qvz_ms"],
        controller["zvz_ms"],
        controller["attempts"],
        controller["priority"] == "high",
        controller["payload"],
    )


def _controller_session(controller):
    session = ControllerSession(
        _link(controller),
        start_revisions=tuple(controller["start_revisions"]),
        result_revisions=tuple(controller["result_revisions"]),
        keepalive_ms=controller["keepalive_ms"],
        response_timeout_ms=controller["response_timeout_ms"],
        silence_ms=controller["silence_ms"],
        stop_wait_ms=controller["stop_wait_ms"],
        tries=controller["tries"],
    )
    session.station_id = controller["station_id"] or 0
    session.spindle_id = controller["spindle_id"] or 0
    return session


def _toolsnet_session(toolsnet, system, station):
    return ToolsNetSession(
        system["type"],
        system["number"],
        station,
        ack_timeout_ms=toolsnet["ack_timeout_ms"],
        retransmissions=toolsnet["retransmissions"],
        keepalive_ms=toolsnet["keepalive_ms"],
        reconnect_ms=toolsnet["reconnect_ms"],
        connect_timeout_ms=toolsnet["connect_timeout_ms"],
        verify_timeout_ms=toolsnet["verify_timeout_ms"],
        ack_12=_CHOICES[toolsnet["ack_12"]],
        keepalive_ack=_CHOICES[toolsnet["keepalive_ack"]],
    )


def _parameter_mask(names):
    mask = 0
    for name in names:
        mask |= 1 << PARAM_NAMES.index(name)
    return mask
