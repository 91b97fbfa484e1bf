"""A result walks from the controller over the spool into the archive: once, in order, unchanged, whatever fails."""

from toolcart.agent.base import counters as counter
from toolcart.base.clock import Dice
from toolcart.board.ram_flash import RamFlash
from host_tests.portable import HAS_ALL, LONG
from host_tests.support.log import Area, numbers
from lab.harness.cart import CONTROLLER, PIM, QUARANTINE_BLOCKS, SERVER, Cart

PORTABLE = True
HEAP = "4m"


def number_after_cut(cart):
    """Return the newest number of station 10's log as a start would find it if power failed now; in doubt or not."""
    kept = cart.flashes["spool0"]
    flash = RamFlash(kept.block_count)
    flash.cells[:] = kept.cells
    return Area(kept_blocks=QUARANTINE_BLOCKS, flash=flash).mount()[1].number


def started(**settings):
    return Cart(**settings).until_ready(and_ms=500)


# -- the ordinary way


def test_every_result_arrives_once_and_in_order_and_no_one_complains():
    cart = started()
    cart.produce(40, 300)
    cart.until_quiet(and_ms=200)
    assert cart.ids() == numbers(1, 40) == cart.controller.acknowledged
    assert cart.archive.sequences() == numbers(1, 40)
    assert cart.archive.repeated == 0 and cart.archive.out_of_order == 0
    assert cart.counts() == {"stored": 40, "delivered": 40, "controller connects": 1, "server connects": 1}
    cart.clean()


def test_results_of_controllers_since_release_2_9_arrive():
    for revisions in ([999], [1], [3], [11]):
        cart = started(settings={"controller": {"result_revisions": revisions}})
        cart.produce(batch_status=3)
        cart.produce(batch_status=1)
        cart.until_quiet()
        batches = [
            [one["value"] for one in result["parameters"] if one["parameter_id"] == 102]
            for result in cart.archive.results
        ]
        assert batches == [["0"], ["1"]]  # ToolsNet's document has no 3
        assert cart.counted(counter.ODD_FIELDS) == cart.counted(counter.RAW) == 0
        cart.clean()


def test_what_a_careful_person_can_read_arrives():
    made = (
        {"torque": b"  4237", "angle": b"95   ", "batch_size": b"6   ", "job": b"7   "},
        {"torque": b"42.37", "angle": b"+0095"},
        {"status": b"5", "torque_status": b"7", "time": b"Last Change Unknown"},
        {"torque": b"-04237"},
        {"torque": b"12x456"},
    )
    for revision in (999, 1, 2, 7):
        cart = started(settings={"controller": {"result_revisions": [revision]}})
        for fields in made:
            cart.produce(**fields)
        cart.until_quiet()
        spindles = [result["spindles"][0] for result in cart.archive.results]
        assert [one["torque"] for one in spindles[:2]] == ["00042.37"] * 2
        assert [one["angle"] for one in spindles[:2]] == ["000095.0"] * 2
        assert spindles[2]["overall"] == 1 and spindles[3]["torque"] == "-0042.37"
        odd = [
            one["value"]
            for result in cart.archive.results
            for one in result["parameters"]
            if one["parameter_id"] == 60006
        ]
        assert odd == ["status 5, torque status 7", "", "torque 12x456"]
        assert len(spindles) == 5 and cart.counted(counter.RAW) == 0 and cart.counted(counter.ODD_FIELDS) == 5


def test_result_is_acknowledged_only_after_it_is_on_flash():
    cart = started()
    seen = []
    note = cart.controller.note_acknowledged

    def watched(tightening_id):
        seen.append((tightening_id, number_after_cut(cart)))
        note(tightening_id)

    cart.controller.note_acknowledged = watched
    cart.produce(20, 300)
    assert len(seen) == 20
    for tightening_id, on_flash in seen:
        assert on_flash >= tightening_id


# -- lines that fail


def test_slow_lines_in_small_pieces_change_nothing():
    cart = Cart()
    for address in (CONTROLLER, PIM, SERVER):
        line = cart.network.line(*address)
        line.delay_ms = 15
        line.random_splits = True
        line.write_limit = 7
        line.buffer_bytes = 64
    cart.until_ready(and_ms=2000)
    cart.produce(15, 1500)
    cart.until_quiet()
    assert cart.ids() == numbers(1, 15) and cart.archive.repeated == 0
    cart.clean()


# -- two stations, one fault


def test_fault_of_one_station_does_not_touch_the_other():
    cart = Cart(stations=2).until_ready(and_ms=500)
    cart.station.outlets[0].step = broken
    try:
        cart.run(10)
    except ValueError:
        pass
    for _ in range(5):
        cart.app.scheduler.last_fault = None
        for device in cart.controllers:
            device.produce()
        try:
            cart.run(400)
        except ValueError:
            pass
    cart.app.scheduler.last_fault = None
    assert [result["station"] for result in cart.archive.results] == [20] * 5
    del cart.station.outlets[0].step
    cart.until_quiet()
    assert [result["station"] for result in cart.archive.results] == [20] * 5 + [10] * 5
    assert cart.counted(counter.FAULTS) >= 1


def broken(now):
    raise ValueError("a task that fails")


# -- power cuts


def scenario(cut_at):
    """Run some results through with a power cut at step `cut_at` (0: none); return the cart and the steps it took.

    The first result is through before: what a controller produced before it was ever met is not the agent's.
    """
    cart = started(blocks=6)
    cart.produce(1, 300)
    cart.until_quiet()
    steps = cart.come_through(cut_at, cart.produce, 1, 5, lambda: cart.archive.stored >= 5)
    cart.run(300)
    return cart, steps


def test_cut_at_every_step_loses_nothing_acknowledged_and_repeats_at_most_one():
    whole, steps = scenario(0)
    assert whole.ids() == numbers(1, 5)
    for cut_at in range(1, steps + 1, 1 if LONG else 2 if HAS_ALL else 7):
        cart, _ = scenario(cut_at)
        ids = cart.ids()
        assert sorted(ids) == numbers(1, 5), (cut_at, ids, cart.controller.acknowledged)
        assert cart.archive.out_of_order == 0 and cart.archive.sequences() == sorted(cart.archive.sequences())
        assert cart.archive.repeated <= 1, (cut_at, cart.archive.repeated)


def chaos(seed, results):
    """Random cuts and losses on both sides until all results are in the archive; return the cart and the cuts."""
    dice = Dice(seed)
    cart = Cart(blocks=12).until_ready(and_ms=500)
    cart.produce(1, 300)
    for address in (CONTROLLER, PIM, SERVER):
        cart.network.line(*address).random_splits = True
    cuts = 0
    while cart.archive.stored < results or len(cart.controller.produced) < results:
        if len(cart.controller.produced) < results:
            cart.produce(dice.randrange(3))
        for _ in range(dice.randrange(60)):
            left = cart.step()
            if left > 0:
                cart.clock.advance(min(left, 1 + dice.randrange(4000)))
        fault = dice.randrange(8)
        if fault == 0:
            cart.cut()
            cuts += 1
        elif fault == 1:
            cart.network.cut(*SERVER)
        elif fault == 2:
            cart.network.cut(*CONTROLLER)
        elif fault == 3:
            cart.options.drop_after_store.append(cart.archive.stored + 1)
        assert cart.clock.total_ms < 6 * 3600000, (seed, cart.counts())
    cart.run(1000)
    return cart, cuts


def test_random_cuts_and_losses_on_both_sides_deliver_each_acknowledged_result_once():
    for seed in (1, 2, 3, 4) if HAS_ALL else (1,):
        cart, cuts = chaos(seed, 50)
        ids = cart.ids()
        assert len(set(ids)) == len(ids), (seed, "twice in the archive by content")
        missing = [number for number in cart.controller.acknowledged if number not in ids]
        assert missing == [], (seed, missing)
        assert cart.archive.out_of_order == 0
        assert cart.archive.repeated <= cuts, (seed, cart.archive.repeated, cuts)
