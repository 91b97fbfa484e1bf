"""The simulated chips refuse, block and answer as their ports do (lab.chips.rules has the source of each rule)."""

import pytest

from toolcart.board import errno_reasons
from lab.cache import Unavailable
from lab.chips import rules
from lab.chips.chip import CONTROLLER, Chip
from lab.harness.portable_session import Skip

START = """
import machine, network, socket, select, time, errno, gc
def show(call, *arguments, **named):
    try:
        print(call(*arguments, **named))
    except (OSError, ValueError, MemoryError, RuntimeError) as fault:
        print(type(fault).__name__, *fault.args)
def joined():
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wlan.connect("Plant", None)
    while not wlan.isconnected():
        time.sleep_ms(100)
def tcp(host="192.0.2.10", port=4545):
    sock = socket.socket()
    sock.setblocking(False)
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLOUT)
    show(sock.connect, (host, port))
    return sock, poll
"""
PLATFORMS = ("rp2", "esp32")


def output_of(platform, script, ms=30000, prepare=None):
    """The lines that a script prints on a chip, and the chip's resets."""
    try:
        chip = Chip(platform, script=START + script)
    except Unavailable as reason:
        raise Skip(str(reason)) from None
    with chip:
        if prepare:
            prepare(chip)
        chip.run(ms)
        return chip.output().splitlines(), [why for _, why in chip.resets]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_timers_and_watchdogs_are_those_of_the_port(platform):
    lines, _ = output_of(
        platform, "show(machine.Timer, -1)\nshow(machine.Timer, 0)\nshow(machine.WDT, timeout=8389)\n", 600
    )
    refused = [line.startswith("ValueError") for line in lines]  # once each: the program begins once
    assert refused == ([False, True, True] if platform == "rp2" else [True, False, False])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_two_names_that_no_server_answers_are_a_reset(platform):
    script = """
joined()
before = time.ticks_ms()
show(socket.getaddrinfo, "pim", 1)
print(time.ticks_diff(time.ticks_ms(), before))
show(socket.getaddrinfo, "192.0.2.1", 1)
dog = machine.WDT(timeout=8000)
for _ in range(2):
    show(socket.getaddrinfo, "pim", 1)
"""

    def silent(chip):
        chip.name_server.answers = False

    lines, why = output_of(platform, script, prepare=silent)
    assert lines[:2] == ["OSError -2", str(rules.NAME_BLOCKS_MS)] and "192.0.2.1" in lines[2]
    assert why[0] == "watchdog"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_errors_and_polls_of_connections_are_those_of_the_port(platform):
    number = rules.ERRNO[platform]
    script = """
tcp()
joined()
sock, poll = tcp()
time.sleep_ms(50)
print([events for _, events in poll.ipoll(0)], sock.readinto(bytearray(4), 4))
sock, poll = tcp("192.0.2.99", 1)
time.sleep_ms(50)
print([events for _, events in poll.ipoll(0)])
show(sock.read, 1)
blocking = socket.socket()
show(blocking.connect, ("192.0.2.10", 4545))
show(sock.connect, ("controller", 4545))
"""
    lines, _ = output_of(platform, script, 5000)
    under_way = f"OSError {number['EINPROGRESS']}"
    failed = [rules.POLLOUT | rules.POLLHUP if platform == "rp2" else rules.POLLIN | rules.POLLOUT]
    assert lines[:4] == [f"OSError {number['EHOSTUNREACH']}", under_way, f"[{rules.POLLOUT}] None", under_way]
    assert lines[4:6] == [str(failed), f"OSError {number['ECONNRESET']}"]
    assert lines[6].startswith("RuntimeError") and lines[7].startswith("ValueError")


def test_a_connection_that_is_reset_while_it_is_open_raises(platform="rp2"):
    script = "joined()\nsock, poll = tcp()\ntime.sleep_ms(5000)\nshow(sock.read, 1)\nshow(sock.write, b'x')\n"

    with Chip(platform, script=START + script) as chip:
        chip.run(5000)
        chip.network.cut(*CONTROLLER)
        chip.run(5000)
        assert chip.output().splitlines()[1:3] == ["OSError 104", "OSError 104"]


@pytest.mark.parametrize(("platform", "kept"), [("rp2", 1), ("esp32", 2)])
def test_lwip_keeps_one_datagram(platform, kept):
    script = """
joined()
sock = socket.socket(2, 2)
sock.setblocking(False)
question = b"ab\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\3pim\\0\\0\\1\\0\\1"
for _ in range(2):
    sock.sendto(question, ("192.0.2.53", 53))
for _ in range(2):
    show(lambda: len(sock.recvfrom(512)[0]))
"""
    lines, _ = output_of(platform, script, 4000)
    assert [line.startswith("OSError") for line in lines[:2]] == [False, kept == 1]


def test_an_erase_stops_everything_timers_too_and_a_scan_lets_them_fire():
    script = """
import rp2
fired = []
timer = machine.Timer(-1)
timer.init(period=100, mode=machine.Timer.PERIODIC, callback=lambda timer: fired.append(1))
before = time.ticks_ms()
rp2.Flash(start=262144).ioctl(6, 0)
print(time.ticks_diff(time.ticks_ms(), before), len(fired))
network.WLAN(0).scan()
print(len(fired) >= 100)
"""
    lines, _ = output_of("rp2", script, 11000)
    assert lines[:2] == [f"{rules.ERASE_MS} 1", "True"]  # once, behind it


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_heap_ends_where_the_boards_does(platform):
    lines, _ = output_of(platform, "gc.collect()\nprint(gc.mem_free())\nshow(bytearray, gc.mem_free())\n", 600)
    assert rules.HEAP_BYTES[platform] * 0.85 < int(lines[0]) <= rules.HEAP_BYTES[platform]
    assert lines[1].startswith("MemoryError")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_there_are_as_many_sockets_as_the_port_has(platform):
    script = "joined()\nkept = []\nfor _ in range(40):\n    show(lambda: kept.append(socket.socket()))\n"
    lines, _ = output_of(platform, script, 4000)
    assert lines.index(f"OSError {rules.NO_SOCKET[platform]}") == rules.TCP_SOCKETS[platform]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_error_that_is_known_by_its_name_has_a_number_there(platform):
    rows = errno_reasons._KNOWN + errno_reasons._REFUSED
    names = {name for name, _ in rows if isinstance(name, str)}
    assert len(names) > 10 and names <= set(rules.ERRNO[platform])
