"""Events reach ToolsNet in their place between the results, once, from where its 08 says; results wait for none."""

from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.agent.wide.telegram09 import CODE_OURS
from toolcart.toolsnet import tightening_id_of
from lab.harness.cart import Cart

ALL = ["alarms", "pset", "job", "vin", "gone"]


class Books:
    """The order in which results and events arrive."""

    def __init__(self, archive):
        self.arrived = []
        self._keep("store_result", archive, "R", tightening_id_of)
        self._keep("store_event", archive, "E", lambda one: one["code"])

    def _keep(self, name, archive, letter, shown):
        store = getattr(archive, name)

        def kept(one):
            is_new = store(one)
            if is_new:
                self.arrived.append((letter, shown(one)))
            return is_new

        setattr(archive, name, kept)


def cart(events=("alarms", "gone"), toolsnet=(), settings=None, blocks=16, **more):
    tables = {"toolsnet": {"events": list(events)}, "controller": {"events": ["alarms", "pset", "job", "vin"]}}
    for name in settings or {}:
        tables.setdefault(name, {}).update(settings[name])
    made = Cart(settings=tables, toolsnet=toolsnet, blocks=blocks, **more)
    made.books = Books(made.archive)
    made.until_ready()
    return made


def put(cart, code=b"E1", what=ev.ALARM):
    """Write an event into the log as the agent would; True if it is there."""
    log = cart.station.log
    ev.put_event(log.stage, log.place, log.next, 10, what)
    ev.put_code(log.stage, log.place, code, 0, len(code))
    ev.put_time(log.stage, log.place, cart.clock.stamp().encode(), 0)
    done = log.append(KIND_EVENT, 0, ev.EVENT_LEAST) == LOG_DONE
    cart.app.network_is_up(cart.clock.now)  # wakes everybody
    return done


def codes(cart):
    return [event["code"] for event in cart.archive.events]


def sequences(cart):
    return [event["sequence"] for event in cart.archive.events]


def ascend(cart):
    """True if the sequences of the events ascend; what else has a number in the log leaves holes."""
    found = sequences(cart)
    return len(found) > 0 and found == sorted(set(found))


def shown(cart):
    state = {}
    cart.station.outlets[0].put_state(state)
    return state


# -- the ordinary way


def test_backlog_of_results_and_events_goes_out_in_order_of_the_log():
    one = cart()
    for place in (("tn", 6575), ("tn", 10111)):
        one.network.down(*place)
    one.run(1000)
    expected = []
    for index in range(40):
        if index % 3 == 1:
            put(one, b"E%d" % (100 + index))
            expected.append(("E", 100 + index))
        one.controller.produce()
        one.run(50)
        expected.append(("R", index + 1))
    for place in (("tn", 6575), ("tn", 10111)):
        one.network.up(*place)
    one.until_quiet()
    one.run(1000)
    assert one.books.arrived == expected
    assert ascend(one) and one.archive.events_stored == 13
    one.clean()


def test_only_what_is_wished_for_goes_out_and_the_rest_is_passed():
    one = cart(["vin", "job"])
    put(one, b"E1")
    put(one, b"0007", ev.JOB)
    put(one, b"E2")
    put(one, b"", ev.VIN)
    one.run(1000)
    assert codes(one) == [CODE_OURS + ev.JOB, CODE_OURS + ev.VIN]
    assert shown(one)["events_waiting"] == 0
    one.cut()
    one.run(10000)
    assert one.archive.events_stored == 2 and one.archive.events_repeated == 0 and not shown(one)["events_doubt"]


# -- trouble


def test_refused_event_is_passed_after_three_offers_and_results_go_on():
    for answer, code in (("05", 17), ("10", 4711)):
        one = cart(toolsnet={"telegram_codes": {"09": code}, "event_answer": answer})
        put(one)
        one.run(100)
        took = one.clock.total_ms
        one.controller.produce()
        one.until_quiet()
        assert one.clock.total_ms - took < 1000, "it waited for an event"
        one.run(60000)
        assert shown(one)["events_passed"] == 1 and shown(one)["events_waiting"] == 0
        assert one.toolsnet.telegrams["09"] == 3
        one.options.telegram_codes = {}
        put(one, b"E2")
        one.run(1000)
        assert codes(one) == [2] and ascend(one)


def test_server_that_never_answers_event_costs_results_one_connection_and_then_few():
    one = cart(toolsnet={"silent_telegrams": ["09"]})
    for index in range(5):
        put(one, b"E%d" % index)
    hours = 6
    for _ in range(hours * 12):
        one.controller.produce()
        one.run(300000)
    one.until_quiet()
    assert one.toolsnet.server_connections <= 4 + hours
    assert one.archive.repeated == 0
    assert shown(one)["events_passed"] >= 1


def test_answer_lost_with_the_connection_is_learned_from_the_08():
    one = cart()
    put(one)
    one.run(1000)
    one.options.silent_telegrams = ["09"]
    put(one, b"E2")
    one.run(100)
    event = dict(one.archive.events[0], sequence=2, code=2)
    one.archive.store_event(event)  # it was stored, and its 05 went with the connection
    one.toolsnet.drop()
    one.options.silent_telegrams = []
    one.run(70000)
    put(one, b"E3")
    one.run(1000)
    assert codes(one) == [1, 2, 3] and one.archive.events_repeated == 0
    assert shown(one)["events_sent"] == 3 and not shown(one)["events_doubt"]


def test_cut_at_every_moment_of_many_starts_keeps_the_events():
    one = cart()
    for index in range(1, 25):
        put(one, b"E%d" % index)
        one.run(index % 7)
        one.cut()
        one.run((index * 37) % 400)
    one.run(60000)
    assert codes(one) == list(range(1, 25)) and one.archive.events_repeated == 0


# -- where the server stands


def test_server_that_was_restored_gets_the_rest_only_if_that_is_wanted():
    for rewind in (False, True):
        one = cart(settings={"toolsnet": {"rewind": rewind}})
        for index in range(4):
            put(one, b"E%d" % (index + 1))
        one.run(1000)
        one.options.reported_event = 2
        one.toolsnet.drop()
        one.run(500)
        one.options.reported_event = None
        one.run(60000)
        assert ("restored" in shown(one)["events_doubt"]) or rewind
        put(one, b"E5")
        one.run(1000)
        assert one.archive.events_repeated == (2 if rewind else 0)
        assert codes(one) == [1, 2, 3, 4, 5]


def test_a_number_that_was_never_sent_is_said():
    one = cart()
    put(one, b"E1")
    one.run(1000)
    one.options.reported_event = 40000  # another cart's
    one.toolsnet.drop()
    put(one, b"E2")
    one.run(70000)
    assert codes(one) == [1, 2] and sequences(one) == [1, 40001]
    assert "40000" in shown(one)["events_doubt"] and "station 10 used twice" in shown(one)["events_doubt"]


# -- the log


def test_full_log_gives_up_events_and_no_result():
    one = cart(blocks=8, settings={"spool": {"when_full": "refuse"}})
    for place in (("tn", 6575), ("tn", 10111)):
        one.network.down(*place)
    one.run(1000)
    one.controller.produce()
    one.run(1000)
    count = 0
    while count < 2000 and put(one, b"E%d" % (count % 1000)):
        count += 1
    assert count < 2000, "it is full: the result in front is not delivered"
    for place in (("tn", 6575), ("tn", 10111)):
        one.network.up(*place)
    one.run(600000)
    one.until_quiet()
    assert one.archive.events_stored == count and one.archive.events_repeated == 0
    for _ in range(150):
        one.controller.produce()
        one.run(100)
    one.until_quiet()
    one.clean()
