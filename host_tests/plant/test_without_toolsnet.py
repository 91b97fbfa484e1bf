"""A cart without ToolsNet: MQTT, a webhook or a file; ToolsNet added later, removed, emptied and offered again."""

import json
import re
import signal
import sqlite3
import time
from functools import partial

import pytest

from toolcart.tools.web import metrics, page
from toolcart.tools.web.page import AgentState
from host_tests.plant.as_installed import delivered
from host_tests.plant.plant_words import Words, shows
from host_tests.support import webhook
from host_tests.support.brokers import need_amqtt
from host_tests.support.consumers import HookServer, consuming
from host_tests.support.running import free_port, wait_for

ALSO = pytest.mark.long("one outlet alone, where the usual run has both")
LINES = {"kind": "file", "path": "lines.jsonl"}
WORDS_OF_TOOLSNET = ("ToolsNet", "toolsnet", "PIM", "set aside", "quarantine")


def lines_of(path):
    return [json.loads(line)["tightening_id"] for line in path.read_text().split("\n")[:-1]] if path.is_file() else []


def text_of_each_surface(site, cart, agent):
    """What people and machines are told of the running cart, by where."""
    status = site.status(cart)
    seen = AgentState("cart", status)
    figures = metrics.text_of([metrics.Agent("cart", status)]).splitlines(True)
    return {
        "log": agent.output,
        "status": site.run("status", "--config", cart).stdout,
        "doctor": site.run("doctor", "--config", cart).stdout,
        "page": page.agent(seen),
        "overview": page.overview([seen]),
        "metrics": "".join(line for line in figures if line[0] != "#"),
        "info": site.run("spool", "info", site.home / "7.spool").stdout,
    }


def nothing_of_toolsnet(surfaces):
    for where, text in surfaces.items():
        words = [word for word in WORDS_OF_TOOLSNET if word in text]
        assert not words, f"{where} speaks of {words}:\n{text}"
    return surfaces


def station_of(site, cart):
    return site.status(cart)["stations"][0]


def nothing_waits(site, cart):
    wait_for("nothing waits", lambda: station_of(site, cart)["backlog"] == 0)


def are_in(site, made):
    """Wait until these are the lines of the outlet's file."""
    wait_for("all in the file", lambda: lines_of(site.home / LINES["path"]) == texts(made))


class Hook(HookServer):
    """The HTTP server of the tests, and the outlet to it."""

    def __init__(self, folder):
        super().__init__(folder, "secret")
        url = f"http://127.0.0.1:{self.port}/toolcart"
        self.settings = {"kind": "webhook", "url": url, "token": {"file": "mes.token"}}

    def ids(self):
        try:
            return [line["tightening_id"] for line in webhook.stored(self.database)]
        except sqlite3.OperationalError:
            return []


@pytest.fixture
def hook(site, tmp_path):
    site.write("mes.token", "secret\n")
    (site.home / "mes.token").chmod(0o600)
    made = Hook(tmp_path)
    yield made
    made.kill()


def texts(numbers):
    return [str(number) for number in numbers]


def test_a_cart_with_mqtt_alone_delivers_and_never_speaks_of_toolsnet(site, plant, tmp_path):
    with need_amqtt()(tmp_path) as broker:
        outlet = {"kind": "mqtt", "host": "127.0.0.1", "port": broker.port}
        cart = site.cart(plant, toolsnet=False, station={"outlets": [outlet]})
        site.output("config", "check", cart, code=0)
        assert f"127.0.0.1:{broker.port} accepts connections" in site.output("doctor", "--config", cart)
        agent = site.begin(cart, "controller ready", "MQTT connected")
        place = tmp_path / "archive.sqlite"
        with consuming(place, f"{broker.url}/toolcart/+/+"):
            made = texts(plant.produce(5))
            nothing_waits(site, cart)
            with sqlite3.connect(place) as database:
                rows = database.execute('SELECT "TighteningId" FROM "Result" ORDER BY "ResultId"').fetchall()
            assert texts(one for (one,) in rows) == made
        station = station_of(site, cart)
        assert [outlet["kind"] for outlet in station["outlets"]] == ["mqtt"] and "parked" not in station
        surfaces = nothing_of_toolsnet(text_of_each_surface(site, cart, agent))
        assert (
            "5 stored, 0 waiting for MQTT" in surfaces["status"]
            and "5 stored, 0 waiting for MQTT" in surfaces["doctor"]
        )
        assert 'toolcart_connected{agent="cart",station="7",name="",side="mqtt"} 1' in surfaces["metrics"]
        for where in (("--config", cart), ("--spool", site.home / "7.spool"), ("--config", cart)):
            output = site.output("quarantine", "list", *where, code=1)
            assert "ToolsNet is not among the outlets of station 7" in output
            if where[0] == "--spool":
                assert agent.end() == 0  # the last one asks the spool itself


def test_a_full_spool_without_toolsnet_names_who_has_to_take(site, plant, tmp_path):
    outlet = {"kind": "mqtt", "host": "127.0.0.1", "port": free_port()}
    station = {"outlets": [outlet], "spool": {"path": "7.spool", "size_kib": 48}}
    cart = site.cart(plant, toolsnet=False, station=station)
    agent = site.begin(cart, "controller ready")
    plant.produce_rate(200)
    agent.wait_for("the spool is full: the controller keeps its results; MQTT has to take some")
    agent.wait_for("no MQTT: broker 127.0.0.1")
    plant.stop_producing()
    surfaces = nothing_of_toolsnet(text_of_each_surface(site, cart, agent))
    assert "MQTT has to take some" in surfaces["status"] and "MQTT has to take some" in surfaces["doctor"]


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(("webhook",), id="webhook", marks=ALSO),
        pytest.param(("file",), id="file", marks=ALSO),
        pytest.param(("file", "webhook"), id="file and webhook"),
    ],
)
def test_kills_lose_and_double_nothing_without_toolsnet(site, plant, hook, kinds):
    settings = {"webhook": hook.settings, "file": LINES}
    sides = {"webhook": hook.ids, "file": lambda: lines_of(site.home / LINES["path"])}
    cart = site.cart(plant, toolsnet=False, station={"outlets": [settings[kind] for kind in kinds]})
    made = []

    def arrived(kind):
        return sides[kind]()[-1:] == made[-1:]

    for kill in (None, "agent", "server", "agent"):
        agent = site.begin(cart, "controller ready")
        made += texts(plant.produce(20))
        if kill == "server":
            hook.kill()
            hook.start()
        elif kill == "agent":
            time.sleep(0.1)
            agent.end(signal.SIGKILL)
            continue
        for kind in kinds:
            wait_for(f"{made[-1]} at the {kind}", partial(arrived, kind))
        nothing_of_toolsnet(text_of_each_surface(site, cart, agent))
        agent.end()
    agent = site.begin(cart, "controller ready")
    for kind in kinds:
        wait_for(f"all at the {kind}", partial(arrived, kind))
        assert sides[kind]() == made


@pytest.mark.long("an outlet is added and removed, with restarts")
def test_toolsnet_added_later_gets_what_spool_holds_and_goes_on_when_back(site, plant):
    alone = site.cart(plant, name="alone.json", toolsnet=False, station={"outlets": [LINES]})
    both = site.cart(plant, name="both.json", station={"outlets": [LINES, {"kind": "toolsnet"}]})

    def run(cart, *awaited):
        agent = site.begin(cart, "controller ready", *awaited)
        made.extend(plant.produce(5))
        are_in(site, made)
        return agent

    made = []
    added = "ToolsNet was added with this start, and began with the oldest record that the spool had"
    assert run(alone).end() == 0
    agent = run(both, added)
    delivered(plant, 0, made)
    assert "added with this start" in site.output("status", "--config", both)
    assert agent.end() == 0

    agent = run(alone, "file takes results")
    assert "was removed" not in agent.output  # it had taken everything
    nothing_of_toolsnet({"log": agent.output, "status": site.output("status", "--config", alone)})
    assert agent.end() == 0
    agent = run(both, added)
    delivered(plant, 0, made)
    plant.cut_toolsnet(True)
    made.extend(plant.produce(5))
    are_in(site, made)
    assert agent.end() == 0
    sentence = "ToolsNet was removed with this start: at most 5 records that it has not "
    sentence += "taken make room for new ones, a block at a time"
    agent = run(alone, sentence)
    Words(site, alone, agent).assert_shown(
        sentence,
        "configured again soon, under the same name and of the same kind, it continues",
        on=("status", "page"),
    )
    assert agent.end() == 0
    plant.cut_toolsnet(False)
    run(both)
    delivered(plant, 0, made)  # in order and once
    assert plant.complaints() == []


@pytest.mark.long("a spool that fills three times")
@shows(
    "records at most given up before MQTT had them: the spool was full, or MQTT was added to it",
    "of the oldest records: new results need room",
)
def test_what_an_outlet_has_missed_or_cannot_get_is_counted(site, plant):
    away = {"kind": "mqtt", "host": "127.0.0.1", "port": free_port(), "durable": False}
    spool = {"path": "7.spool", "size_kib": 48}
    cart = site.cart(plant, name="alone.json", toolsnet=False, station={"outlets": [LINES, away], "spool": spool})
    agent = site.begin(cart, "controller ready")
    made = plant.produce(500)
    are_in(site, made)
    missed = "records at most given up before MQTT had them: the spool was full, or MQTT was added to it"
    Words(site, cart, agent).assert_shown(missed, on=("status",))
    assert 0 < station_of(site, cart)["missed"] < 500
    assert agent.end() == 0
    added = [LINES, away, {"kind": "toolsnet"}]
    cart = site.cart(plant, name="both.json", station={"outlets": added, "spool": spool})
    agent = site.begin(cart, "of the oldest records: new results need room")
    wait_for("the newest at ToolsNet", lambda: plant.archive.tightening_ids()[-1:] == made[-1:])
    assert plant.archive.tightening_ids() == made[-len(plant.archive.tightening_ids()) :]
    Words(site, cart, agent).assert_shown(
        "of the oldest records: new results need room", on=("status", "doctor", "page", "log")
    )


def test_file_restored_from_an_old_copy_gets_all_that_the_spool_has(site, plant):
    spool = {"path": "7.spool", "size_kib": 48}
    cart = site.cart(plant, toolsnet=False, station={"outlets": [LINES], "spool": spool})
    file = site.home / LINES["path"]
    agent = site.begin(cart, "controller ready")
    made = plant.produce(8)
    are_in(site, made)
    old = file.read_bytes()
    made += plant.produce(600)

    def has_newest():
        return lines_of(file)[-1:] == texts(made)[-1:]

    wait_for("all in the file", has_newest)
    for way in ("running", "stopped"):
        if way == "stopped":
            assert agent.end() == 0
        file.write_bytes(old)
        if way == "stopped":
            agent = site.begin(cart, "controller ready")
        made += plant.produce(1)
        wait_for("the newest in the file", has_newest)
        ids = lines_of(file)
        assert ids[:8] == texts(made)[:8] and ids[8:] == texts(made)[-len(ids) + 8 :] and len(ids) > 100, way
        outlet = station_of(site, cart)["outlets"][0]
        assert 0 <= outlet["given_up"] - (len(made) - len(ids)) <= 8, way  # what was lost twice may count again
        assert abs(outlet["given_again"] - (len(ids) - 8)) <= 1, way
        agent.wait_for("was it restored from an old copy, or exchanged?")
        Words(site, cart, agent).assert_shown("was it restored from an old copy, or exchanged?", on=("status",))
    assert agent.end() == 0


def ordered(site, cart, *words, code=0, station=7):
    """Give the order; return what it says."""
    return site.output("spool", "offer-again", station, *words, "--config", cart, code=code)


def test_an_emptied_toolsnet_is_a_warning_and_gets_a_range_again(site, plant):
    cart = site.cart(plant)
    agent = site.begin(cart, "ToolsNet connected")
    made = delivered(plant, 10)
    nothing_waits(site, cart)
    # ToolsNet's database is a new one.
    plant.loop.call(plant.archive.clear)
    plant.loop.call(plant.toolsnet.drop)
    agent.wait_for("ToolsNet holds no result of station 7, of up to 10 that were delivered")
    [line] = [line for line in agent.output.splitlines() if "ToolsNet holds no result" in line]
    assert " ! " in line or "WARN" in line.upper(), line
    new = plant.produce(2)  # which the operator notices late: the 08 says nothing any more
    wait_for("the new ones", lambda: plant.archive.tightening_ids() == new)

    output = ordered(site, cart, "--from", 4, "--dry-run")
    assert output.startswith("dry run: 9 results would be sent to ToolsNet again, from number 4 on ("), output
    assert plant.archive.tightening_ids() == new
    output = ordered(site, cart, "--from", 4)
    assert output.startswith("9 results are sent to ToolsNet again, from number 4 on ("), output
    agent.wait_for("ordered `offer-again from 4` at station 7: 9 results from number 4 on are sent again")
    wait_for("all from the fourth on", lambda: plant.archive.tightening_ids()[2:] == made[3:] + new)
    nothing_waits(site, cart)
    assert plant.complaints() == []

    assert agent.end(signal.SIGKILL) == -signal.SIGKILL
    plant.loop.call(plant.archive.clear)
    rows = json.loads(site.run("spool", "export", "--json", site.home / "7.spool").stdout)
    output = ordered(site, cart, "--since", rows[0]["time"], "--dry-run")
    assert "would be sent to ToolsNet again, from number 1 on" in output, output
    again, waiting = re.search(r"run: (\d+) results? would .* before the (\d+) that wait;", output).groups()
    assert int(again) + int(waiting) == 12  # what the kill has left unsaid waits: it goes out in any case
    assert "that is the oldest which the spool still has" in output
    output = ordered(site, cart, "--since", rows[0]["time"])
    assert f"{again} results are sent to ToolsNet again when the agent runs, from number 1 on" in output, output
    last = plant.produce(1)
    agent = site.begin(cart, ", while no agent ran: ", f": {again} results from number 1 on are sent again")
    delivered(plant, 0, made + new + last)
    nothing_waits(site, cart)
    assert plant.complaints() == []
    assert "no result from there on" in ordered(site, cart, "--since", "2099-01-01", code=1)


def test_what_an_emptied_toolsnet_lacks_is_reported_after_a_restart_until_it_is_left(site, plant):
    cart = site.cart(plant)
    agent = site.begin(cart, "ToolsNet connected")
    delivered(plant, 10)
    nothing_waits(site, cart)
    assert agent.end() == 0
    plant.loop.call(plant.archive.clear)
    lacks = "ToolsNet lacks up to 10 results that it had"
    for _ in range(2):
        agent = site.begin(cart, lacks)
        words = Words(site, cart, agent)
        words.assert_shown(lacks, on=("status", "doctor", "page"))
        assert site.run("doctor", "--config", cart).returncode == 1
        assert agent.end() == 0
        assert lacks in site.output("doctor", "--config", cart, code=1)
    assert "up to 10 results that it had" in ordered(site, cart, "--leave")
    agent = site.begin(cart, "ordered `offer-again leave` at station 7: up to 10 results that ToolsNet lacks are left")
    wait_for("ToolsNet connected", lambda: "ToolsNet connected" in agent.output)
    assert lacks not in site.output("status", "--config", cart) + agent.output
    assert "no result of station 7 is in doubt" in ordered(site, cart, "--leave", code=1)


def test_an_order_without_room_says_from_where_there_is(site, plant):
    cart = site.cart(plant, station={"spool": {"path": "7.spool", "size_kib": 48}})
    site.begin(cart, "ToolsNet connected")
    made = delivered(plant, 150)
    nothing_waits(site, cart)
    rows = json.loads(site.run("spool", "export", "--json", site.home / "7.spool").stdout)
    oldest = rows[0]["number"]
    output = ordered(site, cart, "--from", oldest, code=1)
    assert "the spool has no room for that" in output and "a quarter has to stay" in output, output
    number = int(output.split("from number ")[1].split()[0])
    count = int(output.split("that is ")[1].split()[0])
    assert oldest < number and count == 150 - number + 1, output
    assert plant.archive.tightening_ids() == made
    assert f"{count} results are sent" in ordered(site, cart, "--from", number)
    delivered(plant, 0, made + made[-count:])


def test_a_wrong_order_is_refused_in_words(site, plant):
    cart = site.cart(plant)
    assert "name one of --since TIME, --from NUMBER and --leave" in ordered(site, cart, code=2)
    assert "there is no such spool" in ordered(site, cart, "--from", 1, code=2)
    assert "has no station 8; it has 7" in ordered(site, cart, "--from", 1, code=2, station=8)
    agent = site.begin(cart, "ToolsNet connected")
    assert "has no result that ToolsNet has taken" in ordered(site, cart, "--from", 1, code=1)
    assert agent.end() == 0
    alone = site.cart(name="alone.json", number=8, toolsnet=False, station={"outlets": [LINES]})
    agent = site.begin(alone, "file takes results")
    output = ordered(site, alone, "--from", 1, code=1, station=8)
    assert "ToolsNet is not among the outlets of station 8: nothing is set aside" in output
