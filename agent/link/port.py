"""The contract of a port: what a board gives the agent for one byte connection (a TCP client, a serial line).

    open(host, number)      begin to connect; returns at once and raises nothing, whatever host and number are: where
                            no one can be reached the state is PORT_CLOSED, now or later
    state()                 PORT_CLOSED, PORT_OPENING or PORT_OPEN
    readinto(buf, n)        octets now in buf[0:count]: 0 if there are none, PORT_LOST if the other side is gone
    write(buf, start, n)    octets taken of buf[start:start+n], 0 if none can be now, PORT_LOST
    close()                 at once, also while opening, as often as one likes
    why                     what kept the last `open` from success or ended the connection: WHY_, 0 if nothing did;
                            while it opens: what takes so long, 0 if that is nothing special. `close` leaves it
    why_code                the system's own number of it (errno), 0 if it has none
    overruns()              serial lines alone: how often octets were lost since it was opened, for want of room; -1 if
                            that is not known

Rules
1. Nothing blocks and nothing allocates once it is open.
2. `readinto` returns what has arrived before it says PORT_LOST.
3. One `write` is handed to the network as one piece, without delay.
"""

from agent.base.compat import const

HOST_CHARACTERS = const(253)  # the longest name DNS has

PORT_CLOSED = const(0)
PORT_OPENING = const(1)
PORT_OPEN = const(2)
PORT_LOST = const(-1)

# Behind those of agent.openprotocol.states; agent.cart.status has the words for these.
WHY_NO_ADDRESS = const(8)  # the host can be no address and no name
WHY_NAME_UNKNOWN = const(9)
WHY_NAME_SLOW = const(10)  # DNS has not answered yet
WHY_REFUSED = const(11)  # the host is there, and nothing listens
WHY_NO_ROUTE = const(12)
WHY_NO_NETWORK = const(13)  # ours is down
WHY_TIMED_OUT = const(14)
WHY_RESET = const(15)
WHY_ENDED = const(16)  # the other side has closed the connection
WHY_IN_USE = const(17)  # no local port is free; another program has the line
WHY_NO_DEVICE = const(18)
WHY_NOT_A_TTY = const(19)
WHY_NO_PERMISSION = const(20)
WHY_UNPLUGGED = const(21)
WHY_NO_DRIVER = const(22)  # what speaks to serial lines is not installed
WHY_NO_SOCKET = const(23)  # the system has no more of them
WHY_FAILED = const(24)  # anything else
# Behind those of agent.base.trouble, since they came later.
WHY_NO_TLS = const(31)  # the other side speaks none, or none that both know
WHY_NOT_TRUSTED = const(32)  # its certificate is not vouched for, or is another host's
WHY_NOT_SETTABLE = const(33)  # this line has no such flow control, direction or level


def is_address(host, number):
    """True if a TCP port may try this: printable ASCII without blanks, as the configuration allows, and a port.

    A host may come from the other side (telegram 08), so it may be anything; what systems make of a NUL, of other
    characters or of nothing at all differs, and some raise.
    """
    if not 1 <= len(host) <= HOST_CHARACTERS or not 1 <= number <= 65535:
        return False
    for character in host:
        if not "!" <= character <= "~":
            return False
    return True


def is_numeric(host):
    """True if the host is four numbers of 0 to 255: no name to be looked up."""
    parts = host.split(".")
    if len(parts) != 4:
        return False
    for part in parts:
        if not part.isdigit() or len(part) > 3 or int(part) > 255:
            return False
    return True
