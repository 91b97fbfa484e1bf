"""A tightening that comes by ToolsNet and by MQTT is stored once, and no other is taken for it.

Who comes when is forced: what one commit stores is put before the writer, never by time.
"""

import itertools

import pytest

from toolcart.archive.consume.batch import read
from toolcart.archive.consume.parcels import parcel_of
from toolcart.archive.database import sequence_gaps
from toolcart.archive.server.reader import read as read_telegram
from toolcart.archive.storage.writer import PARCEL
from host_tests.archive.batches import kept, line, message
from host_tests.portable import LONG
from host_tests.support.archive import place_in, result

TIME = "20260314092653"  # that of a line
COUNT = itertools.count(1000)
PLACE = {"system_type": 3, "system": 1}


@pytest.fixture(scope="module")
def on_each(new_place):
    """A writer on each database in turn."""
    with kept(new_place()) as archive:
        yield archive


@pytest.fixture
def archive(tmp_path):
    with kept(place_in(tmp_path)) as one:
        yield one


class Cart:
    """A station of its own, both of whose ways go to this archive."""

    def __init__(self, archive, ahead=0, station=None):
        self.archive = archive
        self.station = next(COUNT) if station is None else station
        self.ahead = ahead  # of ToolsNet's sequences, before the spool's numbers
        self.after = 0

    def ident(self, number):
        """The tightening ID of a record."""
        return 100 * self.station + number

    def telegram(self, number, sequence=None, ident=None):
        """Telegram 04 of a record."""
        sequence = number + self.ahead if sequence is None else sequence
        ident = f"{self.ident(number) if ident is None else ident:010d}"
        text = result(1, sequence, station=self.station, time=TIME).replace("0001234567", ident)
        fields, breaches = read_telegram(text.encode())
        assert breaches == []
        return "04", fields

    def line(self, number, **fields):
        """The line of a record."""
        return line(number, self.ident(number), **{"station": self.station, "angle": 95, **fields})

    def batch(self, last, after=None, identity="0000000a", lines=None, topic="cart"):
        """What brings the records behind the last ones, up to this one."""
        after = self.after if after is None else after
        lines = [self.line(number) for number in range(after + 1, last + 1)] if lines is None else lines
        self.after = last
        octets = message(after, last, lines, identity, self.station, **PLACE)
        return PARCEL, parcel_of(read(f"{topic}/{self.station}", octets))

    def rows(self, columns="TighteningId"):
        names = ", ".join(f'"{name}"' for name in columns.split())
        return self.archive.ask(f'SELECT {names} FROM "Result" WHERE "Station" = {self.station} ORDER BY "ResultId"')

    def numbers(self):
        """Which records are stored."""
        return [ident - 100 * self.station for (ident,) in self.rows()]

    def said(self):
        """The sequence that an 08 says."""
        return self.archive.writer.latest((3, 1, self.station))[0]

    def gaps(self):
        with self.archive.engine.connect() as connection:
            found = list(sequence_gaps.check(connection))
        return [(gap.of, gap.kind, gap.first, gap.count) for gap in found if gap.station[2] == self.station]


# -- every order ---------------------------------------------------------------------------------------------------

TOOLSNET, MQTT = "ToolsNet", "MQTT"


def orders(count):
    """Every order of so many telegrams and of the batches that bring as many, however these are cut."""
    for cuts in itertools.product((False, True), repeat=count - 1):
        ends = [number for number, cut in enumerate(cuts, 1) if cut] + [count]
        for places in itertools.combinations(range(count + len(ends)), count):
            yield [TOOLSNET if at in places else MQTT for at in range(count + len(ends))], ends


def in_commits(steps, of):
    return [steps[first : first + of] for first in range(0, len(steps), of)]


@pytest.mark.parametrize("of", [100, 1, 2], ids=["one commit", "each its own", "two together"])
@pytest.mark.parametrize("ahead", [0, 1] if not LONG else [0, 1, -1, 5])
def test_in_every_order_each_of_one_second_is_stored_once(on_each, of, ahead):
    for order, ends in orders(4 if LONG else 3):
        cart = Cart(on_each, ahead)
        sent, cut = itertools.count(2), iter(end + 1 for end in ends)
        on_each.commit([cart.telegram(1), cart.batch(1)])
        steps = [cart.telegram(next(sent)) if way == TOOLSNET else cart.batch(next(cut)) for way in order]
        outcomes = [one for some in in_commits(steps, of) for one in on_each.commit(some)]
        assert set(outcomes) <= {"stored", "repeated"}
        numbers = range(1, max(ends) + 2)
        assert sorted(cart.numbers()) == list(numbers), (order, ends)
        assert sorted(cart.rows("Sequence Number Arrivals")) == [(one + ahead, one, 2) for one in numbers]
        assert cart.said() == numbers[-1] + ahead and cart.gaps() == []
    assert on_each.log == []
