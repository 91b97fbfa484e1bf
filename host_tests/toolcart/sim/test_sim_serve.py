"""The simulators over real TCP: they answer, can be cut and connected again, and keep the account."""

import io
import socket
import threading
import time

import pytest

from toolcart import simulated
from toolcart.base.clock import TICKS_PERIOD
from toolcart.sim.controller import Controller
from toolcart.sim.memory_archive import MemoryArchive
from toolcart.sim.orders import HELP, Orders
from toolcart.sim.serve import Loop, Producer, RealClock, Served, SimulatedPlant, serve_controller, serve_toolsnet
from toolcart.toolsnet.telegrams import take_apart
from host_tests.toolcart.sim.test_sim_controller import ACKNOWLEDGE, START, SUBSCRIBE, old
from host_tests.toolcart.sim.test_sim_toolsnet import REQUEST, RESULT, result

# Every wait ends: a loaded machine is given this long for what takes milliseconds.
DEADLINE_S = 20


@pytest.fixture
def plant():
    with SimulatedPlant() as simulated:
        yield simulated


def connect(port):
    return socket.create_connection(("127.0.0.1", port), DEADLINE_S)


def take(sock, count):
    """Return exactly `count` bytes; fails when the connection ends before."""
    octets = b""
    while len(octets) < count:
        piece = sock.recv(count - len(octets))
        assert piece, "the connection ended"
        octets += piece
    return octets


def until(condition):
    """Wait until `condition()` is true, and say so if it never is."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def subscribed(plant):
    sock = connect(plant.controller_port)
    sock.sendall(START)
    take(sock, 222)
    sock.sendall(SUBSCRIBE)
    take(sock, 25)
    return sock


def test_a_locked_tool_makes_nothing_and_catches_nothing_up(plant):
    plant.produce_rate(50)
    until(lambda: len(plant.controller.produced) > 3)
    plant.loop.call(lambda: setattr(plant.controller, "is_locked", True))
    before = len(plant.controller.produced)
    time.sleep(0.3)
    assert len(plant.controller.produced) == before
    unlocked_s = time.monotonic()
    plant.loop.call(lambda: setattr(plant.controller, "is_locked", False))
    until(lambda: len(plant.controller.produced) > before + 5)
    produced = len(plant.controller.produced) - before
    assert produced <= 50 * (time.monotonic() - unlocked_s) + 5


def test_result_goes_over_real_sockets_from_controller_to_archive(plant):
    with subscribed(plant) as cart:
        number = plant.produce(pset=12)[0]
        frame = take(cart, 122)
        assert frame[111:121] == b"%010d" % number
        cart.sendall(ACKNOWLEDGE)
        until(lambda: plant.account()["acknowledged"] == 1)
        account = plant.account()
        assert (account["lost"], account["waiting"], account["missing"]) == (1, 1, [number])
    with connect(plant.pim_port) as pim:
        assert take(pim, 11) == b"00071200001"
        pim.sendall(b"0024050000120240314092654000" + REQUEST)
        answer = take(pim, 41)
    assert int(answer[36:41]) == plant.server_port
    with connect(int(answer[36:41])) as server:
        server.sendall(result(1, 1, number) * 2)
        assert take(server, 56)[25:28] == b"000"
    account = plant.account()
    assert (account["delivered"], account["lost"], account["repeated"]) == (1, 0, 1)
    assert plant.complaints() == []


def test_recovered_result_counts_as_acknowledged_when_asked_by_number(plant):
    number = plant.produce(2)[0]
    with subscribed(plant) as cart:
        cart.sendall(old(0))
        take(cart, 227)
        assert plant.account()["acknowledged"] == 0
        cart.sendall(old(number))
        take(cart, 227)
        assert plant.account()["acknowledged"] == 1


def test_overtaken_result_is_distinguished_from_one_that_waits(plant):
    first, second, third = plant.produce(3)
    with subscribed(plant) as cart:
        for number in (first, second, third):
            cart.sendall(old(number))
            take(cart, 227)
    with connect(plant.server_port) as server:
        server.sendall(result(1, 1, second))
        take(server, 28)
    account = plant.account()
    assert (account["lost"], account["overtaken"], account["waiting"]) == (2, 1, 1)
    assert account["missing"] == [first, third]


def test_cut_resets_refuses_and_comes_back_on_the_same_port(plant):
    with subscribed(plant) as cart:
        port = plant.controller_port
        plant.cut_controller(True)
        with pytest.raises(ConnectionError):
            if not cart.recv(1):
                raise ConnectionError
        with pytest.raises(ConnectionError):
            connect(port)
    plant.cut_controller(False)
    assert plant.controller_port == port
    with subscribed(plant):
        pass
    plant.cut_toolsnet(True)
    for port in (plant.pim_port, plant.server_port):
        with pytest.raises(ConnectionError):
            connect(port)
    plant.cut_toolsnet(False)
    plant.cut_toolsnet(False)
    with connect(plant.pim_port) as pim:
        assert take(pim, 7) == b"0007120"


def test_producer_keeps_its_rate_and_count(plant):
    plant.produce_rate(500, jitter=0.5, count=20)
    until(lambda: plant.account()["produced"] == 20)
    plant.produce_rate(200)
    until(lambda: plant.account()["produced"] > 25)
    plant.stop_producing()
    produced = plant.account()["produced"]
    plant.produce()
    assert plant.account()["produced"] == produced + 1


def test_mistake_in_a_call_comes_back_to_the_caller(plant):
    with pytest.raises(ValueError):
        plant.produce(torqe=3)
    assert len(plant.produce()) == 1


def served(run):
    """Run a serve_... function in a thread; return what it told and a function that stops it."""
    lines = []
    stopping = threading.Event()
    thread = threading.Thread(target=run, args=(lines.append, stopping.is_set), daemon=True)
    thread.start()

    def stop():
        stopping.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()

    until(lambda: lines)
    return lines, stop


def test_controller_by_itself_produces_and_reports():
    lines, stop = served(lambda report, stop: serve_controller(port=0, rate=200, count=3, report=report, stop=stop))
    port = int(lines[0].rsplit(":", 1)[1])
    with connect(port) as cart:
        cart.sendall(START + ACKNOWLEDGE)
        take(cart, 222)
        until(lambda: "complaint: 0062 without an outstanding 0061" in lines)
    until(lambda: any("produced 3" in line for line in lines))
    stop()


def test_toolsnet_by_itself_serves_pim_and_server():
    lines, stop = served(lambda report, stop: serve_toolsnet(pim_port=0, server_port=0, report=report, stop=stop))
    port = int(lines[0].split(":")[1].split(",")[0])
    with connect(port) as pim:
        assert take(pim, 11) == b"00071200001"
    stop()


def test_real_clock_has_the_simulated_clocks_interface():
    clock = RealClock()
    assert 0 <= clock.now < TICKS_PERIOD
    assert clock.total_ms < 1000
    assert len(clock.stamp()) == 19


def test_line_takes_the_place_of_nothing_but_link_that_former_run_left(tmp_path):
    file, link, port = tmp_path / "precious", tmp_path / "old", tmp_path / "port"
    file.write_text("keep me")
    link.symlink_to(file)
    for path in (file, link, tmp_path):
        with pytest.raises(FileExistsError):
            serve_controller(link="ascii", device=str(path), stop=lambda: True, report=lambda _: None)
    assert file.read_text() == "keep me" and link.is_symlink()
    port.symlink_to("/dev/pts/999999")
    served_at = []
    serve_controller(
        link="ascii", device=str(port), stop=lambda: served_at.append(port.is_char_device()) or True, report=print
    )
    assert served_at == [True] and not port.is_symlink()


def test_line_that_somebody_else_has_taken_over_stays(tmp_path):
    port = tmp_path / "port"

    def taken_over():
        port.unlink()
        port.write_text("another's")
        return True

    serve_controller(link="ascii", device=str(port), stop=taken_over, report=print)
    assert port.read_text() == "another's"


def test_every_order_does_what_the_help_says():
    loop = Loop()
    controller = Controller(loop.clock)
    producer, served = Producer(controller), Served(loop, controller.endpoint)
    orders = Orders(io.StringIO(), print)
    orders.begin(loop, controller, producer, served)
    assert orders.carry_out("produce 2\n") == "produced 1 to 2" and orders.carry_out("elsewhere 3") == ""
    assert orders.carry_out("jump 4") == "" and orders.carry_out("produce") == "produced 10 to 10"
    assert orders.carry_out("forget 10") == "" and controller.result(10) is None
    assert orders.carry_out("reset 5") == "" and controller.latest() is None
    assert orders.carry_out("rate 3") == "" and producer.per_second == 3
    assert orders.carry_out("silent") == "" and controller.options.silent
    assert orders.carry_out("speak") == "" and not controller.options.silent
    assert orders.carry_out("alarm E404") == "" and controller.alarm.code == "E404"
    assert orders.carry_out("clear") == "" and controller.alarm is None
    assert orders.carry_out("pset 12") == "" and controller.selected.pset == 12
    assert orders.carry_out("job 7") == "" and controller.job.job == 7 and orders.carry_out("vehicle WVW1") == ""
    assert orders.carry_out("clock -300") == "" and controller.options.clock_ahead_s == -300
    assert orders.carry_out("set window=4") == "" and controller.options.window == 4
    port = served.port
    connect(port).close()
    assert orders.carry_out("cut") == ""
    with pytest.raises(ConnectionError):
        connect(port)
    assert orders.carry_out("connect") == "" and orders.carry_out("drop") == "" and orders.carry_out("say x\\0") == ""
    connect(port).close()
    assert orders.carry_out("help").split("\n") == HELP and orders.carry_out("") == ""
    for wrong in (
        "produce x",
        "produce 1001",
        "jump",
        "forget -1",
        "rate x",
        "alarm",
        "pset 3",
        "job 100",
        "vehicle",
        "clock x",
        "set window=x",
        "set nix=1",
        'set pushed_as={"torque": 1.5}',
        "x",
    ):
        assert orders.carry_out(wrong) != "", wrong
    loop.close()


# The SQLite archive holds every field of a result, each result once, and can be asked by people.


def result_fields(sequence=17, tightening_id=1234567, time="20240314092653", **more):
    """Return the worked result taken apart, with some fields changed."""
    fields, breaches = take_apart(RESULT)
    assert breaches == []
    fields["parameters"][0]["value"] = str(tightening_id)
    return {**fields, "sequence": sequence, "time": time, **more}


def event(sequence=4):
    place = {"system_type": 3, "system": 1, "station": 10}
    parameters = [{"parameter_id": 1, "type": 0, "value": "E404"}]
    return {**place, "sequence": sequence, "time": "20240314093000", "code": 404, "level": 2, "parameters": parameters}


@pytest.fixture
def archive():
    return MemoryArchive()


def test_the_store_stores_once_and_counts_repeats_and_order(archive):
    assert archive.store_result(result_fields(1, 11))
    assert archive.store_result(result_fields(3, 13))
    assert not archive.store_result(result_fields(1, 11))
    assert archive.store_result(result_fields(2, 12))
    assert (archive.stored, archive.repeated, archive.out_of_order) == (3, 1, 1)
    assert archive.tightening_ids() == [11, 13, 12]
    assert archive.sequences() == [1, 3, 2]


def test_the_store_returns_the_number_stored_last_for_each_station(archive):
    archive.store_result(result_fields(99999, 1))
    archive.store_result(result_fields(1, 2))
    archive.store_result(result_fields(7, 3, station=11))
    assert archive.latest_result(3, 1, 10) == 1
    assert archive.latest_result(3, 1, 11) == 7
    assert archive.latest_result(3, 2, 10) == 0
    assert archive.out_of_order == 0


def test_the_store_stores_an_event_once(archive):
    assert archive.store_event(event())
    assert not archive.store_event(event())
    assert (archive.events_stored, archive.events_repeated) == (1, 1)
    assert archive.latest_event(3, 1, 10) == 4


def test_the_store_forgets_as_an_older_backup_does(archive):
    for sequence in (1, 2, 3):
        archive.store_result(result_fields(sequence, sequence))
    archive.restore_backup(2)
    assert archive.tightening_ids() == [1] and archive.stored == 1
    assert archive.latest_result(3, 1, 10) == 1
    assert archive.store_result(result_fields(2, 2))
    archive.clear()
    assert archive.stored == 0
    assert archive.latest_result(3, 1, 10) == 0


def test_the_store_knows_the_names_of_programs(archive):
    spindles = [{"spindle": 1, "name": "Left", "programs": [{"program": 12, "name": "Seat belt"}]}]
    place = {"system_type": 3, "system": 1, "station": 10, "ip": "10.0.0.9"}
    archive.describe_station({**place, "name": "Cart 10", "spindles": spindles})
    assert archive.programs == {(3, 1, 10, 1, 12): "Seat belt"} and archive.stations == {(3, 1, 10): "Cart 10"}


def test_a_nul_that_is_missing_at_the_end_of_a_connection_is_reported():
    for end, wanted in ((b"", ["0060"]), (b"\0", [])):
        with simulated.controller(strict=True) as one, socket.create_connection((one.host, one.port), 5) as line:
            for octets in (b"00200001003         \0", b"00200060001         " + end):
                line.sendall(octets)
                assert line.recv(4096)
            line.shutdown(socket.SHUT_WR)
            assert line.recv(4096) == b""
            assert [text[:4] for text in one.complaints] == wanted
