"""A world whose configuration changes: one station, outlets that come and go by name, and peers that forget.

Rules
1. A change waits until the agent is next down, for a reload, a stop or a cut; it takes effect with the start that
   follows. What the agent would refuse to be configured with changes nothing.
2. An outlet is its name and its kind. It must have had what the log held when it was there first and what came later.
   It is there once a start has written that down: of one that never could, the next start knows nothing.
   What the log gives up while the name is not configured is counted when it returns: its place is kept until PLACES
   others beside ToolsNet need one, and that of the one unused for longest goes; of several any. Then it is new when it
   returns, and what was counted for it is told by that start alone. So is what a lost block held that it lacked.
3. What the log holds is what a start on a copy of the flash finds, but for a block that was to be erased: a worn one
   may keep its content, and read well at one start and not at the next. All else is known from the controller and the
   outlets' peers.
"""

from __future__ import annotations

import copy

from lab.worlds import adapter
from lab.worlds.dice import dice
from lab.worlds.file_flash import FileFlash
from lab.worlds.history import Ledger, OutletHistory, Result, StoredTelegram
from lab.worlds.identification import named_in
from lab.worlds.network import Service
from lab.worlds.outlet_peers import FILE, TOOLSNET, Consumer, LineFile, peer_of, place_of
from lab.worlds.world import World

PLACES = 3  # beside ToolsNet's
ORDER_STEP_MS, ORDER_STEPS_MOST = 5, 2000


class ChangingWorld(World):
    """All that exists in one world whose configuration changes."""

    def __init__(self, script: dict) -> None:
        settings = script["settings"]
        plain = [{**station, "outlets": [{"kind": TOOLSNET}]} for station in settings["stations"]]
        self.ledger = Ledger(is_exact=script.get("exact", False))
        self.outlets: dict[tuple[str, str], _Outlet] = {}
        self.offered: list[int] = []  # when an operator had results offered to ToolsNet again
        self._waiting: list[tuple] = []  # changes for the next start
        self._configured: set[tuple[str, str]] = set()
        self._new: dict[tuple[str, str], str] = {}  # places of a configuration that no start has written down yet
        self._had_then: set[int] = set()  # what the log held when it was made
        self._kept: list[tuple[str, str]] = []  # outlets whose places are kept
        self._places: list[tuple[int, int, int]] = []  # as the session before this configuration left them
        self._left_out = False  # noted for this start
        self._was_emptied = False  # the agent has said so
        super().__init__({**script, "settings": {**settings, "stations": plain}})
        self.script = script
        self.history.ledger = self.ledger
        self.settings = copy.deepcopy(settings)
        self._check_every = 1 << 60  # it knows one configuration
        self._take({})

    # -- what the models ask ---------------------------------------------------------------------------------------

    def lines(self, outlet: dict) -> LineFile:
        """Return the file of a file outlet."""
        return self._peer(FILE, outlet["path"])  # type: ignore[return-value]

    def services(self) -> list[Service]:
        """Return all that the agent connects to."""
        others = [one.peer.service for one in self.outlet_peers.values() if isinstance(one, Consumer)]
        return [*super().services(), *others]

    def is_full(self, number: int) -> bool:
        """True if the agent says so."""
        return self.agent is not None and adapter.says_full(self.agent, number - 1)

    def check_full_claim(self, number: int) -> bool:
        """True if the agent says so."""
        return self.is_full(number)

    def check_operator_claim(self, number: int) -> bool:
        """False: what is refused here has room."""
        return False

    def stands_in_log(self, number: int, text: str, made: int = 0) -> bool:
        """True if a start finds it: what is left in a block that another one replaced is not there (rule 3)."""
        return super().stands_in_log(number, text, made) and made in self.in_log()

    def _erasing(self, number: int, block: int) -> None:
        """What the log gives up is known from what a start finds."""

    _opening = _erasing

    # -- changes ---------------------------------------------------------------------------------------------------

    def change(self, *what) -> None:
        """Change something before the next start."""
        self._waiting.append(what)

    def forgets(self, name: str, share: float) -> None:
        """Have the place of this outlet lose all but the first `share` of what it has; a file waits for a stop."""
        peer = self._peer_named(name)
        if isinstance(peer, LineFile):
            self.change("file", name, share)
        elif peer is not None:
            peer.forget(share)

    def peer_fails(self, name: str, what: str, ms: int) -> None:
        """Cause a fault of this outlet's peer."""
        peer = self._peer_named(name)
        if peer is not None:
            peer.happen(what, ms)

    def power_on(self) -> None:
        """Make the changes that wait, and start."""
        if self.agent is not None:
            return
        waiting, self._waiting = self._waiting, []
        changed = {}
        for what, *rest in waiting:
            if what == "outlets":
                changed["outlets"] = rest[0]
            elif what == "rewind":
                changed["rewind"] = rest[0]
            elif what == "take over":
                self._take_over(rest[0])
            elif what == "exchange":
                self._exchange(*rest)
            else:
                self._file_forgets(*rest)
        if changed:
            self._take(changed)
        self._left_out = False
        super().power_on()

    def switch_off(self, dark_ms: int) -> None:
        """Remove the agent: files lose what was not synced."""
        self._note_what_is_known()
        for peer in self.outlet_peers.values():
            peer.power_off()
        super().switch_off(dark_ms)

    def _take(self, changed: dict) -> None:
        """Take another configuration, if the agent accepts it."""
        settings = copy.deepcopy(self.settings)
        if "outlets" in changed:
            settings["stations"][0]["outlets"] = changed["outlets"]
        if "rewind" in changed:
            settings[TOOLSNET]["rewind"] = changed["rewind"]
        tree = adapter.configured(settings)
        if tree is None:
            return
        self.settings, self.tree = settings, tree
        outlets = settings["stations"][0]["outlets"]
        for one in outlets:
            if one["kind"] != TOOLSNET:
                self._peer(one["kind"], place_of(one))
        self._new = {(one["name"], one["kind"]): place_of(one) for one in outlets}
        self._places = adapter.places(self.device(1))
        self._had_then |= self.in_log()

    def _note_what_is_known(self) -> None:
        """Note the outlets of the present configuration, once a start has written down that they are there."""
        if self._new and adapter.knows(self.device(1), self.settings["stations"][0]["outlets"]):
            places, self._new = self._new, {}
            now = [place[:2] for place in adapter.places(self.device(1))]
            gone = [missed for *whose, missed in self._places if tuple(whose) not in now]
            self.ledger.gone_with_places += sum(gone)
            self._note(places)

    def _note(self, places: dict[tuple[str, str], str]) -> None:
        """Note which outlets are there from now on, and what the log holds for them."""
        now, log = self.time.now, self.in_log()
        for key in self._configured - set(places):
            self.outlets[key].leave(now, log | self._had_then)
        for key, place in places.items():
            outlet = self.outlets.get(key)
            if outlet is None:
                acked = {number for number in log if self._result(number).acks}
                outlet = self.outlets[key] = _Outlet(*key, now, acked)
            elif key not in self._configured and key not in self._kept:
                outlet.come_back(log | self._had(outlet), self._acked_since(outlet.left))
            outlet.places.add(place)
            outlet.place = place
        self._configured = set(places)
        self._had_then = set()
        self._keep_places(list(places))

    def _keep_places(self, configured: list[tuple[str, str]]) -> None:
        """Note whose places are kept: first those that are used, then the others, the last ones unused for longest.

        Of those removed at once the agent may give up any.
        """
        there = adapter.places(self.device(1))
        unused = [key for key in self._kept if key not in self._configured]
        unused.sort(key=lambda key: (-self.outlets[key].left, not adapter.has_place(there, *key)))
        places = [key for key in configured + unused if key[1] != TOOLSNET][:PLACES]
        self._kept = places + [key for key in configured + unused if key[1] == TOOLSNET]

    def _take_over(self, blocks: int) -> None:
        """Move the spool into a new file with so many blocks for results more."""
        spool = self.tree["stations"][0]["spool"]
        old = self.device(1)
        plan = {**spool, "size_kib": spool["size_kib"] + blocks * old.block_bytes // 1024}
        seed = dice(self.script["seed"], "take over", self.time.now).randrange(1, 1 << 29)
        made = adapter.taken_over(old, plan, seed)
        if made is None:
            return
        self.history.misuse.extend(old.misuse)
        rolled = dice(self.script["seed"], "flash", 1, self.time.now)
        new = FileFlash(made.unit_bytes, made.block_count, rolled, self.fuse, made.block_bytes)
        new.fill(bytes(made.cells))
        self.flashes[spool["path"]] = new

    def _exchange(self, one: str, other: str) -> None:
        """Exchange the contents of two files; what was made before is owed to neither."""
        files = [self._peer_named(name) for name in (one, other)]
        if len(set(files)) == 2 and all(isinstance(file, LineFile) for file in files):
            for file in files:
                file.note()  # type: ignore[union-attr]
            files[0].lines, files[1].lines = files[1].lines, files[0].lines  # type: ignore[union-attr]
            for file in files:
                file.pardoned.update(self.history.stations[1].results)  # type: ignore[union-attr]

    def _file_forgets(self, name: str, share: float) -> None:
        peer = self._peer_named(name)
        if not isinstance(peer, LineFile):
            return
        peer.forget(share)
        if not peer.lines:
            peer.pardoned |= peer.all

    # -- orders ----------------------------------------------------------------------------------------------------

    def offer_again(self, share: float) -> None:
        """Have an operator order what the log holds from this share on for ToolsNet again."""
        agent = self.agent
        if agent is None or not adapter.has_toolsnet(agent, 0):
            return
        numbers = [number for number, _ in adapter.in_log(self.device(1))]
        self.ledger.unsure |= self.in_log()
        if not numbers:
            return
        order = adapter.offer_again(agent, 0, numbers[min(int(len(numbers) * share), len(numbers) - 1)])
        self.offered.append(self.time.now)
        self._go_on(agent, order, 0)

    def _go_on(self, agent, order, steps: int) -> None:
        answer: bool | None = False

        def work() -> None:
            nonlocal answer
            answer = next(order, False)

        self.fuse.reads = 0
        if self.agent is not agent or not self.survives(work):
            return
        self.soon()
        if answer is None and steps < ORDER_STEPS_MOST:
            self.time.after(ORDER_STEP_MS, lambda: self._go_on(agent, order, steps + 1))
        elif answer:
            self.offered.append(self.time.now)
            self._was_emptied = False

    def drop_kept(self) -> None:
        """Have an operator drop all that ToolsNet has refused."""
        if adapter.has_toolsnet(self.agent, 0):
            self.operator.order("drop", 1, 0)

    # -- what is known ---------------------------------------------------------------------------------------------

    def _step(self) -> None:
        super()._step()
        agent = self.agent
        if self._new and agent is not None and adapter.is_begun(agent, 0):
            self._note_what_is_known()
        if agent is not None and not self._left_out and not adapter.is_away(agent, 0):
            self._left_out = True
            self.ledger.left_out += adapter.left_out(agent, 0)
            self.ledger.nobody_had |= self._left_out_unhad(agent)

    def _left_out_unhad(self, agent: adapter.Agent) -> set[int]:
        """Return what this start has left out for a durable outlet though no place had ever had it."""
        numbers = adapter.left_out_numbers(agent, 0)
        if not numbers:
            return set()
        payloads = [payload for number, payload in adapter.in_log(self.device(1).certain()) if number in numbers]
        found = {made for payload in payloads for _, made in named_in(1, payload, 0)}
        for peer in self.outlet_peers.values():
            found -= peer.all | {made for _, made in peer.stored()}
        found -= {row.number for row in self.history.stations[1].rows if row.number}
        return {number for number in found if self._result(number).acks and not self._result(number).content_refusal}

    def look(self) -> None:
        """Note what the agent says: no count is below 0."""
        if self.agent is None or len(self.ledger.negative) > 9:
            return
        for what, count in adapter.counted(self.agent, 0).items():
            if count < 0:
                self.ledger.negative.append(f"at {self.time.now} ms: {count} {what}")
        self._was_emptied = self._was_emptied or adapter.says_emptied(self.agent, 0)

    def in_log(self) -> set[int]:
        """Return the production numbers of what a start finds in the log, but in blocks that were to be erased."""
        entries = adapter.in_log(self.device(1).certain())
        return {made for _, payload in entries for _, made in named_in(1, payload, 0)}

    def is_settled(self) -> bool:
        """True if nothing waits, says the agent, and the last result is acknowledged."""
        last = self.controllers[0].last
        is_taken = last is not None and bool(last.acks)
        return self.agent is not None and is_taken and not sum(adapter.waits(self.agent, 0))

    def record_final_state(self) -> None:
        """Note what every place has, and what the agent says."""
        super().record_final_state()
        ledger, agent, last = self.ledger, self.agent, self.controllers[0].last
        ledger.is_taken = last is not None and bool(last.acks)
        if agent is None:
            self.history.raised.append("there is no agent to ask")
            return
        counts = adapter.counted(agent, 0)
        for what in ("overwritten", "missed", "damaged", "stored_again"):
            setattr(ledger, what, counts.get(what, 0))
        ledger.is_block_gone = self.device(1).was_stale
        ledger.waits = sum(adapter.waits(agent, 0))
        is_reported = not adapter.has_toolsnet(agent, 0) or adapter.says_emptied(agent, 0)
        # What was to be sent again and gave way is said by OVERWRITTEN.
        if self._was_emptied and not is_reported and self._lacks_there() > ledger.overwritten:
            ledger.unsaid.append("that ToolsNet was emptied is no longer said")
        results = self.history.stations[1].results.values()
        ledger.unsure |= {r.number for r in results if (r.pushes or r.fetches) and (not r.acks or r.content_refusal)}
        ledger.unsure |= {
            row.number for row in self.history.stations[1].rows if row.number and row.forgotten is not None
        }
        log = self.in_log()
        for peer in self.outlet_peers.values():
            peer.note()
        ledger.outlets = [self._judged(key, outlet, log) for key, outlet in self.outlets.items()]

    def _lacks_there(self) -> int:
        """Return how many results ToolsNet has forgotten, and not got again as by `rewind`."""
        rows = self.history.stations[1].rows
        there = {row.number for row in rows if row.forgotten is None}
        return len({row.number for row in rows if row.number and row.number not in there})

    def _judged(self, key: tuple[str, str], outlet: _Outlet, log: set[int]) -> OutletHistory:
        """Return what the judge has to know of this outlet."""
        is_here = key in self._configured
        found = OutletHistory(*key, had=self._had(outlet))
        found.owed = (outlet.owed | self._acked_since(outlet.since)) - outlet.excused
        if not is_here:
            found.owed -= outlet.log | self._acked_since(outlet.left)
            if self.device(1).was_stale:
                found.owed &= found.had
        for place in outlet.places - {TOOLSNET}:
            found.owed -= self.outlet_peers[place].pardoned
        if outlet.kind == TOOLSNET:
            found.owed -= {r.number for r in self.history.stations[1].results.values() if r.content_refusal}
            rows = [row for row in self.history.stations[1].rows if row.number is not None]
            found.spans = self._between_orders(rows)
            found.repeats = self._given_again(rows)
            return found
        peer = self.outlet_peers[outlet.place]
        stored = peer.stored()
        found.places = [number for number, _ in stored]
        found.repeats = {number: times for number, times in peer.repeats.items() if times}
        if is_here:
            found.lacks = (found.owed & log & found.had) - {made for _, made in stored}
        return found

    def _between_orders(self, rows: list[StoredTelegram]) -> list[list[int]]:
        """Return what came first between two orders to offer results again, but for what may have been under way.

        A server that was set back splits them, too: with `rewind` it gets what had been left out in front of that.
        """
        late = 2 * self.script["network"]["latency_ms"]
        first: dict[int, int] = {}
        for row in rows:
            first.setdefault(row.number or 0, row.arrived)
        moments = sorted([*self.offered, *self.history.stations[1].forgets])
        begun = [0, *[moment + late for moment in moments]]
        ended = [*moments, self.time.now]
        pairs = zip(begun, ended, strict=True)
        return [[number for number, at in first.items() if begin <= at <= end] for begin, end in pairs]

    def _given_again(self, rows: list[StoredTelegram]) -> dict[int, int]:
        """Return which results ToolsNet got again though it had forgotten nothing, and nobody had ordered it."""
        moments = [*self.history.stations[1].forgets, *self.offered]
        late = 2 * self.script["network"]["latency_ms"]  # what was under way when it was ordered
        seen: dict[int, StoredTelegram] = {}
        found: dict[int, int] = {}
        for row in rows:
            number = row.number or 0
            before = seen.get(number)
            if before is not None and not any(before.arrived - late <= moment <= row.arrived for moment in moments):
                found[number] = found.get(number, 0) + 1
            seen[number] = row
        return found

    def _had(self, outlet: _Outlet) -> set[int]:
        if outlet.kind == TOOLSNET:
            rows = self.history.stations[1].rows
            return {row.number for row in rows if row.number and (row.forgotten is None or row.vouched)}
        found = set()
        for place in outlet.places:
            found |= self.outlet_peers[place].all | {made for _, made in self.outlet_peers[place].stored()}
        return found

    def _result(self, number: int) -> Result:
        return self.history.stations[1].results[number]

    def _acked_since(self, moment: int) -> set[int]:
        results = self.history.stations[1].results.values()
        return {result.number for result in results if result.acks and result.acks[0] >= moment}

    def _peer(self, kind: str, place: str) -> LineFile | Consumer:
        peer = self.outlet_peers.get(place)
        if peer is None:
            peer = self.outlet_peers[place] = peer_of(self, kind, place)
        return peer

    def _peer_named(self, name: str) -> LineFile | Consumer | None:
        return next(
            (self.outlet_peers[o.place] for o in self.outlets.values() if o.name == name and o.kind != TOOLSNET), None
        )


class _Outlet:
    """One outlet of a world, by its name and kind, whether it is configured now or not."""

    def __init__(self, name: str, kind: str, since: int, owed: set[int]) -> None:
        self.name = name
        self.kind = kind
        self.since = since
        self.owed = owed  # of what the log held then
        self.place = ""
        self.places: set[str] = set()
        self.excused: set[int] = set()  # given up while it was not configured
        self.left = 0  # when it was removed
        self.log: set[int] = set()  # what the log held then

    def leave(self, now: int, log: set[int]) -> None:
        """It is not configured any more."""
        self.left = now
        self.log = log

    def come_back(self, has_or_had: set[int], acked: set[int]) -> None:
        """It is configured again: what the log held, or got, and has no more is excused."""
        self.excused |= (self.log | acked) - has_or_had
