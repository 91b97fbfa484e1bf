"""A controller whose stations share its IDs: how that is noticed, and what its answers say then.

Rules
1. Where the controller names our station (0002 revision 6) MID 0064 is asked in revision 7: its answers say whose they
   are. An answer of another station, or one below the ID that was asked for, shows that the IDs are shared; that is
   written down. Equality shows nothing.
2. From then on a jump of the pushed IDs leaves nothing open; what is missing since the last connection is looked
   through after each connect (agent.openprotocol.shared), and what is another station's is never stored.
3. An answer that does not say whose it is cannot be told from another station's: then nothing is fetched.
"""

from agent.base.compat import const
from agent.base.crc import crc30
from agent.base.fields import is_blank
from agent.openprotocol import known as kn
from agent.openprotocol.identity import SHARED_SYSTEM, STATION, STATION_BYTES
from agent.openprotocol.newest import Newest
from agent.openprotocol.questions import (
    NEWS_GO_ON,
    NEWS_NO_OWNER,
    NEWS_NONE,
    PHASE_FILL,
    PHASE_IDLE,
    PHASE_NEWEST,
    PHASE_OFF,
    PHASE_PROBE,
    PHASE_SEEK,
    PHASE_WALK_BACK,
    PHASE_WITNESS,
)

OWNER_NONE = const(0)  # whose an answer is, as agent.openprotocol.shared tells it
OWNER_OURS = const(1)
OWNER_OTHER = const(2)
OWNER_REVISION = const(7)  # of MID 0065, from which on it says so

SHARING_AUTO = const(0)  # whether all stations share the controller's IDs: as its answers show
SHARING_OWN = const(1)  # they do not
SHARING_ALL = const(2)  # they do


class Sharing(Newest):
    """What one controller has, and which of it is ours."""

    def __init__(self, ring, known, revisions, round_ids, retry_ms, store_newest):
        Newest.__init__(self, ring, known, round_ids, retry_ms, store_newest)
        self.revisions = revisions
        self.revision_index = 0
        self.sharing = SHARING_AUTO
        self.station = None  # the ten digits of ours, where the controller names it
        self.owner = OWNER_NONE  # of the answer that came last
        self._has_to_name = False  # an answer that names nobody may be another station's
        self._waiting = False  # for an answer
        self._stale = False  # that answer is to a question of no more interest

    def hear_owner(self, buf, at, length, revision):
        """Note whose the answer at buf[at:] is: with it `fetched` is called next."""
        if self.station is not None:
            from agent.openprotocol import shared  # only where the controller names its station

            self.owner = shared.owner_of(self.station, buf, at, length, revision)

    def _know_station(self, identity, system_type):
        self.station = None
        self._has_to_name = system_type == SHARED_SYSTEM
        if not is_blank(identity, STATION, STATION_BYTES):
            from agent.openprotocol import shared

            if shared.is_station(identity, STATION):
                self.station = bytes(identity[STATION : STATION + STATION_BYTES])
                self._identity = crc30(identity, STATION, STATION + STATION_BYTES, self._identity)
                if OWNER_REVISION in self.revisions and self.revisions[0] != OWNER_REVISION:
                    others = [revision for revision in self.revisions if revision != OWNER_REVISION]
                    self.revisions = tuple([OWNER_REVISION] + others)
                    self.revision_index = 0

    def _share(self, now):
        """An answer has shown that the IDs are everybody's: write that down; False if it could not be."""
        at = self.ring.begin_memory() if self.ring.has_spare() else -1
        if at >= 0:
            self.ring.stage[at + kn.FLAGS] |= kn.FLAG_SHARED
            if self.ring.commit_memory() == 0:
                self._run = 0
                return True
        self.wait_for_room(now)
        return False

    def _hear_as_shared(self, number, order, now):
        """An answer with the ID `number`; `order` is negative if that is below the one asked for. Returns a NEWS_.

        NEWS_GO_ON if it is to be taken like any other.
        """
        phase = self.phase
        shares = self.known.shares()
        if not shares and self.sharing != SHARING_OWN and (self.owner == OWNER_OTHER or order < 0):
            if self._share(now) and (phase == PHASE_FILL or phase == PHASE_WALK_BACK):
                self.phase = PHASE_IDLE  # what is missing is looked through anew
            return NEWS_NONE  # the stage is used: it is asked once more
        if phase == PHASE_NEWEST or (order == 0 and phase == PHASE_WITNESS):
            return NEWS_GO_ON
        if self.owner == OWNER_NONE and (shares or self._has_to_name) and self.sharing != SHARING_OWN:
            self.phase = PHASE_OFF
            return NEWS_NO_OWNER
        if not shares:
            return NEWS_GO_ON
        if order == 0 and self.owner == OWNER_OURS and phase != PHASE_SEEK:
            return NEWS_GO_ON
        if order > 0:
            self._again(now)  # an answer to an earlier question
            return NEWS_NONE
        self._answered()
        if phase == PHASE_WITNESS:
            return self._lose_witness(now)
        if phase == PHASE_PROBE:
            self._probed(now)
        elif phase == PHASE_SEEK:
            if self._stretch.hear(number, self.owner == OWNER_OURS):
                self.phase = PHASE_FILL
        elif phase == PHASE_FILL and self._stretch is not None:
            self._gone(now)
        else:
            self.phase = PHASE_IDLE  # what is missing is looked through anew
        return NEWS_NONE
