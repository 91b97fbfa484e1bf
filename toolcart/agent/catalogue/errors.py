"""What is said of a frame that is none and of a field that cannot be built: MID, revision, place, found, allowed."""


def quoted(octets):
    """Return octets in quotes, as people read them; what is not ASCII as a question mark."""
    return '"%s"' % "".join([chr(octet) if 0x20 <= octet <= 0x7E else "?" for octet in bytes(octets)])


class FrameError(ValueError):
    """These octets are no frame of Open Protocol, or of none that this catalogue takes."""


class FieldError(ValueError):
    """A field cannot be built. `mid`, `revision`, `field`, `place` (as in the documents), `found` and `allowed`."""

    def __init__(self, mid, revision, field, place, found, allowed):
        self.mid = mid
        self.revision = revision
        self.field = field
        self.place = place
        self.found = found
        self.allowed = allowed
        at = " at %s" % place if place else ""
        super().__init__(
            "MID %04d revision %d, %s%s: found %r, allowed %s" % (mid, revision, field, at, found, allowed)
        )


class Wrong(Exception):
    """A value that a field cannot hold: what is allowed. Whoever knows the message makes a FieldError of it."""


class TableError(ValueError):
    """A table is written wrongly: the text names the line."""


class Odd:
    """A field whose content does not fit its type: its octets, and why. `rest`: they are all up to the end."""

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
