"""One live view for many stations, one after the other: to build it takes four times as long as to show another one.

Rules
1. It runs while it is asked, and stands still between two questions.
2. An app of textual's takes stdout and stderr for as long as it lives: each question gives them back.
"""

import asyncio
import atexit
import sys
from contextlib import redirect_stderr, redirect_stdout

from toolcart.tools.live.view import View
from host_tests.tools.live.test_live_view import _Still, _text_of


class LastingView:
    """A live view of this size; called with a station's status it returns the text of its screen."""

    def __init__(self, size):
        self._size = size
        self._loop = asyncio.new_event_loop()
        self._stations = asyncio.Queue()
        self._texts = asyncio.Queue()
        self._showing = self._loop.create_task(self._show())
        atexit.register(self._close)

    def __call__(self, station):
        self._stations.put_nowait(station)
        return self._run(self._text())

    async def _show(self):
        watch = _Still([])
        view = View(watch, ascii_only=False)
        async with view.run_test(size=self._size) as pilot:
            while station := await self._stations.get():
                watch.show(station)
                view._drawn = ()
                view._turn()
                await pilot.pause()
                self._texts.put_nowait(_text_of(view))

    async def _text(self):
        text = asyncio.ensure_future(self._texts.get())
        await asyncio.wait([text, self._showing], return_when=asyncio.FIRST_COMPLETED)
        return text.result() if text.done() else self._showing.result()

    def _run(self, what):
        with redirect_stdout(sys.stdout), redirect_stderr(sys.stderr):
            return self._loop.run_until_complete(what)

    def _close(self):
        self._stations.put_nowait(None)
        self._run(self._showing)
        self._loop.close()
