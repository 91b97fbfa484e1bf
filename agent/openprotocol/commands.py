"""What a controller can be ordered to do: a row for each command, and how its values become the message.

    select-pset N          MID 0018           abort-job      0127       vin TEXT          0050, else 0150
    batch-size PSET N      0019               batch-up       0128       identifier TEXT   0150
    reset-batch PSET       0020               batch-down     0129       ack-alarm         0078
    job N                  0038               job-off, -on   0130       disable, enable   0042, 0043

Rules
1. A way is a MID, a revision and how the values are written. The next way is tried only if the controller says that it
   does not know this one (codes 97, 99 and the like): then it has done nothing.
2. The shortest form goes first: a controller that reads it in another revision finds too little, never another number.
3. An MT Focus 6000 uses digital inputs for what others have MIDs for (MT "Guide for previous users of Open Protocol").
   Its numbers are its own: 8, which stops the tool there, starts it elsewhere (table 128). So there is no command to
   set an input.
4. What does not fit its field, or the record of the command, is not sent.

Imported only where the setting `commands` (toolcart.agent.cart.settings) allows a command.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.openprotocol import requests as rq
from toolcart.agent.openprotocol.controller_identity import REPEATS_NOTHING
from toolcart.agent.openprotocol.session_states import EV_QUERY, EV_QUERY_REJECTED, EV_QUERY_SILENT

VIN_MOST = const(25)  # OP 5.7.1 p. 130
LONGEST = const(120)  # bytes of the longest message: an identifier of 100 (OP 5.16.1 p. 207)

_PSET = ("parameter set", 999)
_INPUT = const(224)  # MID that sets a digital input, 225 resets it (OP 5.17.16 p. 229)

# For each command: name, values (word and highest number, or "text" and most characters), ways. A way: MID, revision,
# digits of each value or the data itself, whether it is for an MT Focus 6000 only.
COMMANDS = (
    ("select-pset", (_PSET,), ((18, 1, (3,), False),)),  # OP 5.3.9 p. 88
    ("batch-size", (_PSET, ("batch size", 9999)), ((19, 1, (3, 2), False), (19, 2, (3, 4), False))),  # OP 5.3.12 p. 90
    ("reset-batch", (_PSET,), ((20, 1, (3,), False),)),  # OP 5.3.13 p. 91
    ("job", (("job", 9999),), ((38, 1, (2,), False), (38, 2, (4,), False))),  # OP 5.5.9 p. 120
    # OP 5.15.8 p. 200; MT "Guide for previous users of Open Protocol"
    ("abort-job", (), ((127, 1, b"", False), (_INPUT, 1, b"022", True))),
    ("batch-up", (), ((128, 1, b"", False), (_INPUT, 1, b"023", True))),  # OP 5.15.9 p. 200
    ("batch-down", (), ((129, 1, b"", False), (_INPUT, 1, b"024", True))),  # OP 5.15.9 p. 201, revision 1
    ("job-off", (), ((130, 1, b"0", False),)),  # OP 5.15.11 p. 202
    ("job-on", (), ((130, 1, b"1", False),)),
    # OP 5.6.3 p. 125; MT "Guide for previous users of Open Protocol"
    ("disable", (), ((42, 1, b"", False), (_INPUT, 1, b"008", True))),
    ("enable", (), ((43, 1, b"", False), (_INPUT + 1, 1, b"008", True))),
    ("vin", (("text", VIN_MOST),), ((50, 1, b"", False), (150, 1, b"", False))),  # OP 5.7.1 p. 130
    ("identifier", (("text", 100),), ((150, 1, b"", False),)),  # OP 5.16.1 p. 207
    ("ack-alarm", (), ((78, 1, b"", False),)),  # OP 5.10.9 p. 168
)
NAMES = tuple([command[0] for command in COMMANDS])


def row_of(mid, data):
    """Return the row of toolcart.agent.openprotocol.requests for a command: answered by MID 0005, sent once."""
    return (
        mid,
        rq.DONE,
        24,
        False,
        len(data),
        0,
        True,
        EV_QUERY,
        EV_QUERY_SILENT,
        EV_QUERY_REJECTED,
        rq.REPORT_OR_DONE,
    )


def find(name):
    """Return the row with this name, None if there is none."""
    for command in COMMANDS:
        if command[0] == name:
            return command
    return None


def wrong(command, values):
    """Return why these values, a list of text, do not fit the command; "" if they do."""
    name, wanted, _ = command
    if len(values) != len(wanted):
        words = " and ".join(["a " + word for word, _ in wanted]) or "no value"
        return "%s takes %s" % (name, words)
    for index in range(len(wanted)):
        word, most = wanted[index]
        value = values[index]
        if word == "text":
            if not 0 < len(value) <= most or value != value.strip():
                return "%s takes 1 to %d characters, without blanks around them" % (name, most)
            for letter in value:
                if not " " <= letter <= "~":
                    return "%s takes printable ASCII characters alone" % name
        elif not _is_number(value, most):
            return "the %s is a number, 0 to %d" % (word, most)
    return ""


def ways_of(command, values, system_type):
    """Return the ways to send it in order, (MID, revision, data) each; `system_type` is the controller's."""
    own = system_type == REPEATS_NOTHING and [way for way in command[2] if way[3]]
    possible = []
    for mid, revision, form, is_own in own or command[2]:
        if is_own and not own:
            continue
        if isinstance(form, tuple):
            data = _digits(form, values)
        else:
            data = form or "".join(values).encode()
        if data is not None:
            possible.append((mid, revision, data))
    return possible


def _is_number(value, most):
    """True if this is a number from 0 to `most`, digits only."""
    if not 0 < len(value) <= len(str(most)):
        return False
    for letter in value:
        if not "0" <= letter <= "9":
            return False
    return int(value) <= most


def _digits(widths, values):
    """Return the values in fields of these widths, None if one has more digits."""
    data = b""
    for index in range(len(widths)):
        digits = str(int(values[index]))
        if len(digits) > widths[index]:
            return None
        data += (b"0000" + digits.encode())[-widths[index] :]
    return data
