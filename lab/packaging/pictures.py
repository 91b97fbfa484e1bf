"""Makes the pictures in docs/pictures: `python -m lab.packaging.pictures live`, or `demo`, or `archive`.

Rules
1. Those of the live view show the real one over a real agent of twelve simulated carts, one of which has no network,
   with ToolsNet away for a while; nothing in them is drawn by hand.
2. A picture is the terminal's text as SVG, as Textual exports it, except for the fonts it would load from elsewhere.
3. Those of the archive are its pages over an invented plant, in Chromium.
4. demo.svg is the demo: its cart has lost ToolsNet's network, has it again, and goes on. They are shown in turn; a
   reader that does not move pictures shows the first.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update
from textual.pilot import Pilot

from toolcart.archive.database import database
from toolcart.archive.database import tables as t
from toolcart.base.command_line import CommandLine, start
from toolcart.base.sources import ROOT
from toolcart.tools.demo.plant import Demo
from toolcart.tools.live.view import View
from toolcart.tools.live.watch import ENDED, RUNNING, Watch
from lab.harness.archive_rows import Plant, fill, fill_other_tables, vin
from lab.harness.browser import browser, pages_of
from lab.harness.fleet import Fleet

CARTS = 12  # in the live view
RATE_PER_S = 0.7
AWAY_S, BACK_S, ALL_S = 25.0, 50.0, 56.0  # when ToolsNet goes away, when it comes back, when the last picture is made
FRAME_S = 4  # of demo.svg
CUT_S, JOIN_S, WELL_S = 12.0, 24.0, 42.0  # of the demo: ToolsNet's network is cut, is back, the last picture is made
SIZE = (120, 32)
DEMO_SIZE = (96, 28)
OTHER_SIZES = ((80, 24), (200, 50))  # overview alone, overview-80.svg and overview-200.svg
LIMIT_S = 60.0
CARS, STATIONS = 150, 18
DESK, PHONE, WALL = (1280, 800), (390, 844), (3840, 2160)
COLOURS = 128  # a page has few; a third of the bytes
SETTLED_MS = 600
PICTURES = ROOT / "docs" / "pictures"


def make_live(folder: Path) -> None:
    """Write overview.svg in three sizes, station.svg and outage.svg into the folder."""
    with tempfile.TemporaryDirectory() as place, Fleet(CARTS, RATE_PER_S) as fleet:
        path = Path(place, "line-2.json")
        path.write_text(json.dumps(fleet.configuration()), encoding="utf-8")
        fleet.cut(6)
        watch = Watch(path)
        try:
            asyncio.run(_play(View(watch, ascii_only=False), watch, fleet, folder))
        finally:
            watch.close()


def make_demo(folder: Path) -> None:
    """Write demo.svg into the folder."""
    demo = Demo()
    try:
        frames = asyncio.run(_play_demo(View(demo, ascii_only=False), demo))
    finally:
        demo.close()
    (folder / "demo.svg").write_text(in_turn(frames), encoding="utf-8")


def in_turn(frames: list[str]) -> str:
    """Return one picture that shows these one after the other, for ever."""
    [size] = re.findall(r'viewBox="([^"]*)"', frames[0])
    part, all_s = 100 / len(frames), FRAME_S * len(frames)
    lines = [
        f'<svg viewBox="{size}" xmlns="http://www.w3.org/2000/svg">',
        f"<style>@keyframes turn {{ 0%, {part - 0.1:.1f}% {{ visibility: visible }} {part:.1f}%, 100% {{ visibility: "
        f"hidden }} }} .turn {{ animation: turn {all_s}s infinite; visibility: hidden }} .first "
        "{ visibility: visible }</style>",
    ]
    for number, frame in enumerate(frames):
        first = " first" if number == 0 else ""
        lines.append(f'<g class="turn{first}" style="animation-delay: {number * FRAME_S}s">{frame}</g>')
    return "\n".join([*lines, "</svg>\n"])


async def _play(view: View, watch: Watch, fleet: Fleet, folder: Path) -> None:
    async with view.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: watch.elapsed_s() > AWAY_S)
        _save(view, folder / "overview.svg")
        for size in OTHER_SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            _save(view, folder / f"overview-{size[0]}.svg")
        await pilot.resize_terminal(*SIZE)
        fleet.cut_toolsnet()
        await _until(pilot, lambda: watch.elapsed_s() > BACK_S)
        _save(view, folder / "outage.svg")
        fleet.cut_toolsnet(False)
        await pilot.press("down", "enter")
        await _until(pilot, lambda: watch.elapsed_s() > ALL_S)
        _save(view, folder / "station.svg")
        await pilot.press("q")
        await _until(pilot, lambda: watch.phase == ENDED)


async def _play_demo(view: View, demo: Demo) -> list[str]:
    """Return the view with ToolsNet's network cut, once what waited is delivered, and a while later."""
    frames = []

    def take() -> None:
        frames.append(_picture(view, "./tools/run"))

    async with view.run_test(size=DEMO_SIZE) as pilot:
        await _until(pilot, lambda: demo.phase == RUNNING and demo.running_s() > CUT_S)
        await pilot.press("n")
        await _until(pilot, lambda: demo.running_s() > JOIN_S)
        take()
        await pilot.press("n")
        await _until(pilot, lambda: demo.figures.total("backlog") == 0 and demo.books["lost"] == 0)
        await pilot.pause()
        take()
        await _until(pilot, lambda: demo.running_s() > WELL_S)
        take()
        await pilot.press("q")
        await _until(pilot, lambda: demo.phase == ENDED)
    return frames


def _save(view: View, path: Path) -> None:
    path.write_text(_picture(view, "toolcart run --config line-2.json"), encoding="utf-8")
    print(f"{path}: {path.stat().st_size // 1024} KiB")


def _picture(view: View, title: str) -> str:
    return without_fonts(view.export_screenshot(title=title, simplify=True))


def without_fonts(svg: str) -> str:
    """Return the picture with the reader's own monospaced font, so that none is loaded from elsewhere."""
    return re.sub(r"@font-face\s*{[^}]*}\s*", "", svg)


async def _until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > give_up_s:
            raise RuntimeError("the run did not come so far in time")
        await pilot.pause(0.1)


def _shots(newest: int) -> tuple[tuple[str, str, tuple[int, int], str], ...]:
    """Return name, address, size and colours of each."""
    return (
        ("map", "/", DESK, "light"),
        ("map-wall", "/", WALL, "dark"),
        ("live", "/live", DESK, "dark"),
        ("station", "/station/3/1/1", DESK, "light"),
        ("trend", "/trend/3/1/1?program=1", DESK, "light"),
        ("pareto", "/pareto?by=program", DESK, "dark"),
        ("car", f"/car?vin={vin(CARS - 1)}", DESK, "light"),
        ("car-phone", f"/car?vin={vin(CARS - 1)}", PHONE, "dark"),
        ("search", f"/search?q={vin(CARS - 1)[:-1]}", DESK, "light"),
        ("result", f"/result/{newest}", DESK, "light"),
        ("result-phone", f"/result/{newest}", PHONE, "light"),
        ("nok", "/results", DESK, "light"),
        ("events", "/events", DESK, "dark"),
        ("breaches", "/breaches", DESK, "light"),
    )


def make_archive(folder: Path) -> None:
    """Write a picture of every page; Unavailable says what is missing."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as temporary:
        place = str(Path(temporary, "plant.sqlite"))
        plant = Plant(stations=STATIONS, cars=CARS, curves=60, until=datetime.now())
        with database.writing(place) as engine:
            newest = fill(engine, plant)
            fill_other_tables(engine, plant)
            with engine.begin() as connection:  # all but one station is there
                now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
                connection.execute(update(t.STATION).where(t.STATION.c.Station != 4).values(Heard=now))
        with browser() as chromium, pages_of(place) as address:
            for name, path, (width, height), colours in _shots(newest):
                page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=colours)
                page.goto(address + path)
                page.wait_for_timeout(SETTLED_MS)
                picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                page.close()
                if width > 2 * DESK[0]:
                    picture = picture.resize((width // 3, height // 3))
                picture.quantize(COLOURS).save(folder / f"archive-{name}.png", optimize=True)


def main() -> None:
    line = CommandLine(__doc__)
    line.add_argument("which", choices=("live", "demo", "archive"))
    PICTURES.mkdir(exist_ok=True)
    {"live": make_live, "demo": make_demo, "archive": make_archive}[line.parse_args().which](PICTURES)


if __name__ == "__main__":
    start(main)
