"""Turns the agent's status lines into what people ask for: rates, a curve of the backlog, and what has changed.

Rules:
1. Pure: takes lines and moments, returns texts; shared by the plain lines and the live view.
2. Rates come from numbers kept in the spool, between two states of one agent: a count that appears is no rate.
3. A connection that fails again and again is reported once when it is lost, and once when it is back; in between, each
   reason why it does not come up (toolcart.tools.messages.reasons) is reported once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from toolcart.board.linux.plurals import counted
from toolcart.tools.live.count_history import Curve
from toolcart.tools.live.history import StationFigures
from toolcart.tools.messages import (
    attention,
    connections,
    latched_conditions,
    log_entries,
    missed_results,
    outlet_names,
    spool_room,
    transitions,
    waiting_by_outlet,
)
from toolcart.tools.messages.counter_rows import HARMLESS, NOT_SHOWN, row_of
from toolcart.tools.messages.outlet_names import first_outlet, other_outlets
from toolcart.tools.messages.reasons import OUR_FLASH

CONNECTING_AFTER_S = 3.0  # a side that is up is reached at once; after this time it is worth a look
EACH_MOST = 4  # entries of one kind that each get a line, such as one for each MID
GROWS_S = 60.0  # a count that grows all the time is reported so often
UNKNOWN_MID = 99  # in MID 0004
FILLING_PERCENT = (50, 75, 90)  # of the spool: each is reported once
ROOM_AGAIN_PERCENT = 10  # this far below the first of these it may be reported again

# How results leave the backlog undelivered.
_NOT_DELIVERED = {
    "parked": "set aside",
    "dropped": "dropped",
    "overwritten": "overwritten at most before {name} had them",
}
_MISSED = "missed at most before {name} had them"  # of an outlet that is best effort

_SOME_GONE = "no more missed results are asked for: some count as gone"
_KEEPS = (
    "the spool keeps the {0} that it was made with: the present one, given or by default, has no effect; "
    "`toolcart spool take-over` moves it into one with another"
)

GOOD = "good"
INFO = "info"
WARNING = "warning"
BAD = "bad"
# In place of a connection's state: nothing is known of it.
NO_AGENT = "no agent"
NO_ANSWER = "no answer"
LEVELS = {attention.BAD: BAD, attention.WARN: WARNING, attention.NOTE: INFO}  # of needs

# Lines of the agent that have their own words.
_LINE_LEVELS = {"note": WARNING, "made": GOOD, "reload": INFO, "order": INFO}


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
        self.status_count = 0  # how many states have come: shows whether there is a new one
        self.curve = Curve()  # of the backlog of all stations
        self._faults = 0
        self._needs: dict[str, list[attention.Need]] = {}  # of the agent itself, by slug

    # -- queries -----------------------------------------------------------------------------------------------

    def station_statuses(self) -> list[dict]:
        """Return the newest state of every station."""
        return self.status.get("stations", [])

    def station_figures(self) -> list[StationFigures]:
        """Return the figures of the stations, in the order of the configuration."""
        return [self.stations[status["number"]] for status in self.station_statuses()]

    def has(self, name: str) -> bool:
        """True if any station tells this figure, or none tells anything yet."""
        mounted = [station for station in self.station_statuses() if station.get("mounted")]
        return not mounted or any(name in station for station in mounted)

    def knows_a_spool(self) -> bool:
        """True if the spool of any station is up: else nothing is known of what was stored, and of what waits."""
        return any(station.get("mounted") for station in self.station_statuses())

    def total(self, name: str) -> int:
        """Return this figure of all stations together: stored, backlog, parked (those set aside), delivered."""
        return sum(station.get(name, 0) for station in self.station_statuses())

    def undelivered(self) -> dict[str, int]:
        """Return how much waits no more without having been delivered, in each way, as the status has it.

        What was overwritten is that of all durable outlets together, what was missed that of all others.
        """
        return {name: self.total(name) for name in (*_NOT_DELIVERED, "missed")}

    def rates(self, of: str = "") -> tuple[float, float]:
        """Return the rates of all stations together, or of those that tell this figure."""
        rates = [figures.rates() for figures in self.stations.values() if not of or of in figures.status]
        return sum(rate[0] for rate in rates), sum(rate[1] for rate in rates)

    def all_connected(self) -> bool:
        """True if every station is connected to its controller, and its first outlet takes results."""
        statuses = self.station_statuses()
        return bool(statuses) and all(is_ready(station) and is_streaming(station) for station in statuses)

    # -- input -------------------------------------------------------------------------------------------------

    def feed(self, line: dict, at_s: float) -> list[Change]:
        """Take one line of the agent; return what in it is worth reporting."""
        kind = line.get("kind")
        if kind == "started":
            return self._started(line, at_s)
        if kind == "spool":
            self.spool_problems.append(line["text"])
            return _changes_of(at_s, BAD, f"spool: {line['text']}")
        if kind in _LINE_LEVELS:
            return _changes_of(at_s, _LINE_LEVELS[kind], line["text"])
        if kind == "failed":
            return _changes_of(at_s, BAD, f"agent: {line['text']}")
        if kind not in ("status", "stopped"):
            return []
        self.status = line
        self.status_count += 1
        changes: list[Change] = []
        for status in line["stations"]:
            figures = self.stations.setdefault(status["number"], StationFigures())
            changes += self._compare(figures, status, at_s, kind == "stopped")
            figures.keep(status, at_s)
        self.curve.add(self.total("backlog"), at_s)
        changes += self._scheduler_changes(line["scheduler"], at_s)
        changes += self._agent_changes(line.get("agent") or {}, at_s, kind == "stopped")
        return changes

    def ended(self) -> None:
        """Note that the agent has gone: none of its connections is up any more."""
        for figures in self.stations.values():
            figures.was_ready = figures.was_streaming = figures.takes_results = False
            figures.logged = 0
        self._take_back(NO_AGENT)

    def silent(self) -> None:
        """Note that the agent does not answer: what it has said of its connections, and rates, need not be so now."""
        self._take_back(NO_ANSWER)

    def _take_back(self, state: str) -> None:
        for figures in self.stations.values():
            figures.history.clear()
        for status in self.station_statuses():
            for connection in filter(None, (status.get("controller"), *status.get("outlets", ()))):
                connection.update(state=state, is_up=False)

    def _started(self, line: dict, at_s: float) -> list[Change]:
        self.ended()
        self._faults = 0
        self._needs = {}
        self.spool_problems = []
        for figures in self.stations.values():
            figures.begin()
        return [Change(at_s, INFO, f"agent started, process {line['pid']}")]

    def _compare(self, figures: StationFigures, status: dict, at_s: float, stopped: bool) -> list[Change]:
        name = f"station {status['number']}: " if len(self.status["stations"]) > 1 else ""
        reports: list[tuple[str, str]] = []
        if status["mounted"]:
            reports += _spool_changes(figures, status)
            reports += _connection_changes(figures, status, stopped)
            reports += _connecting_changes(figures, status, at_s)
            reports += _backlog_changes(figures, status)
            reports += _loss_changes(figures, status, at_s, stopped)
        entries = _log_changes(figures, status)
        if status["mounted"]:  # before that the log has only what the agent's spool lines say better
            reports += entries
        return [Change(at_s, level, name + text, status["number"]) for level, text in reports]

    def _agent_changes(self, agent: dict, at_s: float, stopped: bool) -> list[Change]:
        """Report the needs of the agent itself."""
        over = {} if stopped else {need.slug: attention.OVER_OF_AGENT[need.label] for need in self.needs()}
        reports = _report_needs(self._needs, attention.of_agent(agent), over)
        return [Change(at_s, level, text) for level, text in reports]

    def needs(self) -> list[attention.Need]:
        """Return the needs of the agent itself."""
        return [need for needs in self._needs.values() for need in needs]

    def _scheduler_changes(self, scheduler: dict, at_s: float) -> list[Change]:
        if scheduler["faults"] <= self._faults:
            return []
        self._faults = scheduler["faults"]
        return [Change(at_s, BAD, f"fault inside the agent: {scheduler['last_fault']}")]


def _changes_of(at_s: float, level: str, text: str) -> list[Change]:
    """Return a change for each line of a text: a change is shown as one line, in which a line's end is an escape."""
    return [Change(at_s, level, line.rstrip()) for line in text.split("\n") if line.strip()]


def is_ready(status: dict) -> bool:
    """True if the station's controller has a session."""
    return status.get("controller", {}).get("state") == "ready"


def is_streaming(status: dict) -> bool:
    """True if the station's first outlet takes records."""
    return connections.is_working(first_outlet(status))


def _spool_changes(figures: StationFigures, status: dict) -> list[tuple[str, str]]:
    if figures.spool_reported:
        return []
    figures.spool_reported = True
    spool = status["spool"]
    waiting = waiting_by_outlet.waiting_text([status], "waiting")
    text = f"spool of {spool['kib']} KiB: {counted(status['stored'], 'result')} stored so far, {waiting}"
    for kind in ("damaged", "torn"):
        if spool[kind]:
            text += f", {spool[kind]} {kind}"
    reports = [(INFO, text)]
    if status.get("parked_kib_ignored"):
        reports.append((WARNING, _KEEPS.format("parked_kib")))
    graphs = status.get("graphs", {})
    if graphs.get("kib_ignored") and (graphs["mounted"] or not graphs.get("asked")):  # else it is a need
        reports.append((WARNING, _KEEPS.format("graphs_kib")))
    return reports


def _connection_changes(figures: StationFigures, status: dict, stopped: bool) -> list[tuple[str, str]]:
    reports = []
    ready, takes_results = is_ready(status), _takes_results(figures, status)
    entries, outlet = _new_entries(figures, status), outlet_names.name_of(first_outlet(status))
    for side, is_up, was_up, up_text in (
        ("controller", ready, figures.was_ready, "controller ready"),
        ("outlet", takes_results, figures.takes_results, _up_text(figures, status, outlet)),
    ):
        name = outlet_names.name_of(connections.main_connections(status)[side])
        left = "" if stopped else transitions.left_suffix(side, status, entries)
        if is_up and not was_up:
            reports.append((GOOD, up_text))
        elif was_up and not is_up and left is not None:
            reports.append((INFO, f"{name} left in order{left}"))
        elif was_up and not is_up:
            suffix = figures.reported_reasons.loss_suffix(side, figures.status, status, entries)
            reports.append((WARNING, f"{name} lost{suffix}"))
    figures.was_ready, figures.was_streaming, figures.takes_results = ready, is_streaming(status), takes_results
    if not stopped:
        reports += [
            (LEVELS[level], text)
            for level, text in figures.reported_reasons.new_reasons(
                status, {"controller": ready, "outlet": takes_results}
            )
        ]
    reports += _room_changes(figures, status)
    return (
        reports if stopped else reports + _outlet_changes(figures, status)
    )  # they are closed, and a reason is an old one


def _up_text(figures: StationFigures, status: dict, outlet: str) -> str:
    """Say that the first outlet is up: a connection alone does not show that it takes anything."""
    if first_outlet(status).get("kind") not in ("toolsnet", "mqtt"):
        return f"{outlet} takes results"
    away = figures.delivered_away
    has_taken = away is not None and waiting_by_outlet.delivered_of(status) > away
    return f"{outlet} connected" + (", it takes results" if has_taken else "")


def _takes_results(figures: StationFigures, status: dict) -> bool:
    """True if the first outlet is up and has taken something since, if there was something to take."""
    delivered = waiting_by_outlet.delivered_of(status)
    if first_outlet(status).get("waits_for_flash"):
        return figures.takes_results  # the connection is as it was, and the disk has a need of its own
    if not (is_streaming(status) and connections.is_proven(first_outlet(status))):
        figures.delivered_away = delivered
        return False
    if figures.delivered_away is None:
        figures.delivered_away = delivered
    return figures.takes_results or not waiting_by_outlet.waits_for_first(status) or delivered > figures.delivered_away


def _outlet_changes(figures: StationFigures, status: dict) -> list[tuple[str, str]]:
    """Report each reason why an outlet beside the first cannot be used, once until it is up again."""
    reports = []
    for outlet in other_outlets(status):
        name = outlet.get("name", outlet["kind"])
        if outlet.get("waits_for_flash"):
            continue  # so says the disk's need
        need = attention.of_outlet(outlet)
        reported = figures.others.setdefault(name, set())
        if need is not None and need.key not in reported:
            reports.append((LEVELS[need.level], need.text()))
            reported.add(need.key)
        waited = figures.waited.get(name, 0)
        if not outlet["is_up"]:
            figures.waited[name] = outlet["waiting"]
        elif not connections.is_proven(outlet):
            continue  # it has not been sent anything
        elif reported and (not outlet["waiting"] or outlet["waiting"] < waited):  # it has taken something
            reports.append((GOOD, f"{outlet_names.name_and_place(outlet)} takes records again"))
            reported.clear()
    return reports


def _room_changes(figures: StationFigures, status: dict) -> list[tuple[str, str]]:
    """Warn of a filling spool long before it is full: the session ends then, which may lock the tool."""
    percent = spool_room.percent_full(status)
    level = max([mark for mark in FILLING_PERCENT if percent >= mark], default=0)
    if level > figures.filling_percent:
        figures.filling_percent = level
        if status.get("controller", {}).get("waits_for_room"):  # FULL says it
            return []
        waiting, name = waiting_by_outlet.waiting_for(status)
        return [(WARNING, f"the spool is {percent} % full: {waiting} results waiting for {name}")]
    if figures.filling_percent and percent < FILLING_PERCENT[0] - ROOM_AGAIN_PERCENT:
        figures.filling_percent = 0
        return [(GOOD, f"the spool is {percent} % full again")]
    return []


def _connecting_changes(figures: StationFigures, status: dict, at_s: float) -> list[tuple[str, str]]:
    """Report once which side has not been reached since the spool came up: a wrong address looks like that."""
    for side, was_up in (("controller", figures.was_ready), ("outlet", figures.was_streaming)):
        if was_up:
            figures.never_connected.discard(side)
    if figures.mounted_s is None:
        figures.mounted_s = at_s
    if at_s - figures.mounted_s < CONNECTING_AFTER_S:
        return []
    texts = []
    for side, connection in connections.main_connections(status).items():
        is_tried = connections.reason_of(connection).slug != OUR_FLASH and not connection.get("waits_for_room")
        if side in figures.never_connected and is_tried and not figures.reported_reasons.has_reported(side):
            texts.append(
                f"still connecting to {outlet_names.name_of(connection)} at {connections.place_of(connection)}"
            )
    figures.never_connected = set()
    return [(WARNING, text) for text in texts]


def _backlog_changes(figures: StationFigures, status: dict) -> list[tuple[str, str]]:
    reports = []
    backlog = status["backlog"]
    outlets = [(outlet["kind"], outlet.get("name"), outlet.get("durable")) for outlet in status.get("outlets", ())]
    before = figures.status or status
    if outlets != figures.backlog_outlets:  # what waited for one that is gone was not delivered
        figures.backlog_outlets, figures.highest_backlog = outlets, 0
        before = status
    if not figures.highest_backlog:
        figures.undelivered_before = _undelivered_to_each(before)
    if backlog:
        figures.highest_backlog = max(figures.highest_backlog, backlog)
    elif backlog == 0 and figures.highest_backlog:
        undelivered = sum(count for count in _undelivered_since(figures, status).values() if count > 0)
        if figures.highest_backlog + undelivered > 5:
            reports.append((GOOD, _backlog_outcome(figures, status)))
        figures.highest_backlog = 0
    open_ids, missed = status["recovery"]["open_ids"], missed_results.of_station(status)
    if not is_ready(status):  # nobody is asked yet
        return reports
    was_missing, figures.is_missing = figures.is_missing, missed is not None
    if missed and not missed.is_known:  # what is open may have become more by then
        return reports
    if missed and open_ids > figures.open_ids:
        reports.append((INFO, f"{missed.label}: {missed.words}"))
    elif not missed and was_missing:
        is_all_here = status["recovery"]["gone"] <= figures.gone_before
        words = "no missed result is left in the controller" if is_all_here else _SOME_GONE
        reports.append((GOOD, words))
    if not missed or not was_missing:
        figures.gone_before = status["recovery"]["gone"]
    figures.open_ids = open_ids
    return reports


def _backlog_outcome(figures: StationFigures, status: dict) -> str:
    """Say what became of a backlog: what was lost, set aside or dropped meanwhile was not delivered.

    How much was delivered is not known then: a server that was set back may lack what did not wait for it.
    """
    since = _undelivered_since(figures, status)
    undelivered = [f"{count} {became}" for became, count in since.items() if count > 0]
    if not undelivered:
        return f"backlog delivered (up to {figures.highest_backlog})"
    return f"nothing waits any more: meanwhile {', '.join(undelivered)}"


def _undelivered_to_each(status: dict) -> dict[str, int]:
    """Return how much was set aside, dropped, not readable, and how much each outlet lacks that the log gave up."""
    outlets = [outlet for _, outlet in outlet_names.outlets_of(status)]
    counts = {_OVERWRITTEN + outlet_names.name_of(outlet): outlet.get("given_up") or 0 for outlet in outlets}
    damaged = status.get("spool", {}).get("damaged") or 0
    return {"parked": status.get("parked", 0), "dropped": status.get("dropped", 0), "damaged": damaged, **counts}


_OVERWRITTEN = "overwritten "


def _undelivered_since(figures: StationFigures, status: dict) -> dict[str, int]:
    """Return how much has since the backlog began, by what became of it in words, of the outlet that lost most."""
    since = {name: now - figures.undelivered_before.get(name, 0) for name, now in _undelivered_to_each(status).items()}
    counts = {_NOT_DELIVERED[name]: since.pop(name) for name in ("parked", "dropped")}
    counts["at most could not be read"] = since.pop("damaged")
    if since:
        name = max(since, key=lambda name: since[name])
        outlet_name = name.removeprefix(_OVERWRITTEN)
        outlets = [outlet for _, outlet in outlet_names.outlets_of(status)]
        is_durable = any(one.get("durable", True) for one in outlets if outlet_names.name_of(one) == outlet_name)
        words = _NOT_DELIVERED["overwritten"] if is_durable else _MISSED
        counts[words.format(name=outlet_name)] = since[name]
    return counts


def _loss_changes(
    figures: StationFigures, status: dict, at_s: float = 0.0, stopped: bool = False
) -> list[tuple[str, str]]:
    """Report what did not reach ToolsNet: at each start if there is any, and whenever it changes.

    A count that goes on to grow is reported once a minute, its first change at once: a start itself may give up some.
    """
    reports = []
    counts = {need.slug + need.about: need.key for need in latched_conditions.count_needs(status)}
    for need in latched_conditions.count_needs(status):
        name = need.slug + need.about
        before = figures.undelivered.get(name, "0")
        if before != need.key != "0" != before and at_s - figures.losses_reported_s.get(name, -GROWS_S) < GROWS_S:
            counts[name] = before
            continue
        if need.key != before:
            figures.losses_reported_s[name] = at_s if before != "0" else -GROWS_S
        if need.slug in latched_conditions.USUAL:
            reports += [(INFO, need.text())] if before == "0" != need.key else []
        elif need.key != before:
            over = latched_conditions.OVER.get(need.slug, need.words)
            reports.append((WARNING, need.text()) if need.key != "0" else (GOOD, over))
    figures.undelivered = counts
    return reports + _need_changes(figures, status, stopped)


def _need_changes(figures: StationFigures, status: dict, stopped: bool = False) -> list[tuple[str, str]]:
    """Report the needs of a station; what is not known to have ended stays until it is: covered, or ended by an order.

    An agent that stops ends none: its last write may be taken where others are refused, and what it does not tell any
    more may be so all the same. The next one says it of its own.
    """
    needs = attention.needs(status)
    slugs, over, unproven = {need.slug for need in needs}, attention.ends(status), {}
    for slug in attention.OVER_WHEN_PROVEN:
        if slug in slugs:
            figures.progress_at_need[slug] = attention.progress_at_need(status)
        elif slug in figures.needs:
            over[slug] = attention.end_of_need(slug, status, figures.progress_at_need[slug])
            if not over[slug]:
                unproven[slug] = figures.needs[slug]
    for slug in attention.unknown_ends(status) & set(figures.needs) - slugs:
        over[slug], unproven[slug] = "", figures.needs[slug]
    reports = _brief_event_doubts(figures, status) if "events" not in slugs | set(figures.needs) else []
    figures.event_doubts = _event_doubts(status)
    reports += _report_needs(figures.needs, needs, {} if stopped else over)
    figures.needs.update(unproven)
    return [(level, text) for level, text in reports if text]


def _event_doubts(status: dict) -> int:
    return sum(outlet.get("events_doubts") or 0 for outlet in status.get("outlets", ()))


def _brief_event_doubts(figures: StationFigures, status: dict) -> list[tuple[str, str]]:
    """Report the latest doubt about events that was over before a state told it: what is lacking is sent again soon."""
    if _event_doubts(status) in (0, figures.event_doubts):
        return []
    latest = [words for outlet in status["outlets"] if (words := outlet.get("events_doubt_latest"))]
    return [
        *((WARNING, outlet_names.with_name(words, status)) for words in latest),
        (GOOD, attention.ends(status)["events"]),
    ]


def _report_needs(
    reported: dict[str, list[attention.Need]], current_needs: list[attention.Need], over: dict
) -> list[tuple[str, str]]:
    """Report each need (toolcart.tools.messages.attention) when it comes up, when its key changes and when it is over.

    `over` has what to say then, by slug: nothing of one that is not in it.
    `reported` has those of the last report by slug: several may have one, such as outlets that were added.
    """
    before = dict(reported)
    reported.clear()
    for need in current_needs:
        reported.setdefault(need.slug, []).append(need)
    keys = {slug: {need.key for need in needs} for slug, needs in before.items()}
    reports = [(LEVELS[need.level], need.text()) for need in current_needs if need.key not in keys.get(need.slug, ())]
    return reports + [(GOOD, over[slug]) for slug in before if slug not in reported and slug in over]


def _new_entries(figures: StationFigures, status: dict) -> list[dict]:
    """Return the entries of the station's log that came since the last state."""
    new = min(status["logged"] - figures.logged, len(status["log"]))
    return status["log"][-new:] if new > 0 else []


def _log_changes(figures: StationFigures, status: dict) -> list[tuple[str, str]]:
    """Report the new entries of the station's log; what is said more than once is said with its count."""
    entries = [
        (entry["name"], entry["value"])
        for entry in _new_entries(figures, status)
        if row_of(entry["name"]).level != NOT_SHOWN and not (entry["name"] == "other host" and _is_pims_own(status))
    ]
    figures.logged = status["logged"]
    up = {"controller": figures.was_ready, "outlet": figures.takes_results}
    up[transitions.DISK] = not status.get("spool", {}).get("refused")
    counts: dict[str, Counter[int]] = {}
    for name, value in entries:
        counts.setdefault(name, Counter())[value] += 1
    reports = []
    for name, values in counts.items():
        fresh = [value for value in values if figures.reported_reasons.is_new_entry(name, value, up)]
        for value in fresh[: EACH_MOST - 1] if len(fresh) > EACH_MOST else fresh:
            reports.append(_entry_report(name, value, f" ({values[value]} times)" if values[value] > 1 else "", status))
        if len(fresh) > EACH_MOST:
            more = sum(values[value] for value in fresh[EACH_MOST - 1 :]) - 1
            reports.append(_entry_report(name, fresh[-1], f", and {more} more like it", status))
    return reports


def _entry_report(name: str, value: int, times: str, status: dict) -> tuple[str, str]:
    # It does without an unknown MID; where it cannot, the reason why there is no session is said.
    is_unknown = name == "controller refusals" and value > 0 and value % 1000 == UNKNOWN_MID
    is_harmless = is_unknown or row_of(name).level == HARMLESS or log_entries.is_search(name, value)
    server = next((_named(outlet) for outlet in status.get("outlets", ()) if _named(outlet)), "")
    text = log_entries.explain(name, value, status["number"], server, outlet_names.toolsnet_name(status))
    return INFO if is_harmless else WARNING, text + times


def _is_pims_own(status: dict) -> bool:
    """True if the server that the PIM names has the address that the PIM's own name was found to be."""
    return any(
        outlet.get("address") and _named(outlet).rpartition(":")[0] == outlet["address"]
        for outlet in status.get("outlets", ())
    )


def _named(outlet: dict) -> str:
    """Return the server that the last 08 named; an older agent says the one that failed, if one did."""
    return outlet.get("server_named") or outlet.get("server", "")
