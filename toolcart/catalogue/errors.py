"""What is said of a frame that is none and of a field that cannot be built: MID, revision, place, found, allowed."""


def quoted(octets):
    """Return octets in quotes, as people read them; what is not ASCII as a question mark."""
    return '"%s"' % "".join([chr(octet) if 0x20 <= octet <= 0x7E else "?" for octet in bytes(octets)])


def octets_of(buffer):
    """Return a buffer as bytes; FrameError for what is none, of which `bytes` would make something all the same."""
    if not isinstance(buffer, (bytes, bytearray, memoryview)):
        raise FrameError("found %s: bytes are wanted" % type(buffer).__name__)
    return bytes(buffer)


def message_of(message):
    """Return this message; FrameError for what is none, such as the bytes of one."""
    if not hasattr(message, "form") or not hasattr(message, "frame"):
        raise FrameError("found %s: a Message is wanted, as decode() returns it" % type(message).__name__)
    return message


class Error(Exception):
    """The base of every error of this library.

    >>> import toolcart
    >>> try:
    ...     toolcart.decode(b"0020")
    ... except toolcart.Error as error:
    ...     print(error)
    4 bytes, a header has 20
    """


if hasattr("", "isidentifier"):

    class _ValueError(Error, ValueError):
        pass

    class _KeyError(Error, KeyError):
        pass

else:  # MicroPython has no class of two native ones
    _ValueError, _KeyError = ValueError, KeyError


class FrameError(_ValueError):  # type: ignore - one of two
    """These bytes are not a frame of Open Protocol, or not one that this catalogue takes.

    >>> import toolcart
    >>> toolcart.decode(b"0020")
    Traceback (most recent call last):
        ...
    toolcart.FrameError: 4 bytes, a header has 20
    """


class FieldError(_ValueError):  # type: ignore - one of two
    """A field, or another argument, cannot be built or read in this way.

    `mid` and `revision` (0 where they are not known), `field`, `place` (as in the documents), `found`, `allowed`, and
    the `unit` of what is allowed, empty for none.

    >>> import toolcart
    >>> try:
    ...     toolcart.encode(18, pset_id=1000)
    ... except toolcart.FieldError as error:
    ...     error.mid, error.field, error.place, error.found, error.allowed
    (18, 'pset_id', '21-23', 1000, '0 to 999')
    """

    def __init__(self, mid, revision, field, place, found, allowed, unit=""):
        super().__init__(mid, revision, field, place, found, allowed, unit)
        self.mid = mid
        self.revision = revision
        self.field = field
        self.place = place
        self.found = found
        self.allowed = allowed
        self.unit = unit

    def __str__(self):
        head = "MID %04d revision %d, " % (self.mid, self.revision) if self.mid else ""
        at = " at %s" % self.place if self.place else ""
        return "%s%s%s: found %r, allowed %s" % (head, self.field, at, self.found, self.allowed)

    def __reduce__(self):
        found = self.found
        if not isinstance(found, (int, float, str, bytes, type(None))):
            found = repr(found)  # what another process may not have
        arguments = (self.mid, self.revision, self.field, self.place, found, self.allowed, self.unit)
        return FieldError, arguments


class NoField(_KeyError):  # type: ignore - one of two
    """A message has no field of this name: `mid`, `revision`, `field`, and the `names` that it has.

    >>> import toolcart
    >>> try:
    ...     toolcart.decode(toolcart.encode(18, pset_id=2))["torque"]
    ... except toolcart.NoField as error:
    ...     error.field, error.names
    ('torque', ['pset_id'])
    """

    def __init__(self, mid, revision, field, names):
        super().__init__(mid, revision, field, names)
        self.mid = mid
        self.revision = revision
        self.field = field
        self.names = names

    def __str__(self):
        parts = (self.mid, self.revision, self.field, ", ".join(self.names) or "none")
        return "MID %04d revision %d has no field %r; it has: %s" % parts


class InvalidValue(Exception):
    """A value that a field cannot hold: what is allowed. Whoever knows the message makes a FieldError of it."""


class TableError(_ValueError):  # type: ignore - one of two
    """A table is written wrongly: the text names the line.

    >>> import toolcart
    >>> try:
    ...     toolcart.Catalogue().register("MID nix")
    ... except toolcart.TableError as error:
    ...     print(error)
    'MID nix': number, sender, kind and answer are needed
    """


class Odd:
    """A field whose content does not fit its type: its bytes, and why. `rest`: they are all up to the end.

    >>> import toolcart
    >>> toolcart.decode(b"00230018001         0X2")["pset_id"]
    Odd(b'0X2', 'no digits')
    """

    def __init__(self, raw, why, rest=False):
        self.raw = raw
        self.why = why
        self.rest = rest

    def __repr__(self):
        return "Odd(%r, %r)" % (self.raw, self.why)

    def __eq__(self, other):
        return isinstance(other, Odd) and other.raw == self.raw

    def __hash__(self):
        return hash(self.raw)
