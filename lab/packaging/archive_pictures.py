"""Makes a picture of every page of the archive for docs/pictures: `python -m lab.packaging.archive_pictures`."""

from __future__ import annotations

import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from toolcart.archive import database
from toolcart.archive import tables as t
from toolcart.base.command_line import CommandLine, start
from toolcart.base.sources import ROOT
from lab.harness.archive_rows import Plant, fill, fill_beside, vin
from lab.harness.browser import browser, pages_of

PICTURES = ROOT / "docs" / "pictures"
CARS, STATIONS = 150, 18
DESK, PHONE, WALL = (1280, 800), (390, 844), (3840, 2160)
COLOURS = 128  # a page has few; a third of the bytes
SETTLED_MS = 600


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


def make(folder: Path) -> list[Path]:
    """Write the pictures; Unavailable says what is missing."""
    from PIL import Image

    made = []
    with tempfile.TemporaryDirectory() as temporary:
        place = str(Path(temporary, "plant.sqlite"))
        plant = Plant(stations=STATIONS, cars=CARS, curves=60, until=datetime.now())
        with database.writing(place) as engine:
            newest = fill(engine, plant)
            fill_beside(engine, plant)
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
                made.append(folder / f"archive-{name}.png")
                picture.quantize(COLOURS).save(made[-1], optimize=True)
    return made


def main() -> None:
    CommandLine(__doc__).parse_args()
    PICTURES.mkdir(exist_ok=True)
    for written in make(PICTURES):
        print(written.relative_to(ROOT))


if __name__ == "__main__":
    start(main)
