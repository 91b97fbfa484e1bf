"""ToolsNet on Linux: the outlet with everything that goes out besides plain results, as the settings want it.

The code of what goes out besides results is loaded where it is wanted.
"""

from toolcart.agent.linux.telegram04 import ExtendedWriter, TargetWriter
from toolcart.agent.outlets.toolsnet import factory
from toolcart.agent.toolsnet.session import Session

CPYTHON_ONLY = True  # a board has room for results alone


def make(settings, station, index):
    """Make the outlet of these settings (toolcart.agent.linux.outlets)."""
    sources = sources_of(station, station.system, settings)
    kind = Session
    if sources:
        from toolcart.agent.linux.toolsnet_session import ExtendedSession

        kind = ExtendedSession
    write = TargetWriter if "targets" in (settings["extras"] or ()) else ExtendedWriter
    return factory.make(settings, station, index, kind, write, sources)


def sources_of(station, system, toolsnet):
    """Return the sources besides results, descriptions first."""
    sources = []
    wanted = toolsnet["extras"] or ()
    if "names" in wanted:
        sources.append(_descriptions(station, system))
    if toolsnet["events"]:
        from toolcart.agent.linux.toolsnet_events import ToolsNetEvents, mask_of

        sources.append(ToolsNetEvents(station.log, station.state, mask_of(toolsnet["events"]), toolsnet))
    if "curves" in wanted and station.graphs is not None:
        from toolcart.agent.linux.toolsnet_curves import ToolsNetCurves

        sources.append(ToolsNetCurves(station.log, station.quarantine, station.graphs))
    return tuple(sources)


def _descriptions(station, system):
    """Return the source that describes system and station in the map, with the names that the controller gives."""
    from toolcart.agent.linux.controller_names import ControllerNames
    from toolcart.agent.linux.parameter_set_names import ParameterSetNames
    from toolcart.agent.linux.toolsnet_descriptions import Descriptions

    controller = station.settings["controller"]
    names = ControllerNames()
    address = controller["host"] if controller["link"] == "tcp" else ""
    spindle = controller["spindle_id"] or 1
    intake = station.intake
    if station.controller_events is not None:
        station.controller_events.names = names
    intake.queries = ParameterSetNames(intake.queries, names, intake.wake_outlets)
    return Descriptions(station.counters, system["name"], station.name, address, spindle, names)
