"""The judge of worlds that change their configuration: what each outlet must have had, by its name.

Rules
1. Had is what its place ever had. What it must have had and has not is counted, by a full log (`overwritten`), by a
   best-effort outlet (`missed`), or told by the start that left it out; a record that cannot be read is counted once,
   but for one where a block is gone: of what a cut left half written in front of it, a record may read well since.
   What no outlet had had is not left out, but for what was given up before.
2. `overwritten` and `missed` are called bounds, and are: an outlet lacks no more. Where nothing but a cut leaves
   results in doubt (`is_exact`), `overwritten` is what ToolsNet lacks.
3. What a place has forgotten and the log still has is there again at the end, but for as many as starts left out.
4. Once: another record of the same result is counted as stored again; the same record comes twice only where the place
   had forgotten it, or an operator ordered it. Where a block was lost, nobody knows which of what is damaged had gone
   out: ToolsNet may get as many again.
5. In order: by the numbers of the log, and what was acknowledged before another was made comes before it. What an
   operator orders again, also of what was left out, begins anew.
6. At the end nothing waits, and a result is still taken; no count is below 0; what was said and still holds is said.
"""

from __future__ import annotations

from lab.worlds import history
from lab.worlds.history import Ledger, OutletHistory, Result, Verdict

SHOWN = 6


def judge_ledger(ledger: Ledger, results: dict[int, Result], verdict: Verdict) -> None:
    """Apply every rule about outlets that come and go."""
    verdict.owed += sum(len(outlet.owed) for outlet in ledger.outlets)
    _judge_missing(ledger, verdict)
    for outlet in ledger.outlets:
        _judge_repeats(outlet, ledger, verdict)
        _judge_order(outlet, results, verdict)
        # A start that was cut has counted what it left out, though nobody asked it.
        if len(outlet.lacks) > max(ledger.left_out, ledger.missed):
            verdict.add(
                history.LOST, 1, f"{_name(outlet)} forgot, the log has: {_shown(outlet.lacks)}", len(outlet.lacks)
            )
    if ledger.waits:
        verdict.add(history.STUCK, 1, f"at the end there wait: {ledger.waits}")
    if not ledger.is_taken:
        verdict.add(history.STUCK, 1, "at the end no result is taken")
    for words in (ledger.negative, ledger.unsaid):
        if words:
            verdict.add(history.UNTRUTHFUL, 1, words[0], len(words))


def _judge_missing(ledger: Ledger, verdict: Verdict) -> None:
    missing = {id(outlet): outlet.owed - outlet.had for outlet in ledger.outlets}
    damaged = ledger.damaged + 1 if ledger.damaged and ledger.is_block_gone else ledger.damaged
    unread = sum(min(len(lost), damaged) for lost in missing.values())
    lost = sum(len(lost) for lost in missing.values())
    counted = ledger.overwritten + ledger.missed
    given_up = counted + ledger.gone_with_places
    verdict.excused[history.OVERWRITTEN] += min(lost, given_up)
    if lost - unread > given_up + ledger.left_out:
        detail = "; ".join(f"{_name(one)}: {_shown(missing[id(one)])}" for one in ledger.outlets if missing[id(one)])
        counts = f"{ledger.overwritten} overwritten, {ledger.missed} missed, {ledger.left_out} left out"
        verdict.add(
            history.LOST, 1, f"passed in silence ({counts}): {detail}", lost - unread - given_up - ledger.left_out
        )
    if len(ledger.nobody_had) > max(0, counted - ledger.left_out) + ledger.damaged:
        detail = f"left out, and no outlet had had it: {_shown(ledger.nobody_had)}"
        verdict.add(history.LOST, 1, detail, len(ledger.nobody_had))
    server = [outlet for outlet in ledger.outlets if outlet.kind == "toolsnet"]
    least = sum(len(missing[id(outlet)]) for outlet in server)
    unsure = sum(len(ledger.unsure - outlet.had) for outlet in server)
    if ledger.is_exact and ledger.overwritten > least + unsure:
        detail = f"says {ledger.overwritten} overwritten; ToolsNet lacks {least}, and perhaps {unsure} more"
        verdict.add(history.UNTRUTHFUL, 1, detail, ledger.overwritten - least - unsure)


def _judge_repeats(outlet: OutletHistory, ledger: Ledger, verdict: Verdict) -> None:
    times = sum(outlet.repeats.values())
    twice = len(outlet.places) - len(set(outlet.places))
    most = ledger.stored_again + (ledger.damaged if outlet.kind == "toolsnet" else 0)
    if times > most or twice:
        text = f"{_name(outlet)} has twice, {ledger.stored_again} stored again: {_shown(set(outlet.repeats))}"
        verdict.add(history.DOUBLED, 1, text, max(times - most, twice))


def _judge_order(outlet: OutletHistory, results: dict[int, Result], verdict: Verdict) -> None:
    back = [f"{b} behind {a}" for a, b in zip(outlet.places, outlet.places[1:], strict=False) if b < a]
    for span in outlet.spans:
        made = [results[number] for number in span if number in results]
        made = [one for one in made if not (one.tried or one.again)]
        least: float = float("inf")  # the earliest acknowledgement of all that came later
        for one in reversed(made):
            if least < (one.offered() or 0):
                back.append(f"{one.number} before what was acknowledged at {least} ms")
            least = min(least, *one.acks[:1] or [least])
    if back:
        verdict.add(history.OUT_OF_ORDER, 1, f"{_name(outlet)}: {back[0]}", len(back))


def _name(outlet: OutletHistory) -> str:
    return outlet.name if outlet.name == outlet.kind else f"{outlet.kind} {outlet.name}"


def _shown(numbers: set[int]) -> str:
    found = sorted(numbers)
    return ", ".join(map(str, found[:SHOWN])) + (f", .. ({len(found)})" if len(found) > SHOWN else "")
