"""encode() builds only what may be sent, and refuses in its own words whatever it is given; so do tables."""

from toolcart import catalogue
from toolcart.catalogue import DataField, FieldError, FrameError, TableError, data_field
from host_tests.portable import error_of

PORTABLE = True
HEAP = "6m"


# What must not go on the line, and a word of what is said.
INVALID = (
    ((-1,), {}, "1 to 9999"),
    ((0,), {}, "1 to 9999"),
    ((99999,), {}, "1 to 9999"),
    ((61, 1000), {}, "1 to 999"),
    ((61, 0), {}, "1 to 999"),
    ((18,), {}, "pset_id"),
    ((38, 2), {}, "job_id"),
    ((43, 2), {}, "tool_number"),
    ((4,), {"failed_mid": 18}, "error_code"),
    ((50,), {"vin": "x" * 26}, "at most 25"),
    ((52,), {"vin": "x" * 41}, "at most 40"),
    ((150,), {"identifier": "x" * 101}, "at most 100"),
    ((82,), {"time": "yesterday"}, "YYYY-MM-DD:HH:MM:SS"),
    ((82,), {"time": "2024-13-01:00:00:00"}, "YYYY-MM-DD:HH:MM:SS"),
    ((82,), {"time": "2023-02-29:00:00:00"}, "YYYY-MM-DD:HH:MM:SS"),
    ((82,), {"time": "2024-02-29:24:00:00"}, "YYYY-MM-DD:HH:MM:SS"),
    ((82,), {"time": (2024, 13, 1, 0, 0, 0)}, "YYYY-MM-DD:HH:MM:SS"),
    ((61, 1), {"batch_status": 9}, "0 NOK"),
    ((130,), {"job_off": 2}, "set job off"),
    ((200,), {"relays": [0, 1, 2, 3, 4, 0, 0, 0, 0, 0]}, "keep"),
    ((8,), {"subscribed_mid": 1, "subscribed_revision": 1, "extra": b"\xff"}, "UTF-8"),
    ((60,), {"no_ack": 2}, "0 to 1"),
    ((60,), {"part": 1}, "parts"),
    ((60,), {"parts": 2, "part": 3}, "1 to 2"),
)
# What cannot be built at all.
IMPOSSIBLE = (
    (("x",), {}),
    ((None,), {}),
    ((b"0061",), {}),
    ((61, "x"), {}),
    ((61, True), {}),
    ((True,), {}),
    ((61,), {"torque": [1]}),
    ((61,), {"torque": object()}),
    ((61,), {"torque": "--1"}),
    ((61,), {"torque": "1."}),
    ((61,), {"torque": "\u0663"}),
    ((61,), {"sequence": "x"}),
    ((61,), {"sequence": [1]}),
    ((101, 5), {"spindles": 5}),
    ((101, 5), {"spindles": [5]}),
    ((101, 5), {"spindles": "ab"}),
    ((101, 5), {"spindle_count": "x"}),
    ((8,), {"subscribed_mid": 1, "extra": 5}),
    ((8,), {"subscribed_mid": 1, "extra": "x" * 100}),
    ((150,), {"identifier": 5}),
    ((1202,), {"data_fields": 5}),
    ((1202,), {"data_fields": [5]}),
    ((1202,), {"data_fields": [DataField(100000, 1, 0, 0, b"1")]}),
    ((1202,), {"data_fields": [DataField(1, 4, 0, 0, b"x" * 1000)]}),
    ((900,), {"samples": "x"}),
    ((900,), {"samples": [99999]}),
    ((200,), {"relays": 5}),
    ((82,), {"time": ("a",) * 6}),
    ((5555,), {"data": 5}),
    ((5555,), {"data": "x"}),
    ((1201,), {"data_fields": [data_field(1, "1"), None]}),
)


def test_what_must_not_be_sent_is_refused_unless_asked_for():
    for place, given, word in INVALID:
        assert word in error_of(lambda: catalogue.encode(*place, **given), FieldError), (place, given)  # noqa: B023
    invalid = catalogue.encode(82, time="yesterday", check=False)
    assert invalid[20:] == b"yesterday          "
    assert catalogue.encode(18, check=False)[20:] == b"   "
    assert catalogue.encode(61, 1, batch_status=9, check=False) and catalogue.encode(60, no_ack=2, check=False)
    changed = catalogue.decode(catalogue.encode(82, time="2024-03-14:09:26:53"))
    assert "YYYY" in error_of(lambda: catalogue.encode(changed, time="x"), FieldError)
    assert catalogue.encode(changed, time="x", check=False)[20:].strip() == b"x"
    linked = {"most": 40, "time": "x"}
    assert "YYYY" in error_of(lambda: catalogue.encode_linked(82, 1, **linked), FieldError)
    assert catalogue.encode_linked(82, 1, check=False, **linked)


def test_what_a_controller_leaves_blank_may_be_blank():
    assert catalogue.decode(catalogue.encode(61, 999, torque=1))["angle"] is None
    zeros = catalogue.encode(61, 1, time="0000-00-00:00:00:00")
    assert catalogue.decode(zeros)["time"] == "0000-00-00:00:00:00"
    assert catalogue.encode(111, duration=5, removal=0, line_1="TEXT")
    assert catalogue.encode(140, 1, check=False)


def test_lists_that_products_extend_are_not_closed():
    for given in ({"error_code": 95, "failed_mid": 18}, {"error_code": 13, "failed_mid": 18}):
        assert catalogue.encode(4, **given)
    assert catalogue.encode(4, 2, failed_mid=18, error_code=901)
    assert catalogue.encode(41, 2, tool_type=99)


def test_what_cannot_be_built_is_a_field_error_with_and_without_checks():
    for place, given in IMPOSSIBLE:
        for check in (True, False):
            error_of(lambda: catalogue.encode(*place, check=check, **given), FieldError)  # noqa: B023
    assert "at least" in error_of(lambda: catalogue.encode_linked(61, 1, most=20), FieldError)


def test_text_that_utf_8_has_not_is_a_field_error():
    try:
        "\ud800".encode()
    except UnicodeError:  # MicroPython writes it
        assert "UTF-8" in error_of(lambda: catalogue.encode(61, vin="\ud800"), FieldError)
        assert "UTF-8" in error_of(lambda: catalogue.encode(150, identifier="\ud800"), FieldError)


def test_a_number_that_is_none_is_no_float():
    own = catalogue.Catalogue()
    own.register("MID 9100 C E - Values\nREV 1 30\n-- value F10")
    for value in (float("nan"), float("inf"), -float("inf")):
        for check in (True, False):
            assert "number" in error_of(lambda: own.encode(9100, value=value, check=check), FieldError)  # noqa: B023
    assert own.encode(9100, value=1.5)[20:] == b"00001.5000"


def test_revisions_that_no_table_describes_have_no_answer_and_no_extra_data():
    for mid in (6, 8, 9):
        message = catalogue.decode(b"0020%04d009         " % mid)
        assert catalogue.read_extra(message) is None and catalogue.acknowledge(message) is None
    assert catalogue.decode(b"00200006009         ").answer() is None
    assert catalogue.decode(b"00290006001         0X0000100").answer() is None
    for given in ({"trace_types": 5}, {"alternative": "x"}, {"alternative": [1]}):
        error_of(lambda: catalogue.extra_data(8, 900, **given), FieldError)  # noqa: B023
    error_of(lambda: catalogue.extra_data(5, 1), FieldError)


WRONG_TABLES = (
    "MID",
    "MID 1",
    "MID x C E - a",
    "MID 99999 C E - a\nREV 1 20",
    "MID 9000 Z E - a\nREV 1 20",
    "MID 9000 C Z - a\nREV 1 20",
    "MID 9000 C E q a\nREV 1 20",
    "MID 9000 C E - a\nREV",
    "MID 9000 C E - a\nREV x",
    "MID 9000 C E - a\nREV 1000",
    "MID 9000 C E - a\nREV 3-1\n01 a N2",
    "MID 9000 C E - a\nREV 1 other",
    "MID 9000 C E - a\nREV 2 +1\n01 a N2",
    "MID 9000 C E - a\nREV 1 +1\n01 a N2",
    "MID 9000 C E - a\nREV 1\n01",
    "MID 9000 C E - a\nREV 1\n01 a N",
    "MID 9000 C E - a\nREV 1\n01 a NX",
    "MID 9000 C E - a\nREV 1\n01 a N2[",
    "MID 9000 C E - a\nREV 1\n01 a N2[zz]",
    "MID 9000 C E - a\nREV 1\n01 a G[zz]\n. b N2",
    "MID 9000 C E - a\nREV 1\n01 a G[2]",
    "MID 9000 C E - a\nREV 1\n. a N2",
    "MID 9000 C E - a\nREV 1\n01 a N2\n02 a N2[b]",
    "MID 9000 C E - a\nREV 1\n01 a N2 =1:a|x:b",
    "MID 9000 C E - a\nREV 1\n01 a N2 =NOTHERE",
    "MID 9000 C E - a\nREV 1\n01 a N2 *Nm/x",
    "MID 9000 C E - a\nREV 1\n01 a N2 *Nm/0",
    5,
    None,
)


def test_tables_that_are_wrong_are_refused_when_they_are_registered():
    for table in WRONG_TABLES:
        own = catalogue.Catalogue()
        error_of(lambda: own.register(table), TableError)  # noqa: B023
        assert own.mids() == catalogue.mids() and not own.form(9000).known, table


def test_senders_and_categories_that_are_none_are_refused():
    for given in ({"sent_by": "x"}, {"only": ("x",)}, {"only": "tightening"}):
        error_of(lambda: catalogue.Catalogue(**given), ValueError)  # noqa: B023
    error_of(lambda: catalogue.mids("x"), ValueError)
    assert issubclass(FrameError, ValueError)
