"""Servers with a certificate for the tests of TLS: in order, in disorder, and as a tunnel in front of a plain port."""

import base64
import contextlib
import select
import socket
import ssl
import threading

import pytest

from host_tests.support.peers import Peer

trustme = pytest.importorskip("trustme")

DEADLINE_S = 10
OURS = trustme.CA()
THEIRS = trustme.CA()
HERE = ("localhost", "127.0.0.1")


def certificate_files(folder, authority=OURS, name="127.0.0.1"):
    """Write a server's certificate, its key and its authority's certificate; return their names."""
    issued = authority.issue_cert(name)
    written = {"certificate": issued.cert_chain_pems[0], "key": issued.private_key_pem, "ca": authority.cert_pem}
    for kind, blob in written.items():
        blob.write_to_path(folder / f"{kind}.pem")
    (folder / "key.pem").chmod(0o600)
    return {kind: str(folder / f"{kind}.pem") for kind in written}


def der(pem):
    """The one block of a certificate or key in PEM as DER."""
    return base64.b64decode(b"".join(pem.strip().splitlines()[1:-1]))


def server_context(certificate=None, wants=None, version=None):
    """What a server answers with; `wants` is the CA whose certificate it asks for, `version` the only one it speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (certificate or OURS.issue_cert(*HERE)).configure_cert(context)
    if wants:
        wants.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    if version:
        context.minimum_version = context.maximum_version = version
    return context


@contextlib.contextmanager
def serving(serve):
    """A port each of whose connections is given to `serve(socket)` in a thread of its own; OSErrors end it in peace."""
    with Peer(serve, end_s=DEADLINE_S) as peer:
        yield peer.port


@contextlib.contextmanager
def server(context=None, talk=lambda peer: peer.recv(1), ends=None):
    """A TLS server's port: after the handshake `talk(peer)`, else it waits for the other side's end.

    What keeps a handshake from success is put into the list `ends`.
    """
    context = context or server_context()

    def serve(peer):
        try:
            wrapped = context.wrap_socket(peer, server_side=True)
        except OSError as error:
            if ends is not None:
                ends.append(error)
            return
        with wrapped:
            talk(wrapped)

    with serving(serve) as number:
        yield number


@contextlib.contextmanager
def tunnel(target, context=None):
    """A port that speaks TLS, and plain TCP with the port `target`."""
    context = context or server_context()

    def serve(peer):
        with (
            context.wrap_socket(peer, server_side=True) as near,
            socket.create_connection(("127.0.0.1", target)) as far,
        ):
            far.settimeout(DEADLINE_S)
            while True:
                ready = [near] if near.pending() else select.select([near, far], [], [], 0.2)[0]
                for one, other in ((near, far), (far, near)):
                    if one in ready:
                        octets = one.recv(16384)
                        if not octets:
                            return
                        other.sendall(octets)

    with serving(serve) as number:
        yield number


class Between:
    """A relay to the port `target` that closes after so many octets of the server's, or holds back what follows a mark.

    `passed` octets have gone to the client over the last connection; `release` lets go of what is held.
    """

    def __init__(self, target, closes_after=None, holds_from=None):
        self.target = target
        self.closes_after = closes_after
        self.holds_from = holds_from
        self.release = threading.Event()
        self.passed = 0

    def serve(self, peer):
        with socket.create_connection(("127.0.0.1", self.target)) as far:
            self.passed = 0
            held = b""
            while self.closes_after is None or self.passed < self.closes_after:
                ready = select.select([peer, far], [], [], 0.02)[0]
                if peer in ready:
                    octets = peer.recv(65536)
                    if not octets:
                        return
                    far.sendall(octets)
                if far in ready:
                    octets = far.recv(65536 if self.closes_after is None else self.closes_after - self.passed)
                    if not octets:
                        return
                    held += octets
                at = held.find(self.holds_from) if self.holds_from and not self.release.is_set() else -1
                peer.sendall(held if at < 0 else held[:at])
                self.passed += len(held) if at < 0 else at
                held = b"" if at < 0 else held[at:]
