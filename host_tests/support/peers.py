"""Something that listens on a port of this machine and is not what it should be: one thread, one behaviour.

with Peer(closes) as peer: ...  peer.port       `closes(sock)` is called for each connection and then closes it
"""

import contextlib
import socket
import struct
import threading

from lab.harness.mqtt_broker import Broker, Consumer

PATIENCE_S = 60
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s


class Peer:
    """A listening socket; what comes is given to `behave`, each connection in a thread of its own.

    It has the port `place`, 0: a free one, or is a Unix socket at this path. At its end each connection may go on for
    `end_s`.
    """

    def __init__(self, behave, place=0, end_s=0):
        self.behave = behave
        self.connections = 0
        self._end_s = end_s
        self._open = []
        self._threads = []
        if isinstance(place, str):
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(place)
            self._listening.listen()
        else:
            self._listening = socket.create_server(("127.0.0.1", place))
            self.port = self._listening.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listening.shutdown(socket.SHUT_RDWR)  # it wakes who waits for a connection
        self._listening.close()
        for thread in self._threads if self._end_s else ():
            thread.join(self._end_s)
        for sock in self._open:
            sock.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listening.accept()
                self.connections += 1
                self._open.append(sock)
                thread = threading.Thread(target=self._one, args=(sock,), daemon=True)
                thread.start()
                self._threads.append(thread)  # only now: who ends this joins what is here

    def _one(self, sock):
        with contextlib.suppress(OSError), sock:
            sock.settimeout(PATIENCE_S)
            self.behave(sock)


def closes(sock):
    """Close once something has come."""
    sock.recv(4096)


def leaves(sock):
    """Close at once."""


def resets(sock):
    """Reset once something has come."""
    sock.recv(4096)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)


def is_silent(sock):
    """Hear everything and say nothing."""
    while sock.recv(4096):
        pass


def speaks(octets):
    """Answer with these octets, whatever comes."""

    def behave(sock):
        while sock.recv(4096):
            sock.sendall(octets)

    return behave


def begins(octets):
    """Say this at once, then hear everything."""

    def behave(sock):
        sock.sendall(octets)
        is_silent(sock)

    return behave


class BrokerThat:
    """An MQTT broker that answers each kind of packet as `answers` says: octets, or None for no answer.

    What they do not say it does as it should; with a `receipt` each batch gets one of this number.
    """

    def __init__(self, receipt=None, **answers):
        self.answers = {int(kind.strip("_")) + 1: octets for kind, octets in answers.items()}
        self.receipt = receipt

    def __call__(self, sock):
        broker = Broker()
        broker.instead = self.answers
        session = broker.endpoint()
        if self.receipt:
            Claims(broker).number = self.receipt
        while (octets := sock.recv(4096)) and not session.wants_close:
            session.receive(octets, 0)
            sock.sendall(session.outgoing())


class Claims(Consumer):
    """Says of each batch that it has everything up to this number."""

    number = 0

    def confirm(self, topic, identity, number):
        super().confirm(topic, identity, self.number)
