"""The lamp: the most urgent thing is shown, a code is blinked whole, and whoever counts gets the number."""

from toolcart.agent.cart import led
from toolcart.agent.openprotocol.session_states import READY
from host_tests.portable import stub

PORTABLE = True


def station(controller=True, server=True, full=False, ends=False, mounted=True, pressure=0, refusal=0):
    """A station as the lamp sees it."""
    return stub(
        log=stub(device=stub(refusal=lambda: refusal), room_bytes=159, has_room=lambda length: not full),
        quarantine=stub(pressure=lambda: pressure),
        mounted=mounted,
        session=stub(state=READY if controller else 0),
        outlets=[stub(is_up=lambda: server, needs_operator=lambda: False)],
        intake=stub(cannot_store=ends),
    )


def blinks(code):
    """Let one code be shown and count the flashes a person sees."""
    now = (1 << 30) - 1000
    blinker = led.Blinker(now)
    counted = 0
    dark_ms = 0
    lit = True
    for _ in range(20000):
        left = blinker.tick(now, code)
        step = left if left < 20 else 20
        if blinker.on and not lit and counted >= 0:
            counted += 1
        if not blinker.on:
            dark_ms += step
            if dark_ms > 1000 and counted:
                return counted
        else:
            dark_ms = 0
        lit = blinker.on
        now = (now + step) & 0x3FFFFFFF
    return -1


def test_each_code_is_blinked_as_often_as_its_number():
    for code in range(1, 8):
        assert blinks(code) == code


def test_the_lamp_is_lit_from_the_first_moment():
    assert led.Blinker(0).on


def test_a_code_that_changes_in_the_middle_is_blinked_to_its_end():
    blinker = led.Blinker(0)
    now = 0
    while blinker.code == 0:
        now += blinker.tick(now, 5)
    flashes = 0
    was_on = False
    while blinker.code == 5:
        now += blinker.tick(now, 2)
        if blinker.on and not was_on and blinker.code == 5:
            flashes += 1
        was_on = blinker.on
    assert flashes == 4  # the first was lit when the code was taken


def test_every_cause_has_its_code():
    for one, network, code in (
        (station(), True, led.RUNNING),
        (station(pressure=1), True, led.NEEDS_OPERATOR),
        (station(pressure=2, server=False), True, led.NO_OUTLET),
        (station(server=False), True, led.NO_OUTLET),
        (station(controller=False), True, led.NO_CONTROLLER),
        (station(controller=False, server=False), True, led.NEITHER),
        (station(full=True), True, led.SPOOL_FULL),
        (station(ends=True, controller=False), True, led.SPOOL_FULL),
        (station(mounted=False), True, led.SPOOL_UNUSABLE),
        (station(full=True, refusal=4), True, led.SPOOL_UNUSABLE),
        (station(controller=False, server=False), False, led.NO_NETWORK),
    ):
        assert led.code_of([one], network) == code
