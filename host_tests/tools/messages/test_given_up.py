"""What a full spool gave up is said for each outlet, by its name, with its own number."""

import pytest

from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import latched_conditions, status
from toolcart.tools.web import metrics
from host_tests.support.agent_lines import healthy_station, status_of

FILE = {"kind": "file", "name": "file", "waiting": 0, "is_up": True, "state": "open", "place": "a", "given_up": 529}
EASY = {**FILE, "name": "easy", "durable": False, "given_up": 506}
BROKER = {**FILE, "kind": "mqtt", "name": "mqtt", "given_up": 276}
SERVER = {**FILE, "kind": "toolsnet", "name": "toolsnet", "host": "pim", "port": 1, "given_up": 12, "why": ""}
FULL = "because the spool was full, or left out when it was added to it"


def given_up(count, name):
    records = "1 record" if count == 1 else f"{count} records"
    words = f"{records} at most given up before {name} had {'it' if count == 1 else 'them'}: the spool was full, "
    words += f"or {name} was added to it, or was best effort and behind, or had lost them, "
    return (
        words
        + f"or had other records under {'its number' if count == 1 else 'their numbers'}, or the spool's state was lost"
    )


CASES = {
    "durable and best effort": (
        [FILE, EASY],
        [given_up(529, "file"), given_up(506, "file easy")],
    ),
    "one broker alone": ([BROKER], [given_up(276, "MQTT")]),
    "beside ToolsNet": (
        [SERVER, BROKER],
        [f"12 results at most overwritten before ToolsNet had them, {FULL}"] + [given_up(276, "MQTT")],
    ),
    "one record": ([{**BROKER, "given_up": 1}], [given_up(1, "MQTT")]),
    "nothing": ([{**BROKER, "given_up": 0}], []),
}


def station_with(outlets):
    missed = sum(one["given_up"] for one in outlets if not one.get("durable", True))
    overwritten = sum(one["given_up"] for one in outlets if one.get("durable", True))
    return healthy_station(outlets=[dict(one) for one in outlets], missed=missed, overwritten=overwritten)


@pytest.mark.parametrize("case", CASES)
def test_each_is_reported_by_status_and_log(case):
    outlets, words = CASES[case]
    reported = station_with(outlets)
    texts = [need.words for need in latched_conditions.all_needs(reported) if need.label in ("OVERWRITTEN", "MISSED")]
    assert texts == words
    lines = "\n".join(status.problem_lines(reported))
    logged = [one.text for one in Figures().feed(status_of(reported), 1.0)]
    assert all(one in lines and any(text.startswith(one) for text in logged) for one in words)


def test_of_a_toolsnet_that_is_not_configured_more_may_be_gone_than_is_counted():
    reported = {**station_with([FILE]), "overwritten": 529 + 46}
    texts = [need.words for need in latched_conditions.all_needs(reported) if need.label == "OVERWRITTEN"]
    more = "; what the spool gives up without that outlet counts when it is configured again"
    assert texts == [f"46 results at most overwritten before ToolsNet had them, {FULL}{more}", given_up(529, "file")]
    assert latched_conditions.overwritten_by_outlet([reported]) == {"file": 529}


def test_that_nothing_is_known_any_more_is_no_bound_of_zero():
    figures = Figures()
    figures.feed(status_of(station_with([FILE])), 1.0)
    logged = [one.text for one in figures.feed(status_of(station_with([{**FILE, "given_up": 0}])), 2.0)]
    assert [text for text in logged if "given up" in text] == [
        "no record is known any more that was given up before file had it"
    ]


@pytest.mark.parametrize("one", [SERVER, BROKER], ids=lambda one: one["kind"])
def test_what_a_start_left_out_is_in_the_one_number_as_after_the_next_start(one):
    needs = []
    for left_out in (23, None):
        reported = station_with([{**one, "left_out": left_out, "given_up": 27}])
        needs.append([need for need in latched_conditions.count_needs(reported) if need.key == "27"])
        assert not [need for need in latched_conditions.all_needs(reported) if need.label == "LEFT OUT"]
    assert needs[0] == needs[1] != []


def test_of_what_was_given_up_no_cause_is_reported_that_another_setting_may_have_had():
    """It was given up while it was durable or best effort; which, nobody knows when it is the other one."""
    for durable, label in ((True, "OVERWRITTEN"), (False, "MISSED")):
        reported = station_with([{**BROKER, "durable": durable}])
        [need] = [need for need in latched_conditions.all_needs(reported) if need.label == label]
        assert need.words == given_up(276, "MQTT")


@pytest.mark.parametrize("case", CASES)
def test_each_has_its_figure(case):
    outlets, _ = CASES[case]
    reported = station_with(outlets)
    text = "\n".join(
        f"{name}{{outlet={one['name']}}} {one['given_up']}"
        for one in outlets
        for name in ["toolcart_results_overwritten" if one.get("durable", True) else "toolcart_results_missed"]
    )
    figures = metrics_of(reported)
    assert figures == text.splitlines()


def metrics_of(reported):
    from toolcart.base.prometheus import Sheet

    sheet = Sheet(metrics.FAMILIES)
    reported["spool"] |= {"erases_ever": 0}
    metrics._add_station(sheet, {}, reported)
    lines = [
        line
        for line in sheet.text().splitlines()
        if line.startswith(("toolcart_results_overw", "toolcart_results_mis"))
    ]
    lines = [line for line in lines if "missing" not in line]
    return [
        f"{line.split('{')[0]}{{outlet={line.split('outlet=')[1].split(chr(34))[1]}}} {line.split()[-1]}"
        for line in lines
    ]


def test_what_is_left_of_outlets_that_are_gone_is_reported():
    reported = station_with([BROKER])
    reported["missed"] += 7
    texts = [need.words for need in latched_conditions.count_needs(reported) if need.about == "gone"]
    (text,) = texts
    words = "7 records at most were given up before outlets that are not configured any more had them, up to their"
    assert text.startswith(words)


def test_what_waited_for_an_outlet_that_is_gone_is_not_said_to_be_delivered():
    figures, texts = Figures(), []
    for outlet, waiting in ((FILE, 40), (BROKER, 0), (BROKER, 30), ({**BROKER, "durable": False}, 0)):
        reported = {**station_with([{**outlet, "waiting": waiting}]), "backlog": waiting}
        texts += [one.text for one in figures.feed(status_of(reported), 1.0)]
    assert not [text for text in texts if "backlog delivered" in text]
    for waiting in (20, 0):
        reported = {**station_with([{**FILE, "waiting": waiting}]), "backlog": waiting}
        texts += [one.text for one in figures.feed(status_of(reported), 1.0)]
    assert [text for text in texts if "backlog delivered" in text] == ["backlog delivered (up to 20)"]


def test_a_backlog_is_what_waited_and_not_what_counted_as_given_up_until_it_was_there_again():
    figures, texts = Figures(), []
    for waiting, given_up in ((0, 0), (7, 0), (8, 500), (8, 0), (0, 0)):
        reported = {**station_with([{**BROKER, "waiting": waiting, "given_up": given_up}]), "backlog": waiting}
        texts += [one.text for one in figures.feed(status_of(reported), 1.0)]
    assert [text for text in texts if "backlog delivered" in text] == ["backlog delivered (up to 8)"]
