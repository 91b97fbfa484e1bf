"""What the owner of a session sees of it: its states, its events, and why it is over."""

from toolcart.agent.base.compat import const

CLOSED = const(0)
STARTING = const(1)
SUBSCRIBING = const(2)
CLEARING = const(3)  # unsubscribing, because a subscription of an earlier session is still there
READY = const(4)
STOPPING = const(5)
OVER = const(6)  # close the port; `why` has the reason
STATE_NAMES = ("closed", "starting", "subscribing", "clearing", "ready", "stopping", "over")

# What an event says more is in the session's `received`: `mid`, `named`, `code`, `rejection`.
EV_NONE = const(0)
EV_STARTED = const(1)  # 0002 came: cell, channel, name and serial can be read
EV_READY = const(2)  # subscribed
EV_PUSHED = const(3)  # a push at link.buf[link.at:], whole; the session's `pushed` is its row
EV_PUSHED_CUT = const(4)  # one too large for the buffer: only its first bytes are there
EV_FETCHED = const(5)  # 0065, the answer to `fetch`
EV_FETCH_REJECTED = const(6)  # 0004 to it; `rejection` holds the class
EV_FETCH_SILENT = const(7)  # no answer in time; the session goes on
EV_UNKNOWN = const(8)  # a message that was not asked for; `mid` names it
EV_MALFORMED = const(9)  # a header or an answer that cannot be read, or a part of a result that does not fit the others
EV_REJECTED = const(10)  # a 0004 after which something else is tried: `code` holds it, for the log
EV_OVER = const(11)
EV_TOOL = const(12)  # 0041, the answer to `ask_tool`: its serial number is read by controller_identity.read_tool
EV_OTHER_SPINDLE = const(13)  # 0065 once more with the ID answered last, of another spindle: it has the same ID
EV_FETCH_LATE = const(14)  # 0065 to an earlier question, whatever is asked now
EV_QUERY = const(15)  # up to EV_QUERY_SILENT: the answer to what toolcart.agent.openprotocol.queries has asked for
EV_QUERY_REJECTED = const(16)
EV_QUERY_SILENT = const(17)
EV_HANDLERS = const(18)  # from here on only for the handler of results (toolcart.agent.openprotocol.subscriptions)
EV_PART_LATE = const(18)  # the next part of a result did not come
EV_GENERIC = const(19)  # 0002 came from a controller that is never asked for MID 0060
EV_HISTORY_REJECTED = const(20)  # 0004 to MID 0006
EV_WATCH = const(21)  # from here on only for toolcart.agent.station.subscription_check
EV_REPEATED = const(21)  # a numbered message came again
EV_ACK_REJECTED = const(22)  # an acknowledgement of ours, `named`, was rejected; `code` holds the code
EV_SUBSCRIBED = const(23)  # the subscription that was asked for once more was accepted
EV_NOT_SUBSCRIBED = const(24)  # it was rejected; `rejection` holds the class

WHY_NOTHING = const(0)
WHY_FRAMING = const(1)
WHY_SILENCE = const(2)
WHY_BUSY = const(3)
WHY_NO_REVISION = const(4)
WHY_NO_RESULTS = const(5)  # the controller does not know MID 0060 in any revision we have
WHY_REJECTED = const(6)
WHY_STOPPED = const(7)  # toolcart.agent.cart.status has the words
WHY_UNUSABLE = const(38)  # what came was no answer: INCOMPLETE_MESSAGE, or the MID that came last
INCOMPLETE_MESSAGE = const(10000)  # a message that began and did not end
WHY_HEADER = const(36)  # what answers MID 0001 lays out its headers otherwise (toolcart.agent.link.header_layouts)
