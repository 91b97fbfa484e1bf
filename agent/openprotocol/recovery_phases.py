"""What a controller is asked about its old results, phase by phase, and what an answer means."""

from toolcart.agent.base.compat import const

PHASE_IDLE = const(0)
PHASE_NEWEST = const(1)
PHASE_PROBE = const(2)  # an ID never made: if the newest below it comes, all stations share the IDs
PHASE_WITNESS = const(3)  # the highest ID known: does it still mean the same result?
PHASE_NEARBY = const(4)  # an ID near that one: is it there?
PHASE_WALK = const(5)  # downward, to what the controller still has
PHASE_UPWARD = const(6)  # ID 0 is not answered there: upward from the highest ID known
PHASE_SETTLE = const(7)  # what was concluded is to be written down
PHASE_SEEK = const(8)  # all stations share the IDs: which of the missing ones are ours?
PHASE_FILL = const(9)
PHASE_POLL = const(10)  # is the newest still the highest known? If not, something was not pushed
PHASE_COMPARE = const(11)  # is what was pushed kept in another writing? (toolcart.agent.openprotocol.differing_formats)
PHASE_CONFIRM = const(12)  # the newest, under its own ID (toolcart.agent.openprotocol.newest_check)
PHASE_OFF = const(13)  # from here on nothing is asked
PHASE_NO_ID = const(14)  # the newest has no ID: until one has
PHASE_CLOSED = const(15)
LOOK_AGAIN_MS = const(60000)  # between two looks that pushes make start over
GRACE_MS = const(10000)  # in which a push of which a part was acknowledged may come whole
OFF_MS = const(3600000)  # until a controller that cannot be asked is asked again
PHASES_OF_KNOWN = (PHASE_WITNESS, PHASE_NEARBY)
PHASES_OF_SEARCH = PHASES_OF_KNOWN + (PHASE_WALK, PHASE_UPWARD, PHASE_COMPARE, PHASE_CONFIRM)  # for what may be gone
PHASE_NAMES = (
    "idle",
    "asking for the newest",
    "asking whether the stations share the IDs",
    "asking for the last known",
    "asking for the last known",
    "walking back",
    "walking up",
    "writing down",
    "looking for our own",
    "filling",
    "asking for the newest again",
    "asking for what was pushed",
    "asking for the newest under its ID",
    "off",
    "off",
    "idle",
)

OUTCOME_NONE = const(0)
OUTCOME_STORE = const(1)  # the fetched result has to be stored
OUTCOME_RESET = const(2)  # the controller's IDs have restarted
OUTCOME_ASK_AGAIN = const(3)  # end the session: the next one shows whether this is another controller
OUTCOME_NO_OWNER = const(4)  # an answer that may be another station's does not say whose it is: nothing can be fetched
OUTCOME_OFFSET = const(5)  # it is known by how much the IDs of this controller's answers are off
OUTCOME_KNOWN = const(6)  # of a poll: there is nothing that is not known
OUTCOME_UNKNOWN = const(7)  # of a poll: there is; `polled` is its ID

SHARING_AUTO = const(0)  # whether all stations share the controller's IDs: as its answers show
SHARING_OWN = const(1)  # they do not
SHARING_ALL = const(2)  # they do

JUDGED_FINE = const(0)  # of an answer where stations may share the IDs: it is taken like any other
JUDGED_DOUBT = const(1)  # it shows that they do, unless it is corrupt: ask again
JUDGED_SHARED = const(2)  # it shows it a second time
JUDGED_NO_OWNER = const(3)
