"""The simulated ToolsNet stores what is right, refuses what it is told to, notices what is wrong."""

from toolcart.base.clock import SimClock
from toolcart.sim.memory_archive import MemoryArchive
from toolcart.sim.toolsnet import ToolsNet, ToolsNetOptions
from toolcart.toolsnet.telegrams import frame, take_apart, time_ok
from lab.harness.line import Network

PORTABLE = True

GENERAL = b"0400042800003000100102024031409265300017WVWZZZ1KZAW123456        000170002900572"
SPINDLE = b"0001C3412129  0012100040.0000042.37000050.00000060.0000095.03000090.00"
PARAMETERS = (
    b"0001001200030Tightening ID            0001234567               0      00",
    b"0001001201500Job ID                   7                        1      00",
    b"0001001200100Batch size               6                        1      00",
    b"0001001200101Batch counter            4                        1      00",
    b"0001001201003Pset last change         2024-02-01:08:00:00      0      00",
)
RESULT = GENERAL + SPINDLE + b"".join(PARAMETERS)
REQUEST = b"00190700001000300010010"
STORED = b"0024050004220240314092653000"


class Station:
    """Says telegrams to a PIM or a server over a line without delay."""

    def __init__(self, toolsnet, number=10111):
        self.toolsnet = toolsnet
        self.clock = toolsnet.clock
        self.network = Network(self.clock)
        self.network.listen("tn", 6575, toolsnet.pim_endpoint)
        self.network.listen("tn", 10111, toolsnet.server_endpoint)
        self.port = self.network.port()
        self.port.open("tn", number)

    def exchange(self, octets):
        self.receive()
        self.port.write(octets, 0, len(octets))
        return self.receive()

    def receive(self):
        self.network.step()
        buf = bytearray(500)
        count = self.port.readinto(buf, 500)
        return bytes(buf[:count]) if count >= 0 else None


def build(number=10111, **options):
    options.setdefault("require_pim", False)
    return Station(ToolsNet(SimClock(), MemoryArchive(), ToolsNetOptions(**options)), number)


def result(sequence=17, identifier=42, tightening_id=1234567, time=b"20240314092653"):
    """Return a whole telegram 04 on the line."""
    telegram = b"04%05d" % identifier + RESULT[7:21] + time + b"%05d" % sequence + RESULT[40:]
    return frame(telegram.replace(b"0001234567", b"%010d" % tightening_id))


# The worked examples


def test_worked_result_is_accepted_and_every_field_arrives():
    station = build()
    assert station.exchange(frame(RESULT)) == STORED
    assert station.toolsnet.complaints == []
    stored = station.toolsnet.archive.results[0]
    assert (stored["system_type"], stored["system"], stored["station"]) == (3, 1, 10)
    assert (stored["time"], stored["sequence"], stored["vin"]) == ("20240314092653", 17, "WVWZZZ1KZAW123456")
    spindle = stored["spindles"][0]
    assert (spindle["spindle"], spindle["serial"], spindle["program"]) == (1, "C3412129", 12)
    assert (spindle["overall"], spindle["torque_status"], spindle["angle_status"]) == (1, 0, 3)
    assert (spindle["torque_low"], spindle["torque"], spindle["torque_high"]) == ("00040.00", "00042.37", "00050.00")
    assert (spindle["angle_low"], spindle["angle"], spindle["angle_high"]) == ("000060.0", "000095.0", "000090.0")
    names = [parameter["name"] for parameter in stored["parameters"]]
    assert names == ["Tightening ID", "Job ID", "Batch size", "Batch counter", "Pset last change"]
    assert station.toolsnet.archive.tightening_ids() == [1234567]


def test_worked_graph_event_and_keep_alive_are_accepted():
    station = build()
    graph = (
        b"13000431160003000100100001001220240314092653000170000000000000000000010000000100000040.0000050.00"
        b"00000.0000002.00016" + bytes([0, 0, 0, 13, 1, 0, 4, 18, 10, 255, 16, 141, 16, 94, 255, 231])
    )
    assert station.exchange(frame(graph)) == b"0024050004320240314092653000"
    assert station.exchange(b"00070600044") == b"0024050004420240314092653000"
    event = b"00720900045000300010010202403140930000000400404002010010E404                "
    assert station.exchange(event) == b"0024050004520240314092653000"
    assert station.toolsnet.complaints == []
    assert station.toolsnet.archive.graphs[0]["samples"][-2:] == bytes([255, 231])
    assert station.toolsnet.archive.events[0]["code"] == 404
    assert station.toolsnet.archive.events[0]["parameters"][0]["value"] == "E404"


def test_pim_verifies_itself_and_answers_what_is_stored():
    station = build(6575, server_host="10.0.0.5", reported_result=16, reported_event=3)
    assert station.receive() == b"00071200001"
    assert station.exchange(b"0024050000120240314092654000") == b""
    assert station.exchange(REQUEST) == b"00370800001000160000310.0.0.5       10111"
    assert station.toolsnet.complaints == []


def test_pim_answers_the_number_that_was_stored_last():
    station = build()
    for sequence in (99998, 99999, 1):
        station.exchange(result(sequence, sequence, sequence))
    pim = Station(station.toolsnet, 6575)
    pim.exchange(b"0024050000120240314092654000")
    assert pim.exchange(REQUEST)[11:16] == b"00001"


# What it does on demand


def test_refused_result_is_not_stored():
    station = build(codes={17: 5}, codes_once=[(18, 7)], tightening_codes={99: 9})
    assert station.exchange(result())[-3:] == b"005"
    assert station.exchange(result(18, 43))[-3:] == b"007"
    assert station.exchange(result(19, 44, 99))[-3:] == b"009"
    assert station.toolsnet.archive.stored == 0
    assert station.exchange(result(18, 45))[-3:] == b"000"
    assert station.toolsnet.refused == 3


def test_silence_and_lost_acknowledges_are_different_things():
    station = build(silent_sequences=(17,), lost_acks=[18])
    assert station.exchange(result()) == b""
    assert station.toolsnet.archive.stored == 0
    station = build(lost_acks=[18])
    assert station.exchange(result(18)) == b""
    assert station.toolsnet.archive.stored == 1
    assert station.exchange(result(18)) == STORED


def test_late_acknowledge_of_a_retransmission_lets_the_next_telegram_come():
    station = build(ack_delay_ms=6000)
    station.exchange(result())
    station.clock.advance(5000)
    station.exchange(result())
    station.clock.advance(1000)
    assert station.receive() == STORED
    station.exchange(result(18, 43))
    assert station.toolsnet.complaints == []
    station.exchange(result(19, 44))
    assert "before the last one" in station.toolsnet.complaints[0]


def test_foreign_acknowledge_comes_before_the_right_one():
    station = build(foreign_ack=True)
    assert station.exchange(result()) == b"0024050004320240314092653000" + STORED


def test_connection_drops_before_or_after_storing():
    station = build(drop_before_store=[17])
    assert station.exchange(result()) is None
    assert station.toolsnet.archive.stored == 0
    station = build(drop_after_store=[17])
    assert station.exchange(result()) is None
    assert station.toolsnet.archive.stored == 1


def test_event_may_be_answered_by_telegram_10():
    station = build(event_answer="10")
    event = b"00480900045000300010010202403140930000000400404" + b"00200"
    assert station.exchange(event) == b"00381000045000300010010" + b"2024031409265300000"
    assert station.toolsnet.complaints == []


def test_sixty_seconds_of_silence_close_and_are_a_complaint():
    station = build()
    station.exchange(result())
    station.clock.advance(59999)
    assert station.receive() == b""
    station.clock.advance(1)
    assert station.receive() is None
    assert "60000 ms" in station.toolsnet.complaints[0]


def test_memory_archive_is_bounded_and_counts_all():
    archive = MemoryArchive(limit=2)
    fields = take_apart(RESULT)[0]
    for sequence in (1, 2, 3):
        record = dict(fields)
        record["sequence"] = sequence
        archive.store_result(record)
    assert archive.stored == 3
    assert archive.sequences() == [2, 3]


def test_pim_can_be_old_silent_or_hurt_by_an_acknowledge():
    station = build(6575, send_12=False)
    assert station.receive() == b""
    station = build(6575, pim_silent=True, ack_12="optional")
    assert station.exchange(REQUEST) == b""
    assert station.toolsnet.complaints == []
    station = build(6575, ack_12="closes")
    assert station.exchange(b"0024050000120240314092654000") is None


# What it complains about


def complaints_for(telegram, **options):
    station = build(**options)
    station.exchange(frame(telegram))
    return station.toolsnet.complaints


def changed(position, octets):
    """Return the worked result with bytes changed at a position of the document (the first is 1)."""
    return RESULT[: position - 1] + octets + RESULT[position - 1 + len(octets) :]


def test_every_field_of_a_result_is_checked():
    for position, octets, name in (
        (3, b"0004x", "identifier"),
        (3, b"00000", "identifier"),
        (8, b"81", "general_bytes"),
        (10, b"0000", "system_type"),
        (14, b"   1", "system"),
        (18, b"00x0", "station"),
        (22, b"20241314092653", "time"),
        (22, b"20240230092653", "time"),
        (22, b"20240314246053", "time"),
        (36, b"0000x", "sequence"),
        (41, b"\xc3\xa4", "vin"),
        (70, b"71", "spindle_bytes"),
        (74, b"30", "vin_bytes"),
        (79, b"73", "parameter_bytes"),
        (81, b"0000", "spindle"),
        (85, b"\0", "serial"),
        (95, b"0000", "program"),
        (99, b"2", "overall"),
        (100, b"000400.0", "torque_low"),
        (108, b"0000423 ", "torque"),
        (116, b"4", "torque_status"),
        (117, b"0005000.", "torque_high"),
        (125, b"00060.00", "angle_low"),
        (133, b"      95", "angle"),
        (141, b"4", "angle_status"),
        (142, b"00090000", "angle_high"),
        (150, b"4", "time_status"),
        (151, b"x001", "parameters[0].spindle"),
        (155, b"0000", "parameters[0].program"),
        (159, b"65536", "parameters[0].parameter_id"),
        (164, b" " * 25, "parameter 00030 name"),
        (189, b"\x7f", "parameters[0].value"),
        (214, b"3", "parameters[0].type"),
        (221, b"  ", "parameters[0].step"),
        (261, b"seven", "parameter 01500 value"),
        (261, b"4294967295", "parameter 01500 value"),
    ):
        complaints = complaints_for(changed(position, octets))
        assert complaints, "nothing about %s at %d" % (name, position)
        assert "%s at %d: " % (name, position) in complaints[0], complaints[0]


def test_counts_must_agree_with_the_length():
    assert "511 bytes, allowed: 510 bytes" in complaints_for(RESULT + b" ")[0]
    assert "509 bytes, allowed: 510 bytes" in complaints_for(RESULT[:-1])[0]
    assert "510 bytes, allowed: 438 bytes" in complaints_for(changed(76, b"004"))[0]


def test_times_that_do_not_exist_are_not_times():
    assert time_ok(b"20240229235959")
    assert not time_ok(b"20240014092653")
    assert not time_ok(b"20240432092653")
    assert not time_ok(b"2024031409265 ")


def test_descriptions_are_checked_by_their_counts():
    system = b"0100001" + b"00030001" + b"10.0.0.9       " + b"Line 4                   " + b"  "
    assert complaints_for(system) == []
    assert "allowed: 57 bytes" in complaints_for(system[:-2])[0]
    name = b"Cart 10                  "
    station = b"0200002" + b"000300010010" + b"10.0.0.9       " + name + b"0001"
    spindle = b"0001" + name + b"0002" + b"0001" + name + b"0012" + name
    assert complaints_for(station + spindle) == []
    assert complaints_for(station + spindle[:-1]) != []


def test_retransmission_is_the_same_bytes_and_at_most_two():
    station = build(silent=True)
    for _ in range(3):
        station.exchange(result())
    assert station.toolsnet.complaints == []
    station.exchange(result())
    assert "sent 4 times" in station.toolsnet.complaints[0]
    station = build(silent=True)
    station.exchange(result())
    station.exchange(result(identifier=43))
    assert "new identifier" in station.toolsnet.complaints[0]
    station = build()
    station.exchange(result())
    station.exchange(result(18))
    assert "identifier 00042 again" in station.toolsnet.complaints[0]


def test_refused_telegram_may_be_sent_again_as_often_as_it_takes():
    station = build(code_all=5)
    for _ in range(6):
        station.exchange(result())
    assert station.toolsnet.complaints == []


def test_each_server_connection_must_follow_an_answer_of_the_pim():
    toolsnet = ToolsNet(SimClock(), MemoryArchive())
    pim = Station(toolsnet, 6575)
    pim.exchange(b"0024050000120240314092654000")
    pim.exchange(REQUEST)
    Station(toolsnet).receive()
    assert toolsnet.complaints == []
    Station(toolsnet).receive()
    assert "without asking the PIM" in toolsnet.complaints[0]


def test_what_is_at_the_wrong_door_or_does_not_fit_is_reported():
    for port, telegram, words in (
        (10111, REQUEST, "07 is not for a server"),
        (6575, b"00070600044", "06 is not for a PIM"),
        (6575, REQUEST, "before the 05"),
        (6575, b"0024050000220240314092654000", "acknowledges nothing"),
        (6575, b"0024050000120240314092654001", "code 001"),
        (6575, b"0024050000120240314092660000", "allowed: a time yyyymmddhhnnss"),
        (6575, b"00240500001              000", None),
    ):
        station = build(port)
        station.exchange(telegram)
        complaints = station.toolsnet.complaints
        assert words in complaints[0] if words else complaints == [], (port, telegram)
    assert "telegram at 1: 99, allowed: 01, 02" in complaints_for(b"9900001")[0]


def test_acknowledge_of_the_verification_may_be_left_out_after_a_failure():
    toolsnet = ToolsNet(SimClock(), MemoryArchive())
    Station(toolsnet, 6575).receive()
    assert Station(toolsnet, 6575).exchange(REQUEST) is not None
    assert toolsnet.complaints == []


def test_two_spindles_of_one_number_are_neither_stored_nor_answered():
    station = build()
    general = GENERAL.replace(b"000170002900572", b"000270002900572")
    assert station.exchange(frame(general + SPINDLE * 2 + b"".join(PARAMETERS))) == b""
    assert station.toolsnet.archive.stored == 0 and "cannot be read" in station.toolsnet.complaints[0]


def test_length_that_is_no_number_closes_the_connection():
    station = build()
    assert station.exchange(b"00x4" + RESULT) is None
    assert "length field" in station.toolsnet.complaints[0]


def test_telegram_in_pieces_is_a_complaint_where_the_peer_never_reassembles():
    station = build(whole_writes=True)
    station.exchange(result()[:100])
    assert "pieces" in station.toolsnet.complaints[0]
    station = build()
    assert station.exchange(result()[:100]) == b""
    assert station.exchange(result()[100:]) == STORED
    assert station.toolsnet.complaints == []
