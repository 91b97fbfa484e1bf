"""Each state that a status can tell is made once; doctor, live view, web page, log and /metrics say it in its words."""

import functools
import json
from copy import deepcopy
from html import unescape

import pytest

pytest.importorskip("textual")
pytest.importorskip("starlette")

from toolcart.agent.cart.status import snapshot
from toolcart.agent.link.header_layouts import HEADERS
from toolcart.agent.linux.offer_again import of_station
from toolcart.agent.log.flash import FLASH_IO
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.agent.openprotocol.session_states import READY
from toolcart.agent.quarantine.orders import of_station as carry_out_of_station
from toolcart.sim import profiles
from toolcart.tools.doctor import commands as doctor
from toolcart.tools.live.figures import BAD, WARNING, Figures
from toolcart.tools.messages import attention, connections, latched_conditions
from toolcart.tools.messages import status as words
from toolcart.tools.web import metrics, page
from host_tests.agent.linux.test_events import put
from host_tests.support.agent_lines import status_of
from host_tests.tools.live.lasting_view import LastingView
from lab.harness.cart import PIM, SERVER, Cart
from lab.harness.flash import Nor

SIZE, LEFT = (400, 60), 94  # of a terminal, and of its left panel


def reported_station(cart, **changed):
    """The station of a cart, as an agent tells it; `changed` is what no simulated plant can wear out."""
    station = json.loads(json.dumps(snapshot(cart.app)["stations"][0]))
    station["spool"].update({"path": "cart.spool", **changed.pop("spool", {})})
    for name, value in changed.items():
        station[name] = {**station[name], **value} if isinstance(value, dict) else value
    return station


def started(**options):
    return Cart(**options).until_ready(and_ms=1000)


def asked_for_curves():
    """A station that has a spool without room for curves is to have some."""
    cart = started()
    [station] = cart.configuration["stations"]
    station["controller"]["traces"] = ["torque"]
    station["spool"]["graphs_kib"] = 32
    return reported_station(cut(cart))


def more(cart, count, every_ms=200):
    """So many results more."""
    cart.produce(count, every_ms)
    return cart


def produced(count, every_ms=200, **options):
    return more(started(**options), count, every_ms)


def away(count, **options):
    """ToolsNet is switched off while results are made."""
    cart = started(**options)
    cart.network.down(*PIM)
    cart.toolsnet.drop()
    return more(cart, count)


def late():
    """ToolsNet takes what it has refused before, once it is offered again."""
    cart = produced(5, toolsnet={"tightening_codes": {2: 17}})
    cart.run(60000)
    return reported_station(cart)


def held():
    """ToolsNet takes each second one until the quarantine has no room."""
    codes = {one: 17 for one in range(200) if one % 2}
    return reported_station(produced(150, 300, toolsnet={"tightening_codes": codes}, blocks=40))


def gone():
    cart = started(controller={"max_clients": 9})
    cart.network.cut("cart0", 4545)
    cart.produce(3)
    cart.controller.forget(2)
    cart.run(60000)
    return reported_station(cart)


def missed():
    cart = started(files=[{"path": "b.jsonl", "durable": False}], blocks=7)
    cart.lines["b.jsonl"].refuses = ("open",)
    cart.lines["b.jsonl"].close()
    cart.station.outlets[1].reset_after_fault(cart.clock.now)
    return reported_station(more(cart, 240, 100))


def reported(number):
    cart = produced(3)
    cart.options.reported_result = number
    cart.toolsnet.drop()
    cart.run(3000)
    return cart


def lost(number):
    """ToolsNet has lost what came behind this number."""
    cart = produced(3)
    for _ in range(3 - number):
        cart.archive.restore_backup(1)
    cart.toolsnet.drop()
    return cart.run(3000) or cart


def again(cart):
    """The agent is stopped and started."""
    cart.station.toolsnet().stop()
    cart.cut()
    return cart.until_ready(and_ms=3000)


def ordered(cart, *words):
    list(of_station(cart.station, cart.app.board, ["offer-again", *words]))
    return cart


def sent_again(cart, number="1"):
    """An order to send all again, while ToolsNet cannot be reached."""
    cart.network.down(*PIM)
    cart.network.cut(*SERVER)
    return ordered(cart, "from", number)


def all_sent(cart):
    cart.network.up(*PIM)
    cart.run(120000)
    return cart


def left(cart):
    return ordered(cart, "leave")


def cut(cart):
    """The power fails and comes back; nothing else changes."""
    cart.cut()
    cart.run(20000)
    return cart


def fetched(**options):
    """Neither ToolsNet nor the agent was there while more results were made than the spool has room for."""
    cart = away(1, blocks=7, controller={"memory": 300}, **options)
    cart.miss(240)
    cart.run(60000)
    assert cart.station.recovery.ledger.ranges
    return cart


def refusing():
    """The disk refuses a result."""
    cart = produced(2, make_flash=Nor)
    cart.flashes["spool0"].code = FLASH_IO
    return reported_station(more(cart, 1, 5000))


def changed(adds):
    """ToolsNet is added to a cart that had a file alone, or removed while three results wait for it."""
    cart = Cart(files=[{"path": "b.jsonl"}], on=False)
    both = cart.configuration
    [station] = both["stations"]
    alone = {**both, "toolsnet": None, "stations": [{**station, "outlets": station["outlets"][1:]}]}
    cart.configuration = alone if adds else both
    cart.boot()
    cart.until_ready()
    if not adds:
        cart.network.down(*PIM)
        cart.network.cut(*SERVER)
    more(cart, 3, 500)
    cart.configuration = both if adds else alone
    cart.cut()
    cart.run(20000)
    return reported_station(cart)


def receipts(counted):
    """An outlet that has counted such receipts."""
    station = reported_station(started())
    station["outlets"][0][counted] = 2
    return station


def events(named, waiting=0):
    """ToolsNet's 08 names this event, after three; so many more wait for an answer that does not come."""
    cart = started(settings={"toolsnet": {"events": ["alarms"]}})
    for code in range(3):
        put(cart, b"E%d" % code)
    cart.run(1000)
    cart.options.silent_telegrams = ["09"]
    for code in range(waiting):
        put(cart, b"E%d" % code)
    cart.run(100)
    cart.options.reported_event = named
    cart.toolsnet.drop()
    cart.run(3000)
    return reported_station(cart)


def unread():
    """A result came that cannot be read."""
    cart = produced(1)
    cart.station.intake.store.put_unread(b"00200061999 0100    ", 0, 20, cart.clock.now)
    return cart


def left_out():
    """ToolsNet was added, and has not got what others have had."""
    station = reported_station(started(), overwritten=23)
    station["outlets"][0].update(left_out=23, given_up=23)
    return station


# The state, and the slugs of all that is to be said of it.
STATES = {
    "well": (lambda: reported_station(produced(2)), set()),
    "refused": (lambda: reported_station(produced(2, toolsnet={"code_all": 17})), {"refused"}),
    "no answer": (lambda: reported_station(produced(1, 20000, toolsnet={"silent_sequences": (1,)})), None),
    "set aside": (late, {"set aside", "waits late"}),
    "unreadable": (lambda: reported_station(away(1), parked=3, parked_unreadable=2), {"set aside", "unreadable"}),
    "dropped": (lambda: reported_station(away(1), dropped=2), {"dropped"}),
    "hold": (held, None),
    "full": (lambda: reported_station(away(240, blocks=7)), {"full"}),
    "full, restarted": (lambda: reported_station(cut(away(240, blocks=7))), {"full"}),
    "full of what was missed": (lambda: reported_station(fetched()), {"full"}),
    "full of what was missed, restarted": (lambda: reported_station(cut(fetched())), {"full"}),
    "full of what was missed, delivered": (lambda: reported_station(all_sent(fetched())), None),
    "full, nothing overwritten for what was missed": (
        lambda: reported_station(fetched(settings={"spool": {"when_full": "overwrite"}})),
        {"fetching"},
    ),
    "refusing disk": (refusing, {"disk"}),
    "full disk": (lambda: reported_station(started(), spool={"disk_is_full": True}), {"disk full"}),
    "no orders": (lambda: reported_station(started(), no_orders="a.spool.sock: Permission denied"), {"orders"}),
    "overwritten": (
        lambda: reported_station(away(300, blocks=8, settings={"spool": {"when_full": "overwrite"}})),
        {"overwritten"},
    ),
    "gone": (gone, {"gone"}),
    "added": (lambda: changed(True), {"added"}),
    "left out": (left_out, {"added", "overwritten"}),
    "removed": (lambda: changed(False), {"removed"}),
    "given up": (lambda: reported_station(started(), given_up=[{"kind": "mqtt", "waiting": 5}]), {"given up"}),
    "guessed": (lambda: reported_station(started(), places_guessed=True), {"guessed"}),
    "corrected": (lambda: reported_station(started(), spool={"state_corrected": 1}), {"corrected"}),
    "missed": (missed, {"missed", "outlet"}),
    "resume unknown": (lambda: reported_station(reported(40000)), {"resume unknown", "lost there"}),
    "resume unknown, restarted": (lambda: reported_station(again(reported(40000))), {"lost there"}),
    "server behind": (lambda: reported_station(lost(1)), {"lost there"}),
    "server behind, restarted": (lambda: reported_station(again(lost(1))), {"lost there"}),
    "server behind, sent again": (lambda: reported_station(sent_again(lost(1))), {"sent again"}),
    "server empty": (lambda: reported_station(lost(0)), {"lost there"}),
    "server empty, restarted": (lambda: reported_station(again(lost(0))), {"lost there"}),
    "server empty, sent again": (lambda: reported_station(sent_again(lost(0))), {"sent again"}),
    "server empty, sent again, restarted": (lambda: reported_station(again(sent_again(lost(0)))), {"sent again"}),
    "server empty, some are being sent again": (
        lambda: reported_station(sent_again(lost(0), "3")),
        {"lost there", "sent again"},
    ),
    "server empty, some are being sent again, restarted": (
        lambda: reported_station(again(sent_again(lost(0), "3"))),
        {"lost there", "sent again"},
    ),
    "server empty, all sent again": (lambda: reported_station(all_sent(sent_again(lost(0)))), set()),
    "server empty, all sent again, restarted": (lambda: reported_station(again(all_sent(sent_again(lost(0))))), set()),
    "server empty, some sent again": (lambda: reported_station(all_sent(sent_again(lost(0), "3"))), {"lost there"}),
    "server empty, left": (lambda: reported_station(left(lost(0))), set()),
    "server empty, left, restarted": (lambda: reported_station(again(left(lost(0)))), set()),
    "fetching": (lambda: reported_station(started(), recovery={"needs": "owner"}), {"fetching"}),
    "again": (lambda: reported_station(started(), recovery={"stored_again_at_most": 3}), {"again"}),
    "damaged": (lambda: reported_station(started(), spool={"damaged": 31}), {"damaged"}),
    "worn": (lambda: reported_station(started(), spool={"state_alarm": 1}), {"state"}),
    "worn out": (lambda: reported_station(started(), spool={"state_alarm": 2}), {"state"}),
    "state lost": (lambda: reported_station(started(), spool={"state_lost": True}), {"state"}),
    "unsubscribed": (lambda: reported_station(started(), counters={"unsubscribed": 2}), {"unsubscribed"}),
    "passed over": (lambda: reported_station(started(), counters={"passed over": 40}), {"passed over"}),
    "text escaped": (lambda: reported_station(started(), counters={"text escaped": 3}), {"text escaped"}),
    "other unit": (lambda: reported_station(started(), counters={"other unit": 3}), {"other unit"}),
    "shifted": (lambda: reported_station(started(), counters={"shifted": 3}), {"shifted"}),
    "not read": (lambda: reported_station(unread()), {"raw"}),
    "receipts above": (lambda: receipts("receipts_above"), {"receipts above"}),
    "receipts below": (lambda: receipts("receipts_below"), {"receipts below"}),
    "events missed": (lambda: receipts("events_missed"), {"events missed"}),
    "given again": (lambda: receipts("given_again"), {"given again"}),
    "events unknown": (lambda: events(40000), {"events", "events missed"}),
    "events behind": (lambda: events(1), {"events"}),
    "events empty": (lambda: events(0), {"events"}),
    "events twice": (lambda: events(40000, 1), {"events", "events missed", "events twice"}),
    "curves": (asked_for_curves, {"curves"}),
    "overruns": (lambda: reported_station(started(), controller={"line": {"overruns": 2}}), {"overruns"}),
}


def of_doctor(station):
    return [finding.as_dict() for finding in doctor._status_findings(station)]


def of_log(station, figures=None, at_s=0.0):
    return [change.text for change in (figures or Figures()).feed(status_of(station), at_s)]


def of_metrics(station):
    station = {**station, "spool": {"erases_ever": 0, **station["spool"]}} if station["mounted"] else station
    return metrics.text_of([metrics.Agent("cart", {"agent": {}, "stations": [station]})])


@functools.cache
def live_view():
    return LastingView(SIZE)


def of_live_view(station):
    """The words of the left panel, whose lines are wrapped."""
    return " ".join(" ".join(line[:LEFT] for line in live_view()(station).split("\n")).split())


@pytest.mark.parametrize("state", STATES)
def test_one_state_has_one_wording_wherever_it_is_shown(state):
    make, slugs = STATES[state]
    station = make()
    needs = latched_conditions.all_needs(station)
    # After a restart a controller has the session of before; below.
    sides = attention.unusable_main_connections(station)
    needs = [need for need in needs if need not in sides]
    assert slugs is None or {need.slug for need in needs} == slugs
    lines, findings, log = words.station_lines(station), of_doctor(station), of_log(station)
    web, figures, screen = unescape(page.row(station)), of_metrics(station), of_live_view(station)
    for need in needs:
        assert any(need.label in line and need.text() in line for line in lines), need
        assert any(one["words"] == need.words and one.get("hint", "") == need.hint for one in findings), need
        assert " ".join(need.text().split()) in " ".join(web.split()), need
        assert [text for text in log if text == need.text()] or need.text().split(" ")[0] in " ".join(log), need
        assert f'what="{need.slug}"' in figures, need
        if need.level == attention.NOTE and need.slug in latched_conditions.LABELS:
            assert f"{need.key} {need.label.lower()}" in screen, need
        elif need.level != attention.NOTE:
            assert need.words in screen, need
    for outlet in station["outlets"]:
        left = outlet.get("sent_again", 0)
        assert (f"{left} to be sent again" in screen) == (left > 0)
        for name, value in (
            ("in_doubt", "lost_there"),
            ("to_send_again", "sent_again"),
            ("sent_again", "sent_again_done"),
        ):
            sample = (
                f'toolcart_results_{name}{{agent="cart",station="{station["number"]}",name=""}} {outlet.get(value)}'
            )
            assert outlet["kind"] != "toolsnet" or sample in figures.replace(f'name="{station["name"]}"', 'name=""'), (
                sample
            )
    for side in [] if needs else ["REFUSED", "LATE", "GONE", "ASIDE", "FULL", "DOUBT"]:
        assert side not in "".join(lines) + web


def sides_down():
    """Neither ToolsNet, nor a file, nor a controller can be used; nobody has changed that."""
    cart = started(files=[{"path": "b.jsonl"}])
    cart.lines["b.jsonl"].refuses = ("open",)
    cart.lines["b.jsonl"].close()
    cart.station.outlets[1].reset_after_fault(cart.clock.now)
    cart.network.down(*PIM)
    cart.network.cut(*SERVER)
    cart.toolsnet.drop()
    more(cart, 3)
    cart.network.down("cart0", 4545)
    cart.network.cut("cart0", 4545)
    cart.run(60000)
    return reported_station(cart)


def test_what_a_start_gives_up_of_a_full_spool_is_in_the_log_as_soon_as_in_the_status():
    """A state may come between the mount and what that gives up; what goes on to grow is told once a minute."""
    station, figures, told = STATES["overwritten"][0](), Figures(), []
    for start_s in (0, 500):
        figures.feed({"kind": "started", "pid": 1}, start_s)
        for at, count in ((0, 31), (1, 62), (2, 93), (59, 93), (61, 93), (70, 124)):
            lines = of_log({**deepcopy(station), "overwritten": count}, figures, start_s + at)
            told += [
                (start_s + at, int(text.split()[0])) for text in lines if "overwritten before ToolsNet had" in text
            ]
    assert told == [(0, 31), (1, 62), (61, 93), (500, 31), (501, 62), (561, 93)]


@pytest.mark.parametrize("state", ["sides down", *STATES])
def test_a_reload_tells_all_that_a_restart_tells(state):
    station = sides_down() if state == "sides down" else STATES[state][0]()
    figures, told = Figures(), []
    for start_s in (0.0, 100.0):
        figures.feed({"kind": "started", "pid": 1}, start_s)
        told.append([one.text for at in (0, 5) for one in figures.feed(status_of(deepcopy(station)), start_s + at)])
    assert told[0] == told[1]
    if state == "sides down":
        for words in ("no controller: ", "no ToolsNet: ", "lines cannot be used"):
            assert any(words in text for text in told[1]), told


@pytest.mark.parametrize("state", [name for name in STATES if name not in ("well", "late")])
def test_what_is_over_is_reported_when_it_is_over(state):
    figures, well = Figures(), reported_station(produced(20))
    bad = {**STATES[state][0](), "number": well["number"]}
    slugs = {need.slug for need in attention.needs(bad)}
    over = {words for slug, words in attention.OVER.items() if slug in slugs}
    assert not set(of_log(bad, figures)) & over
    assert set(of_log(well, figures)) & set(attention.OVER.values()) == over


def test_every_need_that_there_is_was_made():
    slugs = set(attention.OVER) | set(latched_conditions.LABELS) | {"resume unknown"}
    made = {need.slug for make, _ in STATES.values() for need in latched_conditions.all_needs(make())}
    assert slugs - made == {"late"}, "offered again is over in one round trip; its words: test_attention.py"


def test_what_is_set_aside_and_cannot_be_read_is_said_to_leave_when_it_does():
    """Nobody orders it to be dropped: it leaves with what was set aside before it, and counts as damaged."""
    cart = produced(7, 3000, toolsnet={"tightening_codes": {2: 17, 3: 17, 4: 17}}, make_flash=Nor)
    cart.run(60000)
    assert cart.station.quarantine.count() == 3
    cart.station.toolsnet().stop()
    cells, log = cart.flashes["spool0"].cells, cart.station.quarantine.log
    begin = STATE_BLOCKS * 4096 + log.block * 4096
    at = cells.index(b"%010d" % 3, begin, begin + 4096)
    cells[at] ^= 0x10
    figures = Figures()
    station = reported_station(cut(cart))
    texts = of_log(station, figures)
    [need] = [one for one in latched_conditions.all_needs(station) if one.slug == "unreadable"]
    assert need.key == "1" and need.text() in texts and station["spool"]["damaged"] == 0
    assert "leaves with others that were set aside" in need.hint
    cart.options.tightening_codes = {}
    for line in carry_out_of_station(cart.station, cart.app.board, ["retry", "all"]):
        assert not line or "error" not in line
    cart.run(60000)
    station = reported_station(cart)
    assert (station["parked"], station["parked_unreadable"], station["spool"]["damaged"]) == (0, 0, 1)
    assert [need.slug for need in latched_conditions.all_needs(station)] == ["damaged"]
    texts = of_log(station, figures)
    over = latched_conditions.OVER["unreadable"]
    assert over in texts and "counts as damaged" in over
    assert any(text.startswith("1 record of the spool at most could not be read") for text in texts)
    station = reported_station(cut(cart))
    assert (station["parked"], station["parked_unreadable"], station["spool"]["damaged"]) == (0, 0, 1)


@pytest.mark.parametrize("side", ["controller", "ToolsNet"])
def test_why_a_side_is_down_is_one_sentence(side):
    cart = Cart(toolsnet=None) if side == "ToolsNet" else started()
    if side == "controller":
        cart.network.down("cart0", 4545)
        cart.network.cut("cart0", 4545)
    cart.run(60000)
    station = reported_station(cart)
    its = station["controller"] if side == "controller" else station["outlets"][0]
    its["next_try_ms"] = 12345  # when it is tried is another moment for each
    why, again = connections.reason_of(its).words, "next try in 12 s"
    down = next(one for one in of_doctor(station) if one["what"] == f"station 10 {side}")
    assert down["verdict"] == "bad" and down["words"] == f"{why}, {again}" and len(why) > 20
    for surface in ("\n".join(words.station_lines(station)), unescape(page.row(station)), of_live_view(station)):
        assert why in surface and again in surface.replace("Next", "next")
    assert any(why in text for text in of_log(station))
    assert f'toolcart_connection_why{{agent="cart",station="10",name="",side="{side.lower()}"' in of_metrics(station)


def hooked(**changed):
    """A station whose first outlet is a webhook."""
    station = reported_station(started())
    station["outlets"] = [
        {
            "kind": "webhook",
            "name": "webhook",
            "durable": True,
            "waiting": 0,
            "is_up": True,
            "left_out": None,
            "lacks": None,
            "state": "not tried yet",
            "place": "http://hook:8080/results",
            "why": "",
            "why_kind": "",
            "batches_sent": 0,
            **changed,
        }
    ]
    return station


def test_webhook_takes_results_only_once_it_has_taken_some():
    figures = Figures()
    assert not [text for text in of_log(hooked(), figures) if "webhook" in text and "stored so far" not in text]
    [finding] = [one for one in of_doctor(hooked()) if one["what"] == "station 10 webhook"]
    assert finding["verdict"] == "note" and "nothing has been sent to it since the start" in finding["words"]
    taken = hooked(state="waiting for records", batches_sent=1)
    assert "webhook takes results" in of_log(taken, figures)
    [finding] = [one for one in of_doctor(taken) if one["what"] == "station 10 webhook"]
    assert finding["verdict"] == "good" and "the running agent is connected" in finding["words"]


def test_webhook_is_connected_for_metrics_only_once_it_has_answered():
    def connected(**changed):
        row = 'toolcart_connected{agent="cart",station="10",name="",side="webhook"} '
        return [line[len(row) :] for line in of_metrics(hooked(**changed)).splitlines() if line.startswith(row)]

    assert connected() == [], "nothing is known"
    assert connected(waiting=1, is_up=False, state="connecting") == ["0"]
    assert connected(is_up=False, state="trying again later", why="it answers 503: no") == ["0"]
    assert connected(state="waiting for records", batches_sent=1) == ["1"]


def test_warning_is_not_repeated_with_the_words_of_each_answer():
    figures = Figures()
    changes = []
    for at in range(3):
        why = {"why": f"it answers 503: request {at}", "why_kind": "it answers 503", "is_up": False}
        changes += of_log(hooked(state="trying again later", **why), figures)
    assert [text for text in changes if "503" in text] == ["no webhook: it answers 503: request 0"]
    changes, figures = [], Figures()
    for at in range(3):
        why = {"why": f"it answers 503: request {at}", "why_kind": "it answers 503", "is_up": False}
        station = reported_station(started())
        station["outlets"] += hooked(**why)["outlets"]
        changes += of_log(station, figures)
    assert len([text for text in changes if "503" in text]) == 1


def test_blank_parts_name_state_and_address_however_long_they_are():
    for changed in ({"state": "waiting for records"}, {"state": "x" * 16}, {"state": "x", "name": "quality-line"}):
        [line] = [line for line in words.station_lines(hooked(**changed)) if "http://hook" in line]
        name = f"webhook {changed['name']}" if "name" in changed else "webhook"
        assert line.split() == [*f"{name} {changed['state']}".split(), "http://hook:8080/results"]
        station = reported_station(started())
        station["outlets"] += hooked(**changed)["outlets"]
        [line] = [line for line in words.station_lines(station) if "http://hook" in line]
        assert line.strip().startswith(f"{name} ")
        assert f" {changed['state']} " in of_live_view(hooked(**changed))


def test_a_spool_that_is_not_up_is_reported_in_the_same_words():
    station = {"number": 10, "name": "", "mounted": False, "spool_problem": "it is a folder", "counters": {}}
    station.update({"logged": 0, "log": []})
    problem = attention.spool_problem(station)
    assert problem == "the spool is not up: it is a folder"
    assert any(problem in line for line in words.station_lines(station)) and problem in page.row(station)
    assert problem == of_doctor(station)[0]["words"] and problem in of_live_view(station)
    assert "toolcart_spool_up" in of_metrics(station) and 'station="10",name=""} 0' in of_metrics(station)


@pytest.mark.parametrize("profile", [name for name in profiles.names() if name not in HEADERS])
def test_a_start_with_any_controller_warns_of_nothing(profile):
    cart, figures, levels = Cart(controller=profiles.profile_options(profile)), Figures(), {}
    for _ in range(40):
        cart.run(500)
        changes = figures.feed(status_of(reported_station(cart)), cart.clock.now / 1000)
        levels |= {change.text: change.level for change in changes}
        if cart.station.intake.session.state == READY:
            cart.produce()
    assert "controller ready" in levels
    assert not {text for text, level in levels.items() if level in (WARNING, BAD)}
