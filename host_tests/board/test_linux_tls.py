"""board/linux/tls.py and a server with a certificate: handshake, data, each way to fail. All waits have deadlines."""

import errno
import os
import pwd
import select
import socket
import ssl
import tempfile
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_ENDED,
    WHY_NO_FILES,
    WHY_NO_TLS,
    WHY_NOT_TRUSTED,
    WHY_RESET,
    WHY_TLS_BROKEN,
    WHY_TLS_ENDED,
    WHY_TLS_REFUSED,
)
from toolcart.board.linux import regular_file
from toolcart.board.linux.tls import TlsPort, TlsUnusable, context_of
from host_tests.board.test_linux import DEADLINE_S, settle
from host_tests.support import peers
from host_tests.support.running import wait_for
from host_tests.support.tls import HERE, OURS, THEIRS, Between, certificate_files, server, server_context, serving

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
NOBODY = pwd.getpwnam("nobody").pw_uid


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
            wait_for("a handshake", lambda: port.state() == PORT_OPENING and port._shaking is not None)
            assert peer.recv(1) == b"\x16"  # a handshake record (RFC 8446, 5.1)
            assert port.state() == PORT_OPENING and port.write(b"x", 0, 1) == PORT_LOST


def test_a_certificate_of_somebody_else_is_no_connection(board, tmp_path):
    with server(server_context(THEIRS.issue_cert(*HERE))) as number:
        assert opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED).why == WHY_NOT_TRUSTED


def test_a_name_that_no_certificate_can_have_is_no_connection(board, tmp_path):
    with server() as number:
        wanted = settings(tmp_path, tls_name="a" * 64 + ".plant.example")
        assert opened(board, wanted, "127.0.0.1", number, PORT_CLOSED).why == WHY_NOT_TRUSTED


@pytest.mark.parametrize("octets", [b"0047 no TLS here" * 4, b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(64)])
@pytest.mark.parametrize("behave", [peers.begins, peers.speaks])
def test_a_server_without_tls_is_no_connection(board, tmp_path, behave, octets):
    with serving(behave(octets)) as number:
        assert opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED).why == WHY_NO_TLS


def resets_at_once(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, peers.RESET_AT_CLOSE)


@pytest.mark.parametrize("behave", [peers.closes, peers.leaves, peers.resets, resets_at_once])
def test_a_server_that_only_closes_has_ended_the_connection(board, tmp_path, behave):
    with serving(behave) as number:
        for _ in range(20):  # what comes first, its end or our first message, is chance
            port = opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED)
            assert port.why in (WHY_ENDED, WHY_RESET) and port.why_code in (0, errno.ECONNRESET, errno.EPIPE)


@pytest.mark.parametrize("octets", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_a_reset_between_tcp_and_tls_is_one(tmp_path, octets):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_S)

        class Late:
            def wrap_socket(self, sock, **how):
                peer, _ = listener.accept()
                peer.sendall(octets)
                resets_at_once(peer)
                peer.close()
                return context_of(str(tmp_path), settings(tmp_path)).wrap_socket(sock, **how)

        port = TlsPort(Late)
        port.open("127.0.0.1", listener.getsockname()[1])
        settle(port, PORT_CLOSED)
        assert (port.why, port.why_code) == (WHY_RESET, errno.ECONNRESET)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_closes_in_the_middle_of_the_handshake_has_ended_the_connection(board, tmp_path, version):
    context = server_context(version=version)
    context.num_tickets = 0  # they come behind the handshake
    with server(context) as behind:
        whole = Between(behind)
        with serving(whole.serve) as number:
            opened(board, settings(tmp_path), "127.0.0.1", number).close()
        assert whole.passed > 500
        for octets in (1, 5, 6, 60, 200, whole.passed * 2 // 3):
            with serving(Between(behind, closes_after=octets).serve) as number:
                port = opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED)
                assert port.why in (WHY_ENDED, WHY_RESET), octets


# All that OpenSSL has a name for, without protocol_version
ALERTS = (10, 20, 21, 22, 30, *range(40, 52), 60, 71, 80, 86, 90, 100, *range(109, 117), 120)


@pytest.mark.parametrize(
    ("level", "alert", "why", "code"),
    [
        (1, 0, WHY_ENDED, 0),  # close_notify
        (2, 70, WHY_NO_TLS, 0),  # protocol_version
        *((2, alert, WHY_TLS_REFUSED, alert) for alert in ALERTS),
        *((2, alert, WHY_TLS_REFUSED, 0) for alert in (0, 121, 200)),  # OpenSSL has no name for them
    ],
)
def test_an_alert_in_the_handshake_is_no_lack_of_tls(board, tmp_path, level, alert, why, code):
    with serving(peers.speaks(bytes((21, 3, 3, 0, 2, level, alert)))) as number:
        port = opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED)
        assert (port.why, port.why_code) == (why, code)


@pytest.mark.parametrize(
    ("words", "why", "code"),
    [
        ("[SSL: TLSV1_ALERT_INTERNAL_ERROR]", WHY_TLS_REFUSED, 80),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]", WHY_TLS_REFUSED, 116),
        ("[SSL] tlsv1 alert no application protocol (_ssl.c:1006)", WHY_TLS_REFUSED, 120),
        ("[SSL] unknown error (_ssl.c:1006)", WHY_TLS_REFUSED, 0),
        ("[SSL: SSLV3_ALERT_BAD_RECORD_MAC]", WHY_TLS_BROKEN, 0),
        ("[SSL: SSLV3_ALERT_UNEXPECTED_MESSAGE]", WHY_TLS_BROKEN, 0),
        ("[SSL: TLSV1_ALERT_RECORD_OVERFLOW]", WHY_TLS_BROKEN, 0),
        ("[SSL: WRONG_VERSION_NUMBER]", WHY_TLS_BROKEN, 0),
    ],
)
def test_alert_behind_the_handshake_refuses_unless_it_says_that_ours_came_damaged(words, why, code):
    error = ssl.SSLError(1, words)
    error.library, error.reason = "SSL", words[6:-1] if words.startswith("[SSL: ") else None
    port = TlsPort(None)
    port._state = PORT_OPEN
    assert port._lost(error) == PORT_LOST
    assert (port.why, port.why_code) == (why, code)


def test_a_server_that_asks_gets_our_certificate(board, tmp_path):
    seen = []
    own = certificate_files(tmp_path, name="cart-7")
    wanted = settings(tmp_path, tls_certificate=own["certificate"], tls_key=own["key"])
    with server(server_context(wants=OURS), lambda peer: seen.append(peer.getpeercert()["subjectAltName"])) as number:
        opened(board, wanted, "127.0.0.1", number)
        wait_for("the server's look", lambda: seen)
    assert seen == [(("DNS", "cart-7"),)]


def test_a_file_of_no_use_is_reported_with_its_setting(board, tmp_path):
    def detail(**other):
        port = board.tls({**settings(tmp_path), **other})
        port.open("127.0.0.1", 1)
        assert port.state() == PORT_CLOSED and port.why == WHY_NO_FILES
        return port.detail

    assert detail(tls_ca="nothing.pem") == f"tls_ca: {tmp_path}/nothing.pem: No such file or directory"
    (tmp_path / "odd.pem").write_bytes(b"\x00\xff no certificate")
    assert detail(tls_ca="odd.pem").startswith(f"tls_ca: {tmp_path}/odd.pem: no certificate in PEM")
    own = certificate_files(tmp_path)["certificate"]
    os.chmod(tmp_path / "key.pem", 0o644)
    assert f"chmod 600 {tmp_path}/key.pem" in detail(tls_certificate=own, tls_key="key.pem")
    assert "tls_key" in detail(tls_certificate=own, tls_key="gone.key")
    THEIRS.issue_cert("x").private_key_pem.write_to_path(str(tmp_path / "wrong.key"))
    os.chmod(tmp_path / "wrong.key", 0o600)
    assert detail(tls_certificate=own, tls_key="wrong.key").startswith("tls_key: ")


CERTIFICATE, KEY = "tls_certificate", "tls_key"
AT_FAULT = {  # what is done to certificate and key: which setting is named, and what is said
    "no key": (lambda own, key: key.write_text(""), KEY, "no private key in PEM"),
    "a huge file as key": (
        lambda own, key: (key.write_text(""), os.truncate(key, 1 << 40)),
        KEY,
        "no private key in PEM",
    ),
    "half a key": (lambda own, key: key.write_bytes(key.read_bytes()[:120]), KEY, "no private key in PEM"),
    "the certificate as key": (lambda own, key: key.write_bytes(own.read_bytes()), KEY, "no private key in PEM"),
    "another's key": (
        lambda own, key: THEIRS.issue_cert("x").private_key_pem.write_to_path(key),
        KEY,
        "not the key of",
    ),
    "a locked key": (lambda own, key: key.write_bytes(locked(key.read_bytes())), KEY, "locked with a password"),
    "a folder as key": (lambda own, key: (key.unlink(), key.mkdir()), KEY, "Is a directory"),
    "a pipe as key": (lambda own, key: (key.unlink(), os.mkfifo(key)), KEY, regular_file.NO_FILE),
    "a device as key": (lambda own, key: (key.unlink(), key.symlink_to("/dev/zero")), KEY, regular_file.NO_FILE),
    "no certificate": (lambda own, key: own.write_text(""), CERTIFICATE, "no certificate in PEM"),
    "half a certificate": (lambda own, key: own.write_bytes(own.read_bytes()[:200]), CERTIFICATE, "no certificate in"),
    "the key as certificate": (
        lambda own, key: own.write_bytes(key.read_bytes()),
        CERTIFICATE,
        "no certificate in PEM",
    ),
    "a pipe as certificate": (lambda own, key: (own.unlink(), os.mkfifo(own)), CERTIFICATE, regular_file.NO_FILE),
}


def locked(pem):
    key = serialization.load_pem_private_key(pem, None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(*form, serialization.BestAvailableEncryption(b"secret"))


@pytest.mark.parametrize("fault", AT_FAULT)
def test_the_setting_that_is_at_fault_is_named_with_its_cause(tmp_path, fault):
    spoil, setting, words = AT_FAULT[fault]
    own = {kind: Path(path) for kind, path in certificate_files(tmp_path).items()}
    wanted = settings(tmp_path, tls_certificate=str(own["certificate"]), tls_key=str(own["key"]))
    context_of(str(tmp_path), wanted)
    spoil(own["certificate"], own["key"])
    if fault == "another's key":
        own["key"].chmod(0o600)
    with pytest.raises(TlsUnusable) as raised:
        context_of(str(tmp_path), wanted)
    assert raised.value.setting == setting and words in raised.value.reason, raised.value
    assert str(own["key" if setting == KEY else "certificate"]) in raised.value.reason


def test_a_key_in_the_certificates_file_is_of_that_setting(tmp_path):
    own = {kind: Path(path) for kind, path in certificate_files(tmp_path).items()}
    both = tmp_path / "both.pem"
    both.write_bytes("# Größe\n".encode() + own["certificate"].read_bytes() + own["key"].read_bytes())
    both.chmod(0o600)
    context_of(str(tmp_path), settings(tmp_path, tls_certificate="both.pem"))
    both.chmod(0o644)
    with pytest.raises(TlsUnusable, match=f"^tls_certificate: others may read {both}; chmod 600"):
        context_of(str(tmp_path), settings(tmp_path, tls_certificate="both.pem"))


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_a_key_that_is_nowhere_is_said_before_any_mode(tmp_path, mode):
    own = Path(certificate_files(tmp_path)["certificate"])
    own.chmod(mode)
    with pytest.raises(TlsUnusable, match=f"^tls_key: none, and {own} holds no private key$"):
        context_of(str(tmp_path), settings(tmp_path, tls_certificate=own.name))
    with pytest.raises(TlsUnusable, match=f"^tls_key: {own}: no private key in PEM$"):
        context_of(str(tmp_path), settings(tmp_path, tls_certificate=own.name, tls_key=own.name))
    own.write_text("")
    with pytest.raises(TlsUnusable, match=f"^tls_certificate: {own}: no certificate in PEM"):
        context_of(str(tmp_path), settings(tmp_path, tls_certificate=own.name))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize(("owner", "mode", "cure"), [(0, 0o600, "chown nobody"), (NOBODY, 0, "chmod 600")])
def test_a_key_that_may_not_be_read_is_the_owners_or_the_modes_fault(owner, mode, cure):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        own = certificate_files(Path(folder))
        OURS.cert_pem.write_to_path(f"{folder}/ca.pem")
        os.chown(own["key"], owner, -1)
        os.chmod(own["key"], mode)
        wanted = {"tls_ca": own["ca"], "tls_name": None, "tls_certificate": own["certificate"], "tls_key": own["key"]}
        os.seteuid(NOBODY)
        try:
            with pytest.raises(TlsUnusable) as raised:
                context_of(folder, wanted)
        finally:
            os.seteuid(0)
        assert str(raised.value) == f"tls_key: {own['key']}, which nobody may not read; {cure} {own['key']}"


def test_why_a_file_was_of_no_use_is_known_while_it_connects_again(board, tmp_path):
    """Until the connection is there that is why there is none."""
    own = certificate_files(tmp_path)
    os.chmod(own["key"], 0o644)
    port = board.tls(settings(tmp_path, tls_certificate=own["certificate"], tls_key=own["key"]))
    port.open("127.0.0.1", 1)
    assert "chmod 600" in port.detail
    os.chmod(own["key"], 0o600)
    with server(server_context()) as number:
        port.open("127.0.0.1", number)
        assert port.why != WHY_NO_FILES and "chmod 600" in port.detail
    port.close()


def read_until_lost(port):
    buf = bytearray(100)
    octets = b""
    while True:
        count = port.readinto(buf, len(buf))
        if count == PORT_LOST:
            return octets
        octets += bytes(buf[:count])
        time.sleep(0.001)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("theirs", [False, True])
def test_server_that_requires_a_certificate_of_ours_is_reported_with_its_alert(
    board, tmp_path, version, writes, theirs
):
    wanted = settings(tmp_path)
    if theirs:
        own = certificate_files(tmp_path, THEIRS, "cart-7")
        wanted = settings(tmp_path, tls_certificate=own["certificate"], tls_key=own["key"])
    with server(server_context(wants=OURS, version=version)) as number:
        port = board.tls(wanted)
        port.open("127.0.0.1", number)
        wait_for("the handshake's end", lambda: port.state() != PORT_OPENING)
        if port.state() == PORT_OPEN:
            while writes and port.write(b"x", 0, 1) != PORT_LOST:
                time.sleep(0.001)
            read_until_lost(port)
    assert port.why in (WHY_TLS_REFUSED, WHY_TLS_ENDED)  # the latter where a reset has swallowed the alert
    if not writes:
        assert port.why == WHY_TLS_REFUSED and port.why_code in ((48, 46, 42) if theirs else (40, 116))


def test_end_without_an_alert_is_reported_as_one_of_tls_until_something_has_come(board, tmp_path):
    for sent, why in ((b"", WHY_TLS_ENDED), (b"hello", WHY_ENDED)):
        with server(talk=lambda peer, sent=sent: peer.sendall(sent)) as number:
            port = opened(board, settings(tmp_path), "127.0.0.1", number)
            assert read_until_lost(port) == sent
        assert port.why == why


@pytest.mark.parametrize("version", VERSIONS)
def test_octets_that_are_damaged_on_the_way_are_no_serial_line(board, tmp_path, version):
    def relay(peer):
        with socket.create_connection(("127.0.0.1", target)) as far:
            while True:
                ready = select.select([peer, far], [], [], 0.02)[0]
                for one, other in ((peer, far), (far, peer)):
                    if one in ready:
                        octets = bytearray(one.recv(65536))
                        if not octets:
                            return
                        if go:
                            octets[-1] ^= 1
                        other.sendall(octets)

    go = []
    came = threading.Event()

    def talk(peer):
        peer.sendall(b"one")
        came.wait(DEADLINE_S)
        peer.sendall(b"two")
        peer.recv(1)

    with server(server_context(version=version), talk=talk) as target, serving(relay) as number:
        port = opened(board, settings(tmp_path), "127.0.0.1", number)
        buf = bytearray(9)
        wait_for("what is right", lambda: port.readinto(buf, 9) == 3)
        go.append(1)
        came.set()
        read_until_lost(port)
        assert port.why == WHY_TLS_BROKEN and port.why_code == 0
        port.close()
        if version == ssl.TLSVersion.TLSv1_3:  # of 1.2 what ends a handshake can be read, and is something else
            port = opened(board, settings(tmp_path), "127.0.0.1", number, PORT_CLOSED)
            assert port.why == WHY_TLS_BROKEN and port.why_code == 0
