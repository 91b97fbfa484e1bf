"""A layout whose fields are read as values: Decimal in the unit, datetime, names. CPython only.

Rules
1. A whole number with decimals in its unit is a Decimal, and so is one that an angle scale applies to.
2. A number that has a name is that name, one that has none is itself; a mask is the list of its bits' names.
3. A time stamp is a datetime without a zone; None if the controller's clock is not set; other text stays text.
4. `encode` takes all of these back.
"""

import datetime
import decimal

from .checks import UNSET_TIMES
from .errors import Odd
from .fields import is_time, ratio_of
from .meanings import bits_of, names_of


class ScaledForm:
    """The same layout as `plain`; only what is read differs."""

    def __init__(self, plain):
        self.plain = plain
        self.places = {}  # no field is read alone: one may tell the scale or the unit of another

    def __repr__(self):
        return repr(self.plain)[:-1] + ", scaled>"

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def __reduce__(self):
        return _scaled, (self.plain,)

    def scaled(self):
        """Return itself."""
        return self

    def read(self, frame):
        """Return every field by name."""
        raw = self.plain.read(frame)
        return _all(self.fields, raw, raw)


def _scaled(plain):
    return plain.scaled()


def _all(fields, values, outer):
    return {field.name: _one(field, values[field.name], outer) for field in fields if field.kind != "'"}


def _one(field, value, outer):
    if value is None or isinstance(value, Odd):
        return value
    if isinstance(value, list):
        if field.kind == "G":
            # What tells the scale of a group's field: its own fields before those of the message.
            return [_all(field.members, one, dict(outer, **one)) for one in value]
        return value if field.kind in "VUR" else [_one(field, one, outer) for one in value]
    if field.kind == "F":
        return decimal.Decimal(repr(value))
    if field.kind == "D":
        if is_time(value):
            return datetime.datetime.strptime(value, "%Y-%m-%d:%H:%M:%S")
        return None if value in UNSET_TIMES else value
    if field.kind not in "NIB":
        return value
    if field.values:
        return bits_of(field.values, value) if field.kind == "B" else names_of(field.values).get(value, value)
    number, over = ratio_of(field, value, outer)
    return number if over == 1 else decimal.Decimal(number) / over
