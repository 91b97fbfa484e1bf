"""Lengths of time and counts, in words for people."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return how many there are: 1 result, 2 results."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def agreeing(count: int, verb: str) -> str:
    """Return the verb as it agrees with how many there are: 1 was, 2 were."""
    return verb if count == 1 else _PLURALS[verb]


_PLURALS = {"is": "are", "was": "were", "stays": "stay", "makes": "make"}


def span(seconds: float) -> str:
    """Return a span rounded down to what matters: 90 s, 3 min, 5 h 12 min, 3 days."""
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min" if whole < 172800 else f"{whole // 86400} days"


def next_try(ms: int) -> str:
    """Return when it is tried again: "next try in 12 s", "" if no wait is under way."""
    return f"next try in {span(max(1, round(ms / 1000)))}" if ms else ""
