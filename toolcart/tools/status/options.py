"""The options that say which running agent to ask."""

import click


def agent_options(command):
    """`--config`, `--socket` and `--port`, in this order."""
    for declared in (
        click.option(
            "--port", type=click.Path(), metavar="DEVICE", help="The board at this serial port: /dev/ttyACM0, COM3."
        ),
        click.option("--socket", "socket_path", type=click.Path(), metavar="PATH", help="The agent at this socket."),
        click.option(
            "--config",
            "config_path",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="The agent of this configuration.  [default: the service]",
        ),
    ):
        command = declared(command)
    return command
