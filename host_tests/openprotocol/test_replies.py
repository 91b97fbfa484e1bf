"""Every error code of MID 0004 has the meaning that DIGEST C.2 gives it."""

from toolcart.agent.openprotocol import replies as r

PORTABLE = True

# Written from DIGEST C.2, "Reaction". Codes that are not here are OTHER.
REACTIONS = (
    ((6, 9, 11, 13, 18, 71), r.REFUSED_EXISTS),
    ((7, 10, 12, 14, 19, 72), r.REFUSED_MISSING),
    ((97, 74, 76), r.REFUSED_REVISION),
    ((96, 16, 35), r.REFUSED_BUSY),
    ((98, 28, 27), r.REFUSED_LATER),
    ((99, 73, 75), r.REFUSED_NEVER),
    ((15,), r.REFUSED_GONE),
)


def test_each_code_from_0_to_999_has_the_class_of_the_digest():
    wanted = {}
    for codes, kind in REACTIONS:
        for code in codes:
            wanted[code] = kind
    for code in range(1000):
        assert r.refusal_class(code) == wanted.get(code, r.REFUSED_OTHER), code


def test_classes_are_different_numbers_below_16():
    kinds = [kind for _, kind in REACTIONS] + [r.REFUSED_OTHER]
    assert len(set(kinds)) == 8 and max(kinds) < 16 and min(kinds) == 0
