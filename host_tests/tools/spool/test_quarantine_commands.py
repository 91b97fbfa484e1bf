"""`toolcart quarantine` reaches a stopped spool, a running agent and a board, and says what became of the order."""

import contextlib
import errno
import json
import os
import socket
import stat
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolcart.agent.base.ticks import FOREVER
from toolcart.agent.log import flash
from toolcart.board.linux import control, order_log
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux.control import LINE_MAX, LOOK_MS, PATIENCE_MS, SUFFIX, Control, station_orders
from toolcart.board.linux.flash import FileFlash
from toolcart.board.ram_flash import RamFlash
from toolcart.tools.flash import board_commands
from toolcart.tools.flash.link import BoardError
from toolcart.tools.live import panels
from toolcart.tools.live.figures import Figures
from toolcart.tools.live.watch import totals, totals_text
from toolcart.tools.messages import latched_conditions
from toolcart.tools.spool import quarantine_commands as orders
from toolcart.tools.status.server import CLIENTS
from host_tests.support.agent_lines import healthy_station, status_of
from host_tests.support.quarantine import spool_with
from host_tests.support.running import cart_of, run_agent_while, station_at, toolcart, written
from lab.harness.cart import Cart


@pytest.fixture
def spool(tmp_path):
    """A spool file with five results that were refused and one unreadable frame."""
    return spool_with(tmp_path, b"0061 \x1b[31mnonsense of some octets")


def run(*words, code=0):
    return toolcart("quarantine", *words, code=code)


def cart_with(spool):
    """The configuration of a cart with this spool."""
    return cart_of(number=7, station={"spool": {"path": str(spool)}})


def test_a_stopped_spool_is_listed_and_not_changed(spool):
    before = spool.read_bytes()
    output = run("list", "--spool", spool).stdout
    assert "refused by ToolsNet with code 17" in output and "6 in the quarantine" in output
    assert "\\x1b[31mnonsense" in output and "\x1b" not in output
    listing = json.loads(run("list", "--spool", spool, "--json").stdout)
    assert [record["number"] for record in listing["records"]] == [1, 2, 3, 4, 5, 6] and listing["parked"] == 6
    assert json.loads(run("show", "2", "--spool", spool, "--json").stdout)["tightening_id"] == "2"
    assert spool.read_bytes() == before


def test_export_has_the_columns_of_spool_export(spool):
    lines = run("export", "--spool", spool).stdout.splitlines()
    assert lines[0].startswith("number,area,kind,time") and len(lines) == 7
    assert len(json.loads(run("export", "--spool", spool, "--json").stdout)) == 6


def test_what_has_left_the_quarantine_is_not_shown_as_set_aside(spool):
    def areas():
        rows = json.loads(toolcart("spool", "export", "--json", spool).stdout)
        rows = rows["results"] if isinstance(rows, dict) else rows
        return [(row["area"], row["number"]) for row in rows if row["area"] == "parked"]

    listed = [line.split()[3] for line in toolcart("spool", "list", spool).stdout.splitlines()]
    assert len(listed) == len(set(listed)) and [number for _, number in areas()] == [1, 2, 3, 4, 5, 6]
    run("drop", "2", "5", "--yes", "--spool", spool)
    assert [number for _, number in areas()] == [1, 3, 4, 6]
    run("drop", "all", "--yes", "--spool", spool)
    assert areas() == []
    assert [line.split()[3] for line in toolcart("spool", "list", spool).stdout.splitlines()] == listed


def test_a_list_of_a_spool_marks_what_is_set_aside(spool):
    def marked(*words):
        lines = toolcart("spool", "list", spool, *words).stdout.splitlines()
        return {line.split()[3] for line in lines if line.endswith(" (set aside)")}

    assert marked() == {"1", "2", "3", "4", "5", "6"}
    run("drop", "2", "5", "--yes", "--spool", spool)
    assert marked() == marked("--all") == {"1", "3", "4", "6"}
    help_text = " ".join(toolcart("spool", "list", "--help").stdout.split())
    assert "oldest first. Those that are set aside are marked, and come last where" in help_text


def test_retry_and_drop_on_a_stopped_spool_last(spool):
    output = run("retry", "1-2", "6", "--spool", spool, code=1).stdout
    assert "2 to be offered again when the agent runs" in output and "cannot read it either" in output
    assert "2 to be offered again" in run("retry", "1-2", "--in-doubt", "--spool", spool).stdout
    assert "has to run" in run("drop", "first", "--yes", "--spool", spool, code=1).stderr
    run("drop", "all", "--spool", spool, code=2)  # no terminal, no --yes
    assert "1 dropped; 5 in the quarantine" in run("drop", "2", "--yes", "--spool", spool).stdout
    assert "5 dropped; 0 in the quarantine" in run("drop", "all", "--yes", "--spool", spool).stdout
    assert "0 in the quarantine" in run("list", "--spool", spool).stdout
    assert "no record 9" in run("drop", "9", "--yes", "--spool", spool, code=1).stderr
    assert "? is no number" in run("drop", "\u00b2", "--yes", "--spool", spool, code=1).stderr


def test_a_spool_in_which_nothing_was_ever_stored_has_an_empty_quarantine(tmp_path):
    path = tmp_path / "cart.spool"
    FileFlash(str(path), 16 * 4096).close()
    assert "0 in the quarantine" in run("list", "--spool", path).stdout
    path.write_bytes(path.read_bytes()[:4096] + b"x" * 65536)
    assert "nothing that can be read as a spool" in run("list", "--spool", path, code=2).stderr


def test_a_configuration_names_the_spool_and_its_station(spool):
    config = written(spool.parent, cart_with("cart.spool"))
    assert "6 in the quarantine" in run("list", "--config", config, "--station", "7").stdout
    assert "has no station 8" in run("list", "--config", config, "--station", "8", code=2).stderr
    run("list", code=2)


def test_of_several_stations_one_has_to_be_named_as_the_command_names_it(tmp_path):
    path = written(tmp_path, cart_of(stations=[station_at(number) for number in (7, 8)]))
    assert "--station is needed, one of 7, 8." in run("list", "--config", path, code=2).stderr
    again = ["spool", "offer-again", "--leave"]
    assert "Error: STATION is needed, one of 7, 8." in toolcart(*again, "--config", path, code=2).stderr
    assert "it goes without STATION" in toolcart(*again, 7, "--spool", "s", code=2).stderr


def test_an_order_goes_to_no_spool_of_another_station(tmp_path):
    spool = tmp_path / "cart.spool"
    FileFlash(str(spool), 65536, owner=(3, 1, 10)).close()
    path = written(tmp_path, cart_of(number=11))
    assert "belongs to station 10" in run("drop", "all", "--yes", "--config", path, code=2).stderr
    assert "it goes without --station" in run("drop", "all", "--yes", "--spool", spool, "--station", 11, code=2).stderr
    assert "0 dropped" in run("drop", "all", "--yes", "--config", written(tmp_path, cart_of(number=10))).stdout


def test_a_spool_that_is_not_there_is_reported_and_not_made(tmp_path):
    assert "no such spool" in run("list", "--spool", tmp_path / "none", code=2).stderr
    assert os.listdir(tmp_path) == []


def test_an_agent_without_a_socket_is_reported_and_left_alone(spool):
    with contextlib.closing(FileFlash(str(spool), 0)):
        assert "stop that one first" in run("drop", "all", "--yes", "--spool", spool, code=3).stderr


def test_an_order_waits_while_another_one_has_the_spool(spool):
    flash = FileFlash(str(spool), 0)
    threading.Timer(0.5, flash.close).start()
    assert "6 dropped" in run("drop", "all", "--yes", "--spool", spool).stdout


def test_an_order_says_that_it_waits_for_toolsnet_where_the_configuration_has_none(spool):
    of_file = [{"kind": "file", "path": "results.jsonl"}]
    for outlets, words in (({}, "the agent runs"), ({"outlets": of_file}, "ToolsNet is configured again")):
        toolsnet = False if outlets else None
        tree = cart_of(number=7, station={"spool": {"path": str(spool)}, **outlets}, toolsnet=toolsnet)
        output = run("retry", "1", "--config", written(spool.parent, tree)).stdout
        assert f"to be offered again when {words}" in output


def test_a_retry_of_a_running_agent_says_when_it_is_offered_whether_toolsnet_is_connected_or_not(capsys):
    counts = {"count": 2, "parked": 3, "running": True}
    assert orders.carry_out_and_print(lambda _words: [counts], "retry", ["all"]) == 0
    words = "2 to be offered again now if ToolsNet is connected, else as soon as it is "
    words += "(give the order again if the agent restarts first); 3 in the quarantine until then\n"
    assert capsys.readouterr().out == words


class Running:
    """A running agent's socket, turned by the test."""

    def __init__(self, path, dispatch, *options, **more):
        self.control = Control(str(path) + SUFFIX, dispatch, *options, **more)
        self.now = 0
        self.clients = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.control.close()
        for client in self.clients:
            client.close()

    def turn(self, count=1):
        """So many turns; what the last one gives."""
        return [self.control.on_turn(self.now) for _ in range(count)][-1]

    def connected(self, text=b""):
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.control.path)
        client.setblocking(False)
        client.sendall(text)
        self.clients.append(client)
        self.turn()
        return client


def numbers(words, _asker):
    yield {"words": words}
    yield None
    yield {"more": 1}


def lines_of(client):
    with contextlib.suppress(BlockingIOError):
        return [json.loads(line) for line in client.recv(1 << 20).splitlines()]


@pytest.fixture
def listing(tmp_path):
    """An agent that takes one order."""
    with Running(tmp_path / "cart.spool", {"list": numbers}) as running:
        yield running


def test_the_socket_is_the_owners_alone_and_goes_with_the_agent(tmp_path):
    path = tmp_path / "cart.spool"
    with Running(path, {}):
        mode = os.stat(str(path) + SUFFIX).st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
        with Running(path, {}) as again:  # after a SIGKILL the name is still there
            assert again.control.problem == ""
        assert os.listdir(tmp_path) == []


def test_an_order_is_answered_piece_by_piece(listing):
    client = listing.connected(b"list a\n")
    listing.turn(7)
    assert lines_of(client) == [{"words": ["list", "a"]}, {"more": 1}, {"end": True}]
    assert client.recv(10) == b"" and listing.control.listener.sock is not None


def test_a_second_client_waits_and_is_served_then(listing):
    first, second = listing.connected(), listing.connected()
    second.send(b"list\n")
    listing.turn(5)
    assert lines_of(second) is None and listing.control.listener.sock is None
    first.close()
    listing.turn(10)
    assert lines_of(second)[-1] == {"end": True}


def test_who_says_or_takes_nothing_is_cut_off(tmp_path):
    done = []

    def long(_words, _asker):
        for _ in range(200):
            yield {"filler": "x" * 10000}
        done.append(True)

    with Running(tmp_path / "cart.spool", {"list": long}) as running:
        silent = running.connected()
        running.now = PATIENCE_MS
        running.turn()
        assert silent.recv(10) == b""
        running.connected(b"list\n")
        running.turn(400)
        assert not done and len(running.control.talks[0].pending) < 200000
        running.now += PATIENCE_MS
        running.turn(400)
        assert done and running.control.talks[0].client.sock is None and running.control.listener.sock is not None
        assert running.control.on_turn(running.now) == FOREVER


CHANGING = ("drop all", "retry all", "offer-again from 1", "offer-again leave")


class Asked:
    """What a station of a running agent is asked at its spool's socket; the work of an order is `job`."""

    def __init__(self, monkeypatch, running_at, job):
        from toolcart.agent.linux import offer_again
        from toolcart.agent.quarantine import orders as quarantine_orders

        cart = Cart().until_ready()
        for module in (quarantine_orders, offer_again):
            monkeypatch.setattr(module, "of_station", lambda station, board, words: job(words))
        self.told = []
        self.running = Running(running_at, station_orders(cart.station, cart.board, self.told.append))


@pytest.mark.parametrize("words", CHANGING)
def test_an_order_whose_sender_has_gone_before_it_is_read_is_not_carried_out(tmp_path, monkeypatch, words):
    done = []

    def job(words):
        done.append(words)
        yield {"count": 1, "parked": 0}

    asked = Asked(monkeypatch, tmp_path / "cart.spool", job)
    with asked.running as running:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(running.control.path)
            client.sendall(words.encode() + b"\n")
        running.turn(5)
        assert not done and running.control.talks[0].is_free()
        assert [line.split("ordered ")[1] for line in asked.told] == [
            f"`{words}` at station 10: its sender gave it up; nothing was done"
        ]
        running.connected(words.encode() + b"\n")
        running.turn(5)
        assert done == [words.split()], "the next one is"


@pytest.mark.parametrize("words", CHANGING)
def test_an_order_that_waits_is_given_up_with_its_sender(tmp_path, monkeypatch, words):
    done = []

    def job(words):
        yield {"dropped": 3}
        for _ in range(3):
            yield None
            done.append(words)

    asked = Asked(monkeypatch, tmp_path / "cart.spool", job)
    with asked.running as running:
        monkeypatch.setattr(control, "SLICE_S", 0)  # one piece a turn
        client = running.connected(words.encode() + b"\n")
        running.turn()
        client.close()
        running.turn(5)
        assert len(done) < 3 and running.control.talks[0].is_free()
        assert asked.told[0].endswith(": its sender gave it up; part of it was done before")


def test_an_order_that_is_done_is_called_so_though_its_sender_has_gone(tmp_path, monkeypatch):
    def job(_words):
        yield {"dropped": 3}
        yield {"count": 1, "parked": 0}

    asked = Asked(monkeypatch, tmp_path / "cart.spool", job)
    with asked.running as running:
        monkeypatch.setattr(control, "SLICE_S", 0)
        client = running.connected(b"drop 3\n")
        asker = running.control.talks[0]._asker
        running.turn(2)
        client.close()
        running.turn(5)
        assert asker.gone and asked.told[0].endswith(": 1 dropped, 0 are left in the quarantine")


def test_who_waits_for_a_slow_agent_is_not_cut_off(tmp_path):
    def slow(_words, _asker):
        while running.now < 3 * PATIENCE_MS:
            yield None
        yield {"count": 1}

    with Running(tmp_path / "cart.spool", {"list": slow}) as running:
        client = running.connected()
        running.now = PATIENCE_MS  # the agent was stopped as long
        client.sendall(b"list\n")
        for _ in range(5):
            running.turn(3)
            running.now += PATIENCE_MS
        running.turn(3)
        assert lines_of(client) == [{"count": 1}, {"end": True}]


@contextlib.contextmanager
def silent_agent(spool, monkeypatch, reads):
    """In place of an agent: it takes an order, or does not even read it, and says nothing until nobody waits."""
    taken = []

    class Sender:
        def __init__(self, sock):
            self._sock = sock

        def __getattr__(self, name):
            return getattr(self._sock, name)

        def sendall(self, octets):
            self._sock.sendall(octets)
            if reads:
                taken.append(listening.accept()[0])
                assert taken[-1].recv(LINE_MAX) == octets

    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening, contextlib.closing(FileFlash(str(spool), 0)):
        listening.bind(str(spool) + SUFFIX)
        listening.listen(1)
        own = control.answer_to
        monkeypatch.setattr(orders, "answer_to", lambda sock, *rest: own(Sender(sock), *rest))
        monkeypatch.setattr(orders, "ANSWER_S", 0.01)
        yield
        for sock in taken:
            sock.close()


GIVEN_UP = [
    (False, 3, ("does not answer", "the order is withdrawn, and is not carried out")),
    (True, 5, ("does not answer within", "it has read the order", "may have been carried out", "agent's log", "again")),
]


@pytest.mark.parametrize(("reads", "code", "said"), GIVEN_UP)
@pytest.mark.parametrize("words", CHANGING)
def test_who_gives_an_order_up_hears_whether_it_may_have_been_carried_out(spool, monkeypatch, words, reads, code, said):
    give = ("spool", *words.replace("from", "--from").replace("leave", "--leave").split())
    if "offer-again" not in words:
        give = ("quarantine", *words.split(), *["--yes"] * words.startswith("drop"))
    with silent_agent(spool, monkeypatch, reads):
        output = toolcart(*give, "--spool", spool, code=code).stderr
    for part in said:
        assert part in output, output


def test_who_only_looks_hears_only_that_no_answer_came(spool, monkeypatch):
    with silent_agent(spool, monkeypatch, True):
        output = run("list", "--spool", spool, code=3).stderr
    assert "does not answer" in output and "carried out" not in output


def test_an_order_that_an_agent_has_taken_and_breaks_off_may_have_been_carried_out(spool, monkeypatch):
    with silent_agent(spool, monkeypatch, False):
        monkeypatch.setattr(orders, "answer_to", lambda *_: [{"looked": 1}])
        output = toolcart("spool", "offer-again", "--from", 1, "--spool", spool, code=5).stderr
        assert "it may have been carried out" in output and "agent's log" in output
        assert "ask again" in run("list", "--spool", spool, code=3).stderr


def test_silent_clients_hold_up_no_one_for_long(tmp_path):
    def status(_words, _asker):
        yield {"agent": {"pid": 1}}
        for number in range(2):
            yield {"station": {"number": number, "text": "x" * 2000}}

    with Running(tmp_path / "agent", {"status": status}, CLIENTS, ours=False) as running:
        for _ in range(CLIENTS - 1):
            running.connected(b"sta")
        one = running.connected(b"status\n")
        running.turn(5)
        assert lines_of(one)[-1] == {"end": True}
        running.connected()
        running.now = 100
        late = running.connected(b"status\n")
        left = running.turn(5)
        assert lines_of(late) is None and running.control.listener.sock is None and 0 < left <= PATIENCE_MS
        for running.now in range(PATIENCE_MS, PATIENCE_MS + 200, 20):
            running.turn()
        assert lines_of(late)[-1] == {"end": True}


def test_what_is_no_order_is_refused(listing):
    for request in (b"explode\n", b"\n", b"\xff\xfe\n"):
        client = listing.connected(request)
        listing.turn(2)
        assert "no such order" in lines_of(client)[0]["error"]
        listing.turn(2)
    client = listing.connected(b"x" * (LINE_MAX + 1))
    listing.turn(3)
    assert client.recv(10) == b""


def test_a_path_too_long_for_a_socket_is_noted(tmp_path):
    with Running(tmp_path / ("x" * 120), {}) as running:
        assert running.control.problem
        running.turn()


def is_answered(running):
    """Whether who asks at the socket's name now reaches this agent."""
    client = running.connected(b"list\n")
    running.turn(7)
    return bool(lines_of(client))


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("how", ["removed", "left by another"])
def test_a_socket_whose_name_is_lost_is_made_again(tmp_path, ours, how):
    with Running(tmp_path / "agent", {"list": numbers}, 4, ours=ours) as running:
        assert is_answered(running)
        os.unlink(running.control.path)
        if how == "left by another":
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as left:
                left.bind(running.control.path)
        running.now = LOOK_MS
        running.turn()
        assert is_answered(running) and running.control.problem == ""
    assert [name for name in os.listdir(tmp_path) if name.startswith("agent")] == []


@pytest.mark.parametrize("ours", [True, False])
def test_an_agent_whose_folder_was_renamed_answers_where_that_is_now(tmp_path, ours):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with Running(before / "agent", {"list": numbers}, 4, ours=ours) as running:
        path = running.control.path
        before.rename(after)
        for moment in (1, 2):
            running.now = moment * LOOK_MS
            running.turn()
            running.control.path = path.replace(str(before), str(after))
            assert is_answered(running)
            running.control.path = path
            assert running.control.problem == f"{path}: No such file or directory"
        after.rename(before)
        running.now = 3 * LOOK_MS
        running.turn()
        assert is_answered(running) and running.control.problem == ""
    assert os.listdir(before) == []


def test_an_agent_that_another_one_answers_for_takes_its_place_when_that_ends(tmp_path):
    path = tmp_path / "agent"
    with Running(path, {"list": numbers}, 4, ours=False) as first:
        with Running(path, {"list": numbers}, 4, ours=False) as second:
            second.turn()
            assert "another agent answers there" in second.control.problem and second.control.listener.sock is None
            first.control.close()
            second.now = LOOK_MS
            second.turn()
            assert second.control.problem == "" and is_answered(second)
            first.control.close()
            assert is_answered(second), "whose name it is not any more"
    assert os.listdir(tmp_path) == []


def test_orders_reach_a_board_over_its_cable(capsys):
    from host_tests.tools.flash.test_board_commands import Running as Board

    board = Board()
    board_commands.give_order(board, 10, "list", [])
    assert "0 in the quarantine" in capsys.readouterr().out
    with pytest.raises(BoardError, match="no record 3"):
        board_commands.give_order(board, 10, "drop", ["3"])
    with pytest.raises(BoardError, match="too many numbers"):
        board_commands.give_order(board, 10, "drop", ["3"] * 60)


def test_the_configuration_of_a_running_agent_is_no_spool(spool):
    config, said = written(spool.parent, cart_with(spool)), []

    def ask():
        said.append(run("list", "--spool", config, code=2).stderr)
        said.append(run("drop", "all", "--yes", "--spool", config, code=2).stderr)

    assert run_agent_while(config, ask)[0] == 0
    assert len(said) == 2 and all(f"{config} does not begin as a spool" in one for one in said), said


def test_a_running_agent_is_asked_at_its_socket_and_goes_on(spool):
    answers = []

    def ask():
        answers.extend(orders.LocalSpool(spool).ask(words) for words in (["list"], ["retry", "1-2"], ["status"]))

    assert run_agent_while(written(spool.parent, cart_with(spool)), ask)[0] == 0
    listed, retried, status = answers
    assert listed[-1]["parked"] == 6 and listed[-1]["station"] == 7
    assert [line.get("asked") for line in retried[:2]] == [True, True] and retried[-1]["running"]
    assert status[0]["station"]["backlog"] == 0 and status[0]["station"]["parked"] == 6
    assert not os.path.exists(str(spool) + SUFFIX)


@pytest.mark.parametrize("running", [False, True])
def test_what_was_set_aside_and_cannot_be_read_is_no_empty_quarantine(spool, running):
    run("drop", "2", "--yes", "--spool", spool)  # so that a snapshot knows of it
    octets = bytearray(spool.read_bytes())
    octets[4096 + 4 * 4096 : 4096 + 8 * 4096] = bytes(4 * 4096)
    spool.write_bytes(octets)
    words = "up to 5 more were set aside and cannot be read"

    def look():
        listed = run("list", "--spool", spool, code=1)
        assert "0 in the quarantine can be read" in listed.stdout and words in listed.stderr
        assert words in run("export", "--spool", spool, code=1).stderr

    stations, config = [], written(spool.parent, cart_with(spool))

    def look_at_the_running_agent():
        look()
        stations.append(orders.LocalSpool(spool).ask(["status"])[0]["station"])

    if running:
        for _ in range(2):  # what a start writes does not make it forget
            assert run_agent_while(config, look_at_the_running_agent)[0] == 0
            look()
        for station in stations:
            assert (station["parked"], station["parked_unreadable"]) == (5, 5)
            [need] = [need for need in latched_conditions.all_needs(station) if need.slug == "unreadable"]
            assert "5 results at most of those that are set aside cannot be read" in need.text()
    else:
        look()
    assert "up to 5 records that were" in toolcart("spool", "check", spool, code=1).stderr
    ordered = ": 0 dropped, up to 5 that cannot be read given up, 0 are left"
    dropped = run("drop", "all", "--yes", "--spool", spool).stdout
    assert "0 dropped, up to 5 that cannot be read given up; 0 in the quarantine" in dropped
    assert ordered in Path(str(spool) + order_log.SUFFIX).read_text()
    assert "0 in the quarantine\n" in run("list", "--spool", spool).stdout


def status_line(**changed):
    return status_of(healthy_station(**changed))


def test_the_log_tells_what_did_not_arrive():
    figures = Figures()

    def texts_after(**changed):
        return [change.text for change in figures.feed(status_line(**changed), 0.0)]

    assert not [text for text in texts_after() if "set aside" in text or "gone" in text or "overwritten" in text]
    need = {"why": "the quarantine is full"}
    wrong = {"overwritten": 4, "parked": 3, "needs_operator": need}
    changes = texts_after(**wrong)
    for words in (
        "4 results at most overwritten before ToolsNet had them, because the spool was full",
        "3 results set aside",
        "needs an operator: the quarantine is full",
    ):
        assert [text for text in changes if text.startswith(words)]
    assert texts_after(**wrong) == []
    hold = {"kind": "toolsnet", "is_up": True, "refused": {"doing": "hold", "code": 17, "number": 4}}
    held = texts_after(**{**wrong, "outlets": [{**healthy_station()["outlets"][0], **hold}]})
    assert any("no room: nothing else is sent" in text for text in held)
    assert "the quarantine has room again" not in held, "in the same second as that it has none"
    assert "the quarantine has room again" in texts_after(**{**wrong, "parked": 2, "needs_operator": None})
    figures.feed({"kind": "started", "pid": 1}, 1.0)
    assert [text for text in texts_after(**wrong) if text.startswith("3 results set aside")]


def test_that_nothing_is_left_to_fetch_is_reported_with_what_is_gone():
    figures = Figures()
    figures.feed(status_line(recovery={"open_ids": 139, "gone": 0}), 0.0)
    texts = [change.text for change in figures.feed(status_line(recovery={"open_ids": 0, "gone": 119}), 1.0)]
    assert "no more missed results are asked for: some count as gone" in texts
    assert "no missed result is left in the controller" not in texts, "not all may have been asked for"
    assert any("119 results may be gone: the controller no longer has their tightening IDs" in text for text in texts)
    recovery = {"open_ids": 0, "gone": 120}
    texts = [change for change in figures.feed(status_line(recovery=recovery), 61.0) if "120" in change.text]
    assert texts[0].level == "warning"
    assert texts[0].text.endswith(
        "no longer has their tightening IDs, or was not asked for them; `toolcart spool gaps FILE` lists them"
    )


def test_delivered_is_what_toolsnet_acknowledged():
    figures = Figures()
    figures.feed(status_line(stored=20, delivered=9), 0.0)
    assert totals(figures)["delivered"] == 9


def test_the_rate_beside_delivered_is_that_of_stations_with_toolsnet():
    figures = Figures()
    with_toolsnet = healthy_station(number=1, stored=0, delivered=0, backlog=0)
    without = {**healthy_station(number=2, stored=0, backlog=0)}
    del without["delivered"]
    figures.feed(status_of(with_toolsnet, without), 0.0)
    figures.feed(status_of(with_toolsnet, {**without, "stored": 30}), 3.0)
    assert (totals(figures)["delivered"], totals(figures)["delivered_per_s"]) == (0, 0)
    assert totals(figures)["stored_per_s"] == 10 and "delivered 0 (0/s)" in totals_text(figures).replace("0.0", "0")


def test_a_drop_that_waits_is_promised_and_not_said_to_be_done(capsys):
    last = {"count": 1, "parked": 24, "soon": True}
    orders._print_drop([last], False)
    promised = "the first is dropped as soon as it is known what became of it"
    assert capsys.readouterr().out == f"{promised}: give the order again if the agent restarts first\n"
    assert order_log.outcome_of([last]) == f"{promised}, unless the agent restarts first"
    orders._print_drop([{**last, "soon": False}], False)
    assert capsys.readouterr().out == "1 dropped; 24 in the quarantine\n"


def test_the_live_panel_calls_nothing_lost_that_is_on_its_way():
    text = panels.both_books({"acknowledged": 10, "delivered": 4, "lost": 6, "overtaken": 3}, 1, 80).plain
    assert "lost" not in text and "on the way 5" in text


def test_the_service_is_meant_where_nothing_is_named(tmp_path, spool, monkeypatch):
    """What `status`, the log and the live view say can be typed as it stands."""
    path = written(tmp_path, cart_with(spool))
    monkeypatch.setattr(orders.config_file, "SERVICE_CONFIG", path)
    assert "6 in the quarantine" in run("list", "--station", 7).output
    path.unlink()
    assert str(path) in run("list", "--station", 7, code=2).output


READING = (
    ["quarantine", "list"],
    ["quarantine", "list", "--json"],
    ["quarantine", "show", 2],
    ["quarantine", "export"],
    ["spool", "offer-again", "--from", 1, "--dry-run"],
    ["spool", "list"],
    ["spool", "check"],
    ["spool", "gaps"],
    ["spool", "info"],
    ["spool", "export"],
    ["spool", "rescue"],
)


@pytest.fixture
def read_only(monkeypatch):
    """A file system that nobody can write to."""
    own_open = os.open

    def opened(path, flags, *rest, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return own_open(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", opened)


@pytest.mark.parametrize("command", READING, ids=lambda words: " ".join(map(str, words)))
def test_what_only_reads_needs_no_right_to_write(spool, read_only, command):
    is_order = command[0] == "quarantine" or "offer-again" in command
    output = toolcart(*command, *["--spool"] * is_order, spool, code=None)
    assert output.exit_code == 0 and "read-only" not in output.stderr.lower(), output.stderr
    assert "Read-only file system" in run("drop", "all", "--yes", "--spool", spool, code=2).stderr


def test_a_socket_that_a_killed_agent_left_keeps_nobody_from_reading(spool, monkeypatch):
    def refused(*_):
        raise orders.OrderNotGiven("only anna, the owner of the spool, may give orders", 3)

    monkeypatch.setattr(orders, "ask_agent", refused)
    assert "6 in the quarantine" in run("list", "--spool", spool).stdout
    run("drop", "all", "--yes", "--spool", spool, code=3)
    with contextlib.closing(FileFlash(str(spool), 0)):
        assert "only anna" in run("list", "--spool", spool, code=3).stderr


class FullFlash(RamFlash):
    """A flash that may say that it takes nothing."""

    refused = flash.REFUSED_NOTHING

    def refusal(self):
        return self.refused


@pytest.mark.parametrize(
    "words", ["retry all", "drop all", "drop first", "offer-again from 1", "offer-again leave", "list", "show 1"]
)
@pytest.mark.parametrize("refused", [flash.REFUSED_NO_ROOM, flash.REFUSED_READ_ONLY, flash.REFUSED_GONE])
def test_an_order_to_a_spool_that_takes_nothing_says_so_and_promises_nothing(refused, words, monkeypatch):
    cart = Cart(make_flash=FullFlash).until_ready()
    monkeypatch.setattr(FullFlash, "refused", refused)
    told, words = [], words.split()
    asker = SimpleNamespace(user="anna", gone=False)
    lines = list(station_orders(cart.station, cart.board, told.append)[words[0]](words, asker))
    if words[0] in ("list", "show"):
        assert not told and "takes nothing" not in str(lines)
        return
    assert [*lines[0]] == ["error"] and linux_refusal.meaning(refused) in lines[0]["error"]
    assert "the spool of station 10 takes nothing now: " in lines[0]["error"]
    assert told == [f"anna ordered `{' '.join(words)}` at station 10: not done: {lines[0]['error']}"]
