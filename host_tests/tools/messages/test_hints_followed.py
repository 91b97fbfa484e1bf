"""Every command that a message names is typed as the message has it, in the situation that makes the message.

Rules
1. A message is a text of the program that is no docstring, and no help of a command. Those that name a command are
   found in the source; a message that no test here follows fails `test_every_message_that_names_a_command_is_followed`.
2. A test that follows one returns what the program said; the message has to be in it.
3. What only a board can say is followed by the tests named in BOARDS, in front of a simulated one.
"""

import ast
import functools
import json
import re
import shlex
import socket
import sys
import urllib.error
import urllib.request
from types import SimpleNamespace

import click
import pytest

from toolcart.agent.openprotocol import session_states
from toolcart.agent.station.commands import Commands
from toolcart.tools.cli import manual
from toolcart.tools.cli.main import main
from toolcart.tools.demo import faults
from toolcart.tools.doctor import commands as doctor
from toolcart.tools.doctor import controller as doctor_controller
from toolcart.tools.flash import image
from toolcart.tools.messages import attention, commands, log_entries, reasons
from toolcart.tools.messages import status as status_words
from toolcart.tools.spool import commands as spool_commands
from toolcart.tools.status import client
from toolcart.tools.web import page
from host_tests.support.running import free_port, running, toolcart
from host_tests.tools.messages.test_hints import cart_with_refused, lived, sources
from lab.cache import CHECKOUT
from lab.packaging import debian, message_table

_NAMES = re.compile(r"\btoolcart ([a-z][a-z-]+)\b")
FOLLOWED = set()  # pieces of messages

# Only a board is the reason of these: what they name is typed where no board is, and says so. With a simulated one:
# host_tests/tools/flash/test_board_commands.py, test_flash_tool.py.
_FLASH = "flash --board rp2 --port /dev/none --config {chip}"
BOARDS = {
    "not as `toolcart flash` writes it": _FLASH,
    "there is no version that ever ran. `toolcart flash` installs one": _FLASH,
    "is a version installed? `toolcart flash` does that": _FLASH,
    "`toolcart board status --hold` tells what failed": "board status --hold --port /dev/none",
    "Nothing was stopped. `toolcart board status --hold` stops": "board status --hold --port /dev/none",
    "has not reported itself healthy yet; see `toolcart board status`": "board status --port /dev/none",
    "`toolcart board status` lists the files": "board status --port /dev/none",
    "`toolcart board spool` reads them": "board spool --port /dev/none --station 10",
}
# What no test here follows, and why.
SPEAKS = "says who speaks; no one is to type it"
OTHER = "no command of ours is meant: the word is the program's name"
DOCUMENT = "a document: host_tests/project/test_documents.py types its commands"
POSTGRESQL = "only on PostgreSQL: host_tests/archive/test_archive_several.py types it there"
NAMED = {
    "toolcart archive: ": SPEAKS,
    'realm="toolcart archive"': SPEAKS,
    "ToolsNet is `toolcart archive`": SPEAKS,
    "simulated ToolsNet: `toolcart archive`": SPEAKS,
    "the toolcart command is not on the path": OTHER,
    "# Configuration": DOCUMENT,
    "## Secrets": DOCUMENT,
    "`toolcart archive serve --role server`": POSTGRESQL,
    "`toolcart archive servers` lists them": POSTGRESQL,
    "`toolcart archive serve` brings it up to date": "host_tests/archive/test_archive_exports.py makes an earlier one",
    "KiB are enough: `toolcart image` makes one": "builds for minutes: host_tests/lab/images/test_image.py types it",
}


def follows(*pieces):
    """Mark a test as the one that follows the messages with these pieces; the test returns what was said."""
    FOLLOWED.update(pieces)

    def keep(test):
        @functools.wraps(test)
        def checked(*given, **named):
            said = test(*given, **named)
            for piece in pieces:
                assert piece in said, piece

        return checked

    return keep


def messages():
    """Every text of the program that names one of its commands and is neither docstring nor help, with its place."""
    names = main.list_commands(click.Context(main))
    for path, tree in sources("toolcart", "lab"):
        if any(
            path.is_relative_to(CHECKOUT / one) for one in ("lab/bench", "lab/packaging/pictures.py")
        ):  # of a checkout alone
            continue
        silent = {id(one) for node in ast.walk(tree) for one in _not_said(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
                if any(word in names for word in _NAMES.findall(node.value)):
                    yield f"{path.relative_to(CHECKOUT)}:{node.lineno}", node.value


def _not_said(node):
    """Docstrings, and what options say in --help (host_tests/project/test_documents.py runs those)."""
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
        if isinstance(node.body[0], ast.Expr):
            yield node.body[0].value
    elif isinstance(node, ast.keyword) and node.arg == "help":
        yield from ast.walk(node.value)


def test_every_message_that_names_a_command_is_followed():
    found = list(messages())
    known = [*FOLLOWED, *BOARDS, *NAMED]
    assert len(found) > 40
    assert not [(where, text) for where, text in found if not any(piece in text for piece in known)]
    assert not [piece for piece in known if not any(piece in text for _, text in found)], "no message has these"


@pytest.mark.parametrize("piece", BOARDS)
def test_what_is_said_of_a_board_is_taken_where_none_is(piece, tmp_path):
    chip = tmp_path / "chip.json"
    new(chip, "ethernet")
    line = BOARDS[piece].format(chip=chip)
    assert line.startswith(re.search(r"`toolcart ([^`]*)`", piece)[1])
    assert "/dev/none is not there" in said_by(line, code=3)


def said_by(line, *more, code=0):
    """What a command says, typed as it was named and with more words; code as for toolcart."""
    return toolcart(*shlex.split(line), *more, code=code).output


def type_it(said, name, *more, code=0, **places):
    """Type the first command of this name that was said, places such as FILE filled in; what it says."""
    found = next(one for one in re.findall(rf"toolcart ({re.escape(name)}[^`\n;]*)", said))
    return toolcart(*(places.get(word, word) for word in shlex.split(found)), *more, code=code).output


def new(place, machine, *, at="h", pim="h:1"):
    """What `config new` says after it wrote a configuration."""
    return said_by(f"config new --name A --controller {at} --pim {pim} --system 1 --station 1 --on {machine}", place)


def installed(command, root):
    """The folder in which the service is, once this command has put it there."""
    said_by(command, "--take-spools", "--root", root)
    return root


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A folder with a space in its name, with a spool that holds refused results and its configuration."""
    monkeypatch.chdir(tmp_path)
    return cart_with_refused(tmp_path)


@pytest.fixture
def cart(old):
    """The same, after an agent has run on it."""
    lived(old)
    return old


def lived_badly(config):
    """What the agent says that cannot use its spool."""
    return said_by("run --plain --seconds 1 --config", config, code=3)


# -- spools --------------------------------------------------------------------------------------------------------


@follows("toolcart spool rescue ")
def test_a_spool_that_was_cut_short_is_rescued(cart):
    spool = cart.parent / "cart.spool"
    spool.write_bytes(spool.read_bytes()[:200000])
    said = lived_badly(cart)
    assert "WVWZZZ" in type_it(said, "spool rescue")
    return said


def test_a_spool_with_a_damaged_header_is_rescued(cart):
    spool = cart.parent / "cart.spool"
    octets = bytearray(spool.read_bytes())
    for at in (20, 2048 + 20, 512 + 20, 1024 + 20):
        octets[at] ^= 0xFF
    spool.write_bytes(octets)
    assert "WVWZZZ" in type_it(lived_badly(cart), "spool rescue")


@follows("  `toolcart spool rescue ")
def test_a_damaged_spool_names_its_rescue(cart):
    spool = cart.parent / "cart.spool"
    spool.write_bytes(bytes(4100) + spool.read_bytes()[4096:270000])  # no block where one could begin
    said = said_by("spool info", spool, code=None)
    type_it(said, "spool rescue")
    return said


@follows("toolcart spool check ")
def test_a_quarantine_that_cannot_be_read_names_the_check(cart):
    spool = cart.parent / "cart.spool"
    octets = spool.read_bytes()
    spool.write_bytes(octets[:4096] + bytes(len(octets) - 4096))
    said = said_by("quarantine list --spool", spool, code=None)
    type_it(said, "spool check", code=2)
    return said


@follows("`toolcart status` asks a service")
def test_figures_of_a_spool_in_use_are_those_of_the_file():
    return spool_commands.RUNNING


# -- status, doctor, reasons ----------------------------------------------------------------------------------------


@follows("toolcart quarantine list --spool ", "toolcart board quarantine --port ", "toolcart board spool --port ",
         " && toolcart spool ", "toolcart spool ")  # fmt: skip
def test_commands_of_a_status_show_what_it_tells(cart):
    log, said, (station,) = lived(cart)
    for text in (log, said, commands.quarantine(station)):
        assert f"{station['parked']} in the quarantine" in type_it(text, "quarantine list")
    for made in (commands.gaps(station), commands.check(station)):
        type_it(made, "spool")
    board = {"number": 10, "port": "/dev/none"}
    for made in (commands.quarantine(board), commands.gaps(board), commands.check(board)):
        at_the_board, _, here = made.partition(" && ")
        assert "/dev/none is not there" in type_it(at_the_board, "board", code=3)
        assert not here or type_it(here, "spool", FILE=str(cart.parent / "cart.spool"))
    return " ".join([said, commands.gaps(station), commands.quarantine(board), commands.gaps(board)])


@follows("Start it with `toolcart run --config FILE`", "or `toolcart run --config FILE`.")
def test_an_agent_that_does_not_run_is_started(cart):
    said = said_by("status --config", cart, code=None)
    type_it(said, "run --config FILE", "--plain", "--seconds", 0.1, FILE=cart)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{cart}.sock")
    return said + said_by("status --config", cart, code=None)


@follows("runs it here, `sudo toolcart install-service --config ", "`toolcart run --config ")
def test_a_doctor_without_an_agent_says_how_one_is_started(cart, tmp_path):
    said = said_by("doctor --offline --config", cart, code=None)
    here, service = re.findall(r"`(?:sudo )?toolcart ([^`]*)`", said)
    said_by(here, "--plain", "--seconds", 0.1)
    assert (installed(service, tmp_path / "card") / "etc/systemd/system/toolcart.service").is_file()
    return said


@follows("toolcart config check ")
def test_a_changed_configuration_names_what_lists_its_mistakes(old):
    old.write_text('{"stations": []}')
    about = {"configuration": {"file": str(old), "changed": [str(old)], "wrong": "it is", "refused": False}}
    [need] = attention.of_agent(about)
    assert "1 mistake" in type_it(need.hint, "config check", code=2)
    return need.text()


@follows("`toolcart status` says why")
def test_why_a_controller_is_away_is_said_by_status(cart):
    _, said, _ = lived(cart)
    assert "why: controller" in said
    away = SimpleNamespace(settle=lambda now: None, order=None)
    away._intake = SimpleNamespace(session=SimpleNamespace(state=session_states.CLOSED))
    return Commands.take_order(away, None, 0)


@follows("`sudo toolcart status` asks it; or stop it")
def test_doctor_beside_an_agent_that_does_not_tell_names_status():
    found = next(iter(doctor._told_by_agent("station 7", 7, {})))
    said_by("status --socket none.sock", code=3)
    return found.hint


@follows("`toolcart doctor` looks at the disk")
def test_a_spool_that_could_not_be_written_is_looked_at_by_doctor(cart, monkeypatch):
    monkeypatch.setattr(doctor, "SERVICE_CONFIG", cart)
    said = log_entries.explained("flash failed", 5, 10)
    assert "disk" in type_it(said, "doctor", code=1)
    return said


@follows("`toolcart line monitor` shows what comes")
def test_a_line_that_does_not_answer_is_monitored(tmp_path):
    silent = reasons.of_controller({"host": "/dev/none", "port": 9600, "why": "silence", "line": {"overruns": 0}})
    found = doctor_controller._unanswered("x", "/dev/none", 9600, 3, type("S", (), {"why": 0})())
    odd = log_entries.explained("odd on the line", 1, 10)
    for text in (silent.hint, found.hint, odd):
        assert "Missing argument 'DEVICE'" in type_it(text, "line monitor", code=2)
    return f"{silent.hint} {found.hint} {odd}"


@follows("`toolcart status` cannot ask this agent")
def test_an_agent_whose_socket_cannot_be_made_is_not_asked(cart):
    place = cart.with_name("cart.json.sock")
    place.mkdir()
    said = said_by("run --plain --seconds 0.5 --config", cart, code=None)
    said_by("status --config", cart, code=3)
    return said


@follows("its configuration where `toolcart install-service` made it")
def test_the_manual_page_says_where_the_service_has_its_configuration(cart, tmp_path):
    said = said_by("man").replace("\\-", "-")
    place = next(place for place, words in manual.FILES if "install-service" in words)
    assert (installed(f"install-service --config '{cart}'", tmp_path / "card") / f"{place[1:]}/config.json").is_file()
    return " ".join(said.split())


@follows("Commands that others may send to the controller")
def test_a_controller_that_is_not_to_be_commanded_is_not(cart):
    said = said_by("config explain stations[].controller.commands")
    assert "no agent runs here" in type_it(said, "command", "10", "select-pset", "5", code=3)
    return " ".join(said.split())


@follows("run `toolcart install-service` again")
def test_who_may_not_set_the_clock_installs_the_service_again(cart, tmp_path):
    tree = json.loads(cart.read_text())
    tree["toolsnet"]["clock"] = "set"
    cart.write_text(json.dumps(tree))
    said = status_words._CLOCK_WORDS["not allowed"]
    root = installed(f"install-service --config '{cart}'", tmp_path / "card")
    assert "AmbientCapabilities=CAP_SYS_TIME" in (root / "etc/systemd/system/toolcart.service").read_text()
    return said


# -- configuration, codec, traces ------------------------------------------------------------------------------------


@follows("`toolcart config explain` lists all")
def test_a_setting_that_is_not_there_names_the_list():
    said = said_by("config explain nonsense", code=None)
    assert "toolsnet.pim_host" in type_it(said, "config explain")
    return said


@follows("; `toolcart config check ")
def test_a_page_names_what_lists_the_mistakes_of_a_configuration(old):
    old.write_text('{"stations": []}')
    with pytest.raises(client.NoAgent) as trouble:
        page.ask_or_check({"none.sock": str(old)})("none.sock", 1.0)
    assert "1 mistake" in type_it(trouble.value.hint, "config check", code=2)
    return trouble.value.hint


@follows("`toolcart config example` prints one")
def test_what_is_no_json_names_an_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text("stations: []\n")
    said = said_by("config check x.json", code=None)
    (tmp_path / "y.json").write_text(type_it(said, "config example"))
    said_by("config check y.json")
    return said


@follows("Next: toolcart run --config ", "Next: toolcart flash --board rp2 --port PORT --config ")
def test_what_comes_next_after_a_new_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    local = {"at": "127.0.0.1", "pim": f"127.0.0.1:{free_port()}"}
    said = [new("a b.json", "linux", **local), new("chip.json", "ethernet", **local)]
    type_it(said[0], "run", "--plain", "--seconds", 0.1)
    brings = re.search(r"toolcart (flash .*?) \(", said[1])[1].replace("PORT", "/dev/none")
    assert "/dev/none" in said_by(brings, code=None)
    return " ".join(said)


@follows("`toolcart mid` lists what it has", "; `toolcart mid ")
def test_a_message_that_is_not_there_names_the_tables():
    typed = ("mid 5555", *(f"ask 127.0.0.1:1 {words}" for words in ("5555", "0064 x", "0064 nonsense=1")))
    said = [said_by(line, code=None) for line in typed]
    for text in said:
        assert "64" in type_it(text, "mid")
    return " ".join(said)


@follows("# Messages")
def test_the_list_of_messages_shows_one():
    said = message_table.page()
    assert "MID 0061" in type_it(said, "mid")
    return said


@follows("`toolcart decode` tells what is in it")
def test_a_file_without_curves_is_decoded(tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("00200001001 0 00    ")
    said = said_by("trace plot", file, code=None)
    assert toolcart("decode", file, code=None).exit_code in (0, 1)
    return said


@follows("`toolcart line monitor --record FILE` writes such a file")
def test_what_is_no_capture_names_what_writes_one(tmp_path):
    (tmp_path / "x").write_text("nonsense\n")
    said = said_by("line decode", tmp_path / "x", code=None)
    assert "DEVICE" in type_it(said.split(" writes")[0], "line monitor", code=2, FILE=str(tmp_path / "y"))
    return said


@follows("Query it: toolcart archive query --all --database ")
def test_the_account_of_a_demo_names_its_archive(tmp_path):
    pytest.importorskip("sqlalchemy")
    place = tmp_path / "archive of mine.sqlite"
    _archive(place)
    told = {key: 0 for _, key in faults._ROWS} | dict.fromkeys(("kills", "toolsnet_outages", "controller_outages"), 0)
    said = "\n".join(faults.lines({**told, "doubled": 0, "seconds": 1}, str(tmp_path), str(place)))
    type_it(said, "archive query", code=1)  # nothing is in it
    return said


# -- the archive -----------------------------------------------------------------------------------------------------


def _archive(place):
    from toolcart.archive.database import database

    with database.writing(str(place)):
        pass


@follows("`toolcart archive serve` makes a new one")
def test_an_archive_that_is_not_there_is_made_by_serve(tmp_path):
    pytest.importorskip("sqlalchemy")
    place = tmp_path / "none.sqlite"
    said = said_by("archive query --database", place, code=None)
    # Let the archive be served for a moment: then it is there, and empty.
    said_by("archive serve --pim-port 0 --server-port 0 --seconds 0.2 --database", place)
    said_by("archive query --database", place, code=1)
    return said


BREAKS = """
from toolcart.archive.web import reading
from toolcart.tools.cli.main import main

def ask(*_, **__):
    raise KeyError("broken on purpose")

reading.Reading.ask = ask
main()
"""


@follows("The log of `toolcart archive serve` or `web` says why")
def test_why_a_page_cannot_be_shown_stands_in_the_log(tmp_path):
    pytest.importorskip("starlette")
    place = tmp_path / "a.sqlite"
    _archive(place)
    words = ("archive", "web", "--listen", "127.0.0.1:0", "--database", place)
    log = tmp_path / "log"
    with log.open("w") as errors, running(sys.executable, "-c", BREAKS, *words, stderr=errors) as pages:
        address = pages.stdout.readline().split()[2]
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(address + "/?json", timeout=20)
    assert "broken on purpose" in log.read_text()
    return failed.value.read().decode()


@follows("`toolcart archive query --json` tells ResultId")
def test_a_result_that_is_not_there_is_looked_for(tmp_path):
    pytest.importorskip("sqlalchemy")
    place = tmp_path / "a.sqlite"
    _archive(place)
    said = said_by("archive plot 7 --database", place, code=None)
    said_by("archive query --json --database", place, code=1)
    return said


@follows("by `toolcart archive user`")
def test_what_is_no_user_is_written_by_the_command(tmp_path):
    pytest.importorskip("starlette")
    from toolcart.archive.web import users
    from toolcart.base import private_files

    file = tmp_path / "users"
    file.write_text("nonsense\n")
    file.chmod(0o600)
    with pytest.raises(private_files.PrivateFileError) as wrong:
        users.read(str(file))
    said_by("archive user --help")
    return str(wrong.value)


# -- the package -----------------------------------------------------------------------------------------------------


@follows(
    "toolcart: sudo toolcart config new /etc/toolcart/config.json, then sudo systemctl start toolcart",
    "`toolcart config new` writes.",
)
def test_what_the_package_says_after_its_installation_makes_a_configuration(tmp_path):
    assert "sudo toolcart config new /etc" in debian.POSTINST
    new(tmp_path / "config.json", "linux")
    return debian.POSTINST + debian.CONTROL  # host_tests/project/test_clean_debian.py starts it


@follows("toolcart flash --board ")
def test_what_comes_next_after_an_image_is_typed_where_no_board_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new("cart.json", "ethernet")
    steps = " ; ".join(image.next_steps("rpi_pico_w", image.BOARDS["rpi_pico_w"], tmp_path / "image.uf2"))
    assert "/dev/none is not there" in type_it(steps, "flash", code=3, PORT="/dev/none")
    return steps
