"""An example telegram of each described revision: the documents' own, otherwise one built from the table.

Rules
1. The documents' examples are as printed, except for runs of blanks that their text has lost.
2. A built one has every field filled in: numbers of ascending digits, texts that are the field's name, one entry in
   each list. It shows where a field is and how it is written, and nothing about what a controller would send.
"""

from toolcart import catalogue
from toolcart.catalogue import FieldError, data_field, resolution
from toolcart.catalogue.meanings import names_of

PORTABLE = True

BUILT = "built out of the table"

# Line of document 003, the telegram; `_` is a blank.
DOCUMENTED = (
    (3081, "00200001003_________"),
    (3091, "00570002____________010001020103Airbag1__________________"),
    (3255, "00260004____________001802"),
    (3499, "00240005____________0018"),
    (3571, "006800080010________0900001390_____________________________020010020"),
    (3632, "00290011____________002001002"),
    (3683, "00230012____________001"),
    (3704, "01040013____________0100102Airbag1__________________0310403050012000600150007001400080036009007201000480"),
    (4659, "00260031001_________020102"),
    (4700, "00220032____________01"),
    (4973, "00630035____________0101020030040008050003062001-12-01:20:12:45"),
    (5270, "00220039____________01"),
    (5299, "00810041____________01C341212_______02548796____032001-05-07:13:24:5404670919____"),
    (5467, "00310045____________01102003550"),
    (5496, "00240046____________0101"),
    (
        5711,
        "023100610010________010001020103airbag7__________________04KPOL3456JKLO897__________050006003070"
        "000080000090100111120008401300140014001200150007391600000170999918000001900000202001-06-02:09:54"
        ":09212001-05-29:12:34:3322123345675____",
    ),
    (
        6565,
        "01180065001_________01456789____02AIRBAG___________________0300104000205006007008001467090004610"
        "2001-04-22:14:54:34112",
    ),
    (7445, "00530071____________01E404021031042008-06-02:10:14:26"),
    (7530, "00240074____________E406"),
    (7551, "00560076____________01102E404031041052008-06-02:10:14:26"),
    (7686, "00670091____________01020200012032001-06-02:10:14:26041050120102041"),
    (9611, "00300200____________0102301230"),
    (9690, "00280211____________00100111"),
    (11104, "00280240____________12345678"),
    (11648, "00200270____________"),
    (11743, "002903000000________010010200"),
    (12415, "006400080010________0900001350_____________________________01001"),
)

_TIME = "2024-03-14:09:26:53"
_DIGITS = "1234567890123456789"


def frame_of(text):
    """Return the octets of an example."""
    return text.replace("_", " ").encode()


def example(form):
    """Return (telegram, source) for a form of the catalogue."""
    for line, text in DOCUMENTED:
        frame = frame_of(text)
        if int(frame[4:8]) == form.mid and (int(frame[8:11].strip() or 1)) == form.revision:
            return frame, "003:%d" % line
    values = {name: value for name, value in _values(form.fields).items() if value is not None}
    while True:
        try:
            return catalogue.encode(form, None, True, **values), BUILT
        except FieldError as error:  # relations between fields, and types that need other values
            if error.field not in values:
                raise
            del values[error.field]


def _values(fields):
    counts = [field.count for field in fields if isinstance(field.count, str)]
    return {field.name: _value(field) for field in fields if field.kind != "'" and field.name not in counts}


def _value(field):
    if field.kind == "Z":
        return [0, 12, 345]
    times = 1 if field.count == "*" or isinstance(field.count, str) else field.count
    if times is None or (field.width is None and field.kind in "NTBH"):
        return _one(field)
    return [_one(field) for _ in range(times)]


def _one(field):
    if field.kind in "VU":
        return data_field(2001, 12.5, unit=1)
    if field.kind == "R":
        return resolution(0, 2, 2.0)
    if field.kind == "G":
        return _values(field.members)
    if field.kind == "F":
        return 12.5
    if field.kind in "NBI":
        names = names_of(field.values)
        if names and field.kind != "B":
            return 1 if 1 in names else min(names)
        return int(_DIGITS[: max((field.width or 4) - 1, 1)])
    if field.kind == "D":
        return _TIME
    return field.name.upper().replace("_", " ")[: field.width or 40].rstrip()
