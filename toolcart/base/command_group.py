"""A group of commands that are imported only when used; whatever goes wrong in one is reported in words.

Rules
1. `toolcart status` does not wait for the libraries of the other commands.
2. No traceback reaches a user: an unforeseen error is one line that says what, where, and what to do. With
   TOOLCART_TRACEBACK set the traceback is shown, for developers.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import click

from toolcart.base import interrupts, open_files, working_folder
from toolcart.base.exit_codes import EXIT_CONFIGURATION, EXIT_OTHER
from toolcart.base.privileges import is_root
from toolcart.base.terminal_safe import visible

TRACEBACK = "TOOLCART_TRACEBACK"


class Amount(click.FloatRange):
    """A number within limits; `nan`, which no limit keeps out, is none."""

    def convert(self, value, param, ctx):
        """Return the number."""
        amount = super().convert(value, param, ctx)
        return amount if amount == amount else self.fail(f"{value!r} is not a valid float.", param, ctx)


SECONDS = Amount(min=0, min_open=True)
seconds_option = click.option("--seconds", type=SECONDS, help="End after this time.")


def imported(module: str, command: str) -> ModuleType:
    """Return the module of this command; an installation lacks the laboratory's: then say so and exit."""
    if _is_missing(module):
        click.echo(f"toolcart: `{command}` needs a checkout of toolcart, an installation does not have it.", err=True)
        sys.exit(EXIT_CONFIGURATION)
    return importlib.import_module(module)


def _is_missing(module: str) -> bool:
    if not module.startswith("lab."):
        return False
    from toolcart.base import installation  # takes time to import

    return installation.kind() != installation.CHECKOUT


class LazyGroup(click.Group):
    """`places` maps a command's name to where it is, "module:attribute"."""

    def __init__(self, *arguments, places: dict[str, str] | None = None, **more) -> None:
        super().__init__(*arguments, **more)
        self.places = places or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every name that is here, without importing anything."""
        return sorted({*self.commands, *(name for name, place in self.places.items() if not _is_missing(place))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, imported now."""
        if cmd_name not in self.commands and cmd_name in self.places:
            module, _, attribute = self.places[cmd_name].partition(":")
            self.add_command(getattr(imported(module, cmd_name), attribute), cmd_name)
            if working_folder.is_gone():
                _refuse_names_without_folder(self.commands[cmd_name])
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is called, with its name and its words; it handles Ctrl-C itself."""
        found = super().resolve_command(ctx, args)
        interrupts.take()
        return found

    def main(self, *arguments, **more) -> Any:
        """Run the command, and report whatever goes wrong."""
        _open_closed_streams()
        try:
            open_files.require(open_files.LEAST, "a command needs", open_files.WANTED)
            try:
                return super().main(*arguments, **more)
            finally:
                sys.stdout.flush()  # else what cannot be written is found too late to be reported
        except BrokenPipeError:  # its reader has all that it wants
            _let_output_go()
            sys.exit(EXIT_OTHER)
        except Exception as error:
            _let_output_go()
            if os.environ.get(TRACEBACK):
                raise
            for line in words(error):
                click.echo(visible(line), err=True)
            sys.exit(EXIT_OTHER)


def say_done(text: str) -> None:
    """Print what an order has done.

    Where that cannot be printed it is done all the same: who gave it again for its exit code would have it done twice.
    """
    try:
        click.echo(text)
        sys.stdout.flush()
    except OSError as error:
        _let_output_go()
        if not isinstance(error, BrokenPipeError):
            click.echo(f"toolcart: it is done; what it says cannot be printed: {error.strerror}.", err=True)


def _let_output_go() -> None:
    """Have the interpreter not try again at its end what could not be written."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")


def _refuse_names_without_folder(command: click.Command) -> None:
    """Have every file that is named for this command refused if its name needs the working folder, which is gone."""

    def refused(convert: Callable[..., Any], value: Any, *more: Any) -> Any:
        if isinstance(value, str | os.PathLike) and value != "-" and "://" not in str(value):
            working_folder.need_for(os.fspath(value))
        return convert(value, *more)

    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            parameter.type.convert = partial(refused, parameter.type.convert)  # type: ignore[method-assign]
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _refuse_names_without_folder(below)


def _open_closed_streams() -> None:
    """Give a process that was started with closed streams (`>&-`) the null device: else a spool became its stdout.

    What is printed to a closed standard output is refused as on a full disk: an export would seem to be done. A command
    that lasts does not print there, and goes on without (toolcart.base.nonblocking_output).
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False))
            if name == "stdout":
                output = io.BufferedWriter(_Closed(descriptor, "w", closefd=False))
                sys.stdout = io.TextIOWrapper(output, encoding="utf-8")


class _Closed(io.FileIO):
    """Takes nothing."""

    def write(self, octets):
        raise OSError(errno.EBADF, "standard output is closed")


def words(error: Exception) -> list[str]:
    """Return what happened, and what to do about it."""
    if isinstance(error, open_files.TooFewFiles):
        return [f"toolcart: {error}", f"  {open_files.ADVICE}"]
    is_of_no_file = isinstance(error, FileNotFoundError) and error.filename is None
    if isinstance(error, working_folder.Gone) or (is_of_no_file and working_folder.is_gone()):
        return [f"toolcart: {working_folder.GONE}", f"  {working_folder.ADVICE}"]
    if isinstance(error, OSError) and error.strerror:
        where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        return [f"toolcart: {where}{error.strerror}", f"  {_HINTS.get(error.errno or 0, _ELSE)}"]
    if isinstance(error, MemoryError):
        return ["toolcart: there is not enough memory for this", "  A smaller part of it may do."]
    if isinstance(error, ModuleNotFoundError):
        return [f"toolcart: {error.name} is not installed", "  README.md names the extras and what brings each."]
    return [
        f"toolcart: this should not happen: {type(error).__name__}: {error}",
        f"  Please report it, with what the same command says with {TRACEBACK}=1 in front of it.",
    ]


_NOT_PERMITTED = f"This user has not the permission; {'' if is_root() else 'try sudo, or '}name another place."
_ELSE = "Is the name right, and is it there?"
_HINTS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), _NOT_PERMITTED),
    errno.EROFS: "It lies on a file system that cannot be written; name another place.",
    errno.ENOSPC: "The disk is full; make room, or name another place.",
    errno.EDQUOT: "The quota of this user is used up; make room, or name another place.",
    errno.EFBIG: "A file may not be so large here; look at `ulimit -f`, or name a place on another file system.",
    errno.EBADF: "Give it a file, a pipe, or /dev/null if nobody is to read it.",
    errno.EADDRINUSE: "Another program listens there; choose another port.",
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "Too many files are open; look at `ulimit -n`."),
    errno.EIO: "The disk or the device does not answer as it should; `dmesg` tells more.",
}


STEPS = 1000


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Show a bar and give the function that moves it, which takes the share done, 0 to 1."""
    with click.progressbar(length=STEPS, label=label, file=sys.stderr) as bar:
        done = 0

        def progress(share: float) -> None:
            nonlocal done
            step = int(share * STEPS) - done
            if step > 0:
                bar.update(step)
                done += step

        yield progress
