"""ToolsNet as an outlet: its settings are a section of their own; its code is loaded where it is configured."""

CPYTHON_ONLY = True  # a board makes its one outlet itself

SETTINGS = ""  # toolcart.agent.cart.settings has them
MEANINGS = {}  # type: dict[str, str]


def make(settings, station, index):
    """Make the outlet of these settings (toolcart.agent.linux.outlets)."""
    from toolcart.agent.linux import toolsnet

    return toolsnet.make(settings, station, index)
