"""The agent's reader of MID 0900 and 0901 against the catalogue, field by field, over messages drawn by chance."""

from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolcart import catalogue
from toolcart.agent.linux.mid0900 import CURVES, LOST_EMPTY, PLOT_PARAMETERS, READ, Trace
from toolcart.sim import curve_frames
from toolcart.sim import operation_frames as frames
from host_tests.support.frames import message
from host_tests.toolcart.catalogue.test_agents_readers import TIME

DIGITS = st.decimals(min_value=Decimal("0.000001"), max_value=Decimal(99999), places=6).map(str)
FIELD = st.tuples(
    st.integers(1, 99999).filter(lambda pid: pid not in (2213, 2214)),
    st.just(4),
    st.integers(0, 999),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from((1, 2, 3)),
    st.integers(0, 4294967295),
    st.integers(1, 6),
    st.integers(1, 99),
    st.sampled_from((1, 12, 50, 202)),
    st.lists(FIELD, max_size=4),
    st.sampled_from((2213, 2214)),
    DIGITS,
    DIGITS,
    st.lists(st.integers(-32768, 32767), max_size=60),
)
@example(1, 1, 2, 1, 1, [], 2214, "0.000854", "11.000000", [])
@example(1, 0, 1, 1, 1, [], 2213, "0.000001", "99998.999196", [0])
def test_both_read_the_same(revision, ident, what, transducer, unit, fields, pid, scale, step, samples):
    steps = (curve_frames.resolution(0, max(0, len(samples) - 1), step),)
    parameters = ((7, 4, 0, "x"), (pid, 3, unit, scale))
    frame = message(
        CURVES,
        curve_frames.curve_data(
            ident, TIME, revision, what, unit, samples, parameters, steps, fields=fields, transducer=transducer
        ),
        revision,
    )
    theirs = catalogue.decode(frame)
    ours = Trace()
    why = ours.read(frame, 0, len(frame), CURVES, revision)
    assert theirs["result_id"] == ident and theirs["trace_type"] == what and theirs["transducer"] == transducer
    assert (ours.what, ours.transducer, ours.unit) == (what, theirs["transducer"], theirs["unit"])
    assert ours.announced == theirs["sample_count"] == len(samples)
    assert why == (READ if samples else LOST_EMPTY)
    if not samples:
        return
    assert ours.count == len(samples) and not ours.odd
    octets = frame[ours.at : ours.at + ours.octets]
    assert [((octets[i] << 8 | octets[i + 1]) ^ 0x8000) - 0x8000 for i in range(0, len(octets), 2)] == samples
    assert catalogue.samples_of(theirs["samples"]) == samples
    numerator, denominator, shift = ours.scale
    value = Decimal(scale)
    mine = Decimal(numerator) / Decimal(denominator) * (Decimal(2) ** shift)
    assert abs(mine - (1 / value if pid == 2213 else value)) <= abs(mine) / 2**28
    count, top, bottom = ours.steps[0]
    assert count == len(samples)
    if top:
        assert abs(Decimal(top) / bottom - Decimal(step)) <= Decimal(step) / 2**18


@settings(max_examples=60, deadline=None)
@given(st.sampled_from((1, 2, 3)), st.lists(FIELD, min_size=1, max_size=12))
def test_both_find_the_same_plot_parameters(revision, fields):
    frame = message(PLOT_PARAMETERS, curve_frames.parameter_data(5, TIME, revision, fields), revision)
    theirs = catalogue.decode(frame)
    ours = Trace()
    assert ours.read(frame, 0, len(frame), PLOT_PARAMETERS, revision) == READ and not ours.odd
    assert frame[ours.at : ours.at + ours.octets] == frames.data_fields(fields)[3:]
    assert theirs["data_field_count"] == ours.announced == len(fields)


def test_our_subscriptions_are_what_the_catalogue_builds():
    from toolcart.agent.linux.mid0900 import TraceSubscription

    for types in ([1], [2, 1], [1, 2, 3, 4, 5, 6]):
        subscription = TraceSubscription(types)
        subscription.revision()
        frame = message(8, bytes(subscription.data))
        assert catalogue.read_extra(catalogue.decode(frame))["trace_types"] == types
    push = TraceSubscription([1]).pushes[0]
    push.opened()
    assert bytes(push.acknowledgement) == catalogue.acknowledge(
        catalogue.decode(message(900, curve_frames.curve_data(1, TIME, 1, 2, 1, (1,), (), ())))
    )
