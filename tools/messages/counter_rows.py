"""The agent's counters, a row each: what an entry of the log means, how it is shown, and what stays said of it.

Their numbers and names are in toolcart.agent.base.counters. /metrics has them by name, and needs no row.
"""

from __future__ import annotations

from dataclasses import dataclass

# How an entry of the log is shown.
WARNS = "warning"
HARMLESS = "info"
NOT_SHOWN = ""  # a change of state is said in its place


@dataclass(frozen=True)
class Row:
    """`entry`: an entry in words, "" where its name and value say enough; see log_entries.explain for what it may have.

    `level`: how it is shown, WARNS, HARMLESS or NOT_SHOWN. `is_trouble`: it is trouble if it is not zero. `latched`:
    what stays said while it is not: a label, what it is a number of, and what helps ("" for nothing). `is_usual`: so it
    is with some controllers, and its line in the log comes once.
    """

    entry: str = ""
    level: str = WARNS
    is_trouble: bool = False
    latched: tuple[str, str, str] | None = None
    is_usual: bool = False


# -- results ----------------------------------------------------------------------------------------------------------

ROWS = {
    "stored": Row(),
    "recovered": Row(level=HARMLESS),
    "duplicates": Row(level=HARMLESS),
    "raw": Row(
        "a result that cannot be read came, {value} bytes: it is kept as it came",
        is_trouble=True,
        latched=(
            "NOT READ",
            "results since the start that cannot be read: an outlet gets the message as it came, {toolsnet} nothing",
            "`toolcart decode` says why",
        ),
    ),
    "refused full": Row("a result was not taken: the spool is full, and the controller keeps it", is_trouble=True),
    "flash failed": Row(
        "a result was not stored and not acknowledged: {refusal}; `toolcart doctor` looks at the disk", is_trouble=True
    ),
    "not saved": Row("something that has to be durable could not be written; it is tried again"),
    "edge time": Row(level=HARMLESS),
    "no values": Row(is_trouble=True),
    "cut short": Row(is_trouble=True),
    "odd fields": Row(),
    "odd on the line": Row(
        "an impossible result came over the line; it is accepted if it comes again unchanged. "
        "`toolcart line monitor` shows what comes"
    ),
    "out of sequence": Row("a result came out of order by its tightening ID; it is kept as it came"),
    "shifted": Row(
        "a result's fields were found where its revision does not have them; told once a day",
        latched=(
            "SHIFTED",
            "results since the start whose fields were found where their revision does not have them",
            "docs/controllers.md says why",
        ),
        is_usual=True,
    ),
    "other unit": Row(
        "results are pushed without the unit of their torque: from now on they have {unit}, which the controller named "
        "last; those pushed before it did were stored as Nm",
        latched=(
            "UNIT",
            "results since the start pushed without a unit of torque, stored with the one that the controller named "
            "last; what was pushed before it named that was stored as Nm",
            "docs/controllers.md says more",
        ),
        is_usual=True,
    ),
    "text escaped": Row(
        latched=(
            "ESCAPED",
            "results since the start with text that outlets escape: more than printable ASCII, or a tilde",
            "docs/outlets.md says how to decode it",
        ),
        is_usual=True,
    ),
    "events": Row(),
    "traces": Row(),
    "traces odd": Row("a curve was kept though something in it is not as it should be"),
    "traces lost": Row("a curve was not kept: {why}"),
    # -- the controller ----------------------------------------------------------------------------------------------
    "controller connects": Row(),
    "controller losses": Row(level=NOT_SHOWN),
    "controller away": Row(level=NOT_SHOWN),
    "controller refusals": Row("the controller rejected MID {mid:04d} {code}"),
    "controller malformed": Row(
        "the controller's MID {value:04d} could not be used: it does not follow the protocol", is_trouble=True
    ),
    "controller unknown": Row("the controller sent MID {value:04d}, which was not asked for; it was ignored"),
    "controller resets": Row(
        "the controller's tightening IDs do not go on from those known: they began again or went round, its answers "
        "are wrong, or it is another controller",
        is_trouble=True,
    ),
    "other revision": Row(),
    "ids gone": Row(level=NOT_SHOWN, is_trouble=True),
    "ids off": Row(
        "this controller answers MID 0064 with tightening IDs that are off by {value}: they are corrected",
        level=HARMLESS,
    ),
    "no owner": Row(
        "the controller's answers to MID 0064 do not show that a result is of this station: what was missed is not "
        "fetched"
    ),
    "passed over": Row(
        "results are not taken, since MID 0065 names another station: right where stations share the tightening IDs; "
        'else set controller.tightening_ids to "own"',
        level=HARMLESS,
        latched=(
            "PASSED OVER",
            "results not taken since the start, as MID 0065 names another station",
            'if they are of this station, set controller.tightening_ids to "own"',
        ),
        is_usual=True,
    ),
    "unsubscribed": Row(
        "the controller had stopped pushing results while connected: {why}",
        latched=(
            "NOT PUSHED",
            "times since the start the controller stopped pushing results while connected",
            "was the agent stalled, or the controller reconfigured?",
        ),
    ),
    "repeats nothing": Row(
        "this controller sends each result once: what is not stored then has to be fetched, if it keeps any "
        "(docs/controllers.md)",
        level=HARMLESS,
    ),
    "clock apart": Row("the clock of the controller and ours are {value} s apart"),
    "clock set": Row("the controller's clock was {value} s apart from ours and was set"),
    # -- ToolsNet ----------------------------------------------------------------------------------------------------
    "server connects": Row(),
    "server losses": Row(level=NOT_SHOWN),
    "server away": Row(level=NOT_SHOWN),
    "no pim": Row(level=NOT_SHOWN, is_trouble=True),
    "host refused": Row(level=NOT_SHOWN),
    "other host": Row(
        "the PIM names another host for the server than toolsnet.pim_host: {server}; results are to go there",
        level=HARMLESS,
    ),
    "delivered": Row(),
    "resumed": Row(),
    "repeated": Row(level=HARMLESS),
    "refused by server": Row(
        "{toolsnet} refused what was sent with code {value}; it is offered again unless it is given up", is_trouble=True
    ),
    "given up": Row(
        "{toolsnet} did not take an event or a curve: it is given up, and not offered again", is_trouble=True
    ),
    "parked": Row("a result was set aside: {reason}", is_trouble=True),
    "parking failed": Row("the quarantine has no room: what {toolsnet} refuses stays in the spool", is_trouble=True),
    "server silent": Row(
        "{toolsnet} did not acknowledge result {value} in time; the next connection shows whether it has it",
        is_trouble=True,
    ),
    "server foreign": Row(
        "{toolsnet}'s 05 named another telegram than the outstanding one; it acknowledges nothing", is_trouble=True
    ),
    "server unknown": Row("{toolsnet} sent a telegram that was not asked for; it was ignored"),
    "server malformed": Row("{toolsnet} sent something that is not a telegram", is_trouble=True),
    "server empty": Row(
        "{toolsnet} holds no result of station {number}, of up to {value} that {was} delivered: was its database "
        "emptied, or is it another one?"
    ),
    "server behind": Row(
        "{toolsnet} is up to {results} behind what it once had of station {number}: was it restored from an old copy?",
        is_trouble=True,
    ),
    "resume unknown": Row(
        "{toolsnet} has named result {value} of station {number}, which this spool never sent, as far as it knows: is "
        "station {number} used twice, was its spool exchanged, or its newest state lost? Nothing is skipped",
        is_trouble=True,
    ),
    # -- the agent ---------------------------------------------------------------------------------------------------
    "outlet failed": Row(level=NOT_SHOWN, is_trouble=True),
    "faults": Row("a fault inside the agent ended a connection, which begins again", is_trouble=True),
    "drop ordered": Row(
        "an operator ordered a drop at the board's console: results of the quarantine dropped: {value}"
    ),
    "retry ordered": Row("an operator ordered a retry at the board's console: results to be offered again: {value}"),
    "command ordered": Row("an operator gave a command at the board's console, MID {value:04d} (0000: it was refused)"),
}


def row_of(name: str) -> Row:
    """Return the row of the counter of this name; one without anything if it is another version's."""
    return ROWS.get(name, _OF_ANOTHER_VERSION)


_OF_ANOTHER_VERSION = Row()
