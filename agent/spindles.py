"""Results of several spindles from message to record: MID 0101, 0106 and 0107.

Rules
1. A result is one record, stored when all of it is here, and one record of ToolsNet. What asks for more of it (MID 0108
   with Bolt Data 1) says that it was read; the last acknowledgement says that it is durable.
2. A repeat is one by its ID, or because the log holds it (agent.openprotocol.several). Its bolt data is not asked for
   again.
3. A part that comes again while the cycle is under way is not answered again: the first answer is on its way, and MID
   0108 does not say what it answers. A second one would count for the next part, and at last for a result that is not
   durable.
4. Bolt data that does not come in time is done without: the result is stored as it is.
5. There is nothing to fetch: what was not acknowledged the controller pushes again, from where the subscription rewinds
   to. A controller that is met for the first time is noted as met at once, so that its first result is not missed.

Imported when the first such controller is met.
"""

from agent import health as h
from agent.openprotocol import cycle as cy
from agent.openprotocol.ids import id_of
from agent.openprotocol.known import FLAG_EMPTY, FLAG_KNOWN, FLAGS
from agent.openprotocol.several import ahead_by
from agent.openprotocol.states import EV_SEVERAL_CUT, EV_SEVERAL_LATE
from agent.record.result import FLAG_ODD, HEAD_BYTES, PARKED_BYTES, RESULT_ODD, RESULT_READ, TIGHTENING_ID
from agent.spool.record import FRAME_BYTES, HEAD_OCTETS
from agent.store import KEPT, KEPT_BEFORE, NOT_KEPT


def ready(intake, now):
    """A session stands: note that the controller was met, and how long a record may be."""
    ring = intake.ring
    intake.session.several.cycle.most = payload_most(ring)
    if ring.memory[FLAGS] & FLAG_KNOWN:
        return
    at = ring.begin_memory() if ring.has_spare() else -1
    if at >= 0:
        ring.stage[at + FLAGS] |= FLAG_KNOWN | FLAG_EMPTY
    if at < 0 or ring.commit_memory() != 0:
        intake.health.note(h.NOT_SAVED, 2, now)  # the next session begins with what is new once more


def payload_most(ring):
    """Return how many octets a result of several spindles may have."""
    # The record has to fit behind a HEAD, in the quarantine too, and leave room for what a block keeps free.
    fits = ring.device.block_bytes - HEAD_OCTETS - ring.aligned(FRAME_BYTES) - 2 * ring.memory_octets
    return min(ring.payload_most, fits) - PARKED_BYTES


def handle(intake, event, now):
    """Take an event of a controller with several spindles."""
    cycle = intake.session.several.cycle
    if event == EV_SEVERAL_LATE:
        intake.health.note(h.CONTROLLER_MALFORMED, cy.BOLT_MID, now)
        _store(intake, cycle, False, now)
    elif intake.full:  # an answer would count for the one that was not taken
        intake.session.withhold()
    else:
        _take(intake, cycle, event == EV_SEVERAL_CUT, now)


def _take(intake, cycle, cut_short, now):
    session = intake.session
    link = session.link
    more = session.several.wants_bolts(session)
    found = cycle.take(link.buf, link.at, link.length, session.mid, session.revision, more, now)
    cycle.cut = cycle.cut or cut_short
    if found == cy.CYCLE_WHOLE:
        _store(intake, cycle, True, now)
    elif found == cy.CYCLE_MORE:
        if session.mid == cy.STATION_MID and _is_repeat(intake, cycle, now):
            return
        _answer(session, True)
    elif found == cy.CYCLE_UNREADABLE:
        _keep_unread(intake, now)
    else:
        if found == cy.CYCLE_FOREIGN:
            intake.health.note(h.CONTROLLER_MALFORMED, session.mid, now)
        session.withhold()


def _answer(session, more):
    """Acknowledge; of a PowerMACS ask for `more` of this cycle, or not."""
    push = session._push
    if push.pushed_mid != cy.SYNC_MID:
        push.asks_for_more(more)
    session.acknowledge()


def _into_stage(intake, cycle):
    flags = FLAG_ODD if cycle.found == RESULT_ODD else 0
    intake.store.take_body(cycle.body, cycle.octets, flags, cycle.head, 0)
    return intake.store._complete(flags)


def _is_repeat(intake, cycle, now):
    """Tell whether the log holds the cycle that has just begun; then that is its answer."""
    store = intake.store
    flags = _into_stage(intake, cycle)
    held = 0 if ahead_by(store.known, store.ring.stage, store.body_place()) else store._is_held(flags)
    if held == 0:
        return False
    cycle.give_up()
    _settle(intake, store._known_before(held, now), True, now)
    return True


def _store(intake, cycle, answers, now):
    """All of it is here: make it durable, once, and acknowledge it."""
    link = intake.link
    store = intake.store
    if store.strict and answers:
        if not store._is_sure(cycle.found == RESULT_READ, link.buf, link.at, link.length, intake.session.revision, now):
            intake.session.withhold()
            return
    if cycle.found > RESULT_READ:
        intake.health.count(h.ODD_FIELDS)
    if cycle.cut:
        intake.health.count(h.CUT_SHORT)
    flags = _into_stage(intake, cycle)
    known = store.known
    behind = -1
    if not ahead_by(known, store.ring.stage, store.body_place()):
        held = store._is_held(flags)
        if held:
            _settle(intake, store._known_before(held, now), answers, now)
            return
        if known.memory[FLAGS] & (FLAG_KNOWN | FLAG_EMPTY) == FLAG_KNOWN:
            intake.health.note(h.OUT_OF_SEQUENCE, 0, now)
        if known.is_later(cycle.body, 0):  # it counts anew
            behind = max(id_of(cycle.body, TIGHTENING_ID) - 1, 0)
    kept = store._commit(flags, now)
    intake.session.several.rewind_behind(behind if kept == NOT_KEPT else -1)
    _settle(intake, kept, answers, now)


def _settle(intake, kept, answers, now):
    """What became of the cycle: KEPT, KEPT_BEFORE, NOT_KEPT."""
    session = intake.session
    if kept == KEPT or kept == KEPT_BEFORE:
        if answers:
            _answer(session, False)
        intake._wake_outlets(now)
        return
    if answers:
        session.withhold()
    octets = HEAD_BYTES + session.several.cycle.octets
    if octets > intake.room_bytes:
        intake.room_bytes = octets  # until there is so much room there is no use in coming back
    if not intake.full:
        intake.full = True
        session.stop()


def _keep_unread(intake, now):
    """What nobody can read is kept as it came, and acknowledged, or it would come again for ever."""
    session = intake.session
    link = session.link
    kept = intake.store.put_unread(link.buf, link.at, link.length, now)
    intake.health.note(h.CONTROLLER_MALFORMED, session.mid, now)
    if kept == KEPT or kept == KEPT_BEFORE:
        _answer(session, False)
        intake._wake_outlets(now)
        return
    session.withhold()
    if not intake.full:
        intake.full = True
        session.stop()
