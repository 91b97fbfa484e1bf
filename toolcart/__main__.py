"""`python -m toolcart` is the command."""

from toolcart.base import interrupts

if interrupts.are_taken():
    interrupts.end()

# isort: split
import sys

from toolcart.base import hangup

if sys.argv[1:2] == ["run"]:
    hangup.hold(any(word.startswith("--config") for word in sys.argv))

from toolcart.tools.cli.main import main

if __name__ == "__main__":
    main(prog_name="toolcart")
