"""Forwarding keeps the log's order, moves on only after 05/000, and after any cut finds where the server stands."""

from toolcart.agent.base import counters as counter
from toolcart.agent.base.connection_fault import NO_PORT, NOT_ALLOWED, NOT_WRITTEN
from toolcart.agent.link.port import PORT_OPENING
from toolcart.agent.log.flash import FLASH_DONE, FLASH_IO
from toolcart.agent.log.log import WHEN_FULL_OVERWRITE
from toolcart.agent.log.snapshot_fields import (
    CURSOR,
    DELIVERED,
    DROPPED,
    OVERWRITTEN,
    REOFFERED,
    REOFFERED_TO,
    SEND_LIMIT,
    SENT,
    SENT_AGAIN,
    SENT_ALONE,
    SENT_BACK,
    SENT_EMPTY,
    SENT_MET,
    SENT_OLDER,
    SENT_OPEN,
    SENT_SEVERAL,
)
from toolcart.agent.outlets.toolsnet.policy import LOOKAHEAD
from toolcart.agent.quarantine.entries import needs_operator, reason_text
from toolcart.agent.quarantine.orders import carry_out
from toolcart.agent.quarantine.quarantine import ADMITTED, ASK_DONE, ASK_NO_ROOM, DROP_DONE, DROP_NONE, DROP_SOON
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record.result import QUARANTINED_IN_DOUBT, QUARANTINED_SILENT, QUARANTINED_UNREADABLE, ROOM_BYTES
from toolcart.agent.toolsnet.session import STREAMING
from toolcart.base.clock import Dice
from host_tests.portable import LONG
from host_tests.support.log import numbers
from host_tests.support.quarantine import room_of
from host_tests.support.toolsnet import PIM, SERVER, Outlet
from lab.harness.sim_port import SimPort

PORTABLE = True
HEAVY = True
HEAP = "6m"


def take_away_toolsnet(outlet):
    outlet.network.down(*PIM)
    outlet.network.cut(*SERVER)


def holding(count, options=None, bad=(), **settings):
    """An outlet with so many results in its log, of which ToolsNet will refuse the `bad` ones."""
    outlet = Outlet(options, **settings)
    outlet.store(count)
    refuse(outlet, *bad)
    return outlet


def refuse(outlet, *idents, code=17):
    outlet.options.tightening_codes.update(dict.fromkeys(idents, code))


def crowded(room, octets=120, **settings):
    """An outlet whose quarantine is full of unreadable frames but for so many records of so many octets."""
    outlet = Outlet(kept_blocks=3, **dict({"blocks": 32}, **settings))
    while room_of(outlet.quarantine, octets) > room:
        outlet.store_raw(b"y" * 140)
        outlet.until_passed()
    return outlet


def is_tried_out(outlet):
    """True if nothing more can be tried behind what ToolsNet does not take."""
    return (outlet.status()["refused"] or {}).get("tried_all")


def drop_all(outlet):
    """An operator gives up all that is set aside."""
    kept = outlet.parked_numbers()
    assert outlet.quarantine.remove(kept, DROPPED) == len(kept)


# -- the ordinary way


def test_way_to_the_server_leads_over_the_pim():
    outlet = holding(1)
    outlet.until_stored(1)
    assert (outlet.toolsnet.pim_connections, outlet.toolsnet.server_connections) == (1, 1)
    assert outlet.toolsnet.telegrams == {"05": 1, "07": 1, "04": 1}
    assert not outlet.toolsnet.pim_sessions, "the PIM's connection is closed before the server's is opened"
    outlet.clean()


def test_cursor_moves_only_after_the_05():
    outlet = holding(5, {"silent_sequences": (3,)})
    outlet.until_stored(2, and_ms=4000)
    assert outlet.cursor.number == 2
    assert outlet.ids() == [1, 2]


def test_result_goes_out_only_after_the_state_says_that_it_may():
    for batch in (4, 1):
        outlet = holding(20, cursor_batch=batch)
        sent = watch_sends(outlet)
        outlet.until_passed()
        assert len(sent) == 20
        for number, limit in sent:
            assert number <= limit, (number, limit)


def watch_sends(outlet):
    """Return a list that grows by (number, limit on flash) with every result that goes out."""
    sent = []
    send = outlet.session.send

    def watched(octets):
        sent.append((outlet.policy.number, outlet.limit_after_cut()))
        send(octets)

    outlet.session.send = watched
    return sent


# -- acknowledgements


def test_whatever_becomes_of_a_05_each_result_is_there_once():
    for options, results, repeated, connections, counted in (
        ({"lost_acks": [3]}, 5, 1, 1, {}),
        ({"foreign_ack": True}, 5, 0, 1, {counter.SERVER_FOREIGN: 5}),
        ({"ack_delay_ms": 7000}, 4, 4, 1, {counter.DELIVERED: 4}),  # each was sent again after 5 s
        ({"drop_after_store": [3]}, 6, 0, 2, {counter.RESUMED: 1, counter.SERVER_LOSSES: 1}),
        ({"drop_before_store": [3]}, 6, 0, 2, {counter.SERVER_LOSSES: 1}),
    ):
        outlet = holding(results, options)
        took_ms = outlet.until_stored(results)
        outlet.run(10000)
        assert outlet.ids() == numbers(1, results) and outlet.archive.repeated == repeated, options
        assert outlet.toolsnet.pim_connections == outlet.toolsnet.server_connections == connections, options
        assert "drop_before_store" not in options or took_ms < 1000, "it is sent again at once"
        for code, count in counted.items():
            assert outlet.counted(code) == count, (options, code)
        if "foreign_ack" not in options:
            outlet.clean()


# -- refusals: the figures


def test_refused_result_is_offered_three_times_and_passed_within_12_s():
    outlet = holding(8, bad=(4,))
    outlet.until_refused(1)
    assert [outlet.until_refused(count) for count in (2, 3, 4)] == [0, 2000, 8000]
    assert outlet.until_stored(7) <= 2000
    outlet.run(100)
    assert outlet.ids() == [1, 2, 3, 5, 6, 7, 8]
    assert outlet.counted(counter.REFUSED_BY_SERVER) == 4 and outlet.counted(counter.PARKED) == 1
    (record,) = outlet.parked_records()
    assert record[:3] == (KIND_RESULT, 4, 17)
    assert b"0000000004" in record[3], "what is set aside is the whole result"
    assert outlet.archive.repeated == 0 and outlet.waiting() == 0
    outlet.clean()


def test_good_result_passes_one_refused_in_12_s_few_in_15_s():
    for bad, most_ms, pauses_ms in (
        ([2], 12000, (100, 5000, 30000, 3 * 3600000)),
        ([2, 3, 4], 15000, (100, 30000, 3600000)),
    ):
        for after_ms in pauses_ms:
            outlet = holding(1 + len(bad), bad=bad)
            outlet.until_refused(1)
            outlet.run(after_ms)
            (good,) = outlet.store(1)
            assert outlet.until_stored(2) <= most_ms, (bad, after_ms)
            outlet.run(100)
            assert outlet.ids() == [1, good] and outlet.parked_numbers() == bad


def test_others_pass_where_each_refusal_ends_the_connection():
    for bad, count in (((1,), 12), ((3,), 3), ((2, 5, 6, 9), 12), (range(1, 25, 2), 24)):
        outlet = holding(count, bad=bad)
        refused = 0
        for _ in range(40000):  # 1000 s
            if len(outlet.ids()) == count - len(bad) and outlet.waiting() <= (count in bad):
                break
            outlet.run(25)
            if outlet.counted(counter.REFUSED_BY_SERVER) > refused:
                refused = outlet.counted(counter.REFUSED_BY_SERVER)
                outlet.network.cut(*SERVER)
        good = [one for one in numbers(1, count) if one not in bad]
        assert outlet.ids() == good and outlet.archive.repeated == 0
        assert sorted(outlet.parked_numbers()) == [one for one in bad if one != count]
        assert refused < 10 + 4 * len(bad), "no connection more than it takes"


def test_good_result_after_more_refused_than_a_pass_reaches_arrives():
    outlet = holding(100, bad=numbers(1, 99), blocks=48, kept_blocks=16)
    outlet.until_stored(1)
    assert outlet.clock.total_ms < 60000
    outlet.run(1000)
    assert outlet.ids() == [100] and outlet.parked_numbers() == numbers(1, 99)


def test_result_refused_once_is_sent_again_at_once_and_not_set_aside():
    outlet = holding(4, {"codes_once": [(2, 9), (2, 9), (3, 1)]})
    outlet.until_stored(4, 3000)
    assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == []


# -- a server in trouble


def test_server_that_refuses_everything_gets_all_in_order_when_it_is_well():
    outlet = holding(30, {"code_all": 99})
    for minutes in (1, 29):
        outlet.run(minutes * 60000)
        assert outlet.archive.stored == 0 and outlet.parked_numbers() == []
    outlet.options.code_all = None
    assert outlet.until_stored(30) <= 60000
    assert outlet.ids() == numbers(1, 30) and outlet.parked_numbers() == []
    outlet.clean()


def test_what_is_done_is_reported_all_the_time():
    outlet = holding(249, bad=(1,), blocks=48)
    outlet.until_refused(2)
    outlet.run(0)
    status = outlet.status()
    assert status["refused"] == {
        "code": 17,
        "number": 1,
        "next_try_ms": 2000,
        "doing": "retry",
        "trouble": False,
        "tried_all": False,
    }
    outlet.until_refused(3)
    outlet.run(1)
    assert outlet.status()["refused"]["next_try_ms"] == 7999
    outlet.options.code_all = 5
    outlet.until_refused(30)
    outlet.until(lambda: outlet.status()["refused"]["doing"] == "trouble")
    status = outlet.status()["refused"]
    assert status["trouble"] and status["code"] == 5 and 0 < status["next_try_ms"] <= 60000
    assert is_tried_out(outlet) and not outlet.status()["needs_operator"], "it met as many as there is room for"
    outlet.options.code_all = None
    outlet.until_stored(248, and_ms=100)
    assert outlet.status()["refused"] is None and not outlet.status()["needs_operator"]
    assert outlet.status()["late"] == 1 and outlet.ids() == numbers(2, 249)


def in_trouble(count=6):
    """Of `count` the first two are set aside; the others wait for the next try of a server that refused everything."""
    outlet = holding(3, bad=(1, 2))
    outlet.until_stored(1, and_ms=1000)
    assert outlet.parked_numbers() == [1, 2]
    outlet.options.code_all = 5
    outlet.store(count - 3)
    outlet.until(lambda: (outlet.status()["refused"] or {}).get("next_try_ms", 0) > 20000)
    assert outlet.status()["refused"]["doing"] == "trouble"
    return outlet


def test_what_toolsnet_takes_by_order_hurries_the_next_try():
    outlet = in_trouble()
    outlet.options.code_all, outlet.options.tightening_codes = None, {}
    assert outlet.forward.offer_on_order(1, False) == outlet.forward.offer_on_order(2, False) == ASK_DONE
    outlet.run(3000)
    assert outlet.ids() == [3, 1, 2, 4, 5, 6] and outlet.status()["refused"] is None
    outlet.clean()


def test_what_toolsnet_refuses_by_order_hurries_nothing():
    outlet = in_trouble()
    left_ms = outlet.status()["refused"]["next_try_ms"]
    assert outlet.forward.offer_on_order(1, False) == ASK_DONE
    outlet.run(3000)
    assert outlet.status()["refused"]["next_try_ms"] == left_ms - 3000 and outlet.ids() == [3]


def test_a_restart_forgets_a_running_agents_order_and_keeps_that_of_a_stopped_one():
    for was_stopped in (False, True):
        outlet = holding(2, bad=(1,))
        outlet.until_stored(1, and_ms=1000)
        outlet.run(700000)  # it is offered once more, in vain
        assert outlet.forward.policy.numbers[REOFFERED_TO] == 1
        for address in (PIM, SERVER):
            outlet.network.down(*address)
        outlet.run(1000)
        if was_stopped:
            outlet.cut()
            list(carry_out(outlet.quarantine, outlet.log, 1, outlet, None, ["retry", "all"]))
        else:
            assert outlet.forward.offer_on_order(1, False) == ASK_DONE
        outlet.cut()
        outlet.options.tightening_codes = {}
        for address in (PIM, SERVER):
            outlet.network.up(*address)
        outlet.store(1)
        outlet.until_stored(2)
        outlet.run(590000)
        assert outlet.ids() == [2, 3], "not before ten minutes of good service"
        outlet.run(20000)
        assert outlet.ids() == ([2, 3, 1] if was_stopped else [2, 3])


def test_a_server_that_was_away_is_offered_what_it_refused_as_soon_as_it_is_back():
    outlet = in_trouble()
    outlet.run(1000)
    for host, port in (PIM, SERVER):
        outlet.network.down(host, port)
    outlet.run(5000)
    assert outlet.status()["state"] != "streaming" and outlet.status()["refused"]["next_try_ms"] == 0
    outlet.options.code_all = None
    for host, port in (PIM, SERVER):
        outlet.network.up(host, port)
    outlet.until_stored(4, and_ms=100)
    assert outlet.ids() == [3, 4, 5, 6] and outlet.status()["refused"] is None
    outlet.clean()


def test_a_server_whose_connections_only_end_is_not_offered_it_sooner():
    outlet = in_trouble()
    left_ms = outlet.status()["refused"]["next_try_ms"]
    outlet.network.cut(*SERVER)
    outlet.run(8000)
    assert outlet.status()["state"] == "streaming"
    assert outlet.status()["refused"]["next_try_ms"] == left_ms - 8000


def test_blocking_policy_never_sets_aside_and_says_that_somebody_is_needed():
    outlet = holding(3, bad=(2,), refused="block")
    outlet.run(1200000)
    assert outlet.ids() == [1] and outlet.parked_numbers() == []
    assert outlet.status()["needs_operator"] and outlet.status()["keeps_order"]
    del outlet.options.tightening_codes[2]
    outlet.until_stored(3)
    assert outlet.ids() == [1, 2, 3]


def test_with_the_blocking_policy_the_one_that_blocks_can_be_dropped():
    outlet = holding(3, bad=(2,), refused="block")
    outlet.until(lambda: outlet.status()["needs_operator"])
    assert outlet.forward.drop_first()
    outlet.until_stored(2, 1000)
    assert outlet.ids() == [1, 3]


def test_first_of_a_pass_cut_by_garbage_is_sent_again_not_parked():
    outlet = holding(4, bad=(2,))
    outlet.options.silent_sequences = (3,)
    outlet.until(lambda: outlet.policy.number == 3 and outlet.session.pending == 0)
    outlet.options.silent_sequences = ()
    outlet.options.tightening_codes = {}
    for session in outlet.toolsnet.server_sessions:
        session.send(b"no telegram")
    outlet.until_stored(4, and_ms=100)
    assert outlet.ids() == [1, 2, 3, 4] and outlet.parked_numbers() == []
    assert outlet.counted(counter.SERVER_MALFORMED) == 1


def test_result_once_refused_and_then_taken_is_not_set_aside_after_cut():
    outlet = holding(6, {"code_all": 5}, cursor_batch=100)
    outlet.until_refused(6)
    outlet.options.code_all = None
    outlet.until_stored(2)
    outlet.cut()
    outlet.until_stored(6, 3600000, and_ms=100)
    there = outlet.ids()
    assert sorted(there + outlet.parked_numbers()) == numbers(1, 6) and outlet.archive.repeated == 0


def test_refusal_with_a_copy_under_way_is_settled_by_the_next_08():
    outlet = holding(2, {"code_all": 99, "ack_delay_ms": 8000})
    outlet.until_refused(1)  # its copy is taken, and the refusal comes first
    outlet.options.code_all = None
    outlet.until_passed()
    assert outlet.toolsnet.refused == 1 and outlet.counted(counter.REPEATED) == 0
    assert outlet.ids() == [1, 2] and outlet.parked_numbers() == []


def settled_by_an_08(outlet, reported):
    """A cut, and the next 08 names this sequence, None: what the server has; until all that waits is passed."""
    outlet.cut()
    outlet.options.reported_result = reported
    outlet.until_passed(and_ms=100)


def test_pass_left_open_by_an_08_outlives_its_first():
    outlet = holding(3, bad=(1, 2))
    outlet.until_stored(1)  # the third, in the lookahead, and its answer is on the way
    outlet.cut()
    outlet.options.reported_result = 0
    del outlet.options.tightening_codes[1]
    outlet.until_stored(2)
    outlet.until_refused(outlet.toolsnet.refused + 1)
    settled_by_an_08(outlet, 3)  # the highest, as some servers say
    assert outlet.ids() == [3, 1] and outlet.parked_numbers() == [2]


def test_result_overwritten_while_outstanding_counts_as_delivered_when_taken():
    outlet = holding(1, {"ack_delay_ms": 4000}, blocks=12, when_full=WHEN_FULL_OVERWRITE)
    outlet.until(lambda: outlet.policy.out)
    while outlet.cursor.number < 1:
        outlet.store(1)
    outlet.options.ack_delay_ms = 0
    outlet.until_passed()
    counts = outlet.state.numbers
    assert counts[DELIVERED] == outlet.archive.stored
    assert counts[DELIVERED] + counts[OVERWRITTEN] == outlet.next_id - 1


# -- late offers


def test_parked_result_is_offered_again_after_ten_good_minutes_in_order():
    outlet = holding(4, bad=(2,))
    outlet.until_stored(3)
    outlet.options.tightening_codes.clear()
    taken_ms = outlet.clock.total_ms
    outlet.until_stored(4, 3600000)
    assert 600000 <= outlet.clock.total_ms - taken_ms <= 601000
    outlet.store(2)
    outlet.until_stored(6, and_ms=1000)
    assert outlet.ids() == [1, 3, 4, 2, 5, 6] and outlet.parked_numbers() == []
    sequences = outlet.archive.sequences()
    assert sequences == sorted(set(sequences)) and outlet.archive.repeated == 0
    assert outlet.state.numbers[DELIVERED] == 6
    outlet.clean()


def test_late_one_that_is_refused_again_comes_after_hour_and_then_daily():
    outlet = holding(3, bad=(2,), blocks=48)
    outlet.until_stored(2)
    offers = []
    for minute in range(3 * 24 * 60):
        before = outlet.toolsnet.refused
        if minute % 5 == 0:
            outlet.store(1)
        outlet.run(60000)
        if outlet.toolsnet.refused > before:
            offers.append(minute)
    assert len(offers) == 4 and 9 <= offers[0] <= 16, offers
    assert 45 <= offers[1] - offers[0] <= 75 and 1440 <= offers[2] - offers[1] <= 1455
    assert outlet.parked_numbers() == [2] and outlet.status()["late"] == 1
    assert outlet.archive.sequences() == sorted(set(outlet.archive.sequences()))


def test_an_operators_wish_in_vain_puts_off_no_late_offer():
    outlet = holding(3, bad=(1, 2))
    outlet.until_stored(1)
    outlet.run(22 * 60000)  # both are offered once
    for ident in (1, 2):
        assert outlet.forward.offer_on_order(ident, False) == ASK_DONE
        outlet.run(1000)
    outlet.options.tightening_codes.clear()
    outlet.until_stored(3, 90 * 60000)
    assert outlet.ids() == [3, 1, 2]


def test_cut_at_any_moment_of_late_offer_neither_loses_nor_doubles_it():
    for answered in (True, False):
        for cut_after in range(1, 9):
            outlet = holding(3, bad=(2,))
            outlet.until_stored(2)
            outlet.options.tightening_codes.clear()
            if not answered:
                outlet.options.drop_after_store.append(4)
            outlet.run(599000)
            outlet.until(lambda outlet=outlet: outlet.policy.phase != 0)
            for _ in range(cut_after):
                outlet.step()
            outlet.cut()
            outlet.store(1)
            outlet.until(lambda outlet=outlet: 4 in outlet.ids())
            outlet.run(700000)
            assert sorted(outlet.ids()) == [1, 2, 3, 4] and outlet.parked_numbers() == [], (answered, cut_after)
            assert outlet.archive.repeated == 0
            outlet.clean()


def cut_once_kept():
    """An outlet whose power failed when 2 was in the quarantine, and the cursor not behind it."""
    outlet = holding(1)
    outlet.until_passed()
    take_away_toolsnet(outlet)
    outlet.store(2)
    assert outlet.state.save() and outlet.quarantine.admit(2, 17) == ADMITTED
    outlet.cut()
    assert outlet.state.durable[CURSOR] == 1 and outlet.quarantine.settle()
    return outlet


def test_kept_but_not_passed_result_goes_once_when_an_operator_retries():
    outlet = cut_once_kept()
    assert outlet.forward.offer_on_order(2, False) == ASK_DONE
    outlet.network.up(*PIM)
    outlet.store(1)
    outlet.until_stored(4, and_ms=60000)
    assert sorted(outlet.ids()) == [1, 2, 3, 4] and outlet.archive.repeated == 0 and outlet.parked_numbers() == []
    outlet.clean()


# -- a quarantine without room


def held():
    """An outlet whose quarantine is full, with a refused result in front of three good ones."""
    outlet = crowded(0)
    outlet.store(4)
    refuse(outlet, 1)
    outlet.until(lambda: outlet.status()["needs_operator"])
    return outlet


def test_without_room_nothing_but_the_refused_one_goes_out_and_that_is_reported():
    outlet = held()
    status = outlet.status()
    assert status["refused"]["doing"] == "hold" and status["refused"]["code"] == 17
    outlet.store(20)
    outlet.run(60000)
    sent, erases = outlet.toolsnet.telegrams["04"], sum(outlet.flash.wear)
    for _ in range(24 * 60):
        outlet.run(60000)
        assert outlet.status()["refused"]["doing"] == "hold" and outlet.forward.needs_operator()
    assert 24 * 60 - 5 <= outlet.toolsnet.telegrams["04"] - sent <= 24 * 60, "the first one, once a minute"
    assert outlet.archive.stored == 0 and outlet.status()["waiting"] == 24
    assert outlet.counted(counter.PARKING_FAILED) == 1 and sum(outlet.flash.wear) == erases
    outlet.clean()


def test_a_hold_ends_when_toolsnet_takes_what_it_refused():
    outlet = held()
    outlet.options.tightening_codes.clear()
    left, sent = outlet.status()["refused"]["next_try_ms"], outlet.toolsnet.telegrams["04"]
    outlet.run(left - 1000)
    assert outlet.toolsnet.telegrams["04"] == sent and 0 < outlet.status()["refused"]["next_try_ms"] <= 1000
    outlet.until_stored(4, 2000, and_ms=100)
    assert outlet.ids() == [1, 2, 3, 4] and outlet.status()["refused"] is None and not outlet.forward.needs_operator()
    outlet.clean()


def test_failing_flash_is_not_asked_more_because_more_results_came():
    outlet = holding(2, bad=(1, 2))
    outlet.until(lambda: outlet.policy.failed_lookaheads > 2)
    outlet.store(1)
    outlet.flash.code = FLASH_IO
    assert outlet.forward.offer_on_order(1, False), "nothing is set aside"
    outlet.policy.in_flight.may_send_to = outlet.policy.cursor.number  # as where an order could not be written
    outlet.run(20000)
    steps = outlet.steps
    outlet.run(60000)
    assert outlet.steps - steps < 100
    outlet.flash.code = FLASH_DONE
    outlet.until_stored(1, 120000)


def test_a_drop_makes_room_and_the_rest_goes_out():
    outlet = held()
    drop_all(outlet)
    outlet.until_stored(3, 30000, and_ms=100)
    assert outlet.ids() == [2, 3, 4] and outlet.status()["refused"] is None
    assert len(outlet.parked_numbers()) == 1 and not outlet.status()["needs_operator"]


# -- silence


def test_result_silent_on_four_connects_is_followed_by_pass_and_set_aside():
    outlet = holding(5, {"silent_sequences": (3,)})
    outlet.until_stored(4, and_ms=100)
    assert outlet.ids() == [1, 2, 4, 5]
    (record,) = outlet.parked_records()
    assert record[:3] == (KIND_RESULT, 3, QUARANTINED_SILENT)
    assert outlet.counted(counter.SERVER_SILENT) == 4
    assert outlet.toolsnet.server_connections == 5
    outlet.clean()


def test_silent_one_behind_the_first_is_offered_twice_and_its_reason_is_true_of_both():
    outlet = holding(6, {"silent_sequences": (3, 4)})
    outlet.until_stored(4, 3600000, and_ms=100)
    assert outlet.ids() == [1, 2, 5, 6] and outlet.counted(counter.SERVER_SILENT) == 4 + 2
    assert [record[1:3] for record in outlet.parked_records()] == [(3, QUARANTINED_SILENT), (4, QUARANTINED_SILENT)]
    assert reason_text(QUARANTINED_SILENT) == "ToolsNet left it unanswered, and took one behind it"


def test_a_row_of_silent_results_costs_four_silences_each():
    outlet = holding(24, {"silent_sequences": tuple(range(3, 23))})
    assert outlet.until_stored(4, 3600000) < 60000 + 20 * 62000
    outlet.run(100)
    assert outlet.ids() == [1, 2, 23, 24] and outlet.parked_numbers() == numbers(3, 22)


def test_row_of_silent_results_passes_at_server_that_answers_no_keep_alive():
    outlet = holding(14, {"silent_sequences": tuple(range(3, 13)), "silent_telegrams": ("06",)})
    outlet.until_stored(4, 2 * 3600000, and_ms=100)
    assert outlet.ids() == [1, 2, 13, 14] and outlet.parked_numbers() == numbers(3, 12)


def test_server_that_says_nothing_at_all_parks_nothing():
    outlet = holding(4, {"silent": True})
    outlet.run(3600000)
    assert outlet.parked_numbers() == [] and outlet.archive.stored == 0
    outlet.options.silent = False
    outlet.until_stored(4)
    assert outlet.ids() == numbers(1, 4)


def test_server_that_stores_without_a_word_makes_no_innocent_result_a_suspect():
    outlet = holding(8, {"lost_acks": [n for n in range(1, 7) for _ in range(3)]})
    outlet.until_stored(8, 3600000, and_ms=100)
    assert outlet.ids() == numbers(1, 8) and outlet.parked_numbers() == []
    assert outlet.counted(counter.RESUMED) == 6


def test_first_of_a_silent_row_too_big_for_quarantine_is_dropped():
    for is_behind in (False, True):
        outlet = holding(1, {"silent_sequences": tuple(range(2, 100))}, blocks=32, kept_blocks=3)
        outlet.until_passed()
        row = room_of(outlet.quarantine, outlet.log.length) + 1
        outlet.options.silent_sequences = tuple(range(2, row + 2))
        outlet.store(row + 1)
        outlet.until(lambda outlet=outlet: is_tried_out(outlet), 2 * 3600000)
        outlet.until(
            lambda outlet=outlet, is_behind=is_behind: outlet.policy.out and (outlet.policy.number > 2) == is_behind
        )
        assert is_tried_out(outlet)
        assert outlet.forward.drop_first() == DROP_SOON and outlet.cursor.number == 1
        assert outlet.until(lambda outlet=outlet: outlet.cursor.number == 2) < 20000
        assert outlet.numbers_after_cut()[DROPPED] == 1
        outlet.until_stored(2, 2 * 3600000, and_ms=100)
        assert outlet.ids() == [1, row + 2] and outlet.parked_numbers() == numbers(3, row + 1)
        outlet.clean()


def test_toolsnet_that_refuses_everything_needs_no_operator_however_small_the_quarantine():
    outlet = holding(60, {"code_all": 17}, kept_blocks=3, blocks=32)
    outlet.until(lambda: outlet.policy.is_stuck())
    for _ in range(600):
        outlet.run(1000)
        status = outlet.status()
        assert not status["needs_operator"] and not outlet.forward.needs_operator()
        assert status["refused"]["doing"] != "hold" and status["refused"]["trouble"]
        assert status["refused"]["tried_all"], "an order can give up the first one all the same"
    outlet.options.code_all = None
    outlet.until_stored(60, 62000, and_ms=100)
    assert outlet.ids() == numbers(1, 60) and outlet.parked_numbers() == [] and outlet.status()["refused"] is None
    outlet.clean()


def test_operator_who_made_room_is_not_needed_without_a_connection():
    for is_hold in (True, False):
        outlet = held() if is_hold else trouble_without_room()
        assert not outlet.status()["keeps_order"]
        take_away_toolsnet(outlet)
        outlet.run(60000)
        assert outlet.status()["needs_operator"] == outlet.forward.needs_operator() == is_hold
        assert outlet.status()["refused"]["tried_all"] != is_hold
        drop_all(outlet)
        assert not outlet.status()["needs_operator"] and not outlet.forward.needs_operator()
        assert not outlet.status()["refused"]["tried_all"]


def trouble_without_room():
    """An outlet whose quarantine has room for two of four refused ones."""
    outlet = crowded(2)
    outlet.store(5)
    refuse(outlet, *numbers(1, 4))
    outlet.until(lambda: outlet.policy.failed_lookaheads == 3 and outlet.policy.pause.armed)
    return outlet


def test_where_finished_pass_finds_no_room_a_retry_is_not_taken_on():
    outlet = holding(8, {"ack_delay_ms": 50}, bad=(1, 3, 4, 5, 6, 7), blocks=32, kept_blocks=3)
    outlet.until(lambda: outlet.policy.phase == LOOKAHEAD and outlet.policy.number == 5)
    worn = outlet.quarantine
    worn.octets = lambda: 0  # its blocks have turned out to be worn
    worn.measure = lambda length, count=1: False
    outlet.until_stored(2)
    outlet.until(lambda: outlet.status()["needs_operator"])
    assert outlet.status()["refused"]["doing"] == "hold"
    assert outlet.forward.offer_on_order(1, False) == ASK_NO_ROOM
    del worn.octets, worn.measure
    assert not outlet.status()["needs_operator"] and outlet.forward.offer_on_order(1, False) == ASK_DONE


def test_cut_makes_at_most_half_of_a_small_log_look_waiting():
    outlet = Outlet(blocks=11, cursor_batch=1000)
    part = outlet.log.device
    half = (part.block_count - 2) * part.block_bytes // 2
    for _ in range(100):
        outlet.store(1)
        outlet.until_passed()
        seem_to_wait = outlet.log.number - outlet.numbers_after_cut()[CURSOR]
        assert seem_to_wait * outlet.log.longest_bytes <= half


def test_room_lets_pass_that_was_too_short_for_it_go_on_soon():
    outlet = trouble_without_room()
    drop_all(outlet)
    assert outlet.until_stored(1) < 6000
    assert outlet.ids() == [5]


def test_log_full_of_refused_results_has_nothing_more_to_try():
    outlet = Outlet(blocks=12)
    while outlet.log.has_room(ROOM_BYTES):
        refuse(outlet, outlet.next_id)
        outlet.store(1)
    outlet.until(lambda: is_tried_out(outlet))
    assert outlet.policy.failed_lookaheads == 1, "a lookahead has met them all"
    assert outlet.parked_numbers() == []
    while not outlet.log.has_room(ROOM_BYTES):
        outlet.until(lambda: is_tried_out(outlet))
        assert outlet.forward.drop_first() != DROP_NONE
        outlet.run(100)
    assert not is_tried_out(outlet) and not outlet.status()["needs_operator"]
    outlet.store(1)
    outlet.until_stored(1)


def test_dropped_first_takes_no_other_and_the_next_goes_once():
    outlet = trouble_without_room()
    refused = outlet.toolsnet.refused
    assert outlet.forward.drop_first() == DROP_DONE and outlet.forward.drop_first() == DROP_NONE
    assert not is_tried_out(outlet)
    outlet.until(lambda: is_tried_out(outlet), 1000)
    assert outlet.toolsnet.refused == refused + 3
    assert outlet.forward.drop_first() == DROP_DONE
    outlet.until_stored(1, 1000)
    assert outlet.ids() == [5] and outlet.numbers_after_cut()[DROPPED] == 2


def test_who_asks_for_one_that_is_out_has_it_offered_again():
    outlet = holding(2, {"silent_sequences": (3,)}, bad=(1,))
    outlet.until_stored(1, and_ms=100)
    assert outlet.forward.offer_on_order(1, False) == ASK_DONE
    outlet.until(lambda: outlet.policy.out)
    take_away_toolsnet(outlet)
    outlet.run(20000)
    outlet.network.up(*PIM)
    outlet.options.silent_sequences = ()
    outlet.options.tightening_codes.clear()
    assert outlet.forward.offer_on_order(1, False) == ASK_DONE
    assert outlet.until_stored(2) < 1000


def test_first_is_dropped_only_when_what_became_of_late_one_is_durable():
    outlet = holding(5, bad=(1, 2, 3, 5))
    outlet.until_stored(1)
    outlet.until(lambda: outlet.policy.failed_lookaheads == 1)
    assert outlet.forward.offer_on_order(1, False) == ASK_DONE
    outlet.until(lambda: outlet.state.numbers[REOFFERED] and outlet.policy.out)
    outlet.flash.code = FLASH_IO
    outlet.until(lambda: not outlet.policy.out)
    assert outlet.forward.drop_first() == DROP_SOON
    outlet.flash.code = FLASH_DONE
    outlet.until(lambda: outlet.state.numbers[DROPPED] == 1, 60000)
    assert outlet.state.numbers[REOFFERED] == 0
    outlet.store(2)
    outlet.run(1000)
    assert outlet.ids() == [4, 6, 7] and outlet.parked_numbers() == [1, 2, 3]


def test_late_offers_go_out_idle_even_without_answered_keep_alives():
    outlet = holding(2, {"silent_telegrams": ("06",)}, bad=(1,))
    outlet.until_stored(1)
    outlet.options.tightening_codes = {}
    assert outlet.until_stored(2, 3600000) < 15 * 60000
    assert outlet.ids() == [2, 1]


def test_late_offer_refused_again_keeps_no_other_waiting():
    outlet = holding(4, bad=(1, 2, 3))
    outlet.until_stored(1)
    del outlet.options.tightening_codes[3]
    assert outlet.until_stored(2, 3600000) < 31 * 60000
    outlet.run(100)
    assert outlet.ids() == [4, 3] and outlet.parked_numbers() == [1, 2]


# -- frames that could not be read


def test_frame_is_never_offered_by_itself():
    outlet = holding(1)
    outlet.store_raw()
    for _ in range(100):
        outlet.store(1)
        outlet.run(900000)
    assert outlet.parked_numbers() == [2] and outlet.toolsnet.telegrams["04"] == 101
    assert outlet.status()["late"] == 0


def test_frame_without_room_holds_what_is_after_it_until_there_is_some():
    outlet = crowded(0, 148)
    outlet.store_raw(b"y" * 140)
    outlet.store(3)
    outlet.run(60000)
    status = outlet.status()
    assert outlet.archive.stored == 0 and status["needs_operator"] and status["refused"]["doing"] == "hold"
    assert status["refused"]["code"] == QUARANTINED_UNREADABLE
    held = [value for _, code, value in outlet.counters.log.entries() if code == counter.PARKING_FAILED]
    assert held == [QUARANTINED_UNREADABLE], "ToolsNet has refused nothing"
    count = outlet.quarantine.count()
    words = needs_operator(outlet.quarantine, True, False, status["refused"]["code"])["why"]
    assert words.startswith("a result that could not be read has no room in the quarantine, so nothing goes out")
    assert words.endswith("could not be read: %d)" % count) and "ToolsNet" not in words
    words = needs_operator(outlet.quarantine)["why"]
    assert "could not be read: %d)" % count in words and "or that cannot be read" in words
    drop_all(outlet)
    outlet.until_stored(3, 10000)
    assert outlet.ids() == [1, 2, 3]


def test_result_refused_after_a_rewind_is_kept_like_those_behind():
    outlet = holding(5, bad=(4,), rewind=True)
    outlet.until_stored(4, and_ms=1000)
    assert outlet.ids() == [1, 2, 3, 5] and outlet.parked_numbers() == [4]
    outlet.archive.restore_backup(3)
    refuse(outlet, 2)
    outlet.network.cut(*SERVER)
    outlet.until_stored(3, and_ms=300000)
    assert outlet.ids() == [1, 3, 5] and outlet.counted(counter.PARKED) == 2
    assert sorted(outlet.parked_numbers()) == [2, 4]
    assert outlet.waiting() == 0


# -- where the server stands: every branch of protocol.md 8.4


def test_empty_server_gets_what_is_not_sent_yet():
    outlet = holding(5)
    outlet.until_stored(5, and_ms=100)
    outlet.archive.clear()
    outlet.network.cut(*SERVER)
    outlet.store(2)
    outlet.until_stored(2, and_ms=1000)
    assert outlet.ids() == [6, 7] and outlet.counted(counter.SERVER_EMPTY) == 1


def test_all_from_a_number_on_is_offered_again_whenever_that_is_ordered():
    ways = ((False, False), (True, False), (False, True), (True, True))
    for index, moment in enumerate(list(range(0, 40, 2)) + list(range(40, 14000, 900))):
        for power_fails, highest in ways if LONG else ways[index % 4 : index % 4 + 1]:  # in turns
            outlet = holding(5, {"tightening_codes": {7: 17}}, cursor_batch=4)
            outlet.until_stored(5, and_ms=100)
            if not highest:
                outlet.archive.clear()
            outlet.store(6)
            for _ in range(min(moment, 40)):
                outlet.step()
            outlet.run(max(0, moment - 40))
            while not outlet.forward.offer_again(3, 0, 0, outlet.clock.now):
                outlet.run(10)
            before = len(outlet.ids())
            outlet.store(2)
            if power_fails:
                outlet.cut()
            outlet.run(60000)
            wanted = [one for one in numbers(3, 13) if one != 7]
            assert outlet.ids()[before:] == wanted, (moment, power_fails, highest)
            assert outlet.quarantine.count() == 1 and outlet.cursor.number == outlet.log.number


def test_server_ahead_of_cursor_within_what_was_sent_only_lost_its_05():
    outlet = holding(12, cursor_batch=20)
    outlet.until_stored(9)
    outlet.cut()  # the durable cursor stands far behind
    assert outlet.cursor.number < 9
    outlet.until_stored(12, and_ms=100)
    assert outlet.ids() == numbers(1, 12)
    assert outlet.archive.repeated == 0 and outlet.counted(counter.RESUMED) >= 1


def test_rewound_server_gets_only_what_it_lacks_around_late_offers():
    for forgotten in range(6):  # in its order: 1, 3, 4, 2 late, 5, 6
        outlet = holding(4, bad=(2,), rewind=True)
        outlet.until_stored(3)
        outlet.options.tightening_codes.clear()
        assert outlet.forward.offer_on_order(2, False) == ASK_DONE
        outlet.until_stored(4)
        outlet.store(2)
        outlet.until_stored(6, and_ms=1000)
        has = outlet.ids()[: 6 - forgotten]
        lacks = numbers(max(has) + 1, 6)  # behind another, the reoffered one is nowhere any more
        outlet.archive.restore_backup(forgotten)
        for _ in range(2):  # also where it says the same once more
            outlet.network.cut(*SERVER)
            outlet.run(1000)
        outlet.store(1)
        outlet.until_stored(len(has) + len(lacks) + 1, and_ms=1000)
        assert outlet.ids() == has + lacks + [7], forgotten
        assert outlet.counted(counter.SERVER_BEHIND) == (forgotten > 0)


def test_server_that_forgets_what_it_takes_and_closes_is_not_stormed():
    outlet = holding(4, rewind=True)
    outlet.until_stored(4, and_ms=1000)
    for _ in range(12000):  # five minutes, in which it never has more than three
        if len(outlet.ids()) > 3:
            outlet.archive.restore_backup(len(outlet.ids()) - 3)
            outlet.network.cut(*SERVER)
        outlet.run(25)
    assert outlet.toolsnet.server_connections < 30
    before = outlet.toolsnet.server_connections
    outlet.until_stored(4, and_ms=100)
    outlet.store(1)
    outlet.until_stored(5, and_ms=1000)
    assert outlet.ids() == numbers(1, 5) and outlet.toolsnet.server_connections <= before + 1


def test_parked_result_is_not_sent_again_to_a_rewound_server():
    for power_fails in (False, True):
        outlet = holding(7, bad=(3, 5), rewind=True)
        outlet.until_stored(5, and_ms=1000)
        assert outlet.parked_numbers() == [3, 5]
        outlet.options.tightening_codes.clear()  # it would take them now
        outlet.archive.restore_backup(4)  # it has the first one only
        outlet.network.cut(*SERVER)
        if power_fails:
            outlet.until_stored(3)
            outlet.cut()
        outlet.until_stored(5, and_ms=1000)
        assert outlet.ids() == [1, 2, 4, 6, 7] and outlet.parked_numbers() == [3, 5]
        assert outlet.waiting() == 0
        outlet.network.cut(*SERVER)
        outlet.run(1000)
        assert outlet.archive.repeated == 0


# -- the independent model of protocol.md 8.4, with random cuts


class Model:
    """protocol.md 8.4 word by word, over plain numbers; `sent` is the highest number that was transmitted."""

    def __init__(self, base, met=True):
        self.base = base
        self.met = met

    def wire(self, number):
        return (number + self.base - 1) % 99999 + 1

    def start_of(self, stored, newest, acked, sent, rewind):
        """Return (number to begin with, base) after an 08 that names `stored`."""
        if not self.met:
            return acked + 1, (stored - acked) % 99999
        if stored == 0:
            return acked + 1, self.base
        k = (self.wire(newest) - stored) % 99999
        c = newest - k
        if c == acked:
            return acked + 1, self.base
        if acked < c <= sent:
            return c + 1, self.base
        if 0 <= c < acked:
            return (c + 1 if rewind else acked + 1), self.base
        # Another history, or what was never sent: nothing is skipped, nothing looks stored, no sequence is used twice.
        if (self.wire(acked) - stored) % 99999 < 50000:
            return acked + 1, self.base
        return acked + 1, (self.base + (stored + 1 - self.wire(acked + 1))) % 99999


# What is in doubt has its own tests.
OF_DOUBTS = SENT_ALONE | SENT_EMPTY | SENT_BACK | SENT_OLDER | SENT_AGAIN | SENT_OPEN


def base_of(outlet):
    return -outlet.policy.cursor.sequence_lag % 99999


def test_resume_agrees_with_the_model_for_any_number_the_server_may_name():
    dice = Dice(11)
    cases = [0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 50, 49999, 50000, 50001, 99994, 99998, 99999]
    for rewind in (False, True):
        for start in (0, 99994):
            outlet = Outlet({"reported_result": start}, rewind=rewind, blocks=48)
            outlet.run(1000)
            outlet.options.reported_result = None
            outlet.store(8)
            outlet.until_stored(8, and_ms=100)
            take_away_toolsnet(outlet)
            outlet.store(5)
            outlet.run(100)
            cursor = outlet.cursor
            assert cursor.number == 8 and base_of(outlet) == start
            state = outlet.state
            before = state.numbers[:]
            for sent, met in ((8, True), (11, True), (13, True), (8, False)):
                for stored in cases + [dice.randrange(100000) for _ in range(6)]:
                    state.numbers[:] = before
                    state.broke_at = state.broke_by = 0
                    outlet.log.seek(cursor, 8)
                    cursor.sequence_lag = -start % 99999
                    if not met:
                        state.numbers[SENT] = 0
                    outlet.policy.in_flight.may_have = sent
                    expected = Model(start, met).start_of(stored, 13, 8, sent, rewind)
                    assert outlet.policy.resume(stored, outlet.clock.now)
                    assert outlet.log.peek(cursor) == KIND_RESULT or expected[0] == 14, stored
                    first = cursor.found if expected[0] <= 13 else cursor.number + 1
                    assert (first, base_of(outlet)) == expected, (rewind, start, sent, met, stored)
                    assert state.numbers[SENT] & ~OF_DOUBTS == SENT_MET
                    is_rebased = not met or base_of(outlet) != start
                    assert outlet.policy.in_flight.may_have == (
                        cursor.number if is_rebased else max(sent, cursor.number)
                    )


def cut_scenario(cut_at, acks_lost=()):
    """Run eight results through with a power cut after step `cut_at`; return the outlet and the steps it took."""
    outlet = Outlet({"lost_acks": list(acks_lost)}, cursor_batch=3)
    return outlet, outlet.come_through(cut_at, outlet.store, 0, 8, lambda: outlet.waiting() == 0)


def test_cut_at_every_step_repeats_at_most_one_and_loses_none():
    whole, steps = cut_scenario(0, (5,))
    assert whole.ids() == numbers(1, 8)
    for cut_at in range(1, steps + 1):
        outlet, _ = cut_scenario(cut_at, (5,))
        assert outlet.ids() == numbers(1, 8), (cut_at, outlet.ids())
        assert outlet.archive.out_of_order == 0
        assert outlet.archive.repeated <= 2, (cut_at, outlet.archive.repeated)  # one of them for the lost 05


def test_many_random_cuts_and_losses_deliver_each_result_once_in_order():
    for seed in range(1, 7):
        dice = Dice(seed)
        outlet = Outlet(blocks=14, cursor_batch=1 + dice.randrange(12))
        outlet.network.defaults.random_splits = True
        cuts = 0
        while outlet.archive.stored < 60:
            if outlet.next_id <= 60 and outlet.waiting() < 8:
                outlet.store(1 + dice.randrange(3))
            for _ in range(dice.randrange(30)):
                left = outlet.step()
                if left > 0:
                    outlet.clock.advance(min(left, 5000))
            what = dice.randrange(6)
            if what == 0:
                outlet.cut()
                cuts += 1
            elif what == 1:
                outlet.network.cut(*SERVER)
            elif what == 2:
                outlet.options.drop_after_store.append(outlet.archive.stored + 1)
            elif what == 3:
                outlet.options.drop_before_store.append(outlet.archive.stored + 1)
        outlet.until_passed()
        assert outlet.ids() == numbers(1, outlet.next_id - 1), seed
        assert outlet.archive.out_of_order == 0 and outlet.parked_numbers() == []
        assert outlet.archive.repeated <= cuts, (seed, outlet.archive.repeated, cuts)


# -- waits, hosts, stop


def test_waiting_time_of_refusal_that_ends_without_a_connection_does_not_spin():
    outlet = holding(2, {"code_all": 7})
    outlet.until_refused(1)
    take_away_toolsnet(outlet)
    steps = outlet.steps
    outlet.run(300000)
    assert outlet.steps - steps < 60, "it wakes for nothing"


def test_server_is_looked_for_where_the_08_and_the_settings_say():
    allowed = {"allow_hosts": ["tn.plant"]}
    for options, settings, place, others in (
        ({}, {}, SERVER, 1),  # another host than the PIM's is told
        ({"server_host": ""}, {}, (PIM[0], SERVER[1]), 0),
        ({"server_host": "0.0.0.0"}, {}, (PIM[0], SERVER[1]), 0),
        ({"server_host": "\x00\x00"}, {}, (PIM[0], SERVER[1]), 0),
        ({"server_host": ""}, allowed, (PIM[0], SERVER[1]), 0),  # the PIM's own host needs no permission
        ({"server_host": "203.0.113.9"}, {"host_override": "tn"}, SERVER, None),
        ({"server_port": 0, "server_host": "other"}, {}, ("other", PIM[1]), 1),
        ({"server_host": "010.000.000.017"}, {"pim_host": "pim"}, ("10.0.0.17", SERVER[1]), 1),  # no octal numbers
        ({"server_host": "010.000.000.017"}, {"allow_hosts": ["10.0.0.17"]}, ("10.0.0.17", SERVER[1]), 1),
        ({"spoil_08": lambda octets: octets.replace(b"tn", b"\xff\xfe")}, {}, (PIM[0], SERVER[1]), 0),  # no UTF-8
    ):
        outlet = Outlet(options, **settings)
        outlet.network.listen(place[0], place[1], outlet.toolsnet.server_endpoint)
        outlet.store(1)
        outlet.until_stored(1)
        assert others is None or outlet.counted(counter.OTHER_HOST) == others, options
        status = {}
        outlet.forward.put_state(status)
        named = status["server"].partition(":")[0]
        assert settings.get("host_override", place[0]) == named, "it goes elsewhere than it shows"
        assert status["server"].endswith(":%d" % place[1]) and status["server_port_named"] == (
            "server_port" not in options
        )


def test_port_of_an_08_that_cannot_be_one_is_reported_and_nothing_is_sent():
    outlet = Outlet({"server_port": 99999})
    assert outlet_status(outlet)["server"] == ""
    outlet.store(1)
    outlet.run(61000)
    status = outlet_status(outlet)
    assert outlet.forward.fault.why == NO_PORT and status["server"] == "tn"
    outlet.toolsnet.options.server_port = SERVER[1]
    outlet.until_stored(1)
    assert outlet.forward.fault.why == 0


def test_the_server_of_a_reason_is_the_one_that_failed_and_not_that_of_a_later_08():
    outlet = Outlet({"server_host": "a"})
    outlet.network.listen("a", SERVER[1], outlet.toolsnet.server_endpoint)
    outlet.store(1)
    outlet.until_stored(1)
    assert outlet_status(outlet)["server"] == "a:%d" % SERVER[1]
    failed = "a"
    for following in ("b", "c"):  # neither answers
        outlet.options.server_host = following
        outlet.network.listen(following, SERVER[1], outlet.toolsnet.server_endpoint)
        outlet.network.swallow(following, SERVER[1])
        if failed == "a":
            outlet.network.cut(failed, SERVER[1])
        outlet.until(lambda name=following: bytes(outlet.session.info.address).decode().strip() == name)
        outlet.run(0)
        status = outlet_status(outlet)
        assert status["state"] == "server opening" and status["server"] == "%s:%d" % (failed, SERVER[1]), status
        assert status["server_named"] == "%s:%d" % (following, SERVER[1])
        failed = following
    outlet.network.up("c", SERVER[1])
    outlet.until(outlet.forward.is_up)
    assert outlet_status(outlet)["server"] == "c:%d" % SERVER[1]


def outlet_status(outlet):
    status = {}
    outlet.forward.put_state(status)
    return status


def test_another_host_is_logged_when_it_changes_and_not_with_each_connection():
    outlet = Outlet()
    outlet.store(1)
    outlet.until_stored(1)
    for count in range(2, 6):
        outlet.network.cut(*SERVER)
        outlet.store(1)
        outlet.until_stored(count)
    assert outlet.counted(counter.SERVER_CONNECTS) >= 5 and outlet.counted(counter.OTHER_HOST) == 1


def test_a_flash_that_refuses_is_blamed_itself_and_left_in_peace():
    for is_met in (False, True):
        _refuse_while_toolsnet_comes(is_met)


def _refuse_while_toolsnet_comes(is_met):
    outlet = Outlet()
    if is_met:
        outlet.store(5)
        outlet.until_stored(5, and_ms=100)
    outlet.store(5)
    outlet.network.down(*PIM)
    outlet.network.cut(*SERVER)
    outlet.run(120000)
    outlet.flash.code = FLASH_IO
    if is_met:
        outlet.cut()
    outlet.network.up(*PIM)
    outlet.until(lambda: outlet.forward.fault.why == NOT_WRITTEN)
    before = outlet.counted(counter.NOT_SAVED)
    outlet.run(600000)
    assert outlet.counted(counter.NOT_SAVED) - before < 16, "it connects again and again"
    assert outlet.forward.fault.why == NOT_WRITTEN and outlet.archive.stored == 5 * is_met
    outlet.flash.code = FLASH_DONE
    outlet.until_stored(5 + 5 * is_met)
    assert outlet.forward.fault.why == 0 and outlet.forward.is_up()


def test_a_server_that_is_none_of_those_allowed_is_not_connected_to():
    outlet = holding(1, allow_hosts=["192.0.2.8", "tn.plant"])
    outlet.run(200000)
    assert outlet.counted(counter.HOST_REFUSED) >= 2  # the PIM is asked again: somebody may have set it right
    assert outlet.archive.stored == 0
    assert outlet.forward.fault.why == NOT_ALLOWED
    for name in (SERVER[0], "tn.plant"):
        outlet = Outlet({"server_host": name}, allow_hosts=["tn.plant", SERVER[0]])
        outlet.network.listen(name, SERVER[1], outlet.toolsnet.server_endpoint)
        outlet.store(1)
        outlet.until_stored(1)
        assert outlet.counted(counter.HOST_REFUSED) == 0


def test_unreachable_server_is_asked_for_again_at_the_pim_every_60_s():
    outlet = Outlet()
    outlet.network.down(*SERVER)
    outlet.store(1)
    outlet.run(1000)
    assert outlet.toolsnet.pim_connections == 1
    outlet.run(58000)
    assert outlet.toolsnet.pim_connections == 1
    outlet.run(2000)
    assert outlet.toolsnet.pim_connections == 2
    outlet.network.up(*SERVER)
    assert outlet.until_stored(1) <= 60000
    outlet.clean()


def test_planned_stop_makes_the_cursor_durable():
    outlet = holding(7, cursor_batch=100)
    outlet.until_stored(7, and_ms=100)
    outlet.forward.stop()
    outlet.network.step()
    assert not outlet.toolsnet.server_sessions
    outlet.start()
    assert outlet.cursor.number == 7


def test_recovery_from_a_fault_begins_at_the_pim_again():
    outlet = holding(3)
    outlet.until_stored(1)
    outlet.forward.reset_after_fault(outlet.clock.now)
    outlet.until_stored(3)
    assert outlet.ids() == [1, 2, 3] and outlet.counted(counter.FAULTS) == 1


def test_returning_network_is_used_at_once_without_knocking_at_servers_sooner():
    outlet = Outlet()
    take_away_toolsnet(outlet)
    outlet.store(1)
    outlet.run(5000)
    outlet.network.up(*PIM)
    outlet.forward.connect_now(outlet.clock.now)
    assert outlet.until_stored(1) <= 1000
    # Reached, and lost without a single 05: the pause of 60 s is the server's due, whatever the network does.
    outlet.network.down(*SERVER)
    outlet.network.cut(*SERVER)
    outlet.run(2000)
    attempts = outlet.toolsnet.pim_connections
    for _ in range(5):
        outlet.forward.connect_now(outlet.clock.now)
        outlet.run(1000)
    assert outlet.toolsnet.pim_connections <= attempts + 1


def test_connection_that_never_stood_is_not_one_that_was_lost():
    for take_away in ("down", "swallow"):
        outlet = Outlet()
        getattr(outlet.network, take_away)(*PIM)
        outlet.store(1)
        outlet.run(200000)
        assert outlet.counted(counter.SERVER_AWAY) > 2 and outlet.counted(counter.SERVER_LOSSES) == 0, take_away
        outlet.network.up(*PIM)
        outlet.until_stored(1)
        outlet.network.cut(*SERVER)
        outlet.run(1000)
        assert outlet.counted(counter.SERVER_LOSSES) == 1, take_away


# -- a server next door


class NextDoor(SimPort):
    """A port whose connections are open before `open` has returned, as on one machine."""

    def open(self, host, number):
        SimPort.open(self, host, number)
        self._network.step()
        assert self.state() != PORT_OPENING


def test_port_open_at_once_needs_no_time_out_before_the_first():
    outlet = holding(2, make_port=NextDoor)
    for _ in range(20):
        outlet.step()
    assert outlet.clock.total_ms == 0 and outlet.ids() == [1, 2], outlet.toolsnet.telegrams
    outlet.clean()


def test_port_open_at_once_gets_the_first_keep_alive_when_due():
    outlet = Outlet(make_port=NextDoor)
    outlet.run(29999)
    assert outlet.toolsnet.telegrams == {"05": 1, "07": 1}
    outlet.run(1)
    assert outlet.toolsnet.telegrams == {"05": 1, "07": 1, "06": 1}
    outlet.clean()


def test_step_that_opens_server_next_door_needs_no_one_to_wake_it():
    outlet = Outlet(make_port=NextDoor)
    while outlet.session.state != STREAMING:
        left = outlet.forward.step(outlet.clock.now)
        outlet.network.step()
        assert left == 0 or outlet.network.readable() or outlet.session.state == STREAMING, left
    assert outlet.session.can_send() and 0 < left <= 30000


# -- a state of an earlier version, which had several outstanding

_EIGHT = 16 * 8  # how many it had, beside SENT_SEVERAL


def with_several_out(first, last):
    """An outlet whose state says that results from `first` to `last` may have been out together."""
    outlet = Outlet()
    outlet.store(first - 1)
    outlet.until_passed()
    take_away_toolsnet(outlet)
    outlet.store(last - first + 3)
    outlet.state.numbers[SENT] |= SENT_SEVERAL | _EIGHT
    outlet.state.numbers[SEND_LIMIT] = last
    assert outlet.state.save()
    outlet.network.up(*PIM)
    outlet.network.up(*SERVER)
    return outlet


def in_doubt(outlet):
    return [number for _, number, reason, _ in outlet.parked_records() if reason == QUARANTINED_IN_DOUBT]


def test_what_was_out_with_one_that_is_there_is_in_doubt():
    for named, doubted in ((3, []), (5, [3, 4]), (10, numbers(3, 9)), (12, numbers(5, 11))):
        outlet = with_several_out(3, 12)
        outlet.options.reported_result = named
        outlet.cut()
        outlet.until_stored(3)
        assert not outlet.state.numbers[SENT] & (SENT_SEVERAL | _EIGHT), "durable before anything goes out"
        outlet.options.reported_result = None
        outlet.cut()
        outlet.until_passed(and_ms=3600000)
        assert outlet.ids() == [1, 2] + numbers(named + 1, 14) and outlet.archive.repeated == 0
        assert in_doubt(outlet) == outlet.parked_numbers() == doubted
        assert outlet.state.numbers[DELIVERED] == 14 - len(doubted)


def test_an_08_that_names_nothing_new_does_not_end_the_doubt():
    outlet = with_several_out(3, 8)
    outlet.options.silent_sequences = (3,)
    outlet.options.reported_result = 2
    outlet.cut()
    outlet.until(lambda: outlet.policy.out and outlet.policy.number == 3, 60000)
    outlet.options.silent_sequences = ()
    outlet.options.reported_result = 5
    outlet.cut()
    outlet.until_stored(3)
    outlet.options.reported_result = None
    outlet.until_passed()
    assert outlet.ids() == [1, 2] + numbers(6, 10) and in_doubt(outlet) == [3, 4]


def test_several_that_never_arrived_go_out_one_at_a_time():
    outlet = with_several_out(3, 8)
    outlet.cut()
    outlet.until_passed(and_ms=1000)
    assert outlet.ids() == numbers(1, 10) and outlet.archive.repeated == 0 and not outlet.parked_numbers()
    assert not outlet.state.numbers[SENT] & SENT_SEVERAL
    outlet.clean()


def test_a_dropped_first_is_no_silence_of_the_server():
    outlet = trouble_without_room()
    assert outlet.forward.drop_first() == DROP_DONE
    assert outlet.status()["refused"] is None, "nothing is known of the next one"
    outlet.until(lambda: is_tried_out(outlet), 1000)
    assert outlet.status()["refused"]["code"] == 17


def test_a_server_that_falls_silent_complains_of_no_result_that_follows_a_keepalive():
    outlet = Outlet()
    outlet.store(5)
    outlet.until_stored(5)
    outlet.options.silent = True
    outlet.toolsnet.drop()
    outlet.store(2)
    outlet.run(120000)
    assert outlet.toolsnet.telegrams["06"] > 0 < outlet.toolsnet.telegrams["04"] - 5
    assert outlet.toolsnet.complaints == []


def _ordered_while(out):
    def hang_up(outlet):
        outlet.store(3)
        if out:
            outlet.until(lambda: outlet.policy.out)
        else:
            outlet.until_stored(3, and_ms=100)
        assert outlet.forward.offer_again(1, 0, 0, outlet.clock.now) and not outlet.forward.fault.why

    return hang_up


def _refused_late(outlet):
    outlet.options.code_all, outlet.options.ack_delay_ms = 99, 8000
    outlet.store(1)
    outlet.until_refused(1)
    outlet.options.code_all, outlet.options.ack_delay_ms = None, 0


def _cannot_write_what_the_08_says(outlet):
    outlet.store(1)
    outlet.network.down(*PIM)
    outlet.flash.code = FLASH_IO
    outlet.cut()
    outlet.network.up(*PIM)
    outlet.until(lambda: outlet.forward.fault.why == NOT_WRITTEN)
    outlet.flash.code = FLASH_DONE


def _fault_inside(outlet):
    outlet.store(2)
    outlet.until(lambda: outlet.policy.out)
    outlet.forward.reset_after_fault(outlet.clock.now)


def test_a_connection_that_we_end_is_no_loss_of_the_server():
    """Nor does it speak against the server that a result was out then."""
    ends = (_ordered_while(False), _ordered_while(True), _refused_late, _cannot_write_what_the_08_says, _fault_inside)
    for hang_up in ends:
        outlet = holding(1)
        outlet.until_stored(1, and_ms=100)
        hang_up(outlet)
        assert outlet.forward._lacks_why == 0, hang_up
        outlet.run(20000)
        assert outlet.counted(counter.SERVER_LOSSES) == 0 and outlet.forward.is_up(), hang_up
        outlet.network.cut(*SERVER)
        outlet.run(1000)
        assert outlet.counted(counter.SERVER_LOSSES) == 1, hang_up
    outlet.forward.stop()
    assert outlet.counted(counter.SERVER_LOSSES) == 1
