"""What a simulated controller is made of: its identity, parameter sets, results and alarms.

Rules:
1. Attribute names are those of the layouts in controller_frames.py.
2. Torque is an integer in 1/100 Nm, an angle an integer in degrees; None is a value that is not supported,
   sent as blanks.
"""

PORTABLE = True


class Identity:
    """What 0002 says of the controller; change the attributes as needed."""

    cell = channel = system_type = system_subtype = station_number = client_number = 1
    sequence_numbers = linking = keepalive_optional = tightenings = 0
    controller_name = "Cart controller"
    supplier = "ACT"
    protocol_version = "2.8.0"
    software_version = "3.6.2"
    tool_version = "1.4"
    rbu_type = "Gold"
    controller_serial = "C1234567"
    station_name = "Station 1"
    tool_serial = "C3412129"
    calibrated = "2024-01-02:10:00:00"

    def __init__(self, changed=None):
        for name in changed or ():
            setattr(self, name, changed[name])


class ParameterSet:
    """One parameter set: its limits go into results and into 0013. Torque in 1/100 Nm, angle in degrees."""

    def __init__(self, number, torque_min, torque_target, torque_max, angle_min, angle_target, angle_max):
        self.pset = number
        self.pset_name = "Screw %d" % number
        self.rotation = 1
        self.batch_size = 6
        self.torque_min = torque_min
        self.torque_target = torque_target
        self.torque_max = torque_max
        self.angle_min = angle_min
        self.angle_target = angle_target
        self.angle_max = angle_max
        self.first_target = torque_target // 2
        self.start_final_angle = torque_target // 4
        self.changed = "2024-02-01:08:00:00"


class Tightening:
    """One result; these are the values of attributes that an instance does not set."""

    cell = 1
    channel = 1
    controller_name = "Cart controller"
    station_number = 1
    vin = b"WVWZZZ1KZAW123456"
    job = 0
    pset = 1
    pset_name = "Screw 1"
    strategy = 4
    strategy_options = 7
    batch_size = 6
    batch_counter = 1
    batch_status = 0
    status = 1
    light_status = None  # what revision 999 has instead of `status`
    torque_status = angle_status = rundown_status = current_status = selftap_status = 1
    pvt_monitoring_status = pvt_compensate_status = 1
    error_bits = error_bits_2 = 0
    torque_min = torque_max = torque_target = torque = 0
    angle_min = angle_max = angle_target = angle = 0
    rundown_min = 0
    rundown_max = 9999
    rundown = 720
    current_min = 0
    current_max = 100
    current = 45
    selftap_min = selftap_max = selftap = 0
    pvt_min = pvt_max = pvt = pvt_compensate = 0
    tightening_id = 0
    job_sequence = 0
    sync_id = 0
    tool_serial = "C3412129"
    time = pset_change = ""
    torque_unit = 1
    result_type = 1
    identifier_2 = identifier_3 = identifier_4 = ""
    customer_code = ""
    compensated_angle = final_angle = 0
    start_final = 0
    post_view = post_view_high = post_view_low = 0
    current_amperes = current_amperes_min = current_amperes_max = None
    angle_numerator = angle_denominator = 1
    overall_angle_status = 1
    overall_angle_min = overall_angle_max = overall_angle = 0
    peak_torque = breakaway_torque = rundown_start_torque = rundown_end_torque = 0
    stages = stage_results = 1
    stage = "00100000090"
    click_torque = click_angle = 0


class Job:
    """A job as 0035 tells it."""

    status = batch_counter = step = steps = tightening = 0
    batch_mode = step_type = 1
    vin = identifier_2 = identifier_3 = identifier_4 = ""

    def __init__(self, job, batch_size, time, sequence):
        self.job = job
        self.batch_size = batch_size
        self.time = time
        self.sequence = sequence


class Vehicle:
    """The identifiers that 0052 tells."""

    def __init__(self, vin, identifier_2="", identifier_3="", identifier_4=""):
        self.vin = vin
        self.identifier_2 = identifier_2
        self.identifier_3 = identifier_3
        self.identifier_4 = identifier_4


class Alarm:
    """An alarm of the controller, as 0071 and 0076 tell it."""

    active = tool_health = 1

    def __init__(self, code, text, ready, time):
        self.code = code
        self.text = text
        self.controller_ready = self.tool_ready = ready
        self.time = time
