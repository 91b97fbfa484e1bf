"""Events reach ToolsNet between the results, once, from where its 08 says; telegram 09 octet for octet."""

import pytest

from toolcart.agent.base import counters as counter
from toolcart.agent.cart.status import log_entry, of_station
from toolcart.agent.linux.telegram09 import CODE_OURS, write
from toolcart.agent.log.log import LOG_DONE
from toolcart.agent.log.newest_event import append_event
from toolcart.agent.record import event as ev
from toolcart.agent.toolsnet import telegram
from toolcart.base.clock import Dice
from toolcart.spool.offline_spool import begun
from toolcart.tools.messages import latched_conditions
from toolcart.toolsnet.records import tightening_id_of
from host_tests.agent.outlets.test_lost_snapshot import SLOT, snapshots
from host_tests.support.combinations import all_pairs
from host_tests.support.log import put_event
from host_tests.support.toolsnet import read
from lab.harness.cart import Cart

WORKED = b"00720900045000300010010202403140930000000400404002010010E404                "
TIME = b"2024-03-14:09:30:00"


def event(what, code=b"", text=b"", controller=0x20, tool=0x20, time=TIME, number=4, station=10):
    page = bytearray(3 + ev.EVENT_MOST)
    put_event(page, 3, what, number, station, code, text, time, controller, tool)
    return page


def written(page, sequence=4, ident=45):
    """Return the telegram as sent, and what the simulated ToolsNet reads in it; it must find no breach."""
    octets = write(page, 3, 3, 1, ident, sequence)
    return octets, read(octets)


def parameters_of(telegram):
    return [(one["parameter_id"], one["type"], one["value"]) for one in telegram["parameters"]]


def test_worked_example_octet_for_octet():
    """The example has one parameter; ours go on with the two of readiness."""
    octets = written(event(ev.ALARM, b"E404", controller=0x31, tool=0x30))[0]
    assert octets[4:50] + b"01" + octets[52:76] == WORKED[4:]


def test_other_events_have_codes_of_ours_and_their_fields():
    telegram = written(event(ev.PSET_SELECTED, b"012", b"2024-02-01:08:00:00" + b"Wheel, left"))[1]
    assert telegram["code"] == CODE_OURS + 3 and telegram["level"] == 0
    assert parameters_of(telegram) == [(1, 0, "012"), (4, 0, "Wheel, left"), (10, 0, "2024-02-01:08:00:00")]
    telegram = written(event(ev.VIN, b"", b"V" * 40 + b"second".ljust(25) + b"x" * 25 + b"fourth"))[1]
    assert parameters_of(telegram) == [
        (30, 0, "V" * 20),
        (31, 0, "V" * 20),
        (32, 0, "second"),
        (34, 0, "x" * 20),
        (35, 0, "x" * 5),
        (36, 0, "fourth"),
    ]
    telegram = written(
        event(ev.JOB, b"0007", b"1" + b"0" + b"0012" + b"0003" + b"   " + b"004" + b"01" + b"02" + b"00009")
    )[1]
    assert parameters_of(telegram) == [
        (1, 0, "0007"),
        (20, 1, "1"),
        (21, 1, "0"),
        (22, 1, "0012"),
        (23, 1, "0003"),
        (25, 1, "004"),
        (26, 1, "01"),
        (27, 1, "02"),
        (28, 1, "00009"),
    ]
    gone = b"4294967290" + b"4294967295" + b"0000000006" + b"0000001006" + b"002"
    assert parameters_of(written(event(ev.GONE, b"reset", gone))[1]) == [
        (1, 0, "reset"),
        (40, 0, "4294967290"),
        (41, 0, "4294967295"),
        (42, 1, "0000000006"),
        (43, 1, "0000001006"),
        (44, 1, "002"),
    ]


def test_what_is_no_number_goes_out_as_text():
    assert parameters_of(written(event(ev.JOB, b"1", b"x" + b"1" + b"1x 4"))[1])[1:] == [
        (20, 0, "x"),
        (21, 1, "1"),
        (22, 0, "1x 4"),
    ]


def test_event_without_a_time_carries_one_that_a_server_can_read():
    assert written(event(ev.ALARM, b"E1", time=b" " * 19))[1]["time"] == "20000101000000"


def test_nothing_but_printable_ascii_goes_out():
    telegram = written(event(ev.ALARM, b"\xc3\xa41\x00\x07", b"W\xc3\xa4rme\x00\x1b\x7f"))[1]
    assert parameters_of(telegram)[:3] == [(1, 0, "??1"), (4, 0, "W~C3~A4rme~00~1B~7F")]


def test_any_record_that_can_be_makes_a_telegram_without_breach():
    dice = Dice(11)
    kinds = (ev.ALARM, ev.ALARM_ACKNOWLEDGED, ev.PSET_SELECTED, ev.JOB, ev.VIN, ev.GONE, 6, 255)
    for _ in range(600):
        length = dice.randrange(ev.TEXT_MOST + 1)
        page = bytearray([dice.randrange(256) for _ in range(3 + ev.EVENT_LEAST)])
        page[3 + ev.WHAT] = kinds[dice.randrange(len(kinds))]
        page[3 + 4] = 1 + dice.randrange(255)
        page[3 + 5] = 0
        ev.put_time(page, 3, TIME, 0)
        page[3 + ev.TEXT_LENGTH] = length
        page += bytes([dice.randrange(256) if dice.randrange(2) else 0x30 + dice.randrange(10) for _ in range(length)])
        sequence = 1 + dice.randrange(99999)
        telegram = written(page, sequence, 1 + dice.randrange(99999))[1]
        assert telegram["sequence"] == sequence


def arriving(archive):
    """Return a list that grows by results and events in the order in which they arrive."""
    arrived = []
    for name, letter, key_of in (
        ("store_result", "R", tightening_id_of),
        ("store_event", "E", lambda one: one["code"]),
    ):
        store = getattr(archive, name)

        def kept(one, store=store, letter=letter, key=key_of):
            is_new = store(one)
            if is_new:
                arrived.append((letter, key(one)))
            return is_new

        setattr(archive, name, kept)
    return arrived


def cart(events=("alarms", "gone"), toolsnet=(), settings=None, blocks=16, **more):
    tables = {"toolsnet": {"events": list(events)}, "controller": {"events": ["alarms", "pset", "job", "vin"]}}
    for name in settings or {}:
        tables.setdefault(name, {}).update(settings[name])
    made = Cart(settings=tables, toolsnet=toolsnet, blocks=blocks, **more)
    made.arrived = arriving(made.archive)
    made.until_ready()
    return made


def put(cart, code=b"E1", what=ev.ALARM):
    """Write an event into the log as the agent would; True if it is there."""
    log = cart.station.log
    ev.put_event(log.stage, log.payload_at, log.next, 10, what)
    ev.put_code(log.stage, log.payload_at, code, 0, len(code))
    ev.put_time(log.stage, log.payload_at, cart.clock.stamp().encode(), 0)
    done = append_event(log, 0, ev.EVENT_LEAST) == LOG_DONE
    cart.app.network_is_up(cart.clock.now)  # wakes everybody
    return done


def codes(cart):
    return [event["code"] for event in cart.archive.events]


def sequences(cart):
    return [event["sequence"] for event in cart.archive.events]


def ascend(cart):
    """True if the sequences of the events ascend; what else has a number in the log leaves gaps."""
    numbers = sequences(cart)
    return len(numbers) > 0 and numbers == sorted(set(numbers))


# -- the ordinary way


def test_backlog_of_results_and_events_goes_out_in_order_of_the_log():
    one = cart()
    one.refuse(True)
    one.run(1000)
    expected = []
    for index in range(40):
        if index % 3 == 1:
            put(one, b"E%d" % (100 + index))
            expected.append(("E", 100 + index))
        one.produce(1, 50)
        expected.append(("R", index + 1))
    one.refuse(False)
    one.until_quiet(and_ms=1000)
    assert one.arrived == expected
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
    assert one.outlet_status()["events_waiting"] == 0
    one.cut()
    one.run(10000)
    assert (
        one.archive.events_stored == 2 and one.archive.events_repeated == 0 and not one.outlet_status()["events_doubt"]
    )


# -- trouble


@pytest.mark.parametrize("count", [2, 5, 10, 25])
@pytest.mark.parametrize("by", ["start", "order"])
def test_events_that_an_older_state_does_not_know_to_be_gone_are_counted_and_stay_so(count, by):
    one = cart(settings={"spool": {"when_full": "overwrite"}}, blocks=8)
    one.refuse(True)
    for index in range(300):
        put(one, b"E%d" % index)
        one.produce(1, 100)
    flash = one.flashes["spool0"]
    flash.wears = False
    gone = one.outlet_status()["events_missed"]
    assert gone > 200
    for at in snapshots(flash)[-count:]:
        flash.cells[at : at + SLOT] = b"\x11" * SLOT
    if by == "order":
        ordered = begun(flash)
        assert ordered.state.older and ordered.state.save()
    one.cut()
    one.run(10)
    assert one.station.state.older == (by == "start")
    first = one.station.log.first_above(0)
    told = one.outlet_status()["events_missed"]
    assert gone <= told < first, "a bound: an older state may know of fewer results"
    assert one.station.state.save()
    one.cut()
    one.run(10)
    assert not one.station.state.older and one.station.log.first_above(0) == first
    assert one.outlet_status()["events_missed"] == told


def test_refused_event_is_passed_after_three_offers_and_results_go_on():
    for answer, code in (("05", 17), ("10", 4711)):
        one = cart(toolsnet={"telegram_codes": {"09": code}, "event_answer": answer})
        put(one)
        one.run(100)
        took = one.clock.total_ms
        one.produce()
        one.until_quiet()
        assert one.clock.total_ms - took < 1000, "it waited for an event"
        one.run(60000)
        assert one.outlet_status()["events_missed"] == 1 and one.outlet_status()["events_waiting"] == 0
        assert one.outlet_status()["events_sent"] == 0
        logged = [log_entry(one.clock.now, *entry) for entry in one.counters.log.entries()]
        logged = [entry for entry in logged if entry["name"] in ("refused by server", "given up")]
        assert logged[-1]["name"] == "given up" and one.counters.counts[counter.GIVEN_UP] == 1
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
    one.produce(hours * 12, 300000)
    one.until_quiet()
    assert one.toolsnet.server_connections <= 4 + hours
    assert one.archive.repeated == 0
    assert one.outlet_status()["events_missed"] >= 1


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
    assert one.outlet_status()["events_sent"] == 3 and not one.outlet_status()["events_doubt"]


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
        assert ("restored" in one.outlet_status()["events_doubt"]) or rewind
        put(one, b"E5")
        one.run(1000)
        assert one.archive.events_repeated == (2 if rewind else 0)
        assert codes(one) == [1, 2, 3, 4, 5]


def test_a_number_that_was_never_sent_is_reported():
    one = cart()
    put(one, b"E1")
    one.run(1000)
    one.options.reported_event = 40000  # another cart's
    one.toolsnet.drop()
    one.run(70000)
    assert (
        "40000" in one.outlet_status()["events_doubt"]
        and "station 10 used twice" in one.outlet_status()["events_doubt"]
    )
    put(one, b"E2")
    one.run(70000)
    assert codes(one) == [1, 2] and sequences(one) == [1, 40001] and not one.outlet_status()["events_doubt"]


def name(one, sequence, times=1):
    """Let the next 08s name this event, and those after them what ToolsNet has."""
    one.options.reported_event = sequence
    for _ in range(times):
        one.toolsnet.drop()
        one.run(70000)
    one.options.reported_event = None


@pytest.mark.parametrize("is_cut", [False, True])
def test_events_that_may_reach_toolsnet_twice_are_said(is_cut):
    one = cart()
    put(one, b"E1")
    one.run(1000)
    one.options.silent_telegrams = ["09"]
    put(one, b"E2")
    one.run(100)
    one.archive.store_event(dict(one.archive.events[0], sequence=2, code=2))  # its 05 is lost
    one.options.silent_telegrams = []
    if is_cut:
        one.options.reported_event = 40000
        one.cut()
        one.run(70000)
    name(one, 40000)
    one.run(70000)
    assert codes(one) == [1, 2, 2] and one.outlet_status()["events_perhaps_there"] == 1
    one.toolsnet.drop()
    one.run(70000)
    status = one.outlet_status()
    assert not status["events_doubt"] and status["events_perhaps_there"] == 1, "it is said from now on"


@pytest.mark.parametrize("stored", [2, 99999])
@pytest.mark.parametrize("times", [1, 2])
def test_what_toolsnet_has_after_all_is_not_sent_again(stored, times):
    one = cart(settings={"toolsnet": {"rewind": True}})
    for index in range(3):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    one.options.silent_telegrams = ["09"]
    name(one, stored, times)
    one.options.silent_telegrams = []
    one.toolsnet.drop()
    one.run(70000)
    put(one, b"E4")
    one.run(700000)
    assert codes(one) == [1, 2, 3, 4] and sequences(one) == [1, 2, 3, 4] and one.archive.events_repeated == 0
    status = one.outlet_status()
    assert (status["events_doubt"], status["events_perhaps_there"]) == ("", 0)


def test_one_that_waited_at_a_wrong_08_is_not_sent_again_where_the_next_one_names_it():
    for wrong in (99998, 1, 0):
        one = cart()
        for index in range(2):
            put(one, b"E%d" % (index + 1))
        one.run(1000)
        one.options.silent_telegrams = ["09"]
        put(one, b"E3")
        one.run(80000)  # it is out for the second time; the third one is ten minutes later
        one.archive.store_event(dict(one.archive.events[0], sequence=3, code=3))  # its 05 is lost
        name(one, wrong)
        one.toolsnet.drop()
        one.run(70000)
        assert one.toolsnet.telegrams["09"] == 7
        one.options.silent_telegrams = []
        put(one, b"E4")
        one.run(1300000)
        assert codes(one) == [1, 2, 3, 4] and one.archive.events_repeated == 0
        assert not one.outlet_status()["events_doubt"] and one.outlet_status()["events_missed"] == 0


def forget(one, kept):
    """Restore ToolsNet from a copy with so many events."""
    archive = one.archive
    events, results = archive.events[:kept], archive.results
    archive.clear()
    for event in events:
        archive.store_event(event)
    for result in results:
        archive.store_result(result)
    one.toolsnet.drop()
    one.run(70000)


def exchange(one, event):
    """Exchange ToolsNet's database for one with the results of before and this event alone, another cart's."""
    forget(one, 0)
    one.archive.store_event(event)
    one.toolsnet.drop()
    one.run(70000)


def lacking(one, made):
    """Return how many of the events E1.. up to `made` ToolsNet lacks."""
    return len(set(range(1, made + 1)) - set(codes(one)))


@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize("kept", [None, 2, 0])
def test_what_was_sent_is_missed_where_the_08_names_an_event_that_never_was(kept, is_cut):
    one = cart()
    for index in range(5):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    event = dict(one.archive.events[0], sequence=300, code=77)
    if kept is not None:
        forget(one, kept)
    exchange(one, event)
    assert "holds event 300" in one.outlet_status()["events_doubt"]
    for made in (6, 7):
        if is_cut:
            one.cut()
            one.run(70000)
        put(one, b"E%d" % made)
        one.run(1000)
        assert sequences(one)[-1] == 295 + made
        status = one.outlet_status()
        assert (status["events_missed"], status["events_doubt"]) == (5, ""), "it may have none of the five"
        one.toolsnet.drop()
        one.run(70000)


@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize("blocks", [6, 64])
def test_what_the_same_or_an_older_copy_lacks_is_counted_once(blocks, is_cut):
    one = cart(blocks=blocks)
    for index in range(5):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    if blocks == 6:
        one.produce(200, 50)
        one.until_quiet()
    copy = list(one.archive.events)
    made = 5
    for kept in (2, 2, 2, 2, 1, 0, 0):
        results = one.archive.results
        one.archive.clear()
        for event in copy[:kept]:
            one.archive.store_event(event)
        for result in results:
            one.archive.store_result(result)
        one.toolsnet.drop()
        one.run(70000)
        if is_cut:
            one.cut()
            one.run(70000)
        made += 1
        put(one, b"E%d" % made)
        one.run(1000)
        missed = one.outlet_status()["events_missed"]
        assert lacking(one, made) <= missed <= made - 1
        if not is_cut:
            assert missed == lacking(one, made)
        assert not one.outlet_status()["events_doubt"]


@pytest.mark.parametrize("rewind", [False, True])
def test_doubt_ends_with_its_cure(rewind):
    one = cart(settings={"toolsnet": {"rewind": rewind}})
    for index in range(5):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    if rewind:
        one.options.silent_telegrams = ["09"]
    forget(one, 2)
    assert "up to 3 events behind" in one.outlet_status()["events_doubt"] or rewind
    if not rewind:
        one.options.silent_telegrams = ["09"]
        put(one, b"E6")
        one.run(100)
        for _ in range(3):
            status = one.outlet_status()
            assert (status["events_missed"], status["events_doubt"]) == (3, ""), "it is said once"
            one.toolsnet.drop()
            one.run(70000)
    one.options.silent_telegrams = []
    one.run(700000)
    status = one.outlet_status()
    assert (status["events_missed"], status["events_doubt"]) == (0 if rewind else 3, "")
    assert codes(one) == ([1, 2, 3, 4, 5] if rewind else [1, 2, 6])


def test_doubt_lasts_until_the_last_one_is_sent_again():
    one = cart(settings={"toolsnet": {"rewind": True}})
    for index in range(5):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    seen, keep = [], one.archive.store_event
    one.archive.store_event = lambda event: (seen.append(one.outlet_status()["events_doubt"]), keep(event))[1]
    events = one.archive.events[:2]
    one.archive.clear()
    for event in events:
        keep(event)
    one.toolsnet.drop()
    one.run(70000)
    assert [words[:30] for words in seen] == ["ToolsNet is up to 3 events beh"] * 3
    assert codes(one) == [1, 2, 3, 4, 5] and not one.outlet_status()["events_doubt"]


def test_08_that_names_none_lets_stand_what_the_one_before_showed(monkeypatch):
    one = cart()
    for index in range(5):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    forget(one, 2)
    read_number = telegram.event_sequence_of
    monkeypatch.setattr(telegram, "event_sequence_of", lambda buf, at: read_number(bytes(16) + b"     ", 0))
    one.toolsnet.drop()
    one.run(70000)
    put(one, b"E6")
    one.run(1000)
    assert codes(one) == [1, 2, 6] and one.outlet_status()["events_missed"] == 3


@pytest.mark.parametrize(("kept", "has_given_up", "rewind"), all_pairs([0, 2], [False, True], [False, True]))
def test_events_that_toolsnet_had_and_lost_are_sent_again_or_counted_once(rewind, has_given_up, kept):
    one = cart(blocks=6, settings={"toolsnet": {"rewind": rewind}})
    for index in range(4):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    if has_given_up:
        one.produce(200, 50)
        one.until_quiet()
    again = rewind and kept and not has_given_up
    forget(one, kept)
    status = one.outlet_status()
    assert bool(status["events_doubt"]) == (not again), "those that were sent again are there"
    assert status["events_missed"] == 0, "the next one is not out"
    for _ in range(2):
        one.cut()
        one.run(70000)
    one.options.silent_telegrams = ["09"]
    put(one, b"E5")
    one.run(700)
    for _ in range(2):
        one.toolsnet.drop()
        one.run(70000)
    one.options.silent_telegrams = []
    one.run(700000)
    for _ in range(2):
        assert codes(one) == [1, 2, 3, 4, 5][:kept] + ([3, 4, 5] if again else [5])
        assert one.outlet_status()["events_missed"] == (0 if again else 4 - kept)
        one.cut()
        one.run(70000)
    assert not one.outlet_status()["events_doubt"]


def jumped(one, far=500):
    """Let ToolsNet take E1..E12, name an event far in front, and take E13 and E14 after it; return its copy of nine."""
    for index in range(9):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    copy = list(one.archive.events)
    for index in range(9, 12):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    name(one, far)
    assert f"holds event {far}, which this spool never sent" in one.outlet_status()["events_doubt"]
    for index in (13, 14):
        put(one, b"E%d" % index)
        one.run(1000)
    assert sequences(one)[-2:] == [far + 1, far + 2]
    return copy


def restore(one, events):
    """Restore ToolsNet from a copy with the results of now and these events."""
    results = one.archive.results
    one.archive.clear()
    for event in events:
        one.archive.store_event(event)
    for result in results:
        one.archive.store_result(result)
    one.toolsnet.drop()
    one.run(70000)


@pytest.mark.parametrize(
    ("jumps", "kept", "lacks"), [((500,), 9, 5), ((500,), 1, 13), ((15,), 9, 5), ((40000, 80000), 9, 6)]
)
def test_a_copy_from_before_the_sequence_jumped_is_not_of_events_that_were_never_sent(jumps, kept, lacks):
    one = cart()
    copy = jumped(one, jumps[0])
    for far in jumps[1:]:
        name(one, far)
        put(one, b"E15")
        one.run(1000)
        assert sequences(one)[-1] == far + 1
    missed = one.outlet_status()["events_missed"]
    restore(one, copy[:kept])
    for _ in range(3 - len(jumps)):  # of two it is in front, and the sequence goes on behind it at once
        words = one.outlet_status()["events_doubt"]
        assert words == f"ToolsNet is up to {lacks} events behind: was it restored from an old copy?"
        one.toolsnet.drop()
        one.run(70000)
    put(one, b"E16")
    one.run(1000)
    assert codes(one) == [*range(1, kept + 1), 16]
    status = one.outlet_status()
    assert not status["events_doubt"] and 15 - kept - 1 <= status["events_missed"] <= missed + 2
    name(one, 300 if jumps == (500,) else 30000)
    assert "never sent" in one.outlet_status()["events_doubt"] or jumps != (500,)


@pytest.mark.parametrize("jumps", [(500,), (40000, 80000)])
def test_the_right_toolsnet_is_in_no_doubt_where_nothing_went_out_since_the_sequence_jumped(jumps):
    one = cart()
    for index in range(3):
        put(one, b"E%d" % (index + 1))
    one.run(1000)
    for far in jumps:
        name(one, far)
        assert f"holds event {far}, which this spool never sent" in one.outlet_status()["events_doubt"]
    one.toolsnet.drop()
    one.run(70000)
    assert not one.outlet_status()["events_doubt"]
    put(one, b"E4")
    one.run(1000)
    assert codes(one) == [1, 2, 3, 4] and not one.outlet_status()["events_doubt"]


@pytest.mark.parametrize("kept", [9, 12])
def test_after_a_copy_from_before_the_sequence_jumped_what_it_lacks_is_sent_again(kept):
    one = cart(settings={"toolsnet": {"rewind": True}})
    jumped(one)
    restore(one, one.archive.events[:kept])
    assert codes(one) == list(range(1, 15)) and not one.outlet_status()["events_doubt"]
    restore(one, one.archive.events[:kept])
    put(one, b"E15")
    one.run(1000)
    assert codes(one) == list(range(1, 16)) and not one.outlet_status()["events_doubt"]


def test_after_a_start_nothing_is_known_of_what_was_sent_before_the_sequence_jumped():
    one = cart()
    copy = jumped(one)
    one.cut()
    one.run(70000)
    restore(one, copy)
    assert "event 9, which this spool never sent, as far as it knows: " in one.outlet_status()["events_doubt"]


@pytest.mark.parametrize("has_jumped", [False, True])
def test_doubt_that_toolsnet_was_emptied_says_how_many_it_had(has_jumped):
    one = cart(["alarms"])
    if has_jumped:
        jumped(one)
    else:
        put(one, b"E1")
    one.produce(3)
    one.run(1000)
    restore(one, [])
    had = "14 that were" if has_jumped else "1 that was"
    words = f"ToolsNet holds no event of station 10, of up to {had} taken: was its database emptied?"
    assert one.outlet_status()["events_doubt"] == words


# -- the log


def test_events_that_give_way_to_results_count_as_missed_and_leave_no_doubt():
    for answers in ({"silent_telegrams": ["09"]}, {"telegram_codes": {"09": 17}}):
        one = cart(blocks=6, toolsnet=answers)
        for index in range(40):
            put(one, b"E%d" % (index + 1))
        one.produce(200, 50)
        one.until_quiet()
        assert one.outlet_status()["events_missed"] > 30
        one.cut()
        one.run(2000)
        assert one.outlet_status()["events_missed"] > 30
        for index in range(40, 44):
            put(one, b"E%d" % (index + 1))
        one.options.silent_telegrams, one.options.telegram_codes = [], {}
        one.toolsnet.drop()
        one.run(120000)
        one.cut()
        one.run(2000)
        status = one.outlet_status()
        assert 44 - status["events_missed"] <= len(codes(one)) and codes(one)[-4:] == [
            41,
            42,
            43,
            44,
        ]
        assert ascend(one) and one.archive.events_repeated == 0 and not status["events_doubt"]
        assert status["events_missed"] + len(codes(one)) >= 40


@pytest.mark.parametrize("answers", [{"silent_telegrams": ["09"]}, {"telegram_codes": {"09": 17}}])
def test_what_toolsnet_lacks_is_counted_over_kills(answers):
    one = cart(toolsnet=answers)
    for index in range(9):
        put(one, b"E%d" % (index + 1))
    for index in range(12):
        one.run(100 + 9000 * index if "telegram_codes" in answers else 4600000)
        one.produce()
        one.until_quiet()
        one.cut()
        one.run(1000)
        status = one.outlet_status()
        assert 9 - status["events_waiting"] <= status["events_missed"] + len(codes(one))
    assert status["events_missed"] > 2
    one.options.silent_telegrams, one.options.telegram_codes = [], {}
    one.toolsnet.drop()
    one.run(7300000)
    status = one.outlet_status()
    assert status["events_waiting"] == 0
    assert 9 <= status["events_missed"] + len(codes(one)) <= 9 + 1 and one.archive.events_repeated == 0


def wish(one, *events):
    """Start with this setting of `toolsnet.events`, and let what waits go out."""
    one.app.stop(one.clock.now)
    one.run(2000)
    one.app.close()
    other = Cart(settings={"toolsnet": {"events": list(events)}, "controller": {"events": ["alarms"]}}, blocks=6)
    one.configuration = other.configuration
    one.cut()
    one.run(10000)


def test_events_that_toolsnet_lacks_stay_counted_as_its_own_where_it_gets_none_any_more():
    one = cart(blocks=6, toolsnet={"telegram_codes": {"09": 17}})
    for index in range(40):
        put(one, b"E%d" % index)
    one.produce(200, 50)
    one.until_quiet()
    assert one.outlet_status()["events_missed"] > 30
    for _ in range(2):
        wish(one)
        status = of_station(one.station, one.clock.now)
        needs = {need.slug for need in latched_conditions.all_needs(status)}
        assert status["outlets"][0]["events_missed"] > 30 and "events missed" in needs and "missed" not in needs


@pytest.mark.parametrize(("waiting", "before"), [(0, 0), (30, 0), (30, 5000)])
def test_what_toolsnet_names_is_where_events_go_on_after_the_log_went_round_without_them(waiting, before):
    one = cart(blocks=6, toolsnet={"reported_event": before or None})
    one.options.reported_event = None
    for index in range(5):
        put(one, b"E%d" % (index + 1))
    one.produce(5, 300)
    one.until_quiet()
    one.refuse(True)
    for index in range(waiting):
        assert put(one, b"E%d" % (index + 6))
    one.produce(1, 300)
    wish(one)
    one.refuse(False)
    one.until_ready()
    one.produce(400, 50)
    one.until_quiet()
    assert one.station.log.first_above(0) > 60
    wish(one, "alarms")
    for _ in range(2):
        status = one.outlet_status()
        assert (status["events_doubt"], status["events_doubts"]) == ("", 0)
        assert waiting <= status["events_missed"] <= waiting + (5 if before else 0), "else a bound"
        put(one, b"E99")
        one.run(10000)
        wish(one, "alarms")
    assert codes(one) == [1, 2, 3, 4, 5, 99, 99] and sequences(one) == [before + at for at in range(1, 8)]


def test_doubt_that_toolsnet_was_emptied_needs_an_event_that_it_took():
    for answers in ({"silent_telegrams": ["09"]}, {"telegram_codes": {"09": 17}}):
        one = cart(toolsnet=answers)
        for index in range(3):
            put(one, b"E%d" % (index + 1))
        one.run(15 * 3600000)
        assert one.outlet_status()["events_missed"] == 3
        for _ in range(2):
            one.toolsnet.drop()
            one.run(70000)
            assert not one.outlet_status()["events_doubt"]
            one.cut()
            one.run(70000)
            assert not one.outlet_status()["events_doubt"]
        one.options.silent_telegrams, one.options.telegram_codes = [], {}
        put(one, b"E4")
        one.run(4000000)
        assert codes(one) in ([4], [3, 4]), "3 may be offered again: that it was passed was not durable"
        assert sequences(one) == [1, 2][: len(codes(one))]
        one.options.silent_telegrams, one.options.telegram_codes = (
            answers.get("silent_telegrams", []),
            answers.get("telegram_codes", {}),
        )
        put(one, b"E5")
        one.run(8 * 3600000)
        one.cut()
        one.run(70000)
        assert not one.outlet_status()["events_doubt"], "it lacks what it never took"
        assert one.outlet_status()["events_sent"] <= len(codes(one))


def test_doubt_that_toolsnet_was_emptied_ends_with_the_first_event_taken():
    one = cart()
    put(one, b"E1")
    one.run(1000)
    one.options.reported_event = 0
    one.toolsnet.drop()
    one.run(70000)
    assert "holds no event" in one.outlet_status()["events_doubt"]
    put(one, b"E2")
    one.run(1000)
    assert codes(one) == [1, 2] and not one.outlet_status()["events_doubt"]


def test_refused_event_is_not_sent_again_in_the_place_of_one_that_was_lost():
    one = cart(settings={"toolsnet": {"rewind": True}})
    put(one, b"E1")
    one.run(1000)
    one.options.telegram_codes = {"09": 17}
    put(one, b"E2")
    one.run(60000)
    one.options.telegram_codes = {}
    put(one, b"E3")
    one.run(1000)
    assert sequences(one) == [1, 2]
    one.options.reported_event = 1
    one.toolsnet.drop()
    one.run(500)
    one.options.reported_event = None
    one.run(60000)
    assert one.archive.events_repeated == 1 and codes(one) == [1, 3]
    assert not one.outlet_status()["events_doubt"]


@pytest.mark.parametrize("field", [b"     ", b"none ", b"-0001"])
def test_08_whose_event_field_is_no_number_names_no_event(monkeypatch, field):
    read_number = telegram.event_sequence_of
    monkeypatch.setattr(telegram, "event_sequence_of", lambda buf, at: read_number(bytes(16) + field, 0))
    one = cart()
    for index in range(3):
        put(one, b"E%d" % (index + 1))
        one.run(1000)
        one.toolsnet.drop()
        one.run(70000)
        assert not one.outlet_status()["events_doubt"]
    assert codes(one) == [1, 2, 3] and sequences(one) == [1, 2, 3]
    monkeypatch.undo()
    one.cut()
    one.run(70000)
    put(one, b"E4")
    one.run(1000)
    assert sequences(one) == [1, 2, 3, 4] and one.archive.events_repeated == 0
    assert not one.outlet_status()["events_doubt"]


def test_a_server_that_names_another_far_event_each_time_makes_nothing_grow():
    one = cart()
    jumped(one, 500)
    [source] = one.station.outlets[0].sources
    for turn in range(12):
        name(one, 1000 * (turn + 1))
        put(one, b"E15")
        one.run(1000)
    assert 1 < len(source._jumps) <= 8
