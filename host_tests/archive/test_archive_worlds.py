"""From controller to database: carts with alarms and curves, through drawn outages, into the archive's own writer.

Each world draws what happens: answers lost, connections dropped on all sides, power cuts of the cart, starts of the
archive, and in every second world a database that is restored from an old copy, with `toolsnet.rewind`, so that
what the copy lacks comes again.

Rules, written before the first run
1. Each result that was tightened is one row, whatever happened; `archive check` finds no gap and none out of order.
2. A curve has the sequence, time and spindle of a result that is there, and comes once.
3. An alarm comes once, in order; their sequence has no gap. Each one that the cart has stored comes.
"""

import os
import random
import shutil
import sqlite3
import threading
from functools import partialmethod

import pytest

from toolcart.agent.log.cursor import WANTS_EVENTS, Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.record import event as ev
from toolcart.agent.record.text import text_of
from toolcart.archive.database import database, sequence_gaps
from toolcart.archive.storage.writer import FAILED, STORED, Writer
from toolcart.sim.memory_archive import MemoryArchive
from host_tests.portable import LONG
from host_tests.support.archive import reading
from lab.harness.cart import Cart
from lab.harness.flash import Nor

FIRST = 1200001
WORLDS = 200 if LONG else 3
STEPS = 40
DEADLINE_S = 20.0
SETTINGS = {
    "toolsnet": {"events": ["alarms"], "extras": ["names", "curves"], "reconnect_s": 5},
    "controller": {"events": ["alarms"], "traces": ["torque", "angle"], "result_revisions": [5, 999]},
    "spool": {"graphs_kib": 48, "size_kib": 256},
    "station": {"name": "Wheels left"},
}
RESTORED = {"rewind": True}


class DatabaseArchive(MemoryArchive):
    """The simulated ToolsNet's books in a database: everything is committed before it is answered."""

    def __init__(self, place):
        MemoryArchive.__init__(self, 3000)
        self.place = place
        self.begin()

    def begin(self):
        """Start, as the program does; what is there says where stations go on."""
        self.engine = database.connect(str(self.place), writes=True)
        self.writer = Writer(self.engine, pytest.fail)
        with self.engine.connect() as connection:
            self.stored = connection.exec_driver_sql("SELECT COUNT(*) FROM Result").scalar() or 0

    def end(self):
        """Commit what waits and let the file go: all of it is in that one then."""
        self.writer.close()
        self.engine.dispose()
        assert not os.path.exists(f"{self.place}-wal")

    def copy(self):
        """Keep a copy of the database as it is now."""
        self.end()
        shutil.copy(self.place, f"{self.place}.old")
        self.begin()

    def restart(self, restore=False):
        """End and begin again, with the copy in the database's place if it is to be restored."""
        self.end()
        if restore:
            shutil.copy(f"{self.place}.old", self.place)
        self.begin()

    def put(self, kind, fields):
        done, outcome = threading.Event(), []
        assert self.writer.put(kind, fields, lambda result: (outcome.append(result), done.set()))
        assert done.wait(DEADLINE_S) and outcome != [FAILED]
        return outcome == [STORED]

    def store_result(self, fields):
        is_new = self.put("04", fields)
        self.stored += is_new
        return is_new

    describe_system = partialmethod(put, "01")
    describe_station = partialmethod(put, "02")
    store_event = partialmethod(put, "09")
    store_graph = partialmethod(put, "13")

    def latest_result(self, *station):
        return self.writer.latest(station)[0]

    def latest_event(self, *station):
        return self.writer.latest(station)[1]


def world(seed, place):
    """A cart of this seed after its course, with all it has delivered; the alarms that were raised."""

    class OurCart(Cart):
        make_archive = staticmethod(lambda rows: DatabaseArchive(place))

    dice = random.Random(seed)
    restores = seed % 2 == 0
    settings = {**SETTINGS, "toolsnet": {**SETTINGS["toolsnet"], **(RESTORED if restores else {})}}
    spoilt = {"lost_acks": dice.sample(range(1, 40), 3), "drop_before_store": dice.sample(range(1, 40), 2)}
    spoilt["drop_after_store"] = dice.sample(range(1, 40), 2)
    options = {"traces": (1, 2), "max_clients": 9, "pushed_as": {"identifier_2": "ENGINE 1"}}
    one = OurCart(controller=options, settings=settings, toolsnet=spoilt, blocks=64, make_flash=Nor, seed=seed)
    copied_at = dice.randrange(STEPS // 2) if restores else -1
    restored_at = dice.randrange(STEPS // 2, STEPS) if restores else -1
    one.until_ready()
    one.produce()  # what was made before the first meeting is no one's: from here on each one counts
    alarms = ["E000"]
    one.controller.raise_alarm(alarms[0])
    one.until_quiet()
    one.run(3000)  # no copy is empty: who has nothing gets nothing again without an order
    for step in range(STEPS):
        if step == copied_at:
            one.archive.copy()
        if step == restored_at:
            one.toolsnet.drop()
            one.archive.restart(restore=True)
        what = dice.choices(("tighten", "alarm", "cart", "server", "archive", "controller"), (12, 3, 1, 1, 1, 1))[0]
        if what == "tighten":
            one.produce()
        elif what == "alarm":
            alarms.append(f"E{step + 1:03d}")
            one.controller.raise_alarm(alarms[-1])
        elif what == "cart":
            one.cut()
        elif what == "server":
            one.toolsnet.drop()
        elif what == "archive":
            one.toolsnet.drop()
            one.archive.restart()
        else:
            one.controller.drop()
        one.run(dice.choice((50, 400, 3000, 20000)))
    one.until_quiet(and_ms=120000)
    one.archive.end()
    return one, alarms


def alarms_in(log):
    """The codes of the alarms in a cart's log."""
    codes = []
    scout = Cursor()
    scout.wants = WANTS_EVENTS
    while log.peek(scout) > RECORD_NONE:
        assert log.page[log.at + ev.WHAT] == ev.ALARM
        codes.append(text_of(log.page, log.at + ev.CODE, ev.CODE_BYTES))
        scout.advance()
    return codes


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WORLDS))
def test_results_events_and_graphs_are_in_the_database_once(seed, tmp_path):
    place = tmp_path / "a.sqlite"
    one, alarms = world(seed, place)
    with reading(place) as connection:
        gaps = [gap for gap in sequence_gaps.check(connection) if gap.kind != "again"]
    assert gaps == []
    books = sqlite3.connect(place)
    ask = lambda sql: books.execute(sql).fetchall()  # noqa: E731
    assert sorted(ask("SELECT TighteningId FROM Result")) == [(number,) for number in sorted(one.controller.produced)]
    same = "SystemType, System, Station, Sequence, Time, Spindle"
    # Not by `NOT IN`: SQLite 3.40 compares such rows in the order of the index that it takes, and finds none of them.
    assert ask(f"SELECT {same} FROM Graph EXCEPT SELECT {same} FROM Result") == []
    assert ask(f"SELECT {same} FROM Graph GROUP BY {same}, GraphType HAVING COUNT(*) > 1") == []
    assert ask("SELECT COUNT(*) FROM Graph") > [(0,)]
    codes = [f"E{code:03d}" for (code,) in ask("SELECT Code FROM Event WHERE Code < 60000 ORDER BY EventId")]
    assert codes == sorted(set(codes)) and set(codes) <= set(alarms)
    assert codes == alarms_in(one.station.log)
    assert ask("SELECT Name FROM TNMapStation") == [("Wheels left",)]
    assert ("Screw 12",) in ask("SELECT Name FROM TNMapProgram")
    assert ask("SELECT DISTINCT VIN FROM ResultVIN") == [("ENGINE 1",)]
    books.close()
    assert one.toolsnet.complaints == []
