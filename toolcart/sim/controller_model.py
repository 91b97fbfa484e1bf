"""What a simulated controller is made of: its options, identity, parameter sets, results and alarms.

Rules:
1. Attribute names are those of the layouts in controller_frames.py.
2. Torque is an integer in 1/100 Nm, an angle an integer in degrees; None is a value that is not supported,
   sent as blanks.
"""

from toolcart.sim.endpoint import Settings

PORTABLE = True


class ControllerOptions(Settings):
    """How the controller behaves.

    strict                     what is odd in a header, though accepted, is a complaint, once for each kind
    identity                   {attribute of Identity: value}
    pushed_as, fetched_as      {attribute of Tightening: value} of every 0061, of every 0065; None leaves it blank
    start_revisions            0001 revisions that are accepted; the others are answered 0004
                               start_refusal_code
    blank_start_revision       what a blank revision of 0001 stands for: 1 as documented; others are lenient
    answer_start_revision      0002 revision that is always sent (None: the one asked for)
    before_2_7                 0002 revision 6 ends after parameter 13 (0179 bytes)
    result_revisions           0060 revisions that are accepted; the others are answered 0004
                               result_refusal_code
    pushed_revision            revision of 0061 that is always sent (None: the one asked for)
    recover_revisions          0064 revisions that are accepted, the others are answered 0004/97
    answer_recover_revision    0065 revision that is always sent (None: the one asked for)
    answers_below              0064 is answered with the newest result at or below the ID, of any station
    shares_ids                 one counter serves all stations; otherwise other stations' results leave no trace here
    ids_higher                 0065 has an ID that is one too high: "said", to the question for the ID before it, or
                               "kept", to the question for this very ID; "no"
    elsewhere                  how many results another station makes after each of ours
    refuse                     {mid: code}, always; refuse_once [(mid, code)], each once; code None: no answer
                               at all
    refuse_digits              2, or 3 as later revisions of 0004 send
    ends_refused               {mid: ms}: the connection is closed so long after a 0004 for this MID (0: for any), below
                               0 in place of it
    unknown_mids               MIDs that are answered 0004/99 though this simulator knows them
    commands                   MIDs that are carried out and known: 18, 19, 20, 38, 42, 43, 50, 78, 127 to
                               130, 150; and 224, 225
    job_command_revisions      revisions of 0038 that are accepted, the others are answered 0004/97
    alarm_revisions, pset_revisions, job_revisions, vin_revisions, generic_alarm_revisions
                               revisions of 0070, 0014, 0034, 0051 and of MID 1000 that are accepted, the others are
                               answered 0004/97; (): not known at all. See controller_events.py
    generic_subscriptions      "yes": 0008 is known for these revisions too, "only": nothing else is; "": not known
    job_at_once                0034 is answered with a 0035 as well
    clock_ahead_s              how far the clock is ahead of the simulated time; 0082 changes it
    pset_data_revisions        0012 revisions that are accepted, the others are answered 0004/97
    alarms_of_2_9              0071 revision 2 without text, as since release 2.9
    max_clients, busy_code     further clients get 0004 busy_code (96 or 16) for their 0001
    slot_kept_ms               how long a connection that ended without 0003 still counts as a client
    no_ack                     the no-ack flag of 0060 is honoured: results are sent without waiting for 0062
    push_instead_of_answer     0060 is answered by the first 0061 instead of 0005
    push_last_result           a new subscription gets the last result again
    operations                 revisions of MID 1201 that 0008 and 0006 know (0004/76 else); (): it has no such
                               messages
    operation_history          0006 for 1201 is known; a result that is not kept is answered 0004
                               history_refusal_code
    own_fields, torque_unit    MID 1202 has the fields of a MT Focus 6000, torque in unit 90, 12 or 1
    objects                    of each operation, with the fields of controllers other than a MT Focus 6000
    names_subscribed           0004 and 0005 name MID 1201 instead of 0008, 0009 and 0006
    waits_for_1203             each part waits for its acknowledgement, and is sent again without one
    cycles, sync               revisions of MID 0105 and 0100 that are accepted, the others are answered 0004/97; ():
                               it has no such messages
    spindles                   of each result that these push
    header_spindles            (1, 2, ..): each tightening is a 0061 for each of them, which the header names; (): one
    answering_spindles         which of them answer 0064: the one that it is "addressed" to, the "first", or "all"
    names_spindles             0065 has the spindle in its header; else that is blank
    traces                     revisions of MID 0900 and 0901 that 0008 knows (0004/76 else); (): it has no curves
    trace_types                1 angle, 2 torque; another one is refused (0004/78)
    trace_samples              of each curve, trace_step_us apart; sent trace_delay_ms after its result
    ack_timeout_ms, resends    0061 without 0062 is sent again, then the controller gives up (003:2152-2154)
    gives_up                   "closes" the connection, or "unsubscribes": nothing more is pushed, 9999 goes on
    ack_refusal_code           0062 is answered 0004 with this code, and does not count; 0: it is taken
    accepts_again              0060 is accepted though there is a subscription; otherwise it is answered 0004/09
    link_first                 first number of a numbered session (identity.sequence_numbers = 1 and 0002
                               revision 6 make one), 1, or 2 when 0002 itself is counted
    link_wrong_once            the next numbered message has a wrong number first
    link_lost                  [n, ...] of each session: our message n, among those that carry a number, gets lost
    window                     how many results are sent without waiting for 0062
    repeat, repeat_every_ms    each result is sent this many times more, even if acknowledged
    keepalive                  "mirror", "blank" (mirrored with a blank revision), "refuse" (0004/99), "none"
    silence_ms                 closed after so long without a message (003:12526-12538); blame_silence makes
                               it a complaint
    silent                     hangs: hears everything, sends and closes nothing; may be switched at any time
    nul                        "normal", "missing", "late" (nul_late_ms), "counted" (in the length field)
    header                     "digits", "blank", "zero", "parts" (controller_frames.HEADER_...), "op-ford", "op-bmw":
                               the spindle in front of the revision
    station, spindle           two characters each, of the controller's headers
    expected_station           what the integrator must put there; None: blank or any 01..99
    pad                        what texts are padded with, b" " or b"\\0"
    pset_change_text           field "last change" of every result (None: the parameter set's own)
    time_text                  time stamp of every result (None: the clock's)
    drop_after_received        [n, ...] one for each connection: closes when message n arrives, unanswered
    drop_after_sent            [n, ...] one for each connection: closes when message n has been sent
    whole_writes               complain when a message arrives in pieces (a peer that never reassembles)
    memory                     how many results are kept
    batch, nok_percent         size of a batch; share of results that are not OK
    batch_open                 batch status while a batch is not complete: 0, or 3 (running) of newer releases
    rounded                    torque is rounded to 1/100 Nm, not cut off: a NOK may show its limit
    light_statuses             further tightening statuses of 0061 revision 999, in turn, for one in five results
    """

    # Options with a few values only.
    ALLOWED = {
        "gives_up": ("closes", "unsubscribes"),
        "ids_higher": ("no", "said", "kept"),
        "keepalive": ("mirror", "blank", "refuse", "none"),
        "nul": ("normal", "missing", "late", "counted"),
        "header": ("digits", "blank", "zero", "parts", "op-ford", "op-bmw"),
        "refuse_digits": (2, 3),
        "answering_spindles": ("addressed", "first", "all"),
        "generic_subscriptions": ("", "yes", "only"),
    }
    DEFAULTS = {
        "strict": True,
        "identity": {},
        "pushed_as": {},
        "fetched_as": {},
        "start_revisions": (1, 2, 3, 4, 5, 6),
        "start_refusal_code": 97,
        "blank_start_revision": 1,
        "answer_start_revision": None,
        "before_2_7": False,
        "result_revisions": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 999),
        "result_refusal_code": 97,
        "pushed_revision": None,
        "recover_revisions": (1, 2, 3, 4, 5, 6, 7),
        "answer_recover_revision": None,
        "answers_below": False,
        "shares_ids": True,
        "ids_higher": "no",
        "elsewhere": 0,
        "refuse": {},
        "refuse_once": [],
        "refuse_digits": 2,
        "ends_refused": {},
        "unknown_mids": (),
        "commands": (18, 19, 20, 38, 42, 43, 50, 78, 127, 128, 129, 130, 150),
        "job_command_revisions": (1, 2),
        "alarm_revisions": (1, 2),
        "pset_revisions": (1, 2),
        "job_revisions": (1, 2, 3, 4, 5),
        "vin_revisions": (1, 2),
        "generic_alarm_revisions": (),
        "generic_subscriptions": "",
        "job_at_once": False,
        "clock_ahead_s": 0,
        "pset_data_revisions": (1, 2),
        "alarms_of_2_9": False,
        "max_clients": 1,
        "busy_code": 96,
        "slot_kept_ms": 0,
        "no_ack": True,
        "push_instead_of_answer": False,
        "push_last_result": False,
        "operations": (),
        "operation_history": True,
        "history_refusal_code": 15,
        "own_fields": True,
        "torque_unit": 90,
        "objects": 1,
        "names_subscribed": False,
        "waits_for_1203": False,
        "cycles": (),
        "sync": (),
        "spindles": 3,
        "header_spindles": (),
        "answering_spindles": "addressed",
        "names_spindles": True,
        "traces": (),
        "trace_types": (1, 2),
        "trace_samples": 400,
        "trace_step_us": 2000,
        "trace_delay_ms": 100,
        "ack_timeout_ms": 3000,
        "resends": 3,
        "gives_up": "closes",
        "ack_refusal_code": 0,
        "accepts_again": False,
        "link_first": 1,
        "link_wrong_once": False,
        "link_lost": (),
        "window": 1,
        "repeat": 0,
        "repeat_every_ms": 5000,
        "keepalive": "mirror",
        "silence_ms": 15000,
        "blame_silence": True,
        "silent": False,
        "nul": "normal",
        "nul_late_ms": 20,
        "header": "digits",
        "station": "01",
        "spindle": "01",
        "expected_station": None,
        "pad": b" ",
        "pset_change_text": None,
        "time_text": None,
        "drop_after_received": [],
        "drop_after_sent": [],
        "whole_writes": False,
        "memory": 5000,
        "batch": 6,
        "nok_percent": 5,
        "batch_open": 0,
        "rounded": False,
        "light_statuses": (),
        "seed": 1,
    }

    def __init__(self, **changed):
        Settings.__init__(self, **changed)
        for name, known in (("identity", Identity()), ("pushed_as", Tightening), ("fetched_as", Tightening)):
            for field in getattr(self, name):
                if not hasattr(known, field):
                    raise ValueError("%s has no field %s" % (name, field))


class Identity:
    """What 0002 says of the controller; change the attributes as needed."""

    def __init__(self, changed=None):
        self.cell = 1
        self.channel = 1
        self.controller_name = "Cart controller"
        self.supplier = "ACT"
        self.protocol_version = "2.8.0"
        self.software_version = "3.6.2"
        self.tool_version = "1.4"
        self.rbu_type = "Gold"
        self.controller_serial = "C1234567"
        self.system_type = 1
        self.system_subtype = 1
        self.sequence_numbers = 0
        self.linking = 0
        self.station_number = 1
        self.station_name = "Station 1"
        self.client_number = 1
        self.keepalive_optional = 0
        self.tool_serial = "C3412129"
        self.tightenings = 0
        self.calibrated = "2024-01-02:10:00:00"
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
    torque_status = 1
    angle_status = 1
    rundown_status = 1
    current_status = 1
    selftap_status = 1
    pvt_monitoring_status = 1
    pvt_compensate_status = 1
    error_bits = 0
    error_bits_2 = 0
    torque_min = 0
    torque_max = 0
    torque_target = 0
    torque = 0
    angle_min = 0
    angle_max = 0
    angle_target = 0
    angle = 0
    rundown_min = 0
    rundown_max = 9999
    rundown = 720
    current_min = 0
    current_max = 100
    current = 45
    selftap_min = 0
    selftap_max = 0
    selftap = 0
    pvt_min = 0
    pvt_max = 0
    pvt = 0
    pvt_compensate = 0
    tightening_id = 0
    job_sequence = 0
    sync_id = 0
    tool_serial = "C3412129"
    time = ""
    pset_change = ""
    torque_unit = 1
    result_type = 1
    identifier_2 = ""
    identifier_3 = ""
    identifier_4 = ""
    customer_code = ""
    compensated_angle = 0
    final_angle = 0
    start_final = 0
    post_view = 0
    post_view_high = 0
    post_view_low = 0
    current_amperes = None
    current_amperes_min = None
    current_amperes_max = None
    angle_numerator = 1
    angle_denominator = 1
    overall_angle_status = 1
    overall_angle_min = 0
    overall_angle_max = 0
    overall_angle = 0
    peak_torque = 0
    breakaway_torque = 0
    rundown_start_torque = 0
    rundown_end_torque = 0
    stages = 1
    stage_results = 1
    stage = "00100000090"
    click_torque = 0
    click_angle = 0


class Job:
    """A job as 0035 tells it."""

    def __init__(self, job, batch_size, time, sequence=1):
        self.job = job
        self.status = 0
        self.batch_mode = 1
        self.batch_size = batch_size
        self.batch_counter = 0
        self.time = time
        self.step = 0
        self.steps = 0
        self.step_type = 1
        self.tightening = 0
        self.sequence = sequence
        self.vin = ""
        self.identifier_2 = ""
        self.identifier_3 = ""
        self.identifier_4 = ""


class Vehicle:
    """The identifiers that 0052 tells."""

    def __init__(self, vin, identifier_2="", identifier_3="", identifier_4=""):
        self.vin = vin
        self.identifier_2 = identifier_2
        self.identifier_3 = identifier_3
        self.identifier_4 = identifier_4


class Alarm:
    """An alarm of the controller, as 0071 and 0076 tell it."""

    def __init__(self, code, text, ready, time):
        self.active = 1
        self.code = code
        self.text = text
        self.controller_ready = ready
        self.tool_ready = ready
        self.time = time
        self.tool_health = 1
