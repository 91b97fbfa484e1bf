"""Boards of RP2 and ESP32 on fake modules: Wi-Fi, Ethernet, lamp, watchdog, and where the spool lies."""

import errno
import select
import socket
import sys
import time
import types

import pytest

from toolcart.agent.cart import config
from toolcart.agent.link.port import (
    PORT_CLOSED,
    PORT_LOST,
    PORT_OPEN,
    PORT_OPENING,
    WHY_NAME_SLOW,
    is_numeric,
)
from toolcart.agent.log.flash import FLASH_IO, FLASH_WORN
from toolcart.board.clock import SOURCE_NAMES
from toolcart.board.ram_flash import RamFlash
from toolcart.tools.flash.pins import pins_of, supply_of
from host_tests.board import fake_chip as fake
from host_tests.board.test_resolver import reply
from host_tests.support.disk import refusing

REAL_GETADDRINFO = socket.getaddrinfo


def settings(platform="rp2", **board):
    pins = pins_of(platform, board.pop("ethernet_pins", ""))
    supply = board.pop("supply", [])
    address = board.pop("address", [])
    tree = {
        "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
        "stations": [{"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw", "size_kib": 64}}],
        "board": board,
    }
    done = config.complete(tree)
    done["board"].update({"ethernet_pins": pins, "supply": supply, "address": address})  # as `toolcart flash` writes it
    return done


@pytest.fixture
def chip():
    with fake.installed("rp2"):
        from toolcart.board.rp2 import board as rp2

        yield rp2


def test_access_points_of_other_networks_are_no_choice(chip):
    board = chip.Board(settings(network="wifi", ssid="Plant"))
    wlan = fake.Interface.last
    wlan.around = [
        (b"Plant", b"here", 1, -80, 0, 0),
        (b"Plant", b"there", 6, -50, 0, 0),
        (b"Guest", b"x", 1, -20, 0, 0),
    ]
    board.network.level_dbm = -80
    assert board.network._stronger() == b"there"


def test_w5500_is_looked_at_once_a_second(chip):
    board = chip.Board(settings(network="ethernet"))
    now = board.now()
    assert board.network.tick(now) > 0 and not board.network.is_up()
    fake.Interface.last.connected = True
    board.network.tick(now + 1000)
    assert board.network.is_up()


@pytest.mark.parametrize(
    ("platform", "text", "words"),
    [
        ("rp2", "sck 19, mosi 18", "for sck a pin"),
        ("rp2", "sck 10", "of one SPI"),
        ("rp2", "cs 20", "of its own"),
        ("rp2", "reset -", "a number up to 47 for reset"),
        ("rp2", "mdc 23", "names out of sck"),
        ("esp32", "mdc", "a number up to 48"),
        ("esp32", "address 32", "up to 31"),
        ("esp32", "clock_in 0, clock_out 17", "not both"),
        ("esp32", "clock_out 5", "for clock_out 0 or 16 or 17"),
        ("esp32", "clock_in 16, power -", "for clock_in 0:"),
        ("rp2", "sck 18, sck 18", "each once"),
    ],
)
def test_pins_that_cannot_be_are_refused_in_words(platform, text, words):
    with pytest.raises(ValueError, match=words):
        pins_of(platform, text)


def test_a_firmware_without_a_network_says_so_and_runs():
    with fake.installed("rp2", with_network=False):
        from toolcart.board.rp2 import board as rp2

        board = rp2.Board(settings(network="wifi", ssid="Plant"))
        assert not board.network.is_up()
        assert any("no wifi" in message for message in board.messages)


def test_clock_counts_as_kept_only_when_toolsnet_or_ntp_have_set_it(chip):
    board = chip.Board(settings())
    for source in range(len(SOURCE_NAMES)):
        board.clock.source = source
        assert board.clock_is_set() == (SOURCE_NAMES[source] in ("toolsnet", "ntp"))


def test_zone_of_settings_serves_and_one_that_cannot_be_read_is_reported(chip):
    board = chip.Board(settings(ntp_hosts=["ntp.plant"], time_zone="IST-5:30"))
    assert board.ntp._zone.offset_s(0) == 19800 and not any("time_zone" in message for message in board.messages)
    board = chip.Board(settings(ntp_hosts=["ntp.plant"], time_zone="nowhere"))
    assert board.ntp._zone.offset_s(0) == 0 and "time_zone cannot be read: nowhere" in board.messages


def test_held_board_is_fed_for_half_an_hour_and_then_never_again(chip):
    from toolcart.board import watchdog_grace as common

    board = chip.Board(settings())
    board.start_watchdog()
    board.hold_watchdog()
    timer = common.held[-1]._timer
    feeds = common.HELD_S * 1000 // timer.period
    for _ in range(feeds + 10):
        timer.fire()
    assert board.watchdog.feeds == feeds + 1
    assert timer.ended


def test_a_flash_that_an_earlier_firmware_divided_otherwise_is_reported(chip, monkeypatch):
    rp2_flash = chip.rp2_flash

    def files(blocks):
        monkeypatch.setattr(rp2_flash.os, "statvfs", lambda path: (4096, 0, blocks))

    files(176)
    assert any("704 KiB" in message for message in chip.Board(settings()).messages)
    files(rp2_flash.FILES_BYTES // 4096)
    assert chip.Board(settings()).messages == []
    for blocks in (0, 352):  # none mounted, and all of the flash
        files(blocks)
        assert rp2_flash.ring() is None
        assert chip.Board(settings()).messages == []


def test_the_spool_is_written_only_while_the_adc_sees_enough(chip, monkeypatch):
    wanted = {"supply": "min_mv 4400", "network": "ethernet"}
    monkeypatch.setattr(chip.rp2_flash, "ring", lambda: _device(fake.RomFlash(32)))
    board = chip.Board(settings(supply=supply_of("rp2", wanted)))
    fake.ADC.mv[29] = 5000 / 3
    device = board.flash({"path": "raw", "size_kib": 128})
    assert device.erase(0) == 0 and board.about()["supply"] == [{"mv": 4999, "least_mv": 4400, "refused": 0}]
    fake.ADC.mv[29] = 4390 / 3
    assert device.erase(0) < 0 and board.about()["supply"][0]["refused"] == 1


@pytest.mark.parametrize(
    ("platform", "wanted", "words"),
    [
        ("rp2", {"supply": "min_mv 4400, pin 25"}, "pin with an ADC: 26 to 29, of an RP2350B 40 to 47"),
        ("rp2", {"supply": "min_mv 4400, pin 39"}, "pin with an ADC"),
        ("rp2", {"supply": "min_mv low"}, "a whole number for min_mv"),
        ("rp2", {"supply": "mv 4400"}, "names out of min_mv, pin, ratio"),
        ("rp2", {"supply": "pin 28"}, "^min_mv, the voltage"),
        ("rp2", {"supply": "pin 29, ratio 3"}, "^min_mv, the voltage"),
        ("rp2", {"supply": "min_mv 0"}, "^min_mv, the voltage"),
        ("rp2", {"supply": "min_mv 4400, ratio 1.5"}, "a whole number for ratio"),
        ("rp2", {"supply": "min_mv 4400, ratio 0"}, "a ratio from 1 to 4400"),
        ("rp2", {"supply": "min_mv 4400, min_mv 4300"}, "each once"),
        ("rp2", {"network": "wifi"}, "belongs to the radio"),
        ("rp2", {"supply": "min_mv 4400, ratio 1"}, "below 3300 mV"),
        ("esp32", {}, "pin with an ADC: 32 to 39, of an ESP32-S3 1 to 10"),
    ],
)
def test_a_supply_that_cannot_be_read_is_refused_in_words(platform, wanted, words):
    board = {"supply": "min_mv 4400", "network": "ethernet", **wanted}
    with pytest.raises(ValueError, match=words):
        supply_of(platform, board)


def test_a_ring_that_is_larger_than_the_flash_is_refused(chip, monkeypatch):
    monkeypatch.setattr(chip.rp2_flash, "ring", lambda: _device(fake.RomFlash(8)))
    board = chip.Board(settings())
    assert board.flash({"path": "raw", "size_kib": 64}) is None
    assert any("32 KiB" in message for message in board.messages)


def test_a_serial_line_is_a_port_that_wakes_its_slot(chip):
    board = chip.Board(settings())
    line = {"device": "1", "baud": 9600, "parity": "even", "stop_bits": 1, "flow": "none", "rs485": "", "invert": False}
    port = board.serial(line)
    port.open("1", 9600)
    assert port.sock.number == 1 and port.sock.settings["baudrate"] == 9600
    assert board.sockets._open == {port.sock: port}
    port.close()
    assert board.sockets._open == {}


class Poll:
    """A poll whose console has something after so many looks; it counts its waits."""

    def __init__(self, quiet):
        self.quiet = quiet
        self.waits = []

    def ipoll(self, ms):
        self.waits.append(ms)
        self.quiet -= 1
        return iter(() if self.quiet >= 0 else ((sys.stdin, 1),))


def test_with_nothing_open_the_chip_sleeps_to_the_deadline(chip, monkeypatch):
    from toolcart.board import sockets

    slept = []
    monkeypatch.setattr(sockets.time, "sleep_ms", slept.append, raising=False)
    board = chip.Board(settings())
    board.sockets.poll = Poll(1000)
    board.sockets.wait(None, 2550)
    assert sum(slept) == 2550 and max(slept) <= sockets.NAP_MS
    assert max(board.sockets.poll.waits) == 0  # nothing spins while it sleeps
    assert board.read_console() == ""
    slept.clear()
    board.sockets.poll = Poll(3)
    board.sockets.wait(None, 60000)
    assert sum(slept) == 4 * sockets.NAP_MS
    assert board.sockets._typed


def test_local_time_is_right_wherever_the_port_counts_from(chip):
    board = chip.Board(settings())
    assert board.calendar(1710408413) == (2024, 3, 14, 9, 26, 53)


def test_the_watchdog_is_fed_while_a_scan_takes_longer_than_it_waits(chip, monkeypatch):
    board = chip.Board(settings(network="wifi", ssid="Plant"))
    board.start_watchdog()

    def scan(wlan):  # ten seconds, as long as the port waits (extmod/network_cyw43.c); soft timers run meanwhile
        for _ in range(10000 // fake.Timer.made[-1].period):
            fake.Timer.made[-1].fire()
        return []

    monkeypatch.setattr(fake.Interface, "scan", scan)
    assert board.network._stronger() is None
    assert board.watchdog.feeds == 1 + 5
    assert fake.Timer.made[-1].ended
    fake.Timer.made[-1].fire()
    assert board.watchdog.feeds == 1 + 5
    monkeypatch.setattr(fake.Interface, "scan", lambda wlan: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        board.network._stronger()
    assert fake.Timer.made[-1].ended


def test_the_radio_does_not_sleep(chip):
    chip.Board(settings(network="wifi", ssid="Plant"))
    assert ("config", {"pm": fake.Interface.PM_NONE}) in fake.Interface.last.calls


def test_deep_restart_switches_chip_of_the_radio_off_too_and_joins_again(chip):
    board = chip.Board(
        settings(network="wifi", ssid="Plant", address=["10.0.0.5", "255.255.255.0", "10.0.0.1", "10.0.0.53"])
    )
    board.network.tick(board.now())
    wlan = fake.Interface.last
    wlan.connected = True
    board.network.tick(board.now())
    assert board.network.is_up()
    wlan.fixed = {}
    wlan.calls.clear()
    board.network.restart(True, board.now())
    assert not board.network.is_up()
    assert wlan.calls[:4] == [("disconnect",), ("active", False), ("deinit",), ("active", True)]
    assert wlan.fixed == {"addr4": ("10.0.0.5", "255.255.255.0"), "gw4": "10.0.0.1"} and wlan.dhcp4 is False
    board.network.tick(board.now())
    assert wlan.calls[-1][0] == "connect"
    wlan.calls.clear()
    board.network.restart(False, board.now())
    assert ("deinit",) not in wlan.calls


@pytest.mark.parametrize("kind", ["wifi", "ethernet"])
def test_name_servers_are_the_ones_of_the_settings_or_of_dhcp(chip, kind):
    board = chip.Board(settings(network=kind, ssid="Plant"))
    assert board.network.servers() == ()
    fake.Interface.dns = "10.0.0.2"
    assert board.network.servers() == ("10.0.0.2",)
    board = chip.Board(settings(network=kind, ssid="Plant", address=["", "", "", "10.0.0.53"]))
    assert board.network.servers() == ("10.0.0.53",)
    assert chip.Board(settings(network="none")).network.servers() == ()


class ObjectPoll:
    """`select.poll` as chips have it: it gives the objects themselves, and time passes only while it waits."""

    def __init__(self):
        self._poll = select.poll()
        self._things = {}

    def register(self, thing, events):
        self._things[thing.fileno()] = thing
        self._poll.register(thing, events)

    def modify(self, thing, events):
        self._poll.modify(thing, events)

    def unregister(self, thing):
        del self._things[thing.fileno()]
        self._poll.unregister(thing)

    def ipoll(self, ms):
        return [(self._things[number], events) for number, events in self._poll.poll(ms)]


class NameServer:
    """A server of names on the loopback that a test lets answer or not."""

    def __init__(self, monkeypatch, chip_module):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        monkeypatch.setattr(chip_module, "_place", lambda host, port: self.sock.getsockname())

    def answer(self, address):
        try:
            octets, sender = self.sock.recvfrom(512)
        except BlockingIOError:
            return
        self.sock.sendto(reply(octets, address), sender)


@pytest.fixture
def named(chip, monkeypatch, tmp_path):
    """A board and its server of names; `getaddrinfo` refuses them: it blocks a chip longer than the watchdog waits."""
    from toolcart.board import chip as common
    from toolcart.board import resolver

    def only_numbers(host, *more):
        assert is_numeric(host), "a name is looked up by a blocking call"
        return REAL_GETADDRINFO(host, *more)

    monkeypatch.setattr(socket, "getaddrinfo", only_numbers)
    monkeypatch.setattr(resolver, "FILE", str(tmp_path / "names"))
    monkeypatch.setattr(resolver.Resolver.__init__, "__defaults__", (str(tmp_path / "names"),))
    board = chip.Board(settings(network="wifi", ssid="Plant"))
    board.network.is_up = board.sockets.is_up = lambda: True
    board.network.servers = lambda: ("10.0.0.53",)
    board.sockets.poll = ObjectPoll()
    monkeypatch.setattr(time, "sleep_ms", lambda ms: None, raising=False)
    server = NameServer(monkeypatch, common)
    yield board, server
    server.sock.close()
    board.sockets.resolver.close()


class App:
    """What toolcart.board.sockets asks of an app."""

    def __init__(self):
        self.scheduler = self
        self.woken = []

    def wake(self, slot, now):
        self.woken.append(slot)


TURNS_MOST = 500  # of a busy machine


def test_port_connects_to_a_name_as_soon_as_it_is_looked_up(named):
    board, server = named
    app = App()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = board.tcp()
        board.watch(port, 4)
        port.open("pim.plant.example", listener.getsockname()[1])
        assert port.state() == PORT_OPENING and port.why == WHY_NAME_SLOW and port.sock is None
        for _ in range(TURNS_MOST):
            server.answer("127.0.0.1")
            board.sockets.wait(app, 20)
            if port.state() == PORT_OPEN:
                break
        assert port.state() == PORT_OPEN and port.why == 0 and app.woken[0] == 4
        port.close()


def test_a_time_server_is_looked_up_beside_the_loop_too(named):
    board, server = named
    assert board._datagram("ntp.plant.example") is None
    requested = None
    for _ in range(TURNS_MOST):
        server.answer("127.0.0.1")
        board.sockets.wait(App(), 20)
        requested = board._datagram("ntp.plant.example")
        if requested is not None:
            break
    assert requested is not None
    requested.close()


def _device(flash):
    """A device over fake flash, as toolcart.board.rp2.flash has it."""
    device = RamFlash(len(flash) // 4096)
    device.cells = flash
    return device


ODD_HOSTS = ["", "\0", "127.0.0.1\0", "a\0b", "b\xfcro.plant", "\u20ac", "a" * 300, "a b", "a" * 64 + ".plant", "a..b"]


@pytest.mark.parametrize("host", ODD_HOSTS, ids=ascii)
def test_a_host_that_can_be_none_closes_the_port_and_raises_nothing(chip, host):
    board = chip.Board(settings())
    board.network.is_up = board.sockets.is_up = lambda: True
    port = board.tcp()
    port.open(host, 4545)
    assert port.state() == PORT_CLOSED and port.sock is None
    assert port.readinto(bytearray(4), 4) == PORT_LOST and port.write(b"x", 0, 1) == PORT_LOST
    port.open("127.0.0.1", 70000)
    assert port.state() == PORT_CLOSED


def test_a_page_that_does_not_read_as_it_was_written_is_worn(chip):
    device, cells = fake.driven("rp2")
    cells.stuck = (4096 + 300,)
    assert device.program(4096, bytearray(512), 512) == FLASH_WORN
    assert device.program(4096 + 512, bytearray(256), 256) == 0
    cells[8192 + 7] = 0xFE  # a bit that the erase left
    assert device.program(8192, bytearray(b"\xff" * 256), 256) == FLASH_WORN


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
    from toolcart.board import tls as board_tls

    monkeypatch.setitem(sys.modules, "tls", None)
    with pytest.raises(ValueError, match=r"toolsnet\.tls_ca: this firmware has no TLS"):
        board_tls.Tls(board.sockets, str(tmp_path), named)
    monkeypatch.setitem(sys.modules, "tls", tls)
    board.tls = board_tls.Tls(board.sockets, str(tmp_path), named).port  # as toolcart.board.main does
    ports = [board.tls(named), board.tls(named)]
    [context] = made
    assert context.authorities == [b"\x30\x01a", b"\x30\x02bc"] and context.own == (b"own", b"key")
    assert context.verify_mode == 2 and context.verify_callback(b"", 0) == 0
    assert all(isinstance(port, board_tls.TlsPort) for port in ports)


@pytest.fixture
def esp32_chip():
    fake.Partition.table = {}
    with fake.installed("esp32"):
        from toolcart.board.esp32 import board as esp32

        yield esp32


def test_wifi_is_joined(esp32_chip):
    board = esp32_chip.Board(settings(network="wifi", ssid="Plant", password="geheim-4711", country="DE"))
    board.network.tick(board.now())
    assert ("connect", ("Plant", "geheim-4711"), {}) in fake.Interface.last.calls


def test_codes_of_the_idf_are_failures(esp32_chip):
    board = esp32_chip.Board(settings(network="wifi", ssid="Plant"))
    board.network.tick(board.now())
    fake.Interface.last.code = 202  # wrong password
    board.network.tick(board.now())
    assert board.network.failures == 1


def test_the_wired_interface_has_the_common_pins_or_those_of_the_settings(esp32_chip):
    board = esp32_chip.Board(settings("esp32", network="ethernet"))
    named = fake.Interface.last.named
    assert [named[name].name for name in ("mdc", "mdio", "power")] == [23, 18, 16] and named["reset"] is None
    assert named["phy_addr"] == 1 and "ref_clk" not in named and not board.network.is_up()
    for clock, mode in (("clock_out 17", fake.Pin.OUT), ("clock_in 0", fake.Pin.IN)):
        esp32_chip.Board(settings("esp32", network="ethernet", ethernet_pins="power -, address 0, reset 5, " + clock))
        named = fake.Interface.last.named
        assert named["power"] is None and named["reset"].name == 5 and named["phy_addr"] == 0
        assert (named["ref_clk"].name, named["ref_clk_mode"]) == (int(clock.split()[1]), mode)


def test_there_is_a_lamp_only_where_one_is_named(esp32_chip):
    esp32_chip.Board(settings()).show_lamp(True)
    assert fake.Pin.made == {}
    esp32_chip.Board(settings(lamp="2")).show_lamp(True)
    assert fake.Pin.made[2].level == 1


def test_the_supply_is_read_in_microvolts(esp32_chip):
    fake.Partition.table = {"spool": fake.Partition(32)}
    wanted = {"supply": "min_mv 3000, pin 34, ratio 2", "network": "wifi"}
    board = esp32_chip.Board(settings("esp32", supply=supply_of("esp32", wanted)))
    fake.ADC.mv[34] = 1501
    device = board.flash({"path": "raw", "size_kib": 64})
    assert device.erase(0) == 0 and board.about()["supply"][0]["mv"] == 3002
    fake.ADC.mv[34] = 1499
    assert device.erase(0) < 0


def test_what_does_not_read_as_it_was_written_is_worn(esp32_chip):
    device, partition = fake.driven("esp32")
    partition[4096 + 600] = 0xFE  # a bit that the erase left
    for octets, code in ((592, 0), (608, FLASH_WORN)):
        assert device.program(4096, bytearray(b"\xff" * 640), octets) == code
    assert device.program(8192, bytearray(640), 640) == 0
    assert partition[8192 : 8192 + 641] == bytes(640) + b"\xff"


def test_a_partition_that_fails_is_a_code_and_no_exception(esp32_chip, monkeypatch):
    device, partition = fake.driven("esp32")
    for name in ("readblocks", "writeblocks", "ioctl"):
        monkeypatch.setattr(partition, name, refusing(errno.EIO))
    buf = bytearray(16)
    assert device.read_into(0, buf, 16) == device.program(0, buf, 16) == device.erase(0) == FLASH_IO


def test_a_table_without_that_partition_keeps_the_spool_in_files(esp32_chip, monkeypatch, tmp_path):
    from toolcart.board import folder_flash

    monkeypatch.setattr(folder_flash, "FOLDER", str(tmp_path / "spool"))
    board = esp32_chip.Board(settings())
    assert board.flash({"path": "raw", "size_kib": 64}) is not None
    assert any("in files" in message for message in board.messages)
