"""The outlets that Linux has besides ToolsNet: a row for each kind, and the only place that knows them all.

Each outlet's module has:

    SETTINGS   its rows of settings, in the form of agent.cart.settings; a key that two kinds share is one row
    MEANINGS   what each of them means: a sentence of docs/configuration.md
    make(settings, station, index, graphs)   makes the outlet of these settings (agent.outlets) at log.cursors[index];
               `graphs` is the station's log of curves where they are wanted, else None
                      `awaits` among the settings: a secret is missing, and `awaits.look()` tries to put it there
    wrong(settings)   (key, what is allowed) for faults that the form of a setting does not show; optional
    place(settings, system, station)   what no other outlet may share, None if that is not known; optional
"""

from agent.wide import file, mqtt, webhook

CPYTHON_ONLY = True  # a board has ToolsNet, and MQTT where it is configured (agent.cart.assembly)

OUTLETS = {"file": file, "webhook": webhook, "mqtt": mqtt}


def add_outlets(station):
    """Make the outlets that the settings name besides ToolsNet, in their order: the log has a cursor for each."""
    for settings in station.settings["outlets"][1:]:
        index = len(station.outlets)
        if "awaits" in settings:
            from agent.wide.awaiting import Awaiting  # rare

            station.outlets.append(Awaiting(station, index, settings, make_outlet))
        else:
            station.outlets.append(make_outlet(settings, station, index))


def make_outlet(settings, station, index):
    """Return the outlet of these settings."""
    graphs = station.graphs if settings.get("graphs") else None
    return OUTLETS[settings["kind"]].make(settings, station, index, graphs)
