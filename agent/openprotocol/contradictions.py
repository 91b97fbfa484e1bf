"""Do a controller's answers contradict each other? Then nothing follows from them, whatever it is.

Rules
1. They do after more than _RESTARTS_MOST looks in a row that answers have made start over, and after _OTHER_IDS_MOST
   answers in a row with other IDs than were asked for. Once any was answered under its own ID, one that has come before
   under the same ID does not count: some answer what is gone with the newest, or the nearest, that they have. Nor does
   the newest with the ID that was asked for: that is gone, too.
2. An answer with the ID that another result was answered with, or with a result that came under another ID before, is
   _ONE_ID_FOR_TWO of these. What was pushed under an ID shows nothing here: those of answers may be off.
3. So they do after _UNPROVEN_MOST answers in a row, on ways that ask ID after ID, without one that can be read and that
   had not come before: whatever they are, each way ends. What is rejected ends it sooner (K).
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import copy
from toolcart.agent.openprotocol.ids import unpack_id
from toolcart.agent.openprotocol.result_digest import FINGERPRINT_BYTES, TIME, contents_of, same

_RESTARTS_MOST = const(12)  # some six are enough to know what answers mean
# More than a walk goes on where nothing is (GONE_OWN) before it comes to what is there, if anything is.
_OTHER_IDS_MOST = const(40)
_ONE_ID_FOR_TWO = const(14)
_BROUGHT_MOST = const(64)
_UNPROVEN_MOST = const(1000)  # a minute or two


class Contradictions:
    """What one connection's answers have shown."""

    def __init__(self):
        self.restarts = 0  # in a row
        self.newest = -1  # the ID of the answer to the last question for the newest
        self._count = 0  # in a row
        self._unproven = 0  # in a row
        self._named = bytearray(FINGERPRINT_BYTES)  # the last answer that had another ID than was asked for
        self._is_right = False
        self._brought = {}  # by their contents: the ID under which each came first

    def opened(self):
        """A connection begins."""
        self.end()
        self._named[TIME] = 0
        self._brought = {}
        self._is_right = False  # an ID that was asked for was answered under it
        self.newest = -1

    def end(self):
        """They are known, and nothing is asked for: count anew."""
        self.restarts = self._count = self._unproven = 0

    def forget_brought(self):
        """IDs mean something else from now on."""
        self._brought = {}

    def forget_newest(self):
        """What ID 0 brought has another ID."""
        self.forget_brought()
        self.newest = -1

    def is_restless(self):
        """True if answers have made too many looks start over."""
        return self.restarts > _RESTARTS_MOST

    def take_other_id(self, number, answer):
        """Take an answer with another ID than was asked for; True if there were too many."""
        self._count += not self._is_right or self._brought.get(contents_of(answer), -1) != number
        self.first_brought_as(number, answer)
        return self._count >= _OTHER_IDS_MOST

    def gives_one_id_to_two(self, number, answer, newest):
        """Take the digest of an answer with another ID, beside that of the newest; True if there were too many."""
        for digest in (self._named, newest):
            if unpack_id(digest, 0) == number and digest[TIME] and not same(digest, answer):
                if self._brought.get(contents_of(digest), -1) == number:  # else it was pushed so: IDs may be off
                    self._count += _ONE_ID_FOR_TWO
                    break
        copy(self._named, 0, answer, 0, FINGERPRINT_BYTES)
        return self._count >= _OTHER_IDS_MOST

    def first_brought_as(self, number, answer):
        """Return under which ID answers have brought this result first: this one if none has."""
        contents = contents_of(answer)
        if not contents:
            return number
        if len(self._brought) >= _BROUGHT_MOST:  # the newest may be the answer to whatever is gone
            self._brought = {one: self._brought[one] for one in self._brought if self._brought[one] == self.newest}
        return self._brought.setdefault(contents, number)

    def proves_nothing(self, is_new):
        """Take an answer on a way that asks ID after ID, `is_new`: with a result; True if too many had none."""
        self._unproven = 0 if is_new else self._unproven + 1
        return self._unproven >= _UNPROVEN_MOST

    def repeats_itself(self, is_repeat):
        """Take an answer under the ID that was asked for; True if too many have brought what others had."""
        self._count = self._count + _ONE_ID_FOR_TWO if is_repeat else 0
        self._is_right = self._is_right or not is_repeat
        return self._count >= _OTHER_IDS_MOST
