"""The live view: all stations, one station, at several sizes; nothing breaks it, keys do what the footer says."""

import asyncio
import time

import pytest

pytest.importorskip("textual")

from textual import events

from toolcart.tools.demo.plant import Demo
from toolcart.tools.live import chart, panels, stations
from toolcart.tools.live.ascii_terminal import has_utf8, plain
from toolcart.tools.live.count_history import POINTS, Curve
from toolcart.tools.live.figures import Change, Figures
from toolcart.tools.live.history import RESULTS_KEPT, StationFigures
from toolcart.tools.live.screens import OneStation
from toolcart.tools.live.view import View
from toolcart.tools.live.watch import ENDED, RUNNING, Watch, account_text
from host_tests.support.agent_lines import healthy_station, status_of
from host_tests.support.combinations import each_choice, some

DEADLINE_S = 60


def _result(number, **changed):
    result = {
        "number": number,
        "source": "LIVE",
        "vin": "WVWZZZ1KZAW123456",
        "program": "12",
        "torque": "42.37",
        "unit": "Nm",
        "angle": "95",
        "status": "OK",
        "torque_status": "OK",
        "angle_status": "OK",
        "batch_status": "not completed",
        "time": "2024-03-14 09:26:53",
    }
    result.update(changed)
    return result


def _station(number, **changed):
    fields = {
        "counters": {"stored": 7, "delivered": 5, "parked": 1},
        "oldest_waiting": "2024-03-14 09:26:53",
        "results": [_result(7, status="NOK", torque_status="high"), {"number": 6, "source": "RAW", "octets": 30}],
        "spool": {**healthy_station()["spool"], "blocks": 12},
        "parked": 1,
    }
    return healthy_station(number=number, **{**fields, **changed})


def _well(count):
    """So many stations at which nothing is to be said."""
    return [_station(number, parked=0) for number in range(1, count + 1)]


def _kept(station):
    history = StationFigures()
    history.keep(station, 0.0)
    return history


class _Still(Watch):
    """A watch that stands still: shows what it was given, runs nothing."""

    def __init__(self, stations):
        super().__init__("cart.json")
        self._stations = stations

    def start(self):
        self.phase = RUNNING
        self.show(*self._stations)

    def show(self, *stations):
        """Show these, as if they were the first ones."""
        self.figures = Figures()
        self.recent.clear()
        for change in self.figures.feed(status_of(*stations), 0.0):
            self._report(change)

    def turn(self):
        pass

    def end(self):
        self.phase = ENDED


def _text_of(view):
    lines = view.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


def _play(stations, *groups, size=(80, 24), ascii_only=False, orders=()):
    """Return the screen's text at first and after each group of keys, and the watch; a pair of numbers is a size."""
    watch = _Still(stations)
    watch.orders = orders

    async def look():
        view = View(watch, ascii_only)
        async with view.run_test(size=size) as pilot:
            await pilot.pause()
            texts = [_text_of(view)]
            for group in groups:
                if isinstance(group, tuple):
                    await pilot.resize_terminal(*group)
                else:
                    await pilot.press(*group)
                await pilot.pause()
                if view.screen_stack:
                    texts.append(_text_of(view))
            return texts

    return asyncio.run(look()), watch


def _screen(*stations, **options):
    """Return the text of the screen."""
    return _play(stations, "", **options)[0][-1]


def _contains(text, *words):
    assert [word for word in words if word not in text] == [], text


def test_everything_is_on_the_smallest_screen():
    text = _screen(_station(1))
    _contains(text, "station 1  Cart", "● ready", "● streaming", "27 % full", "1 set aside", "waiting for ToolsNet: 2")
    _contains(text, "42.37 Nm", "NOK", "kept as it came (30 bytes)", "parked 1   stored 7   delivered 5", "set aside")
    _contains(text, "delivered 5", "q quit")
    lines = text.split("\n")
    assert len(lines) == 24 and all(len(line) == 80 for line in lines)


def test_every_key_of_the_demo_is_in_the_footer_of_80_columns():
    footer = _screen(_station(1), orders=Demo.orders).split("\n")[-1]
    _contains(f" {footer} ", *[f" {key} " for key, _ in panels.DEMO_KEYS], " ? help ", " q quit ")


def test_names_with_brackets_and_blanks_do_not_break_the_screen():
    odd = _station(1, name="[red]A[/nope] [", results=[_result(1, vin="[/b][[$", unit="kgf.cm", torque="1234.56")])
    _contains(_screen(odd), "[red]A[/nope] [", "[/b][[$")


def test_many_stations_begin_with_all_of_them_and_enter_opens_one():
    texts, watch = _play(
        [_station(1), _station(2, name="Right")], ["down", "enter"], ["right"], ["escape"], ["up", "enter"], ["ctrl+c"]
    )
    _contains(
        texts[0], "controllers ready 2 of 2", "stations: 2, by number", "stored 14", "station 2: 1 result set aside"
    )
    assert "station 2  Right  (2 of 2)" in texts[1] and "station 1:" not in texts[1], "its own events only"
    assert "station 1  Cart  (1 of 2)" in texts[2]
    assert "stations: 2, by number" in texts[3]
    assert "station 1  Cart  (1 of 2)" in texts[4] and "station 2:" not in texts[4]
    assert watch.phase == ENDED


def test_one_station_needs_no_overview_and_help_tells_every_key():
    texts, watch = _play([_station(1)], ["escape"], ["question_mark"], ["escape"], ["q"], size=(100, 40))
    assert "station 1  Cart" in texts[0] and "station 1  Cart" in texts[1]
    _contains(texts[2], "keys and signs", "Enter", "Tab", "NOK", "--ascii", "not connected")
    assert "cut ToolsNet's network" not in texts[2], "there is no demo"
    assert "keys and signs" not in texts[3]
    assert watch.phase == ENDED


def test_a_word_leaves_the_stations_and_results_that_have_it():
    many = [_station(1), _station(2, name="Right"), _station(3, controller=_controller(state="closed"))]
    texts, watch = _play(many, ["slash", *"right"], ["escape"], ["slash", *"closed", "enter"], ["slash", *" q"])
    assert "stations: 1 of 3" in texts[1] and "Right" in texts[1] and "Cart" not in texts[1]
    assert "stations: 3," in texts[2]
    assert "stations: 1 of 3" in texts[3] and "○ closed" in texts[3]
    assert watch.phase == RUNNING, "a letter of the word is no key"
    both = [_result(3), _result(2, status="NOK"), _result(1, vin="ABC")]
    texts, _ = _play([_station(1, results=both)], ["slash", *"nok"], ["escape"], ["slash", *"abc"], size=(120, 40))
    assert "newest results: 1" in texts[1] and "NOK" in texts[1]
    assert "newest results: 1" in texts[3] and "ABC" in texts[3]


def test_order_of_stations_can_be_another_and_cursor_stays_on_its_own():
    many = [_station(1, parked=0), _station(2, parked=0, backlog=9), _station(3, mounted=False)]
    texts, _ = _play(many, ["s"], ["s"], ["enter"])
    assert [_numbers(text) for text in texts[:3]] == [[1, 2, 3], [3, 1, 2], [2, 1, 3]]
    assert "station 1  Cart  (1 of 3)" in texts[3]


def test_a_station_without_both_sides_is_worse_than_one_without_one():
    away = _controller(state="closed")
    many = [_station(1), _station(2, controller=away), _station(3, controller=away)]
    for outlet in many[2]["outlets"]:
        outlet["state"] = "closed"
    assert _numbers(_play(many, ["s"])[0][1]) == [3, 2, 1]


def test_the_page_of_one_station_has_the_figures_of_that_one():
    many = [_station(1, stored=100), _station(2, stored=7)]
    texts, _ = _play(many, ["down", "enter"])
    assert "since the spool was made" in texts[1] and "stored 7 " in texts[1]


@pytest.mark.long("another size of the screen")
def test_events_stay_at_the_newest_whatever_size_the_screen_gets():
    watch = _Still([_station(1)])
    watch.recent.extend(Change(float(at), "info", "some more words " * 9) for at in range(60))

    async def look():
        view, seen = View(watch, False), []
        async with view.run_test(size=(200, 50)) as pilot:
            for size in ((80, 24), (200, 50), (120, 30), (80, 60)):
                await pilot.resize_terminal(*size)
                for _ in range(4):
                    await pilot.pause()
                rows = view.screen.query_one("#events")
                seen.append(0 < rows.max_scroll_y == rows.scroll_offset.y)
        return seen

    assert asyncio.run(look()) == [True] * 4


@pytest.mark.long("another size of the screen")
def test_250_stations_scroll():
    many = [_station(number, results=[]) for number in range(1, 251)]
    texts, _ = _play(many, ["end"], ["enter"])
    assert _numbers(texts[0])[0] == 1 and _numbers(texts[1])[-1] == 250
    assert "station 250" in texts[2]


def test_what_is_wrong_with_a_station_is_reported_with_its_reason():
    wrong = {
        "the spool is not up: bad": _station(1, mounted=False, spool_refused="bad"),
        "needs an operator": _station(1, needs_operator={"why": "x"}),
        "the spool is full": _station(1, controller=_controller(waits_for_room=True)),
        "controller connection refused": _station(1, controller=_controller(state="closed", why="refused")),
        "the agent does not run": _station(1, controller=_controller(state="no agent")),
        "ToolsNet closed": _station(1, outlets=[{"kind": "toolsnet", "state": "closed"}]),
        "clock ahead 60 s": _station(1, controller=_controller(clock_ahead_s=60)),
        "spool 75 % full": _station(1, spool=dict(_station(1)["spool"], percent_full=75)),
        "1 set aside": _station(1),
        "3 gone": _station(1, parked=0, recovery=dict(_station(1)["recovery"], gone=3)),
        "": _station(1, parked=0),
    }
    levels = []
    for words, station in wrong.items():
        level, text = stations.verdict(station)
        assert words in text and bool(words) == bool(text)
        levels.append(level)
    assert levels == ["bad"] * 3 + ["warning", "bad", "warning", "warning", "warning", "warning", "info", "good"]


class _Hung(_Still):
    """One whose agent does not answer, as far as the screen is concerned."""

    def start(self):
        super().start()
        self.recent.clear()  # what was so then
        self.figures.silent()
        self.silent_since = "02:08:19"


@pytest.mark.parametrize("count", [1, 3])
def test_of_an_agent_that_does_not_answer_nothing_is_shown_as_well(count, monkeypatch):
    monkeypatch.setitem(globals(), "_Still", _Hung)
    file = {"kind": "file", "name": "file", "state": "open", "is_up": True, "place": "a.jsonl", "waiting": 0}
    many = [dict(station, outlets=[*station["outlets"], file]) for station in _well(count)]
    [text], _ = _play(many, size=(120, 30))
    assert "the agent has not answered since 02:08:19" in text
    assert "no answer" in text and "●" not in text and "streaming" not in text
    assert count == 1 or "the agent does not answer" in text


def test_a_table_of_stations_is_as_wide_as_its_screen():
    figures = _kept(_station(1, name="A name that is much longer than its column", parked=0))
    for width in (60, 80, 100, 120, 160, 200):
        heading = stations.heading(width).plain
        assert heading.index("what is wrong") <= width
        for title in heading.split("  "):
            assert title.strip() == "" or title in heading
        assert len(stations.row(figures, width).plain.rstrip()) <= width
    assert "aside" not in stations.heading(100).plain and "aside" in stations.heading(160).plain


def _numbers(text):
    """The numbers of the stations in the table, from top to bottom."""
    signs = panels.LEVEL_SIGNS.values()
    rows = [line[2:].split() for line in text.split("\n") if line[2] in signs and line[3] == " "]
    return [int(row[1]) for row in rows if row[1].isdigit()]


def _controller(**changed):
    return dict(_station(1)["controller"], **changed)


def test_never_connected_is_reported_where_it_never_was():
    closed = {"controller": _controller(state="closed")}
    assert "never connected" in panels.links(_station(1, stored=0, **closed), {}, has_connected=False).plain
    assert "not connected since the start" in panels.links(_station(1, **closed), {}, has_connected=False).plain
    assert "nothing missed" in panels.links(_station(1), {}, has_connected=True).plain
    left = panels.links(_station(1, **closed), {}, has_connected=True).plain
    assert "not connected now" in left and "nothing missed" not in left
    figures = _kept(_station(1, controller=_controller(state="starting")))
    assert not figures.has_met_controller
    figures.keep(_station(1), 1.0)
    figures.keep(_station(1, controller=_controller(state="closed")), 2.0)
    assert figures.has_met_controller


def _refused(number=1):
    refused = _controller(state="closed", why="refused", why_in="closed", why_code=111)
    return _station(number, controller=refused, outlets=[dict(_station(1)["outlets"][0], why="")])


def test_a_panel_says_the_whole_reason_where_it_has_room():
    def panel(*room):
        return " ".join(panels.links(_refused(), {}, room=room).plain.split())

    sentence = "controller 10.0.0.1:4545 refused the connection: the host is there, but nothing listens on that port"
    assert f"10.0.0.1:4545 {sentence}. Is Open Protocol switched on" in panel(60, 10)
    assert sentence in panel(60, 8) and "switched on" not in panel(60, 8)
    for room in ((60, 6), (34, 6), (20, 40), (0, 0)):
        assert "closed connection refused 10.0.0.1:4545" in panel(*room) and sentence not in panel(*room), room
    waits = _refused()
    waits["controller"]["next_try_ms"] = 19000
    for width in (48, 60):
        lines = panels.links(waits, {}, room=(width, 6)).plain.splitlines()
        assert any("10.0.0.1:4545, next try in 19 s" in line for line in lines) and max(map(len, lines)) <= width
    assert "network cut" in panels.links(_refused(), {"controller": True}, room=(60, 9)).plain
    for text in _play([_refused()], (120, 40), (200, 50))[0]:
        assert "nothing listens" in text.split("events")[0]


LOST = {
    "host": "controller-hall-3.plant.example.com",
    "port": 65535,
    "refused": {"code": 17, "number": 5, "next_try_ms": 8000, "doing": "retry"},
    "waiting": 12345678,
}


@pytest.mark.parametrize("size", some([(80, 24), (80, 40), (120, 30), (120, 50), (200, 50)], 2))
def test_numbers_ports_and_what_to_do_are_cut_off_nowhere(size):
    """The widest of each, all at once: what has no room on its line has a line of its own."""
    lost = _station(7, controller=_controller(host="192.168.100.100", port=65535), overwritten=1234567, parked=99)
    lost["outlets"] = [dict(_station(1)["outlets"][0], **LOST)]
    lost["spool"].update(blocks=262144, percent_full=100, torn=3)
    cells = 50 if size[0] == 80 else max(52, size[0] * 37 // 100)  # of the panel on the left
    left = " ".join(" ".join(line[:cells] for line in _screen(lost, size=size).split("\n")).split())
    _contains(left, "192.168.100.100:65535", f"{LOST['host']}:65535", "next try in 8 s, 12345678 waiting")
    _contains(left, "100 % full 3 torn", "1234567 overwritten, 99 set aside")


def test_station_in_table_says_as_much_as_its_line_has_room_for():
    figures = _kept(_refused())
    assert "controller" not in stations.row(figures, 76).plain
    outlets = [{"kind": "toolsnet", "state": "closed", "why": "refused"}]
    both = _kept({**_refused(), "outlets": outlets, "parked": 0})
    assert stations.row(both, 76).plain.endswith(" both refused")
    for width, words in (
        (76, " refused"),
        (103, "  refused; 1 set aside"),
        (300, "nothing listens on that port; 1 set aside"),
        (350, "nothing listens on that port. Is Open Protocol switched on"),
    ):
        assert words in stations.row(figures, width).plain
    assert "switched on" in stations.problem_text(figures, 120, 2).plain
    assert stations.problem_text(figures, 76, 2).plain.endswith("nothing listens on that port; 1 set aside")
    assert stations.problem_text(figures, 30, 2).plain == "◐ station 1: controller connection refused; 1 set aside"


@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_station_at_the_cursor_is_explained_below_the_table(ascii_only):
    many = [_refused(number) if number in (2, 4) else _station(number, parked=0) for number in range(1, 30)]
    texts, _ = _play(many, ["down"], ["down", "down"], ["down"], (120, 40), ascii_only=ascii_only)
    below = [text.split("what is wrong")[1].split("events")[0] for text in texts]
    for text, number in zip(below, (2, 2, 4, 2, 2), strict=True):  # where that one is well, the worst is
        assert f"station {number}: controller 10.0.0.1:4545 refused the connection" in text, text
        assert " ".join(text.split()).count("but nothing listens on that port") == 1
    assert "switched on" in below[-1]


@pytest.mark.long("another size of the screen")
def test_nothing_is_kept_free_below_the_table_while_all_are_well():
    assert len(_numbers(_screen(*_well(29)))) == len(_numbers(_screen(*_well(28), _refused(29)))) + 2


@pytest.mark.long("another size of the screen")
def test_the_cursor_stays_on_the_screen_where_the_table_gets_less_room():
    texts, _ = _play(_well(29), ["down"] * 12, (80, 20), ["enter"])
    assert 13 in _numbers(texts[1]) and 13 in _numbers(texts[2]) and "station 13" in texts[3]


def test_how_many_are_in_trouble_is_seen_at_80_columns():
    many = [_refused(number) for number in range(1, 121)]
    _contains(_screen(*many), "controllers ready 0 of 120   ToolsNet connected 120 of 120   with trouble 120")


@pytest.mark.long("another size of the screen")
def test_a_wide_screen_is_used_to_its_edges():
    many = [_result(number, tightening_id=str(number)) for number in range(60, 0, -1)]
    texts, _ = _play([_station(1, results=many)], (120, 40), (200, 50), (60, 15))
    for text, size, rows in zip(texts, ((80, 24), (120, 40), (200, 50), (60, 15)), (4, 34, 44, 0), strict=True):
        lines = text.split("\n")
        assert len(lines) == size[1] and all(len(line) == size[0] for line in lines)
        assert len([line for line in lines if "42.37 Nm" in line]) >= rows, size
        if size[0] > 80:  # the table stands beside the rest, from the second line on
            assert "newest results" in lines[1] and "controller ready" in text
    assert "date" in texts[2] and "date" not in texts[0]


def test_a_value_that_is_not_ok_says_which_way_without_colour():
    odd = [_result(2, torque_status="high"), _result(1, angle_status="low")]
    _contains(_screen(_station(1, results=odd), size=(120, 40)), "42.37 Nm▲", "95°▼")


def test_results_gather_while_a_station_is_open():
    figures = StationFigures()
    for newest in range(10, 5000, 7):
        figures.keep(_station(1, results=[_result(number) for number in range(newest, newest - 10, -1)]), 0.0)
    numbers = [one["number"] for one in figures.results]
    assert len(numbers) == RESULTS_KEPT and numbers == list(range(numbers[0], numbers[0] - RESULTS_KEPT, -1))
    figures.keep(_station(1, results=[]), 0.0)
    assert figures.results == []


def test_everything_is_ascii_where_the_terminal_shows_no_more():
    nasty = _station(1, name="T\u00fcr \u4e2d", results=[_result(1, torque_status="low")])
    texts, _ = _play(
        [nasty, _station(2)], ["question_mark"], ["escape"], ["slash", "1"], ["enter", "enter"], ascii_only=True
    )
    for text in texts:
        assert text.isascii() and all(len(line) == 80 for line in text.split("\n"))
    assert "T?r ??" in texts[0] and "station 1  T?r ??" in texts[4]
    assert plain("●◐○▲▼█░─│") == "*~o^v#.-|"


def test_the_locale_says_whether_there_is_more_than_ascii():
    expected_by_environment = {
        (): False,
        (("LANG", "C"),): False,
        (("LANG", "de_DE.UTF-8"),): True,
        (("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")): False,
        (("LANG", "C"), ("LC_CTYPE", "C.UTF-8")): False,  # CPython's own word
        (("LANG", "C.UTF-8"),): True,
        (("LC_CTYPE", "UTF-8"),): True,
        (("LC_ALL", "en_US.utf8"),): True,
        (("LC_ALL", "en_US.ISO-8859-1"),): False,
    }
    for environment, expected in expected_by_environment.items():
        assert has_utf8(dict(environment)) == expected, environment


def test_the_backlog_s_drawing_has_its_scale_its_unit_and_its_time():
    curve = Curve()
    for second in range(100):
        curve.add(130 if second == 40 else 0, float(second))
    drawn = chart.draw(curve, 0, 6, 60, "results", "").plain.splitlines()
    assert len(drawn) == 6 and all(len(line) <= 60 for line in drawn)
    assert drawn[0].startswith("200 results") and drawn[4].lstrip().startswith("0 ") and "2 min ago" in drawn[5]
    assert drawn[5].endswith("now")
    assert "█" in drawn[4], "one second of a backlog is seen"
    assert drawn[4].rstrip()[-1] == "█" and drawn[4][-1] == " ", "and over by now"
    hour = chart.draw(curve, 1, 2, 30, "results", "").plain.splitlines()
    assert len(hour) == 2 and "200" in hour[0]
    assert all(len(points) <= POINTS for points in curve.points)


def test_time_that_no_one_looked_at_is_as_it_was_before():
    curve = Curve()
    curve.add(7, 0.0)
    curve.add(3, 30.0)
    assert list(curve.points[0]).count(7) == 60 and curve.points[0][-1] == 3
    curve.add(5, 1e6)
    assert set(curve.points[0]) == {3, 5} and len(curve.points[0]) == POINTS


def test_scales_are_round_numbers():
    assert [chart.scale_of(most) for most in (0, 5, 6, 11, 21, 51, 120, 4321)] == [5, 5, 10, 20, 50, 100, 200, 5000]


def test_the_keys_of_the_demo_cut_kill_and_change_the_rate():
    demo = Demo(rate_per_s=20)

    async def play():
        view = View(demo)
        async with view.run_test(size=(80, 24)) as pilot:
            await _until(pilot, lambda: demo.phase == RUNNING)
            for key in ("n", "c", "k", "a", "plus"):
                await pilot.press(key)
            await _until(pilot, lambda: demo.kills == demo.archived.kills == 1 and demo.rate_per_s == 50)
            assert tuple(demo.cut.values()) == (True, True)
            _contains(_text_of(view), "network cut", "archived", "q quit")
            await pilot.press("c")
            await pilot.press("q")
            await _until(pilot, lambda: demo.phase == ENDED)

    try:
        asyncio.run(play())
    finally:
        demo.close()
    assert demo.exit_code == 0, demo.account()


async def _until(pilot, condition):
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s
        await pilot.pause(0.05)


def test_a_station_without_its_spool_and_an_empty_agent_can_be_shown():
    bare = {"number": 1, "name": "", "mounted": False, "counters": {}, "logged": 0, "log": []}
    assert "the spool is not up" in _screen(bare)
    assert "toolcart" in _screen().split("\n")[0]


def test_a_controller_s_clock_is_reported_where_it_is_apart():
    for ahead_s, words in ((4000, "clock ahead"), (-40, "clock behind"), (5, ""), (None, "")):
        text = panels.links(_station(1, controller=_controller(clock_ahead_s=ahead_s)), {}).plain
        assert ("clock " in text) == bool(words) and words in text


def test_counters_that_have_no_room_are_counted():
    counted = {f"counter {letter}": 1 for letter in "abcdefghij"}
    text = panels.counters({"counters": counted}, 2, 40).plain
    assert text.endswith("+ 5")
    assert all(len(line) <= 40 for line in text.splitlines())


def test_no_control_key_but_ctrl_c_does_anything():
    """Ctrl-Q is what people press to go on after Ctrl-S."""
    keys = [f"ctrl+{letter}" for letter in "abdefgklnopqrstuvwxyz"]  # h, i, j and m are keys of their own
    keys += ["ctrl+backslash", "ctrl+right_square_bracket", "ctrl+circumflex_accent", "ctrl+underscore", "ctrl+space"]

    async def play():
        watch = _Still([_station(1), _station(2, name="Right")])
        view = View(watch, ascii_only=False)
        async with view.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            for opened in ([], ["enter"], ["question_mark"]):
                await pilot.press(*opened)
                await pilot.pause()
                screen, text = view.screen, _text_of(view).partition("\n")[2]  # below the clock
                for key in keys:
                    await pilot.press(key)
                    await pilot.pause()
                    assert watch.phase == RUNNING and view.screen is screen and view.is_running, key
                assert _text_of(view).partition("\n")[2] == text
            assert "q      end in order, as Ctrl-C does" in _text_of(view)
            await pilot.press("ctrl+c")
            assert watch.phase == ENDED

    asyncio.run(play())


@pytest.mark.parametrize("stamp", ["2024-03-14 09:26:53", "1999-01-01 00:00:00", "2099-01-01 00:00:00", None])
def test_the_age_of_the_oldest_is_the_agent_s_whatever_clock_the_controller_has(stamp):
    for age_s, at_least, words in (
        (3700.0, False, "1 h 1 min"),
        (259200.0, True, "at least 3 days"),
        (0.0, False, ""),
        (None, False, ""),
    ):
        station = _station(1, oldest_waiting=stamp, oldest_waiting_s=age_s, oldest_waiting_at_least=at_least)
        text = panels.backlog(station, (0.0, 0.0)).plain
        assert text.endswith(f"oldest stored {words} ago") if words else "stored" not in text
        cells = [column.cell(StationFigures(station)) for column in stations.COLUMNS if column.title == "oldest"]
        assert cells == [(words, "")]


async def _typed(pilot, view):
    """Wait until the view has done what the keys so far do."""
    has_all = asyncio.Event()
    view.call_later(has_all.set)
    await has_all.wait()
    await _until(pilot, lambda: not view._keys)
    await pilot.pause(0.05)


@pytest.mark.parametrize(
    ("keys", "count"), each_choice(["EE", "EEx", "E?q", "?q", "/1E", "/1EEx", "/qE", "ErE", "Exq"], [1, 3])
)
def test_keys_typed_in_one_go_do_what_they_do_one_by_one(count, keys):
    """E: Enter, x: Esc, r: right."""
    named = {"E": "enter", "x": "escape", "r": "right", "?": "question_mark", "/": "slash"}
    typed = [events.Key(named.get(key, key), None if key in "xr" else key) for key in keys]

    async def screens_after(is_one_go):
        watch = _Still(_well(count))
        ends = []
        watch.end = lambda: ends.append("ended")  # it is asked for, and the screens stay to be looked at
        view = View(watch)
        async with view.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            for key in typed:
                view.post_message(events.Key(key.key, key.character))
                if not is_one_go:
                    await _typed(pilot, view)
            await _typed(pilot, view)
            return [type(screen).__name__ for screen in view.screen_stack], ends

    assert asyncio.run(screens_after(True)) == asyncio.run(screens_after(False))


def test_a_turn_or_a_key_while_a_screen_is_built_or_taken_down_is_none():
    """The timer's turn and the next key may come at any step between a key and the screen that it opens."""

    async def play():
        view = View(_Still([_station(1), _station(2)]), ascii_only=False)
        async with view.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            view.push_screen(OneStation(view.driven, 2))
            steps = 0
            while not view.screen.is_mounted:
                view._drawn = None  # something new to show at each step
                view._turn()
                for action in ("look_for", "events", "span", "back", "station(1)"):
                    await view.run_action(action, view.screen)
                await asyncio.sleep(0)
                steps += 1
                assert steps < 10_000
            await _until(pilot, lambda: bool(view.screen.query("#events")) and "/ find" in _text_of(view))
            await view.screen.query_one("#events").remove()  # as when it is taken down
            view._drawn = None
            view._turn()
            return steps

    assert asyncio.run(play()) > 3  # it was looked at while being built


def test_events_stay_and_scroll():
    async def play():
        watch = _Still([_station(1)])
        view = View(watch, ascii_only=False)
        async with view.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            for index in range(300):
                watch.note("info", f"event {index}")
            await _until(pilot, lambda: "event 299" in _text_of(view))
            view.screen.query_one("#events").focus()
            await pilot.press("home")
            await _until(pilot, lambda: "event 0" in _text_of(view) or "spool of" in _text_of(view))
            watch.note("info", "one more")
            await pilot.pause(0.3)
            assert "one more" not in _text_of(view), "who reads what was is not torn away"
            await pilot.press("end")
            await _until(pilot, lambda: "one more" in _text_of(view))
            await pilot.press("e")
            await pilot.pause(0.3)
            assert _text_of(view).count("event 2") > 10, "e gives them the room"

    asyncio.run(play())


def test_control_characters_of_a_controller_s_texts_do_not_reach_the_screen():
    nasty = "\x1b[2J\x07\x9b31m\u202e"
    station = _station(1, name=nasty, results=[_result(1, vin=nasty, program=nasty)])
    station["controller"]["host"] = nasty
    text = _screen(station)
    assert "\\x1b" in text
    assert not [c for c in text if c != "\n" and not c.isprintable()]
    name = _Still.title
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_Still, "title", lambda watch: nasty + name(watch))
        for stations in ([station], [station, _station(2)]):
            shown = _screen(*stations)
            assert "\\x1b[2J" in shown.split("\n")[0] and not [c for c in shown if c != "\n" and not c.isprintable()]
    (line,) = panels.event_lines(nasty, 80)
    assert "\x1b" not in panels.event(Change(1.0, "bad", nasty), 0, line, 0.0).plain


@pytest.mark.parametrize("kind", ["failed", "spool", "note"])
def test_a_text_of_several_lines_becomes_as_many_events_and_shows_no_line_s_end_as_an_escape(kind):
    text = "cart.json: 2 mistakes\n  stations  missing\n  outlets   missing"
    changes = Figures().feed({"kind": kind, "text": text}, 1.0)
    assert [change.text.split(": ", kind != "note")[-1] for change in changes] == text.split("\n")


def test_a_long_event_is_reported_to_its_end():
    text = "controller 10.0.0.1:4545 refused the connection: the host is there, but nothing listens on that port."
    lines = panels.event_lines(text, 44)
    assert " ".join(lines) == text and len(lines) == 4
    began_s = time.mktime((2026, 11, 23, 22, 0, 0, 0, 0, -1))
    texts = [panels.event(Change(3661.0, "warning", text), at, line, began_s).plain for at, line in enumerate(lines)]
    assert texts[0] == "23:01:01 ◐ controller 10.0.0.1:4545 refused" and texts[1].startswith(" " * 11)
    assert max(len(line) for line in texts) <= 44


@pytest.mark.parametrize("width", [46, 50, 78, 120])
def test_figure_of_the_reconciliation_stays_beside_its_word(width):
    books = {"produced": 1430, "acknowledged": 1430, "delivered": 960, "out_of_order": 12}
    lines = panels.both_books(books, 0, width).plain.split("\n")
    assert max(map(len, lines)) <= width and "out of spool order 12" in lines[-1]


def test_the_last_lines_add_up_and_name_no_figure_that_there_is_none_of():
    figures = Figures()
    counts = {"stored": 60, "delivered": 40, "backlog": 7, "parked": 6, "dropped": 4}
    station = _station(1, **counts)
    station["outlets"][0]["given_up"] = 3
    station["overwritten"] = 5  # two of them before a file had them
    station["outlets"].append({**station["outlets"][0], "kind": "file", "name": "file", "given_up": 2, "is_up": True})
    figures.feed(status_of(station), 0.0)
    ways = "; set aside: 6; dropped by an operator: 4"
    ways += "; not at ToolsNet: overwritten, at most: 3; not at file: overwritten, at most: 2"
    assert account_text(figures).endswith(ways) and figures.undelivered()["overwritten"] == 5
    assert "delivered 40 (" in account_text(figures)
    best_effort = {**station["outlets"][1], "kind": "mqtt", "name": "mqtt", "durable": False, "given_up": 8}
    station["outlets"].append(best_effort)
    station["missed"] = 9  # one of them before an outlet had it that is gone
    figures.feed(status_of(station), 1.0)
    ways += "; not at MQTT: missed, at most: 8; not at outlets that are not configured any more: missed, at most: 1"
    assert account_text(figures).endswith(ways) and figures.undelivered()["missed"] == 9
    figures = Figures()
    without = {name: value for name, value in _station(1).items() if name not in ("delivered", "parked", "dropped")}
    figures.feed(status_of(without), 0.0)
    assert ", passed on 0" in account_text(figures) and "delivered" not in account_text(figures)


def test_what_an_operator_dropped_is_shown():
    assert "dropped 2" in panels.account(_station(1, dropped=2)).plain
    assert "dropped" not in panels.account(_station(1, dropped=0)).plain
