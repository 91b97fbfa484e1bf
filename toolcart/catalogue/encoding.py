"""Builds frames of named fields, whole ones and linked parts, and checks what the documents forbid."""

from .building import build, build_header, build_linked, not_described
from .checks import check_header, check_message
from .forms import HEADER_BYTES, HEADER_FIELDS


def encode_fields(form, given, check):
    """Return a frame in this layout; FieldError if a field cannot be built, or may not be with `check`."""
    if check and not form.known and "data" not in given:
        raise not_described(form)
    header = _header(form, given, check)
    frame = build(form, given, header)
    if check and form.known and form.fields:
        check_message(form, frame, given, None)
    return frame


def encode_parts(form, given, most, check):
    """Return the frames of a message in linked parts of at most `most` bytes each; FieldError as above."""
    frames = build_linked(form, given, _header(form, given, check), most)
    if check and form.known:
        whole = frames[0][:18] + b"  " + b"".join([frame[HEADER_BYTES:] for frame in frames])
        check_message(form, whole, given, None)
    return frames


def encode_again(message, changes, check):
    """Return the frame of a message with some fields changed; the others keep their octets."""
    form = message.form
    header = _header(form, changes, check)
    places = form.places
    is_alone = all("~" not in form.by_name[name].unit for name in changes if name in form.by_name)
    if is_alone and all(name in places and places[name][1] <= len(message.frame) for name in changes):
        frame = bytearray(message.frame)
        built = build(form, changes, {})
        for name in changes:
            start, end = places[name][:2]
            frame[start:end] = built[start:end]
    else:
        values = dict(message.fields()) if form.known else {"data": message.data()}
        for name in changes:
            values[name] = changes[name]
            for count in form.counted:
                if name in form.counted[count] and count not in changes:
                    values[count] = None
        frame = bytearray(build(form, values, {}) + message.rest())
        frame[4:HEADER_BYTES] = message.frame[4:HEADER_BYTES]
        for name in places:
            _, end, _, _, at = places[name]
            if name not in changes and values[name] is not None and end <= len(message.frame):
                frame[at:end] = message.frame[at:end]
    head = build_header(len(frame), message.mid, message.revision, header)
    frame[:4] = head[:4]
    for name in header:
        at, width = HEADER_FIELDS[name]
        frame[at : at + width] = head[at : at + width]
    if check and form.known:
        check_message(form, bytes(frame), changes, changes)
    return bytes(frame)


def _header(form, given, check):
    """Take what is the header's out of `given`."""
    header = {name: given.pop(name) for name in HEADER_FIELDS if name in given}
    build_header(0, form.mid, form.revision, header)
    if check and header:
        check_header(form.mid, form.revision, header)
    return header
