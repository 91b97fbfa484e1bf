"""Puts the machines of one station together; loaded for that and given back to the heap (toolcart.agent.cart.app)."""

from toolcart.agent.base.compat import ON_CPYTHON
from toolcart.agent.base.counters import NOT_SAVED
from toolcart.agent.link.flash_window import FlashWindow
from toolcart.agent.openprotocol.duplicate_search import DuplicateSearch
from toolcart.agent.openprotocol.id_ledger import IdLedger
from toolcart.agent.openprotocol.recovery import Recovery
from toolcart.agent.openprotocol.requests import longest_bytes
from toolcart.agent.openprotocol.revision_fallback import BLANK
from toolcart.agent.openprotocol.session import Session as ControllerSession
from toolcart.agent.openprotocol.subscriptions import RESULTS, Subscription
from toolcart.agent.station.intake import Intake

if ON_CPYTHON:
    from toolcart.agent.linux.extended_store import ExtendedStore as Store

    CONTENTS_MOST = 4096  # all results of a small spool (toolcart.agent.openprotocol.stored_contents, rule 2)
else:
    from toolcart.agent.station.store import Store

_RARE = 998  # revision of MID 0060: who has it has others as well, as far as is known
_SHARING = ("auto", "own", "shared")  # in the order of SHARING_ (toolcart.agent.openprotocol.recovery_phases)


def assemble(station, scheduler, now):
    """Build the tasks of a station whose logs are mounted, and let them run from the next step on."""
    controller = station.settings["controller"]
    station.ledger = IdLedger(station.state, controller["recover"])
    duplicates = DuplicateSearch(station.log)
    if ON_CPYTHON:
        duplicates.contents_most = CONTENTS_MOST
    station.recovery = Recovery(duplicates, station.ledger, sharing=_SHARING.index(controller["tightening_ids"]))
    store = Store(
        station.log, station.ledger, station.recovery, duplicates, station.counters, station.board, station.number
    )
    station.recovery.gap_fill.gone = store.report_gone
    if controller["link"] != "tcp":
        from toolcart.agent.openprotocol.plausibility import plausible

        store.plausible = plausible  # None where lines spoil nothing
    station.counters.counts[NOT_SAVED] += not store.start()  # as in toolcart.agent.cart.storage
    subscriptions = _subscriptions(station, store, controller)
    station.session = controller_session(controller, subscriptions, _longest_command(controller))
    if controller["link"] == "ascii" and hasattr(station.controller_port, "input_octets"):
        station.session.link.set_input_buffer(station.controller_port.input_octets)
    _know_spindles(station, controller)
    station.flash_window = FlashWindow(station.session.link)
    station.intake = Intake(station, store, controller)
    _add_queries(station, controller)
    _add_outlets(station)
    _let_run(station, scheduler, now, _commands(station, controller))


def _know_spindles(station, controller):
    """Prepare for results of several spindles: always on Linux, on a board if configured; else the session does it."""
    station.recovery.by_spindle = not controller["spindle_id"]  # else all messages are for that one
    session = station.session
    session.result_mode.ledger = station.ledger
    session.result_mode.operations = controller["results"] == "operations"
    if ON_CPYTHON:
        from toolcart.agent.linux.special_values import several

        session.result_mode.multi_spindle = several(session, controller)
    elif controller["results"] not in ("auto", "operations"):
        from toolcart.agent.openprotocol.spindle_subscription import MultiSpindleResults

        session.result_mode.multi_spindle = MultiSpindleResults(session, station.ledger, controller["results"])


def _add_queries(station, controller):
    if controller["clock"] != "off" or controller["limits"] != "off":
        from toolcart.agent.openprotocol.queries import Queries  # only if there is something to ask

        station.intake.queries = queries = Queries(
            station.board, controller["clock"] != "off", controller["clock"] == "set", controller["limits"] == "ask"
        )
        station.intake.store.limits = queries.limits


def _longest_command(controller):
    """Return the length of the longest command allowed, which is longer than any other request; 0 if none is."""
    if not controller.get("commands"):
        return 0
    from toolcart.agent.openprotocol.commands import LONGEST

    return LONGEST


def _commands(station, controller):
    """Return what carries out others' commands over our session; None if none are allowed."""
    if not controller.get("commands"):
        return None
    from toolcart.agent.station.commands import Commands

    intake = station.intake
    station.commands = commands = Commands(tuple(controller["commands"]), intake, station.number)
    intake.commands = intake.queries = commands
    return commands


def _add_outlets(station):
    for index in range(len(station.outlet_settings)):
        settings = station.outlet_settings[index]
        station.outlets.append(_make(station.settings["outlets"][index]["kind"], settings, station, index))


def _make(kind, settings, station, index):
    """Return the outlet of this kind and these settings at log.cursors[index]."""
    if ON_CPYTHON:
        from toolcart.agent.linux.outlets import make as make_any

        return make_any(kind, settings, station, index)
    if kind == "mqtt":
        from toolcart.agent.outlets.mqtt import make  # loaded where it is configured
    else:
        from toolcart.agent.outlets.toolsnet.factory import make
    return make(settings, station, index)


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
        outlet.attach(scheduler, slots[-1])
        if outlet.port is not None:
            station.board.watch(outlet.port, slots[-1])
    station.intake.attach(scheduler, tuple(slots))


def link_of(controller, message_bytes):
    """Return the link of these settings, for messages of so many bytes; only what is used is imported."""
    link = _plain_link(controller, message_bytes)
    if controller["header"] != "standard":
        from toolcart.agent.link.header_layouts import header_of

        link.header = header_of(controller["header"])
    return link


def _plain_link(controller, message_bytes):
    kind = controller["link"]
    if kind == "tcp":
        from toolcart.agent.link.stream import Stream

        return Stream(controller["buffer_bytes"], message_bytes)
    bits = 9 + controller["stop_bits"] + (0 if controller["parity"] == "none" else 1)
    octet_us = (bits * 1000000 + controller["baud"] - 1) // controller["baud"]
    if kind == "ascii":
        from toolcart.agent.link.serial_ascii import SerialAscii

        return SerialAscii(
            controller["buffer_bytes"], octet_us, payload=controller["payload"], message_bytes=message_bytes
        )
    if kind == "3964r":
        from toolcart.agent.link.r3964 import R3964

        return R3964(
            controller["buffer_bytes"],
            octet_us,
            high_priority=controller["priority"] == "high",
            payload=controller["payload"],
            message_bytes=message_bytes,
        )
    raise ValueError("no link has the name " + kind)


def _subscriptions(station, store, controller):
    """Return the subscriptions besides results, each with its handler."""
    wanted = ()
    if ON_CPYTHON:
        # ToolsNet usually wants none.
        if [one for one in station.outlet_settings if one.get("events", True)]:
            from toolcart.agent.linux.controller_events import ControllerEvents, subscriptions_of

            station.controller_events = ControllerEvents(store)
            wanted = subscriptions_of(controller["events"])
            for subscription in wanted:
                subscription.set_handler(station.controller_events)
        if controller["traces"] and station.graphs is not None:
            from toolcart.agent.linux.controller_curves import subscriptions_of as curves_of

            wanted += curves_of(station, controller)
    return wanted


def asked_revisions(revisions, header):
    """Return what is asked for, of these revisions of the settings: with the usual header none is named at last."""
    # The other headers have documents that name revisions.
    return tuple(revisions) + ((BLANK,) if header == "standard" else ())


def controller_session(controller, events, least_bytes=0):
    """Return the session of these settings; its send buffer has at least `least_bytes`."""
    header = controller["header"]
    results = controller["result_revisions"]
    asked = asked_revisions(results, header)
    # They must not delay the way that a controller has instead of MID 0060.
    rare = len(asked) - len(results) + (results[-1] == _RARE and len(results) > 1)
    subscriptions = (Subscription(RESULTS, asked, rare),) + events
    link = link_of(controller, max(least_bytes, longest_bytes(subscriptions)))
    session = ControllerSession(link, subscriptions, asked_revisions(controller["start_revisions"], header))
    session.station_id = controller["station_id"] or 0
    session.spindle_id = controller["spindle_id"] or 0
    session.needs_station = controller["tightening_ids"] == "shared"
    return session
