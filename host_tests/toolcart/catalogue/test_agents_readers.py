"""The agent's own readers against the catalogue, field by field: events, MID 0900 and 0901, special values."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolcart import catalogue
from toolcart.agent.base.counters import Counters
from toolcart.agent.linux.controller_events import ROWS, ControllerEvents
from toolcart.agent.linux.mid0900 import CURVES, LOST_EMPTY, PLOT_PARAMETERS, READ, Trace
from toolcart.agent.linux.special_values import WideSpindleAssembly
from toolcart.agent.openprotocol import spindle_assembly as cy
from toolcart.agent.openprotocol.operation_result import OperationResult
from toolcart.agent.openprotocol.queries import CLOCK, CLOCK_SET, LIMITS, ClockCheck, ParameterSetLimits
from toolcart.agent.openprotocol.session_states import EV_QUERY
from toolcart.agent.record import event as ev
from toolcart.agent.record import extended_values
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as rec
from toolcart.agent.station.store import KEPT
from toolcart.sim import result_frames as frames
from host_tests.agent.linux.test_controller_events import Bench
from host_tests.agent.openprotocol.test_queries import Session, body_of
from host_tests.agent.openprotocol.test_spindle_assembly import cycle, payload_of, take, tightening
from host_tests.support.frames import message
from host_tests.support.graphs import PACKED

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
LIMITED = {  # what a parameter set has
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
        names = [
            field.name for field in catalogue.form(mid, revision).fields if field.name and field.name != "data_fields"
        ]
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
        identifiers = {"vin", "identifier_2", "identifier_3", "identifier_4"}
        assert unreported <= {"alarm_active", "tool_health", "data_field_count", *LIMITED, *identifiers}


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
    values = {**LIMITED, "pset_id": 12, "pset_name": "Airbag", "pset_change": TIME}
    known = {field.name for field in catalogue.form(13, revision).fields}
    frame = bytes(catalogue.encode(13, revision, **{name: values[name] for name in values if name in known}))
    read = catalogue.decode(frame.rstrip(b"\0"))
    limits, session = ParameterSetLimits(), Session()
    body = body_of(12, TIME.encode())
    limits.put(body, 0)
    assert limits.ask(session, 0)
    assert asked(session) == (12, 5, "012")
    session.link.buf, session.link.at, session.link.length = frame, 0, len(frame)
    session.received.revision = revision
    limits.take(EV_QUERY, session, Counters(), 0)
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
    session.link.buf, session.link.at, session.link.length = frame, 0, len(frame)
    check.take(EV_QUERY, session, Counters(), 0)
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
    steps = (frames.resolution(0, max(0, len(samples) - 1), step),)
    parameters = ((7, 4, 0, "x"), (pid, 3, unit, scale))
    frame = message(
        CURVES,
        frames.curve_data(
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
    frame = message(PLOT_PARAMETERS, frames.parameter_data(5, TIME, revision, fields), revision)
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
        catalogue.decode(message(900, frames.curve_data(1, TIME, 1, 2, 1, (1,), (), ())))
    )


# Special values of MID 0106 and 0107 and the references of objects, against the catalogue; Linux keeps them.


def special(name, value, step=None):
    text = "%-20s" % name + "S %02d%s" % (len(value), value)
    return text if step is None else text + "%02d" % step


def with_specials(octets, mid, revision, *specials):
    """The message with these special values in place of the simulator's own."""
    data = octets[20:]
    own = special("Operator", "Anna") if mid == 106 else special("Socket", "A-001", 2)
    at = data.find(b"01" + own.encode())
    data = data[:at] + ("%02d" % len(specials) + "".join(specials)).encode() + data[at + 2 + len(own) :]
    return message(mid, data, revision)


def specials_in(page):
    found = []
    for row, place, octets in extended_values.specials_of(page, 0, len(page)):
        name = bytes(page[place + extended_values.NAME :][: rec.NAME_BYTES]).decode().rstrip()
        value = bytes(page[place + extended_values.VALUE :][:octets]).decode()
        found.append((row, name, value, int(bytes(page[place + extended_values.STEP :][:2]))))
    return found


def test_special_values_stand_beside_what_they_belong_to_as_catalogue_reads_them():
    long = "0123456789" * 9 + "abcdefghi"
    for revision in (1, 4):
        result = tightening()
        station = with_specials(
            message(106, frames.station_data(result, revision, 2), revision),
            106,
            revision,
            special("Operator", "Anna"),
            special("Order", ""),
            special("Long one", long),
        )
        bolts = [message(107, frames.bolt_data(result, revision, index, 2), revision) for index in (1, 2)]
        bolts[0] = with_specials(bolts[0], 107, revision, special("Socket", "A-001", 2), special("Mean T", "1.5", 0))
        made = cycle(kind=WideSpindleAssembly)
        assert take(made, station, 106, revision, True) == cy.ASSEMBLY_MORE
        assert take(made, bolts[0], 107, revision, True) == cy.ASSEMBLY_MORE
        assert take(made, bolts[1], 107, revision, True) == cy.ASSEMBLY_WHOLE
        page = payload_of(made)
        wanted = [(-1, one["name"], one["value"] or "", 0) for one in catalogue.decode(station)["special_values"]]
        for row in (0, 1):
            for one in catalogue.decode(bolts[row])["special_values"]:
                wanted.append((row, one["name"], one["value"], one["step"]))
        assert specials_in(page) == wanted and len(wanted) == 6 and wanted[2][2] == long
        assert [row for row, _, _ in rec.extras_of(page, 0, len(page))] == [0, 1]
        assert page[rec.PLACE + rec.TYPE] == (0x31 if revision == 4 else 0x20) and not made.cut


def test_special_values_that_end_early_leave_what_stands_in_front():
    result = tightening()
    station = message(106, frames.station_data(result, 4, 2), 4)
    first = station.find(b"01Operator")
    for length in range(first, len(station)):
        made = cycle(kind=WideSpindleAssembly)
        assert take(made, station[:length], 106, 4) == cy.ASSEMBLY_WHOLE and made.result_code == res.RESULT_READ
        page = payload_of(made)
        assert specials_in(page) == ([(-1, "Operator", "Anna", 0)] if length >= first + 30 else [])
        assert rec.count_of(page, 0) == 2
    odd = station[: first + 24] + b"x4" + station[first + 26 :]  # no one knows how long
    made = cycle(kind=WideSpindleAssembly)
    assert take(made, odd, 106, 4) == cy.ASSEMBLY_UNREADABLE


def test_steps_that_the_controller_left_out_are_said():
    result = tightening()
    for octet, cut in ((b"1", False), (b"0", True)):
        made = cycle(kind=WideSpindleAssembly)
        take(made, message(106, frames.station_data(result, 4, 1), 4), 106, 4, True)
        bolt = message(107, frames.bolt_data(result, 4, 1, 1), 4)
        at = bolt.find(b"14" + b"1Step T")
        assert take(made, bolt[: at + 2] + octet + bolt[at + 3 :], 107, 4, True) == cy.ASSEMBLY_WHOLE
        assert made.cut == cut


def test_objects_say_type_and_reference_from_revision_3_on():
    result = tightening()
    objects = ((100, 1, 4, 1), (1, 0, 2, 0), (9999, 1, 5, 100))
    for revision, wanted in ((1, [(-1, -1)] * 3), (2, [(-1, -1)] * 3), (3, [(4, 1), (2, 0), (5, 100)])):
        octets = message(1201, frames.overall_data(result, revision, 1, objects=objects), revision)
        operation = OperationResult()
        operation.take(octets, 0, len(octets), 1201, revision, 0)
        page = bytearray(res.HEAD_BYTES) + operation.body
        assert [extended_values.object_of(page, 0, row) for row in range(3)] == wanted
        told = catalogue.decode(octets)["objects"]
        assert [row.number for row in rec.rows_of(page, 0)] == [one["object_id"] for one in told]
    made = cycle(kind=WideSpindleAssembly)
    take(made, message(106, frames.station_data(result, 4, 1), 4), 106, 4)
    assert extended_values.object_of(payload_of(made), 0, 0) == (-1, -1)
