"""Answers of PIM and server that cannot be read, or are for something else: what is said of them, and for how long."""

import pytest

from toolcart.agent.base.connection_fault import MALFORMED
from host_tests.support.log import numbers
from host_tests.support.toolsnet import SERVER, Outlet


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
    "another identifier": lambda octets: b"0599998" + octets[7:],
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
