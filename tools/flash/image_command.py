"""`toolcart image`: builds a board's firmware with the agent in it from MicroPython's own sources.

Exit codes: 0 built (or nothing is missing), 1 the build failed, 2 something is missing: all of it is listed, and no
build was started.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from toolcart.base.exit_codes import EXIT_CONFIGURATION, EXIT_OTHER
from toolcart.base.sources import Unavailable, locked
from toolcart.tools.flash.boards import BOARDS, of_definition
from toolcart.tools.flash.image import NO_IDF, build, folder_of, lay_out, line_of, next_steps, problems


@click.command()
@click.option("--board", "name", type=click.Choice(tuple(BOARDS)), help="The board.")
@click.option(
    "--board-dir",
    "definition",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="In place of --board: a board's definition, any of ports/rp2/boards and ports/esp32/boards or one's own.",
)
@click.option(
    "--source",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="MicroPython's sources, with the submodules the board needs.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File to write.  [default: toolcart-BOARD.uf2 or .bin]",
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=None, help="Compilers at once.  [default: one for each processor]"
)
@click.option("--check", is_flag=True, help="Report what is missing, and build nothing.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as one JSON object on stdout.")
def image(
    name: str | None,
    definition: Path | None,
    source: Path | None,
    output: Path | None,
    jobs: int | None,
    check: bool,
    as_json: bool,
) -> None:
    """Build a board's firmware with the agent in it.

    This is the main way onto a chip: code stays in flash, so a board needs a third of the heap that copied files take,
    and a traceback names file and line of the source. What MicroPython's build needs is on no package registry; if
    something is missing, the command says what, and what to type. Afterwards `toolcart flash` installs the
    configuration.
    """
    if (name is None) == (definition is None):
        raise click.UsageError("name the board, by --board or by --board-dir.")
    source = source.resolve() if source else None
    try:
        board = BOARDS[name] if name else of_definition(definition.resolve(), source)  # type: ignore[union-attr]
    except ValueError as reason:
        raise click.UsageError(f"{reason}.") from None
    name = name or board.folder.lower()
    missing = problems(board, source)
    if missing or check or source is None:
        line = ""
        lacks_idf_alone = len(missing) == 1 and missing[0].startswith(NO_IDF)  # all but its own line can be prepared
        if source and not check and lacks_idf_alone:
            folder = folder_of(name, source)
            with locked("build", folder):
                lay_out(board, source, folder)
            line = line_of(board, source, folder)
        if as_json:
            click.echo(json.dumps({"board": name, "missing": missing, "prepared": line}))
        for problem in missing:
            click.echo(f"toolcart: {problem}", err=True)
        if not missing and not as_json:
            click.echo(f"{name}: nothing is missing.")
        if line and not as_json:
            click.echo(f"Everything else is prepared. With ESP-IDF set up, the same command builds it, or:\n  {line}")
        sys.exit(EXIT_CONFIGURATION if missing else 0)
    output = output or Path(f"toolcart-{name}{Path(board.product).suffix}")
    try:
        built = build(board, source, folder_of(name, source), lambda step: click.echo(step, err=True), jobs or 0)
        shutil.copy(built, output)
    except (Unavailable, OSError) as reason:
        click.echo(f"toolcart: the image was not built: {reason}", err=True)
        sys.exit(EXIT_OTHER)
    outcome = {"board": name, "image": str(output), "bytes": output.stat().st_size}
    steps = next_steps(board, output)
    if as_json:
        click.echo(json.dumps({**outcome, "next": steps}))
        return
    click.echo(f"{output}: {outcome['bytes'] / 1024:.0f} KiB. Next:")
    for step in steps:
        click.echo(f"  {step}")
