"""What only Linux keeps or reads of a result of several spindles: special values, and which object an object refers to.

Special values come after the rows and the bolt data that they belong to (toolcart.agent.record.spindles), each as long
as it came; `row` is blank for those of the station (MID 0106):

    byte   0     1     3      5       25     27       29
           | 'S' | row 2 | step 2 | name 20 | type 2 | length 2 | value |
"""

from toolcart.agent.base.fields import number
from toolcart.agent.record import spindles as sp

CPYTHON_ONLY = True  # boards keep none

ROW = 1
STEP = 3
NAME = 5
VALUE = sp.SPECIAL_BYTES


def specials_of(page, at, length):
    """Return for each special value: its row from 0 on (-1: the station), where it begins, and its value's length."""
    specials = []
    extras = [(place, sp.EXTRA_BYTES + values * sp.VALUE_BYTES) for _, place, values in sp.extras_of(page, at, length)]
    behind = dict(extras)
    place = sp.rows_end(page, at)
    end = at + length
    while place + sp.SPECIAL_BYTES <= end:
        if place in behind:
            place += behind[place]
            continue
        octets = number(page, place + sp.SPECIAL_LENGTH, 2)
        if page[place] != sp.SPECIAL or octets < 0 or place + sp.SPECIAL_BYTES + octets > end:
            break
        specials.append((number(page, place + ROW, 2), place, octets))
        place += sp.SPECIAL_BYTES + octets
    return specials


def object_of(page, at, index):
    """Return the type of the object in row `index`, and the ID of the one it refers to; -1 if not given."""
    if sp.form_of(page, at) != sp.OBJECTS:
        return -1, -1
    place = at + sp.PLACE + sp.SYNC_HEAD_BYTES + index * sp.OBJECTS_ROW_BYTES + sp.OBJECT_TYPE
    return number(page, place, 1), number(page, place + 1, sp.OBJECT_BYTES)
