"""Writes a file of a list, as the process beside the pages (toolcart.archive.web.exports).

    python -m toolcart.archive.web.export_process KIND PATH          the list on stdin; the database in the environment

Rules
1. It says `total N` once, `count N` now and then, at the end `done N` or `failed TEXT`; then it ends.
2. It has the lowest priority, reads only, and holds some thousand rows at a time.
3. If its stdout is closed, the pages are gone: it ends, and its file with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from sqlalchemy import event

from toolcart.archive.database import database
from toolcart.archive.database.environment import PLACE_VARIABLE
from toolcart.archive.file_formats import export
from toolcart.archive.web import list_rows
from toolcart.base.installation import how_to_get_packages
from toolcart.base.niceness import stand_back

PROGRESS_ROWS = 2000
CACHE_KIB = 4000
BEHIND_PAGES = 5  # beside what the pages' process stands back itself


def _reporting(rows: Iterator[dict]) -> Iterator[dict]:
    for number, row in enumerate(rows, 1):
        yield row
        if number % PROGRESS_ROWS == 0:
            _say(f"count {number}")


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    """Write the file that the command line names."""
    kind, path = sys.argv[1:]
    form = export.FORMATS[kind]
    stand_back(BEHIND_PAGES)
    wanted = list_rows.read(sys.stdin.read())
    try:
        engine = database.connect(os.environ[PLACE_VARIABLE], writes=False)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}"))
            engine.dispose()  # a connection made before has the archive's own, 32 MB
        with engine.connect() as connection:
            _say(f"total {list_rows.count(connection, wanted)}")
        _say(f"done {form.write(_reporting(list_rows.rows(engine, wanted)), path)}")
    except BrokenPipeError:
        os._exit(1)
    except ImportError:
        _say(f"failed The server has no {form.needs} for that: {how_to_get_packages(form.needs)}")
    except (database.DatabaseUnusable, OSError) as wrong:
        _say(f"failed {wrong}")


if __name__ == "__main__":
    main()
