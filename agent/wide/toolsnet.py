"""What goes to ToolsNet beside plain results, as the settings want it: what agent.assembly hands to its outlet."""

from agent.toolsnet.result04 import ResultWriter
from agent.toolsnet.session import Session

CPYTHON_ONLY = True  # a board has room for results alone


def extras(station, system, toolsnet):
    """Return what makes the session and the writer, the sources beside results, and the window or None."""
    if toolsnet["targets"]:
        from agent.toolsnet.targets04 import TargetWriter

        return _with_targets, TargetWriter, (), None
    return Session, ResultWriter, (), None


def _with_targets(*numbers, **times):
    """A session with room for longer telegrams."""
    from agent.toolsnet.targets04 import RESULT_BYTES_TARGETS

    session = Session(*numbers, **times)
    session.result = bytearray(RESULT_BYTES_TARGETS)
    return session
