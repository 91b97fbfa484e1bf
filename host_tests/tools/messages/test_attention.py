"""What somebody should know of a station: each need in words, with what helps, and the same wherever it is shown."""

import json
import re

import pytest

from toolcart.agent.cart.status import REFUSED_NAMES, snapshot
from toolcart.sim.endpoint import Endpoint
from toolcart.tools.live import stations
from toolcart.tools.live.figures import WARNING, Figures
from toolcart.tools.messages import attention, connections, latched_conditions, log_entries
from toolcart.tools.messages import status as words
from toolcart.tools.messages.counter_rows import ROWS
from host_tests.support.agent_lines import healthy_station, status_of
from lab.harness.cart import PIM, Cart

REFUSED = {"code": 17, "number": 5, "next_try_ms": 8000, "doing": "retry"}


def station(refused=None, **more):
    toolsnet = {"kind": "toolsnet", "refused": refused, "late": more.pop("late", 0), "is_up": True}
    toolsnet.update({"waiting": 248} if refused else {})
    toolsnet.update({name: more.pop(name, None) for name in ("left_out", "lost_there", "sent_again")})
    more.setdefault("spool", {}).setdefault("path", "cart.spool")
    return {"number": 3, "mounted": True, "controller": {}, "outlets": [toolsnet], **more}


def needs_in_words(refused, **more):
    return [need.text() for need in attention.needs(station(refused, **more))]


def test_a_station_at_which_all_is_well_needs_nothing():
    assert attention.needs(station()) == []
    assert attention.needs({"number": 3, "mounted": False}) == []


def test_a_toolsnet_with_a_name_is_called_by_it_in_every_sentence_about_it():
    """What the quarantine has is no such sentence: a ToolsNet of an earlier name may have refused it."""
    happened = {
        "name": "alt",
        "lost_there": 40,
        "sent_again": 3,
        "late": 2,
        "unknown_sequence": 7,
        "events_doubt": "ToolsNet is up to 3 events behind: was it restored from an old copy?",
        "events_perhaps_there": 2,
        "events_missed": 4,
    }
    sentences = []
    for phase in ("retry", "trouble", "pass", "hold", "late"):
        for is_up in (True, False):
            status = station({**REFUSED, "doing": phase}, overwritten=62, counters={"raw": 2})
            status["outlets"][0] |= {**happened, "is_up": is_up, "why_in": "" if is_up else "connecting"}
            sentences += [need.text() for need in latched_conditions.all_needs(status)]
    rows = [name for name, row in ROWS.items() if "{toolsnet}" in row.entry]
    sentences += [log_entries.explain(name, 17, 3, toolsnet="ToolsNet alt") for name in rows]
    sentences += attention.ends(status).values()
    about = [text for text in sentences if "ToolsNet" in text]
    assert len(rows) == 10 and any("overwritten before ToolsNet alt had" in text for text in about)
    assert [text for text in about if text.count("ToolsNet") != text.count("ToolsNet alt")] == []
    assert latched_conditions.overwritten_by_outlet([status]) == {"ToolsNet alt": 62}
    assert latched_conditions.missed_by_outlet([status])["ToolsNet alt (events)"] == 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "ToolsNet refuses (code 17), next try in 8 s, 248 waiting"),
        ({"code": 0}, "ToolsNet leaves a result unanswered, next try in 8 s, 248 waiting"),
        ({"doing": "pass"}, "ToolsNet refuses (code 17) result 5: those behind it are offered, 248 waiting"),
        (
            {"doing": "hold"},
            "ToolsNet refuses (code 17) and the quarantine has no room: nothing else is sent, next try in 8 s, 248 "
            "waiting; needs an operator: `toolcart quarantine list --spool cart.spool`",
        ),
        (
            {"doing": "trouble", "next_try_ms": 30000},
            "ToolsNet refuses everything that it is offered now (code 17), next try in 30 s, 248 waiting; look into "
            "ToolsNet: is its database there, and this station known to it?",
        ),
        (
            {"doing": "trouble", "next_try_ms": 30000, "tried_all": True},
            "ToolsNet refuses everything that it is offered now (code 17), next try in 30 s, 248 waiting; look into "
            "ToolsNet: is its database there, and this station known to it? Only where it refuses these alone: "
            "`toolcart quarantine list --spool cart.spool`",
        ),
        ({"doing": "late"}, "ToolsNet is offered a result again that was set aside: 5"),
    ],
)
def test_a_refusal_says_what_is_refused_what_is_done_and_what_waits(changes, words):
    assert needs_in_words(dict(REFUSED, **changes)) == [words]


def test_nothing_is_said_to_be_offered_again_while_nothing_can_be_offered():
    offered = station(dict(REFUSED, doing="late"))
    for changes in (AWAY, {"waits_for_flash": True}):
        away = {**offered, "outlets": [{**offered["outlets"][0], **changes}]}
        assert [need for need in attention.needs(away) if need.slug == "late"] == []
    assert [need.slug for need in attention.needs(offered)] == ["late"]


AWAY = {"is_up": False, "state": "closed", "why": "refused", "why_in": "pim opening", "host": "tn", "port": 1}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"doing": "trouble"}, "refused everything that was offered (code 17)"),
        ({"doing": "retry", "trouble": True}, "refused everything that was offered (code 17)"),
        ({}, "refused result 5 (code 17)"),
        ({"code": 0}, "left result 5 unanswered"),
        ({"doing": "pass"}, "refused result 5 (code 17)"),
    ],
)
def test_a_toolsnet_that_is_away_has_refused_and_is_first_said_to_be_away(changes, words):
    away = station(dict(REFUSED, **changes))
    away["outlets"][0] |= AWAY
    [need] = attention.needs(away)
    assert need.text() == (
        f"ToolsNet {words} when it was last there; what waits is offered again as soon as it is back, 248 waiting"
    )
    assert need.level == "warn" and not attention.is_for_somebody(away), "it is only away"
    away |= {"name": "", "recovery": {"gone": 0}, "spool": {"path": "", "used_blocks": 1, "blocks": 9, "erases": 0}}
    away["controller"] = {"state": "ready", "host": "c", "port": 1}
    level, said = stations.verdict(away, stations.WHOLE)
    assert level == WARNING and said.index("refused the connection") < said.index(words), said


@pytest.mark.parametrize("doing", ["retry", "pass", "trouble", "hold"])
def test_a_connection_that_only_ended_or_is_silent_leaves_a_refusal_what_it_is(doing):
    for more in ({"why_in": ""}, {"why": "no answer", "why_in": "streaming"}, {"state": "streaming", "is_up": True}):
        ended = station(dict(REFUSED, doing=doing))
        ended["outlets"][0] |= {**AWAY, **more}
        assert [need.level for need in attention.needs(ended) if need.slug == "refused"] == ["bad"], more
    held = station(dict(REFUSED, doing="hold"))
    held["outlets"][0] |= AWAY
    assert attention.is_for_somebody(held), "room in the quarantine does not come by itself"


def test_the_operator_is_asked_whether_or_not_anything_holds():
    operator = {"why": "the quarantine is full"}
    held = attention.needs(station(dict(REFUSED, doing="hold"), needs_operator=operator))
    assert [need.slug for need in held] == ["refused", "operator"]
    both = attention.needs(station(REFUSED, needs_operator=operator))
    assert [need.slug for need in both] == ["refused", "operator"]
    assert (
        held[1] == both[1]
        and both[1].text() == "needs an operator: the quarantine is full; `toolcart quarantine list --spool cart.spool`"
    )


def test_of_what_cannot_be_read_and_has_no_room_nothing_says_that_toolsnet_refuses_it():
    operator = {"why": "a result that could not be read has no room in the quarantine, so nothing goes out"}
    held = attention.needs(station({"code": 1001, "number": 5, "doing": "hold"}, needs_operator=operator, parked=17))
    assert [need.slug for need in held] == ["operator"] and "refuse" not in held[0].text()
    assert "refuse" not in log_entries.explain("parking failed", 1001, 3)
    assert "refuses" in log_entries.explain("parking failed", 17, 3)


def test_what_blocks_by_a_setting_is_given_up_by_its_own_order_whatever_is_set_aside():
    blocked = station(REFUSED, needs_operator={"why": "all wait"}, parked=3)
    blocked["outlets"][0] |= {"needs_operator": True, "keeps_order": True}
    text = attention.needs(blocked)[1].text()
    assert text == (
        "needs an operator: all wait; `toolcart quarantine drop first --spool cart.spool` gives up the refused one for "
        "good"
    )


def test_the_rest_is_reported_the_worst_first():
    needs = attention.needs(
        station(
            late=2,
            controller={"waits_for_room": True, "line": {"overruns": 2}},
            spool={"state_alarm": 1},
            recovery={"needs": "owner"},
        )
    )
    assert [(need.slug, need.level) for need in needs] == [
        ("full", "bad"),
        ("fetching", "bad"),
        ("state", "warn"),
        ("overruns", "warn"),
        ("waits late", "note"),
    ]
    assert needs[1].text().endswith('set controller.tightening_ids to "own"')
    for unknown in ({}, {"line": {"overruns": -1}}, {"line": {"overruns": 0}}):
        assert attention.needs(station(controller=unknown)) == []
    assert [need.level for need in attention.needs(station(spool={"state_alarm": 2}))] == ["bad"]


def refused_by_the_disk(slug, **more):
    [need] = attention.needs(station(controller={"waits_for_room": True}, spool={"refused": slug, **more}))
    assert (need.slug, need.level) == ("disk", "bad"), "it is not called full"
    return need


def test_each_refusal_of_a_disk_has_its_own_words_and_advice(tmp_path):
    slugs = [slug for slug in REFUSED_NAMES.split(",") if slug]
    path = tmp_path / "my spool"
    path.touch()
    needs = [refused_by_the_disk(slug, path=str(path)) for slug in slugs]
    assert len({need.words for need in needs}) == len({need.hint for need in needs}) == len(needs)
    for slug, word in (("read-only", "dmesg"), ("no room", f"df -h {tmp_path}"), ("not allowed", f"'{path}'")):
        assert word in refused_by_the_disk(slug, path=str(path)).hint
    words = refused_by_the_disk("broken", refused_words="syncing a.spool: Input/output error").words
    assert words == (
        "no result can be stored, the controller keeps them: the disk reports errors "
        "(syncing a.spool: Input/output error)"
    )
    assert refused_by_the_disk("broken", refused_words="reading a.spool").words.startswith("a part of the spool cannot")


def test_a_spool_that_is_back_asks_for_a_start_and_not_for_itself():
    away, back = (refused_by_the_disk("gone", is_back=is_back) for is_back in (False, True))
    assert "put it back" in away.hint and "put it back" not in back.hint
    assert "start the agent again now" in back.hint and away.key != back.key


def test_every_need_has_words_for_when_it_is_over():
    needs = attention.needs(
        station(
            REFUSED,
            late=1,
            controller={"waits_for_room": True, "line": {"overruns": 2}},
            spool={"state_alarm": 1},
            recovery={"needs": "x"},
            needs_operator={"why": "w"},
        )
    )
    slugs = {need.slug for need in needs} | {attention.needs(station(dict(REFUSED, doing="late")))[0].slug}
    slugs |= {need.slug for need in attention.needs(station(spool={"refused": "broken"}))}
    slugs |= {need.slug for need in attention.needs(station(spool={"disk_is_full": True, "path": "a.spool"}))}
    slugs |= {need.slug for need in attention.needs(station(no_orders="a.spool.sock: Permission denied"))}
    gone = [{"kind": "mqtt", "waiting": 5}]
    slugs |= {
        need.slug for need in attention.needs(station(removed=gone, given_up=gone, places_guessed=True, left_out=0))
    }
    slugs |= {need.slug for need in attention.needs(station(spool={"state_corrected": 1}))}
    slugs |= {need.slug for need in attention.needs(station(graphs={"asked": True, "mounted": False}))}
    slugs |= {
        attention.needs(station(**counts))[0].slug
        for counts in ({"lost_there": 1}, {"sent_again": 1, "sent_again_since": "start"})
    }
    for told in ({"events_doubt": "it is behind"}, {"events_perhaps_there": 1}):
        made = station()
        made["outlets"][0].update(told)
        slugs |= {need.slug for need in attention.needs(made)}
    assert slugs == set(attention.OVER)


def test_what_became_of_places_is_reported():
    gone = [{"kind": "mqtt", "waiting": 5}]
    returned = station(given_up=gone, places_guessed=True, left_out=3, spool={"state_corrected": 2})
    returned["outlets"][0]["lacks"] = 7
    assert [need.text() for need in attention.needs(returned)] == [
        "a number that no spool can hold was put right 2 times since the start: a fault of toolcart; "
        "please report it, with the log",
        "MQTT is not configured any more and has lost its place to a new one: "
        "at most 5 records that it had not taken are not kept for it",
        "ToolsNet was added with this start, and began with the oldest record that the spool had, but "
        "for at most 3 of the oldest: new results need room; older ones were given up before; OVERWRITTEN has "
        "these, too",
        "the spool is of a version whose outlets had no names: each outlet goes on where the one of its kind was",
    ]
    assert attention.OVER["corrected"] == "no number had to be put right since this start"


def test_what_toolsnet_lacks_is_reported_until_it_is_there_or_left():
    def texts_of(**outlet):
        made = station()
        made["outlets"][0].update(outlet)
        return [need.text() for need in attention.needs(made)]

    lacks = "ToolsNet lacks up to 80 results that it had: was its database emptied or restored, is it another one, "
    lacks += "or was the spool's state lost?; "
    order = "`toolcart spool offer-again --spool cart.spool"
    [kept] = texts_of(lost_there=80, lost_there_kept=38)
    assert order + " --since TIME`" in kept and kept.endswith(
        order + " --leave` leaves them, or says that all are there"
    )
    assert (
        kept.startswith(lacks) and "--since TIME` sends again what the spool still has of them, at most 38; `" in kept
    )
    [gone] = texts_of(lost_there=80)
    assert gone.startswith(lacks + "the spool has none of them any more; `") and gone.endswith(
        " --leave` leaves them, or says that all are there"
    )
    again = "results are sent to ToolsNet again: up to 80 are still to go, 20 are done since "
    for since, since_when in (("order", "this began"), ("start", "the start")):
        texts = texts_of(sent_again=80, sent_again_done=20, sent_again_since=since)
        assert texts == [again + since_when]
    both = texts_of(sent_again=80, sent_again_done=20, sent_again_since="order", lost_there=7)
    assert both == [*texts_of(lost_there=7), again + "this began"], "what stays in doubt is said beside it"
    assert attention.OVER["lost there"] == "nothing that ToolsNet had is in doubt any more"
    assert attention.OVER["sent again"] == "nothing is left to be sent again"


def test_what_was_given_again_is_counted_in_words():
    made = station()
    made["outlets"][0]["given_again"] = 8
    assert {need.slug: need.text() for need in latched_conditions.count_needs(made)}["given again"] == (
        "8 records given again since the start to a file, server or consumer that had lost them, or seemed to; "
        "was it restored from an old copy, or exchanged?"
    )


def test_events_that_toolsnet_lacks_are_counted_in_words():
    made = station()
    for count, expected in (
        (
            1,
            "1 event at most that ToolsNet lacks: results needed its room in the spool, or ToolsNet refused it, gave "
            "no answer to it or lost it; a larger spool.size_kib holds more",
        ),
        (2, "2 events at most that ToolsNet lacks: results needed their room in the spool, or ToolsNet refused them, "),
    ):
        made["outlets"][0]["events_missed"] = made["missed"] = count
        needs = {need.slug: need for need in latched_conditions.all_needs(made)}
        assert needs["events missed"].label == "MISSED" and "missed" not in needs
        assert needs["events missed"].text().startswith(expected)


def test_the_status_has_them_in_front_of_what_is_only_counted():
    lines = words.problem_lines(station(REFUSED, parked=4))
    assert lines[0] == "  REFUSED     ToolsNet refuses (code 17), next try in 8 s, 248 waiting"
    assert lines[1].startswith("  SET ASIDE   4 results")


def test_events_tell_a_need_once_and_when_it_is_over():
    from toolcart.tools.live import figures

    state = figures.StationFigures()
    first = figures._need_changes(state, station(REFUSED))
    assert first == [("bad", "ToolsNet refuses (code 17), next try in 8 s, 248 waiting")]
    assert figures._need_changes(state, station(dict(REFUSED, next_try_ms=1000, waiting=300))) == []
    assert len(figures._need_changes(state, station(dict(REFUSED, doing="pass")))) == 1
    assert figures._need_changes(state, station(delivered=1)) == [("good", "ToolsNet takes results again")]
    assert Figures().stations == {}


def test_what_an_order_ended_for_a_moment_is_not_over():
    from toolcart.tools.live import figures

    state = figures.StationFigures()
    operator = {"why": "no room"}
    count = {"delivered": 5, "parked": 24, "backlog": 9}
    hold = dict(REFUSED, doing="hold")

    def changes(refused, needs=None, **changed):
        changed_needs = figures._need_changes(state, station(refused, needs_operator=needs, **{**count, **changed}))
        return [words for _, words in changed_needs]

    assert len(changes(hold, operator)) == 2
    assert changes(None) == [], "the first was dropped, and nothing is known of the next one"
    assert changes(hold, operator) == [], "it is refused as well"
    assert changes(dict(REFUSED, doing="late"), operator) == [
        "ToolsNet is offered a result again that was set aside: 5"
    ]
    assert "ToolsNet takes results again" not in changes(hold, operator, delivered=6), "one of the quarantine was taken"
    assert changes(hold, delivered=6) == [], "nothing left the quarantine"
    assert changes(hold, operator, delivered=6) == []
    assert changes(None, delivered=6, parked=23) == ["the quarantine has room again"]
    assert changes(None, delivered=7, parked=23) == ["ToolsNet takes results again"]
    assert len(changes(hold, operator)) == 2
    assert changes(None, backlog=0) == [attention.NOTHING_HELD["refused"], attention.NOTHING_HELD["operator"]]


@pytest.mark.parametrize("doing", ["pass", "retry", "trouble"])
@pytest.mark.parametrize("is_away", [False, True])
@pytest.mark.parametrize("waits", [False, True])
def test_what_toolsnet_refused_is_said_not_to_be_sent_exactly_while_it_waits_for_the_flash(doing, is_away, waits):
    """What the last snapshot allows still goes out: the sentence of the disk says nothing of it then, nor does this."""
    spool = {"refused": "read-only", "refused_words": "writing: Read-only file system"}
    refused = station(dict(REFUSED, doing=doing), spool=spool)
    refused["outlets"][0].update(AWAY if is_away else {}, waits_for_flash=waits)
    texts = {need.slug: need.text() for need in attention.needs(refused)}
    assert ("nothing is sent while the flash or disk refuses" in texts["refused"]) == waits
    assert ("what waits is not delivered" in texts["disk"]) == waits
    offered = ("are offered", "is offered again", "next try")
    assert any(words in texts["refused"] for words in offered) == (not waits and not is_away)


DISK = {"refused": "broken", "refused_words": "writing: File too large"}
IS_FULL = {"disk_is_full": True, "path": "a.spool"}
FULL = {"controller": {"state": "ready", "waits_for_room": True}}
NO_ROOM = {"recovery": {"off": "no room"}}


@pytest.mark.parametrize(
    ("slug", "there", "gone", "covers"),
    [
        ("disk full", {"spool": IS_FULL}, {"spool": {}}, {"spool": {**IS_FULL, **DISK}}),
        ("disk full", {"spool": IS_FULL}, {"spool": {}}, {"spool": DISK}),
        ("full", FULL, {}, {**FULL, "spool": dict(DISK)}),
        ("full", FULL, {}, {"spool": dict(DISK)}),  # there is no session, so nothing waits for room
        ("full", FULL, {}, {**FULL, "spool": {"state_alarm": attention.STATE_LAST}}),
        ("fetching", NO_ROOM, {}, {**NO_ROOM, "controller": {"state": "closed", "waits_for_room": True}}),
        ("fetching", NO_ROOM, {}, {"controller": {"state": "closed", "waits_for_room": True}}),
        ("fetching", NO_ROOM, {}, {**NO_ROOM, **FULL}),
        ("fetching", NO_ROOM, {}, {"controller": {"state": "opening"}}),
    ],
)
def test_a_need_that_another_covers_is_not_said_to_be_over_nor_anew_behind_it(slug, there, gone, covers):
    from toolcart.tools.live import figures

    state, working = figures.StationFigures(), {"state": "ready"}

    def texts(told):
        return [words for _, words in figures._need_changes(state, station(**{"controller": working, **told}))]

    [said] = texts(there)
    assert said not in (first := texts(covers)) and attention.OVER[slug] not in first
    assert texts(covers) == []
    again = texts(there)
    assert said not in again and attention.OVER[slug] not in again, "it was there all the time"
    texts(covers)
    assert attention.OVER[slug] in texts(gone), "it is known now"
    assert texts(gone) == [] and texts(there) == [said]
    assert texts(gone) == [attention.OVER[slug]]


def test_an_outlet_without_a_name_is_reported_without_a_second_comma_and_without_none():
    for waiting, part in (
        (0, "it had passed all records"),
        (1, "at most 1 record that"),
        (7, "at most 7 records that"),
    ):
        (text,) = needs_in_words(None, given_up=[{"kind": "mqtt", "name": "", "waiting": waiting}])
        assert part in text and text.startswith(
            "an outlet of the kind mqtt whose name is not known now is not configured any more and has"
        )


def test_of_a_toolsnet_that_has_lost_its_place_results_alone_are_counted():
    for waiting, part in ((0, "it had passed all results"), (4, "at most 4 results that it had not taken are")):
        (text,) = needs_in_words(None, given_up=[{"kind": "toolsnet", "name": "alt", "waiting": waiting}])
        assert part in text and "record" not in text


def test_a_list_of_what_is_gone_is_promised_only_where_there_is_one():
    for latest, end in ((None, "lists those of which the spool still has a record"), ({"count": 1}, "lists them")):
        gone = station(None, recovery={"gone": 3, "gone_latest": latest})
        assert next(need.hint for need in latched_conditions.count_needs(gone) if need.slug == "gone").endswith(end)


def test_a_full_quarantine_says_how_many_it_holds_and_that_none_is_dropped():
    for changed in ({"needs_operator": {"why": "the quarantine is full"}}, {"refused": dict(REFUSED, doing="hold")}):
        refused = changed.pop("refused", None)
        [need] = attention.needs(station(refused, parked=37, **changed))
        assert "37 records set aside, none is dropped without an order" in need.words


def test_an_empty_quarantine_is_not_to_be_listed():
    for changed in ({"needs_operator": {"why": "no room"}}, {"refused": dict(REFUSED, doing="hold")}):
        [need] = attention.needs(station(changed.pop("refused", None), parked=0, **changed))
        assert "`toolcart quarantine drop first --spool cart.spool`" in need.hint and "list" not in need.hint


def test_a_station_that_is_starting_needs_nobody():
    starting = {"number": 1, "mounted": False, "starting": True}
    assert "the agent is starting" in attention.spool_problem(starting) and not attention.is_for_somebody(starting)
    assert attention.is_for_somebody({**starting, "starting": False})


def test_another_kind_under_the_same_name_is_said_to_be_another_outlet():
    changed = station(removed=[{"kind": "mqtt", "name": "mes", "waiting": 5}])
    changed["outlets"].append({"kind": "webhook", "name": "mes", "is_up": True, "left_out": 0})
    removed, added = attention.needs(changed)
    assert "mes was of kind mqtt before this start and is of kind webhook now" in removed.words
    assert "at most 5 records that the one of kind mqtt has not taken make room" in removed.words
    assert "continues" not in removed.hint and "began with the oldest record" in added.words


@pytest.mark.parametrize("list_name", ["removed", "given_up"])
def test_what_a_toolsnet_lacks_is_said_too_where_another_kind_has_its_name(list_name):
    changed = station(**{list_name: [{"kind": "toolsnet", "name": "mes", "waiting": 5, "lost_there": 40}]})
    changed["outlets"] = [{"kind": "webhook", "name": "mes", "is_up": True, "left_out": None}]
    [need] = attention.needs(changed)
    assert need.words.startswith("mes was of kind toolsnet before this start and is of kind webhook now: that is ")
    assert "lacks up to 40 results that it had" in need.words and "at most 5 results that " in need.words
    assert need.level == attention.WARN


EVENTS = "; whether events waited for it is not known"


def test_of_a_toolsnet_that_is_gone_results_are_counted_and_of_events_nothing_is_claimed():
    """Also where it had taken all results: events may wait, and the spool does not say whether it wants any."""
    for kind, ending in (
        ("toolsnet", f"it had passed all results{EVENTS}"),
        ("webhook", "it had passed all records"),
    ):
        [given_up] = attention.needs(station(given_up=[{"kind": kind, "name": kind, "waiting": 0}]))
        assert given_up.level == "note" and given_up.words.endswith(f"has lost its place to a new one: {ending}")


@pytest.mark.parametrize("waiting", [0, 5])
def test_what_a_toolsnet_lacks_that_is_removed_is_reported_with_that(waiting):
    gone = {"kind": "toolsnet", "name": "toolsnet", "waiting": waiting, "lost_there": 40}
    (removed,) = attention.needs({**station(removed=[gone]), "outlets": []})
    assert removed.words.startswith("ToolsNet was removed with this start: ") and removed.label == "REMOVED"
    assert "it lacks up to 40 results that it had" in removed.words and ("5 results" in removed.words) == (waiting > 0)
    assert "continues where it was" in removed.hint and removed.words.endswith(EVENTS)
    assert not attention.needs({**station(removed=[{**gone, "waiting": 0, "lost_there": 0}]), "outlets": []})


def test_what_a_toolsnet_lacks_that_gets_another_name_is_said_of_the_old_one():
    for waiting, overwritten, lacks in ((0, 0, 40), (5, 49, 0), (0, 1, 0), (1, 49, 1)):
        gone = {"kind": "toolsnet", "name": "toolsnet", "waiting": waiting, "lost_there": lacks}
        [given_up] = attention.needs(station(given_up=[{**gone, "overwritten": overwritten}]))
        assert (given_up.label, given_up.level) == ("GIVEN UP", "warn") and "all records" not in given_up.words
        assert (f"it lacks up to {lacks} result" in given_up.words) == (lacks > 0)
        assert ("not kept for it" in given_up.words) == (waiting > 0)
        assert (f"at most {overwritten} result" in given_up.words) == (overwritten > 0)
        assert given_up.words.endswith(EVENTS)


def test_of_one_nothing_is_said_as_of_several():
    for slug in latched_conditions._COUNTED:
        (one,) = [need for need in latched_conditions.count_needs(station(**counting(slug))) if need.slug == slug]
        first, noun = one.words.split(" ", 2)[:2]
        assert first == "1" and noun[-1] != "s", one.words
        assert not {"them", "their"} & set(re.findall("[a-z]+", one.words)), one.words


def counting(slug):
    """What a station reports that has one of these."""
    return {
        "counters": dict.fromkeys(("raw", "unsubscribed", "passed over", "text escaped", "shifted", "other unit"), 1),
        "recovery": {"gone": 1, "stored_again_at_most": 1},
        "spool": {"damaged": 1},
        "parked": 1,
        "parked_unreadable": 1,
        "dropped": 1,
        "overwritten": 1,
        "outlets": [{"kind": "mqtt", "durable": False, slug.replace(" ", "_"): 1}],
    }


def test_what_an_operator_dropped_is_reported_wherever_set_aside_is():
    counts = {"stored": 218, "delivered": 216, "backlog": 0, "parked": 0}
    reported = station(**counts, dropped=2)
    assert words.results(reported) == "218 stored, 216 delivered, 2 dropped, 0 waiting"
    lines = [line for line in words.problem_lines(reported) if "DROPPED" in line]
    assert lines == [
        "  DROPPED     2 results dropped from the quarantine by an operator: "
        "ToolsNet gets them only where an order or `rewind` sends them again"
    ]
    (one,) = [need for need in latched_conditions.all_needs(station(dropped=1)) if need.slug == "dropped"]
    assert one.words.startswith("1 result dropped") and one.words.endswith(
        "it only where an order or `rewind` sends it again"
    )
    assert one.level == "note"
    none = station(**counts, dropped=0)
    assert "dropped" not in words.results(none) and not words.problem_lines(none)


@pytest.mark.parametrize("side", ["controller", "toolsnet", "mqtt"])
@pytest.mark.parametrize(("why", "is_bad"), [("bad certificate", True), ("refused", False)])
def test_what_status_ends_with_1_for_is_bad_in_metrics(side, why, is_bad):
    down = {"state": "closed", "is_up": False, "why": why, "why_in": "pim opening", "host": "h", "port": 1}
    reported = station(controller={"host": "h", "port": 2, "state": "ready"})
    if side == "controller":
        reported["controller"] = {name: value for name, value in down.items() if name != "is_up"}
    elif side == "toolsnet":
        reported["outlets"][0].update(down)
    else:
        reported["outlets"].append({**down, "kind": "mqtt", "name": "mqtt", "place": "mqtt://h:1", "waiting": 0})
    bad = [need for need in latched_conditions.all_needs(reported) if need.level == attention.BAD]
    assert bool(bad) == attention.is_for_somebody(reported) == is_bad
    if is_bad:
        assert bad[0].slug == ("controller" if side == "controller" else "outlet")
        assert any(line.strip().startswith(bad[0].label) for line in words.problem_lines(reported))


class Silent(Endpoint):
    """A peer that takes the connection and says nothing."""

    def __init__(self):
        super().__init__([], [])

    def receive(self, octets, now):
        """Say nothing to it."""

    def tick(self, now):
        return self.release(now)


WAYS = {
    "nothing listens": lambda network, place: network.down(*place),
    "nothing answers": lambda network, place: network.swallow(*place),
    "it takes the connection and is silent": lambda network, place: network.listen(*place, Silent),
}
OUTLETS = {
    "toolsnet": (PIM, None),
    "mqtt": (("broker", 1883), {"kind": "mqtt", "host": "broker"}),
    "webhook": (("hook", 80), {"kind": "webhook", "url": "http://hook/"}),
}


@pytest.mark.parametrize("kind", OUTLETS)
@pytest.mark.parametrize("way", WAYS)
def test_an_outlet_that_is_only_away_needs_nobody_of_whatever_kind_it_is(kind, way):
    place, settings = OUTLETS[kind]
    cart = Cart(files=(settings,) if settings else ())
    WAYS[way](cart.network, place)
    cart.run(3000)
    cart.produce(3)
    cart.run(60000)
    reported = json.loads(json.dumps(snapshot(cart.app)["stations"][0]))
    reported["spool"]["path"] = "cart.spool"
    [down] = [outlet for outlet in reported["outlets"] if outlet["kind"] == kind]
    reason = connections.reason_of(down)
    assert reason and not down["is_up"] and down["waiting"] == 3, down
    assert not attention.is_for_somebody(reported), reason


def test_when_it_is_offered_again_is_reported_only_as_far_as_it_is_known():
    def refusal_words(hold_ms, **outlet):
        reported = station(dict(REFUSED, code=0, next_try_ms=hold_ms))
        reported["outlets"][0].update(outlet)
        return attention.needs(reported)[0].words

    assert refusal_words(0) == "ToolsNet leaves a result unanswered, it is offered again now, 248 waiting"
    assert (
        refusal_words(2000, is_up=False, next_try_ms=54000)
        == "ToolsNet leaves a result unanswered, next try in 54 s, 248 waiting"
    )
    assert (
        refusal_words(60000, is_up=False, next_try_ms=900)
        == "ToolsNet leaves a result unanswered, next try in 60 s, 248 waiting"
    )
    assert (
        refusal_words(0, is_up=False, next_try_ms=0) == "ToolsNet leaves a result unanswered, 248 waiting"
    )  # it is being connected


def test_a_connection_alone_is_not_reported_as_taking_results():
    pytest.importorskip("textual")
    from toolcart.tools.live import figures

    for delivered, expected in ((5, "ToolsNet connected"), (6, "ToolsNet connected, it takes results")):
        history, reported = figures.StationFigures(), station()
        reported.update(delivered=delivered)
        history.delivered_away = 5
        assert figures._up_text(history, reported, "ToolsNet") == expected
    assert figures._up_text(figures.StationFigures(), station(delivered=9), "ToolsNet") == "ToolsNet connected"


def test_nothing_set_aside_any_more_is_no_count_of_0():
    pytest.importorskip("textual")
    from toolcart.tools.live import figures

    history = figures.StationFigures()
    assert len(figures._loss_changes(history, station(parked=4))) == 1
    assert figures._loss_changes(history, station(parked=0)) == [("good", "no result is set aside any more")]


def test_count_that_grows_all_the_time_is_reported_once_a_minute():
    pytest.importorskip("textual")
    from toolcart.tools.live import figures

    history = figures.StationFigures()
    changes = [figures._loss_changes(history, station(overwritten=n), float(n)) for n in range(1, 150)]
    assert [n for n, texts in enumerate(changes, 1) if texts] == [1, 2, 62, 122]  # what a start gives up is known late
    assert "122 results at most overwritten" in changes[121][0][1]
    assert "149 results at most overwritten" in figures._loss_changes(history, station(overwritten=149), 300.0)[0][1]
    assert figures._loss_changes(history, station(overwritten=149), 400.0) == []


@pytest.mark.parametrize("slug", [*attention.OVER, *attention.OVER_OF_AGENT])
@pytest.mark.parametrize("then", ["stopped", "started", "status"])
def test_only_a_running_agent_s_state_says_that_something_is_over(monkeypatch, slug, then):
    """What one tells as it ends is no proof: its last write may be one that is taken where others are refused."""
    of_agent = slug in attention.OVER_OF_AGENT
    over = {attention.OVER_OF_AGENT[slug]} if of_agent else {attention.OVER[slug], attention.NOTHING_HELD.get(slug)}
    need, figures = attention.Need(slug, attention.BAD, slug, "something is wrong", key="1"), Figures()

    def texts(kind, *told):
        monkeypatch.setattr(attention, "of_agent" if of_agent else "needs", lambda _: told)
        line = {**status_of(healthy_station(backlog=0)), "pid": 7, "kind": kind}
        return [change.text for change in figures.feed(line, 1.0)]

    assert "something is wrong" in texts("status", need)
    assert bool(over.intersection(texts(then))) == (then == "status")
    if then == "stopped":  # as at a reload
        texts("started")
    if then != "status":
        assert "something is wrong" in texts("status", need), "the next agent says it of its own"
        assert over.intersection(texts("status"))
