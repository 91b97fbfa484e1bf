"""The simulated controller answers as the documents say and notices every byte that is wrong."""

import toolcart.sim.controller_model  # noqa: F401 - first: imports nest, and from deeper down this port's stack is too small
from toolcart.base.clock import SimClock
from toolcart.sim.controller import Controller, ControllerOptions
from toolcart.sim.controller_frames import old_result_data, result_data, start_data
from toolcart.sim.profiles import profile_options
from host_tests.portable import error_of
from host_tests.support.frames import TIGHTENED
from lab.harness.line import Network

PORTABLE = True
HEAP = "512k"

START = b"00200001006         \0"
SUBSCRIBE = b"002000609990        \0"
ACKNOWLEDGE = b"00200062001         \0"
KEEP_ALIVE = b"00209999001         \0"
STOP = b"00200003001         \0"


class Integrator:
    """Says bytes to a controller over a line without delay and returns what comes back."""

    def __init__(self, controller, network=None):
        self.clock = controller.clock
        self.controller = controller
        self.network = network or Network(self.clock)
        self.network.listen("cart", 4545, controller.endpoint)
        self.port = self.network.port()
        self.port.open("cart", 4545)
        self.network.step()

    def exchange(self, octets):
        self.port.write(octets, 0, len(octets))
        return self.receive()

    def receive(self):
        self.network.step()
        buf = bytearray(2000)
        count = self.port.readinto(buf, 2000)
        return bytes(buf[:count]) if count >= 0 else None

    def wait(self, ms):
        """Let time pass as a driver does: from one deadline to the next; return what comes at the end."""
        received = b""
        while True:
            received += self.receive() or b""
            step = min(ms, self.network.next_due())
            if ms == 0:
                return received
            self.clock.advance(step)
            ms -= step

    def start(self):
        self.exchange(START)
        return self.exchange(SUBSCRIBE)

    def closed(self):
        return self.receive() is None


def build(**options):
    return Integrator(Controller(SimClock(), ControllerOptions(**options)))


def started(**options):
    cart = build(**options)
    cart.start()
    return cart


def old(tightening_id, revision=2):
    return b"00300064%03d         %010d\0" % (revision, tightening_id)


def example(controller, **more):
    """Produce the tightening of the worked examples."""
    return controller.produce(**dict(TIGHTENED, **more))


# What it sends


def test_light_result_is_byte_for_byte_the_worked_example():
    cart = build()
    assert cart.start() == b"00240005001 0101    0060\0"
    example(cart.controller)
    assert cart.receive() == (
        b"01210061999 0101    WVWZZZ1KZAW123456        070120006000400120042370009"
        b"52024-03-14:09:26:532024-02-01:08:00:000001234567\0"
    )
    assert cart.controller.complaints == []


def test_every_revision_has_the_length_the_documents_give():
    controller = Controller(SimClock())
    example(controller)
    result = controller.latest()
    lengths = {1: 231, 2: 385, 3: 419, 4: 500, 5: 506, 6: 526, 7: 544, 998: 547, 999: 121}
    for revision in lengths:
        assert 20 + len(result_data(result, revision)) == lengths[revision]
    lengths = {1: 118, 2: 226, 3: 233, 4: 314, 5: 320, 6: 340, 7: 379}
    for revision in lengths:
        assert 20 + len(old_result_data(result, revision)) == lengths[revision]
    lengths = {1: 57, 2: 62, 3: 125, 4: 163, 5: 173, 6: 221}
    for revision in lengths:
        assert 20 + len(start_data(controller.identity, revision)) == lengths[revision]
    assert 20 + len(start_data(controller.identity, 6, True)) == 179


def test_fields_of_revision_1_and_2_lie_where_the_tables_say():
    controller = Controller(SimClock())
    example(controller)
    first = b" " * 20 + result_data(controller.latest(), 1)
    assert first[57:59] == b"04" and first[59:76] == b"WVWZZZ1KZAW123456"
    assert first[138:140] == b"15" and first[140:146] == b"004237"
    assert first[219:221] == b"23" and first[221:231] == b"0001234567"
    second = b" " * 20 + result_data(controller.latest(), 2)
    assert second[181:183] == b"24" and second[183:189] == b"004237"
    assert second[301:303] == b"41" and second[303:313] == b"0001234567"
    assert second[364:366] == b"46" and second[366:385] == b"2024-02-01:08:00:00"


def test_parameter_set_and_tool_are_reported():
    cart = started()
    answer = cart.exchange(b"00230012001         012\0")
    assert answer[:20] == b"01040013001 0101    "
    assert answer[59:75] == b"0500400006005000"[:2] + b"004000" + b"06" + b"005000"
    assert answer[83:97] == b"0800060" + b"0900090"
    assert cart.exchange(b"00230012001         099\0") == b"00260004001 0101    001202\0"
    assert cart.exchange(b"00200040001         \0")[20:36] == b"01C3412129      "
    assert cart.controller.complaints == []


def test_alarm_is_pushed_to_late_subscribers_too():
    cart = started()
    assert cart.exchange(b"002000700010        \0") == b"00240005001 0101    0070\0"
    cart.controller.raise_alarm("E404", ready=0)
    assert cart.receive() == b"00530071001 0101    01E40402003" + b"0042024-03-14:09:26:53\0"
    cart.exchange(b"00200072001         \0")
    cart.exchange(b"00200073001         \0")
    assert cart.exchange(b"002000700010        \0")[25:] == (
        b"00560076001 0101    01102E404030040052024-03-14:09:26:53\0"
    )
    assert cart.controller.complaints == []


# Sessions


def test_second_client_is_turned_away_until_the_first_stops():
    cart = started()
    other = Integrator(cart.controller, cart.network)
    assert other.exchange(START) == b"00260004001 0101    000196\0"
    assert cart.exchange(STOP) == b"00240005001 0101    0003\0"
    assert other.exchange(START)[4:8] == b"0002"


def test_keep_alive_is_mirrored_as_configured():
    cart = started()
    assert cart.exchange(KEEP_ALIVE) == b"00209999001 0101    \0"
    cart.controller.options.keepalive = "blank"
    assert cart.exchange(KEEP_ALIVE) == b"00209999            \0"
    cart.controller.options.keepalive = "refuse"
    assert cart.exchange(KEEP_ALIVE) == b"00260004001 0101    999999\0"
    cart.controller.options.keepalive = "none"
    assert cart.exchange(KEEP_ALIVE) == b""


def test_silence_of_fifteen_seconds_closes_and_is_a_complaint():
    cart = started()
    cart.wait(14999)
    assert not cart.closed()
    cart.wait(1)
    assert cart.closed()
    assert len(cart.controller.complaints) == 1
    assert cart.controller.sessions == []


def test_silence_that_a_black_hole_made_is_no_complaint():
    cart = started()
    cart.network.swallow("cart", 4545)
    cart.wait(20000)
    assert cart.controller.complaints == []
    assert cart.controller.closings == ["controller: integrator was silent"]


def test_hanging_controller_says_nothing_and_goes_on_when_it_is_freed():
    cart = started()
    cart.controller.options.silent = True
    number = cart.controller.produce()
    assert cart.exchange(KEEP_ALIVE) == b""
    assert cart.wait(14000) == b""
    cart.controller.options.silent = False
    assert cart.receive()[111:121] == b"%010d" % number
    assert cart.controller.complaints == []


def test_header_styles_differ_in_what_stands_for_nothing():
    for style, head in (
        ("blank", b"00240005            "),
        ("zero", b"0024000500100000    "),
        ("parts", b"00240005001     0000"),
    ):
        cart = build(header=style)
        assert cart.start()[:20] == head


def test_nul_can_be_missing_late_or_counted():
    cart = build(nul="missing")
    assert cart.start() == b"00240005001 0101    0060"
    cart = build(nul="counted")
    assert cart.start() == b"00250005001 0101    0060\0"
    cart = build(nul="late")
    cart.exchange(START)
    cart.wait(20)
    assert cart.exchange(SUBSCRIBE) == b"00240005001 0101    0060"
    assert cart.wait(20) == b"\0"


# Results


def test_result_is_sent_again_three_times_and_then_the_line_is_closed():
    cart = started()
    cart.controller.produce()
    assert len(cart.wait(8999)) == 3 * 122
    cart.exchange(KEEP_ALIVE)
    assert len(cart.wait(1)) == 122
    cart.wait(3000)
    assert cart.closed()
    assert cart.controller.closings == ["controller: 0061 was not acknowledged"]


def test_each_copy_of_a_result_may_be_acknowledged_and_counts_once():
    cart = started()
    first = cart.controller.produce()
    cart.wait(3000)
    second = cart.controller.produce()
    cart.exchange(ACKNOWLEDGE)
    assert cart.controller.acknowledged == [first]
    cart.exchange(ACKNOWLEDGE)
    assert cart.controller.acknowledged == [first]
    cart.exchange(ACKNOWLEDGE)
    assert cart.controller.acknowledged == [first, second]
    assert cart.controller.complaints == []


def test_repeating_controller_sends_what_was_acknowledged():
    cart = started(repeat=2)
    cart.controller.produce()
    first = cart.receive()
    cart.exchange(ACKNOWLEDGE)
    assert cart.wait(5000) == first
    cart.exchange(ACKNOWLEDGE)
    assert cart.wait(5000) == first
    cart.exchange(ACKNOWLEDGE)
    assert cart.wait(5000) == b""
    assert cart.controller.complaints == []


def test_what_was_not_subscribed_is_not_replayed_but_recovered():
    cart = build()
    missed = cart.controller.produce()
    newest = cart.controller.produce()
    cart.start()
    assert cart.receive() == b""
    assert cart.exchange(old(0))[20:32] == b"01%010d" % newest
    assert cart.exchange(old(missed, 1))[:11] == b"01180065001"
    assert cart.exchange(old(77)) == b"00260004001 0101    006415\0"
    assert cart.controller.fetched == [newest, missed]
    assert sorted(cart.controller.fetched_by_id) == [missed]


def test_tightening_ids_wrap_jump_and_start_again():
    controller = Controller(SimClock(), None, 4294967295)
    assert [controller.produce() for _ in range(3)] == [4294967295, 0, 1]
    controller.jump_ids(10)
    assert controller.produce() == 12
    controller.reset_ids(5)
    assert controller.latest() is None
    assert controller.produce() == 5


def test_result_may_come_instead_of_the_answer_to_the_subscription():
    cart = build(push_instead_of_answer=True, push_last_result=True)
    cart.controller.produce()
    assert cart.start()[:11] == b"01210061999"


def test_a_result_without_its_acknowledgement_may_be_pushed_again_behind_the_next_0002():
    for end in (STOP, None):
        cart = build(push_unacknowledged=True)
        cart.start()
        cart.controller.produce()
        assert cart.receive()[:11] == b"01210061999"
        if end is None:
            cart.port.close()
            cart.network.step()
        else:
            assert cart.exchange(end)[4:8] == b"0005"
        again = cart if end else Integrator(cart.controller, cart.network)
        began = again.exchange(START)
        assert began[4:8] == b"0002" and began[-122:-111] == b"01210061999" and len(began) < 400
        assert again.exchange(SUBSCRIBE)[4:8] == b"0005"
        again.exchange(ACKNOWLEDGE)
        assert cart.controller.acknowledged == [1] and cart.controller.complaints == []
        again.exchange(STOP)
        assert b"0061" not in again.exchange(START)
    cart = build()
    cart.start()
    cart.controller.produce()
    cart.exchange(STOP)
    assert b"0061" not in cart.exchange(START)


def test_controller_that_pushes_other_messages_has_no_0061():
    for kind in ("cycles", "sync", "operations"):
        cart = build(push_last_result=True, **{kind: (1,)})
        cart.controller.produce()
        assert cart.start() == b"00240005001 0101    0060\0"
        cart.controller.produce()
        assert cart.receive() == b"" and cart.controller.complaints == []


def test_odd_texts_come_as_they_are_ordered():
    cart = started(pad=b"\0", pset_change_text="Last Change Unknown", time_text="0000-00-00:00:00:00")
    cart.controller.produce(vin=b"AB")
    frame = cart.receive()
    assert frame[20:45] == b"AB" + b"\0" * 23
    assert frame[73:111] == b"0000-00-00:00:00:00Last Change Unknown"


def test_about_one_result_in_twenty_is_not_ok_and_says_why():
    controller = Controller(SimClock(), ControllerOptions(memory=1))
    bad = 0
    for _ in range(400):
        result = controller.result(controller.produce())
        if result.status == 0:
            bad += 1
            assert result.torque_status != 1 or result.angle_status != 1
        else:
            assert result.torque_min <= result.torque <= result.torque_max
    assert 5 <= bad <= 40


def test_connection_drops_at_the_ordered_message():
    cart = build(drop_after_received=[2])
    assert cart.start() is None
    cart = build(drop_after_sent=[2])
    assert cart.start() == b"00240005001 0101    0060\0"
    assert cart.closed()


# What it complains about


def complaint_for(octets, is_started=True, **options):
    """Return the complaints after one wrong message."""
    cart = started(**options) if is_started else build(**options)
    cart.exchange(octets)
    return cart.controller.complaints


def test_length_field_must_be_four_digits_of_at_least_twenty():
    assert "four digits" in complaint_for(b" 0200062001         \0")[0]
    assert "below 20" in complaint_for(b"00190062001        \0")[0]


def test_header_fields_must_be_what_an_integrator_writes():
    assert "revision" in complaint_for(b"00209999            \0")[0]
    assert "revision" in complaint_for(b"00209999000         \0")[0]
    assert "no-ack" in complaint_for(b"002099990010        \0")[0]
    assert "no-ack" in complaint_for(b"00200060999x        \0", is_started=False)[0]
    assert "station" in complaint_for(b"00209999001 00      \0")[0]
    assert "spindle" in complaint_for(b"00209999001   1     \0")[0]
    assert "sequence" in complaint_for(b"00209999001     01  \0")[0]
    assert "sequence" in complaint_for(b"00209999001       11\0")[0]
    assert "MID" in complaint_for(b"0020999x001         \0")[0]
    assert complaint_for(b"00209999001 0102    \0") == []
    assert "expected" in complaint_for(b"00209999001 0102    \0", expected_station=b"  ")[0]


def test_revision_is_the_number_however_it_is_written():
    for octets, revision in ((b"003", b"003"), (b"  3", b"003"), (b"3  ", b"003"), (b"000", b"001"), (b"   ", b"001")):
        assert build(strict=False).exchange(b"00200001" + octets + b"         \0")[4:11] == b"0002" + revision
    cart = build(strict=False)
    assert cart.exchange(b"002000010x3         \0") == b"00260004001 0101    000197\0"
    assert "revision is not a number" in cart.controller.complaints[0]


def test_nul_may_be_missing_or_counted_by_an_integrator():
    for octets in (START[:-1], b"00210001006         \0", b"00210001006         \0\0", b"\0\0" + START):
        cart = build(strict=False)
        assert cart.exchange(octets)[4:8] == b"0002"
        assert cart.exchange(SUBSCRIBE)[4:8] == b"0005"
        assert cart.controller.complaints == []
    cart = build()
    cart.exchange(START[:-1])
    assert cart.controller.complaints == []
    cart.exchange(b"\0" + SUBSCRIBE[:-1])
    cart.exchange(KEEP_ALIVE)
    assert len(cart.controller.complaints) == 1 and "no NUL" in cart.controller.complaints[0]


def test_a_nul_that_is_missing_or_in_front_is_reported_once_for_each_mid():
    """By the MID of its message, whatever its length."""
    vins = [b"%04d0050001         " % (20 + length) + b"V" * length for length in (25, 24)]
    for front, what in ((b"", "no NUL"), (b"\0\0", "NUL in front of a message")):
        cart = build()
        for frame in [START[:-1], SUBSCRIBE[:-1]] + vins + [KEEP_ALIVE[:-1], KEEP_ALIVE[:-1], KEEP_ALIVE]:
            cart.exchange(front + frame)
        named = [text.split(":")[0] for text in cart.controller.complaints if what in text]
        assert named == ["0001", "0060", "0050", "9999"], cart.controller.complaints


def test_what_is_odd_is_reported_once_for_each_kind():
    for strict, wanted in ((True, 1), (False, 0)):
        cart = started(strict=strict)
        for _ in range(5):
            assert cart.exchange(b"00209999000         \0")[4:8] == b"9999"
        assert len(cart.controller.complaints) == wanted
        assert list(cart.controller.odd.values()) == [5]


def test_data_that_is_too_short_is_refused():
    cart = started()
    assert cart.exchange(b"00290064002         123456789\0") == b"00260004001 0101    006401\0"
    assert cart.exchange(b"00300064002         12345 7890\0") == b"00260004001 0101    006401\0"
    assert cart.exchange(b"00209998001         \0") == b""


def test_results_of_a_subscription_without_acknowledges_wait_for_none():
    cart = build()
    cart.exchange(START)
    assert cart.exchange(b"002000609991        \0")[4:8] == b"0005"
    for _ in range(3):
        cart.controller.produce()
    assert len(cart.receive()) == 3 * 122
    assert cart.wait(4000) == b"" and cart.controller.complaints == []
    cart = build(no_ack=False)
    cart.exchange(START)
    cart.exchange(b"002000609991        \0")
    cart.controller.produce()
    assert len(cart.wait(3000)) == 2 * 122


def test_client_that_left_without_a_word_keeps_its_slot_for_a_while():
    cart = started(slot_kept_ms=15000)
    cart.port.close()
    cart.wait(10)
    other = Integrator(cart.controller, cart.network)
    assert other.exchange(START)[-3:] == b"96\0"
    other.wait(14990)
    assert other.exchange(START)[4:8] == b"0002"
    other.exchange(STOP)
    other.port.close()
    other.wait(10)
    assert Integrator(cart.controller, cart.network).exchange(START)[4:8] == b"0002"


def test_data_field_must_have_the_length_of_its_message():
    assert "data field of 1" in complaint_for(b"00219999001         x\0")[0]
    assert "data field of 1" in complaint_for(b"002100609990        x\0")[0]
    assert "data field of 9" in complaint_for(b"00290064002         123456789\0")[0]
    assert "not digits" in complaint_for(b"00300064002                  1\0")[0]


def test_acknowledge_without_result_is_a_complaint():
    assert complaint_for(ACKNOWLEDGE) == ["0062 without an outstanding 0061"]


def test_nothing_may_come_before_start_or_after_stop():
    assert complaint_for(SUBSCRIBE, is_started=False) == ["0060 before 0001"]
    cart = started()
    cart.exchange(STOP)
    cart.exchange(KEEP_ALIVE)
    assert cart.controller.complaints == ["9999 after 0003 and before 0001"]


def test_message_in_pieces_is_a_complaint_where_the_peer_never_reassembles():
    cart = build(whole_writes=True)
    cart.exchange(START[:10])
    assert "pieces" in cart.controller.complaints[0]
    cart = build()
    assert cart.exchange(START[:10]) == b""
    assert cart.exchange(START[10:])[4:8] == b"0002"
    assert cart.controller.complaints == []


def test_unknown_option_or_field_is_a_mistake_of_the_test():
    error_of(lambda: ControllerOptions(windw=3), ValueError)
    for fields in ({"torqe": 3}, {"torque": 42.37}, {"torque": 10**9}, {"vin": [1]}, {"time": 5.0}):
        error_of(lambda fields=fields: Controller(SimClock()).produce(**fields), ValueError)
    odd = ({"window": True}, {"silent": 1}, {"refuse": 5}, {"start_revisions": 1}, {"header": b"x"}, {"seed": "x"})
    for options in ({"pushed_as": {"torque": 1.5}}, {"fetched_as": 5}, {"identity": {"cell": 10**9}}) + odd:
        error_of(lambda options=options: ControllerOptions(**options), ValueError)
    assert ControllerOptions(start_revisions=[1, 2], expected_station=b"01").start_revisions == [1, 2]


# Link-level numbers


def build_numbered(**options):
    cart = build(**options)
    cart.controller.identity.sequence_numbers = 1
    assert cart.exchange(START)[175:176] == b"1"
    return cart


def link_acknowledge(mid, number):
    return b"00249997001     %02d  %04d\0" % (number, mid)


def test_numbered_result_is_acknowledged_by_its_number():
    cart = build_numbered()
    assert cart.exchange(SUBSCRIBE) == b"00240005001 010101  0060\0"
    first = cart.controller.produce()
    second = cart.controller.produce()
    assert cart.receive() == b""
    frame = cart.exchange(link_acknowledge(5, 2))
    assert frame[:20] == b"01210061999 010102  "
    assert cart.controller.acknowledged == []
    assert cart.exchange(link_acknowledge(61, 3))[16:18] == b"03"
    assert cart.controller.acknowledged == [first]
    cart.exchange(link_acknowledge(61, 4))
    assert cart.controller.acknowledged == [first, second]
    assert cart.exchange(KEEP_ALIVE) == b"00209999001 0101    \0"
    assert cart.controller.complaints == []


def test_link_acknowledge_with_zeros_in_every_header_field_is_taken():
    cart = build_numbered(strict=False)
    assert cart.exchange(SUBSCRIBE) == b"00240005001 010101  0060\0"
    first = cart.controller.produce()
    # As node-open-protocol and its fork send it.
    assert cart.exchange(b"002499970010000002000005\0")[:8] == b"01210061"
    cart.exchange(b"002499970010000003000061\0")
    assert cart.controller.acknowledged == [first] and cart.controller.complaints == []


def test_a_blank_start_revision_is_what_the_options_say():
    start = b"00200001            \0"
    for options, answer in (
        (profile_options("mt-focus-6000", strict=False), b"0002006"),
        (profile_options("mt-focus-6000", strict=False, blank_start_revision=1), b"0004001"),
        (profile_options("power-focus-4000"), b"0002001"),
    ):
        assert build(**options).exchange(start)[4:11] == answer


def test_numbered_message_is_repeated_three_times_and_then_the_line_is_closed():
    cart = build_numbered()
    assert cart.exchange(SUBSCRIBE) * 3 == cart.wait(9000)
    cart.exchange(KEEP_ALIVE)
    cart.wait(3000)
    assert cart.closed()
    assert cart.controller.closings == ["controller: number 01 was not acknowledged"]


def test_each_repetition_of_a_numbered_message_may_be_acknowledged():
    cart = build_numbered()
    cart.exchange(SUBSCRIBE)
    cart.wait(3000)
    cart.exchange(link_acknowledge(5, 2))
    cart.exchange(link_acknowledge(5, 2))
    assert cart.controller.complaints == []
    cart.exchange(link_acknowledge(5, 2))
    assert cart.controller.complaints == ["9997 for 0005 with 02 does not fit"]


def test_wrong_number_is_put_right_after_a_refusal():
    cart = build_numbered(link_wrong_once=True)
    assert cart.exchange(SUBSCRIBE)[16:18] == b"06"
    assert cart.exchange(b"00289998001     01  00050003\0")[16:18] == b"01"
    assert cart.exchange(b"00289998001     07  00050003\0") is None


def test_acknowledges_of_the_wrong_kind_are_complaints():
    cart = build_numbered()
    cart.exchange(SUBSCRIBE)
    cart.exchange(ACKNOWLEDGE)
    cart.exchange(link_acknowledge(61, 2))
    cart.exchange(link_acknowledge(5, 3))
    cart.exchange(b"00249997001         0005\0")
    assert len(cart.controller.complaints) == 4
    assert "not numbered" in complaint_for(link_acknowledge(61, 2))[0]
