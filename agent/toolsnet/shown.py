"""What people want to know of the connection to ToolsNet; loaded while somebody looks."""

from agent.record.text import text_of
from agent.toolsnet.session import STATE_NAMES, WAITING


def put_connection(shown, upstream):
    """Add its state, where it leads, and why there is none."""
    session = upstream.session
    address = session.server_address
    shown["state"] = STATE_NAMES[session.state]
    shown["host"] = upstream.pim_host
    shown["port"] = upstream.pim_port
    shown["server"] = "%s:%d" % (text_of(address, 0, len(address)), session.server_port)
    shown["server_sequence"] = session.result_sequence
    trouble = upstream.trouble
    shown["why_in"] = STATE_NAMES[trouble.state] if trouble.why else ""
    shown["why_code"] = trouble.code
    shown["next_try_ms"] = session.wait.left(upstream.clock.now()) if session.state == WAITING else 0
