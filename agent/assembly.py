"""Puts the machines of one station together; loaded for that and given back to the heap (agent.app)."""

from agent.base.compat import ON_CPYTHON, const
from agent.health import FLASH_FAILED, NOT_SAVED
from agent.intake import Intake
from agent.openprotocol.known import Known
from agent.openprotocol.recovery import Recovery
from agent.openprotocol.requests import longest_bytes
from agent.openprotocol.session import Session as ControllerSession
from agent.openprotocol.subscriptions import RESULTS, Subscription
from agent.outlets.toolsnet.forward import Forward
from agent.quarantine import Quarantine
from agent.quiet import Quiet
from agent.spool.areas import divide
from agent.spool.blocks import WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE
from agent.spool.cursors import WANTS_EVENTS, WANTS_FRAMES, WANTS_GRAPHS, WANTS_RESULTS
from agent.spool.flash import Part
from agent.spool.fold import ROLE_GRAPHS, ROLE_QUARANTINE
from agent.spool.mount import mount
from agent.spool.ring import BLOCKS_LEAST, Ring
from agent.store import Store
from agent.toolsnet.outgoing import ALWAYS, AUTO, NEVER
from agent.toolsnet.result04 import PARAM_NAMES, ResultWriter
from agent.toolsnet.session import Session as ToolsNetSession

_GRAPHS_BLOCKS_LEAST = const(4)
_CHOICES = {"auto": AUTO, "always": ALWAYS, "never": NEVER}


def bring_up(station, device, toolsnet):
    """Mount the rings of this station on its device; False if they cannot be read or do not fit."""
    spool = station.settings["spool"]
    wanted = spool["parked_kib"] * 1024 // device.block_bytes
    if wanted < 2:
        wanted = 2
    graphs = spool["graphs_kib"] * 1024 // device.block_bytes
    if 0 < spool["graphs_kib"] and graphs < _GRAPHS_BLOCKS_LEAST:
        graphs = _GRAPHS_BLOCKS_LEAST
    # Quarantine and graphs lie in front, so that the ring can grow at the end. Where a spool lies already, its HEADs
    # say how large they are: another setting of parked_kib or graphs_kib takes effect with a new spool.
    parked_blocks, graph_blocks = divide(device, wanted, graphs)
    blocks = parked_blocks + graph_blocks
    if not 2 <= parked_blocks <= device.block_count - graph_blocks - BLOCKS_LEAST:
        return False
    station.parked_blocks_differ = parked_blocks != wanted
    station.graph_blocks_differ = graph_blocks != graphs
    overwrites = spool["when_full"] == "overwrite"
    controller = station.settings["controller"]
    station.ring = _log(
        Part(device, blocks, device.block_count - blocks),
        WHEN_FULL_OVERWRITE if overwrites else WHEN_FULL_REFUSE,
        station.settings["outlets"],
        toolsnet["events"],
        controller["results"] != "auto" or controller["bolt_data"],
    )
    parked = Ring(Part(device, 0, parked_blocks), role=ROLE_QUARANTINE, other=station.ring)
    station.quarantine = Quarantine(parked)
    station.ring.stand_beside(station.quarantine)
    station.known = station.ring.owner = Known(station.ring.memory, controller["recover"])
    if mount(parked) < 0 or mount(station.ring) < 0:
        return False
    if ON_CPYTHON:
        if toolsnet["events"]:
            station.ring.read_told()  # type: ignore
        if graphs and graph_blocks >= _GRAPHS_BLOCKS_LEAST:
            _bring_up_graphs(station, Part(device, parked_blocks, graph_blocks), toolsnet["graphs"])
    if not station.quarantine.settle(station.ring):  # it is tried again when something is to be kept there
        station.health.count(NOT_SAVED)
    return True


def _log(part, when_full, outlets, events, wide):
    """Make the log of a station."""
    ring = None
    if ON_CPYTHON:
        if events:
            from agent.outlets.toolsnet.event_ring import EventRing  # few stations send them

            ring = EventRing(part, when_full=when_full, wide=wide)
    ring = ring or Ring(part, outlets=len(outlets), when_full=when_full, wide=wide)
    for index in range(1, len(outlets)):
        cursor = ring.cursors[index]
        cursor.durable = outlets[index]["durable"]
        cursor.wants = WANTS_RESULTS | WANTS_FRAMES | WANTS_EVENTS
    return ring


def _bring_up_graphs(station, part, to_toolsnet):
    """Mount the ring of graphs; without it the station does all but keep graphs."""
    outlets = station.settings["outlets"]
    graphs = Ring(part, outlets=len(outlets), role=ROLE_GRAPHS, other=station.ring)
    for index in range(len(outlets)):
        graphs.cursors[index].durable = False
        wanted = outlets[index].get("graphs") if index else to_toolsnet
        graphs.cursors[index].wants = WANTS_GRAPHS if wanted else 0
    if mount(graphs) < 0:
        station.health.count(FLASH_FAILED)
        return
    station.graphs = graphs


def assemble(station, scheduler, system, toolsnet, now):
    """Build the tasks of a station whose rings are mounted, and let them run from the next step on."""
    controller = station.settings["controller"]
    ring = station.ring
    station.session = controller_session(controller, _subscriptions(station, controller, toolsnet))
    station.quiet = Quiet(station.session.link)
    station.recovery = Recovery(
        ring,
        station.known,
        revisions=tuple(controller["recover_revisions"]),
        round_ids=controller["recover_round"],
        retry_ms=controller["recover_retry_ms"],
        store_newest=controller["store_newest"],
    )
    station.recovery.asks_kept = True
    station.recovery.sharing = ("auto", "own", "shared").index(controller["tightening_ids"])
    store = Store(ring, station.known, station.recovery, station.health, station.board, station.number)
    tcp = controller["link"] == "tcp"
    store.strict = not tcp
    station.intake = Intake(
        station.controller_port,
        station.session,
        station.quiet,
        station.recovery,
        store,
        station.health,
        controller["host"] if tcp else controller["device"],
        controller["port"] if tcp else controller["baud"],
        controller,
        station.board.seed() + station.number,
    )
    _add_wishes(station, controller, toolsnet)
    station.outlets.append(_toolsnet(station, system, toolsnet))
    for index in range(len(station.files)):
        outlet = station.files[index].outlet(ring, index + 1, station.health)
        if station.graphs is not None and station.settings["outlets"][index + 1]["graphs"]:
            outlet.take_graphs(station.graphs)
        station.outlets.append(outlet)
    _let_run(station, scheduler, now)


def _know_spindles(station, controller):
    """Results of several spindles: where they are configured, else the session finds out (agent.openprotocol)."""
    session = station.session
    session.known = station.known
    if controller["results"] != "auto" or controller["bolt_data"]:
        from agent.openprotocol.spindles import Several

        session.several = Several(session, station.known, controller["results"], controller["bolt_data"])


def _add_wishes(station, controller, toolsnet):
    """What few carts want: imported only where it is wanted."""
    _know_spindles(station, controller)
    if controller["clock"] != "off" or controller["limits"] != "off":
        from agent.errands import Errands  # only where something is to be asked

        station.intake.errands = errands = Errands(
            station.board, controller["clock"] != "off", controller["clock"] == "set", controller["limits"] == "ask"
        )
        if errands.limits is not None:
            station.intake.store.keep_limits(errands.limits)
    if ON_CPYTHON:
        if station.files or toolsnet["events"]:
            from agent.happenings import Happenings

            station.intake.happenings = Happenings(station.intake.store)


def _toolsnet(station, system, toolsnet):
    machine, kind, write = Forward, ToolsNetSession, ResultWriter
    if ON_CPYTHON:
        machine, kind = _kinds(station, toolsnet)
    session = toolsnet_session(kind, toolsnet, system, station.number)
    if ON_CPYTHON:
        if toolsnet["targets"]:
            from agent.toolsnet.targets04 import RESULT_BYTES_TARGETS, TargetWriter

            write = TargetWriter
            session.result = bytearray(RESULT_BYTES_TARGETS)
    writer = write(
        session.result,
        system["type"],
        system["number"],
        _mask(toolsnet["parameters"], PARAM_NAMES),
        toolsnet["program_for_zero"],
    )
    writer.session = session
    outlet = machine(
        station.toolsnet_port,
        session,
        writer,
        station.ring,
        station.quarantine,
        station.health,
        station.board,
        toolsnet,
        station.settings["spool"]["cursor_batch"],
    )
    outlet.attach(station.quiet)
    if ON_CPYTHON:
        from agent.outlets.toolsnet import beside

        if beside.is_wanted(toolsnet):
            beside.add_sources(outlet, station, system, toolsnet)
    return outlet


if ON_CPYTHON:

    def _kinds(station, toolsnet):
        """Return the classes of the way to ToolsNet and of its session."""
        from agent.outlets.toolsnet import beside, doubt

        if toolsnet.get("window", 1) > 1 or doubt.was_left_open(station.ring):
            from agent.outlets.toolsnet import row, window

            return window.Windowed, row.RowSession
        if beside.is_wanted(toolsnet):
            return beside.Beside, beside.AnySession
        return Forward, ToolsNetSession

    def _ask_for_names(station):
        """Telegram 02 has the names of all parameter sets, where it goes out."""
        names = getattr(station.outlets[0].session, "names", None)
        if names is not None:
            from agent.programs import Programs

            intake = station.intake
            intake.errands = Programs(intake.errands, names, intake._wake_outlets)


def _let_run(station, scheduler, now):
    if ON_CPYTHON:
        _ask_for_names(station)
    station.intake.begin(now)
    station.board.watch(station.controller_port, scheduler.add(station.intake, now))
    slots = []
    for outlet in station.outlets:
        outlet.begin(now)
        slots.append(scheduler.add(outlet, now))
        if outlet.port is not None:
            station.board.watch(outlet.port, slots[-1])
    station.intake.attach(scheduler, tuple(slots))


def _link(controller, message_bytes):
    """Return the link of these settings, for messages of so many octets; only the one that is used is imported."""
    kind = controller["link"]
    if kind == "tcp":
        from agent.link.stream import Stream

        return Stream(controller["buffer_bytes"], controller["frame_timeout_ms"], message_bytes)
    bits = 9 + controller["stop_bits"] + (0 if controller["parity"] == "none" else 1)
    octet_us = (bits * 1000000 + controller["baud"] - 1) // controller["baud"]
    if kind == "ascii":
        from agent.link.serial_ascii import SerialAscii

        return SerialAscii(
            controller["buffer_bytes"], octet_us, controller["zvz_ms"], controller["payload"], message_bytes
        )
    from agent.link.r3964 import R3964

    return R3964(
        controller["buffer_bytes"],
        octet_us,
        controller["qvz_ms"],
        controller["zvz_ms"],
        controller["attempts"],
        controller["priority"] == "high",
        controller["payload"],
        message_bytes,
    )


def _subscriptions(station, controller, toolsnet):
    """Return what is asked for beside results."""
    wanted = ()
    if ON_CPYTHON:
        if station.files or toolsnet["events"]:
            from agent.happenings import subscriptions_of  # ToolsNet alone wants none, as a rule

            wanted = subscriptions_of(controller["events"])
        if controller["traces"] and station.graphs is not None:
            from agent.traces import subscriptions_of as curves_of

            wanted += curves_of(station, controller)
    return wanted


def controller_session(controller, events):
    subscriptions = (Subscription(RESULTS, tuple(controller["result_revisions"])),) + events
    start_revisions = tuple(controller["start_revisions"])
    if controller["link_level"] == "auto":  # from this revision on a controller says whether it has it
        start_revisions = (6,) + tuple([revision for revision in start_revisions if revision != 6])
    session = ControllerSession(
        _link(controller, longest_bytes(subscriptions)),
        subscriptions,
        start_revisions=start_revisions,
        keepalive_ms=controller["keepalive_ms"],
        response_timeout_ms=controller["response_timeout_ms"],
        silence_ms=controller["silence_ms"],
        stop_wait_ms=controller["stop_wait_ms"],
        tries=controller["tries"],
    )
    session.wants_numbers = controller["link_level"] == "auto"
    session.station_id = controller["station_id"] or 0
    session.spindle_id = controller["spindle_id"] or 0
    return session


def toolsnet_session(kind, toolsnet, system, station):
    return kind(
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


def _mask(names, known):
    mask = 0
    for name in names:
        mask |= 1 << known.index(name)
    return mask
