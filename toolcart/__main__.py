"""`python -m toolcart` is the command."""

from toolcart.tools.cli.main import main

if __name__ == "__main__":
    main(prog_name="toolcart")
