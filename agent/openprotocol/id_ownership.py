"""Whose the IDs are: which controller's, and whether one counter gives them to all its stations or to ours alone.

Rules
1. A setting or earlier answers say at first whether stations share the IDs; this connection's answers decide
   (toolcart.agent.openprotocol.shared_ids).
2. K, how many gone in a row end a walk, is more than the longest run of IDs that are not ours.
3. Another controller is believed when it names itself on a second connection, also after a start: a single frame may
   be corrupt. What it has made since the first one is ours (toolcart.agent.openprotocol.successor). Cell, channel and
   serial number make one; a station of another number does not: it may count from 1, and what it has is ours.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.crc import crc30
from toolcart.agent.openprotocol import recovery_phases as phases
from toolcart.agent.openprotocol.controller_identity import SHARED_SYSTEM, STATION, STATION_BYTES
from toolcart.agent.openprotocol.ids import id_at

_TYPE_CHECKING = const(0)  # as in the module typing, which a chip lacks: for the type checker alone
if _TYPE_CHECKING:
    from toolcart.agent.openprotocol.shared_ids import SharedIds

GONE_OWN = const(24)
GONE_SHARED = const(100)


class IdOwnership:
    """`sharing` is the setting, SHARING_."""

    def __init__(self, sharing):
        self.sharing = sharing
        self.needs = ""  # "owner": nothing can be fetched here, since answers do not show that they are ours
        # our station (toolcart.agent.openprotocol.shared_ids), where the controller names it and may share IDs
        self.shared: "SharedIds" = None  # type: ignore - where it is None, nothing is asked of it
        self.shares = False  # the stations share the IDs, as far as this connection has shown
        self.gone_most = GONE_SHARED  # K
        self._station = 0  # ours, as answers have shown, where the controller does not name it
        self.by_own_ids = False  # it answers MID 0006, which names no spindle
        self.identity = 0
        self._first = 0  # the identity of the first connection since the start: it counts until one is proven
        self.is_other = False  # it is another controller than the one that is known
        self.is_believed = False  # that other one has named itself so before
        self._stretch_ids = 0  # how many IDs are looked through at a time, if they are shared

    def forget(self):
        """There is no connection, or nothing can be asked for on it."""
        self.needs = ""
        self.shared = None  # type: ignore - likewise, nothing is asked of it

    def begin_session(self, identity, system_type, by_own_ids, ledger):
        """A session is ready; return True if its answers are to name our station.

        `identity` is the session's; the name in it does not count.
        """
        self.by_own_ids = by_own_ids
        alone = crc30(identity, 31, 31 + STATION_BYTES, crc30(identity, 0, 6))
        named = crc30(identity, STATION, STATION + STATION_BYTES, alone)
        self._first = self._first or alone
        known = ledger.identity() or self._first
        self.is_believed = ledger.successor == alone
        # After a start the one before may be unknown. Former versions took the station into it.
        self.is_other = self.is_believed or known not in (0, alone, named)
        if self.identity != alone:
            self._station = 0
        self.identity = alone
        sharing = phases.SHARING_OWN if by_own_ids else self.sharing
        station = max(id_at(identity, STATION), 0)
        of_system = system_type == SHARED_SYSTEM
        may = sharing == phases.SHARING_AUTO and (station > 0 or of_system)
        self.shares = shares = sharing == phases.SHARING_ALL or (may and ledger.shares())
        own = sharing == phases.SHARING_OWN or (system_type > 0 and not (may and of_system))
        self.gone_most = GONE_OWN if own and not shares else GONE_SHARED
        if shares or may:
            self.share(station, of_system, sharing == phases.SHARING_ALL)
        return shares or (may and station > 0)

    def has_plain_ids(self):
        """True if an ID is asked for by itself, and all stations do not share one count of them."""
        return not (self.shares or self.by_own_ids)

    def share(self, station, has_to_name, is_proven=False):
        """The stations may share the IDs; ours is `station`, 0 if that is not known."""
        from toolcart.agent.openprotocol.shared_ids import SharedIds  # only where stations share the IDs, or may

        self.shared = SharedIds(station, has_to_name, self._stretch_ids, is_proven)
        self.shared.station = station or self._station

    def station_learned(self, station):
        """An answer has shown that ours is `station`; the next connections know it too."""
        self._station = station
        self.needs = ""

    def lacks_station(self):
        """True if nothing is fetched since nothing has shown which of the stations that answers name is ours."""
        return self.needs != "" and self.shared.lacks_station()

    def are_shared(self):
        """The stations share the IDs."""
        self.shares = True
        self.gone_most = GONE_SHARED

    def take_no_answer(self):
        """An ID that was never made is not answered: the stations do not share the IDs, unless that is proven."""
        if self.shared.are_own():
            self.shares = False
            self.gone_most = GONE_OWN

    def break_off(self):
        """The connection has ended within a stretch of shared IDs."""
        self._stretch_ids = self.shared.break_off()
