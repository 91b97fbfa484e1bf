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
_INPUT_LOCKS = b"008"  # MT "Guide for previous users of Open Protocol"
_INPUTS = {b"022": 127, b"023": 128, b"024": 129}
# Codes of 0004 (OP 5.2.4 p. 74-76).
_INVALID = 1
_PSET_NOT_RUNNING = 4
_PSET_CANNOT_BE_SET = 3
_JOB_CANNOT_BE_SET = 20
_NO_ALARM = 58
_NO_SUCH_REVISION = 97


def carry_out(session, mid, revision, text):
    """Carry out a command, or reject it."""
    controller = session.controller
    if not session.rejects(mid, *_reasons(controller, mid, revision, text)):
        controller.carried_out.append((mid, bytes(text)))
        session.accept(mid)
        _do(controller, mid, text)


def _reasons(controller, mid, revision, text):
    """Return what may speak against a command: condition and code of the rejection."""
    if mid == 18:
        number = _number(text, 3)
        return (number < 0, _INVALID), (number not in controller.psets, _PSET_CANNOT_BE_SET)
    if mid == 19:
        number, size = _number(text[:3], 3), _number(text[3:], 2 * revision)
        return (revision not in (1, 2), _NO_SUCH_REVISION), (number not in controller.psets or size < 1, _INVALID)
    if mid == 20:
        number = _number(text, 3)
        is_another = controller.ordered.get("pset", number) != number
        return (number not in controller.psets, _INVALID), (is_another, _PSET_NOT_RUNNING)
    if mid == 38:
        number = _number(text, 2 * revision)
        is_unknown = revision not in controller.options.job_command_revisions
        return (is_unknown, _NO_SUCH_REVISION), (number < 0, _INVALID), (number not in JOBS, _JOB_CANNOT_BE_SET)
    if mid == 50 or mid == 150:
        return ((not text or len(text) > (VIN_MOST if mid == 50 else IDENTIFIER_MOST), _INVALID),)
    if mid == 78:
        return ((controller.alarm is None, _NO_ALARM),)
    if mid == 130:
        return ((text not in (b"0", b"1"), _INVALID),)
    if mid == 224 or mid == 225:
        return ((text != _INPUT_LOCKS and (text not in _INPUTS or mid == 225), _INVALID),)
    return ()


def _number(text, width):
    """Return a number of so many digits; -1 for what is none."""
    return int(text) if digits_only(text) and len(text) == width else -1


def _do(controller, mid, text):
    """Do what a command says, and inform all who subscribed to what it changes."""
    ordered = controller.ordered
    if mid == 18:
        ordered["pset"] = int(text)
        controller.select_pset(ordered["pset"])
    elif mid == 19:
        controller.batch_sizes[int(text[:3])] = int(text[3:])
    elif mid == 20:
        controller.reset_batch()
    elif mid == 38:
        ordered["job"] = int(text)
        controller.select_job(ordered["job"])
    elif mid == 42 or mid == 43:
        controller.is_locked = mid == 42
    elif mid == 50 or mid == 150:
        ordered["vin"] = bytes(text[:VIN_MOST])
        controller.identify("".join([chr(octet) for octet in ordered["vin"]]))  # MicroPython has UTF-8 alone
    elif mid == 78:
        controller.acknowledge_alarm(controller.alarm.code)
        controller.clear_alarm()
    elif mid == 130:
        ordered["job_off"] = text == b"0"
    elif (mid == 224 or mid == 225) and text == _INPUT_LOCKS:
        controller.is_locked = mid == 224
    elif mid == 127 or (mid == 224 and _INPUTS[text] == 127):
        ordered["job_off"] = True
