"""A number that waits and a name that are said together belong to the same outlet, on every surface."""

import re

import pytest

from toolcart.agent.openprotocol.session_states import READY
from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.doctor import agent as doctor_agent
from toolcart.tools.live import panels, stations, watch
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention, outlet_names, status, waiting_by_outlet
from toolcart.tools.web import metrics, page
from host_tests.support.agent_lines import healthy_station, status_of
from host_tests.support.running import cart_of, run_agent, written

FILE = {
    "kind": "file",
    "name": "file",
    "durable": True,
    "waiting": 0,
    "is_up": True,
    "state": "open",
    "place": "a.jsonl",
    "why": "",
}
HOOK = {**FILE, "kind": "webhook", "name": "webhook", "place": "https://hook", "waiting": 500, "is_up": False}
BROKER = {**HOOK, "kind": "mqtt", "name": "main", "place": "mqtt://broker"}
SERVER = {**FILE, "kind": "toolsnet", "name": "toolsnet", "place": "pim:6575", "state": "streaming"}
EASY = {**HOOK, "durable": False, "waiting": 900}

CASES = {
    "the second one is down": ([FILE, HOOK], "webhook", 500),
    "the first one is down": ([HOOK, FILE], "webhook", 500),
    "two are level": ([FILE, HOOK, BROKER], "webhook and MQTT main", 500),
    "three are level": ([{**FILE, "waiting": 500}, HOOK, BROKER], "file, webhook and MQTT main", 500),
    "best effort keeps nothing": ([{**FILE, "waiting": 3}, EASY], "file", 3),
    "best effort alone": ([EASY], "webhook", 900),
    "beside ToolsNet": ([SERVER, HOOK], "webhook", 500),
    "ToolsNet is further behind": ([{**SERVER, "waiting": 700}, HOOK], "ToolsNet", 700),
}


def station_with(outlets, used=10):
    toolsnet = [one for one in outlets if one["kind"] == "toolsnet"]
    backlog = max(one["waiting"] for one in outlets)
    reported = healthy_station(outlets=[dict(one) for one in outlets], backlog=backlog, stored=900)
    if toolsnet:
        reported["delivered"] = 900 - toolsnet[0]["waiting"]
    else:
        reported.pop("delivered", None)
    reported["spool"].update(percent_full=used)
    return reported


@pytest.mark.parametrize("case", CASES)
def test_log_names_outlet_whose_number_it_says(case):
    outlets, name, count = CASES[case]
    figures = Figures()
    texts = [one.text for used in (10, 95) for one in figures.feed(status_of(station_with(outlets, used)), 1.0)]
    assert any(f"{count} results waiting for {name}" in one for one in texts), "whom a full spool waits for"
    [spool] = [one for one in texts if one.startswith("spool of")]
    assert not lacking_in(spool, outlets)


def test_one_result_in_a_spool_is_told_as_one():
    figures = Figures()
    told = figures.feed(status_of({**station_with(CASES[next(iter(CASES))][0]), "stored": 1}), 1.0)
    assert any(": 1 result stored so far" in one.text for one in told)


def lacking_in(text, outlets):
    """The outlets of which it is not said how much waits for them."""
    counts = [(outlet_names.name_of(one), one["waiting"]) for one in outlets]
    return [name for name, count in counts if not re.search(rf"\b{count}( waiting)? for {name}\b", text)]


def figures_of(outlets):
    figures = Figures()
    figures.feed(status_of(station_with(outlets)), 1.0)
    return figures


@pytest.mark.parametrize("case", CASES)
def test_each_voice_says_how_much_waits_for_each_outlet(case):
    outlets, *_ = CASES[case]
    reported, figures = station_with(outlets), figures_of(outlets)
    for text in (
        status.results(reported),
        watch.totals_text(figures),
        watch.account_text(figures),
        stations.summary(figures.station_figures(), (0.0, 0.0), 400).plain,
    ):
        assert not lacking_in(text, outlets), text
    assert watch.totals(figures)["waiting"] == max(one["waiting"] for one in outlets)
    assert watch.totals(figures)["waiting_for"] == {outlet_names.name_of(one): one["waiting"] for one in outlets}


@pytest.mark.parametrize("case", CASES)
def test_page_and_screen_name_the_outlet_for_which_most_waits(case):
    outlets, *_ = CASES[case]
    reported = station_with(outlets)
    highest = max(one["waiting"] for one in outlets)
    names = [outlet_names.name_of(one) for one in outlets if one["waiting"] == highest]
    row, screen = page.row(reported), panels.account(reported).plain
    for outlet in outlets:
        for_it = f"{outlet['waiting']} for {outlet_names.name_of(outlet)}"
        assert for_it in row.replace("&#39;", "'") or len(outlets) == 1, row
    assert f"{names[-1]} {highest}" in screen if len(outlets) > 1 else f"waiting {highest}" in screen, screen
    assert "nothing waiting" not in panels.backlog(reported, (0.0, 0.0)).plain


def test_nothing_is_said_to_wait_no_more_while_one_outlet_lacks_something():
    figures, said = Figures(), []
    for mqtt, toolsnet in ((33, 40), (33, 0), (20, 0), (0, 0)):
        outlets = [{**SERVER, "waiting": toolsnet}, {**BROKER, "waiting": mqtt, "is_up": True}]
        changes = figures.feed(status_of(station_with(outlets)), 1.0)
        said.append([one.text for one in changes if "backlog" in one.text or "nothing waits" in one.text])
    assert said == [[], [], [], ["backlog delivered (up to 40)"]]


@pytest.mark.parametrize(("durable", "word"), [(True, "overwritten"), (False, "missed")])
def test_what_another_outlet_never_got_is_not_called_delivered(durable, word):
    figures = Figures()
    for mqtt, given_up in ((33, 5), (0, 25)):
        outlets = [dict(SERVER), {**BROKER, "waiting": mqtt, "given_up": given_up, "durable": durable}]
        changes = figures.feed(status_of(station_with(outlets)), 1.0)
    [text] = [one.text for one in changes if "nothing waits" in one.text]
    lacks = f"20 {word} at most before MQTT main had them"
    assert text == f"nothing waits any more: meanwhile {lacks}"


def test_a_board_s_status_without_counts_of_outlets_has_toolsnet_s_backlog():
    assert status.results(healthy_station()) == "7 stored, 5 delivered, 2 waiting"
    figures = Figures()
    figures.feed(status_of(healthy_station()), 1.0)
    assert "waiting 2; " in watch.totals_text(figures)


def test_what_waits_is_added_up_by_names():
    pair = [
        station_with([{**SERVER, "waiting": 3}, {**BROKER, "waiting": 5}]),
        station_with([{**SERVER, "waiting": 4}]),
    ]
    assert waiting_by_outlet.waits(pair) == {"ToolsNet": 7, "MQTT main": 5}
    assert waiting_by_outlet.waiting_text(pair, "waiting") == "7 waiting for ToolsNet, 5 for MQTT main"
    pair[0]["outlets"][0]["waiting_at_most"] = True
    assert waiting_by_outlet.waiting_text(pair, "waiting") == "up to 7 waiting for ToolsNet, 5 for MQTT main"
    assert waiting_by_outlet.waiting_text(pair) == "up to 7 for ToolsNet, 5 for MQTT main"


def test_a_bound_of_what_waits_is_said_to_be_one():
    reported = station_with([{**SERVER, "waiting": 7, "waiting_at_most": True}])
    assert status.results(reported).endswith("up to 7 waiting")
    assert waiting_by_outlet.outlet_text(reported["outlets"][0]) == "up to 7 waiting"
    assert "up to 7 waiting" in panels.backlog(reported, (0.0, 0.0)).plain
    assert ">up to 7<" in page.row(reported)
    assert "waiting at most 7" in " ".join(panels.account(reported).plain.split())
    assert waiting_by_outlet.waiting_for(reported)[0] == waiting_by_outlet.backlog_text(reported) == "up to 7"
    assert waiting_by_outlet.waits_in_words([reported]) == {"ToolsNet": "up to 7"}
    nothing = station_with([{**SERVER, "waiting": 0, "waiting_at_most": True}])
    assert waiting_by_outlet.waiting_text([nothing, nothing], "waiting") == "0 waiting"


def voices(reported):
    """What is said of a station's figures, by where."""
    figures = Figures()
    figures.feed(status_of(reported), 1.0)
    return {
        "status": status.results(reported),
        "page": page.row(reported),
        "one station": " ".join(panels.account(reported).plain.split()),
        "all stations": " ".join(stations.summary(list(figures.stations.values()), (0.0, 0.0), 100).plain.split()),
        "lines": watch.totals_text(figures),
    }


def test_stored_is_a_bound_in_every_voice_while_a_start_has_not_read_all():
    said = voices({**station_with([SERVER]), "stored_at_least": True})
    for where, words in (
        ("status", "at least 900 stored, "),
        ("page", ">at least 900<"),
        ("one station", "stored at least 900"),
        ("all stations", "stored at least 900"),
        ("lines", "stored at least 900 ("),
    ):
        assert words in said[where], where
    assert "at least" not in str(voices(station_with([SERVER])))
    assert "at least, while" in metrics.FAMILIES["toolcart_results_stored_total"][1]


def test_what_is_delivered_is_at_least_that_while_what_waits_for_toolsnet_is_at_most_that():
    """After a power cut the spool knows less than ToolsNet, until that has answered."""
    reported = station_with([{**SERVER, "waiting": 7, "waiting_at_most": True}])
    reported["delivered_at_least"] = True
    said = voices(reported)
    for where, words in (
        ("status", "900 stored, at least 893 delivered, up to 7 waiting"),
        ("page", ">at least 893<"),
        ("one station", "delivered at least 893"),
        ("all stations", "delivered at least 893"),
        ("lines", "delivered at least 893 ("),
    ):
        assert words in said[where], where
    two = [station_with([SERVER]), reported]
    assert waiting_by_outlet.delivered_text(two) == "at least 1793"
    of_another = station_with([SERVER, {**BROKER, "waiting": 7, "waiting_at_most": True}])
    assert waiting_by_outlet.delivered_text([of_another]) == "900"
    [help_text] = [text for name, (_, text) in metrics.FAMILIES.items() if name == "toolcart_results_delivered_total"]
    assert "at least, after a power cut" in help_text


@pytest.mark.parametrize("case", CASES)
def test_what_keeps_a_spool_full_is_named(case):
    outlets, name, _ = CASES[case]
    reported = station_with(outlets, 100)
    reported["controller"]["waits_for_room"] = True
    hint = next(need.hint for need in attention.needs(reported) if need.slug == "full")
    assert hint.startswith(f"{name} {'have' if ' and ' in name else 'has'} to take some")


def test_a_running_agent_s_own_figures_are_those_of_the_outlet_that_lacks_most(tmp_path):
    """ToolsNet has everything; the file's folder is not there."""
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "none/lines.jsonl"}]
    with SimulatedPlant() as plant:
        cart = written(tmp_path, cart_of(plant, station={"outlets": outlets}))
        services = []

        def goes_on(agent, _):
            services.append(agent._service_status())
            if agent.app.stations[0].session.state == READY and not plant.controller.produced:
                plant.produce(7)
            return ", 7 delivered" not in services[-1]

        code, lines = run_agent(cart, goes_on)
    figures = Figures()
    figures.feed(lines[-1], 1.0)
    [station] = lines[-1]["stations"]
    assert code == 0 and station["backlog"] == 7 and station["oldest_waiting"], station
    assert "waiting 7 for file, 0 for ToolsNet" in watch.totals_text(figures)
    assert services[-1] == "1 of 1 stations, 7 results stored, 7 delivered, 7 waiting for file, 0 for ToolsNet"
    assert "7 for file" in page.row(station)
    metric = metrics.text_of([metrics.Agent("cart", {"agent": {}, "stations": [station]})])
    [age] = re.findall(r"^toolcart_oldest_waiting_seconds\{.*\} (\S+)", metric, re.MULTILINE)
    assert 0 <= float(age) < 600
    [finding] = doctor_agent.examine(str(cart), None, None, [tmp_path / "cart.spool"], names=["toolsnet", "file"])
    assert "up to 7 records wait for file, and nothing is taken" in finding.words
