"""The contract of a port: what a board gives the agent for one byte connection (a TCP client, a serial line).

    open(host, number)      begin to connect; returns at once and raises nothing, whatever host and number are: where
                            nobody can be reached the state is PORT_CLOSED, now or later
    state()                 PORT_CLOSED, PORT_OPENING or PORT_OPEN
    readinto(buf, n)        octets now in buf[0:count]: 0 if there are none, PORT_LOST if the other side is gone
    write(buf, start, n)    octets taken of buf[start:start+n], 0 if none can be now, PORT_LOST
    close()                 at once, also while opening, as often as one likes

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


def is_address(host, number):
    """Tell whether a TCP port may try this: printable ASCII without blanks, as the configuration allows, and a port.

    A host may come from the other side (telegram 08), so it may be anything; what systems make of a NUL, of other
    characters or of nothing at all differs, and some raise.
    """
    if not 1 <= len(host) <= HOST_CHARACTERS or not 1 <= number <= 65535:
        return False
    for character in host:
        if not "!" <= character <= "~":
            return False
    return True
