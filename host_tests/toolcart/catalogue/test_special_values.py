"""Special values of MID 0106 and 0107 and the references of objects, against the catalogue; Linux keeps them."""

from toolcart import catalogue
from toolcart.agent.linux.special_values import WideSpindleAssembly
from toolcart.agent.openprotocol.operation_result import OperationResult
from toolcart.agent.openprotocol.spindle_assembly import ASSEMBLY_MORE, ASSEMBLY_UNREADABLE, ASSEMBLY_WHOLE
from toolcart.agent.record import extended_values
from toolcart.agent.record import result as res
from toolcart.agent.record import spindles as sp
from toolcart.sim import operation_frames as frames
from toolcart.sim import spindle_frames
from host_tests.agent.openprotocol.test_spindle_assembly import new_assembly, payload_of, take, tightening
from host_tests.support.frames import message


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
    specials = []
    for row, place, octets in extended_values.specials_of(page, 0, len(page)):
        name = bytes(page[place + extended_values.NAME :][: sp.NAME_BYTES]).decode().rstrip()
        value = bytes(page[place + extended_values.VALUE :][:octets]).decode()
        specials.append((row, name, value, int(bytes(page[place + extended_values.STEP :][:2]))))
    return specials


def test_special_values_are_beside_what_they_belong_to_as_catalogue_reads_them():
    long = "0123456789" * 9 + "abcdefghi"
    for revision in (1, 4):
        result = tightening()
        station = with_specials(
            message(106, spindle_frames.station_data(result, revision, 2), revision),
            106,
            revision,
            special("Operator", "Anna"),
            special("Order", ""),
            special("Long one", long),
        )
        bolts = [message(107, spindle_frames.bolt_data(result, revision, index, 2), revision) for index in (1, 2)]
        bolts[0] = with_specials(bolts[0], 107, revision, special("Socket", "A-001", 2), special("Mean T", "1.5", 0))
        assembly = new_assembly(kind=WideSpindleAssembly)
        assert take(assembly, station, 106, revision, True) == ASSEMBLY_MORE
        assert take(assembly, bolts[0], 107, revision, True) == ASSEMBLY_MORE
        assert take(assembly, bolts[1], 107, revision, True) == ASSEMBLY_WHOLE
        page = payload_of(assembly)
        wanted = [(-1, one["name"], one["value"] or "", 0) for one in catalogue.decode(station)["special_values"]]
        for row in (0, 1):
            for one in catalogue.decode(bolts[row])["special_values"]:
                wanted.append((row, one["name"], one["value"], one["step"]))
        assert specials_in(page) == wanted and len(wanted) == 6 and wanted[2][2] == long
        assert [row for row, _, _ in sp.extras_of(page, 0, len(page))] == [0, 1]
        assert page[sp.PLACE + sp.TYPE] == (0x31 if revision == 4 else 0x20) and not assembly.cut


def test_special_values_that_end_early_leave_what_stands_in_front():
    result = tightening()
    station = message(106, spindle_frames.station_data(result, 4, 2), 4)
    first = station.find(b"01Operator")
    for length in range(first, len(station)):
        assembly = new_assembly(kind=WideSpindleAssembly)
        assert take(assembly, station[:length], 106, 4) == ASSEMBLY_WHOLE and assembly.result_code == res.RESULT_READ
        page = payload_of(assembly)
        assert specials_in(page) == ([(-1, "Operator", "Anna", 0)] if length >= first + 30 else [])
        assert sp.count_of(page, 0) == 2
    odd = station[: first + 24] + b"x4" + station[first + 26 :]  # no one knows how long
    assembly = new_assembly(kind=WideSpindleAssembly)
    assert take(assembly, odd, 106, 4) == ASSEMBLY_UNREADABLE


def test_steps_that_the_controller_left_out_are_reported():
    result = tightening()
    for octet, cut in ((b"1", False), (b"0", True)):
        assembly = new_assembly(kind=WideSpindleAssembly)
        take(assembly, message(106, spindle_frames.station_data(result, 4, 1), 4), 106, 4, True)
        bolt = message(107, spindle_frames.bolt_data(result, 4, 1, 1), 4)
        at = bolt.find(b"14" + b"1Step T")
        assert take(assembly, bolt[: at + 2] + octet + bolt[at + 3 :], 107, 4, True) == ASSEMBLY_WHOLE
        assert assembly.cut == cut


def test_objects_say_type_and_reference_from_revision_3_on():
    result = tightening()
    objects = ((100, 1, 4, 1), (1, 0, 2, 0), (9999, 1, 5, 100))
    for revision, wanted in ((1, [(-1, -1)] * 3), (2, [(-1, -1)] * 3), (3, [(4, 1), (2, 0), (5, 100)])):
        octets = message(1201, frames.overall_data(result, revision, 1, objects=objects), revision)
        operation = OperationResult()
        operation.take(octets, 0, len(octets), 1201, revision, 0)
        page = bytearray(res.HEAD_BYTES) + operation.body
        assert [extended_values.object_of(page, 0, row) for row in range(3)] == wanted
        described = catalogue.decode(octets)["objects"]
        assert [row.number for row in sp.rows_of(page, 0)] == [one["object_id"] for one in described]
    assembly = new_assembly(kind=WideSpindleAssembly)
    take(assembly, message(106, spindle_frames.station_data(result, 4, 1), 4), 106, 4)
    assert extended_values.object_of(payload_of(assembly), 0, 0) == (-1, -1)
