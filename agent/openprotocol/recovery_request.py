"""The question that is asked now: for which ID, of which spindle, and what is done while no answer comes.

    state     asks for           answered             rejected or silent
    ITSELF    the ID             that is the answer   once more after a pause; from UNANSWERED_MOST on: BESIDE
    BESIDE    the ID after it    LAST                 ITSELF, after a pause
    LAST      the ID             that is the answer   it is given up: others are answered

BESIDE is for questions for a certain ID alone: nothing comes after the newest.
"""

from toolcart.agent.base.compat import const

# What a controller is asked about its old results, and what an answer means.

PHASE_IDLE = const(0)
PHASE_NEWEST = const(1)
PHASE_PROBE = const(2)  # an ID never made: if the newest below it comes, all stations share the IDs
PHASE_WITNESS = const(3)  # the highest ID known: does it still mean the same result?
PHASE_BESIDE = const(4)  # the ID beside that one: is it found there?
PHASE_WALK = const(5)  # downward, to what the controller still has
PHASE_UP = const(6)  # ID 0 is not answered there: upward from the highest ID known
PHASE_SETTLE = const(7)  # what was concluded is to be written down
PHASE_SEEK = const(8)  # all stations share the IDs: which of the missing ones are ours?
PHASE_FILL = const(9)
PHASE_POLL = const(10)  # is the newest still the highest known? If not, something was not pushed
PHASE_OFF = const(11)  # from here on nothing is asked
PHASE_NAMELESS = const(12)  # the newest has no ID: until one has
PHASE_CLOSED = const(13)
PHASE_NAMES = (
    "idle",
    "asking for the newest",
    "asking whether the stations share the IDs",
    "asking for the last known",
    "asking for the last known",
    "walking back",
    "walking up",
    "writing down",
    "looking for our own",
    "filling",
    "asking for the newest again",
    "off",
    "off",
    "idle",
)

NEWS_NONE = const(0)
NEWS_STORE = const(1)  # the fetched result has to be stored
NEWS_RESET = const(2)  # the controller's IDs have restarted
NEWS_ASK_AGAIN = const(3)  # end the session: the next one tells whether this is another controller
NEWS_NO_OWNER = const(4)  # an answer that may be another station's does not say whose it is: nothing can be fetched
NEWS_OFF = const(5)  # it is known by how much the IDs of this controller's answers are off
NEWS_KNOWN = const(6)  # of a poll: there is nothing that is not known
NEWS_UNKNOWN = const(7)  # of a poll: there is; `polled` is its ID

SHARING_AUTO = const(0)  # whether all stations share the controller's IDs: as its answers show
SHARING_OWN = const(1)  # they do not
SHARING_ALL = const(2)  # they do

JUDGED_FINE = const(0)  # of an answer where stations may share the IDs: it is taken like any other
JUDGED_DOUBT = const(1)  # it shows that they do, unless it is corrupt: ask again
JUDGED_SHARED = const(2)  # it shows it a second time
JUDGED_NO_OWNER = const(3)


ITSELF = const(0)
BESIDE = const(1)
LAST = const(2)

UNANSWERED_MOST = const(5)


class Question:
    """One question, asked until it is answered or given up."""

    def __init__(self):
        self.forget()

    def forget(self):
        """Nothing was asked, and no answer is awaited. `asked` 0 is the newest."""
        self.waits = False  # for an answer that is still of interest
        self.begin(0)

    def begin(self, asked):
        """Ask for this ID, the first spindle first."""
        self.asked = asked
        self.spindle = 1  # that is asked
        self.there = False  # one of those asked before has it
        self.again()

    def again(self):
        """Begin to count how often it is asked in vain."""
        self.state = ITSELF
        self.tries = 0
        self._other = False  # it was answered with another ID

    def turn_spindle(self, count):
        """Turn to the next of so many spindles with the same question; False if it was the last one."""
        self.spindle = self.spindle + 1 if self.spindle < count else 1
        self.again()
        return self.spindle > 1

    def is_first_other(self):
        """Take an answer with another ID; True if that is the first one: it may be late."""
        is_first = not self._other
        self._other = True
        return is_first

    def is_answered_beside(self):
        """Take an answer; True if it was to BESIDE, which leaves the ID itself a last try."""
        is_beside = self.state == BESIDE
        if is_beside:
            self.state = LAST
        return is_beside

    def fails(self, is_certain):
        """No usable answer came; False if it is given up. `is_certain`: it is for a certain ID."""
        self.tries += 1
        if self.state == LAST:
            return False
        if self.tries >= UNANSWERED_MOST:
            self.state = BESIDE if self.state == ITSELF and is_certain else ITSELF
        return True
