"""What clients may use up, each limit with its reason, and the counts of what was refused.

The library bounds connections, sessions and waiting messages; what it leaves open is bounded here (sessions, wire).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

BEHIND_RESULTS = 10  # niceness: if the processor is busy clients wait for a 05, never the other way round
CONNECTIONS_MOST = 200
SESSIONS_MOST = 100
SUBSCRIPTIONS_MOST = 200
SUBSCRIPTIONS_OF_ONE_MOST = 10  # of one session
ITEMS_MOST = 3000  # of a subscription: the variables of a thousand stations
WAITING_MOST = 2000  # events of a subscription not fetched yet: 400 a second at 5 s
UNACKNOWLEDGED_MOST = 10  # notifications of a subscription kept to be sent again
VALUES_WAITING_MOST = 2  # of a variable: the latest counts; for a queue of results there are events
NODES_MOST = 500  # of one read, browse or translation: about 15 MB if all are results with curves
CALLS_MOST = 20  # methods in one request
SELECTED_MOST = 200  # fields of an event
FASTEST_MS, SLOWEST_MS = 50.0, 5000.0  # publishing: faster only wakes the process, slower fills queues
KEEP_ALIVES_MOST = 1000
LIFETIME_MOST = 3000  # publishing intervals without a request from its client
SESSION_MS = 600_000.0  # without a request
ACTIVATED_IN_S = 15.0  # a connection without a session, a session without a user
PENDING_MOST = 100  # waiting requests of a connection; with more it is not read
PIECE_BYTES = 8192  # parsed at once: each request holds the piece that it came in
MESSAGE_BYTES = 4 * 2**20  # a request or an answer: a result with its curves has about 40 KB
CHUNK_BYTES = 65535
UNSENT_BYTES = 8 * 2**20  # answers that a client does not read
ANSWER_S = 10.0  # a method
REQUESTS_MOST = 16  # RequestResults under way, at most one for each session and system
BETWEEN_MS, BETWEEN_MOST_MS = 5.0, 60_000.0  # between requested results: 200 a second at most
IDS_MOST = 10_000  # in one answer or one acknowledgement
COUNT_MOST = 100_000  # unacknowledged results are counted up to this
HANDLES_MOST = 10_000  # remembered; they hold nothing


@dataclass
class Counted:
    """What happened since the start; the names are those of the metrics."""

    results: int = 0  # announced
    curves: int = 0  # results announced again with their curves
    alarms: int = 0
    requested: int = 0  # results sent by RequestResults and RequestUnacknowledgedResults
    acknowledged: int = 0
    calls: int = 0
    overflowed: int = 0  # events dropped because a client was too slow
    refused_connections: int = 0
    refused_sessions: int = 0
    refused_users: int = 0
    refused_requests: int = 0  # beyond a limit, or not allowed for the user
    ended_unread: int = 0  # connections whose client did not read
    ended_oversize: int = 0  # connections that sent too long a chunk
    left_out: int = 0  # stations that there is no room for
    library_errors: int = 0
    went_back: int = 0  # times the archive had fewer results than before

    def line(self) -> str:
        """All that is not 0, in a line."""
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asdict(self).items() if value)
