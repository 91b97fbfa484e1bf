"""What ToolsNet's 08 means where it leaves doubt, in words a plant understands: from the agent's log."""

from __future__ import annotations

# By the name of the counter; {value} is the one in its latest entry, {number} the station's.
_SENTENCES = {
    "resume unknown": (
        "ToolsNet holds result {value} of station {number}, which this spool never sent: is station {number} used "
        "twice, or was its spool exchanged? Nothing is skipped"
    ),
    "server behind": (
        "ToolsNet is {value} results behind what it once had of station {number}: was it restored from an old copy? "
        "With `toolsnet.rewind` set before it is back they are sent again; else order `toolcart spool offer-again`"
    ),
    "server empty": (
        "ToolsNet holds no result of station {number}, of {value} that were sent: was its database emptied, or is it "
        "another one? `toolcart spool offer-again` has them sent again, as far as the spool has them"
    ),
}


def sentence(name: str, value: int, number: int) -> str:
    """Return what this entry of station `number` means; its name and value if there is nothing to say about it."""
    words = _SENTENCES.get(name)
    return words.format(value=value, number=number) if words else f"{name} ({value})"


def doubts(station: dict) -> list[tuple[str, str]]:
    """Return what is doubtful in a station's state: a slug, and what ToolsNet's own account says."""
    found = []
    latest = {entry["name"]: entry["value"] for entry in station.get("log", ())}
    for name in ("resume unknown", "server behind", "server empty"):
        if name in latest:
            found.append((name, sentence(name, latest[name], station["number"])))
    found += [("events", one["events_doubt"]) for one in station.get("outlets", ()) if one.get("events_doubt")]
    return found
