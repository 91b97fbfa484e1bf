"""What an error code of MID 0004 means for us and what is done about it, as data (003:3267-3463; DIGEST C.2)."""

from agent.base.compat import const

_START = const(1)
_SUBSCRIBE = const(60)
_UNSUBSCRIBE = const(63)

REFUSED_OTHER = const(0)  # nothing known about it: the request has failed, the session goes on or starts over
REFUSED_REVISION = const(1)  # 97, 74, 76: try the next revision
REFUSED_BUSY = const(2)  # 96, 16, 35: somebody has the slot; stay away for a while
REFUSED_EXISTS = const(3)  # 09, 11, 71: the subscription survived our reconnect
REFUSED_MISSING = const(4)  # 10, 12, 72: nothing to unsubscribe
REFUSED_LATER = const(5)  # 98, 28, 27: the same again later
REFUSED_NEVER = const(6)  # 99, 73, 75: this controller does not know the message
REFUSED_GONE = const(7)  # 15: the result is not there any more

ACT_OVER_BUSY = const(1)
ACT_NEXT_START = const(2)
ACT_CLEAR = const(3)
ACT_NEXT_SUBSCRIBE = const(4)
ACT_OVER_NO_RESULTS = const(5)
ACT_AGAIN_LATER = const(6)
ACT_OVER_REFUSED = const(7)
ACT_SUBSCRIBE = const(8)

_CLASSES = {
    97: REFUSED_REVISION,
    74: REFUSED_REVISION,
    76: REFUSED_REVISION,
    96: REFUSED_BUSY,
    16: REFUSED_BUSY,
    35: REFUSED_BUSY,
    9: REFUSED_EXISTS,
    11: REFUSED_EXISTS,
    71: REFUSED_EXISTS,
    10: REFUSED_MISSING,
    12: REFUSED_MISSING,
    72: REFUSED_MISSING,
    98: REFUSED_LATER,
    28: REFUSED_LATER,
    27: REFUSED_LATER,
    99: REFUSED_NEVER,
    73: REFUSED_NEVER,
    75: REFUSED_NEVER,
    15: REFUSED_GONE,
}

# What a 0004 does while a session begins: MID asked * 16 + class -> ACT_. What is not here: it is over, refused.
_ON_REFUSAL = {
    _START * 16 + REFUSED_BUSY: ACT_OVER_BUSY,
    _START * 16 + REFUSED_OTHER: ACT_NEXT_START,
    _START * 16 + REFUSED_REVISION: ACT_NEXT_START,
    _START * 16 + REFUSED_EXISTS: ACT_NEXT_START,
    _START * 16 + REFUSED_MISSING: ACT_NEXT_START,
    _START * 16 + REFUSED_LATER: ACT_NEXT_START,
    _START * 16 + REFUSED_NEVER: ACT_NEXT_START,
    _START * 16 + REFUSED_GONE: ACT_NEXT_START,
    _SUBSCRIBE * 16 + REFUSED_BUSY: ACT_OVER_BUSY,
    _SUBSCRIBE * 16 + REFUSED_EXISTS: ACT_CLEAR,
    _SUBSCRIBE * 16 + REFUSED_REVISION: ACT_NEXT_SUBSCRIBE,
    _SUBSCRIBE * 16 + REFUSED_NEVER: ACT_OVER_NO_RESULTS,
    _SUBSCRIBE * 16 + REFUSED_LATER: ACT_AGAIN_LATER,
    _UNSUBSCRIBE * 16 + REFUSED_BUSY: ACT_OVER_BUSY,
    _UNSUBSCRIBE * 16 + REFUSED_LATER: ACT_AGAIN_LATER,
    _UNSUBSCRIBE * 16 + REFUSED_MISSING: ACT_SUBSCRIBE,
    _UNSUBSCRIBE * 16 + REFUSED_OTHER: ACT_SUBSCRIBE,
    _UNSUBSCRIBE * 16 + REFUSED_REVISION: ACT_SUBSCRIBE,
    _UNSUBSCRIBE * 16 + REFUSED_EXISTS: ACT_SUBSCRIBE,
    _UNSUBSCRIBE * 16 + REFUSED_NEVER: ACT_SUBSCRIBE,
    _UNSUBSCRIBE * 16 + REFUSED_GONE: ACT_SUBSCRIBE,
}


def refusal_class(code):
    """Return the REFUSED_ class of an error code; REFUSED_OTHER for one without a rule."""
    return _CLASSES.get(code, REFUSED_OTHER)


def action(mid, refused):
    """Return the ACT_ for a request that was refused in class `refused` while a session begins."""
    return _ON_REFUSAL.get(mid * 16 + refused, ACT_OVER_REFUSED)
