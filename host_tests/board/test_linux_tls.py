"""board/linux/tls.py and a server with a certificate: handshake, data, each way to fail. All waits have deadlines."""

import contextlib
import os
import socket
import ssl
import threading
import time

import pytest

from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_NO_FILES,
    WHY_NO_TLS,
    WHY_NOT_TRUSTED,
)
from toolcart.board.linux.board import Board

trustme = pytest.importorskip("trustme")
DEADLINE_S = 10
OURS = trustme.CA()
THEIRS = trustme.CA()


def settings(folder, ca=OURS, **other):
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    return {"tls_ca": "ca.pem", "tls_name": None, "tls_certificate": None, "tls_key": None, **other}


@contextlib.contextmanager
def server(names=("localhost", "127.0.0.1"), ca=OURS, wants=None, plain=False):
    """A TLS server's port and the list of its connections; the handshakes are done in a thread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    if wants:
        wants.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    peers = []

    def serve():
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            peer.settimeout(DEADLINE_S)
            if plain:
                peer.sendall(b"0047 no TLS here" * 4)
                peers.append(peer)
                return
            try:
                peers.append(context.wrap_socket(peer, server_side=True))
            except OSError:
                peer.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_S)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], peers
        listener.close()
        thread.join(DEADLINE_S)
    for peer in peers:
        peer.close()


@pytest.fixture
def board(tmp_path):
    board = Board(str(tmp_path))
    yield board
    for port in board._ports:
        port.close()
    board.close()


def until(true):
    end = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def opened(board, toolsnet, host, number, wanted=PORT_OPEN):
    port = board.tls(toolsnet)
    port.open(host, number)
    until(lambda: port.state() == wanted)
    return port


def test_it_is_opening_until_the_handshake_is_done(board, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_S)
        port = board.tls(settings(tmp_path))
        port.open("127.0.0.1", listener.getsockname()[1])
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(DEADLINE_S)
            until(lambda: port.state() == PORT_OPENING and port._shakes)
            assert peer.recv(1) == b"\x16"  # a handshake record (RFC 8446, 5.1)
            assert port.state() == PORT_OPENING and port.write(b"x", 0, 1) == PORT_LOST


def test_a_certificate_of_somebody_else_is_no_connection(board, tmp_path):
    with server(ca=THEIRS) as (number, _):
        assert opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED).why == WHY_NOT_TRUSTED


def test_a_server_without_tls_is_no_connection(board, tmp_path):
    with server(plain=True) as (number, _):
        assert opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED).why == WHY_NO_TLS


def test_a_server_that_asks_gets_our_certificate(board, tmp_path):
    own = OURS.issue_cert("cart-7")
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "own.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "own.key"))
    os.chmod(tmp_path / "own.key", 0o600)
    with server(wants=OURS) as (number, peers):
        opened(board, settings(tmp_path, tls_certificate="own.pem", tls_key="own.key"), "127.0.0.1", number)
        until(lambda: peers)
        assert peers[0].getpeercert()["subjectAltName"] == (("DNS", "cart-7"),)


def test_a_file_of_no_use_is_told_with_its_setting(board, tmp_path):
    def said(**other):
        port = board.tls({**settings(tmp_path), **other})
        port.open("127.0.0.1", 1)
        assert port.state() == PORT_CLOSED and port.why == WHY_NO_FILES
        return port.detail

    assert said(tls_ca="nothing.pem") == f"tls_ca: {tmp_path}/nothing.pem: No such file or directory"
    (tmp_path / "odd.pem").write_bytes(b"\x00\xff no certificate")
    assert said(tls_ca="odd.pem").startswith(f"tls_ca: {tmp_path}/odd.pem: no certificate or key in PEM")
    own = OURS.issue_cert("cart-7")
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "own.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "own.key"))
    os.chmod(tmp_path / "own.key", 0o644)
    assert f"chmod 600 {tmp_path}/own.key" in said(tls_certificate="own.pem", tls_key="own.key")
    assert "tls_key" in said(tls_certificate="own.pem", tls_key="gone.key")
    THEIRS.issue_cert("x").private_key_pem.write_to_path(str(tmp_path / "wrong.key"))
    os.chmod(tmp_path / "wrong.key", 0o600)
    assert said(tls_certificate="own.pem", tls_key="wrong.key").startswith("tls_certificate: ")
