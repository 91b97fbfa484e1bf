"""Links turn the bytes of a port into whole Open Protocol messages and back. All have the same methods.

A link knows no MID. Its owner tells it whose turn it is on the line: with `pushed` or `answered` for what came in, with
`post` for what goes out.

    inlet(), free, receive(n)       fill inlet()[0:n], n at most `free`, then call receive(n)
    room()                          how many bytes can come in now
    next_message(now)               LINK_NEED_DATA, LINK_MESSAGE, LINK_CUT_SHORT, LINK_JUNK or LINK_BROKEN
    buf, at, length                 the message, header and data without terminator; valid until the next call
    size, start, end                messages go to buf[0:size]; buf[start:end] has come and is unread (0, 0 if that is
                                    kept elsewhere). toolcart.agent.openprotocol.linked_messages keeps parts in
                                    buf[size:]
    idle()                          whether a message may be posted
    pushed()                        the peer waits for our acknowledgement of the message just handed over; False if it
                                    is too early to look at it: it will be handed over again
    answered()                      the message just handed over is not such a push: the peer owes no answer any more
    tx, tx_at                       build a message of n bytes, `message_bytes` at most, at tx[tx_at:]
    post(n, expects_answer)         then post it: one piece, one write; whether the peer will answer it
    pending, tx_from, sent(n)       what the port must write: tx[tx_from : tx_from + pending]
    is_receiving()                  whether a message has begun and may still become whole
    message_ms                      how long the longest message is under way, at most
    tick(now)                       ms until the link must be called again even without input
    quiet(busy_ms)                  whether the flash may keep the chip busy that long now (serial lines need silence)
    last_chance()                   between a result and its acknowledgement, if nothing else silences the peer (ASCII)
    reset()                         a new connection begins
    header                          brings another header into the usual form and back (header_layouts); or None
    is_event_driven                 whether next_message has work only on input and when `tick` returns 0; such a link
                                    has is_empty(): whether all input was looked at. On it both sides may speak at any
                                    time: `pushed` and `answered` are not called, and it is always quiet

LINK_CUT_SHORT is a message too large for the buffer: its first `length` bytes; the rest is thrown away as it comes.
LINK_JUNK: octets came that are no message; they are passed over up to the next one that is proven, which later calls
may find.
LINK_BROKEN means that message boundaries are lost or, on a serial line, that the other side does not answer: the owner
closes the port; `why` is the reason (WHY_).
"""

from toolcart.agent.base.compat import const

LINK_NEED_DATA = const(0)
LINK_MESSAGE = const(1)
LINK_CUT_SHORT = const(2)
LINK_JUNK = const(3)
LINK_BROKEN = const(-1)

FRAME_TIMEOUT_MS = const(5000)  # on a stream, from the first byte of a message to its last

WHY_NOTHING = const(0)
WHY_LENGTH = const(1)  # too much came that is no message
WHY_SLOW = const(2)  # a message began but did not end within the frame time-out
WHY_UNANSWERED = const(3)  # all attempts to deliver a block failed

# How long a chip's flash blocks the UART's interrupt (an RP2 with the flash of a Pico): a program, an erase.
PROGRAM_MS = const(3)
ERASE_MS = const(400)
