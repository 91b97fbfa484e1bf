"""A controller with several spindles on one connection: one MID 0061 for each, the spindle in the header.

All have the tightening's ID and time, each a torque of its own. MID 0064 goes to the spindle in its header, blank is 1
(OP 2.2.2 p. 26).
"""

from toolcart.base.octets import digits_only
from toolcart.sim.controller_model import Tightening
from toolcart.sim.controller_session import ControllerSession

PORTABLE = True

TORQUE_APART = 1  # of one spindle and the next


def _of(result, spindle):
    """Return a result as this spindle, two digits, has it."""
    other = Tightening()
    for name in result.__dict__:
        setattr(other, name, getattr(result, name))
    other.torque += TORQUE_APART * (int(spindle) - 1)
    return other


class OfSpindle:
    """What one spindle has of a tightening."""

    def __init__(self, result, spindle):
        self.result = result
        self.spindle = spindle
        self.tightening_id = result.tightening_id


class MultipleSession(ControllerSession):
    """One connection to such a controller."""

    def __init__(self, controller):
        super().__init__(controller)
        self._addressed = 1  # the spindle that the current message is for

    def message(self, frame, now):
        spindle = frame[14:16]
        self._addressed = int(spindle) if digits_only(spindle) else 1
        super().message(frame, now)

    def _queue(self, result):
        for spindle in self.options.header_spindles:
            self.unsent.append(OfSpindle(result, spindle))

    def _say_result(self, result):
        octets = self._data_of(_of(result.result, result.spindle))
        self.say(61, self.pushed_revision(), octets, result.tightening_id, "%02d" % result.spindle)

    def _say_old(self, result, revision, spindle=None):
        options = self.options
        answers = {
            "addressed": [self._addressed] if self._addressed in options.header_spindles else [],
            "first": options.header_spindles[:1],
            "all": options.header_spindles,
        }[options.answering_spindles]
        for number in answers:
            spindle = "%02d" % number
            super()._say_old(_of(result, spindle), revision, spindle if options.names_spindles else "  ")
        if not answers:
            self.refuse(64, 15)
