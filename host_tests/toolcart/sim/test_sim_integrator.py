"""What an integrator has the simulated controller do is done, shows in results, and is told to who subscribed."""

import toolcart.sim.controller_model  # noqa: F401 - first: imports nest, and from deeper down this port's stack is too small
from toolcart.sim.profiles import profile_options
from host_tests.toolcart.sim.test_sim_controller import KEEP_ALIVE, build, started

PORTABLE = True
HEAP = "512k"

# isort: split


def accepted(mid):
    return b"00240005001 0101    %04d\0" % mid


def refused(mid, code):
    return b"00260004001 0101    %04d%02d\0" % (mid, code)


def command(mid, data=b"", revision=1):
    return b"%04d%04d%03d         " % (20 + len(data), mid, revision) + data + b"\0"


def next_result(cart):
    cart.exchange(b"00200062001         \0")
    return cart.controller.result(cart.controller.produce())


def test_selected_parameter_set_and_job_are_pushed_and_those_of_next_results():
    cart = started()
    assert cart.exchange(command(14)) == accepted(14) and cart.exchange(command(34)) == accepted(34)
    answer = cart.exchange(command(18, b"012"))
    assert answer.startswith(accepted(18)) and answer[25:][4:8] == b"0015" and answer[25:][20:23] == b"012"
    answer = cart.exchange(command(38, b"0033", 2))
    assert answer.startswith(accepted(38)) and answer[25:][4:8] == b"0035" and answer[25:][20:24] == b"0133"
    for _ in range(8):
        result = next_result(cart)
        assert (result.pset, result.torque_min, result.job) == (12, 4000, 33)
    assert cart.exchange(command(38, b"05"))[:25] == accepted(38)


def test_named_vehicle_is_pushed_and_is_in_the_next_results():
    cart = started()
    cart.exchange(command(51))
    answer = cart.exchange(command(50, b"VIN 4711"))
    assert answer.startswith(accepted(50)) and answer[25:][4:8] == b"0052" and answer[25:][20:28] == b"VIN 4711"
    assert next_result(cart).vin == b"VIN 4711"


def test_alarm_is_acknowledged_once():
    cart = started()
    cart.exchange(command(70))
    assert cart.exchange(command(78)) == refused(78, 58)
    cart.controller.raise_alarm("E404")
    cart.receive()
    answer = cart.exchange(command(78))
    assert answer.startswith(accepted(78)) and answer[25:][4:8] == b"0074" and answer[25:][20:24] == b"E404"
    assert cart.controller.alarm is None and cart.exchange(command(78)) == refused(78, 58)


def test_what_cannot_be_done_is_refused_and_changes_nothing():
    cart = started()
    for mid, data, revision, code in (
        (18, b"099", 1, 3),
        (18, b"1", 1, 1),
        (18, b"x12", 1, 1),
        (38, b"00", 1, 20),
        (38, b"0100", 2, 20),
        (38, b"1", 1, 1),
        (38, b"01", 3, 97),
        (50, b"", 1, 1),
        (50, b"V" * 26, 1, 1),
    ):
        assert cart.exchange(command(mid, data, revision)) == refused(mid, code), (mid, data)
    assert cart.controller.ordered == {} and cart.controller.complaints == []


def test_batch_sizes_are_set_and_a_batch_begins_again():
    cart = started(batch=6)
    cart.exchange(command(18, b"002"))
    assert cart.exchange(command(19, b"00203")) == accepted(19)
    assert [(next_result(cart).batch_size, next_result(cart).batch_counter) for _ in range(2)] == [(3, 2), (3, 1)]
    assert cart.exchange(command(20, b"002")) == accepted(20) and next_result(cart).batch_counter == 1
    assert cart.exchange(command(19, b"0020123", 2)) == accepted(19) and next_result(cart).batch_size == 123
    for mid, data, revision, code in (
        (19, b"00200", 1, 1),
        (19, b"09905", 1, 1),
        (19, b"002", 1, 1),
        (19, b"00205", 3, 97),
        (20, b"099", 1, 1),
        (20, b"012", 1, 4),
        (130, b"2", 1, 1),
    ):
        assert cart.exchange(command(mid, data, revision)) == refused(mid, code), (mid, data)


def test_what_names_no_mid_or_revision_is_a_complaint_and_no_end():
    for profile in ("mt-focus-6000", "power-focus-4000"):
        for mid, data in (
            (6, b"1201xxx100000000001"),
            (6, b"1201001100000000x01"),
            (8, b"1201xxx31" + b"0" * 31),
            (8, b"0900xxx00"),
            (9, b"0901001x0"),
            (8, b"090x00100"),
            (8, b"12"),
        ):
            cart = build(**profile_options(profile, traces=(1,), unknown_mids=()))
            cart.exchange(b"00200001006         \0")
            answer = cart.exchange(command(mid, data))
            assert answer[4:8] == b"0004" or cart.controller.complaints, (profile, data)
            assert cart.exchange(KEEP_ALIVE)[4:8] == b"9999", (profile, data)


def test_jobs_are_listed_and_switched_off():
    cart = started()
    assert cart.exchange(command(30))[20:28] == b"99010203"
    assert cart.exchange(command(30, revision=2))[20:32] == b"009900010002"
    assert cart.exchange(command(30, revision=3)) == refused(30, 97)
    cart.exchange(command(38, b"05"))
    assert cart.exchange(command(130, b"0")) == accepted(130) and next_result(cart).job == 0
    assert cart.exchange(command(130, b"1")).startswith(accepted(130)) and next_result(cart).job == 5
