"""Checks ToolsNet as the agent would reach it: the PIM's 12, our 07, its 08, and the server that the 08 names.

Rules
1. Only while no agent is connected for this station: a PIM may take one connection from each.
2. It uses the agent's own session and port, so the reasons are the agent's. The server gets a connection, no telegram.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from toolcart.agent.base.trouble import NO_INFO, NO_PIM, NOT_ALLOWED
from toolcart.agent.cart.status import why_name
from toolcart.agent.link.port import PORT_CLOSED, PORT_OPEN, WHY_TIMED_OUT
from toolcart.agent.outlets.toolsnet.making import session_of
from toolcart.agent.quarantine.entries import needs_operator
from toolcart.agent.toolsnet import session as ts
from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at
from toolcart.board.linux.board import Board
from toolcart.tools.doctor.found import BAD, GOOD, NOTE, SKIPPED, WARN, Found
from toolcart.tools.words import commands, lasting, reasons
from toolcart.tools.words.spans import counted

TURN_S = 0.01
LIMIT_S = 30.0
_IN_VAIN = {ts.PIM_VERIFY: NO_PIM, ts.PIM_INFO: NO_INFO}  # what never came


@dataclass
class Reached:
    """How far it got."""

    session: ts.Session
    lost_in: int = ts.STOPPED
    why: int = 0
    detail: str = ""  # what the port says of it
    server: str = ""


def examine(name: str, configuration: dict, number: int, folder: str, spool: Path) -> list[Found]:
    """Check PIM, server and sequence for one station."""
    toolsnet, system = configuration["toolsnet"], configuration["system"]
    reached = _reach(Board(folder), toolsnet, session_of(ts.Session, toolsnet, system, number))
    shown = {
        "kind": "toolsnet",
        "host": toolsnet["pim_host"],
        "port": toolsnet["pim_port"],
        "server": reached.server,
        "why": why_name(reached.why),
        "why_in": ts.STATE_NAMES[reached.lost_in],
        "why_detail": reached.detail,
    }
    reason = reasons.of_toolsnet(shown)
    place = reasons.address(toolsnet["pim_host"], toolsnet["pim_port"])
    if reason and reached.lost_in <= ts.PIM_INFO:
        return [Found(f"{name} PIM", BAD, reason.words, reason.hint, {"why": reason.slug})]
    sequence = reached.session.info.result_sequence
    words = f"{place} sent its 12, took our 07 and answered 08: server {reached.server}, last result {sequence}"
    found = [Found(f"{name} PIM", GOOD, words, "", {"server": reached.server, "result_sequence": sequence})]
    if reason:
        found.append(Found(f"{name} server", BAD, reason.words, reason.hint, {"why": reason.slug}))
    else:
        found.append(Found(f"{name} server", GOOD, f"{reached.server} accepts connections"))
    return [*found, *compare(number, sequence, spool)]


def _reach(board: Board, toolsnet: dict, session: ts.Session) -> Reached:
    port = board.tls(toolsnet) if toolsnet["tls_ca"] else board.tcp()
    reached = Reached(session)
    stamp = bytearray(19)
    until = time.monotonic() + LIMIT_S
    session.start(board.now())
    try:
        while session.state != ts.STREAMING and time.monotonic() < until:
            now = board.now()
            before = session.state
            opening = before in (ts.PIM_OPENING, ts.SERVER_OPENING)
            if opening and port.state() == PORT_OPEN:
                session.opened(now)
            elif opening and port.state() == PORT_CLOSED:
                session.closed(now)
            elif before in (ts.PIM_VERIFY, ts.PIM_INFO):
                _listen(port, session, now)
            while session.next_event(now) != ts.EV_NONE:
                pass
            session.tick(now)
            _send(port, session, now)
            if session.state == ts.WAITING and before != ts.WAITING:
                reached.lost_in = session.lost_in
                reached.detail = getattr(port, "detail", "")
                reached.why = reached.why or int(port.why) or _IN_VAIN.get(session.lost_in, WHY_TIMED_OUT)
                break
            _obey(port, session, toolsnet, reached, board, stamp)
            time.sleep(TURN_S)
        return reached
    finally:
        session.stop()
        port.close()


def _listen(port, session: ts.Session, now: int) -> None:
    n = port.readinto(session.frames.inlet(), session.frames.free)
    if n > 0:
        session.frames.receive(n)
    elif n < 0:
        session.closed(now)


def _send(port, session: ts.Session, now: int) -> None:
    while session.pending:
        put = port.write(session.tx, session.tx_from, session.pending)
        if put <= 0:
            return
        session.sent(put, now)


def _obey(port, session: ts.Session, toolsnet: dict, reached: Reached, board: Board, stamp: bytearray) -> None:
    command = session.command()
    if command == ts.CMD_NONE:
        return
    port.close()
    if command == ts.CMD_OPEN_PIM:
        board.stamp_into(stamp)
        session.set_stamp(stamp)
        port.open(toolsnet["pim_host"], toolsnet["pim_port"])
    elif command == ts.CMD_OPEN_SERVER:
        named = bytes(session.info.server_address).decode("ascii", "replace").strip(" \0")
        host = toolsnet["host_override"] or (toolsnet["pim_host"] if named in ("", "0.0.0.0") else named)
        number = session.info.server_port or toolsnet["pim_port"]
        reached.server = f"{host}:{number}"
        allowed = toolsnet["allow_hosts"]
        if allowed is not None and host not in (*allowed, toolsnet["host_override"], toolsnet["pim_host"]):
            reached.why = NOT_ALLOWED
            return  # the port stays closed
        port.open(host, number)


def compare(number: int, sequence: int, spool: Path) -> list[Found]:
    """Compare the server's last result with what the spool of station `number` holds and has delivered."""
    name = f"station {number}"
    what = f"{name} sequence"
    if not spool.is_file():
        if sequence == 0:
            return [Found(what, GOOD, "neither the server nor a spool has a result yet")]
        words = f"the server has {sequence} results of this station, and the spool is new"
        hint = "The agent continues after them. If another agent has the station's number, give this one another."
        return [Found(what, NOTE, words, hint)]
    from toolcart.tools.spool import image, report

    try:
        found = image.read(spool)
        account = report.account(found, found.areas[0])
    except (image.ImageError, OSError) as error:
        return [
            Found(what, SKIPPED, f"{spool} cannot be read: {error}", "Only its agent's user may read it; try sudo.")
        ]
    passed, waiting = account["sequence"] or 0, account["waiting"]
    named = sequence_at(passed + waiting) if passed + waiting else 0  # the newest result's number at ToolsNet
    figures = {"server": sequence, "newest": account["newest"], "sequence": named}
    if 0 < (sequence - named) % SEQUENCES < SEQUENCES // 2:
        words = f"the server has results up to {sequence}, the spool has made {named}"
        hint = "Another agent or an older spool used this station's number: give each its own, or ask ToolsNet's side."
        return [Found(what, WARN, words, hint, figures), *_quarantine(spool, found, number)]
    behind = (passed - sequence) % SEQUENCES
    if account["delivered"] and (sequence == 0 or 0 < behind < SEQUENCES // 2):
        doubt = lasting.server_sentence(*(("server behind", behind) if sequence else ("server empty", passed)), number)
        return [Found(what, WARN, f"{doubt}; {waiting} waiting", "", figures), *_quarantine(spool, found, number)]
    words = f"the server has up to {sequence} of {named}: {(named - sequence) % SEQUENCES} are to be sent"
    return [Found(what, GOOD, words, "", figures), *_quarantine(spool, found, number)]


def _quarantine(path: Path, spool, number: int) -> list[Found]:
    """Report what ToolsNet refused: nothing is wrong while there is room for more."""
    quarantine = spool.opened.quarantine
    count = quarantine.count()
    if not count:
        return []
    told = needs_operator(quarantine) if quarantine.pressure() else None
    words = f"{counted(count, 'result')} set aside: refused by ToolsNet, in doubt or unreadable"
    verdict = NOTE if told is None else BAD
    command = commands.quarantine({"number": number, "spool": {"path": str(path)}})
    hint = f"`{command}` shows them; they are offered again while ToolsNet takes the others."
    return [Found(f"station {number} quarantine", verdict, f"{words}: {told['why']}" if told else words, hint)]
