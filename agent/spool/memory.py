"""The memory that every HEAD repeats: sixty octets, who owns which of them, and every field by its name.

    octet  0          4       7       8           12       14      15                                  60
           | delivered| base  | flags | first seq | length | ranges | gone u32, flags .. gaps           |
           |      ToolsNet's outlet   |      set aside in place     |      the controller's IDs         |

Rules
1. Nobody writes here but what applies a committed record: `Ring` for its own kinds, the owner's `stored`, `closed_ids`
   and `happened` for results, gaps and events. So memory is never ahead of the flash, and a refused write changes
   nothing.
2. What no other record says goes through a MEMORY record: the owner changes a copy in the stage (`Ring.begin_memory`),
   and only the commit brings it here.
3. The first outlet's own octets also travel in its CURSOR records; after an acknowledgement `delivered` runs ahead
   like the cursor itself, because the server vouches for it.
"""

from agent.base.compat import const

# ToolsNet's outlet (agent.outlets.toolsnet)
OUTLET_OWN = const(0)
OUTLET_OWN_BYTES = const(8)
DELIVERED = const(0)  # u32: results of which the server said that it has them
BASE = const(4)  # u24: added to a result's number it gives the server's
OUTLET_FLAGS = const(7)

# What is set aside in its place (agent.spool.aside)
ASIDE_FIRST = const(8)  # seq of the first record of the oldest range that is set aside and still lies in the log
ASIDE_LENGTH = const(12)  # u16: the last one's seq less the first one's plus one; 0 if nothing is
ASIDE_RANGES = const(14)  # u8: ranges behind that one, 255 for that many or more

# The controller's IDs (agent.openprotocol.known)
GONE = const(15)  # u32: IDs that could not be had
ID_FLAGS = const(19)
INDEXES = const(20)  # u8, of the revisions that worked: MID 0001 in the low half, 0060 in the high one
EPOCH = const(21)  # u8: how often they began anew
IDENTITY = const(22)  # u32 of the controller
TOP = const(26)  # ten digits, packed: the highest ID known
TIME_KNOWN = const(31)  # packed: the latest time that was pushed
GAPS = const(38)  # the missing IDs
GAPS_BYTES = const(22)


class NoOwner:
    """What an owner of the ring's memory offers: told of each result that has become durable, and of closed IDs."""

    def stored(self, kind, flags, buf, at, length):
        """The result or raw frame whose payload is buf[at:at+length] counts from now on."""

    def closed_ids(self, buf, at):
        """The IDs of the GAP record whose payload lies at buf[at:] cannot be had."""

    def happened(self, buf, at):
        """The event whose payload lies at buf[at:] counts from now on."""

    def load(self):
        """The memory was read anew."""
