"""An operator has delivered results sent to ToolsNet again: all from one on, as after its database was emptied.

    offer-again from 1200            from the log's number 1200 on
    offer-again since 2026-03-01 06:00:00   from the first result that was made then or later
    ... dry                          only say how many
    offer-again leave                leave what ToolsNet lacks of those it had (data_loss.py)

Rules
1. `carry_out` is a generator like that of toolcart.agent.quarantine.orders. The place is found first, a few records a
   step; then one snapshot moves ToolsNet's cursor back, with the connection closed.
2. They go out in order, with new sequences, after what ToolsNet names at the next connection, and before what waits:
   what it still has of them it gets twice. What the quarantine holds stays there.
   So is what is on its way when the order comes: it may be stored all the same, and goes out again. The answer says
   how many that may be.
3. What an operator dropped is sent again with the others, if it lies there: nothing tells it from what was
   delivered. The answer says how many that may be.
4. What is sent again is not lacking any more, in the same snapshot. What the spool has no more, or what lies before
   the order's first, or cannot be read, stays in doubt until it is sent again or left.
5. A quarter of the log stays free for new results, as with an outlet that was added (toolcart.agent.cart.storage, rule
   5).
"""

from toolcart.agent.log.cursor import WANTS_ALL, WANTS_RESULTS, Cursor
from toolcart.agent.log.framing import RECORD_NONE
from toolcart.agent.log.refound_damage import waits_at_most
from toolcart.agent.log.snapshot_fields import DOUBT_LACKS, DOUBT_TO, DROPPED, QUARANTINE_LAST
from toolcart.agent.quarantine.orders import OrderRefused, wait_for_line, why_none
from toolcart.agent.record.result import HEAD_BYTES
from toolcart.agent.record.text import time_of

CPYTHON_ONLY = True
ORDER = "offer-again"
DRY = "dry"
LEAVE = "leave"
STEP = 32  # records that are looked at before the other tasks have their turn
REPORT_EACH = 2048  # a sign of life for a client that waits

_USE = (
    "no such order; there are: offer-again from N, offer-again since YYYY-MM-DD hh:mm:ss, both with `dry` behind, "
    "offer-again leave"
)
_NOT_DONE = (
    "nothing was done: the flash takes nothing now, or it is not known yet what became of one from the quarantine; "
)
_UNREADABLE = "the log cannot be read now; nothing was done. Try again"
_NO_ROOM = (
    "the spool has no room for that: it keeps what is sent again until ToolsNet has it, and a quarter has to stay "
    "free for new results. There is room %s. `toolcart spool export` has the older ones"
)


def of_station(station, board, words):
    """Return a generator of the answer's lines for a running station."""
    wrong = why_none(station)
    if wrong:
        return iter([{"error": wrong}])
    outlet = station.toolsnet()

    def act(number, count, doubted, unread):
        return outlet.offer_again(number, count, doubted, board.now(), unread)

    return carry_out(outlet.policy, station.number, station.flash_window, words, act)


def carry_out(policy, station, quiet, words, act=None):
    """Yield the lines of the answer to the order `words`; `act` gives it to a running outlet (policy.offer_again)."""
    is_dry = words[-1] == DRY
    try:
        if words[1:] == [LEAVE]:
            yield from _leave(policy, station, quiet, act is not None)
            return
        number, since = _wanted(words[1:-1] if is_dry else words[1:])
        if policy.log.doubtful:  # the last record that the start found is not read yet
            yield from wait_for_line(quiet)
            if not policy.log.settle():
                raise OrderRefused("the flash takes nothing now; nothing was done. Try again")
        found = yield from _range(policy, station, number, since)
        if not is_dry:
            unread = (
                (yield from _unread(policy.log, found["from"], found["last"])) if policy.numbers[DOUBT_LACKS] else 0
            )
            yield from wait_for_line(quiet)
            last = found.pop("last")
            count = found["count"] + max(0, policy.cursor.number - last)  # taken since they were counted
            found["count"] = count
            found["out"] = max(0, min(policy.in_flight.may_have, policy.log.number) - policy.cursor.number)
            if not (act or policy.offer_again)(found["from"], count, found["doubted"], unread):
                raise OrderRefused(_NOT_DONE + ("try again" if act else "start the agent and give the order to it"))
        found.pop("last", None)
        lacks = policy.numbers[DOUBT_LACKS]
        yield {**found, "lacks": lacks, "station": station, "done": not is_dry, "running": act is not None}
    except OrderRefused as refused:
        yield {"error": str(refused)}


def _leave(policy, station, quiet, is_running):
    from toolcart.agent.outlets.toolsnet.data_loss import leave

    lacks = policy.numbers[DOUBT_LACKS]
    if not lacks:
        raise OrderRefused("nothing to leave: no result of station %d is in doubt" % station)
    yield from wait_for_line(quiet)
    if not leave(policy):
        raise OrderRefused("nothing was done: the flash takes nothing now; try again")
    policy.resume_point.unknown = None  # what an 08 named goes with what that put in doubt
    yield {"left": lacks, "station": station, "done": True, "running": is_running}


def _wanted(rest):
    """Return (number, "") or (0, time) of an order."""
    if rest[:1] == ["from"] and len(rest) == 2 and rest[1].isdigit() and int(rest[1]):
        return int(rest[1]), ""
    if rest[:1] == ["since"] and len(rest) == 3:
        return 0, " ".join(rest[1:])
    raise OrderRefused(_USE)


def _range(policy, station, from_number, since):
    """Return from which result on, its time, and how many; Refused if there are none, or no room."""
    log, last = policy.log, policy.cursor.number
    low = min(last, log.blocks.floor(), log.lowest())  # from the next one on there is room
    kept = yield from _kept(policy.lookahead.quarantine)
    oldest = first = fits = None  # (number, time) of results
    count = count_fitting = doubted = dropped = looked = 0
    numbers = policy.numbers
    refused_to = numbers[QUARANTINE_LAST] if numbers[DROPPED] else 0
    scout = Cursor()
    scout.wants = WANTS_RESULTS
    log.seek(scout, 0)
    kind = log.peek(scout)
    while kind > RECORD_NONE and scout.found <= last:
        number, time = scout.found, time_of(log.page, log.at + HEAD_BYTES) or ""
        oldest = oldest or (number, time)
        if first is None and (time >= since if since else number >= from_number):
            first = number, time
        if first is not None and number not in kept:
            count += 1
            doubted += number <= numbers[DOUBT_TO]
            dropped += number <= refused_to
            if number > low:
                fits = fits or (number, time)
                count_fitting += 1
        scout.advance()
        looked += 1
        if looked % STEP == 0:
            yield {"looked": looked} if looked % REPORT_EACH == 0 else None
        kind = log.peek(scout)
    if kind < RECORD_NONE:
        raise OrderRefused(_UNREADABLE)
    if oldest is None:
        raise OrderRefused("the spool of station %d has no result that ToolsNet has taken" % station)
    if first is None:
        raise OrderRefused("nothing to offer again: no result from there on has been delivered or set aside yet")
    number, time = first
    if number <= low:
        room = "from number %d on (%s), that is %d results" % (*fits, count_fitting) if fits else "for none of these"
        raise OrderRefused(_NO_ROOM % room)
    found = {"from": number, "time": time, "count": count, "doubted": doubted, "last": last}
    found["dropped"] = min(dropped, numbers[DROPPED])  # of these, at most
    found["waiting"] = waits_at_most(log, policy.cursor)
    if number == oldest[0]:
        found["oldest"] = number  # there may have been older ones
    return found


def _unread(log, first, last):
    """Return how many numbers from `first` on, up to `last`, hold nothing that can be read."""
    scout = Cursor()
    scout.wants = WANTS_ALL
    log.seek(scout, first - 1)
    there = 0
    kind = log.peek(scout)
    while kind > RECORD_NONE and scout.found <= last:
        there += 1
        scout.advance()
        if there % STEP == 0:
            yield {"looked": there} if there % REPORT_EACH == 0 else None
        kind = log.peek(scout)
    if kind < RECORD_NONE:
        raise OrderRefused(_UNREADABLE)
    return last - first + 1 - there


def _kept(quarantine):
    """Return the numbers that the quarantine holds; its room bounds them."""
    kept = set()
    kind = quarantine.next_listed(0)
    while kind > RECORD_NONE:
        kept.add(quarantine.number)
        entry = quarantine.entry
        yield None
        kind = quarantine.next_listed(entry)
    if kind < RECORD_NONE:
        raise OrderRefused("the quarantine cannot be read now; nothing was done. Try again")
    return kept
