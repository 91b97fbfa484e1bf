"""ToolsNet's archive in memory: bounded, with the methods of the SQLite one (toolcart/sim/archive.py).

Rules
1. A result with the same system type, system, station, sequence and time stamp is stored once (004:245, DIGEST G.8).
2. The latest stored number is that of the last arrival, not the greatest: numbers wrap after 99999.
3. Only the newest `limit` results are kept in full; the counters count all.
"""

from toolcart.toolsnet import is_behind, station_of, tightening_id_of

PORTABLE = True


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
