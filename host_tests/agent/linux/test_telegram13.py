"""Telegram 13 is what the document says of it, octet for octet; an independent reader finds the curve in it again."""

from fractions import Fraction
from itertools import pairwise
from struct import pack, pack_into, unpack

from hypothesis import given
from hypothesis import strategies as st

from toolcart.agent.linux import telegram13 as graph13
from toolcart.agent.record import graph as gr
from host_tests.support.graphs import cart_with_curves
from host_tests.support.toolsnet import read as whole

WORKED = (
    b"013213000431160003000100100001001220240314092653000170000000000000000000010000000100"
    b"000040.0000050.0000000.0000002.00016"
) + bytes.fromhex("0000000d010004120aff108d105effe7")


def lead_of(
    steps=((7, 2, 1),), what=gr.TORQUE, unit=1, scale=(0, 1, 100), limits=(b"000400", b"000500", 1), program=b"0012"
):
    lead = bytearray(gr.FIRST_STEP + gr.STEP_BYTES * len(steps))
    pack_into("<IHBBI", lead, 0, 1, 10, 0, 1, 17)
    lead[gr.RESULT_TIME : gr.RESULT_TIME + 7] = bytes.fromhex("20240314092653")
    lead[gr.SPINDLE] = 1
    lead[gr.WHAT] = what
    lead[gr.STEPS] = len(steps)
    pack_into("<H4s6s6sB", lead, gr.UNIT, unit, program, limits[0], limits[1], limits[2])
    pack_into("<bII", lead, gr.SHIFT, *scale)
    for index, step in enumerate(steps):
        pack_into("<HII", lead, gr.FIRST_STEP + gr.STEP_BYTES * index, *step)
    return bytes(lead)


def read(octets):
    """What an independent reader finds; nothing in it breaks the document."""
    graph = whole(octets)
    graph["values"] = unpack(f">{len(graph['samples']) // 2}h", graph["samples"])
    graph["factor"] = Fraction(2) ** graph["bit_shift"] * graph["factor_dom"] / graph["factor_nom"]
    return graph


def written(samples, **more):
    data = pack(f">{len(samples)}h", *samples)
    return graph13.write(lead_of(**more), data, 43, 3, 1, 17)


def test_worked_example_of_the_digest_octet_for_octet():
    assert bytes(graph13.write(lead_of(), WORKED[-16:], 43, 3, 1, 17)) == WORKED
    graph = read(WORKED)
    assert [float(graph["factor"] * value) for value in graph["values"]] == [
        0,
        0.13,
        2.56,
        10.42,
        28.15,
        42.37,
        41.9,
        -0.25,
    ]


def test_time_between_samples_has_the_decimals_that_it_needs_and_that_fit():
    assert graph13.milliseconds(Fraction(12345678, 100)) == "123456.8"


def test_factor_that_is_too_large_is_shifted():
    graph = read(written([1], unit=2, scale=(3, 999999937, 999999929)))
    exact = 8 * Fraction(999999937, 999999929) * Fraction(1355818, 1000000)
    assert abs(graph["factor"] / exact - 1) < Fraction(1, 1 << 28)
    assert 0 < graph["factor_dom"] < 1 << 31 and 0 < graph["factor_nom"] < 1 << 31


def test_curve_of_two_times_becomes_one_of_the_shorter():
    graph = read(written([0, 10, 20, 24, 28], steps=((2, 2, 1), (2, 1, 1))))
    assert list(graph["values"]) == [0, 5, 10, 15, 20, 24, 28] and graph["sample_ms"] == "000001.0"


step = st.tuples(st.integers(0, 65535), st.integers(0, (1 << 30) - 1), st.integers(1, (1 << 30) - 1))
plain_step = st.tuples(st.integers(1, 3000), st.integers(1, 5000), st.sampled_from([1, 2, 4, 5, 10, 1000]))


@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=60),
    st.one_of(st.lists(step, max_size=1), st.lists(plain_step, max_size=4)),
    st.sampled_from([gr.TORQUE, gr.ANGLE]),
    st.integers(0, 65535),
    st.tuples(st.integers(-31, 31), st.integers(0, (1 << 30) - 1), st.integers(0, (1 << 30) - 1)),
    st.integers(0, 6),
    st.binary(min_size=4, max_size=4),
)
def test_any_curve_that_can_be_makes_a_telegram_without_breach(samples, steps, what, unit, scale, decimals, program):
    limits = (b"001234", b"999999", decimals)
    graph = read(written(samples, steps=steps, what=what, unit=unit, scale=scale, limits=limits, program=program))
    assert graph["graph_type"] == (0 if what == gr.TORQUE else 1) and graph["sequence"] == 17
    assert graph["values"][0] == samples[0] and len(graph["values"]) <= graph13.SAMPLES_MOST
    if len(steps) <= 1:
        assert list(graph["values"]) == samples


def cart_of(*wanted, **more):
    """A cart whose ToolsNet gets the curves that are wanted."""
    return cart_with_curves(wanted, settings={"toolsnet": {"extras": ["curves"]}}, **more)


def sent(one):
    return [(graph["sequence"], graph["graph_type"]) for graph in one.archive.graphs]


def test_start_does_not_send_a_curve_again():
    one = cart_of("torque", "angle")
    one.produce(1, 3000)
    count = one.archive.graphs_stored
    assert count == 2
    for _ in range(3):
        one.cut()
        one.run(30000)
    assert one.archive.graphs_stored == count


def test_last_curve_is_settled_when_the_flash_can_be_written_again():
    one = cart_of("torque")
    one.network.down("tn", 10111)
    one.produce(1, 2000)
    one.cut()
    log = one.station.graphs
    settle, refused = log.settle, []
    log.settle = lambda: (len(refused) > 5 and settle()) or bool(refused.append(one.clock.total_ms))
    one.network.up("tn", 10111)
    one.run(120000)
    assert sent(one) == [(1, 0)] and len(refused) == 6, "tried again, with pauses"
    assert all(after - before >= 1000 for before, after in pairwise(refused))


def test_refused_curve_is_passed_after_three_offers_and_results_go_on():
    one = cart_of("torque", toolsnet={"telegram_codes": {"13": 4}})
    one.produce(1, 1000)
    before = one.clock.total_ms
    one.produce()
    one.until_quiet()
    assert one.clock.total_ms - before < 1000
    one.run(120000)
    assert one.outlet_status()["graphs_passed"] == 2 and one.toolsnet.telegrams["13"] == 6
    one.options.telegram_codes = {}
    one.produce(1, 3000)
    assert sent(one) == [(3, 0)]


def test_server_that_never_answers_a_curve_costs_few_connections():
    one = cart_of("torque", toolsnet={"silent_telegrams": ["13"]})
    one.produce(24, 300000)
    one.until_quiet()
    assert one.toolsnet.server_connections <= 6 and one.archive.repeated == 0


def test_curve_of_a_result_that_was_set_aside_is_not_sent():
    one = cart_of("torque", toolsnet={"tightening_codes": {2: 17}})
    one.produce(3, 2000)
    one.run(200000)
    assert one.archive.sequences() == [1, 3] and [sequence for sequence, _ in sent(one)] == [1, 3]
    assert one.outlet_status()["graphs_without_result"] == 1
