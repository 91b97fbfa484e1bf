"""Answers of PIM and server that cannot be read, or are for something else: what is said of them, and for how long."""

import pytest

from toolcart.agent.base.connection_fault import MALFORMED
from toolcart.sim import toolsnet_session
from host_tests.portable import LONG
from host_tests.support.log import numbers
from host_tests.support.toolsnet import PIM, SERVER, Outlet


def with_sequence(text):
    return lambda octets: octets[:7] + text + octets[12:]


def with_code(text):
    return lambda octets: octets[:-3] + text


ODD_08 = {
    "below 0": with_sequence(b"-0012"),
    "blank": with_sequence(b"     "),
    "letters": with_sequence(b"ABCDE"),
    "a sign": with_sequence(b"+0012"),
    "cut short": lambda octets: octets[:12],
    "another identifier": lambda octets: b"0899998" + octets[7:],
}
ODD_05 = {
    "blank": with_code(b"   "),
    "letters": with_code(b"OK!"),
    "cut short": with_code(b"00"),
    "without its time and code": lambda octets: octets[:11],
    "another identifier": lambda octets: b"0599998" + octets[7:],
    "identifier 00000": lambda octets: b"0500000" + octets[7:],
    "a blank identifier": lambda octets: b"05     " + octets[7:],
    "a 10": lambda octets: b"10" + octets[2:7] + b"000300010010" + octets[7:21] + b"00000",
}


def states(outlet, ms):
    """How often it came up in that time, and each reason that was shown while ToolsNet's session stood."""
    ups, was_up, why = 0, outlet.forward.is_up(), set()
    for _ in range(ms // 100):
        outlet.run(100)
        is_up = outlet.forward.is_up()
        ups += is_up and not was_up
        was_up = is_up
        if outlet.status()["state"] == "streaming":
            why.add((outlet.forward.fault.why, outlet.status()["why_in"]))
    return ups, why


@pytest.mark.parametrize("form", ODD_08)
def test_an_08_that_cannot_be_read_is_no_missing_08(form):
    outlet = Outlet({"spoil_08": ODD_08[form]}, reconnect_s=1)
    outlet.store(3)
    outlet.run(60000)
    assert outlet.forward.fault.why == MALFORMED and outlet.status()["why_in"] == "pim info"
    assert not outlet.forward.is_up()
    outlet.options.spoil_08 = None
    outlet.until_stored(3, and_ms=3000)
    assert outlet.forward.is_up() and outlet.forward.fault.why == 0


@pytest.mark.parametrize("form", ODD_05)
def test_a_05_that_cannot_be_read_acknowledges_nothing_and_its_reason_stays_until_one_does(form):
    outlet = Outlet({"spoil_05": ODD_05[form]}, reconnect_s=1)
    outlet.store(60)
    outlet.run(60000)
    assert outlet.forward.fault.why == MALFORMED and outlet.status()["why_in"] == "streaming"
    assert states(outlet, 200000) == (0, {(MALFORMED, "streaming")})
    outlet.options.spoil_05 = None
    outlet.until_stored(60, 3600000, and_ms=3000)
    outlet.store(1)
    outlet.until_stored(61, and_ms=1000)
    assert outlet.forward.is_up() and outlet.forward.fault.why == 0


@pytest.mark.parametrize("way", ["silent", "closes"])
def test_a_server_that_answers_no_result_is_no_working_one_with_each_connection(way):
    outlet = Outlet({"silent_sequences": numbers(1, 99)} if way == "silent" else {}, reconnect_s=1)
    if way == "closes":
        outlet.options.drop_before_store = numbers(1, 9) * 1000
    outlet.store(3)
    outlet.run(60000)
    ups, why = states(outlet, 200000)
    assert ups == 0 and 0 not in {one for one, _ in why}, why
    outlet.options.silent_sequences, outlet.options.drop_before_store = (), []
    outlet.until_stored(3, 3600000, and_ms=3000)
    assert outlet.forward.is_up() and outlet.forward.fault.why == 0
    outlet.network.cut(*SERVER)
    outlet.until(lambda: not outlet.forward.is_up())
    outlet.until(outlet.forward.is_up)


STORES_ONLY = {
    **{form: {"spoil_05": spoil} for form, spoil in ODD_05.items()},
    "no 05": {"lost_acks": numbers(1, 99) * 9},
    "closes": {"drop_after_store": numbers(1, 99) * 9},
}


def one_at_a_time(outlet, count):
    """Store so many results, each soon after the last is settled; return how often it came up, and which reasons."""
    ups, why = 0, set()
    for _ in range(count):
        outlet.store(1)
        is_settled = False
        while not is_settled:
            is_settled = outlet.waiting() == 0
            more = states(outlet, 25000 if is_settled else 1000)
            ups += more[0]
            why |= more[1]
    return ups, why


@pytest.mark.parametrize("form", STORES_ONLY if LONG else ("letters", "no 05", "closes"))
def test_a_server_that_stores_each_result_and_answers_none_is_no_working_one_while_more_come(form):
    outlet = Outlet(STORES_ONLY[form], reconnect_s=1)
    outlet.store(1)
    outlet.until(lambda: not outlet.forward.is_up())
    one_at_a_time(outlet, 4)
    assert outlet.waiting() <= 1
    ups, why = one_at_a_time(outlet, 20)
    assert ups == 0 and 0 not in {one for one, _ in why} and why, why
    assert outlet.waiting() == 0 and not outlet.forward.is_up()
    for _ in range(2):  # another reason for a while proves nothing either
        outlet.network.down(*PIM)
        outlet.network.cut(*SERVER)
        outlet.run(100000)
        outlet.network.up(*PIM)
        outlet.until(lambda: outlet.status()["state"] == "streaming", 100000)
        assert states(outlet, 25000)[0] == 0 and outlet.status()["state"] == "streaming"
    outlet.options.spoil_05, outlet.options.lost_acks, outlet.options.drop_after_store = None, [], []
    outlet.store(1)
    outlet.until_passed(3600000, and_ms=1000)
    assert outlet.forward.is_up() and outlet.forward.fault.why == 0
    outlet.network.cut(*SERVER)
    outlet.until(lambda: not outlet.forward.is_up())
    outlet.until(outlet.forward.is_up)
    outlet.clean()


HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"
CURED = {**STORES_ONLY, "HTTP": {"spoil_05": lambda octets: HTTP}}


def spoiled_after_two(form, monkeypatch):
    """An outlet whose ToolsNet has taken two results, and answers none as it has to from now on."""
    framed = toolsnet_session.frame
    monkeypatch.setattr(toolsnet_session, "frame", lambda text: text if text == HTTP else framed(text))
    outlet = Outlet(reconnect_s=1)
    outlet.store(2)
    outlet.until_passed(and_ms=100)
    for name, value in CURED[form].items():
        setattr(outlet.options, name, value[:] if isinstance(value, list) else value)
    return outlet


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("form", CURED)
def test_what_an_08_settles_ends_the_reason_if_nothing_waits_and_the_server_answers(form, count, monkeypatch):
    """It takes results and answers none as it has to, and does so again once that is passed over."""
    outlet = spoiled_after_two(form, monkeypatch)
    outlet.store(count)
    outlet.until(lambda: not outlet.forward.is_up())
    why = outlet.forward.fault.why
    ups = 0
    while outlet.waiting():
        ups += outlet.forward.is_up()
        outlet.run(100)
    assert ups == 0 and why
    outlet.until(outlet.forward.is_up, 10000)
    assert outlet.forward.fault.why == 0 and outlet.ids() == list(range(1, 3 + count))
    outlet.run(300000)
    assert outlet.forward.is_up()
    outlet.network.cut(*SERVER)  # nothing is out: that proves nothing of results
    outlet.until(lambda: not outlet.forward.is_up())
    outlet.until(outlet.forward.is_up, 100000)
    outlet.store(1)
    outlet.until(lambda: not outlet.forward.is_up())
    outlet.until_passed()
    assert states(outlet, 25000)[0] == 0 and outlet.forward.fault.why == why
    outlet.until(outlet.forward.is_up, 10000)  # a second 06 has its 05
    outlet.options.spoil_05, outlet.options.lost_acks, outlet.options.drop_after_store = None, [], []
    outlet.store(1)
    outlet.until_passed(3600000, and_ms=1000)
    assert outlet.forward.is_up() and outlet.forward.fault.why == 0
    outlet.clean()


@pytest.mark.parametrize("count", [2, 7])
@pytest.mark.parametrize("form", CURED)
def test_a_server_that_is_cured_is_a_working_one_however_many_results_had_no_answer(form, count, monkeypatch):
    outlet = spoiled_after_two(form, monkeypatch)
    for _ in range(count):
        outlet.store(1)
        outlet.until(lambda: not outlet.forward.is_up(), 100000)
        outlet.until_passed(100000)
        outlet.run(100)
    outlet.options.spoil_05, outlet.options.lost_acks, outlet.options.drop_after_store = None, [], []
    assert not outlet.forward.is_up() and outlet.forward.fault.why
    outlet.until(outlet.forward.is_up, 60000)
    outlet.run(300000)
    assert outlet.forward.is_up() and outlet.forward.fault.why == 0
    outlet.store(1)
    outlet.until_passed(and_ms=1000)
    assert outlet.forward.is_up() and outlet.ids() == list(range(1, 4 + count))
    outlet.clean()


def test_a_server_that_answers_its_06_as_oddly_is_no_working_one_before_that_is_cured():
    outlet = Outlet({"drop_after_store": [], "silent_telegrams": ("06",)}, reconnect_s=1)
    outlet.store(2)
    outlet.until_passed(and_ms=100)
    outlet.options.silent_telegrams = ()
    outlet.network.cut(*SERVER)
    outlet.run(100000)  # it answers a 06
    outlet.options.spoil_05, outlet.options.silent_telegrams = ODD_05["letters"], ("06",)
    outlet.store(1)
    outlet.until_passed()
    assert states(outlet, 200000)[0] == 0 and outlet.forward.fault.why
    outlet.options.spoil_05, outlet.options.silent_telegrams = None, ()
    outlet.until(outlet.forward.is_up, 100000)
    assert outlet.waiting() == 0


@pytest.mark.parametrize("lost", [{"lost_acks": [3] * 3}, {"drop_after_store": [3]}, {"lost_acks": [3]}])
@pytest.mark.parametrize("mute", [(), ("06",)])
def test_one_result_without_its_05_is_forgiven_once_the_server_answers_or_never_answers_a_06(lost, mute):
    outlet = Outlet({**lost, "silent_telegrams": mute}, reconnect_s=1)
    outlet.store(2)
    outlet.until_passed(and_ms=100)
    for _ in range(4):  # it learns whether a 06 is answered
        outlet.network.cut(*SERVER)
        outlet.run(200000)
    outlet.store(1)
    outlet.run(1000 if lost == {"drop_after_store": [3]} else 20000)
    outlet.until(outlet.forward.is_up, 100000)
    assert outlet.waiting() == 0 and outlet.forward.fault.why == 0 and outlet.ids() == [1, 2, 3]
    outlet.run(300000)
    assert outlet.forward.is_up()
