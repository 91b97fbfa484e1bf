"""Every described MID and revision has a table of the documented length, and comes back at every field's edges."""

from toolcart import catalogue
from toolcart.catalogue import Odd, data_field, resolution
from toolcart.catalogue.index import categories
from toolcart.catalogue.meanings import names_of
from toolcart.catalogue.table import revision_numbers
from toolcart.catalogue.variable import TYPES
from host_tests.portable import HAS_ALL

PORTABLE = True
HEAP = "6m"

# MID, sender and described revisions of release 2.8.0: the list that was made from Table 7 and chapter 5 of the
# document, apart from these tables. Two entries know more than it: 0025 has no description to speak of, and 0064's
# revision chooses that of 0065.
LISTED = """
0001:I:1,2,3,4,5,6 0002:C:1,2,3,4,5,6 0003:I:1 0004:IC:1 0005:IC:1 0006:I:1 0007:IC:- 0008:I:1 0009:I:1 0010:I:1,2,3
0011:C:1,2,3 0012:I:1,2,3,4 0013:C:1,2,3,4 0014:I:1,2 0015:C:1,2 0016:I:1 0017:I:1 0018:I:1 0019:I:1 0020:I:1
0021:I:1 0022:C:1 0023:I:1 0024:I:1 0025:I:- 0030:I:1,2 0031:C:1,2 0032:I:1,2,3 0033:C:1,2,3 0034:I:1,2,3,4,5
0035:C:1,2,3,4,5 0036:I:1 0037:I:1 0038:I:1,2 0039:I:1,2 0040:I:1,2,3,4,5 0041:C:1,2,3,4,5 0042:I:1 0043:I:1
0044:I:1 0045:I:1 0046:I:1 0047:I:1 0048:C:1 0049:I:- 0050:I:1 0051:I:1,2 0052:C:1,2 0053:I:1 0054:I:1
0060:I:1,2,3,4,5,6,7,998,999 0061:C:1,2,3,4,5,6,7,998,999 0062:I:1 0063:I:1 0064:I:1,2,3,4,5,6,7
0065:C:1,2,3,4,5,6,7 0070:I:1,2 0071:C:1,2 0072:I:1 0073:I:1 0074:C:1 0075:I:1 0076:C:1,2 0077:I:1 0078:I:1 0080:I:1
0081:C:1 0082:I:1 0090:I:1 0091:C:1 0092:I:1 0093:I:1 0100:I:1,2,3,4,5 0101:C:1,2,3,4,5 0102:I:1 0103:I:1
0105:I:1,2,3,4 0106:C:1,2,3,4 0107:C:1,2,3,4 0108:I:1,2,3,4 0109:I:1 0110:I:1 0111:I:1 0113:I:1 0120:I:1 0121:C:1
0122:C:1 0123:C:1 0124:C:1 0125:I:1 0126:I:1 0127:I:1 0128:I:1 0129:I:1,2 0130:I:1 0131:I:1 0132:I:1 0133:I:1
0140:I:1,999 0150:I:1 0151:I:1 0152:C:1 0153:I:1 0154:I:1 0155:I:1 0156:I:1 0157:I:1 0200:I:1 0210:I:1 0211:C:1
0212:I:1 0213:I:1 0214:I:1,2 0215:C:1,2 0216:I:1 0217:C:1 0218:I:1 0219:I:1 0220:I:1 0221:C:1 0222:I:1 0223:I:1
0224:I:1 0225:I:1 0240:I:1 0241:I:1 0242:C:1 0243:I:1 0244:I:1 0245:I:1 0250:I:1 0251:C:1 0252:I:1 0253:I:1
0254:I:1,2 0255:I:1,2 0260:I:1 0261:I:1 0262:C:1 0263:I:1 0264:I:1 0265:I:1 0270:I:1 0300:I:1 0301:C:1 0400:I:1
0401:C:1 0402:I:1 0403:I:1 0410:I:1 0411:C:1 0420:I:1 0421:C:1 0422:I:1 0423:I:1 0500:I:1 0501:C:1 0502:I:1 0503:I:1
0504:I:1 0700:C:1 0900:C:1 0901:C:1 1201:C:1 1202:C:1 1203:I:1 1900:C:1 1901:I:1 2100:I:1 2500:I:1 2501:C:1 2502:C:1
2503:I:1 2504:I:1 2505:I:1 2600:I:1 2601:C:1 2602:I:1 2603:C:1 2604:C:1 2605:I:1 2606:I:1 8000:I:- 8001:C:- 8002:I:-
8003:I:- 9997:IC:1 9998:IC:1 9999:IC:1
"""
# What is newer than 2.8.0 (protocol.md 10).
NEWER = {
    1: "7,8", 2: "7,8", 4: "2", 10: "4", 11: "4", 12: "5", 13: "5", 14: "3", 15: "3", 19: "2", 32: "4,5", 33: "4,5",
    34: "6", 35: "6", 40: "6,7", 41: "6,7", 42: "2", 43: "2", 45: "2", 60: "8-12", 61: "8-12", 64: "8-12", 65:
    "8-12", 66: "1,2", 67: "1", 70: "3", 71: "3", 74: "2", 76: "3", 100: "6", 101: "6", 104: "1-6", 701: "1", 900:
    "2,3", 901: "2,3", 902: "1", 1000: "1", 1001: "1", 1201: "2,3", 1202: "2", 1601: "1", 1602: "1", 140: "2-4",
    702: "1", 703: "1", 704: "1", 2500: "2", 2501: "2", 2506: "1", 2601: "1", 2603: "1",
}  # fmt: skip
NAMED_ONLY = {7, 25, 49, 8000, 8001, 8002, 8003}
# MT Focus 6000's MIDs and revisions (MT "Special MT Focus 6000 considerations, per mid").
MT_FOCUS = """0001=6 0002=6 0003=1 0004=1 0005=1 0006=1 0008=1 0009=1 0010=1 0011=1 0015=1 0018=1 0019=1-2 0030=2 0031=2
0035=2 0038=2 0040=5 0041=5 0067=1 0071=2-3 0072=1 0074=1 0076=2 0078=1 0080=1 0081=1 0082=1 0150=1 0157=1 0200=1 0215=2
0217=1 0221=1 0224=1 0225=1 0900=1-3 0901=1-3 1201=1-3 1202=1-2 1601=1 1602=1 2500=1 2501=1 9999=1"""
RESERVED = ("no_ack", "station", "spindle", "sequence", "parts", "part", "data", "most", "mid", "revision")


def all_forms():
    for name in categories():
        for mid in catalogue.mids(name):
            for revision in catalogue.revisions(mid):
                yield catalogue.form(mid, revision)


def test_no_described_mid_or_revision_is_missing():
    listed = [entry.split(":") for entry in LISTED.split()]
    assert len(listed) == 189
    for mid, sender, revisions in listed:
        about = catalogue.about(int(mid))
        assert about.sender == sender and about.name and about.source, mid
        wanted = [] if revisions == "-" else revision_numbers(revisions)
        forms = [catalogue.form(int(mid), number) for number in catalogue.revisions(int(mid))]
        described = [form.revision for form in forms if not (form.other or form).since]
        assert described == wanted, (mid, described, wanted)


def test_what_is_newer_is_there_and_says_since_when():
    for form in all_forms():
        assert bool(form.since) == (form.revision in revision_numbers(NEWER.get(form.mid, "0"))), form.mid
    for mid in NEWER:
        for revision in revision_numbers(NEWER[mid]):
            assert catalogue.form(mid, revision).known


def test_what_has_a_name_only_is_known_as_that():
    undescribed = [mid for mid in catalogue.mids() if not catalogue.revisions(mid)]
    assert set(undescribed) == NAMED_ONLY


def test_every_mid_of_mt_focus_6000_is_there():
    for entry in MT_FOCUS.split():
        mid, _, revisions = entry.partition("=")
        for revision in revision_numbers(revisions):
            assert catalogue.form(int(mid), revision).known, entry


def test_widths_sum_up_to_the_documented_length():
    for form in all_forms():
        octets = [field.octets() for field in form.fields]
        if -1 in octets:
            assert form.length == 0, (form.mid, form.revision)
        else:
            assert sum(octets) + 20 == form.length, (form.mid, form.revision, sum(octets) + 20)


def test_lines_of_a_table_are_sound():
    for form in all_forms():
        assert form.source, form.mid
        last = 0
        for field in form.fields:
            assert field.name not in RESERVED, (form.mid, field.name)
            assert isinstance(names_of(field.values) if field.kind != "'" else {}, dict)
            if field.id and form.mid != 106 and (form.mid, form.revision) != (61, 998):
                assert int(field.id) == last + 1, (form.mid, form.revision, field.name)
                last = int(field.id)
            if isinstance(field.count, str) and field.count != "*":
                assert field.count in form.by_name, (form.mid, field.name)


def test_places_are_those_of_the_documents():
    for mid, revision, name, place in (
        (61, 1, "torque", "141-146"),
        (61, 2, "tightening_id", "304-313"),
        (61, 7, "angle_hundredths", "538-544"),
        (61, 10, "rundown_complete_torque", "657-662"),
        (61, 11, "click_angle", "673-677"),
        (61, 998, "stage_results", "537-"),
        (61, 999, "tightening_id", "112-121"),
        (65, 7, "station_id", "343-352"),
        (65, 11, "click_angle", "508-512"),
        (2, 6, "client_id", "221"),
        (15, 2, "start_final_angle", "136-141"),
        (35, 5, "identifier_4", "174-198"),
        (41, 7, "speed_3", "255-260"),
        (52, 2, "identifier_4", "104-128"),
        (71, 3, "alarm_text", "60-109"),
        (101, 1, "spindles", "175-"),
        (1201, 2, "request_mid", "59-62"),
        (1202, 2, "node_guid", "41-76"),
        (902, 1, "newest_time", "70-88"),
    ):
        assert catalogue.form(mid, revision).by_name[name].bounds() == place, (mid, revision, name)


def some_text(width, index):
    text = "Zy \u00e9\u6f22x"
    while len(text.encode()) < width:
        text += "0aB"[index % 3]
    raw = text.encode()[:width]
    while True:
        try:
            return raw.decode().rstrip()
        except UnicodeError:
            raw = raw[:-1]


def edges(field):
    """The values of a plain field at its edges."""
    width = 9 if field.width is None else field.width
    if field.kind in "NB":
        return (None, 0, 1, 10**width - 1)
    if field.kind == "I":
        return (None, 0, 10**width - 1, 1 - 10 ** (width - 1), -1)
    if field.kind == "F":
        return (None, 0.0, 99.9999, -9.9999, 12345.5)
    texts = (None, "x", "x" * width, some_text(width, 1))
    return texts + ("2024-02-29:23:59:59",) if field.kind == "D" else texts


def value_at(field, turn, length):
    """One value of any field: `turn` chooses the edge, and how many a list has."""
    if field.kind == "V" or field.kind == "U":
        return [data_field(n, v, k, 1, 0 if field.kind == "U" else n) for n, (k, v) in enumerate(DATA[: length % 20])]
    if field.kind == "R":
        return [resolution(0, n, 0.25 * n) for n in range(length % 3)]
    if field.kind == "Z":
        return bytes(range(2 * (length % 4)))
    if field.kind == "G":
        count = field.count if isinstance(field.count, int) else length % 4
        return [values_at(field.members, turn + n) for n in range(count)]
    values = edges(field)
    if field.count is None or field.width is None:
        return values[turn % len(values)]
    count = field.count if isinstance(field.count, int) else length % 4
    return [values[(turn + n) % len(values)] for n in range(count)]


DATA = [
    (1, 0), (1, 4294967295), (2, -5), (3, 12.5), (3, -57.5), (4, "Text \u00e9"), (5, "2024-02-29:23:59:59"), (6, True),
    (6, False), (7, "A24CD3"), (8, [(1.5, 2.0)]), (9, [(1.5, 2.0), (-1.0, 0.5)]),
    (10, [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0)]), (50, [-123.789, 1.1205]),
    (51, [12345678, 0]), (52, [-1234567, 200000]), (90, 123.4), (90, -0.0125), (4, None),
]  # fmt: skip


def values_at(fields, turn):
    values = {}
    counts = [field.count for field in fields]
    for index, field in enumerate(fields):
        if field.kind != "'" and field.name not in counts:
            values[field.name] = value_at(field, turn + index, turn)
    return values


def same(value, given):
    """True if the given values came back; what was counted is there besides."""
    if isinstance(given, dict):
        return all(same(value[name], given[name]) for name in given)
    if isinstance(given, list) and given and not isinstance(given[0], (int, float, str)) and given[0] is not None:
        return len(value) == len(given) and all(same(value[at], given[at]) for at in range(len(given)))
    return value == given


def test_every_form_comes_back_as_it_was_built():
    for form in all_forms():
        for turn in range(24 if HAS_ALL else 6):
            given = values_at(form.fields, turn)
            # The edges of the types, blank too: what may be sent is judged in test_catalogue_checks.py.
            frame = catalogue.encode(form.mid, form.revision, check=False, **given)
            message = catalogue.decode(frame)
            case = (form.mid, form.revision, turn)
            assert message.odd() == {} and message.rest() == b"", (case, message.odd(), message.rest())
            assert same(message.fields(), given), (case, message.fields(), given)
            assert catalogue.encode(form.mid, form.revision, check=False, **message.fields()) == frame, case
            assert catalogue.encode(message) == frame
            single = catalogue.decode(frame)
            for field in form.head:
                assert single[field.name] == message.fields()[field.name], (case, field.name)


def test_every_data_type_comes_back_as_it_was_sent():
    assert {kind for kind, _ in DATA} == set(TYPES)
    for kind, value in DATA:
        read = data_field(1, value, kind).value()
        if isinstance(value, float):
            assert abs(read - value) < 0.001 * abs(value)
        elif kind not in (8, 9, 10, 50):
            assert read == value, (kind, value, read)
    assert data_field(1, b"12x", 1).value().why
    for text in ("nan", "inf", "1_0", "1.2.3", "e", "--1"):
        assert data_field(1, text.encode(), 3).value().why == "no number"
    assert isinstance(data_field(1, b"123456789", 51).value(), Odd)
    assert isinstance(data_field(1, b"1", 77).value(), Odd)
