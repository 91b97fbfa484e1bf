"""What is often wrong with a configuration, in words: a file that is no JSON, a value that is not allowed."""

from __future__ import annotations

import re
import unicodedata

from toolcart.base.terminal_safe import HIDDEN
from toolcart.tools.config.file_text import place_in

COMMENTS = ("//", "/*", "#")
EXAMPLE = "`toolcart config example` prints one"
LEVELS_MOST = 6  # of brackets within each other, in a configuration that uses every setting
NESTED_TOO_DEEPLY = f"nested too deeply: a configuration has {LEVELS_MOST} levels of brackets at most"
_BLANKS = " \t\n\r"  # JSON's; Python's str.strip() takes more
_QUOTES = "'`\u00b4\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e"
_CONTROLS = {
    "\0": "NUL",
    "\t": "tab",
    "\n": "line feed",
    "\r": "carriage return",
    "\x0b": "vertical tab",
    "\x0c": "form feed",
    "\x1b": "escape",
    "\x7f": "delete",
    "\x85": "next line",
    "\ufeff": "byte order mark",  # Unicode's name is that of its other use
}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NOT_OF_NUMBERS = re.compile("[^A-Za-z0-9_.+-]")  # nor of what people take for one
_NUMBER_SHOWN = 24  # characters
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[]}]|-?Infinity|NaN', re.DOTALL)
# What Python's JSON reader says, in words that say what to do.
_NO_JSON = {
    "Expecting property name": "a name without double quotes",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing in front of this",
    "Expecting ':' delimiter": "a colon is missing behind a name",
    "Expecting value": "a value is missing here, or a text without quotes",
    "Illegal trailing comma": "a comma behind the last entry: delete it",
    "Extra data": "something behind the end: delete it",
}
_NO_TEXT = {
    "Unterminated string": "a text does not end: its closing quote is missing",
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
    preceding = text[:at].rstrip(_BLANKS)
    if text[at : at + 1] in ("}", "]") and preceding.endswith(","):
        at = len(preceding) - 1
    return place_in(text, at)


def json_problem(text: str, at: int, reader_says: str) -> str:
    """Say what is wrong at this place of a text that is no JSON."""
    if text[text.rfind("\n", 0, at) + 1 :].lstrip(" \t").startswith(COMMENTS):
        return "a comment: JSON has none, delete it"
    if reader_says.startswith("Invalid control character"):
        return _control_in_text(text[at])
    if problem := _starting_as(reader_says, _NO_TEXT):
        return problem
    preceding, rest = text[:at].rstrip(_BLANKS), text[at:].lstrip(_BLANKS)
    if not rest:
        return "the file ends too early: a closing bracket is missing"
    if problem := _character_problem(rest[0]) or _comma_problem(preceding, rest):
        return problem
    word = re.split(r"\W", rest, maxsplit=1)[0]
    if word.lower() in ("true", "false", "null", "none") and word not in ("true", "false", "null"):
        return "true, false and null are written in small letters"
    return _number_problem(text, at) or _starting_as(reader_says, _NO_JSON) or "what is no JSON"


def _starting_as(reader_says: str, problems: dict[str, str]) -> str:
    return next((problem for start, problem in problems.items() if reader_says.startswith(start)), "")


def _control_in_text(character: str) -> str:
    if character in "\n\r":
        return "a text does not end in its line: its closing quote is missing"
    return f"{'a tab' if character == chr(9) else _name_of(character)} in a text: delete it"


def _character_problem(character: str) -> str:
    """Say what is wrong with a character that nothing of JSON begins with; "" if a value without quotes may."""
    if character in _QUOTES:
        return 'another quote than "'
    if _is_invisible(character):
        return f"an invisible character, {_name_of(character)}: delete it"
    if not character.isascii() and not character.isalpha():
        return f"{_name_of(character)}: only texts may have it"
    return ""


def _comma_problem(preceding: str, rest: str) -> str:
    if rest[0] in "}]" and preceding.endswith(","):
        return "a comma behind the last entry: delete it"
    if rest[0] == "," and preceding.endswith((",", "[", "{")):
        return "a comma too many: delete it, or write what is missing in front of it"
    if re.match("[0-9]", rest) and re.search(r"[0-9],$", preceding):
        return "a name without double quotes; a number has no comma in it"
    return ""


def _number_problem(text: str, at: int) -> str:
    """Say what is wrong with the number at this place; "" if there is none, or nothing is."""
    number = _NOT_OF_NUMBERS.split(text[:at])[-1] + _NOT_OF_NUMBERS.split(text[at:], maxsplit=1)[0]
    if not re.match(r"[+-]?\.?[0-9]", number) or _NUMBER.fullmatch(number):
        return ""
    if re.match("-?0[0-9]", number):
        return "a number that begins with 0: delete the 0"
    return f"a number in a form that JSON does not have: {number[:_NUMBER_SHOWN]}; write it like 6575 or 0.5"


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in {*HIDDEN, "Zs"}


def _name_of(character: str) -> str:
    other = "lone surrogate" if unicodedata.category(character) == "Cs" else "control character"
    name = _CONTROLS.get(character) or unicodedata.name(character, other).lower()
    return f"U+{ord(character):04X} ({name})"


def nesting_place(text: str) -> tuple[int, int]:
    """Return line and column of the first bracket that is within more others than a configuration has."""
    level = 0
    for token in _TOKEN.finditer(text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if level > LEVELS_MOST:
            return place_in(text, token.start())
    return 1, 1


def constant_place(text: str, name: str) -> tuple[int, int]:
    """Return line and column of the first NaN, Infinity or -Infinity that is not in a text."""
    return next((place_in(text, token.start()) for token in _TOKEN.finditer(text) if token[0] == name), (1, 1))


def value_problem(found: str, allowed: str) -> str:
    """Say what is wrong with a value, as toolcart.agent.cart.config shows it; "" where what is allowed says it all."""
    is_entry = found.startswith('["')  # of a list
    if not is_entry and not found.startswith('"'):
        return ""
    text = found[2:-2] if is_entry else found[1:-1]
    for code in re.findall(r"\\u([0-9a-f]{4})", text):
        if _is_invisible(chr(int(code, 16))):
            return f"an invisible character in it, {_name_of(chr(int(code, 16)))}"
    if " or an address alone" in allowed:
        return _host_problem(text)
    if "different hosts, in a list" in allowed:
        return _entry_problem(text) if is_entry else "a text in place of a list"
    if allowed.endswith(("http:// or https://", "user and password are for that", "others as %XX")):
        return _url_problem(text)
    if allowed == "without + and #":
        return "a wildcard in it, which is for those who subscribe"
    if allowed.startswith("{system} and {station} alone"):
        return _topic_problem(text)
    if "characters" in allowed:
        return ""
    if re.match(r"a whole number|[\d.]+ to [\d.]+( |$)", allowed) and re.fullmatch(r"-?[\d.]+", text):
        return "a number in quotes"
    if allowed.startswith("true or false") and text in ("true", "false"):
        return "in quotes"
    choices = allowed.removeprefix("one of ").removesuffix(" or null").split(", ")
    return "capital letters" if text not in choices and text.lower() in choices else ""


def _entry_problem(text: str) -> str:
    """Say what is wrong with this host of a list."""
    if '", "' in text:
        return "twice in the list"
    problem = _host_problem(text)
    return "a port, and a host alone is expected" if problem == _PORT_TOO else problem


def _url_problem(text: str) -> str:
    """Say what is wrong with a URL, as far as it is shown."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return "no URL"
    if scheme.lower() not in ("http", "https"):
        return f"{scheme}:// in front, which is not for a webhook"
    if "@" in rest.partition("/")[0]:
        return "a user in the URL"
    return "a blank in it" if " " in text else "a # in it" if "#" in text else ""


def _topic_problem(text: str) -> str:
    """Say what is wrong with a topic that has no wildcard."""
    other = re.findall(r"\{(?!system\}|station\})[^}]*\}?", text)
    if other:
        return f"{other[0]} in it, which is not filled in"
    if text.startswith("$"):
        return "a $ in front, which is for the broker itself"
    return "an empty level" if text.startswith("/") or text.endswith("/") or "//" in text else "a brace alone"


_PORT_TOO = "a port, which is a setting of its own"


def _host_problem(text: str) -> str:
    numbers = text.split(".")
    if not text.strip():
        return "empty"
    if "://" in text:
        return "a URL"
    if text.startswith("["):
        return "in brackets"
    if re.fullmatch(r".+:\d+", text) and text.count(":") == 1:
        return _PORT_TOO
    if re.fullmatch(r"[0-9A-Fa-f.:]+/\d+", text):
        return "a range of addresses"
    if text != text.strip() or " " in text:
        return "a blank in it"
    if all(number.isdigit() for number in numbers):
        too_large = [number for number in numbers if int(number) > 255]
        return f"{too_large[0]} is above 255" if too_large else "an IPv4 address has four numbers"
    return ""
