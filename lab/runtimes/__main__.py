"""Lists and fetches the MicroPythons that tests run on, or runs a script on one.

python -m lab.runtimes list | fetch [NAME...] | run NAME [--heap 64k] SCRIPT [ARGUMENTS...]
"""

import argparse
import os
import sys
from typing import NoReturn

from toolcart.base.command_line import CommandLine
from toolcart.base.sources import Unavailable, compiler
from lab import runtimes
from lab.runtimes.harness import Machine


def _list() -> int:
    lacking = ""
    try:
        compiler()
    except Unavailable as reason:  # what each of them runs is compiled first
        lacking = str(reason)
    for runtime in runtimes.all():
        print(
            f"{runtime.name:8} {runtime.version:8} {runtime.bits} bit  {lacking or runtime.available()[1] or 'ready'}"
        )
    return 0


def _fetch(names: list[str]) -> int:
    failed = 0
    for runtime in runtimes.all():
        if names and runtime.name not in names:
            continue
        reason = runtime.fetch()
        print(f"{runtime.name:8} {reason or runtime.folder}")
        failed += bool(reason)
    return 1 if failed else 0


def _run(name: str, heap: str, script: str, args: list[str]) -> NoReturn:
    runtime = runtimes.named(name)
    reason = runtime.fetch()
    if reason:
        sys.exit(f"{name}: {reason}")
    command = runtime.command(script, heap, tuple(args), Machine(runtime).tree)
    sys.stdout.flush()
    os.execvp(command[0], command)


def main() -> int:
    parser = CommandLine(__doc__)
    names = [runtime.name for runtime in runtimes.all()]
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="which there are and whether each is ready")
    actions.add_parser("fetch", help="have all, or those named").add_argument("names", nargs="*", metavar="NAME")
    run = actions.add_parser("run", help="run a script with the compiled tree of this checkout on its path")
    run.add_argument("name", choices=names)
    run.add_argument("--heap", default="128k", help="64k, 1m or bytes (default 128k)")
    run.add_argument("script")
    run.add_argument("args", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.action == "list":
        return _list()
    if arguments.action == "fetch":
        return _fetch(arguments.names)
    _run(arguments.name, arguments.heap, arguments.script, arguments.args)


if __name__ == "__main__":
    sys.exit(main())
