"""Lengths of time, in words for people."""

from __future__ import annotations

from decimal import Decimal


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


def rounded(value: float, digits: int = 2) -> str:
    """Return the figure with so many digits that count, without an exponent: 0.84, 8.4, 360."""
    return format(Decimal(f"{value:.{digits}g}"), "f")
