"""Makes the outlet to ToolsNet from its settings; loaded for a start (toolcart.agent.cart.assembly)."""

# First, because imports nest (toolcart.agent.cart.app).
from toolcart.agent.outlets.toolsnet.forward import ToolsNetOutlet

# isort: split
from toolcart.agent.toolsnet.result04 import PARAM_NAMES, ResultWriter
from toolcart.agent.toolsnet.session import Session


def make(settings, station, index, kind=Session, write=ResultWriter, sources=()):
    """Return the outlet of these settings; the rest is what Linux has besides (toolcart.agent.linux.toolsnet)."""
    system = station.system
    session = kind(system["type"], system["number"], station.number, settings["reconnect_ms"])
    writer = write(session.result, system["type"], system["number"], _mask(settings["parameters"], PARAM_NAMES))
    writer.session = session
    outlet = ToolsNetOutlet(station.outlet_ports[index], session, writer, station, settings, sources)
    outlet.index = index
    return outlet


def _mask(names, known):
    mask = 0
    for name in names:
        mask |= 1 << known.index(name)
    return mask
