"""What lies behind a spool's header: something that an agent has begun, nothing yet, or what is no spool's.

Rules
1. The agent takes an area without a state and without a head for a new one, and erases what it uses. So what would be
   lost by that is looked for first: a file that holds neither, and is not blank either, is left as it is.
2. Zeros behind erased blocks are blank: a file system fills with them what was appended and has no content yet. So is
   the state, which a power cut may tear.
"""

from toolcart.agent.log.block_head import HEAD_FOREIGN, HEAD_OCTETS, HEAD_SOUND, check_head, size_of
from toolcart.agent.log.flash import FLASH_DONE, Partition
from toolcart.agent.log.snapshot import STATE_BLOCKS, STATE_EMPTY, Snapshot

CPYTHON_ONLY = True

BEGUN = "begun"
NEW = "new"
SPOILT = "spoilt"


def kind_of(device):
    """Return BEGUN, NEW or SPOILT; BEGUN for what cannot be read now."""
    if device.block_count <= STATE_BLOCKS or Snapshot(Partition(device, 0, STATE_BLOCKS)).load() != STATE_EMPTY:
        return BEGUN
    octets = bytearray(device.block_bytes)
    size = size_of(device)
    kind, is_erased = NEW, False
    for block in range(STATE_BLOCKS, device.block_count):
        if device.read_into(block * device.block_bytes, octets, len(octets)) != FLASH_DONE:
            return BEGUN
        head = octets[:HEAD_OCTETS]
        if check_head(head, size) in (HEAD_SOUND, HEAD_FOREIGN):
            return BEGUN
        if not octets.strip(b"\xff"):
            is_erased = True
        elif not is_erased or octets.strip(b"\x00"):
            kind = SPOILT
    return kind
