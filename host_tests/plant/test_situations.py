"""Situations of one cart: what doctor, status, page, live view and /metrics say is the truth, and one thing."""

from dataclasses import dataclass, field

import pytest

from host_tests.plant.situations import NAME, Stage, Truth

pytestmark = pytest.mark.usefixtures("hasty")

ALL = "status doctor page live"


@dataclass
class Situation:
    """A row: what is done (toolcart's side and the plant's), what is so then, what is said of it and what never."""

    name: str
    orders: str
    truth: Truth
    says: tuple = ()
    never: tuple = ()
    stage: dict = field(default_factory=dict)
    toolsnet: dict = field(default_factory=dict)
    is_usual: bool = False


TWO = {"outlets": ("toolsnet", "mqtt")}
NO_TOOLSNET = {"outlets": ("mqtt", "file")}
WITH_FILE = {"outlets": ("toolsnet", "file")}
SMALL = {"size_kib": 48}
OF_TOOLSNET = ("ToolsNet", "PIM", "delivered", "set aside")
REFUSED = "refused the connection"
NINE_OF_TEN = {"tightening_codes": {one: 17 for one in range(1, 400) if one % 10}}

SITUATIONS = (
    Situation(
        "all is well",
        "start, make 5, delivered",
        Truth(acknowledged=5),
        never=("waits", "missed results", "XX"),
        is_usual=True,
    ),
    # -- one fault
    Situation(
        "ToolsNet is away",
        "start, make 3, delivered, toolsnet off, make 4",
        Truth(acknowledged=7, waiting={"ToolsNet": 4}, down={"toolsnet": "refused"}, codes=(0, 1)),
        says=((ALL, REFUSED),),
    ),
    Situation(
        "the controller is cut off, with 25 results made there",
        "start, make 3, delivered, controller off, make 25 there",
        Truth(acknowledged=3, left_there=25, down={"controller": "refused"}, codes=(0, 1)),
        says=((ALL, REFUSED),),
        never=("nothing missed", "0 missed"),
        is_usual=True,
    ),
    Situation(
        "the broker is away",
        "start, make 3, delivered, broker off, make 60",
        Truth(acknowledged=63, waiting={"MQTT": 60}, down={"mqtt": "refused"}, needs={"outlet": "warn"}, codes=(0, 1)),
        says=((ALL, REFUSED), ("page status doctor", "60"), ("live", "60 waiting")),
        stage=TWO,
        is_usual=True,
    ),
    Situation(
        "a cart without ToolsNet",
        "start, make 3, delivered",
        Truth(acknowledged=3),
        never=OF_TOOLSNET,
        stage=NO_TOOLSNET,
    ),
    Situation(
        "a cart without ToolsNet, whose broker is away",
        "start, make 3, delivered, broker off, make 9",
        Truth(acknowledged=12, waiting={"MQTT": 9}, down={"mqtt": "refused"}, codes=(0, 1)),
        says=((ALL, REFUSED),),
        never=OF_TOOLSNET,
        stage=NO_TOOLSNET,
    ),
    Situation(
        "the file of an outlet is on a read-only disk",
        "start, make 3, delivered, disk_fails write,sync EROFS lines, make 4, needs outlet",
        Truth(acknowledged=7, waiting={"file": 4}, down={"file": ""}, needs={"outlet": "bad"}, codes=(1, 1)),
        says=((ALL, "Read-only file system"),),
        never=("writing", "no result can be stored"),
        stage={**WITH_FILE, "failing": True},
    ),
    Situation(
        "the disk is full beside a spool that has its room",
        "start, make 3, delivered, fill, make 4, delivered, needs disk_full",
        Truth(acknowledged=7, needs={"disk full": "warn"}),
        says=((ALL, "the spool's file system is full"),),
        never=("nothing can be written", "no result can be stored"),
        stage={"card": "small"},
        is_usual=True,
    ),
    Situation(
        "the disk refuses each write",
        "start, make 3, delivered, disk_fails write,sync ENOSPC, make 2 there, needs disk",
        Truth(acknowledged=3, left_there=2, down={"controller": ""}, needs={"disk": "bad"}, codes=(1, 1)),
        says=((ALL, "its file system is full"),),
        never=("the spool is full",),
        stage={"failing": True},
    ),
    Situation(
        "the spool is full",
        "start, toolsnet off, overfill",
        Truth(
            left_there=None,
            waiting=None,
            down={"toolsnet": "refused", "controller": ""},
            needs={"full": "bad"},
            codes=(1, 1),
        ),
        says=((ALL, "the spool is full: the controller keeps its results"), (ALL, "ToolsNet has to take some")),
        stage=SMALL,
    ),
    Situation(
        "ToolsNet refuses one result",
        "start, make 5, aside 1, taken toolsnet",
        Truth(acknowledged=5, set_aside=1, needs={"set aside": "note", "waits late": "note"}),
        says=(("status doctor page", "1 result set aside"),),
        toolsnet={"tightening_codes": {2: 17}},
    ),
    Situation(
        "the quarantine is full",
        "start, make 300, needs operator, hold",
        Truth(
            acknowledged=300,
            set_aside=None,
            waiting=None,
            needs={"operator": "bad", "set aside": "note"},
            perhaps=("refused", "waits late"),
            codes=(1, 1),
        ),
        says=((ALL, "needs an operator"),),
        stage={"size_kib": 256, "spool": {"parked_kib": 32}},
        toolsnet=NINE_OF_TEN,
    ),
    Situation(
        "ToolsNet has lost two results",
        "start, make 6, delivered, forgets 4, needs lost_there",
        Truth(acknowledged=6, down={"toolsnet": ""}, needs={"lost there": "bad"}, codes=(1, 1)),
        says=((ALL, "ToolsNet lacks up to 2 results that it had"),),
    ),
    Situation(
        "the controller's IDs jump ahead",
        "jump 3269, start, make 3, delivered, jump 500000, make 2, delivered",
        Truth(acknowledged=5),
        never=("began again", "begin again", "reset 1 times"),
    ),
    Situation(
        "the configuration is edited",
        "start, make 2, delivered, edit",
        Truth(acknowledged=2, needs={"configuration": "warn"}),
        says=(("status doctor page", "changed since the start"), ("status doctor page", "kill -HUP")),
    ),
    Situation(
        "the configuration is edited under nohup",
        "start nohup, make 2, delivered, edit",
        Truth(acknowledged=2, needs={"configuration": "warn"}),
        says=(("status doctor page", "changed since the start"),),
        never=("kill -HUP", "SIGHUP restarts"),
    ),
    Situation(
        "missed results are not to be fetched, and 5 were missed",
        "start, make 3, delivered, controller off, make 5 there, controller on",
        Truth(acknowledged=3, left_there=5, needs={"fetching": "note"}),
        says=(("status doctor page", "is neither fetched nor counted"),),
        never=("nothing missed",),
        stage={"controller": {"recover": False}},
    ),
    Situation(
        "the controller's IDs jump ahead while it is away",
        "jump 3269, start, make 3, delivered, controller off, jump 500000, make 2 there, controller on, fetched, "
        "delivered",
        Truth(acknowledged=5, needs={"gone": "note"}),
        never=("began again", "begin again", "reset 1 times", "missed results"),
    ),
    # -- two faults
    Situation(
        "the broker is away and ToolsNet refuses",
        "start, make 3, delivered, broker off, toolsnet refuses 9, make 4, needs refused",
        Truth(
            acknowledged=7,
            waiting={"MQTT": 4, "ToolsNet": 4},
            down={"mqtt": "refused", "toolsnet": ""},
            needs={"outlet": "warn", "refused": "bad"},
            codes=(1, 1),
        ),
        says=((ALL, "(code 9)"), ("status doctor page", REFUSED)),
        stage=TWO,
    ),
    Situation(
        "ToolsNet and the controller are away",
        "start, make 3, delivered, toolsnet off, make 2, controller off, make 5 there",
        Truth(
            acknowledged=5,
            left_there=5,
            waiting={"ToolsNet": 2},
            down={"toolsnet": "refused", "controller": "refused"},
            codes=(0, 1),
        ),
        says=((ALL, REFUSED),),
        never=("nothing missed",),
    ),
    Situation(
        "no name server answers, and the disk is full",
        "name off, name on, start, make 3, delivered, fill, name off, toolsnet off quietly, make 4, needs disk_full",
        Truth(
            acknowledged=7, waiting={"ToolsNet": 4}, down={"toolsnet": ""}, needs={"disk full": "warn"}, codes=(0, 1)
        ),
        never=("nothing can be written", "no result can be stored"),
        stage={"card": "small", "names": True, "toolsnet": {"pim_host": NAME}},
    ),
    Situation(
        "the disk is full beside a spool that has its room, and the file of an outlet has none",
        "start, make 3, delivered, fill, make 40, needs disk_full outlet, taken toolsnet",
        Truth(
            acknowledged=43,
            waiting=None,
            down={"file": ""},
            needs={"disk full": "warn", "outlet": "bad"},
            codes=(1, 1),
        ),
        says=((ALL, "No space left on device"),),
        never=("nothing can be written", "no result can be stored", "writing"),
        stage={**WITH_FILE, "card": "small"},
    ),
    Situation(
        "the disk refuses each write while ToolsNet is away",
        "start, make 3, delivered, toolsnet off, make 2, disk_fails write,sync EIO, make 2 there, needs disk",
        Truth(
            acknowledged=5,
            left_there=2,
            waiting={"ToolsNet": 2},
            down={"controller": "", "toolsnet": "refused"},
            needs={"disk": "bad"},
            codes=(1, 1),
        ),
        says=((ALL, "the disk reports errors"),),
        stage={"failing": True},
    ),
    Situation(
        "the card is read-only, and the service is stopped",
        "start, toolsnet off, make 32, stop, card_is ro, toolsnet on quietly",
        Truth(acknowledged=32, waiting={"ToolsNet": 32}, codes=(3, 1)),
        says=(("doctor", "up to 32 results wait for ToolsNet"), ("doctor", "ead-only")),
        never=("0 are to be sent", "0 results set aside", "results can be stored"),
        stage={"card": "small"},
        is_usual=True,
    ),
    Situation(
        "the agent was killed while both outlets were away",
        "start, make 3, delivered, toolsnet off, broker off, make 5, kill",
        Truth(acknowledged=8, waiting={"ToolsNet": 5, "MQTT": 5}, codes=(3, 1)),
        stage=TWO,
    ),
    Situation(
        "the service starts beside a read-only card",
        "start, toolsnet off, make 32, stop, card_is ro, start service spoolless",
        Truth(acknowledged=32, waiting={"ToolsNet": 32}, spool_is_up=False, codes=(1, 1)),
        says=((ALL, "Read-only file system"),),
        never=("nothing missed",),
        stage={"card": "small"},
    ),
    Situation(
        "the card with the spool and the file of an outlet is read-only, and the service is stopped",
        "start, toolsnet off, make 4, taken file, stop, card_is ro, toolsnet on quietly",
        Truth(acknowledged=4, waiting={"ToolsNet": 4}, codes=(3, 1)),
        says=(("doctor", "up to 4 results wait for ToolsNet"), ("doctor", "ead-only")),
        never=("0 are to be sent", "results can be stored"),
        stage={**WITH_FILE, "card": "small"},
    ),
    Situation(
        "the disk of the spool and of the file of an outlet becomes read-only",
        "start, make 3, delivered, disk_fails write,sync EROFS, disk_fails write,sync EROFS lines, make 2 there, "
        "needs disk",
        Truth(
            acknowledged=3,
            left_there=2,
            down={"controller": ""},
            needs={"disk": "bad"},
            codes=(1, 1),
        ),
        says=((ALL, "its file system is read-only"),),
        never=("lines.jsonl: writing",),
        stage={**WITH_FILE, "failing": True},
    ),
    # -- cured
    Situation(
        "the controller is back, and its 25 results are fetched",
        "start, make 3, delivered, controller off, make 25 there, controller on, fetched, delivered",
        Truth(acknowledged=28),
        never=("missed results", REFUSED),
    ),
    Situation(
        "of two outlets that were away one is back",
        "start, make 3, delivered, toolsnet off, broker off, make 5, toolsnet on, taken toolsnet",
        Truth(acknowledged=8, waiting={"MQTT": 5}, down={"mqtt": "refused"}, needs={"outlet": "warn"}, codes=(0, 1)),
        stage=TWO,
    ),
    Situation(
        "of two outlets that were away both are back",
        "start, make 3, delivered, toolsnet off, broker off, make 5, toolsnet on, broker on, delivered",
        Truth(acknowledged=8),
        never=(REFUSED,),
        stage=TWO,
    ),
    Situation(
        "the disk takes writes again, and ToolsNet is still away",
        "start, toolsnet off, disk_fails write,sync ENOSPC, make 2 there, needs disk, disk_works, well, taken 2",
        Truth(acknowledged=2, waiting={"ToolsNet": 2}, down={"toolsnet": "refused"}, codes=(0, 1)),
        never=("its file system is full",),
        stage={"failing": True},
    ),
    Situation(
        "the full disk has room again",
        "start, make 3, delivered, fill, make 40, needs disk_full outlet, empty, delivered, well",
        Truth(acknowledged=43),
        never=("No space left", "file system is full", "disk full"),
        stage={**WITH_FILE, "card": "small"},
    ),
    Situation(
        "the full spool has room again",
        "start, toolsnet off, overfill, toolsnet on, fetched, delivered, well",
        Truth(left_there=0, perhaps=("again",)),
        never=("the spool is full",),
        stage=SMALL,
    ),
    Situation(
        "ToolsNet takes again what it refused",
        "start, make 2, delivered, toolsnet refuses 9, make 3, needs refused, toolsnet takes, delivered, well",
        Truth(acknowledged=5),
        never=("refuses", "(code 9)"),
    ),
    # -- restarted
    Situation(
        "a restart in the middle of an outage",
        "start, make 3, delivered, toolsnet off, make 4, stop, start, make 2",
        Truth(acknowledged=9, waiting={"ToolsNet": 6}, down={"toolsnet": "refused"}, codes=(0, 1)),
    ),
    Situation(
        "a power cut in the middle of an outage",
        "start, make 3, delivered, toolsnet off, make 4, kill, start, make 2",
        Truth(acknowledged=9, waiting={"ToolsNet": 6}, down={"toolsnet": "refused"}, codes=(0, 1)),
    ),
    Situation(
        "a restart while the controller is away, with 5 results made there",
        "start, make 3, delivered, controller off, make 5 there, stop, start",
        Truth(acknowledged=3, left_there=5, down={"controller": "refused"}, codes=(0, 1)),
        never=("nothing missed",),
    ),
    Situation(
        "a reload while the broker is away",
        "start, make 3, delivered, broker off, make 4, reload, make 1",
        Truth(acknowledged=8, waiting={"MQTT": 5}, down={"mqtt": "refused"}, needs={"outlet": "warn"}, codes=(0, 1)),
        stage=TWO,
    ),
    Situation(
        "a restart of a spool in which one result is set aside",
        "start, make 5, aside 1, taken toolsnet, toolsnet off, make 2, stop, start",
        Truth(
            acknowledged=7,
            set_aside=1,
            waiting={"ToolsNet": 2},
            down={"toolsnet": "refused"},
            needs={"set aside": "note", "waits late": "note"},
            codes=(0, 1),
        ),
        says=(("status doctor page", "1 result set aside"),),
        toolsnet={"tightening_codes": {2: 17}},
    ),
    Situation(
        "the service is stopped, and nothing waits",
        "start, make 5, delivered, stop",
        Truth(acknowledged=5, codes=(3, 1)),
        never=("0 results", "results wait"),
    ),
)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.name, marks=() if row.is_usual else pytest.mark.long("another situation"))
        for row in SITUATIONS
    ],
)
def test_each_voice_says_what_is_so_and_what_the_others_say(site, plants, row):
    with Stage(site, plants(toolsnet=row.toolsnet), **row.stage) as stage:
        stage.carry_out(row.orders)
        stage.judge(row.truth, row.says, row.never)
