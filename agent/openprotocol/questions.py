"""What a controller is asked about its old results, and what an answer comes to."""

from agent.base.compat import const

PHASE_IDLE = const(0)
PHASE_NEWEST = const(1)
PHASE_WITNESS = const(2)  # an ID that was known before this connection: does it mean the same result?
PHASE_PROBE = const(3)  # ID 0 is not answered there: ask for the next ID until one is gone
PHASE_WALK_BACK = const(4)
PHASE_FILL = const(5)
PHASE_OFF = const(6)
PHASE_SEEK = const(7)  # all stations share the IDs: which of the missing ones are ours?
PHASE_KEPT = const(8)  # what does the controller keep? (agent.openprotocol.kept)
PHASE_OLDEST = const(9)  # is that so?
PHASE_NAMES = (
    "idle",
    "asking for the newest",
    "asking for the last known",
    "probing",
    "walking back",
    "filling",
    "off",
    "looking for our own",
    "asking what is kept",
    "looking whether that is kept",
)

NEWS_NONE = const(0)
NEWS_STORE = const(1)  # the fetched result has to be stored
NEWS_RESET = const(2)  # the controller counts anew
NEWS_GONE = const(6)  # there is nothing under the ID that was asked for
NEWS_AGAIN = const(7)
NEWS_GO_ON = const(5)  # the answer is to be taken like any other
NEWS_NO_OWNER = const(4)  # an answer that may be another station's does not say whose it is: nothing can be fetched
NEWS_ASK_AGAIN = const(3)  # end the session: the next one tells whether this is another controller

SHARING_AUTO = const(0)  # whether all stations share the controller's IDs: as its answers show
SHARING_OWN = const(1)  # they do not
SHARING_ALL = const(2)  # they do

NEWEST_LAG = const(16)  # an answer that crossed live results names one of the last few, and no later time
