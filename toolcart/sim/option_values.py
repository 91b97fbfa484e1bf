"""Turns NAME=VALUE as typed into a value for a simulator's option, or says in words what is wrong."""

from __future__ import annotations

import json
from typing import Any

from toolcart.base.terminal_safe import visible
from toolcart.sim import option_checks


def setting_of(kind, text: str) -> tuple[str, Any]:
    """Return name and value of NAME=VALUE; ValueError says in words what is wrong."""
    name, equals, value_text = text.partition("=")
    if not equals or name not in kind.DEFAULTS:
        names = ", ".join(sorted(kind.DEFAULTS))
        raise ValueError(f"{visible(text)}: give NAME=VALUE with one of these names: {names}")
    value = value_like(kind.DEFAULTS[name], value_text)
    allowed = option_checks.wrong(kind, name, value)
    if allowed:
        raise ValueError(f"{visible(text)}: {name} is {allowed}{_example(name, kind.DEFAULTS[name])}")
    return name, value


def value_like(default: object, text: str) -> object:
    """Read a value in the form its option has: JSON has no tuples, no bytes and no numbers as keys."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(default, bytes):
        return str(value).encode("latin-1", "replace")
    if isinstance(default, str):
        return text
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(default, dict) and isinstance(value, dict):
        return {int(key) if key.isdigit() else key: item for key, item in value.items()}
    return value


def _example(name: str, default: object) -> str:
    """Return how this option is typed, as far as its default shows that."""
    if isinstance(default, tuple | list):
        return ": in JSON, such as [1, 2]"
    if isinstance(default, dict):
        return ': in JSON, such as {"60": 97}' if name.startswith("refuse") else ": in JSON"
    if default is None:
        return ""
    if isinstance(default, bytes):
        return f", such as {name}={default.decode('latin-1')}"
    return f", such as {name}={default if isinstance(default, str) else json.dumps(default)}"
