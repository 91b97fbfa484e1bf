"""The contract of a port: what a board gives the agent for one byte connection (a TCP client, a serial line).

    open(host, number)      begin to connect; returns at once and never raises, whatever host and number are: if nothing
                            can be reached, the state becomes PORT_CLOSED, now or later
    state()                 PORT_CLOSED, PORT_OPENING or PORT_OPEN
    readinto(buf, n)        how many bytes it has put into buf: 0 if there are none, PORT_LOST if the other side is gone
    write(buf, start, n)    how many bytes of buf[start:start+n] it took, 0 if none fit now, PORT_LOST
    close()                 takes effect at once, also while opening; may be called repeatedly
    why                     why the last `open` failed or the connection ended: WHY_, 0 for no reason; while it opens:
                            why it takes so long, 0 for no special reason. `close` leaves it unchanged
    why_code                the system's own number for it (errno), 0 if it has none
    input_octets            serial lines whose system keeps what comes while a program is busy: how much at least. The
                            UART of a chip, which the flash keeps from the processor, has no such attribute
    overruns()              serial lines only: how often bytes were lost for lack of room since it was opened; -1 if
                            unknown

Rules
1. Nothing blocks and nothing allocates once it is open.
2. `readinto` returns everything that has arrived before it returns PORT_LOST.
3. Each `write` is handed to the network as one piece, without delay.
"""

from toolcart.agent.base.compat import const

HOST_CHARACTERS = const(253)  # the longest name in DNS

PORT_CLOSED = const(0)
PORT_OPENING = const(1)
PORT_OPEN = const(2)
PORT_LOST = const(-1)

# Numbered after those of toolcart.agent.openprotocol.session_states; toolcart.agent.cart.status has the words for
# these.
WHY_NO_ADDRESS = const(8)  # the host is neither a possible address nor a possible name
WHY_NAME_UNKNOWN = const(9)
WHY_NAME_SLOW = const(10)  # DNS has not answered yet
WHY_REFUSED = const(11)  # the host is there, but nothing listens
WHY_NO_ROUTE = const(12)
WHY_NO_NETWORK = const(13)  # our own is down
WHY_TIMED_OUT = const(14)
WHY_RESET = const(15)
WHY_ENDED = const(16)  # the other side has closed the connection
WHY_IN_USE = const(17)  # no local port is free; another program has the line
WHY_NO_DEVICE = const(18)
WHY_NOT_A_TTY = const(19)
WHY_NO_PERMISSION = const(20)
WHY_UNPLUGGED = const(21)
WHY_NO_DRIVER = const(22)  # the library for serial lines is not installed
WHY_NO_SOCKET = const(23)  # the system has no more of them
WHY_FAILED = const(24)  # anything else
# Numbered after those of toolcart.agent.base.connection_fault, because they were added later.
WHY_NO_TLS = const(31)  # the other side has no TLS, or no version that both know
WHY_NOT_TRUSTED = const(32)  # its certificate is not trusted, or is another host's
WHY_NOT_SETTABLE = const(33)  # this line has no such flow control, direction or level
WHY_NO_FILES = const(34)  # a certificate or key that TLS needs cannot be used
WHY_NO_RFC2217 = const(35)  # the other side takes the connection and does not speak RFC 2217
# And after 36 to 38 of others.
WHY_TLS_REFUSED = const(
    39
)  # it refuses our side of TLS by an alert; `why_code` is that (RFC 8446, 6.2), if it is known
WHY_TLS_BROKEN = const(40)  # what came over TLS was damaged, or is none
WHY_TLS_ENDED = const(41)  # it closed the connection before anything came over TLS


def is_address(host, number):
    """True if a TCP port may try this: printable ASCII without blanks, as the configuration allows, and a port number.

    The host may come from the other side (telegram 08), so it may be anything; systems differ in what they do with a
    NUL, with other characters or with an empty name, and some raise.
    """
    if not 1 <= len(host) <= HOST_CHARACTERS or not 1 <= number <= 65535:
        return False
    for character in host:
        if not "!" <= character <= "~":
            return False
    return True


def decimal(host):
    """Return the host; four numbers without the zeros in front of them, which systems take for octal ones.

    >>> decimal("010.000.000.017"), decimal("tn0.plant.example")
    ('10.0.0.17', 'tn0.plant.example')
    """
    return ".".join([str(int(part)) for part in host.split(".")]) if is_numeric(host) else host


def is_numeric(host):
    """True if the host is four numbers from 0 to 255, not a name to look up."""
    parts = host.split(".")
    if len(parts) != 4:
        return False
    for part in parts:
        if not part.isdigit() or len(part) > 3 or int(part) > 255:
            return False
    return True
