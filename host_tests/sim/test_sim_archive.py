"""The SQLite archive holds every field of a result, each result once, and can be asked by people."""

import pytest

from toolcart.sim.archive import SqliteArchive
from toolcart.sim.toolsnet_memory import MemoryArchive
from toolcart.toolsnet.telegrams import take_apart
from host_tests.sim.test_sim_toolsnet import RESULT


def found(sequence=17, tightening_id=1234567, time="20240314092653", **more):
    """Return the worked result taken apart, with some fields changed."""
    fields, breaches = take_apart(RESULT)
    assert breaches == []
    fields["parameters"][0]["value"] = str(tightening_id)
    return {**fields, "sequence": sequence, "time": time, **more}


def event(sequence=4):
    place = {"system_type": 3, "system": 1, "station": 10}
    parameters = [{"parameter_id": 1, "type": 0, "value": "E404"}]
    return {
        **place,
        "sequence": sequence,
        "time": "20240314093000",
        "code": 404,
        "level": 2,
        "parameters": parameters,
    }


@pytest.fixture(params=["memory", "sqlite"])
def archive(request, tmp_path):
    made = MemoryArchive() if request.param == "memory" else SqliteArchive(tmp_path / "archive.db")
    yield made
    made.close()


def test_both_archives_store_once_and_count_repeats_and_order(archive):
    assert archive.store_result(found(1, 11))
    assert archive.store_result(found(3, 13))
    assert not archive.store_result(found(1, 11))
    assert archive.store_result(found(2, 12))
    assert (archive.stored, archive.repeated, archive.out_of_order) == (3, 1, 1)
    assert archive.tightening_ids() == [11, 13, 12]
    assert archive.sequences() == [1, 3, 2]


def test_both_archives_tell_the_number_stored_last_for_each_station(archive):
    archive.store_result(found(99999, 1))
    archive.store_result(found(1, 2))
    archive.store_result(found(7, 3, station=11))
    assert archive.latest_result(3, 1, 10) == 1
    assert archive.latest_result(3, 1, 11) == 7
    assert archive.latest_result(3, 2, 10) == 0
    assert archive.out_of_order == 0


def test_both_archives_store_an_event_once(archive):
    assert archive.store_event(event())
    assert not archive.store_event(event())
    assert (archive.events_stored, archive.events_repeated) == (1, 1)
    assert archive.latest_event(3, 1, 10) == 4


def test_both_archives_forget_as_an_older_backup_does(archive):
    for sequence in (1, 2, 3):
        archive.store_result(found(sequence, sequence))
    archive.restore_backup(2)
    assert archive.tightening_ids() == [1]
    assert archive.latest_result(3, 1, 10) == 1
    assert archive.store_result(found(2, 2))
    archive.clear()
    assert archive.stored == 0
    assert archive.latest_result(3, 1, 10) == 0


def test_view_shows_a_result_readably():
    archive = SqliteArchive()
    archive.store_result(found())
    rows = archive.query(
        "SELECT SystemTypeName, SystemName, StationName, SpindleName, ProgramName, Sequence, Time, VIN, "
        "Overall, TorqueLow, Torque, TorqueHigh, TorqueStatus, AngleLow, Angle, AngleHigh, "
        "AngleStatus, TighteningId, Arrivals FROM ResultView"
    )
    names = ("Open Protocol", "System 1", "Station 10", "Spindle 1", "Program 12")
    torque = (40.0, 42.37, 50.0, "OK")
    angle = (60.0, 95.0, 90.0, "high")
    when = (17, "2024-03-14 09:26:53", "WVWZZZ1KZAW123456", "NOK")
    assert rows == [(*names, *when, *torque, *angle, 1234567, 1)]


def test_parameters_and_additional_vins_lie_in_their_tables():
    archive = SqliteArchive()
    archive.store_result(found(vins=[{"identifier": 2, "vin": "SECOND"}]))
    rows = archive.query("SELECT ParameterId, Name, Value, Type, Unit, Step FROM ResultParameter ORDER BY 1")
    assert len(rows) == 5
    assert rows[-1] == (1500, "Job ID", "7", 1, "", 0)
    assert archive.query("SELECT Identifier, VIN FROM ResultVIN") == [(2, "SECOND")]


def test_descriptions_rename_the_map_and_results_do_not_rename_it_back():
    archive = SqliteArchive()
    archive.store_result(found())
    program = {"program": 12, "name": "Seat belt"}
    spindles = [{"spindle": 1, "name": "Left", "programs": [program]}]
    place = {"system_type": 3, "system": 1, "station": 10, "ip": "10.0.0.9"}
    archive.describe_system({**place, "name": "Line 4"})
    archive.describe_station({**place, "name": "Cart 10", "spindles": spindles})
    archive.store_result(found(18))
    row = archive.query("SELECT DISTINCT SystemName, StationName, SpindleName, ProgramName FROM ResultView")
    assert row == [("Line 4", "Cart 10", "Left", "Seat belt")]


def test_archive_goes_on_where_its_file_ended(tmp_path):
    first = SqliteArchive(tmp_path / "archive.db")
    first.store_result(found(5, 55))
    first.store_result(found(4, 54))
    first.store_result(found(4, 54))
    first.store_event(event())
    first.close()
    second = SqliteArchive(tmp_path / "archive.db")
    assert (second.stored, second.repeated, second.out_of_order) == (2, 1, 1)
    assert second.latest_result(3, 1, 10) == 4
    assert second.latest_event(3, 1, 10) == 4
    assert second.newest_tightening_id() == 54
    second.close()


def test_result_that_cannot_be_stored_leaves_no_trace():
    archive = SqliteArchive()
    broken = found()
    del broken["parameters"][0]["name"]
    with pytest.raises(KeyError):
        archive.store_result(broken)
    assert archive.query("SELECT COUNT(*) FROM Result") == [(0,)]
    assert archive.stored == 0
