"""A scrolling list of lines: only the lines on the screen are made, however many there are.

Rules
1. `write(index, width)` gives a line; `show(count)` says how many there are and that they may have changed.
2. With a cursor, Enter or a click chooses a line (`Chosen`) and each move is sent as `Moved`; without one the keys
   scroll.
3. A list that `follows` stays at its end until the user scrolls away from it, and again when they come back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

_CURSOR = "▌"


class Rows(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines, one below the other."""

    DEFAULT_CSS = """
    Rows { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """
    BINDINGS: ClassVar = [
        Binding("up", "go(-1)", "up", show=False),
        Binding("down", "go(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "end(-1)", "first", show=False),
        Binding("end", "end(1)", "last", show=False),
        Binding("enter", "choose", "open", show=False),
    ]

    class Chosen(Message):
        """The line of this number was chosen."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Moved(Message):
        """The cursor has moved."""

    def __init__(
        self, write: Callable[[int, int], Text], name: str, has_cursor: bool = False, follows: bool = False
    ) -> None:
        super().__init__(id=name)
        self._write = write
        self._has_cursor = has_cursor
        self._follows = follows
        self._is_at_end = True
        self.count = 0
        self.cursor = 0

    @property
    def cells(self) -> int:
        """Return the width of a line with its cursor; the scroll bar's place is kept free even when there is none."""
        return self.scrollable_content_region.width

    def show(self, count: int) -> None:
        """Show `count` lines, all of which may be new."""
        if count != self.count:
            self.count = count
            self.cursor = min(self.cursor, max(count - 1, 0))
            self.virtual_size = Size(0, count)
            self._follow()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        width = self.cells
        base = self.rich_style
        if index >= self.count:
            return Strip.blank(width, base)
        is_cursor = self._has_cursor and index == self.cursor
        cursor_cell = (_CURSOR if is_cursor else " ") if self._has_cursor else ""
        text = self._write(index, width - len(cursor_cell))
        text.truncate(width - len(cursor_cell), overflow="ellipsis")
        if is_cursor:
            base += Style(bgcolor="#33475b", bold=self.has_focus)
        segments = [Segment(cursor_cell), *text.render(self.app.console, end="")]
        return Strip(Segment.apply_style(segments, base)).adjust_cell_length(width, base)

    def action_go(self, lines: int) -> None:
        if self._has_cursor:
            self._move(self.cursor + lines)
        else:
            self.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        self.action_go(pages * max(self.size.height - 1, 1))

    def action_end(self, direction: int) -> None:
        if self._has_cursor:
            self._move(self.count if direction > 0 else 0)
        elif direction > 0:
            self.scroll_end(animate=False)
        else:
            self.scroll_home(animate=False)

    def action_choose(self) -> None:
        if self._has_cursor and self.count:
            self.post_message(self.Chosen(self.cursor))

    def on_click(self, event: events.Click) -> None:
        if self._has_cursor and event.y + self.scroll_offset.y < self.count:
            self._move(event.y + self.scroll_offset.y)
            if event.chain == 2:
                self.action_choose()

    def _move(self, index: int) -> None:
        self.cursor = max(0, min(index, self.count - 1))
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        """Scroll just far enough to have the cursor on the screen."""
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def _follow(self) -> None:
        if self._follows and self._is_at_end:
            self.scroll_end(animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) >= self.max_scroll_y:
            self._is_at_end = True
        elif new_value < old_value:  # more lines below do not count as scrolling away
            self._is_at_end = False

    def on_resize(self) -> None:
        if self._has_cursor:
            self._show_cursor()
        self._follow()
