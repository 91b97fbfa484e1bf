"""The simulated ToolsNet's store, in memory and bounded.

Rules
1. A result with the same system type, system, station, sequence and time is stored once (TN 5.9, protocol.md 8.4).
2. The latest stored number is that of the last arrival, not the greatest: numbers wrap after 99999.
3. Only the newest `limit` results are kept in full; the counters count all.
"""

from toolcart.toolsnet.records import is_behind, station_of, tightening_id_of

PORTABLE = True


class MemoryArchive:
    """See the module."""

    def __init__(self, limit=1000):
        self.limit = limit
        self.systems = {}  # (type, number) -> name
        self.stations = {}  # (type, number, station) -> name
        self.programs = {}  # (type, number, station, spindle, program) -> name
        self.repeated = 0
        self.out_of_order = 0
        self.events_stored = 0
        self.events_repeated = 0
        self.graphs_stored = 0
        self.clear()

    def store_result(self, result):
        """Return True if it is new, False if it was stored before."""
        latest = self._latest.get(station_of(result), 0)
        if not self._keep(result, self.results, self._keys, self._latest):
            self.repeated += 1
            return False
        if latest and is_behind(result["sequence"], latest):
            self.out_of_order += 1
        self.stored += 1
        return True

    def store_event(self, event):
        if not self._keep(event, self.events, self._event_keys, self._latest_event):
            self.events_repeated += 1
            return False
        self.events_stored += 1
        return True

    def _keep(self, one, kept, keys, latest):
        """Keep one more of them; False if it is there already."""
        key = _key_of(one)
        if key in keys:
            return False
        keys[key] = True
        latest[station_of(one)] = one["sequence"]
        kept.append(one)
        if len(kept) > self.limit:
            del keys[_key_of(kept.pop(0))]
        return True

    def store_graph(self, graph):
        self.graphs.append(graph)
        self.graphs_stored += 1
        if len(self.graphs) > self.limit:
            self.graphs.pop(0)

    def describe_system(self, description):
        self.systems[(description["system_type"], description["system"])] = description["name"]

    def describe_station(self, description):
        place = station_of(description)
        self.stations[place] = description["name"]
        for spindle in description["spindles"]:
            for program in spindle["programs"]:
                self.programs[place + (spindle["spindle"], program["program"])] = program["name"]

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
            del self._keys[_key_of(lost)]
        self._latest = {}
        for result in self.results:
            self._latest[station_of(result)] = result["sequence"]

    def clear(self):
        """Turn into an empty database."""
        self.results = []  # the newest results, in order of arrival
        self.events = []
        self.graphs = []
        self._keys = {}
        self._event_keys = {}
        self._latest = {}
        self._latest_event = {}
        self.stored = 0

    def close(self):
        pass


def _key_of(record):
    return station_of(record), record["sequence"], record["time"]
