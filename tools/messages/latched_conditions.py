"""What stays reported once it has happened, as a latched alarm does: results that did not get through, doubts.

Rules
1. As in toolcart.tools.messages.attention, whose Needs these are: one place for status, live view, doctor, web page,
   log and /metrics.
2. None of what is made here is urgent: a count is a NOTE, and the log warns when it changes; a doubt is a WARN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from toolcart.board.linux.plurals import agreeing, counted
from toolcart.tools.messages import attention, commands, outlet_names
from toolcart.tools.messages.attention import NOTE, WARN, Need
from toolcart.tools.messages.counter_rows import ROWS
from toolcart.tools.messages.log_entries import explain

_LARGER = "a larger spool.size_kib holds more"
# What is counted: the word at the beginning of the line, what it is a number of, and what helps.
_COUNTED = {
    "gone": (
        "GONE",
        "results may be gone: the controller no longer has their tightening IDs, or was not asked for them",
        "`{gaps}` lists {them}",
    ),
    **{name: row.latched for name, row in ROWS.items() if row.latched},
    "damaged": (
        "DAMAGED",
        "records of the spool at most could not be read: no outlet gets what it did not have of that",
        "is the disk or card sound?",
    ),
    "again": (
        "AGAIN",
        "results may be stored twice: a first copy was overwritten or unreadable, differs in its tightening ID or "
        "another field, or may be one of several results of one second",
        "",
    ),
    "overwritten": (
        "OVERWRITTEN",
        "results at most overwritten before {toolsnet} had them, because the spool was full, "
        "or left out when it was added to it",
        _LARGER,
    ),
    "set aside": (
        "SET ASIDE",
        "results set aside: refused by ToolsNet, in doubt or unreadable",
        "`{quarantine}` shows them",
    ),
    "unreadable": (
        "UNREADABLE",
        "results at most of those that are set aside cannot be read",
        "`{check}` tells more; is the disk or card sound? What cannot be read leaves with others that were set "
        "aside, or by an order to drop all, and counts as damaged then",
    ),
    "dropped": (
        "DROPPED",
        "results dropped from the quarantine by an operator: ToolsNet gets them only where an order or `rewind` "
        "sends them again",
        "",
    ),
    "receipts above": (
        "RECEIPTS",
        "receipts of MQTT since the start named more than was sent: none confirms anything, and all that the spool has "
        "is sent again, unless one that is right comes first",
        "does another cart have this topic, or the consumer another database?",
    ),
    "receipts below": (
        "RECEIPTS",
        "receipts of MQTT since the start went back: a consumer was restored",
        "it gets what the spool still has",
    ),
    "events missed": (
        "MISSED",
        "events at most that {toolsnet} lacks: results needed their room in the spool, or {toolsnet} refused them, "
        "gave no answer to them or lost them",
        _LARGER,
    ),
    "given again": (
        "GIVEN AGAIN",
        "records given again since the start to a file, server or consumer that had lost them, or seemed to",
        "was it restored from an old copy, or exchanged?",
    ),
}
OVER = {  # of what can become none again
    "set aside": "no result is set aside any more",
    "unreadable": "no result that is set aside is unreadable any more: what has left unread counts as damaged",
}
_OF_OUTLETS = ("receipts above", "receipts below", "events missed", "given again")
LABELS = {slug: label for slug, (label, _, _) in _COUNTED.items()} | {"missed": "MISSED"}
USUAL = {name for name, row in ROWS.items() if row.is_usual}  # at some controllers: reported once


def all_needs(station: dict) -> list[Need]:
    """Return everything there is to say about a station: its needs, the worst first, then counts, then doubts."""
    if not station.get("mounted"):
        return []
    counts = [need for need in count_needs(station) if need.key != "0"]
    return [*attention.needs(station), *attention.unusable_connections(station), *counts, *doubts(station)]


def count_needs(station: dict) -> list[Need]:
    """Return what did not get through; `key` is how many, even if 0."""
    recovery = station.get("recovery", {})
    counts = {
        **station.get("counters", {}),
        "gone": recovery.get("gone"),
        "damaged": station.get("spool", {}).get("damaged"),
        "again": recovery.get("stored_again_at_most"),
        "overwritten": _overwritten_for_toolsnet(station),
        "set aside": station.get("parked"),
        "unreadable": station.get("parked_unreadable"),
        "dropped": station.get("dropped"),
    }
    for slug in _OF_OUTLETS:
        counts[slug] = sum(outlet.get(slug.replace(" ", "_"), 0) for outlet in station.get("outlets", ()))
    toolsnet = outlet_names.toolsnet_name(station)
    is_listed = recovery.get("gone_latest", True)  # the newest records have some of them
    placeholders = {
        "gaps": commands.gaps(station),
        "them": "them" if is_listed else "those of which the spool still has a record",
        "quarantine": commands.quarantine(station),
        "check": commands.check(station),
    }
    needs = []
    for slug, (label, words, hint) in _COUNTED.items():
        count = counts.get(slug) or 0
        noun_phrase = (words if count != 1 else _of_one(words)).format(toolsnet=toolsnet)
        if slug == "overwritten" and not _has_toolsnet(station):
            noun_phrase += "; what the spool gives up without that outlet counts when it is configured again"
        needs.append(Need(slug, NOTE, label, f"{count} {noun_phrase}", hint.format(**placeholders), str(count)))
        if slug == "overwritten":
            needs += _given_up(station)
    return needs


def _of_one(words: str) -> str:
    """Return words of several, which begin with the noun, as they are of one."""
    words = words.replace("s ", " ", 1).replace("their tightening IDs", "its tightening ID")
    return words.replace(" their ", " its ").replace(" them", " it")


def _has_toolsnet(station: dict) -> bool:
    return any(outlet["kind"] == "toolsnet" for outlet in station.get("outlets", ()))


def _others(station: dict, durable: bool) -> list[dict]:
    """Return the outlets beside ToolsNet that are durable, or those that are not."""
    outlets = [outlet for outlet in station.get("outlets", ()) if outlet["kind"] != "toolsnet"]
    return [outlet for outlet in outlets if outlet.get("durable", True) == durable]


def overwritten_by_outlet(stations: Iterable[dict]) -> dict[str, int]:
    """Return how many results at most each durable outlet of these stations lacks that were given up, by its name."""
    counts: Counter[str] = Counter()
    for station in stations:
        if _has_toolsnet(station):
            counts[outlet_names.toolsnet_name(station)] += max(_overwritten_for_toolsnet(station), 0)
        for outlet in _others(station, True):
            counts[outlet_names.name_of(outlet)] += outlet.get("given_up") or 0
    return dict(counts)


def missed_by_outlet(stations: Iterable[dict]) -> dict[str, int]:
    """Return how many records at most each best-effort outlet of these stations lacks that were given up, by its name.

    Those of outlets that are not configured any more are under one name.
    """
    counts: Counter[str] = Counter()
    for station in stations:
        for outlet in _others(station, False):
            counts[outlet_names.name_of(outlet)] += outlet.get("given_up") or 0
        counts[f"{outlet_names.toolsnet_name(station)} (events)"] += _missed_events(station)
        counts["outlets that are not configured any more"] += max(_missed_by_gone(station), 0)
    return dict(counts)


def _missed_by_gone(station: dict) -> int:
    """Return what was given up before outlets had it that are not configured any more, but for ToolsNet."""
    named = sum(outlet.get("given_up") or 0 for outlet in _others(station, False)) + _missed_events(station)
    return (station.get("missed") or 0) - named


def _missed_events(station: dict) -> int:
    """Return how many events ToolsNet lacks at most."""
    return sum(outlet.get("events_missed") or 0 for outlet in station.get("outlets", ()))


def _overwritten_for_toolsnet(station: dict) -> int:
    """Return what was given up before ToolsNet had it, also where it is not configured any more."""
    return (station.get("overwritten") or 0) - sum(outlet.get("given_up") or 0 for outlet in _others(station, True))


def _given_up(station: dict) -> list[Need]:
    """Return what the spool gave up before other outlets than ToolsNet had it, by their names; `key` is how many."""
    unnamed = _missed_by_gone(station)
    needs = []
    for outlet in station.get("outlets", ()):
        if outlet["kind"] == "toolsnet":
            continue
        count, name = outlet.get("given_up") or 0, outlet_names.name_of(outlet)
        # One number for all causes, and what it is now need not be what it was then.
        words = f"{counted(count, 'record')} at most given up before {name} had {'it' if count == 1 else 'them'}: "
        words += f"the spool was full, or {name} was added to it, or was best effort and behind, or had lost them, or "
        words += (
            f"had other records under {'its number' if count == 1 else 'their numbers'}, or the spool's state was lost"
        )
        if not count:  # they came after all, or it has shown what it has since the state was lost
            words = f"no record is known any more that was given up before {name} had it"
        slug, label = ("overwritten", "OVERWRITTEN") if outlet.get("durable", True) else ("missed", "MISSED")
        needs.append(Need(slug, NOTE, label, words, _LARGER, str(count), name))
    words = (
        f"{counted(unnamed, 'record')} at most {agreeing(unnamed, 'was')} given up before outlets that are not "
        f"configured any more had {'it' if unnamed == 1 else 'them'}, up to their removal: what was since counts when "
        "they are configured again, or lose their place"
    )
    return [*needs, Need("missed", NOTE, "MISSED", words, "", str(max(unnamed, 0)), "gone")]


def doubts(station: dict) -> list[Need]:
    """Return where ToolsNet names a result that it should not have; what it lacks, and its events, are needs."""
    name = "resume unknown"
    doubts = [
        (name, explain(name, outlet["unknown_sequence"], station["number"], toolsnet=outlet_names.name_of(outlet)))
        for outlet in station.get("outlets", ())
        if outlet.get("unknown_sequence") is not None
    ]
    perhaps = sum(outlet.get("perhaps_there") or 0 for outlet in station.get("outlets", ()))
    if doubts and perhaps:
        results = counted(perhaps, "result")
        words = f"up to {results} that waited at such answers since the start may reach ToolsNet twice"
        doubts = [(name, f"{doubts[0][1]}: {words}")]
    return [Need(slug, WARN, "DOUBT", words) for slug, words in doubts]
