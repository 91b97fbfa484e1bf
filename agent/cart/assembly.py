"""Puts the machines of one station together; loaded for that and given back to the heap (agent.cart.app)."""

from agent.base.compat import ON_CPYTHON
from agent.base.health import NOT_SAVED
from agent.link.quiet import Quiet
from agent.openprotocol.known import Known
from agent.openprotocol.look import Look
from agent.openprotocol.recovery import Recovery
from agent.openprotocol.requests import longest_bytes
from agent.openprotocol.session import Session as ControllerSession
from agent.openprotocol.subscriptions import RESULTS, Subscription
from agent.outlets.toolsnet.forward import Forward
from agent.station.intake import Intake
from agent.toolsnet.result04 import PARAM_NAMES, ResultWriter
from agent.toolsnet.session import ALWAYS, AUTO, NEVER
from agent.toolsnet.session import Session as ToolsNetSession

if ON_CPYTHON:
    from agent.wide.identifier_parts import WideStore as Store
else:
    from agent.station.store import Store

_SHARING = ("auto", "own", "shared")  # agent.openprotocol.questions
_CHOICES = {"auto": AUTO, "always": ALWAYS, "never": NEVER}


def assemble(station, scheduler, system, toolsnet, now):
    """Build the tasks of a station whose logs are mounted, and let them run from the next step on."""
    controller = station.settings["controller"]
    station.known = Known(station.state, controller["recover"])
    look = Look(station.log)
    station.recovery = Recovery(
        look,
        station.known,
        revisions=tuple(controller["recover_revisions"]),
        retry_ms=controller["recover_retry_ms"],
        sharing=_SHARING.index(controller["tightening_ids"]),
        store_newest=controller["store_newest"],
    )
    store = Store(station.log, station.known, station.recovery, look, station.health, station.board, station.number)
    station.recovery.gone = store.tell_gone
    tcp = controller["link"] == "tcp"
    if not tcp:
        from agent.openprotocol.plausible import plausible

        store.plausible = plausible  # type: ignore - None where lines spoil nothing
    station.health.counters[NOT_SAVED] += not store.start()  # as in agent.cart.area
    subscriptions = _subscriptions(station, store, controller, toolsnet)
    station.session = controller_session(controller, subscriptions, _longest_command(controller))
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
    _add_queries(station, controller)
    _add_outlets(station, system, toolsnet)
    _let_run(station, scheduler, now, _commands(station, controller))


def _know_spindles(station, controller):
    """Prepare for results of several spindles: always on Linux, on a board if configured; else the session does it."""
    station.recovery.by_spindle = not controller["spindle_id"]  # else all messages are for that one
    session = station.session
    session.known = station.known
    if ON_CPYTHON:
        from agent.wide.special_values import several

        session.several = several(session, controller)
    elif controller["results"] != "auto" or controller["bolt_data"]:
        from agent.openprotocol.spindles import Several

        session.several = Several(session, station.known, controller["results"], controller["bolt_data"])


def _add_queries(station, controller):
    if controller["clock"] != "off" or controller["limits"] != "off":
        from agent.openprotocol.queries import Queries  # only if there is something to ask

        station.intake.queries = queries = Queries(
            station.board, controller["clock"] != "off", controller["clock"] == "set", controller["limits"] == "ask"
        )
        station.intake.store.limits = queries.limits


def _longest_command(controller):
    """Return the length of the longest command allowed, which is longer than any other request; 0 if none is."""
    if not controller.get("commands"):
        return 0
    from agent.openprotocol.commands import LONGEST

    return LONGEST


def _commands(station, controller):
    """Return what carries out others' commands over our session; None if none are allowed."""
    if not controller.get("commands"):
        return None
    from agent.station.commands import Commands

    intake = station.intake
    station.commands = commands = Commands(tuple(controller["commands"]), intake, station.number)
    intake.commands = intake.queries = commands
    return commands


def _add_outlets(station, system, toolsnet):
    station.outlets.append(_toolsnet(station, system, toolsnet))
    if len(station.settings["outlets"]) < 2:
        return
    if ON_CPYTHON:
        from agent.wide.outlets import add_outlets

        add_outlets(station)
    else:
        from agent.outlets.mqtt import make  # the only one that boards may have besides ToolsNet

        station.outlets.append(make(station.settings["outlets"][1], station, 1))


def _toolsnet(station, system, toolsnet):
    """Return the outlet to ToolsNet; on Linux with everything besides results that is wanted."""
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
        station.health,
        station.board,
        toolsnet,
        station.settings["spool"]["cursor_batch"],
        station.quiet,
        sources,
        window,
    )


def _let_run(station, scheduler, now, commands):
    station.intake.begin(now)
    slot = scheduler.add(station.intake, now)
    station.board.watch(station.controller_port, slot)
    if commands is not None:
        commands.attach(scheduler, slot)
    slots = []
    for outlet in station.outlets:
        outlet.begin(now)
        slots.append(scheduler.add(outlet, now))
        if outlet.port is not None:
            station.board.watch(outlet.port, slots[-1])
    station.outlets[0].attach(scheduler, slots[0])
    station.intake.attach(scheduler, tuple(slots))


def link_of(controller, message_bytes):
    """Return the link of these settings, for messages of so many bytes; only the one used is imported."""
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
    """Return the subscriptions besides results, each with its keeper."""
    wanted = ()
    if ON_CPYTHON:
        if len(station.settings["outlets"]) > 1 or toolsnet["events"]:
            from agent.wide.controller_events import (  # ToolsNet alone usually wants none
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


def controller_session(controller, events, least_bytes=0):
    """Return the session of these settings; its send buffer has at least `least_bytes`."""
    subscriptions = (Subscription(RESULTS, tuple(controller["result_revisions"])),) + events
    start_revisions = tuple(controller["start_revisions"])
    if controller["link_level"] == "auto":  # from this revision on a controller says whether it has it
        start_revisions = (6,) + tuple([revision for revision in start_revisions if revision != 6])
    session = ControllerSession(
        link_of(controller, max(least_bytes, longest_bytes(subscriptions))),
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
