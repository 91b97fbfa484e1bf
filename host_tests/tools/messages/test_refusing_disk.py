"""A disk that refuses holds delivery up as well: every voice says so of each outlet that something waits for."""

import errno
import os
import time

import pytest

pytest.importorskip("textual")
pytest.importorskip("starlette")

from toolcart.agent.cart import status as agent_status
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO, REFUSED_BROKEN
from toolcart.agent.mqtt.session import UP
from toolcart.agent.openprotocol.session_states import READY, STARTING
from toolcart.board.linux.flash import FileFlash
from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.live import panels
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention, connections, reasons
from toolcart.tools.messages import status as words
from toolcart.tools.web import metrics, page
from host_tests.agent.outlets.test_new_outlets import KINDS, TOOLSNET, Plant
from host_tests.portable import LONG
from host_tests.support.agent_lines import status_of
from host_tests.support.mqtt import MqttBench
from host_tests.support.running import cart_of, run_agent, written
from host_tests.support.webhook import answer
from host_tests.tools.messages.test_one_truth import more, of_doctor, of_live_view, reported_station
from lab.harness.cart import PIM, SERVER, Cart
from lab.harness.flash import Nor

SENTENCE = "nothing is sent while this station's own flash or disk refuses"
WAITS = "and what waits is not delivered"


def held_up(count=120, refuses="write"):
    """Results wait for ToolsNet and a file, both are there again, and the disk refuses."""
    cart = Cart(files=[{"path": "b.jsonl"}], make_flash=Nor, blocks=30).until_ready(and_ms=1000)
    cart.network.down(*PIM)
    cart.network.cut(*SERVER)
    cart.lines["b.jsonl"].refuses = ("open", "sync")
    more(cart, count, 300)
    refuse(cart, refuses)
    cart.network.up(*PIM)
    cart.lines["b.jsonl"].refuses = ()
    more(cart, 1, 90000)
    return cart


def refuse(cart, what="write"):
    flash = cart.flashes["spool0"]
    flash.code = FLASH_IO if what == "write" else FLASH_DONE
    flash.read_fails_in = -1 if what == "read" else 0


@pytest.fixture(scope="module")
def station():
    return reported_station(held_up())


def test_each_outlet_has_the_reason_and_is_not_up(station):
    for outlet in station["outlets"]:
        assert outlet["waiting"] and outlet["why"] == reasons.OUR_FLASH and not outlet["is_up"], outlet
        assert SENTENCE in connections.reason_of(outlet).text()
        assert not connections.is_working(outlet)


def test_the_sentence_of_the_disk_says_it(station):
    [need] = [need for need in attention.needs(station) if need.slug == "disk"]
    assert need.words.startswith(f"no result can be stored, the controller keeps them, {WAITS}: ")
    healthy = {**station, "outlets": [{**one, "waits_for_flash": False} for one in station["outlets"]]}
    [other] = [need for need in attention.needs(healthy) if need.slug == "disk"]
    assert WAITS not in other.words and other.key != need.key, "the log says both"


def test_status_doctor_page_live_view_and_metrics_say_it_of_each(station):
    for surface in ("\n".join(words.station_lines(station)), page.row(station).replace("&#39;", "'")):
        text = " ".join(surface.split())
        assert text.count(SENTENCE) >= 2 and WAITS in text, text
    found = of_doctor(station)
    assert [one["verdict"] for one in found if SENTENCE in one["words"]] == ["bad", "bad"], found
    for outlet in station["outlets"]:
        assert panels.state_sign(outlet)[0] != "●"
    assert "not delivered" in of_live_view(station)
    page_text = metrics.text_of([metrics.Agent("cart", {"agent": {}, "stations": [station]})])
    for side in ("toolsnet", "file"):
        assert f'side="{side}"}} 0' in page_text and f'side="{side}",why="{reasons.OUR_FLASH}"}} 1' in page_text


@pytest.mark.parametrize("count", [1, 3, 30])
@pytest.mark.parametrize("also_file", [False, True])
def test_the_disk_s_sentence_and_toolsnet_s_agree_where_nothing_else_waits(count, also_file):
    """The last snapshot may allow what waits, but where ToolsNet stands cannot be written down: nothing goes out."""
    cart = Cart(files=[{"path": "b.jsonl"}], make_flash=Nor, blocks=30).until_ready(and_ms=1000)
    more(cart, 3, 300)
    cart.network.down(*PIM)
    cart.network.cut(*SERVER)
    if also_file:
        cart.lines["b.jsonl"].refuses = ("open", "sync")
    more(cart, count, 300)
    cart.run(20000)
    refuse(cart)
    cart.station.log.state.save()  # as toolcart.tools.process.idle_save does
    cart.run(10000)
    cart.network.up(*PIM)
    cart.lines["b.jsonl"].refuses = ()
    seen = set()
    for _ in range(90):
        cart.run(1000)
        station = reported_station(cart)
        for outlet in station["outlets"]:
            is_said = outlet["why"] == reasons.OUR_FLASH
            assert outlet["waits_for_flash"] >= (is_said and outlet["waiting"] > 0), outlet
            seen |= {outlet["kind"]} if is_said else set()
        words_of_disk = "".join(need.words for need in attention.needs(station) if need.slug == "disk")
        assert (WAITS in words_of_disk) == any(one["waits_for_flash"] for one in station["outlets"])
    assert seen >= {"toolsnet"}
    refuse(cart, None)
    cart.run(90000)
    assert [one["waiting"] for one in reported_station(cart)["outlets"]] == [0, 0]


def test_a_part_that_cannot_be_read_holds_up_those_that_stand_there():
    cart = held_up(3)
    refuse(cart, None)
    cart.run(60000)
    cart.network.down(*PIM)
    cart.network.cut(*SERVER)
    cart.lines["b.jsonl"].refuses = ("open", "sync")
    more(cart, 20, 300)
    device = cart.station.log.device.device
    refuse(cart, "read")
    device.refusal = lambda: REFUSED_BROKEN  # as a file tells it, of a part that cannot be read
    cart.network.up(*PIM)
    cart.lines["b.jsonl"].refuses = ()
    cart.run(90000)
    station = reported_station(cart, spool={"refused_words": "reading spool0 at byte 4096: Input/output error"})
    assert [one["waits_for_flash"] for one in station["outlets"]] == [True, True]
    [need] = [need for need in attention.needs(station) if need.slug == "disk"]
    assert need.words.startswith(f"a part of the spool cannot be read, {WAITS}: ")


def test_it_goes_on_by_itself_and_the_log_says_it_once():
    cart, figures, texts = held_up(), Figures(), []
    for healed in (False, False, True):
        if healed:
            refuse(cart, None)
            cart.run(90000)
        changes = figures.feed(status_of(reported_station(cart)), cart.clock.now / 1000)
        texts.append([change.text for change in changes])
    said = [text for part in texts for text in part]
    assert not [text for text in said if SENTENCE in text or " lost" in text], "the need of the disk says it"
    assert len([text for text in said if WAITS in text]) == 1
    [station] = [reported_station(cart)]
    assert [(one["waiting"], one["why"], one["is_up"]) for one in station["outlets"]] == [(0, "", True)] * 2


def test_what_the_last_snapshot_allows_still_goes_to_toolsnet():
    cart = Cart(make_flash=Nor).until_ready(and_ms=1000)
    more(cart, 3, 300)
    refuse(cart)
    cart.station.log.state.save()
    policy = cart.station.outlets[0].policy
    assert policy.cursor.number < policy.in_flight.may_send_to
    cart.station.log.number += 1  # one waits
    outlet = agent_status.of_station(cart.station, cart.clock.now)["outlets"][0]
    assert not outlet["waits_for_flash"] and outlet["is_up"]
    policy.in_flight.may_send_to = policy.cursor.number
    outlet = agent_status.of_station(cart.station, cart.clock.now)["outlets"][0]
    assert (outlet["waits_for_flash"], outlet["is_up"], outlet["state"]) == (True, False, "streaming")
    cart.station.log.number -= 1


def test_the_flash_and_not_the_consumer_is_why_nothing_is_confirmed():
    """Receipts are on; what was out when the disk began to refuse cannot be sent again."""
    bench = MqttBench()
    bench.consumer.away = True
    bench.store(5)
    bench.run(60000)
    report = {"waits_for_flash": False}
    bench.forward.put_state(report)
    assert bench.forward.progress.is_overdue and report["state"] == "no receipts"
    report = {"waits_for_flash": True}
    bench.forward.put_state(report)
    assert report["state"] == "connected" and report.get("why") == "", report


def test_what_a_broker_did_before_the_flash_refused_is_not_said_of_one_that_is_connected():
    bench = MqttBench()
    bench.broker.closed_topic = "results"
    bench.store(5)
    bench.run(60000)
    bench.until(lambda: bench.forward.session.state == UP)
    report = {"waits_for_flash": False}
    bench.forward.put_state(report)
    assert report["state"] == "no PUBACK" and report["why"]
    report = {"waits_for_flash": True}
    bench.forward.put_state(report)
    assert (report["state"], report["why"]) == ("connected", ""), report


@pytest.mark.parametrize("was", [answer(503, b"nope"), answer(401, b"who?"), None, "away"])
def test_what_a_webhook_did_before_the_flash_refused_is_not_said_while_nothing_is_sent_to_it(was):
    """It may be well again, and nothing is tried: what was stored can neither be settled nor its receipt kept."""
    plant = Plant(TOOLSNET, KINDS["webhook"], make_flash=Nor).until_ready(and_ms=1000)
    more(plant, 1, 3000)
    assert plant.has("webhook") == [1]
    plant.server.answers = [was] * 100
    if was == "away":
        plant.reach("webhook", False)
    more(plant, 20, 300)
    plant.run(60000)
    before = reported_station(plant)["outlets"][1]
    assert before["why"] not in ("", reasons.OUR_FLASH) and not before["waits_for_flash"]
    refuse(plant)
    plant.station.log.state.save()  # as an outlet does that has delivered
    plant.server.answers.clear()
    plant.reach("webhook", True)
    plant.run(40000)  # a request that was out gets no answer
    requests = len(plant.server.heads)
    for _ in range(20):
        plant.run(10000)
        station = reported_station(plant)
        webhook = station["outlets"][1]
        assert (webhook["waiting"], webhook["waits_for_flash"], webhook["is_up"]) == (20, True, False)
        assert (webhook["why"], webhook.get("why_kind", ""), webhook["why_code"]) == (reasons.OUR_FLASH, "", 0)
        assert webhook["state"] == "waiting for the flash or disk"
        [need] = [one for one in attention.unusable_connections(station) if one.slug == "outlet"]
        assert SENTENCE in need.words and need.level == attention.WARN
        assert "answers" not in "\n".join(words.station_lines(station)) + str(of_doctor(station))
    assert len(plant.server.heads) == requests
    refuse(plant, None)
    plant.run(120000)
    webhook = reported_station(plant)["outlets"][1]
    assert (webhook["waiting"], webhook["why"], webhook["is_up"]) == (0, "", True)
    assert webhook["state"] == "waiting for records" and len(plant.has("webhook")) == 21


class Disk:
    """What the agent of a test writes to, until it `refuses`."""

    def __init__(self, monkeypatch):
        self.refuses, write = False, FileFlash._write

        def put(flash, octets, address):
            if self.refuses:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            write(flash, octets, address)

        monkeypatch.setattr(FileFlash, "_write", put)


def test_a_disk_that_works_again_is_noticed_within_seconds_and_the_reason_is_told_until_then(tmp_path, monkeypatch):
    """Nothing waits for an outlet, so none writes; the pauses of the controller's connections have grown."""
    disk, seen = Disk(monkeypatch), {}
    with SimulatedPlant() as plant:
        cart = written(tmp_path, cart_of(plant))

        def goes_on(agent, _):
            station = agent.app.stations[0]
            if not station.mounted or "over" in seen:
                return "over" not in seen
            state = agent_status.of_station(station, agent.board.now())
            refused, controller = state["spool"]["refused"], state["controller"]
            if controller["state"] == "ready" and "made" not in seen:
                disk.refuses, seen["made"] = True, plant.produce(1)
            elif refused and controller["state"] == "closed" and "worked" not in seen:
                seen.setdefault("whys", set()).add(controller["why"])
                seen["needs"] = [need.slug for need in attention.needs(state)]
                for _ in range(8):
                    station.intake._backoff.next()
                if time.monotonic() > seen.setdefault("until", time.monotonic() + 4):
                    disk.refuses, seen["worked"] = False, time.monotonic()
            elif "worked" in seen and controller["state"] == "closed":
                seen["whys"].add(controller["why"])
            elif "worked" in seen and not refused and controller["state"] == "ready":
                seen["over"] = time.monotonic() - seen["worked"]
            return True

        code, _ = run_agent(cart, goes_on)
    assert code == 0 and seen["needs"] == ["disk"]
    assert seen["over"] < 10, seen
    assert reasons.OUR_FLASH in seen["whys"] <= {reasons.OUR_FLASH, reasons.KEPT_AGAIN}
    reason = reasons.of_controller({"why": reasons.OUR_FLASH, "host": "h", "port": 1})
    assert "refused a write" in reason.words and not reasons.is_refusal(reason)


def refused_and_controller_hangs(cart):
    """A result cannot be written, and from then on the controller answers nothing."""
    refuse(cart)
    flash = cart.flashes["spool0"]
    program = flash.program

    def refused(*arguments):
        cart.controller.options.silent = True
        flash.program = program
        return program(*arguments)

    flash.program = refused
    cart.controller.produce()


def test_a_session_that_results_have_ended_is_never_down_without_a_reason():
    cart, figures = Cart(make_flash=Nor).until_ready(and_ms=1000), Figures()
    figures.feed(status_of(reported_station(cart)), 0.0)
    refused_and_controller_hangs(cart)
    texts, reasons_seen, is_cured, before = [], {}, False, None
    for at_ms in range(60000):
        cart.run(1)
        if at_ms > 4000 and cart.station.session.state == STARTING:
            cart.controller.options.silent = False
        is_cured = is_cured or at_ms == 4000
        if is_cured:
            cart.flashes["spool0"].code = FLASH_DONE
        if cart.station.session.state == READY and is_cured:
            break
        phase = cart.station.session.state, cart.station.intake.cannot_store, cart.station.intake.opening
        if phase == before and at_ms % 200:
            continue
        before, station = phase, reported_station(cart)
        state, reason = station["controller"]["state"], connections.reason_of(station["controller"])
        if state != "ready":
            assert reason.words and not reasons.is_refusal(reason), (state, at_ms)
            reasons_seen.setdefault(state, set()).add(reason.slug)
        if not at_ms % 200:
            texts += [change.text for change in figures.feed(status_of(station), at_ms / 1000)]
    assert reasons_seen.keys() >= {"stopping", "closed", "starting"}
    assert reasons_seen["stopping"] == {reasons.OUR_FLASH} and reasons_seen["starting"] == {reasons.KEPT_AGAIN}
    texts += [change.text for change in figures.feed(status_of(reported_station(cart)), 70.0)]
    assert "controller left in order: results cannot be kept now" in texts, texts
    assert attention.OVER["disk"] in texts and texts.count("controller ready") == 1
    assert not [text for text in texts if "controller lost" in text or "no controller" in text], texts


def test_the_log_says_why_a_session_was_ended_that_could_be_begun_again_when_it_looked():
    """The log looks once a second: the disk may have refused and be well again in between."""
    cart, figures = Cart(make_flash=Nor).until_ready(and_ms=1000), Figures()
    figures.feed(status_of(reported_station(cart)), 0.0)
    refused_and_controller_hangs(cart)
    cart.run(500)
    cart.flashes["spool0"].code = FLASH_DONE
    while cart.station.intake.cannot_store:
        cart.run(1)
    texts = [change.text for change in figures.feed(status_of(reported_station(cart)), 1.0)]
    assert "controller left in order: results could not be kept, and can be kept again" in texts, texts


def test_a_session_that_a_full_spool_has_ended_says_so():
    cart = Cart().until_ready(and_ms=1000)
    cart.network.down(*PIM)
    cart.network.cut(*SERVER)
    figures, texts = Figures(), []
    figures.feed(status_of(reported_station(cart)), 0.0)
    while (station := reported_station(cart))["controller"]["state"] != "closed":
        cart.controller.produce()
        cart.run(300)
        texts += [change.text for change in figures.feed(status_of(station), 1.0)]
    texts += [change.text for change in figures.feed(status_of(reported_station(cart)), 2.0)]
    assert "controller left in order: the spool is full" in texts, texts
    cart.network.up(*PIM)
    for _ in range(6000 if LONG else 1200):
        cart.run(10 if LONG else 50)
        controller = reported_station(cart)["controller"]
        if controller["state"] == "ready":
            break
        assert controller["waits_for_room"] or controller["why"] == reasons.KEPT_AGAIN, controller


def test_a_controller_that_no_session_is_wanted_of_is_not_said_to_be_connected_to():
    cart, figures = Cart(make_flash=Nor).until_ready(and_ms=1000), Figures()
    refuse(cart)
    cart.controller.produce()
    texts = []
    for second in range(10):
        cart.run(1000)
        texts += [change.text for change in figures.feed(status_of(reported_station(cart)), float(second))]
    assert not [text for text in texts if "still connecting" in text], texts


def test_a_controller_that_ends_the_session_while_the_disk_refuses_is_not_said_to_be_left():
    cart, figures = Cart(make_flash=Nor).until_ready(and_ms=1000), Figures()
    figures.feed(status_of(reported_station(cart)), 0.0)
    station = reported_station(cart)
    station["spool"]["refused"] = "broken"
    station["controller"].update(state="closed", why="ended", why_in="ready")
    texts = [change.text for change in figures.feed(status_of(station), 1.0)]
    assert any(text.startswith("controller lost: controller") and "closed the connection" in text for text in texts), (
        texts
    )
