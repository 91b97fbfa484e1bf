"""The catalogue's engine: tables become forms, frames become fields and frames again, on both interpreters."""

from toolcart import catalogue
from toolcart.catalogue import FieldError, FrameError, Odd, TableError
from toolcart.catalogue.table import read_table
from host_tests.portable import error_of
from host_tests.support.frames import EXAMPLE, light

PORTABLE = True
HEAP = "4m"

# The example of OP 5.8.2 p. 133; the text of the document has lost its runs of blanks.
EXAMPLE_1 = (
    b"023100610010        010001020103airbag7                  04KPOL3456JKLO897          "
    b"05000600307000008000009010011112000840130014001400120015000739160000017099991800000"
    b"1900000202001-06-02:09:54:09212001-05-29:12:34:3322123345675    "
)


def test_fields_have_names_and_are_read_when_they_are_asked_for():
    message = catalogue.decode(EXAMPLE_1)
    assert (message.mid, message.revision) == (61, 1)
    assert message._values is None
    assert message["torque"] == 739 and message["controller_name"] == "airbag7"
    assert len(message._values) == 2
    assert message["time"] == "2001-06-02:09:54:09" and message["tightening_id"] == 345675
    assert message.fields()["vin"] == "KPOL3456JKLO897" and message.odd() == {} and message.rest() == b""


def test_the_light_result_has_other_places():
    message = catalogue.decode(EXAMPLE)
    assert message.revision == 999 and message["torque"] == 4237 and message["angle"] == 95
    assert message["batch_status"] == 0 and message["tightening_id"] == 1234567
    assert message.header()["spindle"] == 1


def test_numbers_stay_whole_and_are_read_as_exact_decimals():
    message = catalogue.decode(EXAMPLE)
    assert message.decimal("torque") == "42.37" and message.unit("torque") == "Nm"
    assert message.ratio("torque") == (4237, 100)
    assert message.decimal("angle") == "95" and message.unit("angle") == "deg"
    small = catalogue.decode(catalogue.encode(61, 999, torque=5))
    assert small.decimal("torque") == "0.05" and small.decimal("angle") is None


def test_angles_are_scaled_where_the_message_says_so():
    given = {"angle": 123, "angle_numerator": 1, "angle_denominator": 100, "overall_angle_min": -50}
    message = catalogue.decode(catalogue.encode(61, 10, **given))
    assert message.decimal("angle") == "1.23" and message.decimal("overall_angle_min") == "-0.50"
    third = catalogue.decode(catalogue.encode(65, 10, angle=1, angle_numerator=2, angle_denominator=3))
    assert third.decimal("angle") == "0.666667" and third.ratio("angle") == (2, 3)


def test_the_unit_of_torque_is_what_the_message_says():
    message = catalogue.decode(catalogue.encode(61, 3, torque=100, torque_unit=2))
    assert message.unit("torque") == "lbf.ft" and message.unit("angle") == "deg"


def test_values_and_bits_have_words():
    message = catalogue.decode(catalogue.encode(61, 6, torque_status=2, error_status=8194, strategy_options=67))
    assert message.meaning("torque_status") == "high" and message.meaning("angle_status") == ""
    assert message.bits("error_status") == ["rundown angle min shut off", "trigger lost"]
    assert message.bits("strategy_options") == ["torque", "angle", "rundown"]
    assert catalogue.decode(catalogue.encode(4, failed_mid=18, error_code=2)).meaning("error_code") == (
        "parameter set ID not present"
    )
    running = catalogue.decode(catalogue.encode(61, 1, batch_status=3))
    assert running.meaning("batch_status") == "running"


def test_blanks_are_none_and_odd_fields_keep_their_octets():
    frame = bytearray(EXAMPLE_1)
    frame[140:146] = b"      "
    frame[169:174] = b"0 0 9"
    frame[176:195] = b"\xff" * 19
    for ask in (lambda m, name: m[name], lambda m, name: m.fields()[name]):
        message = catalogue.decode(frame)
        assert ask(message, "torque") is None
        assert isinstance(ask(message, "angle"), Odd) and ask(message, "angle").raw == b"0 0 9"
        assert "UTF-8" in ask(message, "time").why
        assert ask(message, "tightening_id") == 345675
        assert ask(message, "batch_counter") == 0
    assert sorted(message.odd()) == ["angle", "time"]
    assert catalogue.encode(message) == bytes(frame)


def test_a_parameter_id_of_another_parameter_makes_its_field_odd():
    frame = EXAMPLE_1.replace(b"15000739", b"14000739")
    message = catalogue.decode(frame)
    assert "15" in message["torque"].why and message["torque"].raw == b"000739"
    assert catalogue.decode(frame).fields()["torque"] == message["torque"]
    assert catalogue.decode(frame)["angle_max"] == 9999


def test_text_in_utf_8_stays_whole():
    name = "M\u00fcller \u6f22"
    frame = catalogue.encode(61, 1, controller_name=name)
    assert len(frame) == 231 and catalogue.decode(frame)["controller_name"] == name
    error = error_of(lambda: catalogue.encode(61, 1, controller_name="\u6f22" * 9), FieldError)
    assert "at most 25 bytes" in error


def test_short_message_lacks_its_last_fields_and_long_one_has_a_rest():
    short = EXAMPLE_1[:200]
    short = b"0200" + short[4:]
    message = catalogue.decode(short)
    assert message["torque"] == 739 and message["tightening_id"] is None
    assert "cut off" in message["pset_change"].why
    assert catalogue.encode(message) == short
    longer = b"0236" + EXAMPLE_1[4:] + b"ABCDE"
    assert catalogue.decode(longer).rest() == b"ABCDE"
    old = catalogue.decode(b"0179" + catalogue.encode(2, 6, linking=0, cell_id=1)[4:179])
    assert old["linking"] == 0 and old["station_id"] is None and old.odd() == {}


def test_frames_that_are_none_are_refused_in_words():
    for frame, word in (
        (b"", "0 bytes"),
        (b"0020", "4 bytes"),
        (b"00210061001         ", "length says 21"),
        (b"00190061001         ", "header has 20"),
        (b"0020006X001         ", "MID"),
        (b"00200061X01         ", "revision"),
    ):
        assert word in error_of(lambda frame=frame: catalogue.decode(frame), FrameError), frame
    assert catalogue.decode(b"00200062            \0").frame == b"00200062            "
    assert catalogue.decode(b"00200062            ").revision == 1


NM = " in Nm/100, or a Decimal or text in Nm up to 9999.99"


def test_what_cannot_be_built_says_where_and_what_is_allowed():
    error = error_of(lambda: catalogue.encode(61, 1, torque=-5), FieldError)
    assert error == "MID 0061 revision 1, torque (15) at 141-146: found -5, allowed 0 to 999999" + NM
    error = error_of(lambda: catalogue.encode(61, 1, torqe=5), FieldError)
    assert "torqe" in error and "one of: cell_id" in error
    error = error_of(lambda: catalogue.encode(61, 1, job_id=100), FieldError)
    assert "0 to 99" in error
    error = error_of(lambda: catalogue.encode(61, 1, sequence=100), FieldError)
    assert "sequence at 17" in error


def test_header_fields_are_given_by_name():
    frame = catalogue.encode(60, 999, no_ack=1, station=2, spindle=3, sequence=9)
    assert frame == b"00200060999102030" + b"9  "
    header = catalogue.decode(frame).header()
    assert header == {"no_ack": 1, "station": 2, "spindle": 3, "sequence": 9, "parts": None, "part": None}


def test_a_message_is_changed_field_by_field():
    message = catalogue.decode(EXAMPLE_1)
    assert catalogue.encode(message) == EXAMPLE_1
    assert catalogue.encode(message, torque=739) == EXAMPLE_1
    changed = catalogue.decode(catalogue.encode(message, torque=740, spindle=4))
    assert changed["torque"] == 740 and changed["angle"] == 0 and changed.header()["spindle"] == 4


def test_every_message_knows_its_answer():
    answers = ((61, 2, (62, 1)), (64, 7, (65, 7)), (60, 999, (5, 1)), (62, 1, None), (1, 6, (2, 6)))
    for mid, revision, answer in answers:
        assert catalogue.decode(catalogue.encode(mid, revision, check=False)).answer() == answer
    request = catalogue.encode(6, requested_mid=1201, requested_revision=3)
    assert catalogue.decode(request).answer() == (1201, 3)
    assert catalogue.acknowledge(catalogue.decode(EXAMPLE)) == b"00200062001         "
    assert catalogue.acknowledge(catalogue.decode(catalogue.encode(64, tightening_id=0))) is None
    for about in map(catalogue.about, catalogue.mids()):
        revisions = catalogue.revisions(about.mid) if about.kind == "E" and about.answer != "-" else []
        for revision in revisions and revisions + [77]:
            event = catalogue.decode(b"0020%04d%03d         " % (about.mid, revision))
            assert int(catalogue.acknowledge(event)[4:8]) == event.answer()[0]
    assert catalogue.acknowledge(catalogue.decode(b"00200107003         ")) == b"00210108003         1"


def test_lists_are_counted_by_themselves():
    frame = catalogue.encode(61, 998, stages=3, stage_results=[{"torque": 1, "angle": 2}, {"torque": 3, "angle": 4}])
    message = catalogue.decode(frame)
    assert message["stage_count"] == 2 and message["stage_results"][1] == {"torque": 3, "angle": 4}
    error = error_of(lambda: catalogue.encode(61, 998, stage_count=3, stage_results=[]), FieldError)
    assert "stage_results (58)" in error and "3 of them" in error
    cut = b"%04d" % (len(frame) - 4) + frame[4:-4]
    assert "1 of 2" not in str(catalogue.decode(frame).odd())
    assert isinstance(catalogue.decode(cut)["stage_results"], (Odd, list)) and catalogue.decode(cut).odd()
    assert catalogue.encode(catalogue.decode(cut)) == cut


def test_text_of_a_given_length_is_between():
    frame = catalogue.encode(8, subscribed_mid=900, subscribed_revision=1, extra="0" + " " * 29 + "01001")
    assert frame == b"00640008001         090000135" + b"0" + b" " * 29 + b"01001"
    assert catalogue.decode(frame)["extra"] == "0" + " " * 29 + "01001"
    bare = catalogue.decode(catalogue.encode(9, subscribed_mid=1201, extra_revision=1))
    assert bare["extra"] is None and bare["extra_length"] == 0 and bare.odd() == {}


def test_one_of_no_table_is_kept_raw():
    message = catalogue.decode(b"00245555007         ABCD")
    assert (message.mid, message.revision, message.data()) == (5555, 7, b"ABCD")
    assert not message.form.known and message.answer() is None and message.fields() == {}
    assert catalogue.encode(5555, 7, data=b"ABCD") == message.frame
    reserved = catalogue.decode(catalogue.encode(7, data=b""))
    assert not reserved.form.known and reserved.form.about.name == "Reserved"
    assert not catalogue.decode(catalogue.encode(61, 500, data=b"x")).form.known


VENDOR = """
MID 5555 C E 5556 Battery level @manual 12
REV 1 25
01 level N3 *% charge
MID 0061 C E 0062 Last tightening result data @manual 14
REV 500 since=9.9
-- note T*
MID 5557 C E 0005 Long PIDs @manual 15
REV 1
-- count N3
-- data V6[count]
"""


def test_a_table_is_all_that_a_new_mid_takes():
    own = catalogue.Catalogue()
    own.register(VENDOR)
    message = own.decode(own.encode(5555, level=80))
    assert message["level"] == 80 and message.unit("level") == "%" and message.answer() == (5556, 1)
    assert own.decode(own.encode(61, 500, note="hello"))["note"] == "hello"
    long = own.encode(5557, data=[catalogue.data_field(123456, "ab", step=7, digits=6)])
    assert long[20:] == b"001123456002040000007ab" and own.decode(long)["data"][0].pid == 123456
    assert own.decode(EXAMPLE)["torque"] == 4237
    assert not catalogue.form(5555).known, "another catalogue has none of it"


def test_a_catalogue_can_be_narrowed_by_role_and_category():
    own = catalogue.Catalogue(sent_by=catalogue.CONTROLLER, only=("tightening",))
    assert own.mids() == [61, 65, 66, 67]
    assert "other side" in error_of(lambda: own.decode(catalogue.encode(60)), FrameError)
    assert not own.decode(b"00240005001         0060").form.known


SHORT = """
MID 5560 C E 5561 Rack @manual 20
REV 1
-- row_count N2
-- rows G[row_count]
. shelf N2 ':' from below
. is_free N1 =YES ';'
REV 2 +1
-- rack N3 <rows
!12 printed behind them
01-03 lamp_4-6 N1 =ON
!04 the second lamp is printed twice
REV 3 +1
. rows.is_free N2 =YES ','
. rows.side N1 ';'
REV 4
-- shelf T3 says nothing of a member of that name
01-02 row_count shelf
02 rows G[2]
. is_free shelf
MID 5561 I A - Rack acknowledge [20] @manual 21
!the maker calls it 5651
MID 5570-5571,5573 IC X - Not described @manual 22
"""


def test_a_table_says_in_one_line_what_is_alike():
    mids = read_table(SHORT)
    assert sorted(mids) == [5560, 5561, 5570, 5571, 5573] and mids[5571].name == "Not described"
    fields = mids[5560].revisions[2].fields(mids[5560])
    assert [field.name for field in fields] == ["row_count", "rack", "rows", "lamp_4", "lamp_5", "lamp_6"]
    assert [field.id for field in fields[3:]] == [b"01", b"02", b"03"] and fields[5].values == "ON"
    assert [field.note[:2] for field in fields] == ["", "12", "", "", "", "04"]
    assert [member.name for member in fields[2].members] == ["shelf", "':'", "is_free", "';'"]
    assert fields[2].members[0].meaning == "from below" and fields[2].width == 5
    changed = mids[5560].revisions[3].fields(mids[5560])[1].members
    assert [member.name for member in changed] == ["shelf", "':'", "is_free", "','", "side", "';'"]
    assert [member.width for member in changed] == [2, 1, 2, 1, 1, 1]
    expanded = mids[5560].revisions[4].fields(mids[5560])
    assert [(field.id, field.name) for field in expanded] == [(b"02", "shelf"), (b"01", "row_count"), (b"02", "rows")]
    assert [(member.name, member.meaning) for member in expanded[2].members[::2]] == [
        ("is_free", "is free"),
        ("shelf", "from below"),
    ]
    about = mids[5561]
    assert about.revisions[1].length == 20 and about.name == "Rack acknowledge" and about.note
    own = catalogue.Catalogue()
    own.register(SHORT)
    assert own.encode(5560, 2, rack=7, rows=[{"shelf": 1, "is_free": 0}], lamp_4=1, lamp_5=0, lamp_6=1)[20:] == (
        b"0100701:0;011020031"
    )
    assert own.acknowledge(own.decode(own.encode(5560, rows=[]))) == b"00205561001         "


def test_tables_that_are_wrong_say_which_line():
    for text, word in (
        ("REV 1 20", "REV 1 20"),
        ("MID 0001 C E - x\n01 a N1", "01 a N1"),
        ("MID 0001 C E - x\nREV 1 20 what", "what"),
        ("MID 0001- C E - x\nMID -2 C E - x", "-2"),
        ("MID 0001 C E - x\nREV 1\n01 a N1\n02 b N1\nREV 2\n01-03 a b", "01-03 a b"),
        ("MID 0001 C E - x\nREV 1\n01 a N1\n02 b N1\nREV 2\n01-x a b", "01-x a b"),
    ):
        assert word in error_of(lambda text=text: read_table(text), TableError)
    for line in (". a.b N1", "01 a Q1", "01-03 a N1", "01-03 a_1-2 N1", "03-01 a_3-1 N1", "01 a N1 <b"):
        bad = read_table("MID 0001 C E - x\nREV 1 20\n" + line)[1]
        assert line.split()[1] in error_of(lambda bad=bad: bad.revisions[1].fields(bad), TableError)


def test_what_could_not_be_read_stays_when_something_else_is_changed():
    frame = bytearray(catalogue.encode(101, 5, spindle_count=2, vin="A", spindles=[{"torque": 1}, {"torque": 2}]))
    frame[22:24] = b"0X"
    frame[27:30] = b"\xff\xfe\xfd"
    message = catalogue.decode(frame)
    assert sorted(message.odd()) == ["spindle_count", "spindles", "vin"] and message["job_sequence"] is None
    changed = bytearray(catalogue.encode(message, job_id=7))
    assert changed[53:55] == b"07"
    changed[53:55] = frame[53:55]
    assert changed == frame
    swapped = catalogue.decode(catalogue.encode(message, spindle_count=1, spindles=[{"torque": 3}]))
    assert swapped["spindles"][0]["torque"] == 3 and swapped["vin"].raw == message["vin"].raw


def test_decimal_text_words_and_bits_are_taken_as_values():
    message = catalogue.decode(catalogue.encode(61, 2, torque="42.3", batch_size=7, torque_status="high"))
    assert message["torque"] == 4230 and message["batch_size"] == 7 and message["torque_status"] == 2
    masked = catalogue.encode(61, 2, error_status=["trigger lost", "rehit"], strategy_options=["torque", "batch"])
    message = catalogue.decode(masked)
    assert message["error_status"] == 1 << 13 | 1 << 17 and message["strategy_options"] == 5
    assert catalogue.decode(catalogue.encode(101, 4, torque_min="-0.5"))["torque_min"] == -50
    for given, word in (
        ({"torque": "42.375"}, "at most 2 decimals in Nm"),
        ({"torque": "x"}, "a number"),
        ({"batch_size": "7"}, "0 to 9999"),
        ({"torque_status": "2"}, "0 to 9"),
        ({"angle": "95"}, "0 to 99999 deg"),
        ({"batch_size": True}, "0 to 9999"),
        ({"torque": True}, "0 to 999999"),
        ({"torque_status": "fine"}, "low, OK, high"),
        ({"error_status": ["nothing"]}, "tool hot"),
        ({"torque": 42.37}, "0 to 999999"),
    ):
        assert word in error_of(lambda given=given: catalogue.encode(61, 2, **given), FieldError), given


def test_what_is_wrong_in_a_group_is_reported_with_its_place():
    stages = [{"torque": 1, "angle": 2}, {"torque": -1, "angle": 2}]
    error = error_of(lambda: catalogue.encode(61, 998, stage_results=stages), FieldError)
    assert "stage_results[1].torque at 548: found -1" in error


def test_every_answer_is_a_mid_that_the_other_side_sends():
    for mid in catalogue.mids():
        about = catalogue.about(mid)
        if about.answer[0].isdigit():
            other = catalogue.about(int(about.answer[:4]))
            assert other.source and (other.sender == "IC" or other.sender != about.sender), mid


def test_an_alarm_of_revision_2_is_read_by_its_length():
    with_text = catalogue.encode(71, 2, error_code="E1021", alarm_text="Tool hot", time="2008-06-02:10:14:26")
    assert catalogue.decode(with_text)["alarm_text"] == "Tool hot"
    without = catalogue.decode(b"0054" + with_text[4:54])
    assert without["alarm_text"] is None and without["time"] == "2008-06-02:10:14:26" and without.odd() == {}


def test_a_number_that_ends_in_a_nul_is_odd():
    for text, read in ((b"001234", 1234), (b"1234  ", 1234), (b"      ", None), (b"\0" * 6, None), (b"\0     ", None)):
        assert catalogue.decode(light(torque=text))["torque"] == read
    for text in (b"1234\0 ", b"00123\0", b"\0 1234", b"12\x0034 "):
        message = catalogue.decode(light(torque=text))
        assert message["torque"].raw == text and "torque" in message.odd()
