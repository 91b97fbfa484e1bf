"""What a station remembers beside its results: the name and owner of every number and byte of a snapshot.

A snapshot (toolcart.agent.log.state) is `NUMBERS` numbers below 2**30 and `OCTETS` bytes. `state.numbers[NAME]` is the
current value, `state.durable[NAME]` that of the last snapshot on flash. Code that changes several leaves them
consistent before it returns, since any module may save. All are logical: numbers of records, counts, flags; never a
place on the flash.
"""

from toolcart.agent.base.compat import const

# A ring (toolcart.agent.log.log) has three in a row: LOG, KEPT (the quarantine) and GRAPHS (curves) name the first of
# each.
NEXT = const(0)  # the snapshot covers every record before this number
SOLID = const(1)  # every record before this number is durable, however it reads
COUNTS_TO = const(2)  # number of the newest block; it only grows
LOG = const(0)
KEPT = const(3)
GRAPHS = const(6)

# How far each outlet is: everything up to this number of the log is done. 4 outlets, and ToolsNet's events separately.
CURSOR = const(9)  # .. 12
EVENT_CURSOR = const(13)
KEPT_CURSOR = const(14)  # everything up to this number of the quarantine's ring is gone from it
GRAPH_CURSOR = const(15)  # .. 18, numbers in the ring of curves

# ToolsNet (toolcart.agent.outlets.toolsnet), POLICIES part 2
LIMIT = const(19)  # results and events up to this number of the log may have been sent
AHEAD = const(20)  # by how much the log's number is ahead of ToolsNet's, at the first cursor
SENT = const(21)  # SENT_ bits
LATE = const(22)  # number in the quarantine's ring of the one being offered again, 0 if none
LATE_FIRST = const(23)  # entries up to this number of the quarantine's ring were offered again at least once
TAKEN = const(24)  # the last sequence that the server is known to have
EVENT_AHEAD = const(25)  # as AHEAD, at the events' cursor
KEPT_LAST = const(26)  # the highest number of the log that was ever copied into the quarantine
HOLES = const(
    27
)  # .. 34: up to 4 ranges (first and last number in the quarantine's ring) that are gone above its cursor
HOLES_MOST = const(4)

# Counts that only grow
DELIVERED = const(35)
OVERWRITTEN = const(36)  # by the first outlet's cursor
MISSED = const(37)  # records that best-effort outlets did not get
DAMAGED = const(38)  # numbers of the log that were found unreadable
JUMPED = const(39)  # numbers that a start skipped
GONE = const(40)  # IDs that the controller no longer has
STORED_AGAIN = const(41)  # results and frames that the log may have had and lost before: an upper bound
SET_ASIDE = const(42)
DROPPED = const(43)  # by an operator
KEPT_DAMAGED = const(44)  # records of the quarantine that were found unreadable

# The area
KEPT_BLOCKS = const(45)  # blocks of the quarantine and, next, of the ring of curves: as the area was made
GRAPH_BLOCKS = const(46)

STORED = const(47)  # results and unread frames ever stored; it only grows, and the store's fold counts it
NUMBERS = const(48)

SENT_MET = const(1)  # the server has answered once: AHEAD follows what it had
SENT_PASS = const(2)  # the next 08 vouches only for the one it names: a pass is under way
SENT_WINDOW = const(4)  # several may be outstanding: an 08 says nothing about those before the one it names
SENT_EVENTS_MET = const(8)
SENT_WIDTH = const(16)  # times how many may be outstanding, with SENT_WINDOW

OCTETS = const(44)  # all belong to toolcart.agent.openprotocol.known

assert HOLES + 2 * HOLES_MOST == DELIVERED
