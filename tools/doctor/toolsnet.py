"""Checks ToolsNet as the agent would reach it: the PIM's 12, our 07, its 08, and the server that the 08 names.

Rules
1. Only while no agent is connected for this station: a PIM may take one connection from each.
2. The agent's own outlet goes there, so the reasons are the agent's. The server gets a connection, no telegram.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from toolcart.agent.base.counters import Counters
from toolcart.agent.cart.status import why_name
from toolcart.agent.log import snapshot_fields as field
from toolcart.agent.outlets.toolsnet.factory import make
from toolcart.agent.outlets.toolsnet.forward import ToolsNetOutlet
from toolcart.agent.outlets.toolsnet.sequence_break import rows_of
from toolcart.agent.outlets.toolsnet.status import kept_of
from toolcart.agent.quarantine.entries import needs_operator
from toolcart.agent.toolsnet import session as ts
from toolcart.agent.toolsnet.telegram import SEQUENCES, sequence_at
from toolcart.base.path_access import obstacle
from toolcart.board.linux import spool_header as linux_header
from toolcart.board.linux.board import Board
from toolcart.board.linux.plurals import agreeing, counted
from toolcart.board.ram_flash import RamFlash
from toolcart.spool import image
from toolcart.spool.offline_spool import begun, each
from toolcart.tools.doctor.finding import BAD, GOOD, NOTE, SKIPPED, WARN, Finding
from toolcart.tools.messages import attention, commands, reasons
from toolcart.tools.spool import report
from toolcart.tools.spool.waiting import waiting_at

TURN_S = 0.01


def examine(name: str, configuration: dict, number: int, folder: str, spool: Path) -> list[Finding]:
    """Check PIM, server and sequence for one station."""
    settings = configuration["toolsnet"]
    outlet = _tried_outlet(Board(folder), settings, configuration["system"], number)
    status: dict[str, Any] = {
        "kind": "toolsnet",
        "why": why_name(outlet.fault.why),
        "why_detail": getattr(outlet.port, "detail", ""),
    }
    outlet.put_state(status)
    reason = reasons.of_toolsnet(status)
    if reason and outlet.fault.state <= ts.PIM_INFO:
        return [Finding(f"{name} PIM", BAD, reason.words, reason.hint, {"why": reason.slug})]
    server, sequence = reasons.server_endpoint(status).place, status["server_sequence"]
    place = reasons.address(settings["pim_host"], settings["pim_port"])
    words = f"{place} sent its 12, took our 07 and answered 08: server {server}, last result {sequence}"
    if reason.slug == "no port":
        words = f"{place} sent its 12, took our 07 and answered 08: a port that cannot be one, last result {sequence}"
    elif not status["server_port_named"]:
        words += "; it names no port, so the PIM's own is used"
    findings = [Finding(f"{name} PIM", GOOD, words, "", {"server": server, "result_sequence": sequence})]
    if reason:
        findings.append(Finding(f"{name} server", BAD, reason.words, reason.hint, {"why": reason.slug}))
    else:
        findings.append(Finding(f"{name} server", GOOD, f"{server} accepts connections"))
    system = configuration["system"]
    return [*findings, *compare(number, sequence, spool, (system["type"], system["number"], number))]


def _tried_outlet(board: Board, settings: dict, system: dict, number: int) -> ToolsNetOutlet:
    """Return the agent's own outlet, over a log without a result, as it stands after its first attempt."""
    spool = begun(RamFlash())
    assert spool is not None
    port = board.tls(settings) if settings["tls_ca"] else board.tcp()
    parts = {
        "log": spool.log,
        "state": spool.state,
        "quarantine": spool.quarantine,
        "flash_window": None,
        "counters": Counters(),
    }
    station = SimpleNamespace(board=board, system=system, number=number, outlet_ports=[port], **parts)
    outlet = make(settings, station, 0)
    outlet.begin(board.now())
    try:
        while not (outlet.is_up() or outlet.fault.why):  # each wait of a session has its end
            outlet.step(board.now())
            time.sleep(TURN_S)
        return outlet
    finally:
        port.close()


def compare(
    number: int, sequence: int, spool: Path, owner: tuple[int, int, int] = linux_header.NO_OWNER
) -> list[Finding]:
    """Compare the server's last result with what the spool of station `number` holds and has delivered.

    One that belongs to another owner is not compared.
    """
    name = f"station {number}"
    subject = f"{name} sequence"
    hidden = obstacle(spool)
    if hidden:
        return [Finding(subject, SKIPPED, f"not compared, as the spool cannot be read: {hidden}")]
    if not os.path.isfile(spool):
        return [_of_new_spool(subject, sequence)]
    try:
        if words := _owner_words(spool, owner):
            return [Finding(subject, SKIPPED, f"not compared, as the spool {words}")]
        spool_image = image.read(spool)
        if spool_image.opened.is_new:
            return [_of_new_spool(subject, sequence)]
        account = report.account(spool_image, spool_image.areas[0])
    except (image.ImageError, OSError) as error:
        return [Finding(subject, SKIPPED, f"not compared, as the spool cannot be read: {error}")]
    opened = spool_image.opened
    is_ordered = _is_ordered(opened)
    passed = report.passed(opened) if is_ordered else account["sequence"] or 0
    waits = waiting_at(opened, dict(each(opened.log)), 0)
    used = passed + waits - (min(waits, report.sent_again(opened)) if is_ordered else 0)
    newest_number = sequence_at(used) if used else 0  # the newest result's number at ToolsNet
    figures = {"server": sequence, "newest": account["newest"], "sequence": newest_number}
    findings = []
    if sequence and 0 < (sequence - newest_number) % SEQUENCES < SEQUENCES // 2:
        most = "at most " * is_ordered  # where there was a doubt, gaps may be among them
        words = f"the server has results up to {sequence}, the spool has made {most}{newest_number}"
        hint = "Another agent or an older spool used this station's number: give each its own, or ask ToolsNet's side."
        findings.append(Finding(subject, WARN, words, hint, figures))
    missing = (passed - sequence) % SEQUENCES
    if is_ordered and opened.state.broke_at:
        missing = rows_of(opened.state, opened.log.cursors[0], sequence, missing) % SEQUENCES
    lacks, kept = _lacking_results(opened, sequence, missing if account.get("delivered") else 0)
    if lacks:
        doubt = attention.lost_there(lacks, {"number": number, "spool": {"path": str(spool)}}, kept)
        findings.append(Finding(subject, BAD, doubt.words, doubt.hint, figures))
    if not findings:
        left = waits if is_ordered else (newest_number - sequence) % SEQUENCES
        words = f"the server has up to {sequence} of {newest_number}: {left} {agreeing(left, 'is')} to be sent"
        if is_ordered:
            words = f"the server has up to {sequence}, and behind that up to {left} {agreeing(left, 'is')} to be sent"
            words += ", with those that an order has sent again"
        findings.append(Finding(subject, GOOD, words, "", figures))
    return [*findings, *_sent_again_findings(name, opened), *_quarantine_findings(spool, spool_image, number)]


def _is_ordered(opened) -> bool:
    """True if an order has results sent again, and no server has been met since: they go behind what it then has."""
    numbers = opened.state.numbers
    is_back = numbers[field.TAKEN] or numbers[field.TOOLSNET_CURSOR] < field.again_to(numbers)
    return bool(is_back) and not numbers[field.SENT] & field.SENT_MET


def _owner_words(spool: Path, owner: tuple[int, int, int]) -> str:
    """Say whose this spool is, if it is not the owner's; "" also where its header does not tell."""
    header = image.header(spool)
    if header is None or linux_header.NO_OWNER in (owner, header.owner) or header.owner == owner:
        return ""
    return f"belongs to {linux_header.named(header.owner)}, not to {linux_header.named(owner)}"


def _of_new_spool(subject: str, sequence: int) -> Finding:
    """Compare the server's last result with a spool that is not made or not begun yet."""
    if sequence == 0:
        return Finding(subject, GOOD, "neither the server nor a spool has a result yet")
    words = f"the server's last sequence of this station is {sequence}, and the spool is new"
    hint = "The agent continues after that one. If another agent has the station's number, give this one another."
    return Finding(subject, NOTE, words, hint)


def _sent_again_findings(name: str, opened) -> list[Finding]:
    """Report that an order to send results again is not carried out yet."""
    remaining = report.sent_again(opened)
    return [Finding(f"{name} sent again", NOTE, attention.sent_again(remaining).words)] if remaining > 0 else []


def _lacking_results(opened, sequence: int, missing: int) -> tuple[int, int]:
    """Return how many results the server lacks of those it had, and how many of them the spool has, both at most.

    By what the spool knows and by what the server says now: `missing` lie behind that, up to the cursor. What an order
    sends again is not lacking.
    """
    numbers = opened.state.numbers
    lacks, doubt_to = numbers[field.DOUBT_LACKS], numbers[field.DOUBT_TO]
    is_met = numbers[field.SENT] & field.SENT_MET
    is_known = (
        sequence == numbers[field.TAKEN]
        if sequence
        else numbers[field.SENT] & field.SENT_EMPTY or not numbers[field.DELIVERED]
    )
    if is_met and not is_known and (sequence == 0 or 0 < missing < SEQUENCES // 2):
        lacks, doubt_to = max(lacks, missing if sequence else numbers[field.DELIVERED]), numbers[field.CURSOR]
    elif _is_ordered(opened) and 0 < missing < SEQUENCES // 2:  # as note_lost_meanwhile of the agent has it
        lost = max(0, min(missing, (numbers[field.TAKEN] - sequence) % SEQUENCES, numbers[field.DELIVERED]))
        if lost and numbers[field.TAKEN]:
            lacks, doubt_to = lacks + lost, max(doubt_to, numbers[field.CURSOR])
    return lacks, kept_of(opened.log, lacks, doubt_to)


def _quarantine_findings(path: Path, spool, number: int) -> list[Finding]:
    """Report what ToolsNet refused: nothing is wrong while there is room for more."""
    quarantine = spool.opened.quarantine
    count = quarantine.count()
    if not count:
        return []
    operator_need = needs_operator(quarantine) if quarantine.pressure() else None
    words = f"{counted(count, 'result')} set aside: refused by ToolsNet, in doubt or unreadable"
    if quarantine.unreadable:
        words += f"; {quarantine.unreadable} of them at most cannot be read"
    verdict = NOTE if operator_need is None else BAD
    command = commands.quarantine({"number": number, "spool": {"path": str(path)}})
    hint = f"`{command}` shows them; they are offered again while ToolsNet takes the others."
    return [
        Finding(
            f"station {number} quarantine",
            verdict,
            f"{words}: {operator_need['why']}" if operator_need else words,
            hint,
        )
    ]
