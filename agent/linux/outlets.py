"""The outlets that Linux has: a row for each kind, and the only place that knows them all.

A row is a module that has what follows, and loads the outlet's code when one is made:

    SETTINGS   its rows of settings, in the form of toolcart.agent.cart.settings; a key that two kinds share is one row
    MEANINGS   what each of them means: a sentence of docs/configuration.md
    make(settings, station, index)   makes the outlet of these settings (toolcart.agent.outlets) at log.cursors[index];
                      `awaits` among the settings: a secret is missing, and `awaits.look()` tries to put it there
    wrong(settings)   (key, what is allowed) for whatever it would refuse of its settings alone; None where one has been
                      refused for its form (toolcart.agent.cart.config asks, so that no start finds more); optional
    place(settings, system, station)   what no other outlet may share, None if that is not known; optional
"""

from toolcart.agent.linux import file_settings, mqtt_settings, toolsnet_settings, webhook_settings

CPYTHON_ONLY = True  # a board has ToolsNet and MQTT (toolcart.agent.cart.assembly)

OUTLETS = {
    "toolsnet": toolsnet_settings,
    "file": file_settings,
    "webhook": webhook_settings,
    "mqtt": mqtt_settings,
}


def make(kind, settings, station, index):
    """Return the outlet of this kind and these settings."""
    if "awaits" in settings:
        from toolcart.agent.linux.awaiting_secret import AwaitingSecret  # most carts await none

        return AwaitingSecret(station, index, settings, OUTLETS[kind].make)
    return OUTLETS[kind].make(settings, station, index)
