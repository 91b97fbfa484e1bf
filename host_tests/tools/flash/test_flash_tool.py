"""`toolcart flash` leaves a board that runs, whatever is cut when; it sends only what changed, and tells no secret."""

import ast
import json
import types
from dataclasses import replace

import pytest

from toolcart.base import private_files
from toolcart.base.exit_codes import EXIT_CONFIGURATION
from toolcart.board import main, safe_mode
from toolcart.tools.config import file as config_file
from toolcart.tools.flash import commands, install, package, plan
from toolcart.tools.flash.link import About, BoardError, BoardGone, console_line
from toolcart.tools.flash.mpremote_link import ABOUT, open_error
from host_tests.support.combinations import each_choice
from host_tests.support.running import toolcart, written
from host_tests.tools.flash.fake_board import PICO, FakeBoard, version

SECRET = "geheim-4711"
CART = {
    "toolsnet": {"pim_host": "192.0.2.20", "pim_port": 6575},
    "board": {"network": "wifi", "ssid": "Plant", "password": {"file": "wifi.password"}},
    "stations": [{"number": 1, "controller": {"host": "192.0.2.10"}, "spool": {"path": "raw"}}],
}


def silent(_):
    pass


def installed(board, wanted, *packages):
    """Bring a version onto the board up to the switch; the plan."""
    planned = plan.make(board, board.hold(), wanted)
    install.install(board, planned, silent, packages)
    return planned


def on_trial(board, wanted):
    """Bring a version onto the board and switch to it; nobody waits."""
    install.switch(board, installed(board, wanted))


def flashed(board, wanted):
    """Bring a version onto the board the whole way; whether it became healthy."""
    on_trial(board, wanted)
    return install.wait_healthy(board, wanted.digest, silent)


def board_with(*words):
    board = FakeBoard()
    for word in words:
        assert flashed(board, version(word))
    return board


def cart_in(folder):
    """The file of a cart, and its password's beside it."""
    private_files.put(folder / "wifi.password", SECRET + "\n")
    return written(folder, CART)


@pytest.fixture
def cart(tmp_path):
    return cart_in(tmp_path)


def run(board, cart, dry_run=False, platform="rp2"):
    return commands.run(lambda port: board, platform, "/dev/ttyACM0", str(cart), dry_run, 5, False)


@pytest.fixture
def small(monkeypatch):
    """A version of three files in place of the compiled one."""
    made = {"version": version("one")}
    monkeypatch.setattr(package, "build", lambda *_: made["version"])
    return made


# -- the way through -----------------------------------------------------------------------------------------------


def test_an_erased_board_runs_the_version_after_flashing():
    board = board_with("one")
    assert board.ran[-1] == version("one").digest
    assert safe_mode.parsed(board.files[safe_mode.STATE_FILE].decode()).confirmed == "a"


def test_second_version_goes_into_the_other_folder_and_the_first_stays():
    board = board_with("one", "two")
    assert board.whole("a") == version("one").digest
    assert board.whole("b") == version("two").digest
    assert board.boot() == version("two").digest


def test_only_what_changed_goes_through_the_cable():
    board = board_with("one")
    board.sent = 0
    assert flashed(board, version("two"))
    changed = len(version("two").files["toolcart/agent/app.mpy"])
    overhead = len(version("two").manifest()) + 3 * 20  # version.json and the lines of state
    assert changed <= board.sent <= changed + overhead


def test_what_the_free_folder_has_already_is_kept():
    board = board_with("one", "two")
    planned = plan.make(board, board.hold(), version("one"))
    assert {step.kind for step in planned.steps} == {plan.KEEP}


def test_files_of_no_version_are_removed():
    board = board_with("one", "two")
    board.files["/a/toolcart/agent/gone.mpy"] = b"old"
    assert flashed(board, version("three"))
    assert "/a/toolcart/agent/gone.mpy" not in board.files


def test_what_firmware_carries_itself_goes_out_of_the_root_last_of_all():
    small = version("two")
    start = {path: octets for path, octets in small.root.items() if path != package.SAFE_MODE}
    wanted = replace(small, root=start)
    operations = operations_of(lambda: board_with("one"), wanted)
    gone = []
    for cut in range(1, operations + 1):
        board = board_with("one")
        board.operations = 0
        board.cut_after = cut
        with pytest.raises(BoardGone):
            flashed(board, wanted)
        board.power_on()
        if package.SAFE_MODE not in board.files:
            gone.append(cut)
            assert all(board.files.get(path) == octets for path, octets in start.items())
        assert flashed(board, wanted) and package.SAFE_MODE not in board.files
    assert gone and gone == list(range(gone[0], operations + 1))
    assert plan.make(board, board.hold(), wanted).is_there()
    board.files[package.SAFE_MODE] = b"of an older one"
    assert not plan.make(board, board.hold(), wanted).is_there()


def test_a_file_that_arrives_damaged_is_sent_again():
    board = FakeBoard()
    board.corrupts = 2
    assert flashed(board, version("one"))
    assert board.whole("a") == version("one").digest


def test_a_flash_that_keeps_damaging_files_leaves_what_ran():
    board = board_with("one")
    board.corrupts = 100
    with pytest.raises(commands.BoardError, match="differ on the board"):
        installed(board, version("two"))
    assert board.boot() == version("one").digest


def test_packages_are_installed_before_the_version_is_switched_to():
    board = FakeBoard()
    installed(board, version("one"), "umqtt.simple")
    assert board.packages == ["umqtt.simple"]


def test_a_main_of_somebody_else_is_kept_beside():
    board = FakeBoard()
    board.files["/main.py"] = b"import mine\n"
    assert flashed(board, version("one"))
    assert board.files["/main.py.before"] == b"import mine\n"


# -- power cuts ----------------------------------------------------------------------------------------------------


def operations_of(make_board, wanted):
    board = make_board()
    board.operations = 0
    assert flashed(board, wanted)
    return board.operations


@pytest.mark.parametrize(("words", "cut_before"), each_choice([(), ("one",), ("one", "two")], [True, False]))
def test_a_cut_at_any_operation_leaves_a_whole_version_or_none(words, cut_before):
    wanted = version("three")
    before = version(words[-1]).digest if words else None
    for cut in range(1, operations_of(lambda: board_with(*words), wanted) + 1):
        board = board_with(*words)
        board.operations = 0
        board.cut_before = cut_before
        board.cut_after = cut
        with pytest.raises(BoardGone):
            flashed(board, wanted)
        board.power_on()
        assert board.boot() in (before, wanted.digest), f"cut at operation {cut}"
        assert flashed(board, wanted), f"cut at operation {cut}"
        assert board.boot() == wanted.digest


@pytest.mark.long("a cut at each operation of a trial")
def test_cut_while_a_version_is_on_trial_never_loses_the_confirmed_one():
    wanted = version("three")
    for cut in range(1, 60):
        board = board_with("one")
        board.ill.add(version("two").digest)
        on_trial(board, version("two"))
        board.hold()
        board.operations = 0
        board.cut_after = cut
        try:
            flashed(board, wanted)
        except BoardGone:
            board.power_on()
            starts = [board.boot() for _ in range(safe_mode.TRIES + 1)]
            assert starts[-1] in (version("one").digest, wanted.digest), f"cut at operation {cut}"


def test_state_that_was_lost_is_guessed_from_the_whole_folders():
    board = board_with("one", "two")
    del board.files[safe_mode.STATE_FILE]
    assert board.boot() in (version("one").digest, version("two").digest)
    assert flashed(board, version("three"))


# -- going back ----------------------------------------------------------------------------------------------------


def test_a_version_that_is_not_healthy_is_taken_back(cart, small):
    board = board_with("one")
    small["version"] = version("two")
    board.ill.add(version("two").digest)
    assert run(board, cart) == commands.EXIT_ROLLED_BACK
    assert board.ran[-1] == version("one").digest
    assert safe_mode.parsed(board.files[safe_mode.STATE_FILE].decode()).rejected == "b"


def test_a_version_that_crashes_is_taken_back_by_the_board_alone():
    board = board_with("one")
    board.crashing.add(version("two").digest)
    on_trial(board, version("two"))
    starts = [board.boot() for _ in range(safe_mode.TRIES)]
    assert starts[-1] == version("one").digest
    assert starts[:-1] == [version("two").digest] * (safe_mode.TRIES - 1)


def test_what_the_failed_start_raised_is_reported(cart, small, capsys):
    board = board_with("one")
    small["version"] = version("two")
    board.crashing.add(version("two").digest)
    assert run(board, cart) == commands.EXIT_ROLLED_BACK
    errors = capsys.readouterr().err
    assert "RuntimeError: it cannot" in errors
    assert f"version {version('one').digest} runs again" in errors


def test_first_version_that_fails_gives_a_foreign_main_back(cart, small):
    board = FakeBoard()
    board.files["/main.py"] = b"import mine\n"
    board.ill.add(version("one").digest)
    assert run(board, cart) == commands.EXIT_ROLLED_BACK
    assert board.files["/main.py"] == b"import mine\n"


# -- what a person sees --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (About("esp32", "Generic ESP32", (1, 25, 0), 6, "xtensawin", 300000, 4096, ""), "not rp2"),
        (replace(PICO, heap_bytes=114688), "could not start"),
        (
            replace(PICO, heap_bytes=114688, frozen="0123456789abcdef"),
            "the agent of another version in it (0123456789a",
        ),
        (replace(PICO, free_bytes=8192), "too few for the new version. Nothing was changed"),  # none runs there
    ],
)
def test_a_board_that_cannot_take_it_is_refused_before_anything_changes(cart, small, capsys, about, words):
    board = FakeBoard(about)
    assert run(board, cart) == commands.EXIT_BOARD
    assert words in capsys.readouterr().err
    assert board.files == {}


def test_a_refused_board_that_is_pulled_out_then_is_reported_as_refused(cart, small, capsys):
    board = FakeBoard(replace(PICO, free_bytes=8192))
    board.restart = board._die
    assert run(board, cart) == commands.EXIT_BOARD
    errors = capsys.readouterr().err
    assert "too few for the new version" in errors and "went away" not in errors and not board.held


def test_a_board_has_no_room_and_never_less():
    reported = []
    told = types.SimpleNamespace(name="micropython", _machine="Pico", version=(1, 25, 0, ""), _mpy=6)
    names = {
        "sys": types.SimpleNamespace(platform="rp2", implementation=told),
        "os": types.SimpleNamespace(statvfs=lambda path: (4096, 4096, 64, -3)),
        "gc": types.SimpleNamespace(mem_alloc=lambda: 0, mem_free=lambda: 0),
        "print": lambda text: reported.extend(ast.literal_eval(text)),
    }
    exec(ABOUT, names)
    assert reported[:4] == ["rp2", "micropython", "Pico", (1, 25, 0)] and reported[5:7] == [0, 4096]


@pytest.mark.parametrize(
    "about",
    [
        About("rp2", "Pico", (1, 22, 1), 6, "armv6m", 300000, 4096, ""),
        About("rp2", "Pico", (1, 40, 0), 7, "armv6m", 300000, 4096, ""),
        About("rp2", "Pico", (1, 25, 0), 6, "armv6m", 0, 0, ""),  # what statvfs says where nothing is mounted
    ],
)
def test_a_firmware_that_cannot_run_it_is_refused(about):
    with pytest.raises(BoardError):
        plan.check_board(about, "rp2")


def kib(size: int) -> int:
    """Return how many KiB hold this many bytes."""
    return -(-size // 1024)


@pytest.mark.parametrize(
    ("heap_bytes", "is_frozen", "words"),
    [
        (114688, False, f"112 KiB of heap, and the agent as copied files needs {kib(plan.COPIED_HEAP_BYTES)} KiB"),
        (32768, True, f"32 KiB of heap, the agent needs {kib(plan.FROZEN_HEAP_BYTES)} KiB"),
        (416000, False, ""),
        (114688, True, ""),
        (0, False, ""),  # it does not say
    ],
)
def test_what_cannot_start_in_the_heap_there_is_refused_with_the_figure(heap_bytes, is_frozen, words):
    about = replace(PICO, heap_bytes=heap_bytes)
    made = version("one")
    if is_frozen:
        made = replace(made, root={name: made.root[name] for name in made.root if name != package.SAFE_MODE})
    assert made.is_frozen == is_frozen
    if not words:
        plan.check_heap(about, made)
        return
    with pytest.raises(BoardError, match=words) as refused:
        plan.check_heap(about, made)
    assert "Nothing was changed" in str(refused.value)


def test_board_that_fills_up_in_the_middle_goes_on_with_what_ran(cart, small, capsys):
    board = board_with("one")
    small["version"] = version("two", files={"toolcart/agent/large.mpy": b"x" * 9000})
    board.room = sum(map(len, board.files.values())) + 2000
    assert run(board, cart) == commands.EXIT_BOARD
    assert "filled up" in capsys.readouterr().err
    assert board.ran[-1] == version("one").digest


def test_a_board_that_is_pulled_out_says_what_is_left(cart, small, capsys):
    board = board_with("one")
    small["version"] = version("two")
    board.operations = 0
    board.cut_after = 5
    assert run(board, cart) == commands.EXIT_GONE
    errors = capsys.readouterr().err
    assert "went away" in errors and f"Version {version('one').digest}, which ran before, is whole on it" in errors
    board.power_on()
    assert board.boot() == version("one").digest


@pytest.mark.parametrize("cut_after", [1, 5, 12])
def test_a_first_flash_that_is_cut_claims_no_version_before(cart, small, capsys, cut_after):
    board = FakeBoard()
    small["version"] = version("one")
    board.cut_after = cut_after
    assert run(board, cart) == commands.EXIT_GONE
    errors = capsys.readouterr().err
    assert "No version was confirmed on it before" in errors and "ran before" not in errors


def test_a_board_that_goes_before_anything_was_written_is_said_to_be_unchanged(cart, small, capsys):
    board = board_with("one")
    board.missing_pins = lambda numbers: board._die()
    assert run(board, cart) == commands.EXIT_GONE
    assert "Nothing was changed on it" in capsys.readouterr().err


def test_dry_run_changes_nothing_and_shows_sizes(cart, small, capsys):
    board = board_with("one")
    small["version"] = version("two")
    files = dict(board.files)
    assert run(board, cart, dry_run=True) == 0
    errors = capsys.readouterr().err
    assert "through the cable" in errors and "/b/toolcart/agent/app.mpy" in errors
    assert {name for name in board.files if name.startswith(("/b", "/a"))} == {
        name for name in files if name.startswith(("/b", "/a"))
    }
    assert board.ran[-1] == version("one").digest


def test_the_same_version_again_is_nothing_to_do(cart, small, capsys):
    board = board_with("one")
    board.sent = 0
    assert run(board, cart) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert board.sent == 0


def test_no_output_shows_the_password(cart, small, capsys):
    for prepare in (lambda b: None, lambda b: b.ill.add(version("one").digest), lambda b: setattr(b, "cut_after", 9)):
        board = FakeBoard()
        prepare(board)
        run(board, cart, dry_run=False)
        board.power_on()
        run(board, cart, dry_run=True)
        output = capsys.readouterr()
        assert SECRET not in output.out + output.err


def checked(folder, platform="rp2", toolsnet=(), board=(("network", "ethernet"),), **station):
    """What a chip gets of CART with these settings."""
    tree = {**CART, "toolsnet": {**CART["toolsnet"], **dict(toolsnet)}, "board": dict(board)}
    tree["stations"] = [{**CART["stations"][0], **station}]
    return package.checked_config(written(folder, tree), platform)


def mistakes_of(folder, *arguments, **parts):
    with pytest.raises(config_file.ConfigurationError) as wrong:
        checked(folder, *arguments, **parts)
    return {place: f"{value}, {allowed}" for place, value, allowed in wrong.value.mistakes}


def test_a_wrong_configuration_is_reported_before_the_board_is_touched(tmp_path, capsys):
    path = written(tmp_path, {**CART, "board": {"network": "wifi", "ssid": "", "address": "10.0.0.5"}})
    board = FakeBoard()
    assert run(board, path) == EXIT_CONFIGURATION
    assert "board.ssid" in capsys.readouterr().err
    assert not board.held and board.files == {}


ADDRESS = {"network": "ethernet", "address": "10.0.0.5/24"}
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.mark.parametrize(
    ("board", "key", "words"),
    [
        ({}, "network", ""),
        *[
            ({**ADDRESS, "address": f"10.0.0.5/24, {key} {name}"}, "address", f"an IPv4 address for {key}")
            for key in ("gateway", "dns")
            for name in ("router", "10.0.0.256", "10.0.0.1:53")
        ],
        *[({**ADDRESS, "address": text}, "address", "prefix") for text in ("10.0.0.5", "10.0.0.5/33", "x/24", "a b c")],
        ({**ADDRESS, "address": "gateway 10.0.0.1"}, "address", "a gateway with a fixed address"),
        ({**ADDRESS, "address": "dns 10.0.0.1, dns 10.0.0.2"}, "address", "such as"),
        ({"network": "ethernet", "ethernet_pins": "cs 99"}, "ethernet_pins", "up to 47"),
        ({"network": "ethernet", "time_zone": "CET-1CEST"}, "time_zone", "POSIX TZ"),
    ],
)
def test_what_chip_cannot_have_of_its_board_is_refused_by_the_setting(tmp_path, board, key, words):
    assert words in mistakes_of(tmp_path, board=board)[f"board.{key}"]


def test_no_network_is_a_choice_where_all_lines_are_serial(tmp_path):
    serial, none = {"link": "ascii", "device": "1"}, {"network": "none"}
    assert "results then stay on the board" in mistakes_of(tmp_path, board={}, controller=serial)["board.network"]
    assert "reached over TCP" in mistakes_of(tmp_path, board=none)["board.network"]
    assert checked(tmp_path, board=none, controller=serial)["board"]["network"] == "none"


@pytest.mark.parametrize(
    ("board", "key", "expected"),
    [
        (ADDRESS, "address", ["10.0.0.5", "255.255.255.0", "0.0.0.0", "0.0.0.0"]),
        (
            {**ADDRESS, "address": "10.0.0.5/23, dns 10.0.0.2, gateway 10.0.0.1"},
            "address",
            ["10.0.0.5", "255.255.254.0", "10.0.0.1", "10.0.0.2"],
        ),
        (
            {**ADDRESS, "address": "10.0.0.5/24, gateway 10.0.0.1"},
            "address",
            ["10.0.0.5", "255.255.255.0", "10.0.0.1", "10.0.0.1"],
        ),
        ({**ADDRESS, "address": "dns 10.0.0.2"}, "address", ["", "", "", "10.0.0.2"]),
        ({**ADDRESS, "address": ""}, "address", []),
        ({"network": "ethernet", "ethernet_pins": "cs 13"}, "ethernet_pins", [18, 19, 16, 13, 20, 21]),
        ({"network": "wifi", "ssid": "x", "ethernet_pins": ""}, "ethernet_pins", []),
        ({"network": "ethernet", "time_zone": BERLIN}, "time_zone", BERLIN),
    ],
)
def test_what_a_chip_can_have_of_its_board_reaches_it(tmp_path, board, key, expected):
    assert checked(tmp_path, board=board)["board"][key] == expected


@pytest.mark.parametrize(
    ("platform", "line", "key", "words"),
    [
        ("rp2", {"device": "/dev/ttyUSB0"}, "device", "number of a UART"),
        ("rp2", {"rs485": "rts"}, "rs485", "number of the pin"),
        ("esp32", {"flow": "rts_cts"}, "device", "four pins"),
        ("rp2", {"flow": "rts_cts", "rs485": "22"}, "rs485", "flow is rts_cts"),
        ("rp2", {"flow": "rts_cts"}, "", ""),
        ("esp32", {"flow": "rts_cts", "device": "1:13,14,32,33", "invert": True}, "", ""),
    ],
)
def test_a_line_that_the_chip_cannot_have_is_refused(tmp_path, platform, line, key, words):
    controller = {"link": "ascii", "device": "1", **line}
    if key:
        assert words in mistakes_of(tmp_path, platform, controller=controller)[f"stations[0].controller.{key}"]
    else:
        checked(tmp_path, platform, controller=controller)


def test_what_only_linux_does_is_refused_for_chip_by_setting_s_name(tmp_path):
    for name, wish in {"events": ["alarms"], "extras": ["targets"]}.items():
        assert f"toolsnet.{name}" in mistakes_of(tmp_path, toolsnet={name: wish})
    curves = {"controller": {"host": "10.0.0.2", "traces": ["torque"]}, "spool": {"path": "raw", "graphs_kib": 48}}
    assert "stations[0].controller.traces" in mistakes_of(tmp_path, **curves)


def test_a_chip_s_configuration_is_completed_with_a_chip_s_defaults(tmp_path):
    configuration = checked(tmp_path)
    spool = configuration["stations"][0]["spool"]
    assert configuration["completed"] and (spool["size_kib"], spool["parked_kib"]) == (1024, 16)
    assert (
        configuration["stations"][0]["controller"]["buffer_bytes"] == 1024 and configuration["board"]["address"] == []
    )
    assert (
        "baud" not in configuration["stations"][0]["controller"]
        and "traces" not in configuration["stations"][0]["controller"]
    )


def test_a_configuration_that_was_not_made_for_a_chip_is_refused_there(tmp_path):
    path = tmp_path / "config.json"
    with pytest.raises(OSError, match=r"config.json: cannot be read .*`toolcart flash` writes it anew"):
        main.load(str(path))
    path.write_text(json.dumps(CART))
    with pytest.raises(ValueError, match="toolcart flash"):
        main.load(str(path))
    path.write_text(json.dumps(package.completed({**CART, "board": {"network": "ethernet"}})))
    assert main.load(str(path))["toolsnet"]["pim_port"] == CART["toolsnet"]["pim_port"]


def test_help_names_every_option():
    output = toolcart("flash", "--help").output
    for option in ("--board", "--port", "--config", "--dry-run", "--wait", "--json"):
        assert option in output


# -- the parts -----------------------------------------------------------------------------------------------------


def test_lines_of_the_console_are_distinguished_from_everything_else():
    assert console_line('toolcart{"healthy": true}') == {"healthy": True}
    assert console_line('\x00toolcart{"a": 1}') == {"a": 1}
    assert console_line("toolcart: running /a") is None
    assert console_line('toolcart{"a": ') is None


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OSError(2, "No such file"), "is not there"),
        (OSError(16, "Device or resource busy"), "in use"),
        (OSError(13, "Permission denied"), "dialout"),
    ],
)
def test_reasons_why_a_port_does_not_open_are_told_apart(error, word):
    assert word in str(open_error("/dev/ttyACM0", error))
