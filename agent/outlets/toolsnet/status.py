"""What is shown of the outlet to ToolsNet; loaded only when that is asked for."""

from toolcart.agent.log.snapshot_fields import DELIVERED, DOUBT_LACKS, DOUBT_TO, again_to
from toolcart.agent.outlets.toolsnet.policy import FINISH, HOLD, RETRY
from toolcart.agent.outlets.toolsnet.reoffer import LATE_OUT
from toolcart.agent.record.text import text_of
from toolcart.agent.toolsnet.session import STATE_NAMES, WAITING

DOING = ("order", "retry", "pass", "pass", "hold", "late")  # by what the policy does


def put_state(shown, upstream):
    """Add the connection, what is refused, and what goes out besides results."""
    _put_connection(shown, upstream)
    put_refused(shown, upstream.policy, upstream.clock.now())
    put_doubt(shown, upstream.policy)
    for source in upstream.sources:
        source.put_state(shown)


def put_refused(shown, policy, now):
    """Add what is refused, what is done about it, and whether only an operator can help."""
    doing = policy.phase
    is_stuck = policy.is_stuck()
    held = doing == HOLD or (doing == FINISH and is_stuck)
    in_vain = policy.passes() > 0
    refuses_all = in_vain and policy.lookahead.others > 0
    shown["refused"] = None
    if doing:
        shown["refused"] = {
            "code": policy.code if policy.code > 0 else 0,
            "number": policy.reoffer.number if doing == LATE_OUT else policy.head,
            "next_try_ms": policy.hold.left(now) if policy.hold.armed else 0,
            "waiting": policy.log.waits(policy.cursor),
            "doing": "hold" if held else "trouble" if doing == RETRY and refuses_all else DOING[doing],
            "trouble": refuses_all,
        }
    # With no room for a longer pass, no pass allowed, or neither room for a good result that would prove the server nor
    # one that no pass has met, only an operator can let the others go on.
    has_hope = policy.lookahead.has_new() or policy.log.has_room(policy.log.room_bytes)
    shown["needs_operator"] = is_stuck or (in_vain and not (policy.parks and has_hope))
    shown["late"] = policy.reoffers.waiting()


def put_doubt(shown, policy):
    """Add how many results ToolsNet lacks of those it had, and how many are being sent again (doubt)."""
    numbers, log = policy.numbers, policy.log
    lacks, doubt_to = numbers[DOUBT_LACKS], numbers[DOUBT_TO]
    shown["lost_there"] = lacks  # at most
    shown["lost_there_kept"] = lacks > 0 and log.first_above(0) <= doubt_to  # the spool still has some of them
    again = policy.resume_point.again
    shown["sent_again"] = shown["sent_again_done"] = 0
    if policy.cursor.number < again_to(numbers):
        from toolcart.agent.outlets.toolsnet.data_loss import left  # rare

        shown["sent_again"] = left(policy)
        shown["sent_again_done"] = max(0, numbers[DELIVERED] - again.base)
    shown["sent_again_since"] = "start" if again.since_start else "order"


def _put_connection(shown, upstream):
    """Add the connection's state, where it leads, and why there is none."""
    session = upstream.session
    address = session.info.server_address
    host = upstream.way.host_override or text_of(address, 0, len(address))
    shown["state"] = STATE_NAMES[session.state]
    shown["host"] = upstream.way.pim_host
    shown["port"] = upstream.way.pim_port
    shown["server"] = "%s:%d" % (host, session.info.server_port)
    shown["server_sequence"] = session.info.result_sequence
    fault = upstream.fault
    shown["why_in"] = STATE_NAMES[fault.state] if fault.why else ""
    shown["why_code"] = fault.code
    shown["next_try_ms"] = session.wait.left(upstream.clock.now()) if session.state == WAITING else 0
