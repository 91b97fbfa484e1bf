"""Puts the machines of one station together; loaded for that and given back to the heap (agent.cart.app)."""

from agent.base.compat import ON_CPYTHON, const
from agent.base.health import NOT_SAVED
from agent.link.quiet import Quiet
from agent.log.areas import divide
from agent.log.cursor import WANTS_EVENTS, WANTS_FRAMES, WANTS_GRAPHS, WANTS_RESULTS
from agent.log.flash import Part
from agent.log.log import BLOCKS_LEAST, WHEN_FULL_OVERWRITE, WHEN_FULL_REFUSE, Log
from agent.log.mount import MOUNT_DONE, mount
from agent.log.numbers import GRAPH_CURSOR, GRAPHS, KEPT, KEPT_CURSOR, LOG
from agent.log.state import STATE_BLOCKS, State
from agent.openprotocol.known import Known
from agent.openprotocol.look import Look
from agent.openprotocol.recovery import Recovery
from agent.openprotocol.requests import longest_bytes
from agent.openprotocol.session import Session as ControllerSession
from agent.openprotocol.subscriptions import RESULTS, Subscription
from agent.outlets.toolsnet.forward import Forward
from agent.quarantine.quarantine import BLOCKS_LEAST as KEPT_BLOCKS_LEAST
from agent.quarantine.quarantine import Quarantine
from agent.record import PAYLOAD_MOST, PAYLOAD_WIDE
from agent.station.gone import Gone
from agent.station.intake import Intake
from agent.station.store import Store
from agent.toolsnet.result04 import PARAM_NAMES, ResultWriter
from agent.toolsnet.session import ALWAYS, AUTO, NEVER
from agent.toolsnet.session import Session as ToolsNetSession

_GRAPHS_BLOCKS_LEAST = const(4)
_SHARING = ("auto", "own", "shared")  # agent.openprotocol.questions
_CHOICES = {"auto": AUTO, "always": ALWAYS, "never": NEVER}


def bring_up(station, device, toolsnet):
    """Mount the logs of this station on its device; False if they cannot be read or do not fit, `why` says so."""
    spool = station.settings["spool"]
    kept = max(spool["parked_kib"] * 1024 // device.block_bytes, KEPT_BLOCKS_LEAST)
    graphs = spool["graphs_kib"] * 1024 // device.block_bytes
    if 0 < spool["graphs_kib"]:
        graphs = max(graphs, _GRAPHS_BLOCKS_LEAST)
    # The log lies at the end, so that it can grow. A spool that is there keeps its quarantine and its graphs as large
    # as they are: another setting of parked_kib or graphs_kib takes effect with a new one.
    kept_blocks, graph_blocks = divide(device, kept, graphs)
    first = STATE_BLOCKS + kept_blocks + graph_blocks
    if kept_blocks < KEPT_BLOCKS_LEAST or device.block_count < first + BLOCKS_LEAST:
        return False
    station.parked_blocks_differ = kept_blocks != kept
    station.graph_blocks_differ = graph_blocks != graphs
    station.state = State(Part(device, 0, STATE_BLOCKS))
    station.log = _log(station, Part(device, first, device.block_count - first))
    part = Part(device, STATE_BLOCKS, kept_blocks)
    parked = Log(part, station.state, KEPT, cursor_slot=KEPT_CURSOR, beside=station.log)
    logs = [station.log, parked]
    if graph_blocks:
        station.graphs = _graphs(station, Part(device, STATE_BLOCKS + kept_blocks, graph_blocks), toolsnet["graphs"])
        logs.append(station.graphs)
    station.why = mount(station.state, logs, station.board.seed())
    if station.why != MOUNT_DONE:
        return False
    station.quarantine = Quarantine(parked, station.state, station.log)
    if not station.quarantine.start():
        station.health.count(NOT_SAVED)  # what a start found is settled by whoever needs it first
    return True


def _log(station, part):
    """Make the log of results."""
    when_full = WHEN_FULL_OVERWRITE if station.settings["spool"]["when_full"] == "overwrite" else WHEN_FULL_REFUSE
    outlets = station.settings["outlets"]
    controller = station.settings["controller"]
    several = controller["results"] != "auto" or controller["bolt_data"]
    most = PAYLOAD_WIDE if several else PAYLOAD_MOST
    log = Log(part, station.state, LOG, cursors=len(outlets), when_full=when_full, payload_most=most)
    for index in range(1, len(outlets)):
        cursor = log.cursors[index]
        cursor.durable = outlets[index]["durable"]
        cursor.wants = WANTS_RESULTS | WANTS_FRAMES | WANTS_EVENTS
    return log


def _graphs(station, part, to_toolsnet):
    """Make the log of curves, in which the oldest make room for the newest."""
    outlets = station.settings["outlets"]
    graphs = Log(
        part,
        station.state,
        GRAPHS,
        cursors=len(outlets),
        cursor_slot=GRAPH_CURSOR,
        when_full=WHEN_FULL_OVERWRITE,
        beside=station.log,
    )
    for index in range(len(outlets)):
        graphs.cursors[index].durable = False
        wanted = outlets[index].get("graphs") if index else to_toolsnet
        graphs.cursors[index].wants = WANTS_GRAPHS if wanted else 0
    return graphs


def assemble(station, scheduler, system, toolsnet, now):
    """Build the tasks of a station whose logs are mounted, and let them run from the next step on."""
    controller = station.settings["controller"]
    log = station.log
    look = Look(log)
    station.known = Known(station.state, controller["recover"])
    station.recovery = Recovery(
        look,
        station.known,
        revisions=tuple(controller["recover_revisions"]),
        retry_ms=controller["recover_retry_ms"],
        sharing=_SHARING.index(controller["tightening_ids"]),
        store_newest=controller["store_newest"],
        gone=Gone(log, station.board, station.number),
    )
    store = Store(log, station.known, station.recovery, look, station.health, station.board, station.number)
    tcp = controller["link"] == "tcp"
    store.strict = not tcp
    station.health.counters[NOT_SAVED] += not store.start()  # as above
    station.session = controller_session(controller, _subscriptions(station, store, controller, toolsnet))
    _know_spindles(station, controller)
    station.quiet = Quiet(station.session.link)
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
    _add_errands(station, controller)
    _add_outlets(station, system, toolsnet)
    _let_run(station, scheduler, now)


def _know_spindles(station, controller):
    """Results of several spindles: where they are configured, else the session finds out (agent.openprotocol)."""
    session = station.session
    session.known = station.known
    if controller["results"] != "auto" or controller["bolt_data"]:
        from agent.openprotocol.spindles import Several

        session.several = Several(session, station.known, controller["results"], controller["bolt_data"])


def _add_errands(station, controller):
    if controller["clock"] != "off" or controller["limits"] != "off":
        from agent.openprotocol.queries import Queries  # only where something is to be asked

        station.intake.queries = queries = Queries(
            station.board, controller["clock"] != "off", controller["clock"] == "set", controller["limits"] == "ask"
        )
        station.intake.store.limits = queries.limits


def _add_outlets(station, system, toolsnet):
    station.outlets.append(_toolsnet(station, system, toolsnet))
    if ON_CPYTHON:
        from agent.wide.outlets import add_outlets

        add_outlets(station)


def _toolsnet(station, system, toolsnet):
    """The way to ToolsNet; on Linux with what it has beside results, where that is wanted."""
    kind, write, sources, window = ToolsNetSession, ResultWriter, (), None
    if ON_CPYTHON:
        from agent.wide import toolsnet as wide

        kind, write, sources, window = wide.extras(station, system, toolsnet)
    session = toolsnet_session(kind, toolsnet, system, station.number)
    writer = write(
        session.result,
        system["type"],
        system["number"],
        _mask(toolsnet["parameters"], PARAM_NAMES),
        toolsnet["program_for_zero"],
    )
    writer.session = session
    return Forward(
        station.toolsnet_port,
        session,
        writer,
        station.log,
        station.quarantine,
        station.state,
        station.health,
        station.board,
        toolsnet,
        station.settings["spool"]["cursor_batch"],
        station.quiet,
        sources,
        window,
    )


def _let_run(station, scheduler, now):
    station.intake.begin(now)
    station.board.watch(station.controller_port, scheduler.add(station.intake, now))
    slots = []
    for outlet in station.outlets:
        outlet.begin(now)
        slots.append(scheduler.add(outlet, now))
        if outlet.port is not None:
            station.board.watch(outlet.port, slots[-1])
    station.outlets[0].attach(scheduler, slots[0])
    station.intake.attach(scheduler, tuple(slots))


def _link(controller, message_bytes):
    """Return the link of these settings, for messages of so many octets; only the one that is used is imported."""
    kind = controller["link"]
    if kind == "tcp":
        from agent.link.stream import Stream

        return Stream(controller["buffer_bytes"], message_bytes)
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


def _subscriptions(station, store, controller, toolsnet):
    """Return what is asked for beside results, each with its keeper."""
    wanted = ()
    if ON_CPYTHON:
        if len(station.settings["outlets"]) > 1 or toolsnet["events"]:
            from agent.wide.controller_events import (  # ToolsNet alone wants none, as a rule
                ControllerEvents,
                subscriptions_of,
            )

            station.controller_events = ControllerEvents(store)
            wanted = subscriptions_of(controller["events"])
            for subscription in wanted:
                subscription.keep(station.controller_events)
        if controller["traces"] and station.graphs is not None:
            from agent.wide.controller_curves import subscriptions_of as curves_of

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
        verify_timeout_ms=toolsnet["verify_timeout_ms"],
        ack_12=_CHOICES[toolsnet["ack_12"]],
        keepalive_ack=_CHOICES[toolsnet["keepalive_ack"]],
    )


def _mask(names, known):
    mask = 0
    for name in names:
        mask |= 1 << known.index(name)
    return mask
