"""Frames out of a stream, linked parts, traces with their samples, extra data of the generic MIDs."""

from toolcart import catalogue
from toolcart.catalogue import FieldError, FrameError, Frames, Linked, data_field, resolution
from host_tests.portable import error_of
from host_tests.support.frames import EXAMPLE

PORTABLE = True
HEAP = "4m"


def a_trace(samples):
    return catalogue.encode(
        900,
        1,
        result_id=12345678,
        time="2013-11-10:17:32:16",
        data_fields=[data_field(1301, "023", 1)],
        trace_type=2,
        transducer=1,
        unit=1,
        parameters=[data_field(2214, 0.01)],
        resolutions=[resolution(0, len(samples) - 1, 11.0)],
        samples=samples,
    )


def test_frames_come_out_however_the_octets_come():
    whole = catalogue.wire(EXAMPLE) + catalogue.wire(a_trace([0, 2, 3, 0x0231])) + b"\0" + catalogue.encode(9999)
    for size in (1, 7, 50, len(whole)):
        frames, cut = Frames(), []
        for at in range(0, len(whole), size):
            cut += frames.feed(whole[at : at + size])
        assert [catalogue.decode(frame).mid for frame in cut] == [61, 900, 9999]
        assert frames.buffer == b""


def test_samples_keep_every_octet_and_have_no_nul_after_them():
    samples = [-1, 0, 2, 3, 16, 5610, -32768, 32767]
    frame = a_trace(samples)
    message = catalogue.decode(frame)
    assert catalogue.wire(frame) == frame
    assert message["sample_count"] == 8 and catalogue.samples_of(message["samples"]) == samples
    assert message["parameters"][0].name() == "Coefficient" and message["data_fields"][0].name() == "Bolt Number"
    assert message["resolutions"][0].value() == 11.0 and message["resolutions"][0].unit_name() == "ms"
    assert message.meaning("trace_type") == "torque" and message.answer() == (5, 1)
    assert catalogue.acknowledge(message) == b"00240005001         0900"
    little = catalogue.decode(catalogue.encode(message, samples=b"\x01\x02"))
    assert catalogue.samples_of(little["samples"], little=True) == [0x0201]


def test_a_trace_whose_samples_are_not_all_there_is_odd():
    frame = a_trace([1, 2, 3])
    cut = b"%04d" % (len(frame) - 1) + frame[4:-1]
    message = catalogue.decode(cut)
    assert message["sample_count"] == 3 and "5 bytes of samples, 6 are announced" in message["samples"].why
    assert catalogue.encode(message) == cut


def test_a_data_field_that_is_none_leaves_the_rest_odd():
    frame = catalogue.encode(1202, 1, result_id=5, data_fields=[data_field(2001, 12.5, unit=1)])
    spoiled = frame[:43] + b"X" + frame[44:]
    message = catalogue.decode(spoiled)
    assert "PID" in message["data_fields"].why and message["result_id"] == 5
    assert catalogue.encode(message) == spoiled


def test_a_long_message_goes_in_linked_parts_and_comes_back():
    fields = [data_field(30000 + n, "text %d" % n) for n in range(600)]
    given = {"message_count": 1, "message_number": 1, "result_id": 7, "object_id": 1, "data_fields": fields}
    assert "encode_linked" in error_of(lambda: catalogue.encode(1202, 1, **given), FieldError)
    frames = catalogue.encode_linked(1202, 1, **given)
    assert len(frames) == 2 and all(len(frame) <= 9999 for frame in frames)
    small = catalogue.encode_linked(1202, 1, most=2048, **given)
    assert 5 < len(small) <= 9
    for parts in (frames, small):
        linked = Linked()
        joined = [linked.add(frame) for frame in parts]
        assert joined[:-1] == [[]] * (len(parts) - 1)
        message = catalogue.decode_parts(joined[-1])
        assert message["data_fields"] == fields and message.odd() == {}
        # Each cut is between two parameters.
        assert parts[1][20:25].isdigit() and parts[1][20:22] == b"30"


def test_parts_in_the_wrong_place_are_refused():
    parts = catalogue.encode_linked(150, 1, most=30, identifier="0123456789" * 3)
    assert len(parts) == 3
    linked = Linked()
    assert linked.add(parts[0]) == [] and linked.add(parts[1]) == []
    assert linked.add(parts[1]) == [], "the same part again"
    assert linked.add(parts[2]) == parts
    assert catalogue.decode_parts(parts)["identifier"] == "0123456789" * 3
    for order in ((0, 2), (1,)):
        linked = Linked()
        error_of(lambda order=order, linked=linked: [linked.add(parts[index]) for index in order], FrameError)
        assert linked.waiting == {}
    linked = Linked()
    linked.add(parts[0])
    linked.add(parts[1])
    assert linked.add(parts[0]) == [] and linked.abandoned == 1
    for wrong in ([], [parts[1], parts[0], parts[2]], parts[:2]):
        error_of(lambda wrong=wrong: catalogue.decode_parts(wrong), FrameError)


def test_extra_data_of_the_generic_mids():
    extra = catalogue.extra_data(8, 1201)
    assert extra == "0" + "0" * 19 + "0" * 10 + "1"
    frame = catalogue.encode(8, subscribed_mid=1201, subscribed_revision=1, extra=extra)
    assert frame[20:29] == b"120100131"
    assert catalogue.read_extra(catalogue.decode(frame)) == {
        "alternative": 0,
        "time": "0" * 19,
        "index": 0,
        "send_objects": 1,
    }
    traces = catalogue.extra_data(8, 900, trace_types=[1, 2, 3])
    assert traces == "0" + " " * 29 + "03" + "001002003" and len(traces) == 41
    between = catalogue.extra_data(8, 1201, alternative=3, first_index=5, last_index=9, send_objects=0)
    assert between == "3" + "0000000005" + "0000000009" + "0"
    request = catalogue.encode(
        6, requested_mid=67, requested_revision=1, extra=catalogue.extra_data(6, 67, start_index=0, count=10)
    )
    assert catalogue.read_extra(catalogue.decode(request)) == {"start_index": 0, "count": 10}
    assert catalogue.extra_data(8, 1601, alternative=0, format=0) == "00"
    assert catalogue.extra_data(8, 1601, alternative=2, format=0, pids=[60, 30244]) == "20" + "002" + "0006030244"
    undone = catalogue.encode(
        9, subscribed_mid=900, extra_revision=1, extra=catalogue.extra_data(9, 900, trace_types=[1])
    )
    assert undone[20:] == b"09000010501001"
    assert catalogue.read_extra(catalogue.decode(EXAMPLE)) is None
    assert (
        catalogue.read_extra(catalogue.decode(catalogue.encode(8, subscribed_mid=35, subscribed_revision=1, extra="1")))
        is None
    )


def test_a_peer_that_makes_up_mids_and_parts_fills_no_memory():
    own = catalogue.Catalogue()
    linked = Linked()
    for number in range(1500):
        frame = ("0021%04d%03d       21x" % (3000 + number, number % 999)).encode()
        assert own.decode(frame).data() == b"x" and not own.decode(frame).form.known
        assert linked.add(frame) == []
    assert len(own._by_revision) <= 512 and len(own._forms) <= 512
    assert len(linked.waiting) <= 16 and linked.abandoned >= 1484
    assert own.decode(EXAMPLE)["torque"] == 4237 and own.form(61, 999) is own.decode(EXAMPLE).form


def test_physical_values_are_divided_or_multiplied():
    for pid, value, wanted in ((2213, 100, 56.1), (2214, 0.5, 2805.0)):
        for place in ("parameters", "data_fields"):
            given = {place: [data_field(1301, 5), data_field(pid, value)], "samples": [0, 5610, -5610]}
            message = catalogue.decode(catalogue.encode(900, 1, unit=1, **given))
            assert catalogue.physical_values(message) == [0, wanted, -wanted]
    focus = catalogue.encode(900, 3, parameters=[data_field(2214, 0.5, 90)], samples=b"\x02\x00\xfe\xff")
    assert catalogue.physical_values(catalogue.decode(focus), little=True) == [1.0, -1.0]
    for fields in ([], [data_field(2213, 0)], [data_field(2214, b"x", 3)]):
        message = catalogue.decode(catalogue.encode(900, 1, parameters=fields, samples=[1]))
        assert catalogue.physical_values(message) is None
    cut = a_trace([1, 2])
    for frame in (b"%04d" % (len(cut) - 1) + cut[4:-1], cut[:8] + b"077" + cut[11:]):
        assert catalogue.physical_values(catalogue.decode(frame)) is None
