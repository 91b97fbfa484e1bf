"""Where ToolsNet's 08 leaves doubt a person is told so in a sentence; each case is made by a server that says it."""

import pytest

from toolcart.agent.cart.status import of_station
from toolcart.agent.linux import offer_again
from toolcart.agent.log.snapshot_fields import TAKEN
from toolcart.board.linux import order_log
from toolcart.tools.flash.board_commands import status_lines
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import log_entries, reasons
from toolcart.tools.messages.latched_conditions import (
    all_needs,
    count_needs,
    doubts,
    missed_by_outlet,
)
from host_tests.agent.linux.test_events import forget, put
from host_tests.support.agent_lines import healthy_station, status_of
from lab.harness.cart import PIM, SERVER, Cart


def cart(reported, sent=3, **settings):
    one = Cart(settings={"toolsnet": settings}).until_ready()
    one.produce(sent)
    one.until_quiet(and_ms=1000)
    one.options.reported_result = reported
    one.toolsnet.drop()
    one.run(2000)
    return one


@pytest.mark.parametrize(
    ("reported", "counter", "words"),
    [
        (40000, "resume unknown", "which this spool never sent, as far as it knows: is station 10 used twice"),
        (1, "server behind", "is up to 2 results behind what it once had of station 10: was it restored"),
        (0, "server empty", "holds no result of station 10, of up to 3 that were delivered"),
    ],
)
def test_what_the_08_names_is_counted_and_reported_in_words(reported, counter, words):
    station = of_station(cart(reported).station, 0)
    assert station["counters"][counter] == 1
    assert words in log_entries.explain(counter, next(e["value"] for e in station["log"] if e["name"] == counter), 10)
    expected = words if reported > 3 else f"lacks up to {3 - reported} results that it had"
    assert {need.label for need in all_needs(station)} == {"DOUBT"}
    assert any(f"lacks up to {3 - reported % 40000} results that it had" in need.words for need in all_needs(station))
    assert any(expected in line for line in status_lines({"stations": [station]}))


def test_how_many_may_be_there_twice_is_said_where_the_state_was_set_back():
    one = cart(40, sent=10)  # 30 more than it knows to have sent
    assert not any(
        "twice:" in need.words or "reach ToolsNet" in need.words for need in doubts(of_station(one.station, 0))
    )
    one.network.down(*SERVER)
    one.toolsnet.drop()
    one.produce(7)
    one.run(2000)
    one.options.reported_result = 70
    one.network.up(*SERVER)
    one.run(120000)
    [doubt] = doubts(of_station(one.station, 0))
    assert doubt.words.endswith(
        "Nothing is skipped: up to 7 results that waited at such answers since the start may reach ToolsNet twice"
    ), doubt.words


def test_what_an_08_named_is_said_as_what_it_was_once_newer_ones_are_taken_and_ends_with_leave():
    one = cart(40000)
    one.options.reported_result = None
    one.produce(2)
    one.until_quiet(and_ms=1000)
    station = of_station(one.station, 0)
    assert one.station.toolsnet().policy.numbers[TAKEN] == 40002 and station["outlets"][0]["lost_there"] == 3
    [doubt] = doubts(station)
    assert doubt.words.startswith("ToolsNet has named result 40000 of station 10, which this spool never sent")
    list(offer_again.of_station(one.station, one.app.board, ["offer-again", "leave"]))
    station = of_station(one.station, 0)
    assert doubts(station) == [] and station["outlets"][0]["lost_there"] == 0
    one.toolsnet.drop()
    one.run(5000)
    assert doubts(of_station(one.station, 0)) == [] and all_needs(of_station(one.station, 0)) == []


def test_server_that_stands_where_it_should_leaves_no_doubt():
    assert doubts(of_station(cart(3).station, 0)) == []


def test_events_have_their_own_sentence():
    station = healthy_station()
    station["outlets"][0]["events_doubt"] = "ToolsNet is 2 events behind"
    [doubt] = all_needs(station)
    assert (doubt.slug, doubt.label, doubt.words) == ("events", "DOUBT", "ToolsNet is 2 events behind")
    for count, counted in ((1, "1 event"), (2, "2 events")):
        station["outlets"][0]["events_perhaps_there"] = count
        assert [doubt.words for doubt in all_needs(station)] == [
            "ToolsNet is 2 events behind",
            f"up to {counted} that waited since the start when ToolsNet named one that this spool never sent, as far "
            "as it knows, may reach it twice",
        ]


@pytest.mark.parametrize(
    ("reported", "words"),
    [(40000, "holds event 40000, which this spool never sent"), (1, "is up to 2 events behind"), (0, "of up to 3")],
)
def test_the_log_says_a_doubt_of_events_when_it_begins_and_when_it_is_over(reported, words):
    one, figures, texts = Cart(settings={"toolsnet": {"events": ["alarms"]}}).until_ready(), Figures(), []

    def look():
        changes = figures.feed(status_of(of_station(one.station, 0)), one.clock.total_ms / 1000)
        texts.extend(change.text for change in changes if "event" in change.text)

    for code in (1, 2, 3):
        put(one, b"E%d" % code)
    one.run(1000)
    look()
    one.options.reported_event = reported
    one.toolsnet.drop()
    for _ in range(70):
        one.run(1000)
        look()
    one.options.reported_event = None
    [doubt] = [text for text in texts if "that ToolsNet lacks" not in text]
    assert words in doubt
    put(one, b"E4")
    one.run(1000)
    look()
    assert texts[1:] and texts[-1] == "what ToolsNet holds of the events is in doubt no more"


def test_the_log_says_a_doubt_of_events_that_was_over_between_two_states():
    one = Cart(settings={"toolsnet": {"events": ["alarms"], "rewind": True}}).until_ready()
    figures, texts = Figures(), []
    for index in range(6):
        put(one, b"E%d" % index)
        one.run(70000)
        if index % 3 == 2:
            forget(one, index - 1)
        assert not one.outlet_status()["events_doubt"]
        for _ in range(2):
            changes = figures.feed(status_of(of_station(one.station, 0)), one.clock.total_ms / 1000)
            texts.extend(change.text for change in changes if "event" in change.text)
    words = "ToolsNet is up to 2 events behind: was it restored from an old copy?"
    assert texts == [words, "what ToolsNet holds of the events is in doubt no more"] * 2


def test_the_log_says_each_time_that_more_events_may_reach_toolsnet_twice():
    figures, station = Figures(), healthy_station()
    seen = []
    for count in (0, 1, 1, 3):
        station["outlets"][0]["events_perhaps_there"] = count
        seen += [text for change in figures.feed(status_of(station), 0.0) if "twice" in (text := change.text)]
    assert [text.split(" that")[0] for text in seen] == ["up to 1 event", "up to 3 events"]


def test_events_that_gave_way_are_said():
    station = {"missed": 3, "outlets": [{"kind": "toolsnet", "events_missed": 3}]}
    [need] = [need for need in count_needs(station) if need.label == "MISSED" and need.key != "0"]
    assert need.words.startswith("3 events at most that ToolsNet lacks: results needed their room")
    assert {name: count for name, count in missed_by_outlet([station]).items() if count} == {"ToolsNet (events)": 3}


def test_what_has_no_sentence_is_reported_by_its_name():
    assert log_entries.explain("other revision", 7, 10) == "other revision (7)"


def test_live_view_says_the_sentence_once():
    changes = Figures().feed(status_of(of_station(cart(40000).station, 0)), 1.0)
    assert len([change for change in changes if "used twice" in change.text]) == 1


def test_server_that_is_not_allowed_is_named():
    one = Cart(settings={"toolsnet": {"allow_hosts": ["tn"]}}, toolsnet={"server_host": "10.9.9.9"})
    one.until_ready(and_ms=2000)
    reason = reasons.of_toolsnet(of_station(one.station, 0)["outlets"][0])
    assert "names 10.9.9.9:10111 as the server, which toolsnet.allow_hosts does not have" in reason.words
    assert one.toolsnet.server_connections == 0


@pytest.mark.parametrize("following", ["away", "tn2"])
def test_a_loss_names_the_server_that_was_lost_and_not_that_of_the_next_08(following):
    one, figures, texts = Cart(), Figures(), []
    one.network.listen("tn2", SERVER[1], one.toolsnet.server_endpoint)

    def look(at_s):
        texts.extend(change.text for change in figures.feed(status_of(of_station(one.station, 0)), at_s))

    one.until_ready()
    one.produce()
    one.until_quiet(and_ms=1000)  # a connection that worked is made again at once
    look(1.0)
    one.options.server_host = following
    one.network.cut(*SERVER)
    one.run(1000)
    if following == "tn2":
        one.produce()
        one.until_quiet(and_ms=1000)
        one.options.server_host = "away"
        one.network.cut("tn2", SERVER[1])
        one.run(1000)
    look(2.0)
    [lost] = [text for text in texts if text.startswith("ToolsNet lost")]
    where = SERVER[0] if following == "away" else "away"
    assert f"ToolsNet server {where}:{SERVER[1]} re" in lost and "tn2" not in lost, texts
    assert ("reset the connection" in lost) == (following == "away"), lost


class _Hours:
    """What is said of a cart whose connections have worked."""

    def __init__(self, **options):
        self.cart, self.figures, self.at_s = Cart(**options).until_ready(), Figures(), 0.0
        self.cart.produce(3)
        self.cart.until_quiet(and_ms=1000)
        self.look()

    def look(self):
        self.at_s += 1.0
        return [change.text for change in self.figures.feed(status_of(of_station(self.cart.station, 0)), self.at_s)]


def test_a_connection_that_the_agent_ended_for_an_order_is_not_said_to_be_lost():
    hours = _Hours()
    for _ in range(3):
        list(offer_again.of_station(hours.cart.station, hours.cart.app.board, ["offer-again", "from", "1"]))
        texts = hours.look()
        assert "ToolsNet left in order: its PIM is asked again what it has" in texts, texts
        hours.cart.until_quiet(and_ms=1000)
        texts += hours.look()
        assert "ToolsNet connected, it takes results" in texts and not [one for one in texts if "lost" in one], texts
    assert "server losses" not in of_station(hours.cart.station, 0)["counters"]
    hours.cart.network.down(*PIM)
    hours.cart.toolsnet.drop()
    hours.cart.run(100)
    [lost] = [one for one in hours.look() if "lost" in one]
    assert lost.startswith("ToolsNet lost: ToolsNet server "), lost


def test_the_outage_after_an_order_is_named_by_its_own_reason():
    hours = _Hours()
    hours.cart.network.down(*PIM)
    list(offer_again.of_station(hours.cart.station, hours.cart.app.board, ["offer-again", "from", "1"]))
    hours.cart.run(1000)
    texts = hours.look() + hours.look()
    assert not [one for one in texts if one == "ToolsNet lost"], texts
    assert len([one for one in texts if "PIM" in one and "refused the connection" in one]) == 1, texts


@pytest.mark.parametrize("side", ["controller", "ToolsNet"])
def test_a_connection_that_a_fault_inside_the_agent_ended_names_that(side):
    hours = _Hours()
    station = hours.cart.station
    task = station.intake if side == "controller" else station.outlets[0]
    task.reset_after_fault(hours.cart.clock.now)
    texts = hours.look()
    assert f"{side} lost: a fault inside the agent" in texts, texts


def test_an_order_at_a_boards_console_is_reported_with_what_came_of_it():
    entries = [log_entries.explain(name, value, 10) for name, value in (("drop ordered", 3), ("retry ordered", 0))]
    assert entries == [
        "an operator ordered a drop at the board's console: results of the quarantine dropped: 3",
        "an operator ordered a retry at the board's console: results to be offered again: 0",
    ]
    given = log_entries.explain("command ordered", 18, 10)
    assert given == "an operator gave a command at the board's console, MID 0018 (0000: it was refused)"


def test_one_is_spoken_of_as_one():
    station = healthy_station(parked=1, parked_unreadable=1, missed=1)
    station["outlets"][0].update(lost_there=1, sent_again=1)
    station["removed"] = [{"kind": "mqtt", "name": "mqtt", "waiting": 1}]
    words = "\n".join(need.words for need in all_needs(station))
    for piece in (
        "lacks up to 1 result that it had",
        "up to 1 is still to go",
        "at most 1 record that it has not taken makes room",
        "1 record at most was given up before outlets that are not configured any more had it, up to their removal: "
        "what was since counts when they are configured again, or lose their place",
        "1 result at most of those that are set aside",
    ):
        assert piece in words, (piece, words)
    assert "is up to 1 result behind" in log_entries.explain("server behind", 1, 7)
    assert "of up to 1 that was delivered" in log_entries.explain("server empty", 1, 7)
    lines = [{"from": 4, "count": 1, "lacks": 1, "time": ""}]
    assert order_log.outcome_of(lines) == "1 result from number 4 on is sent again, up to 1 stays in doubt"
    assert order_log.outcome_of([{"left": 1}]) == "up to 1 result that ToolsNet lacks is left"
