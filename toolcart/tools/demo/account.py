"""The demo's reconciliation: compares what the controller made with what the archive holds: was the promise kept?

Rules:
1. Lost is what was acknowledged and is nowhere: not in the archive, not waiting in the spool, not set aside.
2. Doubled is what the archive holds twice under different sequence numbers: a repeat that ToolsNet could not recognise.
"""

from __future__ import annotations

import shlex

from toolcart.sim.serve import Archived

_ROWS = (
    ("produced by the controller", "produced"),
    ("acknowledged to the controller", "acknowledged"),
    ("in ToolsNet's archive", "delivered"),
    ("sent to ToolsNet again, stored once", "repeated"),
    ("stored by ToolsNet twice", "doubled"),
    ("lost", "lost"),
    ("out of order", "out_of_order"),
)


def lost(books: dict, waiting: int, parked: int) -> int:
    """Return how many acknowledged results are nowhere, according to SimulatedPlant.account."""
    missing = max(books.get("overtaken", 0), books.get("lost", 0) - waiting)
    return max(0, missing - parked)


def doubled(archive: Archived, first_id: int) -> int:
    """Return how many results from `first_id` on the archive holds more than once."""
    query = "SELECT COUNT(*) - COUNT(DISTINCT TighteningId) FROM Result WHERE TighteningId >= ?"
    return archive.query(query, (first_id,))[0][0]


def is_wrong(told: dict) -> bool:
    """True if a reconciliation is not perfect."""
    return _is_broken(told) or told["produced"] != told["delivered"]


def lines(told: dict, kept_in: str, archive: str = "") -> list[str]:
    """Return the reconciliation for people; `kept_in` names the folder if it is kept, `archive` the file in it."""
    faults = [_counted(told["kills"], "hard kill"), _counted(told["toolsnet_outages"], "ToolsNet outage")]
    faults += [_counted(told["controller_outages"], "controller outage"), f"{told['seconds']} s"]
    figures = [f"  {name:<38}{told[key]:>8}" for name, key in _ROWS]
    if told.get("archive_kills"):
        figures.append(f"  {_counted(told['archive_kills'], 'hard kill')} of the archive")
    kept = [f"  Spool and archive are kept in {kept_in}"] if kept_in else []
    if kept and archive:
        kept += [f"  Query it: toolcart archive query --all --database {shlex.quote(archive)}"]
    return [*figures, "  " + ", ".join(faults), f"  {_verdict(told)}", *kept]


def _is_broken(told: dict) -> bool:
    return bool(told["lost"] or told["out_of_order"] or told["doubled"])


def _verdict(told: dict) -> str:
    if not told["produced"]:
        return "No result was made: controller, agent and ToolsNet never worked together."
    if not is_wrong(told):
        return "Every result is in the archive, in order."
    if _is_broken(told):
        return "FAILED: results are lost, out of order or stored twice."
    missing = told["produced"] - told["delivered"]
    where = f"{told['waiting']} waiting in the spool, {told['parked']} set aside"
    return f"{missing} not in the archive: {where}."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
