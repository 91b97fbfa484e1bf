"""ToolsNet's map gets the names of system, station and programs, once and when one changes; results wait for none."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolcart.agent.base.fields import is_plain
from toolcart.agent.linux import telegram01_02
from toolcart.agent.record.escaping import octets_of, put_ascii
from toolcart.sim.profiles import profile_options
from host_tests.support.combinations import all_pairs
from host_tests.support.toolsnet import read
from lab.harness.cart import Cart


def test_telegrams_octet_for_octet():
    assert bytes(telegram01_02.system(7, 3, 1, "10.40.22.112", "Body shop")) == (
        b"0057" + b"01000070003000110.40.22.112   Body shop                  "
    )
    spindles = ((1, "Spindle 1", ((9999, "No parameter set"), (12, "Wheel"))),)
    assert bytes(telegram01_02.station(8, 3, 1, 10, "line.plant", "Station 10", spindles)) == (
        b"0154" + b"0200008000300010010" + b" " * 15 + b"Station 10".ljust(25) + b"0001"
        b"0001"
        + b"Spindle 1".ljust(25)
        + b"0002"
        + b"9999"
        + b"No parameter set".ljust(25)
        + b"0012"
        + b"Wheel".ljust(25)
    )


@pytest.mark.parametrize(
    ("host", "ip"),
    [("10.0.0.5", "10.0.0.5"), ("255.255.255.255", "255.255.255.255"), ("cart", ""), ("1.2.3", ""), ("1.2.3.444", "")]
    + [("1.2.3.-4", ""), (None, ""), ("", ""), ("1.2.3.4.5", "")],
)
def test_address_is_an_address_or_blank(host, ip):
    assert read(telegram01_02.system(1, 3, 1, host, "x"))["ip"] == ip


name = st.text(max_size=40)
numbers = st.integers(1, 9999)


@given(
    st.integers(1, 99999), numbers, numbers, numbers, name, st.lists(st.tuples(numbers, name), min_size=1, max_size=300)
)
@example(1, 1, 1, 1, "\0Wheels\0 ", [(1, "\0")])
def test_any_names_make_a_telegram_without_breach(ident, system, station, spindle, called, programs):
    message = read(telegram01_02.station(ident, 3, system, station, "10.0.0.5", called, ((spindle, called, programs),)))
    assert (message["identifier"], message["system"], message["station"]) == (ident, system, station)
    field = bytearray(25)
    octets = octets_of(called)
    if is_plain(octets, 0, len(octets)):
        octets = octets.strip(b"\0 ")[:25]
    put_ascii(field, 0, 25, octets)
    expected = field.decode().rstrip()
    assert message["name"] == expected and message["spindles"][0]["name"] == expected
    assert [one["program"] for one in message["spindles"][0]["programs"]] == [number for number, _ in programs]
    assert read(telegram01_02.system(ident, 3, system, "", called))["name"] == expected


# -- the session


def cart(toolsnet=(), describes=True, options=None, rewind=False, **controller):
    one = Cart(
        controller=options or {},
        toolsnet=toolsnet,
        settings={
            "toolsnet": {"extras": ["names"] if describes else None, "events": ["pset"], "rewind": rewind},
            "system": {"name": "Body shop"},
            "station": {"name": "Wheels left"},
            "controller": dict({"events": ["pset"]}, **controller),
        },
    )
    one.configuration["system"]["name"] = "Body shop"
    telegrams = one.described = []
    for what in ("describe_system", "describe_station"):
        keep = getattr(one.archive, what)
        setattr(one.archive, what, lambda telegram, keep=keep: (telegrams.append(telegram), keep(telegram)))
    one.cut()
    if "results" in controller:
        one.run(5000)  # it has no MID 0060
    else:
        one.until_ready()
    one.run(1000)
    return one


def programs(telegram):
    return [(one["program"], one["name"]) for one in telegram["spindles"][0]["programs"]]


@pytest.mark.parametrize(
    ("options", "counts"), [({"refuse_once": [(10, 28), (12, 28)]}, (2, 4)), ({"refuse": {12: None}}, (1, 1))]
)
def test_a_controller_that_tells_no_names_is_asked_no_more(options, counts):
    one = cart(options=options)
    one.produce()
    one.until_quiet(and_ms=30000)
    assert one.archive.stored == 1 and one.archive.stations == {(3, 1, 10): "Wheels left"}
    messages = one.controller.messages
    assert (messages.get(10, 0), messages.get(12, 0)) == counts


def test_server_that_has_lost_results_is_told_the_names_again():
    one = cart()
    one.produce(3)
    one.until_quiet(and_ms=1000)
    for lose in (lambda: one.archive.restore_backup(1), one.archive.clear):
        count = len(one.described)
        one.toolsnet.drop()
        one.run(70000)
        assert len(one.described) == count
        lose()
        one.toolsnet.drop()
        one.run(70000)
        assert [telegram["id"] for telegram in one.described[count:]] == ["01", "02"]
    assert not one.toolsnet.complaints


def copy_of(archive, results, events):
    """Return what restores ToolsNet from a copy of now with so many results and events."""
    results, events = archive.results[:results], archive.events[:events]

    def restore():
        archive.clear()
        for result in results:
            archive.store_result(result)
        for event in events:
            archive.store_event(event)

    return restore


@pytest.mark.parametrize(
    ("often", "makes", "kept", "rewind"), all_pairs([False, True], ["results", "events", "both"], [0, 2], [False, True])
)
def test_each_loss_has_the_names_told_again_and_none_twice(often, makes, kept, rewind):
    one = cart(rewind=rewind)
    selections = itertools.cycle((1, 2))

    def make(count):
        for _ in range(count):
            if makes != "events":
                one.produce()
            if makes != "results":
                one.controller.select_pset(next(selections))
            one.run(2000)

    make(5)
    restore = copy_of(one.archive, kept, kept)
    for _ in range(4):
        restore()
        for expected in (["01", "02"], [], [])[: 3 if often else 1]:
            count = len(one.described)
            one.toolsnet.drop()
            one.run(70000)
            assert [telegram["id"] for telegram in one.described[count:]] == expected
        count = len(one.described)
        make(1)
        if often:
            one.toolsnet.drop()
            one.run(70000)
        assert one.described[count:] == []
    assert not one.toolsnet.complaints


def test_database_of_another_cart_is_told_the_names_once():
    one = cart()
    one.produce(5)
    one.until_quiet(and_ms=1000)
    for make in (dict, lambda: one.produce(1)):
        make()
        one.until_quiet(and_ms=70000)
        one.options.reported_result = 300 if make is dict else 700
        count = len(one.described)
        for _ in range(3):
            one.toolsnet.drop()
            one.run(70000)
            assert [telegram["id"] for telegram in one.described[count:]] == ["01", "02"]
        one.options.reported_result = None


def test_a_parameter_set_s_name_is_passed_on_when_received_and_changed():
    one = cart()
    one.controller.select_pset(2)
    one.run(1000)
    first = dict(programs(one.described[-1]))
    assert first.get(2)
    count = len(one.described)
    one.controller.select_pset(2)
    one.run(1000)
    assert len(one.described) == count
    names = one.station.outlets[0].sources[0].names
    names.learn(2, b"Another name".ljust(25), 0)
    one.produce()
    one.until_quiet(and_ms=1000)
    assert dict(programs(one.described[-1]))[2] == "Another name" and len(one.described) == count + 1
    assert not one.toolsnet.complaints


def test_spindles_of_a_result_are_described_with_their_names():
    one = cart(options=dict(profile_options("powermacs"), spindles=3), results="powermacs-bolts")
    assert [spindle["spindle"] for spindle in one.described[-1]["spindles"]] == [1]
    one.produce()
    one.until_quiet(and_ms=40000)
    spindles = one.described[-1]["spindles"]
    results = [spindle["spindle"] for spindle in one.archive.results[-1]["spindles"]]
    assert [spindle["spindle"] for spindle in spindles] == sorted(results) and len(spindles) == 3
    assert all(spindle["programs"] == spindles[0]["programs"] for spindle in spindles)
    assert not any(spindle["name"].startswith("Spindle") for spindle in spindles), "bolts have names"
    assert not one.toolsnet.complaints


def test_what_has_no_room_is_left_out_and_counted():
    for count in (1, 2, 3, 50, 99):
        most = telegram01_02.programs_most(count)
        programs = [(number, "x") for number in range(1, most + 1)]
        octets = len(telegram01_02.station(1, 3, 1, 1, "", "", [(n, "y", programs) for n in range(1, count + 1)])) - 4
        assert octets <= 9999 < octets + 29 * count or most == telegram01_02.PROGRAMS_MOST
    one = cart(options=dict(profile_options("powermacs"), spindles=3), results="powermacs")
    names = one.station.outlets[0].sources[0].names
    for number in range(1, 250):
        names.learn(number, b"Set %d" % number + b" " * 25, 0)
    one.produce()
    one.until_quiet(and_ms=40000)
    assert one.outlet_status()["descriptions_left_out"] == 250 - len(one.described[-1]["spindles"][0]["programs"]) > 100


def test_refusal_is_counted_and_results_go_on():
    one = cart(toolsnet={"telegram_codes": {"01": 5, "02": 6}})
    state = one.outlet_status()
    assert state["descriptions_refused"] == 3 and state["descriptions_sent"] == 0
    one.produce()
    one.until_quiet()
    assert one.toolsnet.server_connections == 1


def test_what_was_refused_is_offered_again_with_the_next_connection():
    one = cart(toolsnet={"telegram_codes": {"01": 5, "02": 6}})
    before = one.outlet_status()["descriptions_refused"]
    one.run(3 * 3600000)
    assert one.outlet_status()["descriptions_refused"] == before, "once a connection"
    one.toolsnet.drop()
    one.run(70000)
    assert one.outlet_status()["descriptions_refused"] == before + 2
    one.options.telegram_codes = {}
    one.toolsnet.drop()
    one.run(70000)
    assert (one.archive.systems, one.archive.stations) == ({(3, 1): "Body shop"}, {(3, 1, 10): "Wheels left"})
    sent = one.toolsnet.telegrams["01"] + one.toolsnet.telegrams["02"]
    one.toolsnet.drop()
    one.run(70000)
    assert one.toolsnet.telegrams["01"] + one.toolsnet.telegrams["02"] == sent and not one.toolsnet.complaints


def test_what_had_no_answer_is_offered_again_an_hour_later_with_a_new_connection():
    one = cart(toolsnet={"silent_telegrams": ["01", "02"]})
    one.run(600000)
    assert one.outlet_status()["descriptions_unanswered"]
    connections, sent = one.toolsnet.server_connections, one.toolsnet.telegrams["01"]
    one.toolsnet.drop()
    one.run(70000)
    one.run(3 * 3600000)
    assert one.toolsnet.telegrams["01"] == sent and one.toolsnet.server_connections == connections + 1
    one.options.silent_telegrams = []
    one.toolsnet.drop()
    one.run(70000)
    assert (one.archive.systems, one.archive.stations) == ({(3, 1): "Body shop"}, {(3, 1, 10): "Wheels left"})
    assert not one.outlet_status()["descriptions_unanswered"] and not one.toolsnet.complaints


def test_a_server_that_refuses_a_name_and_closes_is_not_stormed():
    one = cart(toolsnet={"telegram_codes": {"02": 17}})
    before = one.outlet_status()["descriptions_refused"]
    one.toolsnet.drop()
    for _ in range(4000):
        refused = one.outlet_status()["descriptions_refused"]
        one.run(50)
        if one.outlet_status()["descriptions_refused"] > refused:
            one.toolsnet.drop()
    assert 10 < one.outlet_status()["descriptions_refused"] - before < 25
    one.options.telegram_codes = {}
    one.run(70000)
    assert one.archive.stations == {(3, 1, 10): "Wheels left"}
    one.produce(3)
    one.until_quiet(and_ms=1000)
    assert one.archive.stored == 3


@pytest.mark.parametrize("answers", [{"telegram_codes": {"01": 5, "02": 6}}, {"silent_telegrams": ["01", "02"]}])
def test_results_go_before_what_is_offered_again(answers):
    one = cart(toolsnet=answers)
    one.run(2 * 3600000)
    archive, seen = one.archive, []
    keep = archive.store_result
    archive.store_result = lambda result: (seen.append(one.toolsnet.telegrams["01"]), keep(result))[1]
    for _ in range(3):
        sent = one.toolsnet.telegrams["01"]
        one.refuse(True)
        one.toolsnet.drop()
        one.produce(5, 50)
        one.refuse(False)
        one.run(200000)
        assert seen[-5:] == [sent] * 5
        assert one.toolsnet.telegrams["01"] > sent
        one.run(2 * 3600000)
    assert len(seen) == 15 and archive.repeated == 0
