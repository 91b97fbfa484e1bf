"""What is kept of messages beside results, field by field beside what the catalogue reads and builds."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolcart.agent import catalogue
from toolcart.agent.base.health import Health
from toolcart.agent.openprotocol.queries import CLOCK, CLOCK_SET, LIMITS, ClockCheck, Limits
from toolcart.agent.openprotocol.states import EV_QUERY
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from toolcart.agent.station.store import KEPT
from toolcart.agent.wide.controller_events import ROWS, ControllerEvents
from toolcart.agent.wide.mid0900 import CURVES, LOST_EMPTY, PLOT_PARAMETERS, READ, Trace
from toolcart.sim import trace_frames as made
from host_tests.openprotocol.test_queries import Session, body_of
from host_tests.support.frames import message
from host_tests.wide.test_controller_events import PACKED, Bench

TIME = "2024-03-14:09:26:53"
VALUES = {
    "pset_id": 12,
    "pset_name": "Airbag left",
    "pset_change": TIME,
    "time": TIME,
    "job_id": 42,
    "job_status": 2,
    "batch_mode": 1,
    "batch_size": 8,
    "batch_counter": 3,
    "step": 4,
    "step_count": 6,
    "step_type": 1,
    "tightening_status": 6,
    "job_sequence": 60000,
    "vin": "WVWZZZ1KZAW123456",
    "identifier_2": "second",
    "identifier_3": "third",
    "identifier_4": "fourth",
    "error_code": "E404",
    "controller_ready": 1,
    "tool_ready": 0,
    "alarm_text": "Tool overheated",
    "alarm_active": 1,
    "tool_health": 1,
}
# Field of the catalogue -> where it stands in the event's text.
KEPT_AT = {
    15: {"pset_change": (ev.PSET_CHANGE, 19), "pset_name": (ev.PSET_NAME, 25)},
    35: {
        "job_status": (ev.JOB_STATUS, 1),
        "batch_mode": (ev.JOB_MODE, 1),
        "batch_size": (ev.JOB_SIZE, 4),
        "batch_counter": (ev.JOB_COUNTER, 4),
        "step": (ev.JOB_STEP, 3),
        "step_count": (ev.JOB_STEPS, 3),
        "step_type": (ev.JOB_STEP_TYPE, 2),
        "tightening_status": (ev.JOB_TIGHTENING, 2),
        "job_sequence": (ev.JOB_SEQUENCE, 5),
    },
    52: {
        "vin": (0, 40),
        "identifier_2": (ev.IDENTIFIER_2, 25),
        "identifier_3": (ev.IDENTIFIER_3, 25),
        "identifier_4": (ev.IDENTIFIER_4, 25),
    },
    71: {"alarm_text": (0, 50)},
    74: {},
    76: {},
    1000: {},
}
CODES = {15: "pset_id", 35: "job_id", 71: "error_code", 74: "error_code", 76: "error_code", 1000: "error_code"}
PUSHES = sorted({push[0] for _, row, _ in ROWS for push in row[5]})


def fields_of(mid, revision):
    """Return the names of all fields of this revision that have one."""
    return [field.name for field in catalogue.form(mid, revision).fields if field.name and field.name != "data_fields"]


def test_every_message_that_is_asked_for_is_in_catalogue_with_its_acknowledgement():
    for _, row, revisions in ROWS:
        for mid, reply in row[5]:
            assert int(catalogue.about(mid).answer) == reply
        asked = row[2] or row[0]
        for revision in revisions:
            assert revision in catalogue.revisions(asked)


@pytest.mark.parametrize("mid", PUSHES)
def test_every_field_that_is_kept_is_what_the_catalogue_reads(mid):
    for revision in catalogue.revisions(mid):
        names = fields_of(mid, revision)
        values = {name: VALUES[name] for name in names if name in VALUES}
        frame = bytes(catalogue.encode(mid, revision, **values)).rstrip(b"\0")
        read = catalogue.decode(frame)
        bench = Bench()
        assert ControllerEvents(bench).put(mid, frame, 0, len(frame), 0) == KEPT
        ((_, payload),) = bench.events()
        code = payload[ev.CODE : ev.CODE + 5].decode().strip()
        if mid in CODES:
            assert code.lstrip("0") == str(read[CODES[mid]]).strip()
        text = payload[ev.TEXT :].ljust(ev.TEXT_MOST).decode()
        kept = KEPT_AT[mid]
        for name, (at, width) in kept.items():
            told = text[at : at + width].strip()
            if name in names:
                assert told == str(read[name]) or int(told) == int(read[name]), (revision, name)
            else:
                assert told == "", (revision, name)
        if "time" in names:
            assert payload[ev.TIME : ev.TIME + 7] == PACKED
        if "controller_ready" in names:
            assert payload[ev.CONTROLLER_READY : ev.TOOL_READY + 1] == b"10"
        unreported = set(names) - set(kept) - set(CODES.values()) - {"time", "controller_ready", "tool_ready"}
        assert unreported <= {
            "alarm_active",
            "tool_health",
            "data_field_count",
            "rotation",
            "batch_size",
            "torque_min",
            "torque_max",
            "torque_target",
            "angle_min",
            "angle_max",
            "angle_target",
            "first_target",
            "start_final_angle",
            "vin",
            "identifier_2",
            "identifier_3",
            "identifier_4",
        }


# -- what is asked by the way --------------------------------------------------------------------------------------


def asked(session):
    """Return the request as the catalogue builds it, and its data as they were asked with."""
    request = session.request
    return request.asked, request.revision, bytes(request.data).decode()


def test_requests_are_built_as_the_catalogue_builds_them():
    for row, values in ((CLOCK, {}), (CLOCK_SET, {"time": TIME}), (LIMITS, {"pset_id": 12})):
        frame = bytes(catalogue.encode(row[0], 1, **values)).rstrip(b"\0")
        assert len(frame) == 20 + row[4]
        answer = catalogue.about(row[0]).answer
        assert answer.startswith("%04d" % row[1])


@pytest.mark.parametrize("revision", [1, 2, 5])
def test_limits_are_those_the_catalogue_reads(revision):
    values = {
        "pset_id": 12,
        "pset_name": "Airbag",
        "rotation": 1,
        "batch_size": 4,
        "torque_min": 1234,
        "torque_max": 2345,
        "torque_target": 1789,
        "angle_min": 11,
        "angle_max": 222,
        "angle_target": 33,
        "first_target": 4,
        "start_final_angle": 5,
        "pset_change": TIME,
    }
    known = {field.name for field in catalogue.form(13, revision).fields}
    frame = bytes(catalogue.encode(13, revision, **{name: values[name] for name in values if name in known}))
    read = catalogue.decode(frame.rstrip(b"\0"))
    limits, session = Limits(), Session()
    body = body_of(12, TIME.encode())
    limits.put(body, 0)
    assert limits.ask(session, 0)
    assert asked(session) == (12, 5, "012")
    session.link.buf, session.link.length = frame.rstrip(b"\0"), len(frame.rstrip(b"\0"))
    session.said.revision = revision
    limits.take(EV_QUERY, session, Health(), 0)
    assert limits.put(body, 0) == res.LIMITS_BYTES
    for name, at, width in (
        ("torque_min", res.TORQUE_MIN, 6),
        ("torque_max", res.TORQUE_MAX, 6),
        ("torque_target", res.TORQUE_TARGET, 6),
        ("angle_min", res.ANGLE_MIN, 5),
        ("angle_max", res.ANGLE_MAX, 5),
        ("angle_target", res.ANGLE_TARGET, 5),
    ):
        place = res.BODY_BYTES + at
        assert int(body[place : place + width]) == read[name] == values[name]
    assert bytes(body[res.BODY_BYTES + res.TORQUE_UNIT :]) == b" " * 4


def test_time_is_where_the_catalogue_reads_it():
    class Board:
        def clock_is_set(self):
            return True

        def stamp_into(self, buf):
            buf[:] = b"2024-03-14:09:26:43"

    check, session = ClockCheck(Board(), False), Session()
    check.opened(0)
    assert check.ask(session, 0) and asked(session) == (80, 1, "")
    frame = bytes(catalogue.encode(81, 1, time=TIME)).rstrip(b"\0")
    session.link.buf, session.link.length = frame, len(frame)
    check.take(EV_QUERY, session, Health(), 0)
    assert str(catalogue.decode(frame)["time"]) and check.ahead_s == 10


# The agent's reader of MID 0900 and 0901 against the catalogue, field by field, over messages drawn by chance.

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
    steps = (made.resolution(0, max(0, len(samples) - 1), step),)
    parameters = ((7, 4, 0, "x"), (pid, 3, unit, scale))
    frame = message(
        CURVES,
        made.curve_data(
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
    frame = message(PLOT_PARAMETERS, made.parameter_data(5, TIME, revision, fields), revision)
    theirs = catalogue.decode(frame)
    ours = Trace()
    assert ours.read(frame, 0, len(frame), PLOT_PARAMETERS, revision) == READ and not ours.odd
    assert frame[ours.at : ours.at + ours.octets] == made.data_fields(fields)[3:]
    assert theirs["data_field_count"] == ours.announced == len(fields)


def test_our_subscriptions_are_what_the_catalogue_builds():
    from toolcart.agent.wide.mid0900 import TraceSubscription

    for types in ([1], [2, 1], [1, 2, 3, 4, 5, 6]):
        subscription = TraceSubscription(types)
        subscription.revision()
        frame = message(8, bytes(subscription.data))
        assert catalogue.read_extra(catalogue.decode(frame))["trace_types"] == types
    push = TraceSubscription([1]).pushes[0]
    push.opened()
    assert bytes(push.acknowledgement) == catalogue.acknowledge(
        catalogue.decode(message(900, made.curve_data(1, TIME, 1, 2, 1, (1,), (), ())))
    )
