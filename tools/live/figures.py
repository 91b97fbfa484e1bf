"""Turns the agent's status lines into what people ask for: rates, a curve of the backlog, and what has changed.

Rules:
1. Pure: takes lines and moments, returns texts; shared by the plain lines and the live view.
2. Rates come from numbers kept in the spool, so they survive a hard kill of the agent.
3. A connection that fails again and again is reported once when it is lost, and once when it is back; in between, each
   reason why it does not come up (toolcart.tools.messages.reasons) is reported once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from toolcart.tools.live.count_history import Curve
from toolcart.tools.live.history import StationFigures
from toolcart.tools.messages import attention, connections, log_entries, standing_conditions, transitions
from toolcart.tools.messages.connections import first_of, others_of
from toolcart.tools.messages.durations import counted

NEVER_MET_S = 3.0  # a side that is up is reached at once; after this time it is worth a look
EACH_MOST = 4  # entries of one kind that each get a line, such as one for each MID
UNKNOWN_MID = 99  # in MID 0004
FILLING_PERCENT = (50, 75, 90)  # of the spool's blocks: each is reported once
ROOM_AGAIN_PERCENT = 10  # this far below the first of these it may be reported again

# How results leave the backlog that ToolsNet does not have, by the name in the status.
_NOT_DELIVERED = {"parked": "set aside", "dropped": "dropped", "overwritten": "overwritten at most"}

GOOD = "good"
INFO = "info"
WARNING = "warning"
BAD = "bad"
LEVELS = {attention.BAD: BAD, attention.WARN: WARNING, attention.NOTE: INFO}  # of needs

# Lines of the agent that have their own words.
_SAID = {"note": WARNING, "made": GOOD, "reload": INFO, "order": INFO}

# What the log only says alongside a change of state, and what is no trouble; everything else in it is a warning.
_TOLD_AS_STATE = {
    *("controller losses", "server losses", "controller away", "server away"),
    *("no pim", "host refused", "ids gone", "outlet failed"),
}
_HARMLESS = {"duplicates", "repeated", "recovered", "repeats nothing", "other host", "edge time"}
_HARMLESS |= {"passed over", "ids off"}


@dataclass
class Change:
    """Something worth reporting, `at_s` seconds after the start."""

    at_s: float
    level: str
    text: str
    station: int | None = None  # its number; None: all of them


class Figures:
    """The figures of one agent; it is fed the agent's lines in order."""

    def __init__(self) -> None:
        self.status: dict = {}
        self.stations: dict[int, StationFigures] = {}
        self.spool_problems: list[str] = []
        self.fed = 0  # how many states have come: shows whether there is a new one
        self.curve = Curve()  # of the backlog of all stations
        self._faults = 0
        self._needs: dict[str, list[attention.Need]] = {}  # of the agent itself, by slug

    # -- what is asked -----------------------------------------------------------------------------------------

    def shown(self) -> list[dict]:
        """Return the newest state of every station."""
        return self.status.get("stations", [])

    def known(self) -> list[StationFigures]:
        """Return what is known about the stations, in the order of the configuration."""
        return [self.stations[shown["number"]] for shown in self.shown()]

    def has(self, name: str) -> bool:
        """True if any station tells this figure, or none tells anything yet."""
        mounted = [station for station in self.shown() if station.get("mounted")]
        return not mounted or any(name in station for station in mounted)

    def total(self, name: str) -> int:
        """Return this figure of all stations together: stored, backlog, parked (those set aside), delivered."""
        return sum(station.get(name, 0) for station in self.shown())

    def rates(self) -> tuple[float, float]:
        """Return the rates of all stations together."""
        rates = [known.rates() for known in self.stations.values()]
        return sum(rate[0] for rate in rates), sum(rate[1] for rate in rates)

    def all_connected(self) -> bool:
        """True if every station is connected to its controller, and its first outlet takes results."""
        shown = self.shown()
        return bool(shown) and all(_ready(station) and _streaming(station) for station in shown)

    # -- what comes in -----------------------------------------------------------------------------------------

    def feed(self, line: dict, at_s: float) -> list[Change]:
        """Take one line of the agent; return what in it is worth reporting."""
        kind = line.get("kind")
        if kind == "started":
            return self._started(line, at_s)
        if kind == "spool":
            self.spool_problems.append(line["text"])
            return [Change(at_s, BAD, f"spool: {line['text']}")]
        if kind in _SAID:
            return [Change(at_s, _SAID[kind], line["text"])]
        if kind == "failed":
            return [Change(at_s, BAD, f"agent: {line['text']}")]
        if kind not in ("status", "stopped"):
            return []
        self.status = line
        self.fed += 1
        changes: list[Change] = []
        for shown in line["stations"]:
            known = self.stations.setdefault(shown["number"], StationFigures(first_s=at_s))
            changes += self._compare(known, shown, at_s, kind == "stopped")
            known.keep(shown, at_s)
        self.curve.add(self.total("backlog"), at_s)
        changes += self._scheduler(line["scheduler"], at_s)
        changes += self._agent(line.get("agent") or {}, at_s)
        return changes

    def ended(self) -> None:
        """Note that the agent has gone: none of its connections is up any more."""
        for known in self.stations.values():
            known.was_ready = known.was_streaming = known.takes_results = False
            known.logged = 0
        for shown in self.shown():
            for side in filter(None, (shown.get("controller"), *shown.get("outlets", ()))):
                side.update(state="no agent", is_up=False)

    def _started(self, line: dict, at_s: float) -> list[Change]:
        self.ended()
        self._faults = 0
        self._needs = {}
        self.spool_problems = []
        for known in self.stations.values():
            known.spool_told = known.met_controller = False
            known.undelivered = {}
            known.needs = {}
        return [Change(at_s, INFO, f"agent started, process {line['pid']}")]

    def _compare(self, known: StationFigures, shown: dict, at_s: float, stopped: bool) -> list[Change]:
        name = f"station {shown['number']}: " if len(self.status["stations"]) > 1 else ""
        told: list[tuple[str, str]] = []
        if shown["mounted"]:
            told += _spool_changes(known, shown)
            told += _connection_changes(known, shown, stopped)
            told += _never_met(known, shown, at_s)
            told += _backlog_changes(known, shown)
            told += _sorrow_changes(known, shown)
        new = _log_changes(known, shown)
        if shown["mounted"]:  # before that the log has only what the agent's spool lines say better
            told += new
        return [Change(at_s, level, name + text, shown["number"]) for level, text in told]

    def _agent(self, about: dict, at_s: float) -> list[Change]:
        """Report the needs of the agent itself."""
        told = _needs_told(self._needs, attention.of_agent(about), attention.OVER_OF_AGENT)
        return [Change(at_s, level, text) for level, text in told]

    def needs(self) -> list[attention.Need]:
        """Return the needs of the agent itself."""
        return [need for needs in self._needs.values() for need in needs]

    def _scheduler(self, scheduler: dict, at_s: float) -> list[Change]:
        if scheduler["faults"] <= self._faults:
            return []
        self._faults = scheduler["faults"]
        return [Change(at_s, BAD, f"fault inside the agent: {scheduler['last_fault']}")]


def _ready(shown: dict) -> bool:
    return shown.get("controller", {}).get("state") == "ready"


def _streaming(shown: dict) -> bool:
    return connections.is_well(first_of(shown))


def _spool_changes(known: StationFigures, shown: dict) -> list[tuple[str, str]]:
    if known.spool_told:
        return []
    known.spool_told = True
    spool = shown["spool"]
    waiting, name = connections.waiting_for(shown)
    text = f"spool of {spool['kib']} KiB: {shown['stored']} results kept so far, {waiting} waiting for {name}"
    for trouble in ("damaged", "torn"):
        if spool[trouble]:
            text += f", {spool[trouble]} {trouble}"
    told = [(INFO, text)]
    if shown.get("parked_kib_ignored"):
        told.append((WARNING, "parked_kib has no effect: this spool was made with another value, and keeps it"))
    graphs = shown.get("graphs", {})
    if graphs.get("kib_ignored"):
        told.append((WARNING, "graphs_kib has no effect: this spool was made with another value, and keeps it"))
    elif graphs and not graphs["mounted"]:
        told.append((WARNING, "the part of the spool for curves cannot be used: no curves are asked for"))
    return told


def _connection_changes(known: StationFigures, shown: dict, stopped: bool) -> list[tuple[str, str]]:
    told = []
    ready, takes = _ready(shown), _takes_results(known, shown)
    entries, outlet = _new_entries(known, shown), connections.name_of(first_of(shown))
    left = stopped or shown["controller"].get("waits_for_room") or shown["spool"].get("refused")
    for side, is_up, was_up, up, is_left in (
        ("controller", ready, known.was_ready, "controller ready", left),
        ("outlet", takes, known.takes_results, f"{outlet} takes results", stopped),
    ):
        name = connections.name_of(connections.both(shown)[side])
        if is_up and not was_up:
            told.append((GOOD, up))
        elif was_up and not is_up and is_left:
            told.append((INFO, f"{name} left in order"))
        elif was_up and not is_up:
            told.append((WARNING, f"{name} lost{known.news.of_loss(side, shown, entries)}"))
    known.was_ready, known.was_streaming, known.takes_results = ready, _streaming(shown), takes
    if not stopped:
        told += [(WARNING, text) for text in known.news.news(shown, {"controller": ready, "outlet": takes})]
    told += _room_changes(known, shown)
    return told if stopped else told + _outlet_changes(known, shown)  # they are closed, and a reason is an old one


def _takes_results(known: StationFigures, shown: dict) -> bool:
    """True if the first outlet is up and has taken something since, if there was something to take."""
    delivered = connections.delivered_of(shown)
    if not (_streaming(shown) and connections.is_proven(first_of(shown))):
        known.delivered_away = delivered
        return False
    if known.delivered_away is None:
        known.delivered_away = delivered
    return known.takes_results or not connections.waits_for_first(shown) or delivered != known.delivered_away


def _outlet_changes(known: StationFigures, shown: dict) -> list[tuple[str, str]]:
    """Report each reason why an outlet beside the first cannot be used, once until it is up again."""
    told = []
    for outlet in others_of(shown):
        name = outlet.get("name", outlet["kind"])
        need = attention.of_outlet(outlet)
        before = known.others.setdefault(name, set())
        if need is not None and need.key not in before:
            told.append((WARNING, need.text()))
            before.add(need.key)
        waited = known.waited.get(name, 0)
        if not outlet["is_up"]:
            known.waited[name] = outlet["waiting"]
        elif before and (not outlet["waiting"] or outlet["waiting"] < waited):  # it has taken something
            told.append((GOOD, f"{connections.which(outlet)} takes records again"))
            before.clear()
    return told


def _room_changes(known: StationFigures, shown: dict) -> list[tuple[str, str]]:
    """Warn of a filling spool long before it is full: the session ends then, which may lock the tool."""
    spool = shown["spool"]
    percent = 100 * spool["used_blocks"] // spool["blocks"]
    level = max([mark for mark in FILLING_PERCENT if percent >= mark], default=0)
    if level > known.filling_percent:
        known.filling_percent = level
        waiting, name = connections.waiting_for(shown)
        return [(WARNING, f"the spool is {percent} % full: {waiting} results waiting for {name}")]
    if known.filling_percent and percent < FILLING_PERCENT[0] - ROOM_AGAIN_PERCENT:
        known.filling_percent = 0
        return [(GOOD, f"the spool is {percent} % full again")]
    return []


def _never_met(known: StationFigures, shown: dict, at_s: float) -> list[tuple[str, str]]:
    """Report once which side has not been reached since the start: a wrong address looks like that."""
    for side, met in (("controller", known.was_ready), ("outlet", known.was_streaming)):
        if met:
            known.never_met.discard(side)
    if at_s - known.first_s < NEVER_MET_S:
        return []
    told = []
    for side, its in connections.both(shown).items():
        if side in known.never_met and not known.news.told(side):
            told.append(f"still connecting to {connections.name_of(its)} at {connections.place_of(its)}")
    known.never_met = set()
    return [(WARNING, text) for text in told]


def _backlog_changes(known: StationFigures, shown: dict) -> list[tuple[str, str]]:
    told = []
    backlog = shown["backlog"]
    outlets = [(one["kind"], one.get("name"), one.get("durable")) for one in shown.get("outlets", ())]
    if outlets != known.backlog_of:  # what waited for one that is gone was not delivered
        known.backlog_of, known.highest_backlog = outlets, 0
    if not known.highest_backlog:
        known.before_backlog = {name: known.shown.get(name, shown.get(name, 0)) for name in _NOT_DELIVERED}
    if backlog > known.highest_backlog:
        known.highest_backlog = backlog
    elif backlog == 0 and known.highest_backlog:
        if known.highest_backlog > 5:
            told.append((GOOD, _backlog_is_gone(known, shown)))
        known.highest_backlog = 0
    open_ids = shown["recovery"]["open_ids"]
    if not _ready(shown):  # nobody is asked yet, and what is open may have become more by then
        return told
    if open_ids > known.open_ids:
        told.append((INFO, f"fetching up to {counted(open_ids, 'missed result')}"))
    elif open_ids == 0 and known.open_ids:
        told.append((GOOD, "no missed result is left in the controller"))
    known.open_ids = open_ids
    return told


def _backlog_is_gone(known: StationFigures, shown: dict) -> str:
    """Say what became of a backlog: what was set aside or dropped meanwhile was not delivered."""
    since = {name: shown.get(name, 0) - known.before_backlog.get(name, 0) for name in _NOT_DELIVERED}
    others = [f"{count} {words}" for name, words in _NOT_DELIVERED.items() if (count := since[name]) > 0]
    if not others:
        return f"backlog delivered (up to {known.highest_backlog})"
    others += ["the rest delivered"] * (sum(since.values()) < known.highest_backlog)
    return f"nothing waits any more, of a backlog of up to {known.highest_backlog}: {', '.join(others)}"


def _sorrow_changes(known: StationFigures, shown: dict) -> list[tuple[str, str]]:
    """Report what did not reach ToolsNet: at each start if there is any, and whenever it changes."""
    told = []
    counts = {need.slug + need.about: need.key for need in standing_conditions.counted(shown)}
    for need in standing_conditions.counted(shown):
        before = known.undelivered.get(need.slug + need.about, "0")
        if need.slug in standing_conditions.USUAL:
            told += [(INFO, need.text())] if before == "0" != need.key else []
        elif need.key != before:
            told.append((WARNING if need.key != "0" else GOOD, need.text()))
    known.undelivered = counts
    return told + _need_changes(known, shown)


def _need_changes(known: StationFigures, shown: dict) -> list[tuple[str, str]]:
    """Report the needs of a station; what only an order ended stands until it is known how it goes on."""
    found = attention.needs(shown)
    there, over, left = {need.slug for need in found}, dict(attention.OVER), {}
    for slug in attention.OVER_WHEN_PROVEN:
        if slug in there:
            known.at_need[slug] = attention.at_need(shown)
        elif slug in known.needs:
            over[slug] = attention.over_of(slug, shown, known.at_need[slug])
            if not over[slug]:
                left[slug] = known.needs[slug]
    told = _needs_told(known.needs, found, over)
    known.needs.update(left)
    return [(level, words) for level, words in told if words]


def _needs_told(
    known: dict[str, list[attention.Need]], found: list[attention.Need], over: dict
) -> list[tuple[str, str]]:
    """Report each need (toolcart.tools.messages.attention) when it comes up, when its key changes and when it is over.

    `known` has those of the last report by slug: several may have one, such as outlets that were added.
    """
    before = dict(known)
    known.clear()
    for need in found:
        known.setdefault(need.slug, []).append(need)
    keys = {slug: {need.key for need in needs} for slug, needs in before.items()}
    told = [(LEVELS[need.level], need.text()) for need in found if need.key not in keys.get(need.slug, ())]
    return told + [(GOOD, over[slug]) for slug in before if slug not in known]


def _new_entries(known: StationFigures, shown: dict) -> list[dict]:
    """Return the entries of the station's log that came since the last state."""
    new = min(shown["logged"] - known.logged, len(shown["log"]))
    return shown["log"][-new:] if new > 0 else []


def _log_changes(known: StationFigures, shown: dict) -> list[tuple[str, str]]:
    """Report the new entries of the station's log; what is said more than once is said with its count."""
    entries = [(one["name"], one["value"]) for one in _new_entries(known, shown) if one["name"] not in _TOLD_AS_STATE]
    known.logged = shown["logged"]
    stands = {"controller": known.was_ready, "outlet": known.takes_results}
    stands[transitions.DISK] = not shown.get("spool", {}).get("refused")
    counted: dict[str, Counter[int]] = {}
    for name, value in entries:
        counted.setdefault(name, Counter())[value] += 1
    told = []
    for name, values in counted.items():
        fresh = [value for value in values if known.news.is_new(name, value, stands)]
        for value in fresh[: EACH_MOST - 1] if len(fresh) > EACH_MOST else fresh:
            told.append(_entry(name, value, f" ({values[value]} times)" if values[value] > 1 else "", shown, known))
        if len(fresh) > EACH_MOST:
            more = sum(values[value] for value in fresh[EACH_MOST - 1 :]) - 1
            told.append(_entry(name, fresh[-1], f", and {more} more like it", shown, known))
    return told


def _entry(name: str, value: int, times: str, shown: dict, known: StationFigures) -> tuple[str, str]:
    is_harmless = name in _HARMLESS or log_entries.is_search(name, value)
    if name == "controller refusals" and value > 0 and value % 1000 == UNKNOWN_MID:
        is_harmless = known.was_ready  # it does without; else the reason why there is no session is said
    return INFO if is_harmless else WARNING, log_entries.explained(name, value, shown["number"]) + times
