"""The extra data of the generic MIDs 0006, 0008 and 0009, by the MID that is asked for.

    extra_data(8, 1201, alternative=0)        text for encode(8, ..., extra=...)
    read_extra(message)                       the same back as fields; None where nothing is described

A table for each generic MID. A revision is an alternative and one more; 1 is all that have none of their own.
"""

from .errors import FieldError, Odd, message_of
from .forms import HEADER_BYTES, Form
from .message import Message
from .table import read_table

REQUEST = """
MID 0067 I Q - Tightening result list @later 6
REV 1
-- start_index N10 0 is the most recent
-- count N3
MID 0702 I Q - Generic tool data @later 15
REV 1
01 tool_number N4
MID 0704 I Q - Generic tool status @later 15
REV 1
-- tool_number N4
-- pid_count N3
-- pids N6[pid_count]
MID 0900 I Q - Trace @later 6
REV 1
-- index N10 0 is the newest
-- trace_type N3 =TRACE
-- tool_number N4
MID 0901 I Q - Trace plot parameters @later 6
REV 1
-- index trace_type tool_number
MID 1201 I Q - Operation result @later 6
REV 1
-- index N10 0 is the newest
MID 2501 I Q - Tightening program @OP 5.3.19.1 p. 102
REV 1
-- program_id N4 0 is all
-- node_type N3 =NODE
"""

SUBSCRIBE = """
MID 0704 I S - Generic tool status @later 15
REV 1
-- tool_number N4
-- pid_count N3 at most 10
-- pids G[pid_count]
. pid N6
. change N3 sent when the value has moved by more; 0 is every change
MID 0900 I S - Trace @OP 5.27.1.1 p. 260
REV 1
-- alternative N1 =ALTERNATIVE
-- time D19
-- index N10
!OP 5.27.1.1 p. 260 "send object data" stands between here and is 1201's: no example has it, nor 2.9 (protocol.md 6.1)
-- trace_type_count N2
-- trace_types N3[trace_type_count] =TRACE
REV 4
-- alternative N1 =ALTERNATIVE
-- first_index N10
-- last_index N10
-- trace_type_count trace_types
REV 5
-- alternative N1 =ALTERNATIVE
-- first_unix_time N10
-- last_unix_time N10
-- trace_type_count trace_types
MID 1201 I S - Operation result @OP 5.9.1.1 p. 154
REV 1
-- alternative time index
-- send_objects N1 =YES
REV 4
-- alternative first_index last_index send_objects
REV 5
-- alternative first_unix_time last_unix_time send_objects
MID 1601 I S - Dynamic identifier @later 9
REV 1
-- alternative N1 0 is all, 2 those that are named (MT notes on MID 1601)
-- format N1
REV 3 +1
-- pid_count N3
-- pids N5[pid_count]
MID 2501 I S - Tightening program @OP 5.3.19.1 p. 102
REV 1
-- program_id N4 0 is any
-- node_type N3 =NODE
"""

UNSUBSCRIBE = """
MID 0704 I S - Generic tool status @later 15
REV 1
-- tool_number N4
MID 0900 I S - Trace @OP 5.27.1.2 p. 262
REV 1
-- trace_type_count N2
-- trace_types N3[trace_type_count] 999 is all
"""

# What is not given: 1201 wants zeros (OP 5.9.1.1 p. 154), 0900 blanks as in its example (OP 5.27.1.1 p. 261).
_GIVEN = {(8, 1201): {"alternative": 0, "time": "0" * 19, "index": 0, "send_objects": 1}, (8, 900): {"alternative": 0}}
_TEXTS = {6: REQUEST, 8: SUBSCRIBE, 9: UNSUBSCRIBE}
_tables = {}


def extra_form(generic, mid, alternative=0):
    """Return the layout of the extra data, None where none is described."""
    if not isinstance(generic, int) or not isinstance(mid, int) or generic not in _TEXTS:
        return None
    if generic not in _tables:
        _tables[generic] = read_table(_TEXTS[generic])
    about = _tables[generic].get(mid)
    if about is None:
        return None
    wanted = alternative + 1 if alternative + 1 in about.revisions else 1
    return Form(about, wanted, about.revisions[wanted])


def extra_data(generic, mid, **given):
    """Return the extra data as text; FieldError where it cannot be built.

    >>> import toolcart
    >>> toolcart.extra_data(6, 1201, index=5)
    '0000000005'
    """
    from .building import build_data
    from .checks import check_message

    alternative = given.get("alternative")
    form = extra_form(generic, mid, alternative if isinstance(alternative, int) else 0)
    if form is None:
        allowed = "6, 8 or 9 with a MID whose extra data is described"
        raise FieldError(0, 0, "extra data", "", (generic, mid), allowed)
    values = dict(_GIVEN.get((generic, mid), {}))
    for name in list(values):
        if name not in form.by_name:
            values.pop(name)
    values.update(given)
    raw = b"".join(build_data(form, values).list)
    check_message(form, b"0" * HEADER_BYTES + raw, given, given)
    return raw.decode()


def read_extra(message):
    """Return the fields of the extra data of a message 0006, 0008 or 0009; None where nothing is described.

    FrameError for what is no Message.

    >>> import toolcart
    >>> extra = toolcart.extra_data(6, 1201, index=5)
    >>> asked = toolcart.encode(6, requested_mid=1201, requested_revision=1, extra=extra)
    >>> toolcart.read_extra(toolcart.decode(asked))
    {'index': 5}
    """
    if message_of(message).mid not in _TEXTS or not message.form.known:
        return None
    extra = message["extra"]
    mid = message["requested_mid" if message.mid == 6 else "subscribed_mid"]
    if extra is None or isinstance(extra, Odd) or not isinstance(mid, int):
        return None
    raw = message.frame[HEADER_BYTES + 9 :]  # behind MID, revision and length
    form = extra_form(message.mid, mid, int(extra[0]) if extra[0].isdigit() else 0)
    return None if form is None else Message(b"0" * HEADER_BYTES + raw, form).fields()
