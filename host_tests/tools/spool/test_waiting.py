"""What waits in the spool of a stopped agent is said for each outlet, by name, and in the same way everywhere."""

import json
import os

import pytest

from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.record import KIND_EVENT
from toolcart.tools.doctor import agent as agent_check
from toolcart.tools.service import undelivered_spools
from toolcart.tools.spool import take_over, waiting
from host_tests.agent.cart.test_outlet_places import FILE, MQTT, TOOLSNET, Cart
from host_tests.support.log import EVENT_PAYLOAD
from host_tests.support.running import toolcart

STORED, TAKEN = 50, 17
WEBHOOK = "webhook:mes"
NAMES = {TOOLSNET: "ToolsNet", MQTT: "MQTT", FILE: "file", "mqtt:b": "MQTT b", WEBHOOK: "webhook mes"}
SETS = ((TOOLSNET, MQTT), (TOOLSNET, FILE), (MQTT, FILE), (FILE, MQTT), (TOOLSNET, "-" + FILE), (MQTT, TOOLSNET, FILE))
BEHIND = [(names, behind) for names in SETS for behind in range(len(names))]
each_behind = pytest.mark.parametrize(("names", "behind"), BEHIND, ids=[f"{a}: {a[b]}" for a, b in BEHIND])


def left_behind(folder, names, behind):
    """A stopped agent's spool with STORED results, of which the outlet `behind` has taken TAKEN, the others all."""
    cart = Cart()
    cart.start(*names)
    cart.append(STORED)
    for index in range(len(names)):
        cart.take(index, TAKEN if index == behind else 1 << 20)
    return cart, file_of(cart, folder)


def file_of(cart, folder):
    path = folder / "cart.spool"
    path.write_bytes(cart.flash.cells)
    return path


def info(path, code=0):
    return json.loads(toolcart("spool", "info", path, "--json", code=code).stdout)


def name_of(words):
    return NAMES[words.strip("-")]


def voices(path, *names, code=0):
    """What is said of this spool by each who says what waits in it; `names` are those of the configuration."""
    yield "info", toolcart("spool", "info", path, code=code).stdout
    yield "doctor", agent_check.examine("cart.json", None, None, [path], names=names)[0].words
    yield "install-service", undelivered_spools.words_of(path, names)


@each_behind
def test_each_voice_names_the_outlet_that_lacks_something(tmp_path, names, behind):
    cart, path = left_behind(tmp_path, names, behind)
    waits, name = STORED - TAKEN, name_of(names[behind])
    for voice, words in voices(path):
        assert f"up to {waits} " in words and f" for {name}" in words, (voice, words)
    main = info(path)["areas"][0]
    assert main["waiting"] == waits
    assert {one["outlet"]: one["waiting"] for one in main["waiting_for"]} == {
        name_of(each): waits if each is names[behind] else 0 for each in names
    }
    plan = take_over.Plan(256 * 1024)
    made = take_over.make(take_over.start(bytes(cart.flash.cells)), plan, 4711)
    assert made.waiting == waits and f"{waits} for {name}" in take_over.summary_of(made, plan)


@pytest.mark.parametrize("names", SETS, ids=str)
def test_nothing_waits_when_every_outlet_has_all(tmp_path, names):
    _, path = left_behind(tmp_path, names, -1)
    for _, words in voices(path):
        assert "up to" not in words and "wait for" not in words, words
    assert "nothing waits in it" in toolcart("spool", "info", path).stdout
    assert info(path)["areas"][0]["waiting"] == 0


@pytest.mark.parametrize("names", SETS[:-2], ids=str)
@pytest.mark.parametrize("restarts", [1, 2, 3])
def test_an_outlet_that_is_not_configured_any_more_still_lacks_what_it_has_not_taken(tmp_path, names, restarts):
    for behind, name in enumerate(names):
        cart, _ = left_behind(tmp_path, names, behind)
        for _ in range(restarts):
            cart.start(*[other for other in names if other is not name])
        for voice, words in voices(file_of(cart, tmp_path)):
            assert f"up to {STORED - TAKEN} " in words, (voice, words)
            assert f"for {name_of(name)} (not configured at the last start)" in words, (voice, words)


def test_what_the_log_holds_no_more_waits_for_nobody(tmp_path):
    cart = Cart()
    cart.start(FILE, "-" + MQTT, when_full="overwrite")
    for _ in range(60):
        cart.append(50)
        cart.take(0)
    assert cart.log.first_above(0) > 1000
    held = cart.log.number - cart.log.first_above(0) + 1
    main = info(file_of(cart, tmp_path))["areas"][0]
    assert {one["outlet"]: one["waiting"] for one in main["waiting_for"]} == {"file": 0, "MQTT": held}


def test_names_of_the_configuration_are_known_and_others_are_told_by_their_kind(tmp_path):
    _, path = left_behind(tmp_path, (TOOLSNET, "mqtt:b", WEBHOOK), 1)
    texts = dict(voices(path, "toolsnet", "b", "mes"))
    assert "for MQTT b" in texts["doctor"] and "for MQTT b" in texts["install-service"]
    assert " for MQTT" in texts["info"] and "MQTT b" not in texts["info"]
    assert {one["outlet"] for one in info(path)["areas"][0]["waiting_for"]} == {"ToolsNet", "MQTT", "webhook"}


def test_several_that_wait_are_all_named_the_most_first(tmp_path):
    cart, _ = left_behind(tmp_path, (TOOLSNET, MQTT, FILE), 0)
    cart.append(10)
    path = file_of(cart, tmp_path)
    for voice, words in voices(path):
        waits = f"up to {STORED - TAKEN + 10} records wait for ToolsNet, "
        assert waits in words and "10 for MQTT" in words and "10 for file" in words, (voice, words)


def test_an_event_waits_for_those_that_get_events(tmp_path):
    cart, _ = left_behind(tmp_path, (TOOLSNET, FILE), -1)
    log = cart.log
    log.stage[log.payload_at : log.payload_at + EVENT_PAYLOAD] = bytes(EVENT_PAYLOAD)
    assert log.append(KIND_EVENT, 0, EVENT_PAYLOAD) == 0
    main = info(file_of(cart, tmp_path))["areas"][0]
    assert {one["outlet"]: one["waiting"] for one in main["waiting_for"]} == {"ToolsNet": 0, "file": 1}
    assert "up to 1 record waits for file" in dict(voices(tmp_path / "cart.spool"))["doctor"]


def test_what_was_set_aside_and_what_toolsnet_lost_is_needed_too(tmp_path):
    cart, _ = left_behind(tmp_path, (TOOLSNET, MQTT), -1)
    assert cart.quarantine.admit(7, 43) > 0
    cart.state.numbers[field.DOUBT_LACKS], cart.state.numbers[field.DOUBT_TO] = 12, STORED
    assert cart.state.save()
    path = file_of(cart, tmp_path)
    for voice, words in voices(path):
        assert "1 result is set aside" in words and "ToolsNet lacks up to 12 results that it had" in words, (
            voice,
            words,
        )
    assert "nothing waits in it" not in toolcart("spool", "info", path).stdout


def test_a_spool_whose_state_is_lost_may_hold_all_for_everybody(tmp_path):
    _, path = left_behind(tmp_path, (TOOLSNET, MQTT), 1)
    octets = bytearray(path.read_bytes())
    octets[: 4 * 4096] = b"\xff" * (4 * 4096)
    path.write_bytes(octets)
    for voice, words in voices(path, code=1):
        assert f"up to {STORED} records wait" in words, (voice, words)
    assert info(path, code=1)["areas"][0]["waiting"] == STORED


def test_doctor_adds_up_what_waits_for_one_outlet_at_several_stations(tmp_path):
    spools = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        spools.append(left_behind(folder, (TOOLSNET, MQTT), number - 1)[1])
    [finding, *_] = agent_check.examine("cart.json", None, None, spools)
    waits = STORED - TAKEN
    assert f"up to {waits} records wait for ToolsNet, {waits} for MQTT, and nothing is taken" in finding.words
    assert finding.figures["waiting_for"] == {"ToolsNet": waits, "MQTT": waits} and finding.figures["waiting"] == waits


@each_behind
def test_doctor_compares_toolsnet_s_number_with_what_waits_for_toolsnet(tmp_path, names, behind):
    if TOOLSNET not in names:
        pytest.skip("it is not asked")
    from toolcart.tools.doctor import toolsnet

    cart, _ = left_behind(tmp_path, names, behind)
    cart.state.numbers[field.SENT] |= field.SENT_MET
    assert cart.state.save()
    [finding, *_] = toolsnet.compare(7, 5, file_of(cart, tmp_path))
    assert finding.figures["sequence"] == STORED, finding


def needed(*waits, **others):
    return waiting.Needed(tuple(waiting.Waiting(name, count) for name, count in waits), **others)


SENTENCES = {
    "up to 1 result waits for ToolsNet": needed(("ToolsNet", 1)),
    "up to 3 results wait for ToolsNet": needed(("ToolsNet", 3), ("MQTT", 0)),
    "up to 1 record waits for MQTT": needed(("MQTT", 1), ("ToolsNet", 0)),
    "up to 3 records wait for MQTT, 1 for ToolsNet": needed(("MQTT", 3), ("ToolsNet", 1)),
    "up to 3 records wait for MQTT, 1 for ToolsNet, and 2 are set aside": needed(
        ("MQTT", 3), ("ToolsNet", 1), set_aside=2
    ),
    "up to 1 result waits for ToolsNet, and 1 is set aside": needed(("ToolsNet", 1), set_aside=1),
    "1 result is set aside": needed(("ToolsNet", 0), set_aside=1),
    "2 results are set aside, and ToolsNet lacks up to 1 result that it had": needed(set_aside=2, in_doubt=1),
    "up to 3 records wait": needed(("", 3)),
    "": needed(("ToolsNet", 0)),
}


@pytest.mark.parametrize(("sentence", "what"), SENTENCES.items(), ids=SENTENCES)
def test_what_waits_is_one_sentence_for_any_number(sentence, what):
    assert what.words() == sentence


@pytest.mark.parametrize("sentence", [sentence for sentence in SENTENCES if sentence])
def test_the_installer_says_what_waits_in_what_it_moves(tmp_path, sentence):
    path = file_of(Cart(), tmp_path)
    spool = undelivered_spools.UndeliveredSpool(7, path, path.name, sentence)
    refusal = undelivered_spools.refusal([spool])
    assert refusal.startswith(f"station 7: {sentence}, in {path}. The service would begin with an empty spool in ")
    assert "End the agent that uses it and install with --take-spools, which moves it there;" in refusal
    several = undelivered_spools.refusal([spool, spool])
    assert several.startswith(f"station 7: {sentence}, in {path}; station 7: ")
    assert "uses them and install with --take-spools, which moves them there;" in several and "empty spools" in several
    (tmp_path / "state").mkdir()
    inside = os.open(tmp_path / "state", os.O_RDONLY)
    try:
        assert undelivered_spools.take(inside, [spool]) == [
            f"moved {path} to /var/lib/toolcart/{path.name}: {sentence}"
        ]
    finally:
        os.close(inside)
    assert (tmp_path / "state" / path.name).exists() and not path.exists()
