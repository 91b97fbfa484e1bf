"""Each ID is by the same step above the last one: what is missing is asked for by that step.

Rules
1. The step is that of the last _RESULTS_LEAST results of the log below what is missing, pushed or fetched. Where ranges
   became one, what came between them is of it too: where fewer are below, those that follow next make them up. Once as
   many IDs in a row are gone as begin a walk down, the next ID of the step is asked for, and the ones behind it, until
   _GONE_MOST of these in a row are gone too.
2. What lies between is gone without a question (WHY_SKIPPED).

Imported where so many in a row are gone.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import all_digits
from toolcart.agent.openprotocol.gap_fill import WHY_SKIPPED
from toolcart.agent.openprotocol.ids import ahead_by, id_of, is_ahead, moved, preceding
from toolcart.agent.openprotocol.stored_contents import count_lacking
from toolcart.agent.record.result import ID_BYTES, TIGHTENING_ID

_RESULTS_LEAST = const(3)
_RESULTS_READ = const(64)
_GONE_MOST = const(8)


def skip_to_next(recovery, last):
    """Close what lies in front of the next ID of the step, of a range up to `last`; False if there is none."""
    gap_fill = recovery.gap_fill
    most = recovery.ownership.gone_most
    if gap_fill.gone_run >= most + _GONE_MOST:
        return False
    known = _known_near(recovery, gap_fill.at)
    if len(known) < _RESULTS_LEAST or recovery.may_push_ids_differ():
        return False
    step = known[2] - known[1]
    by = known[2] % step
    if step != known[1] - known[0] or step <= most or by > ahead_by(last, gap_fill.at):
        return False
    number = moved(gap_fill.at, by)
    gone_run = gap_fill.gone_run
    if by:
        gap_fill.jump(number, count_lacking(recovery, gap_fill.at, preceding(number)), WHY_SKIPPED)
    gap_fill.gone_run = gone_run
    return True


def _known_near(recovery, number):
    """Return by how much the last results below this ID, and those that make them up, are ahead of it, ascending."""
    known = set()
    since = max(recovery.duplicates.next_record() - _RESULTS_READ, 1)
    for page, at, _ in recovery.duplicates.results(since):
        if all_digits(page, at + TIGHTENING_ID, ID_BYTES):
            one = id_of(page, at + TIGHTENING_ID)
            known.add(-ahead_by(number, one) if is_ahead(number, one) else ahead_by(one, number))
    begin = max(len([one for one in known if one < 0]) - _RESULTS_LEAST, 0)
    return sorted(known)[begin : begin + _RESULTS_LEAST]
