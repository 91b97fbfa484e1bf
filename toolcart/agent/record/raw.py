"""A frame that is a result but could not be read, kept as it came: a later version may be able to read it.

    byte   0      4       6       7     8                8+n
           |number|station|spindle|epoch| the frame, n   |
           | u32  | u16   | u8    | u8  | 632 at most    |

The flags are those of a result (toolcart.agent.record.result); FLAG_TRUNCATED says that the frame was longer.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.record import HEAD_BYTES

FRAME = const(8)
FRAME_MOST = const(632)  # PAYLOAD_MAX less the head and what the quarantine adds

assert FRAME == HEAD_BYTES
