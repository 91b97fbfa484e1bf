"""A decoded message: its fields by name, read when they are first asked for. It is a Mapping, like a dict.

message["torque"]            4237; None if blank, Odd if it is no number
message.decimal("torque")    "42.37", message.unit("torque") "Nm"
message.meaning("torque_status")   "OK"
message.bits("error_status")       ["torque max shut off", ...]
message.fields()             all of them as a dict, as dict(message) has them
message.number("torque")     Decimal("42.37"); message.datetime("time") is a datetime.datetime
message.scaled()             the same message with Decimals, datetimes and names in place of raw numbers
message.to_json()            text that `from_json` makes the same frame of
message.answer()             (62, 1): the MID and the revision of what it wants, None for nothing
"""

from .errors import FrameError, NoField
from .fields import decimal_text, is_time, ratio_of
from .forms import HEADER_BYTES, HEADER_FIELDS, IS_CPYTHON, collect_odd


class Message:
    """One message: `mid`, `revision`, `frame` (its bytes), `form` (its layout), and its fields by [name].

    >>> import toolcart
    >>> message = toolcart.decode(toolcart.encode(61, 999, torque=4237, torque_status=1))
    >>> message["torque"], message.decimal("torque"), message.unit("torque"), message.meaning("torque_status")
    (4237, '42.37', 'Nm', 'OK')
    >>> message.scaled()["torque"]
    Decimal('42.37')
    """

    __slots__ = ("_values", "_whole", "form", "frame", "mid", "revision")

    def __init__(self, frame, form):
        self.frame = frame
        self.form = form
        self.mid = form.mid
        self.revision = form.revision
        self._values = None
        self._whole = False  # all of them are in `_values`

    @property
    def name(self):
        """The documents' name of its MID."""
        return self.form.about.name

    def __reduce__(self):
        return Message, (self.frame, self.form)  # a message that was pushed arrives as one that was decoded

    def __getitem__(self, name):
        values = self._values
        if values is None:
            values = self._values = {}
        elif name in values:
            return values[name]
        form = self.form
        place = form.places.get(name)
        if place is None:
            self._field(name)
            return self.fields()[name]
        start, end, reader, number, at = place
        frame = self.frame
        is_there = not number or (frame.startswith(number, at) and frame.startswith(form.following[name], end))
        if end <= len(frame) and is_there:
            value = reader(frame[start:end])
        else:
            value = form.read_one(frame, name)
        values[name] = value
        return value

    def _field(self, name):
        """Return the line of the table for a name; NoField if there is none."""
        field = self.form.by_name.get(name)
        if field is None:
            raise NoField(self.mid, self.revision, name, [one.name for one in self.form.fields if one.kind != "'"])
        return field

    def get(self, name, default=None):
        """Return a field, None where it is blank, `default` where this revision has none of that name."""
        return self[name] if name in self.form.by_name else default

    def __contains__(self, name):
        return name in self.form.by_name

    def __iter__(self):
        return iter(self.fields())

    def __len__(self):
        return len(self.form.by_name)

    def __bool__(self):
        return True  # a message without fields is one

    def keys(self):
        """Return the names of the fields, in the order of the table."""
        return self.fields().keys()

    def values(self):
        """Return the values of the fields, in the order of the table."""
        return self.fields().values()

    def items(self):
        """Return (name, value) of each field, in the order of the table."""
        return self.fields().items()

    def __eq__(self, other):
        return isinstance(other, Message) and self.frame == other.frame

    def __hash__(self):
        return hash(self.frame)

    def __repr__(self):
        from .as_text import describe

        return describe(self)

    def fields(self, kind=None):
        """Return every field by name, in the order of the table; FrameError if it is not a message of this kind.

        Editors and type checkers know the fields of `fields(toolcart.messages.JobInfo)` (docs/library/types.md). With a
        kind they are raw numbers, those of a scaled message too: that is what their types say.
        """
        if kind is not None:
            mid = getattr(kind, "mid", None)
            if mid is None:
                raise FrameError("found %r: a dictionary of toolcart.messages is wanted" % (kind,))
            if mid != self.mid:
                raise FrameError("MID %04d, not %04d" % (self.mid, mid))
            return self.raw().fields()
        if self._whole:
            return self._values or {}
        values = self._values = self.form.read(self.frame)
        self._whole = True
        return values

    def scaled(self):
        """Return the same message with values in place of raw numbers. Not on MicroPython.

        A number with decimals is a Decimal in its unit, a time a datetime.datetime, a value with a name that name, a
        mask the list of its bits' names. Blanks are None, what does not fit is Odd, a number without a name itself.
        """
        return self._with(self.form.scaled())

    def raw(self):
        """Return the same message with raw numbers: this one, unless it is scaled."""
        return self if self.form.plain is self.form else self._with(self.form.plain)

    def _with(self, form):
        """Return the same message in another form."""
        return Message(self.frame, form)

    def to_json(self):
        """Return it as JSON text, of which `from_json` makes the same frame."""
        from .as_json import to_json

        return to_json(self.raw())

    def data(self):
        """Return everything behind the header."""
        return self.frame[HEADER_BYTES:]

    def rest(self):
        """Return what follows behind the fields that are described, empty as a rule."""
        raw = self.raw()
        return self.frame[raw.form.read_tail(self.frame, dict(raw.fields())) :]

    def odd(self):
        """Return the fields whose content does not fit, as name -> Odd."""
        malformed = {}
        collect_odd(self.fields(), "", malformed)
        return malformed

    # -- what a value means ----------------------------------------------------------------------------------------

    def unit(self, name):
        """Return the unit of a field, empty for none. `torque_unit` of the message decides where there is one."""
        unit = self._field(name).unit.partition("~")[0]
        if unit == "Nm" and "torque_unit" in self.form.by_name and self["torque_unit"] is not None:
            return self.meaning("torque_unit")
        return unit

    def ratio(self, name):
        """Return (number, divisor), the exact value of a field in its unit; None where it is no whole number."""
        raw = self.raw()
        field = self._field(name)
        value = raw[name]
        return ratio_of(field, value, raw) if isinstance(value, int) else None

    def decimal(self, name):
        """Return a number as exact decimal text in its unit, `42.37`; None where it is no number."""
        ratio = self.ratio(name)
        return None if ratio is None else decimal_text(ratio[0], ratio[1])

    def number(self, name):
        """Return a number as decimal.Decimal in its unit, exact where its scale is a power of ten; None as above.

        Not on MicroPython, which has no such module.
        """
        import decimal

        ratio = self.ratio(name)
        return None if ratio is None else decimal.Decimal(ratio[0]) / ratio[1]

    def datetime(self, name):
        """Return a time stamp as datetime.datetime, without a zone: the controller's clock; None if it is none."""
        import datetime

        text = self.raw()[name]
        return datetime.datetime.strptime(text, "%Y-%m-%d:%H:%M:%S") if is_time(text) else None

    def meaning(self, name):
        """Return the words for a value, empty where the documents give none."""
        from .meanings import meaning_of

        return meaning_of(self._field(name).values, self.raw()[name])

    def bits(self, name):
        """Return the names of the bits that are set in a mask."""
        from .meanings import bits_of

        return bits_of(self._field(name).values, self.raw()[name])

    # -- header and answer -----------------------------------------------------------------------------------------

    def header(self):
        """Return what the header says beside MID and revision; None where it is blank or no number."""
        fields = {}
        for name in HEADER_FIELDS:
            start, width = HEADER_FIELDS[name]
            raw = self.frame[start : start + width]
            fields[name] = int(raw) if raw.isdigit() else None
        return fields

    def answer(self):
        """Return (MID, revision) of the acknowledgement or the reply that it needs, None if it needs none."""
        answer = self.form.about.answer
        if answer == "-":
            return None
        if answer == "*":
            return self.mid, self.revision
        if answer == "requested":
            mid, revision = self.get("requested_mid"), self.get("requested_revision") or 1
            return (mid, revision) if isinstance(mid, int) and isinstance(revision, int) else None
        if answer[-1] == "r":
            return int(answer[:-1]), self.revision
        return int(answer), 1


if IS_CPYTHON:
    # Where collections.abc has it from: Python's start has read this one, the other takes 4 ms.
    import _collections_abc  # type: ignore - a board has none

    _collections_abc.Mapping.register(Message)  # type: ignore - typeshed has it without its metaclass
