"""How full a log is, in percent of what it can use: 100 where it has no room for one record more, and only there.

One block stays free as long as an outlet has something to take, and worn ones are of no use; what has been taken, by
every durable outlet, makes room when it is needed.
"""

CPYTHON_ONLY = True


def percent_full(log):
    """Return the percentage; where the oldest make room for new ones 100 means that the next record needs that."""
    if not log.has_room(log.room_bytes, False):
        return 100
    if log.lowest() >= log.number:
        return 0
    device = log.device
    used = device.block_count - log.free_blocks() - log.damage.worn
    usable = device.block_count - log.damage.worn - 1
    octets = (used - 1) * device.block_bytes + log.offset
    return max(0, min(99, 100 * octets // max(usable * device.block_bytes, 1)))
