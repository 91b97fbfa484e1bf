"""The judge of the worlds: each of its rules is broken once by a history made by hand, and excused once."""

import pytest

from lab.worlds.head_of_line import HeadOfLine
from lab.worlds.history import (
    KINDS,
    UNREADABLE,
    AgentReport,
    HeadOfLineDelay,
    History,
    Ledger,
    OutletHistory,
    Result,
    SessionQueries,
    StationHistory,
    StationRules,
    StoredTelegram,
)
from lab.worlds.judge import judge
from lab.worlds.obligations import still_open


def result(number, **more):
    """A result that was made, pushed and acknowledged, one a second."""
    moment = 1000 * number
    fields = {
        "station": 1,
        "number": number,
        "id_text": f"{number:010d}",
        "made": moment,
        "vin": f"W1N{number:06d}",
        "stamp": "20260301060000",
        "torque": "00042.37",
        "angle": "000095.0",
        "statuses": "000",
        "pushes": [moment + 1],
        "acks": [moment + 2],
        "held": True,
        "after_meeting": True,
    }
    return Result(**{**fields, **more})


def fetched(number, **more):
    """A result that was made while the cart was away, and fetched."""
    return result(number, **{"pushes": [], "acks": [], "fetches": [100000 + 10 * number], **more})


def row(of, arrived=None, **more):
    """The row of this result, just after it was acknowledged."""
    fields = {"sequence": of, "number": of, "vouched": True}
    return StoredTelegram(1, 1000 * of + 5 if arrived is None else arrived, **{**fields, **more})


def kept(*numbers, **more):
    """What the agent says that keeps these results."""
    return AgentReport(
        kept=len(numbers), kept_payloads=[b"\x01\x02W1N%06d and the rest" % number for number in numbers], **more
    )


def station(results, rows, report=None, **more):
    """The history of one station; `rules` as keywords beginning with rules_."""
    rules = {name[6:]: value for name, value in more.items() if name.startswith("rules_")}
    rest = {name: value for name, value in more.items() if not name.startswith("rules_")}
    report = report or AgentReport()
    numbered = {one.number: one for one in results}
    return StationHistory(
        StationRules(1, **rules), numbered, rows, **{"report": report, "report_after": report, **rest}
    )


def kinds(history):
    return judge(History({1: history})).kinds()


def excused(history):
    return {name: count for name, count in judge(History({1: history})).excused.items() if count}


def test_a_history_in_which_all_is_well_is_not_accused():
    verdict = judge(History({1: station([result(1), result(2), result(3)], [row(1), row(2), row(3)])}))
    assert (verdict.findings, verdict.owed, any(verdict.excused.values())) == ([], 3, False)
    assert len(KINDS) == 12


# 1: owed


def test_acknowledged_and_nowhere_is_lost_even_if_the_controller_still_has_it():
    assert kinds(station([result(1, held=False), result(2)], [row(2)])) == ["lost"]
    assert kinds(station([result(1), result(2)], [row(2)])) == ["lost"]


def test_row_that_the_server_forgot_counts_if_it_had_vouched_for_it():
    assert kinds(station([result(1)], [row(1, forgotten=9000)], forgets=[9000])) == []
    assert kinds(station([result(1)], [row(1, forgotten=9000, vouched=False)], forgets=[9000])) == ["lost"]


def test_what_a_met_controller_made_while_away_is_owed_while_held():
    away = {"pushes": [], "acks": []}
    assert kinds(station([result(1, **away)], [])) == ["stuck"]
    assert kinds(station([result(1, after_meeting=False, **away)], [])) == []
    assert kinds(station([result(1, held=False, **away)], [])) == []
    assert kinds(station([result(1, **away)], [], rules_recover=False)) == []
    assert kinds(station([result(1, **away), result(2, count=1)], [row(2)])) == [], "a count that is over"


def test_overwritten_is_what_an_erased_block_of_a_full_log_had():
    gone = result(1, held=False, gone=5000, gone_full=True)
    behind = [gone, result(2)], [row(2)]
    assert excused(station(*behind, AgentReport(overwritten=1), rules_overwrite=True)) == {"overwritten": 1}
    assert kinds(station(*behind, AgentReport(overwritten=1), rules_overwrite=True)) == []
    assert kinds(station(*behind, rules_overwrite=True)) == ["untruthful"]
    assert kinds(station(*behind)) == ["lost"]
    for spared in (result(1, gone=5000), result(1)):
        assert kinds(station([spared, result(2)], [row(2)], AgentReport(overwritten=1), rules_overwrite=True)) == [
            "lost"
        ]


def test_what_an_operator_dropped_is_not_owed():
    assert excused(station([result(1, dropped=True)], [])) == {"dropped by an operator": 1}


# 2: once


def twice(one, at=9000, before=None, **more):
    return station([one], [before or row(1), row(1, at, sequence=2)], **more)


def test_a_second_row_is_doubled():
    assert kinds(twice(result(1))) == ["doubled"]


def test_what_server_forgot_or_lied_about_may_come_again_batch_for_each():
    forgotten = row(1, forgotten=5000)
    assert excused(twice(result(1), before=forgotten, forgets=[5000])) == {"forgotten": 1}
    assert kinds(twice(result(1), forgets=[5000])) == ["doubled"], "it was not forgotten"
    assert excused(twice(result(1), lies=[5000])) == {"false 08": 1}
    assert kinds(twice(result(1), lies=[9500])) == ["doubled"]
    assert kinds(twice(result(1), lies=[5000], rules_cursor_batch=0)) == ["doubled"]
    assert kinds(twice(result(1), lies=[5000], rules_cursor_batch=0, rules_rewind=True)) == []
    three = [row(1), row(1, 9000, sequence=2), row(1, 9100, sequence=3)]
    assert kinds(station([result(1)], three, lies=[5000], rules_cursor_batch=0, rules_rewind=True)) == ["doubled"]


def test_what_was_given_again_may_come_again_once_for_each_time():
    assert excused(twice(result(1, again=[5000]))) == {"given again": 1}
    overtaken = twice(result(1, again=[500]))  # the copy given again came first: the other lay in the quarantine
    assert excused(overtaken) == {"given again": 1}
    assert kinds(twice(result(1, again=[50000]))) == ["doubled"]
    three = [row(1), row(1, 9000, sequence=2), row(1, 9100, sequence=3)]
    assert kinds(station([result(1, again=[5000])], three)) == ["doubled"]
    forgotten = [row(1, forgotten=5000), *three[1:]]  # in front of the one that is sent again a copy given again came
    assert excused(station([result(1, again=[6000])], forgotten, forgets=[5000])) == {"given again": 1, "forgotten": 1}
    four = [*forgotten, row(1, 9200, sequence=4)]
    assert kinds(station([result(1, again=[6000])], four, forgets=[5000])) == ["doubled"]


def test_what_an_operator_had_retried_in_doubt_may_come_again():
    assert excused(twice(result(1, retried=[5000]))) == {"retried": 1}


# 3: in order


def test_what_was_acknowledged_before_the_other_was_offered_comes_first():
    assert kinds(station([result(1), result(2)], [row(2, sequence=1), row(1, 9000, sequence=2)])) == ["out of order"]
    at_once = result(2, pushes=[1001])
    assert kinds(station([result(1), at_once], [row(2, sequence=1), row(1, 9000, sequence=2)])) == []
    late = [result(1, tried=[1500]), result(2)], [row(2, sequence=1), row(1, 9000, sequence=2)]
    assert excused(station(*late)) == {"offered late": 1}
    late[0][0].tried = [5000]
    assert kinds(station(*late)) == ["out of order"], "it was first refused behind that"


def test_fetched_ones_of_one_count_ascend():
    rows = [row(2, 200000, sequence=1), row(1, 200001, sequence=2)]
    assert kinds(station([fetched(1), fetched(2)], rows)) == ["out of order"]
    assert kinds(station([fetched(1), fetched(2, count=1)], rows)) == []
    assert excused(station([fetched(1, passed_over=[100015]), fetched(2)], rows)) == {"passed over": 1}
    assert excused(station([fetched(1, tried=[150000]), fetched(2)], rows)) == {"offered late": 1}
    late = fetched(1).fetches[0] + 1
    assert excused(station([fetched(1, again=[late]), fetched(2)], rows)) == {"brought back": 1}
    assert kinds(station([fetched(1, again=[late - 1]), fetched(2)], rows)) == ["out of order"], "the first time"
    given_up = [fetched(1, gone=150000), fetched(2)], rows
    assert kinds(station(*given_up)) == ["out of order"]
    assert excused(station(*given_up, forgets=[160000]))["brought back"] == 1, "its block had not been erased"


# 4: as it was made


def test_a_row_says_what_was_made_under_a_sequence_after_the_last():
    assert kinds(station([result(1)], [row(1, wrong="torque '1' in place of '2'")])) == ["garbled"]
    assert kinds(station([result(1)], [row(1), row(0, number=None, wrong="VIN 'X'")])) == ["garbled"]
    assert kinds(station([result(1)], [row(1), row(0, number=None, foreign=True)])) == ["garbled"]
    two = [result(1), result(2)]
    assert kinds(station(two, [row(1, sequence=7), row(2, sequence=7)])) == ["garbled"]
    assert kinds(station(two, [row(1, sequence=99999), row(2, sequence=1)])) == []
    assert kinds(station(two, [row(1, sequence=7), row(2, sequence=7)], lies=[1500])) == []


# 5: never stuck


def test_what_comes_only_after_a_switch_off_and_on_is_stuck():
    assert kinds(station([result(1, stands=True)], [])) == ["stuck"]
    assert kinds(station([result(1)], [row(1, 9000)], came_after={1})) == ["stuck"]
    assert kinds(station([result(1)], [row(1)], AgentReport(waiting=1))) == ["stuck"]
    assert kinds(station([result(1)], [row(1)], AgentReport(needs_operator=True))) == ["stuck"]


def test_a_controller_that_can_be_asked_is_asked_once_at_least():
    assert kinds(station([result(1)], [row(1)], is_met=False)) == ["stuck"]
    assert kinds(station([result(1)], [row(1)], is_met=False, rules_recover=False)) == []


def test_what_the_server_takes_does_not_stay_in_the_quarantine():
    assert kinds(station([result(1, tried=[1500])], [], kept(1))) == ["stuck"]
    for refused in (result(1, content_refusal="refuses", tried=[1500]), result(1, frame="unreadable")):
        assert excused(station([refused], [], kept(1))) == {"kept": 1}
        assert kinds(station([refused], [], kept(1))) == []
        assert kinds(station([refused], [])) == ["lost"]


def test_the_calm_goes_on_while_anything_is_open():
    assert still_open(station([result(1)], [row(1)])) == 0
    assert still_open(station([result(1)], [])) == 1
    assert still_open(station([result(1, content_refusal="refuses")], [], kept(1))) == 0
    assert still_open(station([result(1)], [], kept(1))) == 1
    assert still_open(station([result(1)], [row(1)], AgentReport(waiting=1, needs_operator=True))) == 2


# 6 and 7: in time


def test_a_refused_result_holds_up_the_next_good_one_for_seconds():
    def held(ms, refused, was_there=True, is_proven=False):
        one = HeadOfLineDelay(5000, 5000 + ms, refused, was_there, is_proven)
        return kinds(station([result(1)], [row(1)], held_up=[one]))

    assert held(12000, 1) == []
    assert held(12400, 1) == ["held up"]
    assert held(15000, 10) == []
    assert held(15400, 10) == ["held up"]
    assert held(2300, 1, True, True) == []
    assert held(2400, 1, True, True) == ["held up"]
    assert held(70000, 1, was_there=False) == []
    assert held(73000, 1, was_there=False) == ["held up"]


def test_held_up_is_measured_from_the_first_refusal_or_its_acknowledgement():
    def watched(*results, at=20000, counts=True):
        history = station(results, [])
        passing = HeadOfLine(history)
        passing.refused(results[0], 3000)
        passing.refused(results[0], 4000)
        passing.over(at, counts)
        return [(one.since, one.until, one.refused, one.was_there) for one in history.held_up]

    refused = result(1, content_refusal="refuses")
    assert watched(refused, result(2)) == [(3000, 20000, 1, True)]
    assert watched(refused, result(7)) == [(7002, 20000, 1, False)]
    assert watched(refused, result(7), at=5000) == []
    assert watched(refused, result(2), counts=False) == []
    assert watched(refused, result(2, tried=[2500])) == [], "that one had its turn"
    assert watched(refused, fetched(2)) == []


def test_after_one_without_an_answer_it_may_take_a_pause_longer():
    for is_taken in (False, True):
        bad = result(1, content_refusal="refuses")
        history = station([bad, result(2)], [])
        passing = HeadOfLine(history)
        passing.unanswered()
        passing.over(2500, True, is_taken)
        passing.refused(bad, 3000)
        passing.over(20000, True)
        assert history.held_up == [HeadOfLineDelay(3000, 20000, 1, is_taken)]


def test_who_was_passed_shows_for_a_minute_that_the_server_is_well():
    def watched(well_since=0, later=20000, **first):
        bad, good = result(1, content_refusal="refuses", tried=[3000], **first), result(2)
        again, waits = result(3, content_refusal="refuses", tried=[later]), result(4)
        history = station([bad, good, again, waits], [])
        passing = HeadOfLine(history)
        for moment in (3000, 3100, 5100, 13100):
            passing.refused(bad, moment)
        history.rows.append(row(2, 13500))
        passing.over(13500, True, True)
        passing.refused(again, later, well_since)
        passing.over(later + 900, True, True)
        return [one.is_proven for one in history.held_up]

    assert watched() == [False, True]
    assert watched(later=64000) == watched(well_since=14000) == watched(dropped=True) == [False, False]


def test_a_push_without_its_acknowledgement_is_late():
    assert kinds(station([result(1)], [row(1)], late_acks=["push read at 1 ms"])) == ["late"]


# 8: set aside


def test_nothing_is_set_aside_without_a_cause():
    assert kinds(station([result(1, content_refusal="refuses")], [], kept(1))) == ["aside"]
    assert kinds(station([result(1, content_refusal="refuses", tried=[1500])], [], kept(1))) == []


def test_what_is_stored_is_kept_as_well_only_after_a_lie():
    both = [result(1, tried=[1003])], [row(1)], kept(1)
    assert kinds(station(*both)) == ["aside"]
    assert kinds(station(*both, lies=[1004])) == []
    assert kinds(station(*both, lies=[1004], rules_cursor_batch=0)) == ["aside"]


def test_one_copy_may_be_kept_for_each_time_given_again():
    given = result(1, tried=[9500], again=[5000])
    assert excused(station([given], [row(1)], kept(1))) == {"given again": 1}
    twice_there = [row(1), row(1, 9000, sequence=2)]
    assert kinds(station([given], twice_there, kept(1))) == ["aside"], "its second row has that excuse"
    given.again.append(9200)
    assert kinds(station([given], twice_there, kept(1))) == []


def test_a_push_that_could_not_be_read_is_kept_beside_its_result_from_an_answer():
    unread = result(1, frame=UNREADABLE)
    assert excused(station([unread], [row(1)], kept(1))) == {"given again": 1}
    assert "aside" in kinds(station([unread], [row(1), row(1, 9000, sequence=2)], kept(1))), "not its second row"


def test_an_operator_is_needed_only_where_the_quarantine_is_full():
    assert kinds(station([result(1)], [row(1)], wrong_holds=["at 5 ms 0 of 4096 octets are in use"])) == ["aside"]


# 9 and 10: what it says, and what it is told


def test_what_it_counts_is_what_there_is():
    assert kinds(station([result(1)], [row(1)], AgentReport(overwritten=1))) == ["untruthful"]
    assert kinds(station([result(1)], [row(1)], AgentReport(kept=1))) == ["untruthful"]
    assert kinds(station([result(1)], [row(1)], wrong_words=["at 5 ms: 2 are not stored"])) == ["untruthful"]


@pytest.mark.parametrize("what", ["overwritten", "kept", "gone", "set_aside", "dropped"])
def test_what_was_counted_is_known_after_a_start(what):
    report = kept(1) if what == "kept" else kept(1, **{what: 1})
    history = station([result(1, content_refusal="refuses", tried=[1500])], [], report, rules_overwrite=True)
    assert kinds(history) == []
    history.report_after = AgentReport()
    assert kinds(history) == ["untruthful"]


def test_what_an_operator_has_dropped_after_start_is_not_lost_by_it():
    history = station([result(1, content_refusal="refuses", tried=[1500])], [], kept(1))
    history.report_after = AgentReport(dropped=1)
    assert kinds(history) == []


def test_what_the_controller_had_no_more_is_reported():
    unreported = [result(1), result(2, pushes=[], acks=[], held=False), result(3)], [row(1), row(3)]
    assert kinds(station(*unreported)) == ["untruthful"]
    assert kinds(station(*unreported, AgentReport(gone=1))) == []
    assert kinds(station(*unreported, AgentReport(afresh=1))) == []
    assert kinds(station(*unreported, rules_tells_gone=False)) == []
    for changes in ({"acks": []}, {"frame": "unreadable"}):
        first = result(1, held=False, **changes)
        assert kinds(station([first, *unreported[0][1:]], unreported[1])) == [], "no ID in front of it was ever kept"
    only_seen = result(1, held=False, acks=[], pushes=[], asked_for=[900])
    assert kinds(station([only_seen, *unreported[0][1:]], [row(3)])) == [], "it was asked for and not stored"
    again = [*unreported[0], result(4, id_text="0000000002", count=1)], [*unreported[1], row(4)]
    assert kinds(station(*again)) == [], "the ID is another one's by now"
    unseen = [result(1), result(2, id_text="0000000009", pushes=[], acks=[], held=False), result(3)]
    assert kinds(station(unseen, unreported[1])) == [], "the count began afresh, and nothing above it was seen"
    goes_on = [result(1, count=1), result(2, pushes=[], acks=[], held=False, count=1), result(3, count=1)]
    first = result(0, id_text="0000000004")
    assert kinds(station([first, *goes_on[1:]], [row(0), row(3)])) == ["untruthful"], (
        "the count is seen to begin afresh"
    )
    for first in (result(0, id_text="0000000002"), result(0, id_text="0000000003")):
        assert kinds(station([first, *goes_on[1:]], [row(0), row(3)])) == [], "and is not: its IDs go on"
    ended = [result(1), result(2, pushes=[], acks=[], held=False), result(3), result(4, id_text="0000000001", count=1)]
    assert kinds(station(ended, [row(1), row(3), row(4)])) == [], "that count ended before it could be asked for"
    for none in (" " * 10, "0000000000"):
        unreported[0][1].id_text = none
        assert kinds(station(*unreported)) == [], "it got no ID, or the one that asks for the newest"


def test_an_order_that_is_not_done_is_disobeyed():
    assert kinds(station([result(1)], [row(1)], disobeyed=["dropped [1] of [1, 2], [] are left"])) == ["disobeyed"]


# 11 and 12


def query_kinds(*sessions, **rules):
    history = station(
        [result(1)], [row(1)], sessions=list(sessions), **{f"rules_{name}": rules[name] for name in rules}
    )
    return judge(History({1: history}, calm_over=1000000)).kinds()


def test_old_results_are_asked_for_a_bounded_number_of_times():
    assert query_kinds(SessionQueries(0, asked=290, used=10)) == []
    assert query_kinds(SessionQueries(0, asked=291, used=10)) == ["endless"]
    assert query_kinds(SessionQueries(0, asked=9, last=700000, used=10)) == ["endless"]
    assert query_kinds(SessionQueries(0, asked=9, last=699999, used=10)) == []
    assert query_kinds(SessionQueries(640000, asked=9, last=700000, used=10)) == []
    assert (
        query_kinds(
            SessionQueries(0, asked=9, last=9, used=10), SessionQueries(1000001, asked=2, last=1000002, used=10)
        )
        == []
    )
    assert query_kinds(SessionQueries(0, asked=999, last=999999), numbered=False) == []
    assert query_kinds(SessionQueries(0, asked=580, used=10), spindles=2) == []
    assert query_kinds(SessionQueries(0, asked=581, used=10), spindles=2) == ["endless"]


@pytest.mark.parametrize("place", ["misuse", "raised", "malformed", "complaints"])
def test_what_the_models_objected_to_is_found(place):
    history = History({1: station([result(1)], [row(1)])})
    getattr(history, place).append("something")
    assert judge(history).kinds() == ["broken"]


def test_what_is_said_to_be_out_of_order_though_all_is_well_is_found():
    history = History({1: station([result(1)], [row(1)])})
    assert judge(history).kinds() == []
    history.out_of_order.append("TOOLSNET cannot be used")
    assert judge(history).kinds() == ["untruthful"]


# 13 to 18: outlets that come and go


def outlet(name="line", kind="file", had=(1, 2, 3), **more):
    """An outlet that must have had 1, 2 and 3, and had these under their own numbers."""
    places = [] if kind == "toolsnet" else list(had)
    return OutletHistory(name, kind, **{"owed": {1, 2, 3}, "had": set(had), "places": places, **more})


def ledger(*outlets, **counted):
    history = History({1: station([result(1), result(2), result(3)], [])})
    history.ledger = Ledger(list(outlets), **counted)
    return judge(history)


def test_outlets_that_had_everything_are_not_accused():
    verdict = ledger(outlet(), outlet("toolsnet", "toolsnet", spans=[[1, 2, 3]]))
    assert (verdict.findings, verdict.owed) == ([], 6)


def test_what_an_outlet_lacks_is_counted_or_was_passed_in_silence():
    assert ledger(outlet(had=(2, 3))).kinds() == ["lost"]
    assert ledger(outlet(had=(3,)), missed=1).kinds() == ["lost"]
    for counted in ({"missed": 2}, {"left_out": 2}, {"damaged": 2}, {"gone_with_places": 2}):
        assert ledger(outlet(had=(3,)), **counted).kinds() == [], counted


def test_what_no_outlet_has_had_may_not_be_left_out():
    assert ledger(outlet(had=(3,)), left_out=2, missed=2, nobody_had={2}).kinds() == ["lost"]
    assert ledger(outlet(had=(3,)), left_out=2, missed=2, gone_with_places=1, nobody_had={2}).kinds() == ["lost"]
    assert ledger(outlet(had=(3,)), left_out=2, missed=2).kinds() == []
    assert ledger(outlet(had=(3,)), left_out=2, missed=3, nobody_had={2}).kinds() == [], "it was given up before"


def test_what_cannot_be_read_is_counted_once_for_all_outlets():
    both = outlet("a", had=(2, 3)), outlet("b", had=(2, 3))
    assert ledger(*both, damaged=1).kinds() == []
    assert ledger(*both, missed=1).kinds() == ["lost"]
    for gone, kinds in ((False, ["lost"]), (True, [])):
        assert ledger(outlet(had=(3,)), damaged=1, is_block_gone=gone).kinds() == kinds
    assert ledger(outlet(had=()), damaged=1, is_block_gone=True).kinds() == ["lost"]
    assert ledger(outlet(had=(2, 3)), is_block_gone=True).kinds() == ["lost"]


def test_no_more_is_said_to_be_overwritten_than_toolsnet_lacks():
    def toolsnet(*had):
        return outlet("toolsnet", "toolsnet", had=had, spans=[list(had)])

    assert ledger(toolsnet(1, 2, 3), overwritten=1, is_exact=True).kinds() == ["untruthful"]
    assert ledger(toolsnet(1, 2), overwritten=1, is_exact=True).kinds() == []
    assert ledger(toolsnet(1, 2, 3), overwritten=1).kinds() == [], "a bound"
    assert ledger(toolsnet(1, 2, 3), outlet(had=(3,)), overwritten=2, is_exact=True).kinds() == ["untruthful"], (
        "another lacks them"
    )
    assert ledger(toolsnet(1, 2, 3), overwritten=1, unsure={4}, is_exact=True).kinds() == [], (
        "it may be one never acknowledged"
    )
    assert ledger(toolsnet(1, 2, 3), outlet(), missed=9, left_out=9).kinds() == [], "bounds"


def test_what_a_place_forgot_and_the_log_has_is_there_again():
    assert ledger(outlet(lacks={2})).kinds() == ["lost"]
    assert ledger(outlet(lacks={2}), left_out=1).kinds() == []
    assert ledger(outlet(lacks={2, 3}), left_out=1).kinds() == ["lost"]
    assert ledger(outlet(lacks={2, 3}), missed=2).kinds() == [], "by a start that was cut"


def test_a_record_comes_once_and_another_one_of_the_same_is_counted():
    assert ledger(outlet(places=[1, 2, 2, 3], repeats={2: 1})).kinds() == ["doubled"]
    assert ledger(outlet(places=[1, 2, 2, 3], repeats={2: 1}), stored_again=1).kinds() == ["doubled"]
    assert ledger(outlet(places=[1, 2, 3, 4], repeats={2: 1})).kinds() == ["doubled"]
    assert ledger(outlet(places=[1, 2, 3, 4], repeats={2: 1}), stored_again=1).kinds() == []


def test_an_outlet_has_its_records_in_the_order_of_the_log():
    assert ledger(outlet(places=[1, 3, 2])).kinds() == ["out of order"]
    assert ledger(outlet("toolsnet", "toolsnet", spans=[[1, 3, 2]])).kinds() == ["out of order"]
    assert ledger(outlet("toolsnet", "toolsnet", spans=[[3], [1, 2, 3]])).kinds() == [], "left out, then ordered"
    pushed = [result(1), result(2, pushes=[1002], acks=[2002]), result(3)]
    history = History({1: station(pushed, [])}, Ledger([outlet("toolsnet", "toolsnet", spans=[[2, 1, 3]])]))
    assert judge(history).kinds() == [], "2 was there before 1 was acknowledged"


def test_a_station_that_changed_goes_on():
    assert ledger(outlet(), waits=1).kinds() == ["stuck"]
    assert ledger(outlet(), is_taken=False).kinds() == ["stuck"]


def test_counts_are_never_below_0_and_a_standing_report_stays():
    assert ledger(outlet(), negative=["at 5 ms: -3 kept"]).kinds() == ["untruthful"]
    assert ledger(outlet(), unsaid=["that ToolsNet was emptied is no longer said"]).kinds() == ["untruthful"]


def test_the_rules_of_outlets_take_the_place_of_those_of_one_toolsnet():
    history = History({1: station([result(1)], [])}, Ledger())
    assert judge(history).kinds() == []
    history.raised.append("error: 'I' format requires 0 <= number")
    assert judge(history).kinds() == ["broken"]
