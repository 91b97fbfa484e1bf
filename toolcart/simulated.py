"""Simulated controllers for the tests of this library's users: a real TCP port on this machine, in a thread.

    with controller("power-focus-6000-3.6", refuse={18: 3}) as simulated:
        connect(simulated.host, simulated.port)
        simulated.produce(torque=1234)
        simulated.assert_clean()

`profiles()` names the controllers. `controller(profile, **options)` and `change(**options)` take an Options, whose
options are explained in toolcart.sim.controller_model; `produce(**result)` takes a Result: torque in 1/100 Nm, angles
in degrees, None for a value that the controller leaves blank.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from toolcart import catalogue
from toolcart.client.errors import OptionError, StateError
from toolcart.client.options import address, one_of, whole
from toolcart.client.options import text as text_of
from toolcart.sim import option_checks
from toolcart.sim.controller import Controller, ControllerOptions, Tightening
from toolcart.sim.profiles import names as profiles
from toolcart.sim.profiles import profile_options
from toolcart.sim.serial_peers import PEERS
from toolcart.sim.tcp import Loop, Served

_NEW, _RUNS, _ENDED = range(3)
_CODE_MOST, _ALARM_TEXT_MOST = 5, 50  # octets of MID 0071
_VIN_MOST, _IDENTIFIER_MOST, _IDENTIFIERS_MOST = 40, 25, 3  # of MID 0052

__all__ = ["Options", "Result", "SimulatedController", "controller", "profiles"]


if TYPE_CHECKING:
    from toolcart.simulated_types import Options, Result  # made by a build
else:
    Options = TypedDict("Options", dict.fromkeys(ControllerOptions.DEFAULTS, Any), total=False)
    Options.__doc__ = """How the controller behaves, beside what its profile says.

    >>> import toolcart
    >>> options: toolcart.simulated.Options = {"start_refusal_code": 97}
    >>> with toolcart.simulated.controller(**options) as simulated:
    ...     simulated.port > 0
    True
    """
    Result = TypedDict("Result", {name: Any for name in vars(Tightening) if name[0] != "_"}, total=False)
    Result.__doc__ = """One tightening; what is not given is drawn from a normal distribution, or usual.

    >>> import toolcart
    >>> result: toolcart.simulated.Result = {"torque": 4237, "vin": b"KPOL3456JKLO897"}
    >>> with toolcart.simulated.controller() as simulated:
    ...     number = simulated.produce(**result)
    """


class SimulatedController:
    """See `controller`. A context manager; its actions happen between two turns of its thread.

    What it has seen can be read behind `with`; nothing happens at it any more. `host` and `port` are its address,
    `device` that of a serial line.

    >>> import toolcart
    >>> with toolcart.simulated.controller() as simulated:
    ...     number = simulated.produce(torque=4237)
    ...     simulated.acknowledged, simulated.complaints
    ([], [])
    """

    def __init__(
        self, profile: str, options: ControllerOptions, host: str, port: int, procedure: str = "", device: str = ""
    ) -> None:
        self._profile = profile
        self._process = os.getpid()
        self._state = _NEW
        self._loop = Loop()
        self._controller = Controller(self._loop.clock, options)
        endpoint = self._controller.endpoint
        self.device = device
        self._served: Any
        if procedure:
            from toolcart.sim.serial_serve import ServedLine  # it needs a pty, which Windows has not

            self._served = ServedLine(self._loop, endpoint, procedure, device)
            self.host, self.port = "", 0
        else:
            self._served = _served(self._loop, endpoint, host, port)
            self.host, self.port = host, self._served.port

    def __enter__(self) -> SimulatedController:
        """Serve; StateError the second time: each runs once."""
        if self._state != _NEW:
            raise StateError("this simulated controller was entered before: make another one")
        self._state = _RUNS
        self._loop.start("simulated controller")
        return self

    def __exit__(self, *_: object) -> None:
        self._state = _ENDED
        self._loop.close()

    def __repr__(self) -> str:
        return f"<SimulatedController {self._profile} at {self.device or f'{self.host}:{self.port}'}>"

    # -- what happens at it --------------------------------------------------------------------------------------

    def produce(self, **result: Unpack[Result]) -> int:
        """Tighten one screw; return its ID. Torque in 1/100 Nm, angles in degrees; OptionError for what none can be."""
        for name, value in result.items():
            _allowed(name, value, option_checks.wrong_field(Tightening, name, value))
        return self._act(self._controller.produce, **result)

    def push(self, mid: int, revision: int = 1, **fields: Any) -> None:
        """Send any message of the catalogue on every connection: fields as `toolcart.encode` takes them."""
        self.inject(catalogue.wire(catalogue.encode(mid, revision, check=False, **fields)))

    def inject(self, octets: bytes) -> None:
        """Send bytes as they are on every connection: garbage, half a message."""
        if not isinstance(octets, bytes | bytearray | memoryview):
            raise OptionError("octets", octets, "bytes")
        self._send(self._controller.inject, bytes(octets))

    def raise_alarm(self, code: str, text: str = "") -> None:
        """Raise an alarm, such as E404: MID 0071."""
        _short("code", code, _CODE_MOST)
        _short("text", text, _ALARM_TEXT_MOST, True)
        self._act(self._controller.raise_alarm, code, text)

    def acknowledge_alarm(self, code: str) -> None:
        """Acknowledge an alarm at the controller: MID 0074."""
        _short("code", code, _CODE_MOST)
        self._act(self._controller.acknowledge_alarm, code)

    def select_pset(self, number: int) -> None:
        """Select a parameter set at the controller: MID 0015."""
        one_of("number", number, tuple(self._controller.psets))
        self._act(self._controller.select_pset, number)

    def select_job(self, number: int, batch_size: int = 4) -> None:
        """Select a job at the controller: MID 0035."""
        whole("number", number, 0, 9999)
        whole("batch_size", batch_size, 0, 9999)
        self._act(self._controller.select_job, number, batch_size)

    def identify(self, vin: str, *identifiers: str) -> None:
        """Let a vehicle arrive: MID 0052."""
        _short("vin", vin, _VIN_MOST)
        if len(identifiers) > _IDENTIFIERS_MOST:
            raise OptionError("identifiers", identifiers, f"at most {_IDENTIFIERS_MOST}")
        for one in identifiers:
            _short("identifiers", one, _IDENTIFIER_MOST)
        self._act(self._controller.identify, vin, *identifiers)

    def set_time(self, time: datetime) -> None:
        """Set its clock."""
        if not isinstance(time, datetime):
            raise OptionError("time", time, "a datetime")
        self._act(self._controller.set_clock, time.strftime("%Y-%m-%d:%H:%M:%S").encode())

    # -- faults --------------------------------------------------------------------------------------------------

    def change(self, **options: Unpack[Options]) -> None:
        """Change options while it runs, such as silent=True; OptionError for an unknown one."""
        _check(dict(options))

        def change() -> None:
            for name, value in options.items():
                self._controller.options.set(name, value)

        self._act(change)

    def cut(self) -> None:
        """Reset every connection and refuse new ones, until `restore`."""
        self._act(self._served.cut)

    def restore(self) -> None:
        """Listen again."""
        self._act(self._served.listen)

    def drop(self) -> None:
        """Close every connection; new ones are taken."""
        self._send(self._controller.drop)

    # -- what it has seen ----------------------------------------------------------------------------------------

    @property
    def acknowledged(self) -> list[int]:
        """The IDs of the acknowledged results, in order."""
        return self._do(lambda: list(self._controller.acknowledged))

    @property
    def messages(self) -> dict[int, int]:
        """How many messages it received, by MID, in the order of the first of each."""
        return self._do(lambda: dict(self._controller.messages))

    @property
    def ordered(self) -> dict[str, Any]:
        """What it was told to do: pset, job, job_off, vin."""
        return self._do(lambda: dict(self._controller.ordered))

    @property
    def complaints(self) -> list[str]:
        """What the client did against the protocol."""
        return self._do(lambda: list(self._controller.complaints))

    def assert_clean(self) -> None:
        """AssertionError, with all that the client did against the protocol, if it did anything."""
        complaints = self.complaints
        if complaints:
            raise AssertionError("the client broke the protocol: " + "; ".join(complaints))

    def _act(self, action: Callable[..., Any], *values: Any, **named: Any) -> Any:
        """Let something happen at it, also before `with`; StateError behind it."""
        if self._state == _ENDED:
            raise StateError("this simulated controller has ended: nothing happens at it any more")
        return self._do(action, *values, **named)

    def _send(self, action: Callable[..., Any], *values: Any) -> None:
        """Do something with its connections; StateError where it can have none."""
        if self._state == _NEW:
            raise StateError("this simulated controller does not run yet: use it inside `with`")
        self._act(action, *values)

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise StateError("this simulated controller was made before os.fork(): it runs in the parent")

    def _do(self, action: Callable[..., Any], *values: Any, **named: Any) -> Any:
        self._check_process()
        return self._loop.call(lambda: action(*values, **named))


def controller(
    profile: str = "power-focus-4000",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    procedure: str = "",
    device: str = "",
    **options: Unpack[Options],
) -> SimulatedController:
    """Return a simulated controller for `with`: a profile, with some of its options changed.

    `port` 0 takes a free one. With `procedure` ("3964r", "ascii") it serves a pty named by `device` instead.
    OptionError for an unknown profile or option, for a value that an option cannot have, and for an address that is
    none of this machine or is taken.

    >>> import toolcart
    >>> with toolcart.simulated.controller("nexo", refuse={18: 3}) as simulated:
    ...     simulated.produce(torque=1234)
    ...     simulated.assert_clean()
    1
    """
    changed: dict[str, Any] = dict(options)
    _check(changed)
    address("host", host)
    whole("port", port, 0, 65535)
    one_of("procedure", procedure, ("", *PEERS))
    if procedure:
        text_of("device", device, "a path for its pty")
    one_of("profile", profile, tuple(profiles()))
    of_profile = ControllerOptions(**profile_options(profile, **changed))
    return SimulatedController(profile, of_profile, host, port, procedure, device)


def _served(loop: Loop, endpoint: Callable[..., Any], host: str, port: int) -> Served:
    """Listen; OptionError where that cannot be."""
    try:
        return Served(loop, endpoint, host, port)
    except OSError as error:
        loop.close()
        name, value = ("port", port) if error.errno in (errno.EADDRINUSE, errno.EACCES) else ("host", host)
        allowed = "a port that is free" if name == "port" else "an address of this machine"
        raise OptionError(name, value, f"{allowed} ({error.strerror or error})") from None


def _short(name: str, value: object, most: int, is_optional: bool = False) -> None:
    """OptionError unless it is text of one line that has room in its message."""
    if isinstance(value, str) and (value.strip() or is_optional) and len(value) <= most and value.isprintable():
        return
    raise OptionError(name, value, f"text of at most {most} characters")


def _check(options: dict[str, Any]) -> None:
    """OptionError for an option that there is none of, or a value that it cannot have."""
    for name, value in options.items():
        if name not in ControllerOptions.DEFAULTS:
            raise OptionError(name, value, "one of the options in toolcart.simulated.controller")
        _allowed(name, value, option_checks.wrong(ControllerOptions, name, value))


def _allowed(name: str, value: object, allowed: str) -> None:
    if allowed:
        raise OptionError(name, value, allowed)
