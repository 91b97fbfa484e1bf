"""An RP2's board on fake modules: Wi-Fi, W5500, lamp, watchdog, and where the spool lies."""

import sys
import types

import pytest

from agent.cart import config
from board.clock import SOURCE_NAMES
from host_tests.support import fake_chip as fake


def settings(**board):
    tree = {
        "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
        "stations": [{"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw", "size_kib": 64}}],
        "board": board,
    }
    return config.complete(tree)


@pytest.fixture
def chip():
    with fake.installed("rp2"):
        from board import rp2

        yield rp2


def test_wifi_is_joined_with_name_and_password(chip):
    board = chip.Board(settings(network="wifi", ssid="Plant", password="geheim-4711"))
    board.network.tick(board.now())
    wlan = fake.Interface.last
    assert ("connect", ("Plant", "geheim-4711"), {}) in wlan.calls
    assert not board.network.is_up()
    wlan.connected = True
    board.network.tick(board.now())
    assert board.network.is_up()


def test_an_open_network_is_joined_without_a_password(chip):
    board = chip.Board(settings(network="wifi", ssid="Plant"))
    board.network.tick(board.now())
    assert ("connect", ("Plant", None), {}) in fake.Interface.last.calls


def test_wrong_password_is_a_failed_join(chip):
    board = chip.Board(settings(network="wifi", ssid="Plant", password="wrong"))
    board.network.tick(board.now())
    fake.Interface.last.code = -3  # CYW43_LINK_BADAUTH
    board.network.tick(board.now())
    assert board.network.machine.failures == 1


def test_access_points_of_other_networks_are_no_choice(chip):
    board = chip.Board(settings(network="wifi", ssid="Plant"))
    wlan = fake.Interface.last
    wlan.around = [
        (b"Plant", b"here", 1, -80, 0, 0),
        (b"Plant", b"there", 6, -50, 0, 0),
        (b"Guest", b"x", 1, -20, 0, 0),
    ]
    assert board.network._radio.scan() == [(b"here", -80, True), (b"there", -50, False)]


def test_a_fixed_address_is_set_with_its_mask(chip):
    chip.Board(settings(network="wifi", ssid="Plant", address="10.0.0.5/23", gateway="10.0.0.1"))
    assert fake.Interface.last.fixed == ("10.0.0.5", "255.255.254.0", "10.0.0.1", "10.0.0.1")


def test_w5500_is_looked_at_once_a_second(chip):
    board = chip.Board(settings(network="ethernet"))
    now = board.now()
    assert board.network.tick(now) > 0 and not board.network.is_up()
    fake.Interface.last.connected = True
    board.network.tick(now + 1000)
    assert board.network.is_up()


def test_a_firmware_without_a_network_says_so_and_runs():
    with fake.installed("rp2", with_network=False):
        from board import rp2

        board = rp2.Board(settings(network="wifi", ssid="Plant"))
        assert not board.network.is_up()
        assert any("no wifi" in said for said in board.said)


def test_clock_counts_as_kept_only_when_toolsnet_or_ntp_have_set_it(chip):
    board = chip.Board(settings())
    for source in range(len(SOURCE_NAMES)):
        board.clock.source = source
        assert board.clock_is_set() == (SOURCE_NAMES[source] in ("toolsnet", "ntp"))


def test_the_lamp_is_the_boards_own_or_the_pin_that_is_named(chip):
    board = chip.Board(settings())
    board.show_lamp(True)
    assert fake.Pin.made["LED"].level == 1
    chip.Board(settings(lamp="15")).show_lamp(False)
    assert fake.Pin.made[15].level == 0


def test_the_zone_of_the_settings_serves_and_one_that_cannot_be_read_is_said(chip):
    board = chip.Board(settings(ntp_hosts=["ntp.plant"], time_zone="IST-5:30", utc_offset_min=60))
    assert board.ntp._zone.offset_s(0) == 19800 and not any("time_zone" in said for said in board.said)
    board = chip.Board(settings(ntp_hosts=["ntp.plant"], time_zone="nowhere", utc_offset_min=60))
    assert board.ntp._zone.offset_s(0) == 3600 and "time_zone cannot be read: nowhere" in board.said


def test_a_lamp_that_is_not_there_is_said_and_no_reason_to_stop(chip):
    board = chip.Board(settings(lamp="no such"))
    fake.Pin.made.clear()
    assert board.said == [] or "lamp" in board.said[0]
    board.show_lamp(True)


def test_the_watchdog_runs_only_where_it_is_wanted(chip):
    board = chip.Board(settings(watchdog=False))
    board.start_watchdog()
    assert board.watchdog is None
    board = chip.Board(settings())
    board.start_watchdog()
    assert board.watchdog.timeout < 8388  # what an RP2040 allows at most


def test_a_held_board_is_fed_for_half_an_hour_and_then_never_again(chip):
    from board import hold as common

    board = chip.Board(settings())
    board.start_watchdog()
    board.hold_watchdog()
    timer = common.held[-1]._timer
    feeds = common.HELD_S * 1000 // timer.period
    for _ in range(feeds + 10):
        timer.fire()
    assert board.watchdog.feeds == feeds + 1
    assert timer.ended


def test_the_raw_ring_is_used_where_the_firmware_leaves_one(chip, monkeypatch):
    from board import rp2_flash

    flash = fake.RomFlash(32)
    monkeypatch.setattr(rp2_flash, "ring", lambda: _device(flash))
    board = chip.Board(settings())
    device = board.flash({"path": "raw", "size_kib": 64})
    assert device.block_count == 16 and device is board.flash({"path": "raw", "size_kib": 64})
    assert any("raw flash" in said for said in board.said)
    second = board.flash({"path": "raw@64", "size_kib": 64})
    second.program(0, bytearray(b"x" * 256), 256)
    assert flash.cells[64 * 1024] == ord("x")


def test_stock_firmware_keeps_the_spool_in_files_and_says_so(chip, monkeypatch, tmp_path):
    from board import chip as common
    from board import rp2_flash

    monkeypatch.setattr(rp2_flash, "ring", lambda: None)
    monkeypatch.setattr(common, "FOLDER", str(tmp_path / "spool"))
    board = chip.Board(settings())
    device = board.flash({"path": "raw", "size_kib": 64})
    assert device.block_count == 16
    assert any("in files" in said for said in board.said)


def test_a_flash_that_an_earlier_firmware_divided_otherwise_is_told_and_no_ring_is_looked_for_without_files(
    chip, monkeypatch
):
    from board import rp2_flash

    def files(blocks):
        monkeypatch.setattr(rp2_flash.os, "statvfs", lambda path: (4096, 0, blocks))

    files(176)
    assert any("704 KiB" in said for said in chip.Board(settings()).said)
    files(rp2_flash.FILES_BYTES // 4096)
    assert chip.Board(settings()).said == []
    for blocks in (0, 352):  # none mounted, and all of the flash
        files(blocks)
        assert rp2_flash.ring() is None
        assert chip.Board(settings()).said == []


def test_a_ring_that_is_larger_than_the_flash_is_refused(chip, monkeypatch):
    from board import rp2_flash

    monkeypatch.setattr(rp2_flash, "ring", lambda: _device(fake.RomFlash(8)))
    board = chip.Board(settings())
    assert board.flash({"path": "raw", "size_kib": 64}) is None
    assert any("32 KiB" in said for said in board.said)


def test_a_serial_line_is_a_port_that_wakes_its_slot(chip):
    board = chip.Board(settings())
    port = board.serial({"parity": "even", "stop_bits": 1})
    port.open("1", 9600)
    assert port.sock.number == 1 and port.sock.settings["baudrate"] == 9600
    assert port in board.sockets._ports
    port.close()


class Poll:
    """A poll whose console has something after so many looks; it counts its waits."""

    def __init__(self, quiet):
        self.quiet = quiet
        self.waits = []

    def ipoll(self, ms):
        self.waits.append(ms)
        self.quiet -= 1
        return iter(() if self.quiet >= 0 else ((sys.stdin, 1),))


def test_with_nothing_open_the_chip_sleeps_to_the_deadline_in_one_turn_and_hears_the_console(chip, monkeypatch):
    from board import sockets

    slept = []
    monkeypatch.setattr(sockets.time, "sleep_ms", slept.append, raising=False)
    board = chip.Board(settings())
    board.sockets.poll = Poll(1000)
    board.sockets.wait(None, 2550, board.now)
    assert sum(slept) == 2550 and max(slept) <= sockets.NAP_MS
    assert max(board.sockets.poll.waits) == 0  # nothing spins while it sleeps
    assert board.read_console() == ""
    slept.clear()
    board.sockets.poll = Poll(3)
    board.sockets.wait(None, 60000, board.now)
    assert sum(slept) == 4 * sockets.NAP_MS
    assert board.sockets._typed


def test_a_cable_that_is_in_counts_from_the_first_moment(chip, monkeypatch):
    # The first connection is tried before the first look: without a network ToolsNet's next one comes a minute later.
    monkeypatch.setattr(fake.Interface, "isconnected", lambda self: True)
    assert chip.Board(settings(network="ethernet")).network.is_up()


def test_local_time_is_right_wherever_the_port_counts_from(chip):
    board = chip.Board(settings())
    assert board.calendar(1710408413) == (2024, 3, 14, 9, 26, 53)


def _device(flash):
    """A device over fake flash, as board.rp2_flash has it."""
    from agent.log.flash import RamFlash

    device = RamFlash(len(flash.cells) // 4096)
    device.cells = flash.cells
    return device


ODD_HOSTS = ["", "\0", "127.0.0.1\0", "a\0b", "b\xfcro.plant", "\u20ac", "a" * 300, "a b", "a" * 64 + ".plant", "a..b"]


@pytest.mark.parametrize("host", ODD_HOSTS, ids=ascii)
def test_a_host_that_can_be_none_closes_the_port_and_raises_nothing(chip, host):
    from agent.link.port import PORT_CLOSED, PORT_LOST

    board = chip.Board(settings())
    board.network.is_up = board.sockets.is_up = lambda: True
    port = board.tcp()
    port.open(host, 4545)
    assert port.state() == PORT_CLOSED and port.sock is None
    assert port.readinto(bytearray(4), 4) == PORT_LOST and port.write(b"x", 0, 1) == PORT_LOST
    port.open("127.0.0.1", 70000)
    assert port.state() == PORT_CLOSED


def mapped(blocks=4):
    """The driver over a chip of these blocks, and the chip."""
    from board import rp2_flash

    cells = fake.MappedFlash.of(blocks)
    rp2_flash.rp2.Flash = lambda **_: cells
    return rp2_flash.Rp2Flash(), cells


def test_the_raw_flash_keeps_the_contract_of_a_flash_device(chip):
    device, cells = mapped()
    octets = bytearray(range(256)) * 2
    assert device.program(4096 + 256, octets, 512) == 0
    assert cells[4096 + 256 : 4096 + 768] == octets
    read = bytearray(600)
    assert device.read_into(4096 + 256, read, 600) == 0
    assert read[:512] == octets and read[512:] == b"\xff" * 88
    assert device.erase(1) == 0 and cells == b"\xff" * len(cells)


def test_a_page_that_does_not_read_as_it_was_written_is_worn(chip):
    from agent.log.flash import FLASH_WORN

    device, cells = mapped()
    cells.stuck = (4096 + 300,)
    assert device.program(4096, bytearray(512), 512) == FLASH_WORN
    assert device.program(4096 + 512, bytearray(256), 256) == 0
    cells[8192 + 7] = 0xFE  # a bit that the erase left
    assert device.program(8192, bytearray(b"\xff" * 256), 256) == FLASH_WORN


def test_a_spool_goes_on_behind_a_worn_block(chip):
    from host_tests.support.log import append, mounted, read_all

    device, cells = mapped(14)
    cells.stuck = (8 * 4096 + 200, 10 * 4096 + 200)
    ring = mounted(device)
    for ident in range(1, 61):
        assert append(ring, ident) == 0 or append(ring, ident) == 0
    assert [ident for _, ident in read_all(ring)] == list(range(1, 61))
    assert [ident for _, ident in read_all(mounted(device))] == list(range(1, 61))


def test_ports_with_tls_share_what_their_configuration_names(chip, monkeypatch, tmp_path):
    made = []

    class Context:
        def __init__(self, kind):
            made.append(self)
            self.authorities = []

        def get_ciphers(self):
            return ["TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256"]

        def load_verify_locations(self, octets):
            self.authorities.append(octets)

        def load_cert_chain(self, own, key):
            self.own = own, key

    tls = types.SimpleNamespace(SSLContext=Context, PROTOCOL_TLS_CLIENT=0, CERT_REQUIRED=2)
    for name, content in (("ca.der", b"\x30\x01a\x30\x02bc"), ("own.der", b"own"), ("key.der", b"key")):
        (tmp_path / name).write_bytes(content)
    named = {"tls_ca": "ca.der", "tls_name": None, "tls_certificate": "own.der", "tls_key": "key.der"}
    board = chip.Board(settings(network="ethernet"))
    from board import tls as board_tls

    monkeypatch.setitem(sys.modules, "tls", None)
    with pytest.raises(ValueError, match=r"toolsnet\.tls_ca: this firmware has no TLS"):
        board_tls.give_to(board, board.sockets, str(tmp_path), named)
    monkeypatch.setitem(sys.modules, "tls", tls)
    board_tls.give_to(board, board.sockets, str(tmp_path), named)  # as board.main does
    ports = [board.tls(named), board.tls(named)]
    [context] = made
    assert context.authorities == [b"\x30\x01a", b"\x30\x02bc"] and context.own == (b"own", b"key")
    assert context.verify_mode == 2 and context.verify_callback(b"", 0) == 0
    assert all(port in board.sockets._ports for port in ports)
