"""Room for the longest message, on a link that was made for shorter ones.

On a serial line the configuration says how long a message may be; on TCP the heap does.
"""

from toolcart.agent.base.fields import copy

_BUFFERS = (10000, 6000, 4000)  # the longest message has 9999 bytes


def make_room(link):
    """Make the receive buffer as large as the heap allows; what was read but not taken yet stays in it."""
    if not link.is_event_driven or len(link.buf) >= _BUFFERS[-1]:
        return
    for octets in _BUFFERS:
        try:
            buf = bytearray(octets)
        except MemoryError:
            continue
        unread = link.end - link.start
        copy(buf, 0, link.buf, link.start, unread)
        link.buf = buf
        link.size = octets
        link.start = 0
        link.end = unread
        return
