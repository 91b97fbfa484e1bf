"""The fields of every message as types (docs/library/types.md), made by `python -m tools.codec.types`.

`Fields0061` is what `message.fields(61)` returns, `Given0061` what `toolcart.encode(61, ...)` takes. A field that is
blank is None, one whose content does not fit is Odd. Each has the fields of all revisions of its MID; what not all
of them have is NotRequired.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NotRequired, TypedDict

from toolcart import DataField, Odd, Resolution  # pyright: ignore

Number = int | float | Decimal | str | Sequence[str] | bytes | Odd | None
Text = str | bytes | Odd | None
Time = str | datetime | tuple[int, ...] | bytes | Odd | None


class Header(TypedDict, total=False):
    """What a header has beside its MID and revision."""

    no_ack: int | None
    station: int | None
    spindle: int | None
    sequence: int | None
    parts: int | None
    part: int | None


class Fields0001(TypedDict):
    """MID 0001, Application communication start."""

    keep_alive_optional: NotRequired[int | Odd | None]


class Given0001(Header, total=False):
    """MID 0001, Application communication start."""

    keep_alive_optional: Number


class Fields0002(TypedDict):
    """MID 0002, Application communication start acknowledge."""

    cell_id: int | Odd | None
    channel_id: int | Odd | None
    controller_name: str | Odd | None
    supplier_code: NotRequired[str | Odd | None]
    protocol_version: NotRequired[str | Odd | None]
    controller_software: NotRequired[str | Odd | None]
    tool_software: NotRequired[str | Odd | None]
    rbu_type: NotRequired[str | Odd | None]
    controller_serial: NotRequired[str | Odd | None]
    system_type: NotRequired[int | Odd | None]
    system_subtype: NotRequired[int | Odd | None]
    sequence_numbers: NotRequired[int | Odd | None]
    linking: NotRequired[int | Odd | None]
    station_id: NotRequired[int | Odd | None]
    station_name: NotRequired[str | Odd | None]
    client_id: NotRequired[int | Odd | None]
    keep_alive_optional: NotRequired[int | Odd | None]


class Given0002(Header, total=False):
    """MID 0002, Application communication start acknowledge."""

    cell_id: Number
    channel_id: Number
    controller_name: Text
    supplier_code: Text
    protocol_version: Text
    controller_software: Text
    tool_software: Text
    rbu_type: Text
    controller_serial: Text
    system_type: Number
    system_subtype: Number
    sequence_numbers: Number
    linking: Number
    station_id: Number
    station_name: Text
    client_id: Number
    keep_alive_optional: Number


class Fields0003(TypedDict):
    """MID 0003, Application communication stop."""



class Given0003(Header, total=False):
    """MID 0003, Application communication stop."""



class Fields0004(TypedDict):
    """MID 0004, Application communication negative acknowledge."""

    failed_mid: int | Odd | None
    error_code: int | Odd | None


class Given0004(Header, total=False):
    """MID 0004, Application communication negative acknowledge."""

    failed_mid: Number
    error_code: Number


class Fields0005(TypedDict):
    """MID 0005, Application communication positive acknowledge."""

    mid_accepted: int | Odd | None


class Given0005(Header, total=False):
    """MID 0005, Application communication positive acknowledge."""

    mid_accepted: Number


class Fields0006(TypedDict):
    """MID 0006, Application data message request."""

    requested_mid: int | Odd | None
    requested_revision: int | Odd | None
    extra_length: int | Odd | None
    extra: str | Odd | None


class Given0006(Header, total=False):
    """MID 0006, Application data message request."""

    requested_mid: Number
    requested_revision: Number
    extra_length: Number
    extra: Text


class Fields0007(TypedDict):
    """MID 0007, Reserved."""



class Given0007(Header, total=False):
    """MID 0007, Reserved."""



class Fields0008(TypedDict):
    """MID 0008, Application data message subscription."""

    subscribed_mid: int | Odd | None
    subscribed_revision: int | Odd | None
    extra_length: int | Odd | None
    extra: str | Odd | None


class Given0008(Header, total=False):
    """MID 0008, Application data message subscription."""

    subscribed_mid: Number
    subscribed_revision: Number
    extra_length: Number
    extra: Text


class Fields0009(TypedDict):
    """MID 0009, Application data message unsubscribe."""

    subscribed_mid: int | Odd | None
    extra_revision: int | Odd | None
    extra_length: int | Odd | None
    extra: str | Odd | None


class Given0009(Header, total=False):
    """MID 0009, Application data message unsubscribe."""

    subscribed_mid: Number
    extra_revision: Number
    extra_length: Number
    extra: Text


class Fields0010(TypedDict):
    """MID 0010, Parameter set ID upload request."""



class Given0010(Header, total=False):
    """MID 0010, Parameter set ID upload request."""



class Fields0011(TypedDict):
    """MID 0011, Parameter set ID upload reply."""

    pset_count: int | Odd | None
    pset_ids: list[int | Odd | None] | Odd | None
    stages: NotRequired[list[int | Odd | None] | Odd | None]
    types: NotRequired[list[str | Odd | None] | Odd | None]
    changes: NotRequired[list[str | Odd | None] | Odd | None]


class Given0011(Header, total=False):
    """MID 0011, Parameter set ID upload reply."""

    pset_count: Number
    pset_ids: Sequence[Number] | Odd | None
    stages: Sequence[Number] | Odd | None
    types: Sequence[Text] | Odd | None
    changes: Sequence[Time] | Odd | None


class Fields0012(TypedDict):
    """MID 0012, Parameter set data upload request."""

    pset_id: int | Odd | None
    file_version: NotRequired[int | Odd | None]


class Given0012(Header, total=False):
    """MID 0012, Parameter set data upload request."""

    pset_id: Number
    file_version: Number


class Fields0013(TypedDict):
    """MID 0013, Parameter set data upload reply."""

    pset_id: NotRequired[int | Odd | None]
    pset_name: NotRequired[str | Odd | None]
    rotation: NotRequired[int | Odd | None]
    batch_size: NotRequired[int | Odd | None]
    torque_min: NotRequired[int | Odd | None]
    torque_max: NotRequired[int | Odd | None]
    torque_target: NotRequired[int | Odd | None]
    angle_min: NotRequired[int | Odd | None]
    angle_max: NotRequired[int | Odd | None]
    angle_target: NotRequired[int | Odd | None]
    first_target: NotRequired[int | Odd | None]
    start_final_angle: NotRequired[int | Odd | None]
    file_version: NotRequired[int | Odd | None]
    toyota_data: NotRequired[str | Odd | None]
    pset_change: NotRequired[str | Odd | None]


class Given0013(Header, total=False):
    """MID 0013, Parameter set data upload reply."""

    pset_id: Number
    pset_name: Text
    rotation: Number
    batch_size: Number
    torque_min: Number
    torque_max: Number
    torque_target: Number
    angle_min: Number
    angle_max: Number
    angle_target: Number
    first_target: Number
    start_final_angle: Number
    file_version: Number
    toyota_data: Text
    pset_change: Time


class Fields0014(TypedDict):
    """MID 0014, Parameter set selected subscribe."""



class Given0014(Header, total=False):
    """MID 0014, Parameter set selected subscribe."""



class Fields0015(TypedDict):
    """MID 0015, Parameter set selected."""

    pset_id: int | Odd | None
    pset_change: str | Odd | None
    pset_name: NotRequired[str | Odd | None]
    rotation: NotRequired[int | Odd | None]
    batch_size: NotRequired[int | Odd | None]
    torque_min: NotRequired[int | Odd | None]
    torque_max: NotRequired[int | Odd | None]
    torque_target: NotRequired[int | Odd | None]
    angle_min: NotRequired[int | Odd | None]
    angle_max: NotRequired[int | Odd | None]
    angle_target: NotRequired[int | Odd | None]
    first_target: NotRequired[int | Odd | None]
    start_final_angle: NotRequired[int | Odd | None]


class Given0015(Header, total=False):
    """MID 0015, Parameter set selected."""

    pset_id: Number
    pset_change: Time
    pset_name: Text
    rotation: Number
    batch_size: Number
    torque_min: Number
    torque_max: Number
    torque_target: Number
    angle_min: Number
    angle_max: Number
    angle_target: Number
    first_target: Number
    start_final_angle: Number


class Fields0016(TypedDict):
    """MID 0016, Parameter set selected acknowledge."""



class Given0016(Header, total=False):
    """MID 0016, Parameter set selected acknowledge."""



class Fields0017(TypedDict):
    """MID 0017, Parameter set selected unsubscribe."""



class Given0017(Header, total=False):
    """MID 0017, Parameter set selected unsubscribe."""



class Fields0018(TypedDict):
    """MID 0018, Select parameter set."""

    pset_id: int | Odd | None


class Given0018(Header, total=False):
    """MID 0018, Select parameter set."""

    pset_id: Number


class Fields0019(TypedDict):
    """MID 0019, Set parameter set batch size."""

    pset_id: int | Odd | None
    batch_size: int | Odd | None


class Given0019(Header, total=False):
    """MID 0019, Set parameter set batch size."""

    pset_id: Number
    batch_size: Number


class Fields0020(TypedDict):
    """MID 0020, Reset parameter set batch counter."""

    pset_id: int | Odd | None


class Given0020(Header, total=False):
    """MID 0020, Reset parameter set batch counter."""

    pset_id: Number


class Fields0021(TypedDict):
    """MID 0021, Lock at batch done subscribe."""



class Given0021(Header, total=False):
    """MID 0021, Lock at batch done subscribe."""



class Fields0022(TypedDict):
    """MID 0022, Lock at batch done upload."""

    relay_status: int | Odd | None


class Given0022(Header, total=False):
    """MID 0022, Lock at batch done upload."""

    relay_status: Number


class Fields0023(TypedDict):
    """MID 0023, Lock at batch done upload acknowledge."""



class Given0023(Header, total=False):
    """MID 0023, Lock at batch done upload acknowledge."""



class Fields0024(TypedDict):
    """MID 0024, Lock at batch done unsubscribe."""



class Given0024(Header, total=False):
    """MID 0024, Lock at batch done unsubscribe."""



class Fields0025(TypedDict):
    """MID 0025, Parameter user set download request."""



class Given0025(Header, total=False):
    """MID 0025, Parameter user set download request."""



class Fields0030(TypedDict):
    """MID 0030, Job ID upload request."""



class Given0030(Header, total=False):
    """MID 0030, Job ID upload request."""



class Fields0031(TypedDict):
    """MID 0031, Job ID upload reply."""

    job_count: int | Odd | None
    job_ids: list[int | Odd | None] | Odd | None


class Given0031(Header, total=False):
    """MID 0031, Job ID upload reply."""

    job_count: Number
    job_ids: Sequence[Number] | Odd | None


class Fields0032(TypedDict):
    """MID 0032, Job data upload request."""

    job_id: int | Odd | None


class Given0032(Header, total=False):
    """MID 0032, Job data upload request."""

    job_id: Number


class Fields0033JobList(TypedDict):
    """MID 0033, Job data upload reply: an entry of job_list."""

    channel_id: int | Odd | None
    type_id: int | Odd | None
    auto_next: int | Odd | None
    batch_size: int | Odd | None
    socket: NotRequired[int | Odd | None]
    step_name: NotRequired[str | Odd | None]
    step_type: NotRequired[int | Odd | None]
    identifier_number: NotRequired[int | Odd | None]
    max_coherent_nok: NotRequired[int | Odd | None]


class Given0033JobList(TypedDict, total=False):
    """MID 0033, Job data upload reply: an entry of job_list."""

    channel_id: Number
    type_id: Number
    auto_next: Number
    batch_size: Number
    socket: Number
    step_name: Text
    step_type: Number
    identifier_number: Number
    max_coherent_nok: Number


class Fields0033(TypedDict):
    """MID 0033, Job data upload reply."""

    job_id: int | Odd | None
    job_name: str | Odd | None
    forced_order: int | Odd | None
    max_time_first: int | Odd | None
    max_time: int | Odd | None
    batch_mode: int | Odd | None
    lock_at_done: int | Odd | None
    line_control: int | Odd | None
    repeat: int | Odd | None
    loosening: int | Odd | None
    reserved: str | Odd | None
    pset_count: int | Odd | None
    job_list: list[Fields0033JobList] | Odd | None


class Given0033(Header, total=False):
    """MID 0033, Job data upload reply."""

    job_id: Number
    job_name: Text
    forced_order: Number
    max_time_first: Number
    max_time: Number
    batch_mode: Number
    lock_at_done: Number
    line_control: Number
    repeat: Number
    loosening: Number
    reserved: Text
    pset_count: Number
    job_list: Sequence[Given0033JobList] | Odd | None


class Fields0034(TypedDict):
    """MID 0034, Job info subscribe."""



class Given0034(Header, total=False):
    """MID 0034, Job info subscribe."""



class Fields0035(TypedDict):
    """MID 0035, Job info."""

    job_id: int | Odd | None
    job_status: int | Odd | None
    batch_mode: int | Odd | None
    batch_size: int | Odd | None
    batch_counter: int | Odd | None
    time: str | Odd | None
    step: NotRequired[int | Odd | None]
    step_count: NotRequired[int | Odd | None]
    step_type: NotRequired[int | Odd | None]
    tightening_status: NotRequired[int | Odd | None]
    job_sequence: NotRequired[int | Odd | None]
    vin: NotRequired[str | Odd | None]
    identifier_2: NotRequired[str | Odd | None]
    identifier_3: NotRequired[str | Odd | None]
    identifier_4: NotRequired[str | Odd | None]


class Given0035(Header, total=False):
    """MID 0035, Job info."""

    job_id: Number
    job_status: Number
    batch_mode: Number
    batch_size: Number
    batch_counter: Number
    time: Time
    step: Number
    step_count: Number
    step_type: Number
    tightening_status: Number
    job_sequence: Number
    vin: Text
    identifier_2: Text
    identifier_3: Text
    identifier_4: Text


class Fields0036(TypedDict):
    """MID 0036, Job info acknowledge."""



class Given0036(Header, total=False):
    """MID 0036, Job info acknowledge."""



class Fields0037(TypedDict):
    """MID 0037, Job info unsubscribe."""



class Given0037(Header, total=False):
    """MID 0037, Job info unsubscribe."""



class Fields0038(TypedDict):
    """MID 0038, Select job."""

    job_id: int | Odd | None


class Given0038(Header, total=False):
    """MID 0038, Select job."""

    job_id: Number


class Fields0039(TypedDict):
    """MID 0039, Job restart."""

    job_id: int | Odd | None


class Given0039(Header, total=False):
    """MID 0039, Job restart."""

    job_id: Number


class Fields0040(TypedDict):
    """MID 0040, Tool data upload request."""

    tool_number: NotRequired[int | Odd | None]


class Given0040(Header, total=False):
    """MID 0040, Tool data upload request."""

    tool_number: Number


class Fields0041(TypedDict):
    """MID 0041, Tool data upload reply."""

    tool_serial: str | Odd | None
    tightenings: int | Odd | None
    calibration_date: str | Odd | None
    controller_serial: str | Odd | None
    calibration_value: NotRequired[int | Odd | None]
    service_date: NotRequired[str | Odd | None]
    tightenings_since_service: NotRequired[int | Odd | None]
    tool_type: NotRequired[int | Odd | None]
    motor_size: NotRequired[int | Odd | None]
    open_end: NotRequired[int | Odd | None]
    software_version: NotRequired[str | Odd | None]
    max_torque: NotRequired[int | Odd | None]
    gear_ratio: NotRequired[int | Odd | None]
    full_speed: NotRequired[int | Odd | None]
    primary_tool: NotRequired[int | Odd | None]
    tool_model: NotRequired[str | Odd | None]
    tool_number: NotRequired[int | Odd | None]
    article_number: NotRequired[str | Odd | None]
    speed_1: NotRequired[int | Odd | None]
    speed_2: NotRequired[int | Odd | None]
    speed_3: NotRequired[int | Odd | None]


class Given0041(Header, total=False):
    """MID 0041, Tool data upload reply."""

    tool_serial: Text
    tightenings: Number
    calibration_date: Time
    controller_serial: Text
    calibration_value: Number
    service_date: Time
    tightenings_since_service: Number
    tool_type: Number
    motor_size: Number
    open_end: Number
    software_version: Text
    max_torque: Number
    gear_ratio: Number
    full_speed: Number
    primary_tool: Number
    tool_model: Text
    tool_number: Number
    article_number: Text
    speed_1: Number
    speed_2: Number
    speed_3: Number


class Fields0042(TypedDict):
    """MID 0042, Disable tool."""

    tool_number: NotRequired[int | Odd | None]
    disable_type: NotRequired[int | Odd | None]


class Given0042(Header, total=False):
    """MID 0042, Disable tool."""

    tool_number: Number
    disable_type: Number


class Fields0043(TypedDict):
    """MID 0043, Enable tool."""

    tool_number: NotRequired[int | Odd | None]


class Given0043(Header, total=False):
    """MID 0043, Enable tool."""

    tool_number: Number


class Fields0044(TypedDict):
    """MID 0044, Disconnect tool request."""



class Given0044(Header, total=False):
    """MID 0044, Disconnect tool request."""



class Fields0045(TypedDict):
    """MID 0045, Set calibration value request."""

    calibration_unit: int | Odd | None
    calibration_value: int | Odd | None
    channel_id: NotRequired[int | Odd | None]


class Given0045(Header, total=False):
    """MID 0045, Set calibration value request."""

    calibration_unit: Number
    calibration_value: Number
    channel_id: Number


class Fields0046(TypedDict):
    """MID 0046, Set primary tool request."""

    primary_tool: int | Odd | None


class Given0046(Header, total=False):
    """MID 0046, Set primary tool request."""

    primary_tool: Number


class Fields0047(TypedDict):
    """MID 0047, Tool pairing handling."""

    pairing: int | Odd | None


class Given0047(Header, total=False):
    """MID 0047, Tool pairing handling."""

    pairing: Number


class Fields0048(TypedDict):
    """MID 0048, Tool pairing status."""

    pairing_status: int | Odd | None
    time: str | Odd | None


class Given0048(Header, total=False):
    """MID 0048, Tool pairing status."""

    pairing_status: Number
    time: Time


class Fields0049(TypedDict):
    """MID 0049, Tool pairing status acknowledge."""



class Given0049(Header, total=False):
    """MID 0049, Tool pairing status acknowledge."""



class Fields0050(TypedDict):
    """MID 0050, Vehicle ID number download request."""

    vin: str | Odd | None


class Given0050(Header, total=False):
    """MID 0050, Vehicle ID number download request."""

    vin: Text


class Fields0051(TypedDict):
    """MID 0051, Vehicle ID number subscribe."""



class Given0051(Header, total=False):
    """MID 0051, Vehicle ID number subscribe."""



class Fields0052(TypedDict):
    """MID 0052, Vehicle ID number."""

    vin: str | Odd | None
    identifier_2: NotRequired[str | Odd | None]
    identifier_3: NotRequired[str | Odd | None]
    identifier_4: NotRequired[str | Odd | None]


class Given0052(Header, total=False):
    """MID 0052, Vehicle ID number."""

    vin: Text
    identifier_2: Text
    identifier_3: Text
    identifier_4: Text


class Fields0053(TypedDict):
    """MID 0053, Vehicle ID number acknowledge."""



class Given0053(Header, total=False):
    """MID 0053, Vehicle ID number acknowledge."""



class Fields0054(TypedDict):
    """MID 0054, Vehicle ID number unsubscribe."""



class Given0054(Header, total=False):
    """MID 0054, Vehicle ID number unsubscribe."""



class Fields0060(TypedDict):
    """MID 0060, Last tightening result data subscribe."""



class Given0060(Header, total=False):
    """MID 0060, Last tightening result data subscribe."""



class Fields0061StageResults(TypedDict):
    """MID 0061, Last tightening result data: an entry of stage_results."""

    torque: int | Odd | None
    angle: int | Odd | None


class Given0061StageResults(TypedDict, total=False):
    """MID 0061, Last tightening result data: an entry of stage_results."""

    torque: Number
    angle: Number


class Fields0061(TypedDict):
    """MID 0061, Last tightening result data."""

    cell_id: NotRequired[int | Odd | None]
    channel_id: NotRequired[int | Odd | None]
    controller_name: NotRequired[str | Odd | None]
    vin: str | Odd | None
    job_id: int | Odd | None
    pset_id: int | Odd | None
    batch_size: int | Odd | None
    batch_counter: int | Odd | None
    tightening_status: int | Odd | None
    torque_status: int | Odd | None
    angle_status: int | Odd | None
    torque_min: NotRequired[int | Odd | None]
    torque_max: NotRequired[int | Odd | None]
    torque_target: NotRequired[int | Odd | None]
    torque: int | Odd | None
    angle_min: NotRequired[int | Odd | None]
    angle_max: NotRequired[int | Odd | None]
    angle_target: NotRequired[int | Odd | None]
    angle: int | Odd | None
    time: str | Odd | None
    pset_change: str | Odd | None
    batch_status: int | Odd | None
    tightening_id: int | Odd | None
    strategy: NotRequired[int | Odd | None]
    strategy_options: NotRequired[int | Odd | None]
    rundown_angle_status: NotRequired[int | Odd | None]
    current_status: NotRequired[int | Odd | None]
    self_tap_status: NotRequired[int | Odd | None]
    pvt_status: NotRequired[int | Odd | None]
    pvt_compensate_status: NotRequired[int | Odd | None]
    error_status: NotRequired[int | Odd | None]
    rundown_angle_min: NotRequired[int | Odd | None]
    rundown_angle_max: NotRequired[int | Odd | None]
    rundown_angle: NotRequired[int | Odd | None]
    current_min: NotRequired[int | Odd | None]
    current_max: NotRequired[int | Odd | None]
    current: NotRequired[int | Odd | None]
    self_tap_min: NotRequired[int | Odd | None]
    self_tap_max: NotRequired[int | Odd | None]
    self_tap_torque: NotRequired[int | Odd | None]
    pvt_min: NotRequired[int | Odd | None]
    pvt_max: NotRequired[int | Odd | None]
    pvt_torque: NotRequired[int | Odd | None]
    job_sequence: NotRequired[int | Odd | None]
    sync_tightening_id: NotRequired[int | Odd | None]
    tool_serial: NotRequired[str | Odd | None]
    pset_name: NotRequired[str | Odd | None]
    torque_unit: NotRequired[int | Odd | None]
    result_type: NotRequired[int | Odd | None]
    identifier_2: NotRequired[str | Odd | None]
    identifier_3: NotRequired[str | Odd | None]
    identifier_4: NotRequired[str | Odd | None]
    customer_error: NotRequired[str | Odd | None]
    pvt_compensate: NotRequired[int | Odd | None]
    error_status_2: NotRequired[int | Odd | None]
    compensated_angle: NotRequired[int | Odd | None]
    angle_hundredths: NotRequired[int | Odd | None]
    start_final_angle: NotRequired[int | Odd | None]
    post_view: NotRequired[int | Odd | None]
    post_view_high: NotRequired[int | Odd | None]
    post_view_low: NotRequired[int | Odd | None]
    current_amperes: NotRequired[int | Odd | None]
    current_amperes_min: NotRequired[int | Odd | None]
    current_amperes_max: NotRequired[int | Odd | None]
    angle_numerator: NotRequired[int | Odd | None]
    angle_denominator: NotRequired[int | Odd | None]
    overall_angle_status: NotRequired[int | Odd | None]
    overall_angle_min: NotRequired[int | Odd | None]
    overall_angle_max: NotRequired[int | Odd | None]
    overall_angle: NotRequired[int | Odd | None]
    peak_torque: NotRequired[int | Odd | None]
    residual_breakaway_torque: NotRequired[int | Odd | None]
    rundown_start_torque: NotRequired[int | Odd | None]
    rundown_complete_torque: NotRequired[int | Odd | None]
    click_torque: NotRequired[int | Odd | None]
    click_angle: NotRequired[int | Odd | None]
    stages: NotRequired[int | Odd | None]
    stage_count: NotRequired[int | Odd | None]
    stage_results: NotRequired[list[Fields0061StageResults] | Odd | None]


class Given0061(Header, total=False):
    """MID 0061, Last tightening result data."""

    cell_id: Number
    channel_id: Number
    controller_name: Text
    vin: Text
    job_id: Number
    pset_id: Number
    batch_size: Number
    batch_counter: Number
    tightening_status: Number
    torque_status: Number
    angle_status: Number
    torque_min: Number
    torque_max: Number
    torque_target: Number
    torque: Number
    angle_min: Number
    angle_max: Number
    angle_target: Number
    angle: Number
    time: Time
    pset_change: Time
    batch_status: Number
    tightening_id: Number
    strategy: Number
    strategy_options: Number
    rundown_angle_status: Number
    current_status: Number
    self_tap_status: Number
    pvt_status: Number
    pvt_compensate_status: Number
    error_status: Number
    rundown_angle_min: Number
    rundown_angle_max: Number
    rundown_angle: Number
    current_min: Number
    current_max: Number
    current: Number
    self_tap_min: Number
    self_tap_max: Number
    self_tap_torque: Number
    pvt_min: Number
    pvt_max: Number
    pvt_torque: Number
    job_sequence: Number
    sync_tightening_id: Number
    tool_serial: Text
    pset_name: Text
    torque_unit: Number
    result_type: Number
    identifier_2: Text
    identifier_3: Text
    identifier_4: Text
    customer_error: Text
    pvt_compensate: Number
    error_status_2: Number
    compensated_angle: Number
    angle_hundredths: Number
    start_final_angle: Number
    post_view: Number
    post_view_high: Number
    post_view_low: Number
    current_amperes: Number
    current_amperes_min: Number
    current_amperes_max: Number
    angle_numerator: Number
    angle_denominator: Number
    overall_angle_status: Number
    overall_angle_min: Number
    overall_angle_max: Number
    overall_angle: Number
    peak_torque: Number
    residual_breakaway_torque: Number
    rundown_start_torque: Number
    rundown_complete_torque: Number
    click_torque: Number
    click_angle: Number
    stages: Number
    stage_count: Number
    stage_results: Sequence[Given0061StageResults] | Odd | None


class Fields0062(TypedDict):
    """MID 0062, Last tightening result data acknowledge."""



class Given0062(Header, total=False):
    """MID 0062, Last tightening result data acknowledge."""



class Fields0063(TypedDict):
    """MID 0063, Last tightening result data unsubscribe."""



class Given0063(Header, total=False):
    """MID 0063, Last tightening result data unsubscribe."""



class Fields0064(TypedDict):
    """MID 0064, Old tightening result upload request."""

    tightening_id: int | Odd | None
    offline: NotRequired[int | Odd | None]


class Given0064(Header, total=False):
    """MID 0064, Old tightening result upload request."""

    tightening_id: Number
    offline: Number


class Fields0065(TypedDict):
    """MID 0065, Old tightening result upload reply."""

    tightening_id: int | Odd | None
    vin: str | Odd | None
    pset_id: int | Odd | None
    batch_counter: int | Odd | None
    tightening_status: int | Odd | None
    torque_status: int | Odd | None
    angle_status: int | Odd | None
    torque: int | Odd | None
    angle: int | Odd | None
    time: str | Odd | None
    batch_status: int | Odd | None
    job_id: NotRequired[int | Odd | None]
    strategy: NotRequired[int | Odd | None]
    strategy_options: NotRequired[int | Odd | None]
    batch_size: NotRequired[int | Odd | None]
    rundown_angle_status: NotRequired[int | Odd | None]
    current_status: NotRequired[int | Odd | None]
    self_tap_status: NotRequired[int | Odd | None]
    pvt_status: NotRequired[int | Odd | None]
    pvt_compensate_status: NotRequired[int | Odd | None]
    error_status: NotRequired[int | Odd | None]
    rundown_angle: NotRequired[int | Odd | None]
    current: NotRequired[int | Odd | None]
    self_tap_torque: NotRequired[int | Odd | None]
    pvt_torque: NotRequired[int | Odd | None]
    job_sequence: NotRequired[int | Odd | None]
    sync_tightening_id: NotRequired[int | Odd | None]
    tool_serial: NotRequired[str | Odd | None]
    torque_unit: NotRequired[int | Odd | None]
    result_type: NotRequired[int | Odd | None]
    identifier_2: NotRequired[str | Odd | None]
    identifier_3: NotRequired[str | Odd | None]
    identifier_4: NotRequired[str | Odd | None]
    customer_error: NotRequired[str | Odd | None]
    pvt_compensate: NotRequired[int | Odd | None]
    error_status_2: NotRequired[int | Odd | None]
    station_id: NotRequired[int | Odd | None]
    station_name: NotRequired[str | Odd | None]
    start_final_angle: NotRequired[int | Odd | None]
    post_view: NotRequired[int | Odd | None]
    post_view_high: NotRequired[int | Odd | None]
    post_view_low: NotRequired[int | Odd | None]
    current_amperes: NotRequired[int | Odd | None]
    current_amperes_min: NotRequired[int | Odd | None]
    current_amperes_max: NotRequired[int | Odd | None]
    angle_numerator: NotRequired[int | Odd | None]
    angle_denominator: NotRequired[int | Odd | None]
    overall_angle_status: NotRequired[int | Odd | None]
    overall_angle_min: NotRequired[int | Odd | None]
    overall_angle_max: NotRequired[int | Odd | None]
    overall_angle: NotRequired[int | Odd | None]
    peak_torque: NotRequired[int | Odd | None]
    residual_breakaway_torque: NotRequired[int | Odd | None]
    rundown_start_torque: NotRequired[int | Odd | None]
    rundown_complete_torque: NotRequired[int | Odd | None]
    click_torque: NotRequired[int | Odd | None]
    click_angle: NotRequired[int | Odd | None]


class Given0065(Header, total=False):
    """MID 0065, Old tightening result upload reply."""

    tightening_id: Number
    vin: Text
    pset_id: Number
    batch_counter: Number
    tightening_status: Number
    torque_status: Number
    angle_status: Number
    torque: Number
    angle: Number
    time: Time
    batch_status: Number
    job_id: Number
    strategy: Number
    strategy_options: Number
    batch_size: Number
    rundown_angle_status: Number
    current_status: Number
    self_tap_status: Number
    pvt_status: Number
    pvt_compensate_status: Number
    error_status: Number
    rundown_angle: Number
    current: Number
    self_tap_torque: Number
    pvt_torque: Number
    job_sequence: Number
    sync_tightening_id: Number
    tool_serial: Text
    torque_unit: Number
    result_type: Number
    identifier_2: Text
    identifier_3: Text
    identifier_4: Text
    customer_error: Text
    pvt_compensate: Number
    error_status_2: Number
    station_id: Number
    station_name: Text
    start_final_angle: Number
    post_view: Number
    post_view_high: Number
    post_view_low: Number
    current_amperes: Number
    current_amperes_min: Number
    current_amperes_max: Number
    angle_numerator: Number
    angle_denominator: Number
    overall_angle_status: Number
    overall_angle_min: Number
    overall_angle_max: Number
    overall_angle: Number
    peak_torque: Number
    residual_breakaway_torque: Number
    rundown_start_torque: Number
    rundown_complete_torque: Number
    click_torque: Number
    click_angle: Number


class Fields0066(TypedDict):
    """MID 0066, Number of offline results."""

    offline_results: int | Odd | None
    offline_curves: NotRequired[int | Odd | None]


class Given0066(Header, total=False):
    """MID 0066, Number of offline results."""

    offline_results: Number
    offline_curves: Number


class Fields0067Results(TypedDict):
    """MID 0067, Tightening result list: an entry of results."""

    index: int | Odd | None
    time: str | Odd | None
    status: int | Odd | None


class Given0067Results(TypedDict, total=False):
    """MID 0067, Tightening result list: an entry of results."""

    index: Number
    time: Time
    status: Number


class Fields0067(TypedDict):
    """MID 0067, Tightening result list."""

    result_count: int | Odd | None
    results: list[Fields0067Results] | Odd | None


class Given0067(Header, total=False):
    """MID 0067, Tightening result list."""

    result_count: Number
    results: Sequence[Given0067Results] | Odd | None


class Fields0070(TypedDict):
    """MID 0070, Alarm subscribe."""



class Given0070(Header, total=False):
    """MID 0070, Alarm subscribe."""



class Fields0071(TypedDict):
    """MID 0071, Alarm."""

    error_code: str | Odd | None
    controller_ready: int | Odd | None
    tool_ready: int | Odd | None
    time: str | Odd | None
    alarm_text: NotRequired[str | Odd | None]
    tool_health: NotRequired[int | Odd | None]


class Given0071(Header, total=False):
    """MID 0071, Alarm."""

    error_code: Text
    controller_ready: Number
    tool_ready: Number
    time: Time
    alarm_text: Text
    tool_health: Number


class Fields0072(TypedDict):
    """MID 0072, Alarm acknowledge."""



class Given0072(Header, total=False):
    """MID 0072, Alarm acknowledge."""



class Fields0073(TypedDict):
    """MID 0073, Alarm unsubscribe."""



class Given0073(Header, total=False):
    """MID 0073, Alarm unsubscribe."""



class Fields0074(TypedDict):
    """MID 0074, Alarm acknowledged on controller."""

    error_code: str | Odd | None


class Given0074(Header, total=False):
    """MID 0074, Alarm acknowledged on controller."""

    error_code: Text


class Fields0075(TypedDict):
    """MID 0075, Alarm acknowledged on controller acknowledge."""



class Given0075(Header, total=False):
    """MID 0075, Alarm acknowledged on controller acknowledge."""



class Fields0076(TypedDict):
    """MID 0076, Alarm status."""

    alarm_active: int | Odd | None
    error_code: str | Odd | None
    controller_ready: int | Odd | None
    tool_ready: int | Odd | None
    time: str | Odd | None
    tool_health: NotRequired[int | Odd | None]


class Given0076(Header, total=False):
    """MID 0076, Alarm status."""

    alarm_active: Number
    error_code: Text
    controller_ready: Number
    tool_ready: Number
    time: Time
    tool_health: Number


class Fields0077(TypedDict):
    """MID 0077, Alarm status acknowledge."""



class Given0077(Header, total=False):
    """MID 0077, Alarm status acknowledge."""



class Fields0078(TypedDict):
    """MID 0078, Acknowledge alarm remotely on controller."""



class Given0078(Header, total=False):
    """MID 0078, Acknowledge alarm remotely on controller."""



class Fields0080(TypedDict):
    """MID 0080, Read time upload request."""



class Given0080(Header, total=False):
    """MID 0080, Read time upload request."""



class Fields0081(TypedDict):
    """MID 0081, Read time upload reply."""

    time: str | Odd | None


class Given0081(Header, total=False):
    """MID 0081, Read time upload reply."""

    time: Time


class Fields0082(TypedDict):
    """MID 0082, Set time."""

    time: str | Odd | None


class Given0082(Header, total=False):
    """MID 0082, Set time."""

    time: Time


class Fields0090(TypedDict):
    """MID 0090, Multi-spindle status subscribe."""



class Given0090(Header, total=False):
    """MID 0090, Multi-spindle status subscribe."""



class Fields0091Spindles(TypedDict):
    """MID 0091, Multi-spindle status: an entry of spindles."""

    spindle: int | Odd | None
    channel_id: int | Odd | None
    status: int | Odd | None


class Given0091Spindles(TypedDict, total=False):
    """MID 0091, Multi-spindle status: an entry of spindles."""

    spindle: Number
    channel_id: Number
    status: Number


class Fields0091(TypedDict):
    """MID 0091, Multi-spindle status."""

    spindle_count: int | Odd | None
    sync_tightening_id: int | Odd | None
    time: str | Odd | None
    sync_status: int | Odd | None
    spindles: list[Fields0091Spindles] | Odd | None


class Given0091(Header, total=False):
    """MID 0091, Multi-spindle status."""

    spindle_count: Number
    sync_tightening_id: Number
    time: Time
    sync_status: Number
    spindles: Sequence[Given0091Spindles] | Odd | None


class Fields0092(TypedDict):
    """MID 0092, Multi-spindle status acknowledge."""



class Given0092(Header, total=False):
    """MID 0092, Multi-spindle status acknowledge."""



class Fields0093(TypedDict):
    """MID 0093, Multi-spindle status unsubscribe."""



class Given0093(Header, total=False):
    """MID 0093, Multi-spindle status unsubscribe."""



class Fields0100(TypedDict):
    """MID 0100, Multi-spindle result subscribe."""

    data_number: NotRequired[int | Odd | None]
    only_new: NotRequired[int | Odd | None]


class Given0100(Header, total=False):
    """MID 0100, Multi-spindle result subscribe."""

    data_number: Number
    only_new: Number


class Fields0101Spindles(TypedDict):
    """MID 0101, Multi-spindle result: an entry of spindles."""

    spindle: int | Odd | None
    channel_id: int | Odd | None
    status: int | Odd | None
    torque_status: int | Odd | None
    torque: int | Odd | None
    angle_status: int | Odd | None
    angle: int | Odd | None


class Given0101Spindles(TypedDict, total=False):
    """MID 0101, Multi-spindle result: an entry of spindles."""

    spindle: Number
    channel_id: Number
    status: Number
    torque_status: Number
    torque: Number
    angle_status: Number
    angle: Number


class Fields0101(TypedDict):
    """MID 0101, Multi-spindle result."""

    spindle_count: int | Odd | None
    vin: str | Odd | None
    job_id: int | Odd | None
    pset_id: int | Odd | None
    batch_size: int | Odd | None
    batch_counter: int | Odd | None
    batch_status: int | Odd | None
    torque_min: int | Odd | None
    torque_max: int | Odd | None
    torque_target: int | Odd | None
    angle_min: int | Odd | None
    angle_max: int | Odd | None
    angle_target: int | Odd | None
    pset_change: str | Odd | None
    time: str | Odd | None
    sync_tightening_id: int | Odd | None
    sync_status: int | Odd | None
    spindles: list[Fields0101Spindles] | Odd | None
    system_subtype: NotRequired[int | Odd | None]
    job_sequence: NotRequired[int | Odd | None]


class Given0101(Header, total=False):
    """MID 0101, Multi-spindle result."""

    spindle_count: Number
    vin: Text
    job_id: Number
    pset_id: Number
    batch_size: Number
    batch_counter: Number
    batch_status: Number
    torque_min: Number
    torque_max: Number
    torque_target: Number
    angle_min: Number
    angle_max: Number
    angle_target: Number
    pset_change: Time
    time: Time
    sync_tightening_id: Number
    sync_status: Number
    spindles: Sequence[Given0101Spindles] | Odd | None
    system_subtype: Number
    job_sequence: Number


class Fields0102(TypedDict):
    """MID 0102, Multi-spindle result acknowledge."""



class Given0102(Header, total=False):
    """MID 0102, Multi-spindle result acknowledge."""



class Fields0103(TypedDict):
    """MID 0103, Multi-spindle result unsubscribe."""



class Given0103(Header, total=False):
    """MID 0103, Multi-spindle result unsubscribe."""



class Fields0104(TypedDict):
    """MID 0104, Old multi-spindle result request."""

    index: int | Odd | None


class Given0104(Header, total=False):
    """MID 0104, Old multi-spindle result request."""

    index: Number


class Fields0105(TypedDict):
    """MID 0105, Last PowerMACS tightening result data subscribe."""

    data_number: NotRequired[int | Odd | None]
    only_new: NotRequired[int | Odd | None]


class Given0105(Header, total=False):
    """MID 0105, Last PowerMACS tightening result data subscribe."""

    data_number: Number
    only_new: Number


class Fields0106Bolts(TypedDict):
    """MID 0106, Last PowerMACS tightening result station data: an entry of bolts."""

    ordinal: int | Odd | None
    simple_status: int | Odd | None
    torque_status: int | Odd | None
    angle_status: int | Odd | None
    torque: float | Odd | None
    angle: float | Odd | None
    torque_max: float | Odd | None
    torque_min: float | Odd | None
    angle_max: float | Odd | None
    angle_min: float | Odd | None


class Given0106Bolts(TypedDict, total=False):
    """MID 0106, Last PowerMACS tightening result station data: an entry of bolts."""

    ordinal: Number
    simple_status: Number
    torque_status: Number
    angle_status: Number
    torque: Number
    angle: Number
    torque_max: Number
    torque_min: Number
    angle_max: Number
    angle_min: Number


class Fields0106SpecialValues(TypedDict):
    """MID 0106, Last PowerMACS tightening result station data: an entry of special_values."""

    name: str | Odd | None
    type: str | Odd | None
    length: int | Odd | None
    value: str | Odd | None


class Given0106SpecialValues(TypedDict, total=False):
    """MID 0106, Last PowerMACS tightening result station data: an entry of special_values."""

    name: Text
    type: Text
    length: Number
    value: Text


class Fields0106(TypedDict):
    """MID 0106, Last PowerMACS tightening result station data."""

    message_count: int | Odd | None
    message_number: int | Odd | None
    data_number: int | Odd | None
    station_number: int | Odd | None
    station_name: str | Odd | None
    time: str | Odd | None
    mode_number: int | Odd | None
    mode_name: str | Odd | None
    simple_status: int | Odd | None
    pm_status: int | Odd | None
    workpiece_id: str | Odd | None
    bolt_count: int | Odd | None
    bolts: list[Fields0106Bolts] | Odd | None
    special_count: int | Odd | None
    special_values: list[Fields0106SpecialValues] | Odd | None
    system_subtype: NotRequired[int | Odd | None]


class Given0106(Header, total=False):
    """MID 0106, Last PowerMACS tightening result station data."""

    message_count: Number
    message_number: Number
    data_number: Number
    station_number: Number
    station_name: Text
    time: Time
    mode_number: Number
    mode_name: Text
    simple_status: Number
    pm_status: Number
    workpiece_id: Text
    bolt_count: Number
    bolts: Sequence[Given0106Bolts] | Odd | None
    special_count: Number
    special_values: Sequence[Given0106SpecialValues] | Odd | None
    system_subtype: Number


class Fields0107BoltResults(TypedDict):
    """MID 0107, Last PowerMACS tightening result bolt data: an entry of bolt_results."""

    name: str | Odd | None
    type: str | Odd | None
    value: str | Odd | None


class Given0107BoltResults(TypedDict, total=False):
    """MID 0107, Last PowerMACS tightening result bolt data: an entry of bolt_results."""

    name: Text
    type: Text
    value: Text


class Fields0107StepResults(TypedDict):
    """MID 0107, Last PowerMACS tightening result bolt data: an entry of step_results."""

    name: str | Odd | None
    type: str | Odd | None
    value: str | Odd | None
    step: int | Odd | None


class Given0107StepResults(TypedDict, total=False):
    """MID 0107, Last PowerMACS tightening result bolt data: an entry of step_results."""

    name: Text
    type: Text
    value: Text
    step: Number


class Fields0107SpecialValues(TypedDict):
    """MID 0107, Last PowerMACS tightening result bolt data: an entry of special_values."""

    name: str | Odd | None
    type: str | Odd | None
    length: int | Odd | None
    value: str | Odd | None
    step: int | Odd | None


class Given0107SpecialValues(TypedDict, total=False):
    """MID 0107, Last PowerMACS tightening result bolt data: an entry of special_values."""

    name: Text
    type: Text
    length: Number
    value: Text
    step: Number


class Fields0107(TypedDict):
    """MID 0107, Last PowerMACS tightening result bolt data."""

    message_count: int | Odd | None
    message_number: int | Odd | None
    data_number: int | Odd | None
    station_number: int | Odd | None
    time: str | Odd | None
    bolt_number: int | Odd | None
    bolt_name: str | Odd | None
    program_name: str | Odd | None
    pm_status: int | Odd | None
    errors: str | Odd | None
    customer_error: str | Odd | None
    bolt_result_count: int | Odd | None
    bolt_results: list[Fields0107BoltResults] | Odd | None
    step_result_count: int | Odd | None
    all_steps_sent: int | Odd | None
    step_results: list[Fields0107StepResults] | Odd | None
    special_count: int | Odd | None
    special_values: list[Fields0107SpecialValues] | Odd | None
    system_subtype: NotRequired[int | Odd | None]


class Given0107(Header, total=False):
    """MID 0107, Last PowerMACS tightening result bolt data."""

    message_count: Number
    message_number: Number
    data_number: Number
    station_number: Number
    time: Time
    bolt_number: Number
    bolt_name: Text
    program_name: Text
    pm_status: Number
    errors: Text
    customer_error: Text
    bolt_result_count: Number
    bolt_results: Sequence[Given0107BoltResults] | Odd | None
    step_result_count: Number
    all_steps_sent: Number
    step_results: Sequence[Given0107StepResults] | Odd | None
    special_count: Number
    special_values: Sequence[Given0107SpecialValues] | Odd | None
    system_subtype: Number


class Fields0108(TypedDict):
    """MID 0108, Last PowerMACS tightening result data acknowledge."""

    bolt_data: int | Odd | None


class Given0108(Header, total=False):
    """MID 0108, Last PowerMACS tightening result data acknowledge."""

    bolt_data: Number


class Fields0109(TypedDict):
    """MID 0109, Last PowerMACS tightening result data unsubscribe."""



class Given0109(Header, total=False):
    """MID 0109, Last PowerMACS tightening result data unsubscribe."""



class Fields0110(TypedDict):
    """MID 0110, Display user text on compact."""

    text: str | Odd | None


class Given0110(Header, total=False):
    """MID 0110, Display user text on compact."""

    text: Text


class Fields0111(TypedDict):
    """MID 0111, Display user text on graph."""

    duration: int | Odd | None
    removal: int | Odd | None
    line_1: str | Odd | None
    line_2: str | Odd | None
    line_3: str | Odd | None
    line_4: str | Odd | None


class Given0111(Header, total=False):
    """MID 0111, Display user text on graph."""

    duration: Number
    removal: Number
    line_1: Text
    line_2: Text
    line_3: Text
    line_4: Text


class Fields0113(TypedDict):
    """MID 0113, Flash green light on tool."""



class Given0113(Header, total=False):
    """MID 0113, Flash green light on tool."""



class Fields0120(TypedDict):
    """MID 0120, Job line control info subscribe."""



class Given0120(Header, total=False):
    """MID 0120, Job line control info subscribe."""



class Fields0121(TypedDict):
    """MID 0121, Job line control started."""



class Given0121(Header, total=False):
    """MID 0121, Job line control started."""



class Fields0122(TypedDict):
    """MID 0122, Job line control alert 1."""



class Given0122(Header, total=False):
    """MID 0122, Job line control alert 1."""



class Fields0123(TypedDict):
    """MID 0123, Job line control alert 2."""



class Given0123(Header, total=False):
    """MID 0123, Job line control alert 2."""



class Fields0124(TypedDict):
    """MID 0124, Job line control done."""



class Given0124(Header, total=False):
    """MID 0124, Job line control done."""



class Fields0125(TypedDict):
    """MID 0125, Job line control info acknowledge."""



class Given0125(Header, total=False):
    """MID 0125, Job line control info acknowledge."""



class Fields0126(TypedDict):
    """MID 0126, Job line control info unsubscribe."""



class Given0126(Header, total=False):
    """MID 0126, Job line control info unsubscribe."""



class Fields0127(TypedDict):
    """MID 0127, Abort job."""



class Given0127(Header, total=False):
    """MID 0127, Abort job."""



class Fields0128(TypedDict):
    """MID 0128, Job batch increment."""



class Given0128(Header, total=False):
    """MID 0128, Job batch increment."""



class Fields0129(TypedDict):
    """MID 0129, Job batch decrement."""

    channel_id: NotRequired[int | Odd | None]
    pset_id: NotRequired[int | Odd | None]


class Given0129(Header, total=False):
    """MID 0129, Job batch decrement."""

    channel_id: Number
    pset_id: Number


class Fields0130(TypedDict):
    """MID 0130, Job off."""

    job_off: int | Odd | None


class Given0130(Header, total=False):
    """MID 0130, Job off."""

    job_off: Number


class Fields0131(TypedDict):
    """MID 0131, Set job line control start."""



class Given0131(Header, total=False):
    """MID 0131, Set job line control start."""



class Fields0132(TypedDict):
    """MID 0132, Set job line alert 1."""



class Given0132(Header, total=False):
    """MID 0132, Set job line alert 1."""



class Fields0133(TypedDict):
    """MID 0133, Set job line alert 2."""



class Given0133(Header, total=False):
    """MID 0133, Set job line alert 2."""



class Fields0140JobList(TypedDict):
    """MID 0140, Execute dynamic job request: an entry of job_list."""

    channel_id: int | Odd | None
    program_id: int | Odd | None
    auto_select: int | Odd | None
    batch_size: int | Odd | None
    max_coherent_nok: int | Odd | None
    batch_counter: NotRequired[int | Odd | None]
    identifier_number: NotRequired[int | Odd | None]
    step_name: NotRequired[str | Odd | None]
    step_type: NotRequired[int | Odd | None]
    loosening: NotRequired[int | Odd | None]
    batch_mode: NotRequired[int | Odd | None]
    status_at_increment: NotRequired[int | Odd | None]
    decrement_at_loosening: NotRequired[int | Odd | None]
    batch_status: NotRequired[int | Odd | None]


class Given0140JobList(TypedDict, total=False):
    """MID 0140, Execute dynamic job request: an entry of job_list."""

    channel_id: Number
    program_id: Number
    auto_select: Number
    batch_size: Number
    max_coherent_nok: Number
    batch_counter: Number
    identifier_number: Number
    step_name: Text
    step_type: Number
    loosening: Number
    batch_mode: Number
    status_at_increment: Number
    decrement_at_loosening: Number
    batch_status: Number


class Fields0140(TypedDict):
    """MID 0140, Execute dynamic job request."""

    job_id: int | Odd | None
    job_name: str | Odd | None
    pset_count: int | Odd | None
    job_list: list[Fields0140JobList] | Odd | None
    forced_order: int | Odd | None
    lock_at_done: int | Odd | None
    loosening: NotRequired[int | Odd | None]
    repeat: int | Odd | None
    batch_mode: NotRequired[int | Odd | None]
    status_at_increment: NotRequired[int | Odd | None]
    decrement_at_loosening: NotRequired[int | Odd | None]
    max_time_first: int | Odd | None
    max_time: int | Odd | None
    display_time: int | Odd | None
    line_control: int | Odd | None
    identifier_part_1: int | Odd | None
    result_of_non_tightenings: int | Odd | None
    reset_identifiers: int | Odd | None
    reserved: str | Odd | None
    job_sequence: NotRequired[int | Odd | None]


class Given0140(Header, total=False):
    """MID 0140, Execute dynamic job request."""

    job_id: Number
    job_name: Text
    pset_count: Number
    job_list: Sequence[Given0140JobList] | Odd | None
    forced_order: Number
    lock_at_done: Number
    loosening: Number
    repeat: Number
    batch_mode: Number
    status_at_increment: Number
    decrement_at_loosening: Number
    max_time_first: Number
    max_time: Number
    display_time: Number
    line_control: Number
    identifier_part_1: Number
    result_of_non_tightenings: Number
    reset_identifiers: Number
    reserved: Text
    job_sequence: Number


class Fields0150(TypedDict):
    """MID 0150, Identifier download request."""

    identifier: str | Odd | None


class Given0150(Header, total=False):
    """MID 0150, Identifier download request."""

    identifier: Text


class Fields0151(TypedDict):
    """MID 0151, Multiple identifier and result parts subscribe."""



class Given0151(Header, total=False):
    """MID 0151, Multiple identifier and result parts subscribe."""



class Fields0152(TypedDict):
    """MID 0152, Multiple identifier and result parts."""

    type_1: int | Odd | None
    included_1: int | Odd | None
    status_1: int | Odd | None
    part_1: str | Odd | None
    type_2: int | Odd | None
    included_2: int | Odd | None
    status_2: int | Odd | None
    part_2: str | Odd | None
    type_3: int | Odd | None
    included_3: int | Odd | None
    status_3: int | Odd | None
    part_3: str | Odd | None
    type_4: int | Odd | None
    included_4: int | Odd | None
    status_4: int | Odd | None
    part_4: str | Odd | None


class Given0152(Header, total=False):
    """MID 0152, Multiple identifier and result parts."""

    type_1: Number
    included_1: Number
    status_1: Number
    part_1: Text
    type_2: Number
    included_2: Number
    status_2: Number
    part_2: Text
    type_3: Number
    included_3: Number
    status_3: Number
    part_3: Text
    type_4: Number
    included_4: Number
    status_4: Number
    part_4: Text


class Fields0153(TypedDict):
    """MID 0153, Multiple identifiers and result parts acknowledge."""



class Given0153(Header, total=False):
    """MID 0153, Multiple identifiers and result parts acknowledge."""



class Fields0154(TypedDict):
    """MID 0154, Multiple identifier and result parts unsubscribe."""



class Given0154(Header, total=False):
    """MID 0154, Multiple identifier and result parts unsubscribe."""



class Fields0155(TypedDict):
    """MID 0155, Bypass identifier."""



class Given0155(Header, total=False):
    """MID 0155, Bypass identifier."""



class Fields0156(TypedDict):
    """MID 0156, Reset latest identifier."""



class Given0156(Header, total=False):
    """MID 0156, Reset latest identifier."""



class Fields0157(TypedDict):
    """MID 0157, Reset all identifiers."""



class Given0157(Header, total=False):
    """MID 0157, Reset all identifiers."""



class Fields0200(TypedDict):
    """MID 0200, Set externally controlled relays."""

    relays: list[int | Odd | None] | Odd | None


class Given0200(Header, total=False):
    """MID 0200, Set externally controlled relays."""

    relays: Sequence[Number] | Odd | None


class Fields0210(TypedDict):
    """MID 0210, Status externally monitored inputs subscribe."""



class Given0210(Header, total=False):
    """MID 0210, Status externally monitored inputs subscribe."""



class Fields0211(TypedDict):
    """MID 0211, Status externally monitored inputs."""

    inputs: list[int | Odd | None] | Odd | None


class Given0211(Header, total=False):
    """MID 0211, Status externally monitored inputs."""

    inputs: Sequence[Number] | Odd | None


class Fields0212(TypedDict):
    """MID 0212, Status externally monitored inputs acknowledge."""



class Given0212(Header, total=False):
    """MID 0212, Status externally monitored inputs acknowledge."""



class Fields0213(TypedDict):
    """MID 0213, Status externally monitored inputs unsubscribe."""



class Given0213(Header, total=False):
    """MID 0213, Status externally monitored inputs unsubscribe."""



class Fields0214(TypedDict):
    """MID 0214, IO device status request."""

    device_id: int | Odd | None


class Given0214(Header, total=False):
    """MID 0214, IO device status request."""

    device_id: Number


class Fields0215Relays(TypedDict):
    """MID 0215, IO device status reply: an entry of relays."""

    function: int | Odd | None
    status: int | Odd | None


class Given0215Relays(TypedDict, total=False):
    """MID 0215, IO device status reply: an entry of relays."""

    function: Number
    status: Number


class Fields0215Inputs(TypedDict):
    """MID 0215, IO device status reply: an entry of inputs."""

    function: int | Odd | None
    status: int | Odd | None


class Given0215Inputs(TypedDict, total=False):
    """MID 0215, IO device status reply: an entry of inputs."""

    function: Number
    status: Number


class Fields0215(TypedDict):
    """MID 0215, IO device status reply."""

    device_id: int | Odd | None
    relays: list[Fields0215Relays] | Odd | None
    inputs: list[Fields0215Inputs] | Odd | None
    relay_count: NotRequired[int | Odd | None]
    input_count: NotRequired[int | Odd | None]


class Given0215(Header, total=False):
    """MID 0215, IO device status reply."""

    device_id: Number
    relays: Sequence[Given0215Relays] | Odd | None
    inputs: Sequence[Given0215Inputs] | Odd | None
    relay_count: Number
    input_count: Number


class Fields0216(TypedDict):
    """MID 0216, Relay function subscribe."""

    function: int | Odd | None


class Given0216(Header, total=False):
    """MID 0216, Relay function subscribe."""

    function: Number


class Fields0217(TypedDict):
    """MID 0217, Relay function."""

    function: int | Odd | None
    status: int | Odd | None


class Given0217(Header, total=False):
    """MID 0217, Relay function."""

    function: Number
    status: Number


class Fields0218(TypedDict):
    """MID 0218, Relay function acknowledge."""



class Given0218(Header, total=False):
    """MID 0218, Relay function acknowledge."""



class Fields0219(TypedDict):
    """MID 0219, Relay function unsubscribe."""

    function: int | Odd | None


class Given0219(Header, total=False):
    """MID 0219, Relay function unsubscribe."""

    function: Number


class Fields0220(TypedDict):
    """MID 0220, Digital input function subscribe."""

    function: int | Odd | None


class Given0220(Header, total=False):
    """MID 0220, Digital input function subscribe."""

    function: Number


class Fields0221(TypedDict):
    """MID 0221, Digital input function."""

    function: int | Odd | None
    status: int | Odd | None


class Given0221(Header, total=False):
    """MID 0221, Digital input function."""

    function: Number
    status: Number


class Fields0222(TypedDict):
    """MID 0222, Digital input function acknowledge."""



class Given0222(Header, total=False):
    """MID 0222, Digital input function acknowledge."""



class Fields0223(TypedDict):
    """MID 0223, Digital input function unsubscribe."""

    function: int | Odd | None


class Given0223(Header, total=False):
    """MID 0223, Digital input function unsubscribe."""

    function: Number


class Fields0224(TypedDict):
    """MID 0224, Set digital input function."""

    function: int | Odd | None


class Given0224(Header, total=False):
    """MID 0224, Set digital input function."""

    function: Number


class Fields0225(TypedDict):
    """MID 0225, Reset digital input function."""

    function: int | Odd | None


class Given0225(Header, total=False):
    """MID 0225, Reset digital input function."""

    function: Number


class Fields0240(TypedDict):
    """MID 0240, User data download."""

    user_data: str | Odd | None


class Given0240(Header, total=False):
    """MID 0240, User data download."""

    user_data: Text


class Fields0241(TypedDict):
    """MID 0241, User data subscribe."""



class Given0241(Header, total=False):
    """MID 0241, User data subscribe."""



class Fields0242(TypedDict):
    """MID 0242, User data."""

    user_data: str | Odd | None


class Given0242(Header, total=False):
    """MID 0242, User data."""

    user_data: Text


class Fields0243(TypedDict):
    """MID 0243, User data acknowledge."""



class Given0243(Header, total=False):
    """MID 0243, User data acknowledge."""



class Fields0244(TypedDict):
    """MID 0244, User data unsubscribe."""



class Given0244(Header, total=False):
    """MID 0244, User data unsubscribe."""



class Fields0245(TypedDict):
    """MID 0245, User data download with offset."""

    offset: int | Odd | None
    user_data: str | Odd | None


class Given0245(Header, total=False):
    """MID 0245, User data download with offset."""

    offset: Number
    user_data: Text


class Fields0250(TypedDict):
    """MID 0250, Selector socket info subscribe."""



class Given0250(Header, total=False):
    """MID 0250, Selector socket info subscribe."""



class Fields0251(TypedDict):
    """MID 0251, Selector socket info."""

    device_id: int | Odd | None
    socket_count: int | Odd | None
    sockets: list[int | Odd | None] | Odd | None


class Given0251(Header, total=False):
    """MID 0251, Selector socket info."""

    device_id: Number
    socket_count: Number
    sockets: Sequence[Number] | Odd | None


class Fields0252(TypedDict):
    """MID 0252, Selector socket info acknowledge."""



class Given0252(Header, total=False):
    """MID 0252, Selector socket info acknowledge."""



class Fields0253(TypedDict):
    """MID 0253, Selector socket info unsubscribe."""



class Given0253(Header, total=False):
    """MID 0253, Selector socket info unsubscribe."""



class Fields0254(TypedDict):
    """MID 0254, Selector control green lights."""

    device_id: int | Odd | None
    lights: list[int | Odd | None] | Odd | None
    socket_count: NotRequired[int | Odd | None]


class Given0254(Header, total=False):
    """MID 0254, Selector control green lights."""

    device_id: Number
    lights: Sequence[Number] | Odd | None
    socket_count: Number


class Fields0255(TypedDict):
    """MID 0255, Selector control red lights."""

    device_id: int | Odd | None
    lights: list[int | Odd | None] | Odd | None
    socket_count: NotRequired[int | Odd | None]


class Given0255(Header, total=False):
    """MID 0255, Selector control red lights."""

    device_id: Number
    lights: Sequence[Number] | Odd | None
    socket_count: Number


class Fields0260(TypedDict):
    """MID 0260, Tool tag ID request."""



class Given0260(Header, total=False):
    """MID 0260, Tool tag ID request."""



class Fields0261(TypedDict):
    """MID 0261, Tool tag ID subscribe."""



class Given0261(Header, total=False):
    """MID 0261, Tool tag ID subscribe."""



class Fields0262(TypedDict):
    """MID 0262, Tool tag ID."""

    tag_id: str | Odd | None


class Given0262(Header, total=False):
    """MID 0262, Tool tag ID."""

    tag_id: Text


class Fields0263(TypedDict):
    """MID 0263, Tool tag ID acknowledge."""



class Given0263(Header, total=False):
    """MID 0263, Tool tag ID acknowledge."""



class Fields0264(TypedDict):
    """MID 0264, Tool tag ID unsubscribe."""



class Given0264(Header, total=False):
    """MID 0264, Tool tag ID unsubscribe."""



class Fields0265(TypedDict):
    """MID 0265, External tool tag ID and status."""

    tag_id: str | Odd | None
    status: int | Odd | None


class Given0265(Header, total=False):
    """MID 0265, External tool tag ID and status."""

    tag_id: Text
    status: Number


class Fields0270(TypedDict):
    """MID 0270, Controller reboot request."""



class Given0270(Header, total=False):
    """MID 0270, Controller reboot request."""



class Fields0300(TypedDict):
    """MID 0300, Histogram upload request."""

    pset_id: int | Odd | None
    histogram_type: int | Odd | None


class Given0300(Header, total=False):
    """MID 0300, Histogram upload request."""

    pset_id: Number
    histogram_type: Number


class Fields0301(TypedDict):
    """MID 0301, Histogram upload reply."""

    pset_id: int | Odd | None
    histogram_type: int | Odd | None
    sigma: int | Odd | None
    mean: int | Odd | None
    class_range: int | Odd | None
    bar_1: int | Odd | None
    bar_2: int | Odd | None
    bar_3: int | Odd | None
    bar_4: int | Odd | None
    bar_5: int | Odd | None
    bar_6: int | Odd | None
    bar_7: int | Odd | None
    bar_8: int | Odd | None
    bar_9: int | Odd | None


class Given0301(Header, total=False):
    """MID 0301, Histogram upload reply."""

    pset_id: Number
    histogram_type: Number
    sigma: Number
    mean: Number
    class_range: Number
    bar_1: Number
    bar_2: Number
    bar_3: Number
    bar_4: Number
    bar_5: Number
    bar_6: Number
    bar_7: Number
    bar_8: Number
    bar_9: Number


class Fields0400(TypedDict):
    """MID 0400, Automatic/manual mode subscribe."""



class Given0400(Header, total=False):
    """MID 0400, Automatic/manual mode subscribe."""



class Fields0401(TypedDict):
    """MID 0401, Automatic/manual mode."""

    manual: int | Odd | None


class Given0401(Header, total=False):
    """MID 0401, Automatic/manual mode."""

    manual: Number


class Fields0402(TypedDict):
    """MID 0402, Automatic/manual mode acknowledge."""



class Given0402(Header, total=False):
    """MID 0402, Automatic/manual mode acknowledge."""



class Fields0403(TypedDict):
    """MID 0403, Automatic/manual mode unsubscribe."""



class Given0403(Header, total=False):
    """MID 0403, Automatic/manual mode unsubscribe."""



class Fields0410(TypedDict):
    """MID 0410, Auto disable settings request."""



class Given0410(Header, total=False):
    """MID 0410, Auto disable settings request."""



class Fields0411(TypedDict):
    """MID 0411, Auto disable settings reply."""

    auto_disable: int | Odd | None
    current_batch: int | Odd | None


class Given0411(Header, total=False):
    """MID 0411, Auto disable settings reply."""

    auto_disable: Number
    current_batch: Number


class Fields0420(TypedDict):
    """MID 0420, Open Protocol commands disabled subscribe."""



class Given0420(Header, total=False):
    """MID 0420, Open Protocol commands disabled subscribe."""



class Fields0421(TypedDict):
    """MID 0421, Open Protocol commands disabled."""

    disabled: int | Odd | None


class Given0421(Header, total=False):
    """MID 0421, Open Protocol commands disabled."""

    disabled: Number


class Fields0422(TypedDict):
    """MID 0422, Open Protocol commands disabled acknowledge."""



class Given0422(Header, total=False):
    """MID 0422, Open Protocol commands disabled acknowledge."""



class Fields0423(TypedDict):
    """MID 0423, Open Protocol commands disabled unsubscribe."""



class Given0423(Header, total=False):
    """MID 0423, Open Protocol commands disabled unsubscribe."""



class Fields0500(TypedDict):
    """MID 0500, Motor tuning result data subscribe."""



class Given0500(Header, total=False):
    """MID 0500, Motor tuning result data subscribe."""



class Fields0501(TypedDict):
    """MID 0501, Motor tuning result data."""

    motor_tuning: int | Odd | None


class Given0501(Header, total=False):
    """MID 0501, Motor tuning result data."""

    motor_tuning: Number


class Fields0502(TypedDict):
    """MID 0502, Motor tuning result data acknowledge."""



class Given0502(Header, total=False):
    """MID 0502, Motor tuning result data acknowledge."""



class Fields0503(TypedDict):
    """MID 0503, Motor tuning result data unsubscribe."""



class Given0503(Header, total=False):
    """MID 0503, Motor tuning result data unsubscribe."""



class Fields0504(TypedDict):
    """MID 0504, Motor tuning request."""



class Given0504(Header, total=False):
    """MID 0504, Motor tuning request."""



class Fields0700(TypedDict):
    """MID 0700, Tightening data download status."""

    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given0700(Header, total=False):
    """MID 0700, Tightening data download status."""

    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields0701Tools(TypedDict):
    """MID 0701, Tool list: an entry of tools."""

    tool_number: int | Odd | None
    serial: str | Odd | None
    model: str | Odd | None
    article: str | Odd | None


class Given0701Tools(TypedDict, total=False):
    """MID 0701, Tool list: an entry of tools."""

    tool_number: Number
    serial: Text
    model: Text
    article: Text


class Fields0701(TypedDict):
    """MID 0701, Tool list."""

    tool_count: int | Odd | None
    tools: list[Fields0701Tools] | Odd | None


class Given0701(Header, total=False):
    """MID 0701, Tool list."""

    tool_count: Number
    tools: Sequence[Given0701Tools] | Odd | None


class Fields0702(TypedDict):
    """MID 0702, Generic tool data."""

    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None
    tool_number: NotRequired[int | Odd | None]


class Given0702(Header, total=False):
    """MID 0702, Generic tool data."""

    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None
    tool_number: Number


class Fields0703(TypedDict):
    """MID 0703, Generic tool calibration."""

    tool_number: int | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given0703(Header, total=False):
    """MID 0703, Generic tool calibration."""

    tool_number: Number
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields0704(TypedDict):
    """MID 0704, Generic tool status."""

    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given0704(Header, total=False):
    """MID 0704, Generic tool status."""

    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields0900(TypedDict):
    """MID 0900, Trace curve data."""

    result_id: int | Odd | None
    time: str | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None
    trace_type: int | Odd | None
    transducer: int | Odd | None
    unit: int | Odd | None
    parameter_count: int | Odd | None
    parameters: list[DataField] | Odd | None
    resolution_count: int | Odd | None
    resolutions: list[Resolution] | Odd | None
    sample_count: int | Odd | None
    samples: bytes | Odd | None
    request_mid: NotRequired[int | Odd | None]
    object_id: NotRequired[int | Odd | None]
    object_type: NotRequired[int | Odd | None]
    reference_object: NotRequired[int | Odd | None]
    trace_count: NotRequired[int | Odd | None]


class Given0900(Header, total=False):
    """MID 0900, Trace curve data."""

    result_id: Number
    time: Time
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None
    trace_type: Number
    transducer: Number
    unit: Number
    parameter_count: Number
    parameters: Sequence[DataField] | Odd | None
    resolution_count: Number
    resolutions: Sequence[Resolution] | Odd | None
    sample_count: Number
    samples: Sequence[int] | bytes | Odd | None
    request_mid: Number
    object_id: Number
    object_type: Number
    reference_object: Number
    trace_count: Number


class Fields0901(TypedDict):
    """MID 0901, Traces plot parameters."""

    result_id: int | Odd | None
    time: str | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None
    request_mid: NotRequired[int | Odd | None]
    object_id: NotRequired[int | Odd | None]
    object_type: NotRequired[int | Odd | None]
    reference_object: NotRequired[int | Odd | None]
    trace_type: NotRequired[int | Odd | None]


class Given0901(Header, total=False):
    """MID 0901, Traces plot parameters."""

    result_id: Number
    time: Time
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None
    request_mid: Number
    object_id: Number
    object_type: Number
    reference_object: Number
    trace_type: Number


class Fields0902(TypedDict):
    """MID 0902, Stored traces."""

    capacity: int | Odd | None
    oldest_index: int | Odd | None
    oldest_time: str | Odd | None
    newest_index: int | Odd | None
    newest_time: str | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given0902(Header, total=False):
    """MID 0902, Stored traces."""

    capacity: Number
    oldest_index: Number
    oldest_time: Time
    newest_index: Number
    newest_time: Time
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields1000(TypedDict):
    """MID 1000, Generic alarm."""

    error_code: str | Odd | None
    time: str | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given1000(Header, total=False):
    """MID 1000, Generic alarm."""

    error_code: Text
    time: Time
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields1001(TypedDict):
    """MID 1001, Generic alarm acknowledge."""



class Given1001(Header, total=False):
    """MID 1001, Generic alarm acknowledge."""



class Fields1201Objects(TypedDict):
    """MID 1201, Operation result overall data: an entry of objects."""

    object_id: int | Odd | None
    status: int | Odd | None
    object_type: NotRequired[int | Odd | None]
    reference_object: NotRequired[int | Odd | None]


class Given1201Objects(TypedDict, total=False):
    """MID 1201, Operation result overall data: an entry of objects."""

    object_id: Number
    status: Number
    object_type: Number
    reference_object: Number


class Fields1201(TypedDict):
    """MID 1201, Operation result overall data."""

    message_count: int | Odd | None
    message_number: int | Odd | None
    result_id: int | Odd | None
    time: str | Odd | None
    result_status: int | Odd | None
    operation_type: int | Odd | None
    object_count: int | Odd | None
    objects: list[Fields1201Objects] | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None
    request_mid: NotRequired[int | Odd | None]


class Given1201(Header, total=False):
    """MID 1201, Operation result overall data."""

    message_count: Number
    message_number: Number
    result_id: Number
    time: Time
    result_status: Number
    operation_type: Number
    object_count: Number
    objects: Sequence[Given1201Objects] | Odd | None
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None
    request_mid: Number


class Fields1202(TypedDict):
    """MID 1202, Operation result object data."""

    message_count: int | Odd | None
    message_number: int | Odd | None
    result_id: int | Odd | None
    object_id: int | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None
    node_guid: NotRequired[str | Odd | None]


class Given1202(Header, total=False):
    """MID 1202, Operation result object data."""

    message_count: Number
    message_number: Number
    result_id: Number
    object_id: Number
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None
    node_guid: Text


class Fields1203(TypedDict):
    """MID 1203, Operation result data acknowledge."""



class Given1203(Header, total=False):
    """MID 1203, Operation result data acknowledge."""



class Fields1601(TypedDict):
    """MID 1601, Dynamic identifier."""

    message_count: int | Odd | None
    message_number: int | Odd | None
    format: int | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given1601(Header, total=False):
    """MID 1601, Dynamic identifier."""

    message_count: Number
    message_number: Number
    format: Number
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields1602(TypedDict):
    """MID 1602, Dynamic identifier acknowledge."""



class Given1602(Header, total=False):
    """MID 1602, Dynamic identifier acknowledge."""



class Fields1900(TypedDict):
    """MID 1900, Selector socket info, variable fields."""

    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given1900(Header, total=False):
    """MID 1900, Selector socket info, variable fields."""

    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields1901(TypedDict):
    """MID 1901, Selector socket control."""

    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given1901(Header, total=False):
    """MID 1901, Selector socket control."""

    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields2100(TypedDict):
    """MID 2100, Device command."""

    command: int | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given2100(Header, total=False):
    """MID 2100, Device command."""

    command: Number
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields2500Nodes(TypedDict):
    """MID 2500, Tightening program message download: an entry of nodes."""

    node_type: int | Odd | None
    parameter_count: int | Odd | None
    parameters: list[DataField] | Odd | None
    child_count: int | Odd | None
    json_length: NotRequired[int | Odd | None]
    json: NotRequired[str | Odd | None]


class Given2500Nodes(TypedDict, total=False):
    """MID 2500, Tightening program message download: an entry of nodes."""

    node_type: Number
    parameter_count: Number
    parameters: Sequence[DataField] | Odd | None
    child_count: Number
    json_length: Number
    json: Text


class Fields2500(TypedDict):
    """MID 2500, Tightening program message download."""

    nodes: list[Fields2500Nodes] | Odd | None


class Given2500(Header, total=False):
    """MID 2500, Tightening program message download."""

    nodes: Sequence[Given2500Nodes] | Odd | None


class Fields2501Nodes(TypedDict):
    """MID 2501, Tightening program message upload: an entry of nodes."""

    node_type: int | Odd | None
    parameter_count: int | Odd | None
    parameters: list[DataField] | Odd | None
    child_count: int | Odd | None
    json_length: NotRequired[int | Odd | None]
    json: NotRequired[str | Odd | None]


class Given2501Nodes(TypedDict, total=False):
    """MID 2501, Tightening program message upload: an entry of nodes."""

    node_type: Number
    parameter_count: Number
    parameters: Sequence[DataField] | Odd | None
    child_count: Number
    json_length: Number
    json: Text


class Fields2501(TypedDict):
    """MID 2501, Tightening program message upload."""

    nodes: list[Fields2501Nodes] | Odd | None


class Given2501(Header, total=False):
    """MID 2501, Tightening program message upload."""

    nodes: Sequence[Given2501Nodes] | Odd | None


class Fields2502(TypedDict):
    """MID 2502, Password request."""



class Given2502(Header, total=False):
    """MID 2502, Password request."""



class Fields2503(TypedDict):
    """MID 2503, Password response."""

    password: str | Odd | None


class Given2503(Header, total=False):
    """MID 2503, Password response."""

    password: Text


class Fields2504(TypedDict):
    """MID 2504, Select parameter set, dynamic job included."""

    pset_id: int | Odd | None


class Given2504(Header, total=False):
    """MID 2504, Select parameter set, dynamic job included."""

    pset_id: Number


class Fields2505(TypedDict):
    """MID 2505, Select parameter set dynamically."""

    pset_id: int | Odd | None
    data_field_count: int | Odd | None
    data_fields: list[DataField] | Odd | None


class Given2505(Header, total=False):
    """MID 2505, Select parameter set dynamically."""

    pset_id: Number
    data_field_count: Number
    data_fields: Sequence[DataField] | Odd | None


class Fields2506(TypedDict):
    """MID 2506, Tightening program delete."""

    program_id: int | Odd | None
    node_type: int | Odd | None


class Given2506(Header, total=False):
    """MID 2506, Tightening program delete."""

    program_id: Number
    node_type: Number


class Fields2600(TypedDict):
    """MID 2600, Mode ID upload request."""



class Given2600(Header, total=False):
    """MID 2600, Mode ID upload request."""



class Fields2601Modes(TypedDict):
    """MID 2601, Mode ID upload reply: an entry of modes."""

    mode_id: int | Odd | None
    name_length: NotRequired[int | Odd | None]
    mode_name: str | Odd | None


class Given2601Modes(TypedDict, total=False):
    """MID 2601, Mode ID upload reply: an entry of modes."""

    mode_id: Number
    name_length: Number
    mode_name: Text


class Fields2601(TypedDict):
    """MID 2601, Mode ID upload reply."""

    mode_count: int | Odd | None
    modes: list[Fields2601Modes] | Odd | None


class Given2601(Header, total=False):
    """MID 2601, Mode ID upload reply."""

    mode_count: Number
    modes: Sequence[Given2601Modes] | Odd | None


class Fields2602(TypedDict):
    """MID 2602, Mode data upload request."""

    mode_id: int | Odd | None


class Given2602(Header, total=False):
    """MID 2602, Mode data upload request."""

    mode_id: Number


class Fields2603Bolts(TypedDict):
    """MID 2603, Mode data upload reply: an entry of bolts."""

    pset_id: int | Odd | None
    tool_number: NotRequired[int | Odd | None]
    bolt_number: NotRequired[int | Odd | None]
    name_length: NotRequired[int | Odd | None]
    bolt_name: NotRequired[str | Odd | None]
    spindle_id: NotRequired[int | Odd | None]


class Given2603Bolts(TypedDict, total=False):
    """MID 2603, Mode data upload reply: an entry of bolts."""

    pset_id: Number
    tool_number: Number
    bolt_number: Number
    name_length: Number
    bolt_name: Text
    spindle_id: Number


class Fields2603(TypedDict):
    """MID 2603, Mode data upload reply."""

    mode_id: int | Odd | None
    name_length: NotRequired[int | Odd | None]
    mode_name: NotRequired[str | Odd | None]
    bolt_count: int | Odd | None
    bolts: list[Fields2603Bolts] | Odd | None
    time: NotRequired[str | Odd | None]


class Given2603(Header, total=False):
    """MID 2603, Mode data upload reply."""

    mode_id: Number
    name_length: Number
    mode_name: Text
    bolt_count: Number
    bolts: Sequence[Given2603Bolts] | Odd | None
    time: Time


class Fields2604(TypedDict):
    """MID 2604, Mode selected."""

    mode_id: int | Odd | None
    time: str | Odd | None
    bolt_count: int | Odd | None


class Given2604(Header, total=False):
    """MID 2604, Mode selected."""

    mode_id: Number
    time: Time
    bolt_count: Number


class Fields2605(TypedDict):
    """MID 2605, Mode selected acknowledge."""



class Given2605(Header, total=False):
    """MID 2605, Mode selected acknowledge."""



class Fields2606(TypedDict):
    """MID 2606, Select mode."""

    mode_id: int | Odd | None


class Given2606(Header, total=False):
    """MID 2606, Select mode."""

    mode_id: Number


class Fields8000(TypedDict):
    """MID 8000, Audi emergency status subscribe."""



class Given8000(Header, total=False):
    """MID 8000, Audi emergency status subscribe."""



class Fields8001(TypedDict):
    """MID 8001, Audi emergency status."""



class Given8001(Header, total=False):
    """MID 8001, Audi emergency status."""



class Fields8002(TypedDict):
    """MID 8002, Audi emergency status acknowledge."""



class Given8002(Header, total=False):
    """MID 8002, Audi emergency status acknowledge."""



class Fields8003(TypedDict):
    """MID 8003, Audi emergency status unsubscribe."""



class Given8003(Header, total=False):
    """MID 8003, Audi emergency status unsubscribe."""



class Fields9997(TypedDict):
    """MID 9997, Communication acknowledge."""

    acknowledged_mid: int | Odd | None


class Given9997(Header, total=False):
    """MID 9997, Communication acknowledge."""

    acknowledged_mid: Number


class Fields9998(TypedDict):
    """MID 9998, Communication acknowledge error."""

    failed_mid: int | Odd | None
    error_code: int | Odd | None


class Given9998(Header, total=False):
    """MID 9998, Communication acknowledge error."""

    failed_mid: Number
    error_code: Number


class Fields9999(TypedDict):
    """MID 9999, Keep alive."""



class Given9999(Header, total=False):
    """MID 9999, Keep alive."""

