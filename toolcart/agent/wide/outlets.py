"""The outlets that Linux has: a row for each kind, and the only place that knows them all.

Each outlet's module has:

    SETTINGS   its rows of settings, in the form of toolcart.agent.cart.settings; a key that two kinds share is one row
    MEANINGS   what each of them means: a sentence of docs/configuration.md
    make(settings, station, index)   makes the outlet of these settings (toolcart.agent.outlets) at log.cursors[index];
                      `awaits` among the settings: a secret is missing, and `awaits.look()` tries to put it there
    wrong(settings)   (key, what is allowed) for faults that the form of a setting does not show; optional
    place(settings, system, station)   what no other outlet may share, None if that is not known; optional
"""

from toolcart.agent.wide import file, mqtt, toolsnet, webhook

CPYTHON_ONLY = True  # a board has ToolsNet and MQTT (toolcart.agent.cart.assembly)

OUTLETS = {"toolsnet": toolsnet, "file": file, "webhook": webhook, "mqtt": mqtt}


def make(kind, settings, station, index):
    """Return the outlet of this kind and these settings."""
    if "awaits" in settings:
        from toolcart.agent.wide.awaiting import Awaiting  # rare

        return Awaiting(station, index, settings, OUTLETS[kind].make)
    return OUTLETS[kind].make(settings, station, index)
