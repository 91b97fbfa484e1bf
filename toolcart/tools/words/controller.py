"""Log entries about a controller, its results and curves, a name and a number each, in words a plant understands."""

from __future__ import annotations

from toolcart.agent.station import watch
from toolcart.agent.wide import mid0900 as trace

# By the name of the counter; {value} is the one in its latest entry.
SENTENCES = {
    "raw": "a result that cannot be read came, {value} bytes: it is kept as it came",
    "controller malformed": "the controller's MID {value:04d} could not be used: it does not follow the protocol",
    "controller unknown": "the controller sent MID {value:04d}, which was not asked for; it was ignored",
    "controller resets": "the controller's tightening IDs begin again",
    "out of sequence": "a result came out of order by its tightening ID; it is kept as it came",
    "odd on the line": (
        "an impossible result came over the line; it is accepted if it comes again unchanged. "
        "`toolcart line monitor` shows what comes"
    ),
    "no owner": (
        "the controller's answers to MID 0064 do not say which station a result is of: what was missed is not fetched"
    ),
    "unsubscribed": "the controller had stopped pushing results while connected: {why}",
    "passed over": (
        "results are not taken, since MID 0065 names another station: right where stations share the tightening IDs; "
        'else set controller.tightening_ids to "own"'
    ),
    "ids higher": "this controller answers MID 0064 with tightening IDs that are one too high: they are corrected",
    "repeats nothing": (
        "this controller sends each result once: what is not stored then has to be fetched, if it keeps any "
        "(docs/controllers.md)"
    ),
    "clock set": "the controller's clock was {value} s apart from ours and was set",
    "traces odd": "a curve was kept though something in it is not as it should be",
    "traces lost": "a curve was not kept: {why}",
    "faults": "a fault inside the agent ended a connection, which begins again",
}

_CURVES_LOST = {
    trace.LOST_UNREADABLE: "it cannot be read",
    trace.LOST_EMPTY: "it has no sample",
    trace.LOST_CUT: "it is longer than the receive buffer",
    trace.LOST_ROOM: "the spool could not be written",
    trace.LOST_LONG: "it is longer than the area of curves",
    trace.LOST_STEPS: "it has more resolutions than a record has room for",
}


_UNSUBSCRIBED = {
    watch.IS_FETCHED: "what it did not push is fetched where it still has it, and the connection begins again",
    watch.IS_LOST: "it pushes again; what it made meanwhile cannot be fetched from it",
}


def sentence(name: str, value: int) -> str:
    """Return what this entry means, "" if there is nothing to say about it."""
    whys = _UNSUBSCRIBED if name == "unsubscribed" else _CURVES_LOST
    return SENTENCES.get(name, "").format(value=value, why=whys.get(value, f"reason {value}"))
