"""Wrong hardware in a configuration is told before a version is confirmed: by platform, board or trial."""

import errno
import json
import random
from dataclasses import replace

import pytest

from toolcart.agent.cart import led
from toolcart.agent.cart.app import App
from toolcart.agent.link.port import PORT_CLOSED, PORT_OPEN, WHY_NO_DEVICE
from toolcart.base import private_files
from toolcart.base.exit_codes import EXIT_CONFIGURATION
from toolcart.tools.config import board_checks
from toolcart.tools.config import file as config_file
from toolcart.tools.flash import commands, hardware, package, pins
from toolcart.tools.flash.link import About
from host_tests.board import fake_chip
from host_tests.support.running import written
from host_tests.tools.flash.fake_board import PICO, FakeBoard, version

PICO_W = replace(PICO, machine="Raspberry Pi Pico W with RP2040", networks=("wifi",), ring_kib=512)
W5500 = replace(PICO, machine="W5500-EVB-Pico with RP2040", networks=("ethernet",), ring_kib=768)
PICO_2 = replace(PICO, machine="Raspberry Pi Pico2 with RP2350", networks=(), ring_kib=2816)
STOCK = replace(PICO_W, ring_kib=0, free_bytes=256 * 1024)
ESP32 = About("esp32", "Generic ESP32 module with ESP32", (1, 28, 0), 6, "xtensawin", 900000, 4096, "")
S3 = replace(ESP32, machine="Generic ESP32S3 module with ESP32S3", networks=("wifi",), ring_kib=1024)

WIFI = {"network": "wifi", "ssid": "Plant", "password": {"file": "wifi.password"}}
ETHERNET = {"network": "ethernet"}
NONE = {"network": "none"}
TOOLSNET = {"pim_host": "192.0.2.20", "pim_port": 6575}


def station(number=1, size_kib=64, path="raw", **controller):
    controller = controller or {"host": f"192.0.2.{number}"}
    if "device" in controller:
        controller = {"link": "ascii", **controller}
    return {"number": number, "controller": controller, "spool": {"path": path, "size_kib": size_kib}}


def cart_in(folder, board, *stations):
    private_files.put(folder / "wifi.password", "geheim-4711\n")
    return written(folder, {"toolsnet": TOOLSNET, "board": board, "stations": list(stations)})


# -- what every chip of a platform shares ----------------------------------------------------------------------------

RINGS = [
    (("raw", 64), ("raw@32", 64), "raw@64: stations[0] has 0 to 64 KiB"),
    (("raw", 64), ("raw@0", 64), "raw@64"),
    (("raw@00", 64), ("raw", 64), "raw@64"),
    (("raw@64", 64), ("raw", 65), "raw@128"),
    (("raw@256", 320), ("raw", 1024), "raw@576"),
    (("raw", 64), ("raw@66", 64), "multiple of 4"),
    (("a", 64), ("A", 64), 'shares its folder with "a"'),
    *[(("a", 64), (path, 64), "letters, digits") for path in ("./a", "b/../a", "..", ".", "a*b", "a/", "a//b", "a.")],
    *[(("a", 64), (path, 64), "letters, digits") for path in ("/", "/./a", "a b", "../a", "a:b", "a@4")],
    *[(("a", 64), (path, 64), "raw, raw@KIB, or") for path in ("raw@", "raw@x", "raw@-4", "RAW", "raw@4.5", "rawa")],
    *[(("raw", 64), (path, 64), "letters, digits") for path in ("/a", "/b/c", "/main.py", "/toolcart.state", "a/b")],
    *[(("raw", 64), (path, 64), "letters, digits") for path in ("/var/lib/toolcart/cart1.spool", "/spool/a", ".a")],
    (("cart.spool", 64), ("Cart.spool", 64), 'shares its folder with "cart.spool"'),
    (("raw", 130), ("raw@128", 64), "such as raw@132"),
    (("raw@4", 45), ("raw", 64), "such as raw@52"),
]
UARTS = [
    ("rp2", NONE, [station(device="2")], "device", "UART 0 or 1"),
    ("rp2", NONE, [station(device="2:8,9")], "device", "UART 0 or 1"),
    ("esp32", NONE, [station(device="0")], "device", "0 is the console"),
    ("esp32", NONE, [station(device="3:4,5")], "device", "a UART, up to 2"),
    ("rp2", NONE, [station(device="0:5,6")], "device", "for tx a pin of UART 0: 0, 2, 12, 14"),
    ("rp2", NONE, [station(device="1:9,8")], "device", "for tx a pin of UART 1: 4, 6, 8"),
    ("rp2", NONE, [station(device="1:8,13")], "device", "for rx a pin of UART 1"),
    ("rp2", NONE, [station(device="1:8,9,10,11", flow="rts_cts")], "device", "for rts a pin of UART 1: 7, 11"),
    ("rp2", NONE, [station(device="1:8,9", rs485="9")], "rs485", "stations[0].controller.device has this one"),
    ("rp2", NONE, [station(device="0", rs485="1")], "rs485", "a pin of its own"),
    ("esp32", NONE, [station(device="1:4,4")], "device", "each pin once"),
    ("esp32", NONE, [station(device="1:4,5"), station(2, 64, "raw@64", device="2:5,6")], "device", "stations[0]"),
    ("rp2", {**NONE, "lamp": "4"}, [station(device="1")], "device", "board.lamp has this one"),
    ("rp2", {**NONE, "supply": "min_mv 4400, pin 28"}, [station(device="0:28,29")], "device", "board.supply"),
    ("rp2", {**WIFI, "lamp": "25"}, [station()], "lamp", "the radio has this one"),
    *[
        ("rp2", {**NONE, "lamp": lamp}, [station(device="1:8,9")], "device", "pin 8; a pin of its own: board.lamp has")
        for lamp in ("8", "08", "GP8", "GPIO8")
    ],
    ("rp2", {**ETHERNET, "lamp": "GP18"}, [station()], "lamp", "pin 18; a pin of its own: board.ethernet_pins has"),
    ("rp2", {**WIFI, "lamp": "GP23"}, [station()], "lamp", "pin 23; a pin of its own: the radio has this one"),
    ("rp2", {**NONE, "lamp": "GPIO48"}, [station(device="1")], "lamp", "a pin up to 47"),
    ("rp2", WIFI, [station(device="1:24,25")], "device", "the radio has this one"),
    ("esp32", NONE, [station(device="1:99,98")], "device", "with its pins, up to 48"),
    ("rp2", NONE, [station(device="1:48,9")], "device", "for tx a pin of UART 1: 4, 6"),
    ("rp2", {**NONE, "lamp": "48"}, [station(device="1")], "lamp", "a pin up to 47"),
    ("esp32", {**WIFI, "lamp": "49"}, [station()], "lamp", "a pin up to 48"),
    ("esp32", NONE, [station(device="1:4,5", rs485="99")], "rs485", "a pin up to 48"),
    ("esp32", {**ETHERNET, "lamp": "0"}, [station()], "lamp", "the clock of the LAN8720 has this one"),
    ("esp32", {**ETHERNET, "lamp": "34"}, [station()], "lamp", "a pin with an output: 34 of an ESP32 has none"),
    ("esp32", ETHERNET, [station(device="1:19,22")], "device", "the data of the LAN8720 has this one"),
    ("esp32", {**ETHERNET, "ethernet_pins": "mdc 21"}, [station()], "ethernet_pins", "the data of the LAN8720"),
    ("esp32", {**ETHERNET, "ethernet_pins": "mdio 34"}, [station()], "ethernet_pins", "34 of an ESP32 has none"),
    ("esp32", ETHERNET, [station(device="1:4,1")], "device", "does not serve the console"),
    ("esp32", ETHERNET, [station(device="1:4,45")], "device", "a pin that an ESP32 has"),
    ("rp2", ETHERNET, [station(device="0:16,17")], "device", "board.ethernet_pins has this one"),
    ("rp2", {**ETHERNET, "lamp": "21"}, [station()], "lamp", "board.ethernet_pins has this one"),
    ("esp32", ETHERNET, [station(device="2:17,16")], "device", "board.ethernet_pins has this one"),
]


def told(wrong):
    return [(place, f"{found}; {allowed}") for place, found, allowed in wrong.value.mistakes]


@pytest.mark.parametrize(("first", "second", "words"), RINGS)
def test_spools_of_a_chip_that_overlap_are_a_mistake_for_every_command(tmp_path, first, second, words):
    stations = [station(number, size, path) for number, (path, size) in enumerate((first, second), 1)]
    cart = cart_in(tmp_path, WIFI, *stations)
    for reads in (config_file.read_to_check, lambda path: package.checked_config(path, "rp2")):
        with pytest.raises(config_file.ConfigurationError) as wrong:
            reads(cart)
        assert [text for place, text in told(wrong) if place == "stations[1].spool.path" and words in text], told(wrong)


@pytest.mark.parametrize(
    ("first", "second"), [("raw", "raw@64"), ("raw@64", "raw"), ("a", "b"), ("a.spool", "a.b"), ("raw@128", "raw@64")]
)
def test_spools_beside_each_other_are_none(tmp_path, first, second):
    cart = cart_in(tmp_path, WIFI, station(1, 64, first), station(2, 64, second))
    assert config_file.read_to_check(cart) and package.checked_config(cart, "rp2")


def test_a_pi_s_configuration_is_none_of_a_board_whatever_it_names(tmp_path):
    """Its network is `none`, and nothing else in it says that it is for a board."""
    line = station(path="/var/lib/toolcart/cart1.spool", device="/dev/ttyUSB0", flow="rts_cts")
    for platform in package.PLATFORMS:
        with pytest.raises(config_file.ConfigurationError) as wrong:
            package.checked_config(cart_in(tmp_path, NONE, line), platform)
        [(path, path_text), (device, device_text)] = told(wrong)
        assert path == "stations[0].spool.path" and "letters, digits" in path_text
        assert device == "stations[0].controller.device" and "the number of a UART" in device_text


@pytest.mark.parametrize(("platform", "board", "stations", "key", "words"), UARTS)
def test_a_line_or_a_pin_that_no_chip_has_is_told_without_a_board(tmp_path, platform, board, stations, key, words):
    with pytest.raises(config_file.ConfigurationError) as wrong:
        package.checked_config(cart_in(tmp_path, board, *stations), platform)
    assert [text for place, text in told(wrong) if place.endswith(f".{key}") and words in text], told(wrong)


def test_a_password_that_no_network_has_is_told_by_every_command(tmp_path):
    cart = cart_in(tmp_path, WIFI, station())
    for password, is_good in (("geheim7\n", False), ("geheim78\n", True)):
        private_files.put(tmp_path / "wifi.password", password)
        assert (config_file.read_to_check(cart)[1] == []) == is_good
        if not is_good:
            with pytest.raises(config_file.ConfigurationError) as wrong:
                package.checked_config(cart, "rp2")
            [(place, text)] = told(wrong)
            assert place == "board.password" and "with too little in it; 8 to 63 printable" in text


LINES = [
    ("1", "1:8,9", "another UART than 1, which stations[0] has"),
    ("1", "01", "another UART than 1"),
    ("1:4,5", "1:8,9", "another UART than 1"),
    ("0", "1:", "the number of a UART"),
    ("0", "/dev/ttyUSB0", "the number of a UART"),
    ("0", "1:8,9,10", "the number of a UART"),
    ("0", " 1", "the name without it"),
]


@pytest.mark.parametrize("board", [NONE, WIFI])
@pytest.mark.parametrize(("first", "second", "words"), LINES)
def test_a_uart_is_one_station_s_however_it_is_spelled(tmp_path, board, first, second, words):
    lines = [station(1, 64, "a", device=first), station(2, 64, "b", device=second)]
    cart = cart_in(tmp_path, board, *lines)
    for reads in (config_file.read_to_check, lambda path: package.checked_config(path, "rp2")):
        with pytest.raises(config_file.ConfigurationError) as wrong:
            reads(cart)
        assert [text for place, text in told(wrong) if place == "stations[1].controller.device" and words in text]


ADDRESSES = [
    ("10.0.0.5/24, gateway 10.0.0.5", "another address for gateway than the board's own"),
    ("10.0.0.5/24, gateway 10.0.1.1", "for gateway an address from 10.0.0.1 to 10.0.0.254, not 10.0.1.1, which is not"),
    ("10.0.0.5/24, gateway 10.0.0.255", "which is for broadcasts there"),
    ("10.0.0.0/24", "for the board an address from 10.0.0.1 to 10.0.0.254, not 10.0.0.0, which is the net's own"),
    ("10.0.0.255/24", "which is for broadcasts there"),
    ("0.0.0.0/0", "a prefix from 8 to 31"),
    ("10.0.0.5/32", "a prefix from 8 to 31"),
    ("0.0.0.0/8", "another net than 0.0.0.0/8, in which no address can be a board's"),
    ("127.0.0.1/8, gateway 127.0.0.2", "another net than 127.0.0.0/8, in which no address can be a board's"),
    ("127.255.255.0/30", "another net than 127.255.255.0/30, in which no address can be a board's"),
    ("224.0.0.5/24", "another net than 224.0.0.0/24, in which no address can be a board's"),
    ("250.0.0.5/24", "another net than 250.0.0.0/24, in which no address can be a board's"),
    ("0.1.2.3/16", "another net than 0.1.0.0/16, in which no address can be a board's"),
    ("126.0.0.5/7", "a prefix from 8 to 31"),
    ("10.0.0.5/24, gateway 10.0.0.1, dns 0.0.0.0", "another name server than 0.0.0.0"),
    ("10.0.0.5/24, gateway 10.0.0.1, dns 10.0.0.5", "another address for dns than the board's own"),
    ("dns 127.0.0.1", "another name server than 127.0.0.1"),
    ("192.0.2.20/24", "192.0.2.20, which toolsnet.pim_host names; an address that no other machine has"),
    ("192.000.002.001/24", "192.0.2.1, which stations[0].controller.host names"),
]


@pytest.mark.parametrize(("address", "words"), ADDRESSES)
def test_an_address_that_no_board_can_have_is_a_mistake_for_every_command(tmp_path, address, words):
    cart = cart_in(tmp_path, {**WIFI, "address": address}, station())
    assert [text for place, text in mistakes_of(cart) if place == "board.address" and words in text], mistakes_of(cart)
    with pytest.raises(config_file.ConfigurationError):
        package.checked_config(cart, "rp2")


@pytest.mark.parametrize("address", ["10.0.0.5/24, gateway 10.0.0.1", "10.0.0.4/31, gateway 10.0.0.5", "dns 10.0.0.2"])
def test_an_address_that_it_can_have_is_none(tmp_path, address):
    assert config_file.read_to_check(cart_in(tmp_path, {**ETHERNET, "address": address}, station()))


@pytest.mark.parametrize(
    ("board", "stations", "place", "words"),
    [
        ({**WIFI, "country": "de"}, [station()], "board.country", "two capital letters"),
        ({**WIFI, "country": "D"}, [station()], "board.country", "two capital letters"),
        ({**WIFI, "country": "12"}, [station()], "board.country", "two capital letters"),
        (
            WIFI,
            [station(host="::1")],
            "stations[0].controller.host",
            "which is an address of IPv6; a board speaks IPv4",
        ),
        *[
            (
                WIFI,
                [station(host=host)],
                "stations[0].controller.host",
                f"{host}, which is the board itself; a name, or",
            )
            for host in ("127.0.0.1", "127.1.2.3", "localhost", "LocalHost", "plc.localhost")
        ],
        (
            {**WIFI, "ntp_hosts": ["localhost"]},
            [station()],
            "board.ntp_hosts",
            "localhost, which is the board itself",
        ),
        ({**WIFI, "lamp": " 2"}, [station()], "board.lamp", "the name without it"),
        (NONE, [station(device="1", rs485="rts")], "stations[0].controller.rs485", "the number of the pin"),
        (NONE, [station(device="1", rs485=" 7")], "stations[0].controller.rs485", "the name without it"),
        *[
            ({**WIFI, "lamp": lamp}, [station()], "board.lamp", "a pin up to 48, or the name")
            for lamp in ("-1", "-0", "1.5", "+5", "5,6", "a b", "49", "99999999")
        ],
        *[
            (NONE, [station(device="1", rs485=pin)], "stations[0].controller.rs485", "a pin up to 48")
            for pin in ("-1", "1.5", "+5", "49", "99999999")
        ],
        *[
            (
                NONE,
                [station(device=device)],
                "stations[0].controller.device",
                "a UART, up to 2, with its pins, up to 48",
            )
            for device in ("-1", "3", "1.5", "99999999", "1:-1,5", "1:4,-5", "1:4,5.5", "1:4,49")
        ],
    ],
)
def test_what_no_board_can_have_is_a_mistake_for_every_command(tmp_path, board, stations, place, words):
    [(found, text)] = mistakes_of(cart_in(tmp_path, board, *stations))
    assert found == place and words in text
    with pytest.raises(config_file.ConfigurationError):
        package.checked_config(tmp_path / "cart.json", "rp2")


def test_what_no_chip_has_is_what_the_chips_have_most_of():
    assert max(pins.HIGHEST.values()) == board_checks.PIN_MOST
    assert max(max(numbers) for numbers in hardware.UARTS.values()) == board_checks.UART_MOST


@pytest.mark.parametrize("lamp", ["", "0", "48", "LED", "GP8", "GPIO8", "3V3_EN"])
def test_a_lamp_may_be_any_pin_or_name_that_some_board_has(tmp_path, lamp):
    assert config_file.read_to_check(cart_in(tmp_path, {**WIFI, "lamp": lamp}, station()))


def test_a_board_finds_neither_a_pim_nor_a_broker_in_itself(tmp_path):
    cart = cart_in(tmp_path, WIFI, station())
    tree = json.loads(cart.read_text())
    tree["toolsnet"] = {"pim_host": "127.0.0.1", "pim_port": 6575, "host_override": "localhost"}
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "mqtt", "host": "localhost", "topic": "t"}]
    cart.write_text(json.dumps(tree))
    places = ["toolsnet.pim_host", "toolsnet.host_override", "stations[0].outlets[1].host"]
    assert [place for place, text in mistakes_of(cart) if "which is the board itself" in text] == places, mistakes_of(
        cart
    )
    del tree["board"]  # on Linux they may be on the same machine
    tree["stations"][0]["spool"]["path"] = "cart.spool"
    cart.write_text(json.dumps(tree))
    assert config_file.read_to_check(cart)


def mistakes_of(cart):
    with pytest.raises(config_file.ConfigurationError) as wrong:
        config_file.read_to_check(cart)
    return told(wrong)


@pytest.mark.parametrize("seed", range(20))
def test_who_takes_the_parts_that_are_named_as_free_is_not_refused_next(tmp_path, seed):
    rng = random.Random(seed)
    sizes = [rng.choice((64, 130, 259, 98)) for _ in range(rng.randint(2, 6))]
    paths = [f"raw@{4 * first}" for first in rng.sample(range(60), len(sizes))]
    for _ in range(2):
        stations = [
            station(number, size, path) for number, (size, path) in enumerate(zip(sizes, paths, strict=True), 1)
        ]
        cart = cart_in(tmp_path, WIFI, *stations)
        try:
            config_file.read_to_check(cart)
            return
        except config_file.ConfigurationError as error:
            for place, _, allowed in error.mistakes:
                paths[int(place[len("stations[")])] = allowed.partition("such as ")[2].partition(":")[0]
    raise AssertionError(paths)


def test_a_board_has_sixteen_stations_at_most(tmp_path):
    stations = [station(number, 64, f"s{number}") for number in range(1, 18)]
    assert config_file.read_to_check(cart_in(tmp_path, WIFI, *stations[:16]))
    cart = cart_in(tmp_path, WIFI, *stations)
    assert mistakes_of(cart) == [("stations", "a list of 17; a list of 1 to 16 stations on a board")]
    with pytest.raises(config_file.ConfigurationError):
        package.checked_config(cart, "esp32")


@pytest.mark.parametrize("size_kib", range(40, 46))
def test_a_spool_too_small_for_the_quarantine_of_a_board_is_a_mistake_for_every_command(tmp_path, size_kib):
    """Linux has another default for the quarantine, and room for it."""
    cart = cart_in(tmp_path, WIFI, station(1, size_kib))
    if size_kib >= 44:
        assert config_file.read_to_check(cart) and package.checked_config(cart, "rp2")
        return
    [(place, text)] = mistakes_of(cart)
    assert place == "stations[0].spool.size_kib" and text.endswith("44 KiB or more")
    with pytest.raises(config_file.ConfigurationError):
        package.checked_config(cart, "rp2")


# -- what the board at hand shows ------------------------------------------------------------------------------------

BOARDS = [
    (W5500, WIFI, [station()], "board.network", "has no wifi"),
    (PICO_W, ETHERNET, [station()], "board.network", "wifi: the firmware of this board"),
    (PICO_2, WIFI, [station()], "board.network", "none: the firmware"),
    (W5500, {**ETHERNET, "ethernet_pins": "reset 40"}, [station()], "board.ethernet_pins", "an RP2040 has"),
    (PICO_2, {**NONE, "lamp": "40"}, [station(device="1")], "board.lamp", "pin that this board has"),
    (PICO, NONE, [station(device="1:6,7")], "stations[0].controller.device", "an RP2040's UART 1: 4, 8, 20"),
    (PICO, NONE, [station(device="0:32,33")], "stations[0].controller.device", "RP2040"),
    (PICO_W, WIFI, [station(size_kib=1024)], "stations[0].spool.size_kib", "has 512 KiB of raw flash"),
    (PICO_W, WIFI, [station(path="raw@480")], "stations[0].spool.size_kib", "at most 32 from 480 KiB on"),
    (PICO_W, WIFI, [station(path="raw@512")], "stations[0].spool.size_kib", "at most 0 from 512 KiB on"),
    (ESP32, NONE, [station(device="1:4,8")], "stations[0].controller.device", "does not serve the flash"),
    (ESP32, NONE, [station(device="1:34,5")], "stations[0].controller.device", "34 of an ESP32 has none"),
    (S3, WIFI, [station(device="1:26,5")], "stations[0].controller.device", "does not serve the flash"),
    (ESP32, NONE, [station(device="1:4,3")], "stations[0].controller.device", "does not serve the console of an ESP32"),
    (ESP32, {**WIFI, "lamp": "1"}, [station()], "board.lamp", "does not serve the console of an ESP32"),
    (ESP32, {**WIFI, "lamp": "35"}, [station()], "board.lamp", "35 of an ESP32 has none"),
    (ESP32, NONE, [station(device="1:4,5", rs485="36")], "stations[0].controller.rs485", "36 of an ESP32 has none"),
    (ESP32, NONE, [station(device="1:24,5")], "stations[0].controller.device", "a pin that an ESP32 has"),
    (S3, WIFI, [station(device="1:23,5")], "stations[0].controller.device", "a pin that an ESP32S3 has"),
    (ESP32, NONE, [station(device="1:45,5")], "stations[0].controller.device", "ESP32 has"),
]


@pytest.mark.parametrize(("about", "board", "stations", "place", "words"), BOARDS)
def test_what_the_board_cannot_do_is_told_before_anything_changes(
    tmp_path, monkeypatch, capsys, about, board, stations, place, words
):
    cart = cart_in(tmp_path, board, *stations)
    tree = package.checked_config(cart, about.platform)
    small = version("one", {"config.json": json.dumps(tree).encode()})
    monkeypatch.setattr(package, "build", lambda *_: small)
    held = FakeBoard(about)
    held.lacking_pins = [pin for pin in range(50) if pin > 29] if "RP2" in about.machine else []
    code = commands.run(lambda port: held, about.platform, "/dev/ttyACM0", str(cart), False, 5, False)
    told = capsys.readouterr().err
    assert code == EXIT_CONFIGURATION and held.files == {} and not held.held
    assert place in told and words in told and "Nothing was changed on the board" in told


@pytest.mark.parametrize(("pin", "adc_pins"), [(40, range(40, 48)), (28, range(26, 30))])
def test_the_supply_is_read_at_a_pin_with_an_adc_of_the_chip_at_hand(tmp_path, monkeypatch, capsys, pin, adc_pins):
    """An RP2350B has its ADC at 40 to 47, an RP2350A at 26 to 29; both call themselves RP2350."""
    cart = cart_in(tmp_path, {**NONE, "supply": f"min_mv 4400, pin {pin}"}, station(device="1"))
    small = version("one", {"config.json": json.dumps(package.checked_config(cart, "rp2")).encode()})
    monkeypatch.setattr(package, "build", lambda *_: small)
    for fits in (True, False):
        held = FakeBoard(PICO_2)
        held.adc_pins = adc_pins if fits else range(0)
        code = commands.run(lambda port, held=held: held, "rp2", "/dev/ttyACM0", str(cart), False, 5, False)
        words = f"found pin {pin}; expected a pin with an ADC of this board's chip"
        assert code == (0 if fits else EXIT_CONFIGURATION) and (words in capsys.readouterr().err) == (not fits)
        assert fits or held.files == {}


@pytest.mark.parametrize(("number", "fits"), [(25, False), (-1, True)])
@pytest.mark.parametrize("lamp", ["LED", ""])
def test_a_lamp_is_the_pin_that_the_board_has_under_its_name(tmp_path, monkeypatch, capsys, lamp, number, fits):
    """A Pico's LED is GPIO25, a Pico W's hangs on the radio."""
    cart = cart_in(tmp_path, {**NONE, "lamp": lamp}, station(device="1:24,25"))
    small = version("one", {"config.json": json.dumps(package.checked_config(cart, "rp2")).encode()})
    monkeypatch.setattr(package, "build", lambda *_: small)
    held = FakeBoard(PICO_2)
    held.named_pins = {"LED": number}
    code = commands.run(lambda port: held, "rp2", "/dev/ttyACM0", str(cart), False, 5, False)
    words = "stations[0].controller.device  found pin 25; expected a pin of its own: board.lamp has this one"
    told = " ".join(capsys.readouterr().err.split())
    assert (code == 0) == fits and (" ".join(words.split()) in told) == (not fits), told
    assert fits or code == EXIT_CONFIGURATION


@pytest.mark.parametrize(
    ("shown", "number"),
    [("Pin(GPIO25, mode=OUT)", 25), ("Pin(EXT_GPIO0, mode=OUT)", -1), ("Pin(2)", 2), ("", -1)],
)
def test_a_pin_s_number_is_read_from_how_its_port_shows_it(shown, number):
    assert hardware.shown_number(shown) == number


@pytest.mark.parametrize(("size_kib", "path", "fits"), [(512, "a", False), (512, "raw", False), (128, "raw", True)])
def test_a_spool_in_files_has_room_beside_the_versions(tmp_path, monkeypatch, capsys, size_kib, path, fits):
    cart = cart_in(tmp_path, WIFI, station(1, size_kib, path))
    small = version("one", {"config.json": json.dumps(package.checked_config(cart, "rp2")).encode()})
    monkeypatch.setattr(package, "build", lambda *_: small)
    held = FakeBoard(STOCK)
    code = commands.run(lambda port: held, "rp2", "/dev/ttyACM0", str(cart), False, 5, False)
    told = capsys.readouterr().err
    assert (code == 0) == fits and ("are to take 512 KiB more" in told) == (not fits)
    assert fits or (code, held.files) == (commands.EXIT_BOARD, {})


def test_what_a_spool_in_files_has_already_is_not_asked_for_again(tmp_path, monkeypatch):
    cart = cart_in(tmp_path, WIFI, station(1, 256, "a"))
    small = version("one", {"config.json": json.dumps(package.checked_config(cart, "rp2")).encode()})
    monkeypatch.setattr(package, "build", lambda *_: small)
    held = FakeBoard(STOCK)
    held.files = {f"/spool/a/{block:04}": bytes(4096) for block in range(40)}
    assert commands.run(lambda port: held, "rp2", "/dev/ttyACM0", str(cart), False, 5, False) == 0


# -- what only a start shows -----------------------------------------------------------------------------------------


def chip_tree(folder, board, *stations, platform="rp2"):
    return package.checked_config(cart_in(folder, board, *stations), platform)


def started(board_module, tree):
    """A board whose agent has opened what it has; a start on trial fails with what it lacks."""
    board = board_module.Board(tree)
    app = App(tree, board)
    app.step(board.now())
    return board


def raw_flash():
    """128 KiB of it."""
    return fake_chip.driven("rp2", 32)[0]


@pytest.fixture
def chip(monkeypatch, tmp_path):
    with fake_chip.installed("rp2"):
        from toolcart.board import folder_flash
        from toolcart.board.rp2 import board as rp2

        monkeypatch.setattr(folder_flash, "FOLDER", str(tmp_path / "spool"))
        yield rp2


def test_a_board_with_all_that_is_named_lacks_nothing(chip, tmp_path, monkeypatch):
    ring = raw_flash()
    monkeypatch.setattr(chip.rp2_flash, "ring", lambda: ring)
    tree = chip_tree(tmp_path, NONE, station(device="1"), station(2, 64, "raw@64", device="0"))
    assert not started(chip, tree).lacks


def test_a_board_names_everything_that_it_lacks(chip, tmp_path, monkeypatch):
    import machine

    def refuses(number, **settings):
        raise ValueError(f"UART({number}) doesn't exist")

    for name in ("RTS", "CTS", "INV_TX", "INV_RX"):
        setattr(refuses, name, 0)
    ring = raw_flash()
    monkeypatch.setattr(chip.rp2_flash, "ring", lambda: ring)
    monkeypatch.setattr(machine, "UART", refuses)
    tree = chip_tree(tmp_path, NONE, station(device="1"), station(2, 64, "raw@128", device="0"))
    tree["board"]["lamp"] = "no such pin"
    board = started(chip, tree)
    assert board.lacks
    assert board.messages == [
        "no lamp: unknown named pin",
        "UART 1: this chip has none of this number, or not at these pins",
        "UART 0: this chip has none of this number, or not at these pins",
        "raw: raw flash, 64 of 128 KiB",
        "raw@128: 64 KiB from 128 on do not fit the 128 KiB of raw flash",
    ]


@pytest.mark.parametrize("device", ["1", "01", "1:8,9"])
def test_a_board_gives_no_uart_to_two_stations(chip, tmp_path, device):
    tree = chip_tree(tmp_path, NONE, station(1, 64, "a", device="1"), station(2, 64, "b", device="0"))
    tree["stations"][1]["controller"]["device"] = device  # as a version before let it through
    board = chip.Board(tree)
    app = App(tree, board)
    first, second = (one.controller_port for one in app.stations)
    for port, one in ((first, app.stations[0]), (second, app.stations[1])):
        port.open(one.settings["controller"]["device"], 9600)
    assert board.lacks and f"UART {device}: another station has it" in board.messages
    assert (first.state(), second.state(), second.why) == (PORT_OPEN, PORT_CLOSED, WHY_NO_DEVICE)


def test_a_board_gives_no_part_of_its_raw_flash_twice(chip, tmp_path, monkeypatch):
    """Where no command checked it: a configuration of a version before."""
    ring = raw_flash()
    monkeypatch.setattr(chip.rp2_flash, "ring", lambda: ring)
    board = chip.Board(chip_tree(tmp_path, WIFI, station()))
    assert board.flash({"path": "raw", "size_kib": 64}) is not None
    for path in ("raw@32", "raw@0", "raw@60", "raw@63"):
        for _ in range(2):
            assert board.flash({"path": path, "size_kib": 64}) is None
        [message] = [message for message in board.messages if message.startswith(path + ":")]
        assert "some belong to raw, which has 0 to 64" in message
    assert board.flash({"path": "raw@64", "size_kib": 64}) is not None
    assert board.lacks


def test_a_board_gives_no_folder_twice_however_it_is_spelled(chip, tmp_path):
    """Two stations that share one lose what both have acknowledged."""
    board = chip.Board(chip_tree(tmp_path, WIFI, station()))
    first = {"path": "a", "size_kib": 64, "owner": (3, 1, 1)}
    device = board.flash(first)
    assert device is not None and board.flash(first) is device  # a mount that failed is tried again
    root = f"{tmp_path}/spool"
    for path in ("a", "./a", "A", "b/../a", "a/", "a//", f"{root}/a", f"{root}//./a", "a/b", ".", "x/.."):
        for _ in range(2):
            assert board.flash({"path": path, "size_kib": 64, "owner": (3, 1, 2)}) is None
        assert f"{path}: shares its folder with the spool a of another station" in board.messages
    assert board.lacks
    assert board.flash({"path": "ab", "size_kib": 64, "owner": (3, 1, 3)}) is not None


def test_a_station_whose_folder_another_has_stores_nothing_and_lights_the_lamp(chip, tmp_path):
    tree = chip_tree(tmp_path, WIFI, station(1, 64, "a"), station(2, 64, "b"))
    tree["stations"][1]["spool"]["path"] = "./a"  # as a version before let it through
    for one in tree["stations"]:  # CPython asks for what a chip has not
        one["spool"]["graphs_kib"] = 0
        one["controller"].update(events=None, traces=None, commands=None)
    tree["toolsnet"].update(events=None, extras=None)
    board = chip.Board(tree)
    app = App(tree, board)
    for _ in range(4):
        app.step(board.now() + 1000)
    assert [station.mounted for station in app.stations] == [True, False]
    assert led.code_of(app.stations, True) == 6


def test_a_spool_of_files_that_its_file_system_cannot_hold_fails_a_trial(chip, tmp_path, monkeypatch):
    import os

    free_blocks = 40
    monkeypatch.setattr(os, "statvfs", lambda path: (4096, 4096, 64, free_blocks))
    board = chip.Board(chip_tree(tmp_path, WIFI, station(1, 64, "b")))
    for path, size_kib, fits in (("a", 128, True), ("b", 512, False)):
        assert board.flash({"path": path, "size_kib": size_kib}) is not None  # a confirmed version still runs
        assert board.lacks != fits
    free_blocks = -3  # as littlefs may count where it is full
    assert board.flash({"path": "c", "size_kib": 64}) is not None
    refused = [message for message in board.messages if "have room" in message]
    assert refused == [
        f"{tmp_path}/spool/b: 512 KiB are to lie in files, where 160 have room",
        f"{tmp_path}/spool/c: 64 KiB are to lie in files, where 0 have room",
    ]


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("spool", 0, "a file lies where this folder, or one above it, is to be: remove that"),
        ("spool/a", 0, "a file lies where this folder, or one above it, is to be: remove that"),
        ("", errno.ENOSPC, "the file system is full"),
        ("", errno.EIO, "no folder can be there: "),
    ],
)
def test_a_folder_that_cannot_be_had_is_refused_in_words(chip, tmp_path, monkeypatch, name, number, words):
    import os

    def refuse(path):
        raise OSError(number, "")

    if name:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    else:
        monkeypatch.setattr(os, "listdir", refuse)
    board = chip.Board(chip_tree(tmp_path, WIFI, station(1, 64, "a")))
    assert board.flash({"path": "a", "size_kib": 64}) is None
    assert board.lacks and f"{tmp_path}/spool/a: {words}" in "; ".join(board.messages)
