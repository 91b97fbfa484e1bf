"""Files of lists: written one at a time by a process of their own, offered when they are done.

    job = exports.start(listed, "xlsx", "anna")       waits for its turn
    await job.finished(3)                             True if it is done; else its page shows how far it is

Rules
1. Nothing is read before a file's turn comes, and then in constant memory, whatever the number of rows.
2. Files lie in a folder of this process and go with it; the newest KEPT of each user stay for KEPT_S.
3. Of the places for files that wait, a user with a name has OF_ONE_MOST.
4. Who started a file may have it, and an admin; its number cannot be guessed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
import time
from dataclasses import dataclass, field

from toolcart.archive.database.environment import PLACE_VARIABLE
from toolcart.archive.file_formats import export
from toolcart.archive.web.list_rows import ListQuery
from toolcart.base import subprocesses

KEPT = 8
KEPT_S = 3600.0
WAITING_MOST = 16
OF_ONE_MOST = 4
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


class QueueFull(Exception):
    """Too many files wait already, of all users or of this one."""


@dataclass
class Job:
    """A file that is wanted."""

    number: str
    listed: ListQuery
    kind: str
    who: str
    state: str = WAITING
    count: int = 0
    total: int = 0
    path: str = ""
    is_whole: bool = False  # its process has written all of it
    why: str = ""
    ended_s: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """The file's name for who takes it."""
        return f"{self.listed.what}.{export.FORMATS[self.kind].ending}"

    async def finished(self, within_s: float | None) -> bool:
        """Wait for its end, at most so long; True if it has ended."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), within_s)
        return self.ended.is_set()


class Exports:
    """The files of one archive's pages."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task] = set()
        self._turn = asyncio.Lock()
        self._folder = ""

    def start(self, listed: ListQuery, kind: str, who: str) -> Job:
        """Have a file written when its turn comes; QueueFull if too many wait."""
        self._tidy()
        waiting = [job.who for job in self._jobs.values() if not job.ended.is_set()]
        if len(waiting) >= WAITING_MOST or (who and waiting.count(who) >= OF_ONE_MOST):
            raise QueueFull
        job = Job(secrets.token_hex(16), listed, kind, who)
        self._jobs[job.number] = job
        task = asyncio.create_task(self._write(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def find(self, number: str) -> Job | None:
        self._tidy()
        return self._jobs.get(number)

    def forget(self, job: Job) -> None:
        """Delete a file that was taken at once."""
        self._jobs.pop(job.number, None)
        with contextlib.suppress(OSError):
            os.unlink(job.path)
        if not self._jobs:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    async def close(self) -> None:
        """End what is being written, and delete all files."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._jobs.clear()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _tidy(self) -> None:
        ended: dict[str, list[Job]] = {}
        for job in sorted(self._jobs.values(), key=lambda job: job.ended_s):
            if job.ended.is_set():
                ended.setdefault(job.who, []).append(job)
        for jobs in ended.values():
            for job in jobs[:-KEPT] + [job for job in jobs[-KEPT:] if time.monotonic() - job.ended_s > KEPT_S]:
                self.forget(job)

    async def _write(self, job: Job) -> None:
        try:
            async with self._turn:
                self._folder = self._folder or tempfile.mkdtemp(prefix="toolcart-")
                job.path = f"{self._folder}/{job.number}"
                job.state = RUNNING
                await self._run(job)
        finally:
            job.state = DONE if job.is_whole else FAILED
            job.why = "" if job.is_whole else job.why or "The process that wrote it has ended."
            job.ended_s = time.monotonic()
            job.ended.set()

    async def _run(self, job: Job) -> None:
        process = await asyncio.create_subprocess_exec(
            *subprocesses.command("-m", "toolcart.archive.web.export_process", job.kind, job.path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, PLACE_VARIABLE: self._place},
            start_new_session=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(job.listed.text().encode())
            process.stdin.close()
            async for line in process.stdout:
                self._take_line(job, line.decode("utf-8", "replace").rstrip("\n"))
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _take_line(self, job: Job, line: str) -> None:
        word, _, argument = line.partition(" ")
        if word == "total":
            job.total = int(argument)
        elif word == "count":
            job.count = int(argument)
        elif word == "failed":
            job.why = argument
        elif word == "done":
            job.count, job.is_whole = int(argument), True
