"""A number that waits and a name that are said together belong to the same outlet, on every surface."""

import pytest

from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import attention, connections, status
from toolcart.tools.web import page
from host_tests.support.agent_lines import healthy_station, status_of

FILE = {
    "kind": "file",
    "name": "file",
    "durable": True,
    "waiting": 0,
    "is_up": True,
    "state": "open",
    "place": "a.jsonl",
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


def station_with(outlets, used):
    toolsnet = [one for one in outlets if one["kind"] == "toolsnet"]
    backlog = toolsnet[0]["waiting"] if toolsnet else connections.waiting_for({"outlets": outlets})[0]
    reported = healthy_station(outlets=[dict(one) for one in outlets], backlog=backlog, stored=900)
    if toolsnet:
        reported["delivered"] = 900 - backlog
    else:
        reported.pop("delivered", None)
    reported["spool"].update(used_blocks=used, blocks=100)
    return reported


@pytest.mark.parametrize("case", CASES)
def test_log_names_outlet_whose_number_it_says(case):
    outlets, name, count = CASES[case]
    figures = Figures()
    for used in (10, 95):
        texts = [one.text for one in figures.feed(status_of(station_with(outlets, used)), 1.0)]
        assert any(
            f"{count} results waiting for {name}" in one or f"{count} waiting for {name}" in one for one in texts
        )


@pytest.mark.parametrize("case", CASES)
def test_status_and_page_name_outlet_whose_number_they_say(case):
    outlets, name, count = CASES[case]
    reported = station_with(outlets, 10)
    first = connections.first_outlet(reported)
    if first["kind"] == "toolsnet":
        assert f"{first['waiting']} waiting" in status.results(reported)
        assert status.results(reported).endswith(" for ToolsNet")
        return
    assert f"{count} waiting" in status.results(reported) and status.results(reported).endswith(f" for {name}")
    assert (f"{count} for {name}" in page.row(reported)) == (connections.furthest_behind(reported) != [first])


@pytest.mark.parametrize("case", CASES)
def test_what_keeps_a_spool_full_is_named(case):
    outlets, name, _ = CASES[case]
    reported = station_with(outlets, 100)
    reported["controller"]["waits_for_room"] = True
    hint = next(need.hint for need in attention.needs(reported) if need.slug == "full")
    assert hint.startswith(f"{name} {'have' if ' and ' in name else 'has'} to take some")
