"""Something that listens on a port of this machine and is not what it should be: one thread, one behaviour.

with Peer(closes) as peer: ...  peer.port       `closes(sock)` is called for each connection and then closes it
"""

import contextlib
import socket
import struct
import threading
import typing

PATIENCE_S = 60
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s


class Peer:
    """A listening socket; what comes is given to `behave`, each connection in a thread of its own.

    It has the port `place`, 0: a free one, or is a Unix socket at this path.
    """

    def __init__(self, behave, place=0):
        self.behave = behave
        self.connections = 0
        self._open = []
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
        self._listening.close()
        for sock in self._open:
            sock.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listening.accept()
                self.connections += 1
                self._open.append(sock)
                threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock):
        sock.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError), sock:
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

    A PUBLISH with QoS 1 gets its PUBACK unless `answers` has 3, and a batch the receipt of this number.
    """

    ANSWERS: typing.ClassVar = {1: b"\x20\x02\x00\x00", 8: b"\x90\x03\x00\x01\x01", 12: b"\xd0\x00"}

    def __init__(self, receipt=None, **answers):
        self.answers = {**self.ANSWERS, **{int(kind.strip("_")): octets for kind, octets in answers.items()}}
        self.receipt = receipt

    def __call__(self, sock):
        topic = b""
        while head := _exactly(sock, 1):
            kind, length, shift = head[0] >> 4, 0, 0
            while True:
                octet = _exactly(sock, 1)[0]
                length |= (octet & 0x7F) << shift
                shift += 7
                if not octet & 0x80:
                    break
            body = _exactly(sock, length) if length else b""
            if kind == 8:
                topic = body[4 : 4 + int.from_bytes(body[2:4], "big")]
            if kind == 3 and 3 not in self.answers and head[0] & 0x06:
                at = 2 + int.from_bytes(body[:2], "big")
                sock.sendall(b"\x40\x02" + body[at : at + 2])
                if self.receipt and b'"identity"' in body and b'"count"' in body:
                    identity = body.split(b'"identity":"')[1][:8]
                    payload = b'{"identity":"%s","number":%d}' % (identity, self.receipt)
                    sock.sendall(
                        bytes([0x30, 2 + len(topic) + len(payload)]) + len(topic).to_bytes(2, "big") + topic + payload
                    )
            elif self.answers.get(kind):
                sock.sendall(self.answers[kind])


def _exactly(sock, count):
    octets = b""
    while len(octets) < count:
        piece = sock.recv(count - len(octets))
        if not piece:
            return b""
        octets += piece
    return octets
