"""What is owed, what of it is missing, and what may be missing for a while: rules 1 to 8 of docs/worlds.md."""

from __future__ import annotations

from tools.worlds.history import READABLE, Result, Said, StationHistory


def is_owed(result: Result, station: StationHistory) -> bool:
    """Rules 1, 3, 4 and 5."""
    if result.acks:
        return True
    return station.rules.recover and result.held and result.after_meeting


def missing(station: StationHistory) -> list[Result]:
    """Owed results without a row that counts (rule 7) before the last switch off and on, whatever may excuse them."""
    there = {row.number for row in station.rows if row.forgotten is None or row.vouched} - station.came_after
    return [r for r in station.results.values() if r.number not in there and is_owed(r, station)]


def is_kept(result: Result, said: Said) -> bool:
    """Whether the octets of this result stand among what the agent has set aside."""
    token = result.vin.encode()
    return any(token in payload for payload in said.kept_payloads)


def may_be_kept(result: Result) -> bool:
    """Rule 6: refused by its content or as if it were, or not readable."""
    return result.disliked or result.blamed or result.frame != READABLE


def refused_at_the_end(station: StationHistory) -> list[Result]:
    """Rule 6: refused ones behind which the server has taken nothing; who could say whether it refuses everything?

    Behind means offered later, or in the same millisecond and made later; what was fetched then may be behind what was
    pushed. Of what was not acknowledged any copy may be the one that is stored, for the agent may have had no room
    for the first one, or asked for it again as a witness.
    """
    there = {row.number for row in station.rows} - station.came_after
    stored = {(r.offered() or 0, r.number): r for r in station.results.values() if r.number in there}
    last = max(stored, default=(-1, 0))
    last_is_pushed = last in stored and last[0] in stored[last].pushes

    def is_behind(r: Result, moment: int) -> bool:
        at_once = last_is_pushed and moment == last[0] and moment not in r.pushes
        return at_once or (moment, r.number) > last

    unstored = [r for r in station.results.values() if r.number not in there and r.offered() is not None]
    candidates = [r for r in unstored if may_be_kept(r) and is_behind(r, r.last_offered())]
    places = [(moment, r.number) for r in candidates if r.disliked for moment in r.offers() if is_behind(r, moment)]
    first = min(places, default=None)
    tail = [r for r in candidates if first and (r.last_offered(), r.number) >= first and not is_kept(r, station.said)]
    tail.sort(key=lambda r: not is_owed(r, station))  # what is not owed needs no excuse
    return tail[: station.said.waiting]


def still_open(station: StationHistory) -> int:
    """How much the calm has still to wait for: what is missing and not excused, and what the agent says waits."""
    said = station.said
    refused = refused_at_the_end(station)
    gone = [r for r in missing(station) if r not in refused and not (may_be_kept(r) and is_kept(r, said))]
    excused = said.overwritten if station.rules.overwrite else 0
    return max(len(gone) - excused - said.kept_gone, 0) + said.waiting - len(refused)
