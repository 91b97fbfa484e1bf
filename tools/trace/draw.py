"""A tightening's curves as a drawing: with letters in a terminal, or into a picture.

plotext and matplotlib are the extra `plot`; who has neither still gets the numbers (`--json`).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tools.trace.curves import Curve, Tightening

HEIGHT_LEAST = 8


class Missing(Exception):
    """A library that draws is not installed; the text says which one."""


@dataclass
class Panel:
    """One drawing: a value over another, with the limits that somebody set."""

    title: str
    across: str
    up: str
    points: list[tuple[float, float]]
    low: float | None = None
    high: float | None = None


def panels(one: Tightening) -> list[Panel]:
    """Torque over time, angle over time, torque over angle; then whatever else there is, over time."""
    order = [name for name in ("torque", "angle") if name in one.curves]
    others = [name for name in one.curves if name not in order]
    found = [_over_time(one.curves[name]) for name in order]
    both = one.torque_over_angle()
    if both:
        torque, angle = one.curves["torque"], one.curves["angle"]
        found.append(
            Panel("torque over angle", _axis(angle), _axis(torque), both, torque.low, torque.high),
        )
    return found + [_over_time(one.curves[name]) for name in others]


def _over_time(curve: Curve) -> Panel:
    across = "time (ms)" if curve.times_ms else "sample"
    points = list(zip(curve.places(), curve.values, strict=False))
    if curve.name == "angle":  # its limits count from a threshold on, and the curve begins before it
        return Panel(f"{curve.name} over time", across, _axis(curve), points)
    return Panel(f"{curve.name} over time", across, _axis(curve), points, curve.low, curve.high)


def _axis(curve: Curve) -> str:
    return f"{curve.name} ({curve.unit})" if curve.unit else curve.name


def title_of(one: Tightening) -> str:
    """Which tightening it is, in a line."""
    words = [f"tightening {one.ident or 'without an ID'}"]
    if one.time:
        words.append(one.time.replace("T", " "))
    if one.station is not None:
        words.append(f"station {one.station}")
    if one.program:
        words.append(f"program {one.program}")
    return ", ".join(words)


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise Missing(name.partition(".")[0]) from None


def in_terminal(one: Tightening, width: int, height: int, colour: bool) -> str:
    """The drawings as text, one below the other, each `height` lines high."""
    plot = _library("plotext")
    texts = []
    for panel in panels(one):
        plot.clear_figure()
        plot.theme("clear")
        plot.limit_size(False, False)
        plot.plotsize(width, max(HEIGHT_LEAST, height))
        across, up = [point[0] for point in panel.points], [point[1] for point in panel.points]
        plot.plot(across, up, marker="braille", color="cyan+" if colour else None)
        for limit in (panel.low, panel.high):
            if limit is not None:
                plot.plot([min(across), max(across)], [limit, limit], marker="-", color="red" if colour else None)
        plot.title(panel.title)
        plot.xlabel(panel.across)
        plot.ylabel(panel.up)
        text = plot.build()
        texts.append(text if colour else plot.uncolorize(text))
    return "\n".join(texts)


def into_picture(one: Tightening, path: str) -> None:
    """The drawings as a picture; OSError where it cannot be written, ValueError for a kind of file that is none."""
    _library("matplotlib").use("Agg")
    pyplot = _library("matplotlib.pyplot")
    drawn = panels(one)
    figure, places = pyplot.subplots(len(drawn), 1, figsize=(9, 3.1 * len(drawn)), layout="constrained", squeeze=False)
    figure.suptitle(title_of(one), fontsize=12)
    for axes, panel in zip(places[:, 0], drawn, strict=True):
        across, up = [point[0] for point in panel.points], [point[1] for point in panel.points]
        axes.plot(across, up, color="#1f5fa8", linewidth=1.4)
        for limit, name in ((panel.low, "low"), (panel.high, "high")):
            if limit is not None:
                axes.axhline(limit, color="#b3261e", linewidth=1, linestyle="--")
                axes.annotate(f"{name} {limit:g}", (across[0], limit), fontsize=8, color="#b3261e", va="bottom")
        top = max(range(len(up)), key=lambda index: up[index])
        axes.plot([across[top]], [up[top]], "o", color="#1f5fa8", markersize=4)
        axes.set_title(panel.title, fontsize=10, loc="left")
        axes.set_title(f"highest {up[top]:.4g}", fontsize=9, loc="right")
        axes.set_xlabel(panel.across)
        axes.set_ylabel(panel.up)
        axes.grid(True, color="#dddddd", linewidth=0.6)
        axes.margins(x=0.01)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    try:
        figure.savefig(path, dpi=110)
    finally:
        pyplot.close(figure)
