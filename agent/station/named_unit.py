"""The unit of a torque that is pushed without one: the last that the controller has named, if that is not Nm.

Rules
1. It is put into the stage before anything is compared or stored: no comparison looks at it.
2. Each such result is counted, and a unit is logged when it is taken over: what was pushed before it was named was
   stored without one, which means Nm, and nothing shows which of these were.
3. Only Nm or another one is in the ledger's state. Which one, a start finds in the newest result that names one: as
   each names one from then on, that is the newest in the log.

Imported where a controller has named another unit than Nm: hardly any does.
"""

from toolcart.agent.base.compat import const
from toolcart.agent.base.fields import fill
from toolcart.agent.log.search import Search
from toolcart.agent.record import KIND_RESULT
from toolcart.agent.record import result as res

# A counter: here, since each constant of toolcart.agent.base.counters takes heap of every board. Its value is the unit.
OTHER_UNIT = const(60)

_LIMITS = res.HEAD_BYTES + res.BODY_BYTES
_UNIT = _LIMITS + res.TORQUE_UNIT


def put(store, now):
    """Give the pushed result in the stage, which names no unit, the one that was named last."""
    log = store.log
    if store.length < _LIMITS + res.LIMITS_BYTES:
        fill(log.stage, log.payload_at + _LIMITS, res.LIMITS_BYTES)
        store.length = _LIMITS + res.LIMITS_BYTES
    unit = store.ledger.unit
    log.stage[log.payload_at + _UNIT] = unit
    counters = store.counters
    counters.count(OTHER_UNIT)
    known = 0
    for _, code, value in counters.log.entries():
        if code == OTHER_UNIT:
            known = value
    if known != unit - 0x30:
        counters.log.add(OTHER_UNIT, unit - 0x30, now)


def find(log, ledger):
    """Let the ledger know the unit of the newest result in the log that names one; False if that cannot be read."""
    search = Search(log)
    search.begin_newest(log.device.block_count)
    place = search.place
    kind = search.next()
    while kind > 0:
        if search.place != place and ledger.unit:  # the newest of a block come last in it
            return True
        place = search.place
        if kind == KIND_RESULT and log.length >= _LIMITS + res.LIMITS_BYTES:
            unit = log.page[log.at + _UNIT]
            if 0x31 <= unit <= 0x38:
                ledger.unit = unit
        kind = search.next()
    return kind >= 0
