"""What is shown of the outlet to ToolsNet; loaded only when that is asked for."""

from toolcart.agent.base.connection_fault import NOT_WRITTEN
from toolcart.agent.log.snapshot_fields import DELIVERED, DOUBT_LACKS, DOUBT_TO, again_to
from toolcart.agent.outlets.toolsnet.policy import HOLD, LOOKAHEAD, RETRY
from toolcart.agent.outlets.toolsnet.reoffer import REOFFER
from toolcart.agent.toolsnet.session import STATE_NAMES, STREAMING, WAITING

DOING = ("order", "retry", "pass", "pass", "hold", "late")  # by the policy's phase


def put_state(report, upstream):
    """Add the connection, what is refused, and what goes out besides results."""
    _put_connection(report, upstream)
    policy = upstream.policy
    put_refused(report, policy, upstream.clock.now(), upstream.session.proven)
    put_doubt(report, policy)
    if upstream.fault.why == NOT_WRITTEN:
        report["waits_for_flash"] = report["waiting"] > 0  # where the server stands cannot be written down, or read
    elif upstream.session.state == STREAMING and not policy.log.state.is_reliable:
        if policy.phase <= RETRY and policy.cursor.number < policy.in_flight.may_send_to:
            report["waits_for_flash"] = False  # the last snapshot allows it
    for source in upstream.sources:
        source.put_state(report)


def put_refused(report, policy, now, answers):
    """Add what is refused, what is done about it, and whether only an operator can help.

    `answers`: the server has answered something on its last connection. Only then is its silence to a result a refusal,
    and only the second one: a server that is silent to everything is away, as the connection's own reason says.
    """
    phase = policy.phase
    lookahead = policy.lookahead
    is_stuck = policy.is_stuck()
    refuses_all = policy.failed_lookaheads > 0 and lookahead.others > 0
    held = phase == HOLD or (phase != REOFFER and is_stuck and (phase > LOOKAHEAD or not refuses_all))
    code = policy.code
    if refuses_all and code <= 0 < lookahead.code:
        code = lookahead.code
    is_refused = code > 0 or (code == 0 and answers and policy.head_failures > 1)
    # With no room for a longer lookahead, none allowed, or neither room for a good result that would prove the server
    # nor one that no lookahead has met, there is nothing more to try.
    has_hope = lookahead.has_new() or policy.log.has_room(policy.log.room_bytes)
    is_hopeless = is_stuck or (policy.failed_lookaheads > 0 and not (policy.quarantines_refused and has_hope))
    is_hopeless = is_hopeless and (held or is_refused)
    is_all = refuses_all and not held  # so the server may be at fault, and nobody but it can let the others go on
    report["needs_operator"] = is_hopeless and not is_all
    report["refused"] = None
    if held or phase == REOFFER or (phase and is_refused):  # else one is offered of which nothing is known yet
        report["refused"] = {
            "code": code if code > 0 else 0,
            "number": policy.reoffer.number if phase == REOFFER else policy.head,
            "next_try_ms": policy.pause.left(now) if policy.pause.armed else 0,
            "doing": "hold" if held else "trouble" if phase == RETRY and refuses_all else DOING[phase],
            "trouble": refuses_all,
            "tried_all": is_hopeless and is_all,
        }
    report["keeps_order"] = not (
        policy.quarantines_refused or is_stuck
    )  # by a setting the others wait, whatever room is left
    report["late"] = policy.reoffers.waiting()


def kept_of(log, lacks, doubt_to):
    """Return how many of `lacks` results up to the log's number `doubt_to` the log still has, at most."""
    return min(lacks, max(0, doubt_to - log.first_above(0) + 1))


def put_doubt(report, policy):
    """Add how many results ToolsNet lacks of those it had, and how many are being sent again (doubt)."""
    numbers, log = policy.numbers, policy.log
    lacks, doubt_to = numbers[DOUBT_LACKS], numbers[DOUBT_TO]
    report["lost_there"] = lacks  # at most
    report["lost_there_kept"] = kept_of(log, lacks, doubt_to)
    point = policy.resume_point
    unknown = point.unknown
    report["unknown_sequence"], report["perhaps_there"] = (
        (unknown.stored, unknown.perhaps_there) if unknown else (None, 0)
    )
    report["sent_again"] = report["sent_again_done"] = 0
    if policy.cursor.number < again_to(numbers):
        from toolcart.agent.outlets.toolsnet.data_loss import aside, left  # rare

        report["sent_again"] = left(policy)
        report["waiting"] -= aside(policy)
        report["sent_again_done"] = max(0, numbers[DELIVERED] - point.again_base)
    report["sent_again_since"] = "start" if point.again_since_start else "order"


def _server(upstream, host, port):
    """Return a server that an 08 named, "" before one came."""
    if port >= 0:  # else no port has come that can be one
        return host + ":%d" % (port or upstream.pim_port)
    return host if bytes(upstream.session.info.address).strip() else ""


def _put_connection(report, upstream):
    """Add the connection's state, the server of the last 08, and why there is none: `server` is the one that failed."""
    session = upstream.session
    fault = upstream.fault
    number = session.info.port
    host = upstream.server_host()
    report["state"] = STATE_NAMES[session.state]
    report["host"] = upstream.pim_host
    report["port"] = upstream.pim_port
    report["server_named"] = _server(upstream, host, number)
    if fault.why and fault.state in upstream.failed_at:
        host, number = upstream.failed_at[fault.state]
    report["server"] = _server(upstream, host, number)
    report["server_port_named"] = number != 0
    report["server_sequence"] = session.info.result_sequence
    report["why_in"] = STATE_NAMES[fault.state] if fault.why else ""
    report["why_code"] = fault.code
    report["next_try_ms"] = session.wait.left(upstream.clock.now()) if session.state == WAITING else 0
