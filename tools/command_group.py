"""A group of commands that are imported when they are asked for: none waits for the others' libraries."""

from __future__ import annotations

import importlib

import click


class LazyGroup(click.Group):
    """`places`: what a command is called to where it is, "module:attribute"."""

    def __init__(self, *arguments, places: dict[str, str] | None = None, **more) -> None:
        super().__init__(*arguments, **more)
        self.places = places or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name; nothing is imported for it."""
        return sorted({*self.commands, *self.places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        if cmd_name not in self.commands and cmd_name in self.places:
            module, _, attribute = self.places[cmd_name].partition(":")
            self.add_command(getattr(importlib.import_module(module), attribute), cmd_name)
        return super().get_command(ctx, cmd_name)
