"""Links: between the bytes of a port and whole Open Protocol messages. All have the same verbs.

A link knows no MID. Whose turn it is on the line it is told: by `pushed` or `answered` for what came, by `post` for
what goes out.

    inlet(), free, receive(n)       fill inlet()[0:n] with up to `free` octets, then say so
    room()                          how many octets could come in now
    next_message(now)               LINK_NEED_DATA, LINK_MESSAGE, LINK_CUT_SHORT or LINK_BROKEN
    buf, at, length                 the message, header and data without terminator; valid until the next call
    size, start, end                messages get buf[0:size]; buf[start:end] came and was not looked at yet (0, 0 where
                                    that lies elsewhere). agent.openprotocol.linked keeps parts in buf[size:]
    idle()                          whether a message may be posted
    pushed()                        the peer waits for our acknowledgement of the message just handed over; False if it
                                    is too early to look at it: it is handed over once more
    answered()                      the message just handed over is any other: what the peer owed has come
    tx, tx_at, post(n, answered)    build n octets at tx[tx_at:], then post them: one piece, one write; `answered` tells
                                    whether the peer will answer. There is room for the `message_bytes` it was made with
    pending, tx_from, sent(n)       what the port has to write: tx[tx_from : tx_from + pending]
    tick(now)                       ms until the link needs to be called again without input
    quiet(busy_ms)                  whether the flash may keep the chip busy for so long now (serial lines need silence)
    last_chance()                   between a result and its acknowledgement, if nothing else silences the peer (ASCII)
    reset()                         a new connection begins
    steady                          whether next_message has nothing to do but at input and when `tick` answers 0;
                                    such a link has is_empty(): whether all that came was looked at. On it both sides
                                    may speak at any time: it is not told `pushed` and `answered`, and is always quiet

LINK_CUT_SHORT is a message too large for the buffer: its first `length` octets, the rest is thrown away as it comes.
LINK_BROKEN means that the end of messages is lost, or on a serial line that the other side does not answer: the owner
closes the port; `why` says in a word what it was.
"""

from agent.base.compat import const

LINK_NEED_DATA = const(0)
LINK_MESSAGE = const(1)
LINK_CUT_SHORT = const(2)
LINK_BROKEN = const(-1)

FRAME_TIMEOUT_MS = const(5000)  # on a stream, from the first octet of a message to its last

WHY_NOTHING = const(0)
WHY_LENGTH = const(1)  # the four length digits are none, or below 20
WHY_SLOW = const(2)  # a message began and did not end within the frame time-out
WHY_UNANSWERED = const(3)  # all attempts to hand a block over failed

# How long a chip's flash keeps the UART's interrupt away (an RP2 with the flash of a Pico): a program, an erase.
PROGRAM_MS = const(3)
ERASE_MS = const(400)
