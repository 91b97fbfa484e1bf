"""Results that never become whole, and are repeated until the controller ends the connection: each is acknowledged."""

import host_tests.support.world  # noqa: F401 - first: imports nest, and from deeper down a small stack would not do

# isort: split
from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.agent.openprotocol.missing_bound import missing_most
from toolcart.sim import controller_spindles
from toolcart.sim import operation_frames as frames
from toolcart.sim.profiles import profile_options
from host_tests.agent.station.test_operations import inject
from host_tests.support.frames import example_tightening, message
from host_tests.support.world import Cart

PORTABLE = True
HEAVY = True
HEAP = "12m"

CONNECTIONS = 2  # the first one finds the revision of MID 0001
STEP_SYNC = profile_options("stepsync", sync=())


def stop(parts):
    """The MID 1202 never come."""
    return parts[:1]


def total(parts):
    """It says that there is one part more."""
    more = b"%03d" % (len(parts) + 1)
    return [(mid, revision, more + data[3:], ack) for mid, revision, data, ack in parts]


def twice(parts):
    """It says that there is one part more, and sends part 2 twice."""
    parts = total(parts)
    return parts[:2] + parts[1:]


def headless(parts):
    """The MID 1201 never comes."""
    return parts[1:]


class UnfinishedSession(controller_spindles.OperationSession):
    """Sends all parts of a result at once, and again without as many 1203; at last it ends the connection.

    `kept` are the results that wait for their acknowledgements, over connections where it keeps them.
    """

    shape = staticmethod(stop)
    sends = 4  # of one result
    every_ms = 5000
    keeps = False
    kept = []

    def __init__(self, controller):
        super().__init__(controller)
        self.times = self.left = 0
        self.due = None
        if not self.keeps:
            self.kept[:] = []

    def offer(self, result):
        if self.keeps or (self.operation_revision and self.alive):
            self.kept.append(result)

    def _parts(self, result, revision, asked_with):
        parts = super()._parts(result, revision, asked_with)
        return type(self).shape(parts)

    def _push(self, now):
        if not (self.operation_revision and self.kept and self.alive) or self.wants_close:
            return
        if self.due is not None and ticks_diff(self.due, now) > 0:
            return
        if self.times == self.sends:
            self.close("controller: no acknowledgement")
            return
        self.times += 1
        self.due = ticks_add(now, self.every_ms)
        parts = self._parts(self.kept[0], self.operation_revision, 8)
        self.left = len(parts)
        for part in parts:
            self.say(*part[:3])

    def _watch_acknowledges(self, now):
        return FOREVER if self.due is None else max(0, ticks_diff(self.due, now))

    def _take_part_acknowledgement(self, mid, revision, text, now):
        self.left -= 1
        if self.kept and self.left == 0:
            self.controller.note_acknowledged(self.kept.pop(0).tightening_id)
            self.times = 0
            self.due = None
            self._push(now)


def lived(ms=120000, revision=1, first=2, **traits):
    """Return a cart, and which IDs were made and acknowledged, one every 2 s, at such a controller."""
    real = controller_spindles.OperationSession
    controller_spindles.OperationSession = type("Session", (UnfinishedSession,), dict(traits, kept=[]))
    try:
        cart = Cart(controller=dict(STEP_SYNC, operations=(revision,), history_refusal_code=15))
        cart.controller.produce()  # what it has from before
        cart.ready()
        made = []
        for _ in range(ms // 2000):
            made.append(cart.controller.produce())
            cart.run(2000)
        cart.run(60000)
    finally:
        controller_spindles.OperationSession = real
    return cart, made, cart.controller.acknowledged


def numbers_kept(cart):
    return set(cart.stored_ids() + [int(frame[26:36]) for frame in cart.raw()])


def test_parts_that_are_repeated_are_acknowledged_before_the_controller_ends_the_connection():
    for shape in (stop, total, twice, headless):
        for every_ms, sends in ((5000, 3), (2000, 4), (9000, 2)):
            cart, made, acknowledged = lived(shape=staticmethod(shape), every_ms=every_ms, sends=sends)
            case = shape.__name__, every_ms, sends
            assert acknowledged == made and cart.controller.connections == CONNECTIONS, case
            assert numbers_kept(cart) >= set(made) and cart.controller.complaints == [], case


def test_where_nothing_is_repeated_results_are_acknowledged_on_the_next_connection_and_what_is_not_is_counted():
    for shape in (stop, total, headless):
        for every_ms in (5000, 2000):
            for keeps in (False, True):
                traits = {"shape": staticmethod(shape), "every_ms": every_ms, "sends": 1, "keeps": keeps}
                cart, made, acknowledged = lived(**traits)
                case = shape.__name__, every_ms, keeps
                kept = numbers_kept(cart)
                assert len(acknowledged) >= 40 and kept >= set(acknowledged), case
                ledger = cart.station.ledger
                assert len(set(made) - kept) <= missing_most(ledger) + ledger.gone(), case


def test_parts_that_say_that_they_are_pushed_are_acknowledged_at_once():
    cart, made, acknowledged = lived(20000, revision=2, sends=1)
    assert acknowledged == made and cart.controller.connections == CONNECTIONS


def asked(cart):
    """Connect once more, to a controller that answers no question; return the cart once it has asked one."""
    cart.controller.drop()
    cart.run(200)
    before = cart.controller.messages[6]
    cart.until(lambda: cart.controller.messages[6] > before, 60000)
    return cart


def one_part(number):
    return message(1201, frames.overall_data(example_tightening(tightening_id=number), 1, 2), 1)


def test_question_is_not_sent_again_while_a_part_waits_that_may_be_its_answer():
    with_mute_history(_ask_while_a_part_waits)


def _ask_while_a_part_waits(cart):
    questions = asked(cart).controller.messages[6]
    inject(cart, one_part(3))
    cart.run(7000)
    assert cart.controller.messages[6] == questions and cart.controller.messages.get(1203) == 4
    inject(cart, one_part(3))  # asked for once and there twice: one of the two was pushed
    assert cart.controller.messages[1203] == 5
    cart.run(11000)
    assert cart.raw() == [one_part(3)]


def test_part_above_the_highest_id_known_that_is_given_up_is_counted_as_missing():
    with_mute_history(_end_while_a_part_waits)


def _end_while_a_part_waits(cart):
    inject(asked(cart), one_part(5))
    cart.drop()
    cart.ready()
    assert cart.controller.messages[1203] == 4 and missing_most(cart.station.ledger) == 3
    cart.cut()
    assert missing_most(cart.station.ledger) == 3


def with_mute_history(check):
    """Check it with a cart whose controller has two results that are stored, and answers no question from then on."""
    cart = Cart(controller=dict(STEP_SYNC, operations=(1,))).ready()
    cart.produce(2, 3000)
    cart.settle()
    assert cart.stored_ids() == [1, 2] and cart.station.ledger.top() == 2
    real = controller_spindles.OperationSession.ANSWERS[(6, 1201)]
    controller_spindles.OperationSession.ANSWERS[(6, 1201)] = "_note_nothing"
    controller_spindles.OperationSession._note_nothing = lambda *given: None
    try:
        check(cart)
    finally:
        controller_spindles.OperationSession.ANSWERS[(6, 1201)] = real
