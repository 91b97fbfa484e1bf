"""The options of a simulated controller: how it behaves, and each quirk that one may have.

A make's own are set by `toolcart.sim.profiles`.
"""

from toolcart.sim.controller_frames import check
from toolcart.sim.controller_model import Identity, Tightening
from toolcart.sim.endpoint import Settings

PORTABLE = True


class ControllerOptions(Settings):
    """How the controller behaves."""

    # Options with a few values only.
    ALLOWED = {
        "gives_up": ("closes", "unsubscribes"),
        "ids_higher": ("no", "said", "kept"),
        "keepalive": ("mirror", "blank", "refuse", "none"),
        "nul": ("normal", "missing", "late", "counted"),
        "header": ("digits", "blank", "zero", "parts", "op-ford", "op-bmw"),
        "refuse_digits": (2, 3),
        "names_answered": ("digits", "short", "padded", "blank"),
        "answering_spindles": ("addressed", "first", "all"),
        "generic_subscriptions": ("", "yes", "only"),
        "bolts_named_by": ("pid", "header", "object"),
    }
    DEFAULTS = {
        "strict": True,  # what is odd in a header, though accepted, is a complaint, once for each kind
        "identity": {},  # {attribute of Identity: value}
        # {attribute of Tightening: value} of every 0061, of every 0065; None leaves it blank
        "pushed_as": {},
        "fetched_as": {},
        # 0001 revisions that are accepted; the others are answered 0004 start_refusal_code
        "start_revisions": (1, 2, 3, 4, 5, 6),
        "start_refusal_code": 97,
        "blank_start_revision": 1,  # what a blank revision of 0001 stands for: 1 as documented; others are lenient
        "blank_results": False,  # 0060 without a revision is accepted whatever result_revisions says
        "blank_revision_only": False,  # what has a revision in its header is answered 0004/97, and is taken for nothing
        "answer_start_revision": None,  # 0002 revision that is always sent (None: the one asked for)
        "before_2_7": False,  # 0002 revision 6 ends after parameter 13 (0179 bytes)
        # 0060 revisions that are accepted; the others are answered 0004 result_refusal_code
        "result_revisions": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 999),
        "result_refusal_code": 97,
        "pushed_revision": None,  # revision of 0061 that is always sent (None: the one asked for)
        "recover_revisions": (1, 2, 3, 4, 5, 6, 7),  # 0064 revisions that are accepted, the others are answered 0004/97
        "answer_recover_revision": None,  # 0065 revision that is always sent (None: the one asked for)
        "answers_below": False,  # 0064 is answered with the newest result at or below the ID, of any station
        "shares_ids": True,  # one counter serves all stations; otherwise other stations' results leave no trace here
        # 0065 has an ID that is too high by `ids_off_by`, which may be negative: "said", to the question for the ID
        # itself, or "kept", to the question for this very ID; "no"
        "ids_higher": "no",
        "ids_off_by": 1,
        "elsewhere": 0,  # how many results another station makes after each of ours
        "refuse": {},  # {mid: code}, always; code None: no answer at all
        "refuse_once": [],  # [(mid, code)], each once
        "refuse_digits": 2,  # 2, or 3 as later revisions of 0004 send
        "refusal_text": None,  # what a 0004 has in place of its code
        # how 0004 and 0005 name what they answer: "short" without leading zeros, "padded" with blanks in front
        "names_answered": "digits",
        # {mid: ms}: the connection is closed so long after a 0004 for this MID (0: for any), below 0 in place of it
        "ends_refused": {},
        "unknown_mids": (),  # MIDs that are answered 0004/99 though this simulator knows them
        # MIDs that are carried out and known: 18, 19, 20, 38, 42, 43, 50, 78, 127 to 130, 150; and 224, 225
        "commands": (18, 19, 20, 38, 42, 43, 50, 78, 127, 128, 129, 130, 150),
        "job_command_revisions": (1, 2),  # revisions of 0038 that are accepted, the others are answered 0004/97
        # revisions of 0070, 0014, 0034, 0051 and of MID 1000 that are accepted, the others are answered 0004/97; ():
        # not known at all. See controller_events.py
        "alarm_revisions": (1, 2),
        "pset_revisions": (1, 2),
        "job_revisions": (1, 2, 3, 4, 5),
        "vin_revisions": (1, 2),
        "generic_alarm_revisions": (),
        # "yes": 0008 is known for these revisions too, "only": nothing else is; "": not known
        "generic_subscriptions": "",
        "job_at_once": False,  # 0034 is answered with a 0035 as well
        "clock_ahead_s": 0,  # how far the clock is ahead of the simulated time; 0082 changes it
        "pset_data_revisions": (1, 2),  # 0012 revisions that are accepted, the others are answered 0004/97
        "alarms_of_2_9": False,  # 0071 revision 2 without text, as since release 2.9
        # further clients get 0004 busy_code (96 or 16) for their 0001
        "max_clients": 1,
        "busy_code": 96,
        "slot_kept_ms": 0,  # how long a connection that ended without 0003 still counts as a client
        "no_ack": True,  # the no-ack flag of 0060 is honoured: results are sent without waiting for 0062
        "push_instead_of_answer": False,  # 0060 is answered by the first 0061 instead of 0005
        "push_last_result": False,  # a new subscription gets the last result again
        # a 0061 without its 0062 is pushed again right behind the 0002 of the next session, subscription or not
        "push_unacknowledged": False,
        "operations": (),  # revisions of MID 1201 that 0008 and 0006 know (0004/76 else); (): it has no such messages
        # 0006 for 1201 is known; a result that is not kept is answered 0004 history_refusal_code
        "operation_history": True,
        "history_refusal_code": 15,
        # MID 1202 has the fields of a MT Focus 6000, torque in unit 90, 12 or 1
        "own_fields": True,
        "torque_unit": 90,
        "objects": 1,  # of each operation, with the fields of controllers other than a MT Focus 6000
        "names_subscribed": False,  # 0004 and 0005 name MID 1201 instead of 0008, 0009 and 0006
        "waits_for_1203": False,  # each part waits for its acknowledgement, and is sent again without one
        # revisions of MID 0105 and 0100 that are accepted, the others are answered 0004/97; (): it has no such messages
        "cycles": (),
        "sync": (),
        "spindles": 3,  # of each result that these push
        # (1, 2, ..): each tightening is a 0061 for each of them, which the header names; (): one
        "header_spindles": (),
        # which of them answer 0064: the one that it is "addressed" to, the "first", or "all"
        "answering_spindles": "addressed",
        "names_spindles": True,  # 0065 has the spindle in its header; else that is blank
        "traces": (),  # revisions of MID 0900 and 0901 that 0008 knows (0004/76 else); (): it has no curves
        "trace_types": (1, 2),  # 1 angle, 2 torque; another one is refused (0004/78)
        # so many bolts of each result have curves of their own, with its ID and time; 0: it has one of each type
        "trace_bolts": 0,
        "bolts_named_by": "pid",  # 01301, the spindle of the header, or the object of revision 3
        "trace_samples": 400,  # of each curve, trace_step_us apart; sent trace_delay_ms after its result
        "trace_step_us": 2000,
        "trace_delay_ms": 100,
        # 0061 without 0062 is sent again, then the controller gives up (OP 4.3.3 p. 62)
        "ack_timeout_ms": 3000,
        "resends": 3,
        "gives_up": "closes",  # "closes" the connection, or "unsubscribes": nothing more is pushed, 9999 goes on
        "ack_refusal_code": 0,  # 0062 is answered 0004 with this code, and does not count; 0: it is taken
        "accepts_again": False,  # 0060 is accepted though there is a subscription; otherwise it is answered 0004/09
        # first number of a numbered session (identity.sequence_numbers = 1 and 0002 revision 6 make one), 1, or 2 when
        # 0002 itself is counted
        "link_first": 1,
        "link_wrong_once": False,  # the next numbered message has a wrong number first
        "link_lost": (),  # [n, ...] of each session: our message n, among those that carry a number, gets lost
        "window": 1,  # how many results are sent without waiting for 0062
        # each result is sent this many times more, even if acknowledged
        "repeat": 0,
        "repeat_every_ms": 5000,
        "keepalive": "mirror",  # "mirror", "blank" (mirrored with a blank revision), "refuse" (0004/99), "none"
        # closed after so long without a message (OP 5.28.1 p. 265); blame_silence makes it a complaint
        "silence_ms": 15000,
        "blame_silence": True,
        "silent": False,  # hangs: hears everything, sends and closes nothing; may be switched at any time
        "nul": "normal",  # "normal", "missing", "late" (nul_late_ms), "counted" (in the length field)
        "nul_late_ms": 20,
        # "digits", "blank", "zero", "parts" (controller_frames.HEADER_...), "op-ford", "op-bmw": the spindle in front
        # of the revision
        "header": "digits",
        # two characters each, of the controller's headers
        "station": "01",
        "spindle": "01",
        "expected_station": None,  # what the integrator must put there; None: blank or any 01..99
        "pad": b" ",  # what texts are padded with, b" " or b"\0"
        "pset_change_text": None,  # field "last change" of every result (None: the parameter set's own)
        "time_text": None,  # time stamp of every result (None: the clock's)
        "drop_after_received": [],  # [n, ...] one for each connection: closes when message n arrives, unanswered
        "drop_after_sent": [],  # [n, ...] one for each connection: closes when message n has been sent
        "whole_writes": False,  # complain when a message arrives in pieces (a peer that never reassembles)
        "memory": 5000,  # how many results are kept
        # size of a batch; share of results that are not OK
        "batch": 6,
        "nok_percent": 5,
        "batch_open": 0,  # batch status while a batch is not complete: 0, or 3 (running) of newer releases
        "rounded": False,  # torque is rounded to 1/100 Nm, not cut off: a NOK may show its limit
        "light_statuses": (),  # further tightening statuses of 0061 revision 999, in turn, for one in five results
        "seed": 1,  # of what is drawn: torque, angle, which results are not OK
    }

    def __init__(self, **changed):
        Settings.__init__(self, **changed)
        for name, fields in (("identity", Identity), ("pushed_as", Tightening), ("fetched_as", Tightening)):
            given = getattr(self, name)
            for field in given:
                if not hasattr(fields, field):
                    raise ValueError("%s has no field %s" % (name, field))
                check(field, given[field])
