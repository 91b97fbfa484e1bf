"""The catalogue itself: finds the table of a MID, makes its forms when they are first used, decodes and encodes.

Rules
1. A category's table is imported and read when one of its MIDs comes; a form is made when its revision comes.
2. What is registered stands before the specification's tables: a vendor's MID of the same number wins.
3. A MID that no table has, or a revision that no table describes, is named as far as it is known and kept raw.
4. What only encoding needs is imported when something is encoded.
"""

from .errors import FieldError, FrameError, message_of, octets_of, quoted
from .forms import HEADER_BYTES, Form
from .index import categories, category_of
from .message import Message
from .small_categories import TABLES
from .table import Mid, read_table

CONTROLLER = "controller"
INTEGRATOR = "integrator"
_OWN_LAYOUTS = 900  # revisions from here on do not go on from those below them
UNKNOWN_KEPT = 512  # forms; beyond that one that no table describes is made again each time
_LETTERS = {CONTROLLER: "C", INTEGRATOR: "I"}


class Catalogue:
    """A set of tables. `sent_by` and `only` narrow it: MIDs of that sender, MIDs of these categories.

    FieldError for a sender or a category that there is none of.

    >>> import toolcart
    >>> own = toolcart.Catalogue(sent_by=toolcart.CONTROLLER, only=["tightening"])
    >>> own.mids()
    [61, 65, 66, 67]
    """

    def __init__(self, sent_by=None, only=None):
        if sent_by is not None and (not isinstance(sent_by, str) or sent_by not in _LETTERS):
            raise FieldError(0, 0, "sent_by", "", sent_by, "controller or integrator")
        if only is not None and not isinstance(only, (list, tuple, set)):
            raise FieldError(0, 0, "only", "", only, "a list of categories")
        for name in () if only is None else only:
            _check_category(name)
        self._letter = _LETTERS[sent_by] if sent_by else ""
        self._only = tuple(only) if only is not None else None
        self._mids = {}  # number -> Mid, of the categories that were read
        self._read = []  # names of those categories
        self._forms = {}  # octets 5 to 11 of a frame -> Form
        self._fixed = {}  # octets 1 to 11 -> Form whose documented length they say
        self._by_revision = {}  # (MID, revision) -> Form

    # -- tables ----------------------------------------------------------------------------------------------------

    def register(self, table, category="registered"):
        """Add a table, text or a module that has one as TABLE: its MIDs, or revisions of MIDs that are there.

        TableError where it is wrong; nothing of it is taken then.

        >>> import toolcart
        >>> own = toolcart.Catalogue()
        >>> table = ["MID 8500 C E - Line speed", "REV 1", "-- speed N3 *rpm"]
        >>> own.register(chr(10).join(table))
        >>> own.decode(b"00238500001         120").unit("speed")
        'rpm'
        """
        from .table_check import check_mid

        text = getattr(table, "TABLE", table)
        mids = read_table(text).values()
        for mid in mids:
            mid.category = category
            registered = self._find(mid.mid)
            if registered is not None and mid.name == registered.name:
                mid.category = registered.category
                revisions = dict(registered.revisions)
                revisions.update(mid.revisions)
                mid.revisions = revisions
            check_mid(mid)
        for mid in mids:
            self._mids[mid.mid] = mid
        self._forms.clear()
        self._fixed.clear()
        self._by_revision.clear()

    def about(self, mid):
        """Return what is known of a MID: name, sender, kind, answer, source, category, revisions.

        FieldError if it is not a MID.

        >>> import toolcart
        >>> toolcart.about(61).name, toolcart.about(61).answer
        ('Last tightening result data', '0062')
        """
        _whole(mid, 0, "mid", "5-8", 0, 9999)
        described = self._find(mid)
        if described is None or not self._offers(described):
            described = Mid(mid, "", "X", "-", "not in the catalogue", "")
        return described

    def mids(self, category=None):
        """Return the numbers of all MIDs of this catalogue, or of one category; FieldError if there is no such one.

        >>> import toolcart
        >>> toolcart.mids("vin")
        [50, 51, 52, 53, 54]
        """
        if category is not None and category not in [mid.category for mid in self._mids.values()]:
            _check_category(category)
        for name in categories():
            if category is None or name == category:
                self._load(name)
        numbers = [n for n in self._mids if self._offers(self._mids[n])]
        return sorted([n for n in numbers if category is None or self._mids[n].category == category])

    def revisions(self, mid):
        """Return the described revisions of a MID.

        >>> import toolcart
        >>> toolcart.revisions(15)
        [1, 2, 3]
        """
        return sorted(self.about(mid).revisions)

    def form(self, mid, revision=1):
        """Return the layout of a revision; its `known` is False where no table describes it.

        FieldError if it is not a MID or a revision.

        >>> import toolcart
        >>> [(field.name, field.bounds()) for field in toolcart.form(19).fields]
        [('pset_id', '21-23'), ('batch_size', '24-25')]
        """
        _whole(mid, 0, "mid", "5-8", 0, 9999)
        _whole(revision, mid, "revision", "9-11", 1, 999)
        form = self._by_revision.get((mid, revision))
        if form is None:
            about = self.about(mid)
            described = about.revisions.get(revision)
            form = Form(about, revision, described, None if described else _below(about.revisions, revision))
            if form.known or len(self._by_revision) < UNKNOWN_KEPT:
                self._by_revision[(mid, revision)] = form
        return form

    def _offers(self, about):
        return self._letter in about.sender and (self._only is None or about.category in self._only)

    def _find(self, mid):
        if mid not in self._mids:
            self._load(category_of(mid))
        return self._mids.get(mid)

    def _load(self, category):
        if not category or category in self._read or (self._only is not None and category not in self._only):
            return
        table = TABLES.get(category)
        if table is None:
            package = __name__[: -len(".registry")]
            table = __import__(package + "." + category, None, None, ("TABLE",)).TABLE
        for number, mid in read_table(table).items():
            if number not in self._mids:
                mid.category = category
                self._mids[number] = mid
        self._read.append(category)  # at the end: another thread waits for nobody, and reads the table itself

    # -- decode and encode -----------------------------------------------------------------------------------------

    def decode(self, buffer, scaled=False):
        """Return the Message in a buffer that holds one frame, with or without a NUL behind it; FrameError if none.

        `scaled`: its fields are values in place of raw numbers, see Message.scaled.

        >>> import toolcart
        >>> toolcart.decode(b"00230018001         002")["pset_id"]
        2
        """
        if scaled:
            return self.decode(buffer).scaled()
        frame = buffer if type(buffer) is bytes else octets_of(buffer)
        form = self._fixed.get(frame[:11])
        if form is not None and len(frame) == form.length:
            return Message(frame, form)
        form = self._forms.get(frame[4:11]) or self._form_of(frame)
        frame = _cut(frame)
        if form.other is not None:
            form = form.for_frame(frame)
        elif form.length == len(frame):
            self._fixed[frame[:11]] = form
        return Message(frame, form)

    def read(self, buffer):
        """Return every field of a frame as a dict: what decode(buffer).fields() gives, without a Message.

        >>> import toolcart
        >>> toolcart.read(b"00230018001         002")
        {'pset_id': 2}
        """
        frame = buffer if type(buffer) is bytes else octets_of(buffer)
        form = self._fixed.get(frame[:11])
        if form is not None and len(frame) == form.length:
            return form.read(frame)
        return self.decode(frame).fields()

    def decode_parts(self, frames, scaled=False):
        """Return the Message that was sent in linked parts; FrameError if one is missing or in the wrong place.

        >>> import toolcart
        >>> parts = toolcart.encode_linked(31, 2, most=40, job_ids=[1, 2, 3, 4, 5])
        >>> toolcart.decode_parts(parts)["job_ids"]
        [1, 2, 3, 4, 5]
        """
        if not isinstance(frames, (list, tuple)):
            raise FrameError("found %s: a list of frames is wanted" % type(frames).__name__)
        data = []
        for index, frame in enumerate(frames):
            one = self.decode(frame)
            header = one.header()
            if header["parts"] != len(frames) or header["part"] != index + 1:
                raise FrameError("part %r of %r at place %d" % (header["part"], header["parts"], index + 1))
            data.append(one.data())
        if not data:
            raise FrameError("no parts")
        return self.decode_joined(bytes(frames[0])[:18] + b"  " + b"".join(data), scaled)

    def decode_joined(self, frame, scaled=False):
        """Return the Message of a frame that was joined from parts: its length, up to 89,841, is not what it says."""
        message = Message(frame, self._form_of(frame).for_frame(frame))
        return message.scaled() if scaled else message

    def _form_of(self, frame):
        if len(frame) < HEADER_BYTES:
            raise FrameError("%d bytes, a header has %d" % (len(frame), HEADER_BYTES))
        if not frame[:8].isdigit():
            raise FrameError("length and MID are %s" % quoted(frame[:8]))
        revision = frame[8:11].strip(b" \0")
        if revision and not revision.isdigit():
            raise FrameError("the revision is %s" % quoted(frame[8:11]))
        mid = int(frame[4:8])
        described = self._find(mid)
        if described is not None and self._letter not in described.sender:
            raise FrameError("MID %04d is sent by the other side" % mid)
        form = self.form(mid, int(revision or b"1") or 1)
        if form.known or len(self._forms) < UNKNOWN_KEPT:
            self._forms[frame[4:11]] = form
        return form

    def from_json(self, text):
        """Return the Message of what `Message.to_json` made; FrameError or FieldError if there is none in it.

        >>> import toolcart
        >>> text = toolcart.decode(b"00230018001         002").to_json()
        >>> toolcart.from_json(text).frame
        b'00230018001         002'
        """
        from .as_json import from_json

        return from_json(self, text)

    def encode(self, mid, revision=None, check=True, **given):
        """Return a frame of named fields, in revision 1 if none is named; FieldError if one cannot be built.

        With a message in place of the MID: that message with these fields changed. With a form: in that layout.
        `check=False` leaves out what is not needed to build it: presence, lists of values, times, characters, the
        header's sense.

        >>> import toolcart
        >>> toolcart.encode(18, pset_id=2)
        b'00230018001         002'
        """
        from .encoding import encode_again, encode_fields

        form = mid
        if isinstance(mid, (Message, Form)):
            if revision not in (None, mid.revision):
                allowed = "%d: fields are changed in the revision that they are of" % mid.revision
                raise FieldError(mid.mid, mid.revision, "revision", "9-11", revision, allowed)
            if isinstance(mid, Message):
                return encode_again(mid.raw(), given, check) if given else mid.frame
        else:
            form = self._form_to_build(mid, revision)
        return encode_fields(form, given, check)

    def encode_linked(self, mid, revision=None, most=9999, check=True, **given):
        """Return the frames of a message in linked parts of at most `most` bytes each; FieldError as from encode().

        >>> import toolcart
        >>> [len(part) for part in toolcart.encode_linked(31, 2, most=40, job_ids=[1, 2, 3, 4, 5])]
        [40, 24]
        """
        from .encoding import encode_parts

        return encode_parts(self._form_to_build(mid, revision), given, most, check)

    def _form_to_build(self, mid, revision):
        _whole(mid, 0, "mid", "5-8", 1, 9999)
        return self.form(mid, 1 if revision is None else revision)

    def acknowledge(self, message):
        """Return the frame that acknowledges an event, by its own MID or by 0005; None if it needs none.

        FrameError for what is no Message.

        >>> import toolcart
        >>> toolcart.acknowledge(toolcart.decode(toolcart.encode(61, 999)))
        b'00200062001         '
        """
        message_of(message)
        answer = message.answer() if message.form.about.kind == "E" else None
        if answer is None:
            return None
        if answer[0] == 5:
            return self.encode(5, mid_accepted=message.mid)
        form = self.form(answer[0], answer[1])
        given = {"bolt_data": 1} if "bolt_data" in form.by_name else {}  # of MID 0108: the next part may come
        return self.encode(form, None, False, **given)


def _whole(value, mid, name, place, least, most):
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise FieldError(mid, 0, name, place, value, "%d to %d" % (least, most))


def _below(revisions, revision):
    """Return the highest described revision below a higher one, None if there is none: 998 and 999 are others."""
    lower = [number for number in revisions if number < min(revision, _OWN_LAYOUTS)]
    return revisions[max(lower)] if lower and revision < _OWN_LAYOUTS and revision > max(lower) else None


def _check_category(category):
    """FieldError if there is no such category."""
    if category not in categories() and category != "registered":
        raise FieldError(0, 0, "category", "", category, "one of " + ", ".join(categories()))


def _cut(frame):
    """Return the frame without the NUL behind it; FrameError if its length is not what it says."""
    length = len(frame)
    if not frame[:4].isdigit():
        raise FrameError("length and MID are %s" % quoted(frame[:8]))
    length_field = int(frame[:4])
    if length_field < HEADER_BYTES:
        raise FrameError("length %d, a header has %d" % (length_field, HEADER_BYTES))
    if length == length_field + 1 and frame[length_field] == 0:
        return frame[:length_field]
    if length != length_field:
        raise FrameError("%d bytes, the length says %d" % (length, length_field))
    return frame


def wire(frame):
    """Return a frame as it goes on the line: with a NUL behind it, but for one that ends in samples (OP 2.4.1 p. 33).

    FrameError for what is no bytes.

    >>> import toolcart
    >>> toolcart.wire(toolcart.encode(9999))
    b'00209999001         \\x00'
    """
    frame = frame if type(frame) is bytes else octets_of(frame)
    return frame if frame[4:8] == b"0900" else frame + b"\0"
