"""The agent's own readers against the catalogue, field by field: events."""

import pytest

from toolcart import catalogue
from toolcart.agent.base.counters import Counters
from toolcart.agent.linux.controller_events import ROWS, ControllerEvents
from toolcart.agent.openprotocol.queries import CLOCK, CLOCK_SET, LIMITS, ClockCheck, ParameterSetLimits
from toolcart.agent.openprotocol.session_states import EV_QUERY
from toolcart.agent.record import event as ev
from toolcart.agent.record import result as res
from toolcart.agent.station.store import KEPT
from host_tests.agent.linux.test_controller_events import Bench
from host_tests.agent.openprotocol.test_queries import Session, body_of
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
        requested = row[2] or row[0]
        for revision in revisions:
            assert revision in catalogue.revisions(requested)


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
            kept_text = text[at : at + width].strip()
            if name in names:
                assert kept_text == str(read[name]) or int(kept_text) == int(read[name]), (revision, name)
            else:
                assert kept_text == "", (revision, name)
        if "time" in names:
            assert payload[ev.TIME : ev.TIME + 7] == PACKED
        if "controller_ready" in names:
            assert payload[ev.CONTROLLER_READY : ev.TOOL_READY + 1] == b"10"
        unreported = set(names) - set(kept) - set(CODES.values()) - {"time", "controller_ready", "tool_ready"}
        identifiers = {"vin", "identifier_2", "identifier_3", "identifier_4"}
        newest = {"selected_identifier", "joint_id"}  # in revisions that the agent does not ask for
        assert unreported <= {"alarm_active", "tool_health", "data_field_count", *LIMITED, *identifiers, *newest}


# -- what is asked by the way --------------------------------------------------------------------------------------


def request_of(session):
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
    names = {field.name for field in catalogue.form(13, revision).fields}
    frame = bytes(catalogue.encode(13, revision, **{name: values[name] for name in values if name in names}))
    read = catalogue.decode(frame.rstrip(b"\0"))
    limits, session = ParameterSetLimits(), Session()
    body = body_of(12, TIME.encode())
    limits.put(body, 0)
    assert limits.ask(session, 0)
    assert request_of(session) == (12, 5, "012")
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
    assert check.ask(session, 0) and request_of(session) == (80, 1, "")
    frame = bytes(catalogue.encode(81, 1, time=TIME)).rstrip(b"\0")
    session.link.buf, session.link.at, session.link.length = frame, 0, len(frame)
    check.take(EV_QUERY, session, Counters(), 0)
    assert str(catalogue.decode(frame)["time"]) and check.ahead_s == 10
