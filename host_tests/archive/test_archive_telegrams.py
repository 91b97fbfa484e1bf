"""Whatever the text allows is answered 000 and stored as it says, on both databases; whatever else comes is answered by
a code. Afterwards every page opens, as JSON and as a file too, and the next telegram is stored."""

import itertools
import os
import re
from contextlib import ExitStack
from datetime import datetime
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from toolcart.archive.database import database
from toolcart.archive.database import tables as t
from toolcart.archive.server import reader
from host_tests.portable import LONG
from host_tests.support.archive import Served, browsing, result, run

pytestmark = pytest.mark.usefixtures("in_this_process")
EXAMPLES = int(os.environ.get("TOOLCART_EXAMPLES", 300 if LONG else 2))
LONGEST = 9999  # TN 5.1
TEXT = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
YEARS = {"min_value": datetime(1900, 1, 1), "max_value": datetime(9999, 12, 31, 23, 59, 59)}
FILES = ("csv", "xlsx", "json", "parquet")
STORED_ALIKE = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.long("what is refused never comes to a database")),
]


class Telegram:
    """A telegram that grows field by field, in any form that the text has for each; `meaning` is what it says."""

    def __init__(self, draw, kind):
        self._draw = draw
        self.identifier = draw(st.integers(0, 99999))
        self.octets = kind.encode() + self._padded(self.identifier, 5)
        self.meaning = {}

    def whole(self, width, least=0, most=None, value=None):
        """A whole number in its field: noughts or blanks around it, and a point if there is room (TN 5.13)."""
        most = 10**width - 1 if most is None else most
        if value is None:
            value = self._draw(st.integers(least, most) | st.sampled_from([least, most]))
        self.octets += self._padded(value, width)
        return value

    def _padded(self, value, width):
        forms = [str.zfill, str.rjust, str.ljust, str.center]
        text = str(value) + "." * self._draw(st.booleans())
        text = text if len(text) <= width else str(value)
        return self._draw(st.sampled_from(forms))(text, width).encode()

    def real(self, width=8):
        """A number with a sign, a point, both or neither, anywhere in its field."""
        sign = self._draw(st.sampled_from(["", "-", "+"]))
        before, after = self._draw(st.integers(0, width - 3)), self._draw(st.integers(0, width - 3))
        digits = st.text("0123456789", min_size=1, max_size=width)
        text = self._draw(digits)[:before] + "." * self._draw(st.booleans()) + self._draw(digits)[:after]
        text = (sign + (text if text != "." else "0"))[:width]
        text = text if any(c.isdigit() for c in text) else "0"
        self.octets += self._draw(st.sampled_from([str.rjust, str.ljust, str.center]))(text, width).encode()
        return float(text)

    def text(self, width):
        """A text; blanks around it are none of it."""
        text = self._draw(st.text(TEXT, max_size=width))
        self.octets += text.ljust(width).encode()
        return text.strip()

    def time(self):
        moment = self._draw(st.datetimes(**YEARS))
        text = moment.strftime("%Y%m%d%H%M%S")
        self.octets += text.encode()
        return text

    def spare(self, octets):
        """What a later version puts behind the fields that are printed."""
        self.octets += self._draw(st.binary(min_size=octets, max_size=octets))

    def place(self, place):
        for number in place:
            self.whole(4, value=number)


@st.composite
def stays(draw):
    """All that a station says in its stay: its description, results with their curves, events."""
    system_type = draw(st.sampled_from([1, 3, 21, 9999]))
    sizes = [draw(st.integers(least, 99) | st.just(least)) for least in (80, 70, 29, 72)]
    results = draw(st.integers(1, 3))
    sequences = draw(st.lists(st.integers(0, 99999), min_size=results, max_size=results, unique=True))
    return lambda place: _stay(draw, (system_type, *place), sizes, sequences)


def _stay(draw, place, sizes, sequences):
    telegrams = [_system(draw, place), _station(draw, place)]
    for sequence in sequences:
        result = _result(draw, place, sizes, sequence)
        telegrams.append(result)
        telegrams += [_graph(draw, place, result, kind) for kind in range(draw(st.integers(0, 2)))]
        telegrams.append(_event(draw, place, sequence))
    telegrams.append(Telegram(draw, "06"))
    return telegrams


def _system(draw, place):
    one = Telegram(draw, "01")
    one.place(place[:2])
    one.text(15)
    name = one.text(25)
    one.octets += b"  "
    one.meaning = {"kind": "01", "place": place, "name": name}
    return one


def _station(draw, place):
    one = Telegram(draw, "02")
    one.place(place)
    one.text(15)
    one.meaning = {"kind": "02", "place": place, "name": one.text(25), "programs": {}}
    for _ in range(one.whole(4, value=draw(st.integers(1, 3)))):
        spindle = one.whole(4, 1)
        one.text(25)
        for _ in range(one.whole(4, value=draw(st.integers(0, 3)))):
            program = one.whole(4, 1)
            name = one.text(25)
            if name:
                one.meaning["programs"][spindle, program] = name
    return one


def _result(draw, place, sizes, sequence):
    one = Telegram(draw, "04")
    one.whole(2, value=sizes[0])
    one.place(place)
    meaning = {"kind": "04", "place": place, "time": one.time(), "sequence": one.whole(5, value=sequence)}
    meaning["vin"] = one.text(25)
    spindles = draw(st.lists(st.integers(1, 9999), min_size=1, max_size=4, unique=True))
    vins = draw(st.lists(st.integers(1, 9999), max_size=3, unique=True))
    parameters = draw(st.integers(0, 4))
    counts = ((4, len(spindles)), (2, sizes[1]), (2, len(vins)), (2, sizes[2]), (3, parameters), (2, sizes[3]))
    for width, value in counts:
        one.whole(width, value=value)
    one.spare(sizes[0] - 80)
    meaning["spindles"] = [_spindle(one, number, sizes[1] - 70) for number in spindles]
    meaning["vins"] = {}
    for number in vins:
        one.whole(4, value=number)
        meaning["vins"][number] = one.text(25)
        one.spare(sizes[2] - 29)
    meaning["parameters"] = []
    for _ in range(parameters):
        fields = (one.whole(4), one.whole(4, 1), one.whole(5, 0, 65535), one.text(25), one.text(25))
        meaning["parameters"].append((*fields, one.whole(1, 0, 2), one.text(6), one.whole(2)))
        one.spare(sizes[3] - 72)
    one.meaning = meaning
    return one


def _spindle(one, number, spare):
    fields = [one.whole(4, value=number), one.text(10), one.whole(4, 1), one.whole(1, 0, 1)]
    fields += [one.real(), one.real(), one.whole(1, 0, 3), one.real()]
    fields += [one.real(), one.real(), one.whole(1, 0, 3), one.real(), one.whole(1, 0, 3)]
    one.spare(spare)
    return tuple(fields)


def _event(draw, place, sequence):
    one = Telegram(draw, "09")
    one.place(place)
    meaning = {"kind": "09", "place": place, "time": one.time(), "sequence": one.whole(5, value=sequence)}
    meaning.update(code=one.whole(5), level=one.whole(3), parameters=[])
    for _ in range(one.whole(2, value=draw(st.integers(0, 4)))):
        meaning["parameters"].append((one.whole(3), one.whole(1), one.text(20)))
    one.meaning = meaning
    return one


def _graph(draw, place, result, kind):
    one = Telegram(draw, "13")
    general = one.whole(3, 116, 300)
    one.place(place)
    spindle = one.whole(4, value=result.meaning["spindles"][0][0])
    program = one.whole(4, value=result.meaning["spindles"][0][2])
    one.octets += result.meaning["time"].encode()
    sequence = one.whole(5, value=result.meaning["sequence"])
    meaning = {"kind": "13", "place": place, "spindle": spindle, "program": program, "sequence": sequence}
    meaning.update(time=result.meaning["time"], graph_type=one.whole(1, value=kind), bit_shift=one.whole(10, -62, 62))
    meaning.update(dom=one.whole(10, -999999999, 9999999999), nom=one.whole(10, 1, 9999999999))
    meaning["limits"] = (one.real(), one.real(), one.real(), one.real())
    samples = draw(st.binary(max_size=60) | st.just(bytes(range(256)) * 31))
    meaning["samples"] = samples[: len(samples) // 2 * 2]
    one.whole(4, value=len(meaning["samples"]))
    one.spare(general - 116)
    one.octets += meaning["samples"]
    one.meaning = meaning
    return one


# -- telegrams that it does not ------------------------------------------------------------------------------------

WHAT_HURTS = st.sampled_from(
    [b"\0", b"'", b'"};--', b"\\", b"\xff\xfe", b"-1", b"9999", b"inf", b"nan", b"1e999", b"1_00", b"    ", b"\x1b[2J"]
)


@st.composite
def spoilt(draw, octets):
    """The octets with some of them replaced, left out, doubled or put in, or cut off, or longer."""
    for _ in range(draw(st.integers(1, 4))):
        at, end = sorted(draw(st.tuples(st.integers(0, len(octets)), st.integers(0, len(octets)))))
        more = draw(st.binary(max_size=12) | WHAT_HURTS)
        how = draw(st.sampled_from(["over", "over", "over", "in", "out", "twice", "cut"]))
        if how == "over":
            octets = octets[:at] + more + octets[at + len(more) :]
        elif how == "in":
            octets = octets[:at] + more + octets[at:]
        elif how == "out":
            octets = octets[:at] + octets[min(end, at + 40) :]
        elif how == "twice":
            octets = octets[:end] + octets[at:]
        else:
            octets = octets[:end]
    return octets[:LONGEST]


# -- an archive on each database, and its pages --------------------------------------------------------------------


@pytest.fixture(scope="module")
def there(new_place):
    """An archive that serves all the time, a browser before it, and stations that no one had before."""
    with ExitStack() as stack:
        place = new_place()
        archive = stack.enter_context(Served(place))
        browser = stack.enter_context(browsing(place))
        browser.app.state.site.reading.limit_s = 60
        engine = database.connect(place, writes=False)
        stack.callback(engine.dispose)
        stack.callback(lambda: is_whole(place))
        yield SimpleNamespace(
            archive=archive, browser=browser, engine=engine, numbers=itertools.count(1), results=itertools.count(1)
        )


def is_whole(place):
    """`archive check` and `query` go through all of it."""
    for words in (["check"], ["query", "--all", "--csv"]):
        done = run(*words, "--database", place, code=None)
        assert done.exit_code in (0, 1) and isinstance(done.exception, SystemExit | None), done


def place_of(there):
    number = next(there.numbers)
    return (1 + number // 9999, 1 + number % 9999)


def rows(there, table, place, *wanted):
    with there.engine.connect() as connection:
        statement = select(*[table.c[name] for name in wanted]).where(t.is_row(table, t.GRAPH_KEY, place))
        return [tuple(row) for row in connection.execute(statement)]


def belonging(there, table, number, *wanted):
    """The rows that belong to the result or event of this number."""
    with there.engine.connect() as connection:
        statement = select(*[table.c[name] for name in wanted]).where(table.c[0] == number)
        return [tuple(row) for row in connection.execute(statement)]


def is_stored(there, one):
    """What the database has of a telegram is what it says."""
    meaning = one.meaning
    kind, place = meaning.get("kind"), meaning.get("place")
    if kind == "01":
        [(stored_name,)] = rows(there, t.SYSTEM, place[:2], "Name")
        assert stored_name == meaning["name"] or not meaning["name"]
    elif kind == "02":
        [(stored_name,)] = rows(there, t.STATION, place, "Name")
        assert stored_name == meaning["name"] or not meaning["name"]
        names = {row[:2]: row[2] for row in rows(there, t.PROGRAM, place, "Spindle", "Program", "Name")}
        assert meaning["programs"].items() <= names.items()
    elif kind == "04":
        _result_is_stored(there, meaning)
    elif kind == "09":
        key = (*place, meaning["sequence"], meaning["time"])
        [(number, *stored)] = rows(there, t.EVENT, key, "EventId", "Code", "Level")
        assert stored == [meaning["code"], meaning["level"]]
        stored_name = belonging(there, t.EVENT_PARAMETER, number, "ParameterId", "Type", "Value")
        assert sorted(stored_name) == sorted(meaning["parameters"])
    elif kind == "13":
        key = (*place, meaning["sequence"], meaning["time"], meaning["spindle"], meaning["graph_type"])
        scale = ("BitShift", "FactorDom", "FactorNom", "LimitMin", "LimitMax", "AngleOffset", "SampleMs", "Samples")
        [stored] = rows(there, t.GRAPH, key, *scale)
        assert tuple(stored[:7]) == (meaning["bit_shift"], meaning["dom"], meaning["nom"], *meaning["limits"])
        assert bytes(stored[7]) == meaning["samples"]


def _result_is_stored(there, meaning):
    key = (*meaning["place"], meaning["sequence"], meaning["time"])
    values = ("TorqueLow", "Torque", "TorqueStatus", "TorqueHigh", "AngleLow", "Angle", "AngleStatus", "AngleHigh")
    columns = ("ResultId", "VIN", "Spindle", "SpindleSerial", "Program", "Overall", *values, "TimeStatus")
    results = sorted(rows(there, t.RESULT, key, *columns))
    assert [row[1] for row in results] == [meaning["vin"]] * len(meaning["spindles"])
    assert [row[2:] for row in results] == meaning["spindles"]
    first = results[0][0]
    assert dict(belonging(there, t.RESULT_VIN, first, "Identifier", "VIN")) == meaning["vins"]
    columns = t.RESULT_PARAMETER.columns.keys()[2:]
    assert sorted(belonging(there, t.RESULT_PARAMETER, first, *columns)) == sorted(meaning["parameters"])
    for vin in {meaning["vin"], *meaning["vins"].values()} - {""}:
        opens(there, "/car", vin=vin)
        assert there.browser.get("/search", params={"q": vin}).status_code in (200, 303)
    for row in results:
        opens(there, f"/result/{row[0]}")
        opens(there, f"/curves/{row[0]}")


def opens(there, path, **query):
    for more in ({}, {"json": ""}):
        response = there.browser.get(path, params={**query, **more})
        assert response.status_code == 200, (path, query, response.text[-300:])


def pages_open(there, place, kind_of_file):
    """The pages that show everything, and those of this station."""
    station = "/".join(map(str, place))
    for path in ("/", "/live", "/events", "/breaches", "/results", f"/station/{station}"):
        opens(there, path)
    opens(there, "/results", verdict="all", station=station)
    opens(there, "/events", station=station)
    for by in ("cause", "program"):
        opens(there, "/pareto", by=by)
    programs = {row[0] for row in rows(there, t.RESULT, place, "Program")}
    for program in programs:
        opens(there, f"/trend/{station}", program=program, by="week")
    response = there.browser.get(
        "/results", params={"verdict": "all", "station": station, "as": kind_of_file, "wait": ""}
    )
    assert response.status_code == (200 if programs or kind_of_file != "parquet" else 404)


def identifier_of(octets):
    """What an answer has to name; None if nothing in it could be answered."""
    if len(octets) < 7:
        return None
    match = re.fullmatch(rb" *([+]?[0-9]+|-0+)(\.0*)? *", octets[2:7])  # TN 5.13: a sign, a point anywhere
    return int(match[1]) if match else None


# -- the properties ------------------------------------------------------------------------------------------------

HOW = settings(
    max_examples=EXAMPLES,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink what was not answered waits each time
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large, HealthCheck.too_slow],
)


@settings(HOW, max_examples=200 if LONG else 6)
@given(stays())
def test_every_telegram_that_the_text_allows_is_read_as_it_says(stay):
    for one in stay((1, 10)):
        fields, breaches = reader.read(one.octets)
        meaning = one.meaning
        assert breaches == [] and fields["identifier"] == one.identifier
        assert reader.is_complete(fields) is ("kind" in meaning)
        if meaning.get("kind") == "04":
            assert (fields["sequence"], fields["vin"].lstrip()) == (meaning["sequence"], meaning["vin"])
            torques = [float(spindle["torque"]) for spindle in fields["spindles"]]
            assert torques == [spindle[5] for spindle in meaning["spindles"]]


@HOW
@given(stays(), st.sampled_from(FILES))
def test_what_text_allows_is_answered_000_stored_as_it_says_and_shown(there, stay, kind_of_file):
    telegrams = stay(place_of(there))
    breaches = there.archive.state.breaches
    with there.archive.server() as station:
        for one in telegrams:
            answer = station.ask(one.octets)
            assert (answer[:7], answer[21:]) == (f"05{one.identifier:05d}", "000"), one.octets
    assert there.archive.state.breaches == breaches, there.archive.log[-1:]
    for one in telegrams:
        is_stored(there, one)
    pages_open(there, telegrams[1].meaning["place"], kind_of_file)


@HOW
@given(stays(), st.data(), st.sampled_from(FILES))
@pytest.mark.parametrize("new_place", STORED_ALIKE, indirect=True)
def test_what_it_does_not_allow_is_answered_by_code_and_poisons_nothing(there, stay, data, kind_of_file):
    telegrams = stay(place_of(there))
    with there.archive.server() as station, there.archive.pim() as pim:
        pim.receive()
        for one in telegrams:
            assert station.ask(one.octets)[21:] == "000"
            octets = data.draw(spoilt(one.octets))
            if len(octets) < 7:
                continue
            identifier = identifier_of(octets)
            station.send(octets)
            if identifier is not None:
                answer = station.receive()
                assert answer[:7] == f"05{identifier:05d}" and answer[21:] in ("000", "002")
            number = next(there.results)
            assert station.ask(result(number, number, system=9999))[2:7] == f"{number:05d}"
            pim.send(octets)
            if identifier is not None and octets[:2] != b"05":
                assert pim.receive()[2:7] == f"{identifier:05d}"
            assert pim.ask("0712345000399990010")[2:12] == f"12345{number:05d}"
    assert not there.archive.state.writer.failed
    for one in telegrams:
        if one.meaning.get("kind") in ("04", "09", "13"):  # who is described twice has the later names
            is_stored(there, one)
    pages_open(there, telegrams[1].meaning["place"], kind_of_file)
