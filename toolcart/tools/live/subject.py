"""What the live view's screens show: one run of an agent, and of the demo around it if there is one."""

from __future__ import annotations

import time
from typing import Protocol, cast

from toolcart.tools.live import panels
from toolcart.tools.live.history import StationFigures
from toolcart.tools.live.watch import DRAINING, ENDED, RUNNING, STARTING, STOPPING, Watch

PHASES = {
    STARTING: "starting",
    RUNNING: "",
    DRAINING: "delivering what is left; q: do not wait",
    STOPPING: "stopping in order; q: at once",
    ENDED: "ended",
}


class Demo(Protocol):
    """What the screens show and do if there is a built-in plant around the agent (toolcart.tools.demo.plant)."""

    toolsnet_cut: bool
    controller_cut: bool
    rate_per_s: float
    kills: int
    books: dict
    archived: object | None

    def switch_toolsnet(self) -> None: ...

    def switch_controller(self) -> None: ...

    def kill_agent(self) -> None: ...

    def kill_archive(self) -> None: ...

    def change_rate(self, faster: bool) -> None: ...


class Subject:
    """A watch, and what all screens ask it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.began_s = time.time() - watch.elapsed_s()
        self.demo: Demo | None = cast("Demo", watch) if watch.is_demo else None

    def known(self) -> list[StationFigures]:
        """Return what is known about the stations, in the order of the configuration."""
        figures = self.watch.figures
        return [figures.stations[shown["number"]] for shown in figures.shown()]

    def cut(self) -> dict[str, bool]:
        """Return which networks the demo has cut."""
        demo = self.demo
        return {"outlet": demo.toolsnet_cut, "controller": demo.controller_cut} if demo else {}

    def version(self) -> tuple[object, ...]:
        """Return a value that changes whenever there is something new to show."""
        watch, demo = self.watch, self.demo
        version: tuple[object, ...] = (watch.figures.fed, watch.told, watch.phase)
        return (*version, demo.toolsnet_cut, demo.controller_cut, demo.rate_per_s) if demo else version

    def title(self) -> str:
        """Say what is running, for how long, and what it is doing."""
        watch, demo = self.watch, self.demo
        text = f"toolcart  {watch.title()}  {panels.clock(watch.elapsed_s())}"
        if demo and watch.phase == RUNNING:
            text += f"  {demo.rate_per_s:g} results/s, {demo.kills} kills"
        said = [PHASES[watch.phase], *[need.label for need in watch.figures.needs()]]
        return "  ".join([text, *filter(None, said)])
