"""A tightening that comes by ToolsNet and by MQTT is stored once, and no other is taken for it.

Who comes when is forced: what one commit stores is put before the writer, never by time.
"""

import itertools

import pytest

from toolcart.agent.toolsnet.telegram import sequence_at
from toolcart.archive.consume.batch import read
from toolcart.archive.consume.lines import curve_of, event_of, ident_of
from toolcart.archive.consume.parcels import line_parcel, parcel_of
from toolcart.archive.database import database, queries, sequence_gaps
from toolcart.archive.server.reader import read as read_telegram
from toolcart.archive.storage import maintenance
from toolcart.archive.storage.writer import PARCEL
from host_tests.archive.batches import kept, line, message
from host_tests.portable import LONG
from host_tests.support.archive import place_in, result
from host_tests.support.combinations import each_choice

TIME = "20260314092653"  # that of a line
TOOLSNET, MQTT = "ToolsNet", "MQTT"
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

    def __init__(self, archive, ahead=0, station=None, unsaid=()):
        self.archive = archive
        self.station = next(COUNT) if station is None else station
        self.ahead = ahead  # of ToolsNet's sequences, before the spool's numbers
        self.unsaid = unsaid  # the ways whose copies do not say the tightening ID
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
        if TOOLSNET in self.unsaid:
            fields["parameters"] = [one for one in fields["parameters"] if one["parameter_id"] != 30]
        return "04", fields

    def line(self, number, **fields):
        """The line of a record."""
        said = {"tightening_id": None} if MQTT in self.unsaid else {}
        return line(number, self.ident(number), **{"station": self.station, "angle": 95, **said, **fields})

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


def orders(count):
    """Every order of so many telegrams and of the batches that bring as many, however these are cut."""
    for cuts in itertools.product((False, True), repeat=count - 1):
        ends = [number for number, cut in enumerate(cuts, 1) if cut] + [count]
        for places in itertools.combinations(range(count + len(ends)), count):
            yield [TOOLSNET if at in places else MQTT for at in range(count + len(ends))], ends


def test_a_tightening_of_which_the_line_has_no_torque_is_one_by_either_way(on_each):
    """The telegram says 0.00: it has no form for none."""
    for order, alone in itertools.product(((TOOLSNET, MQTT), (MQTT, TOOLSNET)), (False, True)):
        cart = Cart(on_each)
        kind, telegram = cart.telegram(1)
        telegram["spindles"][0]["torque"] = "00000.00"
        ways = {TOOLSNET: (kind, telegram), MQTT: cart.batch(1, lines=[cart.line(1, torque=None)])}
        for step in in_commits([ways[way] for way in order], 1 if alone else 2):
            on_each.commit(step)
        # Once more, out of a spool that was lost.
        on_each.commit([cart.batch(1, 0, "0000000b", [cart.line(1, torque=None)])])
        assert cart.rows("Sequence Number Arrivals") == [(1, 1, 3)], (order, alone)
        assert cart.rows("Torque") == [(0.0 if order[0] == TOOLSNET else None,)]


def in_commits(steps, of):
    return [steps[first : first + of] for first in range(0, len(steps), of)]


AHEAD = [0, 1, -1, 5]


@pytest.mark.parametrize(("of", "unsaid"), each_choice([100, 1, 2], [(), (TOOLSNET,), (MQTT,)]))
def test_in_every_order_each_of_one_second_is_stored_once(on_each, of, unsaid):
    """In the usual run each database has each way to commit, and either sequence with each of both between them."""
    is_second = on_each.engine.dialect.name != "sqlite"
    aheads = AHEAD if LONG else [(of + is_second) % 2]
    for ahead, (order, ends) in itertools.product(aheads, orders(4 if LONG else 3)):
        cart = Cart(on_each, ahead, unsaid=unsaid)
        sent, cut = itertools.count(2), iter(end + 1 for end in ends)
        on_each.commit([cart.telegram(1), cart.batch(1)])
        steps = [cart.telegram(next(sent)) if way == TOOLSNET else cart.batch(next(cut)) for way in order]
        outcomes = [one for some in in_commits(steps, of) for one in on_each.commit(some)]
        assert set(outcomes) <= {"stored", "repeated"}
        numbers = range(1, max(ends) + 2)
        assert sorted(cart.numbers()) == list(numbers), (order, ends)
        both = [(one + ahead, one, cart.ident(one), 2) for one in numbers]
        assert sorted(cart.rows("Sequence Number TighteningId Arrivals")) == both
        assert cart.said() == numbers[-1] + ahead and cart.gaps() == []
    assert on_each.log == []


def test_a_result_is_confirmed_only_if_that_one_is_stored(on_each):
    cart = Cart(on_each)
    three = [cart.telegram(1, 17), cart.telegram(2, 17), cart.telegram(3, 17)]
    assert on_each.commit(three[:2]) == ["stored", "stored"]
    assert on_each.commit([three[2]]) == ["stored"]
    assert on_each.commit([*three, three[1]]) == ["repeated"] * 4
    assert cart.rows("TighteningId Arrivals") == [(cart.ident(1), 2), (cart.ident(2), 3), (cart.ident(3), 2)]
    with on_each.engine.connect() as connection:
        shown = {
            row["Sequence"] for row in queries.results(connection, queries.ResultFilter(station=(3, 1, cart.station)))
        }
    assert shown == {17} and cart.said() == 17
    assert [gap for gap in cart.gaps() if gap[1] != "again"] == []


def test_a_result_without_an_id_is_stored_once_for_each_that_was_tightened(on_each):
    cart = Cart(on_each)
    telegrams = [cart.telegram(number) for number in (1, 2)]
    for _, fields in telegrams:
        fields["parameters"] = [one for one in fields["parameters"] if one["parameter_id"] != 30]
    lines = [cart.line(number, tightening_id=None) for number in (1, 2)]
    on_each.commit([telegrams[0]])
    on_each.commit([cart.batch(2, lines=lines), telegrams[1], telegrams[0]])
    assert cart.rows("Sequence Number Arrivals") == [(1, 1, 3), (2, 2, 2)]


@pytest.mark.parametrize("unsaid", [TOOLSNET, MQTT])
def test_what_one_way_does_not_say_is_known_after_a_restart_and_makes_no_two_one(new_place, unsaid):
    """Each commit is a run of its own. The tightenings differ in nothing but their IDs."""
    place = new_place()
    for order, ends in orders(2):
        cart = Cart(None, station=next(COUNT), unsaid=(unsaid,))
        sent, cut = itertools.count(1), iter(ends)
        for way in order:
            with kept(place) as archive:
                archive.commit([cart.telegram(next(sent)) if way == TOOLSNET else cart.batch(next(cut))])
        with kept(place) as cart.archive:
            numbers = range(1, ends[-1] + 1)
            both = [(one, one, cart.ident(one), 2) for one in numbers]
            assert sorted(cart.rows("Sequence Number TighteningId Arrivals")) == both, (order, ends)
            # Each telegram once more, as it was and as it is with other settings; then out of a spool that was lost.
            for cart.unsaid in ((unsaid,), ()):
                again = [cart.telegram(number) for number in numbers]
                assert set(cart.archive.commit(again)) == {"repeated"}
            cart.archive.commit([cart.batch(ends[-1], 0, "0000000b")])
            assert sorted(cart.numbers()) == list(numbers), (order, ends)
            assert {count for (count,) in cart.rows("Arrivals")} == {5} and cart.archive.log == []


def test_a_tightening_of_which_but_one_way_came_takes_no_other_ones_copy(on_each):
    """ToolsNet has the first, a broker both, in any order: there are two."""
    for order in itertools.permutations(range(3)):
        cart = Cart(on_each, unsaid=(TOOLSNET,))
        lines = [cart.line(1, tightening_id=str(cart.ident(number))) for number in (1, 2)]
        batches = [cart.batch(1, 0, f"{number:08x}", [one]) for number, one in enumerate(lines)]
        steps = [cart.telegram(1), *batches]
        for at in order:
            on_each.commit([steps[at]])
        assert sorted(cart.numbers()) == [1, 2], order
        assert [sequence for (sequence,) in cart.rows("Sequence") if sequence > 0] == [1]


def test_every_spindles_row_gets_the_id_that_the_other_way_says(on_each):
    cart = Cart(on_each, unsaid=(TOOLSNET,))
    kind, telegram = cart.telegram(1)
    telegram["spindles"] = [telegram["spindles"][0], {**telegram["spindles"][0], "spindle": 2, "torque": "00010.00"}]
    on_each.commit([(kind, telegram)])
    on_each.commit([cart.batch(1)])
    assert cart.rows("Spindle Sequence Number TighteningId") == [(1, 1, 1, cart.ident(1)), (2, 1, 1, cart.ident(1))]


def test_decimals_that_a_telegram_lacks_make_no_other_result(on_each):
    cart = Cart(on_each)
    on_each.commit([cart.batch(1, lines=[cart.line(1, torque="42.3789", angle="95.09")]), cart.telegram(1)])
    assert cart.rows("Sequence Torque") == [(1, 42.3789)]


def test_an_08_says_what_came_by_telegram_alone(tmp_path):
    place = place_in(tmp_path)
    with kept(place) as archive:
        cart = Cart(archive)
        archive.commit([cart.telegram(1), cart.batch(5)])
        archive.commit([cart.telegram(2)])
        assert cart.said() == 2
    with kept(place) as archive:
        again = Cart(archive, station=cart.station)
        assert again.said() == 2
        archive.commit([again.telegram(number) for number in (3, 4, 5)])
        assert again.said() == 5 and again.numbers() == [1, 2, 3, 4, 5]
    maintenance.forget_newest(str(place), 2)
    with kept(place) as archive:
        again = Cart(archive, station=cart.station)
        assert again.said() == 3 and archive.commit([again.batch(5, after=3)]) == ["stored"]
        archive.commit([again.telegram(4), again.telegram(5)])
        assert again.numbers() == [1, 2, 3, 4, 5] and again.gaps() == []


@pytest.mark.parametrize("unsaid", [(), (MQTT, TOOLSNET)], ids=["with IDs", "without"])
def test_what_is_forgotten_comes_again_though_newer_results_came_by_toolsnet_before_it(new_place, unsaid):
    """Rows 1 2 5 6 3 4: forgetting the last two, the batches are stored up to 2, though 6 is there."""
    place = new_place()
    with kept(place) as archive:
        cart = Cart(archive, unsaid=unsaid)
        assert archive.commit([cart.batch(2), *[cart.telegram(number) for number in (1, 2, 5, 6)]])[0] == "stored"
        archive.commit([cart.batch(6)])
    maintenance.forget_newest(place, 2)
    with kept(place) as archive:
        again = Cart(archive, station=cart.station, unsaid=unsaid)
        assert archive.commit([again.batch(7, after=6)]) == ["gap"]
        assert archive.commit([again.batch(6, after=2)]) == ["stored"]
        assert sorted(again.rows("Number")) == [(number,) for number in range(1, 7)]
        assert unsaid or again.numbers() == [1, 2, 5, 6, 3, 4]
        assert "again" not in [kind for _, kind, *_ in again.gaps()]


SPOOLS = {  # batches, each an identity, its last number, and the tightenings of its lines
    "known results behind new ones": [("0000000a", 8, [1, 2, 3, 4, 5, 6, 1, 2])],
    "known results first": [("0000000a", 4, [1, 2, 3, 4]), ("0000000b", 6, [3, 4, 5, 6, 7, 8])],
    "two in turn": [("0000000a", 3, [1, 2, 3]), ("0000000b", 3, [4, 5, 6]), ("0000000a", 6, [7, 8, 9])],
    "lost behind the last": [("0000000a", 9, [1, 2, 3, 4]), ("0000000b", 1, [5]), ("0000000a", 10, [6])],
}


@pytest.mark.parametrize("batches", SPOOLS.values(), ids=SPOOLS)
def test_what_is_forgotten_comes_again_from_each_spool(new_place, batches):
    """A spool's cart sends what is behind the number that the receipt names."""
    place, logs, ends = new_place(), {}, {}
    with kept(place) as archive:
        cart = Cart(archive)
        for identity, last, results in batches:
            begin, log = ends.get(identity, 0), logs.setdefault(identity, [])
            lines = [
                cart.line(number, tightening_id=str(cart.ident(result)))
                for number, result in enumerate(results, last - len(results) + 1 if begin else 1)
            ]
            assert archive.commit([cart.batch(last, begin, identity, lines)]) == ["stored"]
            log += lines
            ends[identity] = last
        whole = sorted(cart.numbers())
    for newest in range(1, len(whole) + 1):
        maintenance.forget_newest(place, newest)
        with kept(place) as archive:
            again = Cart(archive, station=cart.station)
            assert len(again.numbers()) == len(whole) - newest
            have = dict(archive.ask('SELECT "Identity", "Number" FROM "Consumed"'))
            for identity, log in logs.items():
                lines = [one for one in log if one["number"] > have[identity]]
                archive.commit([again.batch(ends[identity], have[identity], identity, lines)])
            assert sorted(again.numbers()) == whole


def test_what_one_way_lacks_is_a_gap_of_that_way(on_each):
    cart, other = Cart(on_each, ahead=40), Cart(on_each, ahead=40)
    some = [cart.line(number) for number in (1, 2, 4)]
    on_each.commit([cart.telegram(number) for number in (1, 2, 3)])
    on_each.commit([cart.batch(4, lines=some), cart.telegram(4)])
    assert cart.numbers() == [1, 2, 3, 4] and cart.gaps() == []  # it may be an event's
    on_each.commit([other.telegram(1), other.batch(4), other.telegram(2), other.telegram(4)])
    assert other.numbers() == [1, 2, 3, 4] and other.gaps() == [("result", "missing", 43, 1)]


@pytest.mark.parametrize("refused", [(2, 5), (1,), (3, 4), (8,)], ids=str)
def test_what_toolsnet_got_in_another_order_leaves_only_gaps_that_are_there(on_each, refused):
    """By MQTT all came in order; ToolsNet had refused some, and got them behind the others, under new sequences."""
    cart = Cart(on_each)

    def sequence(number):
        return sequence_at(99995 + number)

    in_order = [number for number in range(1, 9) if number not in refused]
    again = [cart.telegram(number, sequence=sequence(8 + place)) for place, number in enumerate(refused, 1)]
    for step in (cart.batch(8), *[cart.telegram(number, sequence=sequence(number)) for number in in_order], *again):
        on_each.commit([step])
    assert cart.numbers() == list(range(1, 9))
    missing = {sequence(number) for number in refused if number > 1}  # what is in front of the first is not known
    found = [at for _, kind, first, count in cart.gaps() for at in range(first, first + count) if kind == "missing"]
    assert set(found) == missing and {kind for _, kind, *_ in cart.gaps()} <= {"missing"}


def test_what_is_fetched_again_for_a_new_spool_leaves_no_gap(on_each):
    cart = Cart(on_each)
    on_each.commit([cart.batch(4), *[cart.telegram(number) for number in (1, 2, 3, 4)]])
    lines = [cart.line(number, tightening_id=str(cart.ident(number + 2))) for number in (1, 2, 3, 4)]
    on_each.commit([cart.batch(4, after=0, identity="0000000b", lines=lines)])
    on_each.commit([cart.telegram(5), cart.telegram(6)])
    assert cart.numbers() == [1, 2, 3, 4, 5, 6]
    assert cart.rows("Sequence Number") == [(number, number) for number in range(1, 7)]
    assert [gap for gap in cart.gaps() if gap[1] != "again"] == []


@pytest.mark.parametrize("at_once", [True, False], ids=["one commit", "each its own"])
def test_a_curve_is_with_its_result_whatever_comes_first(on_each, at_once):
    for order in itertools.permutations(("result", "curve", "batch", "line")):
        cart = Cart(on_each, ahead=30)
        on_each.commit([cart.telegram(1), cart.batch(1)])
        curve = {"schema": 1, "type": "graph", "station": cart.station, "number": 9, "result": 2, "curve": "torque"}
        curve |= {"result_time": line(2)["time"], "spindle": 1, "program": "12", "samples": [1, 2], "steps": [[2, 1]]}
        curve |= {"unit": "Nm", "tightening_id": str(cart.ident(2))}
        fields = curve_of(curve, (3, 1, cart.station))
        what = {
            "result": cart.telegram(2),
            "curve": ("13", {**fields, "sequence": 32}),
            "batch": cart.batch(2),
            "line": (PARCEL, line_parcel(f"cart/{cart.station}", "13", fields, ident_of(curve))),
        }
        steps = [what[name] for name in order]
        for some in in_commits(steps, 4 if at_once else 1):
            assert set(on_each.commit(some)) <= {"stored", "repeated"}
        of_cart = f'FROM "Graph" WHERE "Station" = {cart.station}'
        assert on_each.ask(f'SELECT "Sequence" {of_cart}') == [(32,)], order
        assert cart.rows("Sequence") == [(31,), (32,)]
    assert on_each.log == []


def test_an_event_that_came_by_mqtt_is_none_of_toolsnets(on_each):
    cart = Cart(on_each)
    on_each.commit([cart.batch(1)])
    event = {"schema": 1, "type": "event", "station": cart.station, "number": 4, "event": "alarm", "code": "E404"}
    fields = event_of({**event, "time": "2024-03-14T09:26:53"}, (3, 1, cart.station))
    on_each.commit([(PARCEL, line_parcel(f"cart/{cart.station}", "09", fields))])
    assert on_each.writer.latest((3, 1, cart.station)) == (0, 0)
    on_each.commit([("09", {**fields, "code": 17, "parameters": []})])
    assert on_each.writer.latest((3, 1, cart.station)) == (0, 4)
    of_cart = f'FROM "Event" WHERE "Station" = {cart.station} ORDER BY 1'
    assert on_each.ask(f'SELECT "Sequence", "Code" {of_cart}') == [(-4, 404), (4, 17)] and cart.gaps() == []


# -- other databases -----------------------------------------------------------------------------------------------


def as_before(place):
    """Make an archive one of the version that knew no numbers."""
    with database.writing(str(place)) as engine, engine.begin() as connection:
        connection.exec_driver_sql('ALTER TABLE "Result" DROP COLUMN "Number"')
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '3a'")


def test_an_older_archives_shifted_sequences_hide_nothing(new_place):
    place = new_place()
    with kept(place) as archive:
        cart = Cart(archive)
        archive.commit([cart.batch(1), cart.telegram(1)])
        # As that version did it: the third and fourth came by MQTT, under the sequences of those behind them.
        archive.commit([cart.telegram(2), cart.telegram(3, 4), cart.telegram(4, 5)])
        archive.change('UPDATE "Consumed" SET "Number" = 4, "Base" = 1, "Sequence" = 5')
    as_before(place)
    with kept(place) as archive:
        again = Cart(archive, station=cart.station)
        assert archive.commit([again.telegram(number) for number in (3, 4, 5)]) == ["repeated", "repeated", "stored"]
        assert archive.commit([again.batch(6, after=4), again.telegram(6)]) == ["stored", "repeated"]
        assert sorted(again.numbers()) == [1, 2, 3, 4, 5, 6] and again.said() == 6
        assert archive.commit([again.telegram(number) for number in range(1, 7)]) == ["repeated"] * 6
        assert sorted(again.numbers()) == [1, 2, 3, 4, 5, 6] and archive.log == []
        assert [gap for gap in again.gaps() if gap[1] != "again"] == [("result by either way", "missing", 3, 1)]


@pytest.mark.parametrize("unsaid", [(), (TOOLSNET,)], ids=["both say the ID", "MQTT alone"])
def test_an_import_knows_a_result_by_either_name(tmp_path, unsaid):
    by_mqtt, by_toolsnet = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    with kept(by_mqtt) as archive:
        cart = Cart(archive, ahead=6, unsaid=unsaid)
        archive.commit([cart.batch(4)])
    with kept(by_toolsnet) as archive:
        Cart(archive, station=cart.station)
        archive.commit([cart.telegram(number) for number in (1, 2, 3)])
    for into, source in ((by_toolsnet, by_mqtt), (by_mqtt, by_toolsnet)):
        for _ in range(2):
            maintenance.take_from(str(into), str(source), lambda share: None)
    for place in (by_toolsnet, by_mqtt):
        with kept(place) as archive:
            again = Cart(archive, station=cart.station, unsaid=unsaid)
            assert again.rows("Sequence Number Arrivals") == [(7, 1, 1), (8, 2, 1), (9, 3, 1), (-4, 4, 1)]
            archive.commit([cart.telegram(4), again.batch(5, after=4)])
            assert again.numbers() == [1, 2, 3, 4, 5] and again.gaps() == []


def test_a_consumer_of_its_own_beside_a_server(databases):
    place = databases()
    with kept(place, is_shared=True) as server, kept(place, is_shared=True) as consumer:
        for order, ends in orders(3):
            cart = Cart(server)
            sent, cut = itertools.count(1), iter(ends)
            for way in order:
                if way == TOOLSNET:
                    assert server.commit([cart.telegram(next(sent))])[0] in ("stored", "repeated")
                else:
                    assert consumer.commit([cart.batch(next(cut))]) == ["stored"]
            assert sorted(cart.rows("Sequence Number Arrivals")) == [(one, one, 2) for one in range(1, max(ends) + 1)]
            assert cart.gaps() == []
