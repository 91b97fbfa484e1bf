"""A disk that refuses, each error at each call: what log, status, doctor and /metrics say is what was done to it.

What is acknowledged stays, what is not stays at the controller; it goes on by itself, and says so once.
"""

import errno
import json
import os
import shutil
import subprocess
import time

import pytest

from toolcart.sim.serve import SimulatedPlant
from toolcart.tools.web.metrics import Agent, text_of
from host_tests.plant.libc import FailingDisk, PrivateMounts
from host_tests.support.running import free_port, wait_for

AGAIN = "the spool can be read and written again"
TOOLSNET = {"kind": "toolsnet"}
SHORT = 0
LOG_BEGINS = 4096 + 260 * 16384  # in a spool of 16 MiB: its header, state and quarantine lie in front

# What is done to the spool's file, and a part of the words and of the advice that have to come.
REFUSALS = [
    ("write", errno.ENOSPC, "its file system is full", "df -h"),
    ("write", SHORT, "its file system is full", "df -h"),
    ("write", errno.EDQUOT, "the quota of the agent's user is used up", "raise its quota"),
    ("write,sync", errno.EROFS, "its file system is read-only", "remount,rw"),
    ("write", errno.EPERM, "may not write it", "lsattr"),
    ("write", errno.EACCES, "may not write it", "lsattr"),
    ("write", errno.EIO, "the disk reports errors", "dying or loose"),
    ("write", errno.ENODEV, "the disk reports errors", "dying or loose"),
    ("write", errno.EFBIG, "it cannot be written", "File too large"),
    ("sync", errno.EIO, "the disk reports errors", "dying or loose"),
    ("sync", errno.ENOSPC, "its file system is full", "df -h"),
    ("sync", errno.EDQUOT, "the quota of the agent's user is used up", "raise its quota"),
]
USUAL = ("write ENOSPC", "write,sync EROFS", "sync EIO")
ALSO = pytest.mark.long("another error of a disk, said in words that another one has")


def refusals():
    names = [f"{calls} {errno.errorcode.get(number, 'short')}" for calls, number, *_ in REFUSALS]
    for name, row in zip(names, REFUSALS, strict=True):
        yield pytest.param(*row, id=name, marks=() if name in USUAL else ALSO)


@pytest.fixture
def disk(site):
    return FailingDisk(site.folder)


@pytest.fixture
def plant():
    with SimulatedPlant() as made:
        yield made


def told(site, cart):
    """The status: as people see it with its exit code, and as machines do."""
    told = site.run("status", "--config", cart)
    machines = json.loads(site.run("status", "--json", "--config", cart).stdout)
    return told.returncode, told.stdout, machines


def all_arrive(plant, count):
    wait_for(f"{count} results at ToolsNet", lambda: len(plant.archive.tightening_ids()) >= count)
    assert plant.archive.tightening_ids() == list(range(1, count + 1)), "each once and in order"
    assert plant.complaints() == []


def needs_of(status):
    """The lines of /metrics that say what is needed."""
    page = text_of([Agent("cart", status)])
    return [line for line in page.splitlines() if line.startswith("toolcart_needs{")]


@pytest.mark.parametrize(("calls", "number", "words", "advice"), list(refusals()))
def test_each_refusal_is_said_as_what_it_is_and_survived(site, plant, disk, calls, number, words, advice):
    spool = site.home / "7.spool"
    cart = site.cart(plant)
    agent = site.start("run", "--plain", "--config", cart, **disk.around)
    agent.wait_for("ToolsNet takes results")
    plant.produce(3)
    all_arrive(plant, 3)
    disk.fails(calls, number, spool)
    plant.produce(3)
    agent.wait_for("no result can be stored, the controller keeps them: ")
    assert len(plant.controller.acknowledged) == 3, "nothing is acknowledged"
    code, status, machines = told(site, cart)
    assert code == 1 and words in status and advice in status, status
    assert "full" not in status.replace("its file system is full", ""), status
    doctor = site.run("doctor", "--config", cart)
    assert doctor.returncode == 1 and words in doctor.stdout and advice in doctor.stdout, doctor.stdout
    assert 'what="disk",level="bad"' in needs_of(machines)[0] and len(needs_of(machines)) == 1
    assert agent.said.count(words) == 1 and advice in agent.said, agent.said
    disk.works()
    agent.wait_for(AGAIN)
    all_arrive(plant, 6)
    code, status, machines = told(site, cart)
    assert code == 0 and words not in status and str(spool) in status, status
    assert needs_of(machines) == []
    assert agent.said.count(AGAIN) == 1 and AGAIN not in agent.said.partition(words)[0]
    assert agent.end() == 0


def test_a_dying_disk_costs_few_lines_and_no_sessions(site, plant, disk):
    cart = site.cart(plant)
    agent = site.start("run", "--plain", "--config", cart, **disk.around)
    agent.wait_for("ToolsNet takes results")
    plant.produce(3)
    all_arrive(plant, 3)
    connections, said = plant.controller.connections, len(agent.said)
    disk.fails("sync", errno.EIO, site.home / "7.spool")
    until = time.monotonic() + 15
    while time.monotonic() < until:
        plant.produce(1)
        time.sleep(0.5)
    assert plant.controller.connections == connections
    assert len(agent.said[said:].splitlines()) == 2, agent.said[said:]  # that it was left, and why
    made = len(plant.controller.produced)
    disk.works()
    all_arrive(plant, made)
    agent.wait_for(AGAIN)
    assert agent.said.count(AGAIN) == 1
    assert agent.end() == 0


@pytest.mark.long("another way for a disk to die")
def test_a_disk_that_errs_in_one_place_alone_makes_no_storm(site, plant, disk):
    """The state can be saved, a result cannot: the controller is asked at growing pauses."""
    cart = site.cart(plant)
    agent = site.start("run", "--plain", "--config", cart, **disk.around)
    agent.wait_for("ToolsNet takes results")
    connections, said = plant.controller.connections, len(agent.said)
    disk.fails("sync", errno.EIO, site.home / "7.spool", LOG_BEGINS)
    until = time.monotonic() + 12
    while time.monotonic() < until:
        plant.produce(1)
        time.sleep(0.5)
    assert 1 <= plant.controller.connections - connections <= 4, "at 1, 2, 4 and 8 s"
    assert agent.said[said:].count("\n") <= 20, agent.said[said:]
    assert plant.controller.acknowledged == []
    disk.works()
    all_arrive(plant, len(plant.controller.produced))
    assert agent.end() == 0


def test_a_backlog_that_cannot_be_read_is_said_and_goes_out_afterwards(site, plant, disk):
    cart = site.cart(plant, toolsnet={"pim_host": "127.0.0.1", "pim_port": plant.pim_port, "reconnect_s": 1})
    agent = site.start("run", "--plain", "--config", cart, **disk.around)
    agent.wait_for("ToolsNet takes results")
    plant.cut_toolsnet(True)
    plant.produce(4)
    wait_for("four are stored", lambda: len(plant.controller.acknowledged) == 4)
    disk.fails("read", errno.EIO, site.home / "7.spool")
    plant.cut_toolsnet(False)
    agent.wait_for("a part of the spool cannot be read: the disk reports errors")
    code, status, _ = told(site, cart)
    assert code == 1 and "toolcart spool rescue" in status and "reading " in status, status
    disk.works()
    all_arrive(plant, 4)
    agent.wait_for(AGAIN)
    assert told(site, cart)[0] == 0
    assert agent.end() == 0


# -- a start


@pytest.mark.parametrize(
    ("calls", "number", "words"),
    [
        ("open", errno.EROFS, "Read-only file system; a card that wears out becomes read-only"),
        ("open", errno.EIO, "Input/output error; the card or disk is dying or loose"),
        ("read", errno.EIO, "Input/output error; the card or disk is dying or loose"),
    ],
    ids=["open EROFS", "open EIO", "read EIO"],
)
def test_a_start_says_why_and_what_helps(site, plant, disk, calls, number, words):
    cart = site.cart(plant)
    first = site.start("run", "--plain", "--config", cart)
    first.wait_for("controller ready")
    plant.produce(2)
    all_arrive(plant, 2)
    assert first.end() == 0
    disk.fails(calls, number, site.home / "7.spool")
    agent = site.start("run", "--plain", "--config", cart, **disk.around)
    assert agent.wait() == 3 and words in agent.said, agent.said
    assert "run the agent as" not in agent.said


@pytest.mark.parametrize(
    ("calls", "number"), [("allocate", errno.ENOSPC), ("write", errno.ENOSPC), ("sync", errno.EIO)]
)
def test_a_spool_that_cannot_be_made_is_said_and_not_left_behind(site, plant, disk, calls, number):
    disk.fails(calls, number, site.home / "7.spool.new")
    cart = site.cart(plant)
    agent = site.start("run", "--plain", "--config", cart, **disk.around)
    assert agent.wait() == 3 and f"cannot prepare {site.home}/7.spool" in agent.said, agent.said
    assert ("df -h" if number == errno.ENOSPC else "dying or loose") in agent.said
    assert not list(site.home.glob("7.spool*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of another user")
def test_a_wrong_owner_is_named_at_a_start(site, plant):
    cart = site.cart(plant)
    spool = site.home / "7.spool"
    first = site.start("run", "--plain", "--config", cart)
    first.wait_for("controller ready")
    assert first.end() == 0
    os.chown(spool, 0, 0)
    agent = site.start("run", "--plain", "--config", cart)
    assert agent.wait() == 3 and f"{spool} belongs to root, and the agent runs as nobody" in agent.said, agent.said
    spool.unlink()
    folder = site.home / "of-root"
    folder.mkdir()
    cart = site.cart(plant, station={"spool": {"path": "of-root/7.spool"}})
    agent = site.start("run", "--plain", "--config", cart)
    assert agent.wait() == 3, agent.said
    assert f"nobody may make no file in {folder}, which belongs to root" in agent.said, agent.said


# -- real file systems


def test_a_file_made_immutable_under_the_agent_is_said(site, plant):
    if os.geteuid() or not shutil.which("chattr"):
        pytest.skip("only root makes a file immutable")
    spool = site.home / "7.spool"
    cart = site.cart(plant)
    agent = site.start("run", "--plain", "--config", cart)
    agent.wait_for("ToolsNet takes results")
    if subprocess.run(["chattr", "+i", spool], capture_output=True).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        plant.produce(2)
        agent.wait_for("the agent's user may not write it")
        assert told(site, cart)[0] == 1
        again = site.run("run", "--plain", "--config", cart)
        assert again.returncode == 3
    finally:
        subprocess.run(["chattr", "-i", spool], check=True)
    all_arrive(plant, 2)
    agent.wait_for(AGAIN)
    assert agent.end() == 0


def test_a_start_on_a_read_only_mount_says_so(site, plant):
    card = site.home / "card"
    card.mkdir()
    cart = site.cart(plant, station={"spool": {"path": "card/7.spool"}})
    with PrivateMounts(site) as mounts:
        mounts.can("mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "none", card)
        first = site.start("run", "--plain", "--config", cart)
        first.wait_for("ToolsNet takes results")
        plant.cut_toolsnet(True)
        plant.produce(3)
        wait_for("three are stored", lambda: len(plant.controller.acknowledged) == 3)
        assert first.end() == 0
        plant.cut_toolsnet(False)
        mounts.run("mount", "-o", "remount,ro", card)
        agent = site.start("run", "--plain", "--config", cart)
        assert agent.wait() == 3 and f"cannot open {card}/7.spool: Read-only file system" in agent.said, agent.said
        assert "remount,rw" in agent.said and "run the agent as" not in agent.said
        doctor = site.run("doctor", "--offline", "--config", cart)
        assert doctor.returncode == 1 and "read-only" in doctor.stdout.lower(), doctor.stdout
        checked = site.run("config", "check", cart)
        assert "read-only" in (checked.stdout + checked.stderr).lower(), checked.stdout + checked.stderr
        # As a service it stays, says why, and uses the card when it can be written.
        service = site.start("run", "--plain", "--config", cart, NOTIFY_SOCKET=str(site.home / "none"))
        service.wait_for("Read-only file system")
        code, status, _ = told(site, cart)
        assert code == 1 and "Read-only file system; a card that wears out" in status, status
        mounts.run("mount", "-o", "remount,rw", card)
        all_arrive(plant, 3)
        assert service.said.count("Read-only file system") == 1
        assert service.end() == 0


def test_a_card_that_becomes_read_only_under_the_agent_loses_nothing(site, plant):
    """The kernel does so after an error: what is open says EIO, what is opened EROFS. It is mended and mounted."""
    card, image = site.home / "card", site.folder / "card.image"
    card.mkdir()
    cart = site.cart(plant, station={"spool": {"path": "card/7.spool", "size_kib": 1024}})
    with PrivateMounts(site) as mounts:
        mounts.run("truncate", "-s", "24M", image)
        mounts.can("mkfs.ext4", "-q", "-F", image)
        mounts.can("mount", "-o", "loop,errors=remount-ro", image, card)
        mounts.run("chmod", "777", card)
        device = mounts.run("findmnt", "-no", "SOURCE", card).stdout.strip().removeprefix("/dev/")
        agent = site.start("run", "--plain", "--config", cart)
        agent.wait_for("ToolsNet takes results")
        plant.produce(3)
        all_arrive(plant, 3)
        plant.cut_toolsnet(True)
        plant.produce(2)
        wait_for("two more are stored", lambda: len(plant.controller.acknowledged) == 5)
        mounts.can("sh", "-c", f"echo 1 > /sys/fs/ext4/{device}/trigger_fs_error")
        plant.produce(3)
        agent.wait_for("its file system is read-only")
        code, status, _ = told(site, cart)
        assert code == 1 and "remount,rw" in status and "its file system is read-only" in status, status
        assert len(plant.controller.acknowledged) == 5
        assert agent.end() == 0
        again = site.start("run", "--plain", "--config", cart)
        assert again.wait() == 3 and "Read-only file system" in again.said, again.said
        mounts.run("umount", card)
        mounts.run("fsck.ext4", "-fy", image, check=False)
        mounts.run("mount", "-o", "loop", image, card)
        plant.cut_toolsnet(False)
        last = site.start("run", "--plain", "--config", cart)
        all_arrive(plant, 8)
        assert last.end() == 0
        mounts.run("umount", card)
    image.unlink()


# -- the file of an outlet


@pytest.mark.parametrize(
    ("calls", "number", "words"),
    [
        pytest.param("write", errno.ENOSPC, "df -h", id="write ENOSPC"),
        pytest.param("sync", errno.EIO, "dying or loose", id="sync EIO", marks=ALSO),
        pytest.param("sync,truncate", errno.EIO, "dying or loose", id="truncate EIO"),
        pytest.param("open", errno.EROFS, "remount,rw", id="open EROFS", marks=ALSO),
        pytest.param("open,write", errno.EACCES, "ls -l", id="EACCES", marks=ALSO),
    ],
)
def test_an_outlet_s_file_that_is_refused_stops_no_result(site, plant, disk, calls, number, words):
    lines = site.home / "lines.jsonl"
    cart = site.cart(plant, station={"outlets": [TOOLSNET, {"kind": "file", "path": "lines.jsonl"}]})
    agent = site.start("run", "--plain", "--config", cart, **disk.around)
    agent.wait_for("ToolsNet takes results")
    plant.produce(2)
    wait_for("two lines", lambda: lines.exists() and lines.read_text().count("\n") == 2)
    disk.fails(calls, number, lines)
    if "open" in calls:  # it is open already: only another start opens it
        assert agent.end() == 0
        agent = site.start("run", "--plain", "--config", cart, **disk.around)
    plant.produce(3)
    all_arrive(plant, 5)
    agent.wait_for("lines.jsonl cannot be used: ")
    code, status, _ = told(site, cart)
    assert code == 1 and os.strerror(number) in status, status
    assert os.strerror(number) in agent.said and words in agent.said, agent.said
    disk.works()
    wait_for("five lines", lambda: lines.read_text().count("\n") == 5)
    assert [json.loads(line)["number"] for line in lines.read_text().splitlines()] == [1, 2, 3, 4, 5]
    wait_for("status is well again", lambda: told(site, cart)[0] == 0)
    assert agent.end() == 0


@pytest.mark.parametrize(
    "how", ["dot", "up and down", "absolute", "a link", "a hard link", "a folder's link", "not there"]
)
def test_two_names_of_one_file_are_a_mistake(site, how):
    spool, other = site.home / "x.spool", "./x.spool"
    if how != "not there":
        spool.write_bytes(b"")
    if how == "up and down":
        (site.home / "sub").mkdir()
        other = "sub/../x.spool"
    elif how == "absolute":
        other = spool
    elif how in ("a link", "a hard link"):
        other = "y.spool"
        (os.symlink if how == "a link" else os.link)(spool, site.home / other)
    elif how in ("a folder's link", "not there"):
        os.symlink(site.home, site.home / "same")
        other = "same/x.spool"
    # Two stations with these spools.
    stations = [
        {"number": number, "controller": {"host": "127.0.0.1", "port": free_port()}, "spool": {"path": str(path)}}
        for number, path in ((7, "x.spool"), (8, other))
    ]
    toolsnet = {"pim_host": "127.0.0.1", "pim_port": free_port()}
    cart = site.write("cart.json", {"toolsnet": toolsnet, "stations": stations})
    words = f"found {other}, which is the same file as x.spool"
    for command in (("config", "check", cart), ("run", "--plain", "--config", cart)):
        told = site.run(*command)
        assert told.returncode == 2 and words in told.stdout + told.stderr, told.stdout + told.stderr


def test_an_outlet_s_file_in_the_spool_s_place_is_a_mistake(site):
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "./7.spool"}]
    told = site.run("config", "check", site.cart(station={"outlets": outlets}))
    assert told.returncode == 2 and "which is the same file as 7.spool" in told.stderr, told.stderr


def test_a_spool_in_memory_is_warned_of(site):
    card = site.home / "a card"
    card.mkdir()
    cart = site.cart(station={"spool": {"path": "a card/7.spool"}})
    with PrivateMounts(site) as mounts:
        mounts.can("mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "none", card)
        checked = site.run("config", "check", cart)
        assert checked.returncode == 0 and "lies in memory (tmpfs)" in checked.stderr, checked.stderr
        machines = json.loads(site.run("config", "check", "--json", cart).stdout)
        assert len(machines["warnings"]) == 1
        doctor = site.run("doctor", "--offline", "--config", cart)
        assert f"{card} lies in memory (tmpfs)" in doctor.stdout, doctor.stdout
        mounts.run("umount", card)
        mounts.can("sh", "-c", 'cd "$0" && mkdir low up work', site.folder)
        layers = f"lowerdir={site.folder}/low,upperdir={site.folder}/up,workdir={site.folder}/work"
        mounts.can("mount", "-t", "overlay", "-o", layers, "none", card)
        mounts.run("chmod", "777", card)
        checked = site.run("config", "check", cart)
        gone = "it is gone with its container, or after a restart where the layer is memory"
        assert f"lies in a layer (overlay): {gone}" in checked.stderr, checked.stderr


def test_a_state_folder_that_systemd_makes_is_no_mistake(site):
    if os.path.exists("/var/lib/toolcart"):
        pytest.skip("a service's state folder is there")
    cart = site.cart(station={"spool": {"path": "/var/lib/toolcart/7.spool"}})
    checked = site.run("config", "check", cart)
    assert checked.returncode == 0 and "good, 1 station" in checked.stdout, checked.stdout + checked.stderr
    doctor = site.run("doctor", "--offline", "--config", cart)
    assert "systemd makes /var/lib/toolcart when the service starts" in doctor.stdout, doctor.stdout
    elsewhere = site.cart(station={"spool": {"path": "/var/lib/toolcarts/7.spool"}})
    assert "is not there (mkdir -p" in site.run("config", "check", elsewhere).stderr
