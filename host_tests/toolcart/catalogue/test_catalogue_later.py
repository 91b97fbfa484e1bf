"""What releases after 2.8.0 lay out differently, read by a reader of its own: slices at the places that 2.17.0 prints.

The places below are copied from the document's tables (2.17.0 p. 97-119, 135-138, 239-248), octets of an entry
counted from 1. Nothing of the catalogue's tables is used to build the telegrams here.
"""

from toolcart import catalogue
from toolcart.catalogue import data_field
from toolcart.catalogue.meanings import meaning_of

PORTABLE = True
HEAP = "6m"

# MID, revision: width of an entry of the list, first octet of the list, name of the list.
LISTS = {
    (33, 1): (12, 92, "job_list"),
    (33, 2): (12, 94, "job_list"),
    (33, 3): (44, 94, "job_list"),
    (33, 4): (49, 94, "job_list"),
    (33, 5): (51, 94, "job_list"),
    (140, 1): (15, 60, "job_list"),
    (140, 999): (18, 60, "job_list"),
    (140, 2): (52, 60, "job_list"),
    (140, 3): (63, 60, "job_list"),
    (140, 4): (67, 60, "job_list"),
}
# Part of an entry -> its octets by revision, as printed.
PARTS = {
    33: """
channel_id 1:1-2 2:1-2 3:1-2 4:1-2 5:1-2
type_id 1:4-6 2:4-6 3:4-6 4:4-6 5:4-6
auto_next 1:8 2:8 3:8 4:8 5:8
batch_size 1:10-11 2:10-11 3:10-11 4:10-11 5:10-13
socket 3:13-14
identifier_number 4:13-16 5:15-18
step_name 3:16-40 4:18-42 5:20-44
step_type 3:42-43 4:44-45 5:46-47
max_coherent_nok 4:47-48 5:49-50
""",
    140: """
channel_id 1:1-2 999:1-2 2:1-2 3:1-2 4:1-2
program_id 1:4-6 999:4-6 2:4-6 3:4-6 4:4-6
auto_select 1:8 999:8 2:8 3:8-9 4:8-9
batch_size 1:10-11 999:10-11 2:10-11 3:11-12 4:11-14
max_coherent_nok 1:13-14 999:13-14 2:13-14 3:14-15 4:16-17
batch_counter 999:16-17 2:16-17 3:17-18 4:19-22
identifier_number 2:19-22 3:20-23 4:24-27
step_name 2:24-48 3:25-49 4:29-53
step_type 2:50-51 3:51-52 4:55-56
loosening 3:54 4:58
batch_mode 3:56 4:60
status_at_increment 3:58 4:62
decrement_at_loosening 3:60 4:64
batch_status 3:62 4:66
""",
}
# Behind the list of 0140: name, parameter ID and octets of the value counted from the list's last octet.
BEHIND = (
    (
        (1, 999, 2),
        """forced_order 05 3-3|lock_at_done 06 6-6|loosening 07 9-9|repeat 08 12-12|batch_mode 09 15-15
status_at_increment 10 18-18|decrement_at_loosening 11 21-21|max_time_first 12 24-27|max_time 13 30-34
display_time 14 37-40|line_control 15 43-43|identifier_part_1 16 46-46|result_of_non_tightenings 17 49-49
reset_identifiers 18 52-52|reserved 19 55-55""",
    ),
    ((2,), "job_sequence 20 58-62"),
    (
        (3, 4),
        """forced_order 05 3-3|lock_at_done 06 6-6|repeat 07 9-9|max_time_first 08 12-15|max_time 09 18-22
display_time 10 25-28|line_control 11 31-31|identifier_part_1 12 34-34|result_of_non_tightenings 13 37-37
reset_identifiers 14 40-40|reserved 15 43-43|job_sequence 16 46-50""",
    ),
)
# Whole lengths: octets without entries. 33: 2.17.0 p. 114-119; 140: p. 239-248.
LENGTHS = {
    (33, 1): 91, (33, 2): 93, (33, 3): 93, (33, 4): 93, (33, 5): 93,
    (140, 1): 114, (140, 999): 114, (140, 2): 121, (140, 3): 109, (140, 4): 109,
}  # fmt: skip


def parts_of(mid, revision):
    """Return name -> (first octet, last octet) of an entry."""
    spans = {}
    for line in PARTS[mid].strip().split("\n"):
        name, *places = line.split()
        for place in places:
            number, _, octets = place.partition(":")
            if int(number) == revision:
                first, _, last = octets.partition("-")
                spans[name] = (int(first), int(last or first))
    return spans


def entry(mid, revision, seed):
    """Return the octets of one entry, made by the printed places alone, and its values."""
    width = LISTS[(mid, revision)][0]
    octets, values = bytearray(b":" * width), {}
    octets[-1:] = b";"
    for name, (first, last) in parts_of(mid, revision).items():
        wide = last - first + 1
        if name == "step_name":
            values[name] = "a:b;c %d" % seed
            octets[first - 1 : last] = (values[name] + " " * wide).encode()[:wide]
        else:
            values[name] = (seed + first) % (2 if wide == 1 else 10**wide)
            octets[first - 1 : last] = ("0" * wide + "%d" % values[name])[-wide:].encode()
    return bytes(octets), values


def telegram(mid, revision, count):
    """Return a telegram with `count` entries, and what it says."""
    wide = 2 if (mid, revision) == (33, 1) else 4
    name = ("Job: one;" + " " * 25).encode()[:25]
    data, fields = b"01" + b"0007"[-wide:] + b"02" + name, {"job_id": 7, "job_name": "Job: one;"}
    if mid == 33:
        data += b"031" + b"040060" + b"0500090" + b"061" + b"071" + b"080" + b"090" + b"102" + b"11E"
        data += b"12%02d" % count
        fields.update({"forced_order": 1, "max_time_first": 60, "max_time": 90, "loosening": 2, "reserved": "E"})
    else:
        data += b"03%02d" % count
    data += b"13" if mid == 33 else b"04"
    assert len(data) + 20 == LISTS[(mid, revision)][1] - 1
    entries = [entry(mid, revision, 3 + 7 * number) for number in range(count)]
    data += b"".join([octets for octets, _ in entries])
    fields["job_list"] = [values for _, values in entries]
    behind = bytearray()
    for revisions, words in BEHIND if mid == 140 else ():
        for word in words.replace("\n", "|").split("|") if revision in revisions else ():
            field, number, octets = word.split()
            first, last = [int(one) for one in octets.split("-")]
            assert len(behind) == first - 3
            fields[field] = 1 if first == last else 40 + first
            behind += number.encode() + ("0" * 9 + "%d" % fields[field])[first - last - 1 :].encode()
            if field == "reserved":
                behind[-1:] = b"G"
                fields[field] = "G"
    data += bytes(behind)
    return ("%04d%04d%03d" % (20 + len(data), mid, revision) + " " * 9).encode() + data, fields


def test_lists_of_jobs_are_read_by_the_places_of_the_document():
    for mid, revision in LISTS:
        for count in (0, 1, 2, 50):
            frame, fields = telegram(mid, revision, count)
            assert len(frame) == LENGTHS[(mid, revision)] + count * LISTS[(mid, revision)][0]
            message = catalogue.decode(frame)
            assert message.form.known and message.odd() == {} and message.rest() == b"", (mid, revision, message.odd())
            for name in fields:
                assert message[name] == fields[name], (mid, revision, name)
            assert catalogue.encode(mid, revision, check=False, **message.fields()) == frame


def test_a_program_of_revision_2_has_json_after_each_node():
    field = b"01000" + b"002" + b"01" + b"000" + b"0000" + b"07"
    text = b'{"a": 1}'
    nodes = b"201" + b"001" + field + b"01" + b"0008" + text + b"101" + b"000" + b"00" + b"0000"
    for mid in (2500, 2501):
        message = catalogue.decode(b"%04d%04d002         " % (20 + len(nodes), mid) + nodes)
        assert message.odd() == {} and message.rest() == b""
        assert [node["json"] for node in message["nodes"]] == ['{"a": 1}', None]
        assert [node["child_count"] for node in message["nodes"]] == [1, 0]
        assert message["nodes"][0]["parameters"] == [data_field(1000, b"07", 1)]
        assert catalogue.encode(mid, 2, nodes=message["nodes"]) == message.frame


def test_a_program_is_deleted_by_its_id_and_type():
    assert catalogue.encode(2506, program_id=12, node_type=201) == b"00272506001         0012201"


FIELD = b"01202" + b"004" + b"04" + b"000" + b"0000" + b"A123"


def test_tool_data_have_two_layouts_that_differ_by_their_contents():
    for mid, printed, other in (
        (702, b"002" + 2 * FIELD, b"01" + b"0005" + b"02" + 2 * FIELD),
        (703, b"01" + b"0005" + b"002" + 2 * FIELD, b"01" + b"0005" + b"02" + 2 * FIELD),
    ):
        for data in (printed, other):
            message = catalogue.decode(b"%04d%04d001         " % (20 + len(data), mid) + data)
            assert message.odd() == {} and message.rest() == b"", (mid, data)
            assert message["data_field_count"] == 2 and message["data_fields"][1].value() == "A123"
            assert message.get("tool_number") == (None if data[:2] != b"01" else 5)
            assert catalogue.encode(message.form, **message.fields()) == message.frame == catalogue.encode(message)
            assert catalogue.encode(message, sequence=4)[20:] == data
    status = catalogue.decode(b"%04d0704001         001" % (23 + len(FIELD)) + FIELD)
    assert status["data_fields"][0].pid == 1202 and status.odd() == {}


def test_tool_data_are_asked_for_by_the_generic_mids():
    assert catalogue.extra_data(6, 702, tool_number=5) == "010005"
    assert catalogue.extra_data(6, 704, tool_number=5, pids=[1213, 1215]) == "0005002" + "001213" + "001215"
    watched = [{"pid": 1213, "change": 5}, {"pid": 1216, "change": 0}]
    assert catalogue.extra_data(8, 704, tool_number=5, pids=watched) == "0005002" + "001213005" + "001216000"
    assert catalogue.extra_data(9, 704, tool_number=5) == "0005"


def test_modes_are_read_as_before_and_since_release_2_9():
    name = b"Left door"
    for mid, data, expected in (
        (2601, b"002" + b"000109" + name + b"000200", [{"mode_id": 1, "mode_name": "Left door"}, {"mode_id": 2}]),
        (2601, b"001" + b"0001" + name + b" " * 91, [{"mode_id": 1, "mode_name": "Left door"}]),
        (2603, b"0007" + b"09" + name + b"001" + b"005" + b"002" + b"0003" + b"02" + b"B3", [{"bolt_name": "B3"}]),
        (2603, b"0007" + b"2024-03-14:09:26:53" + b"001" + b"005" + b"002", [{"pset_id": 5, "spindle_id": 2}]),
        (2603, b"0007" + b"2024-03-14:09:26:53" + b"000", []),
    ):
        message = catalogue.decode(b"%04d%04d001         " % (20 + len(data), mid) + data)
        assert message.odd() == {} and message.rest() == b"", (data, message.odd(), message.rest())
        entries = message["modes" if mid == 2601 else "bolts"]
        assert len(entries) == len(expected)
        for values, wanted in zip(entries, expected):  # noqa: B905 - MicroPython has no strict
            for key in wanted:
                assert values[key] == wanted[key], (data, key)
        assert catalogue.encode(message.form, **message.fields()) == message.frame
    assert catalogue.encode(2601, modes=[{"mode_id": 1, "mode_name": "x"}])[20:] == b"001000101x"


def test_values_that_were_added():
    auto_next = catalogue.form(33, 5).by_name["job_list"].members[4]
    assert auto_next.name == "auto_next"
    for field, value, words in (
        (catalogue.form(45, 1).by_name["calibration_unit"], 5, "kgf.cm"),
        (catalogue.form(45, 1).by_name["calibration_unit"], 8, "Ncm"),
        (catalogue.form(35, 4).by_name["job_status"], 4, "restarted"),
        (catalogue.form(35, 4).by_name["tightening_status"], 11, "job restart"),
        (catalogue.form(41, 2).by_name["tool_type"], 34, "XPBM"),
        (catalogue.form(217, 1).by_name["function"], 365, "Tool button"),
        (catalogue.form(221, 1).by_name["function"], 140, "Start loosening pulse"),
        (catalogue.form(2506, 1).by_name["node_type"], 201, "multistep program"),
        (auto_next, 8, "socket tray"),
    ):
        assert meaning_of(field.values, value) == words, (field.name, value)
    for pid in (5, 105, 1044, 1205, 1218, 1422, 1702, 2008, 2161, 2167, 2170, 2171, 5004, 5160, 5173):
        assert data_field(pid, 0).name(), pid


def test_a_vin_with_its_parameter_id_is_read_without_it():
    for vin in (b"WVWZZZ1KZAW123456        ", b"0" * 25, b" " * 25):
        for revision in (b"001", b"   ", b"000"):
            data = b"01" + vin
            frame = b"0047" + b"0052" + revision + b" " * 9 + data
            assert catalogue.decode(frame)["vin"] == (vin.decode().rstrip() or None), frame
    for data in (b"01" + b"x" * 23, b"01" + b"x" * 24, b"01" + b"x" * 26, b"02" + b"x" * 25, b"x" * 25, b"x" * 40):
        frame = b"%04d0052001         " % (20 + len(data)) + data
        assert catalogue.decode(frame)["vin"] == data.decode(), "a VIN of a PowerMACS may be as long"


# After 2.17.0, as a public program reads it: MID, revision, whole length, first and last octet of what was added.
NEWEST = (
    (1, 8, 32, "tool_lock_optional 26-26|early_lock 29-32"),
    (2, 8, 230, "tool_lock_optional 227-227|early_lock 230-230"),
    (15, 3, 174, "selected_identifier 144-147|joint_id 150-174"),
    (35, 6, 225, "joint_id 201-225"),
    (61, 12, 710, "selected_identifier 680-683|joint_id 686-710"),
    (65, 12, 545, "selected_identifier 515-518|joint_id 521-545"),
)


def test_what_came_after_2_17_stands_where_a_public_program_reads_it():
    for mid, revision, length, fields in NEWEST:
        frame = bytearray(catalogue.encode(mid, revision, check=False))
        assert len(frame) == length, mid
        wanted = {}
        for field in fields.split("|"):
            name, _, bounds = field.partition(" ")
            first, last = bounds.split("-")
            first, last = int(first) - 1, int(last)
            frame[first:last] = b"1" * (last - first)
            wanted[name] = "1" * 25 if name == "joint_id" else int("1" * (last - first))
        message = catalogue.decode(bytes(frame))
        assert {name: message[name] for name in wanted} == wanted and not message.rest(), mid
        lower = catalogue.decode(catalogue.encode(mid, revision - 1, check=False))
        assert set(lower) < set(message), mid  # a MicroPython has them in no order


def test_code_104_has_its_words():
    message = catalogue.decode(catalogue.encode(4, 2, failed_mid=2500, error_code=104))
    assert message.meaning("error_code") == "illegal node type"
