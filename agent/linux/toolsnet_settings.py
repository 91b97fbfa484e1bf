"""ToolsNet as an outlet: its settings are a section of their own; its code is loaded where it is configured."""

from toolcart.agent.linux import tls_settings

CPYTHON_ONLY = True  # a board makes its one outlet itself

SETTINGS = ""  # toolcart.agent.cart.settings has them
MEANINGS = {}  # type: dict[str, str]


def wrong(settings):
    """Return (key, what is allowed) for faults that the rows of settings cannot express."""
    return tls_settings.faults(settings, "" if settings.get("tls_ca") else "without tls_ca")


def make(settings, station, index):
    """Make the outlet of these settings (toolcart.agent.linux.outlets)."""
    from toolcart.agent.linux import toolsnet

    return toolsnet.make(settings, station, index)
