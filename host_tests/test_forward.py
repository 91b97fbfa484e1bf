"""Forwarding keeps the log's order, moves on only after 05/000, and after any cut finds where the server stands."""

from agent import health as h
from agent.base.words import get_u32
from agent.outlets.toolsnet.outlet import FLAG_MET, SEQUENCES
from agent.outlets.toolsnet.position import OUTLET, SET_ASIDE
from agent.outlets.toolsnet.sweep import JAM_RESULTS
from agent.record.result import PARKED_BYTES, PARKED_SILENT, PARKED_UNREADABLE, ROOM_BYTES
from agent.spool import moving
from agent.spool.memory import BASE, OUTLET_FLAGS
from agent.spool.programmer import SENT_AHEAD
from agent.spool.record import HEAD_BYTES, KIND_RAW, KIND_RESULT
from agent.toolsnet.session import STREAMING
from agent.trouble import NOT_ALLOWED
from host_tests.support_toolsnet import PIM, SERVER, Outlet
from tools.sim.clock import Dice
from tools.sim.flash import SimFlash
from tools.sim.port import PORT_OPENING, SimPort

PORTABLE = True
HEAVY = True
HEAP = "6m"


def numbers(first, last):
    return list(range(first, last + 1))


def take_away_toolsnet(outlet):
    outlet.network.down(*PIM)
    outlet.network.cut(*SERVER)


def refuse(outlet, tightening_id, code=17):
    outlet.options.tightening_codes[tightening_id] = code


# -- the ordinary way


def test_backlog_goes_out_in_order_and_each_result_once():
    outlet = Outlet()
    outlet.store(40)
    outlet.until_stored(40)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 40)
    assert outlet.archive.sequences() == numbers(1, 40)
    assert outlet.archive.repeated == 0 and outlet.counted(h.DELIVERED) == 40
    assert outlet.ring.backlog(OUTLET) == 0
    outlet.clean()


def test_way_to_the_server_leads_over_the_pim():
    outlet = Outlet()
    outlet.store()
    outlet.until_stored(1)
    assert (outlet.toolsnet.pim_connections, outlet.toolsnet.server_connections) == (1, 1)
    assert outlet.toolsnet.telegrams == {"05": 1, "07": 1, "04": 1}
    assert not outlet.toolsnet.pim_sessions, "the PIM's connection is closed before the server's is opened"
    outlet.clean()


def test_empty_spool_keeps_the_connection_alive_every_30_s_and_does_nothing_else():
    outlet = Outlet()
    outlet.run(1000)
    steps = outlet.steps
    outlet.run(300000)
    assert outlet.toolsnet.telegrams == {"05": 1, "07": 1, "06": 10}
    assert outlet.toolsnet.server_connections == 1
    assert outlet.steps - steps <= 10 * 6, "it wakes for nothing"
    outlet.clean()


def test_cursor_moves_only_after_the_05():
    outlet = Outlet({"silent_sequences": (3,)})
    outlet.store(5)
    outlet.until_stored(2)
    outlet.run(4000)
    assert outlet.ring.cursors[OUTLET].number == 2
    assert outlet.ids() == [1, 2]


def test_result_may_be_sent_only_after_the_log_says_so():
    for batch, refused in ((4, 0), (1, SENT_AHEAD)):  # the probe is the first that no HEAD speaks of
        outlet = Outlet(cursor_batch=batch)
        outlet.store(60)
        if refused:
            refuse(outlet, refused)
        sent = watch_sends(outlet)
        outlet.until_passed()
        assert len(sent) == 60 + (2 if refused else 0)
        for number, limit in sent:
            assert number <= limit, (number, limit)


def watch_sends(outlet):
    """Return a list that grows by (number, limit on flash) with every result that goes out."""
    sent = []
    send = outlet.session.send

    def watched(octets):
        sent.append((outlet.forward._sent, outlet.ring_after_cut().cursors[OUTLET].limit))
        send(octets)

    outlet.session.send = watched
    return sent


# -- acknowledgements


def test_lost_05_brings_the_same_telegram_again_and_the_archive_holds_it_once():
    outlet = Outlet({"lost_acks": [3]})
    outlet.store(5)
    outlet.until_stored(5)
    assert outlet.ids() == numbers(1, 5) and outlet.archive.repeated == 1
    assert outlet.toolsnet.server_connections == 1
    outlet.clean()


def test_foreign_05_is_ignored_and_counted():
    outlet = Outlet({"foreign_ack": True})
    outlet.store(5)
    outlet.until_stored(5)
    outlet.run(100)
    assert outlet.ids() == numbers(1, 5) and outlet.counted(h.SERVER_FOREIGN) == 5
    assert outlet.archive.repeated == 0


def test_late_05_is_taken_and_the_next_one_waits_for_its_own():
    outlet = Outlet({"ack_delay_ms": 7000})
    outlet.store(4)
    outlet.until_stored(4)
    outlet.run(10000)
    assert outlet.ids() == numbers(1, 4) and outlet.counted(h.DELIVERED) == 4
    assert outlet.toolsnet.server_connections == 1
    assert outlet.archive.repeated == 4, "each was sent again after 5 s"


def test_05_lost_with_the_connection_is_learned_from_the_08_and_nothing_is_repeated():
    outlet = Outlet({"drop_after_store": [3]})
    outlet.store(6)
    outlet.until_stored(6)
    outlet.run(100)
    assert outlet.ids() == numbers(1, 6) and outlet.archive.repeated == 0
    assert outlet.counted(h.RESUMED) == 1 and outlet.counted(h.SERVER_LOSSES) == 1
    assert (outlet.toolsnet.pim_connections, outlet.toolsnet.server_connections) == (2, 2)
    outlet.clean()


def test_connection_lost_before_storing_sends_it_again_at_once_over_the_pim():
    outlet = Outlet({"drop_before_store": [3]})
    outlet.store(6)
    took = outlet.until_stored(6)
    assert outlet.ids() == numbers(1, 6) and took < 1000
    assert (outlet.toolsnet.pim_connections, outlet.toolsnet.server_connections) == (2, 2)
    outlet.clean()


# -- refusals


def test_refused_result_is_tried_three_times_then_parked_behind_a_probe():
    outlet = Outlet()
    outlet.store(8)
    refuse(outlet, 4)
    outlet.until_stored(7)
    outlet.run(100)
    assert outlet.ids() == [1, 2, 3, 5, 6, 7, 8]
    assert outlet.counted(h.REFUSED_BY_SERVER) == 3 and outlet.counted(h.PARKED) == 1
    (record,) = outlet.parked_records()
    assert record[:3] == (KIND_RESULT, 4, 17)
    assert b"0000000004" in record[3], "what is parked is the whole result"
    assert outlet.archive.repeated == 0 and outlet.ring.backlog(OUTLET) == 0
    outlet.clean()


def test_attempts_wait_longer_each_time():
    outlet = Outlet(refused_attempts=4)
    outlet.store(2)
    refuse(outlet, 1)
    outlet.until_refused(1)
    assert [outlet.until_refused(count) for count in (2, 3, 4)] == [5000, 30000, 60000]


def test_result_refused_once_is_sent_again_and_not_parked():
    outlet = Outlet({"codes_once": [(2, 9), (2, 9), (3, 1)]})
    outlet.store(4)
    outlet.until_stored(4)
    assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == []


def test_server_that_refuses_everything_parks_nothing_and_keeps_the_order():
    outlet = Outlet({"code_all": 99})
    outlet.store(5)
    outlet.run(3600000)
    assert outlet.archive.stored == 0 and outlet.parked_numbers() == []
    outlet.options.code_all = None
    outlet.until_stored(5)
    assert outlet.ids() == numbers(1, 5)


def test_log_full_of_refused_results_sets_a_whole_block_of_them_aside_at_a_time():
    outlet = Outlet({"code_all": 17}, blocks=6)
    while not outlet.parked_numbers():
        while outlet.ring.has_room(ROOM_BYTES):  # also behind the sweep's own records
            outlet.store(1)
        assert outlet.clock.total_ms < 2 * 3600000
        outlet.run(300000)
    assert outlet.parked_numbers() == numbers(1, JAM_RESULTS) and outlet.archive.stored == 0


def test_refused_result_without_one_behind_it_waits_for_a_probe():
    outlet = Outlet()
    outlet.store(3)
    refuse(outlet, 3)
    outlet.run(600000)
    assert outlet.ids() == [1, 2] and outlet.parked_numbers() == []
    outlet.store(1)
    outlet.until_stored(3)
    outlet.run(100)
    assert outlet.ids() == [1, 2, 4] and outlet.parked_numbers() == [3]


def test_result_behind_one_that_was_refused_for_hours_arrives_within_minutes():
    outlet = Outlet()
    outlet.store(1)
    refuse(outlet, 1)
    outlet.run(3 * 3600000)
    outlet.store(1)
    outlet.until_stored(1, 300000)
    outlet.run(100)
    assert outlet.ids() == [2] and outlet.parked_numbers() == [1]


def test_refused_results_in_a_row_are_passed_kept_and_the_good_ones_behind_arrive():
    for count in (2, 5, 20):
        outlet = Outlet(blocks=24)
        outlet.store(1 + count + 4)
        for ident in range(2, 2 + count):
            refuse(outlet, ident)
        outlet.until_stored(5, 3600000)
        outlet.run(1000)
        assert outlet.ids() == [1] + numbers(2 + count, 5 + count), count
        assert outlet.parked_numbers() == numbers(2, 1 + count)
        assert {record[2] for record in outlet.parked_records()} == {17}
        assert outlet.counted(h.REFUSED_BY_SERVER) >= 3 * count, "each was refused as often as the first"
        assert outlet.counted(h.PARKED) == count and outlet.ring.backlog(OUTLET) == 0
        outlet.clean()


def test_one_behind_the_refused_that_is_refused_once_only_is_not_set_aside():
    outlet = Outlet({"codes_once": [(3, 9)]})
    outlet.store(4)
    refuse(outlet, 2)
    outlet.until_stored(3)
    outlet.run(1000)
    assert outlet.ids() == [1, 3, 4] and outlet.parked_numbers() == [2]


def test_server_that_comes_back_between_two_sweeps_gets_all_in_order():
    outlet = Outlet({"code_all": 99})
    outlet.store(30)
    for hours in (1, 5):
        outlet.run(hours * 1800000)
        assert outlet.archive.stored == 0 and outlet.parked_numbers() == []
    outlet.options.code_all = None
    outlet.until_stored(30)
    assert outlet.ids() == numbers(1, 30) and outlet.parked_numbers() == []


def test_server_that_comes_back_while_a_sweep_meets_the_next_one_gets_all_in_order():
    for refused in (4, 6):  # the first one three times, the second one; then each of them once more
        outlet = Outlet({"code_all": 99})
        outlet.store(4)
        outlet.until_refused(refused)
        outlet.options.code_all = None
        outlet.until_stored(4)
        outlet.run(1000)
        assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == [], refused


def test_server_that_comes_back_while_its_answer_for_the_next_one_is_late_gets_all_in_order():
    for attempts in (1, 3):
        outlet = Outlet({"code_all": 99}, refused_attempts=attempts)
        outlet.store(4)
        outlet.until_refused(attempts)
        outlet.options.ack_delay_ms = 8000
        outlet.until_refused(attempts + 1)  # number 2, and nobody knows it yet
        outlet.options.code_all = None
        outlet.options.ack_delay_ms = 0
        outlet.until_stored(4)
        outlet.run(1000)
        assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == [], attempts


def test_server_that_comes_back_behind_a_slow_refusal_gets_all_in_order():
    for slow_ms in (8000, 1000):
        outlet = Outlet({"code_all": 99}, refused_attempts=1)
        outlet.store(4)
        outlet.until_refused(3)  # 1 and 2, then 1 in a sweep that looks as far as 3
        outlet.options.ack_delay_ms = slow_ms
        outlet.until_refused(4)
        outlet.options.ack_delay_ms = 0
        outlet.run(slow_ms - 500)
        outlet.options.code_all = None
        outlet.until_stored(4)
        outlet.run(1000)
        assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == [], slow_ms


def test_server_that_comes_back_while_its_refusal_of_the_first_is_late_gets_all_in_order():
    outlet = Outlet({"code_all": 99}, refused_attempts=1)
    outlet.store(4)
    outlet.until_refused(2)
    outlet.options.ack_delay_ms = 8000
    outlet.until_refused(3)  # 1 in the next sweep, and nobody knows it yet
    outlet.options.code_all, outlet.options.ack_delay_ms = None, 0
    outlet.until_stored(4)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == []


def test_slow_server_has_what_it_refuses_passed_as_well():
    outlet = Outlet({"ack_delay_ms": 7000})
    outlet.store(6)
    for ident in (2, 3, 4):
        refuse(outlet, ident)
    outlet.until_stored(3, 3600000)
    outlet.run(20000)
    assert outlet.ids() == [1, 5, 6] and outlet.parked_numbers() == [2, 3, 4]
    assert outlet.toolsnet.refused < 60


def test_server_that_comes_back_while_the_refused_one_goes_out_again_has_it_once():
    for attempts in (1, 3):
        outlet = Outlet({"code_all": 99, "ack_delay_ms": 8000}, refused_attempts=attempts)
        outlet.store(2)
        outlet.until_refused(1)  # its copy is taken, and the refusal comes first
        outlet.options.code_all = None
        outlet.until_passed()
        assert outlet.toolsnet.refused == 1 and outlet.counted(h.REPEATED) == 0
        assert outlet.ids() == [1, 2] and outlet.parked_numbers() == [], attempts


def test_result_refused_before_and_silent_once_is_not_passed_over():
    outlet = Outlet({"code_all": 99})
    outlet.store(4)
    outlet.until_refused(9)  # each three times, then the first of the next sweep
    outlet.options.silent_sequences = (2,)
    outlet.until(lambda: outlet.counted(h.SERVER_SILENT) == 1)
    outlet.options.silent_sequences = ()
    outlet.until_refused(10)
    outlet.options.code_all = None
    outlet.until_stored(3)
    outlet.run(1000)
    assert outlet.ids() == [2, 3, 4] and outlet.parked_numbers() == [1]


def test_silent_result_is_offered_again_after_another_one_was_silent():
    outlet = Outlet({"code_all": 99})
    outlet.store(4)
    outlet.until_refused(8)  # 1 and 2, each three times and more
    outlet.options.silent_sequences = (1, 2)
    outlet.until(lambda: outlet.counted(h.SERVER_SILENT) == 4)  # 1 three times, then 2
    outlet.options.silent_sequences = ()
    outlet.options.code_all = None
    outlet.until_stored(4)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == []


def test_silent_result_is_offered_again_after_a_sweep_that_ended_with_its_connection():
    outlet = Outlet({"silent_sequences": (1,)})
    outlet.store(2)
    outlet.options.drop_before_store = [2]  # passed over is 1 as long as this one's answer is awaited
    outlet.until(lambda: outlet.counted(h.SERVER_LOSSES) == 1)
    outlet.options.silent_sequences = outlet.options.drop_before_store = ()
    outlet.until_stored(2)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 2) and outlet.parked_numbers() == []


def test_silent_result_is_offered_again_behind_a_sweep_that_the_flash_put_off():
    put_off_by_the_flash(unreadable=False)
    put_off_by_the_flash(unreadable=True)


def put_off_by_the_flash(unreadable):
    outlet = Outlet({"silent_sequences": (1,)}, make_flash=SimFlash)
    outlet.store(2)
    outlet.options.code_all = 99
    outlet.until(lambda: outlet.counted(h.SERVER_SILENT) == 3)
    outlet.flash.refuses, outlet.flash.unreadable = True, unreadable
    outlet.run(10000)
    assert unreadable or outlet.counted(h.NOT_SAVED) > 0
    outlet.flash.refuses = outlet.flash.unreadable = False
    outlet.options.silent_sequences = ()
    outlet.options.code_all = None
    outlet.until_stored(2)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 2) and outlet.parked_numbers() == []


def test_silent_result_is_offered_again_when_the_one_behind_it_is_refused():
    outlet = Outlet({"silent_sequences": (1,), "code_all": 99})
    outlet.store(4)
    outlet.until(lambda: outlet.counted(h.SERVER_SILENT) == 3)
    outlet.options.silent_sequences = ()
    outlet.until_refused(1)  # 2
    outlet.options.code_all = None
    outlet.until_stored(4)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 4) and outlet.parked_numbers() == []


def test_refused_results_behind_a_silent_one_are_passed_with_it():
    outlet = Outlet({"silent_sequences": (1,)})
    for ident in (2, 3):
        refuse(outlet, ident)
    outlet.store(5)
    outlet.until_stored(2)
    outlet.run(100)
    assert outlet.ids() == [4, 5] and outlet.parked_numbers() == [1, 2, 3]
    assert outlet.counted(h.SERVER_SILENT) == 4  # on three connects, and once when 2 was refused


def test_refusal_of_what_was_overwritten_meanwhile_blames_no_other():
    for sweeps in (0, 1):
        outlet = Outlet({"code_all": 99}, refused_attempts=1)
        outlet.store(40)
        if sweeps:
            outlet.until_refused(2)
        outlet.options.ack_delay_ms = 4000
        refused = outlet.toolsnet.refused
        outlet.until(lambda: outlet.forward._sent == 1 and outlet.toolsnet.refused > refused)  # noqa: B023
        ring = outlet.ring
        assert ring._drop_block(ring.cursors[OUTLET]) and ring.peek(OUTLET) > 0 and ring.overwritten > 2
        outlet.options.code_all, outlet.options.ack_delay_ms = None, 0
        outlet.until_passed()
        assert outlet.ids() == numbers(1 + ring.overwritten, 40) and outlet.parked_numbers() == [], sweeps


def test_server_in_trouble_is_asked_once_a_minute_beginning_with_the_first_and_each_time_further():
    outlet = Outlet({"code_all": 99})
    outlet.store(20)
    outlet.until_refused(3)
    # Number 2, and twice 1 and 2; a minute later, three times, 1 and 2 and 3, which is new; a minute later 1 again.
    assert [outlet.until_refused(count) for count in (4, 8, 9, 17, 18)] == [0, 0, 60000, 0, 60000]


def test_what_a_server_in_trouble_is_sent_is_bounded():
    outlet = Outlet({"code_all": 99})
    outlet.store(200)
    outlet.run(2 * 3600000)
    assert outlet.archive.stored == 0 and outlet.parked_numbers() == []
    # Each result is refused three times when a sweep meets it first; after that a sweep costs one of each at most.
    assert outlet.toolsnet.refused < 3 * 200 + 120 * 200
    assert outlet.counted(h.REFUSED_BY_SERVER) == outlet.toolsnet.refused


def test_blocking_policy_never_parks():
    outlet = Outlet(refused="block")
    outlet.store(3)
    refuse(outlet, 2)
    outlet.run(1200000)
    assert outlet.ids() == [1] and outlet.parked_numbers() == []
    del outlet.options.tightening_codes[2]
    outlet.until_stored(3)
    assert outlet.ids() == [1, 2, 3]


def test_probe_is_noted_durably_before_it_goes_out():
    for batch in (1, 32):
        outlet = Outlet(cursor_batch=batch)
        outlet.store(3)
        refuse(outlet, 2)
        outlet.options.drop_after_store.append(3)
        outlet.until_stored(2)
        # The probe is stored, its 05 is lost, and so is the power: only the log can tell what became of number 2.
        outlet.cut()
        outlet.store(1)
        outlet.until_stored(3)
        outlet.run(100)
        assert outlet.ids() == [1, 3, 4], outlet.counts()
        assert outlet.parked_numbers() == [2] and outlet.archive.repeated == 0


def test_probe_cut_off_by_garbage_is_forgotten_and_what_follows_is_not_taken_for_it():
    outlet = Outlet()
    outlet.store(4)
    refuse(outlet, 2)
    outlet.options.silent_sequences = (3,)
    outlet.until(lambda: outlet.forward._sent == 3 and outlet.session.pending == 0)
    outlet.options.silent_sequences = ()
    outlet.options.tightening_codes = {}
    for session in outlet.toolsnet.server_sessions:
        session.send(b"no telegram")
    outlet.until_stored(4)
    outlet.run(100)
    assert outlet.ids() == [1, 2, 3, 4] and outlet.parked_numbers() == []
    assert outlet.counted(h.SERVER_MALFORMED) == 1


def test_number_once_held_and_then_taken_is_not_parked_after_a_cut():
    outlet = Outlet({"code_all": 5}, cursor_batch=100)
    outlet.store(6)
    outlet.until_refused(6)  # three times number 1, then number 2 as often: the server is in trouble
    outlet.options.code_all = None
    outlet.until_stored(4)
    outlet.cut()
    outlet.until_stored(6)
    outlet.run(100)
    assert outlet.ids() == numbers(1, 6) and outlet.parked_numbers() == []


# -- silence


def test_result_silent_on_three_connects_is_probed_and_parked():
    outlet = Outlet({"silent_sequences": (3,)})
    outlet.store(5)
    outlet.until_stored(4)
    outlet.run(100)
    assert outlet.ids() == [1, 2, 4, 5]
    (record,) = outlet.parked_records()
    assert record[:3] == (KIND_RESULT, 3, PARKED_SILENT)
    assert outlet.counted(h.SERVER_SILENT) == 3
    assert outlet.toolsnet.server_connections == 4
    outlet.clean()


def test_server_that_says_nothing_at_all_parks_nothing():
    outlet = Outlet({"silent": True})
    outlet.store(4)
    outlet.run(3600000)
    assert outlet.parked_numbers() == [] and outlet.archive.stored == 0
    outlet.options.silent = False
    outlet.until_stored(4)
    assert outlet.ids() == numbers(1, 4)


def test_server_that_stores_without_a_word_makes_no_innocent_result_a_suspect():
    outlet = Outlet({"silent_telegrams": ()})
    outlet.options.lost_acks = [n for n in range(1, 7) for _ in range(3)]
    outlet.store(8)
    outlet.until_stored(8, 3600000)
    outlet.run(100)
    assert outlet.ids() == numbers(1, 8) and outlet.parked_numbers() == []
    assert outlet.counted(h.RESUMED) == 6


def test_keep_alive_that_is_never_acknowledged_is_given_up_after_three_sessions():
    outlet = Outlet({"silent_telegrams": ("06",)})
    for _ in range(6):
        outlet.store(1)
        outlet.run(50000)
    connections = outlet.toolsnet.server_connections
    assert connections == 4
    for _ in range(6):
        outlet.store(1)
        outlet.run(50000)
    assert outlet.toolsnet.server_connections == connections
    assert outlet.ids() == numbers(1, 12)


# -- frames that could not be read, and the parking area


def test_frame_that_could_not_be_read_is_parked_when_its_turn_comes():
    outlet = Outlet()
    outlet.store(2)
    outlet.store_raw(b"00nonsense")
    outlet.store(2)
    outlet.until_stored(4)
    assert outlet.ids() == [1, 2, 3, 4]
    assert outlet.archive.sequences() == [1, 2, 4, 5]
    assert outlet.parked_records() == [(KIND_RAW, 3, PARKED_UNREADABLE, outlet.parked_records()[0][3])]
    assert outlet.parked_records()[0][3].endswith(b"00nonsense")
    outlet.clean()


def test_refused_result_followed_by_an_unreadable_frame_is_probed_with_the_one_behind():
    outlet = Outlet()
    outlet.store(2)
    outlet.store_raw()
    outlet.store(2)
    refuse(outlet, 2)
    outlet.until_stored(3)
    outlet.run(100)
    assert outlet.ids() == [1, 3, 4]
    assert [record[:3] for record in outlet.parked_records()] == [
        (KIND_RESULT, 2, 17),
        (KIND_RAW, 3, PARKED_UNREADABLE),
    ]
    assert outlet.archive.repeated == 0


def test_what_a_server_that_was_set_back_refuses_now_is_kept_though_others_behind_it_are():
    outlet = Outlet(rewind=True)
    outlet.store(5)
    refuse(outlet, 4)
    outlet.until_stored(4)
    outlet.run(1000)
    assert outlet.ids() == [1, 2, 3, 5] and outlet.parked_numbers() == [4]
    outlet.archive.restore_backup(3)
    refuse(outlet, 2)
    outlet.network.cut(*SERVER)
    outlet.until_stored(3)
    outlet.run(300000)
    assert outlet.ids() == [1, 3, 5] and outlet.counted(h.PARKED) == 2
    assert outlet.parked_numbers() == [4, 6], "the second result, moved on"
    assert outlet.ring.backlog(0) == 0


def test_what_is_set_aside_in_the_log_is_not_taken_for_what_a_server_lacks():
    for moved in (0, 3, 100):
        outlet = Outlet(rewind=True, parked_blocks=2)
        outlet.store(5)
        outlet.until_stored(5)
        outlet.run(1000)
        take_away_toolsnet(outlet)
        outlet.store(70)
        while outlet.forward.outlet.set_aside(76, 17, outlet.clock.now) != SET_ASIDE:
            pass
        assert 10 < outlet.quarantine.count() < 60 and outlet.ring.has_aside()
        while moved and outlet.ring.has_aside():
            assert moving.carry(outlet.ring, outlet.quarantine.last_kept()) == 0
            moved -= 1
        outlet.cut()
        limit = outlet.ring.cursors[0].limit
        outlet.network.up(*PIM)
        outlet.run(100000)
        assert outlet.ring.cursors[0].number >= 75 and outlet.counted(h.SERVER_BEHIND) == 0, moved
        assert outlet.ring.cursors[0].limit >= limit
        outlet.store(1)
        outlet.until_stored(6)
        assert outlet.ids() == [1, 2, 3, 4, 5, 76]


def test_what_a_server_that_was_set_back_refuses_now_stops_nothing_where_the_log_has_no_room_for_it():
    outlet = Outlet(rewind=True, blocks=4)
    outlet.store(5)
    refuse(outlet, 4)
    outlet.until_stored(4)
    outlet.run(1000)
    take_away_toolsnet(outlet)
    while outlet.ring.has_room(ROOM_BYTES):
        outlet.store(1)
    last = outlet.next_id - 1
    outlet.archive.restore_backup(3)
    refuse(outlet, 2)
    outlet.ring.pressed = True
    while outlet.ring.can_write():  # what starts and connections write, until nothing finds room
        outlet.ring.save_cursors(outlet.ring.cursors[0].limit)
        outlet.cut()
        outlet.run(1000)
        outlet.ring.pressed = True
    outlet.network.up(*PIM)
    outlet.until_stored(last - 2, 3600000)
    outlet.run(1000)
    assert outlet.ids() == [1, 3] + numbers(5, last) and outlet.parked_numbers() == [4]
    assert outlet.counted(h.PARKED_FAILED) == 1 and outlet.ring.backlog(0) == 0


def test_parked_record_at_the_end_is_no_gap_at_the_server():
    outlet = Outlet(rewind=True)
    outlet.store(2)
    outlet.store_raw()
    outlet.until_stored(2)
    outlet.run(1000)
    for _ in range(3):
        outlet.network.cut(*SERVER)
        outlet.run(120000)
    assert outlet.parked_numbers() == [3], "it is parked once, not at every connect"
    assert outlet.counted(h.SERVER_BEHIND) == 0
    outlet.store(1)
    outlet.until_stored(3)
    assert outlet.ids() == [1, 2, 3] and outlet.archive.repeated == 0


def test_full_quarantine_keeps_what_is_set_aside_in_the_log_and_stops_nothing():
    outlet = Outlet(parked_blocks=2)
    for _ in range(12):
        outlet.store(1)
        outlet.store_raw(b"x" * 600)
    outlet.until_stored(12)
    outlet.run(1000)
    kept = outlet.quarantine.count()
    assert 0 < kept < 12 and outlet.ring.has_aside()
    assert outlet.ids() == numbers(1, 12) and outlet.ring.backlog(OUTLET) == 0
    assert outlet.counted(h.PARKED) == 12 and outlet.counted(h.PARKED_FAILED) == 1, "it is told once"
    assert outlet.parked_numbers() == numbers(1, 24)[1 : 2 * kept : 2], "the oldest ones"
    outlet.clean()


def empty_quarantine(outlet, cuts=False):
    """Drop what is kept, again and again until nothing waits in place; return (kind, main number) of all, in order."""
    seen = []
    for _ in range(100):
        kept = outlet.quarantine.numbers()
        for number in kept:
            kind = outlet.quarantine.find(number)
            walk = outlet.quarantine.ring.walk
            seen.append((kind, get_u32(walk.page, HEAD_BYTES + walk.length - PARKED_BYTES)))
        if not kept:
            break
        assert outlet.quarantine.drop(*kept)
        if cuts:
            outlet.cut()
        outlet.run(120000)
    assert not outlet.ring.has_aside()
    return seen


def test_room_in_the_quarantine_is_found_again_after_drops_and_after_a_cut():
    for cuts in (False, True):
        outlet = Outlet(parked_blocks=2)
        for _ in range(12):
            outlet.store_raw(b"x" * 600)
        outlet.run(1000)
        assert outlet.ring.has_aside()
        assert empty_quarantine(outlet, cuts) == [(KIND_RAW, n) for n in numbers(1, 12)], "each of them once"


def test_full_quarantine_keeps_a_refused_result_in_the_log_and_the_good_one_behind_arrives():
    outlet = Outlet(parked_blocks=2)
    for _ in range(30):
        outlet.store_raw(b"y" * 140)
    outlet.run(1000)
    assert outlet.ring.has_aside()
    outlet.store(4)
    refuse(outlet, 2)
    outlet.until_stored(3)
    outlet.run(1000)
    assert outlet.ids() == [1, 3, 4] and outlet.ring.backlog(OUTLET) == 0
    assert 32 not in outlet.parked_numbers(), "its turn comes behind those that wait in place"
    sent, refused = outlet.toolsnet.telegrams["04"], outlet.toolsnet.refused
    outlet.run(24 * 3600000)
    assert (outlet.toolsnet.telegrams["04"], outlet.toolsnet.refused) == (sent, refused), "nothing goes out for ever"
    seen = empty_quarantine(outlet)
    assert [number for _, number in seen] == numbers(1, 30) + [32]
    assert seen[-1][0] == KIND_RESULT


# -- where the server stands: every branch of DIGEST G.8


def test_virgin_spool_continues_behind_what_the_server_has():
    for reported, first in ((0, 1), (4711, 4712), (99998, 99999), (99999, 1)):
        outlet = Outlet({"reported_result": reported})
        outlet.run(1000)
        outlet.options.reported_result = None
        outlet.cut()
        outlet.options.reported_result = reported
        outlet.run(100)
        outlet.store(2)
        outlet.until_stored(2)
        assert outlet.archive.sequences() == [first, first % SEQUENCES + 1], reported


def test_number_learned_from_the_server_is_durable_before_the_first_result():
    outlet = Outlet({"reported_result": 4711})
    assert outlet.ring.begin_memory() >= 0 and outlet.ring.commit_memory() == 0  # a HEAD that knows of no number
    outlet.run(1000)
    outlet.options.reported_result = None
    outlet.options.drop_after_store.append(4714)
    outlet.store(3)
    outlet.until_stored(3)
    outlet.cut()  # without the number the third one would be sent again as another
    outlet.store(1)
    outlet.until_stored(4)
    assert outlet.archive.sequences() == [4712, 4713, 4714, 4715]
    assert outlet.ids() == [1, 2, 3, 4]


def test_empty_server_gets_what_is_not_sent_yet_by_default():
    outlet = Outlet()
    outlet.store(5)
    outlet.until_stored(5)
    outlet.run(100)
    outlet.archive.clear()
    outlet.network.cut(*SERVER)
    outlet.store(2)
    outlet.until_stored(2)
    outlet.run(1000)
    assert outlet.ids() == [6, 7] and outlet.counted(h.SERVER_EMPTY) == 1


def test_empty_server_gets_all_that_is_left_when_asked_for():
    outlet = Outlet(server_empty="resend")
    outlet.store(5)
    outlet.until_stored(5)
    outlet.run(100)
    outlet.archive.clear()
    outlet.network.cut(*SERVER)
    outlet.store(2)
    outlet.until_stored(7)
    assert outlet.ids() == numbers(1, 7)


def test_an_empty_server_gets_all_that_is_left_although_a_cut_comes_between():
    outlet = Outlet(server_empty="resend")
    outlet.store(40)
    outlet.until_stored(40)
    outlet.run(100)
    assert outlet.forward.outlet.save()
    outlet.archive.clear()
    outlet.network.cut(*SERVER)
    outlet.until_stored(10)
    outlet.cut()
    outlet.until_stored(40)
    assert outlet.ids() == numbers(1, 40) and outlet.archive.repeated == 0


def test_server_ahead_of_the_cursor_within_what_was_sent_only_lost_its_05():
    outlet = Outlet(cursor_batch=20)
    outlet.store(12)
    outlet.until_stored(9)
    outlet.cut()  # the durable cursor stands far behind
    assert outlet.ring.cursors[OUTLET].number < 9
    outlet.until_stored(12)
    outlet.run(100)
    assert outlet.ids() == numbers(1, 12)
    assert outlet.archive.repeated == 0 and outlet.counted(h.RESUMED) >= 1


def test_server_ahead_of_all_that_was_sent_skips_nothing():
    outlet = Outlet()
    outlet.run(1000)
    take_away_toolsnet(outlet)
    outlet.store(70)
    outlet.options.reported_result = 60
    outlet.network.up(*PIM)
    outlet.until_stored(70)
    assert outlet.ids() == numbers(1, 70)
    assert outlet.archive.sequences() == numbers(61, 130), "nothing new looks already stored"
    assert outlet.counted(h.RESUME_UNKNOWN) == 1


def test_server_behind_is_told_and_left_to_the_operator():
    outlet = Outlet()
    outlet.store(9)
    outlet.until_stored(9)
    outlet.run(100)
    outlet.archive.restore_backup(4)
    outlet.network.cut(*SERVER)
    outlet.store(1)
    outlet.until(lambda: 10 in outlet.ids())
    outlet.run(1000)
    assert outlet.ids() == [1, 2, 3, 4, 5, 10] and outlet.counted(h.SERVER_BEHIND) == 1


def test_server_behind_gets_the_missing_ones_again_when_asked_for():
    outlet = Outlet(rewind=True)
    outlet.store(40)
    outlet.until_stored(40)
    outlet.run(100)
    outlet.archive.restore_backup(25)
    outlet.network.cut(*SERVER)
    outlet.store(1)
    outlet.until_stored(41)
    outlet.run(1000)
    assert outlet.ids() == numbers(1, 41)


def test_what_is_set_aside_is_not_sent_again_to_a_server_that_was_set_back():
    for power_fails in (False, True):
        outlet = Outlet(rewind=True)
        outlet.store(7)
        refuse(outlet, 3)
        refuse(outlet, 5)
        outlet.until_stored(5)
        outlet.run(1000)
        assert outlet.parked_numbers() == [3, 5]
        outlet.options.tightening_codes.clear()  # it would take them now
        outlet.archive.restore_backup(4)  # it has the first one only
        outlet.network.cut(*SERVER)
        if power_fails:
            outlet.until_stored(3)
            outlet.cut()
        outlet.until_stored(5)
        outlet.run(1000)
        assert outlet.ids() == [1, 2, 4, 6, 7] and outlet.parked_numbers() == [3, 5]
        assert outlet.ring.cursors[0].delivered == 5 and outlet.ring.backlog(OUTLET) == 0
        outlet.network.cut(*SERVER)
        outlet.run(1000)
        assert outlet.archive.repeated == 0


def test_server_of_another_history_gets_numbers_behind_its_own():
    outlet = Outlet()
    outlet.store(6)
    outlet.until_stored(6)
    outlet.run(100)
    outlet.archive.clear()
    outlet.options.reported_result = 30000
    outlet.network.cut(*SERVER)
    outlet.run(1000)
    outlet.options.reported_result = None
    outlet.store(2)
    outlet.until_stored(2)
    assert outlet.archive.sequences() == [30001, 30002] and outlet.counted(h.RESUME_UNKNOWN) == 1
    outlet.cut()
    outlet.store(1)
    outlet.until_stored(3)
    assert outlet.archive.sequences() == [30001, 30002, 30003], "the base is durable"
    assert outlet.ids() == [7, 8, 9]


def test_server_of_an_older_history_keeps_our_numbers():
    outlet = Outlet({"reported_result": 90000})
    outlet.run(1000)
    outlet.store(3)
    outlet.until_stored(3)
    outlet.options.reported_result = 60000
    outlet.network.cut(*SERVER)
    outlet.run(1000)
    outlet.store(1)
    outlet.until_stored(4)
    assert outlet.archive.sequences()[-1] == 90004 and outlet.counted(h.RESUME_UNKNOWN) == 1


def test_numbers_wrap_over_99999_and_are_never_0():
    outlet = Outlet({"reported_result": 99990})
    outlet.run(1000)
    outlet.options.reported_result = None
    outlet.store(5)
    outlet.until_stored(5)
    dice = Dice(3)
    for _ in range(6):
        outlet.cut()
        outlet.store(1 + dice.randrange(4))
        outlet.until_stored(outlet.next_id - 1)
        outlet.run(10)
    count = outlet.next_id - 1
    assert count > 12
    assert outlet.ids() == numbers(1, count)
    assert outlet.archive.sequences() == [(99990 + n) % SEQUENCES + 1 for n in range(count)]
    assert 0 not in outlet.archive.sequences() and outlet.archive.repeated == 0


# -- the independent model of G.8, with random cuts


class Model:
    """DIGEST G.8 word by word, over plain numbers; `sent` is the highest number that was transmitted."""

    def __init__(self, base, met=True):
        self.base = base
        self.met = met

    def wire(self, number):
        return (number + self.base - 1) % 99999 + 1

    def start_of(self, stored, newest, acked, sent, rewind, resend):
        """Return (number to begin with, base) after an 08 that names `stored`."""
        if not self.met:
            return acked + 1, (stored - acked) % 99999
        if stored == 0:
            return (1 if resend else acked + 1), self.base
        k = (self.wire(newest) - stored) % 99999
        c = newest - k
        if c == acked:
            return acked + 1, self.base
        if acked < c <= sent:
            return c + 1, self.base
        if 0 <= c < acked:
            return (c + 1 if rewind else acked + 1), self.base
        base = self.base  # another history, or what was never sent: nothing is skipped, and nothing looks stored
        if (self.wire(acked + 1) - stored - 1) % 99999 >= 50000:
            base = (base + (stored + 1 - self.wire(acked + 1))) % 99999
        return acked + 1, base


def base_of(outlet):
    memory = outlet.ring.memory
    return memory[BASE] | memory[BASE + 1] << 8 | memory[BASE + 2] << 16


def test_resume_agrees_with_the_model_for_any_number_the_server_may_name():
    dice = Dice(11)
    cases = [0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 50, 49999, 50000, 50001, 99994, 99998, 99999]
    for rewind, resend in ((False, False), (True, False), (False, True)):
        for start in (0, 99994):
            outlet = Outlet(
                {"reported_result": start}, rewind=rewind, server_empty="resend" if resend else "continue", blocks=48
            )
            outlet.run(1000)
            outlet.options.reported_result = None
            outlet.store(8)
            outlet.until_stored(8)
            outlet.run(100)
            take_away_toolsnet(outlet)
            outlet.store(5)
            outlet.run(100)
            cursor = outlet.ring.cursors[OUTLET]
            assert cursor.number == 8 and base_of(outlet) == start
            kept = (cursor.number, cursor.seq, cursor.block, cursor.offset, cursor.delivered)
            memory = bytes(outlet.ring.memory)
            for sent, met in ((8, True), (11, True), (13, True), (8, False)):
                for stored in cases + [dice.randrange(100000) for _ in range(6)]:
                    if not met:
                        outlet.ring.memory[OUTLET_FLAGS] = 0
                    outlet.forward.outlet.may_have = sent
                    expected = Model(start, met).start_of(stored, 13, 8, sent, rewind, resend)
                    assert outlet.forward.outlet.resume(stored, outlet.clock.now)
                    assert outlet.ring.peek(OUTLET) == KIND_RESULT or expected[0] == 14, stored
                    first = cursor.peek_number if expected[0] <= 13 else cursor.number + 1
                    assert (first, base_of(outlet)) == expected, (rewind, resend, start, sent, met, stored)
                    assert outlet.ring.memory[OUTLET_FLAGS] == FLAG_MET
                    assert outlet.forward.outlet.may_have == cursor.number
                    cursor.number, cursor.seq, cursor.block, cursor.offset, cursor.delivered = kept
                    outlet.ring.memory[:] = memory


def cut_scenario(cut_at, acks_lost=()):
    """Run eight results through with a power cut after step `cut_at`; return the outlet and the steps it took."""
    outlet = Outlet({"lost_acks": list(acks_lost)}, cursor_batch=3)
    steps = 0
    stored = 0
    while stored < 8 or outlet.ring.backlog(OUTLET):
        if stored < 8 and outlet.clock.total_ms >= stored * 40:
            outlet.store(1)
            stored += 1
        left = outlet.step()
        steps += 1
        if steps == cut_at:
            outlet.cut()
            left = 0
        assert steps < 5000
        if left > 0:
            outlet.clock.advance(min(left, 40) if stored < 8 else left)
    return outlet, steps


def test_cut_at_every_step_repeats_at_most_one_and_loses_and_disorders_nothing():
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
        outlet = Outlet(blocks=6, parked_blocks=2, cursor_batch=1 + dice.randrange(12))
        outlet.network.defaults.random_splits = True
        cuts = 0
        while outlet.archive.stored < 60:
            if outlet.next_id <= 60 and outlet.ring.backlog(OUTLET) < 8:
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


def test_waiting_time_of_a_refusal_that_ends_without_a_connection_does_not_spin():
    outlet = Outlet({"code_all": 7})
    outlet.store(2)
    outlet.until_refused(1)
    take_away_toolsnet(outlet)
    steps = outlet.steps
    outlet.run(300000)
    assert outlet.steps - steps < 60, "it wakes for nothing"


def test_host_of_the_08_is_used_and_a_different_one_is_told():
    outlet = Outlet()
    outlet.store(1)
    outlet.until_stored(1)
    assert outlet.counted(h.OTHER_HOST) == 1


def test_blank_and_zero_host_mean_the_pims_own():
    for name in ("", "0.0.0.0", "\x00\x00"):
        outlet = Outlet({"server_host": name})
        outlet.network.listen(PIM[0], SERVER[1], outlet.toolsnet.server_endpoint)
        outlet.store(1)
        outlet.until_stored(1)
        assert outlet.counted(h.OTHER_HOST) == 0


def test_a_server_that_is_none_of_those_allowed_is_not_connected_to():
    outlet = Outlet(allow_hosts=["192.0.2.8", "tn.plant"])
    outlet.store(1)
    outlet.run(200000)
    assert outlet.counted(h.HOST_REFUSED) >= 2  # the PIM is asked again: somebody may have set it right
    assert outlet.archive.stored == 0
    assert outlet.forward.trouble.why == NOT_ALLOWED
    for name in (SERVER[0], "tn.plant"):
        outlet = Outlet({"server_host": name}, allow_hosts=["tn.plant", SERVER[0]])
        outlet.network.listen(name, SERVER[1], outlet.toolsnet.server_endpoint)
        outlet.store(1)
        outlet.until_stored(1)
        assert outlet.counted(h.HOST_REFUSED) == 0


def test_the_pims_own_host_needs_no_permission():
    outlet = Outlet({"server_host": ""}, allow_hosts=["tn.plant"])
    outlet.network.listen(PIM[0], SERVER[1], outlet.toolsnet.server_endpoint)
    outlet.store(1)
    outlet.until_stored(1)


def test_overridden_host_wins_over_the_08():
    outlet = Outlet({"server_host": "203.0.113.9"}, host_override="tn")
    outlet.store(1)
    outlet.until_stored(1)


def test_port_0_means_the_pims_own():
    outlet = Outlet({"server_port": 0, "server_host": "other"})
    outlet.network.listen("other", PIM[1], outlet.toolsnet.server_endpoint)
    outlet.store(1)
    outlet.until_stored(1)


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
    outlet = Outlet(cursor_batch=100)
    outlet.store(7)
    outlet.until_stored(7)
    outlet.run(100)
    outlet.forward.stop()
    outlet.network.step()
    assert not outlet.toolsnet.server_sessions
    outlet.start()
    assert outlet.ring.cursors[OUTLET].number == 7


def test_recovery_from_a_fault_begins_at_the_pim_again():
    outlet = Outlet()
    outlet.store(3)
    outlet.until_stored(1)
    outlet.forward.recover(outlet.clock.now)
    outlet.until_stored(3)
    assert outlet.ids() == [1, 2, 3] and outlet.counted(h.FAULTS) == 1


def test_what_is_parked_through_several_blocks_is_what_lay_in_the_log():
    # The two rings share a page: finding room in the parking area reads its blocks.
    outlet = Outlet(parked_blocks=12)
    frames = []
    for number in range(60):
        frames.append(b"%03d cannot be read " % number + b"abcdefgh"[number % 8 : number % 8 + 1] * (number * 7 % 500))
        outlet.store_raw(frames[-1])
    outlet.run(5000)
    parked = outlet.parked_records()
    assert [record[1] for record in parked] == list(range(1, 61))
    assert [bytes(record[3][4:]) for record in parked] == frames
    assert outlet.parked.block_no > 3


def test_network_that_comes_up_is_used_at_once_but_a_server_is_not_knocked_at_sooner():
    outlet = Outlet()
    take_away_toolsnet(outlet)
    outlet.store(1)
    outlet.run(5000)
    outlet.network.up(*PIM)
    outlet.forward.hurry(outlet.clock.now)
    assert outlet.until_stored(1) <= 1000
    # Reached, and lost without a single 05: the pause of 60 s is the server's due, whatever the network does.
    outlet.network.down(*SERVER)
    outlet.network.cut(*SERVER)
    outlet.run(2000)
    attempts = outlet.toolsnet.pim_connections
    for _ in range(5):
        outlet.forward.hurry(outlet.clock.now)
        outlet.run(1000)
    assert outlet.toolsnet.pim_connections <= attempts + 1


# -- a server next door


class NextDoor(SimPort):
    """A port whose connections are open before `open` has returned, as on one machine."""

    def open(self, host, number):
        SimPort.open(self, host, number)
        self._network.step()
        assert self.state() != PORT_OPENING


def test_port_that_is_open_at_once_needs_no_time_out_for_the_first_result():
    outlet = Outlet(make_port=NextDoor)
    outlet.store(2)
    for _ in range(20):
        outlet.step()
    assert outlet.clock.total_ms == 0 and outlet.ids() == [1, 2], outlet.toolsnet.telegrams
    outlet.clean()


def test_port_that_is_open_at_once_brings_the_first_keep_alive_when_it_is_due():
    outlet = Outlet(make_port=NextDoor)
    outlet.run(29999)
    assert outlet.toolsnet.telegrams == {"05": 1, "07": 1}
    outlet.run(1)
    assert outlet.toolsnet.telegrams == {"05": 1, "07": 1, "06": 1}
    outlet.clean()


def test_step_that_opens_a_server_next_door_needs_nobody_to_wake_it():
    outlet = Outlet(make_port=NextDoor)
    while outlet.session.state != STREAMING:
        left = outlet.forward.step(outlet.clock.now)
        outlet.network.step()
        assert left == 0 or outlet.network.readable() or outlet.session.state == STREAMING, left
    assert outlet.session.can_send() and 0 < left <= 30000


def test_result_overwritten_when_the_log_was_told_that_it_may_go_out_is_not_another_one():
    """The record that says so may need the next block, where the result lies."""
    outlet = Outlet(cursor_batch=8)
    outlet.store(40)
    ring, position = outlet.ring, outlet.forward.outlet
    allow = position.allow

    def overwriting(number):
        done = allow(number)
        if number == 9:
            assert ring._drop_block(ring.cursors[OUTLET]) and ring.peek(OUTLET) > 0 and ring.overwritten
        return done

    position.allow = overwriting
    outlet.until_passed()
    assert outlet.ids() == numbers(1, 8) + numbers(9 + ring.overwritten, 40)
    assert outlet.archive.sequences() == outlet.ids()
