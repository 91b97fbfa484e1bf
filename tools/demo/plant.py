"""The agent between a simulated controller and an archive of our own, with every result accounted for.

Rules:
1. The agent is the real one in a process of its own, with a real spool file, over real TCP on 127.0.0.1; only its waits
   are short (SETTINGS), so that it recovers within a second after an outage. The archive is the real
   one too, and shares no code with the agent's telegrams; it listens before the agent is started.
2. Results are produced once the agent has met both sides; a script or keys cut networks and kill agent or archive
   (SIGKILL).
3. At the end: no more results, networks rejoined, at most DRAIN_LIMIT_S until all is delivered, orderly stop.
4. The serial links run over a pty: cutting the controller means pulling out the adapter.
5. The reconciliation compares the controller's books with the archive's, ID by ID; what the agent says
   does not count.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from toolcart.archive.server import demo_server
from toolcart.base.exit_codes import EXIT_FINE, EXIT_OTHER
from toolcart.sim.controller_quirks import ControllerOptions
from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.demo import faults as demo_faults
from toolcart.tools.demo.faults import Faults
from toolcart.tools.demo.folder import ARCHIVE, LINE, first_id_in, keep_newest_id, write_configuration
from toolcart.tools.live.figures import BAD, GOOD, INFO, WARNING
from toolcart.tools.live.watch import DRAINING, ENDED, RUNNING, STARTING, Watch

if TYPE_CHECKING:
    from toolcart.archive.web.serving import Child


NETWORKS = {"outlet": "ToolsNet", "controller": "the controller"}  # that can be cut, by side
RATE_PER_S = 5.0
RATES_PER_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)  # the steps of + and -
JITTER = 0.3
MEETING_LIMIT_S = 20.0
DRAIN_LIMIT_S = 60.0
ACCOUNT_EVERY_S = 0.5
ACCOUNT_SHARE = 20  # at most this fraction, a twentieth, of the time goes into the reconciliation


class Demo(Watch):
    """One run of the demo; a given folder is kept and used again."""

    orders = ("switch", "kill_agent", "change_rate", "kill_archive")

    def __init__(
        self,
        folder: str | Path | None = None,
        seconds: float | None = None,
        rate_per_s: float = RATE_PER_S,
        faults: Faults | None = None,
        seed: int = 1,
        link: str = "tcp",
        start_pages: Callable[[str], Child] | None = None,
    ) -> None:
        """`start_pages` gets the archive's place and starts its pages."""
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="toolcart-demo-") if folder is None else folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        first_id = first_id_in(self.folder)
        self.archived = demo_server.DemoServer(str(self.folder / ARCHIVE)).ready()
        self.plant = SimulatedPlant(
            first_id=first_id,
            controller_options=ControllerOptions(seed=seed),
            link=link,
            line_path=self.folder / LINE,
            archived=self.archived,
        )
        self._pages = start_pages(self.archived.place) if start_pages else None
        ports = (self.plant.pim_port, self.plant.controller_port if link == "tcp" else 0)
        super().__init__(write_configuration(self.folder, link, *ports), seconds)
        self._first = first_id or self.archived.newest_tightening_id() + 1
        self.faults = faults or Faults()
        self.rate_per_s = rate_per_s
        self.cut = dict.fromkeys(NETWORKS, False)
        self.kills = 0
        self.outages = dict.fromkeys(NETWORKS, 0)
        self.books = {}
        self._first_result_s: float | None = None
        self._first_delivered_s: float | None = None  # since the agent's first start
        self._drain_by_s = 0.0
        self._account_due_s = 0.0
        self._complaints_reported = 0
        self._final: dict | None = None

    # -- for showing it ----------------------------------------------------------------------------------------

    def title(self) -> str:
        return "demo"

    def activity(self) -> str:
        return f"{self.rate_per_s:g} results/s, {self.kills} kills"

    def version(self) -> tuple[object, ...]:
        return (*super().version(), *self.cut.values(), self.rate_per_s)

    def running_s(self) -> float:
        """Return the seconds since the first result."""
        return 0.0 if self._first_result_s is None else time.monotonic() - self._first_result_s

    def summary(self) -> dict:
        books = {name: self.books.get(name, 0) for name in ("produced", "acknowledged", "repeated", "out_of_order")}
        return {**super().summary(), **books, "delivered": self.books.get("delivered", 0)}

    def summary_text(self) -> str:
        counts = self.summary()
        cut = [name for side, name in NETWORKS.items() if self.cut[side]]
        state = f"; {' and '.join(cut)} cut off" if cut else ""
        return (
            f"produced {counts['produced']}, acknowledged {counts['acknowledged']}, "
            f"in the archive {counts['delivered']} ({counts['delivered_per_s']}/s), "
            f"waiting {counts['waiting']}, repeated {counts['repeated']}{state}"
        )

    def account(self) -> dict:
        """Return the reconciliation, which is what counts at the end of a run."""
        books = self._final or self._reconcile()
        backlog = self.figures.total("backlog")
        parked = self.figures.total("parked")
        return {
            **{name: books[name] for name in ("produced", "acknowledged", "answers_lost", "delivered")},
            **{name: books[name] for name in ("repeated", "doubled")},
            "lost": demo_faults.lost(books, backlog, parked),
            "out_of_order": books["out_of_order"],
            "waiting": backlog,
            "parked": parked,
            "complaints": books["complaints"],
            "kills": self.kills,
            "archive_kills": self.archived.kills,
            "agent_crashes": self.crashes,
            "toolsnet_outages": self.outages["outlet"],
            "controller_outages": self.outages["controller"],
            "first_delivered_s": self._first_delivered_s,
            "archive_started_s": round(self.archived.started_s, 2),
            "seconds": round(self.elapsed_s(), 1),
            "exit_code": self.exit_code,
        }

    def account_lines(self) -> list[str]:
        kept_folder = "" if self._temporary else str(self.folder)
        return demo_faults.lines(self.account(), kept_folder, self.archived.place)

    # -- commands ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.plant.start()
        super().start()
        if self._pages is not None:
            self.note(INFO, f"the archive's pages come up at {self._pages.address}")
        self.note(INFO, f"ToolsNet is `toolcart archive`, started {self.archived.started_s:.1f} s before the agent")

    def end(self) -> None:
        """End in order: deliver what is there, then stop; a second call does not wait for delivery."""
        if self.phase == RUNNING:
            self._begin_draining()
        elif self.phase == DRAINING:
            self.note(WARNING, "the rest was not delivered in time")
            self._stop_agent()
        else:
            super().end()

    def switch(self, side: str, cut: bool | None = None) -> None:
        """Cut this side's network, or join it again; None switches it over."""
        cut = not self.cut[side] if cut is None else cut
        if cut == self.cut[side]:
            return
        self.cut[side] = cut
        self.outages[side] += cut
        (self.plant.cut_toolsnet if side == "outlet" else self.plant.cut_controller)(cut)
        self.note(INFO, f"{NETWORKS[side]}'s network is {'cut' if cut else 'back'}")

    def kill_agent(self) -> None:
        """Kill the agent as a power cut would, and start it again on the same spool."""
        if self.phase not in (RUNNING, DRAINING) or self.child.exit_code() is not None:
            return
        self.child.kill()
        self._read_child_lines()
        self.figures.ended()
        self.kills += 1
        self.note(WARNING, "the agent was killed (SIGKILL) and is started again")
        self.child.start()

    def kill_archive(self) -> None:
        """Kill ToolsNet's server and database as a power cut would, and start them again."""
        if self.phase in (RUNNING, DRAINING):
            self.archived.kill()
            self.note(WARNING, "the archive was killed (SIGKILL) and is started again")

    def change_rate(self, faster: bool) -> None:
        """Go to the next rate."""
        steps = [rate for rate in RATES_PER_S if (rate > self.rate_per_s if faster else rate < self.rate_per_s)]
        if steps and self.phase in (STARTING, RUNNING):
            self.rate_per_s = steps[0] if faster else steps[-1]
            if self.phase == RUNNING:
                self.plant.produce_rate(self.rate_per_s, JITTER)

    def close(self) -> None:
        super().close()
        if self._pages is not None:
            self._pages.close()
        self.plant.close()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- turning -----------------------------------------------------------------------------------------------

    def turn(self) -> None:
        if self.phase == STARTING and self.elapsed_s() > MEETING_LIMIT_S:
            self.note(BAD, "the agent did not meet both sides in time")
            self.exit_code = EXIT_OTHER
            self.end()
        super().turn()
        if self.phase == RUNNING:
            for action in self.faults.due(self.running_s()):
                self._apply_fault(action)
        if self.phase == RUNNING and self._first_delivered_s is None:
            self._note_first_delivery()
        self._update_books()
        if self.phase in (RUNNING, DRAINING):
            self.archived.look_after(lambda text: self.note(BAD, text))
        if self.phase == DRAINING:
            self._check_drain()

    def _time_is_up(self) -> bool:
        """The demo's seconds count from its first result."""
        return self.seconds is not None and self.running_s() >= self.seconds

    def _apply_fault(self, action: str) -> None:
        if action == demo_faults.KILL:
            self.kill_agent()
        elif action == demo_faults.KILL_ARCHIVE:
            self.kill_archive()
        else:
            self.switch(*demo_faults.SWITCHES[action])

    def _enter_running(self) -> None:
        """Wait until both sides have been met: results made before that would belong to nobody."""
        recovery = self.figures.station_statuses()[0].get("recovery", {"phase": ""})
        if self.figures.all_connected() and recovery["phase"] == "idle":
            self.phase = RUNNING
            self._first_result_s = time.monotonic()
            self.plant.produce()  # the first one at once, so that there is something to see
            self.plant.produce_rate(self.rate_per_s, JITTER)

    def _begin_draining(self) -> None:
        self.plant.stop_producing()
        for side in NETWORKS:
            self.switch(side, False)
        self.phase = DRAINING
        self._drain_by_s = time.monotonic() + DRAIN_LIMIT_S
        self._account_due_s = 0.0  # the current books may lack the last results
        self.note(INFO, "no more results; waiting until all are delivered")

    def _check_drain(self) -> None:
        books = self.books
        arrived = books["delivered"] + self.figures.total("parked")
        if books["produced"] <= arrived and self.figures.total("backlog") == 0 and self.figures.all_connected():
            self.note(GOOD, "everything is delivered")
            self._stop_agent()
        elif time.monotonic() > self._drain_by_s:
            missing = books["produced"] - books["delivered"]
            self.note(BAD, f"{missing} results were not delivered within {DRAIN_LIMIT_S:.0f} s")
            self._stop_agent()

    def _note_first_delivery(self) -> None:
        """Note how long it takes from nothing to a result in the archive."""
        if self.plant.account()["delivered"]:
            self._first_delivered_s = round(time.monotonic() - self.child.started_s, 2)
            self.note(GOOD, f"the first result is in ToolsNet, {self._first_delivered_s:.2f} s after the agent's start")

    def _update_books(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._account_due_s and self.phase != ENDED:
            self.books = self._reconcile()
            took_s = time.monotonic() - now_s
            self._account_due_s = now_s + max(ACCOUNT_EVERY_S, took_s * ACCOUNT_SHARE)
            complaints = self.plant.complaints()
            for complaint in complaints[self._complaints_reported :]:
                self.note(BAD, f"the simulators report: {complaint}")
            self._complaints_reported = len(complaints)

    def _reconcile(self) -> dict:
        return {**self.plant.account(), "doubled": demo_faults.doubled(self.archived, self._first)}

    def _finish(self) -> None:
        self.plant.stop_producing()
        self._final = self.books = self._reconcile()
        if not self._temporary and self.plant.controller.produced:
            keep_newest_id(self.folder, self.plant.controller.produced[-1])
        account = self.account()
        if self.exit_code == EXIT_FINE and demo_faults.is_wrong(account):
            self.exit_code = EXIT_OTHER
        self.phase = ENDED
