"""The status: results in words, states by name, nothing moved by looking."""

import json

from agent import status
from agent.base.fields import fill
from agent.openprotocol.light import read_light
from agent.record.result import BODY_BYTES, FLAG_EDGE_TIME, FLAG_RECOVERED, HEAD_BYTES, LIMITS_BYTES, TORQUE_UNIT
from agent.log.flash import RamFlash
from agent.spool.mount import mount
from agent.spool.record import KIND_RAW, KIND_RESULT
from agent.spool.ring import Ring
from tools.sim.cart import PARKED_BLOCKS, Cart

PORTABLE = True
HEAP = "2m"  # both simulators, their frames and the agent

# 003:6448-6519: VIN, job, pset, batch 6 of 4, not completed, NOK, torque high, angle OK, 42.37 Nm, 95 degrees.
LIGHT = (
    b"01210061999         "
    b"WVWZZZ1KZAW123456        07012000600040021004237000952024-03-14:09:26:532024-02-01:08:00:004294967295"
)


def _running():
    """Return a cart whose both sides are connected."""
    cart = Cart(blocks=6 + PARKED_BLOCKS, archive_rows=500, settings={"station": {"name": "Cart"}})
    cart.run(3000)
    return cart


def _shown(cart):
    return status.snapshot(cart.app)["stations"][0]


def _ring(blocks=4):
    ring = Ring(RamFlash(blocks, 4096, 16))
    mount(ring)
    return ring


def _append(ring, kind=KIND_RESULT, flags=0, message=LIGHT, limits=None):
    length = HEAD_BYTES + (BODY_BYTES if kind == KIND_RESULT else len(message))
    length += LIMITS_BYTES if limits else 0
    at = ring.begin(kind, length)
    number = ring.number + 1
    ring.stage[at : at + HEAD_BYTES] = bytes([number & 255, number >> 8, 0, 0, 10, 0, 2, 0])
    if kind == KIND_RESULT:
        fill(ring.stage, at + HEAD_BYTES, BODY_BYTES)
        read_light(ring.stage, at + HEAD_BYTES, message, 0, len(message))
        if limits:
            ring.stage[at + HEAD_BYTES + BODY_BYTES : at + length] = limits
    else:
        ring.stage[at + HEAD_BYTES : at + length] = message
    assert ring.commit(kind, flags, length) == 0


def test_a_light_result_is_told_in_words():
    ring = _ring()
    _append(ring)
    assert len(LIGHT) == 121
    shown = status.newest_results(ring, 12)
    assert len(shown) == 1
    expected = {
        "number": 1,
        "station": 10,
        "spindle": 2,
        "source": "LIVE",
        "vin": "WVWZZZ1KZAW123456",
        "program": "12",
        "torque": "42.37",
        "unit": "Nm",
        "angle": "95",
        "status": "NOK",
        "torque_status": "high",
        "angle_status": "OK",
        "batch_status": "not completed",
        "time": "2024-03-14 09:26:53",
        "time_source": "controller",
        "tightening_id": "4294967295",
    }
    for name in expected:
        assert shown[0][name] == expected[name], (name, shown[0][name])


def test_set_aside_results_and_a_full_quarantine_are_told():
    cart = _running()
    shown = _shown(cart)
    assert (shown["parked"], shown["parked_in_place"], shown["needs_operator"]) == (0, 0, None)
    cart.station.quarantine.full = True
    need = _shown(cart)["needs_operator"]
    assert "full" in need["why"] and need["command"] == "toolcart quarantine list --station 10"


def test_source_and_time_of_a_recovered_result_are_told():
    ring = _ring()
    _append(ring, flags=FLAG_RECOVERED | FLAG_EDGE_TIME)
    shown = status.newest_results(ring, 1)[0]
    assert shown["source"] == "RECOVERED"
    assert shown["time_source"] == "agent"


def test_the_unit_of_the_longer_revisions_is_told():
    ring = _ring()
    limits = bytearray(b" " * LIMITS_BYTES)
    limits[TORQUE_UNIT] = 0x32
    _append(ring, limits=limits)
    assert status.newest_results(ring, 1)[0]["unit"] == "lbf.ft"


def test_a_frame_that_could_not_be_read_is_told_as_raw():
    ring = _ring()
    _append(ring, kind=KIND_RAW, message=b"00300061999         ??????????")
    shown = status.newest_results(ring, 1)[0]
    assert shown["source"] == "RAW"
    assert shown["octets"] == 30


def test_absent_fields_and_odd_octets_do_not_stop_the_status():
    ring = _ring()
    message = bytearray(b" " * 121)
    message[20:24] = b"\xff\x00A\x07"
    _append(ring, message=bytes(message))
    shown = status.newest_results(ring, 1)[0]
    assert shown["torque"] == "" and shown["angle"] == "" and shown["program"] == ""
    assert shown["time"] is None
    assert shown["vin"] == "? A?"


def test_results_are_newest_first_over_the_border_of_a_block():
    ring = _ring()
    for _ in range(35):
        _append(ring)
    numbers = [shown["number"] for shown in status.newest_results(ring, 12)]
    assert numbers == list(range(35, 23, -1))


def test_a_result_written_once_more_at_a_start_is_told_once():
    ring = _ring()
    for _ in range(30):
        _append(ring)
    again = Ring(ring.device)
    mount(again)
    numbers = [shown["number"] for shown in status.newest_results(again, 4)]
    assert numbers == [30, 29, 28, 27]


def test_a_running_agent_tells_names_and_figures_as_json():
    cart = _running()
    for _ in range(3):
        cart.controller.produce()
    cart.run(2000)
    told = json.loads(json.dumps(status.snapshot(cart.app)))
    shown = told["stations"][0]
    assert shown["number"] == 10 and shown["name"] == "Cart" and shown["mounted"]
    assert shown["controller"]["state"] == "ready"
    assert shown["outlets"][0]["state"] == "streaming"
    assert shown["outlets"][0]["server"] == "tn:10111"
    assert shown["stored"] == 3 and shown["backlog"] == 0 and shown["oldest_waiting"] is None
    assert shown["counters"]["stored"] == 3 and shown["counters"]["delivered"] == 3
    assert "raw" not in shown["counters"]
    assert shown["recovery"]["phase"] == "idle" and shown["recovery"]["open_ids"] == 0
    assert shown["spool"]["blocks"] == 6 and shown["spool"]["used_blocks"] == 1
    assert [result["number"] for result in shown["results"]] == [3, 2, 1]
    assert told["scheduler"] == {"faults": 0, "last_fault": None}


def test_what_may_lie_in_front_of_the_first_result_of_all_is_asked_for_and_not_told_as_missed():
    cart = _running()
    cart.controller.produce()
    cart.until(lambda: cart.station.recovery.known.gaps.total() > 0)
    assert _shown(cart)["recovery"]["open_ids"] == 0
    cart.until(lambda: cart.station.recovery.known.gaps.total() == 0)


def test_the_oldest_waiting_result_and_the_reason_of_a_loss_are_told():
    cart = _running()
    cart.toolsnet.options.silent = True
    stamp = cart.clock.stamp()
    cart.controller.produce()
    cart.run(100)
    cart.controller.drop()
    cart.run(5000)
    shown = _shown(cart)
    assert shown["backlog"] == 1
    assert shown["oldest_waiting"] == stamp.replace(":", " ", 1)
    assert shown["log"][0]["name"] == "controller losses"
    assert shown["log"][0]["text"] == "ended"
    assert 0 < shown["log"][0]["age_ms"] <= 5100


def test_looking_at_the_status_moves_nothing():
    cart = _running()
    cart.toolsnet.options.silent = True
    for _ in range(40):
        cart.controller.produce()
    cart.run(4000)
    station = cart.station
    cursor = station.ring.cursors[0]
    walk = station.ring.walk

    def position():
        return (
            cursor.seq,
            cursor.number,
            cursor.block,
            cursor.offset,
            walk.offset,
            bytes(walk.page),
            station.ring.damaged,
        )

    before = position()
    assert _shown(cart)["backlog"] == 40
    assert position() == before


def test_a_station_without_its_spool_is_told_as_such():
    cart = Cart(make_flash=lambda blocks: None, archive_rows=500)
    cart.run(100)
    shown = _shown(cart)
    assert not shown["mounted"]
    assert shown["counters"] == {"flash failed": 1}
    assert "controller" not in shown


def test_a_fault_inside_the_agent_is_told_with_its_text():
    cart = _running()

    def fails(now):
        raise ValueError("seven")

    cart.station.intake.step = fails
    try:
        cart.run(10000)
        raise AssertionError("nothing fails")
    except ValueError:
        pass
    scheduler = status.snapshot(cart.app)["scheduler"]
    assert scheduler["faults"] == 1
    assert scheduler["last_fault"] == "ValueError: seven"


def test_results_are_found_of_the_station_that_is_asked_for_alone():
    cart = _running()
    cart.controller.produce()
    cart.run(2000)
    number = cart.station.number
    assert len(status.snapshot(cart.app)["stations"][0]["results"]) == 1
    assert len(status.snapshot(cart.app, 5, number)["stations"][0]["results"]) == 1
    for results, of in ((5, number + 1), (5, -1), (0, None)):
        shown = status.snapshot(cart.app, results, of)["stations"][0]
        assert shown["results"] == [] and shown["stored"] == 1
