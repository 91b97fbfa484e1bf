"""How many results of a controller may be missing, as reports say it.

Imported where a report is asked for.
"""

from toolcart.agent.openprotocol.ids import COUNT_MOST, is_ahead, is_open, length_of


def missing_most(ledger, spindles=1, duplicates=None):
    """Return how many results may be missing, as a bound: also what was skipped by pushes that are not proven, or
    lies in front of a newest that shows a new count.

    `spindles`: so many may have one under each ID, or more where `duplicates`, the log, shows that. What was skipped
    may be what is missing above `top`.
    """
    count = ledger.count_held()
    above = 0
    top = ledger.top()
    for place, (first, last) in enumerate(ledger.ranges):
        length = (length_of(1, last) or 1) if is_open(first, last) else length_of(first, last)
        if place >= ledger.ended_ranges and top >= 0 and is_ahead(first, top):
            above += length
        else:
            count += length
    count += max(above, ledger.skipped)
    each = 1 if ledger.push_ids_differ() else ledger.results_each()
    if count and spindles > 1 and duplicates is not None:
        from toolcart.agent.openprotocol.spindle_results import SpindleResults  # hardly any controller has several

        each = SpindleResults(duplicates, ledger).each
    return min(count * max(spindles, each), COUNT_MOST)
