"""What a simulated controller reports beside results, a row each.

    MID  0014 -> 0015 -> 0016 -> 0017     0034 -> 0035 -> 0036 -> 0037     0051 -> 0052 -> 0053 -> 0054
         0070 -> 0071, 0074, 0076 -> 0072, 0075, 0077 -> 0073              0008 for 15, 35, 71, 1000 -> 0009

Rules
1. The options say which revisions each subscription has; without any the MID is not known (0004/99; 0004/73
   behind 0008).
2. A parameter set is sent as soon as it is subscribed to (OP 5.3.5 p. 85-86), a job if the options say so (MT notes on
   MID 0008).
3. Acknowledging a push that was not sent is a complaint.
"""

from toolcart.sim import controller_frames as frames
from toolcart.sim.integrator_commands import carry_out

PORTABLE = True


# Name of the option with the revisions, MID of the subscription and of its end, codes of 0004 if it exists already
# and if it does not.
KINDS = {
    "alarm": ("alarm_revisions", 70, 73, 11, 12),
    "pset": ("pset_revisions", 14, 17, 13, 14),
    "job": ("job_revisions", 34, 37, 18, 19),
    "vin": ("vin_revisions", 51, 54, 6, 7),
    "generic alarm": ("generic_alarm_revisions", 0, 0, 71, 72),
}
# By the MID that 0008 and 0009 name.
GENERIC = {15: "pset", 35: "job", 71: "alarm", 1000: "generic alarm"}
# MID of an acknowledgement -> MID of the push.
ACKNOWLEDGED = {16: 15, 36: 35, 53: 52, 72: 71, 75: 74, 77: 76, 1001: 1000}
SUBSCRIBES = {row[1]: kind for kind, row in KINDS.items() if row[1]}
ENDS = {row[2]: kind for kind, row in KINDS.items() if row[2]}

# What a MT Focus 6000 has of this, as options of a controller: by 0008 alone (MT "Special MT Focus 6000 considerations,
# per mid", notes on MID 0006).
MT_FOCUS_EVENTS = {
    "generic_subscriptions": "only",
    "alarm_revisions": (2, 3),
    "pset_revisions": (1,),
    "job_revisions": (2,),
    "vin_revisions": (),
    "job_at_once": True,
}


class EventSubscriptions:
    """The subscriptions of one session to anything but results."""

    def __init__(self, session):
        self.session = session
        self.revisions = {}  # of each kind subscribed to
        self.owed = {}  # MID of a push -> how many are not acknowledged yet

    def handles(self, mid, revision, text):
        """Answer a message; False if it is about no events."""
        if mid in SUBSCRIBES:
            self._subscribe(SUBSCRIBES[mid], mid, revision, 97)
        elif mid in ENDS:
            self._unsubscribe(ENDS[mid], mid)
        elif mid in ACKNOWLEDGED:
            self._acknowledged(mid)
        elif (mid == 8 or mid == 9) and text[:7].isdigit() and int(text[:4]) in GENERIC:
            kind = GENERIC[int(text[:4])]
            if text[7:] != b"00":
                self.session.complain("%04d: %s" % (mid, text))
            if not self.session.options.generic_subscriptions or not self._supported_revisions(kind):
                self.session.refuse(mid, 73)
            elif mid == 8:
                self._subscribe(kind, mid, int(text[4:7]), 74)
            else:
                self._unsubscribe(kind, mid)
        elif mid in self.session.options.commands:
            carry_out(self.session, mid, revision, text)
        else:
            return False
        return True

    def leave(self):
        self.revisions = {}
        self.owed = {}

    def _supported_revisions(self, kind):
        return getattr(self.session.options, KINDS[kind][0])

    def _subscribe(self, kind, mid, revision, code):
        session = self.session
        supported = self._supported_revisions(kind)
        is_missing = not supported or (mid != 8 and session.options.generic_subscriptions == "only")
        exists = (kind in self.revisions, KINDS[kind][3])
        if not session.rejects(mid, (is_missing, 99), exists, (revision not in supported, code)):
            self.revisions[kind] = revision
            session.accept(mid)
            self._push_at_once(kind)

    def _push_at_once(self, kind):
        controller = self.session.controller
        if kind == "alarm" and controller.alarm is not None:
            revision = self.revisions[kind]
            self._push(76, revision, frames.parameters(frames.ALARM_STATUS[revision], controller.alarm))
        elif kind == "pset" and controller.selected is not None:
            self.push_pset(controller.selected)
        elif kind == "job" and controller.job is not None and self.session.options.job_at_once:
            self.push_job(controller.job)

    def _unsubscribe(self, kind, mid):
        if not self.session.rejects(mid, (kind not in self.revisions, KINDS[kind][4])):
            del self.revisions[kind]
            self.session.accept(mid)

    def _acknowledged(self, mid):
        push = ACKNOWLEDGED[mid]
        if not self.owed.get(push):
            self.session.complain("%04d without an outstanding %04d" % (mid, push))
            return
        self.owed[push] -= 1

    def _push(self, mid, revision, data):
        if self.session.alive:
            self.owed[mid] = self.owed.get(mid, 0) + 1
            self.session.say(mid, revision, data)

    # The pushes

    def push_alarm(self, alarm):
        revision = self.revisions.get("alarm")
        if revision:
            is_short = revision == 2 and self.session.options.alarms_of_2_9
            layout = frames.ALARM_2_9 if is_short else frames.ALARM[revision]
            self._push(71, revision, frames.parameters(layout, alarm))
        if "generic alarm" in self.revisions:
            self._push(1000, 1, frames.generic_alarm_data(alarm))

    def push_acknowledged(self, code):
        revision = self.revisions.get("alarm")
        if revision:
            self._push(74, 1 if revision == 1 else 2, frames.field(code, 4 if revision == 1 else 5))

    def push_pset(self, pset):
        self._push_selected("pset", 15, lambda revision: frames.selected_data(pset, revision))

    def push_job(self, job):
        self._push_selected("job", 35, lambda revision: frames.parameters(frames.JOB[revision], job))

    def push_vehicle(self, vehicle):
        self._push_selected("vin", 52, lambda revision: frames.vehicle_data(vehicle, revision))

    def _push_selected(self, kind, mid, data_of):
        if kind in self.revisions:
            self._push(mid, self.revisions[kind], data_of(self.revisions[kind]))
