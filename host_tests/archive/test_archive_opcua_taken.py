"""Acknowledgements on the disk: floors, holes, restarts, and an archive that went back."""

from __future__ import annotations

import os
import stat

import pytest

from tools.archive.opcua.taken import Taken, Unusable

HERE, THERE = (3, 1, 10), (3, 1, 11)


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "opcua.sqlite")


def opened(file, newest=100):
    taken = Taken(file)
    taken.begin(newest)
    return taken


def test_what_was_there_before_counts_as_acknowledged_and_what_comes_does_not(file):
    taken = opened(file)
    assert taken.floor(HERE) == taken.floor(THERE) == 100
    assert taken.unacknowledged(HERE, [101, 105]) == [101, 105]


def test_a_floor_rises_over_what_has_no_hole_and_stops_in_front_of_one(file):
    taken = opened(file)
    taken.acknowledge(HERE, [101, 103, 110])
    assert not taken.advance(HERE, [101, 103, 107, 110])
    assert taken.floor(HERE) == 103 and taken.floor(THERE) == 100
    assert taken.unacknowledged(HERE, [107, 110]) == [107]
    taken.acknowledge(HERE, [107])
    assert taken.advance(HERE, [107, 110]) and taken.floor(HERE) == 110
    assert not taken.advance(HERE, [])


def test_an_acknowledgement_outlives_a_process_that_was_killed(file):
    before = opened(file)
    before.acknowledge(HERE, [101, 103])
    before.advance(HERE, [101, 102, 103])
    os.close(os.open(file, os.O_RDONLY))
    before.close()
    after = opened(file, 103)
    assert after.floor(HERE) == 101 and after.unacknowledged(HERE, [102, 103]) == [102]


def test_acknowledging_again_or_below_the_floor_changes_nothing(file):
    taken = opened(file)
    for _ in range(2):
        taken.acknowledge(HERE, [50, 101])
    assert taken.unacknowledged(HERE, [101, 102]) == [102]
    assert taken.advance(HERE, [101]) and taken.floor(HERE) == 101


def test_numbers_that_come_a_second_time_are_unacknowledged_again(file):
    taken = opened(file)
    taken.acknowledge(HERE, [101, 102, 105])
    taken.advance(HERE, [101, 102, 104, 105])
    assert taken.begin(101), "the archive lost 102 to 105"
    assert taken.floor(HERE) == 101 and taken.floor(THERE) == 100
    assert taken.unacknowledged(HERE, [102, 105]) == [102, 105]
    assert not taken.begin(101)


def test_one_server_has_a_file_and_the_file_is_its_owners(file):
    taken = opened(file)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    with pytest.raises(Unusable, match="another OPC UA server"):
        Taken(file)
    taken.close()
    opened(file).close()


def test_a_file_that_is_no_database_is_refused_in_words(file):
    with open(file, "wb") as written:
        written.write(b"no database at all" * 100)
    with pytest.raises(Unusable, match=r"no database|not a database"):
        Taken(file)
