"""Controllers as their documents describe them: each with its quirks, a row of options for ControllerOptions.

    ControllerOptions(**profile_options("power-focus-6000-2.8", window=2))

Rules
1. A row says only what differs from the base specification, release 2.8.0, which is ControllerOptions' default.
   A further controller is a further row.
2. Every line has its source, A28 and the like as in docs/controllers.md. What is "assumed" is in no document.
3. What a controller does not fill in is blank here (the documents leave open whether it is blank or zero).
"""

from toolcart.sim.controller_events import MT_FOCUS_EVENTS

PORTABLE = True

# Power Focus 6000: fields of 0061 and 0065 that are not filled in (A28 p. 20-21, A36 p. 11-12).
_POWER_FOCUS_6000_PUSHED = dict.fromkeys(
    (
        "cell channel strategy_options current_status current_min current_max current pvt_monitoring_status"
        " pvt_compensate_status pvt_min pvt_max pvt error_bits rundown selftap job_sequence sync_id customer_code"
        " pvt_compensate error_bits_2 start_final stages stage_results stage"
    ).split()
)
_POWER_FOCUS_6000_FETCHED = dict(_POWER_FOCUS_6000_PUSHED, tool_serial=None)


def _power_focus_6000_identity(software_version):
    """0002 of a Power Focus 6000: no cell, channel or RBU; the station is sent (A36 p. 11, A28 p. 19-20, FIELD)."""
    return {
        "cell": 0,
        "channel": 0,
        "supplier": "ACT",
        "protocol_version": "v2.0",
        "software_version": software_version,
        "rbu_type": None,
        "system_type": 3,
        "system_subtype": 1,
    }


PROFILES = {
    # The plain base specification; system type 001 (OP 5.2.2 p. 72).
    "power-focus-4000": {
        "identity": {"system_type": 1},
        "result_revisions": (1, 2, 3, 4, 5, 6, 7, 998, 999),  # OP 5.8.2 p. 136-144
    },
    # Appendix 2.8 (A28): one counter of IDs for all stations.
    "power-focus-6000-2.8": {
        "identity": _power_focus_6000_identity("2.8.14"),
        "station": "  ",  # FIELD
        "spindle": "  ",
        "result_revisions": (1, 2, 3, 4, 5, 6, 7, 8, 998),  # A28 tables 1 and 3; 999 is not listed
        "recover_revisions": (1, 2, 3, 4, 5, 6, 7, 8),
        "answers_below": True,  # A28 p. 21-22
        "elsewhere": 1,  # assumed: a second station that works as fast
        "pushed_as": _POWER_FOCUS_6000_PUSHED,
        "fetched_as": _POWER_FOCUS_6000_FETCHED,
        "slot_kept_ms": 15000,  # benthos-umh#355
        "unknown_mids": (9997, 9998),
        "alarm_revisions": (1, 2, 3),  # A28 table 1; so the next three
        "pset_revisions": (1,),
        "job_revisions": (1, 2, 3, 4),
    },
    # Appendix 3.6 (A36): each station counts from 1 on its own.
    "power-focus-6000-3.6": {
        "identity": _power_focus_6000_identity("PF6_R_3.13.2.30527_"),  # FIELD
        "station": "  ",
        "spindle": "  ",
        "result_revisions": (1, 2, 3, 4, 5, 6, 7, 8, 9, 998),  # A36 tables 1 and 3; 999 is not listed
        "recover_revisions": (1, 2, 3, 4, 5, 6, 7, 8, 9),
        "shares_ids": False,  # A36 p. 32
        "batch_open": 3,  # S217 p. 144; OpenProtocolInterpreter#18
        "pushed_as": _POWER_FOCUS_6000_PUSHED,
        "fetched_as": _POWER_FOCUS_6000_FETCHED,
        "slot_kept_ms": 15000,
        "alarm_revisions": (1, 2, 3),  # A36 table 1; so the next four
        "alarms_of_2_9": True,
        "pset_revisions": (1,),
        "generic_alarm_revisions": (1,),
        "generic_subscriptions": "yes",
    },
    # Results of several spindles by 0105-0109 (OP 5.13 p. 180-195); assumed: none by 0060, which no document lists for
    # it.
    "powermacs": {
        "identity": {"system_type": 2},  # OP 5.2.2 p. 72
        "unknown_mids": (6, 8, 9, 40, 60, 63, 64),
        "start_revisions": (1, 2, 3, 4, 5),
        "cycles": (1, 2, 3, 4),
    },
    # CVI2, MultiCVI, CVIx2, MultiCVIL2 (list of MIDs of 2015, p. 1-3).
    "desoutter": {
        "identity": {"supplier": "DES", "system_type": 0},  # assumed
        "start_revisions": (1,),
        "result_revisions": (1,),
        "recover_revisions": (1,),
        "fetched_as": {"batch_counter": 0, "batch_status": 0},  # p. 3: not stored
        "no_ack": False,  # p. 3
    },
    # CVI3 1.6.9, EABC (the same list).
    "desoutter-cvi3": {
        "identity": {"supplier": "DES", "system_type": 0},  # assumed
        "start_revisions": (1, 2, 3),
        "result_revisions": (1, 2, 3, 4, 5, 6, 998),  # 999 is not listed
        "recover_revisions": (1, 2, 3, 4, 5, 6),
    },
    # Bosch Rexroth Nexo, System 350 (A47, 878).
    "nexo": {
        "identity": {"supplier": "BRX", "system_type": 0},  # assumed
        "max_clients": 5,  # A47 p. 75
        "start_revisions": (1, 2, 3, 4, 5),  # assumed
        "result_revisions": (1, 2, 3, 4, 999),  # assumed but for 999 (878 p. 388)
        "recover_revisions": (1, 2, 3, 4),  # A47 p. 88, 138
        "rounded": True,  # 878 p. 388
        "light_statuses": (2, 3, 4, 5),  # OP-Ford, 878 p. 388
    },
    # The other protocols of System 350: their own header, 00 is the controller and 01.. its channels (878 p. 338, 348).
    "op-ford": {
        "identity": {"supplier": "BRX", "system_type": 0},  # assumed
        "header": "op-ford",
        "spindle": "00",
        "start_revisions": (1, 2),  # 878 p. 343
        "result_revisions": (1, 2, 999),  # assumed
        "recover_revisions": (1, 2),  # assumed
        "unknown_mids": (8,),  # assumed: 0006 to 0009 mean a spindle's connection there (878 p. 341)
        "rounded": True,  # 878 p. 388
        "light_statuses": (2, 3, 4, 5),  # 878 p. 388
    },
    "op-bmw": {
        "identity": {"supplier": "BRX", "system_type": 0},  # assumed
        "header": "op-bmw",
        "spindle": "00",
        "start_revisions": (2,),  # 878 p. 343
        "result_revisions": (1, 2, 999),  # assumed
        "recover_revisions": (1, 2),  # assumed
        "unknown_mids": (8,),  # as OP-Ford
        "rounded": True,  # 878 p. 388
    },
    # Results by 0008 and 1201, each sent once (002); an empty database is rejected with a code that no document names.
    "mt-focus-6000": {
        "identity": {
            "cell": None,
            "channel": None,
            "supplier": None,
            "protocol_version": None,
            "rbu_type": None,
            "system_type": 4,
            "system_subtype": 30,
        },  # MT "Special MT Focus 6000 considerations, per mid"
        "start_revisions": (6,),  # MT "Special MT Focus 6000 considerations, per mid"
        "blank_start_revision": 6,  # FIELD: a public program sends it like that; 1 is strict
        "max_clients": 2,  # MT "Communication"; the third is the serial line
        # MT "Communication", "Guide for previous users of Open Protocol"
        "unknown_mids": (12, 42, 60, 61, 62, 63, 64, 65, 70, 9997, 9998),
        "refuse": {40: 97},  # assumed
        "commands": (18, 19, 38, 78, 150, 224, 225),  # MT "Special MT Focus 6000 considerations, per mid"
        "job_command_revisions": (2,),  # MT "Special MT Focus 6000 considerations, per mid"
        "operations": (1, 2, 3),
    },
    # Results by 0008 and 1201 with the standard fields, each acknowledged by 1203, or by 0100 in revision 1
    # (A36 p. 4-10, 36-40).
    "stepsync": {
        "identity": {"system_type": 3},
        "unknown_mids": (60, 61, 62, 63, 64, 65),
        "operations": (1,),
        "own_fields": False,
        "names_subscribed": True,
        "waits_for_1203": True,
        "sync": (1,),
    },
    # The least that is still a controller: only the results themselves, in their first revision.
    "minimal": {
        "identity": {"supplier": None, "system_type": 0},
        "header": "blank",
        "start_revisions": (1,),
        "result_revisions": (1,),
        "unknown_mids": (8, 9, 12, 14, 34, 40, 51, 64, 70, 73, 80, 82),
        "commands": (),
    },
}
PROFILES["mt-focus-6000"].update(MT_FOCUS_EVENTS)


def names():
    """Return the names in the order of the documents.

    >>> import toolcart
    >>> toolcart.simulated.profiles()[0]
    'power-focus-4000'
    """
    return list(PROFILES)


def profile_options(name, **changed):
    """Return the options of a profile; `changed` wins, an `identity` field by field."""
    if name not in PROFILES:
        raise ValueError("no such profile: " + name)
    options = dict(PROFILES[name])
    identity = dict(options.get("identity", {}))  # type: ignore
    identity.update(changed.pop("identity", {}))
    options.update(changed)
    options["identity"] = identity
    return options
