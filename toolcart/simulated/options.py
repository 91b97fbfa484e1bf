"""What a simulated controller can be told, with types; each option is explained in toolcart.sim.controller_model.

`toolcart.simulated.controller(profile, **options)` and `change(**options)` take an Options, `produce(**result)` a
Result: torque in 1/100 Nm, angles in degrees, None for a value that the controller leaves blank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


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
