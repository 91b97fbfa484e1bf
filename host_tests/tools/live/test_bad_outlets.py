"""How bad it is that a side cannot be used, and why, is one thing for status, metrics, log, live view and doctor."""

import errno
import os

import pytest

pytest.importorskip("textual")

from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux.lines import LineFile
from toolcart.tools.config import path_checks
from toolcart.tools.live import panels, stations
from toolcart.tools.live.figures import BAD, LEVELS, WARNING, Figures
from toolcart.tools.live.history import StationFigures
from toolcart.tools.messages import attention, connections, outlet_names
from toolcart.tools.web import metrics
from host_tests.support.agent_lines import healthy_station, status_of

FILE = {
    "kind": "file",
    "name": "file",
    "durable": True,
    "waiting": 3,
    "is_up": False,
    "state": "cannot be used",
    "place": "/srv/cart/a.jsonl",
    "why": "the folder /srv/cart is not there (mkdir -p /srv/cart)",
    "cure": "",
}
BROKER = {
    "kind": "mqtt",
    "name": "mqtt",
    "durable": True,
    "waiting": 3,
    "is_up": False,
    "state": "closed",
    "place": "mqtt://broker:1883/cart",
    "why": "DNS slow",
    "why_code": 0,
}
SERVER = {"kind": "toolsnet", "host": "10.0.0.2", "port": 6575, "state": "streaming", "why": "", "is_up": True}
PIM = {**SERVER, "state": "waiting", "is_up": False, "why_in": "pim verify", "next_try_ms": 4000}

# The outlets, how bad that is, and pieces of why and of what to do.
CASES = {
    "a folder is missing": (
        [SERVER, FILE],
        BAD,
        ("/srv/cart is not there", "mkdir -p", "The outlet's path names a file"),
    ),
    "a file's disk is full": (
        [
            SERVER,
            {**FILE, "why": os.strerror(errno.ENOSPC), "cure": linux_refusal.of_number(errno.ENOSPC, FILE["place"])},
        ],
        BAD,
        ("No space left", "df -h /srv/cart"),
    ),
    "names are slow": ([SERVER, BROKER], WARNING, ("the name servers do not answer for broker", "Give an address")),
    "a broker is away": ([SERVER, {**BROKER, "why": "refused"}], WARNING, ("refused the connection", "8883 is usual")),
    "a password is wrong": ([SERVER, {**BROKER, "why": "user or password is wrong"}], BAD, ("password is wrong",)),
    "no PIM": ([{**PIM, "why": "foreign PIM"}], BAD, ("what answers there is not a PIM", "Each plant chooses it")),
    "a PIM is away": ([{**PIM, "why": "refused"}], WARNING, ("refused the connection", "Does ToolsNet run there")),
    "one is away, another refuses": (
        [{**PIM, "why": "refused"}, FILE],
        BAD,
        ("/srv/cart is not there", "PIM 10.0.0.2:6575 refused the connection"),
    ),
}


def station_of(case):
    outlets, *_ = CASES[case]
    station = healthy_station(outlets=[dict(one) for one in outlets])
    station["spool"]["erases_ever"] = 0
    return station


def sides_down(station):
    return [one for one in station["outlets"] if not connections.is_working(one)]


@pytest.mark.parametrize("case", CASES)
def test_all_voices_agree_on_how_bad_it_is(case):
    station, level = station_of(case), CASES[case][1]
    is_bad = level == BAD
    assert stations.verdict(station)[0] == level
    assert attention.is_for_somebody(station) == is_bad
    page = metrics.text_of([metrics.Agent("cart", {"agent": {}, "stations": [station]})])
    assert ('level="bad"} 1' in page) == is_bad
    figures = StationFigures()
    figures.keep(station, 0.0)
    assert stations.row(figures, 200).plain[0] == panels.LEVEL_SIGNS[level]
    changes = Figures().feed(status_of(station), 10.0)
    assert (BAD in [change.level for change in changes]) == is_bad, changes
    for side in sides_down(station):
        sign, style = panels.state_sign(side)
        own = LEVELS[attention.level_of(side)]
        assert (sign == panels.LEVEL_SIGNS["bad"]) == (own == BAD), (side, sign)
        assert style in (panels.LEVEL_STYLES[own], panels.BAD_STYLE)
        lines = panels.links(station, {}, True, (200, 40)).plain.splitlines()
        assert [line for line in lines if line.startswith(f"{outlet_names.name_of(side):<11} {sign} ")], lines


@pytest.mark.parametrize("case", CASES)
def test_the_overview_says_it_in_the_words_of_the_others_where_there_is_room(case):
    station, (_, level, pieces) = station_of(case), CASES[case]
    whole = stations.verdict(station, stations.WHOLE)[1]
    assert [piece for piece in pieces if piece not in whole] == [], whole
    for side in sides_down(station):
        reason = connections.reason_of(side)
        assert reason.words in whole and reason.hint in whole
    figures = StationFigures()
    figures.keep(station, 0.0)
    assert all(piece in stations.problem_text(figures, 400, 8).plain for piece in pieces)
    short = stations.verdict(station, stations.SHORT)[1]
    assert len(short) < len(whole) and all(outlet_names.name_of(side) in short for side in sides_down(station)), (
        level,
        short,
    )


def test_what_is_bad_comes_first():
    text = stations.verdict(station_of("one is away, another refuses"), stations.WHOLE)[1]
    assert text.index("/srv/cart is not there") < text.index("refused the connection")


def test_what_works_has_the_good_sign_wherever_it_is():
    station = healthy_station(outlets=[SERVER, {**FILE, "is_up": True, "state": "open", "why": ""}])
    assert stations.verdict(station) == ("good", "")
    assert [panels.state_sign(one)[0] for one in station["outlets"]] == ["●", "●"]


@pytest.mark.parametrize("kind", ["missing", "a file", "itself"])
def test_a_file_of_lines_and_config_check_say_the_same_of_a_place_that_cannot_be(tmp_path, kind):
    path = tmp_path / "none" / "a.jsonl"
    if kind == "a file":
        path.parent.touch()
    elif kind == "itself":
        path.mkdir(parents=True)
    lines = LineFile(str(path), 10000, 1)
    assert not lines.open() and lines.why == path_checks.path_problem(path) != ""
    words = {"missing": f"(mkdir -p {path.parent})", "a file": "is no folder", "itself": "that is a folder"}
    assert words[kind] in lines.why and lines.cure == ""
