"""Looks up names over UDP beside the loop: nothing waits, and known addresses stay in use while no server answers.

MicroPython's own `getaddrinfo` blocks for some 7 s a name if the server is dead; the watchdog of an RP2 has 8.3 s.

Rules
1. A name is asked for TRIES times, TRY_MS apart, each time at the next server; only once if its address is known. Names
   that end in `.local` are asked of all neighbours (RFC 6762, 5.1).
2. Without an answer the last address of the name stays in use (`KNOWN`), also one from before a restart (FILE). If a
   server says that there is no such name, that counts: `UNKNOWN`.
3. An answer counts only from the server that was asked, to our number, with our question in it; an address is the first
   A record (RFC 1035, 4.1). Anything else is counted in `strange`.
4. At most NAMES_MAX names: the one asked for longest ago is dropped. The other side may name any host.
"""

import os
import select

from toolcart.agent.base.compat import const
from toolcart.agent.base.ticks import Timer
from toolcart.agent.link.port import is_numeric

ASKING = const(0)
KNOWN = const(1)
UNKNOWN = const(2)  # a server says that it does not exist, or it is not a valid name
SILENT = const(3)  # nothing answered, and no address was ever known

TRIES = const(3)
TRY_MS = const(1200)
NAMES_MAX = const(8)
FILE = "/toolcart.names"

_PORT = const(53)
_NEIGHBOURS = "224.0.0.251"
_NEIGHBOURS_PORT = const(5353)
_ANSWER_BYTES = const(512)  # of DNS over UDP without extensions
_DATAGRAMS = const(4)  # looked at in one turn
_LABEL_MAX = const(63)
_TYPE_A = const(1)
_FOREVER_MS = const(60000)


def question(name, number):
    """Return the datagram that asks for the A record of a name; None if it is not a valid name."""
    octets = bytearray(b"\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    octets[0] = number >> 8 & 0xFF
    octets[1] = number & 0xFF
    for label in name.rstrip(".").split("."):
        if not 1 <= len(label) <= _LABEL_MAX:
            return None
        octets.append(len(label))
        octets.extend(label.lower().encode())
    octets.extend(b"\x00\x00\x01\x00\x01")
    return octets


def answered(octets, query):
    """Return the address that a datagram gives to a question, "" if it says that there is none; None if it is neither.

    Raises nothing, whatever the datagram is.
    """
    end = len(query)
    if len(octets) < end or octets[0] != query[0] or octets[1] != query[1] or not octets[2] & 0x80:
        return None
    if octets[4] or octets[5] != 1 or not _same_name(octets, query, end):
        return None
    code = octets[3] & 0x0F
    if code == 3:
        return ""
    if code != 0:
        return None  # an error of the server is not an answer
    at = end
    for _ in range(octets[6] << 8 | octets[7]):
        at = _behind_name(octets, at)
        if at < 0 or at + 10 > len(octets):
            return None
        length = octets[at + 8] << 8 | octets[at + 9]
        if at + 10 + length > len(octets):
            return None
        if octets[at] == 0 and octets[at + 1] == _TYPE_A and length == 4:
            return "%d.%d.%d.%d" % tuple(octets[at + 10 : at + 14])
        at += 10 + length
    return ""


def _same_name(octets, query, end):
    """True if the question in an answer is ours; servers may change the case of letters."""
    for at in range(12, end):
        octet = octets[at]
        if (octet | 0x20 if 0x41 <= octet <= 0x5A else octet) != query[at]:
            return False
    return True


def _behind_name(octets, at):
    """Return where the name that begins at `at` ends, -1 if it does not. A pointer ends it and is not followed."""
    while at < len(octets):
        length = octets[at]
        if length >= 0xC0:
            return at + 2
        if length > _LABEL_MAX:
            return -1
        at += 1 + length
        if length == 0:
            return at
    return -1


class _Name:
    """What is known about one name."""

    __slots__ = ("address", "asked", "state", "text", "timer", "tries")

    def __init__(self, text, address):
        self.text = text
        self.address = address  # the last good one, "" if there never was one
        # The datagram, while the question is outstanding.
        self.asked = None  # type: bytearray | None
        self.state = ASKING
        self.timer = Timer()
        self.tries = 0


class Resolver:
    """Looks up names; `sock` is None or the socket that is in `poll`.

    `servers()` returns the addresses of the name servers, `make_socket()` a datagram socket that does not block
    (sendto, recvfrom, close), `place(host, port)` an address for such a socket, `number()` an unpredictable number of
    16 bits.
    """

    def __init__(self, poll, servers, make_socket, place, number, file=FILE):
        self.sock = None
        self.answers = 0
        self.silent = 0  # questions without an answer
        self.strange = 0  # datagrams that answered no question
        self._poll = poll
        self._servers = servers
        self._make_socket = make_socket
        self._place = place
        self._number = number
        self._file = file
        self._names = []
        self._read()

    def ask(self, host, now):
        """Begin to look a name up, unless that is under way; return its state."""
        name = self._find(host)
        if name is None:
            name = _Name(host, "")
            if len(self._names) >= NAMES_MAX:
                del self._names[0]
        else:
            self._names.remove(name)
        self._names.append(name)  # the one asked for last is dropped last
        if name.asked is None:
            name.asked = question(host, self._number())
            name.state = UNKNOWN if name.asked is None else ASKING
            name.tries = 0
            if name.asked is not None:
                self._send(name, now)
        return name.state

    def state(self, host):
        """Return ASKING, KNOWN, UNKNOWN or SILENT."""
        name = self._find(host)
        return SILENT if name is None else name.state

    def address(self, host):
        """Return the address of a name that is KNOWN, as four numbers with dots."""
        name = self._find(host)
        return "" if name is None else name.address

    def tick(self, now):
        """Ask again what was not answered; return the ms until the next time."""
        left = _FOREVER_MS
        waits = False
        for name in self._names:
            if name.asked is None:
                continue
            if name.timer.expired(now):
                if name.tries >= TRIES or name.address:
                    self.silent += 1
                    self._settle(name, KNOWN if name.address else SILENT)
                    continue
                self._send(name, now)
            waits = True
            rest = name.timer.left(now)
            if rest < left:
                left = rest
        if not waits:
            self.close()
        return left

    def receive(self):
        """Take the datagrams that have come."""
        for _ in range(_DATAGRAMS):
            if self.sock is None:
                return
            try:
                octets, sender = self.sock.recvfrom(_ANSWER_BYTES)
            except OSError:
                return  # no more of them
            self._take(octets, sender)

    def close(self):
        """Give the socket back; the next question opens one, from another port."""
        sock = self.sock
        self.sock = None
        if sock is not None:
            self._poll.unregister(sock)
            sock.close()

    def about(self):
        addresses = {}
        for name in self._names:
            addresses[name.text] = name.address or None
        return {"names": addresses, "answers": self.answers, "silent": self.silent, "strange": self.strange}

    # -- parts -------------------------------------------------------------------------------------------------

    def _find(self, host):
        for name in self._names:
            if name.text == host:
                return name
        return None

    def _send(self, name, now):
        """Ask the next server. A question that the network does not take is treated like one without an answer."""
        name.timer.start(now, TRY_MS)
        place = self._place_of(name)
        name.tries += 1
        if place is None:
            return
        try:
            if self.sock is None:
                self.sock = self._make_socket()
                self._poll.register(self.sock, select.POLLIN)
            self.sock.sendto(name.asked, place)
        except OSError:
            self.close()

    def _place_of(self, name):
        if name.text.endswith(".local"):
            return self._place(_NEIGHBOURS, _NEIGHBOURS_PORT)
        servers = self._servers()
        return self._place(servers[name.tries % len(servers)], _PORT) if servers else None

    def _take(self, octets, sender):
        for name in self._names:
            if name.asked is None:
                continue
            address = answered(octets, name.asked)
            if address is None or not self._is_from(name, sender):
                continue
            self.answers += 1
            if not address:
                self._settle(name, UNKNOWN)
                return
            is_new = address != name.address
            name.address = address
            self._settle(name, KNOWN)
            if is_new:
                self._write()
            return
        self.strange += 1

    def _is_from(self, name, sender):
        """True if the sender is one of the servers asked; of neighbours any may answer."""
        if name.text.endswith(".local"):
            return True
        for server in self._servers():
            if self._place(server, _PORT) == sender:
                return True
        return False

    def _settle(self, name, state):
        name.asked = None
        name.state = state
        name.timer.stop()

    # -- addresses from before a restart -------------------------------------------------------------------------

    def _read(self):
        """Read them. They were written whole or not at all; what cannot be read will be asked for."""
        try:
            with open(self._file) as file:
                lines = file.read().split("\n")
        except (OSError, ValueError):
            return
        for line in lines[:NAMES_MAX]:
            words = line.split(" ")
            if len(words) == 2 and is_numeric(words[1]):
                self._names.append(_Name(words[0], words[1]))
        for name in self._names:
            name.state = SILENT  # until it is asked for

    def _write(self):
        """Keep the addresses. A full or worn file system costs the next start a question, nothing more."""
        try:
            with open(self._file + ".new", "w") as file:
                for name in self._names:
                    if name.address:
                        file.write("%s %s\n" % (name.text, name.address))
            os.rename(self._file + ".new", self._file)
        except OSError:
            pass
