"""Open Protocol as a library: every MID and revision decoded and built, out of tables (docs/open-protocol.md).

    from agent import catalogue

    message = catalogue.decode(frame)
    message["torque"], message.decimal("torque"), message.answer()
    frame = catalogue.encode(64, tightening_id=0)

The agent itself uses none of this, and no chip is given it: it is for tools, tests and whoever wants Open Protocol.
"""

from agent.catalogue.errors import FieldError, FrameError, Odd, TableError
from agent.catalogue.extra import extra_data, read_extra
from agent.catalogue.message import Message
from agent.catalogue.registry import CONTROLLER, INTEGRATOR, Catalogue, wire
from agent.catalogue.stream import Frames, Linked
from agent.catalogue.trace import physical_values, samples_of
from agent.catalogue.variable import DataField, Resolution, data_field, resolution

STANDARD = Catalogue()
decode = STANDARD.decode
read = STANDARD.read
decode_parts = STANDARD.decode_parts
encode = STANDARD.encode
encode_linked = STANDARD.encode_linked
acknowledge = STANDARD.acknowledge
register = STANDARD.register
about = STANDARD.about
form = STANDARD.form
mids = STANDARD.mids
revisions = STANDARD.revisions

__all__ = [
    "CONTROLLER",
    "INTEGRATOR",
    "Catalogue",
    "DataField",
    "FieldError",
    "FrameError",
    "Frames",
    "Linked",
    "Message",
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
