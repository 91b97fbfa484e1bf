"""The commands a simulated controller takes from an integrator.

    MID  0018 select a parameter set   0019 set its batch size   0020 begin its batch again   0038 select a job
         0127 abort it   0128, 0129 count its batch up and down   0130 switch jobs off, on
         0042, 0043 lock and free the tool   0050, 0150 name the next vehicle   0078 acknowledge the alarm
         0224, 0225 set and reset a digital input of a MT Focus 6000: 8 locks the tool, 22 to 24 are 0127 to 0129

Rules
1. The options (`commands`) say which are known; the others are answered by 0004/99.
2. What was done is in `controller.carried_out` as (MID, data), and it has effects: subscribers are informed, and
   later results are made with it. A locked tool tightens nothing on its own; a test can still produce a result.
"""

from toolcart.base.octets import digits_only
from toolcart.sim.controller_frames import JOBS

PORTABLE = True

VIN_MOST = 25
IDENTIFIER_MOST = 100
_INPUT_LOCKS = b"008"  # 002:1800-1805
_INPUTS = {b"022": 127, b"023": 128, b"024": 129}
# Codes of 0004 (003:3250-3440).
_INVALID = 1
_PSET_NOT_RUNNING = 4
_PSET_CANNOT_BE_SET = 3
_JOB_CANNOT_BE_SET = 20
_NO_ALARM = 58
_NO_SUCH_REVISION = 97


def carry_out(session, mid, revision, text):
    """Carry out a command and answer it."""
    code = _order(session.controller, mid, revision, text)
    if code:
        session.refuse(mid, code)
        return
    session.controller.carried_out.append((mid, bytes(text)))
    session.accept(mid)
    _tell(session.controller, mid)


def _order(controller, mid, revision, text):
    """Note what is wanted; return the code of a rejection, or 0."""
    ordered = controller.ordered
    if mid == 19:
        return _set_batch_size(controller, revision, text)
    if mid == 20:
        return _reset_batch(controller, text)
    if mid == 130:
        if text not in (b"0", b"1"):
            return _INVALID
        ordered["job_off"] = text == b"0"
    elif mid == 18:
        if not digits_only(text) or len(text) != 3:
            return _INVALID
        if int(text) not in controller.psets:
            return _PSET_CANNOT_BE_SET
        ordered["pset"] = int(text)
    elif mid == 38:
        if revision not in controller.options.job_command_revisions:
            return _NO_SUCH_REVISION
        if not digits_only(text) or len(text) != 2 * revision:
            return _INVALID
        if int(text) not in JOBS:
            return _JOB_CANNOT_BE_SET
        ordered["job"] = int(text)
    elif mid == 50 or mid == 150:
        if not text or len(text) > (VIN_MOST if mid == 50 else IDENTIFIER_MOST):
            return _INVALID
        ordered["vin"] = bytes(text[:VIN_MOST])
    elif mid == 224 or mid == 225:
        return _set_input(controller, mid, text)
    elif mid == 127:
        ordered["job_off"] = True
    elif mid == 128 or mid == 129:
        return 0
    elif mid == 78:
        return 0 if controller.alarm is not None else _NO_ALARM
    else:
        controller.is_locked = mid == 42
    return 0


def _set_input(controller, mid, text):
    if text == _INPUT_LOCKS:
        controller.is_locked = mid == 224
    elif text not in _INPUTS or mid == 225:
        return _INVALID
    elif _INPUTS[text] == 127:
        controller.ordered["job_off"] = True
    return 0


def _set_batch_size(controller, revision, text):
    if revision not in (1, 2):
        return _NO_SUCH_REVISION
    if not digits_only(text) or len(text) != (5 if revision == 1 else 7):
        return _INVALID
    if int(text[:3]) not in controller.psets or not int(text[3:]):
        return _INVALID
    controller.batch_sizes[int(text[:3])] = int(text[3:])
    return 0


def _reset_batch(controller, text):
    if not digits_only(text) or len(text) != 3 or int(text) not in controller.psets:
        return _INVALID
    if controller.ordered.get("pset", int(text)) != int(text):
        return _PSET_NOT_RUNNING
    controller.reset_batch()
    return 0


def _tell(controller, mid):
    """Inform all who subscribed to what a command has changed."""
    ordered = controller.ordered
    if mid == 18:
        controller.select_pset(ordered["pset"])
    elif mid == 38:
        controller.select_job(ordered["job"])
    elif mid == 50 or mid == 150:
        controller.identify(ordered["vin"].decode("latin-1"))
    elif mid == 78:
        controller.acknowledge_alarm(controller.alarm.code)
        controller.clear_alarm()
