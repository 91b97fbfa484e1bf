"""`toolcart doctor`: the wrong world, then the words; and nothing in the way of an agent that runs."""

import contextlib
import errno
import json
import os
import pty
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from toolcart.agent.log import flash
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.quarantine.quarantine import Quarantine
from toolcart.agent.toolsnet.telegram import SEQUENCES
from toolcart.base import privileges
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import regular_file
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.flash import FileFlash
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.serve import SimulatedPlant
from toolcart.sim.toolsnet import ToolsNetOptions
from toolcart.tools.config import path_checks, runner
from toolcart.tools.doctor import agent, commands, controller, local, outlets, time_server, toolsnet
from toolcart.tools.doctor.finding import BAD, GOOD, NOTE, SKIPPED, WARN, Finding
from toolcart.tools.status import client
from host_tests.support.agent_lines import healthy_station
from host_tests.support.log import Area, append
from host_tests.support.peers import Peer, begins
from host_tests.support.running import ENVIRONMENT, cart_of, free_port, run_agent, run_agent_while, toolcart, written


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(local, "SYNCS", 3)
    monkeypatch.setattr(controller, "WAIT_S", 0.5)


def _examined(folder, tree, *options):
    done = toolcart("doctor", "--config", written(folder, tree), "--json", *options, code=None)
    return done.exit_code, json.loads(done.stdout)["found"]


def _of(findings, what):
    return [one for one in findings if one["what"].endswith(what)]


def _offline(folder, what, tree=None):
    """What is found of this without a connection."""
    return _of(_examined(folder, tree or cart_of(), "--offline")[1], what)[0]


def test_a_good_plant_is_good_to_its_end(tmp_path):
    with SimulatedPlant() as plant:
        plant.produce(2)
        code, findings = _examined(tmp_path, cart_of(plant))
        assert code == 0, findings
        words = " ".join(one["words"] for one in findings)
        expected = ("MID 0001", "revision", "MID 0064", "tightening ID 2", "clock agrees", "08", "accepts connections")
        assert [piece for piece in expected if piece not in words] == []
        assert plant.complaints() == []
    lock = [one for one in _of(findings, "controller") if one["verdict"] == NOTE]
    assert "whether the tool locks" in lock[0]["words"] and "docs/controllers.md" in lock[0]["hint"]
    assert list(tmp_path.glob(".toolcart*")) == []


@pytest.mark.parametrize(
    ("path", "words", "helps"),
    [
        ("/proc/nothere", "no file can be made in /proc", "spool.path"),  # the others: test_config_file.py
        ("cart.spool", "no file can be made in", "remount,rw"),
    ],
)
def test_a_place_where_no_spool_can_be_is_reported(tmp_path, monkeypatch, path, words, helps):
    def refuses(_probe):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(local, "_sync_times_ms", refuses)
    code, findings = _examined(tmp_path, cart_of(station={"spool": {"path": path}}), "--offline")
    spool = _of(findings, "spool")[0]
    assert code == 1 and spool["verdict"] == BAD and words in spool["words"] and helps in spool["hint"], spool


def test_what_lies_in_the_spools_place_is_reported(tmp_path):
    path = tmp_path / "cart.spool"
    path.write_bytes(b"holiday pictures" * 1000)
    assert "does not begin as a spool" in _offline(tmp_path, "spool")["words"]
    path.unlink()
    FileFlash(str(path), 65536, 16, (1, 1, 9)).close()
    before = path.read_bytes()
    assert "belongs to station 9 of system 1" in _offline(tmp_path, "spool")["words"] and path.read_bytes() == before
    path.unlink()
    path.symlink_to("elsewhere")
    assert "is a link" in _offline(tmp_path, "spool")["words"]


def test_a_full_disk_and_a_slow_one_are_reported(tmp_path, monkeypatch):
    full = os.statvfs_result((4096, 4096, 10, 1, 1, 1, 1, 1, 0, 255))
    monkeypatch.setattr(local.os, "statvfs", lambda _path: full)
    monkeypatch.setattr(local, "SYNC_SLOW_MS", 0)
    assert "4 KiB are free" in _offline(tmp_path, "spool")["words"]
    disk = _offline(tmp_path, "disk")
    assert disk["verdict"] == WARN and "slow" in disk["words"]


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
QUOTA = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


@pytest.mark.parametrize(("error", "words"), [(FULL, "file system is full"), (QUOTA, "quota")])
def test_a_disk_that_became_full_leaves_a_spool_alone_that_has_its_room(tmp_path, monkeypatch, error, words):
    def refuses(_probe):
        raise error

    monkeypatch.setattr(local, "_sync_times_ms", refuses)
    assert _offline(tmp_path, "spool")["verdict"] == BAD, "none could be made"
    FileFlash(str(tmp_path / "cart.spool"), 1024 * 1024, 16, (3, 1, 1)).close()
    assert _offline(tmp_path, "spool")["verdict"] == GOOD
    finding = _offline(tmp_path, "disk full")
    assert finding["verdict"] == WARN and words in finding["words"] and "was given its room" in finding["words"]


@pytest.mark.parametrize(("refused", "slug", "level"), [("NO_ROOM", "disk full", WARN), ("READ_ONLY", "disk", BAD)])
def test_doctor_and_status_say_the_same_of_a_disk(tmp_path, monkeypatch, refused, slug, level):
    def refuses(_probe):
        raise FULL if refused == "NO_ROOM" else OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(local, "_sync_times_ms", refuses)
    asked = "of_folder" if refused == "NO_ROOM" else "of_file"
    monkeypatch.setattr(linux_refusal, asked, lambda _path: getattr(flash, f"REFUSED_{refused}"))
    config, outputs = written(tmp_path, cart_of()), {}

    def look():
        outputs["status"] = toolcart("status", "--config", config, code=None)
        outputs["doctor"] = _examined(tmp_path, json.loads(config.read_text()), "--offline")[1]

    run_agent_while(config, look)
    [need] = [one for one in outputs["doctor"] if one["what"].endswith((" disk", " disk full")) and one["hint"]]
    assert need["what"].endswith(f" {slug}") and need["verdict"] == level
    assert f"{need['words']}; {need['hint']}" in outputs["status"].output
    assert [one["verdict"] for one in outputs["doctor"] if one["what"].endswith(" spool")] == [GOOD]
    assert outputs["status"].exit_code == (1 if level == BAD else 0)


def test_an_unset_clock_of_our_own_is_reported(tmp_path, monkeypatch):
    clock = {"now": "1970-01-01T00:10:00+00:00", "zone": "UTC", "kept": False, "error_s": None}
    monkeypatch.setattr(local.process, "clock", lambda: clock)
    with SimulatedPlant() as plant:
        plant.produce(1)
        code, findings = _examined(tmp_path, cart_of(plant))
    assert code == 0
    [ours] = [one for one in findings if one["what"] == "clock"]
    assert ours["verdict"] == WARN and "this machine's own clock is not set" in ours["words"]
    [theirs] = [one for one in _of(findings, "controller") if "clock" in one["words"]]
    assert theirs["verdict"] == NOTE and "ours is not set, so they are not compared" in theirs["words"]


@pytest.mark.parametrize(("kept", "verdict", "words"), [(True, GOOD, "within 0.01 s"), (None, NOTE, "")])
def test_the_clock_and_whether_it_is_kept_are_reported(monkeypatch, kept, verdict, words):
    clock = {"now": "2026-01-01T00:00:00+01:00", "zone": "CET", "kept": kept, "error_s": 0.01 if kept else None}
    monkeypatch.setattr(local.process, "clock", lambda: clock)
    finding = local.clock()[0]
    assert finding.verdict == verdict and "CET" in finding.words and words in finding.words


def test_names_that_are_unknown_or_slow_or_unanswered_are_reported(monkeypatch):
    tree = {"toolsnet": {"pim_host": "pim.plant"}, "stations": [], "board": {}}

    def fails(number):
        def lookup(*_arguments, **_more):
            raise socket.gaierror(number, "x")

        return lookup

    monkeypatch.setattr(local.socket, "getaddrinfo", fails(socket.EAI_NONAME))
    finding = local.names(tree)[0]
    assert finding.verdict == BAD and "is not found" in finding.words and "toolsnet.pim_host" in finding.hint
    monkeypatch.setattr(local.socket, "getaddrinfo", fails(socket.EAI_AGAIN))
    assert "do not answer" in local.names(tree)[0].words
    monkeypatch.setattr(local.socket, "getaddrinfo", lambda *_a, **_m: [(0, 0, 0, "", ("10.0.0.9", 0))])
    monkeypatch.setattr(local, "NAME_SLOW_S", -1)
    assert local.names(tree)[0].verdict == WARN


# -- the plant -----------------------------------------------------------------------------------------------------


def _controller_findings(port, start_revisions, wants=frozenset(), **settings):
    """What is found of the controller at this port."""
    settings = {"host": "127.0.0.1", "port": port, "start_revisions": start_revisions, **settings}
    return controller.over_tcp("station 1", settings, wants)


@pytest.mark.parametrize(
    ("options", "verdict", "words"),
    [
        ({"refuse": {60: 99}}, NOTE, "it knows no MID 0060"),
        ({"refuse": {60: 92}}, BAD, "92 (Open Protocol commands disabled)"),
        ({"refuse": {60: 0}}, NOTE, 'by 0004 with code 00, "no error"'),
        ({"clock_ahead_s": -300}, WARN, " s behind ours"),
    ],
)
def test_what_is_wrong_with_a_controller_is_reported(options, verdict, words):
    with SimulatedPlant(controller_options=ControllerOptions(**options)) as plant:
        findings = _controller_findings(plant.controller_port, [5, 1], result_revisions=[1])
    assert [one for one in findings if one.verdict == verdict and words in one.words], findings


def test_controller_that_ends_connections_with_a_rejection_is_examined_to_its_end():
    options = {"start_revisions": (2,), "result_revisions": (1,), "alarm_revisions": (1,), "ends_refused": {0: 0}}
    options["unknown_mids"] = (14, 40, 80)
    with SimulatedPlant(controller_options=ControllerOptions(**options)) as plant:
        plant.produce(2)
        findings = _controller_findings(plant.controller_port, [6, 5, 2, 1], result_revisions=[999, 3, 1])
        assert plant.complaints() == []
    words = " ".join(one.words for one in findings)
    for expected in (
        "answers MID 0001 in revision 2",
        "pushed in revision 1",
        "newest tightening ID 2",
        "its clock cannot be asked: code 99",
        "it reports alarms, jobs and VINs beside results",
    ):
        assert expected in words, (expected, words)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"start_revisions": (3,), "ends_refused": {1: 0}}, "Offer others in controller.start_revisions"),
        ({"max_clients": 0, "ends_refused": {1: 0}}, "Another program holds its connection"),
    ],
)
def test_why_there_is_no_session_is_reported_by_what_came(options, hint):
    with SimulatedPlant(controller_options=ControllerOptions(**options)) as plant:
        [finding] = _controller_findings(plant.controller_port, [6, 5])
    assert finding.verdict == BAD and hint in finding.hint and "takes no session" in finding.words, finding


def test_what_cannot_be_reached_is_reported_as_an_agent_does():
    [finding] = _controller_findings(free_port(), [1])
    assert finding.verdict == BAD and "refused the connection: the host is there, but nothing listens" in finding.words
    assert "Is Open Protocol switched on" in finding.hint and finding.figures == {"why": "refused"}
    [finding] = _controller_findings(1, [1], host="a..b")
    assert "controller: the name a..b is not found" in finding.words and "controller.host" in finding.hint
    [finding] = outlets.examine("station 1", {"kind": "webhook", "url": f"http://127.0.0.1:{free_port()}/"})
    assert finding.words.startswith("webhook 127.0.0.1:") and "Does it run there, and is this its port?" in finding.hint
    [finding] = outlets.examine("station 1", {"kind": "webhook", "url": "http://nowhere.invalid/"})
    assert "the outlet's url" in finding.hint
    [finding] = outlets.examine("station 1", {"kind": "mqtt", "host": "127.0.0.1", "port": free_port()})
    assert finding.words.startswith("broker 127.0.0.1:") and "Does the broker run there" in finding.hint


def test_what_is_no_controller_is_reported_with_what_to_look_at():
    with Peer(begins(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as peer:
        finding = _controller_findings(peer.port, [1])[0]
    assert (
        finding.verdict == BAD and "does not speak Open Protocol" in finding.words and "something else" in finding.hint
    )


def _line(folder, device, link, pim_port=1):
    """The exit code, and what is found of a controller on this line."""
    line = {"link": link, "device": str(device), "baud": 9600}
    code, findings = _examined(folder, cart_of(toolsnet={"pim_port": pim_port}, station={"controller": line}))
    return code, _of(findings, "line")[0]


def test_a_line_that_is_missing_or_silent_or_noisy_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(controller, "SERIAL_S", 0.4)
    _, finding = _line(tmp_path, "/dev/ttyUSB99", "3964r")
    assert "there is no device" in finding["words"] and "/dev/serial/by-id" in finding["hint"]
    master, slave = pty.openpty()
    _, finding = _line(tmp_path, os.ttyname(slave), "3964r")
    assert "nothing answers on" in finding["words"] and "is it crossed" in finding["hint"]
    assert finding["figures"]["octets"] == 0
    over = threading.Event()

    def talk():  # again and again: when the line is opened is the machine's affair
        while not over.wait(0.05):
            with contextlib.suppress(BlockingIOError):
                os.write(master, b"\xf0\x0f" * 20)

    os.set_blocking(master, False)
    talker = threading.Thread(target=talk)
    talker.start()
    monkeypatch.setattr(controller, "SERIAL_S", 1.0)
    _, finding = _line(tmp_path, os.ttyname(slave), "3964r")
    over.set()
    talker.join()
    assert "is no answer" in finding["words"] and "Wrong baud" in finding["hint"] and finding["figures"]["octets"] > 0
    os.close(master)
    os.close(slave)


def test_a_line_that_is_unplugged_meanwhile_is_reported(tmp_path, monkeypatch):
    master, slave = pty.openpty()
    device = os.ttyname(slave)
    real = controller._pump

    def unplugged(*arguments):
        for descriptor in (master, slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        return real(*arguments)

    monkeypatch.setattr(controller, "_pump", unplugged)
    _, finding = _line(tmp_path, device, "ascii")
    assert "was unplugged" in finding["words"], finding


def test_a_controller_on_a_line_answers(tmp_path):
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # its name has to fit a device's
        device = f"{short}/line.tty"
        with SimulatedPlant(link="ascii", line_path=Path(device)) as plant:
            code, finding = _line(tmp_path, device, "ascii", plant.pim_port)
    assert code == 0 and "a controller answers on" in finding["words"], finding
    assert "controller name Cart controller" in finding["words"]


@pytest.mark.parametrize(
    ("options", "what", "words"),
    [
        ({"send_12": False}, "PIM", "did not identify itself as a PIM"),
        pytest.param({"pim_silent": True}, "PIM", "no 08", marks=pytest.mark.long("a quarter of a minute of silence")),
        ({"server_port": 1}, "server", "refused the connection"),
        ({"server_port": 99999}, "server", "names a port for the server at 127.0.0.1 that cannot be one"),
    ],
)
def test_what_is_wrong_with_toolsnet_is_reported(tmp_path, options, what, words):
    with SimulatedPlant(toolsnet_options=ToolsNetOptions(**options)) as plant:
        if "server_port" in options:
            plant.toolsnet.options.server_port = options["server_port"]
        code, findings = _examined(tmp_path, cart_of(plant))
    assert code == 1 and words in _of(findings, what)[0]["words"], findings


def test_the_servers_address_is_the_one_that_the_agent_goes_to(tmp_path):
    with SimulatedPlant() as plant:
        plant.toolsnet.options.server_port = 1
        tree = cart_of(plant)
        tree["toolsnet"]["host_override"] = "127.0.0.2"
        findings = _examined(tmp_path, tree)[1]
    assert "08: server 127.0.0.2:1, last result 0" in _of(findings, "PIM")[0]["words"], findings
    assert _of(findings, "server")[0]["words"].startswith("ToolsNet server 127.0.0.2:1 refused"), findings


def test_what_is_no_pim_is_reported_as_such(tmp_path):
    with Peer(begins(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as peer:
        findings = _examined(tmp_path, cart_of(toolsnet={"pim_port": peer.port}))[1]
    assert "what answers there is not a PIM" in _of(findings, "PIM")[0]["words"], findings


@contextlib.contextmanager
def _spool(path, count):
    """The area, state and log of a spool file with so many results; it is closed at the end, with its state saved."""
    flash = FileFlash(str(path), 65536)
    area = Area(kept_blocks=4, flash=flash)
    state, log = area.mount()
    for ident in range(count):
        append(log, ident)
    yield area, state, log
    assert state.save()
    flash.close()


def test_the_servers_sequence_is_held_against_the_spool(tmp_path):
    path = tmp_path / "cart.spool"
    assert "neither" in toolsnet.compare(10, 0, path)[0].words
    assert toolsnet.compare(10, 7, path)[0].verdict == NOTE
    FileFlash(str(path), 65536).close()  # made, and no agent has begun it
    assert "neither" in toolsnet.compare(10, 0, path)[0].words
    [new] = toolsnet.compare(10, 99999, path)
    assert new.verdict == NOTE  # it goes round: nobody knows how many results that are
    assert new.words == "the server's last sequence of this station is 99999, and the spool is new"
    with _spool(path, 3) as (area, state, log):
        quarantine = Quarantine(area.kept, state, log)
        quarantine.start()
        assert quarantine.admit(1, 17) > 0
    behind, kept = toolsnet.compare(10, 1, path)
    assert "1 of 3: 2 are to be sent" in behind.words
    assert kept.verdict == NOTE and "1 result set aside: refused by ToolsNet, in doubt or unreadable" in kept.words
    command = kept.hint.split("`")[1]
    assert "1 in the quarantine" in toolcart(*shlex.split(command)[1:]).output
    ahead = toolsnet.compare(10, 9, path)[0]
    assert ahead.verdict == WARN and "Another agent" in ahead.hint
    path.write_bytes(b"x" * 5000)
    [torn] = toolsnet.compare(10, 9, path)
    assert torn.verdict == SKIPPED and (torn.hint == "" or not os.access(path, os.R_OK))


@pytest.mark.parametrize("owner", [(3, 1, 8), (3, 2, 7), (4, 1, 7)])
def test_a_spool_of_another_station_or_system_is_not_compared(tmp_path, owner):
    path = tmp_path / "cart.spool"
    FileFlash(str(path), 65536, 16, owner).close()
    with _spool(path, 3):
        pass
    [finding] = toolsnet.compare(7, 1, path, (3, 1, 7))
    whose = f"station {owner[2]} of system {owner[1]} (type {owner[0]})"
    assert finding.verdict == SKIPPED
    assert finding.words == f"not compared, as the spool belongs to {whose}, not to station 7 of system 1 (type 3)"
    assert "1 of 3" in toolsnet.compare(owner[2], 1, path, owner)[0].words


def test_a_spool_that_has_made_nothing_and_a_server_that_has_nothing_are_even(tmp_path):
    path = tmp_path / "cart.spool"
    with _spool(path, 0) as (_, state, _):
        state.numbers[field.SENT] |= field.SENT_MET
        state.numbers[field.SEQUENCE_LAG] = state.numbers[field.CURSOR]
    assert "the server has up to 0 of 0: 0 are to be sent" in toolsnet.compare(10, 0, path)[0].words


ONES_BEFORE = 6  # that ToolsNet has of an earlier spool


@pytest.fixture
def delivered(tmp_path):
    """The spool of a stopped agent: ToolsNet has all its 18 results behind others, and no doubt is left."""
    path = tmp_path / "cart.spool"
    with _spool(path, 18) as (_, state, log):
        for _ in range(18):
            log.peek(log.cursors[0])
            log.cursors[0].advance()
        state.numbers[field.SEQUENCE_LAG] = log.cursors[0].sequence_lag = SEQUENCES - ONES_BEFORE
        state.numbers[field.TAKEN] = 18 + ONES_BEFORE
        state.numbers[field.DELIVERED] = state.numbers[field.STORED] = 18
        state.numbers[field.SENT] |= field.SENT_MET
    return path


def _ordered_again(path, first):
    toolcart("spool", "offer-again", "--spool", path, "--from", first)


def _doubted(path, lacks, to):
    flash = FileFlash(str(path), 65536)
    state, _ = Area(kept_blocks=4, flash=flash).mount()
    state.numbers[field.DOUBT_LACKS], state.numbers[field.DOUBT_TO] = lacks, to
    assert state.save()
    flash.close()


def test_what_an_order_sends_again_is_no_other_agent(delivered):
    assert "the server has up to 24 of 24: 0 are to be sent" in toolsnet.compare(3, 24, delivered)[0].words
    _ordered_again(delivered, 12)
    same, again = toolsnet.compare(3, 24, delivered)
    assert same.verdict == GOOD and not same.hint
    words = "the server has up to 24, and behind that up to 7 are to be sent, with those that an order has sent again"
    assert same.words == words
    assert "up to 7 are still to go" in again.words
    other = toolsnet.compare(3, 25, delivered)[0]
    assert other.verdict == WARN and "the server has results up to 25, the spool has made at most 24" in other.words
    _ordered_again(delivered, 3)
    assert "up to 16 are to be sent" in toolsnet.compare(3, 24, delivered)[0].words, (
        "a second order before the agent runs"
    )


@pytest.mark.parametrize(("server", "lacks"), [(20, 0), (17, 0), (10, 7), (0, 11)])
def test_what_the_server_lost_before_an_order_is_carried_out_is_said(delivered, server, lacks):
    """The order has the 7 behind 17 sent again; of others the server has lost 11 of this spool at most."""
    _ordered_again(delivered, 12)
    first, *_ = toolsnet.compare(3, server, delivered)
    assert (first.verdict == BAD) == (lacks > 0), first
    assert not lacks or f"ToolsNet lacks up to {lacks} results that it had" in first.words
    assert lacks or f"the server has up to {server}, and behind that up to 7 are to be sent" in first.words


@pytest.mark.parametrize("server", [24, 60, 10])
@pytest.mark.parametrize("is_ordered", [False, True])
def test_a_doubt_is_said_whatever_the_server_has(delivered, server, is_ordered):
    _doubted(delivered, 9, 18)
    if is_ordered:
        _ordered_again(delivered, 12)
    findings = toolsnet.compare(3, server, delivered)
    [doubt] = [finding for finding in findings if finding.verdict == BAD]
    assert "ToolsNet lacks up to" in doubt.words and "offer-again" in doubt.hint
    assert [f.verdict for f in findings].count(WARN) == (server == 60)
    assert [f.subject for f in findings].count("station 3 sent again") == is_ordered


def test_a_server_that_has_nothing_is_ahead_of_no_spool(delivered):
    with _spool(delivered, 0) as (_, state, log):
        state.numbers[field.SEQUENCE_LAG] = SEQUENCES - 60000
        log.cursors[0].sequence_lag = SEQUENCES - 60000
    assert not [finding for finding in toolsnet.compare(3, 0, delivered) if finding.verdict == WARN]


def test_beside_an_agent_a_configuration_that_may_not_be_read_is_a_finding(tmp_path, monkeypatch):
    path, outputs = written(tmp_path, cart_of()), {}
    access, opener = os.access, regular_file.argument_opener

    def denied(file, flags):
        if str(file) == str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opener(file, flags)

    def look():  # root may read whatever has no mode
        monkeypatch.setattr(regular_file, "argument_opener", denied)
        monkeypatch.setattr(os, "access", lambda file, *how, **more: file != str(path) and access(file, *how, **more))
        for words in (("doctor", "--config", path), ("config", "check", path), ("run", "--config", path)):
            outputs[words[0]] = toolcart(*words, code=None)
        monkeypatch.undo()

    run_agent_while(path, look)
    assert [(name, done.exit_code) for name, done in outputs.items()] == [("doctor", 1), ("config", 2), ("run", 2)]
    assert "runs for" in outputs["doctor"].output and "station 1" in outputs["doctor"].output
    for done in outputs.values():
        assert f"cannot be read: Permission denied: chmod u+r {path}" in done.output and "Usage" not in done.output


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("failed exit-code 2", "has failed (exit code 2, it refuses"),
        ("failed exit-code 3", "(exit code 3, no spool can be used)"),
        ("failed oom-kill", "has failed (the machine had no memory left)"),
        ("activating watchdog", "again (it hung, and its watchdog ended it)"),
        ("activating", "the service toolcart is being started: "),
        ("inactive", "the service toolcart is stopped: "),
        ("active", "the service toolcart is active, and does not answer: "),
        ("", "no agent runs (service toolcart): nothing is taken from a controller"),
    ],
)
def test_why_a_service_does_not_run_is_what_systemd_says(tmp_path, monkeypatch, state, words):
    properties = dict(zip(("ActiveState", "Result", "ExecMainStatus"), state.split(), strict=False))
    monkeypatch.setattr(runner, "unit_of", lambda _path: ("toolcart", {}))
    monkeypatch.setattr(agent, "state_of", lambda _unit: properties)
    code, findings = _examined(tmp_path, cart_of(), "--offline")
    assert code == 1 and findings[0]["what"] == "agent" and words in findings[0]["words"], findings[0]


# -- beside an agent -----------------------------------------------------------------------------------------------


def test_beside_a_running_agent_no_one_else_is_asked(tmp_path, monkeypatch):
    station = healthy_station()
    station["outlets"][0].update(state="closed", why="no PIM", why_in="pim verify")
    station["spool"]["path"] = str(tmp_path / "cart.spool")
    monkeypatch.setattr(client, "ask", lambda _path: {"agent": {}, "stations": [station]})
    monkeypatch.setattr(controller, "over_tcp", lambda *_: pytest.fail("the controller was asked"))
    monkeypatch.setattr(toolsnet, "examine", lambda *_: pytest.fail("the PIM was asked"))
    code, findings = _examined(tmp_path, cart_of())
    assert code == 1 and "running agent is connected" in _of(findings, "controller")[0]["words"]
    assert "did not identify itself as a PIM" in _of(findings, "ToolsNet")[0]["words"]
    assert "2 waiting" in _of(findings, "results")[0]["words"]


def test_agent_that_holds_the_spool_and_does_not_tell_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(controller, "over_tcp", lambda *_: pytest.fail("the controller was asked"))
    flash = FileFlash(str(tmp_path / "cart.spool"), 65536, 16, (1, 1, 1))
    try:
        _, findings = _examined(tmp_path, cart_of())
    finally:
        flash.close()
    assert [one for one in findings if one["verdict"] == SKIPPED and "neither controller nor outlets" in one["words"]]


def test_a_spool_that_the_agent_of_another_configuration_has_sends_nobody_to_the_service(tmp_path):
    other = written(tmp_path, cart_of(), "other.json")
    code, findings = 0, []

    def act():
        nonlocal code, findings
        code, findings = _examined(tmp_path, cart_of(), "--offline")

    run_agent_while(other, act)
    [agent_finding] = _of(findings, "agent")
    [skipped] = [one for one in findings if one["verdict"] == SKIPPED and "neither controller" in one["words"]]
    assert code == 1 and "the spool is in use, and no agent answers" in agent_finding["words"]
    for hint in (agent_finding["hint"], skipped["hint"]):
        assert "agent of another configuration" in hint and "`toolcart status --config FILE`" in hint, hint
        assert "sudo toolcart status`" not in hint and "Start it" not in hint


def test_an_agent_that_tells_its_user_alone_is_asked_with_its_configuration(tmp_path, monkeypatch):
    def forbidden(path):
        raise client.NoAgent(f"no permission to ask at {path}", "only its user", True)

    monkeypatch.setattr(client, "ask", forbidden)
    _, findings = _examined(tmp_path, cart_of(), "--offline")
    [skipped] = [one for one in findings if one["verdict"] == SKIPPED and "neither controller" in one["words"]]
    asks = privileges.as_root(f"toolcart status --config {shlex.quote(str(tmp_path / 'cart.json'))}")
    assert skipped["hint"] == f"`{asks}` asks it; or stop it and ask again."


def _findings_around_reload(folder, tree, edit):
    """What doctor finds beside an agent whose configuration was edited; again if it has refused a reload then."""
    path, findings = written(folder, tree), []
    agents, has_ended = [], threading.Event()

    def goes_on(agent, lines):
        if not agents and agent._controls:
            agents.append(threading.Thread(target=look, args=[agent], daemon=True))
            agents[0].start()
        return True

    def look(agent):
        path.write_text(json.dumps(edit(json.loads(path.read_text()))))
        try:
            for _ in range(2):
                done = toolcart("doctor", "--config", path, "--offline", "--json", code=None)
                findings.append(json.loads(done.stdout)["found"])
                agent.request_reload()
                while agent.reload_asked and not has_ended.is_set():
                    time.sleep(0.01)
        finally:
            agent.board.request_stop()

    run_agent(path, goes_on)
    has_ended.set()
    agents[0].join()  # two commands in one process would take each other's output
    return findings


def _numbered(number):
    return lambda tree: {**tree, "stations": [{**tree["stations"][0], "number": number}]}


def test_beside_an_agent_whose_station_was_given_another_number_both_are_told_apart(tmp_path):
    before, after = _findings_around_reload(tmp_path, cart_of(), _numbered(2))
    for findings in (before, after):
        [spool] = _of(findings, "spool")
        assert (spool["what"], spool["verdict"]) == ("station 1 spool", GOOD), spool
        assert [one["words"] for one in findings if one["what"] == "station 1 results"]
        words = [one["words"] for one in findings if one["what"] in ("station 1", "station 2")]
        assert words == [
            "is in the configuration, and the running agent does not have it",
            "is one of the running agent, and not in the configuration now",
        ]
        [wrong] = [one for one in findings if one["what"] == "configuration" and one["verdict"] == BAD]
        assert "belongs to station 1 of system 1 (type 3), not to station 2" in wrong["words"]


def _of_null(path):
    path.symlink_to("/dev/null")


UNREADABLE = {  # what the configuration has become: what is said of it
    "no JSON": (lambda path: path.write_text('{"system":'), "line 1, column 11: not JSON"),
    "empty": (lambda path: path.touch(), "the file is empty"),
    "a list": (lambda path: path.write_text("[]"), "expected an object"),
    "gone": (lambda path: None, "file not found"),
    "a folder": (Path.mkdir, "cannot be read: Is a directory"),
    "a pipe": (os.mkfifo, "a pipe, device or socket, no file"),
    "a link to a device": (_of_null, "a pipe, device or socket, no file"),
    "a link to itself": (lambda path: path.symlink_to(path), "cannot be read: Too many levels of symbolic links"),
}


@pytest.mark.parametrize("is_service", [False, True])
def test_beside_an_agent_a_configuration_that_cannot_be_read_is_said_with_what_the_agent_tells(
    tmp_path, monkeypatch, is_service
):
    path, outputs = written(tmp_path, cart_of()), {}

    def look():
        if is_service:
            monkeypatch.setattr(commands, "SERVICE_CONFIG", path)
        for name, (spoil, _) in UNREADABLE.items():
            path.unlink(missing_ok=True)
            spoil(path)
            outputs[name] = toolcart("doctor", *["--config", path] * (not is_service), "--json", code=None)
            if path.is_dir():
                path.rmdir()

    run_agent_while(path, look)
    assert outputs.keys() == UNREADABLE.keys()
    for name, (_, words) in UNREADABLE.items():
        assert outputs[name].exit_code == 1, (name, outputs[name].output)
        findings = json.loads(outputs[name].stdout)["found"]
        [wrong] = [one for one in findings if one["what"] == "configuration" and one["verdict"] == BAD]
        assert words in wrong["words"], name
        assert [one for one in findings if one["what"] == "station 1 results"], (name, findings)


@pytest.mark.parametrize(
    "edit",
    [
        lambda tree: {**tree, "system": {"number": 9}},
        lambda tree: {**tree, "stations": [{**tree["stations"][0], "spool": {"path": "new.spool", "size_kib": 64}}]},
    ],
)
def test_beside_an_agent_its_own_spool_is_checked_whatever_was_edited(tmp_path, edit):
    [spool] = _of(_findings_around_reload(tmp_path, cart_of(), edit)[0], "station 1 spool")
    assert spool["verdict"] == GOOD and str(tmp_path / "cart.spool") in spool["words"], spool


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.EIO, "dmesg"), (errno.EACCES, "lsattr"), (errno.EMFILE, "ulimit")]
)
def test_a_spool_that_cannot_be_read_has_the_advice_of_its_error(tmp_path, monkeypatch, number, expected):
    path = tmp_path / "cart.spool"
    FileFlash(str(path), 65536, 16, (3, 1, 1)).close()

    def fails(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(local.regular_file, "opener", fails)
    finding = local._file("spool", path, {"owner": (3, 1, 1)})
    assert (os.strerror(number) if number != errno.EACCES else "may not open") in finding.words
    assert expected in finding.hint and "sudo" not in finding.hint, finding.hint


# -- NTP -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shift_s", "stratum", "verdict", "words"),
    [
        (0, 2, GOOD, "agrees"),
        (-60, 2, WARN, "60.0 s ahead of"),
        (0, 0, WARN, "is not synchronised"),
        (0, 16, WARN, "is not sy"),
    ],
)
def test_a_time_server_is_compared(shift_s, stratum, verdict, words):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer():
            request, where = server.recvfrom(100)
            moment = time.time() + shift_s + time_server.NTP_TO_UNIX_S
            head = bytes([0x24, stratum]) + bytes(22)
            server.sendto(
                head + request[40:48] + bytes(8) + struct.pack("!II", int(moment), int(moment % 1 * 2**32)), where
            )

        thread = threading.Thread(target=answer)
        thread.start()
        finding = time_server.ask_time("127.0.0.1", server.getsockname()[1])
        thread.join()
    assert finding.verdict == verdict and words in finding.words, finding


def test_a_time_server_that_is_silent_or_none_is_reported(monkeypatch):
    monkeypatch.setattr(time_server, "ANSWER_S", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        finding = time_server.ask_time("127.0.0.1", server.getsockname()[1])
        assert finding.verdict == BAD and "did not answer" in finding.words and "UDP port 123" in finding.hint
    assert "cannot be asked" in time_server.ask_time("name.invalid").words


def test_the_time_servers_of_the_configuration_are_asked_unless_one_is_named(tmp_path, monkeypatch):
    hosts = []
    monkeypatch.setattr(
        time_server, "ask_time", lambda host: hosts.append(host) or Finding(f"NTP {host}", GOOD, "it agrees")
    )
    tree = cart_of(board={"ntp_hosts": ["192.0.2.1", "192.0.2.2"]})
    code, _ = _examined(tmp_path, tree)
    assert code in (0, 1) and hosts == ["192.0.2.1", "192.0.2.2"]
    _examined(tmp_path, tree, "--ntp", "192.0.2.3")
    assert hosts[2:] == ["192.0.2.3"]


def test_a_configuration_that_is_not_there_is_one_thing_with_its_name(tmp_path):
    output = toolcart("doctor", "--config", tmp_path / "no.json", code=2).output
    assert "no.json: file not found" in output and output.splitlines()[-1] == "1 thing does not work"


def test_an_emptied_toolsnet_is_reported_in_the_words_of_the_log(tmp_path):
    with _spool(tmp_path / "cart.spool", 8) as (_, state, log):  # ToolsNet took five results, and three wait
        for _ in range(5):
            assert log.peek(log.cursors[0]) > 0
            log.cursors[0].advance()
        state.numbers[field.SEND_LIMIT] = state.numbers[field.DELIVERED] = 5
        state.numbers[field.SENT] = field.SENT_MET
    finding = toolsnet.compare(10, 0, tmp_path / "cart.spool")[0]
    assert "lacks up to 5 results that it had: was its database emptied" in finding.words and finding.verdict == BAD
    order = f"toolcart spool offer-again --spool {tmp_path / 'cart.spool'} --since TIME"
    assert order in finding.hint


def test_a_spool_of_another_version_is_reported(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(linux_header, "VERSION", 1)
        page = linux_header.Header(16, 4096, 16, linux_header.NO_OWNER, bytes(16)).page()
    (tmp_path / "cart.spool").write_bytes(bytes(page) + b"\xff" * 65536)
    finding = _offline(tmp_path, "spool")
    assert finding["verdict"] == BAD and "made by another version of toolcart" in finding["words"]


def test_the_size_of_a_spool_is_that_of_its_setting(tmp_path):
    FileFlash(str(tmp_path / "cart.spool"), 64 * 1024).close()
    assert ": 64 KiB, this station's" in _offline(tmp_path, "spool")["words"]


def test_a_spool_that_an_agent_had_and_that_is_not_there_is_not_one_that_the_first_start_makes(tmp_path):
    settings, path = {"size_kib": 64, "owner": (3, 1, 7)}, tmp_path / "cart.spool"
    (finding,) = local.spool("station 7", path, settings, is_up=True)
    assert (
        finding.verdict == BAD and "first start" not in finding.words and "before the agent is started" in finding.hint
    )
    assert local.spool("station 7", path, settings)[0].verdict == GOOD, "without an agent it is made"
    FileFlash(str(path), 65536, 16, (3, 1, 7)).close()
    assert local.spool("station 7", path, settings, is_up=True)[0].verdict == GOOD
    (finding,) = local.spool("station 7", path, settings, is_up=True, is_gone=True)  # another file in its place
    assert finding.verdict == BAD and "replaced" in finding.words


def test_with_a_wrong_configuration_the_running_agent_is_asked_too(tmp_path, monkeypatch):
    station = healthy_station(parked=2, spool={**healthy_station()["spool"], "path": "cart.spool", "refused": "broken"})
    monkeypatch.setattr(client, "ask", lambda _path: {"agent": {}, "stations": [station]})
    code, findings = _examined(tmp_path, cart_of(toolsnet={"pim_port": 70000}), "--offline")
    assert code == 1 and any("pim_port" in one["words"] for one in findings if one["what"] == "configuration")
    assert _of(findings, "disk")[0]["verdict"] == BAD and _of(findings, "set aside")

    def nobody(_path):
        raise client.NoAgent("no agent", "start it")

    monkeypatch.setattr(client, "ask", nobody)
    assert _examined(tmp_path, cart_of(toolsnet={"pim_port": 70000}), "--offline")[0] == 2


@pytest.mark.parametrize("why", ["there is no room", "refused"])
def test_doctor_does_not_call_a_configuration_good_that_config_check_refuses(tmp_path, monkeypatch, why):
    """One file is full, and its outlet says so; the agent has not written to the other one, or it is only away."""
    tree = cart_of()
    files = [{"kind": "file", "name": name, "path": f"{name}.jsonl"} for name in ("a", "b")]
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, *files]
    full = {"a.jsonl"}
    monkeypatch.setattr(path_checks, "no_room", lambda path, *_: "there is no room" if path.name in full else "")
    station = healthy_station(
        number=tree["stations"][0]["number"], spool={**healthy_station()["spool"], "path": "cart.spool"}
    )
    for name in ("a", "b"):
        shown = {"kind": "file", "name": name, "place": f"{name}.jsonl", "waiting": 3, "cure": ""}
        station["outlets"].append({**shown, "is_up": name == "b", "state": "closed", "why": why if name == "a" else ""})
    monkeypatch.setattr(client, "ask", lambda _path: {"agent": {}, "stations": [station]})
    for lacking in ({"a.jsonl"}, {"a.jsonl", "b.jsonl"}, {"b.jsonl"}):
        full.clear()
        full.update(lacking)
        code, findings = _examined(tmp_path, tree, "--offline")
        toolcart("config", "check", tmp_path / "cart.json", code=1)
        assert code == 1 and not [one for one in _of(findings, "configuration") if one["verdict"] == GOOD], findings
        assert all([one for one in findings if one["verdict"] == BAD and name in one["words"]] for name in lacking)


@pytest.mark.parametrize("state", ["ready", "closed"])
def test_a_line_that_is_not_there_is_a_fault_whatever_the_agent_has_open(tmp_path, monkeypatch, state):
    tree = cart_of()
    controller = {"link": "ascii", "device": "/dev/not-there"}
    tree["stations"][0]["controller"] = controller
    station = healthy_station(number=tree["stations"][0]["number"])
    station["spool"] = {**station["spool"], "path": "cart.spool"}
    station["controller"].update(state=state, why="" if state == "ready" else "no device", place="/dev/not-there")
    monkeypatch.setattr(client, "ask", lambda _path: {"agent": {}, "stations": [station]})
    code, findings = _examined(tmp_path, tree, "--offline")
    toolcart("config", "check", tmp_path / "cart.json", code=1)
    bad = [one["what"].split()[-1] for one in findings if one["verdict"] == BAD]
    bad.remove("spool")  # the agent's is not there either
    assert code == 1 and bad == ["configuration" if state == "ready" else "controller"], findings
    assert not [one for one in findings if "checked as" in one["words"]]


@pytest.mark.parametrize("is_reported", [True, False])
def test_a_file_that_has_no_room_is_one_thing_that_does_not_work(tmp_path, monkeypatch, is_reported):
    tree = cart_of()
    tree["stations"][0]["outlets"] = [{"kind": "toolsnet"}, {"kind": "file", "path": "results.jsonl"}]
    number = tree["stations"][0]["number"]
    monkeypatch.setattr(path_checks, "no_room", lambda path, *_: "" if path.suffix == ".spool" else "there is no room")
    station = healthy_station(number=number, spool={**healthy_station()["spool"], "path": "cart.spool"})
    file = {"kind": "file", "name": "file", "place": "results.jsonl", "waiting": 3, "is_up": False, "state": "closed"}
    why = {"why": "", "cure": ""} if not is_reported else {"why": "there is no room", "cure": "free some room"}
    station["outlets"].append({**file, **why, "is_up": not is_reported, "state": "closed" if is_reported else "open"})
    monkeypatch.setattr(client, "ask", lambda _path: {"agent": {}, "stations": [station]})
    findings = _examined(tmp_path, tree, "--offline")[1]
    of_it = [one for one in findings if one["verdict"] == BAD and "results.jsonl" in one["words"]]
    assert len(of_it) == 1 and of_it[0]["what"].endswith("outlet" if is_reported else "configuration"), of_it


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"waits_for_room": True}, "the spool is full"),
        ({"refused": "read-only"}, "its file system is read-only"),
        ({"refused": "broken", "refused_words": "reading a.spool"}, "not connected yet (closed)"),
        ({}, "not connected yet (closed)"),
    ],
)
def test_a_session_that_the_agent_has_ended_is_reported_with_why(tmp_path, monkeypatch, changed, words):
    station = healthy_station()
    station["controller"].update(state="closed", waits_for_room=changed.pop("waits_for_room", False))
    station["spool"].update(path="cart.spool", **changed)
    monkeypatch.setattr(client, "ask", lambda _path: {"agent": {}, "stations": [station]})
    finding = _of(_examined(tmp_path, cart_of(), "--offline")[1], "controller")[0]
    assert finding["verdict"] == BAD and words in finding["words"]


def test_no_thread_of_doctor_imports_a_module(tmp_path):
    """Where few files may be open an import fails, and leaves half a module to the other threads."""
    ask = (
        "import sys; from toolcart.tools.doctor import commands as doctor; path = sys.argv[1]; "
        "tree = doctor._configuration_to_run(path); pool = doctor.ThreadPoolExecutor; before = []; "
        "doctor.ThreadPoolExecutor = lambda *settings: (before.extend(sys.modules), pool(*settings))[1]; "
        "found = [one.subject for one in doctor._all_stations(tree, path)]; print(found); "
        "print(sorted({*sys.modules} - {*before}))"
    )
    with SimulatedPlant() as plant:
        path = written(tmp_path, cart_of(plant))
        FileFlash(str(tmp_path / "cart.spool"), 65536).close()
        command = [sys.executable, "-c", ask, path]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert "sequence" in done.stdout and done.stdout.endswith("\n[]\n"), done.stdout + done.stderr
