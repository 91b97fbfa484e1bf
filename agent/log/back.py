"""Moves a cursor back by so many of the records that its reader counts. Imported when somebody goes back."""

from agent.log.cursor import Cursor
from agent.log.record import RECORD_NONE


def any_record(log):
    """Everything that a cursor wants has a place in the row."""
    return True


def walk(log, scout, last, counts=any_record):
    """Let the scout pass everything up to number `last`, or up to what cannot be read; it stands behind that."""
    while scout.number < last and log.peek(scout) > RECORD_NONE and scout.found <= last:
        if not counts(log):
            scout.ahead += 1
        scout.advance()


def go_back(log, cursor, rows, counts=any_record):
    """Move the cursor back by so many places of its row, as far as the log still has them; `ahead` follows."""
    log.peek(cursor)  # it stands in front of what it wants next, or at the end
    last, ahead = cursor.number, cursor.ahead
    scout = Cursor()
    scout.wants = cursor.wants
    start = last - rows
    while True:
        log.rewind(scout, start)
        begin = scout.number
        scout.ahead = 0
        walk(log, scout, last, counts)
        lacking = rows - (last - begin - scout.ahead)
        if lacking <= 0 or begin > start:
            break
        start = begin - lacking
    log.rewind(cursor, begin)
    cursor.ahead = ahead - scout.ahead  # may be below 0
