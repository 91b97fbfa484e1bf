"""What is often wrong with a configuration, in words: a file that is no JSON, a value that is not allowed."""

from __future__ import annotations

import re

COMMENTS = ("//", "/*", "#")
EXAMPLE = "`toolcart config example` prints one"
# What Python's JSON reader says, in words that say what to do.
_NO_JSON = {
    "Expecting property name": "a name without double quotes",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing in front of this",
    "Expecting ':' delimiter": "a colon is missing behind a name",
    "Expecting value": "a value is missing here, or a text without quotes",
    "Illegal trailing comma": "a comma behind the last entry: delete it",
    "Extra data": "something behind the end",
    "Unterminated string": "a text does not end: its closing quote is missing",
    "Invalid control character": "a line break or a tab in a text",
    "Invalid \\escape": "a backslash in a text: write two",
    "Invalid \\u": "\\u without four hexadecimal digits",
}


def not_json(text: str) -> str:
    """Say what a file is that does not even begin like JSON; "" if it does."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(COMMENTS)]
    if not text.strip():
        return f"the file is empty; {EXAMPLE}"
    for name, pattern in (
        ("YAML", r"\s*(---\s*$|- |[\w-]+\s*:(\s|$))"),
        ("TOML or INI", r"\s*(\[[\w.-]+\]\s*$|[\w.-]+\s*=)"),
        ("XML", r"\s*<"),
    ):
        if lines and re.match(pattern, lines[0]):
            return f"the file is {name}: a configuration is JSON; {EXAMPLE}"
    return ""


def json_place(text: str, at: int) -> tuple[int, int]:
    """Return line and column of what is wrong at this place: a comma behind the last entry is the comma's."""
    preceding = text[:at].rstrip()
    if text[at : at + 1] in ("}", "]") and preceding.endswith(","):
        at = len(preceding) - 1
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def json_problem(text: str, at: int, reader_says: str) -> str:
    """Say what is wrong at this place of a text that is no JSON."""
    preceding, rest = text[:at].rstrip(), text[at:].lstrip()
    if text[text.rfind("\n", 0, at) + 1 :].lstrip(" \t").startswith(COMMENTS):
        return "a comment: JSON has none, delete it"
    if not rest:
        return "the file ends too early: a closing bracket is missing"
    if rest[0] in "'\u2018\u2019\u201a\u201c\u201d\u201e":
        return 'another quote than "'
    if rest[0] in "}]" and preceding.endswith(","):
        return "a comma behind the last entry: delete it"
    if re.match(r"(True|False|None)\b", rest):
        return "true, false and null are written in small letters"
    if rest[0].isdigit() and preceding.endswith("0") and preceding + rest[0] == text[: at + 1]:
        return "a number that begins with 0: delete the 0"
    return next((problem for start, problem in _NO_JSON.items() if reader_says.startswith(start)), "what is no JSON")


def value_problem(found: str, allowed: str) -> str:
    """Say what is wrong with a value, as toolcart.agent.cart.config shows it; "" where what is allowed says it all."""
    text = found[1:-1] if found.startswith('"') else None
    if text is None:
        return ""
    if " or an address alone" in allowed:
        return _host_problem(text)
    if re.match(r"a whole number|[\d.]+ to [\d.]+( |$)", allowed) and re.fullmatch(r"-?[\d.]+", text):
        return "a number in quotes"
    if allowed.startswith("true or false") and text in ("true", "false"):
        return "in quotes"
    choices = allowed.removeprefix("one of ").removesuffix(" or null").split(", ")
    return "capital letters" if text not in choices and text.lower() in choices else ""


def _host_problem(text: str) -> str:
    numbers = text.split(".")
    if not text.strip():
        return "empty"
    if "://" in text:
        return "a URL"
    if text.startswith("["):
        return "in brackets"
    if re.fullmatch(r".+:\d+", text) and text.count(":") == 1:
        return "a port, which is a setting of its own"
    if text != text.strip() or " " in text:
        return "a blank in it"
    if all(number.isdigit() for number in numbers):
        too_large = [number for number in numbers if int(number) > 255]
        return f"{too_large[0]} is above 255" if too_large else "an IPv4 address has four numbers"
    return ""
