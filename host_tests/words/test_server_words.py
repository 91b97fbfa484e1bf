"""Where ToolsNet's 08 leaves doubt a person is told so in a sentence; each case is made by a server that says it."""

import pytest

from toolcart.agent.cart.status import of_station
from toolcart.tools.flash.board_commands import status_lines
from toolcart.tools.live.figures import Figures
from toolcart.tools.words import reasons
from toolcart.tools.words.server import doubts, sentence
from lab.harness.cart import Cart


def cart(reported, sent=3, **settings):
    one = Cart(settings={"toolsnet": settings})
    one.until_ready()
    for _ in range(sent):
        one.controller.produce()
    one.until_quiet()
    one.run(1000)
    one.options.reported_result = reported
    one.toolsnet.drop()
    one.run(2000)
    return one


@pytest.mark.parametrize(
    ("reported", "counter", "words"),
    [
        (
            40000,
            "resume unknown",
            "holds result 40000 of station 10, which this spool never sent: is station 10 used twice",
        ),
        (1, "server behind", "is 2 results behind what it once had of station 10: was it restored"),
        (0, "server empty", "holds no result of station 10, of 3 that were sent"),
    ],
)
def test_what_the_08_names_is_counted_and_said_in_words(reported, counter, words):
    station = of_station(cart(reported).station, 0)
    assert station["counters"][counter] == 1
    assert [words in doubt for _, doubt in doubts(station)] == [True]
    assert any(words in line for line in status_lines({"stations": [station]}))


def test_server_that_stands_where_it_should_leaves_no_doubt():
    assert doubts(of_station(cart(3).station, 0)) == []


def test_events_have_their_own_sentence():
    station = {"number": 10, "log": [], "outlets": [{"events_doubt": "ToolsNet is 2 events behind"}]}
    assert doubts(station) == [("events", "ToolsNet is 2 events behind")]


def test_what_has_no_sentence_is_told_by_its_name():
    assert sentence("other revision", 7, 10) == "other revision (7)"


def test_live_view_says_the_sentence_once():
    one = cart(40000)
    station = of_station(one.station, 0)
    figures = Figures()
    changes = figures.feed(
        {"kind": "status", "stations": [station], "scheduler": {"faults": 0, "last_fault": None}}, 1.0
    )
    assert len([change for change in changes if "used twice" in change.text]) == 1


def test_server_that_is_not_allowed_is_named():
    one = Cart(settings={"toolsnet": {"allow_hosts": ["tn"]}}, toolsnet={"server_host": "10.9.9.9"})
    one.until_ready()
    one.run(2000)
    told = reasons.of_toolsnet(of_station(one.station, 0)["outlets"][0])
    assert "names 10.9.9.9:10111 as the server, which toolsnet.allow_hosts does not have" in told.words
    assert one.toolsnet.server_connections == 0
