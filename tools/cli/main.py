"""The `toolcart` command, and where each of its commands is."""

from __future__ import annotations

import click

from toolcart.base.command_group import LazyGroup

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
# Imported only when needed (toolcart.base.command_group): `toolcart status` is run often, and has to be quick.
PLACES = {
    "archive": "toolcart.archive.commands:archive",
    "ask": "toolcart.codec.ask_command:ask",
    "bench": "lab.bench.commands:bench",  # of a checkout alone
    "board": "toolcart.tools.flash.board_commands:board",
    "command": "toolcart.tools.command:command",
    "config": "toolcart.tools.config.commands:config",
    "decode": "toolcart.codec.commands:decode",
    "docs": "toolcart.tools.cli.docs:docs",
    "doctor": "toolcart.tools.doctor.commands:doctor",
    "flash": "toolcart.tools.flash.commands:flash",
    "image": "toolcart.tools.flash.image_command:image",
    "install-service": "toolcart.tools.service.commands:install_service",
    "line": "toolcart.tools.line.commands:line",
    "man": "toolcart.tools.cli.manual:man",
    "mid": "toolcart.codec.commands:mid",
    "mip": "toolcart.tools.flash.mip:mip",
    "quarantine": "toolcart.tools.spool.quarantine_commands:quarantine",
    "run": "toolcart.tools.cli.run:run",
    "simulate": "toolcart.tools.cli.simulate:simulate",
    "spool": "toolcart.tools.spool.commands:spool",
    "status": "toolcart.tools.status.commands:status",
    "trace": "toolcart.trace.commands:trace",
    "web": "toolcart.tools.web.commands:web",
}


@click.group(cls=LazyGroup, places=PLACES, context_settings=CONTEXT)
@click.version_option(package_name="toolcart")
def main() -> None:
    """Keep every tightening result on flash and deliver it to ToolsNet when the network is up."""


if __name__ == "__main__":
    main()
