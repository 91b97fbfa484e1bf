"""Turns NAME=VALUE as typed into a value for a simulator's option, or says in words what is wrong."""

from __future__ import annotations

import json
from typing import Any

from toolcart.base.terminal_safe import visible


def setting_of(kind, text: str) -> tuple[str, Any]:
    """Return name and value of NAME=VALUE; ValueError says in words what is wrong."""
    name, equals, value_text = text.partition("=")
    if not equals or name not in kind.DEFAULTS:
        names = ", ".join(sorted(kind.DEFAULTS))
        raise ValueError(f"{visible(text)}: give NAME=VALUE with one of these names: {names}")
    value = value_like(kind.DEFAULTS[name], value_text)
    mistake = _mistake(kind, name, kind.DEFAULTS[name], value)
    if mistake:
        raise ValueError(f"{visible(text)}: {name} is {mistake}")
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


def _mistake(kind, name: str, default: object, value: object) -> str:
    """Return what an option wants instead of `value`; empty if the value will do."""
    allowed = getattr(kind, "ALLOWED", {}).get(name)
    if allowed is not None and value not in allowed:
        return "one of " + ", ".join(str(one) for one in allowed)
    example = f", such as {name}={_as_typed(default)}"
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, int):
        good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return "" if good else "a whole number" + example
    for wanted, words in (
        (str, "text"),
        (tuple, "a list in JSON, such as [1, 2]"),
        (list, "a list in JSON, such as [3]"),
        (dict, 'an object in JSON, such as {"60": 97}'),
    ):
        if isinstance(default, wanted):
            return "" if isinstance(value, wanted) else words
    if isinstance(value, float) or (isinstance(value, int) and value < 0):
        return "no such number"
    return ""


def _as_typed(default: object) -> str:
    return json.dumps(default) if not isinstance(default, str) else default
