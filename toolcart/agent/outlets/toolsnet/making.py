"""Makes the outlet to ToolsNet from its settings; loaded for a start (toolcart.agent.cart.assembly)."""

# First, because imports nest (toolcart.agent.cart.app).
from toolcart.agent.outlets.toolsnet.forward import Forward

# isort: split
from toolcart.agent.toolsnet.result04 import PARAM_NAMES, ResultWriter
from toolcart.agent.toolsnet.session import ALWAYS, AUTO, NEVER, Session

_CHOICES = {"auto": AUTO, "always": ALWAYS, "never": NEVER}


def make(settings, station, index, kind=Session, write=ResultWriter, sources=(), window=None):
    """Return the outlet of these settings; the rest is what Linux has besides results (agent.wide.toolsnet)."""
    system = station.system
    session = session_of(kind, settings, system, station.number)
    writer = write(
        session.result,
        system["type"],
        system["number"],
        _mask(settings["parameters"], PARAM_NAMES),
        settings["program_for_zero"],
    )
    writer.session = session
    return Forward(
        station.outlet_ports[index],
        session,
        writer,
        station.log,
        station.quarantine,
        station.health,
        station.board,
        settings,
        station.settings["spool"]["cursor_batch"],
        station.quiet,
        sources,
        window,
    )


def session_of(kind, settings, system, station):
    """Return a session with ToolsNet for this station, as a `kind` of toolcart.agent.toolsnet.session.Session."""
    return kind(
        system["type"],
        system["number"],
        station,
        ack_timeout_ms=settings["ack_timeout_ms"],
        retransmissions=settings["retransmissions"],
        keepalive_ms=settings["keepalive_ms"],
        reconnect_ms=settings["reconnect_ms"],
        verify_timeout_ms=settings["verify_timeout_ms"],
        ack_12=_CHOICES[settings["ack_12"]],
        keepalive_ack=_CHOICES[settings["keepalive_ack"]],
    )


def _mask(names, known):
    mask = 0
    for name in names:
        mask |= 1 << known.index(name)
    return mask
