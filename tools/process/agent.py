"""One run of the agent: its app, its loop, its sockets, and what it tells of itself, line by line.

Rules
1. A line is an object with a `kind`: started, spool, note, reload, order, status, stopped, failed.
2. A service without a spool does not end: its manager could only start it again. It says why and tries again every
   MOUNT_RETRY_MS, as it does for one of several spools; a disk that comes back is used.
3. SIGHUP makes the run that follows it (`successor`), if the configuration can be taken
   (toolcart.tools.process.supervisor).
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Callable
from typing import Any, TextIO

from toolcart.agent.base import counters as counter
from toolcart.agent.base.ticks import ticks_add, ticks_diff
from toolcart.agent.cart import status
from toolcart.agent.cart.app import App, Station
from toolcart.agent.cart.watchdog import Liveness
from toolcart.agent.log.flash import REFUSED_GONE
from toolcart.agent.log.mount import MOUNT_FOREIGN
from toolcart.base.exit_codes import EXIT_FINE, EXIT_SPOOL
from toolcart.board import loop
from toolcart.board.linux import order_log
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux.board import Board
from toolcart.board.linux.control import SUFFIX, Control, station_orders
from toolcart.board.linux.notify import Notifier, Supervision
from toolcart.board.linux.server_clock import ServersClock
from toolcart.tools.config import file as config_file
from toolcart.tools.config import socket_location
from toolcart.tools.config.files import Checked, Files, read_to_run
from toolcart.tools.messages import waiting_by_outlet
from toolcart.tools.process.configuration_watch import ConfigurationWatch
from toolcart.tools.process.idle_save import IdleSave
from toolcart.tools.process.stored_times import StoredTimes
from toolcart.tools.status import process, server

STATUS_EVERY_MS = 200
STATUS_EVERY_MANY_MS = 1000
MANY = 4  # stations: with more of them people look at totals, and their state costs the agent more
NONE = -1  # not a station's number
INIT = 1  # the process ID of a container's first process; the container ends with it
RESULTS_VIEWED = 60  # results: as many as a tall screen has room for


class ViewedStation:
    """The station being looked at, as stdin says; a port for the board, which wakes it (toolcart.board.linux.board)."""

    wants_out = False
    slot = -1

    def __init__(self, stream: TextIO) -> None:
        self.sock: TextIO | None = None
        self.station = NONE
        self._partial = b""
        # Only a pipe of our own: making a terminal non-blocking would break the shell that started us.
        with contextlib.suppress(OSError, ValueError):
            if stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode):
                os.set_blocking(stream.fileno(), False)
                self.sock = stream

    def looks_up(self) -> bool:
        return False

    def changed(self) -> bool:
        """Read what came; True if it is a different station now."""
        before = self.station
        while self.sock is not None:
            try:
                received = os.read(self.sock.fileno(), 4096)
            except BlockingIOError:
                break
            except OSError:
                received = b""
            if not received:
                self.sock = None  # nothing more will come
                break
            *lines, self._partial = (self._partial + received).split(b"\n")
            for line in lines:
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    self.station = int(json.loads(line)["look"])
        return self.station != before


class Agent:
    """One run of the agent with this configuration file; `emit` gets every line as a dict."""

    def __init__(
        self,
        configuration: dict,
        path: str,
        every_ms: int | None,
        emit: Callable[[dict], None],
        viewed: ViewedStation | None = None,
        files: Files | None = None,
    ) -> None:
        self.board = Board(str(config_file.folder_of(path)))
        self._path = path
        self.configured = ConfigurationWatch(path, files or Files(path), self._reload_faults)
        self.reload_asked = False
        self.successor: Agent | None = None  # who goes on once this one has ended in order
        self.app = App(configuration, self.board)
        has_many = len(self.app.stations) > MANY
        self._wanted_ms = every_ms
        self.every_ms = every_ms or (STATUS_EVERY_MANY_MS if has_many else STATUS_EVERY_MS)
        self._viewed = viewed
        if viewed is not None:
            self.board.poll_also([viewed])
        self.emit = emit
        self.exit_code = EXIT_FINE
        self._due = self.board.now()
        # Under systemd this process is watched; elsewhere the notifier does nothing.
        self._notifier = Notifier()
        self._is_service = bool(self._notifier.address) or os.getpid() == INIT
        wish = configuration["toolsnet"]["clock"] if configuration["toolsnet"] else "off"
        self._clock = ServersClock(self.app, self.board, wish == "set") if wish != "off" else None
        self._liveness = Liveness(self.app, self._due)
        self._idle_save = IdleSave(self.app.stations, self._due)
        self._stored_times = StoredTimes(self.app.stations, self._due)
        self._controls: dict[int, Control] = {}  # by station number, once its spool is ours
        self._reported_problems: list[str] = []
        self._reported_notes: set[str] = set()
        self._status_problem = ""  # what keeps the status socket from being made, as the log has it

    def run(self, keeps_running: Callable[[], bool] = lambda: True) -> int:
        """Run until `board.request_stop`, `keeps_running` returns False, or no spool can be used; then end in order."""
        self.emit({"kind": "started", "pid": os.getpid(), "stations": len(self.app.stations)})
        self._due = self.board.now()
        supervision = Supervision(self._notifier, self._liveness, self._due)
        control_socket = self._open_status_socket()

        def on_turn(now: int) -> int:
            if self._clock is not None:
                self._clock.on_turn(now)
            self._report_spools()
            self._open_controls()
            self._stored_times.on_turn(now)
            if self._has_no_spool() and not self._is_service:
                self.exit_code = EXIT_SPOOL
                return -1
            if self.board.stop_asked:
                return -1
            if not keeps_running():
                self._judge_end()
                return -1
            if self.reload_asked and self._reload():
                return -1
            left_ms = ticks_diff(self._due, now)
            if self._viewed is not None and self._viewed.changed():
                left_ms = 0
            if left_ms <= 0:
                self._due = ticks_add(now, self.every_ms)
                self.emit({"kind": "status", **self._snapshot()})
                left_ms = self.every_ms
            for control in (control_socket, *self._controls.values()):
                left_ms = min(left_ms, control.on_turn(now))
            self._report_status_socket(control_socket)
            left_ms = min(left_ms, self._idle_save.on_turn(now), self.configured.on_turn(now))
            return min(left_ms, supervision.on_turn(now, self._service_status))

        loop.run(self.app, self.board, on_turn)
        if self.successor is None:
            self._notifier.stopping()
        for control in (control_socket, *self._controls.values()):
            control.close()
        loop.stop(self.app, self.board)
        return self.exit_code

    def _judge_end(self) -> None:
        """Let an end that nobody asked for, before any spool was up, be the failure that was told."""
        is_up = any(station.mounted for station in self.app.stations)
        if self._reported_problems and not is_up and not self._is_service:
            self.exit_code = EXIT_SPOOL

    def request_reload(self) -> None:
        """Ask for the configuration to be read again, from a signal handler."""
        self.reload_asked = True
        self.board.end_sleep()

    def _reload(self) -> bool:
        """Make who goes on with the configuration as it is now; False if it cannot be taken, and this one goes on."""
        self.reload_asked = False
        self._notifier.reloading()
        found, otherwise = self.configured.problems(), ""
        if not found:
            try:
                configuration, files = read_to_run(self._path)
                self.successor = Agent(configuration, self._path, self._wanted_ms, self.emit, self._viewed, files)
                self.successor.app.know_names(self.app.known_names)
            except (config_file.ConfigurationError, OSError, ValueError) as error:
                otherwise = " ".join(str(error).split())
        if found or otherwise:
            self.configured.note_refused_reload(found, otherwise)
            self._due = self.board.now()  # whoever has asked waits for the answer
            self._notifier.ready()
            return False
        self.configured.stop()
        self.emit({"kind": "reload", "text": "the configuration is read again: the agent restarts in order"})
        return True

    def _all_reload_faults(self) -> list[config_file.Mistake]:
        """Return what a reload would be refused for now, found by a check or only by reading it to run."""
        found = self.configured.problems()
        if not found:
            try:
                read_to_run(self._path)
            except (config_file.ConfigurationError, OSError, ValueError) as error:
                return [(config_file.WHOLE_FILE, "", " ".join(str(error).split()))]
        return found

    def _reload_faults(self, checked: Checked) -> Checked:
        """Return what refuses a reload: what was found, but for what this agent tolerates, and spools that are gone."""
        if checked.configuration is not None and not checked.mistakes:
            checked.lacks += self._spools_gone(checked.configuration)
        if not checked.lacks:
            return checked
        from toolcart.tools.process import tolerated_faults  # few configurations lack something

        stations = self._snapshot_of_stations()["stations"]
        return tolerated_faults.without(checked, stations, config_file.folder_of(self._path))

    def _spools_gone(self, configuration: dict) -> list[config_file.Mistake]:
        """List the spools that this agent has and that are not there: a reload would begin new ones, or use others."""
        paths = {os.path.join(self.board.folder, station["spool"]["path"]) for station in configuration["stations"]}
        gone = sorted(path for path in paths if self.board.has_lost_spool(path))
        words = linux_refusal.meaning(REFUSED_GONE)
        return [
            (config_file.WHOLE_FILE, "", f"{path}: {words}; {linux_refusal.advice(REFUSED_GONE, path)}")
            for path in gone
        ]

    def last_line(self) -> dict:
        """Return the line to send when everything is closed."""
        return {"kind": "stopped", **self._snapshot()}

    def _snapshot_of_stations(self, viewed: int = NONE) -> dict:
        snapshot = status.snapshot(self.app, RESULTS_VIEWED, viewed)
        for station, details in zip(self.app.stations, snapshot["stations"], strict=True):
            self._put_details(station, details)
        return snapshot

    def _put_details(self, station: Station, details: dict) -> None:
        server.put_details(station, details, self._no_orders_of(station))
        if station.mounted:
            self._stored_times.put_oldest(station, details)

    def _snapshot(self) -> dict:
        snapshot = self._snapshot_of_stations(self._viewed.station if self._viewed is not None else NONE)
        agent = {**process.identity(), "configuration": self.configured.reported()}
        return {**snapshot, "agent": agent}

    def _service_status(self) -> str:
        """Return what `systemctl status` shows."""
        mounted: list[Any] = [station for station in self.app.stations if station.mounted]
        if not mounted and self._reported_problems:
            return f"no spool can be used: {self._reported_problems[0]}"
        figures = [_figures_of(station) for station in mounted]
        stored = waiting_by_outlet.stored_text(figures)
        waiting = waiting_by_outlet.waiting_text(figures, "waiting")
        has_toolsnet = any("delivered" in one for one in figures)
        to_toolsnet = f"{waiting_by_outlet.delivered_text(figures)} delivered, " if has_toolsnet else ""
        stations = f"{len(mounted)} of {len(self.app.stations)} stations"
        return f"{stations}, {stored} results stored, {to_toolsnet}{waiting}"

    def _report_spools(self) -> None:
        problems = spool_problems(self.app, self.board)
        if problems != self._reported_problems:
            before, self._reported_problems = self._reported_problems, problems
            for problem in problems:
                if problem not in before:
                    self.emit({"kind": "spool", "text": problem})
        for kind, notes in (("made", self.board.spools_made()), ("note", self.board.spool_notes())):
            for note in notes:
                if note not in self._reported_notes:
                    self.emit({"kind": kind, "text": note})
                    self._reported_notes.add(note)

    def _open_status_socket(self) -> Control:
        """Open the socket for `toolcart status` before any spool is up: it says why none comes up."""
        app, board = self.app, self.board
        path = socket_location.socket_of(self._path)
        problem_of = lambda station: spool_problem(app, board, station)  # noqa: E731
        control_socket = server.open_socket(
            path,
            app,
            board,
            problem_of,
            self._put_details,
            self.configured.check_and_report,
            self._all_reload_faults,
            self._report_order,
            self._clock,
        )
        self.board.poll_also(control_socket.ports())
        self._report_status_socket(control_socket)
        return control_socket

    def _report_status_socket(self, control: Control) -> None:
        """Put into the log why nobody can ask there, once, and when that is over."""
        if control.problem != self._status_problem:
            self._status_problem = control.problem
            cannot = f"`toolcart status` cannot ask this agent: {control.problem}"
            cannot += f"; {control.cure}" if control.cure else ""
            text = cannot if control.problem else f"this agent answers at {control.path} now"
            self.emit({"kind": "note", "text": text})

    def _no_orders_of(self, station: Station) -> str:
        """Return what keeps the station's own socket from being made, "" if nothing does."""
        control = self._controls.get(station.number)
        return control.problem if control is not None else ""

    def _open_controls(self) -> None:
        """Open a station's socket once its spool is up: the lock then says that no other agent serves it."""
        for station in self.app.stations:
            if not station.mounted or station.log is None or station.number in self._controls:
                continue
            path = station.log.device.device.path
            self._report_earlier_orders(path)
            control = Control(path + SUFFIX, station_orders(station, self.board, self._report_order))
            self._controls[station.number] = control
            self.board.poll_also(control.ports())

    def _report_order(self, text: str) -> None:
        """Put an operator's order into the log."""
        self.emit({"kind": "order", "text": text})

    def _report_earlier_orders(self, path: str) -> None:
        """Put into the log what was done to this spool while no agent ran."""
        try:
            order_log.take(path, self._report_order)
        except OSError as error:
            words = "orders that were given while no agent ran cannot be read, or not be removed once they are told"
            self.emit({"kind": "note", "text": f"{path}{order_log.SUFFIX}: {words}: {error.strerror}"})

    def _has_no_spool(self) -> bool:
        """True if no station has a spool; one bad spool among several is only reported, and tried again."""
        return len(self._reported_problems) == len(self.app.stations)


def _figures_of(station: Any) -> dict:
    """Return of a station's status only what is stored, what waits for its outlets, and what ToolsNet has taken."""
    outlets = []
    for outlet in station.outlets:
        count, is_bound = status.waits_for(station, outlet)
        one = {"kind": outlet.kind, "name": station.names[outlet.index], "waiting": count, "waiting_at_most": is_bound}
        outlets.append(one)
    figures: dict[str, Any] = {"outlets": outlets}
    figures["stored"], figures["stored_at_least"] = status.stored_of(station)
    if station.quarantine is not None:
        figures["delivered"], figures["delivered_at_least"] = status.delivered_of(station)
    return figures


def spool_problems(app: App, board: Board) -> list[str]:
    """Return why spools are not up, one text for each station that has tried and has none, with its number."""
    tried = [
        station for station in app.stations if not station.mounted and station.counters.counts[counter.FLASH_FAILED]
    ]
    has_several = len(app.stations) > 1
    names = [f"station {station.number}: " if has_several else "" for station in tried]
    return [name + spool_problem(app, board, station) for name, station in zip(names, tried, strict=True)]


def spool_problem(app: App, board: Board, station: Station) -> str:
    """Return why this station's spool is not up."""
    path = os.path.join(board.folder, station.settings["spool"]["path"])
    if path in board.unusable:
        return board.unusable[path]
    if station.why == MOUNT_FOREIGN:
        return f"{path} is left as it is: {status.FOREIGN}"
    fault = app.scheduler.last_fault
    return f"{path} cannot be read{f': {fault}' if fault else ''}"
