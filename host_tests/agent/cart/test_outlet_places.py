"""Each outlet keeps its own place in the spool, by its name: whatever is added, removed or moved in the list."""

from struct import pack_into

from toolcart.agent.base.compat import ON_CPYTHON
from toolcart.agent.base.crc import crc30
from toolcart.agent.cart import outlet_places
from toolcart.agent.cart.storage import bring_up
from toolcart.agent.log import missed_counts, recount
from toolcart.agent.log.cursor import Cursor
from toolcart.agent.log.log import LOG_DONE, LOG_FULL
from toolcart.agent.log.snapshot import STATE_BLOCKS
from toolcart.agent.log.snapshot_fields import (
    CURSOR,
    DAMAGED,
    DELIVERED,
    DOUBT_LACKS,
    DROPPED,
    MISSED,
    OVERWRITTEN,
    QUARANTINED,
    SENT,
    SENT_MET,
    TAKEN,
)
from toolcart.agent.record import KIND_EVENT, KIND_RESULT
from toolcart.agent.record.result import BODY_BYTES
from host_tests.portable import stub
from host_tests.support.log import put
from host_tests.support.station import Station as Parts
from lab.harness.flash import Nor

PORTABLE = True
HEAVY = True
HEAP = "2m"

TOOLSNET, FILE, WEBHOOK, MQTT = outlet_places.KINDS
BLOCKS, BLOCK_BYTES = 24, 4096


def settings_of(words):
    """`-mqtt:b` is a best-effort outlet of kind mqtt with the name b."""
    kind, _, name = words.strip("-").partition(":")
    return {"kind": kind, "name": name or kind, "durable": words[0] != "-"}


def gone(outlets):
    """Kind, and how much it had not taken, of each."""
    return [one[:2] for one in outlets]


class Cart(Parts):
    """A station's logs, brought up with these outlets."""

    def __init__(self, blocks=BLOCKS):
        self.flash = Nor(blocks, BLOCK_BYTES)

    def start(self, *outlets, when_full="refuse", settles=True):
        from toolcart.agent.base.counters import Counters

        self.number, self.board, self.counters = 7, stub(seed=lambda: 7), Counters()
        self.graphs = self.quarantine = None
        self.at_start = stub()
        spool = {"parked_kib": 12, "graphs_kib": 0, "when_full": when_full}
        self.outlet_settings = [settings_of(words) for words in outlets]
        self.settings = {"outlets": self.outlet_settings, "spool": spool, "controller": {"results": "auto"}}
        assert bring_up(self, self.flash)
        if settles:
            assert self.log.state.ensure_reliable() and self.log.settle()
        return self.log.cursors

    def append(self, count):
        for index in range(count):
            code = put(self.log, bytes(BODY_BYTES))
            if code != LOG_DONE:
                assert code == LOG_FULL
                return index
        return count

    def take(self, index, count=1 << 20):
        """Let this outlet take so many; the numbers it took."""
        log, numbers_taken = self.log, []
        cursor = log.cursors[index]
        while len(numbers_taken) < count and log.peek(cursor) > 0:
            cursor.advance()
            numbers_taken.append(cursor.number)
        assert log.state.save()
        return numbers_taken

    def place_of(self, index):
        return self.log.cursors[index].slot - CURSOR


def test_a_removed_outlet_keeps_nothing_and_goes_on_where_it_was():
    cart = Cart()
    cart.start(TOOLSNET, FILE)
    cart.append(50)
    cart.take(0, 20)
    cart.take(1)
    cart.start(FILE)
    assert gone(cart.at_start.removed) == [(TOOLSNET, 30)] and cart.quarantine is None
    cart.append(50)
    cart.take(0)
    cart.start(FILE)
    assert cart.at_start.removed == []  # it is told once
    cart.start(FILE, TOOLSNET)
    assert cart.at_start.added == [None, 0] and cart.quarantine is not None
    assert cart.take(1) == list(range(21, 101))
    cart.start(FILE)
    for _ in range(20):
        cart.append(200)
        cart.take(0)
    newest = cart.log.number
    cart.start(TOOLSNET, FILE)
    taken = cart.take(0)
    assert taken == list(range(taken[0], newest + 1)) and taken[0] > 101
    left_out = cart.at_start.added[0]
    assert cart.state.numbers[OVERWRITTEN] == taken[0] - 101 == cart.at_start.returned[0] + left_out
    assert cart.state.numbers[DAMAGED] == 0  # what made room is not damage


def test_events_among_what_toolsnet_leaves_out_as_it_returns_have_no_sequence():
    """Else the 08 would name a result in front of the one that ToolsNet had last, and it got some twice."""
    cart = Cart()
    cart.start(TOOLSNET, FILE)
    cart.start(FILE)
    results = []
    while not cart.log.blocks.floor() > 40:
        is_event = cart.log.next % 5 == 2
        assert put(cart.log, bytes(BODY_BYTES), KIND_EVENT if is_event else KIND_RESULT) == LOG_DONE
        results += [] if is_event else [cart.log.number]
    cart.take(0)
    cursor = cart.start(TOOLSNET, FILE)[0]
    rest = [number for number in results if number > cursor.number]
    passed = len(results) - len(rest)
    assert cart.at_start.added[0] == cart.state.numbers[OVERWRITTEN] == passed > 20
    assert cart.state.numbers[DAMAGED] == 0
    assert cursor.number - cursor.sequence_lag == passed < cursor.number
    for number in rest:
        passed += 1
        assert cart.take(0, 1) == [number] and cursor.number - cursor.sequence_lag == passed


def test_what_cannot_be_read_is_not_left_out_by_toolsnet_as_it_returns():
    cart = Cart()
    cart.start(TOOLSNET, FILE)
    cart.start(FILE)
    while not cart.log.blocks.floor() > 40:
        cart.append(1)
    cart.take(0)
    walk, recount.walk = recount.walk, lambda *_: -1
    try:
        cart.start(TOOLSNET, FILE)
    finally:
        recount.walk = walk
    assert cart.at_start.added[0] == cart.state.numbers[OVERWRITTEN] == 0
    assert cart.take(0) == list(range(1, cart.log.number + 1))


def read_all_of(log):
    scout = Cursor()
    log.seek(scout, 0)
    while log.peek(scout) > 0:
        scout.advance()


def lose_a_block(cart):
    """Zero the second block of its log; return the first and the last number that are lost."""
    firsts = sorted([first for first in cart.log.firsts if first])
    begin = (cart.log.device.first_block + list(cart.log.firsts).index(firsts[1])) * cart.flash.block_bytes
    for octet in range(begin, begin + cart.flash.block_bytes):
        cart.flash.cells[octet] = 0
    return firsts[1], firsts[2] - 1


def with_a_gap(*outlets, wears=False, taken=(5, 0)):
    """A cart with 100 records, of which each outlet has taken so many, and a block of which is zeroed.

    Return it, and the first and the last number that are lost.
    """
    cart = Cart()
    cart.flash.wears = wears
    cart.start(*outlets)
    cart.append(100)
    for index in range(len(outlets)):
        cart.take(index, taken[index])
    return (cart,) + lose_a_block(cart)


def test_damage_that_only_a_removed_outlet_had_yet_to_pass_stays_counted():
    for then in ((FILE,), (MQTT + ":other", FILE)):
        for starts in (1, 3):
            cart, first, last = with_a_gap(TOOLSNET, FILE)
            lost = last + 1 - first
            for _ in range(starts):
                cart.start(TOOLSNET, FILE)
                cart.take(1)
                read_all_of(cart.log)
                assert cart.state.numbers[DAMAGED] == lost and cart.state.save()
            for _ in range(3):
                cart.start(*then)
                if len(then) == 2:  # the new one gets what the log holds, so it has yet to pass it
                    read_all_of(cart.log)
                assert cart.state.numbers[DAMAGED] == lost, then
                cart.take(len(then) - 1)
                assert cart.state.numbers[DAMAGED] == lost, then


def test_a_newest_block_lost_while_an_outlet_was_out_is_damage_that_it_lacks():
    for kind, others in ((TOOLSNET, (WEBHOOK,)), (FILE, (TOOLSNET,)), (FILE, (TOOLSNET, WEBHOOK, MQTT))):
        for is_whole in (True, False):
            for then in (others + (kind,), others):
                cart = Cart()
                cart.start(*others, kind)
                cart.append(10)
                for index in range(len(others) + 1):
                    cart.take(index)
                cart.start(*others)
                cart.append(30)
                for index in range(len(others)):
                    cart.take(index)
                assert cart.log.number == 40 and cart.state.numbers[DAMAGED] == 0
                begin = (cart.log.device.first_block + cart.log.block) * cart.flash.block_bytes
                end = begin + cart.flash.block_bytes
                if not is_whole:
                    begin += cart.log.offset // 2
                for octet in range(begin, end):
                    cart.flash.cells[octet] = 0
                cart.start(*then)
                lost = 40 - cart.log.number
                assert lost > 3
                # Of a damaged tail as many count as the least results of a chip have room there: two that nobody had,
                # and once more for an outlet that was out meanwhile.
                most = lost + (1 if is_whole else 4)
                if is_whole:  # else it finds that itself
                    assert lost <= cart.state.numbers[DAMAGED] <= lost + 1, (kind, then)
                assert cart.append(5) == 5
                cart.take(0)
                for _ in range(2):
                    cart.start(*others, kind)
                    assert lost * is_whole <= cart.state.numbers[DAMAGED] <= most, (kind, is_whole, then)
                assert len(cart.take(len(others))) == 35 - lost
                assert lost <= cart.state.numbers[DAMAGED] <= most, (kind, is_whole, then)


def test_a_new_outlet_in_the_place_of_another_lacks_all_that_cannot_be_read():
    for kind, others in ((TOOLSNET, ()), (TOOLSNET, (FILE,)), (MQTT, (FILE, WEBHOOK))):
        # Where flash wears, what durable outlets had passed in front of a block that is gone was to be erased.
        for wears, taken in ((False, 5), (False, 25), (False, 100), (not others, 5)):
            cart, first, last = with_a_gap(kind + ":a", *others, wears=wears, taken=(taken, 100, 100))
            for start in range(3):
                cart.start(kind + ":b", *others)
                read_all_of(cart.log)
                assert cart.state.numbers[DAMAGED] == last + 1 - first, (kind, wears, taken, start)
                assert cart.state.save()
            assert [one for one in range(1, 101) if not first <= one <= last] == cart.take(0)
            assert cart.state.numbers[DAMAGED] == last + 1 - first


def test_order_and_durability_mean_nothing():
    for first, then in (
        ((MQTT + ":a", MQTT + ":b"), (MQTT + ":b", MQTT + ":a")),
        (("-mqtt:a", MQTT + ":b"), (MQTT + ":a", MQTT + ":b")),
        (("-mqtt:a", MQTT + ":b"), (TOOLSNET, "-mqtt:a", MQTT + ":b")),
        ((MQTT + ":a", FILE, MQTT + ":b"), (FILE, MQTT + ":b", "-mqtt:a")),
    ):
        cart = Cart()
        cart.start(*first)
        cart.append(50)
        names = [words.strip("-") for words in first]
        for index in range(len(first)):
            cart.take(index, {"mqtt:a": 10, "mqtt:b": 40, "file": 30}[names[index]])
        cart.start(*then)
        for index in range(len(then)):
            number = {"mqtt:a": 10, "mqtt:b": 40, "file": 30, "toolsnet": 0}[then[index].strip("-")]
            assert cart.log.cursors[index].number == number, (first, then)
        assert cart.at_start.removed == []


def test_one_of_several_of_a_kind_goes_and_the_others_stay_where_they_are():
    for full in (False, True):
        cart = Cart()
        cart.start(MQTT + ":a", MQTT + ":b", when_full="overwrite" if full else "refuse")
        cart.append(1000 if full else 50)
        cart.take(0)
        number = cart.log.number
        behind = cart.take(1, 20)[-1]
        cart.start(MQTT + ":b")
        assert cart.take(0) == list(range(behind + 1, number + 1))
        cart.start(MQTT + ":b", MQTT + ":c")
        assert cart.take(0) == [] and len(cart.take(1)) > 40  # c is new: all that the log holds


def test_exchanging_one_for_another_in_one_reload_moves_nobody():
    cart = Cart()
    cart.start(MQTT + ":a", MQTT + ":b")
    cart.append(50)
    cart.take(0)
    cart.take(1, 20)
    cart.start(MQTT + ":b", MQTT + ":c")
    assert gone(cart.at_start.removed) == [(MQTT, 0)] and cart.at_start.added == [None, 0]
    assert cart.take(0) == list(range(21, 51)) and cart.take(1) == list(range(1, 51))


def test_places_do_not_rotate_once_all_were_used():
    cart = Cart()
    lists = (FILE, WEBHOOK, MQTT), (FILE, MQTT + ":b", WEBHOOK), (MQTT + ":b", WEBHOOK, MQTT)
    for outlets in lists:
        cart.start(TOOLSNET, *outlets)
        cart.append(30)
        for index in range(4):
            cart.take(index, 10 * index + 5)
        before = {words: cart.place_of(index) for index, words in enumerate(outlets, 1)}
        numbers = [cursor.number for cursor in cart.log.cursors]
        cart.start(TOOLSNET, *outlets)
        assert {words: cart.place_of(index) for index, words in enumerate(outlets, 1)} == before
        assert [cursor.number for cursor in cart.log.cursors] == numbers
        assert cart.at_start.removed == cart.at_start.given_up == []


def test_the_place_that_is_unused_for_longest_is_given_up_first():
    cart = Cart()
    cart.start(FILE, WEBHOOK, MQTT)
    cart.append(50)
    cart.take(2)
    cart.take(1, 30)
    cart.start(WEBHOOK, MQTT)  # file goes first
    cart.start(MQTT)
    for _ in range(5):
        cart.start(MQTT)  # ages do not run together
    cart.state.missed_counts[1] = 7  # counted before it was removed
    missed_counts.put(cart.state)
    assert cart.state.save()
    cart.start(MQTT, MQTT + ":b")
    assert gone(cart.at_start.given_up) == [(FILE, 57)] and not any(cart.state.missed_counts)
    assert [one[3] for one in cart.at_start.given_up] == [False], "it was removed before the last session"
    cart.start(MQTT, MQTT + ":b", WEBHOOK)
    assert cart.at_start.given_up == [] and cart.log.cursors[2].number == 30


def test_events_that_toolsnet_lacks_stay_counted_whatever_other_outlets_come_and_go():
    cart = Cart()
    cart.start(TOOLSNET, "file:f")
    cart.state.missed_counts[0] = 10
    missed_counts.put(cart.state)
    assert cart.state.save()
    for others in (["file:g"], ["webhook"], ["file:f"], ["file:h", "mqtt", "webhook"], ["file:i"]):
        cart.start(TOOLSNET, *others)
        assert cart.state.missed_counts[0] == missed_counts.shown(cart.state)[0] == 10
    cart.start("file:1", "file:2", "file:3")
    cart.start(TOOLSNET, "file:f")
    assert cart.state.missed_counts[0] == 10
    cart.state.missed_counts[0] += 2
    missed_counts.put(cart.state)
    assert cart.state.save()
    cart.start(TOOLSNET, "file:f", "file:g")
    assert cart.state.missed_counts[0] == 12
    cart.start(TOOLSNET + ":other", "file:f")
    assert cart.state.missed_counts == [0, 0, 0, 0], "the count is that of its server"


def test_toolsnet_under_another_name_meets_its_server_anew():
    cart = Cart()
    cart.start(TOOLSNET)
    cart.append(50)
    cart.take(0, 30)
    cart.state.numbers[TAKEN], cart.state.numbers[SENT] = 30, SENT_MET
    cart.state.numbers[DELIVERED], cart.state.numbers[QUARANTINED], cart.state.numbers[DROPPED] = 25, 8, 5
    cart.state.numbers[DOUBT_LACKS], cart.state.numbers[OVERWRITTEN] = 12, 49
    assert cart.state.save()
    cart.start(TOOLSNET)
    assert cart.state.numbers[DELIVERED] == 25 and cart.state.numbers[DROPPED] == 5
    assert cart.log.cursors[0].number == cart.state.numbers[TAKEN] == 30
    cart.start(TOOLSNET + ":plant-b")
    assert cart.log.cursors[0].number == cart.state.numbers[TAKEN] == cart.state.numbers[SENT] == 0
    assert cart.at_start.added == [0] and gone(cart.at_start.given_up) == [(TOOLSNET, 20)]
    assert cart.state.numbers[DELIVERED] == cart.state.numbers[DROPPED] == 0, "those were another one's"
    assert cart.state.numbers[QUARANTINED] == 3, "what is set aside still is that of whatever ToolsNet is there"
    assert cart.at_start.given_up[0][3:] == (True, 12, 49), "it is said of the old name"
    assert cart.state.numbers[DOUBT_LACKS] == cart.state.numbers[OVERWRITTEN] == 0


def test_one_that_becomes_durable_far_behind_gets_all_that_the_log_has():
    """But for the oldest block, where no other block could settle the last record."""
    for waiting, solid in [(waiting, solid) for waiting in range(4) for solid in (False, True)]:
        cart = Cart()
        cart.start(TOOLSNET, "-" + FILE)
        for _ in range(5):
            cart.append(100)
            cart.take(0)
        cart.append(waiting)  # a power cut comes behind them
        assert not solid or cart.state.save()
        oldest, missed = cart.log.first_above(0), cart.state.numbers[MISSED]
        cart.start(TOOLSNET, FILE, settles=False)
        assert cart.log.last_was_durable >= solid
        solid = cart.log.last_was_durable
        begin = oldest if solid else cart.log.first_above(oldest)
        assert cart.at_start.added == [None, None] and cart.log.cursors[1].number + 1 == begin
        assert cart.state.ensure_reliable() and cart.state.numbers[MISSED] == missed + begin - oldest
        assert solid or cart.log.settle()
        oldest = begin
        taken = cart.take(1)
        assert cart.log.settle() and taken + cart.take(1) == list(range(oldest, 501 + waiting))
        assert cart.append(60) == 60
        cart.start(TOOLSNET, FILE)
        assert cart.at_start.added == [None, None]


def test_what_an_outlet_has_lost_and_gets_again_is_kept_by_a_start_whatever_is_free():
    """A server was set back, or a file restored: the cursor went back to the oldest, and no block is free."""
    for others in ((), (FILE,)):
        for waiting in range(4):
            cart = Cart()
            cart.start(TOOLSNET, *others)
            for _ in range(6):
                cart.append(100)
                for index in range(1 + len(others)):
                    cart.take(index)
            cart.append(waiting)
            oldest = cart.log.first_above(0)
            cart.log.seek(cart.log.cursors[-1], oldest - 1)
            assert cart.state.save()
            cart.start(TOOLSNET, *others, settles=False)
            assert cart.at_start.added == [None] * (1 + len(others)) and cart.state.ensure_reliable()
            taken = cart.take(len(others))
            assert cart.log.settle()
            assert taken + cart.take(len(others)) == list(range(oldest, cart.log.number + 1))
            assert cart.append(60) == 60 and cart.state.numbers[OVERWRITTEN] == 0


def test_a_cut_before_the_first_snapshot_places_an_added_outlet_again():
    cart = Cart()
    cart.start(FILE)
    cart.append(50)
    cart.take(0)
    copy = cart.flash
    for _ in range(2):
        cart.flash = copy.clone()
        cart.start(TOOLSNET, FILE, settles=False)  # and nothing is saved
        assert cart.at_start.added == [0, None] and cart.log.cursors[0].number == 0


def test_any_life_of_the_list_moves_nobody():
    """A model: each name has a number; what is durable and there keeps it, what returns gets what the log still has."""
    from host_tests.portable import HAS_ALL, LONG

    names = (TOOLSNET, FILE, WEBHOOK, MQTT, MQTT + ":b", MQTT + ":c", FILE + ":copy")
    dice = 12345

    def roll(count):
        nonlocal dice
        dice = (dice * 1103515245 + 12345) % (1 << 31)
        return (dice >> 8) % count

    for life in range(60 if LONG else 6 if HAS_ALL else 5):
        cart = Cart(20)
        model = {}
        there = []
        for _ in range(12):
            count = 1 + roll(3)
            outlets = []
            while len(outlets) < count:
                name = names[roll(len(names))]
                if name not in outlets:
                    outlets.append(name)
            cart.start(*outlets, when_full="overwrite" if life % 2 else "refuse")
            log = cart.log
            oldest = log.first_above(0) - 1 if log.number else 0
            for index, name in enumerate(outlets):
                number = log.cursors[index].number
                if name in there:
                    assert number == model[name], (life, name)
                elif cart.at_start.added[index] is not None:
                    least = max(oldest, model[name] if cart.at_start.back[index] else 0)
                    assert number in (least, least + cart.at_start.added[index], model.get(name)), (life, name)
            there = outlets
            cart.append(roll(200))
            for index in range(count):
                cart.take(index, roll(150))
            model.update({name: log.cursors[index].number for index, name in enumerate(outlets)})
            assert cart.state.save()


def as_version_4(cart, kinds, numbers=()):
    """Rewrite the newest snapshot as version 4 had it: `kinds` are (kind, was in use) of the four places."""
    flash, state = cart.flash, cart.state
    assert state.save()
    size = 256
    for block in range(STATE_BLOCKS):
        for at in range(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES, size):
            if flash.cells[at] != 0x54:
                continue
            flash.cells[at + 2] = 4
            owners = 0
            for place, (kind, in_use) in enumerate(kinds):
                owners |= ((outlet_places.KINDS.index(kind) + 1 if kind else 0) | in_use << 5) << 6 * place
            for octet in range(3):
                flash.cells[at + 13 + octet] = owners >> 8 * octet & 0xFF
            for number in range(48):
                flash.cells[at + 16 + 4 * number + 3] &= 0x3F
            area = flash.cells[at + 16 + 180] | flash.cells[at + 16 + 181] << 8
            pack_into("<III", flash.cells, at + 16 + 176, 5, area & 0x7FFF, 0)  # quarantine: 5 unreadable; its blocks
            pack_into("<I", flash.cells, at + 252, crc30(flash.cells, at, at + 252))


def test_places_of_a_version_without_names_go_to_the_outlets_of_their_kind():
    cart = Cart()
    cart.start(MQTT + ":a", MQTT + ":b", FILE)
    cart.append(50)
    for index, count in enumerate((10, 20, 30)):
        cart.take(index, count)
    at = [cart.place_of(index) for index in range(3)]
    kinds = [(None, 0)] * 4
    for index, kind in enumerate((MQTT, MQTT, FILE)):
        kinds[at[index]] = (kind, 1)
    as_version_4(cart, kinds)
    copy = cart.flash

    def numbers(*outlets):
        cart.flash = copy.clone()
        cart.start(*outlets)
        return [cursor.number for cursor in cart.log.cursors]

    assert numbers(FILE, MQTT + ":x", MQTT + ":y") == [30, 10, 20]
    assert cart.at_start.guessed and cart.state.numbers[DAMAGED] == 5
    assert cart.at_start.added == [None] * 3 and cart.at_start.removed == []
    cart.start(MQTT + ":y", FILE, MQTT + ":x")
    assert [cursor.number for cursor in cart.log.cursors] == [20, 30, 10] and not cart.at_start.guessed
    assert numbers("-mqtt:x", MQTT + ":y", FILE) == [20, 10, 30]  # the first durable one was first then
    assert numbers(FILE, MQTT) == [30, 0]  # which of the two it was is not known: from the oldest on
    assert numbers(FILE, MQTT + ":x", MQTT + ":y", TOOLSNET)[:3] == [30, 10, 20]


def test_a_removed_outlet_of_a_version_without_names_is_identified_by_its_kind():
    cart = Cart()
    cart.start(MQTT, FILE)
    cart.append(50)
    cart.take(0, 10)
    cart.take(1, 20)
    kinds = [(None, 0)] * 4
    kinds[cart.place_of(0)], kinds[cart.place_of(1)] = (MQTT, 1), (FILE, 0)
    as_version_4(cart, kinds)
    cart.start(MQTT)
    cart.start(MQTT, FILE + ":other")
    assert cart.log.cursors[1].number == 0
    cart.start(MQTT, FILE)
    assert [cursor.number for cursor in cart.log.cursors] == [10, 20]


def test_names_are_told_apart_by_their_hash():
    assert (
        outlet_places.hash_of("mqtt") != outlet_places.hash_of("mqtt-2") and 0 < outlet_places.hash_of("a") <= 0xFFFFFF
    )
    assert outlet_places.name_of({"kind": MQTT}) == MQTT and outlet_places.name_of({"kind": MQTT, "name": "b"}) == "b"


def turned_round(blocks, worn, appended, waiting):
    """A cart with ToolsNet alone whose log came round several times; so many wait in front of ToolsNet."""
    cart = Cart(4 + 3 + blocks)
    cart.start(TOOLSNET)
    cart.flash.worn = {4 + 3 + place for place in worn}
    for _ in range(10):
        cart.append(120)
        cart.take(0)
    cart.append(appended)
    cart.take(0)
    assert cart.append(waiting) == waiting
    return cart


def test_an_added_outlet_leaves_room_where_blocks_are_worn():
    from host_tests.portable import LONG

    for blocks, count in ((4, 1), (8, 2)):
        for first in range(0, blocks, 1 if LONG or blocks == 4 else 3):
            worn = {(first + index * 3) % blocks for index in range(count)}
            for appended in (0, 7, 13):
                for waiting in (0, 1, 4):
                    cart = turned_round(blocks, worn, appended, waiting)
                    cart.start(TOOLSNET, FILE)  # and nothing is in doubt, though the file is away
                    cart.take(0)
                    assert cart.append(15) == 15, (blocks, worn, appended, waiting)
                    left_out, missed = cart.at_start.added[1], cart.state.numbers[MISSED]
                    oldest = cart.log.cursors[1].number - missed - left_out
                    assert cart.take(1) == list(range(oldest + left_out + missed + 1, cart.log.number + 1))


def test_an_added_outlet_gives_up_more_when_a_block_wears_out_later():
    cart = turned_round(8, (), 0, 1)
    cart.start(TOOLSNET, FILE)
    cart.take(0)
    before, missed = cart.log.cursors[1].number, cart.state.numbers[MISSED]
    cart.flash.worn = {4 + 3 + place for place in range(8) if cart.log.firsts[place] == 0}
    assert cart.append(40) == 40
    cart.take(0)
    assert cart.log.cursors[1].number == before + cart.state.numbers[MISSED] - missed > before


def test_what_toolsnet_gets_again_is_given_up_for_no_outlet_that_was_added_where_blocks_are_worn():
    for blocks, worn, appended in ((4, (1,), 7), (8, (2, 5), 0), (8, (2, 5), 13)):
        cart = turned_round(blocks, worn, appended, 1)
        cart.start(TOOLSNET, FILE)
        cart.append(60)
        cart.take(0)
        oldest = cart.log.first_above(0)
        cart.log.seek(cart.log.cursors[0], oldest - 1)  # it was set back
        assert cart.state.save()
        cart.append(200)
        assert cart.state.numbers[OVERWRITTEN] == 0
        assert cart.take(0)[:1] == [oldest]
        cart.take(1)
        assert cart.append(15) == 15


def test_an_outlet_that_was_there_gives_up_nothing_for_a_worn_block():
    cart = Cart(4 + 3 + 6)
    cart.start(TOOLSNET, FILE)
    while cart.append(10) == 10:
        cart.take(0)
    cart.take(0)
    cart.flash.worn = {4 + 3 + place for place in range(6) if cart.log.firsts[place] == 0}
    cart.append(10)
    assert cart.log.cursors[1].number == cart.state.numbers[MISSED] == 0


def test_overwritten_grows_by_what_toolsnet_lacks_and_never_without_it():
    from toolcart.base.clock import Dice
    from host_tests.portable import HAS_ALL, LONG

    others = (FILE, WEBHOOK, "-" + MQTT, "-mqtt:b", "-file:copy")
    for life in range(40 if LONG else 12 if HAS_ALL else 3):
        dice = Dice(life + 1)
        cart = Cart((11, 12, 14, 20)[life % 4])
        cart.start(TOOLSNET)  # else what was before it first came is none of its own
        taken = 0
        before = 0  # OVERWRITTEN of the last snapshot
        for _ in range(12):
            has_toolsnet = dice.randrange(2)
            outlets = [TOOLSNET] if has_toolsnet else [(FILE, WEBHOOK)[dice.randrange(2)]]
            more = others[dice.randrange(5)]
            if more not in outlets:
                outlets.append(more)
            cart.start(*outlets, when_full=("refuse", "overwrite")[dice.randrange(2)], settles=dice.randrange(3) > 0)
            numbers = cart.state.numbers
            if dice.randrange(4) == 0:
                cart.flash.worn = {7 + dice.randrange(cart.flash.block_count - 7)}
            cart.append(dice.randrange(200))
            for index in range(len(outlets)):
                count = len(cart.take(index, dice.randrange(200)))
                taken += count if outlets[index] == TOOLSNET else 0
            cart.log.maintain()
            assert has_toolsnet or numbers[OVERWRITTEN] == before, life
            if dice.randrange(2):
                assert cart.state.save()
            before = cart.state.durable[OVERWRITTEN]
        cart.start(TOOLSNET)
        taken += len(cart.take(0))
        assert taken + cart.state.numbers[OVERWRITTEN] == cart.log.number, life


def test_what_no_outlet_has_had_is_never_left_out():
    from host_tests.portable import LONG

    lists = (
        ((FILE,), (FILE + ":b",)),
        ((FILE,), (WEBHOOK,)),
        ((FILE,), (TOOLSNET, MQTT)),
        ((TOOLSNET,), (TOOLSNET + ":b",)),
        ((TOOLSNET, "-" + FILE), (FILE, "-" + WEBHOOK)),
        ((TOOLSNET, FILE), (WEBHOOK, "-" + FILE)),
        ((FILE, WEBHOOK), (MQTT,)),
        ((FILE, "-" + WEBHOOK), ("-" + FILE, WEBHOOK)),
        ((FILE, "-" + WEBHOOK), ("-" + FILE, MQTT)),
        ((FILE, WEBHOOK), (FILE, MQTT)),
    )
    for first, then in lists:
        for blocks in (3, 4, 7, 16, 40) if LONG else (3, 7):
            for taken in (0, 9, 23, 400):
                case = first, then, blocks, taken
                cart = Cart(7 + blocks)
                cart.start(*first)
                while cart.append(10) == 10 and cart.log.number < 25 * blocks:
                    pass
                had = set()  # by whomever
                for index, words in enumerate(first):
                    if not words.startswith("-"):
                        had |= set(cart.take(index, taken + 5 * index))
                for settles in (False, True, True):
                    cart.start(*then, settles=settles)
                assert not cart.log.doubtful, case
                for index in range(len(then)):
                    had |= set(cart.take(index))
                assert had == set(range(1, cart.log.number + 1)), case
                assert cart.append(5) == 5, case


def test_no_outlet_gives_up_what_the_log_keeps_for_toolsnet_anyway():
    for count in range(150, 190):
        for then in ((TOOLSNET, FILE), (TOOLSNET, FILE, MQTT)):
            cart = Cart(7 + 6)
            cart.start(*then, when_full="overwrite")
            cart.append(count)
            cart.start(*then, settles=False)  # after a kill; no block is free
            oldest = cart.log.first_above(0)
            waiting = [cart.log.backlog_of(cursor) for cursor in cart.log.cursors]
            assert waiting == [cart.log.number - oldest + 1] * len(then), (count, then)
            had = [cart.take(index) for index in range(len(then))]
            assert cart.log.state.ensure_reliable() and cart.log.settle(), (count, then)
            had = [numbers + cart.take(index) for index, numbers in enumerate(had)]
            assert had == [list(range(oldest, cart.log.number + 1))] * len(then), (count, then)


def test_where_the_log_overwrites_what_no_outlet_has_had_is_not_left_out():
    for taken in (0, 20, 45):
        for then in ((FILE + ":b",), (WEBHOOK, "-" + FILE)):
            cart = Cart(7 + 6)
            cart.start(FILE, when_full="overwrite")
            cart.append(200)
            cart.take(0, taken)
            had, oldest = cart.log.cursors[0].number, cart.log.first_above(0)
            cart.start(*then, when_full="overwrite")
            assert cart.log.cursors[0].number + 1 in (oldest, oldest + cart.at_start.added[0])
            assert cart.log.cursors[0].number <= had, (taken, then)


def test_a_worn_block_takes_nothing_that_no_outlet_has_had():
    for worn in range(8):
        cart = Cart(4 + 3 + 8)
        cart.start(FILE)
        while cart.append(10) == 10:
            pass
        had = cart.take(0, 40)
        cart.start(WEBHOOK)
        cart.flash.worn = {4 + 3 + worn}
        cart.append(60)
        taken = cart.take(0)
        assert taken[0] <= had[-1] + 1 and taken == list(range(taken[0], cart.log.number + 1)), worn


def test_events_that_a_start_gives_up_are_missed_by_all_but_toolsnet():
    """To settle the last record in doubt it may overwrite a block, before any outlet is made."""
    if not ON_CPYTHON:
        return  # a board writes no lines of events
    for others in ((FILE,), (FILE, WEBHOOK)):
        given_up = 0
        for count in range(200, 340, 12):
            cart = Cart()
            cart.start(TOOLSNET, *others, when_full="overwrite")
            for number in range(1, count):
                kind = KIND_RESULT if number % 3 else KIND_EVENT
                assert put(cart.log, bytes(BODY_BYTES), kind) == LOG_DONE
            cart.take(0)
            cart.start(TOOLSNET, *others, when_full="overwrite")
            oldest = cart.log.first_above(0)
            for index in range(len(others)):
                lacks = oldest - 1
                assert cart.state.missed_counts[cart.place_of(index + 1)] == lacks == cart.log.cursors[index + 1].number
            given_up += oldest > 1
        assert given_up
