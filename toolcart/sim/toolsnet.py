"""A ToolsNet that checks every telegram: a PIM that names the server and the latest numbers, a server that stores.

Rules:
1. The PIM sends 12 at connect, answers 07 by 08 with the latest stored numbers and the server's address
   (004:63).
2. The server acknowledges with 05 after storing, never before; a refused result is not stored.
3. One telegram is outstanding at a time; a retransmission is the same bytes, at most twice (004:73).
4. Every breach of a layout or of these rules is one text in `complaints`; the telegram is answered
   anyway, unless it could not be taken apart.
"""

from toolcart.sim.endpoint import Settings
from toolcart.sim.toolsnet_session import PimSession, ServerSession
from toolcart.toolsnet import is_behind, station_of, tightening_id_of

PORTABLE = True

# A bounded archive of results in memory, with the same methods as the SQLite one.
#
# Rules:
# 1. A result with the same system type, system, station, sequence and time stamp is stored once (004:245,
#    DIGEST G.8).
# 2. The latest stored number is that of the last arrival, not the greatest: numbers wrap after 99999.
# 3. Only the newest `limit` results are kept in full; the counters count all.


class MemoryArchive:
    """See the module."""

    def __init__(self, limit=1000):
        self.limit = limit
        self.results = []  # the newest results, in order of arrival
        self.events = []
        self.graphs = []
        self.systems = {}  # (type, number) -> name
        self.stations = {}  # (type, number, station) -> name
        self.stored = 0
        self.repeated = 0
        self.out_of_order = 0
        self.events_stored = 0
        self.events_repeated = 0
        self.graphs_stored = 0
        self._keys = {}
        self._event_keys = {}
        self._latest = {}
        self._latest_event = {}

    def store_result(self, result):
        """Return True if it is new, False if it was stored before."""
        station = station_of(result)
        key = (station, result["sequence"], result["time"])
        if key in self._keys:
            self.repeated += 1
            return False
        latest = self._latest.get(station, 0)
        if latest and is_behind(result["sequence"], latest):
            self.out_of_order += 1
        self._latest[station] = result["sequence"]
        self._keys[key] = True
        self.results.append(result)
        self.stored += 1
        if len(self.results) > self.limit:
            oldest = self.results.pop(0)
            del self._keys[(station_of(oldest), oldest["sequence"], oldest["time"])]
        return True

    def store_event(self, event):
        station = station_of(event)
        key = (station, event["sequence"], event["time"])
        if key in self._event_keys:
            self.events_repeated += 1
            return False
        self._event_keys[key] = True
        self._latest_event[station] = event["sequence"]
        self.events.append(event)
        self.events_stored += 1
        if len(self.events) > self.limit:
            oldest = self.events.pop(0)
            del self._event_keys[(station_of(oldest), oldest["sequence"], oldest["time"])]
        return True

    def store_graph(self, graph):
        self.graphs.append(graph)
        self.graphs_stored += 1
        if len(self.graphs) > self.limit:
            self.graphs.pop(0)

    def describe_system(self, description):
        self.systems[(description["system_type"], description["system"])] = description["name"]

    def describe_station(self, description):
        self.stations[station_of(description)] = description["name"]

    def latest_result(self, system_type, system, station):
        """Return the sequence number of the latest stored result, 0 for none."""
        return self._latest.get((system_type, system, station), 0)

    def latest_event(self, system_type, system, station):
        return self._latest_event.get((system_type, system, station), 0)

    def tightening_ids(self):
        """Return the tightening IDs of the results kept, in order of arrival."""
        return [tightening_id_of(result) for result in self.results]

    def sequences(self):
        """Return the sequence numbers of the results kept, in order of arrival."""
        return [result["sequence"] for result in self.results]

    def restore_backup(self, forgotten):
        """Lose the last `forgotten` results, like a server restored from an older backup."""
        for _ in range(min(forgotten, len(self.results))):
            lost = self.results.pop()
            self.stored -= 1
            del self._keys[(station_of(lost), lost["sequence"], lost["time"])]
        self._latest = {}
        for result in self.results:
            self._latest[station_of(result)] = result["sequence"]

    def clear(self):
        """Turn into an empty database."""
        self.results = []
        self.events = []
        self.graphs = []
        self._keys = {}
        self._event_keys = {}
        self._latest = {}
        self._latest_event = {}
        self.stored = 0

    def close(self):
        pass


class ToolsNetOptions(Settings):
    """How PIM and server behave; the defaults are a healthy ToolsNet."""

    DEFAULTS = {
        # what 08 says; "" and "0.0.0.0" are to be read as the PIM's own host
        "server_host": "127.0.0.1",
        "server_port": 10111,
        "reported_result": None,  # latest stored result number in 08 whatever the archive holds; None: the archive's
        "reported_event": None,  # likewise for events
        "require_pim": True,  # a server connection without an 08 before it is a complaint (004:75)
        "send_12": True,  # False: the PIM sends nothing at connect (an old server, or none at all)
        # "expect" (a 07 before the 05 is a complaint, unless an earlier PIM connection led to no server), "optional",
        # "closes" (closes when 05 comes)
        "ack_12": "expect",
        "pim_silent": False,  # 07 is not answered
        "silent": False,  # the server hears everything, stores and answers nothing
        "silent_telegrams": (),  # ("06",): these telegrams are not answered
        "silent_sequences": (),  # results with these sequence numbers are neither stored nor answered
        "ack_delay_ms": 0,  # delay of every 05
        "lost_acks": [],  # [sequence, ...], each once: stored, not acknowledged
        "foreign_ack": False,  # a 05 with another identifier comes before the right one
        "codes": {},  # {sequence: code}: results that are refused, always
        "tightening_codes": {},  # {tightening id: code}: the same by the controller's number
        "codes_once": [],  # [(sequence, code), ...], each once
        "code_all": None,  # every result is refused with this code (None: not)
        "telegram_codes": {},  # {"01": code}: other telegrams that are refused
        "event_answer": "05",  # "05" or "10" (004:206-215)
        "drop_before_store": [],  # [sequence, ...], each once: the connection is closed and nothing stored
        "drop_after_store": [],  # [sequence, ...], each once: stored, then closed without 05
        "silence_ms": 60000,  # closed after so long without a telegram (004:80); blame_silence makes it a complaint
        "blame_silence": True,
        "window": 1,  # how many results may be outstanding; with 1 each must wait for its answer
        "whole_writes": False,  # complain when a telegram arrives in pieces
    }


class ToolsNet:
    """PIM and server over one archive; `pim_endpoint` and `server_endpoint` are factories of connections."""

    def __init__(self, clock, archive=None, options=None):
        self.clock = clock
        self.archive = archive if archive is not None else MemoryArchive()
        self.options = options or ToolsNetOptions()
        self.complaints = []
        self.closings = []
        self.telegrams = {}  # id -> how often it arrived
        self.refused = 0  # answers with a code other than 000
        self.answers_08 = 0  # those not followed by a server connection yet
        self.pim_connections = 0
        self.server_connections = 0
        self.pim_sessions = []
        self.server_sessions = []
        self._identifier = 0

    def pim_endpoint(self):
        self.pim_connections += 1
        return PimSession(self)

    def server_endpoint(self):
        self.server_connections += 1
        return ServerSession(self)

    def drop(self):
        """Close every connection."""
        for session in self.pim_sessions + self.server_sessions:
            session.close("toolsnet: dropped")

    def next_identifier(self):
        self._identifier = self._identifier % 99999 + 1
        return self._identifier

    def time_text(self):
        """Return the server's time as 14 digits yyyymmddhhnnss."""
        return self.clock.stamp().replace("-", "").replace(":", "")
