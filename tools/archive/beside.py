"""The archive in a thread of the demo's process, in place of the simulated ToolsNet: the same books, a network to cut.

Rules
1. It keeps the contract of tools.sim.serve.Archived. Books are read from the database by connections of their own.
2. A cut resets every connection and frees the ports; joining takes the same ports again.
"""

from __future__ import annotations

import asyncio
import threading

from tools.archive import database
from tools.archive.server import Archive
from tools.archive.writer import Writer

HOST = "127.0.0.1"
START_LIMIT_S = 20.0


class Beside:
    """An archive on two free ports of the loopback; database.Unusable or OSError if it cannot begin."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.complaints: list[str] = []
        self.pim_port = self.server_port = 0
        self._wrong: BaseException | None = None
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._run, name="archive's server", daemon=True)
        self._thread.start()
        if not self._listens.wait(START_LIMIT_S):
            raise OSError(f"{place}: the archive did not begin within {START_LIMIT_S:.0f} s")
        if self._wrong:
            raise self._wrong
        self._reads = database.connect(place, writes=False)

    # -- the network -----------------------------------------------------------------------------------------------

    def cut(self, cut: bool) -> None:
        """Cut PIM and server off, or connect them again."""
        self._call(self._archive.cut() if cut else self._archive.listen(HOST, self.pim_port, self.server_port))

    def close(self) -> None:
        """Commit what waits, and end."""
        self._reads.dispose()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    # -- the books -------------------------------------------------------------------------------------------------

    @property
    def repeated(self) -> int:
        """How many arrivals were none of a new result."""
        return self.query("SELECT COALESCE(SUM(Arrivals - 1), 0) FROM Result")[0][0]

    @property
    def out_of_order(self) -> int:
        """How many results came behind a later one."""
        return self.query("SELECT COALESCE(SUM(Behind), 0) FROM Result")[0][0]

    def tightening_ids(self) -> list[int | None]:
        """The tightening IDs in order of arrival."""
        return [row[0] for row in self.query("SELECT TighteningId FROM Result ORDER BY ResultId")]

    def newest_tightening_id(self) -> int:
        """The tightening ID of the last result that has one, 0 for none."""
        rows = self.query("SELECT TighteningId FROM Result WHERE TighteningId NOT NULL ORDER BY ResultId DESC LIMIT 1")
        return rows[0][0] if rows else 0

    def query(self, sql: str, values: tuple = ()) -> list[tuple]:
        """Rows by SQL."""
        with self._reads.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql, values)]

    # -- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as wrong:  # told by the thread that waits for it
            self._wrong = wrong
        self._listens.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        with database.writing(self.place) as engine:
            self._archive = Archive(Writer(engine, self.complaints.append), HOST, say=self.complaints.append)
            try:
                self.pim_port, self.server_port = await self._archive.listen(HOST, 0, 0)
                self._listens.set()
                await self._stop.wait()
            finally:
                await self._archive.close()

    def _call(self, what) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(START_LIMIT_S)
