"""The whole agent on a simulated serial line: nothing is lost, nothing is twice, whatever happens to the line."""

import sys

from toolcart.agent.base import counters as counter
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.base.clock import Dice
from toolcart.sim.profiles import profile_options
from host_tests.portable import LONG
from host_tests.support.serial_cart import SerialCart

PORTABLE = True
HEAVY = True
HEAP = "6m"

# What a chip's flash takes: usual and worst (an RP2 with the flash of a Pico), microseconds to program and to erase.
USUAL = (700, 45000)
WORST = (3000, 400000)


# On a MicroPython each of these takes seconds: there the same paths are gone once, not in every variant.
IS_QUICK = sys.implementation.name == "cpython"
SPEEDS = ((9600, WORST), (38400, WORST), (115200, USUAL), (115200, WORST))
SEEDS = (1, 2, 3) if LONG else (1,)


def ready(**settings):
    cart = SerialCart(**settings)
    assert cart.run(60000, cart.is_ready)
    return cart


def tighten(cart, count):
    """Let the controller tighten as fast as it gets rid of the results."""
    for _ in range(count):
        cart.produce()
        assert cart.run(20000, lambda: len(cart.controller.acknowledged) >= len(cart.controller.produced))


def settle(cart, ms=400000):
    """Let everything arrive, then compare the books."""
    assert cart.run(ms, cart.is_drained), (len(cart.controller.produced), len(cart.ids()), cart.counts())
    cart.run(3000)
    assert sorted(cart.ids()) == sorted(cart.controller.produced)
    assert len(set(cart.ids())) == len(cart.ids())
    assert cart.archive.repeated == 0


def test_results_go_from_a_controller_on_a_line_to_the_archive():
    for kind in ("3964r", "ascii"):
        cart = ready(kind=kind)
        assert kind == "ascii" or cart.clock.total_ms < 1000  # a line is open at once: nothing is waited for
        tighten(cart, 10)
        settle(cart)
        assert cart.ids() == cart.controller.produced
        assert not cart.controller.complaints and not cart.toolsnet.complaints
        assert kind == "3964r" or not cart.peer.refused


def test_controller_that_knows_one_form_only_is_met():
    for form in ("v0", "v1", "v2"):
        cart = SerialCart(peer={"accepts": (form,), "form": "v0" if form == "v0" else "v1"})
        assert cart.run(20000, cart.is_ready), form
        tighten(cart, 2)


def test_both_priorities_work():
    cart = ready(settings={"controller": {"priority": "high"}}, peer={"high": False})
    tighten(cart, 8)
    settle(cart)


def test_flash_never_costs_an_octet_from_9600_to_115200_baud():
    """A small ring that erases often, under load, on a chip that is deaf while its flash works."""
    for kind in ("3964r", "ascii"):
        for baud, stalls in SPEEDS if LONG else SPEEDS[3:] if IS_QUICK and kind == "ascii" else SPEEDS[2:3]:
            cart = ready(kind=kind, baud=baud, blocks=6, stalls=stalls)
            tighten(cart, 1)
            cart.run(5000)  # until what is known is proven, a log of 60 results may turn over what is asked for then
            tighten(cart, 69)
            assert cart.line.port.overruns() == 0, (kind, baud, stalls, cart.line.port.overruns())
            assert sum(cart.flash_device.wear) >= 4
            settle(cart)


def test_flash_is_never_touched_while_a_block_is_received():
    cart = ready(kind="3964r", baud=19200, stalls=USUAL, blocks=20)
    cart.refuse(True)
    tighten(cart, 150)  # a backlog that is larger than what a block's head allows to go out: cursors are written
    cart.refuse(False)
    cart.network.line("tn", 10111).delay_ms = 7  # so that ToolsNet's answers come in the middle of blocks
    before = cart.flash_device.programs
    touched = []

    stall = cart.flash_device.before

    def watch(*operation):
        if cart.station.session.link._state == 2:  # RX_BLOCK
            touched.append(operation)
        stall(*operation)

    cart.flash_device.before = watch
    tighten(cart, 50)
    assert cart.flash_device.programs - before >= 55 and not touched


def test_what_toolsnet_refuses_waits_for_no_push_where_the_system_keeps_the_line_s_input():
    """A chip's flash may be written between a plain ASCII result and its 0062 alone; Linux loses nothing meanwhile."""
    for kind, input_octets in (("ascii", 8192), ("3964r", 0)):
        cart = ready(kind=kind, baud=115200, input_octets=input_octets)
        tighten(cart, 3)
        assert cart.run(60000, cart.is_drained)
        cart.toolsnet.options.codes = {4: 17}
        tighten(cart, 3)
        assert cart.run(60000, lambda cart=cart: len(cart.archive.results) == 5), kind
        assert cart.run(60000, lambda cart=cart: cart.counts()["parked"] == 1), (kind, cart.counts())


def test_result_is_acknowledged_only_after_it_is_on_flash():
    cart = ready(stalls=USUAL)
    stored = []
    program = cart.flash_device.program

    def watched(address, buf, n):
        stored.append(len(cart.controller.acknowledged))
        return program(address, buf, n)

    cart.flash_device.program = watched
    before = cart.station.log.number
    tighten(cart, 5)
    assert cart.station.log.number == before + 5
    assert len(stored) >= 5 and stored[0] == 0


def test_block_whose_dle_was_lost_is_stored_once_and_acknowledged_again():
    cart = ready()
    state = {"dles": 0}

    def lose_third_dle(octet, index):
        # The agent's DLEs alone are single octets: go-ahead, then block taken.
        if octet == 0x10 and len(cart.line.to_peer.queue) == 0:
            state["dles"] += 1
            if state["dles"] == 2:
                return []
        return [octet]

    cart.line.to_peer.script = lose_third_dle
    tighten(cart, 6)
    settle(cart)
    assert state["dles"] > 4
    assert cart.station.log.number == 6 and not cart.controller.complaints


def test_unplugged_adapter_is_an_outage_like_any_other():
    for kind in ("3964r", "ascii"):
        cart = ready(kind=kind)
        tighten(cart, 3)
        for ms in (50, 700, 4000):
            cart.produce(1, ms)
            cart.line.unplug()
            cart.run(2000)
            cart.produce()
            cart.line.plug()
            assert cart.run(60000, cart.is_ready)
        settle(cart)
        assert cart.counts()["controller losses"] >= 3


def test_backlog_goes_on_to_toolsnet_while_the_adapter_is_out():
    for kind in ("3964r", "ascii"):
        cart = ready(kind=kind, baud=115200)
        cart.refuse(True)
        tighten(cart, 60 if LONG else 20)
        cart.produce()
        cart.run(5)  # in the middle of a message
        cart.line.unplug()
        kept = cart.station.log.number
        cart.refuse(False)
        assert cart.run(60000, lambda cart=cart, kept=kept: len(cart.archive.results) >= kept), kind
        cart.line.plug()
        settle(cart)


def test_controller_that_is_switched_off_and_on_is_met_again():
    for kind in ("3964r", "ascii"):
        cart = ready(kind=kind)
        tighten(cart, 2)
        cart.peer.mute = True
        cart.run(40000)
        cart.produce()
        cart.peer.mute = False
        cart.peer.restart()
        assert cart.run(120000, cart.is_ready)
        cart.produce()
        settle(cart)


def test_controller_that_was_off_for_seconds_is_noticed_though_its_end_of_the_line_lives():
    for kind in ("3964r", "ascii"):
        for off_ms in (4000, 12000):
            cart = ready(kind=kind)
            tighten(cart, 2)
            peer = cart.peer
            peer.mute = True
            cart.run(off_ms)
            cart.produce()
            peer.mute = False
            peer.restart()
            hand_over = peer.hand_over

            def only_the_first(message, now, peer=peer, hand_over=hand_over):  # OP 5.2.1: nothing before MID 0001
                if message[4:8] == b"0001":
                    peer.hand_over = hand_over
                    hand_over(message, now)

            peer.hand_over = only_the_first
            assert cart.run(60000, lambda peer=peer, hand_over=hand_over: peer.hand_over == hand_over), (kind, off_ms)
            cart.produce()
            settle(cart)


def test_octets_that_are_no_message_keep_no_session():
    """Of 3964R: what may begin a block, and its answers. On a plain line also messages that never end."""
    for kind, noises in (
        ("3964r", (b"\x10", b"\x15", b"\x02", b"\x02\x10", b"x")),
        ("ascii", (b"\x02", b"\x10", b"x", b"\x0200209999001")),
    ):
        for noise in noises:
            for every_ms in (150, 3000):
                cart = ready(kind=kind)
                tighten(cart, 1)
                losses = cart.counts().get("controller losses", 0)
                cart.peer.mute = True
                cart.peer.collect = lambda now: 1000000
                for _ in range(60000 // every_ms):
                    cart.peer._out += noise
                    cart.run(every_ms)
                    if cart.counts().get("controller losses", 0) > losses:
                        break
                else:
                    raise AssertionError((kind, noise, every_ms))


def test_block_that_never_ends_keeps_no_session():
    cart = ready()
    cart.peer.mute = True
    cart.peer._out = b"\x02"
    cart.run(10)
    for _ in range(900):
        cart.peer._out += b"x" * 90
        cart.run(100)
        if cart.counts().get("controller losses", 0):
            return
    raise AssertionError("it is waited for")


def test_long_message_on_a_slow_line_is_waited_for():
    for kind in ("3964r", "ascii"):
        for pause_ms in (100, 6500):
            cart = ready(kind=kind, baud=1200, controller={"keepalive": "none"})
            cart.run(pause_ms)
            cart.peer.messages.append(b"99990900001         " + b"7" * 9979)  # takes 84 s
            cart.run(95000)
            assert cart.counts()["controller connects"] == 1 and cart.is_ready(), (kind, pause_ms)
            assert cart.counts()["controller unknown"] >= 1


def test_answers_of_an_ascii_line_that_lack_an_octet_are_asked_for_again():
    for place in (44, 60, 74):
        cart = ready(kind="ascii")
        tighten(cart, 2)
        cart.line.unplug()
        cart.run(1000)
        cart.produce(3, 500)
        cart.line.plug()
        say = cart.peer.say
        answers = []

        def say_short(octets, say=say, answers=answers, place=place):
            if octets[5:9] == b"0065":
                answers.append(octets)
                if len(answers) % 2:
                    octets = octets[:place] + octets[place + 1 :]
            say(octets)

        cart.peer.say = say_short
        cart.run(60000)
        cart.peer.say = say
        cart.produce()
        settle(cart)
        assert len({result["vin"] for result in cart.archive.results}) == 1, place
        assert len(answers) >= 6 and cart.counts()["recovered"] == 3
        for name in ("raw", "shifted", "odd fields", "controller malformed"):
            assert not cart.counts().get(name), (name, place)


def with_faults(make, ppm, count, every_ms):
    """Have so many results made on a line with each fault; yield each cart once the line is good again."""
    for seed in SEEDS if IS_QUICK else SEEDS[:1]:
        for fault in ("loss_ppm", "extra_ppm"):
            cart = make(seed=seed)
            setattr(cart.line, fault, ppm)
            cart.produce(count, every_ms)
            setattr(cart.line, fault, 0)
            yield cart


def test_faults_on_the_line_lose_nothing_and_double_nothing():
    for cart in with_faults(ready, 1500, 25, 700):
        settle(cart, 900000)
        assert cart.counts().get("raw", 0) == 0


def test_faults_on_an_ascii_line_lose_nothing_and_double_nothing():
    for cart in with_faults(lambda **more: ready(kind="ascii", **more), 800, 20, 1500):
        settle(cart, 900000)


def test_power_cuts_in_the_middle_of_exchanges_lose_nothing():
    dice = Dice(21)
    cart = ready()
    for _ in range(12):
        cart.produce(1, dice.randrange(1, 600))
        cart.cut()
        cart.run(dice.randrange(1, 400))
    assert cart.run(120000, cart.is_ready)
    cart.produce()
    settle(cart, 900000)


def test_result_of_odd_habit_is_taken_when_it_comes_again_so():
    cart = ready(kind="ascii", controller={"time_text": "9999-99-99:99:99:99"})
    cart.produce()
    settle(cart)
    assert cart.station.counters.counts[counter.ODD_ON_THE_LINE] == 1 and cart.counts()["edge time"] == 1


def mt_focus(**settings):
    """A MT Focus 6000 on its line: 115200 baud, no handshake, each result sent once."""
    link = {"buffer_bytes": 4000}
    options = profile_options("mt-focus-6000")
    return ready(kind="ascii", baud=115200, settings={"controller": link}, controller=options, **settings)


def test_mt_focus_at_115200_baud_loses_nothing_though_it_repeats_nothing():
    """The worst program is longer than the UART's FIFO: one that begins with a result costs its first part."""
    for stalls in (None, USUAL, WORST) if LONG else (WORST,):
        cart = mt_focus(stalls=stalls, blocks=6)
        count = 70 if LONG else 34
        cart.produce(count, 1800)
        settle(cart)
        assert cart.ids() == cart.controller.produced
        assert cart.line.port.overruns() <= 2 and cart.counts().get("recovered", 0) <= 1, stalls
        assert not cart.controller.complaints and not cart.peer.refused
        cart.run(60000)  # on a line it wants a word every 15 s (MT "Special MT Focus 6000 considerations, general")
        assert cart.controller.messages[1203] >= 2 * count - 2 and cart.controller.messages[9999] >= 8
        assert cart.counts()["controller connects"] == 1


def test_mt_focus_on_line_is_asked_for_what_an_unplugged_adapter_took():
    cart = mt_focus(stalls=USUAL)
    cart.produce(3, 900)
    for moment_ms in (5, 60, 120, 900):  # in the middle of the first part, of the second, behind both
        cart.produce(1, moment_ms)
        cart.line.unplug()
        cart.produce(2, 900)
        cart.line.plug()
        assert cart.run(60000, cart.is_ready)
        cart.run(20000)  # what it missed is asked for one by one, in silences of half a second
        cart.produce(1, 4000)
    settle(cart)
    assert cart.ids() == cart.controller.produced


def test_mt_focus_results_that_the_line_spoils_are_asked_for():
    recovered = 0
    for cart in with_faults(mt_focus, 300, 20 if LONG else 8, 1500):
        cart.produce(1, 1500)
        settle(cart, 900000)
        recovered += cart.counts().get("recovered", 0)
        assert cart.station.recovery.phase == phases.PHASE_IDLE
    assert recovered
