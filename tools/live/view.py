"""The live view: all stations, or one of them with its connections, backlog, newest results, counters and events.

Rules:
1. It shows what `watch` and its figures say; every key is one call of the watch. Nothing here decides anything.
2. It fits 80 x 24; more room goes to tables, the curve and events.
3. However it is left (q, Ctrl-C, SIGTERM, an error), the run ends and its reconciliation is printed on
   the normal screen.
4. A screen is drawn when there is something new, not on every turn.
5. A terminal that is not read holds up nothing but the screen (toolcart.tools.live.terminal).
6. A key waits until the one before it has done what it does: keys typed in one go mean what they mean one by one.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.filter import LineFilter

from toolcart.base.terminal_safe import visible
from toolcart.tools.live import panels
from toolcart.tools.live.ascii_terminal import AsciiOnly, has_utf8
from toolcart.tools.live.screens import Help, OneStation, Overview, WatchScreen
from toolcart.tools.live.terminal import TerminalDriver
from toolcart.tools.live.watch import ENDED, Watch

TURN_S = 0.1
KEY_ROUNDS = 3  # a key reaches the view, what it chooses the screen, and a new screen has its focus
KEY_PATIENCE_S = 0.2  # for a part of a screen that goes meanwhile, and answers no more
WIDE = 110  # from this many cells on, a table is beside the rest
TALL = 34  # from this many lines on, there is room for more than a few events
_STYLE = """
Screen { layout: vertical; background: $background; }
#title { height: 1; background: #1f4e79; color: #ffffff; text-style: bold; padding: 0 1; }
#summary { height: 2; padding: 0 1; }
.panel { border-top: solid #3f6f9f; border-title-color: #9ecbff; padding: 0 1; }
Static { text-wrap: nowrap; text-overflow: ellipsis; }
#heading { height: 1; }
#stations_panel { height: 1fr; min-height: 4; }
#stations_panel #heading { padding: 0 0 0 1; }
#wrong { height: 2; text-wrap: wrap; }
.-tall #wrong { height: auto; max-height: 4; }
#word { height: 1; dock: bottom; margin: 0 0 1 0; background: #33475b; }
Help { align: center middle; }
#help { width: 76; max-width: 100%; height: auto; max-height: 90%; background: $panel; }

#below { height: 5; }
#below #side { width: 34; }
.-tall #below { height: 12; }
.-wide #below #side { width: 44%; }
#below #curve { height: 1fr; }
#events_panel { width: 1fr; }
Overview.-events #stations_panel, Overview.-events #summary, Overview.-events #side { display: none; }
Overview.-events #below { height: 1fr; }

#top { height: 5; }
#links { width: 1fr; height: auto; min-height: 5; }
OneStation #side { width: 30; }
#backlog { height: 2; }
#curve { height: 1fr; }
#counters { height: 3; }
#account { height: auto; text-wrap: wrap; }
OneStation.-narrow #body { layout: vertical; }
OneStation.-narrow #left { height: auto; }
OneStation.-narrow #results_panel { height: 1fr; min-height: 3; }
OneStation.-narrow #events_panel { height: 4; }
OneStation.-narrow.-low #counters { height: 2; }
OneStation.-narrow.-tall #events_panel { height: 11; }
OneStation.-narrow.-tall #top { height: 9; }
OneStation.-narrow.-events #events_panel { height: 18; }
OneStation.-narrow.-events #results_panel, OneStation.-narrow.-events #counters { display: none; }

OneStation.-wide #left { width: 37%; min-width: 52; max-width: 96; }
OneStation.-wide #results_panel { width: 1fr; height: 100%; }
OneStation.-wide #top { layout: vertical; height: 2fr; min-height: 9; max-height: 24; }
OneStation.-wide #side { width: 100%; height: 1fr; }
OneStation.-wide #links { width: 100%; }
OneStation.-wide #events_panel { height: 2fr; min-height: 4; }
OneStation.-wide.-events #top, OneStation.-wide.-events #counters { display: none; }
"""


class View(App[None], inherit_bindings=False):
    """The screens over one watch."""

    CSS = _STYLE
    TITLE = "toolcart"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (TALL, "-tall")]
    BINDINGS: ClassVar = [
        Binding("n", "demo('switch', 'outlet')", "ToolsNet"),
        Binding("c", "demo('switch', 'controller')", "controller"),
        Binding("k", "demo('kill_agent')", "kill"),
        Binding("a", "demo('kill_archive')", "archive"),
        Binding("plus,equals_sign", "demo('change_rate', True)", "rate", key_display="+ -"),  # 80 columns are full
        Binding("minus", "demo('change_rate', False)", "slower", show=False),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q", "end", "quit"),
        Binding("ctrl+c", "end", "quit", show=False, priority=True),
    ]

    def __init__(self, watch: Watch, ascii_only: bool | None = None) -> None:
        super().__init__(driver_class=TerminalDriver)
        self.driven = watch  # not `watch`: that name is textual's
        self._ascii = AsciiOnly(enabled=not has_utf8() if ascii_only is None else ascii_only)
        self._drawn: tuple[object, ...] = ()
        self._stations = 0
        self._keys: deque[events.Event] = deque()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters that every line goes through last."""
        return [*super().get_line_filters(), *([self._ascii] if self._ascii.enabled else [])]

    def on_mount(self) -> None:
        self._resume_only_if_stopped()
        self.driven.start()
        self.push_screen(OneStation(self.driven))
        self._turn()
        self.set_interval(TURN_S, self._turn)

    def _resume_only_if_stopped(self) -> None:
        """Have SIGCONT resume the terminal only after SIGTSTP (Ctrl-Z) has left it.

        Textual's own handler starts its threads a second time at any SIGCONT, and the first of them are never told to
        end. The system sends one with SIGHUP when the terminal goes.
        """
        suspend, resume = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
        if not (callable(suspend) and callable(resume)):  # a driver without a terminal has none
            return
        is_suspended = False

        def suspended(*arguments: Any) -> None:
            nonlocal is_suspended
            is_suspended = True
            suspend(*arguments)

        def continued(*arguments: Any) -> None:
            nonlocal is_suspended
            if is_suspended:
                is_suspended = False
                resume(*arguments)

        signal.signal(signal.SIGTSTP, suspended)
        signal.signal(signal.SIGCONT, continued)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Show in the footer only the keys that this run has."""
        return action != "demo" or parameters[0] in self.driven.orders

    # -- keys --------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Have keys wait for each other (rule 6), but not Ctrl-C."""
        if not isinstance(event, events.Key) or event.is_forwarded or event.key == "ctrl+c":
            await super().on_event(event)
            return
        self._keys.append(event)
        if len(self._keys) == 1:
            self.run_worker(self._hand_keys())

    async def _hand_keys(self) -> None:
        while self._keys:
            try:
                if self.screen_stack:
                    await super().on_event(self._keys[0])
                    await self._settled()
            finally:
                self._keys.popleft()

    async def _settled(self) -> None:
        """Wait until all that a key goes through has handled what it was sent."""
        for _ in range(KEY_ROUNDS):
            start = self.focused or (self.screen if self.screen_stack else self)
            for node in start.ancestors_with_self:
                handled = asyncio.Event()
                if node.call_later(handled.set):
                    with suppress(TimeoutError):
                        await asyncio.wait_for(handled.wait(), KEY_PATIENCE_S)
            until_s = time.monotonic() + KEY_PATIENCE_S
            while self.screen_stack and not self.screen.is_mounted and time.monotonic() < until_s:
                await asyncio.sleep(0)

    def action_demo(self, order: str, *values: object) -> None:
        """Do something to the plant around the agent."""
        getattr(self.driven, order)(*values)

    def action_help(self) -> None:
        if not isinstance(self.screen, Help):
            self.push_screen(Help(panels.DEMO_KEYS + panels.KEYS if self.driven.orders else panels.KEYS))

    def action_end(self) -> None:
        self.driven.end()

    # -- showing -----------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        if not self.screen_stack:  # everything is taken down, but the timer still runs
            return
        self.driven.turn()
        if self.driven.phase == ENDED:
            self.exit()
            return
        count = len(self.driven.figures.station_statuses())
        if count != self._stations:
            self._stations = count
            if count > 1 and not any(isinstance(screen, Overview) for screen in self.screen_stack):
                self.switch_screen(Overview(self.driven))
            self.refresh_bindings()
        screen = self.screen
        if not isinstance(screen, WatchScreen) or not screen.is_mounted:  # help has nothing new to show
            return
        new = self.driven.version()
        try:
            if new == self._drawn:
                screen.show_title()
            else:
                screen.show()
                self._drawn = new
        except NoMatches:  # a screen that is being built or taken down lacks some of its parts: at the next turn
            self._drawn = ()


def run_view(watch: Watch, ascii_only: bool | None = None) -> int:
    """Show the run until it has ended; print the reconciliation; return the exit code."""
    with watch.handling_signals():
        View(watch, ascii_only).run()
        if watch.phase != ENDED:  # the screen failed: the agent is still ended in order
            watch.end()
            while watch.phase != ENDED:
                watch.turn()
                time.sleep(TURN_S)
        for change in watch.recent:
            if change.level == "bad":
                clock = time.strftime("%H:%M:%S", time.localtime(watch.began_s + change.at_s))
                print(f"{clock} {change.at_s:8.2f}  X {visible(change.text)}")
        for line in watch.account_lines():
            print(visible(line))
        return watch.exit_code
