"""What a controller is asked about its old results, phase by phase, and what an answer means.

`top` is the highest result known, with its ID; N the newest that the controller has, as it has shown; K how many
IDs in a row that are gone end a walk up or down (toolcart.agent.openprotocol.id_ownership). Rules are those of
toolcart.agent.openprotocol.recovery; W1 to W4 are below.

    phase     asks for             it is there                         it is gone (15)
    NEWEST    0                    top: COMMIT; at the first meeting   WITNESS, since 0 may be unknown there: a push of
                                   too, after a pause; else WITNESS,   this connection is N, or one since top, not above
                                   or WALK if it is not above top and  it. Without top: COMMIT, there is nothing.
                                   no ID can be off; in doubt: PROBE;
                                   it shows nothing: as if gone
                                                                       Rejected otherwise: WITNESS before OFF; NO_ID by
                                                                       rule 10
    PROBE     N + 1, in doubt      below N + 1: the stations share     they do not; either way on as from NEWEST
                                   the IDs (shared_ids.py)
              what came below it   there: they share them; else not   they do not; either way NEWEST
              the log's newest     its station is ours                 whether or not: NEWEST
    WITNESS   top, or the push     the same: CONFIRM; without N:       NEARBY; COMMIT, if 0 was gone too (rule 10)
              that came last       COMMIT from top+1; another: NEARBY,
                                   it is N if there is none; cannot
                                   be read: COMPARE (rule 11)
    CONFIRM   N, under its ID      the same, above top: COMMIT         NEWEST, where ID 0 is as if gone
              (newest_check.py)    top+1..N; else NEARBY; another: as gone
    NEARBY    top + 8 or N, then   the next one; after the last        the same; WALK if this is the first and top gone
              the next to top, up  one WALK
              to 8 away            N not above top: UPWARD in front of each WALK; N above top, and pushes without an
              (nearby_search.py)   ID of the memory: none of these, COMMIT top+1..N
    WALK      downward from N,     goes on; not above top, and not     goes on; at its end COMMIT all from the lowest
              just below top if it later than it: its end              that is there, in FILL fetch on from it
              was pushed, N above
              (id_walk.py)
    UPWARD    upward from N, where goes on                             goes on; after K in a row COMMIT
              0 is gone, at COMMIT
              upward from top, N not goes on                           goes on; after K in a row that are gone,
              above (ended_count.py)                                   or in the log, WALK
              upward from N, behind  goes on                           goes on; after K in a row COMMIT: of a count
              that WALK, or, N above                                   that has ended, too, FILL of the one before
              top, in front of it                                      it, then NEWEST
    COMMIT    - (look_conclusion.py)      written down (W1): FILL; refused: COMMIT after a pause
    COMPARE   what was pushed      is it that, in another writing?     the next one; at last NEWEST, with what that
              (differing_formats)  (the same)                         has shown
              what is in front     is it that? (the same)             the next one; at last as from WITNESS, or
              of top (rule 11)                                        neither: WALK, and no new count
              what was pushed in   is it the later push?              FILL
              two counts           FILL (oldest_first.py)
    OWN_IDS   downward, shared     is it ours? (shared_ids.py)         the stretch is known: FILL; goes on, to K in
                                                                       a row, where no answer is below its question;
                                                                       not known yet: NEWEST, to PROBE
    FILL      the oldest missing   the first of a run of pushes:       close it, count it; at the end of the range W2
              (range_fetch.py)     close the run; else store it, close it
    IDLE      -                    what may be missing: FILL, WALK or OWN_IDS; asked to poll: POLL
    POLL      0, then top + 1      is it top? (subscription_check)    top + 1, since 0 may be unknown there; then IDLE
    OFF       -                    rejected: NEWEST in an hour, W4; else the rest of the connection
    NO_ID     -                    a push that has an ID: NEWEST (also where only a push shows whether IDs are off)
    CLOSED    -                    a session is ready: NEWEST, or OFF where that is configured or cannot be; where it
                                   answered nothing before OFF, W4 and NEWEST at once

    The first ID of a connection that would count as gone turns to NEWEST instead, unless top was found as it was
    pushed: pushed IDs may not be those of the memory (stored_contents.py). In front of WALK and FILL the log's newest
    results are read, in turns: what is stored though one of them has its time and values is counted as stored again.

    event     what it does in any phase
    opened    NEWEST               closed      W2, CLOSED              push does not fit      W2, NEWEST (rule 5)
    rejected  never known: OFF, of ID 0 WITNESS; a revision: the next one, else the same; rule 3; before an answer,
              without a usable code: each revision once, or often "later": each in turn (question_revisions.py);
              anything else as silent
    answered  where nothing was before: NEWEST
    another   than was asked for, and not below it at stations that share the IDs: once more, then as gone. If `top` was
              never pushed: NO_ID, and after a push it is what WITNESS and NEARBY ask for (other_ids.py). Too often:
              rule 9
    late      as if in time, until the same is asked for again; of FILL, whatever is asked for by then: stored, and
              closed when it has its turn (toolcart.agent.station.late_answers)
    in vain   in FILL, twice, or twice when the connection ended: toolcart.agent.openprotocol.deferred_ids
    silent    recovery_request.py; given up (unanswered_requests.py): in FILL closed; where one that is there is
    or later  answered, gone, in WITNESS and NEARBY in any case; else it may be there
              PROBE: they do not share them; POLL: IDLE; NEWEST without an ID, five times, where pushes have none
              either: NO_ID, or OFF at a controller that never answered anything

    W1  one snapshot: top, what is missing, whose the IDs are, and whether they began again; what was missing before and
        is lost then is reported first, once (lost_ids.py)
    W2  toolcart.agent.openprotocol.gap_fill        W3  top under its own ID (rule 7)      W4  unfetchable.py
"""

from toolcart.agent.base.compat import const

PHASE_IDLE = const(0)
PHASE_NEWEST = const(1)
PHASE_PROBE = const(2)  # an ID never made: if the newest below it comes, all stations share the IDs
PHASE_WITNESS = const(3)  # the highest ID known: does it still mean the same result?
PHASE_NEARBY = const(4)  # an ID near that one: is it there?
PHASE_WALK = const(5)  # downward, to what the controller still has
PHASE_UPWARD = const(6)  # upward, to what is above the newest or the highest ID known: ID 0 may not show it
PHASE_COMMIT = const(7)  # what was concluded is to be written down
PHASE_OWN_IDS = const(8)  # all stations share the IDs: which of the missing ones are ours?
PHASE_FILL = const(9)
PHASE_POLL = const(10)  # is the newest still the highest known? If not, something was not pushed
PHASE_COMPARE = const(11)  # is what was pushed kept in another writing? (toolcart.agent.openprotocol.differing_formats)
PHASE_CONFIRM = const(12)  # the newest, under its own ID (toolcart.agent.openprotocol.newest_check)
PHASE_OFF = const(13)  # from here on nothing is asked
PHASE_NO_ID = const(14)  # the newest has no ID: until one has
PHASE_CLOSED = const(15)
LOOK_AGAIN_MS = const(60000)  # between two looks that pushes make start over
ON_ITS_WAY_MS = const(2000)  # after one that was missing, or before the first contact counts, more may be pushed
GRACE_MS = const(10000)  # in which a push of which a part was acknowledged may come whole
OFF_MS = const(3600000)  # until a controller that cannot be asked is asked again
PHASES_OF_KNOWN = (PHASE_WITNESS, PHASE_NEARBY)
PHASES_OF_SEARCH = PHASES_OF_KNOWN + (PHASE_WALK, PHASE_UPWARD, PHASE_COMPARE, PHASE_CONFIRM)  # for what may be gone
PHASE_NAMES = (
    "idle",
    "asking for the newest",
    "asking whether the stations share the IDs",
    "asking for the last known",
    "asking for the last known",
    "walking back",
    "walking up",
    "writing down",
    "looking for our own",
    "filling",
    "asking for the newest again",
    "asking for what was pushed",
    "asking for the newest under its ID",
    "off",
    "off",
    "idle",
)

OUTCOME_NONE = const(0)
OUTCOME_STORE = const(1)  # the fetched result has to be stored
OUTCOME_RESET = const(2)  # the controller's IDs have restarted
OUTCOME_ASK_AGAIN = const(3)  # end the session: the next one shows whether this is another controller
OUTCOME_NO_OWNER = const(4)  # an answer that may be another station's does not say whose it is: nothing can be fetched
OUTCOME_OFFSET = const(5)  # it is known by how much the IDs of this controller's answers are off
OUTCOME_KNOWN = const(6)  # of a poll: there is nothing that is not known
OUTCOME_UNKNOWN = const(7)  # of a poll: there is; `polled` is its ID

# What a part of the recovery returns where another part knows what follows; the station never sees one.
STEP_ABSENT = const(16)  # what was asked for is not there, or it is as if it were not
STEP_ANOTHER = const(17)  # it was answered with another result
STEP_MAY_BE_THERE = const(18)  # it was not answered: go on as if it were there
STEP_COMPARE_NEWEST = const(19)  # whose the IDs are is known: compare the newest with the highest result known
STEP_WITHOUT_NEWEST = const(20)  # ID 0 shows nothing
STEP_COUNT_GOES_ON = const(21)  # the highest ID known still means the same
STEP_EMPTY = const(22)  # the controller has nothing

SHARING_AUTO = const(0)  # whether all stations share the controller's IDs: as its answers show
SHARING_OWN = const(1)  # they do not
SHARING_ALL = const(2)  # they do
