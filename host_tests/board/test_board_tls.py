"""board/tls.py on the MicroPythons that have TLS, against servers on the loopback: good ones, wrong ones, none at all.

What runs over there is short and prints its last word; a look at the port is a wait of the board, never a sleep.
"""

import datetime
import hashlib
import json
import random
import ssl
import threading

import pytest

from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.config import board_certificates
from host_tests.agent.cart.test_end_to_end import START, Agent, compare_rows
from host_tests.support import peers
from host_tests.support.running import wait_for
from host_tests.support.tls import DEADLINE_S, OURS, THEIRS, Between, der, server, server_context, serving, tunnel
from lab import runtimes
from lab.runtimes.harness import Machine

trustme = pytest.importorskip("trustme")

HEAP = "512k"
HEAD = """
import gc, sys, time
from toolcart.agent.link.port import PORT_CLOSED, PORT_LOST, PORT_OPEN, PORT_OPENING
from toolcart.board.unix.board import Board

class App:
    wakes = 0

    class scheduler:
        def wake(slot, now):
            App.wakes += 1

board = Board(FOLDER)
port = board.tls(SETTINGS)
port.slot = 0
buf = bytearray(4000)
START_MS = time.ticks_ms()

def wait():
    assert time.ticks_diff(time.ticks_ms(), START_MS) < DEADLINE_MS, "too late"
    board.wait(App, 100)

def opened(host="127.0.0.1"):
    port.open(host, NUMBER)
    while port.state() == PORT_OPENING:
        wait()
    return port.state()

def read(n):
    while True:
        count = port.readinto(buf, n)
        if count:
            return count
        wait()

def write(octets):
    at = 0
    while at < len(octets):
        count = port.write(octets, at, len(octets) - at)
        assert count >= 0, (port.why, port.why_code)
        at += count
        if at < len(octets):
            wait()
"""
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture(
    scope="module", params=["unix32", pytest.param("unix64", marks=pytest.mark.long("the same with 64 bits"))]
)
def machine(request):
    runtime = runtimes.named(request.param)
    reason = runtime.fetch()
    if reason:
        pytest.skip(f"{request.param} is missing: {reason}")
    return Machine(runtime)


@pytest.fixture
def output_of(machine, tmp_path):
    """Run some lines on MicroPython beside a port to this number; the last line that they print."""
    (tmp_path / "ca.der").write_bytes(der(OURS.cert_pem.bytes()))

    def run(number, body, **other):
        settings = {"tls_ca": "ca.der", "tls_name": None, "tls_certificate": None, "tls_key": None, **other}
        named = {"FOLDER": str(tmp_path), "SETTINGS": settings, "NUMBER": number, "DEADLINE_MS": 1000 * DEADLINE_S}
        head = "".join(f"{name} = {value!r}\n" for name, value in named.items())
        done = machine.run_source(head + HEAD + body, HEAP, timeout_s=3 * DEADLINE_S)
        assert done.returncode == 0, done.stdout
        run.lines = done.stdout.splitlines()
        return (run.lines or [""])[-1]

    return run


CLOSED = "assert opened() == PORT_CLOSED\nprint(port.why)\n"
NOT_TRUSTED, NO_TLS, ENDED, RESET, REFUSED = "32", "31", "16", "15", "39"  # as toolcart.agent.link.port numbers them


def own_certificate(tmp_path):
    own = OURS.issue_cert("cart-7")
    (tmp_path / "own.der").write_bytes(der(own.cert_chain_pems[0].bytes()))
    (tmp_path / "own.key").write_bytes(der(own.private_key_pem.bytes()))
    return {"tls_certificate": "own.der", "tls_key": "own.key"}


# -- in order ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_telegrams_go_both_ways_and_the_end_is_seen(output_of, version):
    def talk(peer):
        assert peer.recv(40) == b"00470700"
        peer.sendall(b"0123456789" * 10)
        peer.unwrap()

    body = """
assert opened() == PORT_OPEN
assert port.readinto(buf, 40) == 0 and port.readinto(buf, 0) == 0
while port.write(b"..00470700", 2, 8) != 8:
    wait()  # for the last flight of TLS 1.2
got = b""
while len(got) < 100:
    got += bytes(buf[:read(40)])
assert got == b"0123456789" * 10
assert read(40) == PORT_LOST
port.close()
assert port.readinto(buf, 40) == port.write(b"x", 0, 1) == PORT_LOST
print(port.why)
"""
    with server(server_context(version=version), talk) as number:
        assert output_of(number, body) == ENDED


def test_what_came_before_the_end_is_read_before_the_end_is_reported(output_of, tmp_path):
    gone = tmp_path / "gone"

    def talk(peer):
        peer.sendall(b"x" * 300)
        peer.close()  # without a word of TLS, as many do
        gone.write_bytes(b"")

    body = """
import os
assert opened() == PORT_OPEN
while "gone" not in os.listdir(FOLDER):
    wait()
assert port.readinto(buf, 1000) == 300
assert port.readinto(buf, 1000) == PORT_LOST
print(port.why)
"""
    with server(talk=talk) as number:
        assert output_of(number, body) in (ENDED, RESET)


def test_what_tls_has_read_already_wakes_whoever_reads_less(output_of):
    def talk(peer):
        peer.sendall(b"x" * 500)
        peer.recv(1)

    body = """
assert opened() == PORT_OPEN
assert read(100) == 100
for rest in (400, 300, 200, 100):
    App.wakes = 0
    board.wait(App, 5000)
    assert App.wakes == 1
    assert port.readinto(buf, 100) == 100
assert port.readinto(buf, 100) == 0
App.wakes = 0
board.wait(App, 20)
print(App.wakes)
"""
    with server(talk=talk) as number:
        assert output_of(number, body) == "0"


@pytest.mark.parametrize("version", VERSIONS)
def test_much_goes_both_ways_in_pieces_of_any_size(output_of, tmp_path, version):
    lot = random.Random(7)
    sent = lot.randbytes(200_000)
    digests = []
    full = tmp_path / "full"

    def talk(peer):
        at = 0
        while at < len(sent):
            n = lot.randrange(1, 3000)
            peer.sendall(sent[at : at + n])
            at += n
        while not full.exists():  # until then nothing is taken: the other side fills what lies between
            threading.Event().wait(0.005)
        digest = hashlib.sha256()
        while octets := peer.recv(5000):
            digest.update(octets)
        digests.append(digest.hexdigest())

    body = """
from hashlib import sha256
from binascii import hexlify
assert opened() == PORT_OPEN
got, told = sha256(), sha256()
left = 200000
k = 0
while left:
    k += 1
    n = read(min(left, 1 + k * 37 % 700))
    got.update(memoryview(buf)[:n])
    left -= n
blocked = 0
left = 300
while left:
    k += 1
    n = 1 + k * 541 % 3900
    for at in range(0, n, 7):
        buf[at] = (k + at) & 255
    at = 0
    while at < n:
        count = port.write(buf, at, n - at)
        assert count >= 0, (port.why, port.why_code)
        told.update(memoryview(buf)[at : at + count])
        at += count
        if at < n:
            blocked += 1
            if blocked == 1:
                open(FOLDER + "/full", "w").close()
            wait()
    if blocked:
        left -= 1
port.close()
print(hexlify(got.digest()).decode(), hexlify(told.digest()).decode())
"""
    with server(server_context(version=version), talk) as number:
        digests_seen = output_of(number, body).split()
    assert digests_seen == [hashlib.sha256(sent).hexdigest(), *digests]


def test_a_server_that_asks_gets_our_certificate(output_of, tmp_path):
    seen = []

    def talk(peer):
        seen.append(peer.getpeercert()["subjectAltName"])
        peer.sendall(b"x")

    for version in VERSIONS:
        with server(server_context(wants=OURS, version=version), talk) as number:
            body = "assert opened() == PORT_OPEN\nprint(read(1))\n"
            assert output_of(number, body, **own_certificate(tmp_path)) == "1"
    assert seen == [(("DNS", "cart-7"),)] * 2


def test_each_of_several_authorities_counts(output_of, tmp_path):
    with server(server_context(THEIRS.issue_cert("127.0.0.1"))) as number:
        assert output_of(number, CLOSED) == NOT_TRUSTED
        (tmp_path / "both.der").write_bytes(der(OURS.cert_pem.bytes()) + der(THEIRS.cert_pem.bytes()))
        assert output_of(number, "print(opened())\n", tls_ca="both.der") == "2"


def test_name_that_is_configured_is_looked_for_in_place_of_the_host(output_of):
    with server(server_context(OURS.issue_cert("pim.plant"))) as number:
        assert output_of(number, "print(opened())\n", tls_name="pim.plant") == "2"
        assert output_of(number, CLOSED) == NOT_TRUSTED


# -- what is not trusted, or no TLS ------------------------------------------------------------------------------------


def test_a_certificate_of_somebody_else_or_of_another_time_is_no_connection(output_of):
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    others = (
        THEIRS.issue_cert("127.0.0.1"),
        OURS.issue_cert("127.0.0.2"),
        OURS.issue_cert("127.0.0.1", not_before=now - 9 * day, not_after=now - day),
        OURS.issue_cert("127.0.0.1", not_before=now + day, not_after=now + 9 * day),
    )
    for version in VERSIONS:
        for certificate in others:
            with server(server_context(certificate, version=version)) as number:
                assert output_of(number, CLOSED) == NOT_TRUSTED


def test_a_server_without_tls_is_no_connection(output_of):
    def serve(peer):
        peer.sendall(b"0047 no TLS here" * 4)
        peer.recv(1000)

    with serving(serve) as number:
        assert output_of(number, CLOSED) == NO_TLS


def test_a_silent_server_leaves_it_opening_until_close(output_of):
    body = """
port.open("127.0.0.1", NUMBER)
for _ in range(30):
    assert port.state() == PORT_OPENING and port.write(b"x", 0, 1) == port.readinto(buf, 1) == PORT_LOST
    board.wait(App, 10)
assert port._tcp is not None
port.close()
assert port.sock is None and port._tcp is None
print(port.state(), port.why)
"""
    with serving(lambda peer: [peer.recv(1000), peer.recv(1000)]) as number:
        assert output_of(number, body) == "0 0"


def test_server_that_closes_in_the_middle_is_no_connection_wherever_that_is(output_of):
    """After so many octets of its flight; those of the whole are counted first."""
    for version in VERSIONS:
        with server(server_context(version=version)) as behind:
            whole = Between(behind)
            with serving(whole.serve) as number:
                output_of(number, "assert opened() == PORT_OPEN\n")
            assert whole.passed > 500
            for octets in (1, 5, 6, 60, 200, whole.passed * 2 // 3):
                with serving(Between(behind, closes_after=octets).serve) as number:
                    assert output_of(number, CLOSED) in (ENDED, RESET), octets
    for behave in (peers.closes, peers.leaves, peers.resets):
        with serving(behave) as number:
            assert output_of(number, CLOSED) in (ENDED, RESET)


def test_a_server_that_misses_our_certificate_ends_it_and_that_is_reported(output_of):
    for version in VERSIONS:
        ends = []
        with server(server_context(wants=OURS, version=version), ends=ends) as number:
            # With 1.3 the end of the handshake is ours: the refusal can only follow.
            body = "if opened() == PORT_OPEN:\n    assert read(10) == PORT_LOST\nprint(port.why)\n"
            assert output_of(number, body) in (RESET, REFUSED)
        assert ends


def test_without_tls_1_3_it_is_opening_until_last_flight_has_come(output_of, tmp_path):
    """Firmware with 1.2 alone, as boards have: the last flight is held back while the port is looked at."""
    body = """
board._tls.has_13 = False
port.open("127.0.0.1", NUMBER)
while not port._has_passed:
    assert port.state() == PORT_OPENING
    wait()
for _ in range(10):
    assert port.state() == PORT_OPENING
    board.wait(App, 10)
open(FOLDER + "/looked", "w").close()
while port.state() == PORT_OPENING:
    wait()
print(port.state(), read(1))
"""
    context = server_context(version=ssl.TLSVersion.TLSv1_2)
    context.options |= ssl.OP_NO_TICKET  # it would come in front of the record that is held
    with server(context, lambda peer: [peer.sendall(b"x"), peer.recv(1)]) as behind:
        held = Between(behind, holds_from=b"\x14\x03\x03\x00\x01\x01")  # change_cipher_spec (RFC 5246, 7.1)

        def release():
            while not (tmp_path / "looked").exists():
                held.release.wait(0.005)
            held.release.set()

        threading.Thread(target=release, daemon=True).start()
        with serving(held.serve) as number:
            assert output_of(number, body) == "2 1"


def test_a_file_of_no_use_is_reported_with_its_setting(output_of, tmp_path):
    def error_of(**other):
        with pytest.raises(AssertionError) as error:
            output_of(1, "", **other)
        return str(error.value)

    assert f"toolsnet.tls_ca: {tmp_path}/nothing.der: [Errno 2] ENOENT" in error_of(tls_ca="nothing.der")
    for content in (b"no certificate", b"\x30", der(OURS.cert_pem.bytes())[:-1], b"\x30\x82"):
        (tmp_path / "odd.der").write_bytes(content)
        assert "toolsnet.tls_ca: no certificates in DER" in error_of(tls_ca="odd.der")
    own = own_certificate(tmp_path)
    assert "toolsnet.tls_certificate: invalid key" in error_of(**{**own, "tls_key": "own.der"})
    assert "toolsnet.tls_certificate: invalid cert" in error_of(**{**own, "tls_certificate": "own.key"})


# -- memory --------------------------------------------------------------------------------------------------------


def test_connections_leave_no_memory_behind(output_of):
    """Neither in MicroPython's heap nor in the one that mbedtls has on this port, whether they were good or not."""
    body = """
import ffi
stats = ffi.open("libc.so.6").func("v", "malloc_stats", "")
used = [0] * 21
k = 0

def deep(n):
    return n and deep(n - 1)

for k in range(21):
    if k % 3 == 2:
        port.open("127.0.0.1", NUMBER)
        for _ in range(k):
            port.state()
        port.close()
    else:
        port._name = None if k % 3 else "other.plant"
        assert opened() == (PORT_OPEN if k % 3 else PORT_CLOSED)
        assert not k % 3 or read(100) == 100
        port.close()
    deep(30)  # what lies on the stack keeps objects alive
    gc.collect()
    used[k] = gc.mem_alloc()
    if k in (2, 20):
        stats()
assert max(used[11:]) <= max(used[:11]), used
print("end")
"""
    with server(talk=lambda peer: [peer.sendall(b"x" * 100), peer.recv(1)]) as number:
        assert output_of(number, body) == "end"
    early, late = [int(line.split()[-1]) for line in output_of.lines if line.startswith("in use")][::2]
    assert abs(late - early) < 2000  # glibc keeps a few freed pieces as if they were used


def test_reading_and_writing_allocate_nothing(output_of):
    def talk(peer):
        while octets := peer.recv(1000):
            peer.sendall(octets)

    body = """
assert opened() == PORT_OPEN

def turn():
    port.write(buf, 0, 700)
    left = 700
    while left:
        count = port.readinto(buf, 300)
        left -= count
        if not count:
            wait()

for k in range(10):
    turn()
before = k = 0
gc.collect()
gc.disable()
before = gc.mem_alloc()
for k in range(50):
    turn()
print(gc.mem_alloc() - before)
"""
    with server(talk=talk) as number:
        assert output_of(number, body) == "0"


# -- the whole agent -----------------------------------------------------------------------------------------------


class _Tunnelled(Agent):
    """An agent that reaches the plant's ToolsNet by a tunnel that asks for its certificate; its files are a board's."""

    def __init__(self, command, folder, plant, pim_port):
        Agent.__init__(self, command, folder, plant)
        OURS.cert_pem.write_to_path(str(folder / "ca.pem"))
        OURS.issue_cert("cart-7").private_key_and_cert_chain_pem.write_to_path(str(folder / "own.pem"))
        (folder / "own.pem").chmod(0o600)
        wanted = {"tls_ca": "ca.pem", "tls_certificate": "own.pem", "tls_key": None}
        files, named = board_certificates.for_board(folder, wanted)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        tree = json.loads(self.configuration.read_text())
        tree["toolsnet"].update(named, pim_port=pim_port)
        self.configuration.write_text(json.dumps(tree))


def test_results_go_through_tunnel_into_the_archive_also_after_cut_and_kill(machine, tmp_path):
    script = tmp_path / "start.py"
    script.write_text(START)
    command = machine.runtime.command(script, "512k", (), machine.tree)
    context = server_context(wants=OURS)
    with (
        SimulatedPlant() as plant,
        tunnel(plant.pim_port, context) as pim_port,
        tunnel(plant.toolsnet.options.server_port, context) as server_port,
    ):
        plant.toolsnet.options.server_port = server_port
        agent = _Tunnelled(command, tmp_path, plant, pim_port)

        def delivered():
            return plant.account()["delivered"]

        with agent:
            plant.produce(20)
            wait_for("the first results", lambda: delivered() == 20)
            plant.cut_toolsnet(True)
            plant.produce(20)
            wait_for("acknowledgements without ToolsNet", lambda: plant.account()["acknowledged"] == 40)
            agent.kill()
            plant.cut_toolsnet(False)
            agent.start()
            wait_for("the backlog", lambda: delivered() == 40)
            agent.end_in_order()
        assert (tmp_path / "agent.log").read_text() == ""
        assert (plant.account()["lost"], plant.account()["out_of_order"], plant.complaints()) == (0, 0, [])
        compare_rows(plant)
