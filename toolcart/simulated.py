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

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from toolcart.agent import catalogue
from toolcart.client.errors import OptionError
from toolcart.sim.controller import Controller, ControllerOptions
from toolcart.sim.profiles import names as profiles
from toolcart.sim.profiles import row
from toolcart.sim.serial_serve import SerialServed
from toolcart.sim.tcp import Loop, Served

__all__ = ["Options", "Result", "SimulatedController", "controller", "profiles"]


class Options(TypedDict, total=False):
    """How the controller behaves, beside what its profile says.

    >>> import toolcart
    >>> options: toolcart.simulated.Options = {"start_refusal_code": 97}
    >>> with toolcart.simulated.controller(**options) as simulated:
    ...     simulated.port > 0
    True
    """

    strict: bool
    identity: Mapping[str, Any]
    pushed_as: Mapping[str, Any]
    fetched_as: Mapping[str, Any]
    start_revisions: Sequence[int]
    start_refusal_code: int
    blank_start_revision: int
    answer_start_revision: int | None
    before_2_7: bool
    result_revisions: Sequence[int]
    result_refusal_code: int
    pushed_revision: int | None
    recover_revisions: Sequence[int]
    answer_recover_revision: int | None
    answers_below: bool
    shares_ids: bool
    ids_higher: Literal["no", "said", "kept"]
    elsewhere: int
    refuse: Mapping[int, int | None]
    refuse_once: Sequence[tuple[int, int | None]]
    refuse_digits: Literal[2, 3]
    ends_refused: Mapping[int, int]
    unknown_mids: Sequence[int]
    commands: Sequence[int]
    job_command_revisions: Sequence[int]
    alarm_revisions: Sequence[int]
    pset_revisions: Sequence[int]
    job_revisions: Sequence[int]
    vin_revisions: Sequence[int]
    generic_alarm_revisions: Sequence[int]
    generic_subscriptions: Literal["", "yes", "only"]
    job_at_once: bool
    clock_ahead_s: int
    pset_data_revisions: Sequence[int]
    alarms_of_2_9: bool
    max_clients: int
    busy_code: int
    slot_kept_ms: int
    no_ack: bool
    push_instead_of_answer: bool
    push_last_result: bool
    operations: Sequence[int]
    operation_history: bool
    history_refusal_code: int
    own_fields: bool
    torque_unit: int
    objects: int
    names_subscribed: bool
    waits_for_1203: bool
    cycles: Sequence[int]
    sync: Sequence[int]
    spindles: int
    header_spindles: Sequence[int]
    answering_spindles: Literal["addressed", "first", "all"]
    names_spindles: bool
    traces: Sequence[int]
    trace_types: Sequence[int]
    trace_samples: int
    trace_step_us: int
    trace_delay_ms: int
    ack_timeout_ms: int
    resends: int
    gives_up: Literal["closes", "unsubscribes"]
    ack_refusal_code: int
    accepts_again: bool
    link_first: int
    link_wrong_once: bool
    link_lost: Sequence[int]
    window: int
    repeat: int
    repeat_every_ms: int
    keepalive: Literal["mirror", "blank", "refuse", "none"]
    silence_ms: int
    blame_silence: bool
    silent: bool
    nul: Literal["normal", "missing", "late", "counted"]
    nul_late_ms: int
    header: Literal["digits", "blank", "zero", "parts", "op-ford", "op-bmw"]
    station: str
    spindle: str
    expected_station: str | None
    pad: bytes
    pset_change_text: str | None
    time_text: str | None
    drop_after_received: Sequence[int]
    drop_after_sent: Sequence[int]
    whole_writes: bool
    memory: int
    batch: int
    nok_percent: int
    batch_open: int
    rounded: bool
    light_statuses: Sequence[int]
    seed: int


class Result(TypedDict, total=False):
    """One tightening; what is not given is drawn from a normal distribution, or usual.

    >>> import toolcart
    >>> result: toolcart.simulated.Result = {"torque": 4237, "vin": b"KPOL3456JKLO897"}
    >>> with toolcart.simulated.controller() as simulated:
    ...     number = simulated.produce(**result)
    """

    cell: int | None
    channel: int | None
    controller_name: str | None
    station_number: int | None
    vin: bytes | None
    job: int | None
    pset: int | None
    pset_name: str | None
    strategy: int | None
    strategy_options: int | None
    batch_size: int | None
    batch_counter: int | None
    batch_status: int | None
    status: int | None
    light_status: int | None
    torque_status: int | None
    angle_status: int | None
    rundown_status: int | None
    current_status: int | None
    selftap_status: int | None
    pvt_monitoring_status: int | None
    pvt_compensate_status: int | None
    error_bits: int | None
    error_bits_2: int | None
    torque_min: int | None
    torque_max: int | None
    torque_target: int | None
    torque: int | None
    angle_min: int | None
    angle_max: int | None
    angle_target: int | None
    angle: int | None
    rundown_min: int | None
    rundown_max: int | None
    rundown: int | None
    current_min: int | None
    current_max: int | None
    current: int | None
    selftap_min: int | None
    selftap_max: int | None
    selftap: int | None
    pvt_min: int | None
    pvt_max: int | None
    pvt: int | None
    pvt_compensate: int | None
    tightening_id: int | None
    job_sequence: int | None
    sync_id: int | None
    tool_serial: str | None
    time: str | None
    pset_change: str | None
    torque_unit: int | None
    result_type: int | None
    identifier_2: str | None
    identifier_3: str | None
    identifier_4: str | None
    customer_code: str | None
    compensated_angle: int | None
    final_angle: int | None
    start_final: int | None
    post_view: int | None
    post_view_high: int | None
    post_view_low: int | None
    current_amperes: int | None
    current_amperes_min: int | None
    current_amperes_max: int | None
    angle_numerator: int | None
    angle_denominator: int | None
    overall_angle_status: int | None
    overall_angle_min: int | None
    overall_angle_max: int | None
    overall_angle: int | None
    peak_torque: int | None
    breakaway_torque: int | None
    rundown_start_torque: int | None
    rundown_end_torque: int | None
    stages: int | None
    stage_results: int | None
    stage: str | None
    click_torque: int | None
    click_angle: int | None


class SimulatedController:
    """See `controller`. A context manager; its actions happen between two turns of its thread.

    `host` and `port` are its address, `device` that of a serial line.

    >>> import toolcart
    >>> with toolcart.simulated.controller() as simulated:
    ...     number = simulated.produce(torque=4237)
    ...     simulated.acknowledged, simulated.complaints
    ([], [])
    """

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

    # -- what happens at it --------------------------------------------------------------------------------------

    def produce(self, **result: Unpack[Result]) -> int:
        """Tighten one screw; return its ID. Torque in 1/100 Nm, angles in degrees."""
        return self._do(self._controller.produce, **result)

    def push(self, mid: int, revision: int = 1, **fields: Any) -> None:
        """Send any message of the catalogue on every connection: fields as `toolcart.encode` takes them."""
        self.inject(catalogue.wire(catalogue.encode(mid, revision, check=False, **fields)))

    def inject(self, octets: bytes) -> None:
        """Send bytes as they are on every connection: garbage, half a message."""
        self._do(self._controller.inject, octets)

    def raise_alarm(self, code: str, text: str = "") -> None:
        """Raise an alarm, such as E404: MID 0071."""
        self._do(self._controller.raise_alarm, code, text)

    def acknowledge_alarm(self, code: str) -> None:
        """Acknowledge an alarm at the controller: MID 0074."""
        self._do(self._controller.acknowledge_alarm, code)

    def select_pset(self, number: int) -> None:
        """Select a parameter set at the controller: MID 0015."""
        self._do(self._controller.select_pset, number)

    def select_job(self, number: int, batch_size: int = 4) -> None:
        """Select a job at the controller: MID 0035."""
        self._do(self._controller.select_job, number, batch_size)

    def identify(self, vin: str, *identifiers: str) -> None:
        """Let a vehicle arrive: MID 0052."""
        self._do(self._controller.identify, vin, *identifiers)

    def set_time(self, time: datetime) -> None:
        """Set its clock."""
        self._do(self._controller.set_clock, time.strftime("%Y-%m-%d:%H:%M:%S").encode())

    # -- faults --------------------------------------------------------------------------------------------------

    def change(self, **options: Unpack[Options]) -> None:
        """Change options while it runs, such as silent=True; OptionError for an unknown one."""
        _check(dict(options))

        def change() -> None:
            for name, value in options.items():
                setattr(self._controller.options, name, value)

        self._loop.call(change)

    def cut(self) -> None:
        """Reset every connection and refuse new ones, until `restore`."""
        self._loop.call(self._served.cut)

    def restore(self) -> None:
        """Listen again."""
        self._loop.call(self._served.listen)

    def drop(self) -> None:
        """Close every connection; new ones are taken."""
        self._do(self._controller.drop)

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

    def _do(self, action: Callable[..., Any], *values: Any, **named: Any) -> Any:
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
    OptionError for an unknown profile or option, and for a value that an option cannot have.

    >>> import toolcart
    >>> with toolcart.simulated.controller("nexo", refuse={18: 3}) as simulated:
    ...     simulated.produce(torque=1234)
    ...     simulated.assert_clean()
    1
    """
    changed: dict[str, Any] = dict(options)
    _check(changed)
    try:
        chosen = ControllerOptions(**row(profile, **changed))
    except ValueError as error:
        if str(error).startswith("no such profile"):
            raise OptionError("profile", profile, "one of " + ", ".join(profiles())) from None
        raise OptionError("options", changed, str(error)) from None
    return SimulatedController(chosen, host, port, procedure, device)


def _check(options: dict[str, Any]) -> None:
    """OptionError for an option that there is none of, or a value that is not among the few it has."""
    for name, value in options.items():
        if name not in ControllerOptions.DEFAULTS:
            raise OptionError(name, value, "one of the options in toolcart.simulated.controller")
        allowed: tuple = ControllerOptions.ALLOWED.get(name, (value,))
        if value not in allowed:
            raise OptionError(name, value, "one of " + ", ".join(map(str, allowed)))
