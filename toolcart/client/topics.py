"""What a controller can be asked to push: a topic is a name and the rows of subscriptions that bring it.

1. A row is one of toolcart.agent.openprotocol.subscriptions; further rows of a topic are other ways to the same
   messages, tried if the one before was rejected.
2. Revisions are tried in their order. For results revision 999, the shortest, comes near the end: a program usually
   wants everything that a controller sends, while the agent's own setting wants speed.
3. Nothing is subscribed to that is not read: a controller waits for the acknowledgement of all it pushes.
"""

from __future__ import annotations

from toolcart.agent.openprotocol.subscriptions import INSTEAD, RESULTS

RESULT_REVISIONS = (11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 999, 998)

_EMPTY = b"00"  # extra data of MID 0008
_ALARMS = ((71, 72), (74, 75), (76, 77))
_PSETS = ((15, 16),)
_JOBS = ((35, 36),)

# Name -> rows, each with its revisions. Results come first: the session machine knows them by this place.
TOPICS: dict[str, tuple] = {
    "results": ((RESULTS, RESULT_REVISIONS),),
    "alarms": (
        ((70, 73, 0, b"", False, _ALARMS), (3, 2, 1)),
        ((8, 9, 71, _EMPTY, INSTEAD, _ALARMS), (3, 2)),
        ((8, 9, 1000, _EMPTY, INSTEAD, ((1000, 1001),)), (1,)),
    ),
    "parameter_sets": (
        ((14, 17, 0, b"", False, _PSETS), (2, 1)),
        ((8, 9, 15, _EMPTY, INSTEAD, _PSETS), (1,)),
    ),
    "jobs": (
        ((34, 37, 0, b"", False, _JOBS), (5, 4, 3, 2, 1)),
        ((8, 9, 35, _EMPTY, INSTEAD, _JOBS), (2,)),
    ),
    "vins": (((51, 54, 0, b"", False, ((52, 53),)), (2, 1)),),
    "identifiers": (((151, 154, 0, b"", False, ((152, 153),)), (1,)),),
    "selectors": (((250, 253, 0, b"", False, ((251, 252),)), (1,)),),
    "tool_tags": (((261, 264, 0, b"", False, ((262, 263),)), (1,)),),
    "modes": (((400, 403, 0, b"", False, ((401, 402),)), (1,)),),
    "user_data": (((241, 244, 0, b"", False, ((242, 243),)), (1,)),),
}
