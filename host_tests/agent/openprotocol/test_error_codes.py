"""Every error code of MID 0004 has the meaning that protocol.md 4.2 gives it."""

from toolcart.agent.openprotocol import error_codes

PORTABLE = True


# Written from protocol.md 4.2. Codes that are not here are OTHER.
REACTIONS = (
    ((6, 9, 11, 13, 18, 71), error_codes.REJECTED_EXISTS),
    ((7, 10, 12, 14, 19, 72), error_codes.REJECTED_MISSING),
    ((97, 74, 76), error_codes.REJECTED_REVISION),
    ((96, 16, 35), error_codes.REJECTED_BUSY),
    ((98, 28, 27), error_codes.REJECTED_LATER),
    ((99, 73, 75), error_codes.REJECTED_NEVER),
    ((15,), error_codes.REJECTED_GONE),
    ((0,), error_codes.REJECTED_NOTHING),
)


def test_each_code_from_0_to_999_has_the_class_of_the_digest():
    wanted = {}
    for codes, kind in REACTIONS:
        for code in codes:
            wanted[code] = kind
    for code in range(1000):
        assert error_codes.rejection_class(code) == wanted.get(code, error_codes.REJECTED_OTHER), code


def test_classes_are_different_numbers_below_16():
    kinds = [kind for _, kind in REACTIONS] + [error_codes.REJECTED_OTHER]
    assert len(set(kinds)) == 9 and max(kinds) < 16 and min(kinds) == 0
