"""A spool is moved into a new file: nothing that it held is lost, ToolsNet sees no seam, the old one stays as it is."""

import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from toolcart.agent.cart.outlet_places import RETURNED, STAYED, OutletPlaces
from toolcart.agent.cart.status import snapshot
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.quarantine.orders import carry_out
from toolcart.board.linux.spool_header import PAGE_BYTES
from toolcart.board.ram_flash import RamFlash
from toolcart.spool.offline_spool import begun, each, opened
from toolcart.tools.spool import take_over
from toolcart.tools.spool.take_over import Plan
from toolcart.tools.spool.waiting import Waiting
from toolcart.toolsnet.records import tightening_id_of
from host_tests.agent.cart.test_outlet_places import MQTT, TOOLSNET, Cart, lose_a_block
from host_tests.portable import LONG
from host_tests.support.combinations import all_pairs, each_choice
from host_tests.support.log import Area, store, take
from host_tests.support.mqtt import MqttBench
from host_tests.support.quarantine import numbers_of
from host_tests.support.running import toolcart
from host_tests.support.toolsnet import NUMBER, Outlet
from host_tests.support.webhook import WebhookBench
from lab.harness.cart import PIM
from lab.harness.cart import Cart as HarnessCart

ASIDE = Path(__file__).parents[2] / "data/aside.spool.xz"  # station 10: 4 results wait, 92 are set aside
PLAN = Plan(512 * 1024, 64 * 1024)


def moved(station, plan=PLAN):
    """What the flash of a station's outlet becomes."""
    return take_over.make(take_over.start(bytes(station.flash.cells)), plan, 4711)


class Moved(Outlet):
    """The same station, clock and server, on the area that was made of another outlet's."""

    def __init__(self, before, made):
        Outlet.__init__(self)
        self.clock, self.network, self.toolsnet = before.clock, before.network, before.toolsnet
        self.archive, self.next_id = before.archive, before.next_id
        self.area = Area(kept_blocks=opened(made.device).kept.device.block_count, flash=made.device)
        self.flash = made.device
        self.start()


def left_with(delivered, waiting, **options):
    """An outlet that has delivered so many results; nobody steps while those that wait are stored."""
    station = Outlet(**options)
    station.store(delivered)
    station.run(max(60000, delivered * 1200))
    station.network.abandon(station.port)
    station.store(waiting)
    return station


def curve_cart(kib, flash=None):
    """A cart whose controller gives curves, which are asked for if there are `kib` for them; with this flash."""
    spool = {"size_kib": 256, "parked_kib": 32, "graphs_kib": kib}
    settings = {"controller": {"traces": ["torque"] if kib else None}, "spool": spool}
    cart = HarnessCart(controller={"traces": (2,), "max_clients": 9}, settings=settings, blocks=60, on=False)
    if flash is not None:
        cart.flashes["spool0"] = flash
    cart.boot()
    cart.run(3000)
    return cart


@pytest.mark.parametrize(
    ("had_kib", "ordered", "has_kib"),
    [(0, 64, 64), (0, None, 0), (64, None, 64), (64, 0, 0), (144, None, 128), (0, 1, 16)],
)
def test_a_new_spool_has_the_room_for_curves_that_is_ordered_or_was_there(had_kib, ordered, has_kib):
    cart = curve_cart(had_kib)
    cart.network.down(*PIM)
    cart.toolsnet.drop()
    cart.produce(5, 1000)
    plan = Plan(256 * 1024, graphs_bytes=None if ordered is None else ordered * 1024)
    made = take_over.make(take_over.start(bytes(cart.flashes["spool0"].cells)), plan, 4711)
    new = opened(made.device)
    blocks = 0 if new.graphs is None else new.graphs.device.block_count
    assert (made.waiting, blocks * 4) == (5, has_kib)
    again = curve_cart(64, made.device)
    again.produce(8, 1000)
    again.run(5000)
    [station] = snapshot(again.app)["stations"]
    assert station["mounted"] and station["stored"] > 5
    assert bool(has_kib) == (again.station.graphs is not None)
    assert not has_kib or again.station.graphs.number > 0, "curves are kept"


def idents(archive):
    return [int(tightening_id_of(one)) for one in archive.results]


@pytest.mark.parametrize(("delivered", "saved", "unit"), all_pairs([0, 1, 40], [True, False], [16, 64, 256]))
def test_what_waits_is_delivered_once_under_sequence_that_it_would_have_had(delivered, saved, unit):
    station = left_with(delivered, 25)
    assert len(idents(station.archive)) == delivered
    assert not saved or station.state.save()  # else the server alone knows what it has
    made = moved(station, Plan(256 * 1024, 48 * 1024, unit))
    assert (made.waiting == 25 or not saved) and made.records == delivered + 25
    after = Moved(station, made)
    after.run(60000)
    after.store(3)
    after.run(60000)
    assert idents(after.archive) == list(range(1, delivered + 29)) and after.archive.repeated == 0
    assert after.archive.sequences() == list(range(1, delivered + 29))
    after.clean()


def test_where_sequences_broke_comes_along_to_the_same_station_alone():
    before = left_with(40, 0)
    before.state.broke_at, before.state.broke_by = 30, 12
    before.state.numbers[field.QUARANTINED], before.state.numbers[field.DROPPED] = 7, 5
    assert before.state.save()
    same = begun(moved(before).device).state
    other = begun(moved(before, replace(PLAN, station=11)).device).state
    assert (same.broke_at, same.broke_by) == (30, 12) and other.broke_at == 0
    assert (same.numbers[field.DELIVERED], other.numbers[field.DELIVERED]) == (40, 0), (
        "another station has delivered none"
    )
    assert (same.numbers[field.DROPPED], same.numbers[field.QUARANTINED]) == (5, 7)
    assert (other.numbers[field.DROPPED], other.numbers[field.QUARANTINED]) == (0, 2), (
        "nor has anyone dropped one of its"
    )


def test_what_was_set_aside_is_still_kept_with_its_reason():
    before = begun_of(lzma.open(ASIDE).read())
    made = take_over.make(before, PLAN, 4711)
    after = begun(made.device)
    assert made.kept == 92 and numbers_of(after.quarantine) == numbers_of(before.quarantine)
    for number in numbers_of(after.quarantine):
        assert after.quarantine.find(number) > 0 and before.quarantine.find(number) > 0
        assert after.quarantine.reason == before.quarantine.reason
    for index in (
        field.STORED,
        field.DELIVERED,
        field.QUARANTINED,
        field.QUARANTINE_LAST,
        field.SEND_LIMIT,
        field.SENT,
        field.TAKEN,
        field.OVERWRITTEN,
    ):
        assert after.state.numbers[index] == before.state.numbers[index], index
    assert after.state.octets == before.state.octets and after.ledger.top() == before.ledger.top()
    assert [cursor.number for cursor in after.log.cursors] == [cursor.number for cursor in before.log.cursors]
    assert after.log.next == before.log.next


ASIDE_BLOCKS = range(4, 10)  # of its 92 that are set aside


@pytest.mark.parametrize(
    "spoilt", [ASIDE_BLOCKS, ASIDE_BLOCKS[:1], ASIDE_BLOCKS[1:], ASIDE_BLOCKS[2:4], ASIDE_BLOCKS[5:]]
)
@pytest.mark.parametrize("station", [0, 11])
def test_what_is_set_aside_and_cannot_be_read_is_counted_in_the_new_spool(spoilt, station):
    content = bytearray(lzma.open(ASIDE).read())
    for block in spoilt:
        content[PAGE_BYTES + block * 4096 : PAGE_BYTES + (block + 1) * 4096] = bytes(4096)
    before, plan = take_over.start(bytes(content)), replace(PLAN, station=station)
    made = take_over.make(before, plan, 4711)
    lost, damaged = before.quarantine.unreadable, before.state.numbers[field.DAMAGED]
    assert lost and f"92 set aside, up to {lost} of them unreadable" in take_over.summary_of(made, plan)
    for _ in range(2):
        after = begun(made.device)
        quarantine = after.quarantine
        assert (quarantine.count(), quarantine.unreadable) == (92, lost)
        assert after.state.numbers[field.DAMAGED] == damaged and after.state.save()
    assert quarantine.admit(after.log.number, 17) > 0 and begun(made.device).quarantine.count() == 93
    [*_, answer] = carry_out(quarantine, after.log, 10, None, None, ["drop", "all"])
    assert answer["count"] == 93 - lost and answer["parked"] == 0
    assert after.state.numbers[field.DAMAGED] == damaged + lost


KEEP = {"none": 0, "some": 3, "all": 8}


@pytest.mark.parametrize(("dropped", "again", "keeps"), all_pairs(["first", "last", "between"], [1, 2], list(KEEP)))
def test_what_is_left_in_a_quarantine_is_counted_right_after_a_take_over(keeps, again, dropped):
    station = Outlet()
    station.store(10)
    station.options.tightening_codes.update(dict.fromkeys(range(2, 10), 17))
    station.until_stored(2, and_ms=1000)
    kept = station.parked_numbers()
    left = {"first": kept[8 - KEEP[keeps] :], "last": kept[: KEEP[keeps]], "between": kept[::3][: KEEP[keeps]]}[dropped]
    left = kept if keeps == "all" else left
    gone = [one for one in kept if one not in left]
    assert station.quarantine.remove(gone, field.DROPPED) == len(gone) and station.policy.save_at_end()
    for _ in range(again):
        station = Moved(station, moved(station))
        assert station.quarantine.count() == len(left) == moved(station).kept
        assert station.quarantine.settle() and station.parked_numbers() == left
        assert station.quarantine.next_entry(0) >= 0 and station.quarantine.lost == 0
    listed = [line for line in carry_out(station.quarantine, station.log, 10, None, None, ["list"]) if line][-1]
    held = listed.pop("oldest_block")
    assert listed == {"station": 10, "parked": len(left), "parked_damaged": 0, "needs_operator": None, "is_known": True}
    assert 0 < held <= len(left) or not left
    station.store(1)
    station.toolsnet.options.tightening_codes = {11: 17}
    station.store(1)
    station.until_stored(3, and_ms=1000)
    assert station.parked_numbers() == [*left, 11] and station.quarantine.count() == len(left) + 1
    assert station.state.numbers[field.QUARANTINED] == 9
    station.forward.stop()
    station.cut()
    assert station.quarantine.settle() and station.parked_numbers() == [*left, 11] and station.archive.repeated == 0


def goes_on(before, made):
    """The same outlet, with its other side, on the area that was made of its own."""
    after = type(before)()
    after.clock, after.network, after.next_id = before.clock, before.network, before.next_id
    for name in ("server", "broker", "consumer"):
        if hasattr(before, name):
            setattr(after, name, getattr(before, name))
    after.ids = before.ids if isinstance(before, WebhookBench) else after.ids
    after.area = Area(kept_blocks=opened(made.device).kept.device.block_count, flash=made.device)
    after.start()
    return after


@pytest.mark.parametrize("bench", [WebhookBench, MqttBench])
@pytest.mark.parametrize("restarts", [0, 1])
def test_nobody_is_called_restored_after_a_take_over_to_another_station(bench, restarts):
    before = bench()
    ids = before.store(100)
    before.until(lambda: len(served(before)) == 100)
    before.run(1000)
    OutletPlaces(before.state, [{"kind": "toolsnet"}, {"kind": before.forward.kind}]).put(before.state)
    before.forward.stop()
    assert before.state.save()
    before.network.abandon(before.port)
    after = goes_on(before, moved(before, replace(PLAN, station=12)))
    for _ in range(restarts):
        assert after.state.save()
        after.cut()
    ids += after.store(5)
    after.until(lambda: len(served(after)) == 105)
    after.run(1000)
    status = after.status()
    assert served(after) == ids and status["given_again"] == after.state.missed_counts[after.forward.index] == 0
    assert status.get("server_behind", 0) == status.get("receipts_below", 0) == 0
    assert bench is MqttBench or after.server.batches[-1]["after"] == 0


@pytest.mark.parametrize("bench", [WebhookBench, MqttBench])
@pytest.mark.parametrize("saved", [True, False])
def test_a_consumer_gets_nothing_twice_after_a_take_over(bench, saved):
    before = bench()
    ids = before.store(100)
    before.until(lambda: len(served(before)) == 100)
    before.run(1000)
    if saved:
        before.forward.stop()
    before.network.abandon(before.port)
    ids += before.store(5)
    assert before.state.save() or not saved
    after = goes_on(before, moved(before))
    ids += after.store(5)
    after.until(lambda: len(served(after)) >= 110)
    after.run(1000)
    assert served(after) == ids and after.state.identity == before.state.identity
    if bench is MqttBench:
        assert after.consumer.repeats == 0
    else:
        assert [one["after"] for one in after.server.batches][-1] >= 100


def served(bench):
    return bench.ids()


def test_another_station_gets_another_identity_and_the_same_keeps_it():
    station = left_with(7, 4)
    assert station.state.save()
    assert begun(moved(station).device).state.identity == station.state.identity
    assert begun(moved(station, replace(PLAN, station=12)).device).state.identity == 4711


def test_places_and_names_of_all_outlets_come_along():
    station = left_with(7, 4)
    outlets = [{"kind": "toolsnet"}, {"kind": "mqtt", "name": "main"}, {"kind": "file", "name": "paper"}]
    OutletPlaces(station.state, outlets).put(station.state)
    OutletPlaces(station.state, outlets[:2]).put(station.state)  # the file is not configured any more
    station.state.numbers[field.GRAPH_CURSOR] = 3  # up to here ToolsNet's were left out
    assert station.state.save()
    after = begun(moved(station).device).state
    assert (after.places, after.names) == (station.state.places, station.state.names)
    assert OutletPlaces(after, outlets).how == [STAYED, STAYED, RETURNED] and after.numbers[field.GRAPH_CURSOR] == 3


def begun_of(octets):

    return take_over.start(octets)


def test_a_last_record_in_doubt_is_settled_and_carried():
    station = Outlet()
    station.store(5)
    made = moved(station)
    assert begun(made.device).log.number == 5 and made.waiting == 5


def test_of_what_is_delivered_newest_are_carried_where_there_is_little_room():
    station = left_with(500, 10, blocks=60)
    OutletPlaces(station.state, [{"kind": "toolsnet"}]).put(station.state)  # no other outlet waits for anything
    assert station.state.save()
    for kib in (40, 52):
        made = moved(station, Plan(kib * 1024, 12 * 1024))
        log = begun(made.device).log
        assert made.waiting == 10 and 20 < made.records < 510 and log.number == 510


def test_a_new_spool_that_is_too_small_is_made_larger():
    station = Outlet(blocks=60)
    station.store(600)
    made = moved(station, Plan(40 * 1024, 12 * 1024))
    assert made.waiting == made.records == 600
    after = begun(made.device)
    assert after.log.has_room(200) and len(made.device.cells) > 40 * 1024


def test_another_station_that_gets_the_results_meets_its_server_anew():
    station = left_with(7, 4)
    assert station.state.save()
    after = begun(moved(station, Plan(256 * 1024, 48 * 1024, station=12)).device)
    numbers = after.state.numbers
    assert numbers[field.SENT] == numbers[field.TAKEN] == after.log.cursors[0].sequence_lag == 0
    assert numbers[field.SEND_LIMIT] == after.log.cursors[0].number == 7
    assert {payload[4] | payload[5] << 8 for payload in after.counting(after.log).values()} == {12}
    assert NUMBER != 12


def shapes(station, outlets):
    OutletPlaces(station.state, outlets).put(station.state)
    assert station.state.save()


@pytest.mark.parametrize(("count", "unit"), each_choice([150, 200, 249, 300, 301, 345], [16, 64, 256]))
def test_the_same_size_takes_all_that_a_spool_holds_which_has_come_round(count, unit):
    station = Outlet(blocks=18)  # of units of 256
    for stored in range(0, count, 30):
        station.store(min(30, count - stored))
        station.run(20000)
    station.network.abandon(station.port)
    shapes(station, [{"kind": "toolsnet"}])
    size, held = len(station.flash.cells), sum(1 for _ in each(station.log))
    assert held < count or count < 200
    made = moved(station, Plan(size, unit_bytes=unit))
    assert (made.records, made.left, len(made.device.cells)) == (held, 0, size)
    after = Moved(station, made)
    after.store(30)
    after.run(60000)
    assert idents(after.archive) == list(range(1, count + 31)) and after.archive.repeated == 0


@pytest.mark.parametrize("kib", [40, 44, 48, 52, 64, 128] if LONG else [40, 48, 128])
def test_what_is_left_behind_is_reported_with_a_size_that_takes_all(kib):
    station = left_with(400, 0, blocks=60)
    shapes(station, [{"kind": "toolsnet"}])
    plan = Plan(kib * 1024)
    made = moved(station, plan)
    assert made.records + made.left == 400 and len(made.device.cells) == kib * 1024
    text = take_over.summary_of(made, plan)
    assert (f"{made.left} older records that no configured outlet waits for were left behind" in text) == (
        made.left > 0
    )
    if made.left:
        assert moved(station, Plan(made.all_bytes)).left == 0
        assert f"--size-kib {made.all_bytes // 1024})" in text


@pytest.mark.parametrize("kib", [40, 44, 64])
def test_what_toolsnet_may_lack_is_taken_over(kib):
    station = left_with(500, 0, blocks=60)
    shapes(station, [{"kind": "toolsnet"}])
    station.state.numbers[field.DOUBT_TO], station.state.numbers[field.DOUBT_LACKS] = 500, 450
    assert station.state.save()
    plan = Plan(kib * 1024)
    made = moved(station, plan)
    assert made.records == 500 and made.in_doubt == 450 and begun(made.device).state.numbers[field.DOUBT_LACKS] == 450
    assert "up to 450" in take_over.summary_of(made, plan)
    plan = Plan(kib * 1024, station=7)
    made = moved(station, plan)
    assert made.in_doubt == begun(made.device).state.numbers[field.DOUBT_LACKS] == 0
    words = "ToolsNet may lack up to 450 that it had under the old station number: the new spool does not say so"
    assert words in take_over.summary_of(made, plan)


@pytest.mark.parametrize("kib", [40, 44, 48, 52, 256])
def test_another_size_than_was_ordered_is_reported(kib):
    station = left_with(10, 200, blocks=60)
    shapes(station, [{"kind": "toolsnet"}])
    plan = Plan(kib * 1024)
    made = moved(station, plan)
    size = len(made.device.cells) // 1024
    assert made.waiting == 200
    is_named = f"it is of {size} KiB, not of the {kib} KiB that were ordered" in take_over.summary_of(made, plan)
    assert is_named == (size != kib)


def erases(station):
    """How often the blocks of this one's log were erased, at most."""
    return station.state.numbers[field.COUNTS_TO] // station.log.device.block_count


@pytest.mark.parametrize(("kib", "blocks"), each_choice([128, 256, 1024], [40, 60]))
def test_erases_are_counted_on_in_a_spool_of_another_size(kib, blocks):
    station = left_with(400, 10, blocks=blocks)
    before = erases(station)
    after = Moved(station, moved(station, Plan(kib * 1024)))
    after.store(3)
    assert before + after.log.device.block_count + 8 > erases(after) > before > 10


def test_where_nothing_waits_that_is_said():
    station, plan = left_with(10, 0), Plan(64 * 1024)
    assert station.state.save()
    assert "10 records taken over, none of them waiting" in take_over.summary_of(moved(station, plan), plan)


def test_what_waits_is_reported_for_each_outlet():
    station = left_with(40, 0)
    station.state.numbers[field.CURSOR + 1] = 30
    shapes(station, [{"kind": "toolsnet"}, {"kind": "mqtt", "name": "main"}])
    plan = Plan(64 * 1024)
    made = moved(station, plan)
    assert made.waiting == 10 and made.waits == (Waiting("MQTT", 10), Waiting("ToolsNet", 0))
    assert "up to 10 of them waiting (10 for MQTT, 0 for ToolsNet)" in take_over.summary_of(made, plan)


@pytest.mark.parametrize(("blocks", "delivered"), each_choice([(1,), (2, 3), (1, 3)], list(range(8))))
def test_what_is_damaged_is_counted_once_by_who_starts_with_the_new_one(delivered, blocks):
    """Where it lies between two blocks of the new one too, the start finds it again."""
    area = Area(24, unit_bytes=16)
    area.flash.wears = False
    log = area.mount()[1]
    store(log, range(1, 161))
    take(log, delivered)
    assert area.state.save()
    firsts = sorted([first for first in log.firsts if first])
    lost = 0
    for block in blocks:
        begin = (log.device.first_block + list(log.firsts).index(firsts[block])) * area.flash.block_bytes
        area.flash.cells[begin : begin + area.flash.block_bytes] = bytes(area.flash.block_bytes)
        lost += firsts[block + 1] - firsts[block]
    made = take_over.make(take_over.start(bytes(area.flash.cells)), PLAN, 4711)
    new = opened(made.device)
    assert new.damaged(field.LOG) in (0, lost) and new.state.numbers[field.DAMAGED] == lost
    area = Area(kept_blocks=opened(made.device).kept.device.block_count, flash=made.device)
    for _ in range(3):
        log = area.mount()[1]
        assert log.state.ensure_reliable() and log.settle()
        assert sum(1 for _ in each(log)) == 160 - lost
        assert area.state.numbers[field.DAMAGED] == lost and area.state.save()


@pytest.mark.parametrize("part", [512, 4096])
def test_what_all_have_had_and_cannot_be_read_is_counted_and_said(part, tmp_path):
    area = Area(24, unit_bytes=16)
    area.flash.wears = False
    log = area.mount()[1]
    store(log, range(1, 161))
    take(log, 160)
    assert area.state.save()
    first = sorted([first for first in log.firsts if first])[2]
    begin = (log.device.first_block + list(log.firsts).index(first)) * area.flash.block_bytes
    begin += 1024 if part == 512 else 0
    area.flash.cells[begin : begin + part] = bytes(part)
    lost = 160 - len(list(each(log)))
    assert lost > 1
    content = bytes(area.flash.cells)
    made = take_over.make(take_over.start(content), PLAN, 4711)
    assert made.damaged == opened(made.device).state.numbers[field.DAMAGED] == lost and made.waiting == 0
    source = tmp_path / "old.image"
    source.write_bytes(content)
    done = toolcart("spool", "take-over", source, tmp_path / "new.spool", "--station", "7", code=1)
    assert f"{lost} records of the old one are damaged: counted as that from now on" in done.stdout


@pytest.mark.parametrize("taken", [20, 100])
@pytest.mark.parametrize("wears", [True, False])
def test_what_a_removed_outlet_lacks_that_cannot_be_read_is_counted(wears, taken):
    """Once, and as it returns at the latest: in the new spool the records around it may be adjacent."""
    cart = Cart()
    cart.flash.wears = wears
    cart.start(TOOLSNET, MQTT)
    cart.append(100)
    cart.take(0, taken)
    cart.take(1, 10)
    cart.start(TOOLSNET)
    first, last = lose_a_block(cart)
    assert 10 < first < 20 < last
    old = opened(copy_of(cart.flash))
    has_all = wears and taken == 100  # then what is in front of that block was to be erased, and is missed
    cart.flash = take_over.make(old, PLAN, 4711).device
    for outlets in ((TOOLSNET,), (TOOLSNET,), (TOOLSNET, MQTT)):
        cart.start(*outlets)
        for index in range(len(outlets)):
            cart.take(index)
        assert cart.state.numbers[field.DAMAGED] <= last + 1 - first
    assert cart.state.numbers[field.DAMAGED] == (0 if has_all else last + 1 - first)
    assert cart.state.missed_counts[1] == (last - 10 if has_all else 0)


def copy_of(flash):
    device = RamFlash(flash.block_count, flash.block_bytes, flash.unit_bytes, flash.wears)
    device.cells[:] = flash.cells
    return device


@pytest.mark.parametrize("stands_at", [10, 40])
def test_what_a_removed_outlet_finds_again_between_two_blocks_is_not_counted_before(stands_at):
    cart = Cart()
    cart.flash = RamFlash(24, 4096, 16, wears=False)
    cart.start(TOOLSNET, MQTT)
    cart.append(140)
    cart.take(0)
    cart.take(1, stands_at)
    cart.start(TOOLSNET)
    first, last = lose_a_block(cart)
    lost = last - max(first - 1, stands_at)
    cart.flash = take_over.make(opened(copy_of(cart.flash)), PLAN, 4711).device
    had = last - first + 1 - lost  # by both: nobody finds it again
    for outlets, counted in (((TOOLSNET,), had), ((TOOLSNET, MQTT), had + lost)):
        cart.start(*outlets)
        cart.take(len(outlets) - 1)
        assert cart.state.numbers[field.DAMAGED] == counted > len(outlets) - 2
