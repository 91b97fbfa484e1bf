"""How results are asked for, and the next mode where a controller rejects or ends something (session rule 4).

MID 0060 --not known, or none of its revisions--> MID 0008 --likewise--> MID 0100, 0105 --> MID 0060 again, or none

Where the settings say `operations` it begins with MID 0008: a Flex or a StepSync has MID 0060 too since 3.10, and what
MID 0061 holds of several bolts is in no document (A310 p. 6-11).
"""

from toolcart.agent.openprotocol.controller_identity import REPEATS_NOTHING, SEVERAL_SPINDLES
from toolcart.agent.openprotocol.subscriptions import RESULTS


class ResultMode:
    """See the module. `generic` and `multi_spindle` are made where a controller needs them."""

    def __init__(self):
        self.generic = None  # for a controller that has no MID 0060
        self.multi_spindle = None  # for one whose results come of several spindles
        self.ledger = None  # the controller's IDs: which of its results are stored
        self.operations = False  # MID 1201 is asked for first
        self.has_alternative_left = (
            False  # something was rejected, or not answered, on this connection, and something else is left
        )
        self.searches = False  # results are asked for in another way than the usual one
        self.is_exhausted = False  # every way was tried since the last session
        self._returns_to_plain = False  # then by MID 0060 again: not every revision of it was rejected
        self._ends_with_it = False  # connections end with a rejection: the way that was accepted is kept

    def opened(self, session):
        """A connection begins."""
        self.has_alternative_left = False
        if self.generic is not None:
            self.generic.opened()
        if not self.searches:
            self._use_plain(session)
            session.subscriptions[0].ask_for_rare(self.is_exhausted)

    def began(self, session):
        """A session was begun: ask as its system type says, unless another way is being tried. True if by MID 0008."""
        if session.system_type == REPEATS_NOTHING:
            self._use_generic(session)
            return True
        if self.operations and not self.searches:
            self._returns_to_plain = True
            self._use_generic(session)
            return False
        is_several = session.system_type == SEVERAL_SPINDLES or (
            self.multi_spindle is not None and self.multi_spindle.forced
        )
        if is_several and not self.searches:
            self._use_multi_spindle(session)
        return False

    def accepted(self):
        """The session is READY: the way that was tried is kept only where connections end with a rejection."""
        self.searches = self._ends_with_it = self.searches and self._ends_with_it
        self._returns_to_plain = self.is_exhausted = False

    def ended(self):
        """The connection has ended; return True if a rejection on it is why."""
        self._ends_with_it = self._ends_with_it or self.has_alternative_left
        return self.has_alternative_left

    def next(self, session):
        """Ask for results in another way from now on; False if each was tried: then it begins with the usual one."""
        session.no_error_index = -1
        if self._is_other_way():
            self.searches = self._use_multi_spindle(session)
            if self.searches:
                return True
            self.searches = self._returns_to_plain
        elif self.searches or session.subscriptions[0].row is not RESULTS:
            self.searches = False
        else:
            self.searches = True
            self._use_generic(session)
            return True
        self._returns_to_plain = False
        self._use_plain(session)
        self.is_exhausted = self.is_exhausted or not self.searches
        return self.searches

    def has_no_other(self, subscription):
        """True if a MID that is not known is asked for in its other revisions all the same: no other way is left."""
        if subscription.row is not RESULTS:
            return False
        self._returns_to_plain = not self.searches
        return self.searches

    def is_late(self, now):
        """True if the wait for the next part of a result is over: it is given up."""
        if self.generic is not None and self.generic.is_late(now):
            return True
        if self.multi_spindle is None or not self.multi_spindle.assembly.is_late(now):
            return False
        self.multi_spindle.assembly.give_up()
        return True

    def _is_other_way(self):
        """True if results are asked for by a MID other than 0060, which is not known there."""
        if self.multi_spindle is not None and self.multi_spindle.subscription is not None:
            return True
        return self.generic is not None and self.generic.in_use

    def _use_plain(self, session):
        """Ask for results by MID 0060, as with any controller."""
        if self.multi_spindle is not None:
            self.multi_spindle.leave(session)
        if self.generic is not None:
            self.generic.leave(session)

    def _use_generic(self, session):
        """This controller knows no MID 0060: ask for its results by MID 0008."""
        if self.generic is None:
            # Hardly any controller needs it. One import after the other: they nest, and this is deep in a step.
            import toolcart.agent.openprotocol.variable  # noqa: F401

            # isort: split
            from toolcart.agent.openprotocol.operation_result import GenericSubscription

            self.generic = GenericSubscription(session)
        self.generic.begin(session)

    def _use_multi_spindle(self, session):
        """This controller may have results of several spindles; False if that was tried in every way."""
        if self.multi_spindle is None:
            from toolcart.agent.openprotocol.spindle_subscription import MultiSpindleResults  # few need it

            self.multi_spindle = MultiSpindleResults(session, self.ledger)
        return self.multi_spindle.begin(session)
