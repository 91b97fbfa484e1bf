"""The live view's screens: all stations, one station, and what every key does.

Rules
1. `show()` takes the newest state; it is called when there is one.
2. `/` asks for a word: stations and results without it are hidden until Esc removes it.
3. Narrow screens have everything in one column, wide ones have results or stations beside the rest.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Input, Static

from toolcart.base.terminal_safe import visible, visible_in
from toolcart.tools.live import chart, panels, results, stations
from toolcart.tools.live.count_history import SPANS_S, Curve
from toolcart.tools.live.figures import Change
from toolcart.tools.live.history import StationFigures
from toolcart.tools.live.rows import Rows
from toolcart.tools.live.watch import DRAINING, ENDED, RUNNING, STARTING, STOPPING, Watch
from toolcart.tools.messages import waiting_by_outlet
from toolcart.tools.process.agent import NONE

PROBLEM_LINES_LOW, PROBLEM_LINES_TALL = 2, 4  # lines for what is wrong with one station
TOP_LOW, TOP_TALL = 9, 16  # the most lines for the connections where everything is in one column
CURVE_LEAST = 3  # lines: title, rates, oldest; the curve has the rest


PHASES = {
    STARTING: "starting",
    RUNNING: "",
    DRAINING: "delivering what is left; q: do not wait",
    STOPPING: "stopping in order; q: at once",
    ENDED: "ended",
}


class WatchScreen(Screen[None]):
    """What both screens have: a title, events, and the search word."""

    BINDINGS: ClassVar = [
        Binding("slash", "look_for", "find", key_display="/"),
        Binding("e", "events", "events", show=False),
        Binding("z", "span", "time", show=False),
        Binding("escape", "back", "back", show=False),
    ]

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.driven = watch  # not `watch`: that name is textual's
        self._filter_word = ""
        self._events: list[tuple[Change, int, str]] = []  # line by line
        self._span = 0
        self._drawn_title = ""

    def events_panel(self) -> ComposeResult:
        with Vertical(id="events_panel", classes="panel"):
            yield Rows(self._event_line, "events", follows=True)

    def word_line(self) -> Input:
        """Return the line for the search word; it shows while the word is typed or kept."""
        line = Input(id="word", placeholder="filter: Enter keeps it, Esc removes it", compact=True)
        line.display = False
        return line

    def show(self) -> None:
        """Show the newest state."""
        self.show_title()
        rows = self.query_one("#events", Rows)
        relevant = [change for change in self.driven.recent if self.is_relevant(change)]
        self._events = [
            (change, line, text_line)
            for change in relevant
            for line, text_line in enumerate(panels.event_lines(self.event_text(change), rows.cells))
        ]
        rows.show(len(self._events))
        self.query_one("#events_panel").border_title = f" events: {len(relevant)} "

    def is_relevant(self, change: Change) -> bool:
        """True if the change is shown on this screen."""
        return True

    def event_text(self, change: Change) -> str:
        """Return the words for the change on this screen."""
        return change.text

    def show_title(self) -> None:
        """Say what is running, for how long, and what it is doing."""
        watch = self.driven
        activity = watch.activity() if watch.phase == RUNNING else PHASES[watch.phase]
        if watch.silent_since and watch.phase != STOPPING:
            activity = f"the agent has not answered since {watch.silent_since}"
        details = [panels.clock(watch.elapsed_s()), activity, *[need.label for need in watch.figures.needs()]]
        title = "  ".join(["toolcart", visible(watch.title()), *filter(None, details)])
        if title != self._drawn_title:
            self._drawn_title = title
            self.query_one("#title", Static).update(Content(title), layout=False)

    def _event_line(self, index: int, width: int) -> Text:
        return panels.event(*self._events[index], self.driven.began_s)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.is_mounted  # a key may come while the screen is being built: then it is none

    def action_look_for(self) -> None:
        line = self.query_one("#word", Input)
        line.display = True
        line.focus()

    def action_back(self) -> None:
        """Remove the search word; if there is none, go back to the previous screen."""
        line = self.query_one("#word", Input)
        if line.display:
            line.value = ""
            line.display = False
            self.query(Rows).first().focus()
        elif len(self.app.screen_stack) > 2:
            self.app.pop_screen()

    def action_events(self) -> None:
        """Give the events all the room, or take it back."""
        self.toggle_class("-events")
        self.query_one("#events", Rows).focus()

    def action_span(self) -> None:
        """Show another span of time."""
        self._span = (self._span + 1) % len(SPANS_S)
        self.show()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._filter_word = event.value.strip()
        self.show()

    def on_input_submitted(self) -> None:
        line = self.query_one("#word", Input)
        line.display = bool(self._filter_word)
        self.query(Rows).first().focus()

    def on_screen_resume(self) -> None:
        self.show()

    def on_resize(self) -> None:
        self.call_after_refresh(self.show)

    def _draw(self, curve: Curve) -> None:
        """Draw the backlog over time, in the room there is."""
        widget = self.query_one("#curve", Static)
        size = widget.content_size
        if size.width > 0 and size.height > 0:
            widget.update(chart.draw(curve, self._span, size.height, size.width, "results", panels.CURVE_STYLE))


class Overview(WatchScreen):
    """All stations."""

    BINDINGS: ClassVar = [Binding("s", "sort", "order")]

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch)
        self._selected: list[StationFigures] = []
        self._sort = 0

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Static(id="summary")
        with Vertical(id="stations_panel", classes="panel"):
            yield Static(id="heading")
            yield Rows(self._station_line, "stations", has_cursor=True)
            yield Static(id="wrong")
        with Horizontal(id="below"):
            with Vertical(id="side", classes="panel"):
                yield Static(id="curve")
            yield from self.events_panel()
        yield self.word_line()
        yield Footer(show_command_palette=False)

    def show(self) -> None:
        super().show()
        self.driven.child.view_station(NONE)
        figures = self.driven.figures
        all_figures = figures.station_figures()
        sort = stations.SORTS[self._sort]
        before = self._at_cursor()
        self._selected = stations.selected(all_figures, self._filter_word, sort)
        rows = self.query_one("#stations", Rows)
        if before is not None and before in self._selected:  # the cursor stays on its station
            rows.cursor = self._selected.index(before)
        rows.show(len(self._selected))
        summary = self.query_one("#summary", Static)
        summary.update(stations.summary(all_figures, figures.rates(), summary.size.width))
        shown_count = (
            f"{len(self._selected)} of {len(all_figures)}"
            if len(self._selected) != len(all_figures)
            else f"{len(all_figures)}"
        )
        self.query_one("#stations_panel").border_title = f" stations: {shown_count}, by {sort} "
        self.query_one("#heading", Static).update(stations.heading(rows.cells - 1))
        statuses = list(figures.station_statuses())
        waits_for = waiting_by_outlet.common_backlog_for(statuses)
        waiting = f" waiting for {waits_for}: {waiting_by_outlet.backlog_text(*statuses)} "
        self.query_one("#side").border_title = Content(visible(waiting))
        self._draw(figures.curve)
        self._show_problem()

    def _show_problem(self) -> None:
        """Show in full the last column of the station at the cursor; if that one is well, of the worst."""
        at = self._at_cursor()
        figures = stations.worst(self._selected) if at is None or stations.is_well(at) else at
        panel = self.query_one("#wrong", Static)
        panel.display = figures is not None
        if figures is not None:
            lines = PROBLEM_LINES_TALL if self.has_class("-tall") else PROBLEM_LINES_LOW
            panel.update(stations.problem_text(figures, self.query_one("#stations", Rows).cells, lines))

    def on_rows_moved(self) -> None:
        self._show_problem()

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        self.app.push_screen(OneStation(self.driven, self._selected[event.index].status["number"]))

    def action_sort(self) -> None:
        self._sort = (self._sort + 1) % len(stations.SORTS)
        self.show()

    def _station_line(self, index: int, width: int) -> Text:
        return stations.row(self._selected[index], width)

    def _at_cursor(self) -> StationFigures | None:
        at = self.query_one("#stations", Rows).cursor
        return self._selected[at] if at < len(self._selected) else None


class OneStation(WatchScreen):
    """One station."""

    BINDINGS: ClassVar = [
        Binding("right", "station(1)", "next station", key_display="→"),
        Binding("left", "station(-1)", "previous", key_display="←"),
    ]

    def __init__(self, watch: Watch, number: int | None = None) -> None:
        super().__init__(watch)
        self._number = number  # None: the first one
        self._results: list[dict] = []

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                with Horizontal(id="top"):
                    yield Static(id="links", classes="panel")
                    with Vertical(id="side", classes="panel"):
                        yield Static(id="backlog")
                        yield Static(id="curve")
                yield Static(id="counters", classes="panel")
                yield from self.events_panel()
                yield Static(id="account", classes="panel")
            with Vertical(id="results_panel", classes="panel"):
                yield Static(id="heading")
                yield Rows(self._result_line, "results")
        yield self.word_line()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#counters").border_title = " counters since the agent's start "
        since = " since the spool was made " if self.driven.books is None else " reconciliation "
        self.query_one("#account").border_title = since

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        has_it = action != "station" or len(self.driven.figures.station_statuses()) > 1
        return has_it and super().check_action(action, parameters)

    def show(self) -> None:
        watch = self.driven
        all_figures = watch.figures.station_figures()
        found = [figures for figures in all_figures if figures.status["number"] == self._number] or all_figures[:1]
        if found:
            self._number = found[0].status["number"]
        super().show()
        if found:
            watch.child.view_station(found[0].status["number"])
            self._show_station(found[0], all_figures.index(found[0]), len(all_figures))
        account = self.query_one("#account", Static)
        if watch.books is None:
            account.update(panels.account(found[0].status if found else {}))
        else:
            parked = watch.figures.total("parked")
            account.update(panels.both_books(watch.books, parked, account.content_size.width))

    def is_relevant(self, change: Change) -> bool:
        return change.station in (None, self._number)

    def event_text(self, change: Change) -> str:
        return change.text.removeprefix(f"station {self._number}: ")  # the title says which one

    def _show_station(self, figures: StationFigures, at: int, count: int) -> None:
        shown_status = visible_in({name: value for name, value in figures.status.items() if name != "results"})
        links = self.query_one("#links", Static)
        text = panels.links(
            shown_status, self.driven.cut, figures.has_met_controller, self._room_for_connections(links)
        )
        links.update(text)
        self._resize_top(text.plain.count("\n") + 2)
        which = f"  ({at + 1} of {count})" if count > 1 else ""
        # Content, not text: a name may have brackets, which are no markup.
        links.border_title = Content(f" station {shown_status['number']}  {shown_status['name']}{which} ")
        waits_for = waiting_by_outlet.backlog_for(shown_status)
        waiting = f" waiting for {waits_for}: {waiting_by_outlet.backlog_text(shown_status)} "
        self.query_one("#side").border_title = Content(waiting)
        self.query_one("#backlog", Static).update(panels.backlog(shown_status, figures.rates()))
        self._draw(figures.curve)
        self._results = [
            result for result in figures.results if not self._filter_word or results.matches(result, self._filter_word)
        ]
        rows = self.query_one("#results", Rows)
        rows.show(len(self._results))
        self.query_one("#heading", Static).update(results.heading(rows.cells))
        self.query_one("#results_panel").border_title = f" newest results: {len(self._results)} "
        counters = self.query_one("#counters", Static)
        counters.update(panels.counters(shown_status, counters.content_size.height, counters.content_size.width))

    def _room_for_connections(self, links: Static) -> tuple[int, int]:
        """Return the cells and lines for the connections: beside the backlog, or above it and the smallest curve."""
        if self.has_class("-wide"):
            return links.content_size.width, self.query_one("#top").size.height - 1 - CURVE_LEAST
        return links.content_size.width, self._top_height_limit() - 1

    def _top_height_limit(self) -> int:
        """Return the most lines for the connections on a narrow screen, so that some results fit below."""
        return TOP_TALL if self.has_class("-tall") else TOP_LOW

    def _resize_top(self, lines: int) -> None:
        """Give the connections the lines they need on a narrow screen."""
        top = self.query_one("#top")
        if self.has_class("-wide"):
            if top.styles.inline.has_rule("height"):  # the screen was narrow
                top.styles.clear_rule("height")
                self.call_after_refresh(self.show)
        else:
            least = 9 if self.has_class("-tall") else 5
            top.styles.height = min(max(lines, least), self._top_height_limit())

    def action_station(self, step: int) -> None:
        numbers = [status["number"] for status in self.driven.figures.station_statuses()]
        if self._number in numbers:
            self._number = numbers[(numbers.index(self._number) + step) % len(numbers)]
            self.show()

    def _result_line(self, index: int, width: int) -> Text:
        return results.row(visible_in(self._results[index]), width)


class Help(ModalScreen[None]):
    """Every key, and what the signs mean."""

    BINDINGS: ClassVar = [Binding("escape,question_mark,q,enter", "app.pop_screen", "back", key_display="Esc")]

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help", classes="panel"):
            yield Static(panels.help_text(self._lines))
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#help").border_title = " keys and signs "
        self.query_one("#help").focus()
