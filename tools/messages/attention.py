"""What needs attention at a station, in words, most urgent first: made from its status.

Rules
1. These words are here only: `toolcart status`, the live view, the plain lines, `toolcart doctor` and the web page show
   them; /metrics has the same slugs.
2. A Need exists while what it says is true, and no longer; a count that only grows, and no one has to act on now,
   belongs to toolcart.tools.messages.latched_conditions.
3. `key` stays the same while only a figure changes that does so all the time, so that the same thing is not said every
   second; what happens again, now and then, has its figure in the key and is said again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from toolcart.agent.cart.status import REFUSED_NAMES
from toolcart.agent.log.flash import REFUSED_NO_ROOM
from toolcart.agent.record.result import QUARANTINED_UNREADABLE
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux.plurals import agreeing, counted
from toolcart.tools.messages import board_advice, commands, connections, outlet_names, reasons, waiting_by_outlet
from toolcart.tools.messages.durations import next_try

BAD = "bad"  # something that should happen does not
WARN = "warn"  # it still works, but not for long unless someone acts
NOTE = "note"  # no action is needed

# What to say when it is over, by slug, where ToolsNet has no name of its own (`ends`).
OVER = {
    "disk": "the spool can be read and written again",
    "disk full": "the spool's file system has room again",
    "orders": "orders can be given again",
    "full": "the spool has room again",
    "refused": "ToolsNet takes results again",
    "operator": "the quarantine has room again",
    "late": "no refused result is being offered again now",
    "waits late": "no result that was set aside is left to offer again",
    "state": "the flash can be written again",
    "corrected": "no number had to be put right since this start",
    "lost there": "nothing that ToolsNet had is in doubt any more",
    "sent again": "nothing is left to be sent again",
    "events": "what ToolsNet holds of the events is in doubt no more",
    "events twice": "no event may reach ToolsNet twice of those that waited since this start",
    "fetching": "missed results are asked for again",
    "overruns": "the line was opened again and has lost nothing since",
    "curves": "there is room for curves, or no controller is asked for them",
}
OVER |= dict.fromkeys(("added", "removed", "given up", "guessed"), "the outlets are those of the last start")
OVER_OF_AGENT = {  # by label
    "CHANGED": "the configuration is again what the agent was started with",
    "RELOAD": "nothing refuses a reload any more",
}

# An order ends these for a moment, and nothing is known then: see `end_of_need`.
OVER_WHEN_PROVEN = ("refused", "operator")
NOTHING_HELD = {
    "refused": "nothing that ToolsNet refused is waiting any more",
    "operator": "nothing waits for an operator any more",
}

COVERED_BY = {  # what is not told beside a bad need of these: while that is there, it says more, or nothing is known
    "disk full": ("disk",),
    "full": ("disk", "state"),
}

_BACK = "it is back: start the agent again now, and what the controller kept is fetched"

STATE_WORN, STATE_LAST = 1, 2  # toolcart.agent.log.snapshot


@dataclass(frozen=True)
class Need:
    """`slug` is the short word for machines, `label` the word at the beginning of the line."""

    slug: str
    level: str
    label: str
    words: str
    hint: str = ""
    key: str = ""
    about: str = ""  # which of several of its kind: an outlet's name

    def text(self) -> str:
        """Return words and hint in one line."""
        return f"{self.words}; {self.hint}" if self.hint else self.words


def needs(station: dict) -> list[Need]:
    """Return what a station whose spool is up needs now, without connections, counts and doubts (`all_needs`).

    None if its spool is not up (see `spool_problem`).
    """
    if not station.get("mounted"):
        return []
    kinds = (
        _disk,
        _no_orders,
        _full,
        _refused,
        _operator,
        _lost_there,
        _events,
        _state,
        _fetching,
        _reoffered,
        _overruns,
        _no_curves,
        _added,
        _removed,
        _guessed,
    )
    order = (BAD, WARN, NOTE)
    found = [need for kind in kinds for need in kind(station)]
    covered = _covered(found)
    return sorted((need for need in found if need.slug not in covered), key=lambda need: order.index(need.level))


def _covered(found: list[Need]) -> set[str]:
    """Return the slugs that one of these needs covers."""
    bad = {need.slug for need in found if need.level == BAD}
    return {slug for slug, others in COVERED_BY.items() if bad.intersection(others)}


def unknown_ends(station: dict) -> set[str]:
    """Return the slugs of needs that may be there all the same where `needs` has none: that they end is not known."""
    slugs, controller = _covered(needs(station)), station.get("controller", {})
    if controller.get("waits_for_room") or not connections.is_working(controller):
        slugs.add("fetching")  # no controller is asked
    return slugs


def progress_at_need(station: dict) -> tuple[int, int]:
    """Return how much was delivered and is set aside while a need is there, for `end_of_need`."""
    return waiting_by_outlet.delivered_of(station), station.get("parked", 0)


def ends(station: dict) -> dict[str, str]:
    """Return what to say of a station when a need is over, by slug."""
    return {slug: outlet_names.with_name(words, station) for slug, words in OVER.items()}


def end_of_need(slug: str, station: dict, before: tuple[int, int]) -> str:
    """Say how a need of OVER_WHEN_PROVEN ended, "" while that is not known; `before` is the progress during it.

    ToolsNet takes results again once it has taken one and works, the quarantine has room again once it has less in it.
    """
    delivered, parked = progress_at_need(station)
    if slug == "operator" and parked < before[1]:
        return ends(station)[slug]
    outlet = outlet_names.first_outlet(station)
    if outlet.get("refused") is not None:  # perhaps only one of the quarantine, at an order
        return ""
    if delivered > before[0] and slug == "refused":
        return ends(station)[slug] if connections.is_working(outlet) else ""  # an 08 alone may have said so
    if delivered <= before[0] and waiting_by_outlet.waits_for_first(station):
        return ""
    return outlet_names.with_name(NOTHING_HELD[slug], station)


def level_of(connection: dict) -> str:
    """Return how bad it is that this side does not work, "" if it does.

    BAD: it is there and refuses, or cannot be used from here. One that is away, or only on its way, is a WARN.
    """
    if connections.is_working(connection):
        return ""
    return BAD if reasons.is_refusal(connections.reason_of(connection)) else WARN


def unusable_connections(station: dict) -> list[Need]:
    """Return which sides cannot be used, and why."""
    others = [need for outlet in outlet_names.other_outlets(station) if (need := of_outlet(outlet)) is not None]
    return [*unusable_main_connections(station), *others]


def unusable_main_connections(station: dict) -> list[Need]:
    """Return which of the controller and the first outlet cannot be used; that one is not reached, its state says."""
    needs = []
    for slug, connection in connections.main_connections(station).items():
        if connection and level_of(connection) == BAD:
            reason = connections.reason_of(connection)
            name = outlet_names.name_of(connection)
            words = f"{name} cannot be used: {reason.words}"
            needs.append(Need(slug, BAD, name.upper(), words, reason.hint, connections.kind_of_reason(connection)))
    return needs


def of_outlet(outlet: dict) -> Need | None:
    """Return why this outlet cannot be used; None if it can."""
    reason = None if connections.is_working(outlet) else connections.reason_of(outlet)
    if not reason:
        return None
    words = f"{outlet_names.name_and_place(outlet)} cannot be used: {reason.words}"
    label = outlet["kind"].upper()
    return Need("outlet", level_of(outlet), label, words, reason.hint, connections.kind_of_reason(outlet))


def of_agent(agent: dict) -> list[Need]:
    """Return the needs of the agent itself: its configuration is no longer what it was started with, or a reload of it
    was refused.

    That is BAD where a reload would be refused now: perhaps for something else than what was changed.
    """
    configuration = agent.get("configuration") or {}
    changed, mistake = configuration.get("changed"), configuration.get("wrong")
    goes_on = "the agent goes on with what it has read"
    hint = commands.reload(agent)
    refusals = configuration.get("refusals", 0)  # in the key, so that each reload that is refused gets its answer
    if not changed:  # what the files name is not as it was
        if not (mistake and configuration.get("refused")):
            return []
        words = f"a reload was refused, and {goes_on}: {mistake}"
        hint = f"put that right first; then {hint}"
        return [Need("configuration", BAD, "RELOAD", words, hint, f"{words} {refusals}")]
    words = f"{' and '.join(changed)} changed since the start: {goes_on}"
    if mistake:
        words += f"; a reload {'was' if configuration['refused'] else 'would be'} refused: {mistake}"
        hint = f"correct it: `{commands.check_configuration(configuration)}` says what is wrong"
    return [Need("configuration", BAD if mistake else WARN, "CHANGED", words, hint, f"{words} {refusals}")]


def spool_problem(station: dict) -> str:
    """Say why the spool of a station that is not mounted cannot be used."""
    if station.get("starting"):
        return "the spool is not up yet: the agent is starting"
    reason = station.get("spool_problem") or station.get("spool_refused") or "it cannot be used now"
    return f"the spool is not up: {reason}"


def bad_needs(station: dict) -> list[Need]:
    """Return the needs that mean that something does not work."""
    return [need for need in needs(station) if need.level == BAD]


def no_session_reason(station: dict) -> str:
    """Say why the agent itself has ended the controller's session, or begins none; "" if nothing keeps it from one."""
    slugs = ("full", "state", "disk") if _takes_no_write(station) else ("full", "state")
    blocking = [need for need in bad_needs(station) if need.slug in slugs]
    return f"the running agent has no session while nothing can be stored: {blocking[0].words}" if blocking else ""


def is_for_anybody(status: dict) -> bool:
    """True if something of the agent itself, or of a station of it, does not work until somebody sees to it."""
    own = any(need.level == BAD for need in of_agent(status.get("agent") or {}))
    return own or any(map(is_for_somebody, status["stations"]))


def is_for_somebody(station: dict) -> bool:
    """True if something does not work until somebody sees to it.

    A side that is only not reached is none: carts move, and plants are switched off.
    """
    if not station.get("mounted"):
        return not station.get("starting")
    return bool(bad_needs(station)) or any(need.level == BAD for need in unusable_connections(station))


def _disk(station: dict) -> Iterator[Need]:
    """Say why the spool cannot be written or read now."""
    spool = station.get("spool", {})
    slug, refused_words = spool.get("refused"), spool.get("refused_words", "")
    if spool.get("disk_is_full"):
        yield full_disk(spool["path"])
    if slug:
        refusal = REFUSED_NAMES.split(",").index(slug)
        waits = any(outlet.get("waits_for_flash") for outlet in station.get("outlets", ()))
        consequence = "no result can be stored, the controller keeps them"
        if "reading" in refused_words:
            consequence = "a part of the spool cannot be read"
        consequence += ", and what waits is not delivered" if waits else ""
        words = f"{consequence}: {linux_refusal.meaning(refusal)}{f' ({refused_words})' if refused_words else ''}"
        if station.get("port"):
            hint = board_advice.of_flash(refusal)
        else:
            hint = linux_refusal.advice(refusal, spool.get("path", ""), pid=spool.get("pid"))
        hint = _BACK if spool.get("is_back") else hint
        key = f"{slug}{'back' * bool(spool.get('is_back'))}{'waits' * waits}"
        yield Need("disk", BAD, "DISK", words, hint, key)


def full_disk(path: str, refusal: int = REFUSED_NO_ROOM) -> Need:
    """Say what it means that nothing new has room beside this spool, which is there."""
    words = linux_refusal.meaning(refusal).replace("its file", "the spool's file")
    words += ": the spool was given its room when it was made and goes on; what "
    words += f"outlets and orders write in {os.path.dirname(path) or '.'} has none"
    return Need("disk full", WARN, "DISK FULL", words, linux_refusal.advice(refusal, path))


def _no_orders(station: dict) -> Iterator[Need]:
    """Say that what an order to the running agent needs beside the spool cannot be made."""
    problem = station.get("no_orders")
    if problem:
        words = f"no orders can be given while the agent runs: {problem}; no result needs that"
        yield Need("orders", WARN, "NO ORDERS", words, "a stopped agent's spool takes them", problem)


def _full(station: dict) -> Iterator[Need]:
    if station.get("controller", {}).get("waits_for_room"):
        hint = f"{_outlets_holding_spool(station)} to take some, or the spool has to be larger (spool.size_kib)"
        yield Need("full", BAD, "FULL", "the spool is full: the controller keeps its results", hint)


def _outlets_holding_spool(station: dict) -> str:
    """Return which outlets keep the spool full: the durable ones for which most is waiting, with their verb."""
    name = waiting_by_outlet.waiting_for(station)[1]
    return f"{name} {'have' if ' and ' in name else 'has'}"


def _refused(station: dict) -> Iterator[Need]:
    for outlet in station.get("outlets", ()):
        refused = outlet.get("refused")
        if refused is not None and not (_is_unread(refused) and station.get("needs_operator")):  # `_operator` says it
            is_up = connections.is_working(outlet)
            if outlet["refused"]["doing"] == "late" and (not is_up or outlet.get("waits_for_flash")):
                continue  # nothing is offered now; those that wait for that are a need of their own
            yield _refused_before(outlet, station) or _refusal(outlet, station, is_up, outlet.get("next_try_ms", 0))


def _is_unread(refused: dict) -> bool:
    """True if ToolsNet refuses nothing: what holds the others cannot be read, and has no room in the quarantine."""
    return refused["doing"] == "hold" and refused.get("code") == QUARANTINED_UNREADABLE


def _refused_before(outlet: dict, station: dict) -> Need | None:
    """Say what ToolsNet did not take when it was last reached; None if it is there, or only ended a connection.

    That it cannot be reached comes first, and has words of its own. Only a quarantine without room is more than that.
    """
    refused, is_gone = outlet["refused"], outlet.get("why_in") not in (None, "", "streaming")
    phase, code = refused["doing"], refused.get("code", 0)
    if connections.is_working(outlet) or outlet.get("state") == "streaming" or not is_gone or phase in ("late", "hold"):
        return None
    what = "everything that was offered" if _is_all(refused) else f"result {refused.get('number', 0)}"
    words = outlet_names.name_of(outlet) + (f" refused {what} (code {code})" if code else f" left {what} unanswered")
    words += " when it was last there"
    if outlet.get("waits_for_flash"):
        words += f": {_NOT_SENT}"
    elif not _takes_no_write(station):  # else how much of it goes out then depends on what was saved before
        words += "; what waits is offered again as soon as it is back"
    words += f", {waiting_by_outlet.outlet_text(outlet)}"
    return Need("refused", WARN, "REFUSED", words, key=f"{phase} {code}")


def _is_all(refused: dict) -> bool:
    """True if nothing at all of what was offered was taken."""
    return refused["doing"] not in ("hold", "pass") and (refused["doing"] == "trouble" or bool(refused.get("trouble")))


def _refusal(outlet: dict, station: dict, is_up: bool, connects_ms: int) -> Need:
    """Say what ToolsNet does not take, what is done about it, and what is waiting behind it."""
    refused = outlet["refused"]
    phase, code, name = refused["doing"], refused.get("code", 0), outlet_names.name_of(outlet)
    is_all = _is_all(refused)
    everything = "everything that it is offered now"
    if code:
        refusal_text = f"refuses {everything} (code {code})" if is_all else f"refuses (code {code})"
    elif phase == "pass":
        refusal_text = "does not answer"  # the number of the result follows
    else:
        refusal_text = f"leaves {everything if is_all else 'a result'} unanswered"
    waiting = waiting_by_outlet.outlet_text(outlet)
    # Nothing is offered without a connection; while one is being made nobody knows when.
    again = next_try(max(refused.get("next_try_ms", 0), 0 if is_up else connects_ms))
    if is_up and not again:
        again = "it is offered again now"
    if phase == "late":
        words = f"{name} is offered a result again that was set aside: {refused.get('number', 0)}"
        return Need("late", NOTE, "LATE", words, key="late")
    hint, continuation = "", f", {again}" if again else ""
    waits_for_flash = outlet.get("waits_for_flash")
    if phase == "hold":
        continuation = f" and the quarantine has no room: nothing else is sent{continuation}"
        waiting += _set_aside(station)
        hint = f"needs an operator: {_operator_command(station)}"
    elif phase == "pass":
        followers = "those behind it are offered" + ("" if is_up else " when it is there again")
        continuation = f" result {refused.get('number', 0)}: {_NOT_SENT if waits_for_flash else followers}"
    elif is_all:
        hint = f"look into {name}: is its database there, and this station known to it?"
        if refused.get("tried_all"):
            hint += f" Only where it refuses these alone: {_operator_command(station)}"
    if phase not in ("hold", "pass") and waits_for_flash:
        continuation = f": {_NOT_SENT}"
    words = f"{name} {refusal_text}{continuation}, {waiting}"
    return Need("refused", BAD, "REFUSED", words, hint, f"{phase} {code}")


_NOT_SENT = "nothing is sent while the flash or disk refuses"


def _takes_no_write(station: dict) -> bool:
    spool = station.get("spool", {})
    return bool(spool.get("refused")) and "reading" not in spool.get("refused_words", "")


def _operator(station: dict) -> Iterator[Need]:
    need = station.get("needs_operator")
    if need:
        hint = _operator_command(station)
        words = f"needs an operator: {need['why']}{'' if _keeps_order(station) else _set_aside(station)}"
        yield Need("operator", BAD, "OPERATOR", words, hint, need["why"])


def _operator_command(station: dict) -> str:
    """Return the command that an operator begins with: nothing is to be listed where that would make no room."""
    if station.get("parked") == 0 or _keeps_order(station):
        return f"`{commands.drop_first(station)}` gives up the refused one for good"
    return f"`{commands.quarantine(station)}`"


def _keeps_order(station: dict) -> bool:
    """True if what is refused holds the others by a setting, and not for want of room."""
    return any(outlet.get("needs_operator") and outlet.get("keeps_order") for outlet in station.get("outlets", ()))


def _set_aside(station: dict) -> str:
    """Return how many records the quarantine keeps, for the end of a sentence."""
    count = station.get("parked")
    return f"; {counted(count, 'record')} set aside, none is dropped without an order" if count else ""


def _lost_there(station: dict) -> Iterator[Need]:
    """Say that ToolsNet lacks results that it had, and what to do, and that some are being sent again."""
    for outlet in station.get("outlets", ()):
        lacks, left = outlet.get("lost_there"), outlet.get("sent_again")
        if lacks:
            yield lost_there(lacks, station, outlet.get("lost_there_kept", 0), outlet_names.name_of(outlet))
        if left:
            done, since = outlet.get("sent_again_done", 0), outlet.get("sent_again_since", "start")
            yield sent_again(left, f", {done} are done since {_SINCE[since]}", outlet_names.name_of(outlet))


def _events(station: dict) -> Iterator[Need]:
    """Say that ToolsNet's own account of the events is not what it should be."""
    for outlet in station.get("outlets", ()):
        doubt, perhaps = outlet.get("events_doubt"), outlet.get("events_perhaps_there")
        if doubt:
            words = outlet_names.with_name(doubt, station)
            yield Need("events", WARN, "DOUBT", words, key=doubt)  # its figures are of one 08, and do not grow
        if perhaps:
            name = outlet_names.name_of(outlet)
            words = f"up to {counted(perhaps, 'event')} that waited since the start when {name} named one that this "
            words += "spool never sent, as far as it knows, may reach it twice"
            yield Need("events twice", WARN, "DOUBT", words, key=str(perhaps))


_SINCE = {"order": "this began", "start": "the start"}


def sent_again(left: int, done: str = "", name: str = "ToolsNet") -> Need:
    """Say that up to so many results are still to be sent again."""
    words = f"results are sent to {name} again: up to {left} {agreeing(left, 'is')} still to go{done}"
    return Need("sent again", NOTE, "SENT AGAIN", words, key="again")


def lost_there(lacks: int, station: dict, kept: int, name: str = "ToolsNet") -> Need:
    """Say that ToolsNet lacks up to so many results that it had; the spool still has `kept` of them at most."""
    words = f"{name} lacks up to {counted(lacks, 'result')} that it had: was its database emptied or restored, is it "
    words += "another one, or was the spool's state lost?"
    if station.get("port"):
        return Need("lost there", BAD, "DOUBT", words, board_advice.of_loss(station), f"{lacks} board")
    leave = f"`{commands.offer_again(station)} --leave` leaves them, or says that all are there"
    if kept:
        hint = f"`{commands.offer_again(station)} --since TIME` sends again what the spool still has of them, at most "
        hint += f"{kept}; {leave}"
    else:
        hint = f"the spool has none of them any more; {leave}"
    return Need("lost there", BAD, "DOUBT", words, hint, f"{lacks} {kept > 0}")


def _state(station: dict) -> Iterator[Need]:
    spool = station.get("spool", {})
    alarm = spool.get("state_alarm", 0)
    waits_for = waiting_by_outlet.backlog_for(station)
    hint = f"let {waits_for} take what is waiting, then give the station a spool on another flash or disk"
    if alarm == STATE_LAST:
        words = "the flash is worn out: nothing can be saved, no result is taken, what is waiting is still delivered"
        yield Need("state", BAD, "WORN OUT", words, hint)
    elif spool.get("state_lost"):
        repeated = station.get("repeated_at_most") or 0
        words = "what the spool remembered beside its results was lost: of what it still has up to "
        words += f"{counted(repeated, 'record')} may reach an outlet twice, and so may results that it lost and the "
        words += "controller gives again; of the rest nobody knows what an outlet had: how many it may lack is said of "
        words += "each that is configured, and stays; one that is put back later counts as new"
        hint = f"look at the flash or disk: `{commands.check(station)}`"
        yield Need("state", WARN, "STATE LOST", words, hint, "lost")
    elif spool.get("state_older"):
        repeated = station.get("repeated_at_most") or 0
        words = "what the spool remembered last beside its results cannot be read, after damage or a power cut as it "
        words += "was saved: counts, and how far each outlet was, may be of before that. Up to "
        words += f"{counted(repeated, 'record')} may reach an outlet twice, and so may results that the controller "
        words += "gives again; what an outlet had not had by then, and the spool has no more, counts as given up"
        hint = f"look at the flash or disk: `{commands.check(station)}`"
        yield Need("state", WARN, "STATE OLDER", words, hint, "older")
    elif alarm == STATE_WORN:
        yield Need("state", WARN, "WORN", "the flash wears out: two of four blocks of the state are left", hint)
    corrected = spool.get("state_corrected", 0)
    if corrected:
        words = f"a number that no spool can hold was put right {corrected} times since the start: a fault of toolcart"
        yield Need("corrected", WARN, "CORRECTED", words, "please report it, with the log", str(corrected))


def _fetching(station: dict) -> Iterator[Need]:
    """Say why results made while the agent is not listening cannot be fetched from the controller."""
    if station.get("recovery", {}).get("needs"):
        words = "results that are made while the agent is not listening cannot be fetched from this controller"
        hint = (
            "its MID 0065 does not show that a result is of this station; if it has none of others, set "
            'controller.tightening_ids to "own"'
        )
        yield Need("fetching", BAD, "NOT FETCHED", words, hint)
    off = station.get("recovery", {}).get("off")
    if off and not (off == "no room" and station.get("controller", {}).get("waits_for_room")):  # FULL says that
        yield Need("fetching", NOTE, "NOT FETCHED", _NOT_FETCHED[off], key=off)


_NOT_FETCHED = {
    "setting": "controller.recover is false: what the controller makes while the agent is not listening is neither "
    "fetched nor counted",
    "controller": "the last questions about stored results brought none from this controller: what it makes while the "
    "agent is not listening is counted as soon as its IDs show it, and not fetched before it answers",
    "pause": "connections ended with questions about stored results, or these brought none: what is missing is asked "
    "for again within the hour",
    "answers": "what this controller answers about stored results does not match what it is asked, or cannot be told "
    "from other results: nothing is fetched, and what it makes while the agent is not listening is counted as soon as "
    "its IDs show it",
    "in vain": "the last questions about stored results brought no usable answer from this controller: nothing is "
    "fetched before one does",
    "no room": "what was missed stays in the controller while the spool has no room for it: nothing is overwritten for "
    "that",
    "later": "this controller puts off each question about stored results: what it made while the agent was not "
    "listening is missing until it answers, and is asked for again within the hour",
    "no ID": "what this controller answers about stored results cannot be used: it is asked again behind a result that "
    "it pushes with an ID, and nothing is fetched before that shows more",
}


def _added(station: dict) -> Iterator[Need]:
    """Say which outlets the last start did not have."""
    for outlet in station.get("outlets", ()):
        left_out, lacks, name = outlet.get("left_out"), outlet.get("lacks"), outlet_names.name_of(outlet)
        if left_out is not None:
            words = f"{name} was added with this start, and began with the oldest record that the spool had"
            if outlet.get("is_back"):
                words = f"{name} is configured again, and went on where it was, as far as the spool had that"
            words += f", but for at most {left_out} of the oldest: new results need room" if left_out else ""
            words += "; older ones were given up before" if lacks else ""
            if left_out or lacks:  # the only count of them is that of all it lacks
                words += f"; {'OVERWRITTEN' if outlet.get('durable', True) else 'MISSED'} has these, too"
            yield Need("added", NOTE, "ADDED", words, key=words)


def _removed(station: dict) -> Iterator[Need]:
    """Say which outlets the last start had, if they have not taken everything, and which have lost their place."""
    kinds = {outlet.get("name"): outlet["kind"] for outlet in station.get("outlets", ())}
    for removed in station.get("removed", ()):
        other_kind = _other_kind(removed, kinds)
        it, parts = f"the one of kind {removed['kind']}" if other_kind else "it", []
        if removed["waiting"]:
            words = f"at most {counted(removed['waiting'], _noun(removed))} that {it} has not taken "
            words += f"{agreeing(removed['waiting'], 'makes')} room for new ones"
            parts.append(f"{words}, a block at a time")
        if removed.get("lost_there"):
            words = f"{it} lacks up to {counted(removed['lost_there'], 'result')} that it had"
            parts.append(f"{words}, which is said again once it is configured under the same name")
        level, words, hint = WARN if parts else NOTE, "; ".join(parts), ""
        if other_kind:
            words = f"{other_kind}; {words}" if words else other_kind
        elif parts:
            words = f"{_removed_name(removed)} was removed with this start: {words}"
            hint = "configured again soon, under the same name and of the same kind, it continues where it was"
        if words:
            words += _of_events(removed)
            yield Need("removed", level, "REMOVED", words, hint, words)
    for removed in station.get("given_up", ()):
        waiting, lacks, overwritten = (removed.get(name) or 0 for name in ("waiting", "lost_there", "overwritten"))
        parts = []
        if waiting:
            words = f"at most {counted(waiting, _noun(removed))} that it had not taken"
            parts.append(f"{words} {agreeing(waiting, 'is')} not kept for it")
        if overwritten:
            words = f"at most {counted(overwritten, 'result')} {agreeing(overwritten, 'was')} overwritten before it had"
            parts.append(f"{words} {'it' if overwritten == 1 else 'them'}")
        if lacks:
            parts.append(f"it lacks up to {counted(lacks, 'result')} that it had")
        other_kind = _other_kind(removed, kinds)
        words = f"{_removed_name(removed)} is not configured any more and"
        if other_kind:
            words = f"{other_kind}; the one of kind {removed['kind']}"
        words += f" has lost its place to a new one: {'; '.join(parts) or f'it had passed all {_noun(removed)}s'}"
        words += _of_events(removed)
        yield Need("given up", WARN if parts else NOTE, "GIVEN UP", words, key=words)


def _noun(gone: dict) -> str:
    """Return what `waiting` of an outlet that is gone counts, at most: behind a result of ToolsNet events as well."""
    return "result" if gone["kind"] == "toolsnet" else "record"


def _of_events(gone: dict) -> str:
    """Return what is to be said of a ToolsNet that is gone: how far its events are tells nothing if it wants none."""
    return "; whether events waited for it is not known" if gone["kind"] == "toolsnet" else ""


def _other_kind(gone: dict, kinds: dict) -> str:
    """Say that one of another kind has the name of an outlet that is gone; "" unless this start has made it so."""
    name, kind = gone.get("name"), gone["kind"]
    if not (name and gone.get("was_there", True)) or kinds.get(name, kind) == kind:
        return ""
    words = f"{name} was of kind {kind} before this start and is of kind {kinds[name]} now"
    return f"{words}: that is another outlet with a place of its own"


def _removed_name(outlet: dict) -> str:
    """Return what an outlet that is gone was called; a spool does not have its name, and none may know it."""
    if outlet.get("name", outlet["kind"]):
        return outlet_names.name_of(outlet)
    return f"an outlet of the kind {outlet['kind']} whose name is not known now"


def _guessed(station: dict) -> Iterator[Need]:
    """Say that a spool of a version without names was taken over."""
    if station.get("places_guessed"):
        words = (
            "the spool is of a version whose outlets had no names: each outlet goes on where the one of its kind was"
        )
        words += ", in the order of the list" if len(station.get("outlets", ())) > 1 else ""
        yield Need("guessed", NOTE, "NAMES", words, key=words)


def _overruns(station: dict) -> Iterator[Need]:
    count = station.get("controller", {}).get("line", {}).get("overruns", 0)
    if count > 0:
        words = f"bytes from the controller were lost {count} times, since they came faster than they were taken"
        hint = "set controller.flow where the cable has RTS and CTS"
        yield Need("overruns", WARN, "OVERRUNS", words, hint, "overruns")


def _no_curves(station: dict) -> Iterator[Need]:
    """Say that curves are configured and can never come: an existing spool does not make room for them."""
    graphs = station.get("graphs") or {}
    if graphs.get("asked") and not graphs["mounted"]:
        words = "no curve will ever come: the spool was made without room for curves, and keeps that whatever "
        words += "spool.graphs_kib says now"
        hint = "with the agent stopped, `toolcart spool take-over` moves it into one with that room (--graphs-kib)"
        yield Need("curves", WARN, "NO CURVES", words, hint, "curves")


def _reoffered(station: dict) -> Iterator[Need]:
    waiting = sum(outlet.get("late") or 0 for outlet in station.get("outlets", ()))
    if waiting:
        name = outlet_names.toolsnet_name(station)
        words = f"{waiting} set aside will be offered to {name} again while it takes others"
        yield Need("waits late", NOTE, "LATE", words, key="waits")
