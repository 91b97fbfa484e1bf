"""A simulated controller that runs in a thread, for tests."""

from __future__ import annotations

import threading
from typing import Any

from toolcart.sim.controller import Controller, ControllerOptions
from toolcart.sim.profiles import row
from toolcart.sim.serial_serve import SerialServed
from toolcart.sim.tcp import Loop, Served


class SimulatedController:
    """See `controller`. A context manager; its actions happen between two turns of its thread."""

    def __init__(self, options: ControllerOptions, host: str, port: int, procedure: str = "", device: str = "") -> None:
        self._loop = Loop()
        self._controller = Controller(self._loop.clock, options)
        self._thread: threading.Thread | None = None
        endpoint = self._controller.endpoint
        self.device = device
        self._served: Any
        if procedure:
            self._served = SerialServed(self._loop, endpoint, procedure, device)
            self.host, self.port = "", 0
        else:
            self._served = Served(self._loop, endpoint, host, port)
            self.host, self.port = host, self._served.port

    def __enter__(self) -> SimulatedController:
        self._thread = threading.Thread(target=self._loop.run, name="simulated controller", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.stop()
        if self._thread is not None:
            self._thread.join()
        self._loop.close()

    def produce(self, **fields: Any) -> int | None:
        """Tighten one screw, with these attributes (toolcart.sim.controller_model.Tightening); return its ID."""
        return self.do("produce", **fields)

    def do(self, name: str, *values: Any, **named: Any) -> Any:
        """Call a method of the simulated controller: raise_alarm, select_job, identify, drop, inject ..."""
        return self._loop.call(lambda: getattr(self._controller, name)(*values, **named))

    def cut(self) -> None:
        """Reset every connection and refuse new ones, until `restore`."""
        self._loop.call(self._served.cut)

    def restore(self) -> None:
        """Listen again."""
        self._loop.call(self._served.listen)

    def set_fault(self, **options: Any) -> None:
        """Change options while it runs, such as silent=True; ValueError for an unknown one."""
        for name in options:
            if name not in ControllerOptions.DEFAULTS:
                raise ValueError(f"no such option: {name}")

        def change() -> None:
            for name, value in options.items():
                setattr(self._controller.options, name, value)

        self._loop.call(change)

    def seen(self, name: str) -> Any:
        """Return a copy of what it has recorded: produced, acknowledged, complaints, messages, ordered ..."""

        def copy() -> Any:
            found = getattr(self._controller, name)
            return type(found)(found) if isinstance(found, list | dict) else found

        return self._loop.call(copy)

    @property
    def acknowledged(self) -> list[int]:
        """Return the IDs of the acknowledged results, in order."""
        return self.seen("acknowledged")

    @property
    def complaints(self) -> list[str]:
        """Return what the client did against the protocol."""
        return self.seen("complaints")


def controller(
    profile: str = "power-focus-4000",
    faults: dict[str, Any] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    procedure: str = "",
    device: str = "",
) -> SimulatedController:
    """Return a simulated controller for `with`: from a profile, with some of the simulator's options changed.

    `port` 0 takes a free one. With `procedure` ("3964r", "ascii") it serves a pty named by `device` instead.
    ValueError for an unknown profile or option.
    """
    return SimulatedController(ControllerOptions(**row(profile, **(faults or {}))), host, port, procedure, device)
