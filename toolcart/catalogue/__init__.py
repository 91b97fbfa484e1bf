"""Open Protocol as a library: every MID and revision decoded and built, out of tables (docs/library/catalogue.md).

    from toolcart import catalogue

    message = catalogue.decode(frame)
    message["torque"], message.decimal("torque"), message.answer()
    frame = catalogue.encode(64, tightening_id=0)

The agent itself uses none of this, and no chip is given it: it is for tools, tests and whoever wants Open Protocol.
"""

from .errors import Error, FieldError, FrameError, NoField, Odd, TableError
from .extra import extra_data, read_extra
from .message import Message
from .registry import CONTROLLER, INTEGRATOR, Catalogue, wire
from .stream import Frames, Linked
from .trace_samples import physical_values, samples_of
from .variable import DataField, Resolution, data_field, resolution

STANDARD = Catalogue()
decode = STANDARD.decode
read = STANDARD.read
decode_parts = STANDARD.decode_parts
encode = STANDARD.encode
encode_linked = STANDARD.encode_linked
from_json = STANDARD.from_json
acknowledge = STANDARD.acknowledge
register = STANDARD.register
about = STANDARD.about
form = STANDARD.form
mids = STANDARD.mids
revisions = STANDARD.revisions

if __name__ == "toolcart.catalogue":  # the folder may stand alone, in another program
    for _error in (Error, FieldError, FrameError, NoField, TableError):
        _error.__module__ = "toolcart"  # where who catches it gets it from

__all__ = [
    "CONTROLLER",
    "INTEGRATOR",
    "Catalogue",
    "DataField",
    "Error",
    "FieldError",
    "FrameError",
    "Frames",
    "Linked",
    "Message",
    "NoField",
    "Odd",
    "Resolution",
    "TableError",
    "about",
    "acknowledge",
    "data_field",
    "decode",
    "decode_parts",
    "encode",
    "encode_linked",
    "extra_data",
    "form",
    "from_json",
    "mids",
    "physical_values",
    "read",
    "read_extra",
    "register",
    "resolution",
    "revisions",
    "samples_of",
    "wire",
]
