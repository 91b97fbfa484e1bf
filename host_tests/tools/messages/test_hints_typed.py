"""A command that a message names is typed as the message has it, in the situation that makes the message, and works."""

import json
import re
import shlex
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from toolcart.tools.cli import manual
from toolcart.tools.demo import faults
from toolcart.tools.doctor import commands as doctor
from toolcart.tools.doctor import controller as doctor_controller
from toolcart.tools.flash import boards, image
from toolcart.tools.messages import attention, commands, log_entries, reasons
from toolcart.tools.status import client
from toolcart.tools.web import page
from host_tests.support.running import DEADLINE_S, ENVIRONMENT, command_of, free_port, running, toolcart
from host_tests.tools.messages.test_hints import cart_with_refused, run_agent
from lab.packaging import debian, message_table


def said(*words, code):
    """What a command says; code as for toolcart. An agent writes to a descriptor, which a process of its own has."""
    if words[0] != "run":
        return toolcart(*words, code=code).output
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command_of(*words), env=ENVIRONMENT, text=True, timeout=DEADLINE_S, **pipes)
    assert code is None or done.returncode == code, done.stdout
    return done.stdout


def output_of(line, *more, code=0):
    """What a command says, typed as it was named and with more words; code as for toolcart."""
    return said(*shlex.split(line), *more, code=code)


def type_it(text, name, *more, code=0, **places):
    """Type the first command of this name that was said, places such as FILE filled in; what it says."""
    command = next(one for one in re.findall(rf"toolcart ({re.escape(name)}[^`\n;]*)", text))
    return said(*(places.get(word, word) for word in shlex.split(command)), *more, code=code)


def new(place, machine, *, at="h", pim="h:1"):
    """What `config new` says after it wrote a configuration."""
    return output_of(f"config new --name A --controller {at} --pim {pim} --system 1 --station 1 --on {machine}", place)


def installed(command, root):
    """The folder in which the service is, once this command has put it there."""
    output_of(command, "--take-spools", "--root", root)
    return root


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A folder with a space in its name, with a spool that holds refused results and its configuration."""
    monkeypatch.chdir(tmp_path)
    return cart_with_refused(tmp_path)


@pytest.fixture
def cart(old):
    """The same, after an agent has run on it."""
    run_agent(old)
    return old


def lived_badly(config):
    """What the agent says that cannot use its spool."""
    return output_of("run --plain --seconds 1 --config", config, code=3)


# -- spools --------------------------------------------------------------------------------------------------------


def test_a_spool_that_was_cut_short_is_rescued(cart):
    spool = cart.parent / "cart.spool"
    spool.write_bytes(spool.read_bytes()[:200000])
    output = lived_badly(cart)
    assert "WVWZZZ" in type_it(output, "spool rescue")


def test_a_spool_with_a_damaged_header_is_rescued(cart):
    spool = cart.parent / "cart.spool"
    octets = bytearray(spool.read_bytes())
    for at in (20, 2048 + 20, 512 + 20, 1024 + 20):
        octets[at] ^= 0xFF
    spool.write_bytes(octets)
    assert "WVWZZZ" in type_it(lived_badly(cart), "spool rescue")


def test_a_damaged_spool_names_its_rescue(cart):
    spool = cart.parent / "cart.spool"
    spool.write_bytes(bytes(4100) + spool.read_bytes()[4096:270000])  # no block where one could begin
    output = output_of("spool info", spool, code=None)
    type_it(output, "spool rescue")


@pytest.mark.parametrize(("spoilt", "code"), [(slice(4096, None), 2), (slice(4096, 5 * 4096), 1)])
def test_a_quarantine_that_cannot_be_read_names_the_check(cart, spoilt, code):
    """All behind the header, and the state alone."""
    spool = cart.parent / "cart.spool"
    octets = bytearray(spool.read_bytes())
    octets[spoilt] = bytes(len(octets[spoilt]))
    spool.write_bytes(octets)
    for more in ((), ("--json",)):
        output = output_of("quarantine list --spool", spool, *more, code=code)
        type_it(output, "spool check", code=code)
    output = output_of("spool info", spool, code=code)
    type_it(output, "spool check" if code == 1 else "spool rescue", code=code % 2)


# -- status, doctor, reasons ----------------------------------------------------------------------------------------


def test_commands_of_a_status_show_what_it_tells(cart):
    log, status, (station,) = run_agent(cart)
    for text in (log, status, commands.quarantine(station)):
        assert f"{station['parked']} in the quarantine" in type_it(text, "quarantine list")
    for made in (commands.gaps(station), commands.check(station)):
        type_it(made, "spool")
    board = {"number": 10, "port": "/dev/none"}
    for made in (commands.quarantine(board), commands.gaps(board), commands.check(board)):
        at_the_board, _, here = made.partition(" && ")
        assert "/dev/none is not there" in type_it(at_the_board, "board", code=3)
        assert not here or type_it(here, "spool", FILE=str(cart.parent / "cart.spool"))


def test_an_agent_that_does_not_run_is_started(cart):
    output = output_of("status --config", cart, code=None)
    type_it(output, "run --config FILE", "--plain", "--seconds", 0.1, FILE=cart)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{cart}.sock")


def test_a_doctor_without_an_agent_says_how_one_is_started(cart, tmp_path):
    output = output_of("doctor --offline --config", cart, code=None)
    here, service = re.findall(r"`(?:sudo )?toolcart ([^`]*)`", output)
    output_of(here, "--plain", "--seconds", 0.1)
    assert (installed(service, tmp_path / "card") / "etc/systemd/system/toolcart.service").is_file()


def test_a_changed_configuration_names_what_lists_its_mistakes(old):
    old.write_text('{"stations": []}')
    about = {"configuration": {"file": str(old), "changed": [str(old)], "wrong": "it is", "refused": False}}
    [need] = attention.of_agent(about)
    assert "1 mistake" in type_it(need.hint, "config check", code=2)


def test_why_a_controller_is_away_is_reported_by_status(cart):
    _, status, _ = run_agent(cart)
    assert "why: controller" in status


def test_a_spool_that_could_not_be_written_is_looked_at_by_doctor(cart, monkeypatch):
    monkeypatch.setattr(doctor, "SERVICE_CONFIG", cart)
    entry = log_entries.explain("flash failed", 5, 10)
    assert "disk" in type_it(entry, "doctor", code=1)


def test_a_line_that_does_not_answer_is_monitored(tmp_path):
    silent = reasons.of_controller({"host": "/dev/none", "port": 9600, "why": "silence", "line": {"overruns": 0}})
    unanswered = doctor_controller._unanswered("x", "/dev/none", 9600, 3, type("S", (), {"why": 0})())
    odd = log_entries.explain("odd on the line", 1, 10)
    for text in (silent.hint, unanswered.hint, odd):
        assert "Missing argument 'DEVICE'" in type_it(text, "line monitor", code=2)


def test_an_agent_whose_socket_cannot_be_made_is_not_asked(cart):
    place = cart.with_name("cart.json.sock")
    place.mkdir()
    assert "`toolcart status` cannot ask" in output_of("run --plain --seconds 0.5 --config", cart, code=None)
    output_of("status --config", cart, code=3)


def test_the_manual_page_says_where_the_service_has_its_configuration(cart, tmp_path):
    place = next(place for place, words in manual.FILES if "install-service" in words)
    assert (installed(f"install-service --config '{cart}'", tmp_path / "card") / f"{place[1:]}/config.json").is_file()


def test_a_controller_that_is_not_to_be_commanded_is_not(cart):
    output = output_of("config explain stations[].controller.commands")
    assert "no agent runs here" in type_it(output, "command", "10", "select-pset", "5", code=3)


def test_who_may_not_set_the_clock_installs_the_service_again(cart, tmp_path):
    tree = json.loads(cart.read_text())
    tree["toolsnet"]["clock"] = "set"
    cart.write_text(json.dumps(tree))
    root = installed(f"install-service --config '{cart}'", tmp_path / "card")
    assert "AmbientCapabilities=CAP_SYS_TIME" in (root / "etc/systemd/system/toolcart.service").read_text()


# -- configuration, codec, traces ------------------------------------------------------------------------------------


def test_a_setting_that_is_not_there_names_the_list():
    output = output_of("config explain nonsense", code=None)
    assert "toolsnet.pim_host" in type_it(output, "config explain")


@pytest.mark.parametrize("is_relative", [False, True])
def test_a_page_names_what_lists_the_mistakes_of_a_configuration(old, tmp_path, monkeypatch, is_relative):
    old.write_text('{"stations": []}')
    monkeypatch.chdir(old.parent)
    with pytest.raises(client.NoAgent) as trouble:
        page.ask_or_check({"none.sock": old.name if is_relative else str(old)})("none.sock", 1.0)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "1 mistake" in type_it(trouble.value.hint, "config check", code=2)


def test_what_is_no_json_names_an_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text("stations: []\n")
    output = output_of("config check x.json", code=None)
    (tmp_path / "y.json").write_text(type_it(output, "config example"))
    output_of("config check y.json")


def test_what_comes_next_after_a_new_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    local = {"at": "127.0.0.1", "pim": f"127.0.0.1:{free_port()}"}  # no place for a board's
    outputs = [new("a b.json", "linux", **local), new("chip.json", "ethernet")]
    type_it(outputs[0], "run", "--plain", "--seconds", 0.1)
    brings = re.search(r"toolcart (flash .*?) \(", outputs[1])[1].replace("PORT", "/dev/none")
    assert "/dev/none" in output_of(brings, code=None)


def test_a_message_that_is_not_there_names_the_tables():
    typed = ("mid 5555", *(f"ask 127.0.0.1:1 {words}" for words in ("5555", "0064 x", "0064 nonsense=1")))
    outputs = [output_of(line, code=None) for line in typed]
    for text in outputs:
        assert "64" in type_it(text, "mid")


def test_the_list_of_messages_shows_one():
    page_text = message_table.page()
    assert "MID 0061" in type_it(page_text, "mid")


def test_a_file_without_curves_is_decoded(tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("00200001001 0 00    ")
    assert "toolcart decode" in output_of("trace", file, code=None)
    assert toolcart("decode", file, code=None).exit_code in (0, 1)


def test_what_is_no_capture_names_what_writes_one(tmp_path):
    (tmp_path / "x").write_text("nonsense\n")
    output = output_of("line decode", tmp_path / "x", code=None)
    assert "DEVICE" in type_it(output.split(" writes")[0], "line monitor", code=2, FILE=str(tmp_path / "y"))


def test_the_account_of_a_demo_names_its_archive(tmp_path):
    pytest.importorskip("sqlalchemy")
    place = tmp_path / "archive of mine.sqlite"
    _archive(place)
    account = {key: 0 for _, key in faults._ROWS} | dict.fromkeys(
        ("kills", "toolsnet_outages", "controller_outages"), 0
    )
    text = "\n".join(faults.lines({**account, "doubled": 0, "seconds": 1}, str(tmp_path), str(place)))
    type_it(text, "archive query", code=1)  # nothing is in it


# -- the archive -----------------------------------------------------------------------------------------------------


def _archive(place):
    from toolcart.archive.database import database

    with database.writing(str(place)):
        pass


def test_an_archive_that_is_not_there_is_made_by_serve(tmp_path):
    pytest.importorskip("sqlalchemy")
    place = tmp_path / "none.sqlite"
    assert "toolcart archive serve" in output_of("archive query --database", place, code=None)
    # Let the archive be served for a moment: then it is there, and empty.
    output_of("archive serve --pim-port 0 --server-port 0 --seconds 0.2 --database", place)
    output_of("archive query --database", place, code=1)


BREAKS = """
from toolcart.archive.web import reading
from toolcart.tools.cli.main import main

def ask(*_, **__):
    raise KeyError("broken on purpose")

reading.Reading.ask = ask
main()
"""


def test_why_a_page_cannot_be_shown_is_in_the_log(tmp_path):
    pytest.importorskip("starlette")
    place = tmp_path / "a.sqlite"
    _archive(place)
    words = ("archive", "web", "--listen", "127.0.0.1:0", "--database", place)
    log = tmp_path / "log"
    with log.open("w") as errors, running(sys.executable, "-c", BREAKS, *words, stderr=errors) as pages:
        address = pages.stdout.readline().split()[2]
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(address + "/?json", timeout=20)
    assert "broken on purpose" in log.read_text()


def test_a_result_that_is_not_there_is_looked_for(tmp_path):
    pytest.importorskip("sqlalchemy")
    place = tmp_path / "a.sqlite"
    _archive(place)
    assert "toolcart archive query --json" in output_of("archive curves 7 --database", place, code=None)
    output_of("archive query --json --database", place, code=1)


# -- the package -----------------------------------------------------------------------------------------------------


def test_what_the_package_says_after_its_installation_makes_a_configuration(tmp_path):
    assert "sudo toolcart config new /etc" in debian.POSTINST
    new(tmp_path / "config.json", "linux")


def test_what_comes_next_after_an_image_is_typed_where_no_board_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new("cart.json", "ethernet")
    steps = " ; ".join(image.next_steps(boards.BOARDS["rpi_pico_w"], tmp_path / "image.uf2"))
    assert "/dev/none is not there" in type_it(steps, "flash", code=3, PORT="/dev/none")
