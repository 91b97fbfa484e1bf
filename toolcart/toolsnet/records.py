"""What ToolsNet's records say about themselves: their owner, the tightening, and which of two is older."""

from toolcart.agent.toolsnet.telegram import SEQUENCES

PORTABLE = True

# The parameter that carries the controller's tightening ID (protocol.md 9.2).
TIGHTENING_ID_PARAMETER = 30


def tightening_id_of(result):
    """Return the controller's tightening ID of a result, None if it has none."""
    for parameter in result["parameters"]:
        if parameter["parameter_id"] == TIGHTENING_ID_PARAMETER:
            text = parameter["value"].strip()
            return int(text) if text.isdigit() else None
    return None


def is_behind(sequence, latest):
    """True if `sequence` is an older number than `latest` on the circle 1..99999."""
    return (sequence - latest) % SEQUENCES > SEQUENCES // 2


def station_of(record):
    return record["system_type"], record["system"], record["station"]
