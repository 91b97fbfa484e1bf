"""A network between the agent's ports and its peers: latency, splits, resets, outages and black holes.

Rules
1. A service has a name, a place (host, port) and a state: "up", "refusing", or "hole", where nothing comes through and
   nothing is reported; what was under way arrives when the hole ends, if the connection is still open then.
2. Bytes of one direction keep their order. A reset loses what is under way. Nothing that the agent wrote on
   one connection arrives after it has begun another: an 08 would not cover it, and no agent could know.
3. `Link.send(octets, on_read)` calls `on_read` at the moment when the agent has read the last of these bytes.
4. A peer has `receive(octets, reads)`, `lost()`; `reads` is how many whole messages the agent had read on this link
   when it wrote these bytes.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from lab.worlds.power import Fuse
from lab.worlds.timeline import Timeline


class End(Protocol):
    """The agent's end of a connection (lab.worlds.board)."""

    def arrived(self, piece: bytes) -> None:
        """Handle bytes that can be read."""

    def lost(self) -> None:
        """Handle the loss of the other side."""


class Service:
    """One place to connect to; `accept(link)` returns the peer of a new connection."""

    def __init__(self, name: str, accept: Callable[[Link], Any]) -> None:
        self.name = name
        self.accept = accept
        self.state = "up"


class Link:
    """One connection, as its peer sees it."""

    def __init__(self, network: Network, service: Service, port: End) -> None:
        self.network = network
        self.service = service
        self.port: End | None = port  # None once the agent's end is gone
        self.peer: Any = None  # None once the peer's end is gone
        self.reads = 0
        self.held: list[Callable[[], None]] = []
        self._marks: deque[tuple[int, Callable[[], None] | None]] = deque()
        self._on_the_way: deque[tuple[bytes, int]] = deque()  # from the agent
        self._sent = 0
        self._read = 0
        self._to_agent_at = 0
        self._to_peer_at = 0

    # -- the peer's end --------------------------------------------------------------------------------------------

    def send(self, octets: bytes, on_read: Callable[[], None] | None = None) -> None:
        """Send one message to the agent; a controller's counts as whole without its NUL."""
        self._marks.append((self._sent + len(octets.rstrip(b"\0")), on_read))
        self._sent += len(octets)
        dice = self.network.dice
        pieces = [octets]
        if dice.random() < self.network.split_odds and len(octets) > 1:
            at = dice.randrange(1, len(octets))
            pieces = [octets[:at], octets[at:]]
        for piece in pieces:
            self._to_agent_at = max(self._to_agent_at, self.network.time.now + self.network.latency())
            self._at(self._to_agent_at, lambda piece=piece: self._arrive(piece))

    def close(self) -> None:
        """Close in order: what was sent still arrives."""
        self.peer = None
        self._to_agent_at = max(self._to_agent_at, self.network.time.now + self.network.latency())
        self._at(self._to_agent_at, self._lose_port)

    def reset(self) -> None:
        """Reset both ends at once."""
        self._lose_port()
        self._lose_peer()

    def _arrive(self, piece: bytes) -> None:
        if self.port is not None:
            self.port.arrived(piece)
        elif self.network.powered:  # a host that no longer knows the connection answers with a reset
            self._at(self.network.time.now + self.network.latency(), self._lose_peer)

    def _lose_port(self) -> None:
        if self.port is not None:
            self.port.lost()
            self.port = None

    def _lose_peer(self) -> None:
        if self.peer is not None:
            peer, self.peer = self.peer, None
            peer.lost()

    # -- the agent's end -------------------------------------------------------------------------------------------

    def count_read(self, octets: int) -> None:
        """Count bytes read by the agent."""
        self._read += octets
        while self._marks and self._marks[0][0] <= self._read:
            on_read = self._marks.popleft()[1]
            self.reads += 1
            if on_read is not None:
                on_read()

    def write(self, octets: bytes) -> None:
        """Take bytes from the agent."""
        self._on_the_way.append((octets, self.reads))
        self._to_peer_at = max(self._to_peer_at, self.network.time.now + self.network.latency())
        self._at(self._to_peer_at, self._reach_peer)

    def _reach_peer(self) -> None:
        if self._on_the_way:
            octets, reads = self._on_the_way.popleft()
            if self.peer is not None:
                self.peer.receive(octets, reads)

    def cut_off(self, arrives: bool) -> None:
        """The agent's host loses power: what it wrote arrives now or never."""
        self.port = None
        while self._on_the_way and arrives and self.service.state != "hole":
            self._reach_peer()
        self._on_the_way.clear()

    def leave(self) -> None:
        """The agent closes; what a black hole has swallowed so far is never sent again."""
        self.port = None
        if self.service.state == "hole":
            self._on_the_way.clear()
        self._to_peer_at = max(self._to_peer_at, self.network.time.now + self.network.latency())
        self._at(self._to_peer_at, self._lose_peer)

    def _at(self, moment: int, action: Callable[[], None]) -> None:
        self.network.time.at(moment, lambda: self._pass(action))

    def _pass(self, action: Callable[[], None]) -> None:
        if self.service.state == "hole" or self.held:
            self.held.append(action)
        else:
            action()


class Network:
    """All links of one world."""

    def __init__(self, time: Timeline, dice: random.Random, fuse: Fuse, traits: dict) -> None:
        self.time = time
        self.dice = dice
        self.fuse = fuse
        self.latency_ms = traits["latency_ms"]
        self.split_odds = traits["split_odds"]
        self.short_write_odds = traits["short_write_odds"]
        self.services: dict[tuple[str, int], Service] = {}
        self.links: list[Link] = []
        self.waiting: list[tuple[Service, Callable[[], None]]] = []
        self.powered = False

    def latency(self) -> int:
        """Return the one-way latency in ms."""
        return self.dice.randrange(self.latency_ms + 1)

    def serve(self, host: str, number: int, service: Service) -> None:
        """Make this service reachable at that place."""
        self.services[(host, number)] = service

    def set_state(self, service: Service, state: str, breaks: bool) -> None:
        """Begin or end an outage; `breaks` resets open connections."""
        service.state = state
        if breaks:
            self.break_all(service)
        if state == "hole":
            return
        waiting = [action for held_by, action in self.waiting if held_by is service]
        self.waiting = [entry for entry in self.waiting if entry[0] is not service]
        for action in waiting:
            action()
        for link in [link for link in self.links if link.service is service]:
            held, link.held = link.held, []
            for action in held:
                action()

    def break_all(self, service: Service) -> None:
        """Reset every connection of this service."""
        for link in [link for link in self.links if link.service is service]:
            link.held.clear()
            link.reset()
        self._forget_dead()

    def power_off(self) -> None:
        """The agent's host is gone: some peers learn it at once, the others when they next send."""
        self.powered = False
        for link in self.links:
            if link.port is not None:
                link.cut_off(self.dice.random() < 0.7)
                if self.dice.random() < 0.5:
                    link.leave()
        self._forget_dead()

    def _forget_dead(self) -> None:
        self.links = [link for link in self.links if link.port is not None or link.peer is not None]
