"""What a station remembers beside its results: the name and owner of every number and byte of a snapshot.

A snapshot (toolcart.agent.log.snapshot) is `NUMBERS` numbers below 2**30, `OCTETS` bytes, and four places, one for each
outlet (toolcart.agent.cart.outlet_places). `state.numbers[NAME]` is the
current value, `state.durable[NAME]` that of the last snapshot on flash. Code that changes several leaves them
consistent before it returns, since any module may save. All are logical: numbers of records, counts, flags; never a
place on the flash.
"""

from toolcart.agent.base.compat import const

# A ring (toolcart.agent.log.log) has three in a row: LOG, QUARANTINE and GRAPHS (curves) name the first of
# each.
NEXT = const(0)  # the snapshot covers every record before this number
SOLID = const(1)  # every record before this number is durable, however it reads
COUNTS_TO = const(2)  # number of the newest block; it only grows
LOG = const(0)
QUARANTINE = const(3)
GRAPHS = const(6)

# Of a place: how far its outlet is; everything up to this number of the log is done. The first place is ToolsNet's.
CURSOR = const(9)  # .. 12
TOOLSNET_CURSOR = const(9)
EVENT_CURSOR = const(13)
QUARANTINE_CURSOR = const(14)  # everything up to this number of the quarantine's ring is gone from it
# .. 18: of a place, numbers in the ring of curves, or of the log (Snapshot.put_moved). Of ToolsNet's where there is no
# such ring: up to this number of the log results were left out as it was added.
GRAPH_CURSOR = const(15)

# Of ToolsNet's place (toolcart.agent.outlets.toolsnet): they begin anew when it goes to another name
SEND_LIMIT = const(19)  # results and events up to this number of the log may have been sent
SEQUENCE_LAG = const(20)  # by how much the log's number is ahead of ToolsNet's, at its cursor
SENT = const(21)  # SENT_ bits
REOFFERED = const(22)  # number in the quarantine's ring of the one being offered again, 0 if none
REOFFERED_TO = const(23)  # entries up to this number of the quarantine's ring were offered again at least once
TAKEN = const(24)  # the last sequence that the server is known to have
EVENT_SEQUENCE_LAG = const(25)  # as SEQUENCE_LAG, at the events' cursor
QUARANTINE_LAST = const(26)  # the highest number of the log that was ever copied into the quarantine
GAPS = const(27)  # .. 34: up to 4 ranges (first and last number in the quarantine's ring), gone above its cursor
GAPS_MOST = const(4)

# Counts. They grow, but for what turns out otherwise: what is to be sent again is neither DELIVERED nor DROPPED, what
# an 08 vouches for was not OVERWRITTEN, what is found once only was not STORED_AGAIN, what is dropped of another
# ToolsNet, or sent again after it was dropped, was not QUARANTINED. Of ToolsNet's place, anew with another name:
DELIVERED = const(35)
OVERWRITTEN = const(36)  # results that the log gave up before ToolsNet had them
# Of the station:
MISSED = const(37)  # records that the log gave up before other outlets had them (toolcart.agent.log.missed_counts)
MISSED_SHARED = const(1 << 29)  # of that number: several outlets share it
DAMAGED = const(38)  # numbers of the log, and records of the quarantine, that were found unreadable
JUMPED = const(39)  # numbers that a start skipped
# In a snapshot, of that number: DAMAGED lacks what the next start finds again (toolcart.agent.log.refound_damage).
JUMPED_FINDS_AGAIN = const(1 << 29)
GONE = const(40)  # IDs that the controller no longer has
STORED_AGAIN = const(41)  # results and frames that the log may have had and lost before: an upper bound
QUARANTINED = const(42)  # without what an operator dropped of another ToolsNet, or was sent again after that
# Of ToolsNet's place, anew with another name:
DROPPED = const(43)  # by an operator

# Of ToolsNet's place: a server that was set back (toolcart.agent.outlets.toolsnet.data_loss)
DOUBT_TO = const(
    44
)  # results up to this number are in doubt; those behind it, as far as SENT_AGAIN says, are sent again
DOUBT_LACKS = const(46)  # how many results the server lacks at most, of those it had; 0: none is in doubt

# Of the station
AREA = const(
    45
)  # blocks of the quarantine as the area was made, and from bit AREA_GRAPHS on those of the ring of curves
AREA_GRAPHS = const(15)

STORED = const(47)  # results and unread frames ever stored; it only grows, and the store's fold counts it
NUMBERS = const(48)
PLACES = const(4)
# Of `Snapshot.places`: so many bits of each; the lowest three are the kind (toolcart.agent.cart.outlet_places).
PLACE_BITS = const(6)
PLACE_KIND = const(7)
MOVED = const(8)  # its cursor was moved past records that its outlet has not had
# Above all: ToolsNet may have had more than DELIVERED (toolcart.agent.outlets.toolsnet.data_loss).
HAD_MORE = const(0x1000000)

SENT_MET = const(1)  # the server has answered once: SEQUENCE_LAG follows what it had
SENT_LOOKAHEAD = const(2)  # the next 08 vouches only for the one it names: a lookahead is under way
# An earlier version had several outstanding, 8 at most (16 and above said how many): those before the one that an 08
# names are in doubt. It is never set any more.
SENT_SEVERAL = const(4)
SENT_EVENTS_MET = const(8)
SENT_EMPTY = const(0x100000)  # the last 08 named nothing, when the cursor was at DOUBT_TO
SENT_OLDER = const(0x40)  # some are in doubt since before what was sent last: whatever is named does not end that
SENT_ALONE = const(0x80)  # SEND_LIMIT allowed that one alone: what is in front of it is settled
SENT_BACK = const(0x200000)  # a server was set back; since then its sequences go on without a break
# How many numbers behind DOUBT_TO results were ordered to be sent again up to: its low 12 bits, and 8 above SENT_BACK.
SENT_AGAIN = const(0x3FCFFF00)
AGAIN_MOST = const(0xFFFFF)
# Among those in doubt may lie results that the server has: how many at most.
SENT_WIDE = const(0x10)  # SENT_AGAIN says that; nothing is sent again
SENT_BOTH = const(0x20)  # its upper 10 bits say that, and its lower 10 how many are sent again
SENT_OPEN = const(0x30)  # nobody knows; SENT_AGAIN is what is sent again
BOTH_BITS = const(10)
BOTH_MOST = const(0x3FF)

# What toolcart.agent.openprotocol.id_ledger says of it; in them, also what the intake and a sync master's IDs keep
# (toolcart.agent.station.intake, toolcart.agent.openprotocol.spindle_ids).
OCTETS = const(44)


def again_to(numbers):
    """Return up to which number of the log results are sent again; not above ToolsNet's cursor: none is any more."""
    sent = numbers[SENT]
    rows = sent >> 8 & 0xFFF | sent >> 10 & 0xFF000
    form = sent & SENT_OPEN
    if form == SENT_BOTH:
        rows &= BOTH_MOST
    return numbers[DOUBT_TO] + (0 if form == SENT_WIDE else rows)


assert GAPS + 2 * GAPS_MOST == DELIVERED
