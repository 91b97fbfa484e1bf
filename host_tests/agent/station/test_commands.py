"""What others have the controller do: once, when it is their turn, and never without a word in the log."""

from toolcart.agent.base.counters import CONTROLLER_UNKNOWN
from toolcart.agent.cart.settings import CONTROLLER as CONTROLLER_SETTINGS
from toolcart.agent.link.header_layouts import HEADERS
from toolcart.agent.openprotocol import commands, session_states
from toolcart.agent.record import KIND_EVENT
from toolcart.agent.record import event as ev
from toolcart.agent.record.text import describe, text_of
from toolcart.agent.station.command_orders import TURN_MS, carry_out
from toolcart.agent.station.commands import DOUBT_MS, REST_MS
from toolcart.sim.profiles import names, profile_options
from host_tests.portable import HAS_ALL, stub
from host_tests.support.serial_cart import SerialCart
from host_tests.support.world import CONTROLLER, Cart

PORTABLE = True
HEAVY = True
HEAP = "4m"

ALL = list(commands.NAMES)


def asker():
    """Who asks, and whether he is still there."""
    return stub(user="anna", gone=False)


class Order:
    """A command on its way, turned by the test."""

    def __init__(self, cart, words):
        self.cart = cart
        self.asker = asker()
        self.waiting = []
        self.answer = None
        self.job = carry_out(cart.station, cart.board, words.split(), self.asker)
        self.turn()

    def turn(self):
        """Have it do its next piece; False when it is done."""
        line = next(self.job, None)
        if line is None:
            return False
        if isinstance(line, int):
            self.cart.run(line)
        elif "waiting" in line:
            self.waiting.append(line["waiting"])
        else:
            self.answer = line
        return True

    def end(self):
        """Let it come to its end; return what it says."""
        for _ in range(20000):
            if not self.turn():
                return self.answer
        raise AssertionError("it never ends")


def cart_of(allowed=ALL, spool=None, link=None, **options):
    settings = {"controller": dict({"commands": allowed}, **(link or {}))}
    if spool:
        settings["spool"] = spool
    return Cart(controller=dict({"max_clients": 9}, **options), settings=settings).ready()


def give(cart, words):
    return Order(cart, words).end()


def rest(cart):
    cart.run(REST_MS + 100)


def logged(cart):
    """Return of every command in the log (what became of it, MID, code, words, who asked)."""
    entries = []
    for _, kind, flags, payload in cart.records():
        if kind == KIND_EVENT and payload[ev.WHAT] == ev.COMMAND:
            text = payload[ev.TEXT :]
            event = describe(payload, 0, kind, flags, len(payload))
            places = ((ev.COMMAND_OUTCOME, ev.COMMAND_OUTCOME_BYTES), (ev.COMMAND_MID, 4))
            outcome, mid = [text_of(text, place, width) for place, width in places]
            who = text_of(text, ev.COMMAND_WHO, ev.COMMAND_WHO_BYTES)
            entries.append((outcome, int(mid), event["code"], event["text"], who))
    return entries


# -- what is sent --------------------------------------------------------------------------------------------------


def test_each_command_is_sent_as_documented_and_logged_twice():
    cart = cart_of()
    for words, mid, data in (
        ("select-pset 12", 18, b"012"),
        ("batch-size 2 7", 19, b"00207"),
        ("batch-size 2 123", 19, b"0020123"),
        ("reset-batch 12", 20, b"012"),
        ("job 33", 38, b"33"),
        ("job 5", 38, b"05"),
        ("abort-job", 127, b""),
        ("batch-up", 128, b""),
        ("batch-down", 129, b""),
        ("job-off", 130, b"0"),
        ("job-on", 130, b"1"),
        ("disable", 42, b""),
        ("enable", 43, b""),
        ("vin WVW%204711", 50, b"WVW 4711"),
        ("identifier " + "I" * 50, 150, b"I" * 50),
    ):
        answer = give(cart, "as=bo " + words)
        assert (answer["outcome"], answer["mid"], answer["code"], answer["logged"]) == ("accepted", mid, None, True), (
            words
        )
        assert cart.controller.carried_out[-1] == (mid, data), words
        text = words.replace("%20", " ")
        assert logged(cart)[-2:] == [("sent", mid, "", text, "anna (bo)"), ("accepted", mid, "", text, "anna (bo)")], (
            words
        )
        rest(cart)
    cart.controller.raise_alarm("E404")
    assert give(cart, "ack-alarm")["outcome"] == "accepted" and cart.controller.alarm is None
    assert cart.controller.complaints == [] and cart.controller.connections == 1


def test_what_is_refused_says_with_which_code_and_is_not_sent_again():
    cart = cart_of()
    answer = give(cart, "select-pset 99")
    assert (answer["outcome"], answer["code"]) == ("refused", 3)
    assert logged(cart)[-1][:3] == ("refused", 18, "03") and cart.controller.messages[18] == 1
    for code in (1, 3, 20, 42, 79, 92, 98):
        rest(cart)
        cart.controller.options.refuse_once = [(42, code)]
        answer = give(cart, "disable")
        assert (answer["outcome"], answer["code"], cart.controller.messages.pop(42)) == ("refused", code, 1)
    assert not cart.controller.is_locked


def test_a_mt_focus_gets_its_own_inputs_and_no_one_else_does():
    cart = cart_of(**profile_options("mt-focus-6000"))
    assert give(cart, "disable")["mid"] == 224 and cart.controller.is_locked
    rest(cart)
    assert give(cart, "enable")["mid"] == 225 and not cart.controller.is_locked
    rest(cart)
    assert give(cart, "abort-job")["outcome"] == "accepted"
    assert cart.controller.carried_out == [(224, b"008"), (225, b"008"), (224, b"022")]
    assert not {42, 43, 127} & set(cart.controller.messages)
    cart = cart_of(commands=(), refuse={})
    assert give(cart, "disable")["code"] == 99 and 224 not in cart.controller.messages


def test_every_profile_says_what_it_does_with_each_command():
    for name in names():
        cart = cart_of(link={"header": name} if name in HEADERS else None, **profile_options(name))
        accepted = cart.controller.options.commands
        for words, mids in (("select-pset 2", (18,)), ("job 5", (38,)), ("enable", (43, 225)), ("vin A", (50, 150))):
            answer = give(cart, words)
            done = [mid for mid, _ in cart.controller.carried_out]
            expected = [mid for mid in mids if mid in accepted and mid not in cart.controller.options.unknown_mids]
            assert answer["outcome"] == ("accepted" if expected else "refused"), (name, words, answer)
            assert done == expected[:1], (name, words)
            del cart.controller.carried_out[:]
            rest(cart)
        assert cart.is_ready() and cart.controller.complaints == [], name


# -- what is not sent ----------------------------------------------------------------------------------------------


def test_nothing_is_allowed_by_default_and_nothing_but_what_the_setting_names():
    cart = Cart(controller={"max_clients": 9}).ready()
    assert cart.station.commands is None and cart.station.intake.queries is None
    answer = give(cart, "enable")
    assert answer["outcome"] == "not allowed" and "controller.commands" in answer["why"] and not answer["logged"]
    cart = cart_of(["job", "vin"])
    answer = give(cart, "enable")
    assert answer["outcome"] == "not allowed" and "job, vin" in answer["why"]
    assert give(cart, "explode")["outcome"] == "not allowed"
    assert give(cart, "job 5")["outcome"] == "accepted" and set(cart.controller.carried_out) == {(38, b"05")}


def test_what_does_not_fit_the_field_is_refused_here():
    cart = cart_of()
    for words in (
        "select-pset",
        "select-pset 1000",
        "select-pset -1",
        "select-pset 1 2",
        "select-pset 0x1",
        "select-pset %C2%B2",
        "select-pset 99999999999999999999",
        "batch-size 1",
        "batch-size 1 10000",
        "job 10000",
        "vin",
        "vin " + "V" * 26,
        "vin %20A",
        "vin A%00B",
        "vin %E4",
        "vin %0A",
        "identifier " + "I" * 101,
        "identifier " + "I" * 57,  # the log has no room for it
        "enable 1",
        "wait=x enable",
        "wait=99999 enable",
        "as=" + "n" * 17 + " enable",
        "as=%07 enable",
    ):
        answer = give(cart, words)
        assert answer["outcome"] == "wrong" and answer["why"], words
    assert logged(cart) == [] and cart.controller.carried_out == []


def test_while_controller_is_away_nothing_is_sent_and_with_wait_it_waits():
    cart = cart_of()
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    cart.run(1000)
    answer = give(cart, "enable")
    assert answer["outcome"] == "not sent" and "away" in answer["why"] and logged(cart) == []
    order = Order(cart, "wait=60 enable")
    for _ in range(300):
        order.turn()
    assert order.waiting and order.answer is None
    cart.network.up(CONTROLLER[0], CONTROLLER[1])
    assert order.end()["outcome"] == "accepted" and cart.controller.carried_out == [(43, b"")]
    cart.network.down(CONTROLLER[0], CONTROLLER[1])
    cart.run(1000)
    before = cart.clock.total_ms
    assert give(cart, "wait=5 enable")["outcome"] == "not sent"
    assert 5000 <= cart.clock.total_ms - before < 5200


def test_one_at_a_time_and_a_pause_between_two():
    cart = cart_of(refuse={42: None})
    first = Order(cart, "as=bo disable")
    for _ in range(5):
        first.turn()
    answer = give(cart, "enable")
    assert answer["outcome"] == "not sent" and "outstanding: disable, asked by anna (bo)" in answer["why"]
    assert first.end()["outcome"] == "unknown"
    before = cart.clock.total_ms
    assert give(cart, "enable")["outcome"] == "accepted"
    assert cart.clock.total_ms - before <= REST_MS + 100
    before = cart.clock.total_ms
    assert give(cart, "enable")["outcome"] == "accepted" and cart.clock.total_ms - before >= REST_MS - 100


def test_who_goes_away_takes_back_what_is_not_out():
    cart = cart_of()
    assert give(cart, "enable")["outcome"] == "accepted"
    order = Order(cart, "disable")  # has to wait for the pause
    order.asker.gone = True
    answer = order.end()
    assert (answer["outcome"], answer["why"]) == ("not sent", "its sender has gone")
    rest(cart)
    gone = asker()
    gone.gone = True  # before it was read
    assert list(carry_out(cart.station, cart.board, ["disable"], gone))[-1]["why"] == "its sender has gone"
    rest(cart)
    assert 42 not in cart.controller.messages
    order = Order(cart, "disable")
    cart.run(5)
    order.job.close()  # the agent ends, say
    cart.run(2000)
    assert logged(cart)[-1][0] == "accepted" and cart.controller.is_locked


def test_what_waited_for_its_turn_while_the_agent_was_stopped_is_not_sent():
    cart = cart_of()
    assert give(cart, "enable")["outcome"] == "accepted"
    order = Order(cart, "disable")  # has to wait for the pause
    cart.clock.advance(TURN_MS)
    cart.run(500)  # before its own turn the others have theirs
    answer = order.end()
    assert (answer["outcome"], answer["why"]) == ("not sent", "its turn did not come in time")
    assert 42 not in cart.controller.messages and len(logged(cart)) == 2


# -- what is not known ---------------------------------------------------------------------------------------------


def test_without_an_answer_it_is_unknown_and_never_sent_again_by_itself():
    cart = cart_of(refuse={18: None})
    answer = give(cart, "select-pset 12")
    assert answer["outcome"] == "unknown" and "did not answer" in answer["why"] and answer["logged"]
    cart.run(300000)
    assert cart.controller.messages[18] == 1 and cart.is_ready() and cart.controller.connections == 1
    assert [line[0] for line in logged(cart)] == ["sent", "unknown"]


def test_a_late_answer_is_not_taken_for_that_of_the_next_command():
    cart = cart_of(refuse={18: None})
    assert give(cart, "select-pset 12")["outcome"] == "unknown"
    rest(cart)
    answer = give(cart, "select-pset 99")
    assert answer["outcome"] == "not sent" and "still owed" in answer["why"]
    cart.controller.sessions[0].accept(18)
    cart.run(100)
    cart.controller.options.refuse = {}
    assert cart.station.counters.counts[CONTROLLER_UNKNOWN] == 0, "it was asked for"
    assert give(cart, "enable")["outcome"] == "accepted"
    assert give(cart, "select-pset 99")["outcome"] == "refused"  # nothing is owed any more
    cart.controller.sessions[0].accept(18)
    cart.run(100)
    assert cart.station.counters.counts[CONTROLLER_UNKNOWN] == 1
    cart.controller.options.refuse = {18: None}
    rest(cart)
    assert give(cart, "select-pset 12")["outcome"] == "unknown"
    cart.run(DOUBT_MS)
    cart.controller.options.refuse = {}
    assert give(cart, "select-pset 99")["outcome"] == "refused"
    cart.controller.options.refuse = {18: None}
    rest(cart)
    assert give(cart, "select-pset 12")["outcome"] == "unknown"
    cart.controller.options.refuse = {}
    cart.network.cut(CONTROLLER[0], CONTROLLER[1])
    cart.run(500)
    cart.ready()
    assert give(cart, "select-pset 12")["outcome"] == "accepted"  # that answer was lost with its connection


def test_answer_that_comes_twice_or_names_another_mid_counts_for_nothing_else():
    cart = cart_of()
    assert give(cart, "select-pset 12")["outcome"] == "accepted"
    cart.controller.sessions[0].accept(18)
    cart.run(300)
    assert give(cart, "select-pset 99")["outcome"] == "refused"
    rest(cart)
    cart.controller.options.refuse = {42: None}
    order = Order(cart, "disable")
    for _ in range(3):
        order.turn()
    for mid in (18, 43, 60, 9999, 0):
        cart.controller.sessions[0].accept(mid)
        cart.controller.sessions[0].refuse(mid, 99)
    cart.controller.inject(b"0021000500110101    4\0")
    cart.run(200)
    assert order.end()["outcome"] == "unknown" and cart.is_ready()


def test_sent_command_stays_logged_after_a_cut_and_is_not_repeated():
    cart = cart_of(refuse={42: None})
    order = Order(cart, "disable")
    for _ in range(3):
        order.turn()
    cart.cut()
    cart.ready()
    cart.run(60000)
    assert cart.controller.messages[42] == 1 and [line[0] for line in logged(cart)] == ["sent"]


# -- results first -------------------------------------------------------------------------------------------------


def acknowledged_after(cart, words):
    """Return the longest ms from a result to its acknowledgement among many at any moment of a command."""
    worst = 0
    for offset in range(0, 40, 1 if HAS_ALL else 8):
        order = Order(cart, words) if words else None
        if order is not None:
            order.turn()
        cart.run(offset)
        cart.produce()
        before = cart.clock.total_ms
        cart.until(lambda: cart.controller.acknowledged == cart.controller.produced)
        worst = max(worst, cart.clock.total_ms - before)
        if order is not None:
            assert order.end()["outcome"] == "accepted"
        rest(cart)
    return worst


def test_an_acknowledgement_is_not_later_for_a_command():
    alone = acknowledged_after(cart_of(), "")
    with_command = acknowledged_after(cart_of(), "identifier " + "I" * 56)
    assert with_command <= alone + 1, (alone, with_command)


def on_a_line(words):
    """Return the longest ms from a result to its acknowledgement over 3964R at 9600 baud, beside such a command."""
    cart = SerialCart(kind="3964r", baud=9600, settings={"controller": {"commands": ALL}})
    assert cart.run(60000, cart.is_ready)
    cart.run(5000)
    worst = 0
    for offset in range(0, 300, 60):
        job = carry_out(cart.station, cart.board, words.split(), asker()) if words else iter(())
        next(job, None)
        cart.run(offset)
        cart.produce()
        before = cart.clock.total_ms
        assert cart.run(20000, lambda: len(cart.controller.acknowledged) >= len(cart.controller.produced))
        worst = max(worst, cart.clock.total_ms - before)
        sent_line = None
        for line in job:
            if isinstance(line, int):
                cart.run(line)
            else:
                sent_line = line
        assert not words or sent_line["outcome"] == "accepted"
        cart.run(2000)
    return worst


def test_serial_acknowledgement_waits_only_for_the_bytes_of_the_command():
    alone = on_a_line("")
    with_command = on_a_line("identifier " + "I" * 56)
    assert with_command - alone <= 150, (
        alone,
        with_command,
    )  # 76 octets and their NUL at 9600 baud, and the line's turn


def test_a_command_goes_in_front_of_what_is_missing():
    cart = cart_of()
    cart.produce()
    cart.settle()
    cart.line.delay_ms = 10
    cart.miss(300)
    cart.run(1000)
    cart.ready()
    cart.run(200)
    assert give(cart, "enable")["outcome"] == "accepted"
    assert 5 < cart.controller.messages[64] < 30
    assert cart.settle().stored_ids() == list(range(1, 302))


def test_the_states_that_the_tests_rely_on():
    assert "commands any ~ " + ",".join(commands.NAMES) in CONTROLLER_SETTINGS.split("\n")
    assert session_states.READY == 4 and len(set(commands.NAMES)) == len(commands.COMMANDS)
    longest = max([len(data) for _, _, data in commands.ways_of(commands.find("identifier"), ["I" * 100], 0)])
    assert commands.LONGEST == 20 + longest
