"""Curves of a tightening, or torques of a program, as a drawing: in a terminal with characters, or as a picture.

plotext and matplotlib are the extra `plot`; without them the numbers are still available (`--json`).
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from toolcart.base.exit_codes import fail
from toolcart.base.installation import how_to_get
from toolcart.base.terminal_safe import visible
from toolcart.trace.curves import Curve, Tightening

HEIGHT_LEAST = 8


class Missing(Exception):
    """A drawing library is not installed; the text says which."""


@dataclass
class Panel:
    """One drawing: one value over another, with the limits that were set."""

    title: str
    across: str
    up: str
    points: list[tuple[float, float]]
    low: float | None = None
    high: float | None = None
    is_curve: bool = True  # else the points are separate
    crosses: list[tuple[float, float]] = field(default_factory=list)  # points that need attention


def panels(one: Tightening) -> list[Panel]:
    """Return torque over time, angle over time, torque over angle; then whatever else there is, over time."""
    order = [name for name in ("torque", "angle") if name in one.curves]
    others = [name for name in one.curves if name not in order]
    found = [_over_time(one.curves[name]) for name in order]
    both = one.torque_over_angle()
    if both:
        torque, angle = one.curves["torque"], one.curves["angle"]
        found.append(Panel("torque over angle", _axis(angle), _axis(torque), both, torque.low, torque.high))
    return found + [_over_time(one.curves[name]) for name in others]


def _over_time(curve: Curve) -> Panel:
    across = "time (ms)" if curve.times_ms else "sample"
    points = list(zip(curve.places(), curve.values, strict=False))
    if curve.name == "angle":  # its limits count from a threshold, and the curve begins before that
        return Panel(f"{curve.name} over time", across, _axis(curve), points)
    return Panel(f"{curve.name} over time", across, _axis(curve), points, curve.low, curve.high)


def _axis(curve: Curve) -> str:
    return f"{curve.name} ({curve.unit})" if curve.unit else curve.name


def title_of(one: Tightening) -> str:
    """Say in one line which tightening it is."""
    words = [f"tightening {one.ident or 'without an ID'}"]
    if one.part:
        words.append(one.part)
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


def in_terminal(drawn: list[Panel], width: int, height: int, colour: bool) -> str:
    """Return the drawings as text, one below the other, each `height` lines high."""
    plot = _library("plotext")
    texts = []
    for panel in drawn:
        plot.clear_figure()
        plot.theme("clear")
        plot.limit_size(False, False)
        plot.plotsize(width, max(HEIGHT_LEAST, height))
        across, up = _apart(panel.points)
        if panel.is_curve:
            plot.plot(across, up, marker="braille", color="cyan+" if colour else None)
        elif across:
            plot.scatter(across, up, marker="dot", color="cyan+" if colour else None)
        if panel.crosses:
            plot.scatter(*_apart(panel.crosses), marker="x", color="orange+" if colour else None)
        across = across + _apart(panel.crosses)[0]
        for limit in (panel.low, panel.high):
            if limit is not None:
                plot.plot([min(across), max(across)], [limit, limit], marker="-", color="red" if colour else None)
        plot.xlabel(panel.across)
        plot.ylabel(panel.up)
        text = plot.build()
        texts.append(
            f"{panel.title}\n{text if colour else plot.uncolorize(text)}"
        )  # plotext's own vanishes if it is long
    return "\n".join(texts)


def _apart(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [point[0] for point in points], [point[1] for point in points]


def into_picture(title: str, drawn: list[Panel], path: str) -> None:
    """Write the drawings as a picture; OSError if that fails, ValueError for a file type that is not a picture."""
    _library("matplotlib").use("Agg")
    pyplot = _library("matplotlib.pyplot")
    figure, places = pyplot.subplots(len(drawn), 1, figsize=(9, 3.1 * len(drawn)), layout="constrained", squeeze=False)
    figure.suptitle(title, fontsize=12)
    for axes, panel in zip(places[:, 0], drawn, strict=True):
        _picture_of(axes, panel)
    try:
        figure.savefig(path, dpi=110, format=Path(path).suffix[1:] or "png")  # without a format it may choose the name
    finally:
        pyplot.close(figure)


def _picture_of(axes: Any, panel: Panel) -> None:
    across, up = _apart(panel.points)
    if panel.is_curve:
        axes.plot(across, up, color="#1f5fa8", linewidth=1.4)
    else:
        axes.plot(across, up, ".", color="#1f5fa8", markersize=4, label="OK")
    if panel.crosses:
        axes.plot(*_apart(panel.crosses), "x", color="#d55e00", markersize=7, markeredgewidth=2, label="NOK")
        axes.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    left = min(across + _apart(panel.crosses)[0])
    for limit, name in ((panel.low, "low"), (panel.high, "high")):
        if limit is not None:
            axes.axhline(limit, color="#b3261e", linewidth=1, linestyle="--")
            axes.annotate(f"{name} {limit:g}", (left, limit), fontsize=8, color="#b3261e", va="bottom")
    if panel.is_curve:
        top = max(range(len(up)), key=lambda index: up[index])
        axes.plot([across[top]], [up[top]], "o", color="#1f5fa8", markersize=4)
        axes.set_title(f"highest {up[top]:.4g}", fontsize=9, loc="right")
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.set_xlabel(panel.across)
    axes.set_ylabel(panel.up)
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.margins(x=0.01)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


# Puts drawings where a command wants them: its terminal or a picture; errors in words, with an exit code.

EXIT_WRONG = 2
LINES = 16
COLUMNS_MOST = 160  # a wider drawing is no clearer


def draw(title: str, drawn: list[Panel], png: str | None, width: int | None = None, height: int = LINES) -> None:
    """Draw in the terminal or into a picture; if that fails, end the command and say why."""

    try:
        if png is not None:
            into_picture(visible(title), drawn, png)
            click.echo(f"{png}: {visible(title)}")
        else:
            columns = width or min(shutil.get_terminal_size((100, 24)).columns, COLUMNS_MOST)
            click.secho(visible(title), bold=True)
            click.echo(in_terminal(drawn, columns, height, sys.stdout.isatty()))
    except Missing as missing:
        advice = f"{how_to_get('plot')} brings it; --json tells the numbers without it."
        fail(f"{missing} is not installed.", advice, EXIT_WRONG)
    except (OSError, ValueError) as error:
        if png is None:
            raise  # the terminal's trouble is told as any command's
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fail(f"cannot write {png}: {what}", "Name a .png in a folder that may be written to.", EXIT_WRONG)
