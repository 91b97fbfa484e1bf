"""board/linux/tls.py and a server with a certificate: handshake, data, each way to fail. All waits have deadlines."""

import os
import socket

from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_NO_FILES,
    WHY_NO_TLS,
    WHY_NOT_TRUSTED,
)
from host_tests.board.test_linux import DEADLINE_S, settle
from host_tests.support.running import wait_for
from host_tests.support.tls import HERE, OURS, THEIRS, certificate_files, server, server_context, serving


def settings(folder, **other):
    OURS.cert_pem.write_to_path(str(folder / "ca.pem"))
    return {"tls_ca": "ca.pem", "tls_name": None, "tls_certificate": None, "tls_key": None, **other}


def opened(board, toolsnet, host, number, wanted=PORT_OPEN):
    port = board.tls(toolsnet)
    port.open(host, number)
    settle(port, wanted)
    return port


def test_it_is_opening_until_the_handshake_is_done(board, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_S)
        port = board.tls(settings(tmp_path))
        port.open("127.0.0.1", listener.getsockname()[1])
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(DEADLINE_S)
            wait_for("a handshake", lambda: port.state() == PORT_OPENING and port._shakes)
            assert peer.recv(1) == b"\x16"  # a handshake record (RFC 8446, 5.1)
            assert port.state() == PORT_OPENING and port.write(b"x", 0, 1) == PORT_LOST


def test_a_certificate_of_somebody_else_is_no_connection(board, tmp_path):
    with server(server_context(THEIRS.issue_cert(*HERE))) as number:
        assert opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED).why == WHY_NOT_TRUSTED


def test_a_server_without_tls_is_no_connection(board, tmp_path):
    def serve(peer):
        peer.sendall(b"0047 no TLS here" * 4)
        peer.recv(1000)

    with serving(serve) as number:
        assert opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED).why == WHY_NO_TLS


def test_a_server_that_asks_gets_our_certificate(board, tmp_path):
    seen = []
    own = certificate_files(tmp_path, name="cart-7")
    wanted = settings(tmp_path, tls_certificate=own["certificate"], tls_key=own["key"])
    with server(server_context(wants=OURS), lambda peer: seen.append(peer.getpeercert()["subjectAltName"])) as number:
        opened(board, wanted, "127.0.0.1", number)
        wait_for("the server's look", lambda: seen)
    assert seen == [(("DNS", "cart-7"),)]


def test_a_file_of_no_use_is_told_with_its_setting(board, tmp_path):
    def said(**other):
        port = board.tls({**settings(tmp_path), **other})
        port.open("127.0.0.1", 1)
        assert port.state() == PORT_CLOSED and port.why == WHY_NO_FILES
        return port.detail

    assert said(tls_ca="nothing.pem") == f"tls_ca: {tmp_path}/nothing.pem: No such file or directory"
    (tmp_path / "odd.pem").write_bytes(b"\x00\xff no certificate")
    assert said(tls_ca="odd.pem").startswith(f"tls_ca: {tmp_path}/odd.pem: no certificate or key in PEM")
    own = certificate_files(tmp_path)["certificate"]
    os.chmod(tmp_path / "key.pem", 0o644)
    assert f"chmod 600 {tmp_path}/key.pem" in said(tls_certificate=own, tls_key="key.pem")
    assert "tls_key" in said(tls_certificate=own, tls_key="gone.key")
    THEIRS.issue_cert("x").private_key_pem.write_to_path(str(tmp_path / "wrong.key"))
    os.chmod(tmp_path / "wrong.key", 0o600)
    assert said(tls_certificate=own, tls_key="wrong.key").startswith("tls_certificate: ")
