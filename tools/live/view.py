"""The live view: connections, backlog, newest results, counters and the account in one terminal.

Rules:
1. Shows what `watch` and its figures say; every key is one call of the watch. Nothing here decides anything.
2. Fits 80 x 24; more room goes to the results.
3. However it is left (q, Ctrl-C, SIGTERM, an error), the run is ended and the account printed on the normal screen.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Footer, Sparkline, Static

from tools.live import panels
from tools.live.watch import DRAINING, ENDED, RUNNING, STARTING, STOPPING, Watch
from tools.printable import visible, visible_in

if TYPE_CHECKING:
    from tools.demo import Demo

TURN_S = 0.1
PHASES = {
    STARTING: "starting",
    RUNNING: "",
    DRAINING: "delivering what is left; q: do not wait",
    STOPPING: "stopping in order; q: at once",
    ENDED: "ended",
}

_STYLE = """
Screen { layout: vertical; background: $background; }
#title { height: 1; background: $primary; color: $text; text-style: bold; padding: 0 1; }
#top { height: 5; }
.panel { border-top: solid $primary-darken-1; border-title-color: $text-accent; padding: 0 1; }
Static { text-wrap: nowrap; text-overflow: ellipsis; }
#links { width: 1fr; height: 5; }
#side { width: 30; height: 5; }
#backlog { height: 2; }
#curve { height: 2; }
#curve > .sparkline--max-color { color: $warning; }
#curve > .sparkline--min-color { color: $success; }
#results { height: 1fr; min-height: 3; }
#counters { height: 3; }
#events { height: 4; }
#account { height: auto; }
"""


class View(App[None]):
    """One screen over one watch."""

    CSS = _STYLE
    TITLE = "toolcart"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        Binding("n", "toolsnet", "ToolsNet"),
        Binding("c", "controller", "controller"),
        Binding("k", "kill_agent", "kill"),
        Binding("plus,equals_sign", "faster", "faster", key_display="+"),
        Binding("minus", "slower", "slower", key_display="-"),
        Binding("right,tab", "station(1)", "next station", key_display="→"),
        Binding("left,shift+tab", "station(-1)", "previous", key_display="←"),
        Binding("q,ctrl+c,ctrl+q", "end", "quit", key_display="q", priority=True),
    ]

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.driven = watch  # not `watch`: that name is textual's
        self.demo: Demo | None = cast("Demo", watch) if watch.is_demo else None
        self._station = 0

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        with Horizontal(id="top"):
            yield Static(id="links", classes="panel")
            with Vertical(id="side", classes="panel"):
                yield Static(id="backlog")
                yield Sparkline([0], id="curve")
        yield Static(id="results", classes="panel")
        yield Static(id="counters", classes="panel")
        yield Static(id="events", classes="panel")
        yield Static(id="account", classes="panel")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        titles = {"results": "newest results", "counters": "counters since the agent's start", "events": "events"}
        for name, title in {**titles, "account": "account"}.items():
            self.query_one(f"#{name}").border_title = f" {title} "
        self.driven.start()
        self.set_interval(TURN_S, self._turn)
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer in the footer what this run has."""
        if action in ("toolsnet", "controller", "kill_agent", "faster", "slower"):
            return self.driven.is_demo
        if action == "station":
            return len(self.driven.figures.shown()) > 1
        return True

    # -- keys --------------------------------------------------------------------------------------------------

    def action_toolsnet(self) -> None:
        if self.demo:
            self.demo.switch_toolsnet()

    def action_controller(self) -> None:
        if self.demo:
            self.demo.switch_controller()

    def action_kill_agent(self) -> None:
        if self.demo:
            self.demo.kill_agent()

    def action_faster(self) -> None:
        if self.demo:
            self.demo.change_rate(True)

    def action_slower(self) -> None:
        if self.demo:
            self.demo.change_rate(False)

    def action_station(self, step: int) -> None:
        self._station = (self._station + step) % max(len(self.driven.figures.shown()), 1)

    def action_end(self) -> None:
        self.driven.end()

    # -- showing -----------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        stations = len(self.driven.figures.shown())
        self.driven.turn()
        if self.driven.phase == ENDED:
            self.exit()
            return
        if stations != len(self.driven.figures.shown()):
            self.refresh_bindings()
        if self.query("#title"):  # else the screen is being taken down, and the timer has not heard of it yet
            self._show()

    def _show(self) -> None:
        watch = self.driven
        self.query_one("#title", Static).update(self._title())
        shown = watch.figures.shown()
        demo = self.demo
        cut = {"toolsnet": demo.toolsnet_cut, "controller": demo.controller_cut} if demo else {}
        if shown:
            self._show_station(shown[min(self._station, len(shown) - 1)], len(shown), cut)
        self._put("events", panels.events(list(watch.recent), 3))
        if demo:
            self._put("account", panels.both_books(demo.books, watch.figures.parked))
        else:
            self._put("account", panels.account(watch.account()))

    def _show_station(self, station: dict, count: int, cut: dict[str, bool]) -> None:
        watch = self.driven
        station = visible_in(station)
        links = self._put("links", panels.links(station, cut))
        which = f"  ({self._station + 1} of {count})" if count > 1 else ""
        # Content, not text: a name may hold brackets, and they are no markup.
        links.border_title = Content(f" station {station['number']}  {station['name']}{which} ")
        self.query_one("#side").border_title = f" waiting for ToolsNet: {station.get('backlog', 0)} "
        known = watch.figures.stations[station["number"]]
        self._put("backlog", panels.backlog(station, known.rates(), time.time()))
        self.query_one("#curve", Sparkline).data = list(known.curve)
        results = self.query_one("#results", Static)
        results.update(panels.results(station, results.content_size.height, results.content_size.width))
        counters = self.query_one("#counters", Static)
        counters.update(panels.counters(station, counters.content_size.height, counters.content_size.width))

    def _put(self, name: str, text: Text) -> Static:
        panel = self.query_one(f"#{name}", Static)
        panel.update(text)
        return panel

    def _title(self) -> Text:
        watch = self.driven
        text = Text(f"toolcart  {watch.title()}  {panels.clock(watch.elapsed_s())}", no_wrap=True)
        if self.demo and watch.phase == RUNNING:
            text.append(f"  {self.demo.rate_per_s:g} results/s, {self.demo.kills} kills")
        if PHASES[watch.phase]:
            text.append(f"  {PHASES[watch.phase]}")
        return text


def run_view(watch: Watch) -> int:
    """Show the run until it has ended; print the account; return the exit code."""
    before = signal.signal(signal.SIGTERM, lambda *_: watch.end())
    try:
        View(watch).run()
        if watch.phase != ENDED:  # the screen failed: the agent is ended in order all the same
            watch.end()
            while watch.phase != ENDED:
                watch.turn()
                time.sleep(TURN_S)
        for change in watch.recent:
            if change.level == "bad":
                print(f"{change.at_s:9.2f}  X {visible(change.text)}")
        for line in watch.account_lines():
            print(line)
        for line in watch.failure():
            print(visible(line), file=sys.stderr)
        return watch.exit_code
    finally:
        watch.close()
        signal.signal(signal.SIGTERM, before)
