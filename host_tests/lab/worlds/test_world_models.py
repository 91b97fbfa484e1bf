"""The models of the worlds against their own rules: flash and file, controllers, server, what a world sees of a log."""

import itertools
import json
import random
from types import SimpleNamespace

import pytest

from toolcart.sim.controller_frames import start_data
from host_tests.lab.worlds.test_judge import result
from host_tests.lab.worlds.test_worlds import plain
from lab.worlds.controller import ABOVE, BELOW, SAME
from lab.worlds.controller_session import Session
from lab.worlds.file_flash import FileFlash
from lab.worlds.flash import BLOCK_BYTES, DONE, REFUSED, NorFlash
from lab.worlds.frames import Identity, fetched, pushed
from lab.worlds.history import UNREADABLE, SessionQueries, StoredTelegram
from lab.worlds.power import Fuse, PowerCut
from lab.worlds.script import draw, filled
from lab.worlds.spindles import PowerMacsSession
from lab.worlds.telegrams import ResultTelegram
from lab.worlds.toolsnet import SILENCE, ServerPeer
from lab.worlds.world import World


def a_world():
    return World(filled(plain()))


def its_parts():
    """A world, its station's history, the station's flash, and the first block of its log."""
    world = a_world()
    return world, world.history.stations[1], world.device(1), world.log_begins(1)


# -- the flash -----------------------------------------------------------------------------------------------------


def flash(unit=16, dice=3, model=NorFlash):
    return model(unit, 6, random.Random(dice), Fuse())


def torn(device, octets=64):
    """A program of so many octets at 0 that is cut."""
    device.fuse.arm(1, "flash")
    with pytest.raises(PowerCut):
        device.program(0, b"b" * octets, octets)


def looks(device, n=64):
    seen = bytearray(n)
    assert device.read_into(0, seen, n) == DONE
    return {b"b" * n: "whole", b"\xff" * n: "erased"}.get(bytes(seen), "torn")


def test_a_flash_objects_to_a_unit_that_is_programmed_twice():
    device = flash()
    assert device.program(32, b"a" * 16, 16) == DONE and device.misuse == []
    device.program(32, b"b" * 16, 16)
    assert device.misuse == ["unit 2 programmed a second time"]
    device.erase(0)
    device.program(32, b"b" * 16, 16)
    assert device.program(40, b"b" * 16, 16) == REFUSED
    assert len(device.misuse) == 2


def test_flash_objects_to_torn_unit_that_is_programmed_however_blank_it_reads():
    device = flash()
    device._tear = lambda first, content: (device.weak.update({first: content}), device.units.__setitem__(first, 2))
    torn(device, 16)
    assert looks(device, 16) == "erased"
    device.program(0, b"b" * 16, 16)
    assert device.misuse == ["unit 0 programmed though it is torn"]


def test_a_cut_leaves_other_units_alone_and_what_is_done_stays():
    for dice in range(1, 40):
        device = flash(dice=dice)
        device.program(128, b"a" * 16, 16)
        torn(device)
        for _ in range(5):
            device.power_on()
            seen = bytearray(192)
            device.read_into(0, seen, 192)
            assert seen[128:144] == b"a" * 16 and seen[64:128] == seen[144:] + b"\xff" * 16


@pytest.mark.parametrize("unit", [1, 4, 16, 64, 256])
def test_a_torn_head_reads_well_and_vanishes_in_all_units(unit):
    seen = set()
    for dice in range(120):
        device = flash(unit, dice)
        torn(device, 512)
        device.flickering.clear()
        reads = [looks(device, 512) for _ in range(12)]
        device.power_on()
        seen.update(itertools.pairwise(reads))
        seen.add((reads[-1], "start", looks(device, 512)))
    assert ("whole", "erased") in seen and ("erased", "whole") in seen
    assert ("whole", "start", "erased") in seen and ("erased", "start", "whole") in seen


def test_a_torn_erase_reads_as_erased_and_has_its_content_again():
    seen = set()
    for dice in range(60):
        device = flash(dice=dice)
        device.program(0, b"b" * 64, 64)
        device.fuse.arm(1, "flash")
        with pytest.raises(PowerCut):
            device.erase(0)
        before = looks(device)
        device.power_on()
        seen.add((before, looks(device)))
    assert ("erased", "whole") in seen and ("whole", "erased") in seen


def test_clone_knows_what_flash_looks_like_and_does_not_change_with_it():
    device = flash(dice=8)
    torn(device)
    copy = device.clone()
    assert copy.cells == device.cells and copy.weak == device.weak
    before = bytes(copy.cells)
    for _ in range(12):
        looks(copy)
    assert bytes(copy.cells) == before or copy.flickering


def test_a_device_refuses_so_many_operations_and_reads_and_counts_them():
    device = flash()
    device.refusals_left, device.unreadable_left = 1, 1
    assert device.program(0, b"b" * 16, 16) == REFUSED and device.read_into(0, bytearray(16), 16) == REFUSED
    assert device.erase(0) == DONE and looks(device) == "erased" and device.faults == 2


# -- the file ------------------------------------------------------------------------------------------------------


def test_a_file_loses_what_was_not_synced_and_keeps_what_was():
    seen = set()
    for dice in range(40):
        device = flash(dice=dice, model=FileFlash)
        assert device.program(0, b"b" * 64, 64) == DONE
        device.erase(0)
        assert looks(device) == "erased", "the cache shows it"
        device.power_on()
        seen.add(looks(device))
        device = flash(dice=dice, model=FileFlash)
        device.erase(0)
        assert device.program(0, b"b" * 64, 64) == DONE
        device.power_on()
        assert looks(device) == "whole"
    assert seen == {"whole", "erased"}


def test_what_a_failed_sync_marked_clean_is_gone_after_a_cut():
    seen = set()
    for dice in range(60):
        device = flash(dice=dice, model=FileFlash)
        device.refusals_left = 1
        answer = device.program(0, b"b" * 64, 64)
        before = looks(device)
        assert answer == REFUSED and device.program(BLOCK_BYTES, b"c" * 64, 64) == DONE, "a later sync does not help"
        device.power_on()
        seen.add((before, looks(device)))
    assert ("whole", "erased") in seen and ("whole", "whole") in seen


def test_a_cut_writes_sectors_in_any_order():
    seen = set()
    for dice in range(80):
        device = flash(dice=dice, model=FileFlash)
        torn(device, 1536)
        device.power_on()
        seen.add(tuple(device.cells[at] == ord("b") for at in (0, 512, 1024)))
    assert len(seen) == 8


# -- the controller ------------------------------------------------------------------------------------------------


def test_the_controllers_messages_have_the_lengths_of_the_document():
    one = result(1)
    lengths = {revision: 20 + len(pushed(one, revision)) for revision in (999, 1, 2, 3)}
    assert lengths == {999: 121, 1: 231, 2: 385, 3: 419}
    for pad in ("", "left", "right"):
        lengths = {revision: 20 + len(fetched(one, revision, pad)) for revision in (1, 2, 7)}
        assert lengths == {1: 118, 2: 226, 7: 379}
    assert [20 + len(start_data(Identity("C1"), revision)) for revision in range(1, 7)] == [57, 62, 125, 163, 173, 221]


def test_an_old_result_may_have_its_id_padded_on_either_side():
    ids = [fetched(result(42), 1, pad)[2:12] for pad in ("", "left", "right")]
    assert ids == [b"0000000042", b"        42", b"42        "]


def test_the_id_after_a_wrap_keeps_its_0_however_it_is_padded():
    [controller] = a_world().controllers
    controller.traits.update(shares_ids=True, wraps_to=0)
    controller.next_id = 4294967295
    first = made(controller, 2)
    ids = [fetched(first, 7, pad)[2:12] for pad in ("", "left", "right")]
    assert ids == [b"0000000000", b"         0", b"0         "]
    assert controller.old(5) is first  # the newest at or below it
    controller.memory.pop(0)
    assert controller.old(5) is None


def made(controller, count=1):
    for _ in range(count):
        controller.make()
    return controller.newest


def test_a_controller_keeps_as_many_as_its_traits_say():
    [controller] = a_world().controllers
    controller.traits["memory"] = 1
    made(controller, 3)
    assert [key for key in range(9) if controller.old(key)] == [0, 3]


def test_the_clock_of_a_controller_is_set_back_and_forth():
    [controller] = a_world().controllers
    stamps = []
    for seconds in (0, -3600, 7200):
        controller.clock_s += seconds
        stamps.append(made(controller).stamp[8:12])
    assert stamps == ["0600", "0500", "0700"]


def test_a_count_begins_afresh_below_at_or_above_what_it_was():
    [controller] = a_world().controllers
    made(controller, 10)
    for begins, key in ((SAME, 11), (BELOW, 8), (ABOVE, 12), ("low", 1)):
        controller.reset(begins)
        assert int(made(controller).id_text) == key and controller.old(9) is None
    assert controller.count == 4 and controller.newest.count == 4
    made(controller, 4)
    controller.reset(keeps=True, breaks=False)
    kept, newest = controller.old(5), made(controller)
    assert kept.count == 4 and newest.count == 5 and controller.old(1) is controller.old(0) is newest


def test_an_id_that_goes_to_another_spindle_is_another():
    [controller] = a_world().controllers
    made(controller, 6)
    kept = list(controller.memory)
    controller.reset(keeps=True)
    controller.skip_ids(3)
    assert list(controller.memory) == kept[3:] and controller.old(kept[1]) is None


def test_a_good_one_ends_bad_ones_before_they_fill_a_log():
    [controller] = a_world().controllers
    controller.traits["row_most"] = 3
    controller.refuse_content_left = 9
    made(controller, 5)
    results = controller.history.results
    assert [bool(results[number].content_refusal) for number in range(1, 6)] == [True, True, True, False, True]


def test_question_that_brings_result_for_the_first_time_is_no_late_one():
    queries = SessionQueries(0)
    history = SimpleNamespace(sessions=[queries])
    controller = SimpleNamespace(time=SimpleNamespace(now=500), deaf_until=0, reject_until=0, history=history, used=7)
    session = SimpleNamespace(controller=controller)
    new = result(1)
    assert not Session._is_hindered(session, b"0064", new) and (queries.asked, queries.last) == (1, -1)
    new.asked_for.append(500)
    for again in (new, None):
        controller.time.now += 100
        assert not Session._is_hindered(session, b"0064", again) and queries.last == controller.time.now
    assert queries.asked == 3
    assert not Session._is_hindered(session, b"0064", result(2)) and queries.last == -1  # the others led to this one


# -- ToolsNet ------------------------------------------------------------------------------------------------------


def offer(world, one, sequence=1):
    telegram = ResultTelegram("00001", 1, one.stamp, sequence, one.vin, [("0001", "000", one.torque, one.angle)])
    return world.toolsnet.take(telegram)[0]


def test_a_server_refuses_or_is_silent_by_content_and_notes_offers():
    world = a_world()
    results = world.history.stations[1].results
    results.update({1: result(1, content_refusal="refuses"), 2: result(2, content_refusal="silent"), 3: result(3)})
    assert [offer(world, results[number], number) for number in (1, 2, 3)] == [1, SILENCE, 0]
    assert [bool(results[number].tried) for number in (1, 2, 3)] == [True, True, False]
    world.toolsnet.refuses_all_until, world.toolsnet.refusal_code = 10, SILENCE
    results[4] = result(4)
    assert offer(world, results[4], 4) == SILENCE and results[4].tried


def test_an_08_names_the_newest_row_or_the_highest():
    world = a_world()
    for number, sequence in ((1, 99998), (2, 2), (3, 99999)):
        world.history.stations[1].results[number] = result(number)
        offer(world, result(number), sequence)
    assert world.toolsnet.latest(1) == 99999
    world.toolsnet.traits["names"] = "highest"
    assert world.toolsnet.latest(1) == 2


def test_an_08_vouches_for_the_row_that_it_names():
    """A lie was believed, and what was stored since lies below the highest: no agent can know of it."""
    world = a_world()
    station = world.history.stations[1]
    world.toolsnet.traits["names"] = "highest"
    for number, sequence in ((1, 81721), (2, 81722), (3, 61235), (4, 61236)):
        station.results[number] = result(number)
        offer(world, result(number), sequence)
    text, read = world.toolsnet.information(1)
    read()
    assert text == "81722"
    assert [row.vouched for row in station.rows] == [True, True, False, False] and len(station.lies) == 1


def test_a_refused_one_that_holds_up_a_good_one_is_measured():
    for disturbed, pim, counted in ((False, "up", 1), (True, "up", 0), (False, "refusing", 0)):
        world = a_world()
        station = world.history.stations[1]
        station.results.update({1: result(1, content_refusal="refuses"), 2: result(2)})
        world.time.now, world.began, world.agent = 30000, 0, object()
        world.check_operator_claim = lambda number: False
        world.toolsnet.pim.state = pim
        offer(world, station.results[1])
        if disturbed:
            world.toolsnet.disturbed()
        world.time.now = 90000
        offer(world, station.results[2], 2)
        assert len([one for one in station.held_up if one.until - one.since > 50000]) == counted


def test_refusal_holds_nothing_up_on_a_connection_that_waits_for_an_answer():
    for owes in (False, True):
        world = a_world()
        station = world.history.stations[1]
        station.results.update({1: result(1, content_refusal="refuses"), 2: result(2)})
        world.time.now, world.began, world.agent = 30000, 0, object()
        peer = SimpleNamespace(unanswered=[result(2)] if owes else [])
        one = station.results[1]
        telegram = ResultTelegram("00001", 1, one.stamp, 1, one.vin, [("0001", "000", one.torque, one.angle)])
        world.toolsnet.take(telegram, peer)
        assert (world.toolsnet.passing[1].began is None) == owes


def test_connection_that_ends_with_a_keepalive_without_an_answer_is_not_well():
    for answered in (True, False):
        world = a_world()
        world.toolsnet.traits["keepalive_answered"] = answered
        peer = ServerPeer(world.toolsnet, SimpleNamespace(send=lambda octets, on_read=None: None, close=lambda: None))
        world.time.now = 50000
        peer.telegram(b"0600001")
        assert world.toolsnet.quiet_since(1) < 50000
        world.time.now = 60000
        peer.lost()
        assert (world.toolsnet.quiet_since(1) == 60000) == (not answered)


def test_a_powermacs_hides_only_what_the_agent_cannot_know_of():
    world = a_world()
    controller = world.controllers[0]
    session = PowerMacsSession(controller, SimpleNamespace(receive=None))
    held = [result(number) for number in (1, 2, 3)]
    for one, text in zip(held, (b"4294967295", b"0000000000", b"0000000001"), strict=True):
        one.id_text, one.pushes, one.acks = text.decode(), [], []
        controller.memory[int(text)] = one
    assert session._old_ones(4, b"00000000000") == held
    world.began = 500
    held[0].pushes = [499]  # to an agent that has lost its power since
    assert session._old_ones(4, b"00000000010") == [] and [one.hidden for one in held] == [True, True, True]
    for one, pushes in zip(held, ([499], [501], []), strict=True):
        one.hidden, one.pushes = False, pushes
    assert session._old_ones(4, b"00000000010") == [] and [one.hidden for one in held] == [True, False, True]
    held[1].frame = UNREADABLE
    assert session._old_ones(4, b"00000000010") == [] and held[1].hidden, "its number says nothing to anybody"


# -- the log, as the world sees it -----------------------------------------------------------------------------------


def lies_at(device, address, number, octets=64):
    """Put the result of this number on the flash."""
    device.program(address, b"W1N%06d" % number + b" " * (octets - 9), octets)


def fill_blocks(station, device, blocks):
    """Put twenty results into each block; yield each with its number."""
    for index, block in enumerate(blocks):
        for place in range(20):
            number = 20 * index + place + 1
            station.results[number] = result(number)
            yield number, station.results[number]
            lies_at(device, block * BLOCK_BYTES + 192 * place, number)


def test_what_is_overwritten_is_counted_by_the_blocks_that_are_erased():
    world, station, device, first = its_parts()
    list(fill_blocks(station, device, range(first, device.block_count)))
    assert world.is_full(1) and world.stands_in_log(1, "W1N000001")
    device.erase(first)
    gone = [number for number, one in station.results.items() if one.gone is not None]
    assert gone == list(range(1, 21)) and station.results[1].gone_full and not world.stands_in_log(1, "W1N000001")
    for block in (1, 2, 3):
        device.erase(first + block)
    assert not world.is_full(1) and not station.results[61].gone_full
    lies_at(device, first * BLOCK_BYTES, 1)
    device.worn.add(first)
    assert world.stands_in_log(1, "W1N000001") and device.erase(first) and not world.stands_in_log(1, "W1N000001")


def test_a_block_begun_in_a_full_log_costs_the_oldest():
    _, station, device, first = its_parts()
    for number, one in fill_blocks(station, device, range(first, device.block_count - 1)):
        # As the newest is, which answers ID 0 before anything that is missing is asked for.
        one.fetches = [1000 - number]
    device.program((device.block_count - 1) * BLOCK_BYTES, b"\xff" * 64, 64)
    assert [number for number, one in station.results.items() if one.gone_full] == list(range(1, 21))


def test_a_worn_block_that_was_to_be_erased_is_given_up_once():
    world, station, device, first = its_parts()
    station.results[1] = result(1)
    lies_at(device, first * BLOCK_BYTES, 1)
    device.worn.add(first)
    for moment in (10, 20):
        world.time.now = moment
        device.erase(first)
        assert station.results[1].gone == 10
    assert first not in world._nowhere_else(1)


def test_a_block_whose_erase_is_refused_counts_after_a_start_alone():
    world, _, device, first = its_parts()
    device.chance = random.Random(0)
    lies_at(device, first * BLOCK_BYTES, 1)
    assert world.stands_in_log(1, "W1N000001")
    device.refusals_left = 1
    assert device.erase(first) and not world.stands_in_log(1, "W1N000001")
    device.power_on()
    assert world.stands_in_log(1, "W1N000001")
    assert device.erase(first) == 0 and not world.stands_in_log(1, "W1N000001")


def test_what_a_cut_left_of_a_copy_is_no_copy():
    for dice in range(20):
        world, station, device, first = its_parts()
        device.chance = random.Random(dice)
        station.results[1], station.results[2] = result(1), result(2)
        for number in (1, 2):
            lies_at(device, first * BLOCK_BYTES + 192 * number, number, 192)
        lies_at(device, (first - 1) * BLOCK_BYTES, 2, 192)
        device.fuse.arm(1, "flash")
        with pytest.raises(PowerCut):
            lies_at(device, (first - 1) * BLOCK_BYTES + 192, 1, 192)
        assert world.waiting_in(1)[first] == {1}
        device.erase(first - 1)
        assert world.waiting_in(1)[first] == {1, 2}


def _is_full_of(fronts):
    """Whether a log is full all but two blocks of which hold ten long records each, with these octets in front."""
    world, station, device, first = its_parts()
    fronts = iter(fronts)
    for block in range(first, device.block_count - 2):
        for place in range(10):
            number, front = next(fronts)
            station.results[number] = result(number)
            record = (front + station.results[number].vin.encode()).ljust(384, b"#")
            device.program(block * BLOCK_BYTES + 384 * place, record, 384)
    return world.is_full(1)


def test_a_frame_fills_a_log_pushed_and_fetched_not_by_a_copy():
    pushed_and_fetched = ((1 + index // 2, b"0061----" if index % 2 else b"0065----") for index in itertools.count())
    assert _is_full_of(pushed_and_fetched)
    assert not _is_full_of((1 + index % 10, b"0061----") for index in itertools.count()), "each block the same ten"


def test_a_log_is_full_of_what_waits_once_more():
    world, station, device, first = its_parts()
    for number, _ in fill_blocks(station, device, range(first, device.block_count)):
        station.rows.append(StoredTelegram(1, 100, number, number, vouched=True))
    assert not world.is_full(1)
    for one in station.results.values():
        one.again.append(200)
    assert world.is_full(1)
    station.rows += [StoredTelegram(1, 300, number, number, vouched=True) for number in station.results]
    assert not world.is_full(1)


def test_a_passed_block_that_waits_once_more_fills_a_log():
    for forgotten in (None, 150):
        world, station, device, first = its_parts()
        station.rules.rewind = True
        for block in range(first, device.block_count):
            number = block + 1
            station.results[number] = result(number)
            if forgotten:
                row = StoredTelegram(1, 100, number, number, vouched=True)
                row.forgotten = forgotten
                station.rows.append(row)
            lies_at(device, block * BLOCK_BYTES, number)
        assert world.is_full(1) == (forgotten is not None)


def test_a_block_of_which_there_is_a_copy_takes_nothing_with_it():
    _, station, device, first = its_parts()
    station.results[1] = result(1)
    for block in (first, first + 1):
        lies_at(device, block * BLOCK_BYTES, 1)
    device.erase(first)
    assert station.results[1].gone is None


def test_scripts_of_every_shape_and_profile_are_drawn_and_survive_json():
    shapes, profiles = set(), set()
    for seed in range(1, 200):
        script = draw(seed)
        assert json.loads(json.dumps(script)) == script
        shapes.add(script["shape"])
        profiles.update(station["controller"].get("profile", "") for station in script["stations"])
    assert len(shapes) == 6 and len(profiles) == 13
