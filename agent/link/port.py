"""The contract of a port: what a board gives the agent for one byte connection (a TCP client, a serial line).

    open(host, number)      begin to connect; returns at once, raises nothing for reasons of the network
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

PORT_CLOSED = const(0)
PORT_OPENING = const(1)
PORT_OPEN = const(2)
PORT_LOST = const(-1)
